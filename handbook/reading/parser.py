"""Parse Markdown as GitHub does, into a tree of nodes with their ranges.

The parser is pulldown-cmark in its binding pyromark. Only this module imports it. It gives ranges
in bytes, and nodes have ranges in characters. It does not link bare addresses: `autolinks` does.
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
"""The most levels of nested blocks and inlines. A browser shows at most 512 levels of elements."""

_MARKDOWN: Final = Markdown(
    options=Options.ENABLE_TABLES
    | Options.ENABLE_STRIKETHROUGH
    | Options.ENABLE_TASKLISTS
    | Options.ENABLE_FOOTNOTES
    | Options.ENABLE_GFM
)
_ATTEMPTS: Final = 2
"""The most attempts to parse a text with addresses in brackets."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class NodeKind(StrEnum):
    """The kinds of nodes: first blocks, then inlines."""

    DOCUMENT = auto()
    PARAGRAPH = auto()
    PLAIN = auto()
    """Text of a tight list item, without a paragraph."""
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
    """A block or an inline. `start` and `end` are offsets in the parsed text.

    - `text`: the content of text, code and HTML, the target of a link or image, the name of a
      footnote.
    - `detail`: the words after an opening fence, the title of a link or image, the kind of a
      callout.
    - `number`: the level of a heading, the first number of an ordered list, or 1 for a task that is
      done.
    """

    kind: NodeKind
    start: int
    end: int
    text: str = ""
    detail: str = ""
    number: int | None = None
    alignments: tuple[str, ...] = ()
    """The alignment of each column of a table: "left", "center", "right" or ""."""
    children: list[MarkdownNode] = field(default_factory=list)

    def walk(self) -> Iterator[MarkdownNode]:
        """Yield this node and all nodes in it, in the order of the text."""
        yield self
        for child in self.children:
            yield from child.walk()


class TooDeepError(Exception):
    """A text with more than `DEEPEST` nested nodes. `offset` is the start of the first one."""

    def __init__(self, offset: int) -> None:
        super().__init__("nested too deeply")
        self.offset = offset


def parse(text: str) -> MarkdownNode:
    """Parse a text. Raises TooDeepError.

    An address can contain marks of emphasis, as in `https://host/a_*b*`. The parser pairs these
    marks before the address is found. The text is then parsed again, with that address in angle
    brackets.
    """
    builder = _Builder(text)
    builder.build()
    addresses = builder.crossing
    for _ in range(_ATTEMPTS if addresses else 0):
        insertions = _Insertions(addresses)
        retry = _Builder(insertions.insert(text))
        retry.build()
        linked = {insertions.find_original(start) for start in retry.bracketed}
        if all(address.start in linked for address in addresses):
            _restore_offsets(retry.root, insertions)
            return retry.root
        # A backslash before an address escapes the bracket.
        addresses = [address for address in addresses if address.start in linked]
    return builder.root


def _restore_offsets(root: MarkdownNode, insertions: _Insertions) -> None:
    """Give each node its offsets in the text without the brackets."""
    for node in root.walk():
        node.start = insertions.find_original(node.start)
        node.end = insertions.find_original(node.end)
        if node.kind is NodeKind.LINK and node.start in insertions.without_scheme and node.children:
            node.children[0].text = node.children[0].text.removeprefix("http://")


def parse_inline(text: str) -> Sequence[MarkdownNode]:
    """Parse a line as the text of a paragraph, whatever its first character."""
    lead = "x "
    paragraph = next(iter(parse(lead + " ".join(text.split())).children), None)
    if paragraph is None or not paragraph.children:
        return ()
    first = paragraph.children[0]
    first.text = first.text[len(lead) :]
    return paragraph.children


