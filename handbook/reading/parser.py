"""Parse Markdown as GitHub does, into a tree of nodes with their offsets.

Only this module imports the parser: pyromark, which is pulldown-cmark for Python. The parser counts
offsets in bytes, and this module converts them to characters. The parser does not link bare
addresses, so this module adds the links of `autolinks`.
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
"""The limit of nested blocks and inlines. A browser shows at most 512 levels of elements."""

_MARKDOWN: Final = Markdown(
    options=Options.ENABLE_TABLES
    | Options.ENABLE_STRIKETHROUGH
    | Options.ENABLE_TASKLISTS
    | Options.ENABLE_FOOTNOTES
    | Options.ENABLE_GFM
)
_MAX_ATTEMPTS: Final = 2
"""How often `parse` tries to parse a text with angle brackets around its addresses."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class NodeKind(StrEnum):
    """The kinds of Markdown nodes: first the blocks, then the inlines."""

    DOCUMENT = auto()
    PARAGRAPH = auto()
    PLAIN = auto()
    """Text of a block without a paragraph around it, such as the text of a list item."""
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
    """A block or an inline of a Markdown text.

    - `start` and `end`: the offsets of the node in the Markdown text.
    - `text`: the content of a text, of code or of HTML; the target of a link or image; the name of
      a footnote.
    - `detail`: the text after an opening fence, the title of a link or image, or the kind of a
      callout.
    - `number`: the level of a heading, the first number of an ordered list, or for a task list item
      1 if it is done and 0 if not.
    """

    kind: NodeKind
    start: int
    end: int
    text: str = ""
    detail: str = ""
    number: int | None = None
    alignments: tuple[str, ...] = ()
    """The alignment of each column of a table: "left", "center", "right", or "" for none."""
    children: list[MarkdownNode] = field(default_factory=list)

    def walk(self) -> Iterator[MarkdownNode]:
        """Yield this node, and all nodes that it contains, in the order of the text."""
        rest = [self]
        while rest:
            node = rest.pop()
            yield node
            rest += reversed(node.children)


class TooDeepError(Exception):
    """Raised for a text with more than `DEEPEST` levels of nested nodes.

    `offset` is the start of the first node that is nested too deeply.
    """

    def __init__(self, offset: int) -> None:
        super().__init__("nested too deeply")
        self.offset = offset


def parse(text: str) -> MarkdownNode:
    """Parse a Markdown text, and return its root node. Raises TooDeepError.

    A bare address can contain marks of emphasis, as in `https://host/a_*b*`. The parser treats them
    as emphasis, because it does not know bare addresses. This function then parses the text again,
    with angle brackets around the address.
    """
    builder = _Builder(text)
    builder.build()
    addresses = builder.crossing_addresses
    for _ in range(_MAX_ATTEMPTS if addresses else 0):
        insertions = _Insertions(addresses)
        retry = _Builder(insertions.insert(text))
        retry.build()
        linked = {insertions.find_original(start) for start in retry.bracketed_offsets}
        if all(address.start in linked for address in addresses):
            _restore_offsets(retry.root, insertions)
            return retry.root
        # A backslash before an address escapes its bracket. Try again without this address.
        addresses = [address for address in addresses if address.start in linked]
    return builder.root


def _restore_offsets(root: MarkdownNode, insertions: _Insertions) -> None:
    """Convert the offsets of each node to offsets in the text without the added brackets."""
    for node in root.walk():
        node.start = insertions.find_original(node.start)
        node.end = insertions.find_original(node.end)
        if node.kind is NodeKind.LINK and node.start in insertions.without_scheme and node.children:
            node.children[0].text = node.children[0].text.removeprefix("http://")


def parse_inline(text: str) -> Sequence[MarkdownNode]:
    """Parse a line as the text of a paragraph. A mark such as `#` at its start is text."""
    prefix = "x "
    paragraph = next(iter(parse(prefix + " ".join(text.split())).children), None)
    if paragraph is None or not paragraph.children:
        return ()
    first = paragraph.children[0]
    first.text = first.text[len(prefix) :]
    return paragraph.children


class _Insertions:
    """Inserts angle brackets around addresses, and converts offsets back to the original text."""

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
        """Return the text with the brackets."""
        texts, last = [], 0
        for at, bracket in self.brackets:
            texts += [text[last:at], bracket]
            last = at
        return "".join((*texts, text[last:]))

    def find_original(self, offset: int) -> int:
        """Convert an offset in the text with brackets to an offset in the original text."""
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
# In Python 3.11, a member of an enum is slow to look up, and a text has thousands of nodes.
_PLAIN, _LIST, _TEXT = NodeKind.PLAIN, NodeKind.LIST, NodeKind.TEXT
_VERBATIM: Final = frozenset((NodeKind.FENCE, NodeKind.INDENTED_CODE, NodeKind.HTML_BLOCK))
_UNLINKED: Final = frozenset((*_VERBATIM, NodeKind.LINK, NodeKind.IMAGE))
_KINDS: Final = tuple(NodeKind)
_INLINE: Final = frozenset(_KINDS[_KINDS.index(NodeKind.TEXT) :])
_TEXT_CONTAINERS: Final = frozenset(
    (NodeKind.DOCUMENT, NodeKind.ITEM, NodeKind.QUOTE, NodeKind.FOOTNOTE)
)
"""The blocks that can contain text without a paragraph. Such text becomes a plain block."""


