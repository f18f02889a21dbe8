"""The index of decisions, grouped by status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup

from handbook.handbook import Handbook
from handbook.reading.addresses import make_relative
from handbook.records.adr import Adr
from handbook.views import (
    NOT_RECORDED,
    TONES,
    Keep,
    Rows,
    count_imports,
    each_or_not_recorded,
    make_facet,
    make_now,
    or_not_recorded,
    render,
)
from handbook.views.drawings import Share, shares
from handbook.views.links import Linker
from handbook.views.tags import link_tags

_MEANINGS: Final = {
    "proposed": "Under discussion and not in force.",
    "accepted": "In force.",
    "rejected": "Considered and rejected. Kept so that the same question is not discussed twice.",
    "deprecated": "Not for new work. No decision replaces them.",
    "superseded": "No longer in force. Each row names the later decision.",
    NOT_RECORDED: "Imported. Their source does not say which status they have.",
}
STATUS_ORDER: Final = (
    "proposed",
    "accepted",
    "deprecated",
    "superseded",
    "rejected",
    NOT_RECORDED,
)
"""The order of the statuses on the index and in the menu."""


def find_year(adr: Adr) -> str:
    """Return the year in which a decision was made or proposed, or "not recorded".

    It is the year of its first decided status, or else of its date.
    """
    decided = (event.day for event in adr.events if event.change in ("accepted", "rejected"))
    day = next(decided, adr.date)
    return f"{day.year}" if day else NOT_RECORDED


@dataclass(frozen=True, slots=True)
class Year:
    """The decisions of a year: their number for each status in use, and a drawing of them."""

    name: str
    counts: tuple[int, ...]
    total: int
    drawing: Markup


def _count_years(adrs: Sequence[Adr]) -> tuple[tuple[str, ...], list[Year]]:
    """Return the statuses in use, and the years from the newest to the oldest."""
    counts = Counter((find_year(adr), or_not_recorded(adr, adr.status)) for adr in adrs)
    statuses = tuple(status for status in STATUS_ORDER if any(status == used for _, used in counts))
    names = sorted({year for year, _ in counts}, key=lambda year: (year != NOT_RECORDED, year))
    most = max((sum(counts[name, status] for status in statuses) for name in names), default=0)
    years = []
    for name in reversed(names):
        numbers = tuple(counts[name, status] for status in statuses)
        bars = [
            Share(status, number, TONES.get(status, "note"))
            for status, number in zip(statuses, numbers, strict=True)
        ]
        years.append(Year(name, numbers, sum(numbers), shares(bars, most)))
    return statuses, years


def adr_index(handbook: Handbook, page_address: str, keep: Keep = make_now) -> str:
    """Render the index of decisions, with one table for each status in use."""
    adrs = handbook.of(Adr)
    linker = Linker(handbook, page_address)
    groups = [
        (
            status,
            _MEANINGS[status],
            sorted(
                (adr for adr in adrs if or_not_recorded(adr, adr.status) == status),
                key=lambda adr: (adr.date or date.min, adr.id),
                reverse=True,
            ),
        )
        for status in STATUS_ORDER
    ]
    groups_in_use = [group for group in groups if group[2]]
    return render(
        "adr_index.md.j2",
        groups=groups_in_use,
        rows=Rows(keep, ("adr_index", page_address)),
        facets=[
            make_facet("Status", "status", (or_not_recorded(adr, adr.status) for adr in adrs)),
            make_facet("Year", "year", map(find_year, adrs)),
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
        years=_count_years(adrs),
        year=find_year,
        total=len(adrs),
        imports=count_imports(adrs),
        linker=linker,
        link_tags=lambda adr: link_tags(adr.tags, linker),
        url=lambda adr: make_relative(handbook.url(adr.path) or "", page_address),
        get=lambda id: handbook.get(Adr, id),
    )
