"""The keys that the search finds exactly: ids, alerts, titles, tags and error messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from handbook.handbook import Handbook
from handbook.records import Page, Record
from handbook.records.alert import Alert
from handbook.records.kinds import KINDS as COUNTED
from handbook.records.kinds import RECORDS
from handbook.records.runbook import Runbook
from handbook.records.standard import Standard
from handbook.rules.engine import rules

KINDS: Final[Mapping[type[Record], str]] = {kind: kind.label for kind in RECORDS}
"""The label of each kind of record."""

TEAM: Final = "Team"
"""The label of the page of a team."""

SEARCHED: Final = (*(kind.label for kind in COUNTED if kind.has_page), TEAM, Page.label)
"""The labels of the kinds in the filter of the search."""

FOLDER: Final = "assets/keys"
_CAMEL_CASE_BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD: Final = re.compile(r"[^\W_]+")


def keys(handbook: Handbook) -> dict[str, str]:
    """Return the text of each key file, by path.

    Each file `<xyz>.json` contains all keys with a word that begins with the three characters
    `xyz`. It is a list of [title, address from the root of the site, kind, key, …]. The order of
    the list decides which of two equal matches comes first. To answer a query, the search needs
    only the file of one word in it. The file `parts.json` lists the prefixes of all files.
    """
    keys_by_prefix: dict[str, dict[tuple[str, str, str], list[str]]] = {}
    for key, title, address, kind in (
        *_find_keys(handbook),
        *_find_team_keys(handbook),
        *_find_file_keys(handbook),
    ):
        for prefix in {
            _prefix(match) for match in _WORD.findall(_CAMEL_CASE_BOUNDARY.sub(" ", key).lower())
        }:
            keys_by_target = keys_by_prefix.setdefault(prefix, {})
            keys_by_target.setdefault((title, address, kind), []).append(key)
    rows = {
        prefix: [[*target, *target_keys] for target, target_keys in keys_by_target.items()]
        for prefix, keys_by_target in sorted(keys_by_prefix.items())
    }
    return {
        f"{FOLDER}/{name}.json": json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        for name, content in [("parts", [*rows]), *rows.items()]
    }


def _prefix(text: str) -> str:
    """Return the first three characters of a word, for a file name, as search.js does."""
    return re.sub("[^a-z0-9]", "_", text[:3])


def _find_team_keys(handbook: Handbook) -> Iterator[tuple[str, str, str, str]]:
    """Yield the names of the teams, as `_find_keys` does."""
    for name, address in handbook.settings.team_addresses.items():
        yield name, name, quote(address), TEAM


def _find_file_keys(handbook: Handbook) -> Iterator[tuple[str, str, str, str]]:
    """Yield the paths of the files of services, as `_find_keys` does."""
    for file in handbook.service_files_by_address.values():
        yield file.name, f"{file.name} ({file.service})", quote(file.address), Page.label


def _find_keys(handbook: Handbook) -> Iterator[tuple[str, str, str, str]]:
    """Yield the keys of the search: key, title, address and kind of the target."""
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
    for id, owned in handbook.checklist_items.items():
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
