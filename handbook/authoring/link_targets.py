"""Find the targets and titles of links in the text of a Markdown file, with their offsets."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Final
from urllib.parse import unquote, urlsplit

from handbook.reading.parser import MarkdownNode, NodeKind

_LEAF_BLOCKS: Final = frozenset(
    (
        NodeKind.PARAGRAPH,
        NodeKind.PLAIN,
        NodeKind.HEADING,
        NodeKind.TABLE,
        NodeKind.FENCE,
        NodeKind.INDENTED_CODE,
        NodeKind.HTML_BLOCK,
    )
)
"""The blocks that contain no definition of a reference."""
_TARGET: Final = r"(?:<(?P<bracketed>(?:\\.|[^<>\\\n])*)>|(?P<bare>(?!<)[^\s]+?|))"
_TITLE: Final = r"(?P<title>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\((?:\\.|[^()\\])*\))"
_INLINE: Final = re.compile(rf"\]\(\s*{_TARGET}(?:\s[\s>]*{_TITLE})?\s*\)", re.DOTALL)
_DEFINITION: Final = re.compile(
    r"^[ \t>]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t>]+)*"  # marks of quotations and list items
    r"\[(?!\^)(?:\\.|[^\[\]\\])+\]:[ \t]*(?:\n[ \t>]*)?"
    rf"{_TARGET}(?:(?:[ \t]+|[ \t]*\n[ \t>]*){_TITLE})?[ \t]*$",
    re.MULTILINE,
)
_ESCAPE: Final = re.compile(r"\\([!-/:-@\[-`{-~])|(&(?:#[0-9]+|#[xX][0-9a-fA-F]+|\w+);)")


@dataclass(frozen=True, slots=True)
class WrittenTarget:
    """The target of a link, an image or a definition, as it is written in a text.

    `start` is the offset of `raw`, the written target. `target` is the target without escapes.
    `title` is the title with its quotation marks, or "", and `title_start` is its offset.
    """

    start: int
    raw: str
    target: str
    title_start: int
    title: str


def find_targets(text: str, tree: MarkdownNode) -> Iterator[WrittenTarget]:
    """Yield each written target of a Markdown text, outside of code and HTML."""
    blocks = []
    for node in tree.walk():
        if node.kind in (NodeKind.LINK, NodeKind.IMAGE):
            if match := _match_inline(text, node):
                yield _describe(match)
        elif node.kind in _LEAF_BLOCKS:
            blocks.append((node.start, node.end))
    blocks.sort()
    starts = [start for start, _ in blocks]
    for match in _DEFINITION.finditer(text):
        target = _describe(match)
        index = bisect_right(starts, target.start) - 1
        if index < 0 or target.start >= blocks[index][1]:
            yield target


def _match_inline(text: str, node: MarkdownNode) -> re.Match[str] | None:
    """Match the target behind the text of a link, or return None for a link without one."""
    text_end = node.children[-1].end if node.children else node.start
    opening = text.find("](", text_end, node.end)
    return _INLINE.fullmatch(text, opening, node.end) if opening >= 0 else None


def _describe(match: re.Match[str]) -> WrittenTarget:
    name = "bare" if match["bracketed"] is None else "bracketed"
    raw = match[name]
    target = _ESCAPE.sub(lambda escape: escape[1] or unescape(escape[2]), raw)
    return WrittenTarget(match.start(name), raw, target, match.start("title"), match["title"] or "")


@dataclass(frozen=True, slots=True)
class LinkParts:
    """The parts of the target of a link."""

    scheme: str
    netloc: str
    path: str
    fragment: str


def urlsplit_safely(target: str) -> LinkParts:
    """Split the target of a link. An invalid address has only a scheme."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return LinkParts("invalid", "invalid", "", "")
    return LinkParts(parts.scheme, parts.netloc, parts.path, parts.fragment)


def split_target(target: str, path: str) -> tuple[str, str] | None:
    """Return the path that a relative target names, and its fragment.

    `path` is the path of the file with the link. Returns None for an address, and for a path from
    the root.
    """
    parts = urlsplit_safely(target)
    if parts.scheme or parts.netloc or parts.path.startswith("/"):
        return None
    if not parts.path:
        return path, parts.fragment
    linked = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(parts.path)))
    return linked, parts.fragment
