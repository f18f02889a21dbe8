"""The last work on a built site: the policy of its pages, redirects for pages that moved, the search index."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Final

from handbook.handbook import Handbook
from handbook.reading.addresses import relative

_SCRIPT: Final = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>(.*?)</script>", re.DOTALL)
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "object-src 'none'; base-uri 'none'"
)
"""The page loads what the site serves, and the inline scripts that it was built with; WebAssembly is the search's."""

_COMMENT: Final = re.compile(r"^ *(?://.*|/\*[^*]*\*/) *\n", re.MULTILINE)

_LEFT_OUT: Final = (
    ".headerlink", ".md-content__button", ".hb-table", ".hb-filter", ".hb-all", ".hb-recent", ".hb-hero",
    ".hb-ties", ".hb-facts__wide", ".hb-changed", ".hb-findings", "[data-search-exclude]",
)  # fmt: skip
"""What a page repeats of other records, and what is no text: a record is found by its own page."""


class TakenAddressError(Exception):
    """A page has moved from the address of another page; the text names both."""


def with_policy(html: str) -> str:
    """A page with its Content-Security-Policy, which allows its own inline scripts by their hashes and no other."""
    scripts = sorted({hashlib.sha256(script.encode()).digest() for script in _SCRIPT.findall(html)})
    hashes = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in scripts)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(hashes=hashes)}">'
    return re.sub(r"<meta charset=[^>]*>", lambda found: f"{found[0]}{meta}", html, count=1)


def without_comments(text: str) -> str:
    """A style or script of ours without its comments, which stand on lines of their own."""
    return _COMMENT.sub("", text)


def strip_comments(files: Iterable[Path]) -> None:
    """Write styles and scripts of ours without their comments."""
    for file in files:
        file.write_text(without_comments(file.read_text(encoding="utf-8")), encoding="utf-8")


def indexing(site: Path) -> subprocess.Popen[str]:
    """Begin to write the index of the search into a built site; answers the process that does it."""
    command = [sys.executable, "-m", "pagefind", "--site", str(site), "--glob", "**/index.html", "--quiet",
               "--root-selector", "article.md-content__inner", "--exclude-selectors", ", ".join(_LEFT_OUT)]  # fmt: skip
    return subprocess.Popen(  # noqa: S603 - our own words, and a path
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def index(site: Path) -> None:
    """Write the index of the search into a built site. Raises RuntimeError with what Pagefind said where it fails."""
    with indexing(site) as process:
        output, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(errors.strip() or output.strip() or "pagefind failed")


def write_redirects(site: Path, handbook: Handbook) -> None:
    """Write a redirect at every address that a page of the handbook has moved from.

    Raises TakenAddressError where a page has that address now.
    """
    for document in handbook.documents.values():
        for old in document.moved_from:
            file = site / old.strip("/") / "index.html"
            if file.exists():
                raise TakenAddressError(f"{document.path}: moved_from {old} is the address of a page")
            file.parent.mkdir(parents=True, exist_ok=True)
            target = relative(handbook.address(document), f"{old.strip('/')}/")
            file.write_text(moved(target), encoding="utf-8")


def moved(target: str) -> str:
    """A page that leads to the address where its record is now; `target` is relative to it."""
    link, nothing = escape(target, quote=True), "default-src 'none'"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{nothing}"><title>Moved</title>'
        f'<meta http-equiv="refresh" content="0; url={link}"><link rel="canonical" href="{link}">'
        f'<meta name="robots" content="noindex"></head>\n'
        f'<body><p>This is <a href="{link}">here</a> now.</p></body></html>\n'
    )
