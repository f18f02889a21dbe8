"""The catalog of runbooks, and the page of an alert."""

from __future__ import annotations

from itertools import groupby

from markupsafe import escape

from handbook.handbook import Handbook
from handbook.reading.highlighting import code_block
from handbook.reading.ids import slug
from handbook.reading.render import Rendered, TocEntry
from handbook.reading.render import render as render_body
from handbook.records.alert import Alert
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.views import facet, render
from handbook.views.facts import severity_tone
from handbook.views.links import Linker
from handbook.views.references import PageReferences


def runbook_catalog(handbook: Handbook, here: str) -> str:
    """Markdown: the runbooks of each service, with the alerts that lead to them."""
    linker = Linker(handbook, here)
    runbooks = sorted(handbook.of(Runbook), key=lambda runbook: runbook.id)
    services = [
        (name, handbook.get(Service, name), list(own))
        for name, own in groupby(runbooks, key=lambda each: each.service)
    ]
    return render(
        "runbook_catalog.md.j2",
        services=services,
        facets=[
            facet("Service", "service", (runbook.service for runbook in runbooks)),
            facet("Severity", "severity", (runbook.severity for runbook in runbooks)),
            facet("Owner", "owner", (runbook.owner for runbook in runbooks)),
            facet("Tag", "tag", (tag for runbook in runbooks for tag in runbook.tags)),
        ],
        linker=linker,
        tone=lambda severity: severity_tone(handbook, severity),
    )


def alert_page(handbook: Handbook, alert: Alert) -> Rendered:
    """The page of an alert: the article of its runbook. Where several runbooks list it, the page links to them.

    An id that the runbook has already is not given again.
    """
    here = handbook.address(alert)
    runbooks = handbook.runbooks_of(alert)
    article = None
    if len(runbooks) == 1:
        references = PageReferences(
            handbook, runbooks[0].path, here, runbooks[0].source.anchors_below_title
        )
        article = render_body(runbooks[0].source, references, without_title=True)
    taken = article.ids if article else frozenset()
    incidents = handbook.incidents_of(alert)
    sections = [
        ("title", slug(alert.name, "-"), 1, alert.name),
        ("when", "when", 2, "When it fires"),
    ]
    sections += [("incidents", "incidents", 2, "Incidents")] if incidents else []
    ids = {key: None if id in taken else id for key, id, _, _ in sections}
    html = render(
        "alert.html.j2",
        alert=alert,
        service=handbook.get(Service, alert.service),
        runbooks=runbooks,
        article=article,
        incidents=incidents,
        ids=ids,
        expression=code_block(f"{alert.expr}\n", "promql"),
        linker=Linker(handbook, here),
    )
    title, *others = (TocEntry(level, id, str(escape(text))) for _, id, level, text in sections)
    headings = (title, *(article.headings if article else ()), *others)
    return Rendered(html, headings, frozenset(taken | {id for _, id, _, _ in sections}))
