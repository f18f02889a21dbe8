"""The archive of post-mortems, what each says in figures, and every action of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from statistics import median

from markupsafe import Markup

from handbook.handbook import Handbook
from handbook.records.postmortem import Postmortem
from handbook.views import duration, facet, render
from handbook.views.drawings import dots, timeline
from handbook.views.facts import severity_tone
from handbook.views.links import Linker


def percentile(values: Sequence[timedelta], share: float) -> timedelta:
    """The value that a share of the values does not exceed: the nearest rank. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = max(1, -(-int(share * 100) * len(ordered) // 100))
    return ordered[rank - 1]


def figures(postmortems: Sequence[Postmortem]) -> list[dict[str, str | int]]:
    """For each duration: its formula, of how many incidents it is known, its median and its 90th percentile."""
    rows: list[dict[str, str | int]] = []
    for index, first in enumerate(postmortems[0].durations if postmortems else ()):
        known = [
            value for each in postmortems if (value := each.durations[index].value) is not None
        ]
        rows.append(
            {
                "name": first.name,
                "formula": first.formula,
                "n": len(known),
                "median": duration(
                    timedelta(seconds=median(value.total_seconds() for value in known))
                )
                if known
                else "n/a",
                "p90": duration(percentile(known, 0.9)) if known else "n/a",
            }
        )
    return rows


def _charts(published: Sequence[Postmortem]) -> Iterator[Markup]:
    """The time to mitigate and that to resolve, each as dots with their median."""
    for index in (2, 3):
        known = [
            (each.durations[index].name, value)
            for each in published
            if (value := each.durations[index].value)
        ]
        yield dots(known[0][0].capitalize() if known else "", [value for _, value in known])


def postmortem_archive(handbook: Handbook, here: str) -> str:
    """Markdown: the incidents, the newest first, with their computed durations, and the figures over all published."""
    postmortems = sorted(handbook.of(Postmortem), key=lambda each: each.id, reverse=True)
    published = [each for each in postmortems if each.status == "published"]
    return render(
        "postmortem_archive.md.j2",
        postmortems=postmortems,
        figures=figures(published),
        charts=list(_charts(published)),
        facets=[
            facet("Severity", "severity", (each.severity for each in postmortems)),
            facet("Service", "service", (id for each in postmortems for id in each.services)),
            facet("Cause", "cause", (each.caused_by for each in postmortems)),
            facet("Year", "year", (each.id[:4] for each in postmortems)),
        ],
        linker=Linker(handbook, here),
        tone=lambda severity: severity_tone(handbook, severity),
    )


def durations(postmortem: Postmortem) -> str:
    """The HTML of an incident's own durations, each with its formula, and of its moments on a line."""
    words = ("started", "detected", "acknowledged", "mitigated", "resolved")
    points = [(at, word) for word in words if (at := getattr(postmortem, word)) is not None]
    return render("durations.html.j2", durations=postmortem.durations, timeline=timeline(points))


def actions(handbook: Handbook, here: str) -> str:
    """Markdown: every action of every post-mortem, the open ones first, each at its permanent address."""
    rows = [
        (postmortem, action)
        for postmortem in handbook.of(Postmortem)
        for action in postmortem.actions
    ]
    rows.sort(key=lambda row: (not row[1].open, str(row[1].due), row[0].id, row[1].line))
    facets = [
        facet("Status", "status", (action.status for _, action in rows)),
        facet("Owner", "owner", (action.owner for _, action in rows)),
        facet("Service", "service", (id for postmortem, _ in rows for id in postmortem.services)),
    ]
    return render("actions.md.j2", rows=rows, facets=facets, linker=Linker(handbook, here))
