"""Rules over a base (`handbook check --base`): what others rely on does not change, vanish or come back as another.

In the examples Good is what stands in the base, and Bad what a branch made of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, Generic, TypeVar

from handbook.diagnostics import NEW_EXCEPTION, Finding, Location, Severity
from handbook.handbook import Handbook
from handbook.history.base import REVIEWED, Base, Stamping
from handbook.reading.ids import anchor
from handbook.reading.placeholders import is_unwritten
from handbook.reading.suppressions import Suppression
from handbook.records import Document, Page, Record, next_number
from handbook.records.adr import Adr
from handbook.records.audit import Audit
from handbook.records.postmortem import Postmortem
from handbook.records.service import Service
from handbook.records.standard import REQUIREMENTS, Requirement, Standard
from handbook.rules.engine import Context, find_rule, rule, rules
from handbook.rules.standards import item_at
from handbook.rules.wording import rewritten, unrelated
from handbook.settings import Sample, Settings
from handbook.vocabulary import ADR_MOVES, POSTMORTEM_MOVES, can_become

_UNREAD: Final = ("FM001", "FM002")
_STAMPS_AT_ONCE: Final = 3


def _now(old: Document, base: Base, handbook: Handbook) -> Document | None:
    """What became of a document of the base: the file of its name, what has moved from its address, or its number."""
    if old.path in handbook.documents:
        return handbook.documents[old.path]
    address = f"/{base.handbook.address(old)}"
    moved = (each for each in handbook.documents.values() if address in each.moved_from)
    number = handbook.by_id.get((old.kind, old.id))
    return next(moved, number if isinstance(number, Document) else None)


def _live(base: Base, handbook: Handbook) -> Iterator[tuple[Stamping, list[Record]]]:
    """The commits that set days of review which still stand, and the records where they do."""
    for stamping in base.stampings:
        records = [
            record
            for path, day in sorted(stamping.days.items())
            if isinstance(record := handbook.documents.get(path), Record)
            and _reviewed(record) == day != _reviewed(base.handbook.documents.get(path))
        ]
        if records:
            yield stamping, records


def _reviewed(document: Document | None) -> str:
    return f"{getattr(document, REVIEWED, None)}"


@rule("FM017", "bulk-review", over=Base)
def bulk_review(base: Base, context: Context) -> Iterator[Finding]:
    """One commit sets the day of review (`reviewed`) of three records at most.

    A new record does not count, and neither does a day that a later commit of the branch has set back.

    Why: whoever stamps ten pages at once has read none of them, and the warning that they are old is gone.

    Bad:
        reviewed: 2026-11-20
    Good:
        reviewed: 2026-11-04
    """
    for stamping, records in _live(base, context.handbook):
        if len(records) > _STAMPS_AT_ONCE:
            message = f"commit {stamping.commit} stamps {len(records)} records as reviewed: {_names(records)}"
            yield Finding(
                records[0].at(REVIEWED),
                message,
                f"review {_STAMPS_AT_ONCE} at most, and commit them",
            )


def _names(records: Iterable[Record]) -> str:
    return ", ".join(record.id for record in records)


@rule("FM018", "missing-reviewer", over=Base)
def missing_reviewer(base: Base, context: Context) -> Iterator[Finding]:
    """A commit that sets a day of review says in a trailer who reviewed: `Reviewed-by: a team`.

    Why: the day says that somebody read the page against reality; a reader with a doubt needs to know who.

    Bad:
        Signed-off-by: shop-team
    Good:
        Reviewed-by: shop-team
    """
    for stamping, records in _live(base, context.handbook):
        if not stamping.reviewers:
            message = f"commit {stamping.commit} stamps {_names(records)} as reviewed, and names no reviewer"
            yield Finding(
                records[0].at(REVIEWED),
                message,
                "end the commit's message with a line Reviewed-by: a-team",
            )


@rule("FM019", NEW_EXCEPTION, over=Base, severity=Severity.WARNING, firm=True)
def new_exception(base: Base, context: Context) -> Iterator[Finding]:
    """A branch adds no exception that its reviewers do not see.

    Exceptions are suppressions, secret samples, lowered severities, and patterns that are removed from
    `handbook.private`. Each one that the base does not have is a warning, which the summary of every report lists. An
    exception that moves with its file is not new.

    Why: an exception that nobody has agreed to lets faults through for good.

    Bad:
        # handbook: allow FM010: both offices share a name
        deciders: [order-team, order-team, platform-team]
    Good:
        deciders: [order-team, platform-team]
    """
    hint = "tell the reviewers why it is needed"
    settings, before = context.handbook.settings, base.handbook.settings
    for suppression in _added(
        _suppressions(context.handbook), _suppressions(base.handbook), base, context.handbook
    ):
        yield Finding(
            suppression.at, f"new suppression of {suppression.rule}: {suppression.reason}", hint
        )
    for sample in _added(_samples(settings), _samples(before), base, context.handbook):
        yield Finding(
            settings.at_sample(sample), f"new secret sample in {sample.path}: {sample.reason}", hint
        )
    patterns = {pattern.casefold() for pattern in settings.organisation.private}
    for pattern in before.organisation.private:
        if pattern.casefold() not in patterns:
            message = f"pattern removed from handbook.private: '{pattern}'"
            yield Finding(settings.at("private"), message, hint)
    for each in rules().values():
        if not each.firm and each.is_lowered_by(settings) and not each.is_lowered_by(before):
            yield Finding(
                settings.at("rules", each.key_in(settings)),
                f"new lowered severity of {each.code}",
                hint,
            )


E = TypeVar("E")


@dataclass(frozen=True)
class _Exception(Generic[E]):
    """An exception from the rules: the file that it is for, and what makes it the same in two revisions."""

    path: str
    key: tuple[object, ...]
    value: E


def _suppressions(handbook: Handbook) -> list[_Exception[Suppression]]:
    return [
        _Exception(
            suppression.at.path,
            (_code_of(suppression.rule), suppression.until, suppression.reason),
            suppression,
        )
        for suppression in handbook.suppressions
        if suppression.rule
    ]


def _code_of(word: str) -> str:
    """The code of the rule that a suppression names by its code or its name."""
    rule = find_rule(word)
    return rule.code if rule else word


def _samples(settings: Settings) -> list[_Exception[Sample]]:
    return [
        _Exception(sample.path or "", (sample.sha256,), sample)
        for sample in settings.organisation.samples
    ]


def _added(
    now: list[_Exception[E]], before: list[_Exception[E]], base: Base, handbook: Handbook
) -> list[E]:
    """The exceptions that the base does not have; one that moved with its file was not added."""
    left = Counter(
        (_path_now(exception.path, base, handbook), exception.key) for exception in before
    )
    added = []
    for exception in now:
        if left[exception.path, exception.key]:
            left[exception.path, exception.key] -= 1
        else:
            added.append(exception.value)
    return added


def _path_now(path: str, base: Base, handbook: Handbook) -> str:
    """The path that a file of the base has by now: its own while it exists, else that of what became of it."""
    if (handbook.root / path).is_file():
        return path
    document = base.handbook.documents.get(path)
    document_now = _now(document, base, handbook) if document else None
    return document_now.path if document_now else base.renamed.get(path, path)


@rule("DEC013", "rewritten-decision", over=Base, requires=_UNREAD)
def rewritten_decision(base: Base, context: Context) -> Iterator[Finding]:
    """The text of a decision stays as it was decided: accepted, rejected, deprecated or superseded.

    The front matter may change. A link may lead elsewhere, and an id be another, where what they named is gone; the
    address of another site may change. A last section Notes may grow by items that begin with their date.

    Why: a decision is kept to say what was known on that day; one that is edited says what somebody wishes had been.

    Bad:
        PostgreSQL 17.
    Good:
        PostgreSQL 16.
    """
    for old in base.handbook.of(Adr):
        now = _now(old, base, context.handbook)
        if old.status not in (None, "proposed") and isinstance(now, Adr):
            yield from islice(rewritten(old, now, base.handbook, context.handbook), 1)


@rule("DEC014", "taken-decision-number", over=Base)
def taken_decision_number(base: Base, context: Context) -> Iterator[Finding]:
    """A new decision takes a number that the base, as it is by now, has not given to another.

    Why: two branches took the next number; whichever is merged last makes what says ADR-0042 name both.

    Bad:
        adr/0004-record-the-prices.md
    Good:
        adr/0005-record-the-prices.md
    """
    taken = {
        Adr.id_of(path): path
        for path in base.paths
        if Adr.owns(path) and path not in context.handbook.documents
    }
    free = next_number(Adr, {*context.handbook.documents, *base.paths})
    for adr in context.handbook.of(Adr):
        if adr.id in taken and adr.path not in base.paths and not base.handbook.get(Adr, adr.id):
            message = f"{adr.id} is {taken[adr.id]} in {base.revision}"
            yield Finding(adr.source.at(1), message, f"the next free number is {free:04}")
            free += 1


@rule("DEC015", "invalid-status-change", over=Base, requires=("DEC008",))
def invalid_status_change(base: Base, context: Context) -> Iterator[Finding]:
    """A decision's status moves as it can: proposed to accepted or rejected, accepted to deprecated or superseded.

    A deprecated decision can be superseded. One branch may make several moves.

    Why: what was rejected or replaced comes back by a new decision that says why, not by another word in an old one.

    Bad:
        status: proposed
        date: 2026-03-04
        deciders: [order-team, platform-team]
    Good:
        status: rejected
        date: 2026-03-04
        deciders: [order-team, platform-team]
        history:
          - {status: proposed, date: 2026-03-03}
    """
    yield from _moves(base.handbook.of(Adr), ADR_MOVES, base, context)


def _moves(
    records: Iterable[Adr | Postmortem],
    moves: Mapping[str, tuple[str, ...]],
    base: Base,
    context: Context,
) -> Iterator[Finding]:
    for old in records:
        now = _now(old, base, context.handbook)
        if (
            isinstance(now, Adr | Postmortem)
            and old.status
            and now.status
            and now.status != old.status
        ):
            if not can_become(moves, old.status, now.status):
                legal = " or ".join(moves[old.status]) or "nothing"
                hint = f"after {old.status} comes {legal}"
                yield Finding(
                    now.at("status"),
                    f"{now.status} cannot follow {old.status}, as it was in the base",
                    hint,
                )


@rule("LNK011", "lost-page", over=Base)
def lost_page(base: Base, context: Context) -> Iterator[Finding]:
    """A page that was published is still there, or another says in `moved_from` that it stands for it.

    `moved_from: [/adr/0003-keep-orders-in-mysql/]` makes the old address lead to the new page. An alert's address is
    that of a page, too: its runbook, or the page that explains why it is gone, can take it.

    Why: tickets, chats, alerts and other sites link to it, and nobody here sees those links break.

    Bad:
        adr/0003-use-mysql.md
    Good:
        adr/0003-keep-orders-in-mysql.md
    """
    handbook = context.handbook
    kept = {address for document in handbook.documents.values() for address in document.moved_from}
    for address, old in base.handbook.by_address.items():
        if address not in handbook.by_address and f"/{address}" not in kept:
            message = f"/{address} was published, and leads nowhere now"
            yield Finding(
                Location(old.path),
                message,
                f"the page that replaces it says moved_from: [/{address}]",
            )
    for old in base.handbook.documents.values():
        for address in old.moved_from:
            if address not in kept and address.strip("/") + "/" not in handbook.by_address:
                now = _now(old, base, handbook)
                at = now.at("moved_from") if now else Location(old.path)
                yield Finding(
                    at,
                    f"{address} led to {old.path}, and leads nowhere now",
                    f"moved_from: [{address}]",
                )


@rule(
    "LNK012", "lost-heading", over=Base, requires=(*_UNREAD, "FM102", "CHK002", "STD004", "DEC013")
)
def lost_heading(base: Base, context: Context) -> Iterator[Finding]:
    """A heading that was published keeps its id, whatever its text becomes.

    The heading that took its place is given the old id: `## Load by hour {#load}`. The title of a page has an id that
    nobody needs, as a link to an id that is gone leads to the top of the page. Pages that call macros are passed over.

    Why: others link to the section, and nobody here sees those links break.

    Bad:
        ### Written in SQL
    Good:
        ### Written in C#
    """
    for old in base.handbook.documents.values():
        now = context.handbook.documents.get(old.path)
        if now and not (isinstance(now, Page) and now.render_macros):
            yield from _lost_headings(old, now, context.handbook)


def _lost_headings(old: Document, now: Document, handbook: Handbook) -> Iterator[Finding]:
    """The anchors of a page that are gone, but for those of ids that another rule looks after."""
    known = {item for item in _items_of(old) if item not in handbook.items}
    told = {anchor(id) for id in (*known, *(rule.id for rule in _rules_of(old) if rule.id))}
    places = {heading.id: heading.first for heading in now.source.headings}
    before = next(iter(places.values()), 1)
    for heading in old.source.headings:
        if heading.id in places:
            before = places[heading.id]
        elif heading.level > 1 and heading.id not in now.source.anchors and heading.id not in told:
            new = next((each for each in now.source.headings if each.first > before), None)
            if new is None or new.id in old.source.anchors or new.level == 1:
                hint = f"write {{#{heading.id}}} after the heading that took its place"
                yield Finding(
                    now.source.at(before), f"the heading '{heading.text}' below here is gone", hint
                )
            else:
                before = new.first
                hint = f"{'#' * new.level} {new.text} {{#{heading.id}}}"
                yield Finding(
                    now.source.at(before),
                    f"the heading '{heading.text}' was here, #{heading.id}",
                    hint,
                )


def _items_of(document: Document) -> Iterator[str]:
    if isinstance(document, Standard):
        yield from (item.id for item in document.checklist if item.id)


def _rules_of(document: Document) -> tuple[Requirement, ...]:
    return document.requirements if isinstance(document, Standard) else ()


@rule("STD008", "lost-rule", over=Base, requires=(*_UNREAD, "FM102", "FM104", "STD002", "STD004"))
def lost_rule(base: Base, context: Context) -> Iterator[Finding]:
    """A rule of a standard keeps its id, and no other rule is ever given it.

    A rule that holds no longer stays where it is, as `- **STD-08.2** Withdrawn: STD-08.4 says more.` A rule can be
    worded anew: one that has no word of weight in common with what it was is taken for another.

    Why: audits, reviews and waivers name a rule by its id, and would speak of something that they never looked at.

    Bad:
        - **STD-08.2** Backups MUST be encrypted.
    Good:
        - **STD-08.2** Traces SHOULD be kept.
    """
    for old in base.handbook.of(Standard):
        now = _now(old, base, context.handbook)
        if not isinstance(now, Standard):
            continue
        kept = {each.id: each for each in now.requirements}
        for was in old.requirements:
            rule = kept.get(was.id)
            if was.id is None:
                continue
            if rule is None:
                hint = f"put it back: - **{was.id}** Withdrawn: why"
                yield Finding(_requirements_at(now), f"{was.id} is gone: '{was.said}'", hint)
            elif not (rule.withdrawn or rule.unwritten) and (
                was.withdrawn or unrelated(was.said, rule.said)
            ):
                hint = f"give the new rule a new id, and keep {was.id} as withdrawn"
                message = f"{was.id} said '{was.said}', and is another rule now"
                yield Finding(now.source.at(rule.line), message, hint)


def _requirements_at(standard: Standard) -> Location:
    sections = (
        each.heading.first for each in standard.source.sections if each.heading.text == REQUIREMENTS
    )
    return standard.source.at(next(sections, 1))


@rule(
    "CHK005",
    "lost-item",
    over=Base,
    requires=(*_UNREAD, "FM005", "FM006", "FM007", "LNK011", "CHK001", "CHK003"),
)
def lost_item(base: Base, context: Context) -> Iterator[Finding]:
    """An item of the checklist keeps its id, and no other item is ever given it.

    An item that is asked no longer stays where it is, with the last quarter in which it was: `until: 2026-Q4`. An item
    can be worded anew: one that has no word of weight in common with what it was is taken for another.

    Why: the audits of all services answer ids; their answers would be to a question that nobody asked.

    Bad:
        item: Backups are encrypted
    Good:
        item: A dashboard shows errors
    """
    now = context.handbook.items
    for id, old in base.handbook.items.items():
        was, owned = old.item, now.get(id)
        if owned is None:
            there = _now(old.standard, base, context.handbook)
            if isinstance(there, Standard) and not there.ids_known:
                continue
            at = there.at("checklist") if there else Location(old.standard.path)
            yield Finding(
                at,
                f"{id} is gone: '{was.item}'",
                f"put {id} back, with until: and its last quarter",
            )
        elif unrelated(was.item or "", owned.item.item or "") and not is_unwritten(
            owned.item.item or ""
        ):
            at = item_at(owned.standard, owned.standard.checklist.index(owned.item), "item")
            message = f"{id} was '{was.item}', and is another item now"
            yield Finding(
                at,
                message,
                f"give the new item a new id, and put {id} back, with until: and its last quarter",
            )


@rule("PMT010", "withdrawn-postmortem", over=Base)
def withdrawn_postmortem(base: Base, context: Context) -> Iterator[Finding]:
    """A post-mortem that was published stays published; a draft and one in review may go either way.

    Why: a draft stays out of the figures and the feed, so that an incident would vanish from both.

    Bad:
        status: in-review
        started: 2026-05-04T10:00Z
    Good:
        status: published
        started: 2026-05-04T10:00Z
    """
    yield from _moves(base.handbook.of(Postmortem), POSTMORTEM_MOVES, base, context)


@rule("SVC011", "rewritten-audit", over=Base, requires=("FM001",))
def rewritten_audit(base: Base, context: Context) -> Iterator[Finding]:
    """An audit stays as it is once its quarter has ended, on the day of the base's commit. One may be added late.

    Why: what was known at the end of a quarter is what the next quarter is measured by.

    Bad:
        date: 2026-09-02
    Good:
        date: 2026-09-01
    """
    quarter = f"{base.day.year}-Q{(base.day.month + 2) // 3}"
    audits = {(audit.service, audit.quarter): audit for audit in context.handbook.audits}
    for old in base.handbook.audits:
        service = base.handbook.get(Service, old.service)
        moved = _now(service, base, context.handbook) if service else None
        now = audits.get((moved.id if moved else old.service, old.quarter))
        if old.quarter < quarter and (now is None or _answers(now) != _answers(old)):
            at = _first_difference(old, now) if now else Location(old.path)
            message = f"the audit of {old.service} for {old.quarter} was {'changed' if now else 'taken out'}"
            yield Finding(
                at,
                f"{message}, and the quarter is over",
                "put it back; what is known by now is the next audit's",
            )


def _answers(audit: Audit) -> tuple[object, ...]:
    return audit.date, audit.auditor, audit.commit, audit.results


def _first_difference(old: Audit, now: Audit) -> Location:
    for key in ("date", "auditor", "commit"):
        if getattr(old, key) != getattr(now, key):
            return now.at(key)
    changed = next(
        (id for id, result in now.results.items() if result != old.results.get(id)), None
    )
    return now.key_at(changed) if changed else now.at("results")
