"""Find the files to import, and say where each comes from."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from handbook.diagnostics import Finding
from handbook.handbook import Handbook
from handbook.history import git
from handbook.reading.files import find_hidden_character, read_bytes
from handbook.records import Record

INDEX: Final = "index or README"
TEMPLATE: Final = "template"
_INDEX_NAMES: Final = frozenset(
    (
        "readme",
        "index",
        "_index",
        "toc",
        "summary",
        "contributing",
        "adr-log",
        "decision-log",
        "changelog",
        "license",
        "code_of_conduct",
    )
)
_TEMPLATE_NAME: Final = re.compile(
    r"(?:[^1-9]*[-_. 0])?(?:template|vorlage)(?:[-_. ](?:adr|madr|nygard|decision|record))*",
    re.IGNORECASE,
)
"""The whole name of a template. A name with a number, or with words after it, is a record."""
_TEMPLATE_FOLDERS: Final = frozenset(("template", "templates"))
_ENDINGS: Final = (".md", ".markdown")
_OTHER_TEXTS: Final = frozenset(
    ("", ".adoc", ".asciidoc", ".asc", ".rst", ".org", ".mdx", ".txt", ".html", ".htm", ".docx")
)
"""The endings of texts that are not Markdown, or that have no ending."""
_COMMITTED: Final = re.compile(r"(?P<url>.+)@(?P<commit>[0-9a-f]{7,64}):(?P<path>.+)")


@dataclass(frozen=True)
class ImportedFile:
    """A file to import. `path` is relative to the imported folder."""

    path: str
    data: bytes
    origin: str
    """The value of `imported.from`."""
    conflicts: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """The hash of the bytes of the file."""
        return hash_bytes(self.data)

    @property
    def stem(self) -> str:
        """The name of the file without its ending."""
        return PurePosixPath(self.path).stem


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not imported, with the reason. An error is a file that cannot be read."""

    source: str
    reason: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """The value of `imported.from`: a path, with the repository if it is known."""

    path: str
    url: str | None = None

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Read `url@commit:path`, or a path."""
        match = _COMMITTED.fullmatch(text)
        return cls(match["path"], match["url"]) if match else cls(text)


@dataclass
class Sources:
    """The files of a folder: those to import, and those that are skipped.

    `imported` has the record of each file that is already imported. `boundary` is the folder whose
    files a link can name: the work tree of the repository, or the imported folder.
    """

    folder: Path
    boundary: Path
    files: list[ImportedFile] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    imported: dict[str, Record] = field(default_factory=dict)

    def skip_unreadable(self, path: str, cause: Finding | str) -> None:
        """Skip a file that cannot be read. Nothing is then written."""
        self.skipped.append(make_unreadable(path, cause))


def make_unreadable(path: str, cause: Finding | str) -> Skipped:
    """Return the entry of a file that cannot be read."""
    if isinstance(cause, Finding):
        hint = f" ({cause.hint})" if cause.hint else ""
        cause = f"line {cause.at.line}: {cause.message}{hint}"
    return Skipped(path, f"cannot be read: {cause}", is_error=True)


def hash_bytes(data: bytes) -> str:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def find_sources(folder: Path, handbook: Handbook) -> Sources:
    """Find the Markdown files below a folder.

    Skips templates, indexes, READMEs, symbolic links, records of the handbook, and files that are
    already imported. Raises NotADirectoryError if `folder` is not a folder.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"no folder '{folder}'")
    repository = Repository.of(folder)
    sources = Sources(folder, repository.tree or Path(os.path.realpath(folder)))
    imports = ImportIndex(handbook.records)
    for path in sorted(_walk(folder, sources)):
        if reason := _find_reason(folder, path, handbook):
            sources.skipped.append(Skipped(path, reason))
            continue
        data = _read(folder, path, sources)
        if data is None:
            continue
        origin = Origin(repository.prefix + path, repository.url)
        if record := imports.find_same(hash_bytes(data), path):
            sources.imported[path] = record
            sources.skipped.append(Skipped(path, f"already imported as {record.path}"))
        elif repository.url and (record := imports.find_origin(origin)):
            sources.imported[path] = record
            sources.skipped.append(Skipped(path, f"changed since its import as {record.path}"))
        else:
            other = imports.find_origin(Origin(path))
            conflicts = (
                (f"{other.path} was imported from a file with this path and other content",)
                if other
                else ()
            )
            sources.files.append(
                ImportedFile(path, data, repository.origin_of(path, data), conflicts)
            )
    return sources


