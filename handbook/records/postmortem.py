"""Post-mortems: what happened, when, why, and what is done about it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Container, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

from handbook.diagnostics import Location
from handbook.reading.blocks import Item, Paragraph, Table
from handbook.reading.fields import Choice, Day, Many, Moment, RecordId, field
from handbook.reading.parser import MarkdownNode
from handbook.reading.placeholders import is_unwritten
from handbook.records import ALERT_NAME, SLUG, Event, Record, Tie
from handbook.records.draft import Draft, IncompleteDraftError
from handbook.vocabulary import CAUSES, POSTMORTEM_STATUSES

TIMELINE = "Timeline"
ACTIONS = "Action items"
ACTION_COLUMNS = ("Id", "Action", "Owner", "Due", "Status")
WHEN_PUBLISHED = ("resolved", "published", "caused_by", "reviewers")
"""The keys that a published post-mortem requires."""
_ENTRY = re.compile(
    r"(?:(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}) )?(?P<time>[0-9]{2}:[0-9]{2}) — (?P<what>.+)",
    re.DOTALL,
)
_NEW_ACTIONS: Final = f"""| {" | ".join(ACTION_COLUMNS)} |
|{"|".join("---" for _ in ACTION_COLUMNS)}|
| A1 | TODO: say what has to be done | TODO | TODO | open |"""
_DONE = re.compile(r"done ([0-9]{4}-[0-9]{2}-[0-9]{2})")


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A line of the timeline. `at` is in UTC, None where the line has another form, or no day is known.

    `what` is empty only where the line has another form.
    """

    text: str
    line: int
    at: datetime.datetime | None = None
    what: str = ""

    @property
    def unwritten(self) -> bool:
        """Whether the whole line is still to be written."""
        return not self.what and is_unwritten(self.text)


@dataclass(frozen=True, slots=True)
class Action:
    """A row of the table of actions: what is done about it, by whom, until when. What cannot be read is None."""

    id: str
    text: str
    owner: str
    due: datetime.date | None
    status: str
    done: datetime.date | None
    line: int
    cells: tuple[str, ...]
    columns: tuple[int, ...]

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.status == "open"

    @property
    def unwritten(self) -> bool:
        """Whether nothing but placeholders stands in the row."""
        return any(self.cells) and all(is_unwritten(cell) for cell in self.cells if cell)


@dataclass(frozen=True, slots=True)
class Duration:
    """A time between two moments of an incident, with its definition; None where one of them is not known."""

    name: str
    formula: str
    value: datetime.timedelta | None

    @property
    def minutes(self) -> float | None:
        """The time in minutes."""
        return None if self.value is None else self.value.total_seconds() / 60


