"""DEC001 to DEC012: decisions, their life, and what they say of one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from handbook.diagnostics import Finding, Severity
from handbook.handbook import Handbook
from handbook.reading.blocks import Heading, Item, Table
from handbook.records import Record, next_number
from handbook.records.adr import Adr
from handbook.records.postmortem import Postmortem
from handbook.rules.engine import Context, rule
from handbook.vocabulary import ADR_DECIDED, ADR_MOVES, can_become


@rule("DEC001", "invalid-decision-name", over=Adr)
def invalid_decision_name(adr: Adr) -> Iterator[Finding]:
    """The file of a decision is `NNNN-slug.md`: four digits, then words in lower case joined by hyphens.

    Why: the number is the decision's id and stands nowhere else; the name is its address.

    Bad:
        adr/3-Keep_orders_in_MySQL.md
    Good:
        adr/0003-keep-orders-in-mysql.md
    """
    if not adr.well_named:
        yield Finding(
            adr.source.at(1),
            f"the name is not {adr.file_form}",
            "such as 0042-keep-orders-in-postgresql.md",
        )


@rule("DEC002", "duplicate-decision-number", over=Handbook)
def duplicate_decision_number(handbook: Handbook) -> Iterator[Finding]:
    """No two decisions have the same number.

    Why: two branches took the next number, and what says ADR-0042 now names both.

    Bad:
        adr/0001-keep-orders-in-mysql.md
    Good:
        adr/0003-keep-orders-in-mysql.md
    """
    for adr in handbook.of(Adr):
        first = handbook.by_id[adr.kind, adr.id]
        if adr.well_named and first is not adr:
            hint = f"the next free number is {next_number(Adr, handbook.documents):04}"
            yield Finding(adr.source.at(1), f"{adr.id} is {first.path} already", hint)


@rule("DEC003", "missing-deciders", over=Adr, requires=("FM001", "FM002"))
def missing_deciders(adr: Adr) -> Iterator[Finding]:
    """A decision that is no longer only proposed names the teams that decided.

    Why: a reader with a question needs somebody to ask.

    Bad:
        status: accepted
        date: 2026-03-02
    Good:
        status: accepted
        date: 2026-03-02
        deciders: [platform-team]
    """
    if adr.status not in (None, "proposed") and not adr.deciders and not adr.doubtful("deciders"):
        yield Finding(
            adr.at("deciders"),
            f"'deciders' is missing: the status is {adr.status}",
            "deciders: [a-team]",
        )


@rule("DEC004", "missing-successor", over=Adr)
def missing_successor(adr: Adr, context: Context) -> Iterator[Finding]:
    """A superseded decision names the decision that replaced it.

    Why: a reader who lands on it must get to what holds now.

    Bad:
        superseded_by: []
    Good:
        superseded_by: [ADR-0002]
    """
    if adr.status == "superseded" and not adr.superseded_by and not adr.doubtful("superseded_by"):
        claimed = [other.id for other in context.handbook.of(Adr) if adr.id in other.supersedes]
        hint = (
            f"superseded_by: [{', '.join(claimed)}]"
            if claimed
            else "superseded_by: [the decision that replaced it]"
        )
        fix = adr.adding("superseded_by", claimed[0]) if len(claimed) == 1 else None
        yield Finding(
            adr.at("status"),
            "the status is superseded, and superseded_by names no decision",
            hint,
            fix,
        )


@rule("DEC005", "unexpected-successor", over=Adr)
def unexpected_successor(adr: Adr) -> Iterator[Finding]:
    """Only a decision whose status is superseded names a successor.

    Why: a reader would follow a decision that another has replaced.

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
        message = f"superseded_by names a successor, and the status is {adr.status}"
        yield Finding(
            adr.at("superseded_by"),
            message,
            "status: superseded, with the date on which it was replaced",
        )


