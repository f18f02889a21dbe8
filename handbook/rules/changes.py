"""Rules that compare the handbook with a base commit (`handbook check --base`).

They report content that the branch has removed or rewritten, and ids that it uses again. In the
examples, Good is the text in the base, and Bad is the text on the branch.
"""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Generic, TypeVar

from handbook.diagnostics import NEW_EXCEPTION, Finding, Location, Severity, did_you_mean
from handbook.handbook import Handbook
from handbook.history.base import REVIEWED, Base, ReviewCommit
from handbook.history.comparison import find_current
from handbook.history.obstacles import Obstacle
from handbook.reading import files
from handbook.reading.ids import anchor
from handbook.reading.placeholders import is_unwritten
from handbook.reading.suppressions import Suppression
from handbook.records import Document, Page, Record, next_number
from handbook.records.adr import Adr
from handbook.records.audit import Audit, Result
from handbook.records.postmortem import Postmortem
from handbook.records.service import Service
from handbook.records.standard import REQUIREMENTS, Requirement, Standard
from handbook.rules.decisions import suggest_history, suggest_status
from handbook.rules.engine import Context, find_rule, rule, rules
from handbook.rules.standards import locate_item
from handbook.rules.wording import find_rewrites, is_unrelated
from handbook.settings import Removal, Sample, Settings
from handbook.vocabulary import ADR_NEXT_STATUSES, POSTMORTEM_NEXT_STATUSES, can_become

_UNREADABLE: Final = ("FM001", "FM002")
"""The rules that report a record whose front matter cannot be read."""
_MAX_REVIEWS: Final = 3
"""The largest number of records in which one commit can set the review date."""


def _report_replaced(old: Record, replacement: Document, subject: str) -> Finding:
    """Report a record of the base whose address now leads to a document of another kind."""
    return Finding(
        Location(old.path),
        f"removed {subject} (its address leads to {replacement.path})",
        f"restore the file; {_suggest_removal(old.path)}",
    )


def _suggest_removal(path: str) -> str:
    """Return the hint to allow the removal of a file."""
    entry = f"{{path: {json.dumps(path)}, reason: TODO}}"
    return (
        "if it was removed on purpose, add this entry to the list 'handbook.removed' in "
        f"mkdocs.yml: {entry}"
    )


