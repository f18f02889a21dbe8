"""SAFE001 to SAFE004: what must not be published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from macros.diagnostics import Finding, Location
from macros.handbook import Handbook
from macros.records import Document, Record
from macros.rules import Context, rule
from macros.source import Html

_PLAIN_TAG = re.compile(r"</?(?:br|kbd|sub|sup) ?/?>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SCHEMES: Final = ("http", "https", "mailto", "tel")


@rule("SAFE001", "raw-html", over=Record)
def raw_html(record: Record, context: Context) -> Iterator[Finding]:
    """A record holds no raw HTML but comments and bare `<br>`, `<kbd>`, `<sub>` and `<sup>`.

    Why: what a record may put into a page, a script may; and Markdown says all that a record has to say.

    Bad:
        <b>PostgreSQL 16.</b>
    Good:
        PostgreSQL 16.
    """
    for block in record.source.every(Html):
        rest = _COMMENT.sub("", block.text).strip()
        if rest and not _PLAIN_TAG.fullmatch(rest):
            yield Finding(record.source.at(block.first), f"raw HTML: {_short(rest)}", "write it in Markdown")
    for tag in record.source.tags:
        if not _PLAIN_TAG.fullmatch(tag.text):
            yield Finding(tag.at, f"raw HTML: {_short(tag.text)}", "write it in Markdown, or in backticks")


def _short(text: str) -> str:
    line = text.split("\n")[0]
    return line if len(line) <= 40 else f"{line[:39]}…"


@rule("SAFE002", "stray-file", over=Handbook)
def stray_file(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A record folder holds records, `index.md`, `README.md`, and attachments in a folder with a record's stem.

    Symbolic links are not followed anywhere.

    Why: what lies beside the records would be published without anybody having meant it.

    Bad:
        adr/load.csv
    Good:
        adr/0002-use-postgresql/load.csv
    """
    for path in handbook.strays:
        at = Location(path)
        if (handbook.root / path).is_symlink():
            yield Finding(at, "a symbolic link is not published", "put the file itself here")
        else:
            yield Finding(at, "neither a record nor an attachment of one", "move it to a folder named as its record is")


@rule("SAFE003", "unsafe-link", over=Document)
def unsafe_link(document: Document, context: Context) -> Iterator[Finding]:
    """A link to another place begins with http, https, mailto or tel.

    Why: `javascript:` and `data:` run in the reader's browser as if they were this site.

    Bad:
        (javascript:alert)
    Good:
        (https://postgresql.example)
    """
    for link in document.source.links:
        try:
            scheme = urlsplit(link.target).scheme.lower()
        except ValueError:
            continue
        if scheme and scheme not in _SCHEMES:
            yield Finding(link.at, f"a link to '{scheme}:' is not published", f"use one of {', '.join(_SCHEMES)}")


@rule("SAFE004", "attachment", over=Handbook)
def attachment(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """An attachment is a picture, a PDF or text, of 1 MB at most; an SVG holds no script, handler or foreign object.

    HTML is none: it would be a page of this site that nobody checked.

    Why: what is published here runs in the reader's browser as a part of this site.

    Bad:
        adr/0002-use-postgresql/load.html
    Good:
        adr/0002-use-postgresql/load.csv
    """
    for problem in handbook.problems:
        if problem.sort == "attachment":
            yield problem.finding
