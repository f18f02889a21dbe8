"""LNK001 to LNK010, and LNK013 to LNK016: links, images, listings and ids of records and pages."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from handbook.diagnostics import Finding, Suggestion, suggest
from handbook.handbook import Handbook, Target
from handbook.reading import files
from handbook.reading.addresses import read_scheme
from handbook.reading.blocks import SNIPPET, Code, Link
from handbook.reading.files import LARGEST
from handbook.reading.filler import is_filler
from handbook.reading.ids import anchor
from handbook.reading.parser import NodeKind
from handbook.reading.raw_html import COMMENT
from handbook.records import Document, Page
from handbook.records.alert import Alert
from handbook.records.kinds import RECORDS
from handbook.rules.engine import Context, rule

_LISTING_MARK: Final = re.compile(r"[ \t]*-+8<-+(?:[ \t]|$)")
_NESTED: Final = re.compile(r"^[ \t]*(?:```|~~~|-+8<-+(?:[ \t]*$|[ \t]+[\"']))", re.MULTILINE)
_IMAGE_NAME: Final = re.compile(r"\S+\.(?:avif|gif|jpe?g|png|svg|webp)", re.IGNORECASE)
_NO_DESCRIPTION: Final = frozenset(
    {"alt", "alt text", "diagram", "drawing", "figure", "graph", "image", "img", "photo", "picture"}
    | {"screenshot", "screen shot"}
)
"""Alternative texts that do not say what an image shows."""
_HTML_LINK: Final = re.compile(r"<[a-z][\w-]*\s[^<>]*?\b(?:href|src|srcset)\s*=", re.IGNORECASE)


@rule("LNK001", "broken-link", over=Document)
def broken_link(document: Document, context: Context) -> Iterator[Finding]:
    """Every link to a file points to a published file.

    The link has the relative path of the file, with the same upper and lower case as on disk.

    Why: readers who follow a broken link do not find the page.

    Bad:
        (0001-keep-orders-in-lite.md)
    Good:
        (0001-keep-orders-in-sqlite.md)
    """
    for resolved in context.handbook.links_of(document):
        link, target = resolved.link, resolved.target
        if not link.image and (path := _find_missing_path(context.handbook, target)):
            yield _report_missing(document, context.handbook, link, path)


@rule("LNK002", "broken-image", over=Document)
def broken_image(document: Document, context: Context) -> Iterator[Finding]:
    """Every image is a published file of the repository, not of another host.

    Why: a broken image is not visible. If an image is on another host, that host can see who reads
    the page.

    Bad:
        ![Load by hour](0002-use-postgresql/lode.png)
    Good:
        ![Load by hour](0002-use-postgresql/load.png)
    """
    for resolved in context.handbook.links_of(document):
        link, target = resolved.link, resolved.target
        if link.image and target.is_external and read_scheme(link.target) in ("", "http", "https"):
            yield Finding(
                link.at,
                f"image '{link.target}' from another host",
                "copy the image into the repository, and use the path of the copy",
            )
        elif link.image and (path := _find_missing_path(context.handbook, target)):
            yield _report_missing(document, context.handbook, link, path)


def _find_missing_path(handbook: Handbook, target: Target) -> str | None:
    """Return the path of a link target if the site does not publish that file.

    The result is None for a published file, and for a file of a kind that has no records at all,
    because FM011 reports the missing records.
    """
    if target.path is None or target.is_outside or handbook.is_published(target.path):
        return None
    is_reported = any(
        handbook.is_kind_missing(kind.kind) and target.path.startswith(f"{kind.folder}/")
        for kind in RECORDS
    )
    return None if is_reported else target.path


def _report_missing(document: Document, handbook: Handbook, link: Link, path: str) -> Finding:
    """Report a link or an image if its file is missing, unpublished or in another case."""
    if files.exists(handbook.root / path) and path not in handbook.strays:
        if same_path := handbook.published_paths_by_folded_path.get(path.casefold()):
            return Finding(
                link.at,
                f"wrong upper or lower case in '{link.target}'",
                f"write the path as on disk: {same_path}",
            )
        return Finding(
            link.at,
            f"link to a file that the site does not publish, '{link.target}'",
            "use the URL of the file on the Git host",
        )
    folder = posixpath.dirname(document.path) or "."
    candidates = (
        posixpath.relpath(published, folder)
        for published in handbook.published_paths_by_folded_path.values()
    )
    return Finding(
        link.at,
        f"broken {'image' if link.image else 'link'} '{link.target}'",
        Suggestion(
            posixpath.normpath(link.target.split("#")[0]),
            candidates,
            f"correct the path, or create the file {path}",
        ),
    )


@rule("LNK003", "broken-anchor", over=Document)
def broken_anchor(document: Document, context: Context) -> Iterator[Finding]:
    """The fragment of a link (after `#`) is an anchor of its target page.

    In a file of a service, line 12 has the anchor `L12`.

    The rule ignores links to pages with macros, because macros can generate headings. The build
    checks those links.

    Why: the browser opens the page at its top, and the reader has to search for the section.

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
            and not target.path.lower().endswith(".pdf")
        ):
            yield Finding(
                link.at,
                f"unknown anchor '#{target.fragment}' in the attachment {target.path}",
                f"remove '#{target.fragment}' from the link",
            )
        file = context.handbook.service_files_by_path.get(target.path or "")
        if target.fragment and file and not file.has_anchor(target.fragment):
            yield Finding(
                link.at,
                f"unknown anchor '#{target.fragment}' in the file {target.path}",
                f"remove '#{target.fragment}' from the link, or write a line, such as #L12",
            )
        target_document = context.handbook.documents.get(target.path or "")
        if (
            not target.fragment
            or target.is_outside
            or target_document is None
            or (isinstance(target_document, Page) and target_document.render_macros)
        ):
            continue
        source = target_document.source
        if source.is_parsed and target.fragment not in source.anchors:
            message = f"unknown anchor '#{target.fragment}' in {target_document.path}"
            default = f"remove '#{target.fragment}' from the link"
            yield Finding(link.at, message, Suggestion(target.fragment, source.anchors, default))


