"""PMT001 to PMT009: post-mortems, their times, and what is done about them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from handbook.diagnostics import Finding, Severity, did_you_mean
from handbook.reading.placeholders import is_unwritten
from handbook.records.postmortem import (
    ACTION_COLUMNS,
    ACTIONS,
    TIMELINE,
    WHEN_PUBLISHED,
    Action,
    Postmortem,
    deadline,
)
from handbook.rules.engine import Context, rule

_MISSING = ("FM102", "FM104")


@rule("PMT001", "invalid-postmortem-name", over=Postmortem)
def invalid_postmortem_name(postmortem: Postmortem) -> Iterator[Finding]:
    """The file of a post-mortem is `YYYY-MM-DD-slug.md`, with the day on which the impact began, in UTC.

    Why: the name is the address, and sorts the archive.

    Bad:
        postmortems/2026-05-05-orders-stopped.md
    Good:
        postmortems/2026-05-04-orders-stopped.md
    """
    if not postmortem.well_named:
        yield Finding(postmortem.source.at(1), f"the name is not {postmortem.file_form}")
        return
    began = postmortem.started
    if began and not postmortem.id.startswith(f"{began.date()}-"):
        yield Finding(
            postmortem.source.at(1), f"the name's date is not that of started, {began.date()}"
        )


@rule("PMT002", "incomplete-publication", over=Postmortem, requires=("FM001", "FM002"))
def incomplete_publication(postmortem: Postmortem) -> Iterator[Finding]:
    """A post-mortem that is published has `resolved`, `published`, `caused_by` and `reviewers`.

    Why: a figure or a lesson of an incident that is not over, or that nobody reviewed, is a guess.

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
            if not getattr(postmortem, key) and not postmortem.doubtful(key):
                yield Finding(
                    postmortem.at(key), f"'{key}' is missing: the post-mortem is published"
                )


@rule("PMT003", "misordered-times", over=Postmortem)
def misordered_times(postmortem: Postmortem) -> Iterator[Finding]:
    """Started ≤ detected ≤ acknowledged, and started ≤ mitigated ≤ resolved; published is not before the end.

    Why: a duration computed from them would be negative, or too long.

    Bad:
        detected: 2026-05-04T09:58Z
    Good:
        detected: 2026-05-04T10:02Z
    """
    for keys in (("started", "detected", "acknowledged"), ("started", "mitigated", "resolved")):
        known = [(key, getattr(postmortem, key)) for key in keys if getattr(postmortem, key)]
        for (before, earlier), (after, later) in pairwise(known):
            if later < earlier:
                yield Finding(postmortem.at(after), f"{after} is before {before}")
    if (
        postmortem.published
        and postmortem.resolved
        and postmortem.published < postmortem.resolved.date()
    ):
        yield Finding(postmortem.at("published"), "published is before resolved")


@rule("PMT004", "invalid-timeline", over=Postmortem, requires=_MISSING)
def invalid_timeline(postmortem: Postmortem) -> Iterator[Finding]:
    """The timeline is a list, each item `HH:MM — what happened` in UTC, with a date before the time on another day.

    Why: the site draws it to scale, and checks that it is in order.

    Bad:
        - 10:05: the engineer on call looks
    Good:
        - 10:05 — the engineer on call looks
    """
    for entry in postmortem.timeline:
        if not entry.what and not entry.unwritten:
            yield Finding(
                postmortem.source.at(entry.line),
                "not a line of a timeline",
                "write 'HH:MM — what happened'",
            )
    for section in postmortem.source.sections:
        if section.heading.text == TIMELINE and section.filled and not postmortem.timeline:
            if postmortem.unwritten(postmortem.section_blocks(TIMELINE)):
                return
            at = postmortem.source.at(section.heading.first)
            yield Finding(at, "the timeline is not a list", "write '- HH:MM — what happened'")


@rule("PMT005", "misordered-timeline", over=Postmortem)
def misordered_timeline(postmortem: Postmortem) -> Iterator[Finding]:
    """The lines of the timeline are in order.

    Why: what came first is what the reader is trying to find out.

    Bad:
        - 10:40 — orders are placed again
        - 10:20 — the pool is made larger
    Good:
        - 10:20 — the pool is made larger
        - 10:40 — orders are placed again
    """
    known = [entry for entry in postmortem.timeline if entry.at]
    for before, entry in pairwise(known):
        if before.at and entry.at and entry.at < before.at:
            hint = "move it up, or write the date before the time if it is another day"
            yield Finding(
                postmortem.source.at(entry.line),
                f"{entry.at:%H:%M} comes after {before.at:%H:%M}",
                hint,
            )


