"""The home page, and the list of everything from A to Z."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Final

from handbook.handbook import Handbook
from handbook.records import Record
from handbook.records.kinds import RECORDS
from handbook.records.service import Service
from handbook.views import render
from handbook.views.links import Linker

_FEW: Final = 6


def home(handbook: Handbook, here: str) -> str:
    """The HTML of the home page: what this is, the search, and the three questions that readers come with."""
    services = sorted(handbook.of(Service), key=lambda service: (service.tier or 9, service.id))
    alerts = Counter(alert.service for alert in handbook.alerts)
    return render(
        "home.html.j2",
        services=[(service, alerts[service.id]) for service in services[:_FEW]],
        counts=handbook.counts,
        items=len(handbook.items),
        rows=_recent(handbook, _FEW),
        linker=Linker(handbook, here),
    )


def _recent(handbook: Handbook, most: int) -> list[tuple[date, Record, str]]:
    """The records that changed last, by their own dates: the day, the record, and what happened."""
    found = [
        (
            record.changed,
            f"{place} {record.id}",
            record,
            getattr(record, "status", None) or kind.change_word,
        )
        for place, kind in enumerate(RECORDS)
        if kind.change_word is not None
        for record in handbook.of(kind)
        if record.changed
    ]
    found.sort(key=lambda row: row[:2], reverse=True)
    return [(day, record, word) for day, _, record, word in found[:most]]


def everything(handbook: Handbook, here: str) -> str:
    """Markdown: every record by kind, A to Z, and every alert and item of the checklist."""
    lists = [
        (kind.list_title, sorted(handbook.of(kind), key=lambda record: record.title.casefold()))
        for kind in RECORDS
    ]
    alerts = sorted(handbook.alerts, key=lambda alert: alert.name.casefold())
    return render(
        "everything.md.j2",
        lists=lists,
        alerts=alerts,
        items=handbook.items,
        linker=Linker(handbook, here),
    )
