"""The index of standards, and the checklist that is built from them."""

from __future__ import annotations

from itertools import groupby

from handbook.handbook import Handbook
from handbook.records.standard import Standard
from handbook.views import facet, render
from handbook.views.links import Linker
from handbook.vocabulary import CALMS


def standards_index(handbook: Handbook, here: str) -> str:
    """Markdown: a table of all standards, and which of them serve each pillar of CALMS."""
    standards = sorted(handbook.of(Standard), key=lambda standard: standard.id)
    pillars = [(pillar, [each for each in standards if pillar in each.calms]) for pillar in CALMS]
    return render(
        "standards_index.md.j2", standards=standards, pillars=pillars, linker=Linker(handbook, here)
    )


def checklist(handbook: Handbook, here: str) -> str:
    """Markdown: every item of the checklist, by group, with its standard and how it is known."""
    titles = handbook.settings.organisation.groups

    def group(id: str) -> str:
        return id.split("-")[0]

    groups = [
        (
            name,
            titles.get(name, name),
            [(handbook.standards_of(id), handbook.items[id].item) for id in ids],
        )
        for name, ids in groupby(handbook.items, key=group)
    ]
    facets = [
        facet("Known by", "verify", (owned.item.verify for owned in handbook.items.values())),
        facet("Group", "group", (name for name, _, _ in groups)),
        facet(
            "Standard",
            "standard",
            (each.id for id in handbook.items for each in handbook.standards_of(id)),
        ),
    ]
    return render(
        "checklist.md.j2",
        facets=facets,
        groups=groups,
        total=len(handbook.items),
        extras=sum(owned.item.extra for owned in handbook.items.values()),
        linker=Linker(handbook, here),
    )
