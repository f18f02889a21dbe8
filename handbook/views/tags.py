"""The page of the tags, and the links to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from handbook.handbook import Handbook
from handbook.records import Record
from handbook.views import Keep, Rows, make_facet, make_now, render
from handbook.views.links import Linker, PageLink

_PATH: Final = "docs/tags.md"


def link_tags(tags: Iterable[str], linker: Linker) -> tuple[PageLink, ...]:
    """Return links to the records with each tag.

    A page of the repository in place of ours can have other anchors, so these links have none.
    """
    ids = linker.handbook.tag_ids if _PATH in linker.handbook.provided else {}
    return tuple(
        PageLink("", tag, linker.at(f"tags/#{ids[tag]}" if ids else "tags/")) for tag in tags
    )


def tag_index(handbook: Handbook, page_address: str, keep: Keep = make_now) -> str:
    """Render the records of each tag, with one table for each tag in use."""
    records_by_tag: dict[str, list[Record]] = {}
    for record in sorted(handbook.records, key=lambda record: (record.label, record.id)):
        for tag in record.tags:
            records_by_tag.setdefault(tag, []).append(record)
    records = {record.path: record for group in records_by_tag.values() for record in group}
    return render(
        "tag_index.md.j2",
        groups=[(tag, id, records_by_tag[tag]) for tag, id in handbook.tag_ids.items()],
        facets=[
            make_facet("Tag", "tag", records_by_tag),
            make_facet("Kind", "kind", (record.label for record in records.values())),
        ],
        rows=Rows(keep, ("tag_index", page_address)),
        total=len(records),
        linker=Linker(handbook, page_address),
    )
