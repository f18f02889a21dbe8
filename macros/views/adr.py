"""What stands around the text of a decision: what it is, when, by whom, and what it has to do with others."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from macros.handbook import Handbook
from macros.records.adr import Adr
from macros.views import relative, render


@dataclass(frozen=True, slots=True)
class Named:
    """A link as it is shown."""

    id: str
    title: str
    url: str


def facts(handbook: Handbook, adr: Adr) -> str:
    """The HTML above the text of a decision: number, status, dates, deciders, tags and the decisions it is tied to."""
    here = handbook.url(adr.path) or ""
    relations = [
        (label, [named for id in ids if (named := _named(handbook, id, here))])
        for label, ids in (
            ("Superseded by", adr.superseded_by),
            ("Supersedes", adr.supersedes),
            ("Amends", adr.amends),
            ("Amended by", _amended_by(handbook, adr)),
        )
    ]
    history = [change for change in adr.history if change.status and change.date]
    shown = [(label, links) for label, links in relations if links]
    return render("adr_facts.html.j2", adr=adr, relations=shown, history=history, index=relative("adr/", here))


def _amended_by(handbook: Handbook, adr: Adr) -> list[str]:
    return [ref.source.id for ref in handbook.referring_to(adr) if ref.via == "amends" and isinstance(ref.source, Adr)]


def _named(handbook: Handbook, id: str, here: str) -> Named | None:
    other = handbook.get(Adr, id)
    return Named(id, other.title, relative(handbook.url(other.path) or "", here)) if other else None


def newest_first(adrs: tuple[Adr, ...]) -> list[Adr]:
    """Decisions by the day of their status, the newest first; those of one day by number, the highest first."""
    known = sorted((adr for adr in adrs if adr.date), key=lambda adr: (adr.date, adr.id), reverse=True)
    return list(chain(known, (adr for adr in adrs if not adr.date)))