@rule("PMT006", "invalid-action-table", over=Postmortem, requires=_MISSING)
def invalid_action_table(postmortem: Postmortem) -> Iterator[Finding]:
    """Action items is one table with the columns Id, Action, Owner, Due and Status.

    Why: every action of every post-mortem is listed in one place, with its owner and its day.

    Bad:
        | Id | Action | Who | Due | Status |
    Good:
        | Id | Action | Owner | Due | Status |
    """
    tables = postmortem.action_tables
    columns = " | ".join(ACTION_COLUMNS)
    for section in postmortem.source.sections:
        if section.heading.text == ACTIONS and section.filled and not tables:
            if postmortem.unwritten(postmortem.section_blocks(ACTIONS)):
                return
            yield Finding(
                postmortem.source.at(section.heading.first), "no table of actions", f"| {columns} |"
            )
    for index, table in enumerate(tables):
        if index:
            yield Finding(
                postmortem.source.at(table.first), "a second table of actions", "join the two"
            )
        elif table.head != ACTION_COLUMNS and not any(map(is_unwritten, table.head)):
            yield Finding(
                postmortem.source.at(table.first), "the columns are others", f"| {columns} |"
            )


@rule("PMT007", "incomplete-action", over=Postmortem)
def incomplete_action(postmortem: Postmortem, context: Context) -> Iterator[Finding]:
    """An action has an id (A1, A2, and so on, in order), a text, a team as its owner, a day, and a status.

    The status is open, dropped, or done with the day: `done 2026-05-18`.

    Why: an action that nobody owns is not done.

    Bad:
        | A1 | Alert on the pool |  | 2026-05-12 | dropped |
    Good:
        | A1 | Alert on the pool | shop-team | 2026-05-12 | dropped |
    """
    for number, action in enumerate(postmortem.actions, 1):
        if not action.unwritten:
            for cell, message, hint in _wrong_cells(action, number, context):
                if not is_unwritten(action.cells[cell]):
                    yield Finding(
                        postmortem.source.at(action.line, action.columns[cell]), message, hint
                    )


def _wrong_cells(
    action: Action, number: int, context: Context
) -> Iterator[tuple[int, str, str | None]]:
    """The cells of an action that cannot be read: index, message and hint."""
    teams = context.handbook.settings.organisation.teams
    if action.id != f"A{number}":
        yield (
            0,
            f"the id is '{action.id}', not A{number}",
            "count from A1; an id is never given again",
        )
    if not action.text:
        yield 1, f"{action.id} does not say what is done", None
    if action.owner not in teams:
        problem = (
            f"is owned by '{action.owner}', which is no team" if action.owner else "has no owner"
        )
        yield 2, f"{action.id} {problem}", did_you_mean(action.owner, teams) or "name a team"
    if action.due is None:
        yield 3, f"{action.id} has no day on which it is due", "write YYYY-MM-DD"
    if not action.status:
        yield 4, f"{action.id} has no status", "write open, dropped, or done YYYY-MM-DD"


@rule("PMT008", "overdue-action", over=Postmortem, severity=Severity.WARNING)
def overdue_action(postmortem: Postmortem, context: Context) -> Iterator[Finding]:
    """An open action is done by its day.

    Why: what was learnt from an incident is what is done about it.

    Bad:
        | A2 | Review the pool | shop-team | 2026-05-13 | open |
    Good:
        | A2 | Review the pool | shop-team | 2026-05-13 | done 2026-05-12 |
    """
    for action in postmortem.actions:
        if action.open and action.due and action.due < context.today and not postmortem.example:
            at = postmortem.source.at(action.line, action.columns[3])
            yield Finding(
                at,
                f"{action.id} was due on {action.due}",
                "do it, drop it with a word why, or name a new day",
            )


@rule("PMT009", "overdue-publication", over=Postmortem, severity=Severity.WARNING)
def overdue_publication(postmortem: Postmortem, context: Context) -> Iterator[Finding]:
    """The post-mortem of a severity that the policy names is published within as many business days as it says.

    Business days are Monday to Friday, but for the holidays of `postmortem.country`, counted from the day after the
    incident began. One that was published late is shown as late on its page; that is no finding.

    Why: after two weeks nobody remembers, and the next incident comes first.

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
        last = deadline(postmortem.started.date(), policy.business_days, policy.country)
        if last < context.today:
            at = postmortem.at("status")
            yield Finding(
                at, f"was to be published by {last}, and is {postmortem.status}", "finish it"
            )
