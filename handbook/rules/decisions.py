"""DEC001 to DEC012, DEC016: file names, status history and references of decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import PurePosixPath

from handbook.diagnostics import Finding, Severity
from handbook.handbook import Handbook
from handbook.reading.blocks import Heading, Item, Table
from handbook.records import Record, next_number
from handbook.records.adr import ALTERNATIVES, Adr
from handbook.records.postmortem import Postmortem
from handbook.rules.engine import Context, rule
from handbook.vocabulary import ADR_DECIDED, ADR_NEXT_STATUSES, can_become


@rule("DEC001", "invalid-decision-name", over=Adr)
def invalid_decision_name(adr: Adr) -> Iterator[Finding]:
    """The file name of a decision is `NNNN-slug.md`.

    Use four digits, then lower-case words joined by hyphens.

    Why: the number becomes the id of the decision, and the file name becomes its address.

    Bad:
        adr/3-Keep_orders_in_MySQL.md
    Good:
        adr/0003-keep-orders-in-mysql.md
    """
    if not adr.has_valid_name:
        yield Finding(
            adr.source.at(1),
            f"invalid file name '{PurePosixPath(adr.path).name}'",
            "use four digits, then lower-case words joined by hyphens, as in "
            "0042-keep-orders-in-postgresql.md",
        )


@rule("DEC002", "duplicate-decision-number", over=Handbook)
def duplicate_decision_number(handbook: Handbook) -> Iterator[Finding]:
    """Each decision has a number of its own.

    Why: if two decisions have the same number, references to it are ambiguous.

    Bad:
        adr/0001-keep-orders-in-mysql.md
    Good:
        adr/0003-keep-orders-in-mysql.md
    """
    for adr in handbook.of(Adr):
        first = handbook.entities_by_id[adr.kind, adr.id]
        if adr.has_valid_name and first is not adr:
            free_number = next_number(Adr, handbook.documents)
            yield Finding(
                adr.source.at(1),
                f"duplicate number {adr.id} (already used by {first.path})",
                f"begin the file name with the next free number, {free_number:04}",
            )


@rule("DEC003", "missing-deciders", over=Adr, requires=("FM001", "FM002"), asks_imported=False)
def missing_deciders(adr: Adr) -> Iterator[Finding]:
    """A decision names its deciders, unless it is still proposed.

    A decision in the form of MADR or Nygard can leave them out.

    Why: readers need to know which team can answer their questions.

    Bad:
        status: accepted
        date: 2026-03-02
    Good:
        status: accepted
        date: 2026-03-02
        deciders: [platform-team]
    """
    if adr.needs_deciders and not adr.deciders and not adr.has_invalid_value("deciders"):
        yield Finding(
            adr.at("deciders"),
            f"missing key 'deciders' (the status is '{adr.status}')",
            "add 'deciders: [a-team]' with the teams or people that decided",
        )


@rule("DEC004", "missing-successor", over=Adr, asks_imported=False)
def missing_successor(adr: Adr, context: Context) -> Iterator[Finding]:
    """A superseded decision names the decision that replaced it.

    Why: readers of an old decision need a link to the decision in force.

    Bad:
        superseded_by: []
    Good:
        superseded_by: [ADR-0002]
    """
    if (
        adr.status == "superseded"
        and not adr.superseded_by
        and not adr.has_invalid_value("superseded_by")
    ):
        successors = [
            candidate.id for candidate in context.handbook.of(Adr) if adr.id in candidate.supersedes
        ]
        hint = (
            f"add 'superseded_by: [{', '.join(successors)}]'"
            if successors
            else "add 'superseded_by' with the id of the decision that replaced it"
        )
        fix = adr.edit_to_add("superseded_by", successors[0]) if len(successors) == 1 else None
        yield Finding(
            adr.at("status"), "missing key 'superseded_by' (the status is 'superseded')", hint, fix
        )


@rule("DEC005", "unexpected-successor", over=Adr)
def unexpected_successor(adr: Adr) -> Iterator[Finding]:
    """Only a superseded decision names a successor.

    Why: the status says that the decision is in force, and the successor says that it is not.

    Bad:
        status: accepted
        date: 2026-03-02
        deciders: [order-team]
        history:
          - {status: proposed, date: 2026-02-01}
        superseded_by: [ADR-0002]
    Good:
        status: superseded
        date: 2026-03-02
        deciders: [order-team]
        history:
          - {status: proposed, date: 2026-02-01}
          - {status: accepted, date: 2026-02-09}
        superseded_by: [ADR-0002]
    """
    if adr.superseded_by and adr.status not in (None, "superseded"):
        yield Finding(
            adr.at("superseded_by"),
            f"unexpected key 'superseded_by' (the status is '{adr.status}')",
            "set 'status: superseded' and the date of the replacement, or remove 'superseded_by'",
        )


@rule("DEC006", "one-sided-reference", over=Adr, requires=("DEC005",))
def one_sided_reference(adr: Adr, context: Context) -> Iterator[Finding]:
    """If a decision supersedes another, both name each other: `supersedes` and `superseded_by`.

    A proposed or rejected decision does not supersede any other, so the rule ignores its
    `supersedes`.

    Why: if one decision lacks the reference, its readers do not see that the two are related.

    Bad:
        supersedes: []
    Good:
        supersedes: [ADR-0001]
    """
    handbook = context.handbook
    for id in adr.supersedes:
        predecessor = handbook.get(Adr, id)
        if (
            predecessor is None
            or predecessor is adr
            or not predecessor.is_readable
            or adr.status not in ADR_DECIDED
            or handbook.is_ambiguous(predecessor)
        ):
            continue
        # DEC004 reports a superseded decision without a successor.
        has_no_successor = predecessor.status == "superseded" and not predecessor.superseded_by
        if (
            adr.id not in predecessor.superseded_by
            and not has_no_successor
            and predecessor.status
            and not predecessor.has_invalid_value("superseded_by")
        ):
            yield Finding(
                adr.at("supersedes", id),
                f"one-sided reference: {id} has no 'superseded_by: [{adr.id}]'",
                f"set 'status: superseded' and 'superseded_by: [{adr.id}]' in {predecessor.path}",
                predecessor.edit_to_add("superseded_by", adr.id)
                if predecessor.status == "superseded"
                else None,
            )
    for id in adr.superseded_by:
        successor = handbook.get(Adr, id)
        if (
            successor is None
            or successor is adr
            or not successor.is_readable
            or successor.status is None
            or handbook.is_ambiguous(successor)
        ):
            continue
        at = adr.at("superseded_by", id)
        if adr.id not in successor.supersedes and not successor.has_invalid_value("supersedes"):
            yield Finding(
                at,
                f"one-sided reference: {id} has no 'supersedes: [{adr.id}]'",
                f"add 'supersedes: [{adr.id}]' in {successor.path}",
                successor.edit_to_add("supersedes", adr.id)
                if successor.status in ADR_DECIDED
                else None,
            )
        elif successor.status not in ADR_DECIDED:
            yield Finding(
                at,
                f"successor {id} is not in force (its status is '{successor.status}')",
                f"restore the earlier status of this decision until {id} is accepted",
            )


@rule("DEC007", "circular-supersession", over=Handbook)
def circular_supersession(handbook: Handbook) -> Iterator[Finding]:
    """No decision supersedes or amends itself, directly or through other decisions.

    Why: readers who follow the references would never reach a decision in force.

    Bad:
        supersedes: [ADR-0001, ADR-0002]
    Good:
        supersedes: [ADR-0001]
    """
    reported_ids: set[str] = set()
    for key in ("supersedes", "superseded_by", "amends"):
        for cycle in _find_cycles({adr.id: getattr(adr, key) for adr in handbook.of(Adr)}):
            if reported_ids & set(cycle):
                continue
            reported_ids.update(cycle)
            adr = handbook.get(Adr, cycle[0])
            if adr is not None:
                at = adr.at(key, cycle[1] if len(cycle) > 1 else cycle[0])
                yield Finding(
                    at,
                    f"circular '{key}': {' → '.join((*cycle, cycle[0]))}",
                    f"remove the wrong id from '{key}'",
                )


def _find_cycles(edges: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Find cycles in a graph of ids. Each cycle begins with its smallest id.

    If several cycles share an id, the result can contain only one of them.
    """
    remaining = dict(edges)
    while True:
        try:
            TopologicalSorter(remaining).prepare()
        except CycleError as error:
            # The last id repeats the first one. Reversed, each id is followed by its target.
            cycle = error.args[1][:0:-1]
            first = cycle.index(min(cycle))
            yield (*cycle[first:], *cycle[:first])
            remaining = {id: targets for id, targets in remaining.items() if id not in cycle}
        else:
            return


