"""Post-mortems: the impact, timeline, root cause and action items of an incident."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Container, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

from handbook.diagnostics import Location
from handbook.reading.blocks import Item, Paragraph, Table
from handbook.reading.body import extract_text
from handbook.reading.fields import Choice, Day, Many, Moment, Person, RecordId, field, is_plausible
from handbook.reading.filler import is_filler
from handbook.reading.parser import MarkdownNode
from handbook.reading.placeholders import is_unwritten
from handbook.records import ALERT_NAME, SLUG, Event, Record, ReferenceLabel
from handbook.records.draft import Draft, IncompleteDraftError
from handbook.records.forms import FormSection, RecordForm
from handbook.vocabulary import CAUSES, POSTMORTEM_STATUSES

TIMELINE = "Timeline"
ACTIONS = "Action items"
ACTION_COLUMNS: Final[tuple[str, ...]] = ("Id", "Action", "Owner", "Due", "Status")
GOOGLE_ACTION_COLUMNS: Final[tuple[str, ...]] = ("Action Item", "Type", "Owner", "Bug")
"""The columns of the action table in Google's form."""
KEYS_WHEN_PUBLISHED = ("resolved", "published", "caused_by", "reviewers")
"""The keys that a published post-mortem must have."""
_ENTRY = re.compile(
    r"(?P<mark>\*\*|__|[*_`])?"
    r"(?:(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}) )?(?P<time>[0-9]{2}:[0-9]{2})"
    r"(?(mark)(?P=mark)) — (?P<event>.+)",
    re.DOTALL,
)
"""An entry of the timeline. Its time can be emphasised or code."""
_NEW_ACTIONS: Final = f"""| {" | ".join(ACTION_COLUMNS)} |
|{"|".join("---" for _ in ACTION_COLUMNS)}|
| A1 | TODO: describe the action | TODO | TODO | open |"""
_MARKDOWN: Final = re.compile(r"[\[*_`&\\<]")
"""A character that can begin a link, emphasis, code, an entity or a tag."""
_ACTION_ID: Final = re.compile(r"A[1-9][0-9]*")
_DONE = re.compile(r"done ([0-9]{4}-[0-9]{2}-[0-9]{2})")
_DROPPED: Final = re.compile(r"dropped(?:: (?P<reason>\S.*))?")
_GOOGLE_ENTRY: Final = re.compile(
    r"(?P<mark>\*\*|__|[*_`])?"
    r"(?:(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}) )?(?P<time>[0-9]{2}:[0-9]{2})"
    r"(?: UTC)?(?(mark)(?P=mark))(?: [-–—]|:)? (?P<event>.+)",
    re.DOTALL,
)
_NEW_GOOGLE_ACTIONS: Final = f"""| {" | ".join(GOOGLE_ACTION_COLUMNS)} |
|{"|".join("---" for _ in GOOGLE_ACTION_COLUMNS)}|
| TODO: describe the action | TODO | TODO | TODO |"""
_GOOGLE: Final = RecordForm(
    "google",
    "Google post-mortem",
    (
        FormSection("Summary", "Summary", "TODO: describe the incident in two sentences"),
        FormSection("Impact", "Impact", "TODO: state who was affected, how, and how many"),
        FormSection("Root Causes", "Root cause", "TODO: explain how the incident happened"),
        FormSection("Trigger", "Trigger", "TODO: name the event that started the incident"),
        FormSection("Resolution", "Resolution", "TODO: describe what ended the incident"),
        FormSection("Detection", "Detection", "TODO: describe how the incident was noticed"),
        FormSection("Action Items", ACTIONS, _NEW_GOOGLE_ACTIONS),
        FormSection("Lessons Learned", "Lessons learned"),
        FormSection("What went well", "What went well", "TODO: list what to keep", level=3),
        FormSection("What went wrong", "What went wrong", "TODO: list what to change", level=3),
        FormSection("Where we got lucky", "Where we got lucky", "TODO: list it", level=3),
        FormSection(TIMELINE, TIMELINE, "- {time} TODO: describe what happened"),
        FormSection("Supporting information", "Supporting information", is_required=False),
    ),
)
"""The form of the post-mortems in Google's book "Site Reliability Engineering"."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A list item of the timeline.

    `at` is a time in UTC, or None if the list item is invalid or its day is unknown. `event` is ""
    only if the list item is invalid.
    """

    text: str
    line: int
    at: datetime.datetime | None = None
    event: str = ""

    @property
    def is_placeholder(self) -> bool:
        """True if the list item is invalid because it is a placeholder."""
        return not self.event and is_unwritten(self.text)


