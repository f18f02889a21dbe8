"""The catalog of runbooks, and the page of an alert."""

from __future__ import annotations

from itertools import groupby

from markupsafe import escape

from handbook.handbook import Handbook
from handbook.reading.highlighting import highlight_code
from handbook.reading.ids import slug
from handbook.reading.render import Rendered, TocEntry
from handbook.reading.render import render as render_body
from handbook.records.alert import Alert
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.views import count_imports, make_facet, or_not_recorded, render
from handbook.views.facts import severity_tone
from handbook.views.links import Linker
from handbook.views.on_call import rank_runbooks, runbook_bar
from handbook.views.references import PageReferences
from handbook.views.teams import add_contacts


def runbook_catalog(handbook: Handbook, page_address: str) -> str:
    """Render the runbooks of each service, with their alerts."""
    linker = Linker(handbook, page_address)
    runbooks = sorted(handbook.of(Runbook), key=lambda runbook: runbook.id)
    services = [
        (name, handbook.get(Service, name), list(service_runbooks))
        for name, service_runbooks in groupby(runbooks, key=lambda runbook: runbook.service)
    ]
    return render(
        "runbook_catalog.md.j2",
        services=services,
        facets=[
            make_facet("Service", "service", (runbook.service for runbook in runbooks)),
            make_facet(
                "Severity",
                "severity",
                (or_not_recorded(runbook, runbook.severity) for runbook in runbooks),
            ),
            make_facet(
                "Owner", "owner", (or_not_recorded(runbook, runbook.owner) for runbook in runbooks)
            ),
            make_facet("Tag", "tag", (tag for runbook in runbooks for tag in runbook.tags)),
        ],
        imports=count_imports(runbooks),
        linker=linker,
        tone=lambda severity: severity_tone(handbook, severity),
    )


def alert_index(handbook: Handbook, page_address: str) -> str:
    """Render the alerts of all services, with their runbooks."""
    alerts = sorted(handbook.alerts, key=lambda alert: (alert.service, alert.name))
    rows = [
        (alert, handbook.get(Service, alert.service), handbook.runbooks_of(alert))
        for alert in alerts
    ]
    return render(
        "alert_index.md.j2",
        rows=rows,
        facets=[
            make_facet("Service", "service", (alert.service for alert in alerts)),
            make_facet(
                "Severity", "severity", (name for alert in alerts for name in alert.severities)
            ),
            make_facet("Owner", "owner", (service.owner for _, service, _ in rows if service)),
        ],
        linker=Linker(handbook, page_address),
    )


def alert_page(handbook: Handbook, alert: Alert) -> Rendered:
    """Render the page of an alert.

    If exactly one runbook lists the alert, the page includes the runbook. Otherwise it links to the
    runbooks, with the one for the triage first. A heading of the page has no id if the runbook
    already has a heading with this id.
    """
    page_address = handbook.address(alert)
    linker = Linker(handbook, page_address)
    service = handbook.get(Service, alert.service)
    ranked_runbooks = rank_runbooks(handbook, alert)
    runbooks = [ranked.runbook for ranked in ranked_runbooks]
    article = None
    if len(runbooks) == 1:
        references = PageReferences(
            handbook, runbooks[0].path, page_address, runbooks[0].source.anchors_below_title
        )
        article = render_body(runbooks[0].source, references, without_title=True)
    article_ids = article.ids if article else frozenset()
    incidents = handbook.incidents_of(alert)
    sections = [
        ("title", slug(alert.name, "-"), 1, alert.name),
        ("when", "when", 2, "When it fires"),
    ]
    sections += [("incidents", "incidents", 2, "Incidents")] if incidents else []
    ids = {key: None if id in article_ids else id for key, id, _, _ in sections}
    html = render(
        "alert.html.j2",
        alert=alert,
        service=service,
        channel=handbook.settings.team(service.owner).channel if service else None,
        on_call=linker.on_call(handbook.on_call_of(service)) if service else None,
        ranked_runbooks=ranked_runbooks,
        reviewed=runbooks[0].reviewed if article else None,
        bar=runbook_bar(runbooks[0], "" if article else linker.url(runbooks[0]))
        if runbooks
        else "",
        article=add_contacts(linker, runbooks[0], article.html) if article else "",
        incidents=incidents,
        ids=ids,
        highlight=lambda expression: highlight_code(f"{expression}\n", "promql"),
        linker=linker,
    )
    title, *other_entries = (
        TocEntry(level, id, str(escape(text))) for _, id, level, text in sections
    )
    headings = (title, *(article.headings if article else ()), *other_entries)
    return Rendered(html, headings, frozenset(article_ids | {id for _, id, _, _ in sections}))
