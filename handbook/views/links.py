"""A link from a page to something in the handbook."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from handbook.handbook import Handbook
from handbook.records import Entity, Record
from handbook.views import inline, relative


@dataclass(frozen=True, slots=True)
class PageLink:
    """What is shown of another, and its address as seen from the page."""

    id: str
    title: str
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
        title = entity.title
        return PageLink(entity.id if known else "", title, self.url(entity), bool(getattr(entity, "example", False)))

    def url(self, entity: Entity) -> str:
        """The address of an entity."""
        return relative(self.handbook.address(entity), self.here)

    def at(self, address: str) -> str:
        """The address of a page of the site, `checklist/#test-01`."""
        return relative(address, self.here)

    def find(self, kind: str, ids: tuple[str, ...] | list[str]) -> list[PageLink]:
        """The links to those of a kind that are there, by their ids."""
        found = (self.handbook.by_id.get((kind, id)) for id in ids)
        return [self.to(entity) for entity in found if entity]

    def inline(self, text: str, path: str) -> Markup:
        """A line of Markdown of the file at `path` as HTML, its links as seen from this page."""
        return inline(text, lambda target: self._target(path, target))

    def _target(self, path: str, target: str) -> str | None:
        found = self.handbook.resolve(path, target)
        if found.external:
            return target if target.lower().startswith(("https://", "http://", "mailto:")) else None
        url = self.handbook.url(found.path) if found.path else None
        return self.at(f"{url}#{found.fragment}" if found.fragment else url) if url is not None else None

    def index(self, record: Record) -> str:
        """The address of the index of a record's kind."""
        return self.at(f"{self.handbook.source_uri(record.folder)}/")
