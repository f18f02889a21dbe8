"""What a handbook is compared with: the handbook as it was in git where this branch began, and what was done since."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from handbook.handbook import Handbook
from handbook.history import git as revision
from handbook.loading import load
from handbook.reading.fields import fields_of
from handbook.reading.nodes import Scalar
from handbook.reading.source import read_source
from handbook.records.adr import Adr
from handbook.records.kinds import RECORDS
from handbook.settings import FILE

REVIEWED: Final = "reviewed"
"""The key under which a record says when it was last read against reality."""

_READ: Final = (".md", ".yml", ".yaml")
_STAMPED: Final = tuple(
    kind for kind in RECORDS if REVIEWED in {row.key for row in fields_of(kind)}
)


@dataclass(frozen=True, slots=True)
class Stamping:
    """A commit that set days of review anew: who its trailers say reviewed, and the day by the path of each record."""

    commit: str
    reviewers: tuple[str, ...]
    days: Mapping[str, str]


@dataclass(frozen=True)
class Base:
    """The revision that a handbook is compared with."""

    revision: str
    """Its name, as it was given."""
    day: date
    """The day of its commit, which counts as today where the past is judged."""
    paths: frozenset[str]
    """The files that it has."""
    handbook: Handbook
    """The handbook at the commit where HEAD left the revision's history: what differs now, this branch has done."""
    stampings: tuple[Stamping, ...] = field(default=())
    """The commits since then that set days of review."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """The path at HEAD of each file that was renamed since then, by its path there."""
    unread: str | None = None
    """Where no record was read from that commit: a record that it seems to hold all the same."""

    def is_before(self, handbook: Handbook) -> bool:
        """Whether the handbook is new: it has records, and the base has none.

        Raises handbook.history.git.RevisionError where the base only seems to have none: nothing would be compared.
        """
        if any(self.handbook.counts.values()) or not any(handbook.counts.values()):
            return False
        if self.unread:
            raise revision.RevisionError(
                f"no record was read from it, although it holds {self.unread}; "
                "compare with a revision that holds the handbook in the same folder"
            )
        return True


def read_base(root: Path, name: str) -> Base:
    """The base that a revision is for the handbook at `root`.

    Raises handbook.history.git.RevisionError where git cannot say what it is, and OSError where no temporary file can
    be made.
    """
    tip = revision.find(root, name)
    fork = revision.fork(root, tip)
    handbook = _handbook(root, fork)
    return Base(
        revision=name,
        day=revision.day(root, tip),
        paths=frozenset(revision.files(root, tip)),
        handbook=handbook,
        stampings=tuple(_stampings(root, tip)),
        renamed=revision.renames(root, fork),
        unread=None if any(handbook.counts.values()) else _unread(root, fork),
    )


def _unread(root: Path, commit: str) -> str | None:
    """A path of a commit's whole tree that seems to be a record, or to hide some: a submodule or a link."""
    own = revision.prefix(root)
    folders = tuple(f"{own}{kind.folder}/" for kind in RECORDS)
    entries = revision.entries(root, commit)
    roots = {
        path.removesuffix(FILE) for path in entries if path.endswith(f"/{FILE}") or path == FILE
    }
    for path, mode in entries.items():
        if mode in ("160000", "120000"):
            if path.startswith(folders) or any(folder.startswith(f"{path}/") for folder in folders):
                return path
        elif _seems_record(path, roots):
            return path
    return None


def _seems_record(path: str, roots: Collection[str]) -> bool:
    """Whether a path ends as that of a record does; `roots` are the folders that hold settings.

    Elsewhere, a decision in `doc/adr/` or `docs/adr/` is none of the handbook's: a service keeps there those that bind
    it alone.
    """
    parts = path.split("/")
    for start in range(len(parts)):
        folder, name = "".join(f"{part}/" for part in parts[:start]), "/".join(parts[start:])
        owners = [kind for kind in RECORDS if kind.owns(name)]
        if owners and (
            folder in roots or owners != [Adr] or parts[start - 1] not in ("doc", "docs")
        ):
            return True
    return False


def _handbook(root: Path, commit: str) -> Handbook:
    """The handbook as it stood in a commit; one without records where there was none."""
    objects = {
        path: id for path, id in revision.files(root, commit).items() if path.endswith(_READ)
    }
    with tempfile.TemporaryDirectory(prefix="handbook-") as folder:
        (Path(folder) / FILE).touch()
        for path, content in zip(objects, revision.contents(root, objects.values()), strict=True):
            file = Path(folder) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return load(Path(folder))


def _stampings(root: Path, tip: str) -> list[Stamping]:
    commits = list(revision.commits(root, tip, sorted({kind.folder for kind in _STAMPED})))
    changes = [change for commit in commits for change in commit.changes if _stamped(change)]
    days = _days(root, sorted({id for change in changes for id in (*change.before, change.after)}))
    found = []
    for commit in commits:
        new = {
            change.path: day
            for change in commit.changes
            if _stamped(change)
            and (day := days[change.after])
            and all(before and before != day for before in map(days.get, change.before))
        }
        if new:
            found.append(Stamping(commit.hash[:12], commit.reviewers, new))
    return found


def _stamped(change: revision.Change) -> bool:
    """Whether a record with a day of review was changed: one that was not there before, or is gone, was not."""
    record = any(kind.owns(change.path) for kind in _STAMPED)
    return record and not any(set(id) == {"0"} for id in (*change.before, change.after))


def _days(root: Path, objects: list[str]) -> dict[str, str | None]:
    """The day of review that each object holds, as it is written."""
    return {
        id: _day(content)
        for id, content in zip(objects, revision.contents(root, objects), strict=True)
    }


def _day(content: bytes) -> str | None:
    front_matter = read_source("", content).front_matter
    found = front_matter.mapping.find(REVIEWED) if front_matter else None
    return found.text if isinstance(found, Scalar) else None
