"""The index of standards, their tables of requirements, and the checklist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from markupsafe import Markup

from handbook.handbook import Handbook
from handbook.reading.blocks import Item, List
from handbook.reading.ids import anchor, find_group
from handbook.reading.parser import MarkdownNode, NodeKind
from handbook.reading.render import BlockView, NodeRenderer
from handbook.records.standard import REQUIREMENTS, DetailKind, Requirement, Standard
from handbook.views import count_imports, make_facet, render
from handbook.views.links import Linker, PageLink
from handbook.views.services import list_item_verdicts
from handbook.vocabulary import CALMS


def standards_index(handbook: Handbook, page_address: str) -> str:
    """Render a table of all standards, and the standards of each pillar of CALMS."""
    standards = sorted(handbook.of(Standard), key=lambda standard: standard.id)
    pillars = [
        (pillar, [standard for standard in standards if pillar in standard.calms])
        for pillar in CALMS
    ]
    return render(
        "standards_index.md.j2",
        imports=count_imports(standards),
        standards=standards,
        pillars=pillars,
        facets=[
            make_facet("CALMS", "calms", (pillar for pillar, standards in pillars if standards)),
            make_facet("Owner", "owner", (standard.owner for standard in standards)),
            make_facet("Tag", "tag", (tag for standard in standards for tag in standard.tags)),
        ],
        linker=Linker(handbook, page_address),
    )


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """A row of a table of requirements. The texts are HTML, or "" if the record has none.

    `verifiers` are links to checklist items, or texts such as `human review`.
    """

    id: str
    anchor: str
    obligation: str
    text: Markup
    why: Markup
    how: Markup
    verifiers: tuple[PageLink | str, ...]


def requirement_tables(handbook: Handbook, standard: Standard) -> Mapping[int, BlockView]:
    """Return the view of each list of requirements, by the offset of the list.

    A list with an item without an id stays a list.
    """
    requirements_by_list: dict[int, list[Requirement]] = {}
    for requirement in standard.requirements:
        item = requirement.block.parent
        if item and isinstance(item.parent, List):
            requirements_by_list.setdefault(item.parent.start, []).append(requirement)
    return {
        start: partial(_requirement_table, handbook, standard, requirements)
        for start, requirements in requirements_by_list.items()
        if all(requirement.id for requirement in requirements)
    }


def _requirement_table(
    handbook: Handbook,
    standard: Standard,
    requirements: Iterable[Requirement],
    renderer: NodeRenderer,
) -> str:
    linker = Linker(handbook, handbook.address(standard))
    section = standard.find_section(REQUIREMENTS)
    return render(
        "requirements.html.j2",
        heading_id=section.heading.id if section else "",
        rows=[_make_row(requirement, standard, linker, renderer) for requirement in requirements],
    )


def _make_row(
    requirement: Requirement, standard: Standard, linker: Linker, renderer: NodeRenderer
) -> RequirementRow:
    source, item = standard.source, requirement.block.parent
    text = renderer.render_inlines(source.node_of(requirement.block), skip=requirement.id or "")
    if isinstance(item, Item):
        detail_starts = {
            detail.block.parent.start
            for detail in requirement.details.values()
            if detail.block.parent
        }
        text += renderer.render_blocks(_without_details(source.node_of(item), detail_starts))

    def render_detail(kind: DetailKind) -> Markup:
        detail = requirement.details.get(kind)
        node = source.node_of(detail.block) if detail else None
        html = renderer.render_inlines(node, skip=f"{kind}:") if node else ""
        return Markup(html)  # noqa: S704 - safe HTML

    id = requirement.id or ""
    return RequirementRow(
        id,
        anchor(id),
        "withdrawn" if requirement.is_withdrawn else requirement.obligation or "",
        Markup(text),  # noqa: S704 - safe HTML
        render_detail(DetailKind.WHY),
        render_detail(DetailKind.HOW),
        tuple(_link_verifier(name, linker) for name in requirement.verified_by),
    )


def _link_verifier(name: str, linker: Linker) -> PageLink | str:
    owned = linker.handbook.checklist_items.get(name)
    if owned is None:
        return name
    address = linker.handbook.address(owned.standard)
    return PageLink("", name, linker.at(f"{address}#{anchor(name)}"))


def _without_details(item: MarkdownNode, detail_starts: set[int]) -> MarkdownNode:
    """Return a list item without its first paragraph and without the items of its details."""
    blocks = []
    for block in item.children[1:]:
        if block.kind is NodeKind.LIST:
            others = [child for child in block.children if child.start not in detail_starts]
            if not others:
                continue
            block = replace(block, children=others)
        blocks.append(block)
    return replace(item, children=blocks)


def checklist(handbook: Handbook, page_address: str) -> str:
    """Render the checklist items by group, with their standards and kinds of verification."""
    titles = handbook.settings.organisation.groups
    linker = Linker(handbook, page_address)
    groups = [
        (
            name,
            titles.get(name, name),
            [
                (
                    handbook.standards_of(id),
                    handbook.checklist_items[id].item,
                    _link_requirements(id, linker),
                )
                for id in ids
            ],
        )
        for name, ids in groupby(handbook.checklist_items, key=find_group)
    ]
    facets = [
        make_facet(
            "Verified by",
            "verify",
            (owned.item.verify for owned in handbook.checklist_items.values()),
        ),
        make_facet("Group", "group", (name for name, _, _ in groups)),
        make_facet(
            "Standard",
            "standard",
            (
                standard.id
                for id in handbook.checklist_items
                for standard in handbook.standards_of(id)
            ),
        ),
    ]
    verdicts_by_item = list_item_verdicts(linker)
    return render(
        "checklist.md.j2",
        verdicts_by_item=verdicts_by_item,
        facets=facets,
        groups=groups,
        total=len(handbook.checklist_items),
        extras=sum(owned.item.extra for owned in handbook.checklist_items.values()),
        linker=linker,
    )


def _link_requirements(item_id: str, linker: Linker) -> list[PageLink]:
    """Return links to the requirements that a checklist item verifies."""
    return [
        PageLink("", requirement.id, f"{linker.url(standard)}#{anchor(requirement.id)}")
        for standard, requirement in linker.handbook.requirements_of(item_id)
        if requirement.id
    ]