@dataclass(frozen=True, slots=True)
class Action:
    """A row of the table of action items. An invalid date is None.

    `reason` says why the action was dropped, or is None. `line` and `columns` are the line and the
    columns of its cells in the file. `header` has the names of its cells, in our words.
    """

    id: str
    text: str
    owner: str
    due: datetime.date | None
    status: str
    done: datetime.date | None
    line: int
    cells: tuple[str, ...]
    columns: tuple[int, ...]
    header: tuple[str, ...] = ACTION_COLUMNS
    reason: str | None = None

    def cell(self, name: str) -> str:
        """Return the text of the cell in a column. `name` is one of `header`."""
        return self.cells[self.header.index(name)]

    @property
    def is_open(self) -> bool:
        """True if the status of the action is `open`."""
        return self.status == "open"

    @property
    def is_placeholder(self) -> bool:
        """True if every cell that is not empty is a placeholder."""
        return any(self.cells) and all(is_unwritten(cell) for cell in self.cells if cell)


@dataclass(frozen=True, slots=True)
class Duration:
    """The time between two moments of an incident.

    `formula` says how to calculate it. `value` is None if one of the moments is unknown.
    """

    name: str
    formula: str
    value: datetime.timedelta | None

    @property
    def minutes(self) -> float | None:
        """The duration in minutes, or None if it is unknown."""
        return None if self.value is None else self.value.total_seconds() / 60


