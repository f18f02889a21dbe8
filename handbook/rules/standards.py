"""STD001 to STD007 and CHK001 to CHK004: standards, their rules, and the items of the checklist that they own."""

from __future__ import annotations

from collections.abc import Iterator

from handbook.diagnostics import Finding, Location, Severity, did_you_mean
from handbook.handbook import Handbook
from handbook.reading.nodes import Mapping, Sequence
from handbook.reading.problems import ProblemKind
from handbook.records.standard import REQUIREMENTS, VERIFICATION, Standard
from handbook.rules.age import too_old
from handbook.rules.engine import Context, rule
from handbook.vocabulary import OBLIGATIONS


@rule("STD001", "invalid-standard-name", over=Standard)
def invalid_standard_name(standard: Standard) -> Iterator[Finding]:
    """The file of a standard is `NN-slug.md`.

    Why: the number is the standard's id and stands nowhere else.

    Bad:
        docs/standards/8-observability.md
    Good:
        docs/standards/08-observability.md
    """
    if not standard.well_named:
        yield Finding(
            standard.source.at(1),
            f"the name is not {standard.file_form}",
            "such as 05-testing-pyramid.md",
        )


@rule("STD002", "duplicate-standard-number", over=Handbook)
def duplicate_standard_number(handbook: Handbook) -> Iterator[Finding]:
    """No two standards have the same number.

    Why: what says STD-05 would name both.

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
                f"{standard.id} is {first.path} already",
                "take a free number",
            )


@rule("STD003", "missing-calms-pillar", over=Standard)
def missing_calms_pillar(standard: Standard) -> Iterator[Finding]:
    """A standard serves at least one pillar of CALMS.

    Why: a practice that serves none is bureaucracy, and should not be a standard.

    Bad:
        calms: []
    Good:
        calms: [measurement]
    """
    written = standard.source.front_matter and standard.source.front_matter.mapping.get("calms")
    if written and not standard.calms and not standard.doubtful("calms"):
        yield Finding(
            standard.at("calms"),
            "the standard serves no pillar of CALMS",
            "name one, or take the standard out",
        )


@rule("STD004", "missing-rule-id", over=Standard, requires=("FM102", "FM104", "STD001", "STD002"))
def missing_rule_id(standard: Standard) -> Iterator[Finding]:
    """Under What it requires each item of the list is a rule that begins with its id in bold, `**STD-08.1**`.

    The id is the standard's own, with a number of its own that is never given again.

    Why: audits, reviews and other pages name a rule by its id.

    Bad:
        - Logs MUST be JSON.
    Good:
        - **STD-08.1** Logs MUST be JSON.
    """
    seen: dict[str, int] = {}
    for requirement in standard.requirements:
        at = standard.source.at(requirement.line)
        if requirement.id is None and requirement.unwritten:
            continue
        if requirement.id is None:
            yield Finding(
                at, "a rule without its id", f"begin it with **{standard.id}.{len(seen) + 1}**"
            )
        elif not requirement.id.startswith(f"{standard.id}."):
            yield Finding(
                at, f"{requirement.id} is not a rule of {standard.id}", f"write **{standard.id}.…**"
            )
        elif requirement.id in seen:
            yield Finding(
                at,
                f"{requirement.id} stands twice",
                f"it stands on line {seen[requirement.id]} already",
            )
        else:
            seen[requirement.id] = requirement.line
    if standard.requirements or standard.unwritten(standard.section_blocks(REQUIREMENTS)):
        return
    if sections := _section(standard, REQUIREMENTS):
        yield Finding(
            sections,
            "the standard requires nothing",
            f"write a list, each item with **{standard.id}.1** …",
        )


def _section(standard: Standard, title: str) -> Location | None:
    headings = (
        each.heading.first
        for each in standard.source.sections
        if each.heading.text == title and each.filled
    )
    line = next(headings, None)
    return standard.source.at(line) if line else None


@rule("STD005", "missing-obligation", over=Standard)
def missing_obligation(standard: Standard) -> Iterator[Finding]:
    """A rule says MUST, SHOULD or MAY, or that it is withdrawn: `**STD-08.1** Withdrawn: …`.

    Why: a reader cannot tell an order from a piece of advice.

    Bad:
        - **STD-08.1** Logs are JSON.
    Good:
        - **STD-08.1** Logs MUST be JSON.
    """
    for requirement in standard.requirements:
        if (
            requirement.obligation is None
            and not requirement.withdrawn
            and not requirement.unwritten
        ):
            yield Finding(
                standard.source.at(requirement.line),
                "a rule that does not say how strongly it binds",
                f"use one of {', '.join(OBLIGATIONS)}",
            )


@rule("STD006", "unknown-policy", over=Handbook, reports=ProblemKind.UNKNOWN_POLICY)
def unknown_policy(handbook: Handbook) -> Iterator[Finding]:
    """A name of the policy in a standard, `policy.a.b` between two braces, is one value under `extra.policy`.

    Why: the page would show the braces in place of the number.

    Bad:
        {{ policy.testing.covrage }}
    Good:
        {{ policy.testing.coverage }}
    """
    yield from handbook.problems_of(ProblemKind.UNKNOWN_POLICY)


@rule("STD007", "overdue-standard-review", over=Standard, severity=Severity.WARNING)
def overdue_standard_review(standard: Standard, context: Context) -> Iterator[Finding]:
    """A standard is read against reality as often as the policy says (`review.standard`).

    Why: a standard that nobody reads any more is followed by nobody.

    Bad:
        reviewed: 2024-11-01
    Good:
        reviewed: 2026-11-01
    """
    days = context.handbook.settings.policy.review.standard
    yield from too_old(standard, "reviewed", days, "read it, and mend it", context)


def item_at(standard: Standard, index: int, key: str) -> Location:
    """The place of a key of an item of a standard's checklist."""
    mapping = standard.source.front_matter.mapping if standard.source.front_matter else None
    listed = mapping.find("checklist") if mapping else None
    if isinstance(listed, Sequence) and index < len(listed.items):
        node = listed.items[index]
        found = node.find(key) if isinstance(node, Mapping) else None
        return found.at if found else node.at
    return standard.at("checklist")