def _effective_reviews(
    base: Base, handbook: Handbook
) -> Iterator[tuple[ReviewCommit, list[Record]]]:
    """Return each commit that sets review dates, with the records that still have its dates."""
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

    The rule ignores new records, and dates that a later commit of the branch has changed again.

    Why: an author who marks ten pages as reviewed in one commit has probably read none of them,
    and the check no longer reports that their review is due.

    Bad:
        reviewed: 2026-11-20
    Good:
        reviewed: 2026-11-04
    """
    for review_commit, records in _effective_reviews(base, context.handbook):
        if len(records) > _MAX_REVIEWS:
            yield Finding(
                records[0].at(REVIEWED),
                f"commit {review_commit.commit} sets the review date of {len(records)} records: "
                f"{_join_ids(records)}",
                f"set 'reviewed' in at most {_MAX_REVIEWS} records per commit",
            )


def _join_ids(records: Iterable[Record]) -> str:
    return ", ".join(record.id for record in records)


@rule("FM018", "missing-reviewer", over=Base)
def missing_reviewer(base: Base, context: Context) -> Iterator[Finding]:
    """A commit that sets a review date ends its message with a line `Reviewed-by: a-team`.

    Why: readers who doubt a page need to know which team reviewed it.

    Bad:
        Signed-off-by: shop-team
    Good:
        Reviewed-by: shop-team
    """
    for review_commit, records in _effective_reviews(base, context.handbook):
        if not review_commit.reviewers:
            yield Finding(
                records[0].at(REVIEWED),
                f"no 'Reviewed-by' line in commit {review_commit.commit}, which sets the review "
                f"date of {_join_ids(records)}",
                "end the message of that commit with the line 'Reviewed-by: a-team'",
            )


@rule("FM019", NEW_EXCEPTION, over=Base, severity=Severity.WARNING, mandatory=True)
def new_exception(base: Base, context: Context) -> Iterator[Finding]:
    """A branch adds an exception to the rules only if its reviewers agree.

    An exception is a suppression, a secret sample, an allowed removal, a lowered severity, a rule
    that is off, an imported record, or a pattern that is removed from `handbook.private`. The rule
    reports each exception that the base does not have, and the last line of every report lists the
    first three. An exception in a renamed file is not new.

    Why: an exception that reviewers did not notice can hide faults for years.

    Bad:
        # handbook: allow FM010: both offices share a name
        deciders: [order-team, order-team, platform-team]
    Good:
        deciders: [order-team, platform-team]
    """
    hint = "explain in the pull request why the handbook needs this exception"
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
            settings.at_sample(sample),
            f"new secret sample for {sample.path}: {sample.reason}",
            hint,
        )
    for removal in _added_removals(base, settings):
        yield Finding(
            settings.at_removal(removal),
            f"new allowed removal of {removal.path}: {removal.reason}",
            hint,
        )
    yield from _report_new_imports(base, context)
    patterns = {pattern.casefold() for pattern in settings.organisation.private}
    for pattern in base_settings.organisation.private:
        if pattern.casefold() not in patterns:
            message = f"pattern '{pattern}' removed from 'handbook.private'"
            yield Finding(settings.at("private"), message, hint)
    for code, any_rule in rules().items():
        is_off = any_rule.is_off_in(settings)
        is_lowered = any_rule.is_lowered_by(settings) and (
            not any_rule.is_lowered_by(base_settings)
            or (is_off and not any_rule.is_off_in(base_settings))
        )
        if is_lowered and not any_rule.is_mandatory:
            key = any_rule.key_in(settings)
            reason = settings.organisation.rules[key].reason
            message = (
                f"rule {code} is off" if is_off else f"severity of {code} lowered to 'warning'"
            )
            yield Finding(
                settings.at("rules", key), f"{message}: {reason}" if reason else message, hint
            )


def _report_new_imports(base: Base, context: Context) -> Iterator[Finding]:
    """Report the imported records that the base does not have as imported records."""
    known_paths = {
        _find_current_path(record.path, base, context.handbook)
        for record in base.handbook.records
        if record.is_imported
    }
    for record in context.handbook.records:
        if record.is_imported and record.path not in known_paths:
            yield Finding(
                record.at("imported"),
                f"new imported record {record.id}",
                "check that its values are those of its source",
            )


E = TypeVar("E")


@dataclass(frozen=True)
class _Exception(Generic[E]):
    """An exception, the path of the file that it applies to, and a key that identifies it."""

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
    """Return the code of the rule with this code or name, or the argument if no rule has it."""
    rule = find_rule(code_or_name)
    return rule.code if rule else code_or_name


def _list_samples(settings: Settings) -> list[_Exception[Sample]]:
    return [
        _Exception(sample.path or "", (sample.sha256,), sample)
        for sample in settings.organisation.samples
    ]


def _added_removals(base: Base, settings: Settings) -> list[Removal]:
    """Return the new entries of `handbook.removed`, except those that FM028 reports."""
    return [
        removal
        for removal in settings.organisation.removed
        if removal.path not in base.allowed_removals and base.had_path(removal.path or "")
    ]


@rule("FM028", "unknown-removal", over=Base, requires=("FM027",))
def unknown_removal(base: Base, context: Context) -> Iterator[Finding]:
    """A new entry of `handbook.removed` names a file or folder that the branch has removed.

    The rule ignores the entries that the base also has. You can remove them once the base has the
    removal.

    Why: if the path is misspelt, the entry allows nothing, and reviewers approve a removal that the
    branch does not contain.

    Bad:
        tags: [database]
        removed: [{path: docs/text.md, reason: no team needs it}]
        groups: {OBS: Observability, SEC: Security}
    Good:
        tags: [database]
        groups: {OBS: Observability, SEC: Security}
    """
    settings = context.handbook.settings
    for removal in settings.organisation.removed:
        path = (removal.path or "").rstrip("/")
        if path and removal.path not in base.allowed_removals and not base.had_path(path):
            removed_paths = sorted(base.earlier_paths - context.handbook.paths)
            yield Finding(
                settings.at_removal(removal, "path"),
                f"removed path '{path}' is not in the base",
                did_you_mean(path, removed_paths) or "correct the path, or remove the entry",
            )


_HINTS: Final[Mapping[Obstacle, str]] = {
    Obstacle.SUBMODULE: "move its records into this repository",
    Obstacle.REPOSITORY: "remove its folder .git, or make it a repository of its own",
    Obstacle.IGNORED: "remove its pattern from .gitignore, and run: git add {path}",
    Obstacle.UNTRACKED: "run: git add {path}",
    Obstacle.LINK: "review its text yourself: the next base has it",
    Obstacle.LFS: "remove its filter from .gitattributes, and run: git add --renormalize {path}",
    Obstacle.ENCRYPTED: "do not encrypt it, because the site publishes its text",
}
"""How to make each obstacle comparable."""


@rule("FM029", "uncompared-file", over=Base)
def uncompared_file(base: Base, context: Context) -> Iterator[Finding]:
    """Git has every record, page, audit and rule file, so that the check can compare them all.

    The check cannot compare a submodule, a nested repository, a file that Git ignores or no longer
    tracks, a symbolic link, or a file of Git LFS or git-crypt. If you want to keep such a folder,
    lower the severity of this rule in the settings, and review the changes in the folder yourself.

    Why: the branch could rewrite or remove a record there, and no rule would report it.

    Bad:
        /adr/
    Good:
        /site/
    """
    for path, obstacle in base.find_uncompared(context.handbook).items():
        yield Finding(
            Location(path),
            f"no comparison of '{path}' with the base: {obstacle}",
            _HINTS[obstacle].format(path=shlex.quote(path)),
        )


def _added_exceptions(
    old_exceptions: list[_Exception[E]],
    new_exceptions: list[_Exception[E]],
    base: Base,
    context: Context,
) -> list[E]:
    """Return the new exceptions that the base does not have.

    An exception in a renamed file is not new.
    """
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
    """Return the current path of a file that has the path `path` in the base."""
    if files.is_file(handbook.root / path):
        return path
    old = base.handbook.documents.get(path)
    current = find_current(old, base, handbook) if old else None
    return current.path if current else base.renamed_paths.get(path, path)


@rule("DEC013", "rewritten-decision", over=Base, requires=_UNREADABLE)
def rewritten_decision(base: Base, context: Context) -> Iterator[Finding]:
    """The text of a decision stays unchanged once it is accepted or rejected.

    You may still edit the front matter and external links. You may edit any other link, and an
    id in the text, if the old target no longer exists. You may add list items that begin with a
    date to a section "Notes" at the end. You cannot replace the decision by a page.

    Why: a decision records the knowledge of its day, and later edits falsify it.

    Bad:
        PostgreSQL 17.
    Good:
        PostgreSQL 16.
    """
    for old in base.handbook.of(Adr):
        current = find_current(old, base, context.handbook)
        if old.status in (None, "proposed"):
            continue
        if isinstance(current, Adr):
            yield from islice(find_rewrites(old, current, base.handbook, context.handbook), 1)
        elif current:  # otherwise LNK011 reports the removal
            yield _report_replaced(
                old, current, f"decision {old.id}, whose status is '{old.status}'"
            )


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
                f"duplicate number {adr.id} (already used by {path_by_id[adr.id]} in "
                f"{base.revision})",
                f"begin the file name with the next free number, {free_number:04}",
            )
            free_number += 1


@rule("DEC015", "invalid-status-change", over=Base, requires=("DEC008",))
def invalid_status_change(base: Base, context: Context) -> Iterator[Finding]:
    """The status of a decision changes only in the allowed order.

    - A proposed decision can become accepted or rejected.
    - An accepted decision can become deprecated or superseded.
    - A deprecated decision can become superseded.

    One branch can make several of these changes. An imported decision without a status can get any
    status, but it keeps the status that it has in the base.

    Why: to return to a rejected or replaced idea, write a new decision that explains the reasons.

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
    yield from _check_status_changes(base.handbook.of(Adr), ADR_NEXT_STATUSES, base, context)


