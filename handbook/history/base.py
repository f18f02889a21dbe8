"""The base: the revision with which a check compares the handbook of this branch."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final

from handbook.handbook import Handbook, list_folders
from handbook.history import git
from handbook.history.obstacles import (
    Obstacle,
    Tracking,
    can_hold_records,
    find_obstacle_in,
    find_obstacles,
    read_tracking,
)
from handbook.loading import load
from handbook.reading.fields import fields_of
from handbook.reading.nodes import Scalar
from handbook.reading.source import read_source
from handbook.records.adr import Adr
from handbook.records.kinds import RECORDS
from handbook.settings import FILE

REVIEWED: Final = "reviewed"
"""The front matter key with the date of the last review."""

_READ_SUFFIXES: Final = (".md", ".yml", ".yaml")
_REVIEWED_KINDS: Final = tuple(
    kind for kind in RECORDS if REVIEWED in {row.key for row in fields_of(kind)}
)


@dataclass(frozen=True, slots=True)
class ReviewCommit:
    """A commit that changed review dates.

    `days` has the new review date of each changed record, by path.
    """

    commit: str
    reviewers: tuple[str, ...]
    days: Mapping[str, str]


@dataclass(frozen=True)
class Base:
    """The revision with which a check compares a handbook."""

    revision: str
    """The name of the revision on the command line."""
    day: date
    """The date of its commit. A check of the base uses it instead of the current date."""
    paths: frozenset[str]
    """The paths of the files at the revision."""
    handbook: Handbook
    """The handbook at the merge base of the revision and HEAD.

    A comparison with it shows only the changes of this branch.
    """
    review_commits: tuple[ReviewCommit, ...] = field(default=())
    """The commits of this branch that changed review dates."""
    renamed_paths: Mapping[str, str] = field(default_factory=dict)
    """The new path of each renamed file, by its path at the merge base."""
    deleted_paths: frozenset[str] = frozenset()
    """The paths of the files that a commit of this branch deleted or renamed."""
    obstacles: Mapping[str, Obstacle] = field(default_factory=dict)
    """The paths at the merge base that cannot be compared, with their causes."""
    tracking: Tracking = field(default_factory=Tracking)
    """The files of the work tree, as Git sees them."""
    unread_record: str | None = None
    """The path of a file that looks like a record in another folder, or None.

    It is set only if the handbook at the merge base has no records.
    """

    @cached_property
    def earlier_paths(self) -> frozenset[str]:
        """The paths of files in the base or in the history of the branch, and of their folders."""
        files = {*self.paths, *self.handbook.paths, *self.deleted_paths}
        return frozenset(files.union(*map(list_folders, files)))

    def had_path(self, path: str) -> bool:
        """Return whether the base or the history of the branch has a file or folder.

        The result is also true if the settings of the base are not readable, because the base can
        then have any entry of `handbook.removed`.
        """
        return path.rstrip("/") in self.earlier_paths or not self.handbook.settings.is_readable

    @cached_property
    def allowed_removals(self) -> frozenset[str]:
        """The paths that `handbook.removed` lists in the base."""
        entries = self.handbook.settings.organisation.removed
        return frozenset(entry.path for entry in entries if entry.path)

    def find_uncompared(self, handbook: Handbook) -> dict[str, Obstacle]:
        """Return the files and folders that cannot be compared, with their causes."""
        files = {*handbook.documents} - handbook.provided
        files.update(audit.path for audit in handbook.audits)
        files.update(rule_file.path for rule_file in handbook.rule_files)
        paths = files.union(*map(list_folders, files))
        uncompared = {
            path: obstacle
            for path, obstacle in self.obstacles.items()
            if path in paths
            or path in self.handbook.paths
            or (obstacle is Obstacle.SUBMODULE and can_hold_records(path))
        }
        for path in sorted(files):
            if obstacle_at_path := self.tracking.find_obstacle(path, self.handbook.paths):
                uncompared.setdefault(*obstacle_at_path)
        return uncompared

    def predates(self, handbook: Handbook) -> bool:
        """Return whether the handbook has records, but the base has none yet.

        Raises handbook.history.git.RevisionError if the base seems to have records in another
        folder. In this case a comparison would find nothing.
        """
        if any(self.handbook.entity_counts.values()) or not any(handbook.entity_counts.values()):
            return False
        if self.unread_record:
            raise git.RevisionError(
                f"no records in the same folder, although it contains {self.unread_record}; "
                "compare with a revision that has the handbook in the same folder"
            )
        return True


def read_base(root: Path, name: str) -> Base:
    """Read the base for the handbook in the folder `root`. `name` is the name of a revision.

    Raises handbook.history.git.RevisionError if the revision is unknown, or git cannot compare it
    with HEAD. Raises OSError if this function cannot create a temporary file.
    """
    tip = git.find_commit(root, name)
    merge_base = git.find_merge_base(root, tip)
    entries = git.list_tree(root, merge_base)
    obstacles = find_obstacles(entries)
    handbook = _load_handbook(root, entries, obstacles)
    return Base(
        revision=name,
        day=git.read_commit_day(root, tip),
        paths=frozenset(git.list_files(root, tip)),
        handbook=handbook,
        review_commits=tuple(_find_review_commits(root, tip)),
        renamed_paths=git.list_renames(root, merge_base),
        obstacles=obstacles,
        tracking=read_tracking(root),
        deleted_paths=frozenset(git.list_deleted(root, merge_base)),
        unread_record=None
        if any(handbook.entity_counts.values())
        else _find_unread_record(root, merge_base),
    )


def _find_unread_record(root: Path, commit: str) -> str | None:
    """Find a file that looks like a record in any folder of a commit. Returns its path or None.

    A submodule or symbolic link that can contain records also counts.
    """
    prefix = git.read_prefix(root)
    folders = tuple(f"{prefix}{kind.folder}/" for kind in RECORDS)
    entries = git.list_entries(root, commit)
    roots = {
        path.removesuffix(FILE) for path in entries if path.endswith(f"/{FILE}") or path == FILE
    }
    for path, mode in entries.items():
        if mode in ("160000", "120000"):
            if path.startswith(folders) or any(folder.startswith(f"{path}/") for folder in folders):
                return path
        elif _looks_like_record(path, roots):
            return path
    return None


def _looks_like_record(path: str, roots: Collection[str]) -> bool:
    """Return whether the end of a path has the form of the path of a record.

    `roots` are the folders with a mkdocs.yml. Outside these folders, `doc/adr/` and `docs/adr/` do
    not count, because a service can keep its own decisions there.
    """
    segments = path.split("/")
    for start in range(len(segments)):
        folder, name = (
            "".join(f"{segment}/" for segment in segments[:start]),
            "/".join(segments[start:]),
        )
        owners = [kind for kind in RECORDS if kind.owns(name)]
        if owners and (
            folder in roots or owners != [Adr] or segments[start - 1] not in ("doc", "docs")
        ):
            return True
    return False


def _load_handbook(
    root: Path, entries: Mapping[str, git.TreeEntry], obstacles: dict[str, Obstacle]
) -> Handbook:
    """Load the handbook from the entries of a commit. It can be without records.

    Adds the files whose stored content is not their text to `obstacles`.
    """
    objects = {
        path: entry.id
        for path, entry in entries.items()
        if entry.is_file and path.endswith(_READ_SUFFIXES)
    }
    with tempfile.TemporaryDirectory(prefix="handbook-") as folder:
        (Path(folder) / FILE).touch()
        for path, content in zip(objects, git.read_objects(root, objects.values()), strict=True):
            file = Path(folder) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            if obstacle := find_obstacle_in(content):
                obstacles[path] = obstacle
        return load(Path(folder))


def _find_review_commits(root: Path, tip: str) -> list[ReviewCommit]:
    """Return the commits of HEAD, but not of `tip`, that changed review dates."""
    commits = list(git.list_commits(root, tip, sorted({kind.folder for kind in _REVIEWED_KINDS})))
    changes = [change for commit in commits for change in commit.changes if _changes_record(change)]
    days = _read_days(
        root, sorted({id for change in changes for id in (*change.parent_ids, change.new_id)})
    )
    review_commits = []
    for commit in commits:
        changed_days = {
            change.path: day
            for change in commit.changes
            if _changes_record(change)
            and (day := days[change.new_id])
            and all(old_day and old_day != day for old_day in map(days.get, change.parent_ids))
        }
        if changed_days:
            review_commits.append(ReviewCommit(commit.hash[:12], commit.reviewers, changed_days))
    return review_commits


def _changes_record(change: git.Change) -> bool:
    """Return whether a change edits a record of a kind with review dates.

    A change that adds or deletes the file does not count.
    """
    is_record = any(kind.owns(change.path) for kind in _REVIEWED_KINDS)
    return is_record and not any(set(id) == {"0"} for id in (*change.parent_ids, change.new_id))


def _read_days(root: Path, objects: list[str]) -> dict[str, str | None]:
    """Return the review date in each Git object as text, or None, by object id."""
    return {
        id: _read_day(content)
        for id, content in zip(objects, git.read_objects(root, objects), strict=True)
    }


def _read_day(content: bytes) -> str | None:
    front_matter = read_source("", content).front_matter
    value = front_matter.mapping.find(REVIEWED) if front_matter else None
    return value.text if isinstance(value, Scalar) else None
