"""STD001 to STD007, STD009, CHK001 to CHK004: standards, requirements and checklist items."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from handbook.diagnostics import Finding, Location, Severity, did_you_mean
from handbook.handbook import Handbook
from handbook.reading.ids import find_group
from handbook.reading.nodes import Mapping, Sequence
from handbook.reading.problems import ProblemKind
from handbook.records.standard import (
    HUMAN_REVIEW,
    REQUIREMENTS,
    VERIFICATION,
    DetailKind,
    Standard,
)
from handbook.rules.age import check_age
from handbook.rules.engine import Context, rule
from handbook.vocabulary import CALMS, OBLIGATIONS


@rule("STD001", "invalid-standard-name", over=Standard)
def invalid_standard_name(standard: Standard) -> Iterator[Finding]:
    """The file name of a standard is `NN-slug.md`.

    Use two digits, then lower-case words joined by hyphens.

    Why: the number in the file name becomes the id of the standard, such as STD-08.

    Bad:
        docs/standards/8-observability.md
    Good:
        docs/standards/08-observability.md
    """
    if not standard.has_valid_name:
        yield Finding(
            standard.source.at(1),
            f"invalid file name '{PurePosixPath(standard.path).name}'",
            "use two digits, then lower-case words joined by hyphens, as in 05-testing-pyramid.md",
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
        first = handbook.entities_by_id[standard.kind, standard.id]
        if first is not standard:
            yield Finding(
                standard.source.at(1),
                f"duplicate number {standard.id} (already used by {first.path})",
                "begin the file name with a number that no other standard has",
            )


@rule("STD003", "missing-calms-pillar", over=Standard)
def missing_calms_pillar(standard: Standard) -> Iterator[Finding]:
    """A standard names at least one pillar of CALMS under `calms`.

    The pillars are culture, automation, lean, measurement and sharing.

    Why: a standard that serves none of these purposes is only bureaucracy.

    Bad:
        calms: []
    Good:
        calms: [measurement]
    """
    has_key = standard.source.front_matter and standard.source.front_matter.mapping.get("calms")
    if has_key and not standard.calms and not standard.has_invalid_value("calms"):
        yield Finding(
            standard.at("calms"),
            "standard has no CALMS pillar",
            f"set 'calms: [...]' to at least one of {', '.join(CALMS)}",
        )


@rule(
    "STD004",
    "missing-requirement-id",
    over=Standard,
    requires=("FM102", "FM104", "STD001", "STD002"),
)
def missing_requirement_id(standard: Standard) -> Iterator[Finding]:
    """Each requirement in the section "What it requires" begins with its id, `**STD-08.1**`.

    The id consists of the id of the standard and a number. Never use the number of a removed
    requirement again.

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
                f"requirement with the id of another standard, '{requirement.id}'",
                f"write an id that begins with '{standard.id}.'",
            )
        elif requirement.id in line_by_id:
            yield Finding(
                at,
                f"duplicate id '{requirement.id}' (first on line {line_by_id[requirement.id]})",
                f"use a number that no requirement of {standard.id} has had",
            )
        else:
            line_by_id[requirement.id] = requirement.line
    if standard.requirements or standard.has_placeholder(standard.section_blocks(REQUIREMENTS)):
        return
    if at_heading := _find_section(standard, REQUIREMENTS):
        yield Finding(
            at_heading,
            f"no list of requirements in section '{REQUIREMENTS}'",
            f"write a list whose first item begins with '**{standard.id}.1**'",
        )


def _find_section(standard: Standard, title: str) -> Location | None:
    section = standard.find_section(title)
    return standard.source.at(section.heading.first) if section and section.filled else None


