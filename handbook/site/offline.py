"""List what a reader needs without a network, for the service worker and for the offline archive.

These are the home page, the lists, the alerts, the runbooks, the services and the teams, with the
styles, scripts, images and fonts that their pages load.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.handbook import Handbook
from handbook.history.git import read_head
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.site.built_files import INDEX, make_address, read_file

LIST: Final = "offline.json"
"""File of the site that lists the kept files. The service worker reads it."""
ABOUT: Final = "offline/"
"""Address of the page about the offline copy."""
FRAME: Final = "404.html"
"""Page whose frame the service worker uses for a page that the copy lacks."""
RUNBOOK_SCRIPT: Final = "assets/runbook.js"
"""Script that another script loads, also from the file system."""
_KEPT_SCRIPTS: Final = ("assets/indexes.js", "assets/offline.js", RUNBOOK_SCRIPT)
_LISTS: Final[Mapping[str, str]] = {
    "": "Home",
    "search/": "Everything, A to Z",
    "alerts/": "Alerts",
    "runbooks/": "Runbooks",
    "services/": "Services",
    "teams/": "Teams",
}
_LOADED_LINKS: Final = frozenset(("stylesheet", "icon", "preload", "modulepreload", "manifest"))
"""Relations of `<link>` elements whose targets a browser loads."""
SHORT_COMMIT: Final = 7


def list_pages(handbook: Handbook) -> Mapping[str, Mapping[str, str]]:
    """Return the titles of the kept pages by address, for each kind of page."""
    return {
        "Lists": _LISTS,
        "Alerts": {handbook.address(alert): alert.name for alert in handbook.alerts},
        "Runbooks": {handbook.address(record): record.title for record in handbook.of(Runbook)},
        "Services": {handbook.address(record): record.title for record in handbook.of(Service)},
        "Teams": {address: team for team, address in handbook.settings.team_addresses.items()},
    }


def list_redirects(handbook: Handbook) -> Mapping[str, str]:
    """Return the old addresses of kept records, each with the current address."""
    return {
        old.removeprefix("/"): handbook.address(record)
        for record in (*handbook.of(Runbook), *handbook.of(Service))
        for old in record.moved_from
    }


def list_files(site: Path, handbook: Handbook, *more_pages: str) -> tuple[str, ...]:
    """Return the paths of the kept files of a built site: pages, and the files that they load.

    `more_pages` are addresses of other pages to keep. A page that the site lacks is left out.
    """
    addresses = {address for pages in list_pages(handbook).values() for address in pages}
    unread = [file for address in {*addresses, *more_pages} if (file := find_file(site, address))]
    files = set(unread)
    while unread:
        file = unread.pop()
        for address in _find_loaded(site, file):
            loaded = find_target(file, address, handbook.settings.site_url)
            target = loaded and find_file(site, loaded[0])
            if target and target not in files:
                files.add(target)
                unread.append(target)
    return tuple(sorted(files))


def find_target(file: str, address: str, site_url: str) -> tuple[str, str] | None:
    """Split an address in a file of the site into a path from the root of the site and the rest.

    The rest is the query and the fragment. Returns None for an address outside of the site.
    """
    root = f"{site_url.rstrip('/')}/" if site_url.strip("/") else "https://site.invalid/"
    try:
        url = urlsplit(urljoin(f"{root}{quote(make_address(file))}", address.strip()))
    except ValueError:
        return None
    root_url = urlsplit(root)
    if (url.scheme, url.netloc) != root_url[:2] or not url.path.startswith(root_url.path):
        return None
    query, fragment = url.query and f"?{url.query}", url.fragment and f"#{url.fragment}"
    return unquote(url.path.removeprefix(root_url.path)), f"{query}{fragment}"


def find_file(site: Path, path: str) -> str | None:
    """Return the file of the site that a host sends for a path, or None if there is none."""
    if path and not path.endswith("/") and (site / path).is_file():
        return path
    file = f"{path.rstrip('/')}/{INDEX}".removeprefix("/")
    return file if (site / file).is_file() else None


def _find_loaded(site: Path, file: str) -> Iterator[str]:
    """Yield the addresses that a browser loads for a page or a style sheet."""
    if file.endswith(".css"):
        yield from read_file(site, file).addresses
    elif file.endswith((".html", ".htm")):
        for node in LexborHTMLParser((site / file).read_bytes()).css("[src],[srcset],link[href]"):
            yield from _read_loaded(node)


def _read_loaded(node: LexborNode) -> Iterator[str]:
    attributes = node.attributes
    if node.tag == "link":
        if not _LOADED_LINKS.isdisjoint((attributes.get("rel") or "").split()):
            yield attributes.get("href") or ""
    elif node.tag != "iframe":
        yield attributes.get("src") or ""
        for candidate in (attributes.get("srcset") or "").split(","):
            yield candidate.strip().partition(" ")[0]


def write_list(site: Path, handbook: Handbook) -> None:
    """Write the list of the kept files, with their hashes and sizes, into a finished site.

    Equal sites of one commit have equal lists. Raises OSError if a file cannot be read or written.
    """
    redirects = list_redirects(handbook)
    names = list_files(site, handbook, ABOUT, FRAME, *redirects)
    names += tuple(name for name in _KEPT_SCRIPTS if (site / name).is_file())
    contents = {make_address(name): (site / name).read_bytes() for name in sorted(names)}
    files = {
        address: (hashlib.sha256(content).hexdigest()[:32], len(content))
        for address, content in contents.items()
    }
    commit = read_head(handbook.root)
    document = {
        "bytes": sum(size for _, size in files.values()),
        "commit": commit and commit[:SHORT_COMMIT],
        "files": files,
        "pages": {
            kind: [(title, address) for address, title in pages.items() if address in files]
            for kind, pages in list_pages(handbook).items()
        },
        "version": hashlib.sha256(json.dumps(files).encode()).hexdigest()[:16],
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    (site / LIST).write_text(f"{text}\n", encoding="utf-8")
