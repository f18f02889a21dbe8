"""The whole handbook as one value: every record and page, and what each refers to.

Gate, site, command line and JSON are four readers of it. It is computed once, from the files alone.
"""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar
from urllib.parse import unquote, urlsplit

from macros.diagnostics import Finding, Location
from macros.records import Document, Page, Record, read_document
from macros.records.kinds import KINDS
from macros.settings import Settings, read_settings
from macros.source import Source, read_source

R = TypeVar("R", bound=Record)

RECORD_FOLDERS: Final = tuple(kind.folder for kind in KINDS if not kind.folder.startswith("docs/"))
"""The folders beside docs/ whose files the site publishes."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One record or page names a record: under a key of its front matter, or in its body (`via` is then "text")."""

    source: Document
    target: Record
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


@dataclass(frozen=True)
class Handbook:
    """Everything that was read. Paths are relative to the root, POSIX, and spelt as on disk."""

    root: Path
    settings: Settings
    documents: Mapping[str, Document] = field(default_factory=dict)
    """Records and pages by path."""
    attachments: frozenset[str] = frozenset()
    """The other files that the site publishes."""
    strays: tuple[str, ...] = ()
    """Files in a record folder that are neither record nor attachment, and symbolic links."""

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """Every record, by path."""
        return tuple(document for document in self.documents.values() if isinstance(document, Record))

    def of(self, kind: type[R]) -> tuple[R, ...]:
        """The records of one kind, by path."""
        return tuple(record for record in self.records if isinstance(record, kind))

    @cached_property
    def by_id(self) -> Mapping[tuple[str, str], Record]:
        """Records by kind and id; where two share an id, the first by path."""
        found: dict[tuple[str, str], Record] = {}
        for record in self.records:
            found.setdefault((record.kind, record.id), record)
        return MappingProxyType(found)

    def get(self, kind: type[R], id: str) -> R | None:
        """The record of a kind with that id."""
        record = self.by_id.get((kind.kind, id))
        return record if isinstance(record, kind) else None

    def ambiguous(self, record: Record) -> bool:
        """Whether another record of its kind has the same id, so that what names it may mean either."""
        return sum(other.id == record.id for other in self.of(type(record))) > 1

    def named(self, id: str) -> tuple[type[Record] | None, Record | None]:
        """The kind that an id in prose belongs to, and its record; (None, None) for what only looks like an id."""
        for kind in KINDS:
            if kind.mention.fullmatch(id):
                return kind, self.by_id.get((kind.kind, id))
        return None, None

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """The number of records of each kind."""
        return {kind.kind: len(self.of(kind)) for kind in KINDS}

    def lost(self, kind: type[Record]) -> bool:
        """Whether a kind's records are expected and none was found: what refers to them is then not reported."""
        return not self.counts[kind.kind] and self.settings.organisation.expect.get(kind.kind, 0) > 0

    def url(self, path: str) -> str | None:
        """The address of a published file from the site's root on, `adr/0023-x/`; None for any other file."""
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

    def published(self, path: str) -> bool:
        """Whether the site has the file."""
        return path in self.documents or path in self.attachments

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Every reference from a record or page to another record, in the order of paths and places."""
        return tuple(self._references())

    def _references(self) -> Iterator[Reference]:
        for document in self.documents.values():
            if isinstance(document, Record):
                for key, kind, id, at in document.references():
                    if target := self.by_id.get((kind, id)):
                        yield Reference(document, target, key, at)
            yield from self._in_text(document)

    def _in_text(self, document: Document) -> Iterator[Reference]:
        seen = {document.path}
        found: list[tuple[Location, Document | None]] = [
            (mention.at, self.named(mention.id)[1]) for mention in document.source.mentions
        ]
        for link in document.source.links:
            path = self.resolve(document.path, link.target).path
            found.append((link.at, self.documents.get(path) if path else None))
        for at, target in sorted(found, key=lambda each: each[0]):
            if isinstance(target, Record) and target.path not in seen:
                seen.add(target.path)
                yield Reference(document, target, "text", at)

    @cached_property
    def _by_source(self) -> Mapping[str, tuple[Reference, ...]]:
        return _grouped(self.references, lambda reference: reference.source.path)

    @cached_property
    def _by_target(self) -> Mapping[str, tuple[Reference, ...]]:
        return _grouped(self.references, lambda reference: reference.target.path)

    def referring_to(self, record: Record) -> tuple[Reference, ...]:
        """The references that name a record, from others than itself."""
        return tuple(ref for ref in self._by_target.get(record.path, ()) if ref.source.path != record.path)

    def referred_from(self, document: Document) -> tuple[Reference, ...]:
        """The references that a document makes to others."""
        return tuple(ref for ref in self._by_source.get(document.path, ()) if ref.target.path != document.path)


def _grouped(references: Iterable[Reference], key: Callable[[Reference], str]) -> Mapping[str, tuple[Reference, ...]]:
    found: dict[str, list[Reference]] = defaultdict(list)
    for reference in references:
        found[key(reference)].append(reference)
    return {path: tuple(group) for path, group in found.items()}


def load(root: Path) -> Handbook:
    """Read the whole handbook at `root`.

    Raises FileNotFoundError where the root holds no mkdocs.yml; whatever is wrong inside a file is in what was read.
    """
    settings = read_settings(root)
    documents: dict[str, Document] = {}
    attachments: set[str] = set()
    strays: list[str] = []
    folders = (settings.docs_dir, *RECORD_FOLDERS)
    for path, regular in sorted(each for folder in folders for each in _walk(root, folder)):
        inside = path.removeprefix(f"{settings.docs_dir}/")
        if settings.excluded(inside):
            continue
        if not regular:
            strays.append(path)
        elif cls := _class_of(path, settings.docs_dir):
            source = _read(root, path)
            documents[path] = read_document(cls, source, settings.organisation.vocabularies)
        elif not path.endswith("/README.md") or path.startswith(f"{settings.docs_dir}/"):
            attachments.add(path)
    for path in _unattached(attachments, documents):
        attachments.discard(path)
        strays.append(path)
    return Handbook(root, settings, MappingProxyType(documents), frozenset(attachments), tuple(sorted(strays)))


def _read(root: Path, path: str) -> Source:
    try:
        return read_source(path, (root / path).read_bytes())
    except OSError as error:
        return Source(path, "", problem=Finding(Location(path), f"cannot be read: {error.strerror}"))


def _class_of(path: str, docs_dir: str) -> type[Document] | None:
    """The class of document that a Markdown file is; None for a file that is none."""
    for kind in KINDS:
        if kind.owns(path):
            return kind
    if not path.endswith(".md"):
        return None
    inside_docs = path.startswith(f"{docs_dir}/")
    is_index = posixpath.basename(path) == "index.md" and posixpath.dirname(path) in RECORD_FOLDERS
    return Page if inside_docs or is_index else None


def _unattached(attachments: Iterable[str], documents: Mapping[str, Document]) -> list[str]:
    """The files in record folders that stand in no folder with a record's stem beside it."""
    stems = {path.removesuffix(".md") for path, document in documents.items() if isinstance(document, Record)}
    return [
        path
        for path in sorted(attachments)
        if path.startswith(tuple(f"{folder}/" for folder in RECORD_FOLDERS))
        and (path.endswith(".md") or not any(path.startswith(f"{stem}/") for stem in stems))
    ]


def _walk(root: Path, folder: str) -> Iterator[tuple[str, bool]]:
    """Every file below a folder, and whether it is a regular file. Symbolic links are named, never followed."""
    if not (root / folder).is_dir():
        return
    with os.scandir(root / folder) as entries:
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(root, path)
            else:
                yield path, entry.is_file(follow_symlinks=False)