def _check_status_changes(
    old_records: Iterable[Adr | Postmortem],
    moves: Mapping[str, tuple[str, ...]],
    base: Base,
    context: Context,
) -> Iterator[Finding]:
    for old in old_records:
        current = find_current(old, base, context.handbook)
        if not isinstance(current, Adr | Postmortem) or not old.status:
            continue
        if current.is_imported and current.mapping and current.mapping.get("status") is None:
            yield Finding(
                current.at("status"),
                f"missing key 'status' (it is '{old.status}' in the base)",
                f"restore 'status: {old.status}'",
            )
        elif (
            current.status
            and current.status != old.status
            and not can_become(moves, old.status, current.status)
        ):
            yield Finding(
                current.at("status"),
                f"invalid status change from '{old.status}' (in the base) to '{current.status}'",
                suggest_status(moves, old.status),
            )


@rule("DEC017", "unrecorded-status-change", over=Base, requires=("DEC008", "DEC015", "DEC016"))
def unrecorded_status_change(base: Base, context: Context) -> Iterator[Finding]:
    """A new status of a decision has a new date, and the earlier status stays in the history.

    - `date` is the day of the new status. It is not before the day of the earlier status.
    - `history` lists the earlier status with its date, and each status that it listed in the base.

    Why: readers would believe that the new status began on an earlier day, and the feed would show
    the wrong day.

    Bad:
        status: deprecated
        date: 2026-03-02
        deciders: [platform-team]
    Good:
        status: accepted
        date: 2026-03-02
        deciders: [platform-team]
    """
    for old in base.handbook.of(Adr):
        current = find_current(old, base, context.handbook)
        if (
            isinstance(current, Adr)
            and old.status
            and current.status
            and not any(map(current.has_invalid_value, ("date", "history")))
        ):
            if current.status != old.status:
                yield from _check_new_status(old, current)
            yield from _find_lost_history(old, current)


