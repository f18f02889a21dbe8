"""The whole handbook as one value: every record and page, and what each refers to.

Gate, site, command line and JSON are four readers of it. It is computed once, from the files alone.
"""

from __future__ import annotations

import gc
import os
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar
from urllib.parse import unquote, urlsplit

from handbook.diagnostics import Finding, Location
from handbook.reading import files
from handbook.reading.attachments import judge
from handbook.reading.fields import Problem
from handbook.reading.policy import substitute
from handbook.reading.source import Link, Source, anchor, read_source, slug
from handbook.reading.suppressions import Suppression, in_source, in_yaml
from handbook.records import ALERT_NAME, Document, Entity, Page, Record, read_document, read_entity
from handbook.records.alert import Alert, read_alerts
from handbook.records.audit import PATH as AUDIT_PATH
from handbook.records.audit import Audit
from handbook.records.kinds import KINDS, RECORDS
from handbook.records.postmortem import Postmortem
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.records.standard import ChecklistItem, Standard
from handbook.settings import FILE, Settings, read_settings

E = TypeVar("E", bound=Entity)

FOLDERS: Final = tuple(kind.folder for kind in RECORDS)
"""The folders of records."""

MOUNTED: Final = tuple(folder for folder in FOLDERS if not folder.startswith("docs/"))
"""Those beside docs/ whose files the site publishes."""

_SAMPLES: Final = "docs/standards/samples/"
_INSTALLED: Final = {".venv", "node_modules"}
"""What a tool puts into a sample's folder, and Git ignores."""

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


@dataclass(frozen=True, repr=False)  # mkdocs-macros prints all of the configuration into a log that nobody reads
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

    @cached_property
    def entities(self) -> tuple[Entity, ...]:
        """Every page, record, alert and audit."""
        return (*self.documents.values(), *self.alerts, *self.audits)

    @cached_property
    def _by_class(self) -> dict[type[Entity], tuple[Entity, ...]]:
        return {}

    def of(self, kind: type[E]) -> tuple[E, ...]:
        """The entities of one class, by path."""
        found = self._by_class.get(kind)
        if found is None:
            found = tuple(entity for entity in self.entities if isinstance(entity, kind))
            self._by_class[kind] = found
        return found  # type: ignore[return-value]

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
    def items(self) -> Mapping[str, tuple[Standard, ChecklistItem]]:
        """The items of the checklist by id, each with the standard that owns it, in the order of groups and numbers."""
        found: dict[str, tuple[Standard, ChecklistItem]] = {}
        for standard in self.of(Standard):
            for item in standard.checklist:
                if item.id:
                    found.setdefault(item.id, (standard, item))
        order = list(self.settings.organisation.groups)

        def place(id: str) -> tuple[int, str]:
            group = id.split("-")[0]
            return (order.index(group) if group in order else len(order), id)

        return MappingProxyType({id: found[id] for id in sorted(found, key=place)})

    def standards_of(self, id: str) -> tuple[Standard, ...]:
        """The standards that an item of the checklist belongs to: its owner, then those that are verified by it too."""
        owner = self.items[id][0]
        return (owner, *(each for each in self.of(Standard) if each is not owner and id in each.verified_by))

    def named(self, id: str) -> Named:
        """What an id in prose names: a record, a rule of a standard, or an item of the checklist."""
        if id.split("-")[0] in self.settings.organisation.groups:
            owner = self.items.get(id)
            return Named("item", owner[0], anchor(id)) if owner else Named("item")
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
        """The path that MkDocs knows a file by: relative to docs_dir, beside whose content the record folders stand."""
        return path.removeprefix(f"{self.settings.docs_dir}/")

    @cached_property
    def by_address(self) -> Mapping[str, Document | Alert]:
        """Pages, records and alerts by their address."""
        return {self.address(entity): entity for entity in self.entities if isinstance(entity, Document | Alert)}

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

    def listing(self, path: str) -> str | None:
        """The text of a file that a listing is taken from, in the folders for it; None where there is none."""
        if path not in self._listings:
            self._listings[path] = self._listing(path)
        return self._listings[path]

    @cached_property
    def _listings(self) -> dict[str, str | None]:
        return {}

    def _listing(self, path: str) -> str | None:
        for folder in SNIPPETS:
            base = (self.root / folder).resolve()
            file = (base / path).resolve()
            if file.is_relative_to(base) and isinstance(text := files.read_text(base, path), str):
                return text
        return None

    @cached_property
    def _targets(self) -> dict[str, tuple[tuple[Link, Target], ...]]:
        return {}

    def links_of(self, document: Document) -> tuple[tuple[Link, Target], ...]:
        """The links and images of a document, each with what it leads to."""
        found = self._targets.get(document.path)
        if found is None:
            found = tuple((link, self.resolve(document.path, link.target)) for link in document.source.links)
            self._targets[document.path] = found
        return found

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
        return tuple(ref.source for ref in self.referring_to(alert) if isinstance(ref.source, Postmortem))

    def anchors_of(self, alert: Alert) -> frozenset[str]:
        """The ids of the headings on the page of an alert; "incidents" only if it has any."""
        incidents = {"incidents"} if self.incidents_of(alert) else set()
        return frozenset({slug(alert.name, "-"), "when"} | incidents)

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
            for key, kind, id, at in entity.references():
                if target := self.by_id.get((kind, id)):
                    yield Reference(entity, target, key, at)
            if isinstance(entity, Document):
                yield from self._in_text(entity)

    def _in_text(self, document: Document) -> Iterator[Reference]:
        seen = {document.path}
        found: list[tuple[Location, Document | None]] = [
            (mention.at, self.named(mention.id).record) for mention in document.source.mentions
        ]
        for link, leads in self.links_of(document):
            found.append((link.at, self.documents.get(leads.path) if leads.path else None))
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


