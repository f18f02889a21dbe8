"""The handbook as one value: its records, its pages, and the references between them.

The checks, the site, the command line and the JSON files all read this value. The module `loading`
creates it from files.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache, partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from handbook.diagnostics import Finding, Location, find_nearest
from handbook.macro_names import MacroNames
from handbook.reading import files, nodes
from handbook.reading.blocks import Link
from handbook.reading.glossary import Glossary, hide_examples
from handbook.reading.ids import HeadingIds, anchor, find_group, read_number, slug
from handbook.reading.problems import Problem, ProblemKind
from handbook.reading.suppressions import Suppression
from handbook.records import ALERT_NAME, Document, Entity, Page, Record
from handbook.records.adr import Adr
from handbook.records.alert import Alert
from handbook.records.audit import Audit
from handbook.records.kinds import KINDS, RECORDS
from handbook.records.postmortem import Postmortem
from handbook.records.rule_file import MonitoringRule, RuleFile
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.records.service_file import ServiceFile, files_address
from handbook.records.standard import ChecklistItem, Requirement, Standard
from handbook.settings import DOCS, Settings
from handbook.site_settings import can_add_files, is_address, list_nav_entries

E = TypeVar("E", bound=Entity)
V = TypeVar("V")
R = TypeVar("R", bound=Record)

LISTING_FOLDERS: Final = ("docs/standards/samples", "runbooks")
"""The folders of the sample files that a listing can include."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference from one entity to another.

    `via` is the front matter key that makes the reference, or "text" if the body makes it.
    """

    source: Entity
    target: Entity
    via: str
    at: Location


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a link.

    `path` is a file in the repository. It is None if the link is external or invalid.
    """

    path: str | None = None
    fragment: str = ""
    is_external: bool = False
    is_invalid: bool = False
    is_outside: bool = False


@dataclass(frozen=True, slots=True)
class ResolvedLink:
    """A link or image of a document, with its target."""

    link: Link
    target: Target


@dataclass(frozen=True, slots=True)
class OwnedItem:
    """A checklist item, with the standard that owns it."""

    standard: Standard
    item: ChecklistItem


@dataclass(frozen=True, slots=True)
class IdTarget:
    """The target of an id in a text.

    `kind` is None if the text has not the form of an id. `record` is None if the id is unknown.
    """

    kind: str | None = None
    record: Record | None = None
    fragment: str = ""


