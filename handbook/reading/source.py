"""A Markdown file as text with a position for everything in it: its front matter, and the blocks of its body."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, zip_longest
from typing import Final, TypeVar

from frontmatter.default_handlers import YAMLHandler

from handbook.diagnostics import Finding, Location
from handbook.reading import nodes
from handbook.reading.blocks import Block, Code, Heading, Item, Link, Mention, Paragraph, Section, Table, Tag
from handbook.reading.files import decode
from handbook.reading.ids import RULE_ITEM, anchor
from handbook.reading.material import Construct, find_constructs
from handbook.reading.parser import BodyReader, TooMuchError

_FENCE: Final = re.compile(r"^---[ \t]*$", re.MULTILINE)
_FRONT_MATTER: Final = YAMLHandler(fm_boundary=_FENCE)
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The YAML at the head of a file: its mapping, and the place of the closing line."""

    mapping: nodes.Mapping
    end: Location


B = TypeVar("B", bound=Block)


@dataclass(frozen=True)
class Source:
    """One Markdown file. Nothing of it is lost: what could not be read is in `problem`."""

    path: str
    text: str
    front_matter: FrontMatter | None = None
    body_at: int = 0
    """The offset at which the body begins: behind the closing `---`, whose line is `body_line`."""
    body_line: int = 1
    problem: Finding | None = None
    blocks: tuple[Block, ...] = ()
    links: tuple[Link, ...] = ()
    mentions: tuple[Mention, ...] = ()
    tags: tuple[Tag, ...] = ()
    loose: tuple[Tag, ...] = ()
    """Text that is written as a link by reference or a footnote, `[text][name]`, and has no definition."""

    @property
    def body(self) -> str:
        """The text below the front matter; it begins with the end of the line of the closing `---`."""
        return self.text[self.body_at :]

    def split_lines(self) -> tuple[str, ...]:
        """The lines of the file without their ends; line 1 is the first."""
        return tuple(self.text.split("\n"))

    @cached_property
    def _starts(self) -> array[int]:
        """The offsets at which lines begin, and one for the end; they take a tenth of the memory of the lines."""
        return array("I", accumulate((len(line) + 1 for line in self.split_lines()), initial=0))

    @property
    def last_line(self) -> int:
        """The number of the last line that holds something, at least 1."""
        return len(self.text.rstrip().split("\n"))

    def line(self, number: int) -> str:
        """The text of a line of the file, counted from 1; empty outside the file."""
        starts = self._starts
        return self.text[starts[number - 1] : starts[number] - 1] if 0 < number < len(starts) else ""

    def at(self, line: int, column: int = 1) -> Location:
        """A place in this file."""
        return Location(self.path, line, column)

    def every(self, kind: type[B]) -> Iterator[B]:
        """The blocks of one class, in the order of the file."""
        yield from self._by_class.get(kind, ())  # type: ignore[misc]

    @cached_property
    def _by_class(self) -> Mapping[type[Block], list[Block]]:
        """The blocks by their class; none is of two."""
        blocks: dict[type[Block], list[Block]] = defaultdict(list)
        for block in self.blocks:
            blocks[type(block)].append(block)
        return blocks

    @cached_property
    def headings(self) -> tuple[Heading, ...]:
        """The headings, in the order of the file."""
        return tuple(self.every(Heading))

    @cached_property
    def marked(self) -> tuple[tuple[str, Paragraph], ...]:
        """The items of lists that begin with an id in bold, `- **STD-05.3** …`: id and first paragraph."""
        found = (
            (RULE_ITEM.match(block.text), block) for block in self.every(Paragraph) if isinstance(block.parent, Item)
        )
        return tuple(
            (match[1], block) for match, block in found if match and block.parent and block.first == block.parent.first
        )

    @cached_property
    def anchors(self) -> frozenset[str]:
        """The ids that a link into this file can name."""
        return frozenset({heading.id for heading in self.headings} | {anchor(id) for id, _ in self.marked})

    @cached_property
    def constructs(self) -> tuple[Construct, ...]:
        """The pieces of Material's syntax, which the site prints as text."""
        return find_constructs(self.split_lines(), self.body_line, self.blocks)

    @cached_property
    def construct_lines(self) -> frozenset[int]:
        """The lines that belong to a piece of Material's syntax."""
        return frozenset(line for construct in self.constructs for line in construct.covered_lines)

    @property
    def title(self) -> str | None:
        """The text of the first H1, or None."""
        return next((heading.text for heading in self.headings if heading.level == 1), None)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The sections that the H2s open."""
        return tuple(self._read_sections())

    def _read_sections(self) -> Iterator[Section]:
        outer = [heading for heading in self.headings if heading.level <= 2]
        for heading, after in zip_longest(outer, outer[1:]):
            if heading.level == 2:
                end = after.first - 1 if after else len(self._starts) - 1
                yield Section(heading, end, any(self._text_within(heading.last + 1, end)))

    def _text_within(self, first: int, last: int) -> Iterator[bool]:
        begin = bisect_left(self.blocks, first, key=lambda block: block.first)
        for block in map(self.blocks.__getitem__, range(begin, len(self.blocks))):
            if block.first > last:
                return
            if isinstance(block, Paragraph | Code):
                yield bool(_COMMENT.sub("", block.text).strip())
            elif isinstance(block, Table):
                yield bool(block.rows)


def read_source(path: str, data: bytes) -> Source:
    """The source that the bytes of a file stand for.

    Bytes that are not UTF-8, and a body that is nested too deeply or has too long a paragraph, give one with a problem
    and no text: of such a body the parsers read only a part, or take minutes.
    """
    text = decode(path, data)
    if isinstance(text, Finding):
        return Source(path, "", problem=text)
    front_matter, problem, body, body_line = _split(path, text)
    reader = BodyReader(path, body, body_line)
    try:
        reader.read()
    except TooMuchError as error:
        at = Location(path, error.line + body_line)
        return Source(path, "", problem=problem or Finding(at, str(error), error.hint))
    return Source(
        path=path,
        text=text,
        front_matter=front_matter,
        body_at=len(text) - len(body),
        body_line=body_line,
        problem=problem,
        blocks=tuple(reader.blocks),
        links=tuple(reader.links),
        mentions=tuple(reader.mentions),
        tags=tuple(reader.tags),
        loose=tuple(reader.loose),
    )


def _split(path: str, text: str) -> tuple[FrontMatter | None, Finding | None, str, int]:
    """Front matter, what is wrong with it, the body, and the line that the body begins on."""
    if not _FRONT_MATTER.detect(text):
        return None, None, text, 1
    try:
        head, body = _FRONT_MATTER.split(text)
    except ValueError:
        problem = Finding(
            Location(path, 1), "the front matter has no closing '---'", "add a line '---' after its last key"
        )
        return None, problem, text, 1
    end = Location(path, head.count("\n") + 1)
    body_line = end.line
    try:
        mapping = nodes.parse(head, path)
    except nodes.YamlError as error:
        return None, error.finding, body, body_line
    if mapping is None:
        mapping = nodes.Mapping((), Location(path, 1))
    if not isinstance(mapping, nodes.Mapping):
        problem = Finding(mapping.at, "the front matter is not a mapping of keys to values", "write 'key: value' lines")
        return None, problem, body, body_line
    return FrontMatter(mapping, end), None, body, body_line
