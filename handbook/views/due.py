"""What is due and when: actions, reviews, exercises, audits, waivers and suppressions.

The build does not know the day of the reader. A script marks what is late when the page is read.
Without the script, the dates are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from handbook.handbook import Handbook
from handbook.reading.suppressions import Suppression
from handbook.records import Entity, Record
from handbook.records.adr import Adr
from handbook.records.alert import Alert
from handbook.records.audit import Audit, Result
from handbook.records.postmortem import Postmortem, publication_deadline
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.records.standard import Standard
from handbook.views import Keep, Rows, make_facet, make_now, render
from handbook.views.links import Linker, PageLink

STATES: Final = ("late", "within 30 days", "later")
"""The states of a date, in the words of the script that computes them."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A thing that is due on a day. `address` is its address from the root of the site."""

    day: date
    kind: str
    title: str
    address: str
    owners: tuple[str, ...]


def list_deadlines(handbook: Handbook, owner: str | None = None) -> tuple[Deadline, ...]:
    """Return everything that is due, or that an owner must do, by day. Examples are left out."""
    if owner is None:
        return handbook.derive(_list_deadlines)
    return handbook.derive(_list_deadlines_of, owner)


def _list_deadlines_of(handbook: Handbook, owner: str) -> tuple[Deadline, ...]:
    return tuple(deadline for deadline in list_deadlines(handbook) if owner in deadline.owners)


def _list_deadlines(handbook: Handbook) -> tuple[Deadline, ...]:
    deadlines = [
        *_list_actions(handbook),
        *_list_publications(handbook),
        *_list_reviews(handbook),
        *_list_audits(handbook),
        *_list_suppressions(handbook),
    ]
    deadlines.sort(key=lambda deadline: (deadline.day, deadline.kind, deadline.address))
    return tuple(deadlines)


def next_review(record: Record, handbook: Handbook) -> date | None:
    """Return the last day on which the review of a runbook or a standard is not late."""
    review = handbook.settings.policy.review
    if isinstance(record, Runbook):
        return _add_days(record.reviewed, review.runbook)
    return _add_days(record.reviewed, review.standard) if isinstance(record, Standard) else None


def next_exercise(runbook: Runbook, handbook: Handbook) -> date | None:
    """Return the last day on which the exercise of a runbook is not late."""
    return _add_days(runbook.exercised, handbook.settings.policy.review.exercise)


def _add_days(day: date | None, days: int | None) -> date | None:
    return day + timedelta(days) if day and days else None


def _list_actions(handbook: Handbook) -> Iterator[Deadline]:
    for postmortem in handbook.of(Postmortem):
        for action in () if postmortem.example else postmortem.actions:
            if action.is_open and action.due:
                address = f"actions/#{postmortem.id}-{action.id.lower()}"
                title = f"{action.id} of {postmortem.title}"
                owners = (action.owner,) if action.owner else ()
                yield Deadline(action.due, "action", title, address, owners)


def _list_publications(handbook: Handbook) -> Iterator[Deadline]:
    policy = handbook.settings.policy.postmortem
    for postmortem in handbook.of(Postmortem):
        is_waiting = postmortem.status in ("draft", "in-review") and not postmortem.example
        if not is_waiting or not postmortem.started or not policy.business_days:
            continue
        if postmortem.severity in policy.severities:
            start = postmortem.started.date()
            day = publication_deadline(start, policy.business_days, policy.country)
            title, address = postmortem.title, handbook.address(postmortem)
            yield Deadline(day, "publication", title, address, postmortem.authors)


def _list_reviews(handbook: Handbook) -> Iterator[Deadline]:
    for record in handbook.records:
        if record.example:
            continue
        title = f"{record.id}: {record.title}" if record.mention else record.title
        owners = _find_owners(handbook, record)
        days: list[tuple[str, date | None]] = [("review", next_review(record, handbook))]
        if isinstance(record, Runbook):
            days.append(("exercise", next_exercise(record, handbook)))
        if isinstance(record, Adr) and record.status == "accepted":
            days.append(("review", record.review_by))
        for kind, day in days:
            if day:
                yield Deadline(day, kind, title, handbook.address(record), owners)


def _list_audits(handbook: Handbook) -> Iterator[Deadline]:
    for service in handbook.of(Service):
        audits = handbook.audits_of(service)
        if not audits or service.example:
            continue
        owners = (service.owner,) if service.owner else ()
        newest = audits[0]
        day = _last_day_of_next_quarter(newest.quarter)
        yield Deadline(day, "audit", service.title, handbook.address(service), owners)
        for id, result in _list_waivers(newest):
            if result.until:
                title = f"{id} of {service.title}"
                yield Deadline(result.until, "waiver", title, handbook.address(newest), owners)


def _list_waivers(audit: Audit) -> Iterator[tuple[str, Result]]:
    for id, result in audit.results.items():
        if result.verdict == "waived":
            yield id, result