def _check_new_status(old: Adr, current: Adr) -> Iterator[Finding]:
    """Report a date before the earlier status, and a history without the earlier status."""
    status, day = f"{old.status}", old.date
    if day and current.date and current.date < day:
        yield Finding(
            current.at("date"),
            f"'{current.status}' on {current.date}, before '{status}' on {day} (in the base)",
            f"set 'date' to the day on which the status became '{current.status}'",
        )
    days = [change.date for change in current.history if change.status == status]
    if not days and day and current.date == day:
        yield Finding(
            current.at("date"),
            f"status changed from '{status}' to '{current.status}', but not its date",
            f"set 'date' to the day of the change, and {suggest_history(current, status, day)}",
        )
    elif not days:
        yield Finding(
            current.at("history"),
            f"earlier status '{status}' (in the base) missing from 'history'",
            suggest_history(current, status, day),
        )
    elif day and day not in days:
        yield Finding(
            current.at("history"),
            f"date of the earlier status '{status}' changed to {days[-1]} in 'history'",
            f"write '{{status: {status}, date: {day}}}', as in the base",
        )


def _find_lost_history(old: Adr, current: Adr) -> Iterator[Finding]:
    """Report each status that only the history of the base lists."""
    statuses = {change.status for change in current.history} | {current.status, old.status}
    for change in old.history:
        if change.status and change.status not in statuses:
            yield Finding(
                current.at("history"),
                f"earlier status '{change.status}' (in the base) missing from 'history'",
                suggest_history(current, change.status, change.date),
            )


@rule("LNK011", "lost-page", over=Base)
def lost_page(base: Base, context: Context) -> Iterator[Finding]:
    """The address of every published page still works.

    If you move or remove a page, list its old address in the page that replaces it, such as
    `moved_from: [/adr/0003-keep-orders-in-mysql/]`. If nothing replaces it, list its file and the
    reason under `handbook.removed` in the settings. If you remove an alert, list its address in its
    runbook, or in a page that explains the removal.

    Why: tickets, chats, alerts and other sites link to the page, and no check can find those links.

    Bad:
        adr/0003-use-mysql.md
    Good:
        adr/0003-keep-orders-in-mysql.md
    """
    handbook = context.handbook
    redirects = {
        address for document in handbook.documents.values() for address in document.moved_from
    }
    for address, old in base.handbook.entities_by_address.items():
        if address not in handbook.entities_by_address and f"/{address}" not in redirects:
            hint = (
                f"add 'moved_from: [/{address}]' to the front matter of the page that replaces it"
            )
            is_gone = old.path not in handbook.paths
            yield Finding(
                Location(old.path) if is_gone else _locate_alerts(old.path, handbook),
                f"published address /{address} without a page or a redirect",
                f"{hint}; {_suggest_removal(old.path)}" if is_gone else hint,
            )
    for old in base.handbook.documents.values():
        for address in old.moved_from:
            if (
                address not in redirects
                and address.strip("/") + "/" not in handbook.entities_by_address
            ):
                current = find_current(old, base, handbook)
                page = "this page" if current else f"the page that replaces {old.path}"
                hint = f"add 'moved_from: [{address}]' to the front matter of {page}"
                yield Finding(
                    current.at("moved_from") if current else Location(old.path),
                    f"lost redirect from {address} to {old.path}",
                    hint if current else f"{hint}; {_suggest_removal(old.path)}",
                )


