"""Read a Markdown body into blocks, links, ids and tags, each with its place.

markdown-it-py's tokens follow CommonMark with GitHub's tables: what stands in a code fence or a comment is neither a
heading nor a link. The tokens give lines; the columns of links, images and code are taken where the inline parser
stands when it makes their tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from markdown_it import MarkdownIt, rules_block, rules_inline
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from handbook.diagnostics import Location
from handbook.reading.blocks import (
    Block,
    Break,
    Code,
    Heading,
    Html,
    Item,
    Link,
    List,
    Mention,
    Paragraph,
    Quote,
    Table,
    Tag,
)
from handbook.reading.ids import EXPLICIT_ID, ID, RULE_ITEM, anchor, own_id, slug, unique

_DEEPEST: Final = 40
_LONGEST: Final = 5_000
_LOOSE = re.compile(r"(?<![\w\]\\])\[[^\[\]\0]+\]\[[^\[\]\0]*\]|(?<![\w\\])\[\^[^\[\]\s\0]+\]")
_LIKE_A_TAG = re.compile(r"</?[A-Za-z][^<>@ ]*(?: [^<>]*)?>")  # as Python-Markdown knows one, escaped or not
_PLACED = re.compile(r"[`\[<]")  # one is in all that has a place within a text: code, links, images, addresses, tags
_MARKS = re.compile(r"[`\[<*_&\\]")  # one is in all that is not plain text


class TooMuchError(Exception):
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
            raise TooMuchError(token.map[0], "nested too deeply", hint)
        if token.map and token.type == "inline" and len(token.content) > _LONGEST:
            message = f"a paragraph of {len(token.content)} characters, more than {_LONGEST}"
            raise TooMuchError(token.map[0], message, "put blank lines into it, or make it a block of code")


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


@dataclass
class BodyReader:
    """Walks the tokens of a body once, and keeps what it finds in lists."""

    path: str
    body: str
    body_line: int
    blocks: list[Block] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    loose: list[Tag] = field(default_factory=list)

    def read(self) -> None:
        """Fill the lists from the body. Raises TooMuchError for one that is not read to its end."""
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