def _last_day_of_next_quarter(quarter: str) -> date:
    """Return the last day of the quarter after a quarter, such as 2026-12-31 for `2026-Q3`."""
    year, number = (
        int(quarter[:4]),
        int(quarter[-1]) + 2,
    )  # the quarter that begins on the day after
    first = date(year + (number - 1) // 4, 3 * ((number - 1) % 4) + 1, 1)
    return first - timedelta(1)


def _list_suppressions(handbook: Handbook) -> Iterator[Deadline]:
    for suppression in handbook.suppressions:
        if suppression.rule and suppression.until:
            entity = _find_entity(handbook, suppression)
            title = f"{suppression.rule} in {suppression.at.path}"
            address = handbook.address(entity) if entity else "exceptions/"
            owners = _find_owners(handbook, entity)
            yield Deadline(suppression.until, "suppression", title, address, owners)


def _find_entity(handbook: Handbook, suppression: Suppression) -> Entity | None:
    """Return the record, page, audit or alert with the line of a suppression, or None.

    If the line in a rule file belongs to no alert, the result is the service of the file.
    """
    path = suppression.at.path
    for file in handbook.rule_files:
        if file.path == path:
            names = [rule.alert for rule in file.rules if rule.node.at.line <= suppression.line]
            alert = handbook.get(Alert, names[-1]) if names else None
            return alert or handbook.get(Service, file.service)
    audits = (audit for audit in handbook.of(Audit) if audit.path == path)
    return handbook.documents.get(path) or next(audits, None)


def _find_owners(handbook: Handbook, entity: Entity | None) -> tuple[str, ...]:
    """Return the owner or the deciders of an entity. A service owns its alerts and audits."""
    if isinstance(entity, Alert | Audit):
        entity = handbook.get(Service, entity.service)
    owner = getattr(entity, "owner", None)
    return (owner,) if owner else tuple(getattr(entity, "deciders", ()))


def due(handbook: Handbook, page_address: str, keep: Keep = make_now) -> str:
    """Render the table of everything that is due."""
    return due_table(list_deadlines(handbook), Linker(handbook, page_address), keep)


def due_table(
    deadlines: Sequence[Deadline], linker: Linker, keep: Keep, *, has_owners: bool = True
) -> str:
    """Render a table of deadlines with filters. `has_owners`: it has a column for the owners."""
    owners = (name for deadline in deadlines for name in linker.names(deadline.owners))
    return render(
        "due.md.j2",
        deadlines=deadlines,
        rows=Rows(keep, ("due", linker.page_address, has_owners)),
        target=lambda deadline: PageLink("", deadline.title, linker.at(deadline.address)),
        has_owners=has_owners,
        facets=[
            make_facet("Kind", "kind", (deadline.kind for deadline in deadlines)),
            make_facet("Owner", "owner", owners if has_owners else ()),
        ],
        states=STATES,
        dates=count_dates(deadlines),
        linker=linker,
    )


def count_dates(deadlines: Sequence[Deadline]) -> str:
    """Return the number of deadlines on each day, such as `2026-05-18:2 2026-12-31:1`."""
    counts = Counter(deadline.day for deadline in deadlines)
    return " ".join(f"{day}:{count}" for day, count in sorted(counts.items()))


@dataclass(frozen=True, slots=True)
class _ExceptionRow:
    """An exception from a rule or an item. `end` is its last day, or None if it has none.

    `place` is a link, or the path of a file without a page. `reason` is a link, or HTML.
    """

    kind: str
    subject: str
    place: PageLink | str
    reason: PageLink | str | None
    owners: tuple[str, ...]
    end: date | None


def exceptions(handbook: Handbook, page_address: str) -> str:
    """Render the table of all exceptions: waivers, suppressions, and those of the settings."""
    linker = Linker(handbook, page_address)
    rows = [*_waiver_rows(handbook, linker), *_suppression_rows(handbook, linker)]
    rows.sort(key=lambda row: (row.end or date.max, row.kind, row.subject))
    rows += _setting_rows(handbook, linker)
    return render(
        "exceptions.md.j2",
        rows=rows,
        facets=[
            make_facet("Kind", "kind", (row.kind for row in rows)),
            make_facet(
                "Owner", "owner", (name for row in rows for name in linker.names(row.owners))
            ),
        ],
        linker=linker,
    )


def _waiver_rows(handbook: Handbook, linker: Linker) -> Iterator[_ExceptionRow]:
    for service in handbook.of(Service):
        for audit in handbook.audits_of(service)[:1]:
            for id, result in _list_waivers(audit):
                target = PageLink("", service.title, linker.at(handbook.address(audit)))
                decisions = linker.find("adr", [result.adr] if result.adr else [])
                owners = (service.owner,) if service.owner else ()
                reason = (
                    decisions[0] if decisions else linker.inline(result.reason or "", audit.path)
                )
                yield _ExceptionRow("waiver", id, target, reason, owners, result.until)


def _suppression_rows(handbook: Handbook, linker: Linker) -> Iterator[_ExceptionRow]:
    for suppression in handbook.suppressions:
        if not suppression.rule:
            continue
        path = suppression.at.path
        entity = _find_entity(handbook, suppression)
        yield _ExceptionRow(
            "suppression",
            suppression.rule,
            PageLink("", path, linker.url(entity)) if entity else path,
            linker.inline(suppression.reason, path),
            _find_owners(handbook, entity),
            suppression.until,
        )


def _setting_rows(handbook: Handbook, linker: Linker) -> Iterator[_ExceptionRow]:
    """Yield the exceptions in the settings, which have no end."""
    settings = handbook.settings
    for name, rule in settings.organisation.rules.items():
        if rule.severity != "error":
            path = settings.at("rules", name).path
            reason = linker.inline(rule.reason, path) if rule.reason else None
            owners = (rule.owner,) if rule.owner else ()
            yield _ExceptionRow("rule", f"{name} is {rule.severity}", path, reason, owners, None)
    for sample in settings.organisation.samples:
        path = settings.at_sample(sample).path
        reason = linker.inline(sample.reason or "", path)
        yield _ExceptionRow("secret sample", sample.path or "", path, reason, (), None)
    for removal in settings.organisation.removed:
        path = settings.at_removal(removal).path
        reason = linker.inline(removal.reason or "", path)
        yield _ExceptionRow("removal", removal.path or "", path, reason, (), None)