@rule("STD005", "missing-obligation", over=Standard)
def missing_obligation(standard: Standard) -> Iterator[Finding]:
    """A requirement contains MUST, SHOULD or MAY.

    A withdrawn requirement, such as `**STD-08.1** Withdrawn: …`, is exempt.

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
                f"requirement without {', '.join(OBLIGATIONS[:-1])} or {OBLIGATIONS[-1]}",
                "write one of these words in the requirement",
            )


@rule("STD006", "unknown-policy", over=Handbook, reports=ProblemKind.UNKNOWN_POLICY)
def unknown_policy(handbook: Handbook) -> Iterator[Finding]:
    """A policy name in a standard, such as `{{ policy.a.b }}`, is the name of an existing value.

    The values are under `extra.policy` in mkdocs.yml.

    Why: the page would show the braces and the name instead of the value.

    Bad:
        {{ policy.testing.covrage }}
    Good:
        {{ policy.testing.coverage }}
    """
    yield from handbook.problems_of(ProblemKind.UNKNOWN_POLICY)


@rule("STD007", "overdue-standard-review", over=Standard, severity=Severity.WARNING)
def overdue_standard_review(standard: Standard, context: Context) -> Iterator[Finding]:
    """The last review of a standard is not too long ago.

    The policy sets the number of days (`review.standard`).

    Why: teams ignore a standard that differs from their practice.

    Bad:
        reviewed: 2024-11-01
    Good:
        reviewed: 2026-11-01
    """
    max_days = context.handbook.settings.policy.review.standard
    hint = "review the page, correct what is out of date, and set 'reviewed' to today's date"
    yield from check_age(standard, "reviewed", max_days, hint, context)


@rule(
    "STD009",
    "unverified-requirement",
    over=Standard,
    requires=("FM102", "FM104", "STD004"),
    asks_imported=False,
)
def unverified_requirement(standard: Standard, context: Context) -> Iterator[Finding]:
    """A requirement names the checklist items that verify it, or says `human review`.

    The list item of the requirement contains a list item `- Verified by:` with the ids of checklist
    items of any standard, with `human review`, or with both. Separate them with commas. A withdrawn
    requirement is exempt.

    Why: teams follow a requirement only if they know who or what checks it.

    Bad:
        - **STD-08.1** Logs MUST be JSON.
    Good:
        - **STD-08.1** Logs MUST be JSON.
            - Verified by: OBS-01
    """
    handbook = context.handbook
    hint = f"name checklist items, such as '- Verified by: OBS-01', or '{HUMAN_REVIEW}'"
    for requirement in standard.requirements:
        if requirement.is_withdrawn or requirement.is_placeholder or requirement.id is None:
            continue
        item = requirement.block.parent or requirement.block
        blocks = (
            block
            for block in standard.source.blocks
            if item.first <= block.first <= item.last and block is not requirement.block
        )
        if not requirement.verified_by and not standard.has_placeholder(blocks):
            yield Finding(
                standard.source.at(requirement.line),
                f"requirement {requirement.id} without 'Verified by'",
                f"below it, {hint}",
            )
        line = requirement.line_of(DetailKind.VERIFIED_BY)
        for name in requirement.verified_by:
            # REF002 reports the unknown ids of items.
            if name != HUMAN_REVIEW and handbook.resolve_id(name).kind != "item":
                yield Finding(
                    standard.source.at(line),
                    f"requirement verified by '{name}', which is no checklist item",
                    did_you_mean(name, (*handbook.checklist_items, HUMAN_REVIEW)) or hint,
                )


def locate_item(standard: Standard, index: int, key: str) -> Location:
    """Return the location of a key's value in a checklist item.

    `index` is the index of the item. Without the key, return the location of the item or, if the
    checklist is not a list, of the checklist.
    """
    mapping = standard.source.front_matter.mapping if standard.source.front_matter else None
    checklist = mapping.find("checklist") if mapping else None
    if isinstance(checklist, Sequence) and index < len(checklist.items):
        item = checklist.items[index]
        value = item.find(key) if isinstance(item, Mapping) else None
        return value.at if value else item.at
    return standard.at("checklist")


@rule("CHK001", "duplicate-item", over=Handbook)
def duplicate_item(handbook: Handbook) -> Iterator[Finding]:
    """Each checklist item has a unique id, which begins with a group of `handbook.groups`.

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
            group = find_group(item.id)
            if group not in groups:
                yield Finding(
                    at,
                    f"unknown group '{group}' in the id '{item.id}'",
                    did_you_mean(group, groups)
                    or "add the group to 'handbook.groups' in mkdocs.yml",
                )
            if item.id in standard_by_item:
                yield Finding(
                    at,
                    f"duplicate id '{item.id}' (first in {standard_by_item[item.id].path})",
                    f"use the next free number of the group '{group}'",
                )
            standard_by_item.setdefault(item.id, standard)


@rule("CHK002", "unexplained-item", over=Standard, requires=("FM102", "CHK001"))
def unexplained_item(standard: Standard) -> Iterator[Finding]:
    """Each checklist item has an explanation in the section "How to verify it".

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
                f"under '## {VERIFICATION}', add the heading '### {item.id} …' and an explanation",
            )


@rule("CHK003", "unknown-item-heading", over=Standard, requires=("CHK001",))
def unknown_item_heading(standard: Standard) -> Iterator[Finding]:
    """An H3 with an id in the section "How to verify it" belongs to an item of this checklist.

    No two of these headings have the same id.

    Why: audits cannot use an id that no checklist item has.

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
            yield Finding(at, f"duplicate explanation of {id}", "merge the two explanations")
        explained_ids.add(id)


@rule("CHK004", "invalid-item-period", over=Standard)
def invalid_item_period(standard: Standard) -> Iterator[Finding]:
    """The last quarter of a checklist item (`until`) is not before its first quarter (`since`).

    Why: an item with such quarters is never in force.

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
