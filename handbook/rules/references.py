"""REF001 and REF002: references to unknown records and ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from handbook.diagnostics import Finding, Suggestion
from handbook.handbook import Handbook
from handbook.reading.ids import find_item_anchor, read_number, suggest_id
from handbook.reading.placeholders import is_unwritten
from handbook.records import Document, Entity, Record
from handbook.records.alert import Alert
from handbook.records.kinds import KINDS
from handbook.records.runbook import Runbook
from handbook.records.standard import Standard
from handbook.rules.engine import Context, rule
from handbook.rules.form import find_wrong_number

_LABELS: Final = {kind.kind: kind.label.lower() for kind in KINDS}
"""The name of each kind in a message, such as `decision` for the kind `adr`."""
_DIGITS: Final = {"adr": 4}
"""The number of digits in the ids of a kind. The ids of all other kinds have two digits."""


@rule("REF001", "unknown-record", over=Entity)
def unknown_record(entity: Entity, context: Context) -> Iterator[Finding]:
    """An id in front matter names an existing record of the right kind.

    The folder of a runbook, an alert or an audit is the id of its service, so the rule checks it,
    too. The rule ignores the alerts of an imported runbook, because their rule files may be
    elsewhere.

    Why: an unknown id is a typing error, or its record was removed.

    Bad:
        amends: [ADR-0099]
    Good:
        amends: [ADR-0002]
    """
    handbook = context.handbook
    for reference in entity.references:
        kind, id = reference.kind, reference.id
        if (
            (kind, id) in handbook.entities_by_id
            or handbook.is_kind_missing(kind)
            or is_unwritten(id)
            or (kind == Alert.kind and isinstance(entity, Runbook) and entity.is_imported)
        ):
            continue
        if kind != "alert" or not (
            _has_unreadable_rule_file(handbook) or _is_misnamed_alert(id, handbook)
        ):
            label = _LABELS.get(kind, kind)
            default = f"correct the id, or add the {label}"
            yield Finding(
                reference.at,
                f"unknown {label} '{id}'",
                Suggestion(id, _list_ids(kind, handbook), default, suggest_id),
            )


def _has_unreadable_rule_file(handbook: Handbook) -> bool:
    """Return whether a rule file is unreadable. It could contain the unknown alert."""
    return not all(file.is_readable for file in handbook.rule_files)


def _is_misnamed_alert(id: str, handbook: Handbook) -> bool:
    """Return whether an alert has this name apart from invalid characters.

    RBK008 reports the name of that alert.
    """
    return any(
        re.sub(r"\W", "", alert.name).casefold() == id.casefold()
        for alert in handbook.misnamed_alerts
    )


@rule("REF002", "unknown-id", over=Document)
def unknown_id(document: Document, context: Context) -> Iterator[Finding]:
    """An id in the text names an existing record, requirement or checklist item.

    The rule ignores ids in code, and ids that belong to another system, such as `SEC-4711` if the
    checklist items have two digits. These are ids of this handbook: an id with as many digits as
    its records have, an id with a leading zero, an id with the number of an existing item, and
    `ADR` or `STD` with fewer digits.

    Why: the site makes a link of every id, and an unknown id has no target.

    Bad:
        as ADR-0099 says
    Good:
        as ADR-0001 says
    """
    handbook = context.handbook
    own_ids = set(document.source.item_ids)
    anchor_lines = {
        heading.first
        for heading in document.source.headings
        if find_item_anchor(heading.level, heading.text)
    }
    title = document.source.title_heading
    # FM108 reports the id of another record at the start of a title.
    title_line = (
        title.first
        if title and isinstance(document, Record) and find_wrong_number(document, title.text)
        else None
    )
    for mention in document.source.mentions:
        if mention.at.line == title_line:
            continue
        # STD004 and CHK003 check the ids of the standard's own requirements and items.
        if isinstance(document, Standard) and (
            mention.at.line in anchor_lines or mention.id in own_ids
        ):
            continue
        target = handbook.resolve_id(mention.id)
        is_of_standard = target.kind == "item" or "." in mention.id
        if is_of_standard and handbook.has_unreadable_standard:
            continue
        if target.kind and target.record is None and not handbook.is_kind_missing(target.kind):
            if is_own_id(mention.id, target.kind, handbook):
                ids = _list_ids_or_items(target.kind, handbook)
                default = "correct the id, or put it in backticks if it is not a reference"
                yield Finding(
                    mention.at,
                    f"unknown id '{mention.id}'",
                    Suggestion(mention.id, ids, default, suggest_id),
                )


def is_own_id(id: str, kind: str, handbook: Handbook) -> bool:
    """Return whether an unknown id in a text is a misspelt id of this handbook.

    Otherwise it belongs to another system, such as an issue tracker. `kind` is the kind of the
    records that have ids with this prefix.
    """
    base = id.partition(".")[0]
    number = base.rpartition("-")[2]
    digits = _DIGITS.get(kind, 2)
    has_own_form = len(number) == digits or number.startswith("0")
    is_shortened = kind != "item" and len(number) < digits
    return has_own_form or is_shortened or read_number(base) in handbook.id_numbers


def _list_ids(kind: str, handbook: Handbook) -> Iterator[str]:
    return (known_id for known_kind, known_id in handbook.entities_by_id if known_kind == kind)


def _list_ids_or_items(kind: str, handbook: Handbook) -> Iterator[str]:
    """List the ids of a kind, or the checklist items if no record has this kind."""
    yield from list(_list_ids(kind, handbook)) or handbook.checklist_items
