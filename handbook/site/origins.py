"""Find the place in the repository that causes a fault of the built site."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from handbook.diagnostics import Location
from handbook.handbook import Handbook
from handbook.reading.nodes import walk_scalars
from handbook.records import Document, Entity
from handbook.records.alert import Alert
from handbook.records.service import Service
from handbook.site.built import Site
from handbook.site.built_files import LinkFault, make_address


class Origins:
    """Index that maps a fault of the site to places in the repository."""

    def __init__(self, handbook: Handbook, site: Site) -> None:
        self.handbook, self.site = handbook, site
        self.by_old_address = {
            f"{old_address.strip('/')}/": document
            for document in handbook.documents.values()
            for old_address in document.moved_from
        }
        self.by_path: dict[str, list[Entity]] = defaultdict(list)
        for entity in handbook.entities:
            self.by_path[entity.path].append(entity)
        self.places: dict[int, dict[str, list[Location]]] = {}
        """Places by the id of an entity and the target, filled on demand."""

    def find_places(self, fault: LinkFault) -> list[Location]:
        """Return every place in the page's sources that links to the target of a fault.

        The list is empty if a template wrote the link.
        """
        places_of_target: dict[Location, None] = {}
        for entity in self._find_entities(fault):
            places = self.places.get(id(entity))
            if places is None:
                places = self.places[id(entity)] = defaultdict(list)
                for target, at in self._find_targets(entity):
                    places[target].append(at)
            places_of_target.update(dict.fromkeys(places.get(fault.target, ())))
        return list(places_of_target)

    def find_page(self, fault: LinkFault) -> Location:
        """Return the place of the page: its source, else the file of the site."""
        for entity in self._find_entities(fault):
            return entity.at() if isinstance(entity, Alert) else Location(entity.path)
        return Location(posixpath.join(self.site.folder, fault.file))

    def _find_entities(self, fault: LinkFault) -> list[Entity]:
        """Return the entities on the page, or in the JSON file or the feed."""
        handbook = self.handbook
        if fault.source:
            return self.by_path.get(fault.source, [])
        address = make_address(fault.file)
        entity = handbook.by_address.get(address) or self.by_old_address.get(address)
        if entity is None and not fault.file.endswith(".html"):
            entity = handbook.by_address.get(fault.target.partition("#")[0])
        if isinstance(entity, Service):
            return [entity, *handbook.audits_of(entity)]
        return [entity] if entity else []

    def _find_targets(self, entity: Entity) -> Iterator[tuple[str, Location]]:
        """Yield each target of an entity in the form of `LinkFault.target`, with its place.

        Targets come from links, from ids in the text, and from YAML.
        """
        handbook = self.handbook
        if isinstance(entity, Document):
            for resolved in handbook.links_of(entity):
                link, target = resolved.link, resolved.target
                url = handbook.url(target.path) if target.path else None
                mark = f"#{target.fragment}" if target.fragment else ""
                yield self._normalise(link.target) if url is None else f"{url}{mark}", link.at
            for mention in entity.source.mentions:
                target_of_id = handbook.resolve_id(mention.id)
                if target_of_id.record:
                    mark = f"#{target_of_id.fragment}" if target_of_id.fragment else ""
                    yield f"{handbook.address(target_of_id.record)}{mark}", mention.at
        for reference in handbook.references_from(entity):
            yield handbook.address(reference.target), reference.at
        if entity.mapping:
            for scalar in walk_scalars(entity.mapping):
                yield self._normalise(scalar.text), scalar.at

    def _normalise(self, text: str) -> str:
        """Return an address in the form of `LinkFault.target`.

        An address on this site begins at its root. An address on another host has no fragment.
        """
        site = self.handbook.settings.site_url.rstrip("/") + "/"
        return text.removeprefix(site) if text.startswith(site) else text.partition("#")[0]
