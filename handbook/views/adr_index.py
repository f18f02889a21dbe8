"""The index of decisions, grouped by status."""

from __future__ import annotations

from typing import Final

from handbook.handbook import Handbook
from handbook.reading.addresses import relative
from handbook.records.adr import Adr
from handbook.views import facet, render
from handbook.views.links import Linker

_MEANING: Final = {
    "proposed": "Under discussion; nothing follows from them yet.",
    "accepted": "In force.",
    "rejected": "Weighed and turned down; kept so that the question need not be asked again.",
    "deprecated": "No longer to be followed in new work; nothing has replaced them.",
    "superseded": "Replaced by a later decision, which is named.",
}
_ORDER: Final = ("proposed", "accepted", "deprecated", "superseded", "rejected")


def adr_index(handbook: Handbook, here: str) -> str:
    """Markdown for the index: a line of counts, then a section with a table for each status that a decision has."""
    adrs = handbook.of(Adr)
    groups = [
        (
            status,
            _MEANING[status],
            sorted(
                (adr for adr in adrs if adr.status == status), key=lambda adr: adr.id, reverse=True
            ),
        )
        for status in _ORDER
    ]
    present = [group for group in groups if group[2]]
    return render(
        "adr_index.md.j2",
        groups=present,
        facets=[
            facet("Status", "status", (adr.status for adr in adrs)),
            facet("Decider", "decider", (team for adr in adrs for team in adr.deciders)),
            facet("Tag", "tag", (tag for adr in adrs for tag in adr.tags)),
            facet("Service", "service", (id for adr in adrs for id in adr.services)),
        ],
        total=len(adrs),
        linker=Linker(handbook, here),
        url=lambda adr: relative(handbook.url(adr.path) or "", here),
        get=lambda id: handbook.get(Adr, id),
    )
