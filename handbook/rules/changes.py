"""Rules over a base (`handbook check --base`): lost, rewritten and reused content.

In the examples, Good is the text of the base, and Bad is the text of the branch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, Generic, TypeVar

from handbook.diagnostics import NEW_EXCEPTION, Finding, Location, Severity
from handbook.handbook import Handbook
from handbook.history.base import REVIEWED, Base, ReviewCommit
from handbook.reading.ids import anchor
from handbook.reading.placeholders import is_unwritten
from handbook.reading.suppressions import Suppression
from handbook.records import Document, Page, Record, next_number
from handbook.records.adr import Adr
from handbook.records.audit import Audit
from handbook.records.postmortem import Postmortem
from handbook.records.service import Service
from handbook.records.standard import REQUIREMENTS, Requirement, Standard
from handbook.rules.decisions import suggest_status
from handbook.rules.engine import Context, find_rule, rule, rules
from handbook.rules.standards import locate_item
from handbook.rules.wording import find_rewrites, is_unrelated
from handbook.settings import Sample, Settings
from handbook.vocabulary import ADR_MOVES, POSTMORTEM_MOVES, can_become

_UNREAD: Final = ("FM001", "FM002")
_MAX_REVIEWS: Final = 3
"""The number of records that one commit can mark as reviewed."""


def _find_current(old: Document, base: Base, handbook: Handbook) -> Document | None:
    """Find the document that continues a document of the base.

    It has the same path, the old address under `moved_from`, or the same id.
    """
    if old.path in handbook.documents:
        return handbook.documents[old.path]
    address = f"/{base.handbook.address(old)}"
    moved = (document for document in handbook.documents.values() if address in document.moved_from)
    same_id = handbook.by_id.get((old.kind, old.id))
    return next(moved, same_id if isinstance(same_id, Document) else None)


def _effective_reviews(
    base: Base, handbook: Handbook
) -> Iterator[tuple[ReviewCommit, list[Record]]]:
    """Return the commits that set review dates, with the records that still have these dates."""
    for review_commit in base.review_commits:
        records = [
            record
            for path, day in sorted(review_commit.days.items())
            if isinstance(record := handbook.documents.get(path), Record)
            and _review_date(record) == day != _review_date(base.handbook.documents.get(path))
        ]
        if records:
            yield review_commit, records


def _review_date(document: Document | None) -> str:
    return f"{getattr(document, REVIEWED, None)}"


@rule("FM017", "bulk-review", over=Base)
def bulk_review(base: Base, context: Context) -> Iterator[Finding]:
    """One commit sets the review date (`reviewed`) of at most three records.

    New records do not count, nor do dates that a later commit of the branch has reset.

    Why: an author who marks ten pages at once has read none of them, and the reminder is gone.

    Bad:
        reviewed: 2026-11-20
    Good:
        reviewed: 2026-11-04
    """
    for review_commit, records in _effective_reviews(base, context.handbook):
        if len(records) > _MAX_REVIEWS:
            yield Finding(
                records[0].at(REVIEWED),
                f"{len(records)} records reviewed in commit {review_commit.commit}: "
                f"{_join_ids(records)}",
                f"review at most {_MAX_REVIEWS} records in a commit",
            )


def _join_ids(records: Iterable[Record]) -> str:
    return ", ".join(record.id for record in records)


@rule("FM018", "missing-reviewer", over=Base)
def missing_reviewer(base: Base, context: Context) -> Iterator[Finding]:
    """A commit that sets a review date names the reviewer in a trailer: `Reviewed-by: a team`.

    Why: readers with doubts about a page need to know its reviewer.

    Bad:
        Signed-off-by: shop-team
    Good:
        Reviewed-by: shop-team
    """
    for review_commit, records in _effective_reviews(base, context.handbook):
        if not review_commit.reviewers:
            yield Finding(
                records[0].at(REVIEWED),
                f"no reviewer in commit {review_commit.commit}, which marks as reviewed: "
                f"{_join_ids(records)}",
                "end the commit message with the line 'Reviewed-by: a-team'",
            )


@rule("FM019", NEW_EXCEPTION, over=Base, severity=Severity.WARNING, firm=True)
def new_exception(base: Base, context: Context) -> Iterator[Finding]:
    """Reviewers see every exception that a branch adds.

    Exceptions are suppressions, secret samples, lowered severities, and patterns that are removed
    from `handbook.private`. Each exception that the base does not have is a warning, and the
    summary of every report lists it. An exception that moves with its file is not new.

    Why: an exception without the consent of reviewers hides faults permanently.

    Bad:
        # handbook: allow FM010: both offices share a name
        deciders: [order-team, order-team, platform-team]
    Good:
        deciders: [order-team, platform-team]
    """
    hint = "tell the reviewers why it is needed"
    settings, base_settings = context.handbook.settings, base.handbook.settings
    for suppression in _added_exceptions(
        _list_suppressions(base.handbook), _list_suppressions(context.handbook), base, context
    ):
        yield Finding(
            suppression.at, f"new suppression of {suppression.rule}: {suppression.reason}", hint
        )
    for sample in _added_exceptions(
        _list_samples(base_settings), _list_samples(settings), base, context
    ):
        yield Finding(
            settings.at_sample(sample), f"new secret sample in {sample.path}: {sample.reason}", hint
        )
    patterns = {pattern.casefold() for pattern in settings.organisation.private}
    for pattern in base_settings.organisation.private:
        if pattern.casefold() not in patterns:
            message = f"pattern removed from handbook.private: '{pattern}'"
            yield Finding(settings.at("private"), message, hint)
    for code, any_rule in rules().items():
        is_lowered = any_rule.is_lowered_by(settings) and not any_rule.is_lowered_by(base_settings)
        if is_lowered and not any_rule.is_firm:
            at = settings.at("rules", any_rule.key_in(settings))
            yield Finding(at, f"new lowered severity of {code}", hint)


E = TypeVar("E")


@dataclass(frozen=True)
class _Exception(Generic[E]):
    """An exception from a rule, with the path of its file and the key that identifies it."""

    path: str
    key: tuple[object, ...]
    value: E


def _list_suppressions(handbook: Handbook) -> list[_Exception[Suppression]]:
    return [
        _Exception(
            suppression.at.path,
            (_find_code(suppression.rule), suppression.until, suppression.reason),
            suppression,
        )
        for suppression in handbook.suppressions
        if suppression.rule
    ]


def _find_code(code_or_name: str) -> str:
    """Return the code of a rule, or the text itself if the rule is unknown."""
    rule = find_rule(code_or_name)
    return rule.code if rule else code_or_name


def _list_samples(settings: Settings) -> list[_Exception[Sample]]:
    return [
        _Exception(sample.path or "", (sample.sha256,), sample)
        for sample in settings.organisation.samples
    ]


def _added_exceptions(
    old_exceptions: list[_Exception[E]],
    new_exceptions: list[_Exception[E]],
    base: Base,
    context: Context,
) -> list[E]:
    """Return the exceptions that the base does not have. Exceptions in a moved file are not new."""
    unmatched = Counter(
        (_find_current_path(exception.path, base, context.handbook), exception.key)
        for exception in old_exceptions
    )
    added = []
    for exception in new_exceptions:
        if unmatched[exception.path, exception.key]:
            unmatched[exception.path, exception.key] -= 1
        else:
            added.append(exception.value)
    return added


def _find_current_path(path: str, base: Base, handbook: Handbook) -> str:
    """Return the current path of a file of the base, which may have moved."""
    if (handbook.root / path).is_file():
        return path
    old = base.handbook.documents.get(path)
    current = _find_current(old, base, handbook) if old else None
    return current.path if current else base.renamed_paths.get(path, path)


@rule("DEC013", "rewritten-decision", over=Base, requires=_UNREAD)
def rewritten_decision(base: Base, context: Context) -> Iterator[Finding]:
    """The text of a decision stays unchanged once it is accepted or rejected.

    The front matter may change. Links and ids may change if their old target no longer exists, and
    so may the addresses of other sites. Authors may add items that begin with their date to a last
    section Notes.

    Why: a decision records the knowledge of its day, and later edits falsify it.

    Bad:
        PostgreSQL 17.
    Good:
        PostgreSQL 16.
    """
    for old in base.handbook.of(Adr):
        current = _find_current(old, base, context.handbook)
        if old.status not in (None, "proposed") and isinstance(current, Adr):
            yield from islice(find_rewrites(old, current, base.handbook, context.handbook), 1)


@rule("DEC014", "taken-decision-number", over=Base)
def taken_decision_number(base: Base, context: Context) -> Iterator[Finding]:
    """A new decision has a number that is free in the base.

    Why: if two branches take the same number, the second merge makes every reference ambiguous.

    Bad:
        adr/0004-record-the-prices.md
    Good:
        adr/0005-record-the-prices.md
    """
    path_by_id = {
        Adr.id_of(path): path
        for path in base.paths
        if Adr.owns(path) and path not in context.handbook.documents
    }
    free_number = next_number(Adr, {*context.handbook.documents, *base.paths})
    for adr in context.handbook.of(Adr):
        is_new = adr.path not in base.paths and not base.handbook.get(Adr, adr.id)
        if adr.id in path_by_id and is_new:
            yield Finding(
                adr.source.at(1),
                f"duplicate number {adr.id} (taken by {path_by_id[adr.id]} in {base.revision})",
                f"use the next free number, {free_number:04}",
            )
            free_number += 1


@rule("DEC015", "invalid-status-change", over=Base, requires=("DEC008",))
def invalid_status_change(base: Base, context: Context) -> Iterator[Finding]:
    """The status of a decision changes only in the allowed order.

    A proposed decision can become accepted or rejected, an accepted one deprecated or superseded,
    and a deprecated one superseded. One branch can make several changes.

    Why: a new decision must explain why a rejected or replaced idea returns.

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
    yield from _check_status_changes(base.handbook.of(Adr), ADR_MOVES, base, context)


