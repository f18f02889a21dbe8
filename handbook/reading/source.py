"""A Markdown file as text with a position for everything in it.

The front matter is read in one pass (`nodes`), the body through markdown-it-py's tokens, which follow CommonMark with
GitHub's tables: what stands in a code fence or a comment is neither a heading nor a link. The tokens give lines; the
columns of links, images and code are taken where the inline parser stands when it makes their tokens.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, zip_longest
from typing import Any, Final, TypeVar

from frontmatter.default_handlers import YAMLHandler
from markdown_it import MarkdownIt, rules_block, rules_inline
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from pymdownx.slugs import slugify

from handbook.diagnostics import Finding, Location
from handbook.reading import nodes
from handbook.reading.files import decode

# What may not stand before the first letter is looked at after it, so that a search need only stop at capitals.
ID: Final = re.compile(r"[A-Z](?<![\w./-][A-Z])[A-Z0-9]{1,9}-[0-9]{1,4}(?:\.[0-9]{1,3})?(?![\w-])")
"""How an id of a record, a rule of a standard or an item of the checklist is written in prose."""

EXPLICIT_ID: Final = re.compile(r"\s+\{#([A-Za-z][\w.-]*)\}\s*$")
"""An id that an author gives to a heading, at its end."""

RULE_ITEM: Final = re.compile(rf"\*\*({ID.pattern})\*\*")
"""How a list item begins that has an id of its own."""

SNIPPET: Final = re.compile(r"^[ \t]*-{1,}8<-{1,} \"(?P<path>[^\":]+)(?::(?P<section>[^\"]+))?\"[ \t]*$", re.MULTILINE)
"""A line that stands for a file, or for a section of one (pymdownx.snippets)."""

_DEEPEST: Final = 40
_LONGEST: Final = 5_000
_LOOSE = re.compile(r"(?<![\w\]\\])\[[^\[\]\0]+\]\[[^\[\]\0]*\]|(?<![\w\\])\[\^[^\[\]\s\0]+\]")
_FENCE = re.compile(r"^---[ \t]*$", re.MULTILINE)
_FRONT_MATTER = YAMLHandler(fm_boundary=_FENCE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_PASSED_OVER = re.compile(r"[\x00-\x20]")
_LIKE_A_TAG = re.compile(r"</?[A-Za-z][^<>@ ]*(?: [^<>]*)?>")  # as Python-Markdown knows one, escaped or not
_PLACED = re.compile(r"[`\[<]")  # one is in all that has a place within a text: code, links, images, addresses, tags
_MARKS = re.compile(r"[`\[<*_&\\]")  # one is in all that is not plain text
_COUNTED = re.compile(r"^(.*)_([0-9]+)$")

SCHEMES: Final = ("http", "https", "mailto", "tel")
"""Where a link to another place may lead."""

slug: Callable[[str, str], str] = slugify(case="lower")
"""(text, separator) → the id of a heading; the one slug function, used by the gate and by the site."""


def anchor(id: str) -> str:
    """The address within a page of what has an id: `STD-05.3` → `std-05-3`."""
    return id.lower().replace(".", "-")


def scheme(address: str) -> str:
    """The scheme that a browser sees in an address, passing over white space and control characters; or nothing."""
    found, colon, _ = _PASSED_OVER.sub("", address).partition(":")
    return found.lower() if colon and not set(found) & set("/?#") else ""


def own_id(level: int, text: str) -> str | None:
    """The id that a heading's text gives it: that of an item of the checklist which an H3 begins with."""
    match = ID.match(text) if level == 3 else None
    return anchor(match[0]) if match else None


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The YAML at the head of a file: its mapping, and the place of the closing line."""

    mapping: nodes.Mapping
    end: Location


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A block of the body. `first` and `last` are lines of the file; `parent` is the list, item or quote around it."""

    first: int
    last: int
    parent: Block | None