@rule("DEC006", "one-sided-reference", over=Adr, requires=("DEC005",))
def one_sided_reference(adr: Adr, context: Context) -> Iterator[Finding]:
    """Both decisions of a pair name each other: `supersedes` here, `superseded_by` there.

    What a proposed or rejected decision lists under `supersedes` has no effect yet, or never had.

    Why: an edge that one side alone knows is lost to whoever reads the other.

    Bad:
        supersedes: []
    Good:
        supersedes: [ADR-0001]
    """
    handbook = context.handbook
    for id in adr.supersedes:
        old = handbook.get(Adr, id)
        if (
            old is None
            or old is adr
            or not old.readable
            or adr.status not in ADR_DECIDED
            or handbook.ambiguous(old)
        ):
            continue
        lone = (
            old.status == "superseded" and not old.superseded_by
        )  # DEC004 says so, at the other side
        if (
            adr.id not in old.superseded_by
            and not lone
            and old.status
            and not old.doubtful("superseded_by")
        ):
            hint = f"in {old.path}: status: superseded, superseded_by: [{adr.id}]"
            fix = old.adding("superseded_by", adr.id) if old.status == "superseded" else None
            yield Finding(
                adr.at("supersedes", id), f"{id} does not name {adr.id} as its successor", hint, fix
            )
    for id in adr.superseded_by:
        new = handbook.get(Adr, id)
        if (
            new is None
            or new is adr
            or not new.readable
            or new.status is None
            or handbook.ambiguous(new)
        ):
            continue
        at = adr.at("superseded_by", id)
        if adr.id not in new.supersedes and not new.doubtful("supersedes"):
            hint = f"in {new.path}: supersedes: [{adr.id}]"
            fix = new.adding("supersedes", adr.id) if new.status in ADR_DECIDED else None
            yield Finding(at, f"{id} does not say that it supersedes {adr.id}", hint, fix)
        elif new.status not in ADR_DECIDED:
            yield Finding(
                at, f"{id} is {new.status}: it replaces nothing", f"wait until {id} is accepted"
            )


@rule("DEC007", "circular-supersession", over=Handbook)
def circular_supersession(handbook: Handbook) -> Iterator[Finding]:
    """No decision supersedes or amends itself, directly or through others.

    Why: following the successors must end at the decision that holds.

    Bad:
        supersedes: [ADR-0001, ADR-0002]
    Good:
        supersedes: [ADR-0001]
    """
    told: set[str] = set()
    for key in ("supersedes", "superseded_by", "amends"):
        for circle in _circles({adr.id: getattr(adr, key) for adr in handbook.of(Adr)}):
            if told & set(circle):
                continue
            told.update(circle)
            adr = handbook.get(Adr, circle[0])
            if adr is not None:
                way = " → ".join((*circle, circle[0]))
                at = adr.at(key, circle[1] if len(circle) > 1 else circle[0])
                yield Finding(
                    at, f"{key} goes round in a circle: {way}", "take out the edge that is not true"
                )


