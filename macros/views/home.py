"""What the home page lists: where to go when something is broken, and what changed lately; and everything, A to Z."""

from __future__ import annotations

from macros.handbook import Handbook
from macros.records import Record
from macros.records.adr import Adr
from macros.records.kinds import RECORDS
from macros.records.postmortem import Postmortem
from macros.records.runbook import Runbook
from macros.records.service import Service
from macros.records.standard import Standard
from macros.views import render
from macros.views.links import Linker


def broken(handbook: Handbook, here: str) -> str:
    """The HTML of a list by service: who is on call, its alerts, and the runbooks that no alert leads to."""
    services = sorted(handbook.of(Service), key=lambda service: (service.tier or 9, service.id))
    rows = [
        (
            service,
            [alert for alert in handbook.alerts if alert.service == service.id],
            [runbook for runbook in handbook.of(Runbook) if runbook.service == service.id],
        )
        for service in services
    ]
    known = [row for row in rows if row[1] or row[2]]
    return render("broken.html.j2", rows=known, runbooks_of=handbook.runbooks_of, linker=Linker(handbook, here))


def recent(handbook: Handbook, here: str, most: int = 6) -> str:
    """The HTML of the `most` records that changed last, by their own dates."""
    phrases: dict[type[Record], str] = {Adr: "", Postmortem: "published", Standard: "reviewed"}
    found = [
        (record.changed, record.id, record, getattr(record, "status", None) or phrases[kind])
        for kind in phrases
        for record in handbook.of(kind)
        if record.changed
    ]
    found.sort(key=lambda row: row[:2], reverse=True)
    rows = [(day, record, word) for day, _, record, word in found[:most]]
    return render("recent.html.j2", rows=rows, linker=Linker(handbook, here))


def everything(handbook: Handbook, here: str) -> str:
    """Markdown: every record by kind, A to Z, and every alert and item of the checklist."""
    kinds = [(kind.plural, sorted(handbook.of(kind), key=lambda record: record.title.casefold())) for kind in RECORDS]
    alerts = sorted(handbook.alerts, key=lambda alert: alert.name.casefold())
    return render("everything.md.j2", kinds=kinds, alerts=alerts, items=handbook.items, linker=Linker(handbook, here))
