"""Check the links of a built site: every address that a page, the feed, the sitemap or the JSON names.

Each file is read once. What is wrong is a value, a `LinkFault`; `Origins` finds the line of the repository that it
comes from.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from handbook.loading import uncollected
from handbook.site.built_files import (
    MAX_SHOWN,
    READ,
    LinkFault,
    LinkFaultKind,
    address,
    read_file,
    unreadable,
)
from handbook.site.resolving import External, Resolver, SiteFiles


class NoSiteError(Exception):
    """A folder that is no built site; the text says why."""


@dataclass(frozen=True)
class Site:
    """A built site that was read.

    `shown` is the name of its folder as it was given; `external` maps each address on another host to the files that
    name it.
    """

    shown: str
    faults: tuple[LinkFault, ...]
    external: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]


def with_answers(site: Site, silent: Mapping[str, str], again: Container[str]) -> Site:
    """The site with the failures of other hosts: `silent` maps an address to the error that came back.

    `again` holds the addresses that did not answer in an earlier run either.
    """
    faults = (
        LinkFault(
            file,
            LinkFaultKind.GONE if url in again else LinkFaultKind.NO_ANSWER,
            url,
            f"{url[:MAX_SHOWN]} does not answer: {answer}",
        )
        for url, answer in silent.items()
        for file in site.external[url]
    )
    return replace(site, faults=(*site.faults, *faults))


def read_site(folder: str | Path, site_url: str) -> Site:
    """Read a built site, which is published at `site_url`, and find what is wrong with its links.

    Raises NoSiteError where there is no such folder, or no page in it.
    """
    with uncollected():
        return _read_site(Path(folder), str(folder), site_url)


def _read_site(folder: Path, shown: str, site_url: str) -> Site:
    if not folder.is_dir():
        raise NoSiteError(f"{shown} is no folder; build the site first")
    files = _files(folder)
    pages = [read_file(folder, file) for file in sorted(files.regular) if READ.fullmatch(file)]
    if not any(page.ids is not None for page in pages):
        raise NoSiteError(f"{shown} holds no page; build the site first")
    faults = [
        unreadable(file, "not a regular file")
        for file in sorted(files.irregular)
        if READ.fullmatch(file)
    ]
    resolver = Resolver(files, {page.file: page.ids for page in pages}, site_url)
    external: dict[str, list[str]] = defaultdict(list)
    for page in pages:
        faults += page.faults
        for value, target in resolver.broken_or_external(page):
            if isinstance(target, External):
                external[target.url].append(page.file)
                continue
            shown_value = value if len(value) <= MAX_SHOWN else f"{value[:MAX_SHOWN]}…"
            message = f"'{shown_value}' on /{address(page.file)} {target.message}"
            faults.append(
                LinkFault(
                    page.file, target.kind, target.address, message, target.hint, page.values[value]
                )
            )
    counts = {
        "page": sum(page.ids is not None for page in pages),
        "link": sum(len(page.values) for page in pages),
    }
    return Site(
        shown, tuple(faults), {url: tuple(files) for url, files in sorted(external.items())}, counts
    )


def _files(folder: Path) -> SiteFiles:
    """Every file below a folder. Symbolic links are not followed."""
    regular: list[str] = []
    irregular: list[str] = []
    left = [""]
    while left:
        below = left.pop()
        with os.scandir(folder / below) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    left.append(f"{below}{entry.name}/")
                else:
                    (regular if entry.is_file(follow_symlinks=False) else irregular).append(
                        f"{below}{entry.name}"
                    )
    return SiteFiles(frozenset(regular), frozenset(irregular))
