"""The HTML of a body, made from the tree that was checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import dedent
from typing import Final, Protocol

from handbook.reading.autolinks import may_hold_autolink
from handbook.reading.blocks import SNIPPET, Heading
from handbook.reading.body import find_explicit_id, plain_text
from handbook.reading.highlighting import code_block
from handbook.reading.ids import EXPLICIT_ID, ID, anchor
from handbook.reading.parser import MarkdownNode, NodeKind, TooDeepError, parse_inline
from handbook.reading.raw_html import SafeHtml, read_html
from handbook.reading.source import Source

_MARKER = re.compile(
    r"^.*-{1,}8<-{1,}[ \t]+\[[ \t]*(start|end)[ \t]*:[ \t]*([a-z][-_0-9a-z]*)[ \t]*\].*$",
    re.IGNORECASE,
)
_ESCAPED_SNIPPET = re.compile(r"^([ \t]*);(-+8<-+)")
_MARKS: Final = frozenset("`*_~[<&\\")
"""A text without any of these has no markup."""
_ELEMENTS: Final = {
    NodeKind.EMPHASIS: ("<em>", "</em>"),
    NodeKind.STRONG: ("<strong>", "</strong>"),
    NodeKind.STRIKETHROUGH: ("<del>", "</del>"),
}
_CALLOUTS: Final[Mapping[str, str]] = {"IMPORTANT": "important info", "CAUTION": "caution danger"}
"""The classes of callouts that have no colour in Material under their own name."""


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """What an id in prose names: its address as seen from the page, and its title."""

    url: str
    title: str


class References(Protocol):
    """What a text can name outside of itself, as one page sees it."""

    def target(self, link: str) -> str | None:
        """The address that a link or image of the file has on the page; None for one that is shown as text."""

    def named(self, id: str) -> NamedTarget | None:
        """What an id names; None for nothing, and for the page itself."""

    def drawing(self, link: str, alt: str) -> str | None:
        """The SVG of an image that becomes part of the page; None for any other image."""

    @property
    def listing(self) -> Callable[[str], str | None]:
        """The text of a file that a block of code includes, by its path; None for no such file."""


@dataclass(frozen=True, slots=True)
class TocEntry:
    """A heading in a table of contents; `html` is its text."""

    level: int
    id: str
    html: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A body as HTML, with its headings in order and every id in it that a link can name."""

    html: str
    headings: tuple[TocEntry, ...]
    ids: frozenset[str]


def render(
    source: Source, references: References, *, raw_html: bool = False, without_title: bool = False
) -> Rendered:
    """Render the body of a file. With `raw_html` it keeps all of its HTML, as the pages of an organisation do."""
    if not source.is_parsed:
        return Rendered("", (), frozenset())
    safe = (
        None if raw_html else read_html(source.body, source.tree) if source.has_html else SafeHtml()
    )
    renderer = _Renderer(references, safe)
    renderer.has_footnotes = True
    renderer.headings_by_start = {heading.start: heading for heading in source.headings}
    renderer.item_ids = {
        block.parent.start: anchor(marked) for marked, block in source.marked if block.parent
    }
    if without_title and source.title_heading:
        renderer.omitted = source.title_heading
    html = renderer.blocks(source.tree) + renderer.footnotes()
    return Rendered(
        html, tuple(renderer.toc), source.anchors_below_title if without_title else source.anchors
    )


def render_inlines(nodes: Sequence[MarkdownNode], references: References | None) -> str:
    """Render inlines of a record, for a view of it. Without `references` no link is made, as within a link."""
    within = MarkdownNode(NodeKind.PLAIN, 0, 0, children=list(nodes))
    return _Renderer(references, read_html("", within)).inlines(within)


def render_heading(source: Source, heading: Heading) -> str:
    """Render the text of a heading of a record without links, for a view that links to it."""
    if all(_MARKS.isdisjoint(source.line(line)) for line in range(heading.first, heading.last + 1)):
        return escape(
            heading.text, quote=False
        )  # as most headings are, and views show each many times
    node = source.node_of(heading)
    return _Renderer(None, read_html("", node)).heading_text(node)


def render_line(text: str, references: References | None) -> str:
    """Render a line of Markdown that is a value of front matter or of YAML, not a part of a body."""
    if _MARKS.isdisjoint(text) and not may_hold_autolink(text) and not ID.search(text):
        return escape(" ".join(text.split()), quote=False)
    try:
        return render_inlines(parse_inline(text), references)
    except TooDeepError:
        return escape(text, quote=False)