@rule("CHK001", "duplicate-item", over=Handbook)
def duplicate_item(handbook: Handbook) -> Iterator[Finding]:
    """An item of the checklist has an id of its own, in a group of the settings.

    Why: an audit answers ids; one that names two items answers neither.

    Bad:
        - id: OBS-01
          item: Metrics are served
    Good:
        - id: OBS-02
          item: Metrics are served
    """
    seen: dict[str, Standard] = {}
    groups = handbook.settings.organisation.groups
    for standard in handbook.of(Standard):
        for index, item in enumerate(standard.checklist):
            if not item.id:
                continue
            at = item_at(standard, index, "id")
            group = item.id.split("-")[0]
            if group not in groups:
                yield Finding(
                    at,
                    f"{item.id} belongs to no group of the settings",
                    did_you_mean(group, groups),
                )
            if item.id in seen:
                yield Finding(
                    at,
                    f"{item.id} is an item of {seen[item.id].id} already",
                    "take the next free number",
                )
            seen.setdefault(item.id, standard)


@rule("CHK002", "unexplained-item", over=Standard, requires=("FM102", "CHK001"))
def unexplained_item(standard: Standard) -> Iterator[Finding]:
    """Every item of a standard's checklist has an H3 under How to verify it that begins with its id, with text below.

    Why: whoever audits has to know what to look at.

    Bad:
        ### Metrics

        `curl` shows them.
    Good:
        ### OBS-02 Metrics

        `curl` shows them.
    """
    explained = {id for id, _ in standard.explanations}
    if standard.explanations_unwritten:
        return
    for index, item in enumerate(standard.checklist):
        if item.id and item.id not in explained:
            at = item_at(standard, index, "id")
            yield Finding(
                at, f"{item.id} is not explained", f"add '### {item.id}' under {VERIFICATION}"
            )


@rule("CHK003", "unknown-item-heading", over=Standard, requires=("CHK001",))
def unknown_item_heading(standard: Standard) -> Iterator[Finding]:
    """An H3 under How to verify it that begins with an id names an item of the standard's own checklist, once.

    Why: it would be an address that audits and links rely on, of an item that is not there.

    Bad:
        `curl` shows them.

        ### OBS-09 Traces
    Good:
        `curl` shows them.
    """
    if not standard.ids_known:
        return
    own = {item.id for item in standard.checklist}
    seen: set[str] = set()
    for id, heading in standard.explanations:
        at = standard.source.at(heading.first)
        if id not in own:
            yield Finding(
                at,
                f"{id} is no item of this standard",
                "add it to the checklist, or link to its owner",
            )
        elif id in seen:
            yield Finding(at, f"{id} is explained twice", "join the two")
        seen.add(id)


@rule("CHK004", "invalid-item-period", over=Standard)
def invalid_item_period(standard: Standard) -> Iterator[Finding]:
    """The last quarter of an item is not before its first.

    Why: no audit would ever answer it.

    Bad:
        until: 2026-Q1
    Good:
        until: 2027-Q1
    """
    for index, item in enumerate(standard.checklist):
        if item.since and item.until and item.until < item.since:
            yield Finding(
                item_at(standard, index, "until"),
                f"until {item.until} is before since {item.since}",
            )
