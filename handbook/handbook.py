"""Handbook as one value: records, pages, and the references between them.

The checks, the site, the command line and the JSON files all read it. `loading` creates it once,
from files only.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar
from urllib.parse import unquote, urlsplit

from handbook.diagnostics import Finding, Location
from handbook.macro_names import MacroNames
from handbook.reading import files
from handbook.reading.blocks import Link
from handbook.reading.ids import anchor, slug
from handbook.reading.problems import Problem, ProblemKind
from handbook.reading.suppressions import Suppression
from handbook.records import ALERT_NAME, Document, Entity, Record
from handbook.records.alert import Alert
from handbook.records.audit import Audit
from handbook.records.kinds import KINDS, RECORDS
from handbook.records.postmortem import Postmortem
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.records.standard import ChecklistItem, Standard
from handbook.settings import DOCS, Settings

E = TypeVar("E", bound=Entity)

SNIPPETS: Final = ("docs/standards/samples", "runbooks")
"""Folders of the sample files for listings."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Reference between two entities. `via` is a front matter key, or "text" for the body."""

    source: Entity
    target: Entity
    via: str
    at: Location


@dataclass(frozen=True, slots=True)
class Target:
    """Target of a link. `path` is a file in the repository; None if external or invalid."""

    path: str | None = None
    fragment: str = ""
    is_external: bool = False
    is_invalid: bool = False
    is_outside: bool = False


@dataclass(frozen=True, slots=True)
class ResolvedLink:
    """Link or image of a document, with its target."""

    link: Link
    target: Target


@dataclass(frozen=True, slots=True)
class OwnedItem:
    """Checklist item with the standard that owns it."""

    standard: Standard
    item: ChecklistItem


@dataclass(frozen=True, slots=True)
class IdTarget:
    """Target of an id in prose. `kind` is None if it is no id, `record` if the id is unknown."""

    kind: str | None = None
    record: Record | None = None
    fragment: str = ""


@dataclass(frozen=True, slots=True)
class RuleFile:
    """Prometheus rule file, with its service and its problems."""

    path: str
    service: str
    problems: tuple[Problem, ...] = ()


