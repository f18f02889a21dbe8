"""STD001 to STD007 and CHK001 to CHK004: standards, their requirements and checklist items."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from handbook.diagnostics import Finding, Location, Severity, did_you_mean
from handbook.handbook import Handbook
from handbook.reading.nodes import Mapping, Sequence
from handbook.reading.problems import ProblemKind
from handbook.records.standard import REQUIREMENTS, VERIFICATION, Standard
from handbook.rules.age import check_age
from handbook.rules.engine import Context, rule
from handbook.vocabulary import CALMS, OBLIGATIONS


@rule("STD001", "invalid-standard-name", over=Standard)
def invalid_standard_name(standard: Standard) -> Iterator[Finding]:
    """The file name of a standard is `NN-slug.md`.

    Why: the number is the only source of the standard's id.

    Bad:
        docs/standards/8-observability.md
    Good:
        docs/standards/08-observability.md
    """
    if not standard.has_valid_name:
        yield Finding(
            standard.source.at(1),
            f"invalid file name '{PurePosixPath(standard.path).name}'",
            f"rename it to {standard.file_form}, such as 05-testing-pyramid.md",
        )


@rule("STD002", "duplicate-standard-number", over=Handbook)
def duplicate_standard_number(handbook: Handbook) -> Iterator[Finding]:
    """Each standard has a number of its own.

    Why: references to a duplicate number are ambiguous.

    Bad:
        docs/standards/05-tracing.md
    Good:
        docs/standards/08-observability.md
    """
    for standard in handbook.of(Standard):
        first = handbook.by_id[standard.kind, standard.id]
        if first is not standard:
            yield Finding(
                standard.source.at(1),
                f"duplicate number {standard.id} (first in {first.path})",
                "use a free number",
            )


@rule("STD003", "missing-calms-pillar", over=Standard)
def missing_calms_pillar(standard: Standard) -> Iterator[Finding]:
    """A standard serves at least one pillar of CALMS.

    Why: a practice without such a purpose is bureaucracy, and should not be a standard.

    Bad:
        calms: []
    Good:
        calms: [measurement]
    """
    has_key = standard.source.front_matter and standard.source.front_matter.mapping.get("calms")
    if has_key and not standard.calms and not standard.has_invalid_value("calms"):
        yield Finding(
            standard.at("calms"),
            "no pillar of CALMS",
            f"add one of {', '.join(CALMS)}, or remove the standard",
        )


@rule("STD004", "missing-rule-id", over=Standard, requires=("FM102", "FM104", "STD001", "STD002"))
def missing_rule_id(standard: Standard) -> Iterator[Finding]:
    """Each requirement under What it requires begins with its id in bold, such as `**STD-08.1**`.

    The id consists of the id of the standard and a number, and is never reused.

    Why: audits, reviews and other pages refer to a requirement by its id.

    Bad:
        - Logs MUST be JSON.
    Good:
        - **STD-08.1** Logs MUST be JSON.
    """
    line_by_id: dict[str, int] = {}
    for requirement in standard.requirements:
        at = standard.source.at(requirement.line)
        if requirement.id is None and requirement.is_placeholder:
            continue
        if requirement.id is None:
            yield Finding(
                at,
                "requirement without an id",
                f"begin it with '**{standard.id}.{len(line_by_id) + 1}**'",
            )
        elif not requirement.id.startswith(f"{standard.id}."):
            yield Finding(
                at,
                f"id '{requirement.id}' of another standard",
                f"begin it with '**{standard.id}.…**'",
            )
        elif requirement.id in line_by_id:
            yield Finding(
                at,
                f"duplicate id '{requirement.id}' (first on line {line_by_id[requirement.id]})",
                "use a new number",
            )
        else:
            line_by_id[requirement.id] = requirement.line
    if standard.requirements or standard.has_placeholder(standard.section_blocks(REQUIREMENTS)):
        return
    if at_heading := _find_section(standard, REQUIREMENTS):
        yield Finding(
            at_heading,
            f"no requirements in the section '{REQUIREMENTS}'",
            f"write a list whose first item begins with '**{standard.id}.1**'",
        )


def _find_section(standard: Standard, title: str) -> Location | None:
    lines = (
        section.heading.first
        for section in standard.source.sections
        if section.heading.text == title and section.filled
    )
    line = next(lines, None)
    return standard.source.at(line) if line else None


@rule("STD005", "missing-obligation", over=Standard)
def missing_obligation(standard: Standard) -> Iterator[Finding]:
    """A requirement says MUST, SHOULD or MAY, or is withdrawn: `**STD-08.1** Withdrawn: …`.

    Why: without one of these words, readers cannot distinguish an obligation from advice.

    Bad:
        - **STD-08.1** Logs are JSON.
    Good:
        - **STD-08.1** Logs MUST be JSON.
    """
    for requirement in standard.requirements:
        if (
            requirement.obligation is None
            and not requirement.is_withdrawn
            and not requirement.is_placeholder
        ):
            yield Finding(
                standard.source.at(requirement.line),
                "requirement without an obligation",
                f"use one of {', '.join(OBLIGATIONS)}",
            )


@rule("STD006", "unknown-policy", over=Handbook, reports=ProblemKind.UNKNOWN_POLICY)
def unknown_policy(handbook: Handbook) -> Iterator[Finding]:
    """A policy name in a standard, `policy.a.b` in double braces, names a value of `extra.policy`.

    Why: the page would show the braces instead of the value.

    Bad:
        {{ policy.testing.covrage }}
    Good:
        {{ policy.testing.coverage }}
    """
    yield from handbook.problems_of(ProblemKind.UNKNOWN_POLICY)


@rule("STD007", "overdue-standard-review", over=Standard, severity=Severity.WARNING)
def overdue_standard_review(standard: Standard, context: Context) -> Iterator[Finding]:
    """A standard is reviewed as often as the policy requires (`review.standard`).

    Why: people stop following a standard that does not match reality.

    Bad:
        reviewed: 2024-11-01
    Good:
        reviewed: 2026-11-01
    """
    max_days = context.handbook.settings.policy.review.standard
    hint = "review the standard, correct it, and set a new date"
    yield from check_age(standard, "reviewed", max_days, hint, context)


def locate_item(standard: Standard, index: int, key: str) -> Location:
    """Return the place of a key of a checklist item, or the nearest place around it."""
    mapping = standard.source.front_matter.mapping if standard.source.front_matter else None
    checklist = mapping.find("checklist") if mapping else None
    if isinstance(checklist, Sequence) and index < len(checklist.items):
        item = checklist.items[index]
        value = item.find(key) if isinstance(item, Mapping) else None
        return value.at if value else item.at
    return standard.at("checklist")


@rule("CHK001", "duplicate-item", over=Handbook)
def duplicate_item(handbook: Handbook) -> Iterator[Finding]:
    """A checklist item has an id of its own, in a group of the settings.

    Why: an audit refers to items by id, and a duplicate id is ambiguous.

    Bad:
        - id: OBS-01
          item: Metrics are served
    Good:
        - id: OBS-02
          item: Metrics are served
    """
    standard_by_item: dict[str, Standard] = {}
    groups = handbook.settings.organisation.groups
    for standard in handbook.of(Standard):
        for index, item in enumerate(standard.checklist):
            if not item.id:
                continue
            at = locate_item(standard, index, "id")
            group = item.id.split("-")[0]
            if group not in groups:
                yield Finding(
                    at, f"unknown group '{group}' of {item.id}", did_you_mean(group, groups)
                )
            if item.id in standard_by_item:
                yield Finding(
                    at,
                    f"duplicate id '{item.id}' (first in {standard_by_item[item.id].path})",
                    "use the next free number",
                )
            standard_by_item.setdefault(item.id, standard)


@rule("CHK002", "unexplained-item", over=Standard, requires=("FM102", "CHK001"))
def unexplained_item(standard: Standard) -> Iterator[Finding]:
    """Each checklist item has an explanation under How to verify it.

    The explanation is an H3 that begins with the id of the item, with text below it.

    Why: an auditor needs to know how to verify the item.

    Bad:
        ### Metrics

        `curl` shows them.
    Good:
        ### OBS-02 Metrics

        `curl` shows them.
    """
    explained_ids = {id for id, _ in standard.explanations}
    if standard.has_placeholder_explanations:
        return
    for index, item in enumerate(standard.checklist):
        if item.id and item.id not in explained_ids:
            yield Finding(
                locate_item(standard, index, "id"),
                f"missing explanation of {item.id}",
                f"add '### {item.id} …' and a text under '## {VERIFICATION}'",
            )


@rule("CHK003", "unknown-item-heading", over=Standard, requires=("CHK001",))
def unknown_item_heading(standard: Standard) -> Iterator[Finding]:
    """An H3 that begins with an id under How to verify it belongs to one item of this standard.

    Why: audits and links would point to an item that does not exist.

    Bad:
        `curl` shows them.

        ### OBS-09 Traces
    Good:
        `curl` shows them.
    """
    if not standard.has_readable_ids:
        return
    item_ids = {item.id for item in standard.checklist}
    explained_ids: set[str] = set()
    for id, heading in standard.explanations:
        at = standard.source.at(heading.first)
        if id not in item_ids:
            yield Finding(
                at,
                f"explanation of unknown item '{id}'",
                "add the item to this standard's checklist, or link to the standard that owns it",
            )
        elif id in explained_ids:
            yield Finding(at, f"duplicate explanation of {id}", "merge the two sections")
        explained_ids.add(id)


@rule("CHK004", "invalid-item-period", over=Standard)
def invalid_item_period(standard: Standard) -> Iterator[Finding]:
    """The last quarter of a checklist item is not before its first quarter.

    Why: such an item is never in force.

    Bad:
        until: 2026-Q1
    Good:
        until: 2027-Q1
    """
    for index, item in enumerate(standard.checklist):
        if item.since and item.until and item.until < item.since:
            yield Finding(
                locate_item(standard, index, "until"),
                f"'until: {item.until}' is before 'since: {item.since}'",
                "correct one of the two quarters",
            )
