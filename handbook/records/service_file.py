"""Files of services: the files in the folder that a service names under its key `source`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import pathspec

from handbook.reading import files

LONGEST: Final = 100_000
"""The longest text that has a page, in characters. Lock files are longer."""

_NEVER_PUBLISHED: Final = frozenset({".git", ".venv", "node_modules"})
_UNSAFE_NAME: Final = re.compile(r"^(?=(?:dot)*(?:\.|index\.html$))", re.IGNORECASE)
"""A name that cannot be in an address: hosts drop hidden files, and `index.html` is a page."""


@dataclass(frozen=True)
class ServiceFile:
    """A file of a service.

    `source` is the folder of the service in the repository, and `name` the path of the file in it.
    `data` is None if the file is too large or unreadable. The site does not publish such a file.
    """

    service: str
    source: str
    name: str
    data: bytes | None
    is_executable: bool = False

    @property
    def path(self) -> str:
        """The path of the file in the repository."""
        return f"{self.source}/{self.name}"

    @cached_property
    def text(self) -> str | None:
        """The text of the file, or None if it is binary or has invisible characters."""
        if self.data is None:
            return None
        text = files.decode(self.path, self.data, longest=files.LARGEST)
        return text if isinstance(text, str) else None

    @property
    def has_page(self) -> bool:
        """True if the site shows the text of the file on a page."""
        return self.text is not None and len(self.text) <= LONGEST

    @property
    def line_count(self) -> int:
        """The number of lines of the text."""
        text = self.text or ""
        return text.count("\n") + (not text.endswith("\n") and text != "")

    @cached_property
    def folder(self) -> str:
        """The address of the folder with the page and the download of the file.

        A name with a dot at its start gets `dot` before it, because static hosts drop hidden files.
        Two names never get the same address.
        """
        parts = (_UNSAFE_NAME.sub("dot", part) for part in self.name.split("/"))
        return f"{files_address(self.service)}{'/'.join(parts)}/"

    @property
    def download(self) -> str:
        """The address of the download from the root of the site.

        Its ending makes each host send it as data. The site thus never runs HTML of a service.
        """
        name = self.folder.rstrip("/").rpartition("/")[2]
        return f"{self.folder}{name}.{'bin' if self.text is None else 'txt'}"

    @property
    def address(self) -> str:
        """The address of the page of the file, or of its download if it has no page."""
        return self.folder if self.has_page else self.download

    def find_line(self, text: str) -> int | None:
        """Return the number of the first line that contains a text, or None."""
        lines = (self.text or "").split("\n") if text else []
        return next((number for number, line in enumerate(lines, 1) if text in line), None)

    def has_anchor(self, fragment: str) -> bool:
        """Return whether a fragment, such as `L12`, is the anchor of a line."""
        match = re.fullmatch("L([1-9][0-9]{0,6})", fragment)
        return self.has_page and match is not None and int(match[1]) <= self.line_count


def files_address(service: str) -> str:
    """Return the address of the list of a service's files from the root of the site."""
    return f"services/{service}/files/"


def archive_address(service: str) -> str:
    """Return the address of the archive of a service's files from the root of the site."""
    return f"services/{service}/{service}.zip"


def read_service_files(root: Path, service: str, source: str) -> Iterator[ServiceFile]:
    """Yield the files of a service, sorted by path.

    The function skips symbolic links, installed packages, files that a `.gitignore` excludes, and
    files whose name is not UTF-8. If the source is the whole repository, it yields no file.
    """
    if source == "." or not files.is_inside(root, source) or not files.is_folder(root / source):
        return
    parts = source.split("/")
    ignores = [
        ignore
        for depth in range(len(parts))
        if (ignore := _read_ignore(root, "/".join(parts[:depth])))
    ]
    for path in sorted(_walk(root, source, ignores)):
        data = files.read_bytes(root, path)
        yield ServiceFile(
            service,
            source,
            path.removeprefix(f"{source}/"),
            data if isinstance(data, bytes) else None,
            files.is_executable(root / path),
        )


@dataclass(frozen=True)
class _Ignore:
    """The patterns in the `.gitignore` of a folder."""

    folder: str
    spec: pathspec.GitIgnoreSpec

    def find_verdict(self, path: str) -> bool | None:
        """Return whether the patterns exclude or include a path, or None without a match."""
        relative = path.removeprefix(f"{self.folder}/") if self.folder else path
        return self.spec.check_file(relative).include


def _read_ignore(root: Path, folder: str) -> _Ignore | None:
    path = f"{folder}/.gitignore" if folder else ".gitignore"
    text = files.read_text(root, path) if files.is_file(root / path) else ""
    if not isinstance(text, str) or not text:
        return None
    return _Ignore(folder, pathspec.GitIgnoreSpec.from_lines(text.split("\n")))


def _walk(root: Path, folder: str, ignores: list[_Ignore]) -> Iterator[str]:
    """Yield the paths of the regular files below a folder. The deepest `.gitignore` decides."""
    own_ignore = _read_ignore(root, folder)
    ignores = [*ignores, own_ignore] if own_ignore else ignores
    for name, is_folder, is_regular in files.list_folder(root / folder):
        path = f"{folder}/{name}"
        if (
            name in _NEVER_PUBLISHED
            or not files.is_utf8(name)
            or _is_ignored(f"{path}/" if is_folder else path, ignores)
        ):
            continue
        if is_folder:
            yield from _walk(root, path, ignores)
        elif is_regular:
            yield path


def _is_ignored(path: str, ignores: list[_Ignore]) -> bool:
    verdicts = (ignore.find_verdict(path) for ignore in reversed(ignores))
    return next((verdict for verdict in verdicts if verdict is not None), False)
