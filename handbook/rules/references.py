"""REF001 and REF002: what one record says of another names a record that is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handbook.diagnostics import Finding, did_you_mean
from handbook.handbook import Handbook
from handbook.reading.ids import own_id
from handbook.reading.placeholders import is_unwritten
from handbook.reading.problems import ProblemKind
from handbook.records import Document, Entity
from handbook.records.standard import Standard
from handbook.rules.engine import Context, rule


@rule("REF001", "unknown-record", over=Entity)
def unknown_record(entity: Entity, context: Context) -> Iterator[Finding]:
    """An id in the front matter, or the folder of a runbook, an alert or an audit, names a record of its kind.

    Why: a reference to nothing is a fact that was lost, or a slip.

    Bad:
        amends: [ADR-0099]
    Good:
        amends: [ADR-0002]
    """
    handbook = context.handbook
    for reference in entity.references():
        kind, id = reference.kind, reference.id
        if (kind, id) in handbook.by_id or handbook.lost(kind) or is_unwritten(id):
            continue
        if kind != "alert" or not (_unread(handbook) or _misnamed(id, handbook)):
            known = [known for of_kind, known in handbook.by_id if of_kind == kind]
            hint = did_you_mean(id, known) or f"there is no {kind} of that id"
            yield Finding(reference.at, f"{reference.key} names {id}, which is not there", hint)


def _unread(handbook: Handbook) -> bool:
    """Whether a rule file could not be read, so that an alert that seems to be missing may stand there."""
    return any(
        problem.kind is ProblemKind.UNREADABLE_FILE
        for file in handbook.rule_files
        for problem in file.problems
    )


def _misnamed(id: str, handbook: Handbook) -> bool:
    """Whether an alert has that name but for characters that no name of an alert may have, which RBK008 reports."""
    return any(
        re.sub(r"\W", "", alert.name).casefold() == id.casefold()
        for alert in handbook.misnamed_alerts
    )


@rule("REF002", "unknown-id", over=Document)
def unknown_id(document: Document, context: Context) -> Iterator[Finding]:
    """An id in prose names what is there: a record, a rule of a standard, an item of the checklist.

    In code an id is only text.

    Why: on the site it is a link; one that leads nowhere was mistyped, or what it named is gone.

    Bad:
        as ADR-0099 says
    Good:
        as ADR-0001 says
    """
    handbook = context.handbook
    marked = {id for id, _ in document.source.marked}
    own = {
        heading.first for heading in document.source.headings if own_id(heading.level, heading.text)
    }
    for mention in document.source.mentions:
        if isinstance(document, Standard) and (mention.at.line in own or mention.id in marked):
            continue  # where a rule or an item has its own place; STD004 and CHK003 speak of those
        named = handbook.named(mention.id)
        if named.kind and named.record is None and not handbook.lost(named.kind):
            known = [id for kind, id in handbook.by_id if kind == named.kind] or list(
                handbook.items
            )
            hint = (
                did_you_mean(mention.id, known)
                or "write it as code if it is not meant as a reference"
            )
            yield Finding(mention.at, f"{mention.id} names nothing that is here", hint)
