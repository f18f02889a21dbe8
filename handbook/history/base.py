"""Base of a comparison: the handbook where this branch started, and the changes since."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from handbook.handbook import Handbook
from handbook.history import git
from handbook.loading import load
from handbook.reading.fields import fields_of
from handbook.reading.nodes import Scalar
from handbook.reading.source import read_source
from handbook.records.adr import Adr
from handbook.records.kinds import RECORDS
from handbook.settings import FILE

REVIEWED: Final = "reviewed"
"""Key with the date of a record's last review."""

_READ_SUFFIXES: Final = (".md", ".yml", ".yaml")
_REVIEWED_KINDS: Final = tuple(
    kind for kind in RECORDS if REVIEWED in {row.key for row in fields_of(kind)}
)


@dataclass(frozen=True, slots=True)
class ReviewCommit:
    """Commit that changed review dates: its reviewers, and the new date by record path."""

    commit: str
    reviewers: tuple[str, ...]
    days: Mapping[str, str]


@dataclass(frozen=True)
class Base:
    """Revision that a handbook is compared with."""

    revision: str
    """Name of the revision on the command line."""
    day: date
    """Date of its commit. Checks of the base use it as today's date."""
    paths: frozenset[str]
    """Paths of its files."""
    handbook: Handbook
    """Handbook at the merge base with HEAD, so that only changes of this branch differ."""
    review_commits: tuple[ReviewCommit, ...] = field(default=())
    """Commits since the merge base that changed review dates."""
    renamed_paths: Mapping[str, str] = field(default_factory=dict)
    """Path at HEAD of each renamed file, by its path at the merge base."""
    unread_record: str | None = None
    """Path of an apparent record, if the merge base has no readable records."""

    def predates(self, handbook: Handbook) -> bool:
        """Return whether the base has no records, but the handbook has some.

        Raises handbook.history.git.RevisionError if the base seems to have records elsewhere. A
        comparison would then find nothing.
        """
        if any(self.handbook.counts.values()) or not any(handbook.counts.values()):
            return False
        if self.unread_record:
            raise git.RevisionError(
                f"no records in the same folder, although it contains {self.unread_record}; "
                "compare with a revision that has the handbook in the same folder"
            )
        return True


def read_base(root: Path, name: str) -> Base:
    """Read the base of the handbook at `root` from a revision.

    Raises handbook.history.git.RevisionError if git cannot resolve or compare the revision, and
    OSError if it cannot create a temporary file.
    """
    tip = git.find_commit(root, name)
    merge_base = git.find_merge_base(root, tip)
    handbook = _load_handbook(root, merge_base)
    return Base(
        revision=name,
        day=git.read_commit_day(root, tip),
        paths=frozenset(git.list_files(root, tip)),
        handbook=handbook,
        review_commits=tuple(_find_review_commits(root, tip)),
        renamed_paths=git.list_renames(root, merge_base),
        unread_record=None
        if any(handbook.counts.values())
        else _find_unread_record(root, merge_base),
    )


def _find_unread_record(root: Path, commit: str) -> str | None:
    """Find an apparent record in a commit's whole tree, submodules and links included."""
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
    """Return whether a path ends like the path of a record. `roots` are folders with settings.

    Outside the roots, `doc/adr/` and `docs/adr/` do not count: a service keeps its own decisions
    there.
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


def _load_handbook(root: Path, commit: str) -> Handbook:
    """Load the handbook at a commit; it has no records if the commit has none."""
    objects = {
        path: id
        for path, id in git.list_files(root, commit).items()
        if path.endswith(_READ_SUFFIXES)
    }
    with tempfile.TemporaryDirectory(prefix="handbook-") as folder:
        (Path(folder) / FILE).touch()
        for path, content in zip(objects, git.read_objects(root, objects.values()), strict=True):
            file = Path(folder) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return load(Path(folder))


def _find_review_commits(root: Path, tip: str) -> list[ReviewCommit]:
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
    """Return whether a change edits an existing record that has a review date."""
    is_record = any(kind.owns(change.path) for kind in _REVIEWED_KINDS)
    return is_record and not any(set(id) == {"0"} for id in (*change.parent_ids, change.new_id))


def _read_days(root: Path, objects: list[str]) -> dict[str, str | None]:
    """Read the review date of each object, as text."""
    return {
        id: _read_day(content)
        for id, content in zip(objects, git.read_objects(root, objects), strict=True)
    }


def _read_day(content: bytes) -> str | None:
    front_matter = read_source("", content).front_matter
    value = front_matter.mapping.find(REVIEWED) if front_matter else None
    return value.text if isinstance(value, Scalar) else None
