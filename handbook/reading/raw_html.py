"""Rewrite the raw HTML of a record to a few closed elements without attributes.

A record's page shows the output of this module, never the author's HTML. Every other tag is text on
the page. An open element is closed with the block or inline around it.
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
"""Elements that contain blocks. Each of their tags begins a line."""
ELEMENTS: Final = frozenset((_VOID, "kbd", "sub", "sup", *_SECTIONS))
"""The elements that a record can contain."""

COMMENT: Final = re.compile(r"<!---?>|<!--.*?(?:--!?>|\Z)", re.DOTALL)
"""A comment as browsers read it: `<!-->` is a whole comment."""
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][\w-]*)(?P<rest>[^<>]*)>")
_TOKEN = re.compile(f"{COMMENT.pattern}|{_TAG.pattern}|<[!?][^<>]*>", re.DOTALL)


class TagFault(Enum):
    """The faults that a tag can have."""

    NOT_ALLOWED = auto()
    UNOPENED = auto()
    UNCLOSED = auto()
    WITHIN_LINE = auto()
    """A tag, in the middle of a line, of an element that contains blocks."""


@dataclass(frozen=True, slots=True)
class FaultyTag:
    """A tag that a page shows as text, or an element that is not closed.

    `offset` is the offset of the tag in the body.
    """

    offset: int
    text: str
    fault: TagFault


@dataclass
class SafeHtml:
    """The safe HTML that replaces the raw HTML in a tree.

    `html_by_node` has the HTML of nodes of raw HTML by their identity. `closing` has the end tags
    at the end of a node.
    """

    html_by_node: dict[int, str] = field(default_factory=dict)
    closing: dict[int, str] = field(default_factory=dict)
    faults: list[FaultyTag] = field(default_factory=list)


def read_html(body: str, tree: MarkdownNode) -> SafeHtml:
    """Read the raw HTML of a body and its tree."""
    reader = _TagReader(body)
    reader.read(tree)
    return reader.html


@dataclass(frozen=True, slots=True)
class _OpenTag:
    name: str
    tag: FaultyTag
    """The finding if the element is never closed."""


class _TagReader:
    def __init__(self, body: str) -> None:
        self.body = body
        self.html = SafeHtml()
        self.open: list[_OpenTag] = []
        self.refused: Counter[str] = Counter()
        """The number of refused start tags, by the name of the element."""
        self.outer = 0
        """The number of open elements outside the current node, which cannot close them."""

    def read(self, node: MarkdownNode) -> None:
        """Read the nodes in a node, and close the elements that it leaves open."""
        previous_outer, self.outer = self.outer, len(self.open)
        for child in node.children:
            if child.kind in (NodeKind.HTML, NodeKind.HTML_BLOCK):
                self.html.html_by_node[id(child)] = "".join(self._rewrite_node(child))
            elif child.children:
                self.read(child)
        if closing := "".join(self._close(self.outer)):
            self.html.closing[id(node)] = closing
        self.outer = previous_outer

    def _close(self, outer: int, *, all_kinds: bool = True) -> Iterator[str]:
        while len(self.open) > outer and (all_kinds or self.open[-1].name not in _SECTIONS):
            unclosed = self.open.pop()
            self.html.faults.append(unclosed.tag)
            yield f"</{unclosed.name}>"

    def _rewrite_node(self, node: MarkdownNode) -> Iterator[str]:
        """Yield the safe HTML of a node, token by token."""
        done, offset = 0, node.start
        is_block = node.kind is NodeKind.HTML_BLOCK
        for match in _TOKEN.finditer(node.text):
            yield _escape_text(node.text[done : match.start()])
            done = match.end()
            if match[0].startswith("<!--"):
                continue
            head = match[0].partition("\n")[0]
            offset = max(self.body.find(head, offset, node.end), offset)
            yield from self._rewrite_tag(match, offset, is_block=is_block)
            offset += 1
        yield _escape_text(node.text[done:])
        if is_block:
            yield from self._close(self.outer, all_kinds=False)

    def _rewrite_tag(self, match: re.Match[str], offset: int, *, is_block: bool) -> Iterator[str]:
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
            self.refused[name] -= 1  # its start tag has a finding already
            yield escape(match[0], quote=False)
            return
        else:
            fault = TagFault.UNOPENED
        self.html.faults.append(FaultyTag(offset, match[0], fault))
        yield escape(match[0], quote=False)


def _escape_text(text: str) -> str:
    """Return text of raw HTML, with or without entities, as escaped HTML."""
    return escape(unescape(text), quote=False)
