"""The knowledge base for machines: what the site serves under `api/v1/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import date
from typing import Any

from macros.fields import fields_of, schema_of
from macros.handbook import Handbook
from macros.records import Record
from macros.records.kinds import KINDS


def files(handbook: Handbook, revision: str | None) -> dict[str, str]:
    """Every file of the interface, made from a commit: its path relative to the site's root, and its text."""
    made = {f"api/v1/schemas/{kind.kind}.json": _text(schema(handbook, kind)) for kind in KINDS}
    for kind in KINDS:
        items = [_item(handbook, record) for record in sorted(handbook.of(kind), key=lambda record: record.id)]
        made[f"api/v1/{kind.plural}.json"] = _text({"version": 1, "commit": revision, "items": items})
    return made


def schema(handbook: Handbook, kind: type[Record]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the front matter of a kind, with the organisation's words in it."""
    url = handbook.settings.site_url.rstrip("/")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{url}/api/v1/schemas/{kind.kind}.json",
        "title": f"Front matter: {kind.kind}",
        **schema_of(kind, handbook.settings.organisation.vocabularies),
    }


def _item(handbook: Handbook, record: Record) -> dict[str, Any]:
    """A record: where it stands, its title, every key of its kind, and which records refer to it."""
    item: dict[str, Any] = {
        "id": record.id,
        "title": record.title,
        "url": f"{handbook.settings.site_url.rstrip('/')}/{handbook.url(record.path)}",
        "path": record.path,
    }
    for row in fields_of(type(record)):
        item[row.key] = _value(getattr(record, row.key))
    referring = {ref.source.id for ref in handbook.referring_to(record) if isinstance(ref.source, Record)}
    item["referred_to_by"] = sorted(referring)
    return item


def _value(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if is_dataclass(value):
        return {row.key: _value(getattr(value, row.key)) for row in fields_of(type(value))}
    return value


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