@dataclass(frozen=True, kw_only=True)
class Postmortem(Record):
    """A post-mortem: a report of an incident that blames no person."""

    kind: ClassVar[str] = "postmortem"
    plural: ClassVar[str] = "postmortems"
    label: ClassVar[str] = "Post-mortem"
    list_title: ClassVar[str] = "Post-mortems"
    change_word: ClassVar[str | None] = "published"
    reference_labels: ClassVar[Mapping[str, ReferenceLabel]] = {
        "services": ReferenceLabel("affects", "affected by"),
        "alerts": ReferenceLabel("detected by", "fired in"),
        "runbooks": ReferenceLabel("used", "used in"),
        "adrs": ReferenceLabel("relates to", "related to"),
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
    other_forms: ClassVar[tuple[RecordForm, ...]] = (_GOOGLE,)
    optional_if_imported: ClassVar[tuple[str, ...]] = (
        "severity",
        "status",
        "started",
        "detected",
        "mitigated",
        "resolved",
        "published",
        "caused_by",
        "authors",
        "reviewers",
    )
    sections_with_none: ClassVar[frozenset[str]] = frozenset(
        {"Impact", "What went well", "What went wrong", "Where we got lucky"}
    )
    template: ClassVar[Mapping[str, str]] = {
        "Impact": "TODO: state who was affected, how, and how many",
        TIMELINE: "- {time} — TODO: describe what happened",
        "Root cause": "TODO: name the system change that would have prevented the incident",
        "What went well": "TODO: list what to keep",
        "What went wrong": "TODO: list what to change",
        ACTIONS: _NEW_ACTIONS,
        "Lessons learned": "TODO: list what other teams should know",
    }

    severity: str | None = field(Choice(of="severities"), "severity of the incident", required=True)
    status: str | None = field(
        Choice(*POSTMORTEM_STATUSES),
        "status of the post-mortem: draft, in-review or published",
        required=True,
    )
    started: datetime.datetime | None = field(Moment(), "start of the impact", required=True)
    detected: datetime.datetime | None = field(Moment(), "first detection, by an alert or a person")
    acknowledged: datetime.datetime | None = field(Moment(), "start of the response")
    mitigated: datetime.datetime | None = field(Moment(), "end of the severe impact")
    resolved: datetime.datetime | None = field(
        Moment(), "end of the incident; required when published"
    )
    published: datetime.date | None = field(Day(), "date of publication; required when published")
    caused_by: str | None = field(Choice(*CAUSES), "kind of cause; required when published")
    services: tuple[str, ...] = field(
        Many(RecordId("service", SLUG, "order-service")), "affected services", required=True
    )
    alerts: tuple[str, ...] = field(
        Many(RecordId("alert", ALERT_NAME, "OrderServiceHighErrorRate")), "alerts that fired"
    )
    authors: tuple[str, ...] = field(Many(Person()), "teams or people that wrote it", required=True)
    reviewers: tuple[str, ...] = field(
        Many(Person()), "teams or people that reviewed it; required when published"
    )
    runbooks: tuple[str, ...] = field(
        Many(RecordId("runbook", rf"{SLUG}/{SLUG}", "order-service/high-error-rate")),
        "runbooks used in the incident",
    )
    adrs: tuple[str, ...] = field(
        Many(RecordId("adr", r"ADR-[0-9]{4}", "ADR-0042")), "related decisions"
    )

    @classmethod
    def new_path(cls, draft: Draft) -> str:
        return f"{cls.folder}/{_read_start(draft).date()}-{draft.name}.md"

    @classmethod
    def new_values(cls, draft: Draft) -> Mapping[str, str]:
        return {"status": "draft"}

    @classmethod
    def new_keys(cls, draft: Draft) -> Set[str]:
        return set(KEYS_WHEN_PUBLISHED) if draft.status("draft") == "published" else set()

    @classmethod
    def new_text(cls, text: str, path: str, draft: Draft) -> str:
        return text.replace("{time}", f"{_read_start(draft):%H:%M}")

    def _find_gaps(self) -> Iterator[str]:
        yield from super()._find_gaps()
        if any(not action.owner for action in self.actions):
            yield "owners of actions"
        if any(action.due is None for action in self.actions):
            yield "due dates of actions"
        if any(not action.status for action in self.actions):
            yield "statuses of actions"

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
    def body_values(self) -> Mapping[str, Any]:
        return {
            "minutes": {
                duration.name.lower().replace(" ", "_"): duration.minutes
                for duration in self.durations
            },
            "timeline": tuple(
                {"at": entry.at, "what": entry.event} for entry in self.timeline if entry.event
            ),
        }

    @property
    def durations(self) -> tuple[Duration, ...]:
        """The durations of the incident, such as the time to detect it."""
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

    @property
    def _entry_form(self) -> re.Pattern[str]:
        """The form of a timeline entry. Only Google's form does not need the dash.

        An imported record always needs it, because a time without it can be in any zone.
        """
        return _ENTRY if self.has_own_form or self.is_imported else _GOOGLE_ENTRY

    @cached_property
    def timeline(self) -> tuple[TimelineEntry, ...]:
        """The list items of the timeline.

        A list item without a date has the date of the item above it. The first has the date of
        `started`. A nested list item in another form is a detail of an entry, not an entry.
        """
        day = self.started.date() if self.started else None
        entries = []
        for block in self.section_blocks(TIMELINE):
            if (
                isinstance(block, Paragraph)
                and isinstance(block.parent, Item)
                and block.first == block.parent.first
            ):
                match = self._entry_form.fullmatch(block.text)
                day = parse_day(match["day"]) or day if match and match["day"] else day
                clock = _parse_time(match["time"]) if match else None
                is_valid_day = match and (not match["day"] or parse_day(match["day"]))
                if match and clock and is_valid_day and not is_filler(match["event"]):
                    at = datetime.datetime.combine(day, clock, datetime.UTC) if day else None
                    entries.append(TimelineEntry(block.text, block.first, at, match["event"]))
                elif not block.parent.is_nested:
                    entries.append(TimelineEntry(block.text, block.first))
        return tuple(entries)

    @property
    def action_tables(self) -> tuple[Table, ...]:
        """The tables in the section "Action items". A valid post-mortem has exactly one."""
        return tuple(block for block in self.section_blocks(ACTIONS) if isinstance(block, Table))

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """The rows of the table of action items, or () if its columns are wrong.

        Every text is without Markdown, except the description of the action.
        """
        for table in self.action_tables:
            header = self.action_headers.get(self.read_action_header(table))
            if header:
                return tuple(self._read_actions(table, header))
        return ()

    def _read_actions(self, table: Table, header: tuple[str, ...]) -> Iterator[Action]:
        """Yield the actions in the rows of a table. `header` has our words for its columns.

        In an imported record, empty rows are no actions. If the ids there are invalid, the actions
        get the numbers of their rows, because their addresses need ids.
        """
        default_status = "" if self.is_imported else "open"
        markdown_columns = (header.index("Action"),)
        actions = []
        for number, span in enumerate(table.spans[1:], 1):
            cells = self._read_cells(table, number, markdown_columns=markdown_columns)
            if self.is_imported and not any(cells):
                continue
            places = [self.source.at_body(start) for start in span.cells]
            actions.append(_make_action(cells, places, number, header, default_status))
        if self.is_imported and not _has_valid_ids(actions):
            actions = [
                dataclasses.replace(action, id=f"A{number}")
                for number, action in enumerate(actions, 1)
            ]
        yield from actions

    def read_action_header(self, table: Table) -> tuple[str, ...]:
        """Return the cells of the header of a table, without Markdown."""
        return self._read_cells(table, 0)

    def _read_cells(
        self, table: Table, row: int, *, markdown_columns: Container[int] = ()
    ) -> tuple[str, ...]:
        """Return the texts of the cells of a row, where row 0 is the header.

        Only the texts in `markdown_columns` keep their Markdown, such as the marks of a link.
        """
        cells = table.rows[row - 1] if row else table.head
        marked_columns = [
            column
            for column, cell in enumerate(cells)
            if column not in markdown_columns and _MARKDOWN.search(cell)
        ]
        if not marked_columns:  # Most cells have no Markdown, and a second parse is slow.
            return cells
        cell_nodes = self.source.node_of(table).children[row].children
        return tuple(
            extract_text(cell_nodes[column].children) if column in marked_columns else cell
            for column, cell in enumerate(cells)
        )

    @property
    def action_headers(self) -> Mapping[tuple[str, ...], tuple[str, ...]]:
        """The valid headers of the action table, each with our words for its columns."""
        own = {ACTION_COLUMNS: ACTION_COLUMNS}
        if self.has_own_form and not self.is_imported:
            return own
        return {**own, GOOGLE_ACTION_COLUMNS: ("Action", "Type", "Owner", "Bug")}

    def action_nodes(self, action: Action) -> tuple[MarkdownNode, ...]:
        """Return the parsed Markdown nodes of the text of an action."""
        table = next(
            table for table in self.action_tables if table.first <= action.line <= table.last
        )
        row = self.source.node_of(table).children[action.line - table.first - 1]
        return tuple(row.children[action.header.index("Action")].children)


def _read_start(draft: Draft) -> datetime.datetime:
    """Return the start of the incident of a new post-mortem, in UTC.

    Raises IncompleteDraftError if the start or its UTC offset is missing.
    """
    try:
        started = datetime.datetime.fromisoformat(draft.values.get("started", ""))
        if started.utcoffset() is not None:
            return started.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        pass
    raise IncompleteDraftError(
        "no 'started' with a UTC offset; add --set started=2026-05-15T10:14Z"
    )


def _make_action(
    row: tuple[str, ...],
    cells: Sequence[Location],
    number: int,
    header: tuple[str, ...],
    default_status: str,
) -> Action:
    """Make an action of a row.

    `number` is its place in the table, and `header` has our words for the columns. Without a column
    for the status, an action that is not marked as done has the status `default_status`.
    """
    cell = dict(zip(header, row, strict=True))
    status, done = _read_action_status(cell, default_status)
    dropped = _DROPPED.fullmatch(cell.get("Status", ""))
    return Action(
        id=cell.get("Id", f"A{number}"),
        text=cell["Action"],
        owner=cell["Owner"],
        due=parse_day(cell.get("Due", "")),
        status=status,
        done=done,
        line=cells[0].line,
        cells=row,
        columns=tuple(location.column for location in cells),
        header=header,
        reason=dropped["reason"] if dropped else None,
    )


def _has_valid_ids(actions: Sequence[Action]) -> bool:
    """Return whether all actions have ids such as A1, without duplicates."""
    ids = {action.id for action in actions}
    return len(ids) == len(actions) and all(map(_ACTION_ID.fullmatch, ids))


def _read_action_status(
    cell: Mapping[str, str], default_status: str
) -> tuple[str, datetime.date | None]:
    """Return the status of an action, or "", and the day on which it was done, or None."""
    if "Bug" in cell:
        word = re.search(r"\b(?:DONE|TODO)\b", cell["Bug"])
        return ({"DONE": "done", "TODO": "open"}[word[0]] if word else default_status), None
    status = cell["Status"]
    done = _DONE.fullmatch(status)
    day = parse_day(done[1]) if done else None
    if day:
        return "done", day
    if _DROPPED.fullmatch(status):
        return "dropped", None
    return (status if status == "open" else ""), None


def parse_day(text: str) -> datetime.date | None:
    """Return the date of a text YYYY-MM-DD, or None if it is not a plausible date."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return day if is_plausible(day) else None


def _parse_time(text: str) -> datetime.time | None:
    try:
        return datetime.time.fromisoformat(text)
    except ValueError:
        return None


def publication_deadline(
    start: datetime.date, business_days: int, country: str | None
) -> datetime.date:
    """Return the last day on which a post-mortem can be published without being late.

    It is `business_days` after the start of the incident. Business days are Monday to Friday,
    except the public holidays of the country (such as DE or DE-BY).
    """
    holidays: Container[datetime.date] = ()
    if country:
        from holidays import country_holidays  # imported late: the import takes 40 ms

        code, _, subdivision = country.partition("-")
        holidays = country_holidays(code, subdivision or None)
    day = start
    while business_days:
        day += datetime.timedelta(days=1)
        business_days -= day.weekday() < 5 and day not in holidays
    return day
