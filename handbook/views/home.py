"""The home page, and the page "A to Z" with all records, alerts and checklist items."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Final

from handbook.handbook import Handbook
from handbook.records import Record
from handbook.records.kinds import RECORDS
from handbook.records.service import Service
from handbook.views import render
from handbook.views.due import count_dates, list_deadlines
from handbook.views.links import Linker

_MAX_ROWS: Final = 6


def home(handbook: Handbook, page_address: str) -> str:
    """Render the home page, with the first services and the latest changes."""
    services = sorted(handbook.of(Service), key=lambda service: (service.tier or 9, service.id))
    alerts = Counter(alert.service for alert in handbook.alerts)
    deadlines = list_deadlines(handbook)
    linker = Linker(handbook, page_address)
    return render(
        "home.html.j2",
        services=[
            (service, alerts[service.id], linker.on_call(handbook.on_call_of(service)))
            for service in services[:_MAX_ROWS]
        ],
        counts=handbook.entity_counts,
        items=len(handbook.checklist_items),
        rows=_recent_changes(handbook, _MAX_ROWS),
        due=len(deadlines),
        dates=count_dates(deadlines),
        linker=linker,
    )


def _recent_changes(handbook: Handbook, limit: int) -> list[tuple[date, Record, str]]:
    """Return the latest changes, newest first: date, record, and a word for the change."""
    changes = [
        (
            record.changed,
            f"{position} {record.id}",
            record,
            getattr(record, "status", None) or kind.change_word,
        )
        for position, kind in enumerate(RECORDS)
        if kind.change_word is not None
        for record in handbook.of(kind)
        if record.changed
    ]
    changes.sort(key=lambda row: row[:2], reverse=True)
    return [(day, record, change) for day, _, record, change in changes[:limit]]


def everything(handbook: Handbook, page_address: str) -> str:
    """Render the list of all records, alerts and checklist items, in alphabetical order."""
    lists = [
        (kind.list_title, sorted(handbook.of(kind), key=lambda record: record.title.casefold()))
        for kind in RECORDS
    ]
    alerts = sorted(handbook.alerts, key=lambda alert: alert.name.casefold())
    linker = Linker(handbook, page_address)
    return render(
        "everything.md.j2",
        lists=lists,
        alerts=alerts,
        items=handbook.checklist_items,
        linker=linker,
        teams=linker.people(sorted(handbook.settings.organisation.teams, key=str.casefold)),
    )
