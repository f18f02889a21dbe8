"""The list of a service's files, the page of each file, and the archive of all files."""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from markupsafe import Markup, escape

from handbook.handbook import Handbook
from handbook.reading.addresses import make_relative
from handbook.reading.blocks import Table
from handbook.reading.highlighting import highlight_file
from handbook.reading.render import Rendered, TocEntry, render_line
from handbook.reading.source import read_page_body
from handbook.records.service import Service
from handbook.records.service_file import (
    LONGEST,
    ServiceFile,
    archive_address,
    files_address,
)
from handbook.views import render
from handbook.views.links import Linker

_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time of a file in a ZIP archive. Equal files give archives with equal bytes."""

_PATHS: Final = re.compile(r"`([^`\s]+?)/?`")
"""The path of a file or a folder, in backticks."""

_DOCSTRING: Final = re.compile(r'(?:#.*\n)*"""(\S.*?)(?:"""|\n)')
"""The first line of the docstring of a Python module."""


@dataclass(frozen=True, slots=True)
class ListedPath:
    """A file or a folder in the list of files. A folder has `children`."""

    name: str
    description: Markup
    url: str = ""
    has_page: bool = False
    note: str = ""
    children: tuple[ListedPath, ...] = ()


def file_page(handbook: Handbook, file: ServiceFile) -> Rendered:
    """Render the page of a file."""
    linker = Linker(handbook, file.address)
    service = handbook.get(Service, file.service)
    html = render(
        "service_file.html.j2",
        file=file,
        service=service,
        linker=linker,
        basename=posixpath.basename(file.name),
        description=_find_description(handbook, file.service, file.name),
        index_url=linker.at(files_address(file.service)),
        archive_url=linker.at(archive_address(file.service)),
        download_url=linker.at(file.download),
        code=highlight_file(file.text or "", posixpath.basename(file.name)),
    )
    line_ids = {f"L{number}" for number in range(1, file.line_count + 1)}
    heading = TocEntry(1, "file", str(escape(file.name)))
    return Rendered(html, (heading,), frozenset({"file"} | line_ids))


def files_index(handbook: Handbook, service: Service) -> Rendered:
    """Render the list of a service's files as a tree."""
    address = files_address(service.id)
    linker = Linker(handbook, address)
    service_files = handbook.files_of(service)
    title = f"Files of {service.title}"
    html = render(
        "service_files.html.j2",
        service=service,
        title=title,
        linker=linker,
        count=len(service_files),
        entries=_make_entries(handbook, service_files, ""),
        archive_url=linker.at(archive_address(service.id)),
        archive_size=len(make_archive(service, service_files)),
    )
    heading = TocEntry(1, "files", str(escape(title)))
    return Rendered(html, (heading,), frozenset({"files"}))


def describe_files(service: Service) -> str:
    """Return the description of the list of a service's files."""
    return f"All files of the service {service.title}, with their descriptions"


def make_archive(service: Service, service_files: Iterable[ServiceFile]) -> bytes:
    """Return a ZIP archive of the published files, in a folder with the id of the service."""
    return write_archive(
        (f"{service.id}/{file.name}", file.data, file.is_executable)
        for file in service_files
        if file.data is not None
    )


def write_archive(files: Iterable[tuple[str, bytes, bool]]) -> bytes:
    """Return a ZIP archive of files, each with its name, its content, and whether it is executable.

    The files are not compressed, because the bytes of compressed files depend on the version of
    zlib.
    """
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        for name, content, is_executable in files:
            info = ZipInfo(name, _EARLIEST)
            info.create_system = 3  # Unix, so that the permissions count
            info.external_attr = (0o100755 if is_executable else 0o100644) << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def _make_entries(
    handbook: Handbook, service_files: Iterable[ServiceFile], folder: str
) -> tuple[ListedPath, ...]:
    """Return the entries of a folder, its own folders first. `folder` is "" or ends in a slash."""
    entries: list[ListedPath] = []
    files_by_folder: dict[str, list[ServiceFile]] = {}
    for file in service_files:
        first, is_nested, _ = file.name.removeprefix(folder).partition("/")
        if is_nested:
            files_by_folder.setdefault(first, []).append(file)
            continue
        entries.append(
            ListedPath(
                first,
                _find_description(handbook, file.service, file.name),
                _find_url(file),
                file.has_page,
                _explain_missing_page(file),
            )
        )
    folders = (
        ListedPath(
            name,
            _find_description(handbook, members[0].service, f"{folder}{name}"),
            children=_make_entries(handbook, members, f"{folder}{name}/"),
        )
        for name, members in files_by_folder.items()
    )
    return (*folders, *entries)


def _explain_missing_page(file: ServiceFile) -> str:
    """Return the reason if a file has no page, or ""."""
    if file.data is None:
        return "more than 1 MB, or unreadable: not published"
    if file.text is None:
        return "not text: download"
    return "" if file.has_page else f"more than {LONGEST:,} characters: download"


def _find_url(file: ServiceFile) -> str:
    """Return the address of a file, relative to the list of files, or "" if it is not published."""
    return make_relative(file.address, files_address(file.service)) if file.data is not None else ""


def _find_description(handbook: Handbook, service: str, path: str) -> Markup:
    """Return the description of a file or a folder as HTML, or "" without a description.

    It comes from the README.md of the service, or from the docstring of a Python module.
    """
    readme = handbook.find_service_file(service, "README.md")
    file = handbook.find_service_file(service, path)
    docstring = _DOCSTRING.match(file.text) if file and file.text and path.endswith(".py") else None
    line = (_read_descriptions(readme) if readme else {}).get(path)
    line = line or (docstring[1] if docstring else "")
    return Markup(render_line(line[:1].upper() + line[1:], None))  # noqa: S704 - safe HTML


@lru_cache(16)
def _read_descriptions(readme: ServiceFile) -> Mapping[str, str]:
    """Return the descriptions of paths in the tables of a README.md, as Markdown.

    A row describes the paths in its first cell, if the cell has only paths in backticks. The second
    cell is the description.
    """
    rows = (
        row
        for table in read_page_body(readme.path, readme.text or "").blocks_of(Table)
        for row in table.rows
        if len(row) > 1
    )
    return {
        match[1]: row[1]
        for row in rows
        if not _PATHS.sub("", row[0]).strip(", ")
        for match in _PATHS.finditer(row[0])
    }
