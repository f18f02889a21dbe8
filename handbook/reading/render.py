"""Render a Markdown body as HTML, from the same tree that the rules check."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from textwrap import dedent
from types import MappingProxyType
from typing import Final, Protocol

from handbook.reading.autolinks import may_hold_autolink
from handbook.reading.blocks import SNIPPET, Heading
from handbook.reading.body import extract_text, find_explicit_id
from handbook.reading.highlighting import highlight_code
from handbook.reading.ids import EXPLICIT_ID, ID, anchor
from handbook.reading.parser import MarkdownNode, NodeKind, TooDeepError, parse_inline
from handbook.reading.raw_html import SafeHtml, read_html
from handbook.reading.source import Source

_MARKER = re.compile(
    r"^.*-{1,}8<-{1,}[ \t]+\[[ \t]*(start|end)[ \t]*:[ \t]*([a-z][-_0-9a-z]*)[ \t]*\].*$",
    re.IGNORECASE,
)
_ESCAPED_SNIPPET = re.compile(r"^([ \t]*);(-+8<-+)")
MARKS: Final = frozenset("`*_~[<&\\")
"""The characters that begin inline markup. A text without them is plain text."""
_ELEMENTS: Final = {
    NodeKind.EMPHASIS: ("<em>", "</em>"),
    NodeKind.STRONG: ("<strong>", "</strong>"),
    NodeKind.STRIKETHROUGH: ("<del>", "</del>"),
}
_CALLOUTS: Final[Mapping[str, str]] = {"IMPORTANT": "important info", "CAUTION": "caution danger"}
"""The CSS classes of the kinds of callout for which Material has no colour."""


@dataclass(frozen=True, slots=True)
class ListingTarget:
    """The file that a listing includes: its address, and its name for the reader."""

    url: str
    name: str


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """The target of an id in the text: its relative address and its title."""

    url: str
    title: str


class References(Protocol):
    """Finds the targets of links and ids in a text, relative to the page that shows it."""

    def resolve_link(self, link: str) -> str | None:
        """Return the address of a link or image, or None if the page shows it as text."""

    def resolve_id(self, id: str) -> NamedTarget | None:
        """Return the target of an id. Returns None for an unknown id and for the id of the page."""

    def find_terms(self, text: str) -> Iterator[tuple[re.Match[str], NamedTarget]]:
        """Yield the mentions of terms in a text, with the place of the definition of each."""

    def read_drawing(self, link: str, alt: str) -> str | None:
        """Return the SVG to embed instead of an image, or None to keep the image."""

    @property
    def read_listing(self) -> Callable[[str], str | None]:
        """The function that returns the text of an included file, or None if it is missing."""

    def find_listing_page(self, path: str) -> ListingTarget | None:
        """Return the page of an included file, or None if the site does not publish the file."""


class NodeRenderer(Protocol):
    """Renders parts of the body that a block view shows."""

    def render_blocks(self, container: MarkdownNode) -> str:
        """Render the blocks that a block contains."""

    def render_inlines(self, container: MarkdownNode, *, skip: str = "") -> str:
        """Render the inlines that a node contains, without the text `skip` at its start."""


BlockView = Callable[[NodeRenderer], str]
"""A function that returns the HTML of a block in place of the usual HTML."""


@dataclass(frozen=True, slots=True)
class TocEntry:
    """A heading in a table of contents. `html` is its text as HTML."""

    level: int
    id: str
    html: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A body as HTML, with the headings of its table of contents and its anchors."""

    html: str
    headings: tuple[TocEntry, ...]
    ids: frozenset[str]