def _circles(edges: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Circles of a graph, each from its smallest id on, by one depth-first walk: at least one of every knot of them."""
    done: set[str] = set()
    for start in edges:
        way: dict[str, Iterator[str]] = {} if start in done else {start: iter(edges[start])}
        while way:
            id, following = next(reversed(way.items()))
            after = next((each for each in following if each in edges and each not in done), None)
            if after is None:
                done.add(id)
                way.popitem()
            elif after in way:
                known = list(way)
                circle = known[known.index(after) :]
                least = circle.index(min(circle))
                yield (*circle[least:], *circle[:least])
            else:
                way[after] = iter(edges[after])


@rule("DEC008", "invalid-history", over=Adr)
def invalid_history(adr: Adr) -> Iterator[Finding]:
    """The statuses of a decision follow one another as they can, and their dates with them.

    proposed → accepted or rejected; accepted → deprecated or superseded; deprecated → superseded. The history need not
    be complete, but what it names is earlier than what follows.

    Why: the history answers "what held on that day"; a wrong one answers wrongly.

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
    for index, ((before, earlier), (after, later)) in enumerate(pairwise(changes)):
        if before and after and not can_become(ADR_MOVES, before, after):
            moves = ", ".join(ADR_MOVES[before]) or "nothing"
            yield Finding(
                places[index], f"{after} cannot follow {before}", f"after {before} comes {moves}"
            )
        elif earlier and later and earlier > later:
            yield Finding(
                places[index],
                f"{before} on {earlier} stands before {after} on {later}",
                "oldest first",
            )


@rule("DEC009", "missing-alternative", over=Adr, requires=("FM102", "FM104"))
def missing_alternative(adr: Adr) -> Iterator[Finding]:
    """Alternatives considered names at least one: an item of a list, a heading of its own, or a row of a table.

    Why: a decision without an alternative was none, and the next reader will propose what was already weighed.

    Bad:
        There were none.
    Good:
        - MySQL: weaker with JSON.
    """
    for section in adr.source.sections:
        if section.heading.text == "Alternatives considered" and section.filled:
            blocks = adr.section_blocks(section.heading.text)
            if not any(
                isinstance(block, Item | Table | Heading) for block in blocks
            ) and not adr.unwritten(blocks):
                at = adr.source.at(section.heading.first)
                yield Finding(
                    at,
                    "no alternative is set out",
                    "give each a list item that begins with its name",
                )
            return


@rule("DEC010", "review-before-decision", over=Adr)
def review_before_decision(adr: Adr) -> Iterator[Finding]:
    """The day of review comes after the day of the status.

    Why: one of the two was mistyped.

    Bad:
        review_by: 2025-03-02
    Good:
        review_by: 2027-03-02
    """
    if adr.review_by and adr.date and adr.review_by <= adr.date:
        yield Finding(
            adr.at("review_by"), f"review_by {adr.review_by} is not after date {adr.date}"
        )


@rule(
    "DEC011", "overdue-decision-review", over=Adr, severity=Severity.WARNING, requires=("DEC010",)
)
def overdue_decision_review(adr: Adr, context: Context) -> Iterator[Finding]:
    """A decision in force is looked at again by the day that it names. Samples (`example: true`) are exempt.

    Why: a date of review that nobody acts on teaches readers to ignore all of them.

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
            f"was to be reviewed by {adr.review_by}",
            "confirm it with a new date, or propose the decision that replaces it",
        )


@rule("DEC012", "superseded-citation", over=Record)
def superseded_citation(record: Record, context: Context) -> Iterator[Finding]:
    """A record in force that cites a superseded decision names the decision that holds now as well.

    Post-mortems, and decisions that are themselves no longer in force, tell what was; they are free to.

    Why: a reader who follows the citation does what was given up.

    Bad:
        as ADR-0001 does
    Good:
        as ADR-0002 does
    """
    if isinstance(record, Postmortem) or (
        isinstance(record, Adr) and record.status not in ("proposed", "accepted")
    ):
        return
    handbook = context.handbook
    references = handbook.referred_from(record)
    cited = {reference.target.id for reference in references}
    for reference in references:
        old = reference.target
        if isinstance(old, Adr) and old.status == "superseded" and reference.via != "supersedes":
            living = _living(old, handbook)
            if living and not (cited | {record.id}) & set(living):
                message = f"{old.id} is superseded, and what replaced it is not named"
                yield Finding(reference.at, message, f"name {' or '.join(living)}, too")


def _living(old: Adr, handbook: Handbook) -> list[str]:
    """The decisions in force that the successors of one lead to."""
    found: list[str] = []
    seen: set[str] = set()
    following = list(old.superseded_by)
    while following:
        id = following.pop(0)
        adr = handbook.get(Adr, id)
        if adr and id not in seen:
            seen.add(id)
            following += adr.superseded_by
            found += [id] if adr.status == "accepted" else []
    return found
