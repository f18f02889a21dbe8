"""The parts of a runbook's or an alert's page that the on-call engineer needs.

The bar at the foot of a phone leads to the causes, the commands and the escalation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from handbook.handbook import Handbook
from handbook.reading.blocks import Heading
from handbook.records.alert import Alert
from handbook.records.runbook import CAUSES, ESCALATION, Runbook
from handbook.views import render
from handbook.views.links import PageLink


def runbook_bar(runbook: Runbook, page_url: str = "") -> str:
    """Render links to the parts of a runbook, with the names that its reader replaces.

    `page_url` is the address of the page with the runbook. It is "" if the bar is on this page.
    """
    links = [PageLink("", text, f"{page_url}#{heading.id}") for text, heading in _parts(runbook)]
    return render("runbook_bar.html.j2", links=links, names=runbook.command_names) if links else ""


def _parts(runbook: Runbook) -> Iterator[tuple[str, Heading]]:
    """Yield the name and the heading of each part that the runbook has."""
    if causes := runbook.find_section(CAUSES):
        yield "Causes", causes.heading
    if runbook.command_heading:
        yield "Commands", runbook.command_heading
    if escalation := runbook.find_section(ESCALATION):
        yield "Escalate", escalation.heading


def printed_source(handbook: Handbook, address: str, commit: str | None, day: str | None) -> str:
    """Render a line for paper: the address of a page, the commit and the day of its last change.

    `day` is None if the day is unknown.
    """
    site = handbook.settings.site_url.rstrip("/")
    return render("printed_source.html.j2", url=f"{site}/{address}", commit=commit, day=day)


@dataclass(frozen=True, slots=True)
class RankedRunbook:
    """A runbook of an alert. `reason` says why it is the first one, and is "" without a reason."""

    runbook: Runbook
    reason: str = ""


def rank_runbooks(handbook: Handbook, alert: Alert) -> tuple[RankedRunbook, ...]:
    """Return the runbooks of an alert, with the one for the triage first.

    This is the runbook that links to most of the others. If several do, or none does, it is the one
    that lists most alerts. If no runbook is ahead in either, the order of the paths decides.
    """
    runbooks = handbook.runbooks_of(alert)
    links = {
        runbook.path: len(
            {
                reference.target.path
                for reference in handbook.references_from(runbook)
                if reference.target in runbooks and reference.target is not runbook
            }
        )
        for runbook in runbooks
    }
    ranks = {runbook.path: (links[runbook.path], len(runbook.alerts)) for runbook in runbooks}
    ordered = sorted(runbooks, key=lambda runbook: ranks[runbook.path], reverse=True)
    if len(ordered) < 2:
        return tuple(map(RankedRunbook, ordered))
    first, *others = ordered
    reason = _explain(*ranks[first.path], *ranks[others[0].path], len(others))
    return RankedRunbook(first, reason), *map(RankedRunbook, others)


def _explain(links: int, alerts: int, next_links: int, next_alerts: int, others: int) -> str:
    """Return why a runbook is before the next one, or "" if only its path is."""
    if links > next_links:
        targets = f"{links} of the {others} others" if links < others else f"the {others} others"
        return f"Start here: it links to {targets if others > 1 else 'the other runbook'}."
    if alerts > next_alerts:
        return f"Start here: it handles {alerts} alerts, more than any other."
    return ""
