"""PMT001 to PMT009, and PMT011: file names, times, timelines and actions of post-mortems."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import PurePosixPath
from textwrap import shorten
from typing import Final

from handbook.diagnostics import Finding, Severity, did_you_mean
from handbook.reading.filler import is_filler
from handbook.reading.placeholders import is_unwritten
from handbook.records.postmortem import (
    ACTIONS,
    KEYS_WHEN_PUBLISHED,
    TIMELINE,
    Action,
    Postmortem,
    parse_day,
    publication_deadline,
)
from handbook.rules.engine import Context, rule

_MISSING_SECTION = ("FM102", "FM104")
_ALMOST_ENTRY: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2} )?(?P<time>[0-9]{1,2}:[0-9]{2})(?::[0-9]{2})?(?: UTC)?"
    r"\s*[-–—:,]*\s*(?P<event>\S.*)",
    re.DOTALL,
)
"""A timeline entry without the separator ` — `, or with an hour of one digit."""


@rule("PMT001", "invalid-postmortem-name", over=Postmortem)
def invalid_postmortem_name(postmortem: Postmortem) -> Iterator[Finding]:
    """The file name of a post-mortem is `YYYY-MM-DD-slug.md`, with the UTC date of `started`.

    Why: the file name becomes the address of the page, and the archive is sorted by file name.

    Bad:
        postmortems/2026-05-05-orders-stopped.md
    Good:
        postmortems/2026-05-04-orders-stopped.md
    """
    name = PurePosixPath(postmortem.path).name
    if not postmortem.has_valid_name:
        yield Finding(
            postmortem.source.at(1),
            f"invalid file name '{name}'",
            "use a date, then lower-case words joined by hyphens, as in "
            "2026-05-04-orders-stopped.md",
        )
        return
    started = postmortem.started
    if started and not postmortem.id.startswith(f"{started.date()}-"):
        yield Finding(
            postmortem.source.at(1),
            f"file name '{name}' does not begin with the UTC date of 'started'",
            f"begin the file name with {started.date()}, or correct 'started'",
        )


@rule(
    "PMT002",
    "incomplete-publication",
    over=Postmortem,
    requires=("FM001", "FM002"),
    asks_imported=False,
)
def incomplete_publication(postmortem: Postmortem) -> Iterator[Finding]:
    """A published post-mortem has `resolved`, `published`, `caused_by` and `reviewers`.

    Why: before the end of the incident and the review of the text, figures and lessons are guesses.

    Bad:
        authors: [shop-team]
        runbooks: [shop/orders-down]
    Good:
        authors: [shop-team]
        reviewers: [platform-team]
        runbooks: [shop/orders-down]
    """
    if postmortem.status == "published":
        for key in KEYS_WHEN_PUBLISHED:
            if not getattr(postmortem, key) and not postmortem.has_invalid_value(key):
                yield Finding(
                    postmortem.at(key),
                    f"missing key '{key}' (the status is 'published')",
                    f"add '{key}', or set 'status: in-review'",
                )


@rule("PMT003", "misordered-times", over=Postmortem)
def misordered_times(postmortem: Postmortem) -> Iterator[Finding]:
    """The times of an incident are in order.

    started ≤ detected ≤ acknowledged, and started ≤ mitigated ≤ resolved. The date of `published`
    is the date of `resolved` or later. If PMT001 reports the date of `started`, and the times are
    in order with the date of the file name, this rule reports nothing.

    Why: the site computes durations from these times. They would be negative or too long.

    Bad:
        detected: 2026-05-04T09:58Z
    Good:
        detected: 2026-05-04T10:02Z
    """
    hint = "correct one of the two times"
    for keys in (("started", "detected", "acknowledged"), ("started", "mitigated", "resolved")):
        times = [(key, getattr(postmortem, key)) for key in keys if getattr(postmortem, key)]
        for (earlier_key, earlier_time), (later_key, later_time) in pairwise(times):
            if earlier_key == "started":
                earlier_time = min(earlier_time, _start_on_day_of_file(postmortem, earlier_time))
            if later_time < earlier_time:
                yield Finding(
                    postmortem.at(later_key), f"'{later_key}' is before '{earlier_key}'", hint
                )
    if (
        postmortem.published
        and postmortem.resolved
        and postmortem.published < postmortem.resolved.date()
    ):
        yield Finding(postmortem.at("published"), "'published' is before 'resolved'", hint)


def _start_on_day_of_file(postmortem: Postmortem, start: datetime) -> datetime:
    """Return the start of an incident on the day of the file name, if the name is valid."""
    if not postmortem.has_valid_name:
        return start
    try:
        day = date.fromisoformat(postmortem.id[: len("YYYY-MM-DD")])
    except ValueError:
        return start
    return datetime.combine(day, start.timetz())


@rule(
    "PMT004",
    "invalid-timeline",
    over=Postmortem,
    requires=_MISSING_SECTION,
    asks_imported=False,
)
def invalid_timeline(postmortem: Postmortem) -> Iterator[Finding]:
    """The timeline is a list of entries `HH:MM — what happened`, in UTC.

    If the day changes after an entry, write the date of the next entry before its time.

    Why: the site draws the timeline to scale, and needs the time of each event.

    Bad:
        - 10:05: the engineer on call looks
    Good:
        - 10:05 — the engineer on call looks
    """
    for entry in postmortem.timeline:
        if not entry.event and not entry.is_placeholder:
            yield Finding(
                postmortem.source.at(entry.line),
                f"invalid timeline entry '{_shorten(entry.text)}'",
                _suggest_entry(entry.text),
            )
    section = postmortem.find_section(TIMELINE)
    if not (section and section.filled) or postmortem.timeline:
        return
    if not postmortem.has_placeholder(postmortem.section_blocks(TIMELINE)):
        yield Finding(
            postmortem.source.at(section.heading.first),
            f"no list in section '{section.heading.text}'",
            "add a list item for each event: '- HH:MM — what happened'",
        )


def _suggest_entry(text: str) -> str:
    """Return the hint that shows how to write a timeline entry."""
    match = _ALMOST_ENTRY.fullmatch(text)
    if match and is_filler(match["event"]):
        return f"write what happened after '{text.removesuffix(match['event']).rstrip()}'"
    if match:
        if match["day"] and parse_day(match["day"].strip()) is None:
            return "write an existing date before the time, YYYY-MM-DD"
        time = match["time"].zfill(len("HH:MM"))
        return f"write '{match['day'] or ''}{time} — {_shorten(match['event'])}'"
    return "write 'HH:MM — what happened', with an em dash (—)"


def _shorten(text: str) -> str:
    return shorten(text, width=60, placeholder=" …")


@rule("PMT005", "misordered-timeline", over=Postmortem, asks_imported=False)
def misordered_timeline(postmortem: Postmortem) -> Iterator[Finding]:
    """The entries of the timeline are in the order of their times.

    Why: readers assume that each event happened after the event above it.

    Bad:
        - 10:40 — orders are placed again
        - 10:20 — the pool is made larger
    Good:
        - 10:20 — the pool is made larger
        - 10:40 — orders are placed again
    """
    entries = [entry for entry in postmortem.timeline if entry.at]
    for previous, entry in pairwise(entries):
        if previous.at and entry.at and entry.at < previous.at:
            yield Finding(
                postmortem.source.at(entry.line),
                f"timeline entry of {entry.at:%H:%M} below the entry of {previous.at:%H:%M}",
                "move it up; if it is on the next day, write the date before the time",
            )


@rule(
    "PMT006",
    "invalid-action-table",
    over=Postmortem,
    requires=_MISSING_SECTION,
    asks_imported=False,
)
def invalid_action_table(postmortem: Postmortem) -> Iterator[Finding]:
    """The section "Action items" has one table, with columns Id, Action, Owner, Due and Status.

    In Google's form, the columns can be Action Item, Type, Owner and Bug.

    Why: the site lists the actions of all post-mortems with their owners and due dates.

    Bad:
        | Id | Action | Who | Due | Status |
    Good:
        | Id | Action | Owner | Due | Status |
    """
    tables = postmortem.action_tables
    header = f"| {' | '.join(list(postmortem.action_headers)[-1])} |"
    section = postmortem.find_section(ACTIONS)
    if section and section.filled and not tables:
        if postmortem.has_placeholder(postmortem.section_blocks(ACTIONS)):
            return
        yield Finding(
            postmortem.source.at(section.heading.first),
            f"no table in section '{section.heading.text}'",
            f"add a table with the header '{header}', and a cell for each column in each row",
        )
    for index, table in enumerate(tables):
        if index:
            yield Finding(
                postmortem.source.at(table.first),
                f"second table in section '{ACTIONS}'",
                "move its rows to the first table",
            )
        elif postmortem.read_action_header(table) not in postmortem.action_headers and not any(
            map(is_unwritten, table.head)
        ):
            yield Finding(
                postmortem.source.at(table.first),
                f"invalid header of the action table: '{_shorten(' | '.join(table.head))}'",
                f"use the header '{header}'",
            )


@rule("PMT007", "incomplete-action", over=Postmortem, asks_imported=False)
def incomplete_action(postmortem: Postmortem, context: Context) -> Iterator[Finding]:
    """An action has an id, a text, a team as its owner, a due date and a status.

    The ids are A1, A2 and so on, in order. The status is `open`, `done` with a date, such as
    `done 2026-05-18`, or `dropped`, also with a reason, such as `dropped: the pool is gone`.

    Why: teams often forget an action that has no owner or no due date.

    Bad:
        | A1 | Alert on the pool |  | 2026-05-12 | dropped |
    Good:
        | A1 | Alert on the pool | shop-team | 2026-05-12 | dropped |
    """
    for number, action in enumerate(postmortem.actions, 1):
        if not action.is_placeholder:
            for cell in _invalid_cells(action, number, context):
                if not is_unwritten(action.cell(cell.column)):
                    column = action.columns[action.header.index(cell.column)]
                    at = postmortem.source.at(action.line, column)
                    yield Finding(at, cell.message, cell.hint)


@dataclass(frozen=True, slots=True)
class _InvalidCell:
    """A message and a hint for an invalid cell, with the name of its column."""

    column: str
    message: str
    hint: str


def _invalid_cells(action: Action, number: int, context: Context) -> Iterator[_InvalidCell]:
    """Return the invalid cells of an action. `number` is the row of the action, from 1."""
    teams = context.handbook.settings.organisation.teams
    if action.id != f"A{number}":
        yield _InvalidCell(
            "Id",
            f"action id '{action.id}' in row {number}, where 'A{number}' was expected",
            "number the actions from A1 in order, and never reuse an id",
        )
    if is_filler(action.text):
        yield _InvalidCell("Action", f"missing text of action {action.id}", "describe the action")
    if action.owner not in teams:
        yield _InvalidCell(
            "Owner",
            _describe_fault("unknown", "owner", action.owner, action),
            did_you_mean(action.owner, teams)
            or "name a team from extra.handbook.teams in mkdocs.yml",
        )
    if action.due is None and "Due" in action.header:
        message = _describe_fault("invalid", "due date", action.cell("Due"), action)
        yield _InvalidCell("Due", message, "write an existing date as YYYY-MM-DD")
    if not action.status and "Status" in action.header:
        message = _describe_fault("invalid", "status", action.cell("Status"), action)
        hint = "write 'open', 'done YYYY-MM-DD' or 'dropped: the reason'"
        yield _InvalidCell("Status", message, hint)


def _describe_fault(fault: str, column: str, cell: str, action: Action) -> str:
    """Return the message for an invalid cell of an action.

    For an empty cell, it is `missing owner of action A1`. For any other cell, it is
    `unknown owner 'x' of action A1`.
    """
    message = f"{fault} {column} '{cell}'" if cell else f"missing {column}"
    return f"{message} of action {action.id}"


@rule("PMT008", "overdue-action", over=Postmortem, severity=Severity.WARNING)
def overdue_action(postmortem: Postmortem, context: Context) -> Iterator[Finding]:
    """The due date of an open action is today or later.

    Why: the incident can happen again if the actions are not completed.

    Bad:
        | A2 | Review the pool | shop-team | 2026-05-13 | open |
    Good:
        | A2 | Review the pool | shop-team | 2026-05-13 | done 2026-05-12 |
    """
    for action in postmortem.actions:
        if action.is_open and action.due and action.due < context.today and not postmortem.example:
            column = action.columns[action.header.index("Due")]
            at = postmortem.source.at(action.line, column)
            yield Finding(
                at,
                f"action {action.id} was due on {action.due}",
                "set its status to 'done YYYY-MM-DD' or 'dropped: the reason', or set a later due "
                "date",
            )


@rule(
    "PMT009",
    "overdue-publication",
    over=Postmortem,
    severity=Severity.WARNING,
    asks_imported=False,
)
def overdue_publication(postmortem: Postmortem, context: Context) -> Iterator[Finding]:
    """A post-mortem is published within the number of business days that the policy allows.

    The policy sets the number of days (`postmortem.business_days`) and the severities
    (`postmortem.severities`). Business days are Monday to Friday, without the public holidays of
    `postmortem.country`. They count from the day after the start of the incident. For a post-mortem
    that was published late, the page shows the delay, and the rule reports nothing.

    Why: after two weeks, people have forgotten the details, and the same incident can return.

    Bad:
        status: in-review
        started: 2026-05-04T10:00Z
    Good:
        status: published
        started: 2026-05-04T10:00Z
    """
    policy = context.handbook.settings.policy.postmortem
    if postmortem.example or postmortem.status in (None, "published") or not policy.business_days:
        return
    if postmortem.started and postmortem.severity in policy.severities:
        due = publication_deadline(postmortem.started.date(), policy.business_days, policy.country)
        if due < context.today:
            yield Finding(
                postmortem.at("status"),
                f"publication was due on {due}, but the status is '{postmortem.status}'",
                "finish the review, and set 'status: published'",
            )


@rule("PMT011", "action-before-incident", over=Postmortem)
def action_before_incident(postmortem: Postmortem) -> Iterator[Finding]:
    """An action is due, or done, on the UTC date of `started` or later.

    Why: an action follows from the incident, so an earlier date is a typing error.

    Bad:
        | A1 | Alert on the pool | shop-team | 2025-05-12 | dropped |
    Good:
        | A1 | Alert on the pool | shop-team | 2026-05-12 | dropped |
    """
    if postmortem.started is None:
        return
    first_day = postmortem.started.date()
    for action in postmortem.actions:
        for verb, day, column in (("due", action.due, 3), ("done", action.done, 4)):
            if day and day < first_day:
                yield Finding(
                    postmortem.source.at(action.line, action.columns[column]),
                    f"action {action.id} is {verb} on {day}, before the incident of {first_day}",
                    "correct the date, or correct 'started'",
                )