# No repr, because mkdocs-macros writes the repr of the whole configuration to its log.
@dataclass(frozen=True, repr=False)
class Handbook:
    """All records, pages and settings. Paths are POSIX, relative to the root, as on disk."""

    root: Path
    settings: Settings
    documents: Mapping[str, Document] = field(default_factory=dict)
    """Records and pages, by path."""
    alerts: tuple[Alert, ...] = ()
    rule_files: tuple[RuleFile, ...] = ()
    audits: tuple[Audit, ...] = ()
    attachments: frozenset[str] = frozenset()
    """Published files that are not documents."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Texts of attachments and of sample files for listings, by path."""
    readmes: tuple[str, ...] = ()
    """README.md files in record folders, which the site does not publish."""
    strays: tuple[str, ...] = ()
    """Symbolic links, names not in UTF-8, and files in record folders without a record."""
    problems: tuple[Problem, ...] = ()
    """Problems of attachments."""
    suppressions: tuple[Suppression, ...] = ()
    """Suppressions, by path and line."""
    macros: MacroNames = field(default_factory=MacroNames)
    """Names available in page templates."""

    @cached_property
    def entities(self) -> tuple[Entity, ...]:
        """All pages, records, alerts and audits."""
        return (*self.documents.values(), *self.alerts, *self.audits)

    @cached_property
    def _by_class(self) -> Mapping[type, tuple[Entity, ...]]:
        """Entities by class, including its base classes."""
        entities: dict[type, list[Entity]] = defaultdict(list)
        for entity in self.entities:
            for cls in type(entity).__mro__:
                entities[cls].append(entity)
        return {cls: tuple(members) for cls, members in entities.items()}

    def of(self, kind: type[E]) -> tuple[E, ...]:
        """Return the entities of a class, by path."""
        return self._by_class.get(kind, ())  # type: ignore[return-value]

    def problems_of(self, kind: ProblemKind) -> tuple[Finding, ...]:
        """Return all findings of a problem kind: settings, entities, rule files, attachments."""
        return tuple(self._by_kind.get(kind, ()))

    @cached_property
    def _by_kind(self) -> Mapping[ProblemKind, list[Finding]]:
        owners: tuple[Settings | Entity | RuleFile | Handbook, ...]
        owners = (self.settings, *self.entities, *self.rule_files, self)
        findings: dict[ProblemKind, list[Finding]] = defaultdict(list)
        for problem in chain.from_iterable(owner.problems for owner in owners):
            findings[problem.kind].append(problem.finding)
        return findings

    @property
    def records(self) -> tuple[Record, ...]:
        """All records in Markdown, by path."""
        return self.of(Record)

    @cached_property
    def by_id(self) -> Mapping[tuple[str, str], Entity]:
        """Entities by kind and id. If two share an id, the first by path."""
        entities: dict[tuple[str, str], Entity] = {}
        for entity in self.entities:
            entities.setdefault((entity.kind, entity.id), entity)
        return MappingProxyType(entities)

    def get(self, kind: type[E], id: str) -> E | None:
        """Return the entity of a kind with this id; None if the id is unknown."""
        entity = self.by_id.get((kind.kind, id))
        return entity if isinstance(entity, kind) else None

    def is_ambiguous(self, entity: Entity) -> bool:
        """Return whether another entity of its kind has the same id."""
        return self._id_counts[entity.kind, entity.id] > 1

    @cached_property
    def _id_counts(self) -> Mapping[tuple[str, str], int]:
        """Number of entities with each id."""
        return Counter((entity.kind, entity.id) for entity in self.entities)

    @cached_property
    def items(self) -> Mapping[str, OwnedItem]:
        """Checklist items with their standards, by id, in the order of groups and numbers."""
        items: dict[str, OwnedItem] = {}
        for standard in self.of(Standard):
            for item in standard.checklist:
                if item.id:
                    items.setdefault(item.id, OwnedItem(standard, item))
        order = list(self.settings.organisation.groups)

        def sort_key(id: str) -> tuple[int, str]:
            group = id.split("-")[0]
            return (order.index(group) if group in order else len(order), id)

        return MappingProxyType({id: items[id] for id in sorted(items, key=sort_key)})

    def standards_of(self, id: str) -> tuple[Standard, ...]:
        """Return the standards of a checklist item: its owner, then others verified by it."""
        owner = self.items[id].standard
        return (
            owner,
            *(
                standard
                for standard in self.of(Standard)
                if standard is not owner and id in standard.verified_by
            ),
        )

    def resolve_id(self, id: str) -> IdTarget:
        """Return the target of an id in prose: record, requirement or checklist item."""
        if id.split("-")[0] in self.settings.organisation.groups:
            owned = self.items.get(id)
            return IdTarget("item", owned.standard, anchor(id)) if owned else IdTarget("item")
        for kind in RECORDS:
            if kind.mention and kind.mention.fullmatch(id):
                record = self.get(kind, id.split(".")[0])
                if record and "." in id:
                    exists = any(marker == id for marker, _ in record.source.marked_items)
                    return (
                        IdTarget(kind.kind, record, anchor(id)) if exists else IdTarget(kind.kind)
                    )
                return IdTarget(kind.kind, record)
        return IdTarget()

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Number of entities of each kind."""
        return {kind.kind: len(self.of(kind)) for kind in KINDS}

    def is_kind_missing(self, kind: str) -> bool:
        """Return whether the settings expect records of a kind, but none exist.

        Rules then report no references to this kind.
        """
        return not self.counts.get(kind) and self.settings.organisation.expect.get(kind, 0) > 0

    def address(self, entity: Entity) -> str:
        """Return the address of an entity from the site's root, such as `adr/0023-x/`."""
        if isinstance(entity, Alert):
            return f"alerts/{entity.name}/"
        if isinstance(entity, Audit):
            return f"services/{entity.service}/#{entity.quarter.lower()}"
        return self.url(entity.path) or ""

    def url(self, path: str) -> str | None:
        """Return the address of a published file from the site's root; None for other files."""
        if path in self.attachments:
            return self.source_uri(path)
        if path not in self.documents:
            return None
        folder, name = posixpath.split(self.source_uri(path).removesuffix(".md"))
        if name not in ("index", "README"):
            folder = posixpath.join(folder, name)
        return f"{folder}/" if folder else ""

    def source_uri(self, path: str) -> str:
        """Return the path that MkDocs uses for a file, without the folder docs/."""
        return path.removeprefix(f"{DOCS}/")

    @cached_property
    def by_address(self) -> Mapping[str, Document | Alert]:
        """Pages, records and alerts, by address."""
        return {
            self.address(entity): entity
            for entity in self.entities
            if isinstance(entity, Document | Alert)
        }

    def resolve(self, source: str, target: str) -> Target:
        """Return the target of a link in the file `source`. A folder resolves to its index.md."""
        try:
            parts = urlsplit(target)
        except ValueError:
            return Target(is_invalid=True)
        if parts.scheme or parts.netloc:
            return Target(is_external=True, fragment=parts.fragment)
        fragment = unquote(parts.fragment)
        if not parts.path:
            return Target(source, fragment)
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), unquote(parts.path)))
        if parts.path.startswith("/") or path == ".." or path.startswith("../"):
            return Target(path, fragment, is_outside=True)
        index = posixpath.join(path, "index.md")
        return Target(index if index in self.documents else path, fragment)

    @cached_property
    def listing(self) -> Callable[[str], str | None]:
        """Function that returns the text of a listing's file, or None. It reads a file once."""
        return cache(partial(_read_listing, self.root))

    def links_of(self, document: Document) -> tuple[ResolvedLink, ...]:
        """Return the links and images of a document, with their targets."""
        return self._links[document.path]

    @cached_property
    def _links(self) -> Mapping[str, tuple[ResolvedLink, ...]]:
        """Links of every document, by path."""
        return {
            path: tuple(
                ResolvedLink(link, self.resolve(path, link.target))
                for link in document.source.links
            )
            for path, document in self.documents.items()
        }

    def is_published(self, path: str) -> bool:
        """Return whether the site publishes a file."""
        return path in self.documents or path in self.attachments

    def runbooks_of(self, alert: Alert) -> tuple[Runbook, ...]:
        """Return the runbooks that list an alert."""
        return tuple(self._by_alert.get(alert.name, ()))

    @cached_property
    def misnamed_alerts(self) -> tuple[Alert, ...]:
        """Alerts with a name that is invalid in an address."""
        return tuple(alert for alert in self.alerts if not re.fullmatch(ALERT_NAME, alert.name))

    def incidents_of(self, alert: Alert) -> tuple[Postmortem, ...]:
        """Return the post-mortems that name an alert."""
        return tuple(
            ref.source for ref in self.references_to(alert) if isinstance(ref.source, Postmortem)
        )

    def anchors_of(self, alert: Alert) -> frozenset[str]:
        """Return the anchors on an alert's page, including the anchors of a single runbook."""
        incidents = {"incidents"} if self.incidents_of(alert) else set()
        runbooks = self.runbooks_of(alert)
        included = runbooks[0].source.anchors_below_title if len(runbooks) == 1 else frozenset()
        return frozenset({slug(alert.name, "-"), "when"} | incidents | included)

    @cached_property
    def _by_alert(self) -> Mapping[str, list[Runbook]]:
        runbooks: dict[str, list[Runbook]] = defaultdict(list)
        for runbook in self.of(Runbook):
            for name in dict.fromkeys(runbook.alerts):
                runbooks[name].append(runbook)
        return runbooks

    def audits_of(self, service: Service) -> tuple[Audit, ...]:
        """Return the audits of a service, newest first."""
        return tuple(self._by_service.get(service.id, ()))

    @cached_property
    def _by_service(self) -> Mapping[str, list[Audit]]:
        audits: dict[str, list[Audit]] = defaultdict(list)
        for audit in sorted(self.audits, key=lambda audit: audit.quarter, reverse=True):
            audits[audit.service].append(audit)
        return audits

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """All references, ordered by path and location."""
        return tuple(self._references())

    def _references(self) -> Iterator[Reference]:
        for entity in self.entities:
            for reference in entity.references():
                if target := self.by_id.get((reference.kind, reference.id)):
                    yield Reference(entity, target, reference.key, reference.at)
            if isinstance(entity, Document):
                yield from self._text_references(entity)

    def _text_references(self, document: Document) -> Iterator[Reference]:
        seen = {document.path}
        candidates: list[tuple[Location, Document | None]] = [
            (mention.at, self.resolve_id(mention.id).record) for mention in document.source.mentions
        ]
        for resolved in self.links_of(document):
            path = resolved.target.path
            candidates.append((resolved.link.at, self.documents.get(path) if path else None))
        for at, target in sorted(candidates, key=lambda candidate: candidate[0]):
            if isinstance(target, Record) and target.path not in seen:
                seen.add(target.path)
                yield Reference(document, target, "text", at)

    @cached_property
    def _by_source(self) -> Mapping[tuple[str, str], tuple[Reference, ...]]:
        return _group_by(self.references, lambda reference: reference.source)

    @cached_property
    def _by_target(self) -> Mapping[tuple[str, str], tuple[Reference, ...]]:
        return _group_by(self.references, lambda reference: reference.target)

    def references_to(self, entity: Entity) -> tuple[Reference, ...]:
        """Return the references to an entity from other entities."""
        references = self._by_target.get((entity.kind, entity.id), ())
        return tuple(ref for ref in references if ref.source is not entity)

    def references_from(self, entity: Entity) -> tuple[Reference, ...]:
        """Return the references from an entity to other entities."""
        references = self._by_source.get((entity.kind, entity.id), ())
        return tuple(ref for ref in references if ref.target is not entity)


def _group_by(
    references: Iterable[Reference], end: Callable[[Reference], Entity]
) -> Mapping[tuple[str, str], tuple[Reference, ...]]:
    groups: dict[tuple[str, str], list[Reference]] = defaultdict(list)
    for reference in references:
        groups[end(reference).kind, end(reference).id].append(reference)
    return {key: tuple(group) for key, group in groups.items()}


def _read_listing(root: Path, path: str) -> str | None:
    """Return the text of a sample file; None outside the folders of samples."""
    for folder in SNIPPETS:
        base = (root / folder).resolve()
        file = (base / path).resolve()
        if file.is_relative_to(base) and isinstance(text := files.read_text(base, path), str):
            return text
    return None
