"""The catalog of runbooks, and the page of an alert."""

from __future__ import annotations

from itertools import groupby

from handbook.handbook import Handbook
from handbook.records.alert import Alert
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.views import facet, fence, render
from handbook.views.facts import severity_tone
from handbook.views.links import Linker


def runbook_catalog(handbook: Handbook, here: str) -> str:
    """Markdown: the runbooks of each service, with the alerts that lead to them."""
    linker = Linker(handbook, here)
    runbooks = sorted(handbook.of(Runbook), key=lambda runbook: runbook.id)
    services = [
        (name, handbook.get(Service, name), list(own)) for name, own in groupby(runbooks, key=lambda each: each.service)
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


def alert_page(handbook: Handbook, alert: Alert) -> str:
    """The Markdown of an alert's page: it leads to its runbook, cause by cause."""
    linker = Linker(handbook, handbook.address(alert))
    return render(
        "alert.md.j2",
        alert=alert,
        service=handbook.get(Service, alert.service),
        runbooks=handbook.runbooks_of(alert),
        incidents=handbook.incidents_of(alert),
        linker=linker,
        fence=fence,
    )
