"""Make a ZIP archive of the pages for on call, which open from the file system (`file://`)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote

from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.handbook import Handbook
from handbook.history.git import read_commit_day, read_head
from handbook.site.built_files import make_address
from handbook.site.offline import RUNBOOK_SCRIPT, SHORT_COMMIT, find_file, find_target, list_files
from handbook.views.service_files import write_archive

_FOLDER: Final = "handbook"
"""Folder that holds all files of the archive."""
_POLICY: Final = (
    "default-src 'none'; script-src 'self' file:{hashes}; style-src 'self' file:; "
    "img-src 'self' file: data:; font-src 'self' file:; object-src 'none'; base-uri 'none'"
)
"""Content policy of a page. `'self'` does not include files in every browser."""
_HASH: Final = re.compile(r" 'sha256-[^']*'")
_REMOVED: Final = (
    "#hb-search, .hb-search-page, .hb-filter, "
    "link[rel~=alternate], link[rel=search], link[rel=modulepreload], script[type=module]"
)
"""Selectors of elements that need a server: the search, filters, the feed, and modules."""
_ADDRESSES: Final[Mapping[str, str]] = {"href": "[href]", "src": "[src]", "action": "[action]"}
"""Selectors of the attributes that hold one address."""


def make_offline_archive(site: Path, handbook: Handbook) -> bytes:
    """Return a ZIP archive with the pages of a built site that a reader needs without a network.

    Its links lead to its own files, or to the full address of the site. Equal sites of one commit
    give equal bytes. Raises OSError if a file cannot be read.
    """
    files = {*list_files(site, handbook)}
    if (site / RUNBOOK_SCRIPT).is_file():
        files.add(RUNBOOK_SCRIPT)
    version = _describe_version(handbook)
    site_url = handbook.settings.site_url if handbook.settings.has_site_url else ""
    contents = {}
    for file in sorted(files):
        content = (site / file).read_bytes()
        if file.endswith(".html"):
            page = _rewrite_page(site, file, content, files, site_url)
            content = _insert_banner(page, file, version, site_url).encode()
        contents[f"{_FOLDER}/{file}"] = content
    return write_archive((name, content, False) for name, content in contents.items())


def _describe_version(handbook: Handbook) -> str:
    """Return the day and the commit of the pages as HTML."""
    commit = read_head(handbook.root)
    if commit is None:
        return "uncommitted files"
    day = read_commit_day(handbook.root, commit).isoformat()
    return f'<time datetime="{day}">{day}</time>, commit <code>{commit[:SHORT_COMMIT]}</code>'


def _rewrite_page(
    site: Path, file: str, content: bytes, files: Collection[str], site_url: str
) -> str:
    """Return the HTML of a page with addresses that work from the file system."""
    document = LexborHTMLParser(content)
    for node in document.css(_REMOVED):
        node.decompose()
    for node in document.css("[data-search]"):
        del node.attrs["data-search"]  # The link then leads to the list of everything.
    for node in document.css('meta[http-equiv="Content-Security-Policy"]'):
        hashes = "".join(_HASH.findall(node.attributes["content"] or ""))
        node.attrs["content"] = _POLICY.format(hashes=hashes)
    for name, selector in _ADDRESSES.items():
        for node in document.css(selector):
            address = (node.attributes[name] or "").strip()
            if address and not address.startswith("#"):
                _set_address(node, name, _rewrite(site, file, address, files, site_url))
    for node in document.css("[srcset]"):
        node.attrs["srcset"] = ", ".join(
            " ".join((_rewrite(site, file, address, files, site_url) or "", *size))
            for address, *size in map(str.split, (node.attributes["srcset"] or "").split(","))
        )
    return document.html or ""


def _set_address(node: LexborNode, name: str, address: str | None) -> None:
    """Set the address of an element. Without an address, a link becomes plain text."""
    if address is not None:
        node.attrs[name] = address
        return
    del node.attrs[name]
    node.attrs["title"] = "Not in the offline copy"


def _rewrite(
    site: Path, file: str, address: str, files: Collection[str], site_url: str
) -> str | None:
    """Return an address for a page of the archive, or None if its target has no address there.

    The target is a file of the archive, or else the full address on the site.
    """
    split = find_target(file, address, site_url)
    if split is None:
        return address
    path, rest = split
    target = find_file(site, path)
    if target in files:
        return quote(posixpath.relpath(target or "", posixpath.dirname(file) or ".")) + rest
    return f"{site_url.rstrip('/')}/{quote(path)}{rest}" if site_url else None


def _insert_banner(html: str, file: str, version: str, site_url: str) -> str:
    """Return the HTML of a page with the version of the copy at the end of its header."""
    url = f"{site_url.rstrip('/')}/{quote(make_address(file))}"
    link = f' <a href="{escape(url)}">Current page</a>' if site_url else ""
    banner = f'<p class="hb-offline">Offline copy of {version}.{link}</p>'
    head, end, tail = html.partition("</header>")
    return f"{head}{banner}{end}{tail}" if end else html
