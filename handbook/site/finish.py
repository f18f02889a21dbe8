"""Finish a built site of any engine: content policy, redirects and search index."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from selectolax.lexbor import LexborHTMLParser

from handbook.diagnostics import Diagnostic, Location, Severity
from handbook.handbook import Handbook
from handbook.reading.addresses import make_relative, read_scheme
from handbook.settings import FILE
from handbook.site.html_faults import UNSAFE_PAGE

STYLES: Final = ("assets/handbook.css",)
SCRIPTS: Final = ("assets/handbook.js", "assets/search.js")
"""The styles and scripts of ours, below the folder of the site."""

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
"""The inline scripts of the theme (`partials/javascripts/`), which a page may run.

Each is the SHA-256 of its text without the address in `new URL("…")`, which differs from page to
page.
"""
_SCRIPT_TYPES: Final = re.compile(
    r"|module|importmap|speculationrules|(?:text|application)/(?:x-)?(?:java|ecma|j|live)script.*"
)
"""The types of a script that a browser runs; a script of any other type holds data."""
_SCRIPT_ADDRESS: Final = re.compile(r'(?<=new URL\(")[\w./:~%-]*(?=")')
_HEAD: Final = re.compile(r"<!--.*?-->|<head\b[^>]*>", re.DOTALL | re.IGNORECASE)
_BEFORE_HEAD: Final = re.compile(r"\s*(?:<!doctype[^>]*>\s*)?(?:<html\b[^>]*>\s*)?", re.IGNORECASE)
_EMPTY_THEME_LINK: Final = re.compile(r'''(<a\b(?=[^>]*\bclass="md-)[^>]*?)\bhref=""''')
"""A link to the home page on the home page, as Zensical's theme writes it."""
_POLICY_TAG: Final = re.compile(r'<meta http-equiv="Content-Security-Policy" content="[^"]*">')
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; "
    "manifest-src 'self'; form-action 'self'; "
    "object-src 'none'; base-uri 'none'"
)
"""A page loads files of the site and runs the theme's scripts. The search needs WebAssembly."""
_REDIRECT: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
    "<title>Moved</title>"
)
"""The beginning of a redirect."""

_COMMENT: Final = re.compile(r"^ *(?://.*|/\*[^*]*\*/) *\n", re.MULTILINE)

