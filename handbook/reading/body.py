"""Read the blocks, links and ids of a Markdown body, with their locations."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from handbook.diagnostics import Location
from handbook.reading.blocks import (
    Block,
    Break,
    Code,
    Heading,
    Html,
    Item,
    Link,
    List,
    Mention,
    Paragraph,
    Quote,
    RowSpan,
    Table,
    UndefinedLink,
)
from handbook.reading.ids import EXPLICIT_ID, ID, ITEM_WITH_ID, HeadingIds, anchor, find_item_anchor
from handbook.reading.parser import MarkdownNode, NodeKind, parse

_UNDEFINED_LINK = re.compile(
    r"(?<![\w\]\\])\[[^\[\]]+\]\[[^\[\]]*\]|(?<![\w\\])\[\^[^\[\]\s]+\](?![+*?{])"
    r"|(?<=\w)\[\^[0-9]+\](?![+*?{])"  # a footnote after a word, and no class of characters
)
_CONTAINERS = frozenset((NodeKind.LIST, NodeKind.ITEM, NodeKind.QUOTE))
_PARAGRAPHS = frozenset((NodeKind.PARAGRAPH, NodeKind.PLAIN))
_LITERALS = frozenset((NodeKind.TEXT, NodeKind.CODE))
_BREAKS = frozenset((NodeKind.SOFT_BREAK, NodeKind.HARD_BREAK))
_LINKS = frozenset((NodeKind.LINK, NodeKind.IMAGE))
# In Python 3.11, a member of an enum is slow to look up, and a text has thousands of nodes.
_TEXT, _HTML, _TABLE = NodeKind.TEXT, NodeKind.HTML, NodeKind.TABLE
_HEADING, _ITEM = NodeKind.HEADING, NodeKind.ITEM
_QUOTE, _FOOTNOTE = NodeKind.QUOTE, NodeKind.FOOTNOTE
_ATX = re.compile(r"#{1,6}(?:[ \t]|$)", re.MULTILINE)


@dataclass(frozen=True)
class Body:
    """The blocks, links and ids of a Markdown body, each in the order of the text."""

    blocks: tuple[Block, ...] = ()
    links: tuple[Link, ...] = ()
    mentions: tuple[Mention, ...] = ()
    undefined_links: tuple[UndefinedLink, ...] = ()
    """Texts in the form of a link or a footnote, such as `[text][name]`, without a definition."""
    has_html: bool = False
    """True if the body has raw HTML or an HTML comment."""

    @cached_property
    def headings(self) -> tuple[Heading, ...]:
        """The headings of the body."""
        return tuple(block for block in self.blocks if type(block) is Heading)

    @cached_property
    def item_ids(self) -> tuple[str, ...]:
        """The ids of list items such as `- **STD-05.3** …`."""
        return tuple(id for id, _ in find_items_with_ids(self.blocks))


def find_items_with_ids(blocks: Iterable[Block]) -> Iterator[tuple[str, Paragraph]]:
    """Yield the id and the first paragraph of each list item such as `- **STD-05.3** …`."""
    for block in blocks:
        if type(block) is Paragraph and isinstance(block.parent, Item):
            match = ITEM_WITH_ID.match(block.text)
            if match and block.first == block.parent.first:
                yield match[1], block


def read_body(path: str, text: str, first_line: int) -> Body:
    """Read a Markdown body. `first_line` is the line of the file on which the body begins.

    Raises TooDeepError if the body is nested too deeply.
    """
    reader = _BodyReader(path, text, first_line)
    reader.read(parse(text).children, None, 0)
    _add_heading_ids(reader.blocks)
    return Body(
        blocks=tuple(reader.blocks),
        links=tuple(reader.links),
        mentions=tuple(reader.mentions),
        undefined_links=tuple(reader.undefined_links),
        has_html=reader.has_html,
    )


def extract_text(nodes: Sequence[MarkdownNode], *, with_images: bool = False) -> str:
    """Return the text of inline nodes without Markdown marks.

    The result has the alternative texts of images only if `with_images` is True.
    """
    return " ".join("".join(_plain_pieces(nodes, with_images)).split())


def _plain_pieces(nodes: Sequence[MarkdownNode], with_images: bool) -> Iterator[str]:
    for node in nodes:
        if node.kind in _LITERALS:
            yield node.text
        elif node.kind in _BREAKS:
            yield " "
        elif with_images or node.kind is not NodeKind.IMAGE:
            yield from _plain_pieces(node.children, with_images)


class _BodyReader:
    """Walk a parsed body once, and collect its blocks, links, ids and undefined links."""

    def __init__(self, path: str, text: str, first_line: int) -> None:
        self.path, self.text, self.first_line = path, text, first_line
        self.line_starts = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
        self.blocks: list[Block] = []
        self.links: list[Link] = []
        self.mentions: list[Mention] = []
        self.undefined_links: list[UndefinedLink] = []
        self.has_html = False

    def read(self, nodes: Sequence[MarkdownNode], parent: Block | None, quotes: int) -> None:
        """Read blocks. `quotes` is the number of block quotes that enclose them."""
        for node in nodes:
            if node.kind is _FOOTNOTE:
                self.read(node.children, parent, quotes)
                continue
            nested_quotes = quotes + (node.kind is _QUOTE)
            block = self._read_block(node, parent, nested_quotes)
            self.blocks.append(block)
            if node.kind in _CONTAINERS:
                self.read(node.children, block, nested_quotes)
            elif node.kind is _TABLE:
                for row in node.children:
                    for cell in row.children:
                        self._read_inlines(cell.children)
            else:
                self._read_inlines(node.children)

    def _read_block(self, node: MarkdownNode, parent: Block | None, quotes: int) -> Block:
        first, last = self._line(node.start), self._line(_find_last_offset(node))
        if node.kind in _PARAGRAPHS:
            text = self._read_paragraph(node, quotes)
            return Paragraph(first, last, parent, node.start, text)
        if node.kind is _HEADING:
            return self._read_heading(node, first, last, parent)
        if node.kind is _ITEM:
            return Item(first, last, parent, node.start)
        match node.kind:
            case NodeKind.LIST:
                return List(first, last, parent, node.start, node.number is not None)
            case NodeKind.QUOTE:
                return Quote(first, last, parent, node.start, node.detail)
            case NodeKind.FENCE | NodeKind.INDENTED_CODE:
                is_fenced = node.kind is NodeKind.FENCE
                is_closed = not is_fenced or last - first == node.text.count("\n") + 1
                return Code(
                    first, last, parent, node.start, node.detail, node.text, is_fenced, is_closed
                )
            case NodeKind.TABLE:
                head, *rows = (
                    tuple(self._read_cell(cell) for cell in row.children) for row in node.children
                )
                spans = tuple(map(self._measure_row, node.children))
                return Table(first, last, parent, node.start, head, tuple(rows), spans)
            case NodeKind.HTML_BLOCK:
                self.has_html = True
                return Html(first, last, parent, node.start, node.text)
            case _:
                return Break(first, last, parent, node.start)

    def _read_heading(
        self, node: MarkdownNode, first: int, last: int, parent: Block | None
    ) -> Heading:
        """Read a heading.

        Its id is "" if the author wrote no id and the heading explains no checklist item.
        `_add_heading_ids` then makes the id from the text.
        """
        level, text = node.number or 1, extract_text(node.children)
        match = find_explicit_id(node)
        text = EXPLICIT_ID.sub("", text) if match else text
        explicit_id = match[1] if match else find_item_anchor(level, text) or ""
        is_setext = not _ATX.match(self.text, node.start)
        return Heading(first, last, parent, node.start, level, text, explicit_id, is_setext)

    def _measure_row(self, row: MarkdownNode) -> RowSpan:
        starts = tuple(
            cell.start + _count_indent(self.text[cell.start : cell.end]) for cell in row.children
        )
        return RowSpan(
            row.start, starts, row.children[-1].end if row.children else row.start, row.end
        )

    def _read_cell(self, cell: MarkdownNode) -> str:
        return self.text[cell.start : cell.end].strip().replace("\\|", "|")

    def _read_paragraph(self, node: MarkdownNode, quotes: int) -> str:
        """Return the Markdown of a paragraph, without the `>` marks of block quotes."""
        lines = [line.strip() for line in self.text[node.start : node.end].strip().split("\n")]
        if quotes and len(lines) > 1:
            marks = re.compile(rf"(?:>[ \t]*){{0,{quotes}}}")
            lines[1:] = [
                line[match.end() :] if (match := marks.match(line)) else line for line in lines[1:]
            ]
        return "\n".join(lines)

    def _line(self, offset: int) -> int:
        return bisect_right(self.line_starts, offset) - 1 + self.first_line

    def _at(self, offset: int) -> Location:
        row = bisect_right(self.line_starts, offset) - 1
        return Location(self.path, row + self.first_line, offset - self.line_starts[row] + 1)

    def _read_inlines(self, nodes: Sequence[MarkdownNode], *, is_in_link: bool = False) -> None:
        for node in nodes:
            if node.kind is _TEXT:
                # Most texts have no such character, and a test for it is cheaper than a search.
                if ("-" in node.text or "[" in node.text) and not is_in_link:
                    self._read_text(node)
            elif node.kind in _LINKS:
                self.links.append(self._read_link(node))
                self._read_inlines(node.children, is_in_link=True)
            elif node.kind is _HTML:
                self.has_html = True
            elif node.children:
                self._read_inlines(node.children, is_in_link=is_in_link)

    def _read_link(self, node: MarkdownNode) -> Link:
        return Link(
            node.text,
            node.kind is NodeKind.IMAGE,
            self._at(node.start),
            extract_text(node.children, with_images=True),
            any(child.kind is NodeKind.IMAGE for child in node.walk() if child is not node),
        )

    def _read_text(self, node: MarkdownNode) -> None:
        for match in ID.finditer(node.text) if "-" in node.text else ():
            self.mentions.append(Mention(match[0], self._at_match(node, match)))
        if "[" in node.text:
            for match in _UNDEFINED_LINK.finditer(self.text, node.start, node.end):
                self.undefined_links.append(UndefinedLink(match[0], self._at(match.start())))

    def _at_match(self, node: MarkdownNode, match: re.Match[str]) -> Location:
        """Return the location of a match in the text of a node.

        If the Markdown of the node has escapes, the function searches the Markdown for the matched
        text, and returns the location of its first occurrence.
        """
        offset = node.start + match.start()
        if self.text[node.start : node.end] != node.text:
            offset = max(self.text.find(match[0], node.start, node.end), node.start)
        return self._at(offset)


def _count_indent(text: str) -> int:
    """Count the spaces at the start of a text. Returns 0 if it has only spaces."""
    return len(text) - len(text.lstrip()) if text.strip() else 0


def _find_last_offset(node: MarkdownNode) -> int:
    """Return the offset of the last character of a block.

    The parser includes the blank lines below a list or block quote in its range. Therefore the
    function returns the end of the last block in it.
    """
    while node.kind in _CONTAINERS and node.children:
        node = node.children[-1]
    return max(node.start, node.end - 1)


def find_explicit_id(heading: MarkdownNode) -> re.Match[str] | None:
    """Find the id in braces at the end of a heading, such as `{#my-id}`."""
    last = heading.children[-1] if heading.children else None
    return EXPLICIT_ID.search(last.text) if last and last.kind is NodeKind.TEXT else None


def _add_heading_ids(blocks: list[Block]) -> None:
    """Replace each heading without an id by one with an id made from its text."""
    headings = [(index, block) for index, block in enumerate(blocks) if type(block) is Heading]
    items = (
        block.text for block in blocks if type(block) is Paragraph and type(block.parent) is Item
    )
    explicit_ids = {heading.id for _, heading in headings if heading.id}
    ids = HeadingIds(
        explicit_ids | {anchor(match[1]) for match in map(ITEM_WITH_ID.match, items) if match}
    )
    made = [
        (index, heading, *ids.of(heading.text)) for index, heading in headings if not heading.id
    ]
    new_ids = explicit_ids | {id for _, _, id, _ in made}
    for index, heading, id, old_id in made:
        # An old id that is now the id of another heading is lost.
        old_id = None if old_id in new_ids else old_id
        position = (heading.first, heading.last, heading.parent, heading.start)
        blocks[index] = Heading(*position, heading.level, heading.text, id, heading.setext, old_id)
