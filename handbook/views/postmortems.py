"""The archive of post-mortems with statistics, and the list of all actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from statistics import median

from markupsafe import Markup

from handbook.handbook import Handbook
from handbook.records.postmortem import Action, Postmortem
from handbook.views import count_imports, duration, make_facet, or_not_recorded, render
from handbook.views.drawings import dots, timeline
from handbook.views.due import STATES
from handbook.views.facts import severity_tone
from handbook.views.links import Linker


def percentile(values: Sequence[timedelta], share: float) -> timedelta:
    """Return a percentile of values by nearest rank. `share` is 0.9 for the 90th percentile.

    Raises ValueError if there are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = max(1, -(-int(share * 100) * len(ordered) // 100))
    return ordered[rank - 1]


def figures(postmortems: Sequence[Postmortem]) -> list[dict[str, str | int]]:
    """Return the statistics of each duration: formula, count, median and 90th percentile."""
    rows: list[dict[str, str | int]] = []
    for index, first in enumerate(postmortems[0].durations if postmortems else ()):
        values = [
            value
            for postmortem in postmortems
            if (value := postmortem.durations[index].value) is not None
        ]
        rows.append(
            {
                "name": first.name,
                "formula": first.formula,
                "n": len(values),
                "median": duration(
                    timedelta(seconds=median(value.total_seconds() for value in values))
                )
                if values
                else "n/a",
                "p90": duration(percentile(values, 0.9)) if values else "n/a",
            }
        )
    return rows


def _charts(published_postmortems: Sequence[Postmortem]) -> Iterator[Markup]:
    """Draw one chart of the times to mitigate, and one of the times to resolve, to one scale."""
    values_by_name: dict[str, list[timedelta]] = {}
    for postmortem in published_postmortems:
        for item in postmortem.durations[2:4]:
            if item.value:
                values_by_name.setdefault(item.name, []).append(item.value)
    every_value = [value for values in values_by_name.values() for value in values]
    for name, values in values_by_name.items():
        yield dots(name.capitalize(), values, every_value)


def postmortem_archive(handbook: Handbook, page_address: str) -> str:
    """Render all post-mortems, newest first, and statistics of the published post-mortems."""
    postmortems = sorted(
        handbook.of(Postmortem), key=lambda postmortem: postmortem.id, reverse=True
    )
    published_postmortems = [record for record in postmortems if record.status == "published"]
    return render(
        "postmortem_archive.md.j2",
        postmortems=postmortems,
        figures=figures(published_postmortems),
        charts=list(_charts(published_postmortems)),
        facets=[
            make_facet(
                "Severity",
                "severity",
                (or_not_recorded(record, record.severity) for record in postmortems),
            ),
            make_facet(
                "Service", "service", (id for record in postmortems for id in record.services)
            ),
            make_facet(
                "Cause",
                "cause",
                (or_not_recorded(record, record.caused_by) for record in postmortems),
            ),
            make_facet("Year", "year", (record.id[:4] for record in postmortems)),
        ],
        imports=count_imports(postmortems),
        linker=Linker(handbook, page_address),
        tone=lambda severity: severity_tone(handbook, severity),
    )


def durations(postmortem: Postmortem) -> str:
    """Render the durations of an incident, and a timeline of its moments.

    The result is "" for an imported post-mortem without a duration.
    """
    if postmortem.is_imported and not any(item.value for item in postmortem.durations):
        return ""
    moments = ("started", "detected", "acknowledged", "mitigated", "resolved")
    points = [(at, label) for label in moments if (at := getattr(postmortem, label)) is not None]
    return render("durations.html.j2", durations=postmortem.durations, timeline=timeline(points))


def _cells(
    rows: Iterable[tuple[Postmortem, Action]], name: str
) -> Iterator[tuple[Postmortem, str]]:
    """Yield a value of each action, with its post-mortem."""
    return ((postmortem, getattr(action, name)) for postmortem, action in rows)


def actions(handbook: Handbook, page_address: str) -> str:
    """Render the list of all actions. Open actions come first."""
    rows = [
        (postmortem, action)
        for postmortem in handbook.of(Postmortem)
        for action in postmortem.actions
    ]
    rows.sort(key=lambda row: (not row[1].is_open, str(row[1].due), row[0].id, row[1].line))
    facets = [
        make_facet("Status", "status", (or_not_recorded(*row) for row in _cells(rows, "status"))),
        make_facet("Owner", "owner", (or_not_recorded(*row) for row in _cells(rows, "owner"))),
        make_facet(
            "Service", "service", (id for postmortem, _ in rows for id in postmortem.services)
        ),
    ]
    return render(
        "actions.md.j2",
        rows=rows,
        facets=facets,
        states=STATES,
        linker=Linker(handbook, page_address),
    )