@rule("DEC008", "invalid-history", over=Adr)
def invalid_history(adr: Adr) -> Iterator[Finding]:
    """The history of a decision has its status changes in the allowed order, the oldest first.

    - A proposed decision becomes accepted or rejected.
    - An accepted decision becomes deprecated or superseded.
    - A deprecated decision becomes superseded.

    The history can leave out a status.

    Why: readers use the history to see which status a decision had on a given day.

    Bad:
        history:
          - {status: rejected, date: 2026-02-20}
    Good:
        history:
          - {status: proposed, date: 2026-02-20}
    """
    changes = [(change.status, change.date) for change in adr.history]
    places = [adr.at("history")] * len(changes)
    if adr.source.front_matter and (entry := adr.source.front_matter.mapping.get("history")):
        items = getattr(entry.value, "items", ())
        places = [item.at for item in items] if len(items) == len(changes) else places
    changes.append((adr.status, adr.date))
    for index, ((status, day), (next_status, next_day)) in enumerate(pairwise(changes)):
        if status and next_status and not can_become(ADR_NEXT_STATUSES, status, next_status):
            yield Finding(
                places[index],
                f"invalid status change from '{status}' to '{next_status}'",
                suggest_status(ADR_NEXT_STATUSES, status),
            )
        elif day and next_day and day > next_day:
            yield Finding(
                places[index],
                f"dates out of order: '{status}' on {day}, then '{next_status}' on {next_day}",
                "correct the dates, and list the oldest status first",
            )


