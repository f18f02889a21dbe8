"""The banner and the lineage of a decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup

from handbook.handbook import Handbook
from handbook.records.adr import Adr
from handbook.views import NOT_RECORDED, or_not_recorded, render
from handbook.views.drawings import Arc, arcs
from handbook.views.links import Linker, PageLink

_MOST_DECISIONS: Final = 12
"""The largest number of decisions in the drawing of a lineage."""


def banner(linker: Linker, adr: Adr) -> Markup | None:
    """Render the banner of a decision that is not in force, or None."""
    if adr.status in (None, "accepted"):
        return None
    handbook = linker.handbook
    successors = linker.find("adr", adr.superseded_by)
    living = [linker.to(successor) for successor in handbook.find_successors(adr)]
    return Markup(  # noqa: S704 - the template escapes
        render(
            "banner.html.j2",
            status=adr.status,
            day=adr.date if adr.has_date_of_status else None,
            successors=successors,
            living=[] if _ids(living) == _ids(successors) else living,
            is_replaced=bool(living),
        )
    )


def _ids(links: Iterable[PageLink]) -> list[str]:
    return [link.id for link in links]


def lineage(handbook: Handbook, adr: Adr) -> str:
    """Render the drawing and the table of the decisions that replaced or amended each other.

    Returns "" for a decision without such a relation.
    """
    family = _find_family(handbook, adr)
    if len(family) < 2:
        return ""
    shown = sorted(family[:_MOST_DECISIONS], key=lambda member: member.id)
    places = {member.id: place for place, member in enumerate(shown)}
    relations = [
        (member, key, id)
        for member in shown
        for key in ("supersedes", "amends")
        for id in getattr(member, key)
        if id in places
    ]
    linker = Linker(handbook, handbook.address(adr))

    def label(source: Adr, key: str, id: str) -> str:
        return f"{source.label_reference(key).outward} {id}"

    drawing = arcs(
        "Lineage",
        [f"{member.id} {member.status or NOT_RECORDED}" for member in shown],
        places[adr.id],
        [
            Arc(
                places[member.id],
                places[id],
                is_dashed=key == "amends",
                is_faint=member.status in ("proposed", "rejected"),
            )
            for member, key, id in relations
        ],
        "; ".join(f"{relation[0].id} {label(*relation)}" for relation in relations),
    )
    rows = [
        (
            linker.to(member),
            or_not_recorded(member, member.status),
            or_not_recorded(member, member.date),
            [label(*relation) for relation in relations if relation[0] is member],
            member is adr,
        )
        for member in shown
    ]
    return render("lineage.html.j2", drawing=drawing, rows=rows, hidden=len(family) - len(shown))


def _find_family(handbook: Handbook, adr: Adr) -> Sequence[Adr]:
    """Return the decisions that a decision is related to, the nearest first, with itself.

    They are all that it replaced and that replaced it, directly or through others, and those that
    it amends or that amend it. The decisions that those amend are left out, because a decision on
    a wide subject is amended by many others.
    """
    family = {adr.id: adr}
    queue = [adr]
    while queue:
        member = queue.pop(0)
        keys = ("supersedes", "amends") if member is adr else ("supersedes",)
        ids = [*member.superseded_by, *(id for key in keys for id in getattr(member, key))]
        related = [handbook.get(Adr, id) for id in ids]
        related += [
            reference.source
            for reference in handbook.references_to(member)
            if reference.via in keys and isinstance(reference.source, Adr)
        ]
        for relative in related:
            if relative and relative.id not in family:
                family[relative.id] = relative
                if relative.id not in adr.amends and adr.id not in relative.amends:
                    queue.append(relative)
    return list(family.values())
