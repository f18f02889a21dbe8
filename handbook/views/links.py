"""A link from a page to something in the handbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from handbook.handbook import Handbook
from handbook.reading.addresses import relative
from handbook.reading.blocks import Heading
from handbook.reading.parser import MarkdownNode
from handbook.reading.render import render_heading, render_inlines, render_line
from handbook.records import Entity, Record
from handbook.views.references import PageReferences


@dataclass(frozen=True, slots=True)
class PageLink:
    """What is shown of another, and its address as seen from the page."""

    id: str
    title: str
    """Text, or HTML as Markup."""
    url: str
    example: bool = False


@dataclass(frozen=True, slots=True)
class Linker:
    """Makes links from one page, whose address from the site's root on is `here`."""

    handbook: Handbook
    here: str

    def to(self, entity: Entity) -> PageLink:
        """The link to an entity. Its id is shown where people know it by one: ADR-0023, STD-05."""
        known = isinstance(entity, Record) and entity.mention is not None
        return PageLink(
            entity.id if known else "",
            self.title(entity),
            self.url(entity),
            bool(getattr(entity, "example", False)),
        )

    def url(self, entity: Entity) -> str:
        """The address of an entity."""
        return relative(self.handbook.address(entity), self.here)

    def title(self, entity: Entity) -> str:
        """The title of an entity; that of a record as HTML, without links."""
        if isinstance(entity, Record) and (heading := entity.source.title_heading):
            return self.heading(entity, heading)
        return entity.title

    def heading(self, record: Record, heading: Heading) -> Markup:
        """The text of a heading of a record as HTML, without links."""
        return Markup(render_heading(record.source, heading))  # noqa: S704 - safe HTML

    def at(self, address: str) -> str:
        """The address of a page of the site, `checklist/#test-01`."""
        return relative(address, self.here)

    def find(self, kind: str, ids: tuple[str, ...] | list[str]) -> list[PageLink]:
        """The links to those of a kind that are there, by their ids."""
        found = (self.handbook.by_id.get((kind, id)) for id in ids)
        return [self.to(entity) for entity in found if entity]

    def inline(self, text: str, path: str | None = None) -> Markup:
        """A line of Markdown that is a value of the file at `path`, as HTML, its links as seen from this page.

        Without a path it has no links, as within a link.
        """
        return Markup(render_line(text, self._references(path) if path else None))  # noqa: S704 - safe HTML

    def part(self, nodes: Sequence[MarkdownNode], path: str) -> Markup:
        """A part of the body of the record at `path` as HTML, its links as seen from this page."""
        return Markup(render_inlines(nodes, self._references(path)))  # noqa: S704 - safe HTML

    def _references(self, path: str) -> PageReferences:
        return PageReferences(self.handbook, path, self.here)

    def index(self, record: Record) -> str:
        """The address of the index of a record's kind."""
        return self.at(f"{self.handbook.source_uri(record.folder)}/")