def render(
    source: Source,
    references: References,
    *,
    raw_html: bool = False,
    without_title: bool = False,
    list_views: Mapping[int, BlockView] = MappingProxyType({}),
) -> Rendered:
    """Render the body of a file.

    `raw_html` keeps the raw HTML of the author, for pages that are not records. `without_title`
    leaves out the first H1. `list_views` has the views of lists, by the offset of the list.
    """
    if not source.is_parsed:
        return Rendered("", (), frozenset())
    safe_html = (
        None if raw_html else read_html(source.body, source.tree) if source.has_html else SafeHtml()
    )
    renderer = _Renderer(references, safe_html)
    renderer.has_footnotes = True
    renderer.list_views = list_views
    renderer.headings_by_start = {heading.start: heading for heading in source.headings}
    renderer.item_ids = {
        block.parent.start: anchor(id) for id, block in source.items_with_ids if block.parent
    }
    if without_title and source.title_heading:
        renderer.omitted_heading = source.title_heading
    html = renderer.render_blocks(source.tree) + renderer.render_footnotes()
    return Rendered(
        html, tuple(renderer.toc), source.anchors_below_title if without_title else source.anchors
    )


def render_inlines(nodes: Sequence[MarkdownNode], references: References | None) -> str:
    """Render inline nodes of a record for a view. Without `references`, ids and links stay text."""
    container = MarkdownNode(NodeKind.PLAIN, 0, 0, children=list(nodes))
    return _Renderer(references, read_html("", container)).render_inlines(container)


def render_heading(source: Source, heading: Heading) -> str:
    """Render the text of a heading without links. A view can put the result into a link."""
    rendered = source.rendered_headings  # Views show a heading many times.
    if heading.start not in rendered:
        rendered[heading.start] = _render_heading(source, heading)
    return rendered[heading.start]


def _render_heading(source: Source, heading: Heading) -> str:
    if all(MARKS.isdisjoint(source.line(line)) for line in range(heading.first, heading.last + 1)):
        # Most headings are plain text. They need no parsed body.
        return escape(heading.text, quote=False)
    node = source.node_of(heading)
    return _Renderer(None, read_html("", node)).render_heading_text(node)


def render_line(text: str, references: References | None) -> str:
    """Render a line of Markdown from front matter or YAML. Without `references`, no links."""
    if MARKS.isdisjoint(text) and not may_hold_autolink(text) and not ID.search(text):
        return escape(" ".join(text.split()), quote=False)
    try:
        return render_inlines(parse_inline(text), references)
    except TooDeepError:
        return escape(text, quote=False)


