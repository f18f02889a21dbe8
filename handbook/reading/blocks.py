"""Data classes for the content of a Markdown body: blocks, links, ids and sections."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from handbook.diagnostics import Location

SNIPPET: Final = re.compile(
    r"^[ \t]*-{1,}8<-{1,} \"(?P<path>[^\":]+)(?::(?P<section>[^\"]+))?\"[ \t]*$", re.MULTILINE
)
"""A line of code that includes a file, or one section of a file (pymdownx.snippets)."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A block of a Markdown body, such as a paragraph or a list.

    - `first` and `last`: the first and the last line of the block in the file.
    - `parent`: the list, list item or block quote that contains the block, or None.
    - `start`: the offset of the block in the body. `Source.node_of` uses it to find the parsed
      node of the block.
    """

    first: int
    last: int
    parent: Block | None
    start: int


@dataclass(frozen=True, slots=True, eq=False)
class Paragraph(Block):
    """A paragraph. `text` is its Markdown, with the line breaks of the file."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Heading(Block):
    """A heading.

    - `text`: the text of the heading without Markdown marks.
    - `id`: the anchor of the heading.
    - `setext`: True if a line of `=` or `-` below the text makes it a heading.
    - `old_id`: the anchor before ADR-0021 if the file repeats the heading, such as `same_1` for
      `same-1`, or else None.
    """

    level: int
    text: str
    id: str
    setext: bool
    old_id: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class List(Block):
    """A list. It is the parent of its list items."""

    ordered: bool


@dataclass(frozen=True, slots=True, eq=False)
class Item(Block):
    """A list item."""

    @property
    def is_nested(self) -> bool:
        """True if the list of the item is in another list item or in a block quote."""
        return self.parent is not None and self.parent.parent is not None


@dataclass(frozen=True, slots=True, eq=False)
class Quote(Block):
    """A block quote or a callout.

    `callout` is the kind of the callout, such as WARNING, or "" for a block quote.
    """

    callout: str


@dataclass(frozen=True, slots=True, eq=False)
class Code(Block):
    """A block of code.

    `info` is the text after the opening fence. `closed` is False if the closing fence is missing.
    """

    info: str
    text: str
    fenced: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class RowSpan:
    """The offsets of a table row in the body.

    `cells` has the start of each cell, and `cells_end` is the end of the last cell.
    """

    start: int
    cells: tuple[int, ...]
    cells_end: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Table(Block):
    """A table, with its cells as Markdown.

    `spans` has the offsets of the head row, and then of each other row.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    spans: tuple[RowSpan, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Html(Block):
    """A block of raw HTML or an HTML comment."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Break(Block):
    """A horizontal line (`---`)."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link or an image.

    - `target`: the address that the author wrote.
    - `text`: the text of the link without Markdown marks, or the alternative text of the image.
    - `has_image`: True if the text of the link contains an image.
    """

    target: str
    image: bool
    at: Location
    text: str = ""
    has_image: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """An id in the text, such as `ADR-0023`. Ids in code and in links are not mentions."""

    id: str
    at: Location


@dataclass(frozen=True, slots=True)
class UndefinedLink:
    """Text in the form of a link or a footnote, such as `[text][name]`, without a definition."""

    text: str
    at: Location


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a file: its heading, and the lines up to the next heading of its level or above.

    `last` is the last line of the section. `filled` is True if the section has text.
    """

    heading: Heading
    last: int
    filled: bool