@rule("LNK004", "absolute-link", over=Document)
def absolute_link(document: Document, context: Context) -> Iterator[Finding]:
    """A link to a file has a relative path, and the file is in the repository.

    Why: an absolute path does not work on the Git host, in an editor, or on a site below a subpath.

    Bad:
        (/adr/0001-keep-orders-in-sqlite.md)
    Good:
        (0001-keep-orders-in-sqlite.md)
    """
    for resolved in context.handbook.links_of(document):
        link, target = resolved.link, resolved.target
        if target.is_outside:
            inside = link.target.lstrip("/").split("#")[0]
            relative = posixpath.relpath(inside, posixpath.dirname(document.path) or ".")
            hint = (
                f"write the relative path '{relative}'"
                if context.handbook.is_published(inside)
                else None
            )
            fault = (
                "absolute path" if link.target.startswith("/") else "path outside the repository"
            )
            yield Finding(link.at, f"{fault} '{link.target}'", hint)


@rule("LNK005", "invalid-address", over=Document)
def invalid_address(document: Document, context: Context) -> Iterator[Finding]:
    """Every link has a valid address or path. An address on the web has a host.

    Why: a browser does not open an invalid address, and MkDocs stops with a traceback.

    Bad:
        (https://[postgresql.example)
    Good:
        (https://postgresql.example)
    """
    for resolved in context.handbook.links_of(document):
        link, target = resolved.link, resolved.target
        if target.is_invalid:
            yield Finding(
                link.at, f"invalid address '{link.target}'", "correct the host or the port"
            )
        elif not link.target:
            yield Finding(
                link.at, "link without a target", "write a path or an address in the parentheses"
            )
        elif target.is_external and not link.image and not _has_host(link.target):
            scheme, _, rest = link.target.partition(":")
            address = f"{scheme}://{rest.lstrip('/')}"
            yield Finding(
                link.at,
                f"address without a host '{link.target}'",
                suggest(address) if _has_domain(address) else f"write the host after '{scheme}://'",
            )


def _has_host(address: str) -> bool:
    """Return whether an address has a host, or a scheme that needs none, such as `mailto`."""
    return read_scheme(address) not in ("http", "https") or bool(urlsplit(address).hostname)


def _has_domain(address: str) -> bool:
    return "." in (urlsplit(address).hostname or "")


