"""Read the front matter and the body of a Markdown file, with locations."""

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
    Mention,
    Paragraph,
    Section,
    Table,
    UndefinedLink,
)
from handbook.reading.body import Body, find_items_with_ids, read_body
from handbook.reading.files import decode, make_conflict_finding
from handbook.reading.ids import anchor
from handbook.reading.kept_results import find_results, make_key
from handbook.reading.material import Construct, find_constructs
from handbook.reading.outline import OutlinedBody, make_outline
from handbook.reading.parser import DEEPEST, MarkdownNode, NodeKind, TooDeepError, parse
from handbook.reading.placeholders import find_placeholder
from handbook.reading.policy import Replacement
from handbook.reading.raw_html import FaultyTag, read_html

_FENCE: Final = re.compile(r"^---[ \t]*$", re.MULTILINE)
_FRONT_MATTER: Final = YAMLHandler(fm_boundary=_FENCE)
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CONFLICT_MIDDLE: Final = "======="
"""The line of Git between the versions of a merge conflict, if it underlines no heading."""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The front matter of a file. `end` is the location of its closing `---`."""

    mapping: nodes.Mapping
    end: Location


_NODE_KINDS: Final[Mapping[type[Block], tuple[NodeKind, ...]]] = {
    Heading: (NodeKind.HEADING,),
    Paragraph: (NodeKind.PARAGRAPH, NodeKind.PLAIN),
    Table: (NodeKind.TABLE,),
    Item: (NodeKind.ITEM,),
}

B = TypeVar("B", bound=Block)
_NO_CONTENT: Final = Body()


@dataclass(frozen=True)
class Source:
    """A Markdown file: its text, its front matter and its parsed body.

    `problem` is a finding if the file or its front matter is unreadable, or else None.
    """

    path: str
    text: str
    front_matter: FrontMatter | None = None
    body_offset: int = 0
    """The offset of the body, directly after the closing `---` of the front matter.

    `body_line` is the line of the closing `---`, or 1 if the file has no front matter.
    """
    body_line: int = 1
    problem: Finding | None = None
    replacements: tuple[Replacement, ...] = ()
    """The policy values that replaced expressions such as `{{ policy.a.b }}` of the file."""
    is_parsed: bool = False
    """True if this package parsed the body.

    It is False if the file is unreadable, or if the engine renders the page with Python-Markdown.
    """
    content: Body | OutlinedBody = _NO_CONTENT
    """The content of the body."""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks, in the order of the file. The first access can parse the body."""
        return self.content.blocks

    @property
    def headings(self) -> tuple[Heading, ...]:
        """The headings, in the order of the file."""
        return self.content.headings

    @property
    def links(self) -> tuple[Link, ...]:
        """The links and images, in the order of the file."""
        return self.content.links

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """The ids in the text, in the order of the file."""
        return self.content.mentions

    @property
    def undefined_links(self) -> tuple[UndefinedLink, ...]:
        """Texts in the form of a link or a footnote without a definition."""
        return self.content.undefined_links

    @property
    def has_html(self) -> bool:
        """True if the body has raw HTML or an HTML comment."""
        return self.content.has_html

    @property
    def body(self) -> str:
        """The text after the closing `---` of the front matter. It begins with a line end."""
        return self.text[self.body_offset :]

    def without_body(self) -> Source:
        """Return this file with only the title of its body, because Python-Markdown renders it."""
        blocks = (self.title_heading,) if self.title_heading else ()
        return replace(self, is_parsed=False, content=Body(blocks))

    def split_lines(self) -> tuple[str, ...]:
        """Return the lines of the file without their line ends."""
        return tuple(self.text.split("\n"))

    @cached_property
    def _line_starts(self) -> array[int]:
        """The offset of each line and of the end of the text.

        The offsets need a tenth of the memory of a list of lines.
        """
        return array("I", accumulate((len(line) + 1 for line in self.split_lines()), initial=0))

    @property
    def last_line(self) -> int:
        """The number of the last line that is not blank, at least 1."""
        return len(self.text.rstrip().split("\n"))

    def line(self, number: int) -> str:
        """Return a line by its number, counted from 1. Returns "" if the line does not exist."""
        starts = self._line_starts
        return (
            self.text[starts[number - 1] : starts[number] - 1] if 0 < number < len(starts) else ""
        )

    def offset_of(self, line: int) -> int:
        """Return the offset of the start of a line, counted from 1, in the text of the file."""
        return self._line_starts[line - 1]

    def at(self, line: int, column: int = 1) -> Location:
        """Return a location in this file."""
        return Location(self.path, line, column)

    def blocks_of(self, kind: type[B]) -> Iterator[B]:
        """Yield the blocks of a class, such as Paragraph, in the order of the file."""
        yield from self._blocks_by_class.get(kind, ())  # type: ignore[misc]

    @cached_property
    def _blocks_by_class(self) -> Mapping[type[Block], list[Block]]:
        """The blocks by their exact class."""
        blocks: dict[type[Block], list[Block]] = defaultdict(list)
        for block in self.blocks:
            blocks[type(block)].append(block)
        return blocks

    def find_placeholders(self, block: Block) -> Iterator[tuple[Location, str]]:
        """Yield the first placeholder of a text block, or of each cell of a table."""
        if isinstance(block, Table):
            for row, span in zip((block.head, *block.rows), block.spans, strict=True):
                for cell, start in zip(row, span.cells, strict=True):
                    if placeholder := find_placeholder(cell):
                        at = self.at_body(start)
                        yield self.at(at.line, at.column + placeholder.offset), placeholder.text
        elif isinstance(block, (Paragraph, Heading)):
            text = "\n".join(map(self.line, range(block.first, block.last + 1)))
            if placeholder := find_placeholder(text):
                line = block.first + text.count("\n", 0, placeholder.offset)
                column = placeholder.offset - text.rfind("\n", 0, placeholder.offset)
                yield self.at(line, column), placeholder.text

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The ids of list items such as `- **STD-05.3** …`."""
        return self.content.item_ids

    @cached_property
    def items_with_ids(self) -> tuple[tuple[str, Paragraph], ...]:
        """The id and the first paragraph of each list item such as `- **STD-05.3** …`."""
        return tuple(find_items_with_ids(self.blocks))

    @cached_property
    def anchors(self) -> frozenset[str]:
        """The anchors of headings and list items. Old anchors of repeated headings are included."""
        ids = {id for heading in self.headings for id in (heading.id, heading.old_id) if id}
        return frozenset(ids | set(map(anchor, self.item_ids)))

    @property
    def anchors_below_title(self) -> frozenset[str]:
        """The anchors on a page that includes this file without its title."""
        heading = self.title_heading
        return self.anchors - {heading.id} if heading else self.anchors

    @cached_property
    def constructs(self) -> tuple[Construct, ...]:
        """The Markdown extensions of Material in the body. The site does not render them."""
        return find_constructs(self.split_lines(), self.body_line, self.blocks)

    @cached_property
    def construct_lines(self) -> frozenset[int]:
        """The numbers of the lines of `constructs`."""
        return frozenset(line for construct in self.constructs for line in construct.covered_lines)

    @cached_property
    def faulty_tags(self) -> tuple[tuple[Location, FaultyTag], ...]:
        """The faulty HTML tags of the body, with their locations."""
        faults = read_html(self.body, self.tree).faults if self.has_html else ()
        return tuple((self.at_body(tag.offset), tag) for tag in faults)

    @cached_property
    def tree(self) -> MarkdownNode:
        """The root node of the body.

        This property parses the body a second time. To store every tree would need much memory.
        """
        return parse(self.body if self.is_parsed else "")

    @cached_property
    def rendered_headings(self) -> dict[int, str]:
        """The results of `render_heading` by the start of the heading."""
        return {}

    def node_of(self, block: Heading | Paragraph | Table | Item) -> MarkdownNode:
        """Return the parsed Markdown node of a block."""
        nodes = self.tree.children
        kinds = _NODE_KINDS[type(block)]
        while True:
            # A block begins before its inner blocks, so the last node that begins early enough is
            # the node of the block or contains it.
            node = nodes[bisect_right(nodes, block.start, key=lambda node: node.start) - 1]
            if node.start == block.start and node.kind in kinds:
                return node
            nodes = node.children

    def at_body(self, offset: int) -> Location:
        """Return the location of an offset in the body."""
        return self.at_offset(self.body_offset + offset)

    def at_offset(self, offset: int) -> Location:
        """Return the location of an offset in the text of the file."""
        line = bisect_right(self._line_starts, offset)
        return self.at(line, offset - self._line_starts[line - 1] + 1)

    @cached_property
    def title_heading(self) -> Heading | None:
        """The first H1, or None if the file has no H1."""
        return next((heading for heading in self.headings if heading.level == 1), None)

    @property
    def title(self) -> str | None:
        """The text of the first H1, or None if the file has no H1."""
        heading = self.title_heading
        return heading.text if heading else None

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The sections of the file, one for each H2."""
        return tuple(self._read_sections(2))

    @cached_property
    def subsections(self) -> tuple[Section, ...]:
        """The parts of sections, one for each H3. Each ends before the next H1, H2 or H3."""
        return tuple(self._read_sections(3))

    def _read_sections(self, level: int) -> Iterator[Section]:
        outer_headings = [heading for heading in self.headings if heading.level <= level]
        for heading, next_heading in zip_longest(outer_headings, outer_headings[1:]):
            if heading.level == level:
                end = next_heading.first - 1 if next_heading else len(self._line_starts) - 1
                yield Section(heading, end, any(self._find_text(heading.last + 1, end)))

    def _find_text(self, first: int, last: int) -> Iterator[bool]:
        """Yield True or False for each block between two lines: whether it has text."""
        begin = bisect_left(self.blocks, first, key=lambda block: block.first)
        for block in map(self.blocks.__getitem__, range(begin, len(self.blocks))):
            if block.first > last:
                return
            if isinstance(block, Paragraph):
                yield bool(_COMMENT.sub("", block.text).strip())
            elif isinstance(block, Code):
                yield bool(block.text.strip())
            elif isinstance(block, Table):
                yield bool(block.rows)


