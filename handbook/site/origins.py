"""Find the line in the repository that causes a fault in the built site."""

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
    """Index of the links in the repository, which finds the places that cause a fault."""

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
        """Places of links, by the Python id of the entity and by the target; filled on demand."""

    def find_places(self, fault: LinkFault) -> list[Location]:
        """Return the place of every link to the fault's target in the sources of its page.

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

    def has_source(self, fault: LinkFault) -> bool:
        """Return whether the page of a fault has a source file in the repository."""
        return bool(self._find_entities(fault))

    def find_page(self, fault: LinkFault) -> Location:
        """Return the source file of the page, or the built file if the page has no source."""
        for entity in self._find_entities(fault):
            return entity.at if isinstance(entity, Alert) else Location(entity.path)
        return Location(posixpath.join(self.site.folder, fault.file))

    def _find_entities(self, fault: LinkFault) -> list[Entity]:
        """Return the records, pages or alerts whose content is in the file of a fault.

        For a JSON file or the feed, return only the record that the fault's target names.
        """
        handbook = self.handbook
        if fault.source:
            return self.by_path.get(fault.source, [])
        address = make_address(fault.file)
        entity = handbook.entities_by_address.get(address) or self.by_old_address.get(address)
        if entity is None and not fault.file.endswith(".html"):
            entity = handbook.entities_by_address.get(fault.target.partition("#")[0])
        if isinstance(entity, Service):
            return [entity, *handbook.audits_of(entity)]
        # A provided page has no file in the repository.
        return [entity] if entity and entity.path not in handbook.provided else []

    def _find_targets(self, entity: Entity) -> Iterator[tuple[str, Location]]:
        """Yield the targets of an entity's links, each with the place of the link.

        A link is Markdown, an id in the text, or a YAML value. The targets have the form of
        `LinkFault.target`.
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

        An address on this site becomes a path from the root of the site. An address on another host
        loses its fragment.
        """
        site = self.handbook.settings.site_url.rstrip("/") + "/"
        return text.removeprefix(site) if text.startswith(site) else text.partition("#")[0]
