"""Check the links of a built site: all addresses in its pages, feed, sitemap and JSON.

Each file is read once. A broken link is a `LinkFault`. The class `Origins` finds the source file
and the line that contain the link.
"""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from handbook.loading import without_garbage_collection
from handbook.site.built_files import (
    CHECKED_FILE,
    MAX_SHOWN,
    BuiltFile,
    LinkFault,
    LinkFaultKind,
    make_address,
    make_unreadable_fault,
    read_file,
)
from handbook.site.resolving import External, Resolver, SiteFiles


class NoSiteError(Exception):
    """Raised if a folder holds no built site. The message gives the reason."""


@dataclass(frozen=True)
class Site:
    """Built site with the faults of its links.

    `folder` is the path of the site's folder, as the caller wrote it. `external` maps each address
    on another host to the files that link to it. `counts` holds the numbers of pages and links.
    `nested_in` is the folder of the outer site that holds this site, or "".
    """

    folder: str
    link_faults: tuple[LinkFault, ...]
    external: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]
    nested_in: str = ""


def add_failures(site: Site, failures: Mapping[str, str], repeated: Container[str]) -> Site:
    """Return the site with a fault for each failed link to another host.

    `failures` maps an address to its error. `repeated` holds the addresses that also failed in the
    previous run.
    """
    faults = (
        LinkFault(
            file,
            LinkFaultKind.GONE if url in repeated else LinkFaultKind.NO_ANSWER,
            url,
            f"{'dead' if url in repeated else 'unreachable'} link '{url[:MAX_SHOWN]}': {error}",
        )
        for url, error in failures.items()
        for file in site.external[url]
    )
    return replace(site, link_faults=(*site.link_faults, *faults))


def read_site(folder: str | Path, site_url: str) -> Site:
    """Read a built site and find the faults of its links.

    The site is published at the address `site_url`. Raises NoSiteError if the folder is missing or
    holds no page, and for the root of the file system.
    """
    return read_sites(folder, site_url)[0]


def read_sites(folder: str | Path, site_url: str, nested: Sequence[str] = ()) -> tuple[Site, ...]:
    """Read a built site and the sites in its folders `nested`, and find the faults of their links.

    Each file belongs to one site. A link from one site to another is checked like any link. The
    first site is that of the whole folder. A missing nested site is left out. Raises NoSiteError if
    the folder is missing or holds no page.
    """
    with without_garbage_collection():
        return _read_sites(Path(folder), str(folder), site_url, nested)


def _read_sites(
    folder: Path, folder_name: str, site_url: str, nested: Sequence[str]
) -> tuple[Site, ...]:
    if not folder.is_dir():
        raise NoSiteError(f"no folder '{folder_name}'; build the site first")
    if folder.samefile(folder.resolve().anchor):
        raise NoSiteError(
            f"no site in '{folder_name}', the root of the file system; name its folder"
        )
    files = _list_files(folder)
    files_by_site: dict[str, list[str]] = {"": []}
    for file in sorted(files.regular | files.irregular):
        name, slash, nested_file = file.partition("/")
        is_nested = bool(slash) and name in nested
        if CHECKED_FILE.fullmatch(nested_file if is_nested else file):
            files_by_site.setdefault(name if is_nested else "", []).append(
                nested_file if is_nested else file
            )
    pages = {
        name: [
            read_file(folder / name, file) for file in names if _join(name, file) in files.regular
        ]
        for name, names in files_by_site.items()
    }
    if not any(page.ids is not None for page in pages[""]):
        raise NoSiteError(f"no page in folder '{folder_name}'; build the site first")
    ids = {_join(name, page.file): page.ids for name in pages for page in pages[name]}
    resolver = Resolver(files, ids, site_url)
    sites = []
    for name, names in files_by_site.items():
        irregular = [file for file in names if _join(name, file) in files.irregular]
        faults = [make_unreadable_fault(file, "not a regular file") for file in irregular]
        site = Site(
            posixpath.join(folder_name, name) if name else folder_name, tuple(faults), {}, {}, name
        )
        sites.append(_check_site(site, pages[name], resolver))
    return tuple(sites)


def _join(nested_in: str, file: str) -> str:
    return f"{nested_in}/{file}" if nested_in else file


def _check_site(site: Site, pages: Sequence[BuiltFile], resolver: Resolver) -> Site:
    """Return a site with the faults, the external addresses and the counts of its pages."""
    prefix = _join(site.nested_in, "")
    faults = list(site.link_faults)
    external: dict[str, list[str]] = defaultdict(list)
    for page in pages:
        faults += page.link_faults
        for value, target in resolver.find_broken_and_external(page, prefix):
            if isinstance(target, External):
                external[target.url].append(page.file)
                continue
            shortened = value if len(value) <= MAX_SHOWN else f"{value[:MAX_SHOWN]}…"
            detail = f": {target.detail}" if target.detail else ""
            address = make_address(prefix + page.file)
            message = f"{target.fault} '{shortened}' on /{address}{detail}"
            source = page.addresses[value]
            missing = target.address.removeprefix(prefix)
            faults.append(LinkFault(page.file, target.kind, missing, message, target.hint, source))
    counts = {
        "page": sum(page.ids is not None for page in pages),
        "link": sum(len(page.addresses) for page in pages),
    }
    linking_files = {url: tuple(files) for url, files in sorted(external.items())}
    return replace(site, link_faults=tuple(faults), external=linking_files, counts=counts)


def _list_files(folder: Path) -> SiteFiles:
    """List every file below a folder, without following symbolic links."""
    regular: list[str] = []
    irregular: list[str] = []
    unread_folders = [""]
    while unread_folders:
        prefix = unread_folders.pop()
        with os.scandir(folder / prefix) as entries:
            for entry in entries:
                path = f"{prefix}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    unread_folders.append(f"{path}/")
                elif entry.is_file(follow_symlinks=False):
                    regular.append(path)
                else:
                    irregular.append(path)
    return SiteFiles(frozenset(regular), frozenset(irregular))