# The class has no repr, because mkdocs-macros writes the repr of the configuration to its log.
@dataclass(frozen=True, repr=False)
class Handbook:
    """All records, pages and settings. Paths are POSIX paths, relative to the root."""

    root: Path
    settings: Settings
    documents: Mapping[str, Document] = field(default_factory=dict)
    """The records and pages, by path."""
    alerts: tuple[Alert, ...] = ()
    rule_files: tuple[RuleFile, ...] = ()
    audits: tuple[Audit, ...] = ()
    attachments: frozenset[str] = frozenset()
    """The paths of published files that are not documents."""
    service_files: tuple[ServiceFile, ...] = ()
    """The files of the services that name a folder under `source`."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The texts of attachments, sample files and files of services, by path.

    The check for secrets reads them.
    """
    readmes: tuple[str, ...] = ()
    """The paths of README.md files in record folders. The site does not publish them."""
    strays: tuple[str, ...] = ()
    """The paths of files that a rule must report, because the site cannot publish them.

    They are symbolic links, files whose name is not UTF-8, and files in a record folder that belong
    to no record.
    """
    unread_audits: tuple[str, ...] = ()
    """The paths of files that are meant as audits, but have another name or folder."""
    problems: tuple[Problem, ...] = ()
    """The problems of attachments."""
    suppressions: tuple[Suppression, ...] = ()
    """All suppressions in Markdown and YAML files."""
    macros: MacroNames = field(default_factory=MacroNames)
    """The macros and variables that page templates can use."""
    provided: frozenset[str] = frozenset()
    """The paths of the documents that this package provides, because the repository lacks them."""
    replacements: Mapping[str, str] = field(default_factory=dict)
    """The pages that this package need not provide, each with the file that replaces it."""

    @cached_property
    def entities(self) -> tuple[Entity, ...]:
        """All pages, records, alerts and audits."""
        return (*self.documents.values(), *self.alerts, *self.audits)

    @cached_property
    def _entities_by_class(self) -> Mapping[type, tuple[Entity, ...]]:
        """The entities by class. An entity is also in the list of each of its base classes."""
        entities: dict[type, list[Entity]] = defaultdict(list)
        for entity in self.entities:
            for cls in type(entity).__mro__:
                entities[cls].append(entity)
        return {cls: tuple(members) for cls, members in entities.items()}

    def of(self, kind: type[E]) -> tuple[E, ...]:
        """Return the entities of a class, in the order of their paths."""
        return self._entities_by_class.get(kind, ())  # type: ignore[return-value]

    def problems_of(self, kind: ProblemKind) -> tuple[Finding, ...]:
        """Return the findings of all problems of a kind, from every file of the handbook."""
        return tuple(self._findings_by_kind.get(kind, ()))

    @cached_property
    def _findings_by_kind(self) -> Mapping[ProblemKind, list[Finding]]:
        owners: tuple[Settings | Entity | RuleFile | Handbook, ...]
        owners = (self.settings, *self.entities, *self.rule_files, self)
        findings: dict[ProblemKind, list[Finding]] = defaultdict(list)
        for problem in chain.from_iterable(owner.problems for owner in owners):
            findings[problem.kind].append(problem.finding)
        return findings

    @cached_property
    def monitoring_rules(self) -> tuple[MonitoringRule, ...]:
        """The alerting rules and recording rules of all rule files."""
        return tuple(rule for file in self.rule_files for rule in file.rules)

    @property
    def alerting_rules(self) -> tuple[MonitoringRule, ...]:
        """The alerting rules of all alerts."""
        return tuple(rule for alert in self.alerts for rule in alert.rules)

    def records_with(self, kind: type[R], key: str, value: str) -> tuple[R, ...]:
        """Return the records of a class whose field `key` is a value or contains it, by path."""
        index = self._records_by_value.get((kind, key))
        if index is None:
            index = defaultdict(list)
            for record in self.of(kind):
                values = getattr(record, key)
                for member in {values} if isinstance(values, str | None) else set(values):
                    index[member].append(record)
            self._records_by_value[kind, key] = index
        return tuple(index.get(value, ()))  # type: ignore[arg-type]

    @cached_property
    def _records_by_value(self) -> dict[tuple[type, str], dict[str | None, list[Record]]]:
        """The records by value, for each class and field that was asked for."""
        return {}

    def derive(self, make: Callable[..., V], *arguments: Hashable) -> V:
        """Return `make(handbook, *arguments)`, which is made once for each handbook.

        In a preview, a page that asks for a derived value depends on this value alone, and not on
        the records from which it is made.
        """
        key = make, arguments
        if key not in self._derived_values:
            self._derived_values[key] = make(self, *arguments)
        return self._derived_values[key]  # type: ignore[no-any-return]

    @cached_property
    def _derived_values(self) -> dict[Hashable, Any]:
        return {}

    @property
    def records(self) -> tuple[Record, ...]:
        """All records, in the order of their paths."""
        return self.of(Record)

    @cached_property
    def entities_by_id(self) -> Mapping[tuple[str, str], Entity]:
        """The entities by kind and id. If two have the same id, only the first is included."""
        entities: dict[tuple[str, str], Entity] = {}
        for entity in self.entities:
            entities.setdefault((entity.kind, entity.id), entity)
        return MappingProxyType(entities)

    @cached_property
    def id_numbers(self) -> frozenset[tuple[str, int]]:
        """The prefix and the number of each id that has them, such as ("ADR", 23)."""
        ids = (*(id for _, id in self.entities_by_id), *self.checklist_items)
        return frozenset(filter(None, map(read_number, ids)))

    def get(self, kind: type[E], id: str) -> E | None:
        """Return the entity of a kind with this id, or None if the id is unknown."""
        entity = self.entities_by_id.get((kind.kind, id))
        return entity if isinstance(entity, kind) else None

    def find_successors(self, adr: Adr) -> tuple[Adr, ...]:
        """Return the accepted decisions that replaced a decision, directly or through others."""
        successors: dict[str, Adr] = {}
        seen: set[str] = set()
        queue = list(adr.superseded_by)
        while queue:
            id = queue.pop(0)
            successor = self.get(Adr, id)
            if successor and id not in seen:
                seen.add(id)
                queue += successor.superseded_by
                if successor.status == "accepted":
                    successors[id] = successor
        return tuple(successors.values())

    def is_ambiguous(self, entity: Entity) -> bool:
        """Return whether another entity of the same kind has the same id."""
        return self._id_counts[entity.kind, entity.id] > 1

    @cached_property
    def _id_counts(self) -> Mapping[tuple[str, str], int]:
        """The number of entities with each kind and id."""
        return Counter((entity.kind, entity.id) for entity in self.entities)

    @cached_property
    def checklist_items(self) -> Mapping[str, OwnedItem]:
        """The checklist items by id, in the order of their groups and numbers."""
        items: dict[str, OwnedItem] = {}
        for standard in self.of(Standard):
            for item in standard.checklist:
                if item.id:
                    items.setdefault(item.id, OwnedItem(standard, item))
        group_order = list(self.settings.organisation.groups)

        def sort_key(id: str) -> tuple[int, str]:
            group = find_group(id)
            return (group_order.index(group) if group in group_order else len(group_order), id)

        return MappingProxyType({id: items[id] for id in sorted(items, key=sort_key)})

    @cached_property
    def has_unreadable_standard(self) -> bool:
        """True if a standard is unreadable, or an id of its items. It could own an unknown item."""
        return any(
            not standard.is_readable or not standard.has_readable_ids
            for standard in self.of(Standard)
        )

    @cached_property
    def _requirements_by_item(self) -> Mapping[str, Sequence[tuple[Standard, Requirement]]]:
        requirements: dict[str, list[tuple[Standard, Requirement]]] = {}
        for standard in self.of(Standard):
            for requirement in standard.requirements:
                for name in requirement.verified_by:
                    requirements.setdefault(name, []).append((standard, requirement))
        return requirements

    def requirements_of(self, id: str) -> Sequence[tuple[Standard, Requirement]]:
        """Return the requirements that a checklist item verifies, each with its standard."""
        return self._requirements_by_item.get(id, ())

    def standards_of(self, id: str) -> tuple[Standard, ...]:
        """Return the standards of a checklist item.

        The first is the standard that owns the item. The others name it in the section "How to
        verify it".
        """
        owner = self.checklist_items[id].standard
        return (
            owner,
            *(
                standard
                for standard in self.of(Standard)
                if standard is not owner and id in standard.verification_ids
            ),
        )

    def resolve_id(self, id: str) -> IdTarget:
        """Return the target of an id in a text: a record, a requirement or a checklist item."""
        if find_group(id) in self.settings.organisation.groups:
            owned = self.checklist_items.get(id)
            return IdTarget("item", owned.standard, anchor(id)) if owned else IdTarget("item")
        for kind in RECORDS:
            if kind.mention and kind.mention.fullmatch(id):
                record = self.get(kind, id.split(".")[0])
                if record and "." in id:
                    is_requirement = id in record.source.item_ids
                    return (
                        IdTarget(kind.kind, record, anchor(id))
                        if is_requirement
                        else IdTarget(kind.kind)
                    )
                return IdTarget(kind.kind, record)
        return IdTarget()

    @cached_property
    def entity_counts(self) -> Mapping[str, int]:
        """The number of entities of each kind."""
        return {kind.kind: len(self.of(kind)) for kind in KINDS}

    def is_kind_missing(self, kind: str) -> bool:
        """Return whether the handbook has no records of a kind that the settings expect.

        If so, rules do not report broken references to this kind.
        """
        return (
            not self.entity_counts.get(kind) and self.settings.organisation.expect.get(kind, 0) > 0
        )

    def address(self, entity: Entity) -> str:
        """Return the address of an entity from the root of the site, such as `adr/0023-x/`."""
        if isinstance(entity, Alert):
            return f"alerts/{entity.name}/"
        if isinstance(entity, Audit):
            return f"services/{entity.service}/#{entity.quarter.lower()}"
        return self.url(entity.path) or ""

    def find_team(self, address: str) -> str | None:
        """Return the name of the team whose page has an address, or None."""
        return self._teams_by_address.get(address)

    @cached_property
    def _teams_by_address(self) -> Mapping[str, str]:
        return {address: name for name, address in self.settings.team_addresses.items()}

    def on_call_of(self, record: Service | Runbook) -> str | None:
        """Return the on-call rota of a service or runbook.

        A service without a rota has the rota of its owner. A runbook has the rota of its service,
        or else that of its own owner.
        """
        team_rota = self.settings.team(record.owner).on_call
        if isinstance(record, Service):
            return record.on_call or team_rota
        service = self.get(Service, record.service)
        return (self.on_call_of(service) if service else None) or team_rota

    def url(self, path: str) -> str | None:
        """Return the address of a published file from the root of the site.

        Returns None if the site does not publish the file.
        """
        if path not in self._urls:
            self._urls[path] = self._make_url(path)
        return self._urls[path]

    @cached_property
    def _urls(self) -> dict[str, str | None]:
        """The results of `url`. A build asks for the address of each file many times."""
        return {}

    def _make_url(self, path: str) -> str | None:
        if path in self.attachments:
            return self.source_uri(path)
        if path not in self.documents:
            return self._service_urls.get(path)
        folder, name = posixpath.split(self.source_uri(path).removesuffix(".md"))
        if name not in ("index", "README"):
            folder = posixpath.join(folder, name)
        return f"{folder}/" if folder else ""

    @cached_property
    def layout(self) -> tuple[object, ...]:
        """The values that decide the addresses of documents and files, and the targets of links."""
        return (
            tuple(self.documents),
            self.attachments,
            self._service_urls,
            self.provided,
            self.replacements,
        )

    @cached_property
    def service_files_by_path(self) -> Mapping[str, ServiceFile]:
        """The published files of services, by path in the repository."""
        return {file.path: file for file in reversed(self.service_files) if file.data is not None}

    @cached_property
    def service_files_by_address(self) -> Mapping[str, ServiceFile]:
        """The files of services that have a page, by the address of the page."""
        return {file.address: file for file in self.service_files if file.has_page}

    def files_of(self, service: Service) -> tuple[ServiceFile, ...]:
        """Return the files of a service, sorted by path."""
        return self._files_by_service.get(service.id, ())

    def find_service_file(self, service: str, name: str) -> ServiceFile | None:
        """Return a file of a service by its path in the folder of the service, or None."""
        return self._files_by_name.get((service, name))

    @cached_property
    def _files_by_name(self) -> Mapping[tuple[str, str], ServiceFile]:
        return {(file.service, file.name): file for file in self.service_files}

    @cached_property
    def _files_by_service(self) -> Mapping[str, tuple[ServiceFile, ...]]:
        files_by_service: dict[str, list[ServiceFile]] = defaultdict(list)
        for file in self.service_files:
            files_by_service[file.service].append(file)
        return {service: tuple(files) for service, files in files_by_service.items()}

    @cached_property
    def _service_urls(self) -> Mapping[str, str]:
        """The addresses of the files of services, and of their folders, by path."""
        folders = {file.source: files_address(file.service) for file in self.service_files}
        return folders | {path: file.address for path, file in self.service_files_by_path.items()}

    def source_uri(self, path: str) -> str:
        """Return the path that MkDocs uses for a file, without the folder docs/."""
        return path.removeprefix(f"{DOCS}/")

    @cached_property
    def tag_ids(self) -> Mapping[str, str]:
        """The id of each tag of a record on the page of the tags. `c++` and `c#` differ."""
        ids = HeadingIds(())
        tags = {tag for record in self.records for tag in record.tags}
        return {tag: ids.of(f"tag {tag}")[0] for tag in sorted(tags)}

    @cached_property
    def glossary(self) -> Glossary:
        """The terms that pages define."""
        return Glossary.read((page.path, hide_examples(page.source)) for page in self.of(Page))

    @cached_property
    def unknown_nav_entries(self) -> Mapping[nodes.Scalar, str | None]:
        """The paths in the setting `nav` that are not pages, each with the page that it can mean.

        The mapping is empty if a plugin or hook can add pages. It has no path in a folder with a
        misnamed record, because the path can be the correct name of that record.
        """
        root_node = self.settings.root_node
        if can_add_files(root_node):
            return {}
        entries = [entry for entry in list_nav_entries(root_node) if self._is_unknown(entry.text)]
        if not entries:
            return {}
        unlisted = [
            document
            for document in self.documents.values()
            if not self.settings.is_in_nav(self.source_uri(document.path))
        ]
        counts = Counter((type(record), record.id) for record in self.records)
        folders = {
            posixpath.dirname(self.source_uri(record.path))
            for record in unlisted
            if isinstance(record, Record)
            and not (record.has_valid_name and counts[type(record), record.id] == 1)
        }
        provided_uris = [self.source_uri(path) for path in sorted(self.provided)]
        uris = [
            self.source_uri(document.path)
            for document in unlisted
            if document.path not in self.provided
        ]
        pages = [
            self.source_uri(document.path)
            for document in unlisted
            if not isinstance(document, Record) and document.path not in self.provided
        ]
        nearest_uris = {
            entry: find_nearest(entry.text, uris)
            for entry in entries
            if posixpath.dirname(entry.text) not in folders
        }
        # If only one page and one entry are left, the entry means the page.
        if len(nearest_uris) == len(pages) == 1 and None in nearest_uris.values():
            return dict.fromkeys(nearest_uris, pages[0])
        return {
            entry: uri or find_nearest(entry.text, provided_uris)
            for entry, uri in nearest_uris.items()
        }

    def _is_unknown(self, nav_path: str) -> bool:
        """Return whether a path in the setting `nav` has the form of a page, but is no page."""
        path = posixpath.normpath(nav_path)
        name = posixpath.basename(path.partition("#")[0].partition("?")[0])
        if not nav_path.strip() or is_address(nav_path) or ("." in name and name[-3:] != ".md"):
            return False
        paths = (path, f"{DOCS}/{path}")
        if any(
            self.is_kind_missing(kind.kind) and candidate.startswith(f"{kind.folder}/")
            for kind in RECORDS
            for candidate in paths
        ):
            return False
        alert_name = path.removeprefix("alerts/").removesuffix(".md")
        is_page = paths[1] in self.documents or (
            path in self.documents and not path.startswith(f"{DOCS}/")
        )
        return not is_page and not (
            path.startswith("alerts/") and alert_name in {alert.name for alert in self.alerts}
        )

    @cached_property
    def entities_by_address(self) -> Mapping[str, Document | Alert]:
        """The pages, records and alerts, by address."""
        return {
            self.address(entity): entity
            for entity in self.entities
            if isinstance(entity, Document | Alert)
        }

    def own_address(self, url: str) -> str | None:
        """Return the address of a URL from the root of this site, or None for another site."""
        site = self.settings.site_url.rstrip("/") + "/"
        if not self.settings.has_site_url or not f"{url}/".startswith(site):
            return None
        return unquote(urlsplit(url).path)[len(urlsplit(site).path) :]

    def has_address(self, address: str) -> bool:
        """Return whether an address, such as `adr/0023-x/`, leads to a page, record or alert.

        An address that redirects to a page also does.
        """
        addresses = {address, f"{address.rstrip('/')}/"}
        return not addresses.isdisjoint(self.entities_by_address) or any(
            f"/{old}" in document.moved_from
            for document in self.documents.values()
            for old in addresses
        )

    def resolve(self, source: str, target: str) -> Target:
        """Return the target of the link `target` in the file `source`.

        The target of a link to a folder is the index.md of the folder.
        """
        written = _read_target(posixpath.dirname(source), target)
        if written.path is None or written.is_outside:
            return written
        if not written.path:
            return Target(source, written.fragment)
        path = written.path
        if source in self.provided:
            path = self.replacements.get(path, path)
        index_page = posixpath.join(path, "index.md")
        if index_page in self.documents:
            path = index_page
        return written if path == written.path else Target(path, written.fragment)

    def find_listing_file(self, path: str) -> ServiceFile | None:
        """Return the file of a service that a listing includes, or None."""
        paths = (posixpath.normpath(f"{folder}/{path}") for folder in LISTING_FOLDERS)
        files_of_services = (self.service_files_by_path.get(path) for path in paths)
        return next(filter(None, files_of_services), None)

    @cached_property
    def read_listing(self) -> Callable[[str], str | None]:
        """The function that returns the text of a sample file, or None. It reads each file once."""
        return cache(partial(read_listing_file, self.root))

    def links_of(self, document: Document) -> tuple[ResolvedLink, ...]:
        """Return the links and images of a document, with their targets."""
        return self._links_by_path[document.path]

    @cached_property
    def _links_by_path(self) -> Mapping[str, tuple[ResolvedLink, ...]]:
        """The links and images of every document, by the path of the document."""
        return {
            path: tuple(
                ResolvedLink(link, self.resolve(path, link.target))
                for link in document.source.links
            )
            for path, document in self.documents.items()
        }

    @cached_property
    def published_paths_by_folded_path(self) -> Mapping[str, str]:
        """The paths of all published files, by path without regard to case."""
        paths = (*self.documents, *sorted(self.attachments), *sorted(self._service_urls))
        return {path.casefold(): path for path in reversed(paths)}

    def is_published(self, path: str) -> bool:
        """Return whether the site publishes a file."""
        return path in self.documents or path in self.attachments or path in self._service_urls

    @cached_property
    def paths(self) -> frozenset[str]:
        """The paths of all files that the site publishes or a rule checks, and of their folders."""
        paths = {*self.documents, *self.attachments, *self.readmes, *self.strays} - self.provided
        paths |= {audit.path for audit in self.audits} | {file.path for file in self.rule_files}
        return frozenset(paths | {folder for path in paths for folder in list_folders(path)})

    def is_removed(self, path: str) -> bool:
        """Return whether `handbook.removed` lists this file or a folder that contains it."""
        return not self._removed_paths.isdisjoint((path, *list_folders(path)))

    @cached_property
    def _removed_paths(self) -> frozenset[str]:
        """The files and folders that `handbook.removed` lists, and that no longer exist."""
        entries = self.settings.organisation.removed
        return frozenset(entry.path.rstrip("/") for entry in entries if entry.path) - self.paths

    def runbooks_of(self, alert: Alert) -> tuple[Runbook, ...]:
        """Return the runbooks that list an alert."""
        return tuple(self._runbooks_by_alert.get(alert.name, ()))

    @cached_property
    def misnamed_alerts(self) -> tuple[Alert, ...]:
        """The alerts whose name cannot be part of an address."""
        return tuple(alert for alert in self.alerts if not re.fullmatch(ALERT_NAME, alert.name))

    def incidents_of(self, alert: Alert) -> tuple[Postmortem, ...]:
        """Return the post-mortems that list an alert."""
        return tuple(
            ref.source for ref in self.references_to(alert) if isinstance(ref.source, Postmortem)
        )

    def anchors_of(self, alert: Alert) -> frozenset[str]:
        """Return the anchors on the page of an alert.

        If exactly one runbook lists the alert, the page includes the runbook and its anchors.
        """
        incidents = {"incidents"} if self.incidents_of(alert) else set()
        runbooks = self.runbooks_of(alert)
        runbook_anchors = (
            runbooks[0].source.anchors_below_title if len(runbooks) == 1 else frozenset()
        )
        return frozenset({slug(alert.name, "-"), "when"} | incidents | runbook_anchors)

    @cached_property
    def _runbooks_by_alert(self) -> Mapping[str, list[Runbook]]:
        runbooks: dict[str, list[Runbook]] = defaultdict(list)
        for runbook in self.of(Runbook):
            for name in dict.fromkeys(runbook.alerts):
                runbooks[name].append(runbook)
        return runbooks

    def audits_of(self, service: Service) -> tuple[Audit, ...]:
        """Return the audits of a service, newest first."""
        return tuple(self._audits_by_service.get(service.id, ()))

    def is_open(self, audit: Audit) -> bool:
        """Return whether an audit is open.

        An audit is open until its service has an audit of a later quarter. Today's date plays no
        part, so that no check fails because time passes.
        """
        return self._audits_by_service[audit.service][0].quarter == audit.quarter

    def has_folder(self, path: str) -> bool:
        """Return whether the repository contains a folder."""
        return files.is_inside(self.root, path) and files.is_folder(self.root / path)

    def read_source(self, service: Service, path: str) -> str | None:
        """Return the text of a file of a service, or None if the file does not exist.

        The service must have a `source`. The text of a folder is empty.
        """
        folder = self.root / (service.source_folder or ".")
        if not files.is_inside(folder, path) or not files.exists(folder / path):
            return None
        return files.read_searchable_text(folder, path)

    @cached_property
    def _audits_by_service(self) -> Mapping[str, list[Audit]]:
        audits: dict[str, list[Audit]] = defaultdict(list)
        for audit in sorted(self.audits, key=lambda audit: audit.quarter, reverse=True):
            audits[audit.service].append(audit)
        return audits

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """All references between entities."""
        return tuple(self._references())

    def _references(self) -> Iterator[Reference]:
        for entity in self.entities:
            for reference in entity.references:
                if target := self.entities_by_id.get((reference.kind, reference.id)):
                    yield Reference(entity, target, reference.key, reference.at)
            if isinstance(entity, Document):
                yield from self._text_references(entity)

    def _text_references(self, document: Document) -> Iterator[Reference]:
        """Yield the first reference to each record in the text of a document."""
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
    def _references_by_source(self) -> Mapping[tuple[str, str], tuple[Reference, ...]]:
        return _group_by(self.references, lambda reference: reference.source)

    @cached_property
    def _references_by_target(self) -> Mapping[tuple[str, str], tuple[Reference, ...]]:
        return _group_by(self.references, lambda reference: reference.target)

    def references_to(self, entity: Entity) -> tuple[Reference, ...]:
        """Return the references to an entity from other entities."""
        references = self._references_by_target.get((entity.kind, entity.id), ())
        return tuple(ref for ref in references if ref.source is not entity)

    def references_from(self, entity: Entity) -> tuple[Reference, ...]:
        """Return the references from an entity to other entities."""
        references = self._references_by_source.get((entity.kind, entity.id), ())
        return tuple(ref for ref in references if ref.target is not entity)


