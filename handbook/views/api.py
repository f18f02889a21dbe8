"""The knowledge base for machines: what the site serves under `api/v1/`, and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from datetime import date, datetime
from typing import Any, Final

from handbook.handbook import Handbook
from handbook.reading.fields import fields_of, schema_of
from handbook.records import Entity, Record
from handbook.records.audit import Audit
from handbook.records.kinds import RECORDS
from handbook.records.postmortem import Postmortem
from handbook.records.service import Service
from handbook.records.standard import ChecklistItem
from handbook.settings import settings_schema

_SCHEMAS: Final[tuple[type[Record] | type[Audit], ...]] = (*RECORDS, Audit)
_ACTION_COLUMNS: Final = ("id", "postmortem", "action", "owner", "due", "status", "done", "url")
_ITEM_COLUMNS: Final = (
    "id",
    "group",
    "item",
    "verify",
    "since",
    "until",
    "extra",
    "standard",
    "fingerprint",
    "url",
)


def files(handbook: Handbook, revision: str | None) -> dict[str, str]:
    """Every file of the interface, made from a commit: its path relative to the site's root, and its text."""
    made = {f"api/v1/schemas/{kind.kind}.json": _text(schema(handbook, kind)) for kind in _SCHEMAS}
    made["api/v1/schemas/settings.json"] = _text(settings_schema())
    lists = {
        kind.plural: [_record(handbook, record) for record in handbook.of(kind)] for kind in RECORDS
    }
    lists["alerts"] = _alerts(handbook)
    lists["checklist"] = _checklist(handbook)
    lists["actions"] = _actions(handbook)
    for name, items in lists.items():
        made[f"api/v1/{name}.json"] = _text({"version": 1, "commit": revision, "items": items})
    made["checklist.csv"] = _csv(_ITEM_COLUMNS, lists["checklist"])
    made["actions.csv"] = _csv(_ACTION_COLUMNS, lists["actions"])
    return made


def schema(handbook: Handbook, kind: type[Record] | type[Audit]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the keys of a kind, with the organisation's words in it."""
    url = handbook.settings.site_url.rstrip("/")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{url}/api/v1/schemas/{kind.kind}.json",
        "title": f"Front matter: {kind.kind}",
        **schema_of(kind, handbook.settings.vocabularies),
    }


def _url(handbook: Handbook, address: str) -> str:
    return f"{handbook.settings.site_url.rstrip('/')}/{address}"


def _record(handbook: Handbook, record: Record) -> dict[str, Any]:
    """A record: where it stands, its title, every key of its kind, what its body holds, and what refers to it."""
    item: dict[str, Any] = {
        "id": record.id,
        "title": record.title,
        "url": _url(handbook, handbook.address(record)),
        "path": record.path,
    }
    for row in fields_of(type(record)):
        item[row.key] = _value(getattr(record, row.name))
    item |= _value(record.extras)
    if isinstance(record, Service):
        item["audits"] = [_audit(audit) for audit in handbook.audits_of(record)]
    item["referred_to_by"] = _referring(handbook, record)
    return item


def _referring(handbook: Handbook, entity: Entity) -> list[dict[str, str]]:
    found = {
        (ref.source.kind, ref.source.id)
        for ref in handbook.referring_to(entity)
        if ref.source.kind != "page"
    }
    return [{"kind": kind, "id": id} for kind, id in sorted(found)]


def _audit(audit: Audit) -> dict[str, Any]:
    return {"quarter": audit.quarter} | {
        row.key: _value(getattr(audit, row.name)) for row in fields_of(Audit)
    }


def _alerts(handbook: Handbook) -> list[dict[str, Any]]:
    return [
        {
            "name": alert.name,
            "service": alert.service,
            "path": alert.path,
            "url": _url(handbook, handbook.address(alert)),
            "expr": alert.expr,
            "for": alert.hold,
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "runbooks": [runbook.id for runbook in handbook.runbooks_of(alert)],
            "referred_to_by": _referring(handbook, alert),
        }
        for alert in sorted(handbook.alerts, key=lambda alert: alert.name)
    ]


def _checklist(handbook: Handbook) -> list[dict[str, Any]]:
    groups = handbook.settings.organisation.groups
    return [
        {row.key: _value(getattr(owned.item, row.name)) for row in fields_of(ChecklistItem)}
        | {
            "group": groups.get(id.split("-")[0]),
            "standard": owned.standard.id,
            "standards": [each.id for each in handbook.standards_of(id)],
            "fingerprint": owned.item.fingerprint,
            "url": _url(handbook, f"{handbook.address(owned.standard)}#{id.lower()}"),
        }
        for id, owned in handbook.items.items()
    ]


def _actions(handbook: Handbook) -> list[dict[str, Any]]:
    return [
        {
            "id": action.id,
            "postmortem": postmortem.id,
            "action": action.text,
            "owner": action.owner,
            "due": _value(action.due),
            "status": action.status,
            "done": _value(action.done),
            "url": _url(handbook, f"actions/#{postmortem.id}-{action.id.lower()}"),
        }
        for postmortem in handbook.of(Postmortem)
        for action in postmortem.actions
    ]


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _value(item) for key, item in value.items()}
    if is_dataclass(value):
        return {row.key: _value(getattr(value, row.name)) for row in fields_of(type(value))}
    return value


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _csv(columns: tuple[str, ...], items: Iterable[Mapping[str, Any]]) -> str:
    """The items as CSV (RFC 4180). A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(columns)
    for item in items:
        cells = ("" if item[column] is None else str(item[column]) for column in columns)
        writer.writerow(
            [f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t")) else cell for cell in cells]
        )
    return target.getvalue()
