"""Parse Markdown as GitHub does: one tree of nodes, each with its range in the text.

pulldown-cmark parses, by way of its binding pyromark, which only this module names. It gives ranges in bytes; nodes
have ranges in characters. It links no bare addresses, which `autolinks` finds.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from itertools import accumulate
from typing import Any, Final

from pyromark import Markdown, Options

from handbook.reading.autolinks import Autolink, find_autolinks, may_hold_autolink

DEEPEST: Final = 100
"""How many blocks and inlines can be nested. A browser shows no more than 512 elements in one another."""

_MARKDOWN: Final = Markdown(
    options=Options.ENABLE_TABLES
    | Options.ENABLE_STRIKETHROUGH
    | Options.ENABLE_TASKLISTS
    | Options.ENABLE_FOOTNOTES
    | Options.ENABLE_GFM
)
_ATTEMPTS: Final = 2
"""How often a text is parsed with addresses in brackets."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class NodeKind(StrEnum):
    """What a node is. Blocks first, then inlines."""

    DOCUMENT = auto()
    PARAGRAPH = auto()
    PLAIN = auto()
    """Text of a tight list item, which is in no paragraph."""
    HEADING = auto()
    LIST = auto()
    ITEM = auto()
    QUOTE = auto()
    FENCE = auto()
    INDENTED_CODE = auto()
    HTML_BLOCK = auto()
    TABLE = auto()
    TABLE_HEAD = auto()
    TABLE_ROW = auto()
    TABLE_CELL = auto()
    THEMATIC_BREAK = auto()
    FOOTNOTE = auto()

    TEXT = auto()
    CODE = auto()
    EMPHASIS = auto()
    STRONG = auto()
    STRIKETHROUGH = auto()
    LINK = auto()
    IMAGE = auto()
    HTML = auto()
    SOFT_BREAK = auto()
    HARD_BREAK = auto()
    TASK_MARKER = auto()
    FOOTNOTE_REFERENCE = auto()


@dataclass(slots=True, eq=False)
class MarkdownNode:
    """A block or an inline. `start` and `end` are offsets in the text that was parsed.

    `text` is the content of text, code and HTML, the target of a link or image, and the name of a footnote. `detail` is
    the words after an opening fence, the title of a link or image, or the kind of a callout. `number` is the level of a
    heading, the first number of an ordered list, or 1 for a task that is done.
    """

    kind: NodeKind
    start: int
    end: int
    text: str = ""
    detail: str = ""
    number: int | None = None
    alignments: tuple[str, ...] = ()
    """Of a table: "left", "center", "right" or "" for each column."""
    children: list[MarkdownNode] = field(default_factory=list)

    def walk(self) -> Iterator[MarkdownNode]:
        """This node and all within it, in the order of the text."""
        yield self
        for child in self.children:
            yield from child.walk()


class TooDeepError(Exception):
    """A text with more than `DEEPEST` nodes in one another; `offset` is the place of the first that is too deep."""

    def __init__(self, offset: int) -> None:
        super().__init__("nested too deeply")
        self.offset = offset


def parse(text: str) -> MarkdownNode:
    """Parse a text. Raises TooDeepError.

    An address can hold marks of emphasis, `https://host/a_*b*`. The parser has paired them by the time the address is
    found, so that the text is parsed again, with that address in angle brackets.
    """
    builder = _Builder(text)
    builder.build()
    addresses = builder.crossing
    for _ in range(_ATTEMPTS if addresses else 0):
        insertions = _Insertions(addresses)
        again = _Builder(insertions.insert(text))
        again.build()
        linked = {insertions.original(start) for start in again.bracketed}
        if all(address.start in linked for address in addresses):
            _move_back(again.root, insertions)
            return again.root
        # A backslash before an address escapes the bracket.
        addresses = [address for address in addresses if address.start in linked]
    return builder.root


def _move_back(root: MarkdownNode, insertions: _Insertions) -> None:
    """Give each node its offsets in the text without the brackets."""
    for node in root.walk():
        node.start, node.end = insertions.original(node.start), insertions.original(node.end)
        if node.kind is NodeKind.LINK and node.start in insertions.without_scheme and node.children:
            node.children[0].text = node.children[0].text.removeprefix("http://")


def parse_inline(text: str) -> Sequence[MarkdownNode]:
    """Parse a text of one line as the text of a paragraph, whatever its first character means to Markdown."""
    lead = "x "
    paragraph = next(iter(parse(lead + " ".join(text.split())).children), None)
    if paragraph is None or not paragraph.children:
        return ()
    first = paragraph.children[0]
    first.text = first.text[len(lead) :]
    return paragraph.children