class _Renderer:
    def __init__(self, references: References | None, safe_html: SafeHtml | None) -> None:
        self.references, self.safe_html = references, safe_html
        self.headings_by_start: dict[int, Heading] = {}
        self.item_ids: dict[int, str] = {}
        self.toc: list[TocEntry] = []
        self.has_footnotes = False
        self.note_numbers: dict[str, int] = {}
        self.note_names: list[str] = []
        self.definitions: dict[str, MarkdownNode] = {}
        self.unlinked = references is None
        self.omitted_heading: Heading | None = None
        self.list_views: Mapping[int, BlockView] = {}
        self.is_in_paragraph = False
        self.explained_terms: set[str] = set()

    def render_blocks(self, container: MarkdownNode) -> str:
        """Render the blocks that a block contains."""
        last = container.children[-1] if container.children else None
        blocks = (
            self._render_block(node)
            + ("\n" if node.kind is NodeKind.PLAIN and node is not last else "")
            for node in container.children
        )
        return "".join(blocks) + self._find_end_tags(container)

    def render_inlines(self, container: MarkdownNode, *, skip: str = "") -> str:
        """Render the inlines that a node contains, without the text `skip` at its start."""
        nodes = _skip_text(container.children, skip) if skip else container.children
        return "".join(map(self._render_inline, nodes)) + self._find_end_tags(container)

    def _find_end_tags(self, node: MarkdownNode) -> str:
        return self.safe_html.closing.get(id(node), "") if self.safe_html else ""

    def _render_block(self, node: MarkdownNode) -> str:
        match node.kind:
            case NodeKind.PARAGRAPH:
                self.is_in_paragraph = True
                html = self.render_inlines(node)
                self.is_in_paragraph = False
                return f"<p>{html}</p>\n"
            case NodeKind.PLAIN:
                return self.render_inlines(node)
            case NodeKind.HEADING:
                return self._render_heading(node)
            case NodeKind.LIST:
                return self._render_list(node)
            case NodeKind.QUOTE:
                return self._render_quote(node)
            case NodeKind.FENCE | NodeKind.INDENTED_CODE:
                html = highlight_code(self._include_listings(node.text), node.detail)
                return self._add_file_names(node.text, html)
            case NodeKind.HTML_BLOCK:
                return self._render_html(node)
            case NodeKind.TABLE:
                return self._render_table(node)
            case NodeKind.FOOTNOTE:
                self.definitions.setdefault(node.text, node)
                return ""
            case _:
                return "<hr>\n"

    def _render_heading(self, node: MarkdownNode) -> str:
        heading = self.headings_by_start[node.start]
        if heading is self.omitted_heading:
            return ""
        old_anchor = f'<a id="{heading.old_id}"></a>' if heading.old_id else ""
        html = self._render_without_links(self.render_heading_text, node)
        self.toc.append(TocEntry(heading.level, heading.id, escape(heading.text, quote=False)))
        link = f'<a class="headerlink" href="#{heading.id}" title="Link to this section">&para;</a>'
        return f'<h{heading.level} id="{heading.id}">{old_anchor}{html}{link}</h{heading.level}>\n'

    def render_heading_text(self, node: MarkdownNode) -> str:
        """Render the text of a heading without an id in braces at its end."""
        html = self.render_inlines(node)
        return EXPLICIT_ID.sub("", html) if find_explicit_id(node) else html

    def _render_list(self, node: MarkdownNode) -> str:
        if view := self.list_views.get(node.start):
            return view(self)
        if node.number is None:
            attributes = ' class="task-list"' if any(map(_is_task, node.children)) else ""
        else:
            attributes = f' start="{node.number}"' if node.number != 1 else ""
        name = "ul" if node.number is None else "ol"
        return f"<{name}{attributes}>\n{''.join(map(self._render_item, node.children))}</{name}>\n"

    def _render_item(self, node: MarkdownNode) -> str:
        attributes = ' class="task-list-item"' if _is_task(node) else ""
        if item_id := self.item_ids.get(node.start):
            attributes += f' id="{item_id}"'
        is_tight = not node.children or node.children[0].kind is NodeKind.PLAIN
        gap = "" if is_tight else "\n"
        return f"<li{attributes}>{gap}{self.render_blocks(node)}</li>\n"

    def _render_quote(self, node: MarkdownNode) -> str:
        if not node.detail:
            return f"<blockquote>\n{self.render_blocks(node)}</blockquote>\n"
        classes = _CALLOUTS.get(node.detail, node.detail.lower())
        title = f'<p class="admonition-title">{node.detail.capitalize()}</p>\n'
        return f'<div class="admonition {classes}">\n{title}{self.render_blocks(node)}</div>\n'

    def _render_table(self, node: MarkdownNode) -> str:
        head, *rows = node.children
        # Render the head first, so that its footnotes get the lowest numbers.
        head_cells = self._render_cells(head, "th", node.alignments)
        body = "".join(
            f"<tr>\n{self._render_cells(row, 'td', node.alignments)}</tr>\n" for row in rows
        )
        thead = f"<thead>\n<tr>\n{head_cells}</tr>\n</thead>"
        return f"<table>\n{thead}\n<tbody>\n{body}</tbody>\n</table>\n"

    def _render_cells(self, row: MarkdownNode, name: str, alignments: Sequence[str]) -> str:
        attributes = (f' align="{alignment}"' if alignment else "" for alignment in alignments)
        cells = zip(row.children, attributes, strict=False)
        return "".join(
            f"<{name}{attribute}>{self.render_inlines(cell)}</{name}>\n"
            for cell, attribute in cells
        )

    def _render_html(self, node: MarkdownNode) -> str:
        return node.text if self.safe_html is None else self.safe_html.html_by_node[id(node)]

    def _include_listings(self, text: str) -> str:
        """Replace each line of code that includes a file by the content of the file."""
        if "8<" not in text or self.references is None:
            return text
        return include_listings(text, self.references.read_listing)

    def _add_file_names(self, text: str, html: str) -> str:
        """Add links to the whole files that a block of code includes, above the code."""
        if "8<" not in text or self.references is None:
            return html
        names = (self._render_file_name(match, self.references) for match in SNIPPET.finditer(text))
        start, end, rest = html.partition(">")
        return f"{start}{end}{''.join(names)}{rest}"

    def _render_file_name(self, match: re.Match[str], references: References) -> str:
        target = references.find_listing_page(match["path"])
        if target is None:
            return ""
        url, lines = target.url, ""
        if match["section"] and (text := references.read_listing(match["path"])):
            first, last = _find_section_lines(text, match["section"])
            url += f"#L{first}"
            lines = f", lines {first} to {last}" if last > first else f", line {first}"
        link = f'<a href="{escape(url)}">{escape(target.name)}</a>'
        return f'<span class="filename">{link}{lines}</span>'

    def _render_inline(self, node: MarkdownNode) -> str:
        match node.kind:
            case NodeKind.TEXT:
                return (
                    escape(node.text, quote=False)
                    if self.unlinked
                    else self._render_text(node.text)
                )
            case NodeKind.CODE:
                return f"<code>{escape(node.text, quote=False)}</code>"
            case NodeKind.EMPHASIS | NodeKind.STRONG | NodeKind.STRIKETHROUGH:
                start, end = _ELEMENTS[node.kind]
                return f"{start}{self.render_inlines(node)}{end}"
            case NodeKind.LINK:
                return self._render_link(node)
            case NodeKind.IMAGE:
                return self._render_image(node)
            case NodeKind.HTML:
                return self._render_html(node)
            case NodeKind.SOFT_BREAK:
                return "\n"
            case NodeKind.HARD_BREAK:
                return "<br>\n"
            case NodeKind.TASK_MARKER:
                state = 'aria-label="done" checked' if node.number else 'aria-label="to do"'
                box = f'<input type="checkbox" disabled {state}>'
                indicator = '<span class="task-list-indicator"></span>'
                return f'<label class="task-list-control">{box}{indicator}</label> '
            case _:
                return self._render_footnote_reference(node.text)

    def _render_text(self, text: str) -> str:
        """Render a text, and make its ids links."""
        html, position = "", 0
        for match in ID.finditer(text):
            target = self.references.resolve_id(match[0]) if self.references else None
            if target:
                attributes = f'href="{escape(target.url)}" title="{escape(target.title)}"'
                html += self._render_terms(text[position : match.start()])
                html += f"<a {attributes}>{match[0]}</a>"
                position = match.end()
        return html + self._render_terms(text[position:])

    def _render_terms(self, text: str) -> str:
        """Render a text. In a paragraph, the first mention of a term links to its definition."""
        html, position = "", 0
        if self.is_in_paragraph and self.references:
            for match, target in self.references.find_terms(text):
                if target.url not in self.explained_terms:
                    self.explained_terms.add(target.url)
                    attributes = f'href="{escape(target.url)}" title="{escape(target.title)}"'
                    html += escape(text[position : match.start()], quote=False)
                    html += f'<a class="hb-term" {attributes}>{escape(match[0])}</a>'
                    position = match.end()
        return html + escape(text[position:], quote=False)

    def _render_link(self, node: MarkdownNode) -> str:
        target = self.references.resolve_link(node.text) if self.references else None
        if target is None:
            return self.render_inlines(node)
        html = self._render_without_links(self.render_inlines, node)
        return f'<a href="{escape(target)}"{_render_title(node)}>{html}</a>'

    def _render_without_links(
        self, render_node: Callable[[MarkdownNode], str], node: MarkdownNode
    ) -> str:
        """Render a node with the function `render_node`, without links for its ids."""
        self.unlinked, was_unlinked = True, self.unlinked
        html = render_node(node)
        self.unlinked = was_unlinked
        return html

    def _render_image(self, node: MarkdownNode) -> str:
        alt = extract_text(node.children, with_images=True)
        if self.references and (drawing := self.references.read_drawing(node.text, alt)):
            return drawing
        target = self.references.resolve_link(node.text) if self.references else None
        if target is None:
            return escape(alt, quote=False)
        return f'<img alt="{escape(alt)}" src="{escape(target)}"{_render_title(node)}>'

    def _render_footnote_reference(self, name: str) -> str:
        if not self.has_footnotes:
            return ""
        is_first = name not in self.note_numbers
        if is_first:
            self.note_names.append(name)
            self.note_numbers[name] = len(self.note_names)
        number = self.note_numbers[name]
        id_attribute = f' id="fnref:{number}"' if is_first else ""
        return f'<sup{id_attribute}><a class="footnote-ref" href="#fn:{number}">{number}</a></sup>'

    def render_footnotes(self) -> str:
        """Render the footnotes, in the order of the first reference to each."""
        return "".join(self._render_footnotes())

    def _render_footnotes(self) -> Iterator[str]:
        if not self.note_numbers:
            return
        yield '<div class="footnote">\n<hr>\n<ol>\n'
        # A footnote can refer to another footnote. Its name is then added during this loop.
        for number, name in enumerate(self.note_names, 1):
            attributes = f'class="footnote-backref" href="#fnref:{number}" title="Back to the text"'
            backlink = f"<a {attributes}>&#8617;</a>"
            definition = self.definitions.get(name)
            body = self.render_blocks(definition) if definition else ""
            text, end, rest = body.rpartition("</p>\n")
            body = (
                f"{text}&nbsp;{backlink}{end}" if end and not rest else f"{body}<p>{backlink}</p>\n"
            )
            yield f'<li id="fn:{number}">\n{body}</li>\n'
        yield "</ol>\n</div>\n"