@dataclass(frozen=True, slots=True, eq=False)
class Paragraph(Block):
    """Text as it was written, one line of it a line."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Heading(Block):
    """A heading: `text` without its marks, `id` as its address; `setext` where it is underlined."""

    level: int
    text: str
    id: str
    setext: bool


@dataclass(frozen=True, slots=True, eq=False)
class List(Block):
    """A list; its items are the blocks whose parent it is."""

    ordered: bool


@dataclass(frozen=True, slots=True, eq=False)
class Item(Block):
    """An item of a list; `marker` is the sign before it: - * + . or )."""

    marker: str


@dataclass(frozen=True, slots=True, eq=False)
class Quote(Block):
    """A quotation, or a callout such as [!WARNING]."""


@dataclass(frozen=True, slots=True, eq=False)
class Code(Block):
    """A block of code; `info` is what stands after the fence, `closed` is False where the fence never ends."""

    info: str
    text: str
    fenced: bool
    closed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Table(Block):
    """A table: the cells of its head and of its rows, as they were written."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Html(Block):
    """Raw HTML as a block of its own, comments included."""

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
class Tag:
    """A piece of a line, as it was written: raw HTML, or what looks like a link and is none."""

    text: str
    at: Location


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the lines under it, up to the next heading of its level or above; `filled` where text is there."""

    heading: Heading
    last: int
    filled: bool


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

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the file without their ends; line 1 is the first."""
        return tuple(self.text.split("\n"))

    @cached_property
    def _starts(self) -> array[int]:
        """The offsets at which lines begin, and one for the end; they take a tenth of the memory of the lines."""
        return array("I", accumulate((len(line) + 1 for line in self.lines), initial=0))

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
        """The blocks of one kind, in the order of the file."""
        if kind not in self._by_kind:
            self._by_kind[kind] = tuple(block for block in self.blocks if isinstance(block, kind))
        yield from self._by_kind[kind]  # type: ignore[misc]

    @cached_property
    def _by_kind(self) -> dict[type[Block], tuple[Block, ...]]:
        return {}

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

    @property
    def title(self) -> str | None:
        """The text of the first H1, or None."""
        return next((heading.text for heading in self.headings if heading.level == 1), None)

    def sections(self) -> tuple[Section, ...]:
        """The sections that the H2s open."""
        return self._sections

    @cached_property
    def _sections(self) -> tuple[Section, ...]:
        return tuple(self._opened())

    def _opened(self) -> Iterator[Section]:
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
    reader = _BodyReader(path, body, body_line)
    try:
        reader.read()
    except _TooMuchError as error:
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