@lru_cache(maxsize=100_000)  # A preview resolves almost all links again after each edit.
def _read_target(folder: str, target: str) -> Target:
    """Return the target of a link in a file of a folder, as it is written.

    The path of a link within a page is empty.
    """
    try:
        parts = urlsplit(target)
    except ValueError:
        return Target(is_invalid=True)
    if parts.scheme or parts.netloc:
        return Target(is_external=True, fragment=parts.fragment)
    fragment = normalize("NFC", unquote(parts.fragment))  # as `slug` makes ids of headings
    if not parts.path:
        return Target("", fragment)
    path = posixpath.normpath(posixpath.join(folder, unquote(parts.path)))
    is_outside = parts.path.startswith("/") or path == ".." or path.startswith("../")
    return Target(path, fragment, is_outside=is_outside)


def list_folders(path: str) -> Iterator[str]:
    """Yield the folders that contain a file or a folder, the innermost first."""
    while path := path.rpartition("/")[0]:
        yield path


def _group_by(
    references: Iterable[Reference], get_entity: Callable[[Reference], Entity]
) -> Mapping[tuple[str, str], tuple[Reference, ...]]:
    """Group references by the kind and id of one of their entities."""
    groups: dict[tuple[str, str], list[Reference]] = defaultdict(list)
    for reference in references:
        entity = get_entity(reference)
        groups[entity.kind, entity.id].append(reference)
    return {key: tuple(group) for key, group in groups.items()}


def read_listing_file(root: Path, path: str) -> str | None:
    """Return the text of a sample file. Returns None if no folder of samples contains it."""
    for folder in LISTING_FOLDERS:
        base = root / folder
        if files.is_inside(base, path) and isinstance(text := files.read_text(base, path), str):
            return text
    return None
