"""Find the title of a file, and take a number or another prefix off it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from handbook.authoring.rewriting import Rewrite
from handbook.reading.blocks import Heading
from handbook.reading.nodes import Scalar
from handbook.reading.parser import MarkdownNode, NodeKind
from handbook.reading.source import Source

_MARK: Final = re.compile(r" {0,3}#[ \t]*")


@dataclass(frozen=True)
class Title:
    """The title of a file. `line` is None if the title is from the name of the file.

    `prefix` is the part before it, such as a number, or None. `rewrites` make the H1 of the body
    this title.
    """

    text: str
    line: int | None
    prefix: re.Match[str] | None = None
    conflicts: tuple[str, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()


def read_title(source: Source, prefix: re.Pattern[str], fallback: str) -> Title:
    """Return the title: the H1, or `title` of the front matter, or else `fallback`.

    `prefix` matches at the start of an H1, and can match nothing. An H1 in a list or a quotation is
    not the title.
    """
    heading = source.title_heading
    stated = _read_front_matter_title(source)
    if heading is None or heading.parent is not None:
        match = prefix.match(stated[0]) if stated else None
        text = stated[0][match.end() :].strip() if stated and match else ""
        rewrite = Rewrite(0, "", f"\n# {escape(text or fallback)}\n\n", "title")
        line = stated[1] if stated and text else None
        return Title(text or fallback, line, match, (), (rewrite,))
    node = source.node_of(heading)
    leaves = list(_walk_leaves(node))
    written = "".join(leaf.text or " " for leaf in leaves)
    match = prefix.match(written)
    length = match.end() if match else 0
    rewrites = _remove_prefix(source.body, node, leaves, length)
    text = " ".join(written[length:].split())
    if not text:
        text = stated[0] if stated else fallback
        rewrites = _fill(source.body, node, text, rewrites or ())
    elif rewrites is None:
        return Title(heading.text, heading.first, match)
    conflicts = _compare_titles(heading, text, stated, prefix)
    return Title(text, heading.first, match, conflicts, rewrites or ())


def _read_front_matter_title(source: Source) -> tuple[str, int] | None:
    entry = source.front_matter.mapping.get("title") if source.front_matter else None
    if entry is None or not isinstance(entry.value, Scalar) or entry.value.empty:
        return None
    text = " ".join(entry.value.text.split())
    return (text, entry.value.at.line) if text else None


def _compare_titles(
    heading: Heading, text: str, stated: tuple[str, int] | None, prefix: re.Pattern[str]
) -> tuple[str, ...]:
    """Return the conflict between the H1 and the title of the front matter, if there is one."""
    if stated is None:
        return ()
    match = prefix.match(stated[0])
    other = stated[0][match.end() :].strip() if match else stated[0]
    if " ".join(other.split()).casefold() == " ".join(text.split()).casefold():
        return ()
    return (f"title '{stated[0]}' on line {stated[1]}, '{text}' on line {heading.first}",)


def _remove_prefix(
    body: str, heading: MarkdownNode, leaves: list[MarkdownNode], length: int
) -> tuple[Rewrite, ...] | None:
    """Return the rewrites that remove the first characters of the text of a heading.

    Returns None if they are not plain text, or not written as they are, for example with escapes.
    """
    rewrites = []
    for node in leaves:
        if length <= 0:
            break
        size = min(length, len(node.text))
        is_plain = node.kind is NodeKind.TEXT and node in heading.children
        if not is_plain or not body.startswith(node.text[:size], node.start):
            return None
        rewrites.append(Rewrite(node.start, node.text[:size], "", "number in the title"))
        length -= size
    return tuple(rewrites)


def _fill(
    body: str, heading: MarkdownNode, text: str, removals: tuple[Rewrite, ...]
) -> tuple[Rewrite, ...]:
    """Return the rewrites that give a heading without a title this text."""
    if removals:
        first, *others = removals
        return (replace(first, new=escape(text), reason="title"), *others)
    mark = _MARK.match(body, heading.start)
    at = mark.end() if mark else heading.start
    space = "" if mark and mark[0].endswith((" ", "\t")) else " "
    return (Rewrite(at, "", f"{space}{escape(text)}", "title"),)


def _walk_leaves(node: MarkdownNode) -> Iterator[MarkdownNode]:
    for child in node.children:
        if child.children:
            yield from _walk_leaves(child)
        elif child.kind is not NodeKind.HTML:
            yield child


def escape(text: str) -> str:
    """Escape the characters of a plain text that have a meaning in Markdown."""
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", text)