def _locate_alerts(path: str, handbook: Handbook) -> Location:
    """Return the location of the first alert in a rule file, or of its first line."""
    alerts = (alert.rules[0].at("alert") for alert in handbook.alerts if alert.path == path)
    return next(alerts, Location(path))


@rule(
    "LNK012",
    "lost-heading",
    over=Base,
    requires=(*_UNREADABLE, "FM102", "CHK002", "STD004", "DEC013"),
)
def lost_heading(base: Base, context: Context) -> Iterator[Finding]:
    """A published heading keeps its id, even if its text changes.

    Add the old id to the heading that replaces it: `## Load by hour {#load}`. Pages with macros
    are exempt. Titles are exempt, because a link to an unknown id opens the top of the page.

    Why: other sites link to the section, and no check can find those links.

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
    """Report published headings whose ids the current page does not have.

    The headings of requirements and checklist items are exempt, because STD008 and CHK005 check
    them.
    """
    known_items = {item for item in _item_ids(old) if item not in handbook.checklist_items}
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
                    f"lost heading '{heading.text}' (the base has it below this line)",
                    f"add '{{#{heading.id}}}' to the end of the heading that replaces it",
                )
            else:
                line = replacement.first
                heading_marker = "#" * replacement.level
                yield Finding(
                    current.source.at(line),
                    f"lost id '{heading.id}' of the published heading '{heading.text}'",
                    f"write '{heading_marker} {replacement.text} {{#{heading.id}}}'",
                )


def _item_ids(document: Document) -> Iterator[str]:
    if isinstance(document, Standard):
        yield from (item.id for item in document.checklist if item.id)


def _requirements(document: Document) -> tuple[Requirement, ...]:
    return document.requirements if isinstance(document, Standard) else ()


@rule(
    "STD008",
    "lost-requirement",
    over=Base,
    requires=(*_UNREADABLE, "FM102", "FM104", "STD002", "STD004"),
)
def lost_requirement(base: Base, context: Context) -> Iterator[Finding]:
    """A requirement of a standard keeps its id, and the id is never reused.

    Keep an obsolete requirement as `- **STD-08.2** Withdrawn: STD-08.4 replaces it.` You can
    rephrase a requirement if the new text has at least one significant word of the old text.

    Why: audits, reviews and waivers that name the id would refer to another requirement.

    Bad:
        - **STD-08.2** Backups MUST be encrypted.
    Good:
        - **STD-08.2** Traces SHOULD be kept.
    """
    for old in base.handbook.of(Standard):
        current = find_current(old, base, context.handbook)
        if not isinstance(current, Standard):
            if current and old.requirements:  # otherwise LNK011 reports the removal
                yield _report_replaced(old, current, f"standard {old.id} with its requirements")
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
                    f"lost requirement {id} (in the base: '{old_text}')",
                    f"restore it as a list item, '- **{id}** Withdrawn: the reason'",
                )
            elif not (requirement.is_withdrawn or requirement.is_placeholder) and (
                old_requirement.is_withdrawn or is_unrelated(old_text, requirement.text_without_id)
            ):
                yield Finding(
                    current.source.at(requirement.line),
                    f"reused id {id} (in the base: '{old_text}')",
                    f"give the new text a new id, and restore '- **{id}** Withdrawn: the reason'",
                )


def _locate_requirements(standard: Standard) -> Location:
    section = standard.find_section(REQUIREMENTS)
    return standard.source.at(section.heading.first if section else 1)


@rule(
    "CHK005",
    "lost-item",
    over=Base,
    requires=(*_UNREADABLE, "FM005", "FM006", "FM007", "LNK011", "CHK001", "CHK003"),
)
def lost_item(base: Base, context: Context) -> Iterator[Finding]:
    """A checklist item keeps its id, and the id is never reused.

    Keep an obsolete item, and add the last quarter in which it was in force: `until: 2026-Q4`. You
    can rephrase an item if the new text has at least one significant word of the old text.

    Why: audits name the id, and their verdicts would then apply to another item.

    Bad:
        item: Backups are encrypted
    Good:
        item: A dashboard shows errors
    """
    items = context.handbook.checklist_items
    for id, old in base.handbook.checklist_items.items():
        old_text, owned = old.item.item or "", items.get(id)
        if owned is None:
            current = find_current(old.standard, base, context.handbook)
            if isinstance(current, Standard) and not current.has_readable_ids:
                continue
            yield Finding(
                current.at("checklist") if current else Location(old.standard.path),
                f"lost checklist item {id} (in the base: '{old_text}')",
                f"restore {id}, and add its last quarter, such as 'until: 2026-Q4'",
            )
        elif is_unrelated(old_text, owned.item.item or "") and not is_unwritten(
            owned.item.item or ""
        ):
            yield Finding(
                locate_item(owned.standard, owned.standard.checklist.index(owned.item), "item"),
                f"reused id {id} (in the base: '{old_text}')",
                f"give the new text a new id, and restore the old item {id} with its last quarter, "
                "such as 'until: 2026-Q4'",
            )


@rule("PMT010", "withdrawn-postmortem", over=Base)
def withdrawn_postmortem(base: Base, context: Context) -> Iterator[Finding]:
    """A published post-mortem stays published.

    Before its publication, a post-mortem can change between the statuses draft and in-review.

    Why: the statistics and the feed do not include drafts, so the incident would disappear.

    Bad:
        status: in-review
        started: 2026-05-04T10:00Z
    Good:
        status: published
        started: 2026-05-04T10:00Z
    """
    postmortems = base.handbook.of(Postmortem)
    yield from _check_status_changes(postmortems, POSTMORTEM_NEXT_STATUSES, base, context)
    for old in postmortems:
        current = find_current(old, base, context.handbook)
        if old.status == "published" and current and not isinstance(current, Postmortem):
            yield _report_replaced(old, current, f"published post-mortem {old.id}")


@rule("SVC011", "rewritten-audit", over=Base, requires=("FM001",))
def rewritten_audit(base: Base, context: Context) -> Iterator[Finding]:
    """An audit does not change after the end of its quarter.

    A quarter has ended if the base commit has a later date. You can still add an audit of that
    quarter. In the newest audit of a service, you can still correct `evidence` and `of`, or change
    a verdict to `unknown`, because files move and items are worded differently.

    Why: auditors compare the next quarter with the verdicts at the end of this quarter.

    Bad:
        date: 2026-09-02
    Good:
        date: 2026-09-01
    """
    base_quarter = f"{base.day.year}-Q{(base.day.month + 2) // 3}"
    audits = {(audit.service, audit.quarter): audit for audit in context.handbook.audits}
    hint = "restore the audit, and record later results in the audit of the next quarter"
    for old in base.handbook.audits:
        service = base.handbook.get(Service, old.service)
        current_service = find_current(service, base, context.handbook) if service else None
        service_id = current_service.id if current_service else old.service
        current = audits.get((service_id, old.quarter))
        if old.quarter >= base_quarter:
            continue
        difference = (
            _first_difference(old, current, is_open=base.handbook.is_open(old))
            if current
            else Location(old.path)
        )
        if difference:
            yield Finding(
                difference,
                f"{'changed' if current else 'removed'} audit of {old.service} for {old.quarter}, "
                "a quarter that has ended",
                hint if current else f"restore the audit; {_suggest_removal(old.path)}",
            )


def _first_difference(old: Audit, current: Audit, *, is_open: bool) -> Location | None:
    """Return the first place where an audit has another answer, or None if it has none."""
    for key in ("date", "auditor", "commit"):
        if getattr(old, key) != getattr(current, key):
            return current.at(key)
    for id, result in current.results.items():
        if not _is_same_answer(old.results.get(id), result, is_open=is_open):
            return current.key_at(id)
    return None if old.results.keys() == current.results.keys() else current.at("results")


def _is_same_answer(old: Result | None, current: Result, *, is_open: bool) -> bool:
    """Return whether a result has not changed, or only as the open audit of a service can."""
    if not is_open or old is None:
        return old == current
    without_proof = replace(old, evidence=current.evidence, of=current.of)
    return current.verdict == "unknown" or without_proof == current
