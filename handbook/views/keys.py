"""What the search finds to the letter: ids, alerts, titles with tags, and error messages that runbooks quote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from handbook.handbook import Handbook
from handbook.records import Page, Record
from handbook.records.alert import Alert
from handbook.records.kinds import KINDS as COUNTED
from handbook.records.kinds import RECORDS
from handbook.records.runbook import Runbook
from handbook.records.standard import Standard
from handbook.rules.engine import rules

KINDS: Final[Mapping[type[Record], str]] = {kind: kind.label for kind in RECORDS}
"""How readers name the kinds of record."""

SEARCHED: Final = (*(kind.label for kind in COUNTED if kind.has_page), Page.label)
"""The search's list of kinds."""

FOLDER: Final = "assets/keys"
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD: Final = re.compile(r"[^\W_]+")


def keys(handbook: Handbook) -> dict[str, str]:
    """The files of the keys, by path: a part `<xyz>.json` for each beginning of a word, and `parts.json`, their names.

    A part has each key with a word that begins so, as JSON: a list of [title, address from the site's root, kind, key,
    …], in the order in which equals are shown. So the part of any one word of a query holds all that it can find.
    """
    parts: dict[str, dict[tuple[str, str, str], list[str]]] = {}
    for key, *what in _keys(handbook):
        for part in {_part(word) for word in _WORD.findall(_HUMP.sub(" ", key).lower())}:
            parts.setdefault(part, {}).setdefault((what[0], what[1], what[2]), []).append(key)
    rows = {
        part: [[*what, *names] for what, names in found.items()]
        for part, found in sorted(parts.items())
    }
    return {
        f"{FOLDER}/{name}.json": json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        for name, content in [("parts", [*rows]), *rows.items()]
    }


def _part(word: str) -> str:
    """Its first three characters, as a file may be named anywhere; search.js does the same."""
    return re.sub("[^a-z0-9]", "_", word[:3])


def _keys(handbook: Handbook) -> Iterator[tuple[str, str, str, str]]:
    for alert in handbook.alerts:
        yield alert.name, alert.name, handbook.address(alert), Alert.label
    for kind, name in KINDS.items():
        for record in handbook.of(kind):
            url = handbook.address(record)
            title = f"{record.id}: {record.title}" if record.mention else record.title
            yield record.id, title, url, name
            on_call = ("on call",) if getattr(record, "on_call", None) else ()
            yield " ".join((record.title, *record.tags, *on_call)), title, url, name
    for standard in handbook.of(Standard):
        for requirement in standard.requirements:
            if requirement.id:
                url = f"{handbook.address(standard)}#{requirement.id.lower().replace('.', '-')}"
                yield requirement.id, f"{requirement.id} ({standard.title})", url, Standard.label
    for id, owned in handbook.items.items():
        url = f"{handbook.address(owned.standard)}#{id.lower()}"
        yield id, f"{id}: {owned.item.item}".replace("`", ""), url, Standard.label
    if "docs/reference/rules.md" in handbook.documents:
        for rule in rules().values():
            yield (
                rule.code,
                f"{rule.code}: {rule.name}",
                f"reference/rules/#{rule.code.lower()}",
                Page.label,
            )
    for runbook in handbook.of(Runbook):
        for cause in runbook.causes:
            for message in re.findall(r"`([^`]+)`", cause.symptom or ""):
                yield (
                    message,
                    runbook.title,
                    f"{handbook.address(runbook)}#{cause.anchor}",
                    Runbook.label,
                )