_LEFT_OUT: Final = (
    ".headerlink",
    ".md-content__button",
    ".hb-table",
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
"""Parts of a page that the search skips: copies from other records, and controls."""


class FinishError(Exception):
    """A site that cannot be finished; the text says why."""


@dataclass(frozen=True)
class Finished:
    """The counts of a finished site, and its findings, which must not be published."""

    pages: int
    redirects: int
    findings: tuple[Diagnostic, ...]


def finish(site: Path, handbook: Handbook) -> Finished:
    """Give pages their content policy, write the redirects, and index the text for the search.

    A site can be finished again. Raises FinishError where a page has moved from the address of
    another, where a page is not UTF-8, and where the search cannot be indexed; OSError where a file
    cannot be read or written.
    """
    redirects = write_redirects(site, handbook)
    scripts: dict[str, list[str]] = {}
    pages = 0
    for file in sorted(site.rglob("*")):
        if file.suffix.lower() not in (".html", ".htm") or file.is_symlink() or not file.is_file():
            continue
        html = _read(file)
        if html.startswith(_REDIRECT):
            continue
        pages += 1
        protected, foreign = with_policy(_EMPTY_THEME_LINK.sub('\\1href="."', html))
        for script in foreign:
            scripts.setdefault(script, []).append(file.relative_to(site).as_posix())
        if protected != html:
            file.write_text(protected, encoding="utf-8")
    for name in (*STYLES, *SCRIPTS):
        if (file := site / name).is_file():
            file.write_text(without_comments(_read(file)), encoding="utf-8")
    findings = tuple(_foreign_script(handbook, script, files) for script, files in scripts.items())
    if not findings:
        index(site)
    return Finished(pages, redirects, findings)


def _read(file: Path) -> str:
    """The text of a file of the site. Raises FinishError where it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FinishError(f"{file} is not UTF-8: {error.reason} at byte {error.start}") from error


def with_policy(html: str) -> tuple[str, tuple[str, ...]]:
    """Put the Content-Security-Policy first into the head of a page, so that it binds everything.

    It allows the theme's inline scripts. Returns the page, and every script that it does not allow:
    the text of an inline script, the address of one on another host, the tag of one before the
    head.
    """
    html = _POLICY_TAG.sub("", html, count=1)
    inline, foreign = _scripts(html)
    allowed = sorted(
        hashlib.sha256(script.encode()).digest() for script in inline if _is_of_theme(script)
    )
    foreign += [script for script in inline if not _is_of_theme(script)]
    hashes = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in allowed)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(hashes=hashes)}">'
    head = next((match for match in _HEAD.finditer(html) if not match[0].startswith("<!--")), None)
    if head is None:
        head = _BEFORE_HEAD.match(html)
    end = head.end() if head else 0
    if "<script" in html[:end].lower():
        foreign.append(html[html.lower().index("<script") : end])
    return html[:end] + meta + html[end:], tuple(sorted(foreign))


def _scripts(html: str) -> tuple[set[str], list[str]]:
    """Find the inline scripts that a browser would run, and the addresses of scripts elsewhere."""
    inline: set[str] = set()
    elsewhere: list[str] = []
    if "<script" in html or "<script" in html.lower():
        for script in LexborHTMLParser(html).css("script"):
            attributes = script.attributes
            address = (
                attributes.get("src") or attributes.get("href") or attributes.get("xlink:href")
            )
            if address and (read_scheme(address) or address.startswith("//")):
                elsewhere.append(address)
            kind = (attributes.get("type") or "").strip().lower()
            text = script.text()
            if "src" not in attributes and text.strip() and _SCRIPT_TYPES.fullmatch(kind):
                inline.add(text)
    return inline, elsewhere


def _is_of_theme(script: str) -> bool:
    plain = _SCRIPT_ADDRESS.sub("", script)
    return hashlib.sha256(plain.encode()).hexdigest() in _THEME_SCRIPTS


def _foreign_script(handbook: Handbook, script: str, files: list[str]) -> Diagnostic:
    """Make the finding for a foreign script, at its line of mkdocs.yml where it is there."""
    first = next(line.strip() for line in script.splitlines() if line.strip())
    settings = (handbook.root / FILE).read_text(encoding="utf-8").splitlines()
    lines = (
        number for number, line in enumerate(settings, 1) if first in line and "script" in line
    )
    pages = f"/{files[0].removesuffix('index.html')}" + (
        f" and {len(files) - 1} more" if len(files) > 1 else ""
    )
    message = f"script '{first[:60]}' on {pages} is not one of the theme's"
    hint = (
        "remove it from mkdocs.yml, the template or the plugin; or put it into a file of the site"
    )
    return Diagnostic(Location(FILE, next(lines, 1)), *UNSAFE_PAGE, Severity.ERROR, message, hint)


def without_comments(text: str) -> str:
    """A style or script of ours without its comments, which stand on lines of their own."""
    return _COMMENT.sub("", text)


def start_indexing(site: Path) -> subprocess.Popen[str]:
    """Start the process that writes the index of the search into a built site."""
    command = [
        sys.executable,
        "-m",
        "pagefind",
        "--site",
        str(site),
        "--glob",
        "**/index.html",
        "--quiet",
        "--root-selector",
        "article.md-content__inner",
        "--exclude-selectors",
        ", ".join(_LEFT_OUT),
    ]
    return subprocess.Popen(  # noqa: S603 - our own words, and a path
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def index(site: Path) -> None:
    """Write the index of the search into a built site.

    Raises FinishError with what Pagefind printed.
    """
    with start_indexing(site) as process:
        output, errors = process.communicate()
    if process.returncode:
        raise FinishError(
            f"search index failed: {errors.strip() or output.strip() or 'no message of Pagefind'}"
        )


def write_redirects(site: Path, handbook: Handbook) -> int:
    """Write a redirect at every address in `moved_from`; returns the number of redirects.

    Raises FinishError where a page has that address now, and where two have moved from it.
    """
    moves = [
        (old, document) for document in handbook.documents.values() for old in document.moved_from
    ]
    sources: dict[str, str] = {}
    for old, document in moves:
        file = site / old.strip("/") / "index.html"
        if old in sources:
            raise FinishError(f"{document.path}: moved_from {old} is in {sources[old]}, too")
        if file.exists() and not _read(file).startswith(_REDIRECT):
            raise FinishError(f"{document.path}: moved_from {old} is the address of a page")
        sources[old] = document.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            redirect(make_relative(handbook.address(document), f"{old.strip('/')}/")),
            encoding="utf-8",
        )
    return len(moves)


def redirect(target: str) -> str:
    """A page that leads to the address where its record is now; `target` is relative to it."""
    link = escape(target, quote=True)
    return (
        f'{_REDIRECT}<meta http-equiv="refresh" content="0; url={link}">'
        f'<link rel="canonical" href="{link}">'
        f'<meta name="robots" content="noindex"></head>\n'
        f'<body><p>This is <a href="{link}">here</a> now.</p></body></html>\n'
    )
