"""PMT001 to PMT009: file names, times, timelines and actions of post-mortems."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from textwrap import shorten
from typing import Final

from handbook.diagnostics import Finding, Severity, did_you_mean
from handbook.reading.placeholders import is_unwritten
from handbook.records.postmortem import (
    ACTION_COLUMNS,
    ACTIONS,
    TIMELINE,
    WHEN_PUBLISHED,
    Action,
    Postmortem,
    publication_deadline,
)
from handbook.rules.engine import Context, rule

_MISSING = ("FM102", "FM104")
_ALMOST_ENTRY: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2} )?(?P<time>[0-9]{1,2}:[0-9]{2})(?: UTC)?"
    r"\s*[-–—:,]*\s*(?P<event>\S.*)",
    re.DOTALL,
)
"""A timeline entry with another separator than ` — `, or with a one-digit hour."""


@rule("PMT001", "invalid-postmortem-name", over=Postmortem)
def invalid_postmortem_name(postmortem: Postmortem) -> Iterator[Finding]:
    """The file name of a post-mortem is `YYYY-MM-DD-slug.md`, with the UTC date of `started`.

    Why: the file name is the address of the page, and the archive is sorted by it.

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
            f"rename it to {postmortem.file_form}",
        )
        return
    started = postmortem.started
    if started and not postmortem.id.startswith(f"{started.date()}-"):
        yield Finding(
            postmortem.source.at(1),
            f"the date in the file name '{name}' is not the UTC date of 'started'",
            f"begin the file name with {started.date()}, or correct 'started'",
        )


@rule("PMT002", "incomplete-publication", over=Postmortem, requires=("FM001", "FM002"))
def incomplete_publication(postmortem: Postmortem) -> Iterator[Finding]:
    """A published post-mortem has `resolved`, `published`, `caused_by` and `reviewers`.

    Why: until the incident is over and the text is reviewed, its figures and lessons are guesses.

    Bad:
        authors: [shop-team]
        runbooks: [shop/orders-down]
    Good:
        authors: [shop-team]
        reviewers: [platform-team]
        runbooks: [shop/orders-down]
    """
    if postmortem.status == "published":
        for key in WHEN_PUBLISHED:
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
    is not before the date of `resolved`.

    Why: durations computed from these times would be negative or too long.

    Bad:
        detected: 2026-05-04T09:58Z
    Good:
        detected: 2026-05-04T10:02Z
    """
    hint = "correct one of the two"
    for keys in (("started", "detected", "acknowledged"), ("started", "mitigated", "resolved")):
        times = [(key, getattr(postmortem, key)) for key in keys if getattr(postmortem, key)]
        for (earlier_key, earlier_time), (later_key, later_time) in pairwise(times):
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


@rule("PMT004", "invalid-timeline", over=Postmortem, requires=_MISSING)
def invalid_timeline(postmortem: Postmortem) -> Iterator[Finding]:
    """The timeline is a list of entries `HH:MM — what happened`, in UTC.

    If an event was on another day than the previous one, write its date before the time.

    Why: the site draws the timeline to scale, and the check compares the order of the times.

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
    for section in postmortem.source.sections:
        if section.heading.text == TIMELINE and section.filled and not postmortem.timeline:
            if postmortem.has_placeholder(postmortem.section_blocks(TIMELINE)):
                return
            yield Finding(
                postmortem.source.at(section.heading.first),
                "no list in the timeline",
                "write a list item for each event: '- HH:MM — what happened'",
            )


def _suggest_entry(text: str) -> str:
    """Return the hint that shows the valid form of a timeline entry."""
    if match := _ALMOST_ENTRY.fullmatch(text):
        time = match["time"].zfill(len("HH:MM"))
        return f"write '{match['day'] or ''}{time} — {_shorten(match['event'])}'"
    return "write 'HH:MM — what happened', with an em dash"


def _shorten(text: str) -> str:
    return shorten(text, width=60, placeholder=" …")


