"""Rewrite the raw HTML of a record, so that it is safe on a page.

The page of a record contains the HTML of this module, never the HTML of the author. This module
allows a few elements without attributes. It shows every other tag as text. If an end tag is
missing, it closes the element at the end of the block or inline around it.
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
"""Elements that contain blocks. Each of their tags must begin a line."""
ELEMENTS: Final = frozenset((_VOID, "kbd", "sub", "sup", *_SECTIONS))
"""The HTML elements that a record can contain."""

COMMENT: Final = re.compile(r"<!---?>|<!--.*?(?:--!?>|\Z)", re.DOTALL)
"""An HTML comment, as browsers read it. For example, `<!-->` is a complete comment."""
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][\w-]*)(?P<rest>[^<>]*)>")
_TOKEN = re.compile(f"{COMMENT.pattern}|{_TAG.pattern}|<[!?][^<>]*>", re.DOTALL)


class TagFault(Enum):
    """The kinds of fault of an HTML tag."""

    NOT_ALLOWED = auto()
    UNOPENED = auto()
    UNCLOSED = auto()
    WITHIN_LINE = auto()
    """The element contains blocks, but its tag is in the middle of a line."""


@dataclass(frozen=True, slots=True)
class FaultyTag:
    """A faulty HTML tag. The page shows it as text, or its end tag is missing.

    `offset` is the offset of the tag in the Markdown body.
    """

    offset: int
    text: str
    fault: TagFault


@dataclass
class SafeHtml:
    """The safe HTML of a body, and the faults of its raw HTML.

    - `html_by_node`: the safe HTML that replaces each node of raw HTML, by `id(node)`.
    - `closing`: the missing end tags that a renderer adds at the end of a node, by `id(node)`.
    """

    html_by_node: dict[int, str] = field(default_factory=dict)
    closing: dict[int, str] = field(default_factory=dict)
    faults: list[FaultyTag] = field(default_factory=list)


def read_html(body: str, tree: MarkdownNode) -> SafeHtml:
    """Rewrite the raw HTML of a body. `tree` is the root node of the body."""
    reader = _TagReader(body)
    reader.read(tree)
    return reader.html


@dataclass(frozen=True, slots=True)
class _OpenTag:
    name: str
    tag: FaultyTag
    """The fault to report if the end tag is missing."""


class _TagReader:
    def __init__(self, body: str) -> None:
        self.body = body
        self.html = SafeHtml()
        self.open_tags: list[_OpenTag] = []
        self.refused_counts: Counter[str] = Counter()
        """The number of start tags that are not allowed, by the name of the element."""
        self.outer_count = 0
        """The number of open elements that began before the current node. It cannot close them."""

    def read(self, node: MarkdownNode) -> None:
        """Rewrite the raw HTML in a node, and close its open elements at its end."""
        previous_outer_count, self.outer_count = self.outer_count, len(self.open_tags)
        for child in node.children:
            if child.kind in (NodeKind.HTML, NodeKind.HTML_BLOCK):
                self.html.html_by_node[id(child)] = "".join(self._rewrite_node(child))
            elif child.children:
                self.read(child)
        if closing := "".join(self._close_elements(self.outer_count)):
            self.html.closing[id(node)] = closing
        self.outer_count = previous_outer_count

    def _close_elements(self, outer_count: int, *, include_sections: bool = True) -> Iterator[str]:
        while len(self.open_tags) > outer_count and (
            include_sections or self.open_tags[-1].name not in _SECTIONS
        ):
            unclosed = self.open_tags.pop()
            self.html.faults.append(unclosed.tag)
            yield f"</{unclosed.name}>"

    def _rewrite_node(self, node: MarkdownNode) -> Iterator[str]:
        """Yield the safe HTML of a node of raw HTML, piece by piece."""
        position, offset = 0, node.start
        is_block = node.kind is NodeKind.HTML_BLOCK
        for match in _TOKEN.finditer(node.text):
            yield _escape_text(node.text[position : match.start()])
            position = match.end()
            if match[0].startswith("<!--"):
                continue
            head = match[0].partition("\n")[0]
            offset = max(self.body.find(head, offset, node.end), offset)
            yield from self._rewrite_tag(match, offset, is_block=is_block)
            offset += 1
        yield _escape_text(node.text[position:])
        if is_block:
            yield from self._close_elements(self.outer_count, include_sections=False)

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
            self.refused_counts[name] += not is_end
        elif name in _SECTIONS and not is_block:
            fault = TagFault.WITHIN_LINE
        elif not is_end:
            if name != _VOID:
                self.open_tags.append(
                    _OpenTag(name, FaultyTag(offset, match[0], TagFault.UNCLOSED))
                )
            yield f"<{name}>"
            return
        elif len(self.open_tags) > self.outer_count and self.open_tags[-1].name == name:
            self.open_tags.pop()
            yield f"</{name}>"
            return
        elif self.refused_counts[name]:
            self.refused_counts[name] -= 1  # the start tag already has a finding
            yield escape(match[0], quote=False)
            return
        else:
            fault = TagFault.UNOPENED
        self.html.faults.append(FaultyTag(offset, match[0], fault))
        yield escape(match[0], quote=False)


def _escape_text(text: str) -> str:
    """Return the text between tags as escaped HTML. Entities such as `&lt;` stay the same."""
    return escape(unescape(text), quote=False)