@rule("LNK006", "broken-listing", over=Document)
def broken_listing(document: Document, context: Context) -> Iterator[Finding]:
    """Every listing (a `--8<--` line) includes an existing file or section.

    The included file is below docs/standards/samples or runbooks, and contains no code fence and no
    listing. The listing is in a code block.

    Why: the build would stop with a traceback, or the page would show no code.

    Bad:
        --8<-- "08/log.jsn"
    Good:
        --8<-- "08/log.json"
    """
    source = document.source
    lines = source.body.split("\n") if "-8<-" in source.body else []
    code = (
        {line for block in source.blocks_of(Code) for line in range(block.first, block.last + 1)}
        if lines
        else set()
    )
    size = 0
    for line, content in enumerate(lines, source.body_line):
        if not (match := SNIPPET.fullmatch(content)):
            if _LISTING_MARK.match(content):
                yield Finding(
                    source.at(line),
                    "invalid listing (a '--8<--' line)",
                    'write --8<-- "path", or --8<-- "path:section"',
                )
            continue
        if line not in code:
            yield Finding(
                source.at(line),
                "listing (a '--8<--' line) outside a code block",
                "put a line ``` above it, and another one below it",
            )
        at = source.at(line, content.find('"') + 2)
        text = context.handbook.read_listing(match["path"])
        if text is None:
            yield Finding(
                at,
                f"file not found: '{match['path']}'",
                "correct the path, which must be below docs/standards/samples or runbooks",
            )
        elif match["section"] and f"[start:{match['section']}]" not in text:
            yield Finding(
                at,
                f"section '{match['section']}' not found in the file '{match['path']}'",
                f"mark the section in that file with [start:{match['section']}] and "
                f"[end:{match['section']}]",
            )
        elif _NESTED.search(text):
            yield Finding(
                at,
                f"code fence or '--8<--' line in the included file '{match['path']}'",
                "include another file, or copy the lines to this page",
            )
        elif (size := size + len(text)) > LARGEST:
            yield Finding(
                at,
                f"more than {LARGEST:,} characters in all listings of this page",
                "include sections instead of whole files, or fewer files",
            )
            return


@rule("LNK007", "undefined-reference", over=Document)
def undefined_reference(document: Document) -> Iterator[Finding]:
    """Every link `[text][name]` and footnote `[^name]` has a definition in the same file.

    Why: the site shows the brackets as text instead of a link.

    Bad:
        [once more][whi]
    Good:
        [once more][why]
    """
    for loose in document.source.undefined_links:
        name = loose.text.rsplit("[", 1)[1].rstrip("]") or loose.text.split("]")[0].lstrip("[")
        is_footnote = name.startswith("^")
        definition = "text" if is_footnote else "path"
        hint = f"add a line '[{name}]: {definition}', or put the brackets in backticks"
        yield Finding(
            loose.at, f"undefined {'footnote' if is_footnote else 'reference'} '{name}'", hint
        )


@rule("LNK008", "html-link", over=Page)
def html_link(page: Page) -> Iterator[Finding]:
    """The links and images of a page are Markdown, not HTML.

    For records, SAFE001 reports all HTML.

    Why: the site does not convert paths in HTML to URLs, and no rule checks them.

    Bad:
        In June <a href="index.md">more</a>.
    Good:
        In June more.
    """
    source = page.source
    for node in source.tree.walk() if source.has_html else ():
        if node.kind not in (NodeKind.HTML, NodeKind.HTML_BLOCK):
            continue
        html = COMMENT.sub(
            lambda comment: " " * len(comment[0]), source.body[node.start : node.end]
        )
        for match in _HTML_LINK.finditer(html):
            at = source.at_body(node.start + match.start())
            yield Finding(at, "link or image in HTML", "write [text](path) or ![text](path)")


@rule("LNK009", "own-site-address", over=Document)
def own_site_address(document: Document, context: Context) -> Iterator[Finding]:
    """A link to a page of this site is a file path, not a URL.

    Pages without a file, such as `/alerts/<Name>/`, and data files such as JSON need a URL.

    Why: a URL works only on the published site, and if the page moves, no rule can correct it.

    Bad:
        (https://small.example/markdown/#load)
    Good:
        (markdown.md#load)
    """
    handbook = context.handbook
    for resolved in handbook.links_of(document):
        link, target = resolved.link, resolved.target
        address = handbook.own_address(link.target) if target.is_external else None
        if address is None:
            continue
        page = handbook.entities_by_address.get(address) or handbook.entities_by_address.get(
            f"{address}/"
        )
        if isinstance(page, Document):
            path = posixpath.relpath(page.path, posixpath.dirname(document.path) or ".")
            path += f"#{target.fragment}" if target.fragment else ""
            yield Finding(
                link.at,
                f"URL of a page of this site, '{link.target}'",
                f"write the relative path '{path}'",
            )
        elif not isinstance(page, Alert) and "." not in posixpath.basename(address):
            hint = Suggestion(address, handbook.entities_by_address)
            yield Finding(link.at, f"unknown page '/{address}' of this site", hint)


