"""A new record from its kind: its path and its text, valid but for what is still to be written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from macros.diagnostics import did_you_mean
from macros.fields import fields_of
from macros.handbook import Handbook
from macros.records import Record, next_number
from macros.records.adr import Adr
from macros.records.kinds import RECORDS
from macros.records.postmortem import ACTION_COLUMNS, ACTIONS, TIMELINE, Postmortem
from macros.records.runbook import CAUSES, ESCALATION, Runbook
from macros.records.service import Service
from macros.records.standard import REQUIREMENTS, Standard

_LATER: Final = "To be written"


class CannotWriteError(ValueError):
    """What is asked for cannot be written; the text says why."""


def new(
    handbook: Handbook, kind: str, title: str, given: Mapping[str, str], today: date, others: Collection[str] = ()
) -> tuple[str, str]:
    """The path and the text of a new record of a kind. `given` are keys of its front matter, as YAML, and `service`.

    `others` are files that stand elsewhere, in the branch that this one will be merged into: their numbers are taken.

    Raises CannotWriteError for a kind or key that there is not, for what a kind needs and was not given, and for a path
    that is taken.
    """
    kinds = {each.kind: each for each in RECORDS}
    if kind not in kinds:
        raise CannotWriteError(f"'{kind}' is no kind: {', '.join(kinds)}")
    cls = kinds[kind]
    keys = [row.key for row in fields_of(cls)]
    for key in given:
        if key not in keys and not (key == "service" and cls is Runbook):
            hint = did_you_mean(key, keys)
            raise CannotWriteError(f"{kind} has no key '{key}'{'; ' + hint if hint else ''}")
    title = " ".join(title.split())
    name = _slug(title)
    if not name:
        raise CannotWriteError("the title has no letter from a to z, and no digit, to make a name of")
    path, front, body = _parts(handbook, cls, title, name, given, today, others)
    if (handbook.root / path).exists():
        raise CannotWriteError(f"{path} is there already")
    front |= {key: value for key, value in given.items() if key != "service"}
    head = "".join(f"{key}: {front[key]}\n" for key in keys if key in front)
    sections = "".join(f"## {section}\n\n{body.get(section, _LATER + '.')}\n\n" for section in cls.sections)
    text = f"---\n{head}---\n# {title}\n\n{sections or body.get('', '')}".rstrip() + "\n"
    return path, text


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _parts(
    handbook: Handbook,
    cls: type[Record],
    title: str,
    name: str,
    given: Mapping[str, str],
    today: date,
    others: Collection[str],
) -> tuple[str, dict[str, str], dict[str, str]]:
    """The path, the front matter and the texts of sections that are not just a line."""
    team = next(iter(handbook.settings.organisation.teams), "a-team")
    severities = tuple(handbook.settings.policy.severities) or ("sev-1",)
    taken = {*handbook.documents, *others}
    if cls is Adr:
        number = f"{next_number(Adr, taken):04}"
        body = {"Alternatives considered": f"- {_LATER}: why it was not taken."}
        return f"adr/{number}-{name}.md", {"status": "proposed", "date": f"{today}"}, body
    if cls is Standard:
        number = f"{next_number(Standard, taken):02}"
        front = {
            "summary": _quoted(title),
            "core_tools": "[]",
            "prevents": _quoted(f"What happens without: {title}"),
            "calms": "[sharing]",
            "owner": team,
            "reviewed": f"{today}",
            "checklist": "[]",
        }
        body = {REQUIREMENTS: f"- **STD-{number}.1** Every team MUST: {_LATER}."}
        return f"{Standard.folder}/{number}-{name}.md", front, body
    if cls is Runbook:
        return _runbook(handbook, title, name, given, today, team, severities)
    if cls is Postmortem:
        return _postmortem(handbook, name, given, team, severities)
    front = {"owner": team, "tier": "4", "repository": f"https://example.com/{name}"}
    return f"{Service.folder}/{name}.md", front, {"": f"{_LATER}: what it does, and for whom."}


def _quoted(text: str) -> str:
    """A text as a YAML scalar that reads as nothing but itself."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _runbook(
    handbook: Handbook,
    title: str,
    name: str,
    given: Mapping[str, str],
    today: date,
    team: str,
    severities: tuple[str, ...],
) -> tuple[str, dict[str, str], dict[str, str]]:
    service = given.get("service")
    known = [each.id for each in handbook.of(Service)]
    if not service:
        raise CannotWriteError("a runbook needs --set service=…, one of: " + ", ".join(known))
    owner = handbook.get(Service, service)
    if owner is None:
        hint = did_you_mean(service, known)
        raise CannotWriteError(f"there is no service '{service}'{'; ' + hint if hint else ''}")
    front = {"severity": severities[-1], "owner": owner.owner or team, "reviewed": f"{today}"}
    if "alerts" not in given:
        front = {"trigger": _quoted(title)} | front
    body = {
        "Diagnosis steps": f"1. {_LATER}.",
        CAUSES: f"### {_LATER}\n\n**Symptom:** {_LATER}.\n\n**Fix:** {_LATER}.",
        ESCALATION: f"- Tier 1 (15 min): {_LATER}",
    }
    return f"{Runbook.folder}/{service}/{name}.md", front, body


def _postmortem(
    handbook: Handbook, name: str, given: Mapping[str, str], team: str, severities: tuple[str, ...]
) -> tuple[str, dict[str, str], dict[str, str]]:
    try:
        started = datetime.fromisoformat(given.get("started", ""))
    except ValueError:
        started = None
    if started is None or started.utcoffset() is None:
        raise CannotWriteError("a post-mortem needs --set started=…, with an offset: started=2026-05-15T10:14Z")
    began = started - (started.utcoffset() or timedelta())
    services = [each.id for each in handbook.of(Service)]
    if not services and "services" not in given:
        raise CannotWriteError("there is no service yet; add one first: handbook new service …")
    front = {
        "severity": severities[0],
        "status": "draft",
        "services": f"[{services[0]}]" if services else "[]",
        "authors": f"[{team}]",
    }
    due = (began + timedelta(days=7)).date()
    columns, rule = " | ".join(ACTION_COLUMNS), "|".join("---" for _ in ACTION_COLUMNS)
    body = {
        TIMELINE: f"- {began:%H:%M} — {_LATER}",
        ACTIONS: f"| {columns} |\n|{rule}|\n| A1 | {_LATER} | {team} | {due} | open |",
    }
    return f"{Postmortem.folder}/{began:%Y-%m-%d}-{name}.md", front, body