@rule("PMT005", "misordered-timeline", over=Postmortem)
def misordered_timeline(postmortem: Postmortem) -> Iterator[Finding]:
    """The entries of the timeline are in the order of their times.

    Why: readers use the timeline to see which event came first.

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
                f"timeline out of order: {entry.at:%H:%M} after {previous.at:%H:%M}",
                "move the entry up, or write the date before the time if it is another day",
            )


@rule("PMT006", "invalid-action-table", over=Postmortem, requires=_MISSING)
def invalid_action_table(postmortem: Postmortem) -> Iterator[Finding]:
    """The section Action items is one table with the columns Id, Action, Owner, Due and Status.

    Why: the site lists the actions of all post-mortems with their owners and due dates.

    Bad:
        | Id | Action | Who | Due | Status |
    Good:
        | Id | Action | Owner | Due | Status |
    """
    tables = postmortem.action_tables
    header = f"| {' | '.join(ACTION_COLUMNS)} |"
    for section in postmortem.source.sections:
        if section.heading.text == ACTIONS and section.filled and not tables:
            if postmortem.has_placeholder(postmortem.section_blocks(ACTIONS)):
                return
            yield Finding(
                postmortem.source.at(section.heading.first),
                "no table in the section 'Action items'",
                f"add a table with the header '{header}', and five cells in each row",
            )
    for index, table in enumerate(tables):
        if index:
            yield Finding(
                postmortem.source.at(table.first), "second table of actions", "merge the two tables"
            )
        elif table.head != ACTION_COLUMNS and not any(map(is_unwritten, table.head)):
            yield Finding(
                postmortem.source.at(table.first),
                f"invalid columns '{_shorten(' | '.join(table.head))}'",
                f"use the header '{header}'",
            )


@rule("PMT007", "incomplete-action", over=Postmortem)
def incomplete_action(postmortem: Postmortem, context: Context) -> Iterator[Finding]:
    """An action has an id, a text, a team as its owner, a due date and a status.

    The ids are A1, A2 and so on, in order. The status is `open`, `dropped`, or `done` with a date:
    `done 2026-05-18`.

    Why: without an owner, an action does not get done.

    Bad:
        | A1 | Alert on the pool |  | 2026-05-12 | dropped |
    Good:
        | A1 | Alert on the pool | shop-team | 2026-05-12 | dropped |
    """
    for number, action in enumerate(postmortem.actions, 1):
        if not action.is_placeholder:
            for cell in _invalid_cells(action, number, context):
                if not is_unwritten(action.cells[cell.index]):
                    at = postmortem.source.at(action.line, action.columns[cell.index])
                    yield Finding(at, cell.message, cell.hint)


@dataclass(frozen=True, slots=True)
class _InvalidCell:
    """An invalid cell of an action, with its index in the row."""

    index: int
    message: str
    hint: str


def _invalid_cells(action: Action, number: int, context: Context) -> Iterator[_InvalidCell]:
    """Find the invalid cells of an action. `number` is its position in the table."""
    teams = context.handbook.settings.organisation.teams
    if action.id != f"A{number}":
        yield _InvalidCell(
            0,
            f"action id '{action.id}' instead of 'A{number}'",
            "number the actions from A1 in order, and never reuse an id",
        )
    if not action.text:
        yield _InvalidCell(1, f"{action.id}: missing text", "describe the action")
    if action.owner not in teams:
        yield _InvalidCell(
            2,
            f"{action.id}: {_describe_fault('owner', action.owner, 'unknown')}",
            did_you_mean(action.owner, teams)
            or "name a team from extra.handbook.teams in mkdocs.yml",
        )
    if action.due is None:
        fault = _describe_fault("due date", action.cells[3], "invalid")
        yield _InvalidCell(3, f"{action.id}: {fault}", "write the date as YYYY-MM-DD")
    if not action.status:
        fault = _describe_fault("status", action.cells[4], "invalid")
        yield _InvalidCell(
            4, f"{action.id}: {fault}", "write 'open', 'dropped' or 'done YYYY-MM-DD'"
        )


def _describe_fault(name: str, cell: str, fault: str) -> str:
    """Return `missing owner` for an empty cell, and `unknown owner 'x'` otherwise."""
    return f"{fault} {name} '{cell}'" if cell else f"missing {name}"


@rule("PMT008", "overdue-action", over=Postmortem, severity=Severity.WARNING)
def overdue_action(postmortem: Postmortem, context: Context) -> Iterator[Finding]:
    """The due date of an open action is today or later.

    Why: an organisation learns from an incident only if it completes the actions.

    Bad:
        | A2 | Review the pool | shop-team | 2026-05-13 | open |
    Good:
        | A2 | Review the pool | shop-team | 2026-05-13 | done 2026-05-12 |
    """
    for action in postmortem.actions:
        if action.is_open and action.due and action.due < context.today and not postmortem.example:
            at = postmortem.source.at(action.line, action.columns[3])
            yield Finding(
                at,
                f"{action.id} was due on {action.due}",
                "close it, cancel it with a reason, or set a new due date",
            )


@rule("PMT009", "overdue-publication", over=Postmortem, severity=Severity.WARNING)
def overdue_publication(postmortem: Postmortem, context: Context) -> Iterator[Finding]:
    """A post-mortem is published within the number of business days that the policy allows.

    The rule applies to the severities of the policy. Business days are Monday to Friday, without
    the holidays of `postmortem.country`, and the first one is the day after the start of the
    incident. A late publication is shown on the page, but is not a finding.

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