@rule("LNK010", "missing-from-nav", over=Page)
def missing_from_nav(page: Page, context: Context) -> Iterator[Finding]:
    """The navigation in mkdocs.yml, if there is one, lists every page.

    If a page must not be in the navigation, list it under `not_in_nav`. Records are exempt, and
    the pages that the plugin provides.

    Why: readers cannot find a page that is not listed anywhere.

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
    # FM024 reports a misspelt path in the navigation, and suggests this page.
    if (
        page.path not in context.handbook.provided
        and not context.handbook.settings.is_in_nav(uri)
        and uri not in context.handbook.unknown_nav_entries.values()
    ):
        yield Finding(
            page.source.at(1),
            "page missing from the navigation",
            f"add '{uri}' to 'nav' in mkdocs.yml",
        )


@rule("LNK013", "duplicate-id", over=Document)
def duplicate_id(document: Document) -> Iterator[Finding]:
    """Each id in a document is unique, and does not begin with `__`.

    Ids are the anchors of headings, requirements and checklist items. The theme reserves ids that
    begin with `__`.

    Why: a link to a duplicate id always opens its first use, and never the second.

    Bad:
        ### Load {#load}

        ### Load by hour {#load}
    Good:
        ### Load
    """
    source = document.source
    line_ids = [(heading.first, heading.id) for heading in source.headings]
    line_ids += [(block.first, anchor(id)) for id, block in source.items_with_ids]
    first_lines: dict[str, int] = {}
    for line, id in sorted(line_ids):
        if id in first_lines:
            message = f"duplicate id '{id}' (first on line {first_lines[id]})"
            yield Finding(source.at(line), message, "change one of the two ids")
        elif id.startswith("__"):
            yield Finding(
                source.at(line),
                f"reserved id '{id}'",
                "use an id that does not begin with '__'",
            )
        first_lines.setdefault(id, line)


@rule("LNK014", "conflicting-redirect", over=Handbook)
def conflicting_redirect(handbook: Handbook) -> Iterator[Finding]:
    """Each address in `moved_from` is the old address of one page, and no page has it now.

    Why: two pages cannot share an address, so the build would stop.

    Bad:
        deciders: [order-team, platform-team]
        moved_from: [/adr/0002-use-postgresql/]
    Good:
        deciders: [order-team, platform-team]
    """
    first_paths: dict[str, str] = {}
    for document in handbook.documents.values():
        for address in document.moved_from:
            entity = handbook.entities_by_address.get(address.strip("/") + "/")
            if entity is not None:
                message = f"old address '{address}' is the address of {entity.path}"
                yield Finding(document.at("moved_from", address), message, "remove it")
            elif address in first_paths:
                message = f"duplicate old address '{address}' (also in {first_paths[address]})"
                hint = "keep it in the page that replaces the old one"
                yield Finding(document.at("moved_from", address), message, hint)
            first_paths.setdefault(address, document.path)


@rule("LNK015", "missing-alternative-text", over=Document)
def missing_alternative_text(document: Document) -> Iterator[Finding]:
    """Every image has an alternative text that says what the image shows.

    The name of a file, and a word such as "image", do not say it. An image that shows nothing to
    the reader does not belong into a document.

    Why: a screen reader reads this text out, and a browser shows it if it cannot load the image.

    Bad:
        ![](0002-use-postgresql/load.png)
    Good:
        ![Load by hour](0002-use-postgresql/load.png)
    """
    for link in document.source.links:
        if not link.image:
            continue
        hint = "write between the brackets what the image shows: ![Orders by hour](…)"
        if not _is_visible(link.text) or is_filler(link.text):
            yield Finding(link.at, f"no alternative text for the image '{link.target}'", hint)
        elif _IMAGE_NAME.fullmatch(link.text) or link.text.casefold() in _NO_DESCRIPTION:
            message = f"alternative text '{link.text}' does not describe the image '{link.target}'"
            yield Finding(link.at, message, hint)


@rule("LNK016", "missing-link-text", over=Document)
def missing_link_text(document: Document) -> Iterator[Finding]:
    """Every link has a text, or an image with an alternative text.

    Why: a link without a text is invisible, and a screen reader can only read out its address.

    Bad:
        [](markdown.md#load)
    Good:
        [how it is written](markdown.md#load)
    """
    for link in document.source.links:
        if not link.image and not link.has_image and not _is_visible(link.text):
            name = posixpath.basename(link.target) or link.target
            yield Finding(
                link.at,
                f"no text for the link to '{link.target}'",
                f"write the text between the brackets: [{name}]({link.target})",
            )


def _is_visible(text: str) -> bool:
    """Return whether a text has a character that is not a space, such as a zero-width space."""
    return any(character.isprintable() and not character.isspace() for character in text)