def load(root: Path) -> Handbook:
    """Read the whole handbook at `root`.

    Raises FileNotFoundError where the root holds no mkdocs.yml; whatever is wrong inside a file is in what was read.
    """
    with uncollected():
        return _load(root)


@contextmanager
def uncollected() -> Iterator[None]:
    """Without looking for garbage: what is read stays, and to go through it again and again is a fifth of the work."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _load(root: Path) -> Handbook:
    settings = read_settings(root)
    documents: dict[str, Document] = {}
    audits: list[Audit] = []
    rules: list[str] = []
    attachments: set[str] = set()
    samples: list[str] = []
    strays: list[str] = []
    readmes: list[str] = []
    for path, regular in sorted(each for folder in (settings.docs_dir, *MOUNTED) for each in _walk(root, folder)):
        if path.startswith(_SAMPLES) and files.is_utf8(path):
            if regular and not _INSTALLED & set(path.split("/")):
                samples.append(path)
            continue
        if not regular or not files.is_utf8(path):
            strays.append(path)
        elif AUDIT_PATH.fullmatch(path):
            audits.append(read_entity(Audit, path, files.read_text(root, path), settings.vocabularies))
        elif fnmatchcase(path, "runbooks/*/*.rules.yml"):
            rules.append(path)
        elif settings.excluded(path.removeprefix(f"{settings.docs_dir}/")):
            continue
        elif cls := _class_of(path, settings.docs_dir):
            documents[path] = _document(root, path, cls, settings)
        elif not path.endswith("/README.md") or path.startswith(f"{settings.docs_dir}/"):
            attachments.add(path)
        else:
            readmes.append(path)
    stray = _unattached(attachments, documents)
    alerts, rule_files = _alerts(root, documents, rules)
    return Handbook(
        root=root,
        settings=settings,
        documents=MappingProxyType(documents),
        alerts=alerts,
        rule_files=rule_files,
        audits=tuple(audits),
        attachments=frozenset(attachments - stray),
        texts=MappingProxyType({path: files.read_loosely(root, path) for path in sorted({*attachments, *samples})}),
        readmes=tuple(readmes),
        strays=tuple(sorted({*strays, *stray})),
        problems=tuple(_judged(root, attachments - stray)),
        suppressions=tuple(
            _suppressions(root, documents, [FILE, *(each.path for each in audits), *(each.path for each in rule_files)])
        ),
    )


def _document(root: Path, path: str, cls: type[Document], settings: Settings) -> Document:
    data = files.read(root, path)
    if isinstance(data, Finding):
        return read_document(cls, Source(path, "", problem=data), settings.vocabularies)
    unknown: tuple[Finding, ...] = ()
    if cls is Standard and b"{{" in data:
        text, unknown = substitute(data.decode("utf-8", "surrogateescape"), path, settings.value)
        data = text.encode("utf-8", "surrogateescape")
    problems = tuple(Problem("unknown-policy", finding) for finding in unknown)
    return read_document(cls, read_source(path, data), settings.vocabularies, problems)


def _judged(root: Path, attachments: Iterable[str]) -> Iterator[Problem]:
    for path in sorted(attachments):
        if path.startswith(tuple(f"{folder}/" for folder in FOLDERS)) and (finding := judge(root, path)):
            yield Problem("attachment", finding)


def _suppressions(root: Path, documents: Mapping[str, Document], others: Iterable[str]) -> Iterator[Suppression]:
    for document in documents.values():
        if "handbook:" in document.source.text:
            yield from in_source(document.source)
    for path in others:
        if isinstance(text := files.read_text(root, path), str):
            yield from in_yaml(path, text)


def _alerts(
    root: Path, documents: Mapping[str, Document], found: list[str]
) -> tuple[tuple[Alert, ...], tuple[RuleFile, ...]]:
    """The alerts of every rule file: those that services name, and those in folders of runbooks."""
    named = {
        path: service.id
        for service in documents.values()
        if isinstance(service, Service)
        for path in service.rules
        if (root / path).is_file() and (root / path).resolve().is_relative_to(root.resolve())
    }
    alerts: list[Alert] = []
    rule_files: list[RuleFile] = []
    for path in sorted({*found, *named}):
        service = named.get(path) or path.split("/")[1]
        read, problems = read_alerts(path, service, files.read_text(root, path))
        alerts.extend(read)
        rule_files.append(RuleFile(path, service, problems))
    return tuple(alerts), tuple(rule_files)


def _class_of(path: str, docs_dir: str) -> type[Document] | None:
    """The class of document that a Markdown file is; None for a file that is none."""
    for kind in RECORDS:
        if kind.owns(path):
            return kind
    if not path.endswith(".md"):
        return None
    if path.startswith(tuple(f"{folder}/" for folder in FOLDERS)):
        return Page if path in {f"{folder}/index.md" for folder in FOLDERS} else None
    return Page if path.startswith(f"{docs_dir}/") else None


def _unattached(attachments: Iterable[str], documents: Mapping[str, Document]) -> set[str]:
    """The files in record folders that stand in no folder with a record's stem beside it."""
    stems = {path.removesuffix(".md") for path, document in documents.items() if isinstance(document, Record)}
    return {
        path
        for path in attachments
        if path.startswith(tuple(f"{folder}/" for folder in FOLDERS))
        and (path.endswith(".md") or not any(path.startswith(f"{stem}/") for stem in stems))
    }


def _walk(root: Path, folder: str) -> Iterator[tuple[str, bool]]:
    """Every file below a folder, and whether it is a regular file. Symbolic links are named, never followed."""
    if (root / folder).is_symlink():
        yield folder, False
    if not (root / folder).is_dir() or (root / folder).is_symlink():
        return
    with os.scandir(root / folder) as entries:
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(root, path)
            else:
                yield path, entry.is_file(follow_symlinks=False)
