"""The last work on a built site, whatever engine built it: content policy, redirects and the index of the search."""

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

from handbook.diagnostics import Diagnostic, Location, Severity
from handbook.handbook import Handbook
from handbook.reading.addresses import relative
from handbook.settings import FILE
from handbook.site.html_faults import UNSAFE_PAGE

STYLES: Final = ("assets/handbook.css",)
SCRIPTS: Final = ("assets/handbook.js", "assets/search.js")
"""The styles and scripts of ours, below the folder of the site."""

_THEME_SCRIPTS: Final = frozenset(
    (
        "7eb3684fdacd2881f67b9428983273a29d8774d8bc82622af9b65a8ec1032a90",  # base.html of Material 9.7 and 9.8
        "213d571a86bd568ccb65bf92ca3cf95284d8c140997189b0272a503b72fa3988",  # base.html of Zensical
        "0eb10c249dbdb0beef225a10ce5cbe55418cc4a7014cc208f8e7d6ed8f00906e",  # palette.html, and from here on of both
        "d74bb3b582599bb38b62d1eb15a60a0af4ce0147e3335efe0a811693984b71ce",  # content.html: linked content tabs
        "ffcc0f7735fdab434d257c80e65cec2e88d716991e69757185b7e450e41a5b2f",  # content.html: the tab of an address
        "e441dbdde5a0501b99527bb443d86875df7b1a02ed15df77ed97b4c8234e4b70",  # announce.html
        "825a478f6ef2a37cf6bc1140ddb9b0665d08eee69a0635d5e82471fba8e2f73a",  # outdated.html
        "3907d77c1c78f2658c4fefb1c0cb8a4caf9e66479edaeace65c6c1e213f47107",  # consent.html
    )
)
"""The inline scripts that a page may run: those of the theme, in its folder `partials/javascripts/`.

Each is the SHA-256 of its text without the address in `new URL("…")`, which differs from page to page.
"""
_DATA_TYPES: Final = re.compile(r"""\btype\s*=\s*["']?application/(?:ld\+)?json\b""", re.IGNORECASE)
_SCRIPT: Final = re.compile(
    r"""<script\b(?![^>]*[\s"'/]src\s*=)([^>]*)>(.*?)</script""", re.DOTALL | re.IGNORECASE
)
_SCRIPT_ADDRESS: Final = re.compile(r'(?<=new URL\(")[\w./:~%-]*(?=")')
_HEAD: Final = re.compile(r"<meta\s+charset\b[^>]*>", re.IGNORECASE)
_POLICY_TAG: Final = re.compile(r'<meta http-equiv="Content-Security-Policy" content="[^"]*">')
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "object-src 'none'; base-uri 'none'"
)
"""A page loads what the site serves, and runs the theme's own inline scripts; WebAssembly is for the search."""
_REDIRECT: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    """<meta http-equiv="Content-Security-Policy" content="default-src 'none'"><title>Moved</title>"""
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
"""What a page repeats of other records, and what is no text: a record is found by its own page."""


class FinishError(Exception):
    """A site that cannot be finished; the text says why."""


@dataclass(frozen=True)
class Finished:
    """What was done to a site, and what must not be published."""

    pages: int
    redirects: int
    findings: tuple[Diagnostic, ...]


def finish(site: Path, handbook: Handbook) -> Finished:
    """Give every page of a built site its content policy, write the redirects, and index the text for the search.

    A site can be finished again. Raises FinishError where a page has moved from the address of another, where a page is
    not UTF-8, and where the search cannot be indexed; OSError where a file cannot be read or written.
    """
    redirects = write_redirects(site, handbook)
    scripts: dict[str, list[str]] = {}
    pages = 0
    for file in sorted(site.rglob("*.html")):
        html = _read(file)
        if html.startswith(_REDIRECT):
            continue
        pages += 1
        protected, foreign = with_policy(html)
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
    """A page with its Content-Security-Policy, which allows the theme's inline scripts, and the text of all others."""
    html = _POLICY_TAG.sub("", html, count=1)
    scripts = {
        script for attributes, script in _SCRIPT.findall(html) if not _DATA_TYPES.search(attributes)
    }
    allowed = sorted(
        hashlib.sha256(script.encode()).digest() for script in scripts if _is_of_theme(script)
    )
    hashes = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in allowed)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(hashes=hashes)}">'
    if charset := _HEAD.search(html):
        at = charset.end()
    else:
        at = (
            head.end()
            if (head := re.search("<head[^>]*>|<html[^>]*>|<!doctype[^>]*>", html, re.IGNORECASE))
            else 0
        )
    foreign = tuple(sorted(script for script in scripts if not _is_of_theme(script)))
    return html[:at] + meta + html[at:], foreign


def _is_of_theme(script: str) -> bool:
    plain = _SCRIPT_ADDRESS.sub("", script)
    return hashlib.sha256(plain.encode()).hexdigest() in _THEME_SCRIPTS


def _foreign_script(handbook: Handbook, script: str, files: list[str]) -> Diagnostic:
    """The finding for an inline script that is not the theme's: at its line of mkdocs.yml, where it is there."""
    first = next((line.strip() for line in script.splitlines() if line.strip()), "")
    settings = (handbook.root / FILE).read_text(encoding="utf-8").splitlines()
    lines = (number for number, line in enumerate(settings, 1) if first and first in line)
    pages = f"/{files[0].removesuffix('index.html')}" + (
        f" and {len(files) - 1} more" if len(files) > 1 else ""
    )
    message = f"inline script '{first[:60]}' on {pages} is not one of the theme's"
    hint = "remove it from the settings, the template or the plugin that writes it; put scripts into a file of the site"
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
    """Write the index of the search into a built site. Raises FinishError with what Pagefind printed."""
    with start_indexing(site) as process:
        output, errors = process.communicate()
    if process.returncode:
        raise FinishError(
            f"the search could not be indexed: {errors.strip() or output.strip() or 'pagefind failed'}"
        )


def write_redirects(site: Path, handbook: Handbook) -> int:
    """Write a redirect at every address that a page of the handbook has moved from; returns their number.

    Raises FinishError where a page has that address now, and where two have moved from it.
    """
    moves = [
        (old, document) for document in handbook.documents.values() for old in document.moved_from
    ]
    written: dict[str, str] = {}
    for old, document in moves:
        file = site / old.strip("/") / "index.html"
        if old in written:
            raise FinishError(f"{document.path}: moved_from {old} is in {written[old]}, too")
        if file.exists() and not _read(file).startswith(_REDIRECT):
            raise FinishError(f"{document.path}: moved_from {old} is the address of a page")
        written[old] = document.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            redirect(relative(handbook.address(document), f"{old.strip('/')}/")), encoding="utf-8"
        )
    return len(moves)


def redirect(target: str) -> str:
    """A page that leads to the address where its record is now; `target` is relative to it."""
    link = escape(target, quote=True)
    return (
        f'{_REDIRECT}<meta http-equiv="refresh" content="0; url={link}"><link rel="canonical" href="{link}">'
        f'<meta name="robots" content="noindex"></head>\n'
        f'<body><p>This is <a href="{link}">here</a> now.</p></body></html>\n'
    )