def _check_status_changes(
    old_records: Iterable[Adr | Postmortem],
    moves: Mapping[str, tuple[str, ...]],
    base: Base,
    context: Context,
) -> Iterator[Finding]:
    for old in old_records:
        current = _find_current(old, base, context.handbook)
        if (
            isinstance(current, Adr | Postmortem)
            and old.status
            and current.status
            and current.status != old.status
            and not can_become(moves, old.status, current.status)
        ):
            yield Finding(
                current.at("status"),
                f"invalid status change from '{old.status}' in the base to '{current.status}'",
                suggest_status(moves, old.status),
            )


@rule("LNK011", "lost-page", over=Base)
def lost_page(base: Base, context: Context) -> Iterator[Finding]:
    """The address of every published page still works.

    If a page moves, another page takes its address with `moved_from`, such as
    `moved_from: [/adr/0003-keep-orders-in-mysql/]`. The address of an alert counts as a page. Its
    runbook, or a page that explains the removal, can take it.

    Why: tickets, chats, alerts and other sites link to the page, and no check sees those links.

    Bad:
        adr/0003-use-mysql.md
    Good:
        adr/0003-keep-orders-in-mysql.md
    """
    handbook = context.handbook
    redirects = {
        address for document in handbook.documents.values() for address in document.moved_from
    }
    for address, old in base.handbook.by_address.items():
        if address not in handbook.by_address and f"/{address}" not in redirects:
            yield Finding(
                Location(old.path),
                f"lost page /{address}",
                f"add 'moved_from: [/{address}]' to the page that replaces it",
            )
    for old in base.handbook.documents.values():
        for address in old.moved_from:
            if address not in redirects and address.strip("/") + "/" not in handbook.by_address:
                current = _find_current(old, base, handbook)
                yield Finding(
                    current.at("moved_from") if current else Location(old.path),
                    f"lost redirect from {address} to {old.path}",
                    f"add 'moved_from: [{address}]'",
                )


