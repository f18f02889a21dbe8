"""The JSON files under `api/v1/` and the CSV files of the site, for other programs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import is_dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from handbook.handbook import Handbook
from handbook.reading.fields import fields_of, schema_of
from handbook.reading.ids import find_group
from handbook.records import Entity, Record
from handbook.records.audit import Audit
from handbook.records.kinds import RECORDS
from handbook.records.postmortem import Postmortem
from handbook.records.rule_file import MonitoringRule
from handbook.records.service import Service
from handbook.records.standard import ChecklistItem
from handbook.settings import settings_schema
from handbook.views import Keep, make_now
from handbook.views.teams import find_records

_SCHEMAS: Final[tuple[type[Record] | type[Audit], ...]] = (*RECORDS, Audit)
_ACTION_COLUMNS: Final = ("id", "postmortem", "action", "owner", "due", "status", "done", "url")
_GAP_LISTS: Final = ("deciders", "authors", "reviewers")
"""The lists that are null if an imported record lacks them."""
_ITEM_COLUMNS: Final = (
    "id",
    "group",
    "item",
    "verify",
    "files",
    "since",
    "until",
    "extra",
    "standard",
    "fingerprint",
    "url",
)


_BEFORE_FORMULA: Final = re.compile(r"""(?<![\s";,|])[\s";,|]*+(?=[=+@＝＋＠－-])""")
"""White space, separators and quotation marks before a character that begins a formula."""

_SEPARATOR: Final = re.compile("[;\t\r\n]")
_MARKS: Final = (",", "|")
"""Separators that are also marks of a sentence. Only text directly after them can be a cell."""


def files(handbook: Handbook, revision: str | None, keep: Keep = make_now) -> dict[str, str]:
    """Return the text of every JSON and CSV file, by path from the root of the site.

    `revision` is the commit from which the site is built, or None. A preview keeps the text of each
    record with `keep`.
    """
    contents = dict(keep(("schemas",), (), partial(_make_schemas, handbook)))

    def make_records(kind: type[Record]) -> list[str]:
        return [
            keep(("item", record.path), (record,), partial(_record_text, handbook, record))
            for record in handbook.of(kind)
        ]

    texts = {
        kind.plural: keep(("items", kind.plural), (), partial(make_records, kind))
        for kind in RECORDS
    }
    for name, make_items in _LISTS.items():
        items = keep(("items", name), (), partial(make_items, handbook))
        texts[name] = keep(("texts", name), (items,), partial(_to_texts, items))
        if columns := _COLUMNS.get(name):
            csv_text = keep(("csv", name), (items,), partial(_to_csv, columns, items))
            contents[f"{name}.csv"] = csv_text
    for name, texts_of_items in texts.items():
        contents[f"api/v1/{name}.json"] = _list_to_json(revision, texts_of_items)
    return contents


def _make_schemas(handbook: Handbook) -> dict[str, str]:
    contents = {
        f"api/v1/schemas/{kind.kind}.json": _to_json(schema(handbook, kind)) for kind in _SCHEMAS
    }
    return contents | {"api/v1/schemas/settings.json": _to_json(settings_schema())}


def schema(handbook: Handbook, kind: type[Record] | type[Audit]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a kind, with the values from the settings."""
    url = handbook.settings.site_url.rstrip("/")
    schema = schema_of(kind, handbook.settings.allowed_values)
    optional = kind.optional_if_imported if issubclass(kind, Record) else ()
    if optional:
        required = [key for key in schema["required"] if key in optional]
        schema["required"] = [key for key in schema["required"] if key not in optional]
        schema["anyOf"] = [{"required": ["imported"]}, {"required": required}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{url}/api/v1/schemas/{kind.kind}.json",
        "title": f"Front matter: {kind.kind}",
        **schema,
    }


def _full_url(handbook: Handbook, address: str) -> str:
    return f"{handbook.settings.site_url.rstrip('/')}/{address}"


def _record_item(handbook: Handbook, record: Record) -> dict[str, Any]:
    """Return a record for JSON: its front matter, values from its body, and backlinks."""
    item: dict[str, Any] = {
        "id": record.id,
        "title": record.title,
        "url": _full_url(handbook, handbook.address(record)),
        "path": record.path,
    }
    for row in fields_of(type(record)):
        value = getattr(record, row.name)
        is_gap = record.is_imported and value == () and row.key in _GAP_LISTS
        item[row.key] = None if is_gap else _to_plain(value)
    item |= _to_plain(record.body_values)
    if isinstance(record, Service):
        item["audits"] = [_audit_item(audit) for audit in handbook.audits_of(record)]
    item["referred_to_by"] = _backlinks(handbook, record)
    return item


def _record_text(handbook: Handbook, record: Record) -> str:
    return _to_text(_record_item(handbook, record))


def _backlinks(handbook: Handbook, entity: Entity) -> list[dict[str, str]]:
    sources = {
        (ref.source.kind, ref.source.id)
        for ref in handbook.references_to(entity)
        if ref.source.kind != "page"
    }
    return [{"kind": kind, "id": id} for kind, id in sorted(sources)]


def _audit_item(audit: Audit) -> dict[str, Any]:
    return {"quarter": audit.quarter} | {
        row.key: _to_plain(getattr(audit, row.name)) for row in fields_of(Audit)
    }


def _alert_items(handbook: Handbook) -> list[dict[str, Any]]:
    return [
        {
            "name": alert.name,
            "service": alert.service,
            "path": alert.path,
            "url": _full_url(handbook, handbook.address(alert)),
            **_rule_item(alert.rules[0]),
            "rules": [
                {"path": rule.path, "line": rule.node.at.line, **_rule_item(rule)}
                for rule in alert.rules
            ],
            "runbooks": [runbook.id for runbook in handbook.runbooks_of(alert)],
            "referred_to_by": _backlinks(handbook, alert),
        }
        for alert in sorted(handbook.alerts, key=lambda alert: alert.name)
    ]


def _rule_item(rule: MonitoringRule) -> dict[str, Any]:
    return {
        "expr": rule.expr,
        "for": rule.for_duration,
        "labels": dict(rule.labels),
        "annotations": dict(rule.annotations),
    }


def _checklist_items(handbook: Handbook) -> list[dict[str, Any]]:
    groups = handbook.settings.organisation.groups
    return [
        {row.key: _to_plain(getattr(owned.item, row.name)) for row in fields_of(ChecklistItem)}
        | {
            "group": groups.get(find_group(id)),
            "standard": owned.standard.id,
            "standards": [standard.id for standard in handbook.standards_of(id)],
            "fingerprint": owned.item.fingerprint,
            "url": _full_url(handbook, f"{handbook.address(owned.standard)}#{id.lower()}"),
        }
        for id, owned in handbook.checklist_items.items()
    ]


def _action_items(handbook: Handbook) -> list[dict[str, Any]]:
    return [
        {
            "id": action.id,
            "postmortem": postmortem.id,
            "action": action.text,
            "owner": action.owner or None,
            "due": _to_plain(action.due),
            "status": action.status or None,
            "done": _to_plain(action.done),
            "reason": action.reason,
            "url": _full_url(handbook, f"actions/#{postmortem.id}-{action.id.lower()}"),
        }
        for postmortem in handbook.of(Postmortem)
        for action in postmortem.actions
    ]


def _team_items(handbook: Handbook) -> list[dict[str, Any]]:
    """Return each team with its contacts, and the ids of its records."""
    items = []
    for name, team in handbook.settings.organisation.teams.items():
        records = find_records(handbook, name)
        items.append(
            {
                "name": name,
                "channel": team.channel,
                "on_call": team.on_call,
                "url": _full_url(handbook, quote(handbook.settings.team_addresses[name])),
                "services": [service.id for service in records.services],
                "runbooks": [runbook.id for runbook in records.runbooks],
                "standards": [standard.id for standard in records.standards],
                "alerts": [alert.name for alert in records.alerts],
                "adrs": [adr.id for adr in records.decisions],
                "postmortems": [incident.id for incident in records.incidents],
            }
        )
    return items


_LISTS: Final[Mapping[str, Callable[[Handbook], list[dict[str, Any]]]]] = {
    "alerts": _alert_items,
    "checklist": _checklist_items,
    "actions": _action_items,
    "teams": _team_items,
}
"""The functions that return the items of the lists that are not a kind of record."""
_COLUMNS: Final = {"checklist": _ITEM_COLUMNS, "actions": _ACTION_COLUMNS}
"""The columns of the lists that are also CSV files."""


def _to_plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _to_plain(item) for key, item in value.items()}
    if is_dataclass(value):
        return {row.key: _to_plain(getattr(value, row.name)) for row in fields_of(type(value))}
    return value


