"""Import post-mortems: day, title, severity, times, timeline and actions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from handbook.authoring.importing.dates import find_dates
from handbook.authoring.importing.drafts import (
    RecordDraft,
    choose_path,
    is_title_stated_alike,
    read_draft,
    rewrite_body,
)
from handbook.authoring.importing.incidents import (
    NO_CONVERSION,
    Conversion,
    convert_actions,
    convert_timeline,
    read_timeline_days,
)
from handbook.authoring.importing.moments import read_moment, read_zone
from handbook.authoring.importing.plan import (
    NOT_STATED,
    ImportedRecord,
    ImportOptions,
    Plan,
    Value,
    make_plan,
    write_document,
)
from handbook.authoring.importing.sources import (
    ImportedFile,
    Skipped,
    find_sources,
)
from handbook.authoring.importing.statements import (
    Statement,
    describe_keys,
    find_labels,
    strip_links,
)
from handbook.authoring.new import make_slug
from handbook.handbook import Handbook
from handbook.reading.source import Source, read_source
from handbook.records import read_document
from handbook.records.postmortem import Postmortem

DAY: Final = "day"
SEVERITY: Final = "severity"
TIMES: Final = ("started", "detected", "mitigated", "resolved")
_LABELS: Final = {
    "date": DAY,
    "day": DAY,
    "incident date": DAY,
    "date of incident": DAY,
    "date of the incident": DAY,
    "severity": SEVERITY,
    "sev": SEVERITY,
    "severity level": SEVERITY,
    "start": "started",
    "started": "started",
    "started at": "started",
    "start time": "started",
    "incident start": "started",
    "incident started": "started",
    "impact start": "started",
    "impact started": "started",
    "start of impact": "started",
    "detected": "detected",
    "detected at": "detected",
    "mitigated": "mitigated",
    "mitigated at": "mitigated",
    "end": "resolved",
    "ended": "resolved",
    "end time": "resolved",
    "incident end": "resolved",
    "incident ended": "resolved",
    "incident resolved": "resolved",
    "resolved": "resolved",
    "resolved at": "resolved",
}
_FACT_HEADINGS: Final = frozenset(
    (
        "details",
        "duration",
        "facts",
        "impact",
        "incident",
        "incident details",
        "incident summary",
        "key facts",
        "key times",
        "metadata",
        "overview",
        "statistics",
        "stats",
        "summary",
        "timeline",
        "times",
    )
)
"""The headings of sections whose labels are about the incident, in lower case."""
_NAME_DAY: Final = re.compile(r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})(?![0-9])[-_. ]*")
_PLAIN_NAME: Final = re.compile(r"[-_]+")
_HINT: Final = "begin its file name with YYYY-MM-DD"


@dataclass
class _IncidentDraft:
    """A post-mortem while it is imported."""

    record: RecordDraft
    statements: tuple[Statement, ...]
    day: Value = NOT_STATED
    severity: Value = NOT_STATED
    times: dict[str, Value] = field(default_factory=dict)
    timeline: Conversion = NO_CONVERSION
    actions: Conversion = NO_CONVERSION


def plan_postmortems(handbook: Handbook, folder: Path, options: ImportOptions) -> Plan:
    """Read the post-mortems below a folder, and return what an import would write.

    An incident without a day is skipped. Raises NotADirectoryError if `folder` is not a folder.
    """
    sources = find_sources(folder, handbook)
    drafts = []
    taken = set(handbook.documents)
    for file in sources.files:
        draft = _read(file, handbook, options)
        if isinstance(draft, Skipped):
            sources.skipped.append(draft)
            continue
        draft.record.path = choose_path(
            f"{Postmortem.folder}/{draft.day.value}-{_make_slug(draft.record)}", taken
        )
        taken.add(draft.record.path)
        drafts.append(draft)
    for draft in drafts:
        rewrite_body(draft.record.body, draft.record.title)
        _convert(draft, options)
    pending = [(draft.record, partial(_write, draft, handbook, options)) for draft in drafts]
    return make_plan(handbook, sources, pending)


def _make_slug(record: RecordDraft) -> str:
    """Return the slug of the rest of a file name with a date, or else of the title."""
    match = _NAME_DAY.match(record.file.stem)
    rest = make_slug(record.file.stem[match.end() :]) if match else ""
    return rest or make_slug(record.title.text) or "incident"


def _read(
    file: ImportedFile, handbook: Handbook, options: ImportOptions
) -> _IncidentDraft | Skipped:
    """Read the metadata of a file. A file without a day is skipped."""
    match = _NAME_DAY.match(file.stem)
    rest = file.stem[match.end() :] if match else file.stem
    name = _PLAIN_NAME.sub(" ", rest).strip() or file.stem
    record = read_draft(file, name[:1].upper() + name[1:])
    if isinstance(record, Skipped):
        return record
    source = record.body.source
    statements = tuple(
        statement
        for statement in find_labels(source, _LABELS)
        if _is_about_incident(source, statement)
    )
    draft = _IncidentDraft(record, statements)
    remark = _read_day(draft, options)
    _read_severity(draft, handbook)
    _read_times(draft, options)
    _compare_day_with_start(draft)
    if draft.day.value is None:
        return Skipped(file.path, f"no day of the incident{remark}: {_HINT}")
    return draft


def _is_about_incident(source: Source, statement: Statement) -> bool:
    """Return whether a label is above the first section, or in a section such as "Stats"."""
    headings = [
        heading
        for heading in source.headings
        if heading.first < statement.line and heading.level > 1
    ]
    return not headings or headings[-1].text.strip(" :").lower() in _FACT_HEADINGS


def _read_day(draft: _IncidentDraft, options: ImportOptions) -> str:
    """Read the day of an incident: of a label, the title, the file name, or its timeline.

    The first is used, and different days are a conflict. A text with several days states none.
    Returns a remark on what is no day, or "".
    """
    stated = list(_list_days(draft.record, draft.statements, options))
    days = [value for value in stated if isinstance(value.value, date)]
    if days:
        draft.day = days[0]
        others = [value for value in stated if value.value != days[0].value]
        if others:
            draft.record.conflicts.append(
                "day " + ", ".join(_describe_day(value) for value in (days[0], *others))
            )
        return ""
    timeline = read_timeline_days(draft.record.body)
    if stated:
        return f" ({_describe_day(stated[0])} is not one clear day)"
    if len(timeline) > 1:
        return f" (its timeline is from {min(timeline)} to {max(timeline)})"
    draft.day = next((Value(*item) for item in timeline.items()), NOT_STATED)
    return ""


def _compare_day_with_start(draft: _IncidentDraft) -> None:
    """Take the day of the start in UTC. A different day is a conflict."""
    started = draft.times.get("started")
    if started is None:
        return
    day = started.value.date()
    if draft.day.value not in (None, day):
        draft.record.conflicts.append(
            f"day {_describe_day(draft.day)}, {_describe_times([('started', started)])}"
        )
    draft.day = Value(day, started.line)


def _list_days(
    record: RecordDraft, statements: Iterable[Statement], options: ImportOptions
) -> Iterator[Value]:
    """Yield the days that a file states, and the texts of labels that are not one day."""
    texts = [(statement.text, statement.line) for statement in statements if statement.name == DAY]
    for text, line in texts:
        days = {stated.day for stated in find_dates(text, options.order)}
        if len(days) == 1 and None not in days:
            yield Value(days.pop(), line)
        elif re.search("[0-9]", text):
            yield Value(text, line)
    days = {stated.day for stated in find_dates(record.title.text, options.order)}
    if len(days) == 1 and None not in days:
        yield Value(days.pop(), record.title.line)
    if match := _NAME_DAY.match(record.file.stem):
        days = {stated.day for stated in find_dates(match["day"])}
        yield from (Value(day) for day in days if day)


def _describe_day(value: Value) -> str:
    place = f"on line {value.line}" if value.line else "in the file name"
    text = f"{value.value}" if isinstance(value.value, date) else f"'{value.value}'"
    return f"{text} {place}"


def _read_severity(draft: _IncidentDraft, handbook: Handbook) -> None:
    """Read the severity, if the settings have it. Different severities are a conflict."""
    severities = {name.casefold(): name for name in handbook.settings.allowed_values["severities"]}
    stated = {
        severities[text]: statement.line
        for statement in draft.statements
        if statement.name == SEVERITY
        and (text := strip_links(statement.text).strip(" .").casefold()) in severities
    }
    if len(stated) == 1:
        draft.severity = Value(*stated.popitem())
    elif stated:
        places = " and ".join(f"'{name}' on line {line}" for name, line in stated.items())
        draft.record.conflicts.append(f"severity {places}")


def _read_times(draft: _IncidentDraft, options: ImportOptions) -> None:
    """Read the times that a label states. Different or misordered times are a conflict."""
    zone = read_zone(draft.record.body.text)
    for name in TIMES:
        stated: dict[datetime, int] = {}
        for statement in draft.statements:
            if statement.name == name and (
                moment := read_moment(statement.text, draft.day.value, zone, options.order)
            ):
                stated.setdefault(moment, statement.line)
        if len(stated) == 1:
            draft.times[name] = Value(*stated.popitem())
        elif stated:
            places = _describe_times((name, Value(*item)) for item in stated.items())
            draft.record.conflicts.append(f"times: {places}")
    times = [value.value for value in draft.times.values()]
    started, mitigated = draft.times.get("started"), draft.times.get("mitigated")
    resolved = draft.times.get("resolved")
    if (started and started.value != min(times)) or (
        mitigated and resolved and mitigated.value > resolved.value
    ):
        draft.record.conflicts.append(f"times: {_describe_times(draft.times.items())}")
        draft.times.clear()


def _describe_times(times: Iterable[tuple[str, Value]]) -> str:
    return ", ".join(
        f"{name} {value.value:%Y-%m-%dT%H:%MZ} on line {value.line}" for name, value in times
    )


def _convert(draft: _IncidentDraft, options: ImportOptions) -> None:
    """Rewrite the timeline and the actions."""
    body = draft.record.body
    draft.timeline = convert_timeline(body, options.order)
    body.change(draft.timeline.rewrites)
    draft.actions = convert_actions(body)
    body.change(draft.actions.rewrites)


def _write(draft: _IncidentDraft, handbook: Handbook, options: ImportOptions) -> ImportedRecord:
    """Write the text of a post-mortem, and its entry in the report."""
    record = draft.record
    times = {name: f"{value.value:%Y-%m-%dT%H:%MZ}" for name, value in draft.times.items()}
    front_matter: dict[str, Any] = {
        SEVERITY: draft.severity.value,
        **times,
        "services": options.services,
    }
    text = write_document(front_matter, record.file, options.today, record.body.text)
    written = read_document(
        Postmortem, read_source(record.path, text.encode()), handbook.settings.allowed_values
    )
    values = {
        "id": written.id,
        "title": written.title,
        DAY: f"{draft.day.value}",
        SEVERITY: draft.severity.value,
        **{name: times.get(name) for name in TIMES},
        "services": list(options.services),
        "timeline": draft.timeline.count or None,
        "actions": draft.actions.count or None,
        "format": "plain" if written.has_own_form else written.form.label,
    }
    lines = {
        "title": record.title.line,
        DAY: draft.day.line,
        SEVERITY: draft.severity.line,
        **{name: value.line for name, value in draft.times.items()},
        "timeline": draft.timeline.line,
        "actions": draft.actions.line,
    }
    return ImportedRecord(
        source=record.file.path,
        path=record.path,
        text=text,
        values=values,
        lines=lines,
        conflicts=tuple(record.conflicts),
        missing=written.gaps,
        left_out=(*describe_keys(record.original, _list_used_keys(draft)), *record.left_out),
        passes=tuple(record.body.passes),
    )


def _list_used_keys(draft: _IncidentDraft) -> set[str]:
    """Return the keys of the front matter whose whole value is in the record."""
    used = {"title"} if is_title_stated_alike(draft.record.original, draft.record.title) else set()
    taken = {draft.day.line, draft.severity.line, *(value.line for value in draft.times.values())}
    for statement in draft.statements:
        if statement.place == "front matter" and statement.line in taken:
            used.add(statement.key)
    return used
