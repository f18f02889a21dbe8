"""A Markdown file as text with a position for everything in it: its front matter, and the blocks of its body."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, zip_longest
from typing import Final, TypeVar

from frontmatter.default_handlers import YAMLHandler

from handbook.diagnostics import Finding, Location
from handbook.reading import nodes
from handbook.reading.blocks import (
    Block,
    Code,
    Heading,
    Item,
    Link,
    LooseText,
    Mention,
    Paragraph,
    Section,
    Table,
)
from handbook.reading.body import read_body
from handbook.reading.files import decode
from handbook.reading.ids import RULE_ITEM, anchor
from handbook.reading.material import Construct, find_constructs
from handbook.reading.parser import DEEPEST, MarkdownNode, NodeKind, TooDeepError, parse
from handbook.reading.policy import Replacement
from handbook.reading.raw_html import FaultyTag, read_html

_FENCE: Final = re.compile(r"^---[ \t]*$", re.MULTILINE)
_FRONT_MATTER: Final = YAMLHandler(fm_boundary=_FENCE)
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The YAML at the head of a file: its mapping, and the place of the closing line."""

    mapping: nodes.Mapping
    end: Location


_NODE_KINDS: Final[Mapping[type[Block], tuple[NodeKind, ...]]] = {
    Heading: (NodeKind.HEADING,),
    Paragraph: (NodeKind.PARAGRAPH, NodeKind.PLAIN),
    Table: (NodeKind.TABLE,),
}

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
    replacements: tuple[Replacement, ...] = ()
    """The values of the policy in the text, which stand for their names in the file."""
    is_parsed: bool = False
    """Whether the body was read. It is not where the file could not be read, and where another parser renders it."""
    blocks: tuple[Block, ...] = ()
    links: tuple[Link, ...] = ()
    mentions: tuple[Mention, ...] = ()
    has_html: bool = False
    loose: tuple[LooseText, ...] = ()
    """Text that is written as a link by reference or a footnote, `[text][name]`, and has no definition."""

    @property
    def body(self) -> str:
        """The text below the front matter; it begins with the end of the line of the closing `---`."""
        return self.text[self.body_at :]

    def without_body(self) -> Source:
        """This file with its text and title, but with nothing else of its body: another parser renders it."""
        blocks = (self.title_heading,) if self.title_heading else ()
        return replace(
            self, is_parsed=False, blocks=blocks, links=(), mentions=(), loose=(), has_html=False
        )

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
        return (
            self.text[starts[number - 1] : starts[number] - 1] if 0 < number < len(starts) else ""
        )

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
            (RULE_ITEM.match(block.text), block)
            for block in self.every(Paragraph)
            if isinstance(block.parent, Item)
        )
        return tuple(
            (match[1], block)
            for match, block in found
            if match and block.parent and block.first == block.parent.first
        )

    @cached_property
    def anchors(self) -> frozenset[str]:
        """The ids that a link into this file can name, old ones of repeated headings among them."""
        ids = {id for heading in self.headings for id in (heading.id, heading.old_id) if id}
        return frozenset(ids | {anchor(id) for id, _ in self.marked})

    @property
    def anchors_below_title(self) -> frozenset[str]:
        """The ids that a link can name on a page that shows this file without its title."""
        heading = self.title_heading
        return self.anchors - {heading.id} if heading else self.anchors

    @cached_property
    def constructs(self) -> tuple[Construct, ...]:
        """The pieces of Material's syntax, which the site prints as text."""
        return find_constructs(self.split_lines(), self.body_line, self.blocks)

    @cached_property
    def construct_lines(self) -> frozenset[int]:
        """The lines that belong to a piece of Material's syntax."""
        return frozenset(line for construct in self.constructs for line in construct.covered_lines)

    @cached_property
    def faulty_tags(self) -> tuple[tuple[Location, FaultyTag], ...]:
        """The tags of raw HTML that no page of a record shows as they were written, with their places."""
        faults = read_html(self.body, self.tree).faults if self.has_html else ()
        return tuple((self.at_body(tag.offset), tag) for tag in faults)

    @cached_property
    def tree(self) -> MarkdownNode:
        """The tree of the body. It is the one that the blocks were read from: that was not kept, to save memory."""
        return parse(self.body if self.is_parsed else "")

    @cached_property
    def _nodes(self) -> Mapping[tuple[NodeKind, int], MarkdownNode]:
        return {(node.kind, node.start): node for node in self.tree.walk()}

    def node_of(self, block: Heading | Paragraph | Table) -> MarkdownNode:
        """The node of a block."""
        kinds = _NODE_KINDS[type(block)]
        return next(node for kind in kinds if (node := self._nodes.get((kind, block.start))))

    def at_body(self, offset: int) -> Location:
        """The place of a character of the body."""
        return self.at_offset(self.body_at + offset)

    def at_offset(self, offset: int) -> Location:
        """The place of a character of the text."""
        line = bisect_right(self._starts, offset)
        return self.at(line, offset - self._starts[line - 1] + 1)

    @property
    def title_heading(self) -> Heading | None:
        """The first H1, or None."""
        return next((heading for heading in self.headings if heading.level == 1), None)

    @property
    def title(self) -> str | None:
        """The text of the first H1, or None."""
        heading = self.title_heading
        return heading.text if heading else None

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

    Bytes that are not UTF-8, and a body that is nested too deeply, give one with a problem and no text.
    """
    text = decode(path, data)
    if isinstance(text, Finding):
        return Source(path, "", problem=text)
    front_matter, problem, body, body_line = _split(path, text)
    return _with_body(
        Source(path, text, front_matter, len(text) - len(body), body_line, problem), body
    )


def read_page_body(path: str, body: str) -> Source:
    """The source of a page whose Markdown a template has written; it has no front matter."""
    return _with_body(Source(path, body), body)


def _with_body(source: Source, body: str) -> Source:
    try:
        read = read_body(source.path, body, source.body_line)
    except TooDeepError as error:
        at = source.at(body.count("\n", 0, error.offset) + source.body_line)
        hint = f"at most {DEEPEST} lists, items, quotations and marks can be in one another"
        return Source(source.path, "", problem=source.problem or Finding(at, str(error), hint))
    return replace(
        source,
        is_parsed=True,
        blocks=read.blocks,
        links=read.links,
        mentions=read.mentions,
        has_html=read.has_html,
        loose=read.loose,
    )


def _split(path: str, text: str) -> tuple[FrontMatter | None, Finding | None, str, int]:
    """Front matter, what is wrong with it, the body, and the line that the body begins on."""
    if not _FRONT_MATTER.detect(text):
        return None, None, text, 1
    try:
        head, body = _FRONT_MATTER.split(text)
    except ValueError:
        problem = Finding(
            Location(path, 1),
            "the front matter has no closing '---'",
            "add a line '---' after its last key",
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
        problem = Finding(
            mapping.at,
            "the front matter is not a mapping of keys to values",
            "write 'key: value' lines",
        )
        return None, problem, body, body_line
    return FrontMatter(mapping, end), None, body, body_line
