"""Compare the records of the handbook and the base."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from handbook.handbook import Handbook
from handbook.history.base import Base
from handbook.records import Document, Record


class ChangeKind(StrEnum):
    """The kind of a change of a record. A record with a new status is `moved`."""

    MOVED = "moved in status"
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A record that differs from the base.

    - `label`: the name of the kind of record on the site.
    - `url`: the full address of the record, or None without `site_url`.
    - `status`, `old_status`: the status on the branch and in the base, or None.
    - `old_path`: the path in the base, or None for an added record.
    """

    kind: ChangeKind
    label: str
    title: str
    path: str
    url: str | None
    status: str | None = None
    old_status: str | None = None
    old_path: str | None = None


def find_current(old: Document, base: Base, handbook: Handbook) -> Document | None:
    """Find the current version of a document of the base, or None if it was removed.

    The current version has the same path, lists the old address under `moved_from`, has the same
    id, or has the same address.
    """
    if old.path in handbook.documents:
        return handbook.documents[old.path]
    address = base.handbook.address(old)
    moved = (
        document for document in handbook.documents.values() if f"/{address}" in document.moved_from
    )
    for candidate in (
        next(moved, None),
        handbook.entities_by_id.get((old.kind, old.id)),
        handbook.entities_by_address.get(address),
    ):
        if isinstance(candidate, Document):
            return candidate
    return None


def compare_records(base: Base, handbook: Handbook) -> tuple[RecordChange, ...]:
    """Return the records that the branch adds, changes or removes, sorted by change and path."""
    order = list(ChangeKind)
    changes = _compare_records(base, handbook)
    return tuple(sorted(changes, key=lambda change: (order.index(change.kind), change.path)))


def _compare_records(base: Base, handbook: Handbook) -> Iterator[RecordChange]:
    compared_paths = set()
    for old in base.handbook.records:
        current = _find_current_record(old, base, handbook)
        if current is None:
            yield _describe(ChangeKind.REMOVED, old, base.handbook, old)
            continue
        compared_paths.add(current.path)
        if _read_status(current) != _read_status(old):
            yield _describe(ChangeKind.MOVED, current, handbook, old)
        elif current.path != old.path or current.source.text != old.source.text:
            yield _describe(ChangeKind.CHANGED, current, handbook, old)
    for record in handbook.records:
        if record.path not in compared_paths:
            yield _describe(ChangeKind.ADDED, record, handbook, None)


def _find_current_record(old: Record, base: Base, handbook: Handbook) -> Record | None:
    """Find the current version of a record.

    A file that Git sees as renamed also counts, unless its kind has numbers: another number is
    another record.
    """
    current = find_current(old, base, handbook)
    if current is None and "number" not in old.file_name.groupindex:
        current = handbook.documents.get(base.renamed_paths.get(old.path, ""))
    return current if isinstance(current, Record) and current.kind == old.kind else None


def _describe(
    kind: ChangeKind, record: Record, handbook: Handbook, old: Record | None
) -> RecordChange:
    settings = handbook.settings
    address = handbook.address(record)
    return RecordChange(
        kind=kind,
        label=record.label,
        title=record.title,
        path=record.path,
        url=f"{settings.site_url.rstrip('/')}/{address}" if settings.has_site_url else None,
        status=None if kind is ChangeKind.REMOVED else _read_status(record),
        old_status=_read_status(old) if old else None,
        old_path=old.path if old else None,
    )


def _read_status(record: Record) -> str | None:
    """Return the status of a record, or None if its kind has none."""
    status = getattr(record, "status", None)
    return status if isinstance(status, str) else None
