"""What a record refers to, and what refers to it, at the end of its page."""

from __future__ import annotations

from collections.abc import Iterable

from macros.handbook import Handbook, Reference
from macros.records import Entity, Page
from macros.views import relative, render

_PHRASES = {
    "alerts": ("answers", "answered by"),
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


def backlinks(handbook: Handbook, record: Entity) -> str:
    """The HTML of both directions, each record or page once with every way in which it is tied; "" for none."""
    here = handbook.url(record.path) or ""
    outward = _ties(handbook, here, ((ref.target, _phrase(ref, 0)) for ref in handbook.referred_from(record)))
    inward = _ties(handbook, here, ((ref.source, _phrase(ref, 1)) for ref in handbook.referring_to(record)))
    return render("backlinks.html.j2", outward=outward, inward=inward) if outward or inward else ""


def _phrase(reference: Reference, side: int) -> str:
    return _PHRASES.get(reference.via, (reference.via, reference.via))[side]


def _ties(handbook: Handbook, here: str, pairs: Iterable[tuple[Entity, str]]) -> list[dict[str, str]]:
    ways: dict[tuple[str, str], tuple[Entity, list[str]]] = {}
    for entity, phrase in pairs:
        known = ways.setdefault((entity.kind, entity.id), (entity, []))[1]
        if phrase not in known:
            known.append(phrase)
    return [
        {
            "kind": entity.kind,
            "id": entity.id if not isinstance(entity, Page) and entity.id != entity.title else "",
            "title": entity.title,
            "url": relative(handbook.address(entity), here),
            "how": ", ".join(filter(None, phrases)),
        }
        for entity, phrases in ways.values()
    ]
