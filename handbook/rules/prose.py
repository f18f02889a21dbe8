"""Read the prose of a document for rules that compare it with other statements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from handbook.diagnostics import Finding, Location
from handbook.reading.blocks import Block, Paragraph, Quote
from handbook.records import Document, Record

_MARKUP: Final = re.compile(
    r"<!--.*?(?:-->|\Z)"  # a comment
    r"|\]\([^()\n]{0,500}\)"  # the target of a link
    r"|(?P<ticks>`+)(?:(?P<word>[A-Za-z_]\w{0,200})|[^`]{1,500})(?P=ticks)"  # code
    r"|(?<!\w)\"[^\"]{1,300}\"|“[^”]{1,300}”"  # words of others
    r"|[*`\[~]",
    re.DOTALL,
)
_SENTENCE_END: Final = re.compile(r"[.!?](?=\s)")
_CONTEXT_LENGTH: Final = 200
"""The number of characters before and after a value that a rule reads."""


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph of a document. In `text`, spaces replace Markdown marks, code and quotations.

    The text has the same length as the paragraph.
    """

    document: Document
    paragraph: Paragraph
    text: str

    def at(self, offset: int) -> Location:
        """Return the location of an offset in the text."""
        source = self.document.source
        line = self.paragraph.first + self.text.count("\n", 0, offset)
        rest = self.paragraph.text[offset:].partition("\n")[0]
        return source.at(line, max(source.line(line).find(rest), 0) + 1)

    def before(self, offset: int) -> str:
        """Return the part of a sentence before an offset, with single spaces."""
        window = self.text[max(0, offset - _CONTEXT_LENGTH) : offset]
        ends = [match.end() for match in _SENTENCE_END.finditer(window)]
        return " ".join(window[ends[-1] if ends else 0 :].split())

    def line_before(self, offset: int) -> str:
        """Return the part of a line before an offset, with single spaces."""
        return " ".join(self.text[:offset].rpartition("\n")[2].split())

    def after(self, offset: int) -> str:
        """Return the text after an offset, with single spaces.

        It begins with a space if the text does.
        """
        window = self.text[offset : offset + _CONTEXT_LENGTH]
        return (" " if window[:1].isspace() else "") + " ".join(window.split())


def read_prose(
    document: Record, words: Sequence[str], *, section: str | None = None
) -> Iterator[Prose]:
    """Yield the paragraphs of a record, or of one section, except those in quotations.

    Each paragraph contains at least one of the words, which are in lower case. This cheap test
    comes before the regular expressions.
    """
    if not contains_any(document.source.text, words):
        return
    blocks: tuple[Block, ...] | Iterator[Block] = (
        document.source.blocks_of(Paragraph)
        if section is None
        else document.section_blocks(section)
    )
    for block in blocks:
        if (
            isinstance(block, Paragraph)
            and contains_any(block.text, words)
            and not _is_quoted(block)
        ):
            yield Prose(document, block, clear_markup(block.text))


def contains_any(text: str, words: Sequence[str]) -> bool:
    """Return whether a text contains one of several words, which are in lower case."""
    return any(map(text.lower().__contains__, words))


def clear_markup(text: str) -> str:
    """Replace Markdown marks, code and quotations by spaces. The length does not change.

    Code of one word, such as the name of an alert, stays.
    """
    return _MARKUP.sub(_clear, text)


def _clear(match: re.Match[str]) -> str:
    if word := match["word"]:
        ticks = " " * len(match["ticks"])
        return f"{ticks}{word}{ticks}"
    return re.sub(r"[^\n]", " ", match[0])


def _is_quoted(block: Block) -> bool:
    parent = block.parent
    while parent:
        if isinstance(parent, Quote) and not parent.callout:
            return True
        parent = parent.parent
    return False


def make_contradiction(
    at: Location, statement: str, fact: str, fact_at: Location, hint: str
) -> Finding:
    """Make the finding for a statement that contradicts a fact in another place."""
    return Finding(at, f"{statement} contradicts {fact} ({fact_at.path}:{fact_at.line})", hint)
