"""What the search finds to the letter: ids, alerts, titles with tags, and error messages that runbooks quote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from macros.handbook import Handbook
from macros.records import Record
from macros.records.adr import Adr
from macros.records.postmortem import Postmortem
from macros.records.runbook import Runbook
from macros.records.service import Service
from macros.records.standard import Standard
from macros.rules import rules

KINDS: dict[type[Record], str] = {
    Standard: "Standard",
    Adr: "Decision",
    Runbook: "Runbook",
    Postmortem: "Post-mortem",
    Service: "Service",
}
"""How readers name the kinds; the search's list of kinds has the same words."""


def keys(handbook: Handbook) -> str:
    """JSON: a list of [title, address from the site's root, kind, key, …], in the order in which equals are shown."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for key, *what in _keys(handbook):
        found.setdefault((what[0], what[1], what[2]), []).append(key)
    return json.dumps([[*what, *names] for what, names in found.items()], ensure_ascii=False, separators=(",", ":"))


def _keys(handbook: Handbook) -> Iterator[tuple[str, str, str, str]]:
    for alert in handbook.alerts:
        yield alert.name, alert.name, handbook.address(alert), "Alert"
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
                yield requirement.id, f"{requirement.id} ({standard.title})", url, "Standard"
    for id, (standard, item) in handbook.items.items():
        yield id, f"{id}: {item.item}".replace("`", ""), f"{handbook.address(standard)}#{id.lower()}", "Standard"
    for path in handbook.documents:
        if path == f"{handbook.settings.docs_dir}/reference/rules.md":
            for rule in rules().values():
                yield rule.code, f"{rule.code}: {rule.name}", f"reference/rules/#{rule.code.lower()}", "Page"
    for runbook in handbook.of(Runbook):
        for cause in runbook.causes:
            for message in re.findall(r"`([^`]+)`", cause.symptom or ""):
                yield message, runbook.title, f"{handbook.address(runbook)}#{cause.anchor}", "Runbook"