def suggest_status(moves: Mapping[str, tuple[str, ...]], status: str) -> str:
    """Return the hint that names the statuses allowed after `status`."""
    if not moves[status]:
        restore = f"restore '{status}', which is final"
        return f"{restore}; write a new decision instead" if moves is ADR_NEXT_STATUSES else restore
    allowed = " or ".join(f"'{name}'" for name in moves[status])
    return f"change the status from '{status}' to {allowed} first"


@rule("DEC009", "missing-alternative", over=Adr, requires=("FM102", "FM104"), asks_imported=False)
def missing_alternative(adr: Adr) -> Iterator[Finding]:
    """The section "Alternatives considered" names at least one alternative.

    In the form of MADR, it is the section "Considered Options".

    Write it as a list item, a heading or a table row.

    Why: without alternatives, a reader may propose an option that was already rejected.

    Bad:
        There were none.
    Good:
        - MySQL: weaker with JSON.
    """
    section = adr.find_section(ALTERNATIVES)
    blocks = adr.section_blocks(ALTERNATIVES)
    if (
        section
        and section.filled
        and not any(isinstance(block, Item | Table | Heading) for block in blocks)
        and not adr.has_placeholder(blocks)
    ):
        yield Finding(
            adr.source.at(section.heading.first),
            f"no alternative in the section '{section.heading.text}'",
            "add a list item: '- Name: the reason against it'",
        )


@rule("DEC010", "review-before-decision", over=Adr)
def review_before_decision(adr: Adr) -> Iterator[Finding]:
    """The review date of a decision (`review_by`) is later than the date of its status (`date`).

    Why: a review date before the decision is a typing error.

    Bad:
        review_by: 2025-03-02
    Good:
        review_by: 2027-03-02
    """
    if adr.review_by and adr.date and adr.review_by <= adr.date:
        yield Finding(
            adr.at("review_by"),
            f"'review_by: {adr.review_by}' is not after 'date: {adr.date}'",
            "correct one of the two dates",
        )


