"""The whole handbook as one value: every record and page, and what each refers to.

Gate, site, command line and JSON are four readers of it. `loading` makes it once, from the files alone.
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
"""The folders that a listing can be taken from."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One names another: under a key of its front matter, or in its text (`via` is then "text")."""

    source: Entity
    target: Entity
    via: str
    at: Location


@dataclass(frozen=True, slots=True)
class Target:
    """What a link leads to. `path` is the file in the repository, None for another host and for no address at all."""

    path: str | None = None
    fragment: str = ""
    external: bool = False
    invalid: bool = False
    outside: bool = False


@dataclass(frozen=True, slots=True)
class ResolvedLink:
    """A link or an image of a document, with what it leads to."""

    link: Link
    target: Target


@dataclass(frozen=True, slots=True)
class OwnedItem:
    """An item of the checklist, with the standard that owns it."""

    standard: Standard
    item: ChecklistItem


@dataclass(frozen=True, slots=True)
class Named:
    """What an id in prose names. `kind` is None for what only looks like an id, `record` for an id of nothing."""

    kind: str | None = None
    record: Record | None = None
    fragment: str = ""


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file of Prometheus rules: the service that it belongs to, and what is wrong with its form."""

    path: str
    service: str
    problems: tuple[Problem, ...] = ()


@dataclass(
    frozen=True, repr=False
)  # mkdocs-macros prints all of the configuration into a log that nobody reads
class Handbook:
    """Everything that was read. Paths are relative to the root, POSIX, and spelt as on disk."""

    root: Path
    settings: Settings
    documents: Mapping[str, Document] = field(default_factory=dict)
    """Records and pages by path."""
    alerts: tuple[Alert, ...] = ()
    rule_files: tuple[RuleFile, ...] = ()
    audits: tuple[Audit, ...] = ()
    attachments: frozenset[str] = frozenset()
    """The other files that the site publishes."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The text of attachments, and of the samples that listings are cut from, by path."""
    readmes: tuple[str, ...] = ()
    """The files README.md in folders of records, which the site does not publish."""
    strays: tuple[str, ...] = ()
    """Files in a record folder that are neither record nor attachment, symbolic links, and names not in UTF-8."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with attachments."""
    suppressions: tuple[Suppression, ...] = ()
    """What authors allow, by path and line."""
    macros: MacroNames = field(default_factory=MacroNames)
    """The names that the templates of pages can call."""

    @cached_property
    def entities(self) -> tuple[Entity, ...]:
        """Every page, record, alert and audit."""
        return (*self.documents.values(), *self.alerts, *self.audits)

    @cached_property
    def _by_class(self) -> Mapping[type, tuple[Entity, ...]]:
        """The entities of each class and of each class above it."""
        entities: dict[type, list[Entity]] = defaultdict(list)
        for entity in self.entities:
            for cls in type(entity).__mro__:
                entities[cls].append(entity)
        return {cls: tuple(own) for cls, own in entities.items()}

    def of(self, kind: type[E]) -> tuple[E, ...]:
        """The entities of one class, by path."""
        return self._by_class.get(kind, ())  # type: ignore[return-value]

    def problems_of(self, kind: ProblemKind) -> tuple[Finding, ...]:
        """What the reading found of one kind: in the settings, in every entity, in rule files and in attachments."""
        return tuple(self._by_kind.get(kind, ()))

    @cached_property
    def _by_kind(self) -> Mapping[ProblemKind, list[Finding]]:
        readings: tuple[Settings | Entity | RuleFile | Handbook, ...]
        readings = (self.settings, *self.entities, *self.rule_files, self)
        findings: dict[ProblemKind, list[Finding]] = defaultdict(list)
        for problem in chain.from_iterable(reading.problems for reading in readings):
            findings[problem.kind].append(problem.finding)
        return findings

    @property
    def records(self) -> tuple[Record, ...]:
        """Every record that is a Markdown file, by path."""
        return self.of(Record)

    @cached_property
    def by_id(self) -> Mapping[tuple[str, str], Entity]:
        """Entities by kind and id; where two share an id, the first by path."""
        found: dict[tuple[str, str], Entity] = {}
        for entity in self.entities:
            found.setdefault((entity.kind, entity.id), entity)
        return MappingProxyType(found)

    def get(self, kind: type[E], id: str) -> E | None:
        """The entity of a kind with that id."""
        found = self.by_id.get((kind.kind, id))
        return found if isinstance(found, kind) else None

    def ambiguous(self, entity: Entity) -> bool:
        """Whether another of its kind has the same id, so that what names it may mean either."""
        return self._times[entity.kind, entity.id] > 1

    @cached_property
    def _times(self) -> Mapping[tuple[str, str], int]:
        """How often each id is given."""
        return Counter((entity.kind, entity.id) for entity in self.entities)

    @cached_property
    def items(self) -> Mapping[str, OwnedItem]:
        """The items of the checklist by id, each with the standard that owns it, in the order of groups and numbers."""
        found: dict[str, OwnedItem] = {}
        for standard in self.of(Standard):
            for item in standard.checklist:
                if item.id:
                    found.setdefault(item.id, OwnedItem(standard, item))
        order = list(self.settings.organisation.groups)

        def place(id: str) -> tuple[int, str]:
            group = id.split("-")[0]
            return (order.index(group) if group in order else len(order), id)

        return MappingProxyType({id: found[id] for id in sorted(found, key=place)})

    def standards_of(self, id: str) -> tuple[Standard, ...]:
        """The standards that an item of the checklist belongs to: its owner, then those that are verified by it too."""
        owner = self.items[id].standard
        return (
            owner,
            *(each for each in self.of(Standard) if each is not owner and id in each.verified_by),
        )

    def named(self, id: str) -> Named:
        """What an id in prose names: a record, a rule of a standard, or an item of the checklist."""
        if id.split("-")[0] in self.settings.organisation.groups:
            owned = self.items.get(id)
            return Named("item", owned.standard, anchor(id)) if owned else Named("item")
        for kind in RECORDS:
            if kind.mention and kind.mention.fullmatch(id):
                record = self.get(kind, id.split(".")[0])
                if record and "." in id:
                    known = any(marked == id for marked, _ in record.source.marked)
                    return Named(kind.kind, record, anchor(id)) if known else Named(kind.kind)
                return Named(kind.kind, record)
        return Named()

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """The number of each kind."""
        return {kind.kind: len(self.of(kind)) for kind in KINDS}

    def lost(self, kind: str) -> bool:
        """Whether records of a kind are expected and none was found: what refers to them is then not reported."""
        return not self.counts.get(kind) and self.settings.organisation.expect.get(kind, 0) > 0

    def address(self, entity: Entity) -> str:
        """The address of an entity from the site's root on: `adr/0023-x/`, `alerts/OrdersDown/`."""
        if isinstance(entity, Alert):
            return f"alerts/{entity.name}/"
        if isinstance(entity, Audit):
            return f"services/{entity.service}/#{entity.quarter.lower()}"
        return self.url(entity.path) or ""

    def url(self, path: str) -> str | None:
        """The address of a published file from the site's root on; None for any other file."""
        if path in self.attachments:
            return self.source_uri(path)
        if path not in self.documents:
            return None
        folder, name = posixpath.split(self.source_uri(path).removesuffix(".md"))
        if name not in ("index", "README"):
            folder = posixpath.join(folder, name)
        return f"{folder}/" if folder else ""

    def source_uri(self, path: str) -> str:
        """The path that MkDocs knows a file by: relative to docs/, beside whose content the record folders stand."""
        return path.removeprefix(f"{DOCS}/")

    @cached_property
    def by_address(self) -> Mapping[str, Document | Alert]:
        """Pages, records and alerts by their address."""
        return {
            self.address(entity): entity
            for entity in self.entities
            if isinstance(entity, Document | Alert)
        }

    def resolve(self, source: str, target: str) -> Target:
        """What a link that stands in the file `source` leads to. A folder leads to its index.md."""
        try:
            parts = urlsplit(target)
        except ValueError:
            return Target(invalid=True)
        if parts.scheme or parts.netloc:
            return Target(external=True, fragment=parts.fragment)
        fragment = unquote(parts.fragment)
        if not parts.path:
            return Target(source, fragment)
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), unquote(parts.path)))
        if parts.path.startswith("/") or path == ".." or path.startswith("../"):
            return Target(path, fragment, outside=True)
        index = posixpath.join(path, "index.md")
        return Target(index if index in self.documents else path, fragment)

    @cached_property
    def listing(self) -> Callable[[str], str | None]:
        """The text of a file that a listing is taken from, by its path; None where there is none. Read once."""
        return cache(partial(_read_listing, self.root))

    def links_of(self, document: Document) -> tuple[ResolvedLink, ...]:
        """The links and images of a document, each with what it leads to."""
        return self._links[document.path]

    @cached_property
    def _links(self) -> Mapping[str, tuple[ResolvedLink, ...]]:
        """The links of every document, by its path."""
        return {
            path: tuple(
                ResolvedLink(link, self.resolve(path, link.target))
                for link in document.source.links
            )
            for path, document in self.documents.items()
        }

    def published(self, path: str) -> bool:
        """Whether the site has the file."""
        return path in self.documents or path in self.attachments

    def runbooks_of(self, alert: Alert) -> tuple[Runbook, ...]:
        """The runbooks that list an alert."""
        return tuple(self._by_alert.get(alert.name, ()))

    @cached_property
    def misnamed_alerts(self) -> tuple[Alert, ...]:
        """The alerts whose name cannot be a part of an address."""
        return tuple(alert for alert in self.alerts if not re.fullmatch(ALERT_NAME, alert.name))

    def incidents_of(self, alert: Alert) -> tuple[Postmortem, ...]:
        """The post-mortems that name an alert."""
        return tuple(
            ref.source for ref in self.referring_to(alert) if isinstance(ref.source, Postmortem)
        )

    def anchors_of(self, alert: Alert) -> frozenset[str]:
        """The ids on the page of an alert: those of its one runbook, and "incidents" only if it has any."""
        incidents = {"incidents"} if self.incidents_of(alert) else set()
        runbooks = self.runbooks_of(alert)
        shown = runbooks[0].source.anchors_below_title if len(runbooks) == 1 else frozenset()
        return frozenset({slug(alert.name, "-"), "when"} | incidents | shown)

    @cached_property
    def _by_alert(self) -> Mapping[str, list[Runbook]]:
        found: dict[str, list[Runbook]] = defaultdict(list)
        for runbook in self.of(Runbook):
            for name in dict.fromkeys(runbook.alerts):
                found[name].append(runbook)
        return found

    def audits_of(self, service: Service) -> tuple[Audit, ...]:
        """The audits of a service, the newest first."""
        return tuple(self._by_service.get(service.id, ()))

    @cached_property
    def _by_service(self) -> Mapping[str, list[Audit]]:
        found: dict[str, list[Audit]] = defaultdict(list)
        for audit in sorted(self.audits, key=lambda audit: audit.quarter, reverse=True):
            found[audit.service].append(audit)
        return found

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Every reference from one to another, in the order of paths and places."""
        return tuple(self._references())

    def _references(self) -> Iterator[Reference]:
        for entity in self.entities:
            for reference in entity.references():
                if target := self.by_id.get((reference.kind, reference.id)):
                    yield Reference(entity, target, reference.key, reference.at)
            if isinstance(entity, Document):
                yield from self._in_text(entity)

    def _in_text(self, document: Document) -> Iterator[Reference]:
        seen = {document.path}
        found: list[tuple[Location, Document | None]] = [
            (mention.at, self.named(mention.id).record) for mention in document.source.mentions
        ]
        for resolved in self.links_of(document):
            path = resolved.target.path
            found.append((resolved.link.at, self.documents.get(path) if path else None))
        for at, target in sorted(found, key=lambda each: each[0]):
            if isinstance(target, Record) and target.path not in seen:
                seen.add(target.path)
                yield Reference(document, target, "text", at)

    @cached_property
    def _by_source(self) -> Mapping[tuple[str, str], tuple[Reference, ...]]:
        return _grouped(self.references, lambda reference: reference.source)

    @cached_property
    def _by_target(self) -> Mapping[tuple[str, str], tuple[Reference, ...]]:
        return _grouped(self.references, lambda reference: reference.target)

    def referring_to(self, entity: Entity) -> tuple[Reference, ...]:
        """The references that name an entity, from others than itself."""
        found = self._by_target.get((entity.kind, entity.id), ())
        return tuple(ref for ref in found if ref.source is not entity)

    def referred_from(self, entity: Entity) -> tuple[Reference, ...]:
        """The references that an entity makes to others."""
        found = self._by_source.get((entity.kind, entity.id), ())
        return tuple(ref for ref in found if ref.target is not entity)


def _grouped(
    references: Iterable[Reference], end: Callable[[Reference], Entity]
) -> Mapping[tuple[str, str], tuple[Reference, ...]]:
    found: dict[tuple[str, str], list[Reference]] = defaultdict(list)
    for reference in references:
        found[end(reference).kind, end(reference).id].append(reference)
    return {key: tuple(group) for key, group in found.items()}


def _read_listing(root: Path, path: str) -> str | None:
    """The text of a file in one of the folders that listings are taken from."""
    for folder in SNIPPETS:
        base = (root / folder).resolve()
        file = (base / path).resolve()
        if file.is_relative_to(base) and isinstance(text := files.read_text(base, path), str):
            return text
    return None
