"""The index of standards, and the checklist with the items of all standards."""

from __future__ import annotations

from itertools import groupby

from handbook.handbook import Handbook
from handbook.records.standard import Standard
from handbook.views import count_imports, make_facet, render
from handbook.views.links import Linker
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
        linker=Linker(handbook, page_address),
    )


def checklist(handbook: Handbook, page_address: str) -> str:
    """Render the checklist items by group, with their standards and kinds of verification."""
    titles = handbook.settings.organisation.groups

    def group(id: str) -> str:
        return id.split("-")[0]

    groups = [
        (
            name,
            titles.get(name, name),
            [(handbook.standards_of(id), handbook.checklist_items[id].item) for id in ids],
        )
        for name, ids in groupby(handbook.checklist_items, key=group)
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
    return render(
        "checklist.md.j2",
        facets=facets,
        groups=groups,
        total=len(handbook.checklist_items),
        extras=sum(owned.item.extra for owned in handbook.checklist_items.values()),
        linker=Linker(handbook, page_address),
    )
