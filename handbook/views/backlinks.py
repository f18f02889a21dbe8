"""References and backlinks of a record, at the end of its page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from handbook.handbook import Handbook, Reference
from handbook.records import Entity, Record, ReferenceLabel
from handbook.views import render
from handbook.views.links import Linker, PageLink

_IN_TEXT: Final = ReferenceLabel("", "")
"""Empty label of a reference in the text, which the list heading already describes."""

_LISTED_ABOVE = ("alert", "audit", "folder")  # the page of a service lists these itself


def backlinks(handbook: Handbook, record: Record) -> str:
    """Render the references and the backlinks of a record; "" if it has none.

    Each record or page occurs once per direction, with the labels of all its references.
    """
    linker = Linker(handbook, handbook.address(record))
    outward = _links_with_labels(
        linker, ((ref.target, _labels_of(ref).outward) for ref in handbook.references_from(record))
    )
    incoming = (ref for ref in handbook.references_to(record) if ref.via not in _LISTED_ABOVE)
    inward = _links_with_labels(linker, ((ref.source, _labels_of(ref).inward) for ref in incoming))
    return render("backlinks.html.j2", outward=outward, inward=inward) if outward or inward else ""


def _labels_of(reference: Reference) -> ReferenceLabel:
    """Return the labels of a reference; its key if the kind defines no label."""
    return (
        _IN_TEXT
        if reference.via == "text"
        else reference.source.reference_labels.get(
            reference.via, ReferenceLabel(*[reference.via] * 2)
        )
    )


def _links_with_labels(
    linker: Linker, pairs: Iterable[tuple[Entity, str]]
) -> list[tuple[PageLink, str]]:
    labels_by_id: dict[tuple[str, str], tuple[Entity, list[str]]] = {}
    for entity, label in pairs:
        labels = labels_by_id.setdefault((entity.kind, entity.id), (entity, []))[1]
        if label and label not in labels:
            labels.append(label)
    return [(linker.to(entity), ", ".join(labels)) for entity, labels in labels_by_id.values()]
