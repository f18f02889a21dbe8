"""Blocks of a Markdown body, and the links, ids and sections in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from handbook.diagnostics import Location

SNIPPET: Final = re.compile(
    r"^[ \t]*-{1,}8<-{1,} \"(?P<path>[^\":]+)(?::(?P<section>[^\"]+))?\"[ \t]*$", re.MULTILINE
)
"""A line that includes a file, or a section of one (pymdownx.snippets)."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A block of the body.

    `first` and `last` are lines of the file. `parent` is the list, item or quotation around it.
    `start` is the offset of the block in the body. `Source.node_of` finds its node by it.
    """

    first: int
    last: int
    parent: Block | None
    start: int


@dataclass(frozen=True, slots=True, eq=False)
class Paragraph(Block):
    """Text as in the file, line by line."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Heading(Block):
    """A heading: `text` without its marks, `id` as its anchor, `setext` if it is underlined.

    `old_id` is the anchor of a repeated heading before ADR-0021: `same_1` for `same-1`.
    """

    level: int
    text: str
    id: str
    setext: bool
    old_id: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class List(Block):
    """A list. It is the parent of its items."""

    ordered: bool


@dataclass(frozen=True, slots=True, eq=False)
class Item(Block):
    """An item of a list."""


@dataclass(frozen=True, slots=True, eq=False)
class Quote(Block):
    """A quotation, or a callout: `callout` is its kind, such as WARNING, or empty."""

    callout: str


@dataclass(frozen=True, slots=True, eq=False)
class Code(Block):
    """A block of code.

    `info` is the text after the fence. `closed` is False if the fence never ends.
    """

    info: str
    text: str
    fenced: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class RowSpan:
    """Offsets of a table row in the body: its start and end, and its cells."""

    start: int
    cells: tuple[int, ...]
    cells_end: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Table(Block):
    """A table: the cells of its head and of its rows, as in the file.

    `spans` has the offsets of the head and of each row.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    spans: tuple[RowSpan, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Html(Block):
    """A block of raw HTML, comments included."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Break(Block):
    """A horizontal rule."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link or an image, with its target as written."""

    target: str
    image: bool
    at: Location


@dataclass(frozen=True, slots=True)
class Mention:
    """An id in prose, outside code and links: `ADR-0023`."""

    id: str
    at: Location


@dataclass(frozen=True, slots=True)
class LooseText:
    """A text, as in the file, that looks like a link but is not one."""

    text: str
    at: Location


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and the lines up to the next heading of its level or above.

    `last` is the last of these lines. `filled` says whether they have text.
    """

    heading: Heading
    last: int
    filled: bool