class _Insertions:
    """Angle brackets around addresses, and the original offsets in a text with them."""

    def __init__(self, addresses: Sequence[Autolink]) -> None:
        self.without_scheme = {
            address.start for address in addresses if address.target_prefix == "http://"
        }
        self.brackets: list[tuple[int, str]] = []
        """The brackets, each with its offset in the original text."""
        for address in addresses:
            scheme = "http://" if address.start in self.without_scheme else ""
            self.brackets += [(address.start, f"<{scheme}"), (address.end, ">")]
        lengths = accumulate((len(bracket) for _, bracket in self.brackets), initial=0)
        self.shifts = list(lengths)
        self.offsets = [
            at + shift for (at, _), shift in zip(self.brackets, self.shifts, strict=False)
        ]
        """The offset of each bracket in the text with brackets."""

    def insert(self, text: str) -> str:
        """Insert the brackets into the text."""
        texts, last = [], 0
        for at, bracket in self.brackets:
            texts += [text[last:at], bracket]
            last = at
        return "".join((*texts, text[last:]))

    def find_original(self, offset: int) -> int:
        """Return the offset in the text without the brackets."""
        index = bisect_left(self.offsets, offset)
        if not index:
            return offset
        at, _ = self.brackets[index - 1]
        return max(at, offset - self.shifts[index])


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
"""The blocks in which a text without a paragraph becomes a plain block."""


class _Builder:
    """Build the tree of one text from the events of the parser."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root = MarkdownNode(NodeKind.DOCUMENT, 0, len(text))
        self.open = [self.root]
        self.unlinked = int(not may_hold_autolink(text))
        """The number of open links, images and code blocks. Addresses in them are not linked."""
        self.crossing: list[Autolink] = []
        """The addresses that cross a mark which the parser has read."""
        self.bracketed: list[int] = []
        """The offsets of links in angle brackets."""
        self.crossed = 0
        """The end of the last address in `crossing`. The next address begins after it."""

    def build(self) -> None:
        """Read every event."""
        find_character = _map_byte_offsets(self.text)
        events: Iterator[tuple[Any, Any]] = _MARKDOWN.events_with_range(self.text, merge_text=True)
        for event, byte_range in events:
            start, end = byte_range.values()
            if find_character:
                start, end = find_character(start), find_character(end)
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
                self._add(
                    MarkdownNode(NodeKind.FOOTNOTE_REFERENCE, start, end, _normalise_label(value))
                )
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
            # The parser's range of a list includes the link definitions after it.
            node.end = node.children[-1].end

    def _add(self, node: MarkdownNode) -> None:
        """Add a node to the open one. Text directly in a block gets a plain block around it."""
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
        for link in find_autolinks(self.text, max(start, self.crossed), end, self._find_limit(end)):
            if not is_exact or link.end > end:
                self.crossing.append(link)
                self.crossed = link.end
                continue
            if link.start > done:
                self._add(
                    MarkdownNode(NodeKind.TEXT, done, link.start, self.text[done : link.start])
                )
            address = self.text[link.start : link.end]
            inner = MarkdownNode(NodeKind.TEXT, link.start, link.end, address)
            target = link.target_prefix + address
            self._add(MarkdownNode(NodeKind.LINK, link.start, link.end, target, children=[inner]))
            done = link.end
        if done < end:
            self._add(
                MarkdownNode(NodeKind.TEXT, done, end, self.text[done:end] if is_exact else value)
            )

    def _find_limit(self, end: int) -> int:
        """Return the latest possible end of an address: the end of its line or cell."""
        line = self.text.find("\n", end)
        cells = (node.end for node in self.open if node.kind is NodeKind.TABLE_CELL)
        return min(len(self.text) if line < 0 else line, *cells, len(self.text))


def _describe(node: MarkdownNode, value: Any) -> None:
    """Set the text, detail and number of a node from its tag."""
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
            node.text = _normalise_label(value)
        case NodeKind.LINK | NodeKind.IMAGE:
            is_mail = value["link_type"] == "Email"
            node.text = f"mailto:{value['dest_url']}" if is_mail else value["dest_url"]
            node.detail = value["title"]


def _normalise_label(name: str) -> str:
    """Return the name of a footnote without differences of case and white space."""
    return " ".join(name.casefold().split())


def _map_byte_offsets(text: str) -> Callable[[int], int] | None:
    """Return a function from offsets in bytes of UTF-8 to offsets in characters.

    Returns None for ASCII text, in which both are equal.
    """
    wide = [(match.start(), len(match[0].encode()) - 1) for match in _NOT_ASCII.finditer(text)]
    if not wide:
        return None
    surplus = list(accumulate((extra_bytes for _, extra_bytes in wide), initial=0))
    byte_starts = [start + shift for (start, _), shift in zip(wide, surplus, strict=False)]
    return lambda offset: offset - surplus[bisect_left(byte_starts, offset)]
