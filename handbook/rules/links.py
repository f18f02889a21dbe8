"""LNK001 to LNK010, and LNK013: every link and image of a record or page leads to something that the site has."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

from handbook.diagnostics import Finding, did_you_mean
from handbook.handbook import Handbook, Target
from handbook.reading.addresses import scheme
from handbook.reading.blocks import SNIPPET, Code, Link
from handbook.reading.files import LARGEST
from handbook.reading.ids import anchor
from handbook.reading.parser import NodeKind
from handbook.reading.raw_html import COMMENT
from handbook.records import Document, Page
from handbook.records.alert import Alert
from handbook.records.kinds import RECORDS
from handbook.rules.engine import Context, rule

_SCISSORS: Final = re.compile(r"[ \t]*-+8<-+(?:[ \t]|$)")
_NOT_LISTED: Final = re.compile(r"^[ \t]*(?:```|~~~|-+8<-+(?:[ \t]*$|[ \t]+[\"']))", re.MULTILINE)
_HTML_LINK: Final = re.compile(r"<[a-z][\w-]*\s[^<>]*?\b(?:href|src|srcset)\s*=", re.IGNORECASE)


@rule("LNK001", "broken-link", over=Document)
def broken_link(document: Document, context: Context) -> Iterator[Finding]:
    """A link is the path of a file that the site publishes, relative to the file it stands in, spelt as on disk.

    Why: that is how the Git host and editors follow it; the site turns it into the page's address.

    Bad:
        (0001-keep-orders-in-lite.md)
    Good:
        (0001-keep-orders-in-sqlite.md)
    """
    for resolved in context.handbook.links_of(document):
        link, target = resolved.link, resolved.target
        if not link.image and (path := _missing(context.handbook, target)):
            yield _not_there(document, context.handbook, link, path)


@rule("LNK002", "broken-image", over=Document)
def broken_image(document: Document, context: Context) -> Iterator[Finding]:
    """An image is the path of a file that the site publishes, and comes from no other host.

    Why: a picture that does not load says less than none; one from elsewhere tells that host who reads the page.

    Bad:
        ![Load by hour](0002-use-postgresql/lode.png)
    Good:
        ![Load by hour](0002-use-postgresql/load.png)
    """
    for resolved in context.handbook.links_of(document):
        link, target = resolved.link, resolved.target
        if link.image and target.external and scheme(link.target) in ("", "http", "https"):
            yield Finding(
                link.at,
                "the image comes from another host",
                "keep a copy in the folder beside the record",
            )
        elif link.image and (path := _missing(context.handbook, target)):
            yield _not_there(document, context.handbook, link, path)


def _missing(handbook: Handbook, target: Target) -> str | None:
    """The path that a link leads to where the site has no such file; None where all is well or another rule speaks."""
    if target.path is None or target.outside or handbook.published(target.path):
        return None
    lost = any(
        handbook.lost(kind.kind) and target.path.startswith(f"{kind.folder}/") for kind in RECORDS
    )
    return None if lost else target.path


def _not_there(document: Document, handbook: Handbook, link: Link, path: str) -> Finding:
    if (handbook.root / path).exists() and path not in handbook.strays:
        real = next(
            (other for other in _all(handbook) if other.casefold() == path.casefold()), None
        )
        if real:
            return Finding(
                link.at, f"'{link.target}' is spelt otherwise on disk", f"the file is {real}"
            )
        return Finding(
            link.at,
            f"'{link.target}' is not published on the site",
            "link to it at the Git host instead",
        )
    near = {
        posixpath.relpath(other, posixpath.dirname(document.path) or "."): other
        for other in _all(handbook)
    }
    hint = did_you_mean(posixpath.normpath(link.target.split("#")[0]), near)
    return Finding(link.at, f"'{link.target}' leads to no file", hint or f"there is no {path}")


def _all(handbook: Handbook) -> Iterator[str]:
    yield from handbook.documents
    yield from handbook.attachments


@rule("LNK003", "broken-anchor", over=Document)
def broken_anchor(document: Document, context: Context) -> Iterator[Finding]:
    """What stands behind `#` in a link is the id of a heading of the file that it leads to.

    Headings that a page's macros make are not known here; the build checks those.

    Why: the page opens at its top, and the reader is left to search.

    Bad:
        (#contexts)
    Good:
        (#context)
    """
    for resolved in context.handbook.links_of(document):
        link, target = resolved.link, resolved.target
        if (
            target.fragment
            and target.path in context.handbook.attachments
            and not target.path.endswith(".pdf")
        ):
            yield Finding(
                link.at, f"{target.path} is no page, and has no '#{target.fragment}'", "take it out"
            )
        other = context.handbook.documents.get(target.path or "")
        if (
            not target.fragment
            or target.outside
            or other is None
            or (isinstance(other, Page) and other.render_macros)
        ):
            continue
        if other.source.is_parsed and target.fragment not in other.source.anchors:
            hint = did_you_mean(target.fragment, other.source.anchors)
            yield Finding(link.at, f"{other.path} has no heading '#{target.fragment}'", hint)


@rule("LNK004", "absolute-link", over=Document)
def absolute_link(document: Document, context: Context) -> Iterator[Finding]:
    """A link to a file is relative, and stays within the repository.

    Why: an absolute path leads elsewhere on the Git host, in an editor and on a site that does not stand at the root.

    Bad:
        (/adr/0001-keep-orders-in-sqlite.md)
    Good:
        (0001-keep-orders-in-sqlite.md)
    """
    for resolved in context.handbook.links_of(document):
        link, target = resolved.link, resolved.target
        if target.outside:
            inside = link.target.lstrip("/").split("#")[0]
            relative = posixpath.relpath(inside, posixpath.dirname(document.path) or ".")
            hint = f"write {relative}" if context.handbook.published(inside) else None
            yield Finding(
                link.at, f"'{link.target}' is not a relative path within the repository", hint
            )


@rule("LNK005", "invalid-address", over=Document)
def invalid_address(document: Document, context: Context) -> Iterator[Finding]:
    """A link can be read as an address, and names a place.

    Why: a browser that cannot read it does nothing; MkDocs itself stops with a traceback.

    Bad:
        (https://[postgresql.example)
    Good:
        (https://postgresql.example)
    """
    for resolved in context.handbook.links_of(document):
        link, target = resolved.link, resolved.target
        if target.invalid:
            yield Finding(link.at, f"'{link.target}' is not an address")
        elif not link.target:
            yield Finding(
                link.at, "the link has no target", "write a path or an address in the parentheses"
            )


@rule("LNK006", "broken-listing", over=Document)
def broken_listing(document: Document, context: Context) -> Iterator[Finding]:
    """A listing, a line that names a file between scissors, names a file or a section that is there.

    The file lies under docs/standards/samples or runbooks; the line stands in a block of code. The file
    brings in no other, and holds no fence.

    Why: the page would show nothing in its place, and the build would stop with a traceback.

    Bad:
        --8<-- "08/log.jsn"
    Good:
        --8<-- "08/log.json"
    """
    source = document.source
    lines = source.body.split("\n") if "-8<-" in source.body else []
    code = (
        {line for block in source.every(Code) for line in range(block.first, block.last + 1)}
        if lines
        else set()
    )
    size = 0
    for line, content in enumerate(lines, source.body_line):
        if not (match := SNIPPET.fullmatch(content)):
            if _SCISSORS.match(content):
                yield Finding(
                    source.at(line),
                    "a listing that is not read here",
                    'write --8<-- "path" or "path:section"',
                )
            continue
        if line not in code:
            yield Finding(
                source.at(line), "a listing outside of a block of code", "put a fence around it"
            )
        at = source.at(line, content.find('"') + 2)
        text = context.handbook.listing(match["path"])
        if text is None:
            yield Finding(
                at,
                f"there is no file '{match['path']}'",
                "a path below docs/standards/samples or runbooks",
            )
        elif match["section"] and f"[start:{match['section']}]" not in text:
            yield Finding(
                at,
                f"'{match['path']}' has no section '{match['section']}'",
                "mark it with [start:…] and [end:…]",
            )
        elif _NOT_LISTED.search(text):
            yield Finding(
                at,
                f"'{match['path']}' holds a fence, or a listing",
                "show another file, or a copy of a part",
            )
        elif (size := size + len(text)) > LARGEST:
            yield Finding(
                at,
                "the listings of this file are too long together",
                "show sections, or fewer files",
            )
            return


@rule("LNK007", "undefined-reference", over=Document)
def undefined_reference(document: Document) -> Iterator[Finding]:
    """A link by reference, `[text][name]`, or a footnote, `[^name]`, has its definition in the same file.

    Why: the site shows the brackets as they stand, and reports nothing.

    Bad:
        [once more][whi]
    Good:
        [once more][why]
    """
    for loose in document.source.loose:
        name = loose.text.rsplit("[", 1)[1].rstrip("]") or loose.text.split("]")[0].lstrip("[")
        definition = "text" if name.startswith("^") else "path"
        hint = f"add a line '[{name}]: {definition}', or write it as code if no link is meant"
        yield Finding(loose.at, f"'{name}' is not defined in this file", hint)


@rule("LNK008", "html-link", over=Page)
def html_link(page: Page) -> Iterator[Finding]:
    """A link or an image in a page is written in Markdown, not in HTML. In records there is no HTML at all.

    Why: the site does not turn the path into an address there, and nothing checks where it leads.

    Bad:
        In June <a href="index.md">more</a>.
    Good:
        In June more.
    """
    source = page.source
    for node in source.tree.walk() if source.has_html else ():
        if node.kind not in (NodeKind.HTML, NodeKind.HTML_BLOCK):
            continue
        written = COMMENT.sub(
            lambda comment: " " * len(comment[0]), source.body[node.start : node.end]
        )
        for match in _HTML_LINK.finditer(written):
            at = source.at_body(node.start + match.start())
            yield Finding(at, "a link or an image in HTML", "write it in Markdown")


@rule("LNK009", "own-site-address", over=Document)
def own_site_address(document: Document, context: Context) -> Iterator[Finding]:
    """A link to a page of this site is the path of its file, not its address.

    What the site makes itself has an address alone: `/alerts/<Name>/`, and files such as JSON.

    Why: the address works on the published site only, and nothing notices when the page moves.

    Bad:
        (https://small.example/markdown/#load)
    Good:
        (markdown.md#load)
    """
    handbook = context.handbook
    site = handbook.settings.site_url.rstrip("/") + "/"
    for resolved in handbook.links_of(document):
        link, target = resolved.link, resolved.target
        if not target.external or not f"{link.target}/".startswith(site):
            continue
        parts = urlsplit(link.target)
        address = unquote(parts.path)[len(urlsplit(site).path) :]
        page = handbook.by_address.get(address) or handbook.by_address.get(f"{address}/")
        if isinstance(page, Document):
            path = posixpath.relpath(page.path, posixpath.dirname(document.path) or ".")
            path += f"#{parts.fragment}" if parts.fragment else ""
            yield Finding(link.at, "a link to a page of this site by its address", f"write {path}")
        elif not isinstance(page, Alert) and "." not in posixpath.basename(address):
            hint = did_you_mean(address, handbook.by_address)
            yield Finding(link.at, f"'{address}' is no page of this site", hint)


@rule("LNK010", "missing-from-nav", over=Page)
def missing_from_nav(page: Page, context: Context) -> Iterator[Finding]:
    """The navigation, where mkdocs.yml has one, lists every page that is no record.

    A page that is left out on purpose stands under `not_in_nav`.

    Why: nothing leads to a page that no list holds.

    Bad:
        - Standards:
            - standards/index.md
            - standards/05-testing.md
    Good:
        - Markdown: markdown.md
        - Standards:
            - standards/index.md
            - standards/05-testing.md
    """
    uri = context.handbook.source_uri(page.path)
    if not context.handbook.settings.listed(uri):
        yield Finding(
            page.source.at(1), "no entry of the navigation leads to this page", f"add {uri} to nav"
        )


@rule("LNK013", "duplicate-id", over=Document)
def duplicate_id(document: Document) -> Iterator[Finding]:
    """An id belongs to one heading or list item, and does not begin with `__`, which is reserved for the theme.

    Why: a link to the id opens the first place, and no link can open the second.

    Bad:
        ### Load {#load}

        ### Load by hour {#load}
    Good:
        ### Load
    """
    source = document.source
    places = [(heading.first, heading.id) for heading in source.headings]
    places += [(block.first, anchor(id)) for id, block in source.marked]
    first: dict[str, int] = {}
    for line, id in sorted(places):
        if id in first:
            message = f"duplicate id '{id}' (first on line {first[id]})"
            yield Finding(source.at(line), message, "give one of them another id")
        elif id.startswith("__"):
            yield Finding(
                source.at(line),
                f"reserved id '{id}'",
                "give the heading an id that does not begin with '__'",
            )
        first.setdefault(id, line)