def _render_title(node: MarkdownNode) -> str:
    return f' title="{escape(node.detail)}"' if node.detail else ""


def _skip_text(nodes: Sequence[MarkdownNode], text: str) -> Sequence[MarkdownNode]:
    """Return inline nodes without a text at their start. It is a text node, or in bold."""
    first, *others = nodes
    if first.kind is NodeKind.TEXT and first.text.startswith(text):
        return [replace(first, text=first.text.removeprefix(text).lstrip()), *others]
    if extract_text([first]) == text:
        if others and others[0].kind is NodeKind.TEXT:
            return [replace(others[0], text=others[0].text.lstrip()), *others[1:]]
        return others
    return nodes


def _is_task(item: MarkdownNode) -> bool:
    """Return whether a list item has a check box."""
    first = item.children[0].children[:1] if item.children else []
    return any(node.kind is NodeKind.TASK_MARKER for node in first)


def include_listings(text: str, read_listing: Callable[[str], str | None]) -> str:
    """Replace each line of code that includes a file by the content of the file."""
    return "\n".join(_include_listing(line, read_listing) for line in text.split("\n"))


def _include_listing(line: str, read_listing: Callable[[str], str | None]) -> str:
    match = SNIPPET.fullmatch(line)
    text = read_listing(match["path"]) if match else None
    if match is None or text is None:
        return _ESCAPED_SNIPPET.sub(r"\1\2", line)
    indent = line[: len(line) - len(line.lstrip())]
    return "\n".join(
        indent + included
        for included in _extract_section(text, match["section"]).rstrip("\n").split("\n")
    )


def _extract_section(text: str, name: str | None) -> str:
    """Return the text of a sample file, or of one section of it, without section marks.

    The lines of a section lose their common indent.
    """
    section = "\n".join(line for _, line in _iterate_section(text, name))
    return dedent(section) if name else section


def _find_section_lines(text: str, name: str) -> tuple[int, int]:
    """Return the numbers of the first and the last line of a section, or 1 if it is empty."""
    numbers = [number for number, _ in _iterate_section(text, name)] or [1]
    return numbers[0], numbers[-1]


def _iterate_section(text: str, name: str | None) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line of a section, without section marks."""
    is_inside = name is None
    for number, line in enumerate(text.split("\n"), 1):
        if marker := _MARKER.match(line):
            if marker[2] == name:
                is_inside = marker[1].lower() == "start"
        elif is_inside:
            yield number, line
