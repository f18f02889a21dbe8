"""The home page, and the page "A to Z" with all records, alerts and checklist items."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from handbook.handbook import Handbook
from handbook.records import Page, Record
from handbook.records.adr import Adr
from handbook.records.alert import Alert
from handbook.records.kinds import RECORDS
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.settings import Settings, find_nested, read_settings
from handbook.views import render
from handbook.views.due import count_dates, list_deadlines
from handbook.views.keys import SEARCHED
from handbook.views.links import Linker, PageLink
from handbook.views.rules_reference import link_families

_MAX_SERVICES: Final = 6
_MAX_UNFOLDED_ALERTS: Final = 15
"""The home page shows the names of so many alerts; more are folded below their services."""
_MAX_OF_A_KIND: Final = 2
"""How many changes of each kind of record the home page shows."""


def home(handbook: Handbook, page_address: str) -> str:
    """Render the home page, with the first services, their alerts, and the latest changes."""
    alerts: dict[str, list[Alert]] = {}
    for alert in sorted(handbook.alerts, key=lambda alert: alert.name):
        alerts.setdefault(alert.service, []).append(alert)
    deadlines = list_deadlines(handbook)
    linker = Linker(handbook, page_address)
    return render(
        "home.html.j2",
        about=_describe_organisation(handbook.settings),
        services=[
            (service, alerts.get(service.id, []), linker.on_call(handbook.on_call_of(service)))
            for service in first_services(handbook)
        ],
        unfolded=len(handbook.alerts) <= _MAX_UNFOLDED_ALERTS,
        counts=handbook.entity_counts,
        items=len(handbook.checklist_items),
        rows=_recent_changes(handbook),
        due=len(deadlines),
        dates=count_dates(deadlines),
        linker=linker,
    )


def _describe_organisation(settings: Settings) -> str:
    """Return the setting `site_description` with a full stop at its end, or "" without it."""
    text = " ".join(settings.site_description.split())
    return f"{text}." if text and text[-1] not in ".!?" else text


def first_services(handbook: Handbook) -> list[Service]:
    """Return the services of "Something is broken": those with alerts, then by their tier.

    A service without an alert and without a runbook does not help then.
    """
    watched = {alert.service for alert in handbook.alerts}
    helpful = {*watched, *(runbook.service for runbook in handbook.of(Runbook))}
    services = sorted(
        (service for service in handbook.of(Service) if service.id in helpful),
        key=lambda service: (service.id not in watched, service.tier or 9, service.id),
    )
    return services[:_MAX_SERVICES]


def list_contacts(handbook: Handbook) -> list[Mapping[str, str]]:
    """Return the title, address and on-call rota of the first services, for the page 404.

    `rota_url` is "" if the rota is not an address.
    """
    contacts: list[Mapping[str, str]] = []
    for service in first_services(handbook):
        rota = Linker(handbook, "").on_call(handbook.on_call_of(service))
        contacts.append(
            {
                "title": service.title,
                "address": handbook.address(service),
                "rota": rota.title if isinstance(rota, PageLink) else rota or "",
                "rota_url": rota.url if isinstance(rota, PageLink) else "",
            }
        )
    return contacts


def list_nested_sites(handbook: Handbook) -> Mapping[str, str]:
    """Return the address and the name of each nested site, for the page 404."""
    nested = find_nested(handbook.settings, handbook.root)
    return {f"{folder}/": read_settings(root).site_name for folder, root in nested.items()}


def _recent_changes(handbook: Handbook) -> list[tuple[date, Record, str]]:
    """Return the latest changes of each kind: date, record, and a word for the change.

    The newest come first, but decisions come last: they explain, and the others tell what to do.
    """
    rows: list[tuple[date, Record, str]] = []
    for kind in RECORDS:
        if kind.change_word is None:
            continue
        changes = [
            (record.changed, record, getattr(record, "status", None) or kind.change_word)
            for record in handbook.of(kind)
            if record.changed
        ]
        changes.sort(key=lambda row: (row[0], row[1].id), reverse=True)
        rows += changes[:_MAX_OF_A_KIND]
    return sorted(rows, key=lambda row: (isinstance(row[1], Adr), -row[0].toordinal()))


def _list_pages(handbook: Handbook, linker: Linker) -> list[PageLink]:
    """Return links to the pages without a kind, except the list itself and the pages of teams."""
    pages = [
        linker.to(page)
        for page in handbook.of(Page)
        if page.title
        and handbook.address(page) != linker.page_address
        and not handbook.find_team(handbook.address(page))
    ]
    return [*pages, *link_families(handbook, linker)]


def everything(handbook: Handbook, page_address: str) -> str:
    """Render the list of all that the search finds, in alphabetical order."""
    linker = Linker(handbook, page_address)
    lists = [
        (title, sorted(links, key=lambda link: link.title.casefold()))
        for title, links in [
            *((kind.list_title, map(linker.to, handbook.of(kind))) for kind in RECORDS),
            ("Pages", _list_pages(handbook, linker)),
        ]
    ]
    alerts = sorted(handbook.alerts, key=lambda alert: alert.name.casefold())
    return render(
        "everything.md.j2",
        lists=lists,
        alerts=alerts,
        items=handbook.checklist_items,
        kinds=SEARCHED,
        linker=linker,
        teams=linker.people(sorted(handbook.settings.organisation.teams, key=str.casefold)),
    )
