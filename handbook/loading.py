"""Load the handbook: find the files of the repository, classify each file, and read it."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from handbook.diagnostics import Finding
from handbook.handbook import Handbook
from handbook.macro_names import read_macro_names
from handbook.provided_pages import (
    PROVIDED_PATHS,
    find_replacements,
    make_address,
    make_team_pages,
    read_provided_page,
)
from handbook.reading import files
from handbook.reading.attachments import check_attachment, check_picture
from handbook.reading.kept_results import KeptResults
from handbook.reading.policy import substitute
from handbook.reading.problems import Problem, ProblemKind
from handbook.reading.source import Source, read_source
from handbook.reading.suppressions import (
    Suppression,
    read_source_suppressions,
    read_yaml_suppressions,
)
from handbook.records import Document, Page, Record, read_document, read_entity
from handbook.records.alert import Alert, make_alerts
from handbook.records.audit import PATH as AUDIT_PATH
from handbook.records.audit import Audit, is_meant_as_audit
from handbook.records.kinds import FOLDERS, MOUNTED, RECORDS
from handbook.records.rule_file import RuleFile, read_rule_file
from handbook.records.service import Service
from handbook.records.service_file import ServiceFile, read_service_files
from handbook.records.standard import Standard
from handbook.settings import DOCS, Settings, read_settings

V = TypeVar("V")
D = TypeVar("D", bound=Document | Audit | RuleFile)

_SAMPLES: Final = "docs/standards/samples/"
_IN_DOCS: Final = f"{DOCS}/"
_RULE_FILES: Final = "runbooks/*/*.rules.yml"
_RULE_TESTS: Final = "runbooks/*/*.rules.test.yml"
"""The unit tests of rule files, which promtool runs. The site does not publish them."""
_IN_RECORD_FOLDERS: Final = tuple(f"{folder}/" for folder in FOLDERS)
_INSTALLED: Final = frozenset({".venv", "node_modules"})
"""Folders of installed packages. Git ignores them, and so do the checks of sample files."""


class FileKind(Enum):
    """The kinds of file in a repository."""

    DOCUMENT = auto()
    """A record or a page."""
    AUDIT = auto()
    UNREAD_AUDIT = auto()
    """A file that is meant as an audit, but has another name or folder. A rule reports it."""
    RULE_FILE = auto()
    ATTACHMENT = auto()
    """A published file that is not a document."""
    SAMPLE = auto()
    """A sample file that a listing can include."""
    README = auto()
    """The README.md of a record folder. The site does not publish it."""
    STRAY = auto()
    """A symbolic link, or a file whose name is not UTF-8. A rule reports it."""
    IGNORED = auto()
    """A file that the site does not publish and no rule checks."""


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Disable the garbage collector, and exclude the loaded objects from later collections.

    The records stay in memory until the process ends, and collections would take a third of the
    time of a check. Has no effect while the collector is disabled.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@dataclass
class LoadedFiles:
    """Values of the last load. The next load uses those whose files have the same content.

    A preview thus parses only the files that have changed, and finds out by identity which
    documents have not.
    """

    settings: Settings | None = None
    entities: dict[str, tuple[bytes | str, Document | Audit | RuleFile]] = field(
        default_factory=dict
    )
    values: dict[type, tuple[Any, ...]] = field(default_factory=dict)
    check_results: KeptResults = field(default_factory=KeptResults)
    """The results of the last check of these files."""

    def keep_settings(self, settings: Settings) -> Settings:
        """Return the settings of the last load if they are equal. Otherwise forget that load."""
        if self.settings != settings:
            self.settings = settings
            self.entities.clear()
        return self.settings or settings

    def keep_entity(self, path: str, data: bytes | str | Finding, parse: Callable[[], D]) -> D:
        """Return the value that was parsed from the same data at a path, or parse it."""
        if isinstance(data, Finding):
            return parse()
        old_data, old = self.entities.get(path, (None, None))
        if old is not None and old_data == data:
            return old  # type: ignore[return-value]
        entity = parse()
        self.entities[path] = data, entity
        return entity

    def keep(self, kind: type[V], values: Iterable[V]) -> tuple[V, ...]:
        """Return the values of a kind from the last load if all of them are equal."""
        new = tuple(values)
        old = self.values.setdefault(kind, new)
        if old != new:
            old = self.values[kind] = new
        return old


@without_garbage_collection()
def load(root: Path, loaded: LoadedFiles | None = None) -> Handbook:
    """Load the handbook in the folder `root`.

    With `loaded`, files with the same content as in the last load are not parsed again. An error in
    a file becomes a problem of the handbook. Raises FileNotFoundError if the folder has no
    mkdocs.yml.
    """
    loaded = loaded or LoadedFiles()
    settings = loaded.keep_settings(read_settings(root))
    paths = _classify_files(root, settings)
    documents = {
        path: _read_document(root, path, settings, loaded) for path in paths[FileKind.DOCUMENT]
    }
    audits = loaded.keep(
        Audit,
        (_read_audit(root, path, settings, loaded) for path in paths[FileKind.AUDIT]),
    )
    rule_files = loaded.keep(
        RuleFile, _read_rule_files(root, documents, paths[FileKind.RULE_FILE], loaded)
    )
    pages = make_team_pages(settings.team_addresses)
    replacements = _find_replacements(
        (*PROVIDED_PATHS, *pages), settings, documents, paths[FileKind.ATTACHMENT]
    )
    provided = {
        path: _parse_provided_page(path, pages.get(path))
        for path in (*PROVIDED_PATHS, *pages)
        if path not in replacements
    }
    service_files = loaded.keep(ServiceFile, _read_service_files(root, documents))
    unattached_paths = _find_unattached(paths[FileKind.ATTACHMENT], documents)
    attachments = frozenset(paths[FileKind.ATTACHMENT]) - unattached_paths
    unread_audits = {*paths[FileKind.UNREAD_AUDIT]} - {file.path for file in rule_files}
    yaml_paths = [
        *settings.files,
        *(audit.path for audit in audits),
        *(file.path for file in rule_files),
    ]
    service_paths = [file.path for file in service_files if file.data is not None]
    texts = sorted({*paths[FileKind.ATTACHMENT], *paths[FileKind.SAMPLE], *service_paths})
    return Handbook(
        root=root,
        settings=settings,
        documents=MappingProxyType(dict(sorted({**documents, **provided}.items()))),
        alerts=loaded.keep(Alert, make_alerts(rule_files)),
        rule_files=rule_files,
        audits=audits,
        attachments=attachments,
        service_files=service_files,
        texts=MappingProxyType({path: files.read_searchable_text(root, path) for path in texts}),
        readmes=tuple(paths[FileKind.README]),
        strays=tuple(sorted({*paths[FileKind.STRAY], *unattached_paths} - unread_audits)),
        unread_audits=tuple(sorted(unread_audits)),
        problems=tuple(_check_attachments(root, attachments)),
        suppressions=tuple(_read_suppressions(root, documents, yaml_paths)),
        macros=read_macro_names(root, settings),
        provided=frozenset(provided),
        replacements=MappingProxyType(replacements),
    )


def _classify_files(root: Path, settings: Settings) -> Mapping[FileKind, list[str]]:
    """Return the sorted paths of the files below the published folders, by kind of file.

    A file that is meant as an audit also has its other kind.
    """
    files_by_path = sorted(file for folder in (DOCS, *MOUNTED) for file in _walk(root, folder))
    paths: dict[FileKind, list[str]] = defaultdict(list)
    for path, is_regular in files_by_path:
        kind = _kind_of(path, is_regular, settings)
        paths[kind].append(path)
        if (
            kind in (FileKind.ATTACHMENT, FileKind.IGNORED)
            and is_regular
            and not path.startswith(_SAMPLES)
            and is_meant_as_audit(path)
        ):
            paths[FileKind.UNREAD_AUDIT].append(path)
    return paths


def _kind_of(path: str, is_regular: bool, settings: Settings) -> FileKind:
    """Return the kind of a file."""
    has_utf8_name = files.is_utf8(path)
    if path.startswith(_SAMPLES) and has_utf8_name:
        is_installed = not _INSTALLED.isdisjoint(path.split("/"))
        return FileKind.SAMPLE if is_regular and not is_installed else FileKind.IGNORED
    if not is_regular and path.rpartition("/")[2].startswith(".#"):
        return FileKind.IGNORED  # lock of a file that is open in Emacs
    if not is_regular or not has_utf8_name:
        return FileKind.STRAY
    if AUDIT_PATH.fullmatch(path):
        return FileKind.AUDIT
    if fnmatchcase(path, _RULE_FILES):
        return FileKind.RULE_FILE
    if fnmatchcase(path, _RULE_TESTS):
        return FileKind.IGNORED
    if settings.is_excluded(path.removeprefix(_IN_DOCS)):
        return FileKind.IGNORED
    if find_document_class(path):
        return FileKind.DOCUMENT
    return (
        FileKind.README
        if path.endswith("/README.md") and not path.startswith(_IN_DOCS)
        else FileKind.ATTACHMENT
    )


def find_document_class(path: str) -> type[Document] | None:
    """Return the class of a document, or None if the file is not a document."""
    for kind in RECORDS:
        if kind.owns(path):
            return kind
    if not path.endswith(".md"):
        return None
    if path.startswith(_IN_RECORD_FOLDERS):
        return Page if path in {f"{folder}/index.md" for folder in FOLDERS} else None
    return Page if path.startswith(_IN_DOCS) else None


def _walk(root: Path, folder: str) -> Iterator[tuple[str, bool]]:
    """Yield the path of every file below a folder, and whether it is a regular file.

    The function does not follow symbolic links.
    """
    if files.is_link(root / folder):
        yield folder, False
    elif files.is_folder(root / folder):
        yield from _walk_folder(root, folder)


def _walk_folder(root: Path, folder: str) -> Iterator[tuple[str, bool]]:
    for name, is_folder, is_regular in files.list_folder(root / folder):
        path = f"{folder}/{name}"
        if is_folder:
            yield from _walk_folder(root, path)
        else:
            yield path, is_regular


def add_document(handbook: Handbook, path: str, data: bytes) -> Handbook:
    """Return the handbook with a new document, which is not on disk yet."""
    document = _parse_document(path, data, handbook.settings)
    documents = dict(sorted({**handbook.documents, path: document}.items()))
    return replace(handbook, documents=MappingProxyType(documents))


def _read_document(root: Path, path: str, settings: Settings, loaded: LoadedFiles) -> Document:
    data = files.read_bytes(root, path)
    return loaded.keep_entity(path, data, lambda: _parse_document(path, data, settings))


def _read_audit(root: Path, path: str, settings: Settings, loaded: LoadedFiles) -> Audit:
    text = files.read_text(root, path)
    return loaded.keep_entity(
        path, text, lambda: read_entity(Audit, path, text, settings.allowed_values)
    )


def _find_replacements(
    provided_paths: Iterable[str],
    settings: Settings,
    documents: Mapping[str, Document],
    attachments: Iterable[str],
) -> Mapping[str, str]:
    """Return the provided pages that are not needed, each with the file that replaces it.

    A file at the same address replaces a provided page. So does the page that was at this address
    before, because its `moved_from` needs the address for a redirect.
    """
    if not any(plugin.name == "handbook" and plugin.is_enabled for plugin in settings.plugins):
        return dict.fromkeys(provided_paths, "")
    owners = {old[1:]: path for path, document in documents.items() for old in document.moved_from}
    owners |= {path.removeprefix(_IN_DOCS).removesuffix("index.html"): path for path in attachments}
    owners |= {make_address(path): path for path in documents}
    return find_replacements(provided_paths, owners)


@cache
def _parse_provided_page(path: str, data: bytes | None) -> Document:
    """Return a provided page. A process parses it once.

    `data` is its content, or None if the content is a file of this package.
    """
    return read_document(Page, read_source(path, data or read_provided_page(path)), {})


def _parse_document(path: str, data: bytes | Finding, settings: Settings) -> Document:
    """Make a document from its bytes, or from a finding if its file is unreadable.

    In a standard, the values of the policy replace their expressions.
    """
    cls = find_document_class(path) or Page
    aliases = settings.section_aliases(cls.kind)
    if isinstance(data, Finding):
        return read_document(cls, Source(path, "", problem=data), settings.allowed_values)
    if cls is Standard and b"{{" in data:
        substitution = substitute(data.decode("utf-8", "surrogateescape"), path, settings.value)
        source = read_source(path, substitution.text.encode("utf-8", "surrogateescape"))
        source = replace(source, replacements=substitution.replacements)
        problems = tuple(
            Problem(ProblemKind.UNKNOWN_POLICY, finding) for finding in substitution.unknown_values
        )
        return read_document(cls, source, settings.allowed_values, problems, aliases)
    source = read_source(path, data)
    document = read_document(cls, source, settings.allowed_values, section_aliases=aliases)
    if isinstance(document, Page) and document.markdown:
        return replace(document, source=document.source.without_body())
    return document


def _check_attachments(root: Path, attachments: Iterable[str]) -> Iterator[Problem]:
    """Yield the problems of attachments, and of the pictures of pages."""
    for path in sorted(attachments):
        is_attachment = path.startswith(_IN_RECORD_FOLDERS)
        if finding := (check_attachment if is_attachment else check_picture)(root, path):
            yield Problem(ProblemKind.UNSAFE_ATTACHMENT, finding)


def _find_unattached(attachments: Iterable[str], documents: Mapping[str, Document]) -> set[str]:
    """Return the files in record folders that belong to no record.

    An attachment belongs to a record if it is in the folder with the name of the record.
    """
    record_stems = {
        path.removesuffix(".md")
        for path, document in documents.items()
        if isinstance(document, Record)
    }
    return {
        path
        for path in attachments
        if path.startswith(_IN_RECORD_FOLDERS)
        and (path.endswith(".md") or not any(path.startswith(f"{stem}/") for stem in record_stems))
    }


def _read_rule_files(
    root: Path,
    documents: Mapping[str, Document],
    runbook_folder_paths: Iterable[str],
    loaded: LoadedFiles,
) -> Iterator[RuleFile]:
    """Yield the rule files of all services.

    A service lists its rule files under its key `rules`, or has them in its runbook folder
    (`runbook_folder_paths`).
    """
    service_by_path = {
        path: service.id
        for service in documents.values()
        if isinstance(service, Service)
        for path in service.rules
        if files.is_file(root / path) and files.is_inside(root, path)
    }
    for path in sorted({*runbook_folder_paths, *service_by_path}):
        service = service_by_path.get(path) or path.split("/")[1]
        text = files.read_text(root, path)
        yield loaded.keep_entity(
            path,
            text if isinstance(text, Finding) else f"{service}\n{text}",
            partial(read_rule_file, path, service, text),
        )


def _read_service_files(root: Path, documents: Mapping[str, Document]) -> Iterator[ServiceFile]:
    """Yield the files of all services that name a folder under `source`."""
    for service in documents.values():
        if isinstance(service, Service) and service.source_folder:
            yield from read_service_files(root, service.id, service.source_folder)


def _read_suppressions(
    root: Path, documents: Mapping[str, Document], yaml_paths: Iterable[str]
) -> Iterator[Suppression]:
    for document in documents.values():
        if "handbook:" in document.source.text:
            yield from read_source_suppressions(document.source)
    for path in yaml_paths:
        if isinstance(text := files.read_text(root, path), str):
            yield from read_yaml_suppressions(path, text)
