"""Add what no engine writes: content policy, redirects, offline copy and search index."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Final

from selectolax.lexbor import LexborHTMLParser

from handbook.diagnostics import Diagnostic, Location, Severity
from handbook.handbook import Handbook
from handbook.reading.addresses import make_relative, read_scheme
from handbook.reading.letters import has_cjk, space_cjk
from handbook.settings import DOCS, FILE
from handbook.site.html_faults import UNSAFE_PAGE
from handbook.site.index_parts import LARGE, shrink_parts
from handbook.site.offline import write_list

STYLES: Final = ("assets/handbook.css",)
PAGE_STYLES: Final = (
    "assets/files.css",
    "assets/home.css",
    "assets/indexes.css",
    "assets/runbook.css",
)
"""Styles that only some pages load: files of services, home, filters, and runbooks and alerts."""
WORKER: Final = "worker.js"
"""The service worker. It is at the root, because it controls only pages below its own folder."""
SCRIPTS: Final = (
    "assets/handbook.js",
    "assets/indexes.js",
    "assets/offline.js",
    "assets/runbook.js",
    "assets/search.js",
    "assets/search-index.js",
    "assets/search-words.js",
    WORKER,
)
"""Our own styles and scripts. The paths are relative to the folder of the site."""

_THEME_SCRIPTS: Final = frozenset(
    (
        "7eb3684fdacd2881f67b9428983273a29d8774d8bc82622af9b65a8ec1032a90",  # Material: base.html
        "213d571a86bd568ccb65bf92ca3cf95284d8c140997189b0272a503b72fa3988",  # Zensical: base.html
        "0eb10c249dbdb0beef225a10ce5cbe55418cc4a7014cc208f8e7d6ed8f00906e",  # both: palette.html
        "d74bb3b582599bb38b62d1eb15a60a0af4ce0147e3335efe0a811693984b71ce",  # both: content
        "ffcc0f7735fdab434d257c80e65cec2e88d716991e69757185b7e450e41a5b2f",  # both: content
        "e441dbdde5a0501b99527bb443d86875df7b1a02ed15df77ed97b4c8234e4b70",  # both: announce.html
        "825a478f6ef2a37cf6bc1140ddb9b0665d08eee69a0635d5e82471fba8e2f73a",  # both: outdated.html
        "3907d77c1c78f2658c4fefb1c0cb8a4caf9e66479edaeace65c6c1e213f47107",  # both: consent.html
    )
)
"""Hashes of the theme's inline scripts (`partials/javascripts/`), which a page may run.

A hash is the SHA-256 of the script without the address in `new URL("…")`, because this address is
different on each page.
"""
_SCRIPT_TYPES: Final = re.compile(
    r"|module|importmap|speculationrules|(?:text|application)/(?:x-)?(?:java|ecma|j|live)script.*"
)
"""Script types that a browser runs. A script of any other type holds data."""
_SCRIPT_ADDRESS: Final = re.compile(r'(?<=new URL\(")[\w./:~%-]*(?=")')
_HEAD: Final = re.compile(
    r"""\ufeff?(?:\s+|<!--(?:-?>|.*?--!?>)|<!doctype[^>]*>|<html(?=[\s/>])(?:"[^"]*"|'[^']*'|[^>"'])*>)*"""
    r"""(?:<head(?=[\s/>])(?:"[^"]*"|'[^']*'|[^>"'])*>)?""",
    re.DOTALL | re.IGNORECASE,
)
"""The text of a page up to its first element that is neither `html` nor `head`."""
_EMPTY_THEME_LINK: Final = re.compile(r'''(<a\b(?=[^>]*\bclass="md-)[^>]*?)\bhref=""''')
"""Link with an empty href. Zensical's theme writes it on the home page, as a link to itself."""
_UNPROTECTED_TYPES: Final = (".xhtml", ".xht", ".shtml", ".mht")
"""Types of pages that browsers open, and that cannot have a policy in their first element."""
_POLICY_TAG: Final = re.compile(r'<meta http-equiv="Content-Security-Policy" content="[^"]*">')
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; "
    "manifest-src 'self'; form-action 'self'; "
    "object-src 'none'; base-uri 'none'"
)
"""Content policy of a page. The page can load only files of the site.

`{hashes}` allows the theme's inline scripts. The search needs `wasm-unsafe-eval` for WebAssembly.
"""
_REDIRECT: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
    "<title>Moved</title>"
)
"""Start of the HTML of a redirect, which distinguishes redirects from pages."""