def read_source(path: str, data: bytes) -> Source:
    """Read a Markdown file from its bytes.

    If the bytes are not UTF-8, or if the body is nested too deeply, the result has a problem and no
    text.
    """
    text = decode(path, data)
    if isinstance(text, Finding):
        return Source(path, "", problem=text)
    front_matter, problem, body, body_line = _split(path, text)
    return _add_body(
        Source(path, text, front_matter, len(text) - len(body), body_line, problem), body
    )


def read_page_body(path: str, body: str) -> Source:
    """Read a page from Markdown that a template produced. It has no front matter."""
    return _add_body(Source(path, body), body)


def _add_body(source: Source, body: str) -> Source:
    kept = find_results()
    key = make_key("outline", source.text) if kept else ""
    if kept and (outline := kept.find_outline(key)):
        content = OutlinedBody(source.path, body, source.body_line, outline)
        return replace(source, is_parsed=True, content=content)
    try:
        read = read_body(source.path, body, source.body_line)
    except TooDeepError as error:
        at = source.at(body.count("\n", 0, error.offset) + source.body_line)
        hint = f"nest at most {DEEPEST} lists, items, quotations and emphasis marks"
        return Source(source.path, "", problem=source.problem or Finding(at, str(error), hint))
    for block in read.blocks:
        if isinstance(block, Paragraph) and block.text.partition("\n")[0] == _CONFLICT_MIDDLE:
            problem = make_conflict_finding(source.at(block.first), _CONFLICT_MIDDLE)
            return Source(source.path, "", problem=source.problem or problem)
    if kept and (new_outline := make_outline(read)):
        kept.outlines[key] = new_outline
    return replace(source, is_parsed=True, content=read)


def _split(path: str, text: str) -> tuple[FrontMatter | None, Finding | None, str, int]:
    """Split the text of a file.

    Returns the front matter or None, its problem or None, the body, and the first line of the body.
    """
    if not _FRONT_MATTER.detect(text):
        return None, None, text, 1
    try:
        head, body = _FRONT_MATTER.split(text)
    except ValueError:
        problem = Finding(
            Location(path, 1),
            "front matter without a closing '---'",
            "add a line '---' after the last key",
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
            "front matter that is not a mapping of keys to values",
            "write 'key: value' lines",
        )
        return None, problem, body, body_line
    return FrontMatter(mapping, end), None, body, body_line
