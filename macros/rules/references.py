"""REF001 and REF002: what one record says of another names a record that is there."""

from __future__ import annotations

from collections.abc import Iterator

from macros.diagnostics import Finding, did_you_mean
from macros.handbook import Handbook
from macros.records import Document, Record
from macros.records.kinds import KINDS
from macros.rules import Context, rule


@rule("REF001", "unknown-record", over=Record)
def unknown_record(record: Record, context: Context) -> Iterator[Finding]:
    """An id in the front matter names a record of its kind.

    Why: a reference to nothing is a fact that was lost, or a slip.

    Bad:
        amends: [ADR-0099]
    Good:
        amends: [ADR-0002]
    """
    for key, kind, id, at in record.references():
        if (kind, id) not in context.handbook.by_id and not _all_lost(context.handbook, kind):
            known = [known for of_kind, known in context.handbook.by_id if of_kind == kind]
            hint = did_you_mean(id, known) or f"there is no {kind} of that id"
            yield Finding(at, f"{key} names {id}, which is not there", hint)


def _all_lost(handbook: Handbook, name: str) -> bool:
    return any(kind.kind == name and handbook.lost(kind) for kind in KINDS)


@rule("REF002", "unknown-id", over=Document)
def unknown_id(document: Document, context: Context) -> Iterator[Finding]:
    """An id in prose, such as ADR and its number, names a record. In code it is only text.

    Why: on the site it is a link; one that leads nowhere was mistyped, or what it named is gone.

    Bad:
        as ADR-0099 says
    Good:
        as ADR-0001 says
    """
    for mention in document.source.mentions:
        kind, record = context.handbook.named(mention.id)
        if kind and record is None and not context.handbook.lost(kind):
            known = [id for of_kind, id in context.handbook.by_id if of_kind == kind.kind]
            hint = did_you_mean(mention.id, known)
            yield Finding(
                mention.at,
                f"{mention.id} names no {kind.kind}",
                hint or "write it as code if it is not meant as a reference",
            )