_GLOB_MARK: Final = re.compile(r"[^\w.-]")
"""A character that can have a meaning in a pattern of Pagefind."""
_COMMENT: Final = re.compile(r"^ *(?://.*|/\*[^*]*\*/)? *\n|^ +", re.MULTILINE)
"""A line without code, or the spaces before code. No text of our scripts needs the latter."""

_SITE_MARK: Final = "assets/keys/parts.json"
"""A file that the site of each handbook has."""

INDEX: Final = "pagefind"
"""Folder of the search index in the site."""
_PAGEFIND_MEMORY: Final = {"_RJEM_MALLOC_CONF": "narenas:1,dirty_decay_ms:0,muzzy_decay_ms:0"}
"""Options of jemalloc, Pagefind's allocator: return freed memory to the system at once."""
_PAGEFIND_UI: Final = re.compile(r"pagefind-(?:(?:component-|modular-)?ui|highlight)\..*")
"""The files of Pagefind's own interface, which no page loads."""

_NOT_SEARCHED: Final = (
    ".headerlink",
    ".md-content__button",
    ".hb-table:not(.hb-requirements)",
    ".hb-filter",
    ".hb-all",
    ".hb-recent",
    ".hb-hero",
    ".hb-ties",
    ".hb-facts__wide",
    ".hb-changed",
    ".hb-findings",
    "[data-search-exclude]",
)
"""Selectors of the elements that the search skips: copies from other records, and controls."""


class FinishError(Exception):
    """Raised if a site cannot be finished. The message gives the reason."""


@dataclass(frozen=True)
class Finished:
    """The numbers of pages and redirects in a finished site, and its findings.

    A site with findings must not be published.
    """

    pages: int
    redirects: int
    findings: tuple[Diagnostic, ...]


def finish(site: Path, handbook: Handbook) -> Finished:
    """Write the redirects, the lists of files and words, and the content policy of each page.

    The list of files is for the offline copy, the list of words for the search. You can finish the
    same site again. With findings, neither list is written. Raises FinishError if `moved_from`
    names the address of an existing page, if a page is not UTF-8, or if Pagefind fails. Raises
    OSError if a file cannot be read or written.
    """
    redirects = write_redirects(site, handbook)
    scripts: dict[str, list[str]] = {}
    active_files: list[str] = []
    pages = 0
    nested = _find_nested_sites(site, handbook.settings.organisation.nested)
    for file in sorted(site.rglob("*")):
        is_nested = file.relative_to(site).parts[0] in nested
        if is_nested or file.is_symlink() or not file.is_file():
            continue
        kind = file.suffix.lower()
        if kind in _UNPROTECTED_TYPES or (kind in (".svg", ".xml") and _has_script(file)):
            active_files.append(file.relative_to(site).as_posix())
        if kind not in (".html", ".htm"):
            continue
        html = _read_text(file)
        if html.startswith(_REDIRECT):
            continue
        pages += 1
        protected, foreign = add_policy(_fill_empty_links(html))
        for script in foreign:
            scripts.setdefault(script, []).append(file.relative_to(site).as_posix())
        if protected != html:
            file.write_text(protected, encoding="utf-8")
    if (worker := site / "assets" / WORKER).is_file():
        worker.replace(site / WORKER)
    for name in (*STYLES, *PAGE_STYLES, *SCRIPTS):
        if (file := site / name).is_file():
            file.write_text(remove_comments(_read_text(file)), encoding="utf-8")
    findings = tuple(_make_finding(handbook, script, files) for script, files in scripts.items())
    findings += tuple(_report_active_file(handbook, file) for file in active_files)
    if not findings:
        write_list(site, handbook)
        is_large = len(handbook.documents) > LARGE
        write_search_index(site, nested, spaced=_has_cjk_text(handbook), is_large=is_large)
    return Finished(pages, redirects, findings)


def _find_nested_sites(site: Path, names: Iterable[str]) -> list[str]:
    """Return the folders of a site, among `names`, that hold the site of a nested handbook.

    Any other folder with such a name is part of the site, and needs the content policy.
    """
    return [name for name in names if (site / name / _SITE_MARK).is_file()]