class _Builder:
    """Builds the tree of a text from the events of the parser."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root = MarkdownNode(NodeKind.DOCUMENT, 0, len(text))
        self.open_nodes = [self.root]
        self.unlinked_count = int(not may_hold_autolink(text))
        """The number of open links, images and code blocks, in which addresses stay text."""
        self.crossing_addresses: list[Autolink] = []
        """The addresses that contain the start or the end of another inline, such as emphasis."""
        self.bracketed_offsets: list[int] = []
        """The offsets of links in angle brackets, such as `<https://host/>`."""
        self.crossing_end = 0
        """The end of the last address in `crossing_addresses`. The next address begins after it."""

    def build(self) -> None:
        """Add a node to the tree for every event of the parser."""
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
                if not self.unlinked_count and may_hold_autolink(value):
                    self._add_linked(value, start, end)
                else:
                    self._add(MarkdownNode(_TEXT, start, end, value))
            elif name == "Start":
                self._open_node(value, start, end)
            elif name == "End":
                self._close_node()
            elif name == "TaskListMarker":
                self._add(MarkdownNode(NodeKind.TASK_MARKER, start, end, number=int(value)))
            elif name == "FootnoteReference":
                self._add(
                    MarkdownNode(NodeKind.FOOTNOTE_REFERENCE, start, end, _normalise_label(value))
                )
            else:
                self._add(MarkdownNode(_LEAVES[name], start, end, value))

    def _open_node(self, tag: Any, start: int, end: int) -> None:
        name, value = (tag, None) if type(tag) is str else next(iter(tag.items()))
        node = MarkdownNode(_TAGS[name], start, end)
        if value is not None:
            _describe(node, value)
        if node.kind in _UNLINKED:
            self.unlinked_count += 1
            if node.kind is NodeKind.LINK and self.text[start] == "<":
                self.bracketed_offsets.append(start)
        self._add(node)
        self.open_nodes.append(node)
        if len(self.open_nodes) > DEEPEST:
            raise TooDeepError(start)

    def _close_node(self) -> None:
        """Close the innermost open node."""
        node = self.open_nodes.pop()
        if node.kind is _PLAIN:
            node = self.open_nodes.pop()
        if node.kind in _UNLINKED:
            self.unlinked_count -= 1
            if node.kind in _VERBATIM:
                node.text = "".join(child.text for child in node.children)
                node.children = []
        elif node.kind is _LIST and node.children:
            # The parser's range of a list includes the link definitions after it.
            node.end = node.children[-1].end

    def _add(self, node: MarkdownNode) -> None:
        """Add a node to the innermost open node.

        An inline directly in a block gets a plain block around it.
        """
        container = self.open_nodes[-1]
        if container.kind in _TEXT_CONTAINERS:
            if node.kind in _INLINE:
                container = self._open_plain(node)
        elif container.kind is _PLAIN:
            if node.kind in _INLINE:
                container.end = node.end
            else:
                self.open_nodes.pop()
                container = self.open_nodes[-1]
        container.children.append(node)

    def _open_plain(self, first: MarkdownNode) -> MarkdownNode:
        """Open a plain block that begins with the inline `first`, and return it."""
        escaped = first.start > 0 and self.text[first.start - 1] == "\\"
        plain = MarkdownNode(NodeKind.PLAIN, first.start - escaped, first.end)
        self.open_nodes[-1].children.append(plain)
        self.open_nodes.append(plain)
        return plain

    def _add_linked(self, value: str, start: int, end: int) -> None:
        """Add a text, and make its bare addresses links."""
        is_exact = self.text[start:end] == value
        position = start
        for link in find_autolinks(
            self.text, max(start, self.crossing_end), end, self._find_limit(end)
        ):
            if not is_exact or link.end > end:
                self.crossing_addresses.append(link)
                self.crossing_end = link.end
                continue
            if link.start > position:
                self._add(
                    MarkdownNode(
                        NodeKind.TEXT, position, link.start, self.text[position : link.start]
                    )
                )
            address = self.text[link.start : link.end]
            inner = MarkdownNode(NodeKind.TEXT, link.start, link.end, address)
            target = link.target_prefix + address
            self._add(MarkdownNode(NodeKind.LINK, link.start, link.end, target, children=[inner]))
            position = link.end
        if position < end:
            self._add(
                MarkdownNode(
                    NodeKind.TEXT, position, end, self.text[position:end] if is_exact else value
                )
            )

    def _find_limit(self, end: int) -> int:
        """Return the end of the line or table cell, after which an address cannot continue."""
        line = self.text.find("\n", end)
        cells = (node.end for node in self.open_nodes if node.kind is NodeKind.TABLE_CELL)
        return min(len(self.text) if line < 0 else line, *cells, len(self.text))


def _describe(node: MarkdownNode, value: Any) -> None:
    """Set the text, detail and number of a node from the tag that the parser returned."""
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
    """Return the name of a footnote in lower case, with single spaces."""
    return " ".join(name.casefold().split())


def _map_byte_offsets(text: str) -> Callable[[int], int] | None:
    """Return a function that converts offsets in bytes of UTF-8 to offsets in characters.

    Returns None if the text is ASCII, because both offsets are then equal.
    """
    if text.isascii():
        return None
    wide_characters = [
        (match.start(), len(match[0].encode()) - 1) for match in _NOT_ASCII.finditer(text)
    ]
    extra_byte_counts = list(
        accumulate((extra_bytes for _, extra_bytes in wide_characters), initial=0)
    )
    byte_starts = [
        start + shift for (start, _), shift in zip(wide_characters, extra_byte_counts, strict=False)
    ]
    return lambda offset: offset - extra_byte_counts[bisect_left(byte_starts, offset)]