@rule(
    "LNK012", "lost-heading", over=Base, requires=(*_UNREAD, "FM102", "CHK002", "STD004", "DEC013")
)
def lost_heading(base: Base, context: Context) -> Iterator[Finding]:
    """A published heading keeps its id, even if its text changes.

    Give the old id to the heading that replaces it: `## Load by hour {#load}`. Pages with macros
    are exempt. Titles are exempt, because a link to an unknown id opens the top of the page.

    Why: other sites link to the section, and no check sees those links.

    Bad:
        ### Written in SQL
    Good:
        ### Written in C#
    """
    for old in base.handbook.documents.values():
        current = context.handbook.documents.get(old.path)
        if current and not (isinstance(current, Page) and current.render_macros):
            yield from _find_lost_headings(old, current, context.handbook)


def _find_lost_headings(old: Document, current: Document, handbook: Handbook) -> Iterator[Finding]:
    """Find the lost headings of a page, without the ids that STD008 and CHK005 check."""
    known_items = {item for item in _item_ids(old) if item not in handbook.items}
    ids = (*known_items, *(requirement.id for requirement in _requirements(old) if requirement.id))
    ids_of_other_rules = {anchor(id) for id in ids}
    line_by_id = {heading.id: heading.first for heading in current.source.headings}
    line = next(iter(line_by_id.values()), 1)
    for heading in old.source.headings:
        if heading.id in line_by_id:
            line = line_by_id[heading.id]
        elif (
            heading.level > 1
            and heading.id not in current.source.anchors
            and heading.id not in ids_of_other_rules
        ):
            replacement = next(
                (candidate for candidate in current.source.headings if candidate.first > line), None
            )
            if (
                replacement is None
                or replacement.id in old.source.anchors
                or replacement.level == 1
            ):
                yield Finding(
                    current.source.at(line),
                    f"lost heading '{heading.text}' below this line",
                    f"add '{{#{heading.id}}}' to the heading that replaces it",
                )
            else:
                line = replacement.first
                marks = "#" * replacement.level
                yield Finding(
                    current.source.at(line),
                    f"lost id '{heading.id}' of the heading '{heading.text}'",
                    f"write '{marks} {replacement.text} {{#{heading.id}}}'",
                )


