"""Find the place in the repository that a fault of the built site comes from."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from handbook.diagnostics import Location
from handbook.handbook import Handbook
from handbook.reading.nodes import scalars
from handbook.records import Document, Entity
from handbook.records.alert import Alert
from handbook.records.service import Service
from handbook.site.built import Site
from handbook.site.built_files import LinkFault, address


class Origins:
    """Finds the place in the repository that a fault of the site comes from."""

    def __init__(self, handbook: Handbook, site: Site) -> None:
        self.handbook, self.site = handbook, site
        self.moved = {
            f"{old.strip('/')}/": each
            for each in handbook.documents.values()
            for old in each.moved_from
        }
        self.by_path: dict[str, list[Entity]] = defaultdict(list)
        for each in handbook.entities:
            self.by_path[each.path].append(each)
        self.places: dict[int, dict[str, list[Location]]] = {}

    def written(self, fault: LinkFault) -> list[Location]:
        """Every place of the page's sources that names what the address leads to; none where a template does."""
        found: dict[Location, None] = {}
        for entity in self._entities(fault):
            places = self.places.get(id(entity))
            if places is None:
                places = self.places[id(entity)] = defaultdict(list)
                for target, at in self._named(entity):
                    places[target].append(at)
            found.update(dict.fromkeys(places.get(fault.target, ())))
        return list(found)

    def page(self, fault: LinkFault) -> Location:
        """The place of the page itself: its source, or what it is made of; else the file of the site."""
        for entity in self._entities(fault):
            return entity.at() if isinstance(entity, Alert) else Location(entity.path)
        return Location(posixpath.join(self.site.shown, fault.file))

    def _entities(self, fault: LinkFault) -> list[Entity]:
        """The entities that the page shows, or that a JSON file or feed describes."""
        handbook = self.handbook
        if fault.source:
            return self.by_path.get(fault.source, [])
        here = address(fault.file)
        known = handbook.by_address.get(here) or self.moved.get(here)
        if known is None and not fault.file.endswith(".html"):
            known = handbook.by_address.get(fault.target.partition("#")[0])
        if isinstance(known, Service):
            return [known, *handbook.audits_of(known)]
        return [known] if known else []

    def _named(self, entity: Entity) -> Iterator[tuple[str, Location]]:
        """What an entity names, as a fault has it, and where: in its text, by ids, and in its YAML."""
        handbook = self.handbook
        if isinstance(entity, Document):
            for resolved in handbook.links_of(entity):
                link, target = resolved.link, resolved.target
                url = handbook.url(target.path) if target.path else None
                mark = f"#{target.fragment}" if target.fragment else ""
                yield self._plain(link.target) if url is None else f"{url}{mark}", link.at
            for mention in entity.source.mentions:
                named = handbook.named(mention.id)
                if named.record:
                    mark = f"#{named.fragment}" if named.fragment else ""
                    yield f"{handbook.address(named.record)}{mark}", mention.at
        for reference in handbook.referred_from(entity):
            yield handbook.address(reference.target), reference.at
        if entity.mapping:
            for scalar in scalars(entity.mapping):
                yield self._plain(scalar.text), scalar.at

    def _plain(self, text: str) -> str:
        """An address as a fault has it: without its fragment on another host, from the root on this site."""
        site = self.handbook.settings.site_url.rstrip("/") + "/"
        return text.removeprefix(site) if text.startswith(site) else text.partition("#")[0]