def _has_script(file: Path) -> bool:
    return b"<script" in file.read_bytes().lower()


def _report_active_file(handbook: Handbook, file: str) -> Diagnostic:
    """Make the finding for a file that can run scripts without a content policy."""
    source = next((path for path in (f"{DOCS}/{file}", file) if handbook.is_published(path)), FILE)
    hint = "remove the file, or publish it as an HTML page or as an image without a script"
    message = f"file '/{file}' can run scripts, and cannot have a content policy"
    return Diagnostic(Location(source), *UNSAFE_PAGE, Severity.ERROR, message, hint)


def _read_text(file: Path) -> str:
    """Return the text of a file of the site. Raises FinishError if the file is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FinishError(f"{file} is not UTF-8: {error.reason} at byte {error.start}") from error


def _fill_empty_links(html: str) -> str:
    """Return the HTML of a page, in which each empty link of the theme leads to the page itself."""
    # The cheap substring test comes before the regular expression.
    return _EMPTY_THEME_LINK.sub(r'\1href="."', html) if 'href=""' in html else html


def add_policy(html: str) -> tuple[str, tuple[str, ...]]:
    """Add the Content-Security-Policy to the HTML of a page, and find its foreign scripts.

    The policy is the first element of the head, so that it applies to the whole page. It allows the
    theme's inline scripts. Returns the new HTML, and the scripts that the policy does not allow:
    the text of an inline script, or the address of a script on another host.
    """
    html = _POLICY_TAG.sub("", html, count=1)
    inline, foreign = _find_scripts(html)
    allowed = sorted(
        hashlib.sha256(script.encode()).digest() for script in inline if _is_of_theme(script)
    )
    foreign += [script for script in inline if not _is_of_theme(script)]
    hashes = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in allowed)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(hashes=hashes)}">'
    head = _HEAD.match(html)
    end = head.end() if head else 0
    return html[:end] + meta + html[end:], tuple(sorted(foreign))


def _find_scripts(html: str) -> tuple[set[str], list[str]]:
    """Return the inline scripts that a browser runs, and the addresses of other hosts' scripts."""
    inline: set[str] = set()
    foreign_addresses: list[str] = []
    for script in LexborHTMLParser(html).css("script"):
        attributes = script.attributes
        address = attributes.get("src") or attributes.get("href") or attributes.get("xlink:href")
        if address and (read_scheme(address) or address.startswith("//")):
            foreign_addresses.append(address)
        kind = (attributes.get("type") or "").strip().lower()
        text = script.text()
        if "src" not in attributes and text.strip() and _SCRIPT_TYPES.fullmatch(kind):
            inline.add(text)
    return inline, foreign_addresses


@lru_cache(64)
def _is_of_theme(script: str) -> bool:
    plain = _SCRIPT_ADDRESS.sub("", script)
    return hashlib.sha256(plain.encode()).hexdigest() in _THEME_SCRIPTS


def _make_finding(handbook: Handbook, script: str, files: list[str]) -> Diagnostic:
    """Return the finding for a script that is not the theme's.

    `files` holds the pages with this script. The place of the finding is the line of the script in
    mkdocs.yml, or the first line if mkdocs.yml does not contain the script.
    """
    first = next(line.strip() for line in script.splitlines() if line.strip())
    settings = (handbook.root / FILE).read_text(encoding="utf-8").splitlines()
    lines = (
        number for number, line in enumerate(settings, 1) if first in line and "script" in line
    )
    page = f"/{files[0].removesuffix('index.html')}"
    count = len(files) - 1
    other_pages = f" and {count} other page{'s' if count > 1 else ''}" if count else ""
    message = f"foreign script '{first[:60]}' on {page}{other_pages}"
    hint = (
        "remove it from mkdocs.yml, the template or the plugin, or move its code into a file below "
        "docs/"
    )
    return Diagnostic(Location(FILE, next(lines, 1)), *UNSAFE_PAGE, Severity.ERROR, message, hint)


def remove_comments(text: str) -> str:
    """Return one of our styles or scripts without indentation and without lines of comments."""
    return _COMMENT.sub("", text)


def _has_cjk_text(handbook: Handbook) -> bool:
    return any(has_cjk(document.source.body) for document in handbook.documents.values())