def _item_ids(document: Document) -> Iterator[str]:
    if isinstance(document, Standard):
        yield from (item.id for item in document.checklist if item.id)


def _requirements(document: Document) -> tuple[Requirement, ...]:
    return document.requirements if isinstance(document, Standard) else ()


@rule("STD008", "lost-rule", over=Base, requires=(*_UNREAD, "FM102", "FM104", "STD002", "STD004"))
def lost_rule(base: Base, context: Context) -> Iterator[Finding]:
    """A requirement of a standard keeps its id, and the id is never reused.

    Keep an obsolete requirement as `- **STD-08.2** Withdrawn: STD-08.4 says more.` You can rephrase
    a requirement. A new text without any significant word of the old one counts as another
    requirement.

    Why: audits, reviews and waivers refer to the id, and would refer to the wrong requirement.

    Bad:
        - **STD-08.2** Backups MUST be encrypted.
    Good:
        - **STD-08.2** Traces SHOULD be kept.
    """
    for old in base.handbook.of(Standard):
        current = _find_current(old, base, context.handbook)
        if not isinstance(current, Standard):
            continue
        requirement_by_id = {requirement.id: requirement for requirement in current.requirements}
        for old_requirement in old.requirements:
            id, old_text = old_requirement.id, old_requirement.text_without_id
            if id is None:
                continue
            requirement = requirement_by_id.get(id)
            if requirement is None:
                yield Finding(
                    _locate_requirements(current),
                    f"lost requirement {id}: '{old_text}'",
                    f"restore it as '- **{id}** Withdrawn: the reason'",
                )
            elif not (requirement.is_withdrawn or requirement.is_placeholder) and (
                old_requirement.is_withdrawn or is_unrelated(old_text, requirement.text_without_id)
            ):
                yield Finding(
                    current.source.at(requirement.line),
                    f"reused id {id} (in the base: '{old_text}')",
                    f"give the new requirement a new id, and restore {id} as withdrawn",
                )