class _TooMuchError(Exception):
    """A body that is not read to its end; `line` is a line of the body, from 0."""

    def __init__(self, line: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.line, self.hint = line, hint


def _positioned(rule: Callable[[StateInline, bool], bool]) -> Callable[[StateInline, bool], bool]:
    """The inline rule, with the span of the source that each of its tokens was made from."""

    def run(state: StateInline, silent: bool) -> bool:
        start, before = state.pos, len(state.tokens)
        matched = rule(state, silent)
        if matched and not silent:
            for token in state.tokens[before:]:
                token.meta.setdefault("span", (start, state.pos))
        return matched

    return run


def _bounded(state: StateCore) -> None:
    """Stop before the text of paragraphs is read where blocks are nested too deeply, or one holds too much."""
    for token in state.tokens:
        if token.map and token.nesting == 1 and token.level >= _DEEPEST:
            hint = f"at most {_DEEPEST // 2} lists, or {_DEEPEST} quotations, stand within each other"
            raise _TooMuchError(token.map[0], "nested too deeply", hint)
        if token.map and token.type == "inline" and len(token.content) > _LONGEST:
            message = f"a paragraph of {len(token.content)} characters, more than {_LONGEST}"
            raise _TooMuchError(token.map[0], message, "put blank lines into it, or make it a block of code")


def _by_character(rules: Mapping[str, RuleFuncBlockType]) -> RuleFuncBlockType:
    """One block rule in the place of several: at each line that one is asked whose blocks begin with its character."""
    rule_of = {character: rule for characters, rule in rules.items() for character in characters}

    def run(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        place = state.bMarks[start] + state.tShift[start]
        rule = rule_of.get(state.src[place : place + 1])
        return rule is not None and rule(state, start, end, silent)

    return run


def _parser() -> MarkdownIt:
    """CommonMark with tables; targets stay as they were written, and none is refused: the rules judge them."""
    parser = MarkdownIt("commonmark").enable("table")
    for name, rule in (
        ("link", rules_inline.link),
        ("image", rules_inline.image),
        ("backticks", rules_inline.backtick),
        ("autolink", rules_inline.autolink),
        ("html_inline", rules_inline.html_inline),
    ):
        parser.inline.ruler.at(name, _positioned(rule))
    # To ask each of these at every line of text is a fifth of the reading of blocks.
    parser.disable(["fence", "blockquote", "hr", "list", "html_block", "heading"])
    interrupting = {"`~": rules_block.fence, ">": rules_block.blockquote, "*-_": rules_block.hr}
    others = {"*-+0123456789": rules_block.list_block, "<": rules_block.html_block, "#": rules_block.heading}
    above = ["paragraph", "reference", "blockquote"]
    parser.block.ruler.after("code", "interrupting", _by_character(interrupting), {"alt": [*above, "list"]})
    parser.block.ruler.after("interrupting", "others", _by_character(others), {"alt": above})
    # The text of a paragraph is read where it needs it, by `_BodyReader`; the ends of lines are as they should be.
    parser.disable(["normalize", "inline", "text_join"])
    parser.inline.terminator_re = re.compile(r"[\n!&*<\[\\\]_`]")  # where an inline rule that is on can begin
    parser.options["maxNesting"] = _DEEPEST + 2  # beyond it the parser drops what it finds, without a word
    parser.core.ruler.before("inline", "bounds", _bounded)
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    return parser


_PARSER = _parser()
_UNDERLINE = re.compile(r"^[ \t>]*(?:=+|-+)[ \t]*$", re.MULTILINE)
# For a body without such a line, which is most: to look for one below every line of text is a tenth of the reading.
_PARSER_WITHOUT_UNDERLINES = _parser().disable("lheading")


def unique(wanted: str, taken: set[str], given: dict[str, str]) -> str:
    """An id that is not yet taken, counted as Python-Markdown's toc extension counts: `a`, `a_1`, `a_2`.

    `given` remembers the last id that was given for what was wanted, so that ten thousand are not counted anew.
    """
    candidate = given.get(wanted, wanted)
    while candidate in taken or not candidate:
        counted = _COUNTED.match(candidate)
        candidate = f"{counted[1]}_{int(counted[2]) + 1}" if counted else f"{candidate}_1"
    taken.add(candidate)
    given[wanted] = candidate
    return candidate


@dataclass
class _BodyReader:
    """Walks the tokens of a body once."""

    path: str
    body: str
    body_line: int
    blocks: list[Block] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    loose: list[Tag] = field(default_factory=list)

    def read(self) -> None:
        self.lines = self.body.split("\n")
        self.row, self.row_end = -1, 0
        self.cells: list[str] = []
        self.containers: list[Block] = []
        self.env: dict[str, Any] = {}
        self.parser = _PARSER if _UNDERLINE.search(self.body) else _PARSER_WITHOUT_UNDERLINES
        tokens = self.parser.parse(self.body, self.env)
        for index, token in enumerate(tokens):
            if token.type == "inline":
                self._inline(token, cell=tokens[index - 1].type in ("th_open", "td_open"))
            elif token.nesting >= 0:
                self._block(tokens, index, token)
            elif token.type in ("bullet_list_close", "ordered_list_close", "list_item_close", "blockquote_close"):
                self.containers.pop()
        self._name_headings()

    def _block(self, tokens: list[Token], index: int, token: Token) -> None:
        if token.map is None:
            return
        first, last = token.map[0] + self.body_line, self._last(token.map) + self.body_line
        parent = self.containers[-1] if self.containers else None
        block: Block
        match token.type:
            case "paragraph_open":
                block = Paragraph(first, last, parent, tokens[index + 1].content)
            case "heading_open":
                text = self._plain(tokens[index + 1])
                block = Heading(first, last, parent, int(token.tag[1]), text, "", token.markup in ("=", "-"))
            case "bullet_list_open" | "ordered_list_open":
                block = List(first, last, parent, token.type == "ordered_list_open")
            case "list_item_open":
                block = Item(first, last, parent, token.markup)
            case "blockquote_open":
                block = Quote(first, last, parent)
            case "fence":
                closed = token.map[1] - token.map[0] == token.content.count("\n") + 2
                block = Code(first, last, parent, token.info.strip(), token.content, True, closed)
            case "code_block":
                block = Code(first, last, parent, "", token.content, False, True)
            case "table_open":
                head, *rows = _table(tokens, index)
                block = Table(first, last, parent, head, tuple(rows))
            case "html_block":
                block = Html(first, last, parent, token.content)
            case "hr":
                block = Break(first, last, parent)
            case _:
                return
        self.blocks.append(block)
        if isinstance(block, List | Item | Quote):
            self.containers.append(block)

    def _quoted(self) -> bool:
        return any(isinstance(container, Quote) for container in self.containers)

    def _last(self, span: list[int]) -> int:
        """The last line of a block; the blank lines that end a list or a quotation do not count."""
        last = span[1] - 1
        marks = " \t>" if self._quoted() else None
        while last > span[0] and not self.lines[last].strip(marks):
            last -= 1
        return last

    def _children(self, inline: Token, marks: re.Pattern[str]) -> list[Token]:
        """What a text is made of; nothing where it holds none of the marks that are looked for, as most texts do."""
        if not inline.children and marks.search(inline.content):
            inline.children = []
            self.parser.inline.parse(inline.content, self.parser, self.env, inline.children)
        return inline.children or []

    def _plain(self, inline: Token) -> str:
        """The text of a heading without its marks."""
        children = self._children(inline, _MARKS)
        text = "".join(
            " " if child.type in ("softbreak", "hardbreak") else child.content
            for child in children
            if child.type in ("text", "text_special", "code_inline", "softbreak", "hardbreak")
        )
        return " ".join((text if children else inline.content).split())

    def _inline(self, token: Token, *, cell: bool) -> None:
        content = token.content
        if token.map is None or not content:
            return
        if cell:
            self._join(token.map[0], content)
        children = self._children(token, _PLACED)
        if not children and not ID.search(content):
            return  # nothing in it needs a place
        starts = [(token.map[0], self._cell_start())] if cell else self._starts(token.map[0], content)
        shown = self._placed(children, starts, content) if children else content
        for match in ID.finditer(shown):
            self.mentions.append(Mention(match[0], self._place(starts, content, match.start())))
        if children:
            for match in _LIKE_A_TAG.finditer(shown):
                self.tags.append(Tag(match[0], self._place(starts, content, match.start())))
            for match in _LOOSE.finditer(shown):
                self.loose.append(Tag(match[0], self._place(starts, content, match.start())))

    def _placed(self, children: list[Token], starts: list[tuple[int, int]], content: str) -> str:
        """Take links and tags from what a text is made of; answers the text with all that has a place blotted out."""
        hidden = list(content)
        for child in children:
            if "span" not in child.meta:
                continue
            start, end = child.meta["span"]
            hidden[start:end] = "\0" * (end - start)
            if child.type in ("link_open", "image"):
                target = str(child.attrs.get("href" if child.type == "link_open" else "src", ""))
                self.links.append(Link(target, child.type == "image", self._place(starts, content, start)))
            elif child.type == "html_inline" and not child.content.startswith("<!--"):
                self.tags.append(Tag(child.content, self._place(starts, content, start)))
        return "".join(hidden)

    def _starts(self, first: int, content: str) -> list[tuple[int, int]]:
        """For each line of an inline text, its line in the body and the column (from 0) at which it begins there."""
        found = []
        for number, part in enumerate(content.split("\n"), first):
            line, part = self.lines[number].rstrip(), part.rstrip()
            column = len(line) - len(part) if line.endswith(part) else max(line.find(part), 0)
            found.append((number, column))
        return found

    def _join(self, number: int, cell: str) -> None:
        """Add a cell to the row that stands on a line of the body; where it begins is looked for when it is needed."""
        if number != self.row:
            self.row, self.row_end = number, 0
            self.cells.clear()
        self.cells.append(cell.rstrip())

    def _cell_start(self) -> int:
        """The column (from 0) at which the last cell of the row begins."""
        line = self.lines[self.row].rstrip()
        for cell in self.cells:
            columns = (line.find(form, self.row_end) for form in (cell, cell.replace("|", "\\|")))
            column = next((column for column in columns if column >= 0), self.row_end)
            self.row_end = column + len(cell)
        self.cells.clear()
        return column

    def _place(self, starts: list[tuple[int, int]], content: str, offset: int) -> Location:
        row = content.count("\n", 0, offset)
        begin = content.rfind("\n", 0, offset) + 1
        number, column = starts[row]
        return Location(self.path, number + self.body_line, column + offset - begin + 1)

    def _name_headings(self) -> None:
        """Give each heading its id: first those that are given, as the site does, then the slug of the text."""
        headings = [(index, block) for index, block in enumerate(self.blocks) if isinstance(block, Heading)]
        explicit = {index: match[1] for index, block in headings if (match := EXPLICIT_ID.search(block.text))}
        given = {
            index: id for index, block in headings if (id := explicit.get(index) or own_id(block.level, block.text))
        }
        taken = set(given.values()) | {
            anchor(match[0][2:-2]) for match in map(RULE_ITEM.match, self._item_texts()) if match
        }
        counted: dict[str, str] = {}
        for index, block in headings:
            text = EXPLICIT_ID.sub("", block.text) if index in explicit else block.text
            address = given.get(index) or unique(slug(text, "-"), taken, counted)
            self.blocks[index] = Heading(
                block.first, block.last, block.parent, block.level, text, address, block.setext
            )

    def _item_texts(self) -> Iterator[str]:
        return (block.text for block in self.blocks if isinstance(block, Paragraph) and isinstance(block.parent, Item))


def _table(tokens: list[Token], index: int) -> list[tuple[str, ...]]:
    """The rows of the table that opens at `index`, the head first."""
    rows: list[list[str]] = []
    for token in tokens[index + 1 :]:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token.content)
    return [tuple(row) for row in rows]
