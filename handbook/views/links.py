"""Make links from a page to records, alerts and other pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from markupsafe import Markup

from handbook.handbook import Handbook
from handbook.reading.addresses import make_relative, read_scheme
from handbook.reading.blocks import Heading
from handbook.reading.parser import MarkdownNode
from handbook.reading.render import render_heading, render_inlines, render_line
from handbook.records import Entity, Record
from handbook.records.adr import Adr
from handbook.records.alert import Alert
from handbook.records.runbook import Runbook
from handbook.views.references import PageReferences


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link on a page, with an address relative to the page. `id` is "" if the link has no id.

    `is_void` is True for a decision that readers must not follow.
    """

    id: str
    title: str
    """The title as plain text, or as HTML in a Markup."""
    url: str
    example: bool = False
    is_void: bool = False


@dataclass(frozen=True, slots=True)
class Linker:
    """Makes links for one page. `page_address` is its address from the root of the site."""

    handbook: Handbook
    page_address: str

    def to(self, entity: Entity) -> PageLink:
        """Return a link to an entity.

        The link has an id only if a text can mention the entity by id, such as ADR-0023.
        """
        has_id = isinstance(entity, Record) and entity.mention is not None
        return PageLink(
            entity.id if has_id else "",
            self.title(entity),
            self.url(entity),
            bool(getattr(entity, "example", False)),
            isinstance(entity, Adr) and entity.is_void,
        )

    def url(self, entity: Entity) -> str:
        """Return the address of an entity, relative to the page."""
        return make_relative(self.handbook.address(entity), self.page_address)

    def title(self, entity: Entity) -> str:
        """Return the title of an entity.

        The title of a record is HTML without links. Another title is plain text.
        """
        if isinstance(entity, Record) and (heading := entity.source.title_heading):
            return self.heading(entity, heading)
        return entity.title

    def heading(self, record: Record, heading: Heading) -> Markup:
        """Render the text of a heading of a record as HTML without links."""
        return Markup(render_heading(record.source, heading))  # noqa: S704 - safe HTML

    def at(self, address: str) -> str:
        """Convert an address, such as `checklist/#test-01`, to one relative to the page."""
        return make_relative(address, self.page_address)

    def find(self, kind: str, ids: tuple[str, ...] | list[str]) -> list[PageLink]:
        """Return links to the entities of a kind with these ids. Unknown ids give no link."""
        entities = (self.handbook.entities_by_id.get((kind, id)) for id in ids)
        return [self.to(entity) for entity in entities if entity]

    def names(self, handles: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of teams and people. A handle without a name stays as it is."""
        names = self.handbook.settings.organisation.people.names
        return tuple(names.get(handle, handle) for handle in handles)

    def people(self, handles: Iterable[str]) -> tuple[PageLink | str, ...]:
        """Return a link to the page of each team, and the names of people."""
        return tuple(
            self.team(handle) if handle in self.handbook.settings.team_addresses else name
            for handle, name in ((handle, self.names((handle,))[0]) for handle in handles)
        )

    def team(self, name: str) -> PageLink:
        """Return a link to the page of a team of the settings."""
        return PageLink("", name, self.at(quote(self.handbook.settings.team_addresses[name])))

    def on_call(self, rota: str | None) -> PageLink | str | None:
        """Return a link to an on-call rota. A rota that is not an address stays a text."""
        is_address = read_scheme(rota or "") in ("http", "https")
        return PageLink("", "Who is on call", rota) if rota and is_address else rota

    def unknown_alerts(self, runbook: Runbook) -> tuple[str, ...]:
        """Return the alerts of an imported runbook that no rule file contains, with a note."""
        return tuple(
            f"{name} (no rule recorded)"
            for name in runbook.alerts
            if runbook.is_imported and self.handbook.get(Alert, name) is None
        )

    def inline(self, text: str, path: str | None = None) -> Markup:
        """Render a line of Markdown as HTML.

        `path` is the file that contains the line. Without a path, the HTML has no links, so that a
        template can put it into a link.
        """
        return Markup(render_line(text, self._references(path) if path else None))  # noqa: S704 - safe HTML

    def inlines(self, nodes: Sequence[MarkdownNode], path: str) -> Markup:
        """Render inline Markdown nodes of the record at `path` as HTML, with links."""
        return Markup(render_inlines(nodes, self._references(path)))  # noqa: S704 - safe HTML

    def _references(self, path: str) -> PageReferences:
        return PageReferences(self.handbook, path, self.page_address)

    def index_url(self, record: Record) -> str:
        """Return the address of the index of all records of the kind of a record."""
        return self.at(f"{self.handbook.source_uri(record.folder)}/")