class _Renderer:
    def __init__(self, references: References | None, safe: SafeHtml | None) -> None:
        self.references, self.safe = references, safe
        self.headings_by_start: dict[int, Heading] = {}
        self.item_ids: dict[int, str] = {}
        self.toc: list[TocEntry] = []
        self.has_footnotes = False
        self.notes: dict[str, int] = {}
        self.note_names: list[str] = []
        self.definitions: dict[str, MarkdownNode] = {}
        self.unlinked = references is None
        self.omitted: Heading | None = None

    def blocks(self, container: MarkdownNode) -> str:
        """The HTML within a block."""
        last = container.children[-1] if container.children else None
        pieces = (
            self._block(node) + ("\n" if node.kind is NodeKind.PLAIN and node is not last else "")
            for node in container.children
        )
        return "".join(pieces) + self._closing(container)

    def inlines(self, container: MarkdownNode) -> str:
        """The HTML within a text."""
        return "".join(map(self._inline, container.children)) + self._closing(container)

    def _closing(self, node: MarkdownNode) -> str:
        return self.safe.closing.get(id(node), "") if self.safe else ""

    def _block(self, node: MarkdownNode) -> str:
        match node.kind:
            case NodeKind.PARAGRAPH:
                return f"<p>{self.inlines(node)}</p>\n"
            case NodeKind.PLAIN:
                return self.inlines(node)
            case NodeKind.HEADING:
                return self._heading(node)
            case NodeKind.LIST:
                return self._list(node)
            case NodeKind.QUOTE:
                return self._quote(node)
            case NodeKind.FENCE | NodeKind.INDENTED_CODE:
                return code_block(self._with_listings(node.text), node.detail)
            case NodeKind.HTML_BLOCK:
                return self._html(node)
            case NodeKind.TABLE:
                return self._table(node)
            case NodeKind.FOOTNOTE:
                self.definitions.setdefault(node.text, node)
                return ""
            case _:
                return "<hr>\n"

    def _heading(self, node: MarkdownNode) -> str:
        heading = self.headings_by_start[node.start]
        if heading is self.omitted:
            return ""
        old = f'<a id="{heading.old_id}"></a>' if heading.old_id else ""
        html = self._without_links(self.heading_text, node)
        self.toc.append(TocEntry(heading.level, heading.id, escape(heading.text, quote=False)))
        link = f'<a class="headerlink" href="#{heading.id}" title="Link to this section">&para;</a>'
        return f'<h{heading.level} id="{heading.id}">{old}{html}{link}</h{heading.level}>\n'

    def heading_text(self, node: MarkdownNode) -> str:
        """The text of a heading, without an id that its author gives at its end."""
        html = self.inlines(node)
        return EXPLICIT_ID.sub("", html) if find_explicit_id(node) else html

    def _list(self, node: MarkdownNode) -> str:
        if node.number is None:
            attributes = ' class="task-list"' if any(map(_is_task, node.children)) else ""
        else:
            attributes = f' start="{node.number}"' if node.number != 1 else ""
        name = "ul" if node.number is None else "ol"
        return f"<{name}{attributes}>\n{''.join(map(self._item, node.children))}</{name}>\n"

    def _item(self, node: MarkdownNode) -> str:
        attributes = ' class="task-list-item"' if _is_task(node) else ""
        if own_id := self.item_ids.get(node.start):
            attributes += f' id="{own_id}"'
        is_tight = not node.children or node.children[0].kind is NodeKind.PLAIN
        gap = "" if is_tight else "\n"
        return f"<li{attributes}>{gap}{self.blocks(node)}</li>\n"

    def _quote(self, node: MarkdownNode) -> str:
        if not node.detail:
            return f"<blockquote>\n{self.blocks(node)}</blockquote>\n"
        classes = _CALLOUTS.get(node.detail, node.detail.lower())
        title = f'<p class="admonition-title">{node.detail.capitalize()}</p>\n'
        return f'<div class="admonition {classes}">\n{title}{self.blocks(node)}</div>\n'

    def _table(self, node: MarkdownNode) -> str:
        head, *rows = node.children
        head_cells = self._cells(
            head, "th", node.alignments
        )  # first: its footnotes have the lower numbers
        body = "".join(f"<tr>\n{self._cells(row, 'td', node.alignments)}</tr>\n" for row in rows)
        return f"<table>\n<thead>\n<tr>\n{head_cells}</tr>\n</thead>\n<tbody>\n{body}</tbody>\n</table>\n"

    def _cells(self, row: MarkdownNode, name: str, alignments: Sequence[str]) -> str:
        attributes = (f' align="{alignment}"' if alignment else "" for alignment in alignments)
        cells = zip(row.children, attributes, strict=False)
        return "".join(
            f"<{name}{attribute}>{self.inlines(cell)}</{name}>\n" for cell, attribute in cells
        )

    def _html(self, node: MarkdownNode) -> str:
        return node.text if self.safe is None else self.safe.written[id(node)]

    def _with_listings(self, text: str) -> str:
        """Code with each line that includes a file replaced by that file."""
        if "8<" not in text or self.references is None:
            return text
        return "\n".join(self._listed(line, self.references) for line in text.split("\n"))

    def _listed(self, line: str, references: References) -> str:
        match = SNIPPET.fullmatch(line)
        text = references.listing(match["path"]) if match else None
        if match is None or text is None:
            return _ESCAPED_SNIPPET.sub(r"\1\2", line)
        indent = line[: len(line) - len(line.lstrip())]
        return "\n".join(
            indent + included
            for included in _section(text, match["section"]).rstrip("\n").split("\n")
        )

    def _inline(self, node: MarkdownNode) -> str:
        match node.kind:
            case NodeKind.TEXT:
                return escape(node.text, quote=False) if self.unlinked else self._text(node.text)
            case NodeKind.CODE:
                return f"<code>{escape(node.text, quote=False)}</code>"
            case NodeKind.EMPHASIS | NodeKind.STRONG | NodeKind.STRIKETHROUGH:
                start, end = _ELEMENTS[node.kind]
                return f"{start}{self.inlines(node)}{end}"
            case NodeKind.LINK:
                return self._link(node)
            case NodeKind.IMAGE:
                return self._image(node)
            case NodeKind.HTML:
                return self._html(node)
            case NodeKind.SOFT_BREAK:
                return "\n"
            case NodeKind.HARD_BREAK:
                return "<br>\n"
            case NodeKind.TASK_MARKER:
                state = 'aria-label="done" checked' if node.number else 'aria-label="to do"'
                box = f'<input type="checkbox" disabled {state}><span class="task-list-indicator"></span>'
                return f'<label class="task-list-control">{box}</label> '
            case _:
                return self._footnote_reference(node.text)

    def _text(self, text: str) -> str:
        """A text with its ids as links."""
        pieces, done = [], 0
        for match in ID.finditer(text):
            named = self.references.named(match[0]) if self.references else None
            if named:
                link = f'<a href="{escape(named.url)}" title="{escape(named.title)}">{match[0]}</a>'
                pieces += [escape(text[done : match.start()], quote=False), link]
                done = match.end()
        return "".join(pieces) + escape(text[done:], quote=False)

    def _link(self, node: MarkdownNode) -> str:
        target = self.references.target(node.text) if self.references else None
        if target is None:
            return self.inlines(node)
        return f'<a href="{escape(target)}"{_title(node)}>{self._without_links(self.inlines, node)}</a>'

    def _without_links(self, write: Callable[[MarkdownNode], str], node: MarkdownNode) -> str:
        """The HTML of a node whose ids become no links."""
        self.unlinked, before = True, self.unlinked
        html = write(node)
        self.unlinked = before
        return html

    def _image(self, node: MarkdownNode) -> str:
        alt = plain_text(node.children, with_images=True)
        if self.references and (drawing := self.references.drawing(node.text, alt)):
            return drawing
        target = self.references.target(node.text) if self.references else None
        if target is None:
            return escape(alt, quote=False)
        return f'<img alt="{escape(alt)}" src="{escape(target)}"{_title(node)}>'

    def _footnote_reference(self, name: str) -> str:
        if not self.has_footnotes:
            return ""
        is_first = name not in self.notes
        if is_first:
            self.note_names.append(name)
            self.notes[name] = len(self.note_names)
        number = self.notes[name]
        own_id = f' id="fnref:{number}"' if is_first else ""
        return f'<sup{own_id}><a class="footnote-ref" href="#fn:{number}">{number}</a></sup>'

    def footnotes(self) -> str:
        """The footnotes that the text refers to, in the order of their first references."""
        return "".join(self._footnotes())

    def _footnotes(self) -> Iterator[str]:
        if not self.notes:
            return
        yield '<div class="footnote">\n<hr>\n<ol>\n'
        for number, name in enumerate(self.note_names, 1):  # a footnote can add further names
            back = f'<a class="footnote-backref" href="#fnref:{number}" title="Back to the text">&#8617;</a>'
            definition = self.definitions.get(name)
            body = self.blocks(definition) if definition else ""
            text, end, rest = body.rpartition("</p>\n")
            body = f"{text}&nbsp;{back}{end}" if end and not rest else f"{body}<p>{back}</p>\n"
            yield f'<li id="fn:{number}">\n{body}</li>\n'
        yield "</ol>\n</div>\n"


def _title(node: MarkdownNode) -> str:
    return f' title="{escape(node.detail)}"' if node.detail else ""


def _is_task(item: MarkdownNode) -> bool:
    first = item.children[0].children[:1] if item.children else []
    return any(node.kind is NodeKind.TASK_MARKER for node in first)


def _section(text: str, name: str | None) -> str:
    """The lines of a file, without those that mark sections; or those of one section, without their common indent."""
    is_inside, lines = name is None, []
    for line in text.split("\n"):
        if marker := _MARKER.match(line):
            if marker[2] == name:
                is_inside = marker[1].lower() == "start"
        elif is_inside:
            lines.append(line)
    section = "\n".join(lines)
    return dedent(section) if name else section