@contextmanager
def _copy_spaced_pages(site: Path) -> Iterator[Path]:
    """Write the articles of a site into a temporary folder, with spaces in Chinese and Japanese.

    Pagefind finds words at spaces. In the copy, each character of a text without spaces is a word.
    """
    with tempfile.TemporaryDirectory(prefix="handbook-search-") as name:
        for page in site.rglob("index.html"):
            copy = Path(name) / page.relative_to(site)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(space_cjk(_read_text(page)), encoding="utf-8")
        yield Path(name)


def start_indexing(
    site: Path, nested: Collection[str] = (), source: Path | None = None
) -> subprocess.Popen[str]:
    """Start a process that writes the search index into the folder of a built site.

    It indexes the pages of the site, or of the copy in `source`, without the sites in the folders
    `nested`.
    """
    command = [
        sys.executable,
        "-m",
        "pagefind",
        "--site",
        str(source or site),
        "--output-path",
        str(site / INDEX),
        "--glob",
        _make_glob(source or site, nested),
        "--quiet",
        "--root-selector",
        "article.md-content__inner",
        "--exclude-selectors",
        ", ".join(_NOT_SEARCHED),
    ]
    return subprocess.Popen(  # noqa: S603 - fixed arguments and a path
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**_PAGEFIND_MEMORY, **os.environ},
    )


def _make_glob(site: Path, nested: Collection[str]) -> str:
    """Return the pattern of the pages of a site for Pagefind, which cannot exclude a folder."""
    if not any((site / name).is_dir() for name in nested):
        return "**/index.html"
    folders = (entry.name for entry in site.iterdir() if entry.is_dir())
    patterns = (
        f"{_GLOB_MARK.sub('?', name)}/**/index.html" for name in folders if name not in nested
    )
    return f"{{index.html,{','.join(sorted(patterns))}}}"


def write_search_index(
    site: Path, nested: Collection[str] = (), *, spaced: bool = False, is_large: bool = False
) -> None:
    """Write the search index into the folder of a built site.

    The index leaves out the sites in the folders `nested`. With `spaced`, each Chinese or Japanese
    character is a word. The index of a large site has no stop words. Without a page, as in an empty
    handbook, no index is written, because Pagefind would fail. Raises FinishError with the output
    of Pagefind if Pagefind fails.
    """
    if not any(site.rglob("index.html")):
        return
    with (
        _copy_spaced_pages(site) if spaced else nullcontext() as source,
        start_indexing(site, nested, source) as process,
    ):
        output, errors = process.communicate()
    if process.returncode:
        raise FinishError(
            "the search index cannot be written: "
            f"{errors.strip() or output.strip() or 'Pagefind printed no reason'}"
        )
    for file in (site / INDEX).iterdir():
        if _PAGEFIND_UI.fullmatch(file.name):
            file.unlink()
    if is_large:
        # Without sizes, the search still works. Its queries can then transfer more.
        with suppress(ValueError, IndexError):
            shrink_parts(site, site / INDEX)


def write_redirects(site: Path, handbook: Handbook) -> int:
    """Write a redirect at every address in `moved_from`, and return the number of redirects.

    Raises FinishError if an existing page has that address, or if two documents name it.
    """
    moves = [
        (old, document) for document in handbook.documents.values() for old in document.moved_from
    ]
    sources: dict[str, str] = {}
    for old, document in moves:
        file = site / old.strip("/") / "index.html"
        if old in sources:
            raise FinishError(
                f"{document.path}: duplicate moved_from '{old}' (also in {sources[old]})"
            )
        if file.exists() and not _read_text(file).startswith(_REDIRECT):
            raise FinishError(
                f"{document.path}: moved_from '{old}' is the address of an existing page"
            )
        sources[old] = document.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            make_redirect(make_relative(handbook.address(document), f"{old.strip('/')}/")),
            encoding="utf-8",
        )
    return len(moves)


def make_redirect(target: str) -> str:
    """Return the HTML of a redirect to `target`, a relative address."""
    link = escape(target, quote=True)
    return (
        f'{_REDIRECT}<meta http-equiv="refresh" content="0; url={link}">'
        f'<link rel="canonical" href="{link}">'
        f'<meta name="robots" content="noindex"></head>\n'
        f'<body><p>This is <a href="{link}">here</a> now.</p></body></html>\n'
    )
