"""The index of decisions, grouped by status."""

from __future__ import annotations

from typing import Final

from handbook.handbook import Handbook
from handbook.reading.addresses import make_relative
from handbook.records.adr import Adr
from handbook.views import (
    NOT_RECORDED,
    count_imports,
    each_or_not_recorded,
    make_facet,
    or_not_recorded,
    render,
)
from handbook.views.links import Linker

_MEANINGS: Final = {
    "proposed": "Under discussion and not in force.",
    "accepted": "In force.",
    "rejected": "Considered and rejected. Kept so that the same question is not discussed twice.",
    "deprecated": "Not for new work. No decision replaces them.",
    "superseded": "Replaced by the later decision in the last column.",
    NOT_RECORDED: "Imported. Their source does not say which status they have.",
}
_STATUS_ORDER: Final = (
    "proposed",
    "accepted",
    "deprecated",
    "superseded",
    "rejected",
    NOT_RECORDED,
)


def adr_index(handbook: Handbook, page_address: str) -> str:
    """Render the index of decisions, with one table for each status in use."""
    adrs = handbook.of(Adr)
    linker = Linker(handbook, page_address)
    groups = [
        (
            status,
            _MEANINGS[status],
            sorted(
                (adr for adr in adrs if or_not_recorded(adr, adr.status) == status),
                key=lambda adr: adr.id,
                reverse=True,
            ),
        )
        for status in _STATUS_ORDER
    ]
    groups_in_use = [group for group in groups if group[2]]
    return render(
        "adr_index.md.j2",
        groups=groups_in_use,
        facets=[
            make_facet("Status", "status", (or_not_recorded(adr, adr.status) for adr in adrs)),
            make_facet(
                "Decider",
                "decider",
                (
                    name
                    for adr in adrs
                    for name in each_or_not_recorded(adr, linker.names(adr.deciders))
                ),
            ),
            make_facet("Tag", "tag", (tag for adr in adrs for tag in adr.tags)),
            make_facet("Service", "service", (id for adr in adrs for id in adr.services)),
        ],
        total=len(adrs),
        imports=count_imports(adrs),
        linker=linker,
        url=lambda adr: make_relative(handbook.url(adr.path) or "", page_address),
        get=lambda id: handbook.get(Adr, id),
    )
