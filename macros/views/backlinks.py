"""What a record refers to, and what refers to it, at the end of its page."""

from __future__ import annotations

from collections.abc import Iterable

from macros.handbook import Handbook, Reference
from macros.records import Document, Record
from macros.views import relative, render

_PHRASES = {
    "supersedes": ("supersedes", "superseded by"),
    "superseded_by": ("superseded by", "supersedes"),
    "amends": ("amends", "amended by"),
    "text": ("", ""),  # the heading says it
}


def backlinks(handbook: Handbook, record: Record) -> str:
    """The HTML of both directions, each record or page once with every way in which it is tied; "" for none."""
    here = handbook.url(record.path) or ""
    outward = _ties(handbook, here, ((ref.target, _phrase(ref, 0)) for ref in handbook.referred_from(record)))
    inward = _ties(handbook, here, ((ref.source, _phrase(ref, 1)) for ref in handbook.referring_to(record)))
    return render("backlinks.html.j2", outward=outward, inward=inward) if outward or inward else ""


def _phrase(reference: Reference, side: int) -> str:
    return _PHRASES.get(reference.via, (reference.via, reference.via))[side]


def _ties(handbook: Handbook, here: str, pairs: Iterable[tuple[Document, str]]) -> list[dict[str, str]]:
    ways: dict[str, tuple[Document, list[str]]] = {}
    for document, phrase in pairs:
        known = ways.setdefault(document.path, (document, []))[1]
        if phrase not in known:
            known.append(phrase)
    return [
        {
            "id": document.id if isinstance(document, Record) else "",
            "title": document.title,
            "url": relative(handbook.url(path) or "", here),
            "how": ", ".join(filter(None, phrases)),
        }
        for path, (document, phrases) in ways.items()
    ]
