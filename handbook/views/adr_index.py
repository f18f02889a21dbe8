"""The index of decisions, grouped by status."""

from __future__ import annotations

from typing import Final

from handbook.handbook import Handbook
from handbook.reading.addresses import make_relative
from handbook.records.adr import Adr
from handbook.views import make_facet, render
from handbook.views.links import Linker

_MEANINGS: Final = {
    "proposed": "Under discussion and not in force.",
    "accepted": "In force.",
    "rejected": "Considered and rejected. Kept so that the same question is not discussed twice.",
    "deprecated": "Not for new work. No decision replaces them.",
    "superseded": "Replaced by the later decision in the last column.",
}
_STATUS_ORDER: Final = ("proposed", "accepted", "deprecated", "superseded", "rejected")


def adr_index(handbook: Handbook, page_address: str) -> str:
    """Render the index of decisions, with one table for each status in use."""
    adrs = handbook.of(Adr)
    groups = [
        (
            status,
            _MEANINGS[status],
            sorted(
                (adr for adr in adrs if adr.status == status), key=lambda adr: adr.id, reverse=True
            ),
        )
        for status in _STATUS_ORDER
    ]
    groups_in_use = [group for group in groups if group[2]]
    return render(
        "adr_index.md.j2",
        groups=groups_in_use,
        facets=[
            make_facet("Status", "status", (adr.status for adr in adrs)),
            make_facet("Decider", "decider", (team for adr in adrs for team in adr.deciders)),
            make_facet("Tag", "tag", (tag for adr in adrs for tag in adr.tags)),
            make_facet("Service", "service", (id for adr in adrs for id in adr.services)),
        ],
        total=len(adrs),
        linker=Linker(handbook, page_address),
        url=lambda adr: make_relative(handbook.url(adr.path) or "", page_address),
        get=lambda id: handbook.get(Adr, id),
    )
