"""Links from a page to records, alerts and other pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from handbook.handbook import Handbook
from handbook.reading.addresses import make_relative
from handbook.reading.blocks import Heading
from handbook.reading.parser import MarkdownNode
from handbook.reading.render import render_heading, render_inlines, render_line
from handbook.records import Entity, Record
from handbook.views.references import PageReferences


@dataclass(frozen=True, slots=True)
class PageLink:
    """Link with an id, a title, and an address relative to the page."""

    id: str
    title: str
    """Plain text, or HTML as Markup."""
    url: str
    example: bool = False


@dataclass(frozen=True, slots=True)
class Linker:
    """Makes links from one page. `page_address` is its address from the site's root."""

    handbook: Handbook
    page_address: str

    def to(self, entity: Entity) -> PageLink:
        """Return the link to an entity, with its id if prose can mention it: ADR-0023."""
        has_id = isinstance(entity, Record) and entity.mention is not None
        return PageLink(
            entity.id if has_id else "",
            self.title(entity),
            self.url(entity),
            bool(getattr(entity, "example", False)),
        )

    def url(self, entity: Entity) -> str:
        """Return the relative address of an entity."""
        return make_relative(self.handbook.address(entity), self.page_address)

    def title(self, entity: Entity) -> str:
        """Return the title of an entity: a record's as HTML without links, otherwise plain text."""
        if isinstance(entity, Record) and (heading := entity.source.title_heading):
            return self.heading(entity, heading)
        return entity.title

    def heading(self, record: Record, heading: Heading) -> Markup:
        """Render the text of a record's heading as HTML without links."""
        return Markup(render_heading(record.source, heading))  # noqa: S704 - safe HTML

    def at(self, address: str) -> str:
        """Return the relative address of a page of the site, such as `checklist/#test-01`."""
        return make_relative(address, self.page_address)

    def find(self, kind: str, ids: tuple[str, ...] | list[str]) -> list[PageLink]:
        """Return the links to the existing entities of a kind with these ids."""
        entities = (self.handbook.by_id.get((kind, id)) for id in ids)
        return [self.to(entity) for entity in entities if entity]

    def inline(self, text: str, path: str | None = None) -> Markup:
        """Render a line of Markdown from the file at `path` as HTML.

        Without a path it renders no links, for use inside a link.
        """
        return Markup(render_line(text, self._references(path) if path else None))  # noqa: S704 - safe HTML

    def inlines(self, nodes: Sequence[MarkdownNode], path: str) -> Markup:
        """Render inline Markdown of the record at `path` as HTML, with links for this page."""
        return Markup(render_inlines(nodes, self._references(path)))  # noqa: S704 - safe HTML

    def _references(self, path: str) -> PageReferences:
        return PageReferences(self.handbook, path, self.page_address)

    def index(self, record: Record) -> str:
        """Return the relative address of the index page of a record's kind."""
        return self.at(f"{self.handbook.source_uri(record.folder)}/")
