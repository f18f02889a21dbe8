"""Make the path and the text of a new record. Every value that the author did not give is TODO."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final

from handbook.diagnostics import did_you_mean
from handbook.handbook import Handbook
from handbook.reading.fields import Many, fields_of
from handbook.reading.files import hidden_character
from handbook.records import Record, next_number
from handbook.records.adr import Adr
from handbook.records.kinds import RECORDS
from handbook.records.postmortem import ACTION_COLUMNS, ACTIONS, TIMELINE, WHEN_PUBLISHED, Postmortem
from handbook.records.runbook import CAUSES, ESCALATION, Runbook
from handbook.records.service import Service
from handbook.records.standard import REQUIREMENTS, VERIFICATION, Standard

_TODO: Final = "TODO"
_LIST: Final = "[TODO]"
_ALERTS_INSTEAD: Final = "# or, if an alert leads here: alerts: [AlertName]"

_CAUSE: Final = """### TODO: name the cause

**Symptom:** TODO: say how the reader knows that it is this cause

**Fix:** TODO: give the command or the steps that fix it"""

_ACTION_TABLE: Final = f"""| {" | ".join(ACTION_COLUMNS)} |
|{"|".join("---" for _ in ACTION_COLUMNS)}|
| A1 | TODO: say what has to be done | TODO | TODO | open |"""

_SECTIONS: Final[Mapping[type[Record], Mapping[str, str]]] = MappingProxyType(
    {
        Adr: {
            "Context": "TODO: say what the problem is, and what limits the choice",
            "Decision": "TODO: say what is decided, in full sentences",
            "Alternatives considered": "- TODO: name an alternative, and say why it was not chosen",
            "Consequences": "TODO: say what becomes easier, and what becomes harder",
        },
        Standard: {
            "Why it matters": "TODO: say what goes wrong without this standard",
            REQUIREMENTS: "- **{id}.1** TODO: say what a team must, should or may do, with that verb in capitals",
            "How to implement it": "TODO: show how a team does it",
            VERIFICATION: "TODO: say how to see that a team does it",
            "When to deviate": "TODO: say when a team may do something else, and who agrees to it",
        },
        Runbook: {
            "When to use this runbook": "TODO: say what the reader sees when this runbook is the right one",
            "Diagnosis steps": "1. TODO: give the first command or page to check, and say what each answer means",
            CAUSES: _CAUSE,
            ESCALATION: '- TODO: write "Tier N (minutes min): who"',
        },
        Postmortem: {
            "Impact": "TODO: say who could not do what, and how many they were",
            TIMELINE: "- {time} — TODO: say what happened",
            "Root cause": "TODO: say which change of the system would have prevented the incident",
            "What went well": "TODO: say what to keep",
            "What went wrong": "TODO: say what to change",
            ACTIONS: _ACTION_TABLE,
            "Lessons learned": "TODO: say what other teams should know",
        },
        Service: {"": "TODO: say what the service does, and for whom"},
    }
)
"""The text of each section of a new record; a kind without sections has one text."""


class CannotWriteError(ValueError):
    """A record that cannot be written; the text says why."""


def new(
    handbook: Handbook, kind: str, title: str, given: Mapping[str, str], today: date, others: Collection[str] = ()
) -> tuple[str, str]:
    """Make the path and the text of a new record. `given` are keys of its front matter, as YAML, and `service`.

    `others` are files of the branch that this one will be merged into: their numbers are taken.

    Raises CannotWriteError for an unknown kind or key, for a missing value that the kind needs, and for a path that
    is taken.
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
    if hidden := hidden_character(title):
        raise CannotWriteError(f"the title holds an invisible character, U+{ord(hidden):04X}")
    name = _slug(title)
    if not name:
        raise CannotWriteError("the title has no letter from a to z, and no digit, to make a name of")
    path = _path(handbook, cls, name, given, others)
    if (handbook.root / path).exists():
        raise CannotWriteError(f"{path} is there already")
    return path, f"---\n{_front_matter(cls, given, today)}---\n# {title}\n\n{_body(cls, path, given)}\n"


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _path(handbook: Handbook, cls: type[Record], name: str, given: Mapping[str, str], others: Collection[str]) -> str:
    taken = {*handbook.documents, *others}
    if cls is Adr:
        return f"{cls.folder}/{next_number(cls, taken):04}-{name}.md"
    if cls is Standard:
        return f"{cls.folder}/{next_number(cls, taken):02}-{name}.md"
    if cls is Runbook:
        return f"{cls.folder}/{_service(handbook, given)}/{name}.md"
    if cls is Postmortem:
        return f"{cls.folder}/{_started(given).date()}-{name}.md"
    return f"{cls.folder}/{name}.md"