def _to_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _to_text(item: Mapping[str, Any]) -> str:
    """Return an item as JSON with the indentation that it has in a list."""
    return json.dumps(item, indent=2, ensure_ascii=False).replace("\n", "\n    ")


def _to_texts(items: Iterable[Mapping[str, Any]]) -> list[str]:
    return [_to_text(item) for item in items]


def _list_to_json(revision: str | None, texts: Iterable[str]) -> str:
    """Return the JSON of a list, as `_to_json` does, from the texts of its items."""
    text = _to_json({"version": 1, "commit": revision, "items": []})
    items = ",\n    ".join(texts)
    return text.replace("[]", f"[\n    {items}\n  ]") if items else text


def _to_csv(columns: tuple[str, ...], items: Iterable[Mapping[str, Any]]) -> str:
    """Return items as CSV (RFC 4180), in which a spreadsheet finds no formula."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(columns)
    for item in items:
        cells = ("" if item[column] is None else str(item[column]) for column in columns)
        writer.writerow(map(_neutralise, cells))
    return target.getvalue()


def _neutralise(cell: str) -> str:
    """Put an apostrophe before each text that a spreadsheet would treat as a formula.

    A formula begins a cell. In a spreadsheet that separates columns by semicolons or tabs, text
    after such a separator is also a cell. Quotation marks do not prevent this, because they are not
    at the start of that cell.
    """
    if cell[:1] in ("\t", "\r"):
        cell = f"'{cell}"
    return _BEFORE_FORMULA.sub(_add_apostrophe, cell)


def _add_apostrophe(match: re.Match[str]) -> str:
    before = match[0]
    is_cell = match.start() == 0 or _SEPARATOR.search(before) or before.rstrip('"').endswith(_MARKS)
    return f"{before}'" if is_cell else before
