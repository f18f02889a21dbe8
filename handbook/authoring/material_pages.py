"""Find the texts and addresses that only Python-Markdown reads, in pages with Material's syntax.

Our parser takes the text of an admonition or a tab for code, and an HTML element with the attribute
`markdown` for HTML. On a page with `markdown: material`, both contain Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from handbook.reading.material import INDENT, MaterialSyntax
from handbook.reading.parser import NodeKind
from handbook.reading.raw_html import COMMENT
from handbook.reading.source import Source, read_page_body

_INDENTED: Final = frozenset(
    (MaterialSyntax.ADMONITION, MaterialSyntax.COLLAPSIBLE, MaterialSyntax.TABS)
)
_HTML: Final = frozenset((NodeKind.HTML, NodeKind.HTML_BLOCK))
_CODE: Final = r"<(?P<code>code|pre|script|style)\b.*?</(?P=code)\s*>"
_TAG: Final = r"<[A-Za-z/](?:\"[^\"]*\"|'[^']*'|[^<>\"'])*>"
_TOKEN: Final = re.compile(f"{COMMENT.pattern}|{_CODE}|{_TAG}", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(
    r"(?<=\s)(?P<name>href|src|title|alt|aria-label)"
    r"\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))",
    re.IGNORECASE,
)
_ADDRESSES: Final = frozenset(("href", "src"))
_MARKDOWN: Final = re.compile(r"\s*<[A-Za-z][^<>]*\smarkdown(?=[\s=>])")


@dataclass(frozen=True, slots=True)
class TextPart:
    """A Markdown text in a page. `lines` has the offsets of each line in both texts."""

    source: Source
    lines: tuple[tuple[int, int], ...] = ((0, 0),)

    def find_outer(self, offset: int) -> int:
        """Return the offset in the body of the page of an offset in this text."""
        inner, outer = max(line for line in self.lines if line[0] <= offset)
        return outer + offset - inner


def split_page(source: Source) -> Iterator[TextPart]:
    """Yield the body of a page with `markdown: material`, and the Markdown texts within it."""
    yield TextPart(source)
    for construct in source.constructs:
        if construct.syntax in _INDENTED:
            width = construct.column - 1 + INDENT
            yield _cut(source, construct.first + 1, construct.last, width)
    for node in source.tree.walk():
        if node.kind is NodeKind.HTML_BLOCK and _MARKDOWN.match(source.body, node.start):
            first = source.at_body(node.start).line + 1
            yield _cut(source, first, source.at_body(node.end).line, 0)


def _cut(source: Source, first: int, last: int, width: int) -> TextPart:
    """Return lines of a page as a text of its own, with `width` columns of indentation less."""
    texts, outer_starts = [], []
    for number in range(first, last + 1):
        line = source.line(number)
        end = columns = 0
        while columns < width and line[end : end + 1] in (" ", "\t"):
            columns += INDENT if line[end] == "\t" else 1
            end += 1
        texts.append(line[end:])
        outer_starts.append(source.offset_of(number) - source.body_offset + end)
    inner_starts = accumulate((len(text) + 1 for text in texts), initial=0)
    starts = tuple(zip(inner_starts, outer_starts, strict=False))
    return TextPart(read_page_body(source.path, "\n".join(texts)), starts)


def find_addresses(source: Source) -> Iterator[tuple[int, str]]:
    """Yield the offset and the text of each `href` and `src` in the HTML of a body."""
    for token in _find_tokens(source):
        if not token[0].startswith("<!--"):
            for match in _ATTRIBUTE.finditer(source.body, *token.span()):
                if match["name"].lower() in _ADDRESSES:
                    yield match.start(match.lastindex or 0), match[match.lastindex or 0]


def find_html_texts(source: Source) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each text in the HTML of a body, also of titles.

    Code and comments are left out.
    """
    for node in source.tree.walk():
        if node.kind not in _HTML:
            continue
        position = node.start
        for token in _TOKEN.finditer(source.body, node.start, node.end):
            yield position, token.start()
            position = token.end()
            if not token[0].startswith("<!--") and not token["code"]:
                for match in _ATTRIBUTE.finditer(source.body, *token.span()):
                    if match["name"].lower() not in _ADDRESSES:
                        yield match.span(match.lastindex or 0)
        yield position, node.end


def _find_tokens(source: Source) -> Iterator[re.Match[str]]:
    for node in source.tree.walk():
        if node.kind in _HTML:
            yield from _TOKEN.finditer(source.body, node.start, node.end)
