"""REF001 and REF002: references to unknown records and ids."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handbook.diagnostics import Finding, did_you_mean
from handbook.handbook import Handbook
from handbook.reading.ids import find_item_anchor
from handbook.reading.placeholders import is_unwritten
from handbook.reading.problems import ProblemKind
from handbook.records import Document, Entity
from handbook.records.standard import Standard
from handbook.rules.engine import Context, rule


@rule("REF001", "unknown-record", over=Entity)
def unknown_record(entity: Entity, context: Context) -> Iterator[Finding]:
    """An id in front matter names an existing record of the right kind.

    This also applies to the folder of a runbook, an alert or an audit, which names a service.

    Why: an unknown id is a typing error, or the record was removed.

    Bad:
        amends: [ADR-0099]
    Good:
        amends: [ADR-0002]
    """
    handbook = context.handbook
    for reference in entity.references():
        kind, id = reference.kind, reference.id
        if (kind, id) in handbook.by_id or handbook.is_kind_missing(kind) or is_unwritten(id):
            continue
        if kind != "alert" or not (
            _has_unreadable_rule_file(handbook) or _is_misnamed_alert(id, handbook)
        ):
            ids = [known_id for known_kind, known_id in handbook.by_id if known_kind == kind]
            hint = did_you_mean(id, ids) or f"correct the id, or add the {kind}"
            yield Finding(reference.at, f"unknown {kind} '{id}'", hint)


def _has_unreadable_rule_file(handbook: Handbook) -> bool:
    """Whether a rule file could not be read, because the missing alert may be in that file."""
    return any(
        problem.kind is ProblemKind.UNREADABLE_FILE
        for file in handbook.rule_files
        for problem in file.problems
    )


def _is_misnamed_alert(id: str, handbook: Handbook) -> bool:
    """Whether an alert has this name plus invalid characters, because RBK008 reports that alert."""
    return any(
        re.sub(r"\W", "", alert.name).casefold() == id.casefold()
        for alert in handbook.misnamed_alerts
    )


@rule("REF002", "unknown-id", over=Document)
def unknown_id(document: Document, context: Context) -> Iterator[Finding]:
    """An id in prose names an existing record, requirement or checklist item.

    In code, an id is plain text.

    Why: the site turns ids into links, and an unknown id has no target.

    Bad:
        as ADR-0099 says
    Good:
        as ADR-0001 says
    """
    handbook = context.handbook
    own_ids = {id for id, _ in document.source.marked_items}
    anchor_lines = {
        heading.first
        for heading in document.source.headings
        if find_item_anchor(heading.level, heading.text)
    }
    for mention in document.source.mentions:
        # STD004 and CHK003 report ids at the place that defines them.
        if isinstance(document, Standard) and (
            mention.at.line in anchor_lines or mention.id in own_ids
        ):
            continue
        target = handbook.resolve_id(mention.id)
        if target.kind and target.record is None and not handbook.is_kind_missing(target.kind):
            ids = [id for kind, id in handbook.by_id if kind == target.kind] or list(handbook.items)
            hint = did_you_mean(mention.id, ids) or "write it as code if it is not a reference"
            yield Finding(mention.at, f"unknown id '{mention.id}'", hint)