@dataclass(frozen=True, kw_only=True)
class Postmortem(Record):
    """An incident, told without blame."""

    kind: ClassVar[str] = "postmortem"
    plural: ClassVar[str] = "postmortems"
    label: ClassVar[str] = "Post-mortem"
    list_title: ClassVar[str] = "Post-mortems"
    change_word: ClassVar[str | None] = "published"
    ties: ClassVar[Mapping[str, Tie]] = {
        "services": Tie("concerns", "concerned by"),
        "alerts": Tie("noticed by", "fired in"),
        "runbooks": Tie("followed", "followed in"),
        "adrs": Tie("bears on", "borne on by"),
    }
    folder: ClassVar[str] = "postmortems"
    file_name: ClassVar[re.Pattern[str]] = re.compile(
        rf"(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})-{SLUG}\.md"
    )
    file_form: ClassVar[str] = "YYYY-MM-DD-slug.md"
    sections: ClassVar[tuple[str, ...]] = (
        "Impact",
        TIMELINE,
        "Root cause",
        "What went well",
        "What went wrong",
        ACTIONS,
        "Lessons learned",
    )
    template: ClassVar[Mapping[str, str]] = {
        "Impact": "TODO: say who could not do what, and how many they were",
        TIMELINE: "- {time} — TODO: say what happened",
        "Root cause": "TODO: say which change of the system would have prevented the incident",
        "What went well": "TODO: say what to keep",
        "What went wrong": "TODO: say what to change",
        ACTIONS: _NEW_ACTIONS,
        "Lessons learned": "TODO: say what other teams should know",
    }

    severity: str | None = field(
        Choice(of="severities"), "the severity of the incident", required=True
    )
    status: str | None = field(
        Choice(*POSTMORTEM_STATUSES), "how far the post-mortem is", required=True
    )
    started: datetime.datetime | None = field(Moment(), "impact begins", required=True)
    detected: datetime.datetime | None = field(Moment(), "somebody or something notices")
    acknowledged: datetime.datetime | None = field(Moment(), "somebody begins to work on it")
    mitigated: datetime.datetime | None = field(Moment(), "no severe impact is left")
    resolved: datetime.datetime | None = field(
        Moment(), "the incident is declared over; required when published"
    )
    published: datetime.date | None = field(
        Day(), "the day it was published; required when published"
    )
    caused_by: str | None = field(Choice(*CAUSES), "what brought it about; required when published")
    services: tuple[str, ...] = field(
        Many(RecordId("service", SLUG, "order-service")), "the services that it hit", required=True
    )
    alerts: tuple[str, ...] = field(
        Many(RecordId("alert", ALERT_NAME, "OrderServiceHighErrorRate")), "the alerts that fired"
    )
    authors: tuple[str, ...] = field(
        Many(Choice(of="teams")), "the teams that wrote it", required=True
    )
    reviewers: tuple[str, ...] = field(
        Many(Choice(of="teams")), "the teams that reviewed it; required when published"
    )
    runbooks: tuple[str, ...] = field(
        Many(RecordId("runbook", rf"{SLUG}/{SLUG}", "order-service/high-error-rate")),
        "the runbooks that were followed",
    )
    adrs: tuple[str, ...] = field(
        Many(RecordId("adr", r"ADR-[0-9]{4}", "ADR-0042")), "decisions that it bears on"
    )

    @classmethod
    def new_path(cls, draft: Draft) -> str:
        return f"{cls.folder}/{_given_start(draft).date()}-{draft.name}.md"

    @classmethod
    def new_values(cls, draft: Draft) -> Mapping[str, str]:
        return {"status": "draft"}

    @classmethod
    def new_keys(cls, draft: Draft) -> Set[str]:
        return set(WHEN_PUBLISHED) if draft.status("draft") == "published" else set()

    @classmethod
    def new_sections(cls, path: str, draft: Draft) -> Mapping[str, str]:
        return {
            **cls.template,
            TIMELINE: cls.template[TIMELINE].format(time=f"{_given_start(draft):%H:%M}"),
        }

    @property
    def changed(self) -> datetime.date | None:
        return self.published

    @property
    def events(self) -> tuple[Event, ...]:
        return (
            (Event(self.published, "published"),)
            if self.status == "published" and self.published
            else ()
        )

    @property
    def extras(self) -> Mapping[str, Any]:
        return {
            "minutes": {
                duration.name.lower().replace(" ", "_"): duration.minutes
                for duration in self.durations
            },
            "timeline": tuple({"at": entry.at, "what": entry.what} for entry in self.timeline),
        }

    @property
    def durations(self) -> tuple[Duration, ...]:
        """The times of the incident, computed, each with its formula."""
        pairs = (
            ("Time to detect", "detected − started", self.started, self.detected),
            ("Time to acknowledge", "acknowledged − detected", self.detected, self.acknowledged),
            ("Time to mitigate", "mitigated − started", self.started, self.mitigated),
            ("Time to resolve", "resolved − started", self.started, self.resolved),
        )
        return tuple(
            Duration(name, formula, end - start if start and end else None)
            for name, formula, start, end in pairs
        )

    @cached_property
    def timeline(self) -> tuple[TimelineEntry, ...]:
        """The lines of the timeline in their order. A time without a date is on the day of the line before."""
        day = self.started.date() if self.started else None
        found = []
        for block in self.section_blocks(TIMELINE):
            if (
                isinstance(block, Paragraph)
                and isinstance(block.parent, Item)
                and block.first == block.parent.first
            ):
                match = _ENTRY.fullmatch(block.text)
                day = _day(match["day"]) or day if match and match["day"] else day
                clock = _time(match["time"]) if match else None
                if match and clock and (not match["day"] or _day(match["day"])):
                    at = datetime.datetime.combine(day, clock, datetime.UTC) if day else None
                    found.append(TimelineEntry(block.text, block.first, at, match["what"]))
                else:
                    found.append(TimelineEntry(block.text, block.first))
        return tuple(found)

    @property
    def action_tables(self) -> tuple[Table, ...]:
        """The tables under Action items; one is what the form asks for."""
        return tuple(block for block in self.section_blocks(ACTIONS) if isinstance(block, Table))

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """The rows of the table of actions; none where its columns are others."""
        tables = [table for table in self.action_tables if table.head == ACTION_COLUMNS]
        return tuple(
            _action(row, [self.source.at_body(start) for start in span.cells])
            for table in tables[:1]
            for row, span in zip(table.rows, table.spans[1:], strict=True)
        )

    def action_parts(self, action: Action) -> tuple[MarkdownNode, ...]:
        """The text of an action, as it was parsed."""
        table = next(
            table for table in self.action_tables if table.first <= action.line <= table.last
        )
        row = self.source.node_of(table).children[action.line - table.first - 1]
        return tuple(row.children[1].children)


def _given_start(draft: Draft) -> datetime.datetime:
    """The start that a post-mortem is given, in UTC. Raises IncompleteDraftError without one that has an offset."""
    try:
        started = datetime.datetime.fromisoformat(draft.given.get("started", ""))
        if started.utcoffset() is not None:
            return started.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        pass
    raise IncompleteDraftError(
        "a post-mortem needs --set started=…, with an offset: started=2026-05-15T10:14Z"
    )


def _action(row: tuple[str, ...], places: Sequence[Location]) -> Action:
    id, what, owner, due, status = row
    done = _DONE.fullmatch(status)
    word = "done" if done and _day(done[1]) else status if status in ("open", "dropped") else ""
    columns = tuple(place.column for place in places)
    return Action(
        id,
        what,
        owner,
        _day(due),
        word,
        _day(done[1]) if done else None,
        places[0].line,
        row,
        columns,
    )


def _day(text: str) -> datetime.date | None:
    try:
        return (
            datetime.date.fromisoformat(text)
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)
            else None
        )
    except ValueError:
        return None


def _time(text: str) -> datetime.time | None:
    try:
        return datetime.time.fromisoformat(text)
    except ValueError:
        return None


def deadline(began: datetime.date, business_days: int, country: str | None) -> datetime.date:
    """The last day on which a post-mortem is published in time: so many business days after the day it began.

    Business days are Monday to Friday without the public holidays of the country (DE, or DE-BY), where one is given.
    """
    free: Container[datetime.date] = ()
    if country:
        from holidays import country_holidays  # 40 ms that only those pay who name a country

        code, _, part = country.partition("-")
        free = country_holidays(code, part or None)
    day = began
    while business_days:
        day += datetime.timedelta(days=1)
        business_days -= day.weekday() < 5 and day not in free
    return day
