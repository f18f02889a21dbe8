"""Check the links of a built site: all addresses in its pages, feed, sitemap and JSON.

Each file is read once. A broken link is a `LinkFault`. The class `Origins` finds the source file
and the line that contain the link.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from handbook.loading import without_garbage_collection
from handbook.site.built_files import (
    CHECKED_FILE,
    MAX_SHOWN,
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
    """

    folder: str
    link_faults: tuple[LinkFault, ...]
    external: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]


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
    holds no page.
    """
    with without_garbage_collection():
        return _read_site(Path(folder), str(folder), site_url)


def _read_site(folder: Path, folder_name: str, site_url: str) -> Site:
    if not folder.is_dir():
        raise NoSiteError(f"no folder '{folder_name}'; build the site first")
    files = _list_files(folder)
    pages = [
        read_file(folder, file) for file in sorted(files.regular) if CHECKED_FILE.fullmatch(file)
    ]
    if not any(page.ids is not None for page in pages):
        raise NoSiteError(f"no page in folder '{folder_name}'; build the site first")
    faults = [
        make_unreadable_fault(file, "not a regular file")
        for file in sorted(files.irregular)
        if CHECKED_FILE.fullmatch(file)
    ]
    resolver = Resolver(files, {page.file: page.ids for page in pages}, site_url)
    external: dict[str, list[str]] = defaultdict(list)
    for page in pages:
        faults += page.link_faults
        for value, target in resolver.find_broken_and_external(page):
            if isinstance(target, External):
                external[target.url].append(page.file)
                continue
            shortened = value if len(value) <= MAX_SHOWN else f"{value[:MAX_SHOWN]}…"
            detail = f": {target.detail}" if target.detail else ""
            message = f"{target.fault} '{shortened}' on /{make_address(page.file)}{detail}"
            source = page.addresses[value]
            faults.append(
                LinkFault(page.file, target.kind, target.address, message, target.hint, source)
            )
    counts = {
        "page": sum(page.ids is not None for page in pages),
        "link": sum(len(page.addresses) for page in pages),
    }
    linking_files = {url: tuple(files) for url, files in sorted(external.items())}
    return Site(folder_name, tuple(faults), linking_files, counts)


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