def _service(handbook: Handbook, given: Mapping[str, str]) -> str:
    """The service that a runbook is given. Raises CannotWriteError where it is missing or unknown."""
    service = given.get("service")
    services = [each.id for each in handbook.of(Service)]
    if not services:
        raise CannotWriteError("no service for the runbook; add one first: handbook new service …")
    if not service:
        raise CannotWriteError("a runbook needs --set service=…, one of: " + ", ".join(services))
    if service not in services:
        hint = did_you_mean(service, services)
        raise CannotWriteError(f"there is no service '{service}'{'; ' + hint if hint else ''}")
    return service


def _started(given: Mapping[str, str]) -> datetime:
    """The start that a post-mortem is given, in UTC. Raises CannotWriteError where it is missing or has no offset."""
    try:
        started = datetime.fromisoformat(given.get("started", ""))
        if started.utcoffset() is not None:
            return started.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise CannotWriteError("a post-mortem needs --set started=…, with an offset: started=2026-05-15T10:14Z")


def _front_matter(cls: type[Record], given: Mapping[str, str], today: date) -> str:
    """Make the lines of the front matter: the author's values, the command's own, and TODO for all others."""
    rows = {row.key: row for row in fields_of(cls)}
    known = _known(cls, given, today)
    wanted = {key for key, row in rows.items() if row.required} | _wanted(cls, given) | known.keys()
    values = {key: _LIST if isinstance(rows[key].type, Many) else _TODO for key in wanted}
    values |= known | {key: value for key, value in given.items() if key in rows}
    lines = [f"{key}: {values[key]}" for key in rows if key in values]
    if values.get("trigger") == _TODO:
        lines.insert(0, _ALERTS_INSTEAD)
    return "".join(f"{line}\n" for line in lines)


def _known(cls: type[Record], given: Mapping[str, str], today: date) -> dict[str, str]:
    """The values that the command itself states: the status and the date of a draft, and that a list may be empty."""
    if cls is Adr and _status(given, "proposed") == "proposed":
        return {"status": "proposed", "date": f"{today}"}
    if cls is Postmortem:
        return {"status": "draft"}
    return {"checklist": "[]"} if cls is Standard else {}


def _wanted(cls: type[Record], given: Mapping[str, str]) -> set[str]:
    """The keys that a record needs beside those that its kind always requires."""
    if cls is Adr and _status(given, "proposed") != "proposed":
        return {"deciders", "superseded_by"} if _status(given, "") == "superseded" else {"deciders"}
    if cls is Runbook and not {"alerts", "trigger"} & given.keys():
        return {"trigger"}
    if cls is Postmortem and _status(given, "draft") == "published":
        return set(WHEN_PUBLISHED)
    return {"on_call"} if cls is Service and given.get("tier", "1") in ("1", "2") else set()


def _status(given: Mapping[str, str], first: str) -> str:
    return given.get("status", first).strip("\"' ")


def _body(cls: type[Record], path: str, given: Mapping[str, str]) -> str:
    texts = dict(_SECTIONS[cls])
    if cls is Standard:
        texts[REQUIREMENTS] = texts[REQUIREMENTS].format(id=Standard.id_of(path))
    if cls is Postmortem:
        texts[TIMELINE] = texts[TIMELINE].format(time=f"{_started(given):%H:%M}")
    return "\n\n".join(f"## {section}\n\n{texts[section]}" for section in cls.sections) or texts[""]
