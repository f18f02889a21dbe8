"""The list of references and backlinks at the end of the page of a record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from handbook.handbook import Handbook, Reference
from handbook.records import Entity, Record, ReferenceLabel
from handbook.views import render
from handbook.views.links import Linker, PageLink

_IN_TEXT: Final = ReferenceLabel("", "")
"""The empty label of a reference in a text. The heading of the list describes it."""

_LISTED_BY_SERVICE = ("alert", "audit", "folder")
"""The kinds of reference that the page of a service shows in its own lists."""


def backlinks(handbook: Handbook, record: Record) -> str:
    """Render the references and the backlinks of a record. Returns "" if it has none.

    A record or page is at most once in each of the two lists, with the labels of all references.
    """
    linker = Linker(handbook, handbook.address(record))
    outward = _links_with_labels(
        linker, ((ref.target, _labels_of(ref).outward) for ref in handbook.references_from(record))
    )
    incoming = (ref for ref in handbook.references_to(record) if ref.via not in _LISTED_BY_SERVICE)
    inward = _links_with_labels(linker, ((ref.source, _labels_of(ref).inward) for ref in incoming))
    return render("backlinks.html.j2", outward=outward, inward=inward) if outward or inward else ""


def _labels_of(reference: Reference) -> ReferenceLabel:
    is_in_text = reference.via == "text"
    return _IN_TEXT if is_in_text else reference.source.label_reference(reference.via)


def _links_with_labels(
    linker: Linker, pairs: Iterable[tuple[Entity, str]]
) -> list[tuple[PageLink, str]]:
    """Return a link to each entity, with its labels. Each pair is an entity and a label."""
    labels_by_id: dict[tuple[str, str], tuple[Entity, list[str]]] = {}
    for entity, label in pairs:
        labels = labels_by_id.setdefault((entity.kind, entity.id), (entity, []))[1]
        if label and label not in labels:
            labels.append(label)
    return [(linker.to(entity), ", ".join(labels)) for entity, labels in labels_by_id.values()]