class _Insertions:
    """Angle brackets around addresses, and the original offsets of a text that has them."""

    def __init__(self, addresses: Sequence[Autolink]) -> None:
        self.without_scheme = {
            address.start for address in addresses if address.target_prefix == "http://"
        }
        self.pieces: list[tuple[int, str]] = []
        for address in addresses:
            scheme = "http://" if address.start in self.without_scheme else ""
            self.pieces += [(address.start, f"<{scheme}"), (address.end, ">")]
        lengths = accumulate((len(piece) for _, piece in self.pieces), initial=0)
        self.lengths = list(lengths)
        self.places = [
            at + before for (at, _), before in zip(self.pieces, self.lengths, strict=False)
        ]

    def insert(self, text: str) -> str:
        """The text with the brackets."""
        parts, last = [], 0
        for at, piece in self.pieces:
            parts += [text[last:at], piece]
            last = at
        return "".join((*parts, text[last:]))

    def original(self, offset: int) -> int:
        """The offset in the text without the brackets."""
        index = bisect_left(self.places, offset)
        if not index:
            return offset
        at, _ = self.pieces[index - 1]
        return max(at, offset - self.lengths[index])


_TAGS: Final[Mapping[str, NodeKind]] = {
    "Paragraph": NodeKind.PARAGRAPH,
    "Heading": NodeKind.HEADING,
    "List": NodeKind.LIST,
    "Item": NodeKind.ITEM,
    "BlockQuote": NodeKind.QUOTE,
    "CodeBlock": NodeKind.FENCE,
    "HtmlBlock": NodeKind.HTML_BLOCK,
    "Table": NodeKind.TABLE,
    "TableHead": NodeKind.TABLE_HEAD,
    "TableRow": NodeKind.TABLE_ROW,
    "TableCell": NodeKind.TABLE_CELL,
    "FootnoteDefinition": NodeKind.FOOTNOTE,
    "Emphasis": NodeKind.EMPHASIS,
    "Strong": NodeKind.STRONG,
    "Strikethrough": NodeKind.STRIKETHROUGH,
    "Link": NodeKind.LINK,
    "Image": NodeKind.IMAGE,
}
_LEAVES: Final[Mapping[str, NodeKind]] = {
    "Text": NodeKind.TEXT,
    "Code": NodeKind.CODE,
    "Html": NodeKind.HTML,
    "InlineHtml": NodeKind.HTML,
    "SoftBreak": NodeKind.SOFT_BREAK,
    "HardBreak": NodeKind.HARD_BREAK,
    "Rule": NodeKind.THEMATIC_BREAK,
    "TaskListMarker": NodeKind.TASK_MARKER,
    "FootnoteReference": NodeKind.FOOTNOTE_REFERENCE,
}
_VERBATIM: Final = frozenset((NodeKind.FENCE, NodeKind.INDENTED_CODE, NodeKind.HTML_BLOCK))
_UNLINKED: Final = frozenset((*_VERBATIM, NodeKind.LINK, NodeKind.IMAGE))
_KINDS: Final = tuple(NodeKind)
_INLINE: Final = frozenset(_KINDS[_KINDS.index(NodeKind.TEXT) :])
_TEXT_CONTAINERS: Final = frozenset(
    (NodeKind.DOCUMENT, NodeKind.ITEM, NodeKind.QUOTE, NodeKind.FOOTNOTE)
)
"""The blocks in which text without a paragraph gets a plain block around it."""