def _locate_requirements(standard: Standard) -> Location:
    lines = (
        section.heading.first
        for section in standard.source.sections
        if section.heading.text == REQUIREMENTS
    )
    return standard.source.at(next(lines, 1))


@rule(
    "CHK005",
    "lost-item",
    over=Base,
    requires=(*_UNREAD, "FM005", "FM006", "FM007", "LNK011", "CHK001", "CHK003"),
)
def lost_item(base: Base, context: Context) -> Iterator[Finding]:
    """A checklist item keeps its id, and the id is never reused.

    Keep an obsolete item, and add the last quarter in which it was in force: `until: 2026-Q4`. You
    can rephrase an item. A new text without any significant word of the old one counts as another
    item.

    Why: audits refer to the id, and their verdicts would apply to the wrong item.

    Bad:
        item: Backups are encrypted
    Good:
        item: A dashboard shows errors
    """
    items = context.handbook.items
    for id, old in base.handbook.items.items():
        old_text, owned = old.item.item or "", items.get(id)
        if owned is None:
            current = _find_current(old.standard, base, context.handbook)
            if isinstance(current, Standard) and not current.has_readable_ids:
                continue
            yield Finding(
                current.at("checklist") if current else Location(old.standard.path),
                f"lost checklist item {id}: '{old_text}'",
                f"restore {id}, and add 'until:' with its last quarter",
            )
        elif is_unrelated(old_text, owned.item.item or "") and not is_unwritten(
            owned.item.item or ""
        ):
            yield Finding(
                locate_item(owned.standard, owned.standard.checklist.index(owned.item), "item"),
                f"reused id {id} (in the base: '{old_text}')",
                f"give the new item a new id, and restore {id} with 'until:' and its last quarter",
            )


@rule("PMT010", "withdrawn-postmortem", over=Base)
def withdrawn_postmortem(base: Base, context: Context) -> Iterator[Finding]:
    """A published post-mortem stays published.

    Other post-mortems can change between draft and in review.

    Why: drafts are left out of the statistics and the feed, so the incident would disappear.

    Bad:
        status: in-review
        started: 2026-05-04T10:00Z
    Good:
        status: published
        started: 2026-05-04T10:00Z
    """
    yield from _check_status_changes(base.handbook.of(Postmortem), POSTMORTEM_MOVES, base, context)


@rule("SVC011", "rewritten-audit", over=Base, requires=("FM001",))
def rewritten_audit(base: Base, context: Context) -> Iterator[Finding]:
    """An audit does not change after the end of its quarter.

    The date of the base commit decides whether a quarter has ended. You can add a late audit.

    Why: the next quarter is compared with the verdicts at the end of this one.

    Bad:
        date: 2026-09-02
    Good:
        date: 2026-09-01
    """
    base_quarter = f"{base.day.year}-Q{(base.day.month + 2) // 3}"
    audits = {(audit.service, audit.quarter): audit for audit in context.handbook.audits}
    for old in base.handbook.audits:
        service = base.handbook.get(Service, old.service)
        current_service = _find_current(service, base, context.handbook) if service else None
        service_id = current_service.id if current_service else old.service
        current = audits.get((service_id, old.quarter))
        if old.quarter < base_quarter and (
            current is None or _content_of(current) != _content_of(old)
        ):
            yield Finding(
                _first_difference(old, current) if current else Location(old.path),
                f"{'changed' if current else 'removed'} audit of {old.service} for {old.quarter}, "
                "a closed quarter",
                "restore it, and record later results in the next audit",
            )


def _content_of(audit: Audit) -> tuple[object, ...]:
    return audit.date, audit.auditor, audit.commit, audit.results


def _first_difference(old: Audit, current: Audit) -> Location:
    for key in ("date", "auditor", "commit"):
        if getattr(old, key) != getattr(current, key):
            return current.at(key)
    changed_id = next(
        (id for id, result in current.results.items() if result != old.results.get(id)), None
    )
    return current.key_at(changed_id) if changed_id else current.at("results")