def walk_markdown(folder: Path) -> Iterator[str]:
    """Yield the paths of the Markdown files below a folder, without links and hidden files."""
    for path in _walk(folder, Sources(folder, folder)):
        file = folder / path
        if path.lower().endswith(_ENDINGS) and file.is_file() and not file.is_symlink():
            yield path


def _walk(folder: Path, sources: Sources) -> Iterator[str]:
    """Yield the paths of texts below a folder. Hidden files and folders are left out."""

    def add_error(error: OSError) -> None:
        path = Path(error.filename).relative_to(folder).as_posix()
        sources.skip_unreadable(path, error.strerror or "unknown error")

    for parent, folders, names in os.walk(folder, onerror=add_error):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in links)
        for name in (*names, *links):
            suffix = PurePosixPath(name).suffix.lower()
            if name[0] != "." and (suffix in _ENDINGS or suffix in _OTHER_TEXTS or name in links):
                yield (Path(parent) / name).relative_to(folder).as_posix()


def _find_reason(folder: Path, path: str, handbook: Handbook) -> str | None:
    """Return why a file is not imported, from its name, or None."""
    name = PurePosixPath(path)
    if (folder / path).is_symlink():
        return "symbolic link"
    if name.stem.lower() in _INDEX_NAMES:
        return INDEX
    if name.suffix.lower() not in _ENDINGS:
        return "not Markdown (its name does not end with .md)"
    if _TEMPLATE_NAME.fullmatch(name.stem) or _TEMPLATE_FOLDERS & set(path.lower().split("/")[:-1]):
        return TEMPLATE
    real, root = Path(os.path.realpath(folder / path)), Path(os.path.realpath(handbook.root))
    if real.is_relative_to(root):
        document = handbook.documents.get(real.relative_to(root).as_posix())
        if isinstance(document, Record):
            return "record of this handbook (to import it, move it to another folder)"
    return None


def _read(folder: Path, path: str, sources: Sources) -> bytes | None:
    """Return the bytes of a file. If it is unreadable, skip it with an error, and return None."""
    if find_hidden_character(path):
        sources.skip_unreadable(
            path, "invisible character in its name, or a name that is not UTF-8"
        )
        return None
    data = read_bytes(folder, path)
    if isinstance(data, Finding):
        hint = f" ({data.hint})" if data.hint else ""
        sources.skip_unreadable(path, f"{data.message}{hint}")
        return None
    return data


class ImportIndex:
    """The imported records of a handbook, by the hash and by the origin of their sources."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.records = [record for record in records if record.imported]

    @cached_property
    def _by_hash(self) -> Mapping[str, list[Record]]:
        by_hash: dict[str, list[Record]] = defaultdict(list)
        for record in self.records:
            if record.imported and record.imported.sha256:
                by_hash[record.imported.sha256].append(record)
        return by_hash

    @cached_property
    def _by_origin(self) -> Mapping[Origin, Record]:
        by_origin: dict[Origin, Record] = {}
        for record in self.records:
            if origin := read_origin(record):
                by_origin.setdefault(origin, record)
        return by_origin

    def find_same(self, sha256: str, path: str) -> Record | None:
        """Return the record whose source has this hash, if possible with this path at its end."""
        records = self._by_hash.get(sha256, [])
        by_path = (
            record
            for record in records
            if (origin := read_origin(record)) and is_same_path(origin.path, path)
        )
        return next(by_path, records[0] if records else None)

    def find_origin(self, origin: Origin) -> Record | None:
        """Return the record that was imported from this place."""
        return self._by_origin.get(origin)


def read_origin(record: Record) -> Origin | None:
    """Return the origin of an imported record, or None."""
    source = record.imported.source if record.imported else None
    return Origin.parse(source) if source else None


def is_same_path(longer: str, path: str) -> bool:
    """Return whether a path is another path, or its end."""
    return longer == path or longer.endswith(f"/{path}")


@dataclass(frozen=True)
class Repository:
    """The Git repository of a folder. `url` is None without a public origin."""

    tree: Path | None = None
    url: str | None = None
    commit: str = ""
    prefix: str = ""
    blobs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> Repository:
        """Read the origin and the files of the repository that contains a folder."""
        location = git.find_git_directory(folder)
        if location is None:
            return cls()
        tree = location[0]
        try:
            url, commit = git.read_origin(folder), git.read_head(folder)
            if url is None or commit is None:
                return cls(tree)
            return cls(tree, url, commit, git.read_prefix(folder), git.list_files(folder, commit))
        except git.RevisionError:
            return cls(tree)

    def origin_of(self, path: str, data: bytes) -> str:
        """Return the place of a file in the repository, or its path if it is not committed."""
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        if self.url and self.blobs.get(path) == blob:
            return f"{self.url}@{self.commit}:{self.prefix}{path}"
        return path