@rule(
    "DEC011", "overdue-decision-review", over=Adr, severity=Severity.WARNING, requires=("DEC010",)
)
def overdue_decision_review(adr: Adr, context: Context) -> Iterator[Finding]:
    """A decision in force has a review date (`review_by`) of today or later.

    Examples (`example: true`) are exempt.

    Why: if reviews are overdue, readers learn to ignore review dates.

    Bad:
        review_by: 2026-03-03
    Good:
        review_by: 2027-03-02
    """
    if (
        adr.status == "accepted"
        and adr.review_by
        and adr.review_by < context.today
        and not adr.example
    ):
        yield Finding(
            adr.at("review_by"),
            f"review was due on {adr.review_by}",
            "review the decision, then set a later 'review_by', or propose a new decision",
        )


@rule("DEC012", "superseded-citation", over=Record)
def superseded_citation(record: Record, context: Context) -> Iterator[Finding]:
    """A record that cites a superseded decision also cites the decision that replaced it.

    Post-mortems, and decisions that are no longer proposed, are exempt because they describe the
    knowledge of their day.

    Why: readers would follow a decision that no longer applies.

    Bad:
        as ADR-0001 does
    Good:
        as ADR-0002 does
    """
    if isinstance(record, Postmortem) or (isinstance(record, Adr) and record.status != "proposed"):
        return
    handbook = context.handbook
    references = handbook.references_from(record)
    cited_ids = {reference.target.id for reference in references}
    for reference in references:
        cited = reference.target
        if (
            isinstance(cited, Adr)
            and cited.status == "superseded"
            and reference.via != "supersedes"
        ):
            successors = [successor.id for successor in handbook.find_successors(cited)]
            if successors and not (cited_ids | {record.id}) & set(successors):
                yield Finding(
                    reference.at,
                    f"citation of {cited.id}, which is superseded, without its successor",
                    f"also cite {' or '.join(successors)}",
                )


@rule("DEC016", "early-supersession", over=Adr, requires=("DEC008",), asks_imported=False)
def early_supersession(adr: Adr, context: Context) -> Iterator[Finding]:
    """A decision is not superseded before its successor was accepted.

    If a decision has several successors, the first acceptance counts. The day of an acceptance is
    the `date` of an accepted decision, or the line `accepted` of its `history`.

    Why: the index and the feed would publish a day on which the old decision was still in force.

    Bad:
        status: superseded
        date: 2026-03-01
    Good:
        status: superseded
        date: 2026-03-02
    """
    successors = [context.handbook.get(Adr, id) for id in adr.superseded_by]
    acceptances = [
        (day, successor.id)
        for successor in successors
        if successor and (day := _find_acceptance(successor, context.handbook))
    ]
    if adr.status != "superseded" or not adr.date or len(acceptances) < max(len(successors), 1):
        return
    day, id = min(acceptances)
    if adr.date < day:
        has_earlier_status = adr.history and adr.history[-1].status in ("accepted", "deprecated")
        earlier_status = (
            "" if has_earlier_status else f", and {suggest_history(adr, 'accepted', adr.date)}"
        )
        yield Finding(
            adr.at("date"),
            f"superseded on {adr.date}, but the successor {id} was accepted on {day}",
            f"set 'date: {day}'{earlier_status}",
        )


def _find_acceptance(adr: Adr, handbook: Handbook) -> date | None:
    """Return the day on which a decision was accepted, or None if the day is unknown."""
    days = [event.day for event in adr.events if event.change == "accepted"]
    return min(days) if days and not handbook.is_ambiguous(adr) else None


def suggest_history(adr: Adr, status: str, day: date | None) -> str:
    """Return the hint that adds an earlier status to the history of a decision."""
    change = f"{{status: {status}, date: {day or 'YYYY-MM-DD'}}}"
    entry = adr.mapping.get("history") if adr.mapping else None
    if entry is None:
        return f"add 'history: [{change}]'"
    is_flow = adr.source.line(entry.value.at.line)[entry.value.at.column - 1 :].startswith("[")
    return f"add '{change if is_flow else f'- {change}'}' to 'history'"
