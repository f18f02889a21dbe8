"""The HTML that a record may hold: a few elements without attributes, each closed where it was opened.

A record's page shows what this module writes, never what the author wrote: every other tag is text on the page, and an
element that is left open is closed with the block or inline around it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from html import escape, unescape
from typing import Final

from handbook.reading.parser import MarkdownNode, NodeKind

_VOID: Final = "br"
_SECTIONS: Final = frozenset(("details", "summary"))
"""Elements that hold blocks: each tag of one begins a line."""
ELEMENTS: Final = frozenset((_VOID, "kbd", "sub", "sup", *_SECTIONS))
"""The elements that a record may hold."""

COMMENT: Final = re.compile(r"<!---?>|<!--.*?(?:--!?>|\Z)", re.DOTALL)
"""A comment as browsers end it: `<!-->` is a whole one."""
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][\w-]*)(?P<rest>[^<>]*)>")
_TOKEN = re.compile(f"{COMMENT.pattern}|{_TAG.pattern}|<[!?][^<>]*>", re.DOTALL)


class TagFault(Enum):
    """What is wrong with a tag."""

    NOT_ALLOWED = auto()
    UNOPENED = auto()
    UNCLOSED = auto()
    WITHIN_LINE = auto()
    """A tag of an element that holds blocks, in the middle of a line."""


@dataclass(frozen=True, slots=True)
class FaultyTag:
    """A tag that a page does not show as HTML, or that is closed for its author. `offset` is its place in the body."""

    offset: int
    text: str
    fault: TagFault


@dataclass
class SafeHtml:
    """The HTML that stands for the raw HTML in a tree.

    `written` has the HTML of nodes of raw HTML by their identity, `closing` the end tags with which a node ends.
    """

    written: dict[int, str] = field(default_factory=dict)
    closing: dict[int, str] = field(default_factory=dict)
    faults: list[FaultyTag] = field(default_factory=list)


def read_html(body: str, tree: MarkdownNode) -> SafeHtml:
    """Read the raw HTML of a body, whose tree is given."""
    reader = _TagReader(body)
    reader.read(tree)
    return reader.html


@dataclass(frozen=True, slots=True)
class _OpenTag:
    name: str
    tag: FaultyTag
    """What is reported where the element is never closed."""


class _TagReader:
    def __init__(self, body: str) -> None:
        self.body = body
        self.html = SafeHtml()
        self.open: list[_OpenTag] = []
        self.refused: Counter[str] = Counter()
        """How many elements were not opened, by their names, since their tags are not allowed."""
        self.outer = 0
        """How many elements were open where the node that is being read began: it cannot close them."""

    def read(self, node: MarkdownNode) -> None:
        """Read what is within a node, and close what it leaves open."""
        before, self.outer = self.outer, len(self.open)
        for child in node.children:
            if child.kind in (NodeKind.HTML, NodeKind.HTML_BLOCK):
                self.html.written[id(child)] = "".join(self._tokens(child))
            elif child.children:
                self.read(child)
        if closing := "".join(self._close(self.outer)):
            self.html.closing[id(node)] = closing
        self.outer = before

    def _close(self, outer: int, *, all_kinds: bool = True) -> Iterator[str]:
        while len(self.open) > outer and (all_kinds or self.open[-1].name not in _SECTIONS):
            unclosed = self.open.pop()
            self.html.faults.append(unclosed.tag)
            yield f"</{unclosed.name}>"

    def _tokens(self, node: MarkdownNode) -> Iterator[str]:
        """The safe HTML of a node, token by token."""
        done, place = 0, node.start
        is_block = node.kind is NodeKind.HTML_BLOCK
        for match in _TOKEN.finditer(node.text):
            yield _text(node.text[done : match.start()])
            done = match.end()
            if match[0].startswith("<!--"):
                continue
            head = match[0].partition("\n")[0]
            place = max(self.body.find(head, place, node.end), place)
            yield from self._tag(match, place, is_block=is_block)
            place += 1
        yield _text(node.text[done:])
        if is_block:
            yield from self._close(self.outer, all_kinds=False)

    def _tag(self, match: re.Match[str], offset: int, *, is_block: bool) -> Iterator[str]:
        name, is_end, rest = (
            (match["name"] or "").lower(),
            bool(match["end"]),
            (match["rest"] or "").strip(),
        )
        if (
            name not in ELEMENTS
            or rest not in ("", "/" * (name == _VOID))
            or (is_end and name == _VOID)
        ):
            fault = TagFault.NOT_ALLOWED
            self.refused[name] += not is_end
        elif name in _SECTIONS and not is_block:
            fault = TagFault.WITHIN_LINE
        elif not is_end:
            if name != _VOID:
                self.open.append(_OpenTag(name, FaultyTag(offset, match[0], TagFault.UNCLOSED)))
            yield f"<{name}>"
            return
        elif len(self.open) > self.outer and self.open[-1].name == name:
            self.open.pop()
            yield f"</{name}>"
            return
        elif self.refused[name]:
            self.refused[name] -= 1  # the tag that opened it has been reported
            yield escape(match[0], quote=False)
            return
        else:
            fault = TagFault.UNOPENED
        self.html.faults.append(FaultyTag(offset, match[0], fault))
        yield escape(match[0], quote=False)


def _text(text: str) -> str:
    """Text of raw HTML, whose characters may be written as entities, as HTML."""
    return escape(unescape(text), quote=False)
