"""What a record refers to, and what refers to it, at the end of its page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from handbook.handbook import Handbook, Reference
from handbook.records import Entity, Record, Tie
from handbook.views import render
from handbook.views.links import Linker, PageLink

_IN_TEXT: Final = Tie("", "")
"""A reference from the text has no words of its own: the heading of the list says it."""

_SHOWN_ABOVE = ("alert", "audit", "folder")  # what the page of a service sets out by itself


def backlinks(handbook: Handbook, record: Record) -> str:
    """The HTML of both directions, each record or page once with every way in which it is tied; "" for none."""
    linker = Linker(handbook, handbook.address(record))
    outward = _ties(
        linker, ((ref.target, _tie(ref).outward) for ref in handbook.referred_from(record))
    )
    naming = (ref for ref in handbook.referring_to(record) if ref.via not in _SHOWN_ABOVE)
    inward = _ties(linker, ((ref.source, _tie(ref).inward) for ref in naming))
    return render("backlinks.html.j2", outward=outward, inward=inward) if outward or inward else ""


def _tie(reference: Reference) -> Tie:
    """The words for a reference; the key itself where its kind has none."""
    return (
        _IN_TEXT
        if reference.via == "text"
        else reference.source.ties.get(reference.via, Tie(*[reference.via] * 2))
    )


def _ties(linker: Linker, pairs: Iterable[tuple[Entity, str]]) -> list[tuple[PageLink, str]]:
    ways: dict[tuple[str, str], tuple[Entity, list[str]]] = {}
    for entity, phrase in pairs:
        known = ways.setdefault((entity.kind, entity.id), (entity, []))[1]
        if phrase and phrase not in known:
            known.append(phrase)
    return [(linker.to(entity), ", ".join(phrases)) for entity, phrases in ways.values()]