class _Builder:
    """Makes the tree of one text from the parser's events."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root = MarkdownNode(NodeKind.DOCUMENT, 0, len(text))
        self.open = [self.root]
        self.unlinked = int(not may_hold_autolink(text))
        """How many links, images and blocks of code are open, in which no address is linked."""
        self.crossing: list[Autolink] = []
        self.bracketed: list[int] = []
        """Where links in angle brackets begin."""
        self.crossed = 0
        """Where the last address in `crossing` ends: no other begins before."""

    def build(self) -> None:
        """Read every event."""
        offset = _offsets(self.text)
        events: Iterator[tuple[Any, Any]] = _MARKDOWN.events_with_range(self.text, merge_text=True)
        for event, place in events:
            start, end = place.values()
            if offset:
                start, end = offset(start), offset(end)
            if type(event) is str:
                self._add(MarkdownNode(_LEAVES[event], start, end))
                continue
            ((name, value),) = event.items()
            if name == "Text":
                if not self.unlinked and may_hold_autolink(value):
                    self._add_linked(value, start, end)
                else:
                    self._add(MarkdownNode(NodeKind.TEXT, start, end, value))
            elif name == "Start":
                self._enter(value, start, end)
            elif name == "End":
                self._leave()
            elif name == "TaskListMarker":
                self._add(MarkdownNode(NodeKind.TASK_MARKER, start, end, number=int(value)))
            elif name == "FootnoteReference":
                self._add(MarkdownNode(NodeKind.FOOTNOTE_REFERENCE, start, end, _label(value)))
            else:
                self._add(MarkdownNode(_LEAVES[name], start, end, value))

    def _enter(self, tag: Any, start: int, end: int) -> None:
        name, value = (tag, None) if type(tag) is str else next(iter(tag.items()))
        node = MarkdownNode(_TAGS[name], start, end)
        if value is not None:
            _describe(node, value)
        self.unlinked += node.kind in _UNLINKED
        if node.kind is NodeKind.LINK and self.text[start] == "<":
            self.bracketed.append(start)
        self._add(node)
        self.open.append(node)
        if len(self.open) > DEEPEST:
            raise TooDeepError(start)

    def _leave(self) -> None:
        if self.open[-1].kind is NodeKind.PLAIN:
            self.open.pop()
        node = self.open.pop()
        self.unlinked -= node.kind in _UNLINKED
        if node.kind in _VERBATIM:
            node.text = "".join(child.text for child in node.children)
            node.children = []
        elif node.kind is NodeKind.LIST and node.children:
            node.end = node.children[
                -1
            ].end  # the parser's range has the definitions of links after it

    def _add(self, node: MarkdownNode) -> None:
        """Add a node to the one that is open; text right within a block gets a plain block around it."""
        container = self.open[-1]
        if container.kind is NodeKind.PLAIN:
            if node.kind in _INLINE:
                container.end = node.end
            else:
                self.open.pop()
                container = self.open[-1]
        elif container.kind in _TEXT_CONTAINERS and node.kind in _INLINE:
            container = self._open_plain(node)
        container.children.append(node)

    def _open_plain(self, first: MarkdownNode) -> MarkdownNode:
        escaped = first.start > 0 and self.text[first.start - 1] == "\\"
        plain = MarkdownNode(NodeKind.PLAIN, first.start - escaped, first.end)
        self.open[-1].children.append(plain)
        self.open.append(plain)
        return plain

    def _add_linked(self, value: str, start: int, end: int) -> None:
        """Add a text with its addresses as links."""
        is_exact = self.text[start:end] == value
        done = start
        for link in find_autolinks(self.text, max(start, self.crossed), end, self._limit(end)):
            if not is_exact or link.end > end:
                self.crossing.append(link)
                self.crossed = link.end
                continue
            if link.start > done:
                self._add(
                    MarkdownNode(NodeKind.TEXT, done, link.start, self.text[done : link.start])
                )
            shown = self.text[link.start : link.end]
            inner = MarkdownNode(NodeKind.TEXT, link.start, link.end, shown)
            target = link.target_prefix + shown
            self._add(MarkdownNode(NodeKind.LINK, link.start, link.end, target, children=[inner]))
            done = link.end
        if done < end:
            self._add(
                MarkdownNode(NodeKind.TEXT, done, end, self.text[done:end] if is_exact else value)
            )

    def _limit(self, end: int) -> int:
        """Where an address that begins in a text before `end` ends at the latest: with its line, or its cell."""
        line = self.text.find("\n", end)
        cells = (node.end for node in self.open if node.kind is NodeKind.TABLE_CELL)
        return min(len(self.text) if line < 0 else line, *cells, len(self.text))


def _describe(node: MarkdownNode, value: Any) -> None:
    """Put the argument of a tag of the parser into its node."""
    match node.kind:
        case NodeKind.HEADING:
            node.number = int(value["level"][1])
        case NodeKind.LIST:
            node.number = value
        case NodeKind.QUOTE:
            node.detail = value.upper()
        case NodeKind.FENCE if value == "Indented":
            node.kind = NodeKind.INDENTED_CODE
        case NodeKind.FENCE:
            node.detail = value["Fenced"].strip()
        case NodeKind.TABLE:
            node.alignments = tuple(
                "" if alignment == "None" else alignment.lower() for alignment in value
            )
        case NodeKind.FOOTNOTE:
            node.text = _label(value)
        case NodeKind.LINK | NodeKind.IMAGE:
            is_mail = value["link_type"] == "Email"
            node.text = f"mailto:{value['dest_url']}" if is_mail else value["dest_url"]
            node.detail = value["title"]


def _label(name: str) -> str:
    """The name of a footnote as names are compared: whatever its case and white space."""
    return " ".join(name.casefold().split())


def _offsets(text: str) -> Callable[[int], int] | None:
    """The offset in characters of one in bytes of UTF-8; None where they are the same."""
    wide = [(match.start(), len(match[0].encode()) - 1) for match in _NOT_ASCII.finditer(text)]
    if not wide:
        return None
    surplus = list(accumulate((more for _, more in wide), initial=0))
    places = [start + before for (start, _), before in zip(wide, surplus, strict=False)]
    return lambda offset: offset - surplus[bisect_left(places, offset)]
