"""What a record refers to, and what refers to it, at the end of its page."""

from __future__ import annotations

from collections.abc import Iterable

from handbook.handbook import Handbook, Reference
from handbook.records import Entity, Record
from handbook.records.postmortem import Postmortem
from handbook.views import render
from handbook.views.links import Linker, PageLink

_PHRASES = {
    "alerts": ("answers", "answered by"),
    "fired": ("noticed by", "fired in"),
    "runbooks": ("followed", "followed in"),
    "services": ("concerns", "concerned by"),
    "depends_on": ("depends on", "needed by"),
    "standards": ("rests on", "applied by"),
    "adrs": ("bears on", "borne on by"),
    "folder": ("runbook of", "has runbook"),
    "alert": ("alert of", "has alert"),
    "audit": ("audit of", "audited in"),
    "waiver": ("waived by", "waives in"),
    "supersedes": ("supersedes", "superseded by"),
    "superseded_by": ("superseded by", "supersedes"),
    "amends": ("amends", "amended by"),
    "text": ("", ""),  # the heading says it
}


_SHOWN_ABOVE = ("alert", "audit", "folder")  # what the page of a service sets out by itself


def backlinks(handbook: Handbook, record: Record) -> str:
    """The HTML of both directions, each record or page once with every way in which it is tied; "" for none."""
    linker = Linker(handbook, handbook.address(record))
    outward = _ties(linker, ((ref.target, _phrase(ref, 0)) for ref in handbook.referred_from(record)))
    naming = (ref for ref in handbook.referring_to(record) if ref.via not in _SHOWN_ABOVE)
    inward = _ties(linker, ((ref.source, _phrase(ref, 1)) for ref in naming))
    return render("backlinks.html.j2", outward=outward, inward=inward) if outward or inward else ""


def _phrase(reference: Reference, side: int) -> str:
    via = "fired" if reference.via == "alerts" and isinstance(reference.source, Postmortem) else reference.via
    return _PHRASES.get(via, (via, via))[side]


def _ties(linker: Linker, pairs: Iterable[tuple[Entity, str]]) -> list[tuple[PageLink, str]]:
    ways: dict[tuple[str, str], tuple[Entity, list[str]]] = {}
    for entity, phrase in pairs:
        known = ways.setdefault((entity.kind, entity.id), (entity, []))[1]
        if phrase and phrase not in known:
            known.append(phrase)
    return [(linker.to(entity), ", ".join(phrases)) for entity, phrases in ways.values()]
