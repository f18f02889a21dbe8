"""Find Material and Python-Markdown syntax, which GitHub Flavored Markdown does not have.

The patterns follow the `admonition`, `abbr` and `def_list` extensions of Python-Markdown, and the
`details` and `tabbed` extensions of PyMdown. Text in the form of ordinary prose stays prose: a
header counts only with indented text below it, or with one of Material's kinds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import takewhile
from typing import Final

from handbook.reading.blocks import Block, Code, Heading, Html, Paragraph, Quote
from handbook.reading.body import read_body
from handbook.reading.parser import TooDeepError

INDENT: Final = 4
"""The columns by which the text of a construct is indented."""

CALLOUT_KINDS: Final = {
    kind: callout
    for callout, kinds in {
        "NOTE": ("note", "info", "abstract", "summary", "quote", "example", "question"),
        "TIP": ("tip", "hint", "success", "check"),
        "IMPORTANT": ("important",),
        "WARNING": ("warning", "attention"),
        "CAUTION": ("danger", "error", "failure", "bug", "caution"),
    }.items()
    for kind in kinds
}
"""The kind of GitHub's callout for each kind of admonition that has one."""

_OTHER_KINDS: Final = (
    "todo",
    "tldr",
    "done",
    "help",
    "faq",
    "fail",
    "missing",
    "snippet",
    "cite",
    "seealso",
)
_KINDS: Final = frozenset({*CALLOUT_KINDS, *_OTHER_KINDS})
_PLACEMENT: Final = frozenset({"inline", "end"})
_DEEPEST_NESTING: Final = 4

_ADMONITION = re.compile(
    r" {0,3}(?P<mark>!!!|\?\?\?\+?) ?(?P<words>[\w-]+(?: +[\w-]+)*)?"
    r"(?: *(?<= )\"(?P<title>.*)\")? *"
)
_TAB = re.compile(r" {0,3}===(?:\+!?|!\+?)? +\"[^\"]*\" *")
_DEFINITION = re.compile(r" {0,3}:(?: {2,}|\t)\s*\S")
_SHORT_DEFINITION = re.compile(r" {0,3}: \S")
_ABBREVIATION = re.compile(r" {0,3}\*\[[^\]\n]+\]: *[^\s*][^*]*")
_SIGNS: Final = ("!!!", "???", "===", "*[")
_COLON_LINE = re.compile(r"\n[ \t>]*:[ \t]")
"""Every body with a construct has one of the signs or such a line. Most bodies have neither."""


class MaterialSyntax(StrEnum):
    """The kinds of syntax that a construct can have."""

    ADMONITION = "admonition"
    COLLAPSIBLE = "collapsible block"
    TABS = "content tabs"
    DEFINITION_LIST = "definition list"
    ABBREVIATION = "abbreviation"


@dataclass(frozen=True, slots=True)
class Callout:
    """The callout that can replace a whole construct.

    `old` and `new` are the lines of both, without the last line end.
    """

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Construct:
    """A piece of Material's syntax: its lines, its column, and its first line as text.

    `kind` is the kind of an admonition in lower case. `callout` is None if the lines cannot be
    moved safely.
    """

    syntax: MaterialSyntax
    first: int
    last: int
    column: int
    text: str
    kind: str = ""
    callout: Callout | None = None

    @property
    def covered_lines(self) -> range:
        """The lines of the file that the construct covers."""
        return range(self.first, self.last + 1)


def find_constructs(
    lines: Sequence[str], body_line: int, blocks: Sequence[Block], depth: int = 0
) -> tuple[Construct, ...]:
    """Find the constructs of a body, in the order of the file. `lines` is the whole file."""
    text = "\n".join(("", *lines[body_line - 1 :]))
    if not any(sign in text for sign in _SIGNS) and not _COLON_LINE.search(text):
        return ()
    finder = _Finder(lines, body_line, blocks, depth)
    return tuple(
        sorted(finder.find_in_text(), key=lambda construct: (construct.first, construct.column))
    )


class _Finder:
    """Walk the texts of a body once. `end` is the last line of the last construct."""

    def __init__(
        self, lines: Sequence[str], body_line: int, blocks: Sequence[Block], depth: int
    ) -> None:
        self.lines, self.body_line, self.blocks, self.depth = lines, body_line, blocks, depth
        self.end = 0
        self.contents: list[str] = []

    def find_in_text(self) -> Iterator[Construct]:
        """Find the constructs in paragraphs and in underlined headings."""
        for index, block in enumerate(self.blocks):
            if isinstance(block, Paragraph) or (isinstance(block, Heading) and block.setext):
                self.contents = self._read_contents(block)
                for line in range(block.first, block.first + len(self.contents)):
                    if line > self.end:
                        yield from self._find_at(index, block, line)

    def _line(self, number: int) -> str:
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def _read_contents(self, block: Block) -> list[str]:
        """Return the lines of a text without the marks of lists and quotations before them."""
        if isinstance(block, Paragraph):
            return block.text.split("\n")
        return (
            [self._line(line) for line in range(block.first, block.last + 1)]
            if block.parent is None
            else []
        )

    def _find_at(self, index: int, block: Block, line: int) -> Iterator[Construct]:
        """Find the construct whose header or definition is on a line of a text."""
        content = self.contents[line - block.first]
        mark = content.lstrip(" ")[:3]
        if mark in ("!!!", "???"):
            yield from self._find_admonition(block, line, content)
        elif mark == "===":
            yield from self._find_tabs(block, line, content)
        elif mark.startswith(":"):
            yield from self._find_definitions(index, line, content)
        elif mark.startswith("*["):
            yield from self._find_abbreviations(block, line)

    def _count_columns(self, line: int, *, quoted: bool) -> int | None:
        """Count the columns before the first character of a line. Returns None for a blank line."""
        text = self._line(line)
        if quoted:
            text = re.sub(r"^[ \t>]+", lambda marks: marks[0].replace(">", " "), text)
        if not text.strip():
            return None
        text = text.expandtabs(INDENT)
        return len(text) - len(text.lstrip(" "))

    def _find_last_line(self, block: Block, header: int, column: int) -> int:
        """Return the last line of the indented text below a header, or else the header."""
        quoted, outermost = False, block
        while outermost.parent is not None:
            outermost = outermost.parent
            quoted = quoted or isinstance(outermost, Quote)
        limit = len(self.lines) if outermost is block else outermost.last
        last = header
        for line in range(header + 1, limit + 1):
            columns = self._count_columns(line, quoted=quoted)
            if columns is not None and columns < column + INDENT:
                break
            last = line if columns is not None else last
        return last

    def _find_column(self, line: int, content: str) -> int:
        """Return the column (from 0) at which the text of a line begins."""
        return max(self._line(line).expandtabs(INDENT).find(content.strip().expandtabs(INDENT)), 0)

    def _find_admonition(self, block: Block, header: int, content: str) -> Iterator[Construct]:
        match = _ADMONITION.fullmatch(content)
        if match is None or not (match["words"] or match["title"] is not None):
            return
        column = self._find_column(header, content)
        last = self._find_last_line(block, header, column)
        kind, *classes = (match["words"] or "").split() or [""]
        needs_no_body = kind in _KINDS and _PLACEMENT.issuperset(classes)
        if last == header and not needs_no_body:
            return
        syntax = MaterialSyntax.ADMONITION if match["mark"] == "!!!" else MaterialSyntax.COLLAPSIBLE
        construct = Construct(syntax, header, last, column + 1, content.strip(), kind.lower())
        nested = self._read_body(construct)
        if nested is not None and _PLACEMENT.issuperset(classes) and isinstance(block, Paragraph):
            blocks, constructs = nested
            if not constructs and block.parent is None and column == 0:
                callout = self._make_callout(construct, match["title"] or "", blocks)
                construct = replace(construct, callout=callout)
        self._cover(construct.last)
        yield construct
        yield from nested[1] if nested else ()

    def _find_tabs(self, block: Block, header: int, content: str) -> Iterator[Construct]:
        """Find a set of tabs. A header within a text needs indented text below it."""
        if not _TAB.fullmatch(content):
            return
        column = self._find_column(header, content)
        last = self._find_last_line(block, header, column)
        if last == header and block.first != header:
            return
        tabs: list[Construct] = []
        nested: list[Construct] = []
        while True:
            tabs.append(Construct(MaterialSyntax.TABS, header, last, column + 1, content.strip()))
            body = self._read_body(tabs[-1])
            nested += body[1] if body else ()
            following = last + 1
            while following < len(self.lines) and not self._line(following).strip():
                following += 1
            if block.parent is not None or not _TAB.fullmatch(self._line(following)):
                break
            header, last = following, self._find_last_line(block, following, column)
        self._cover(last)
        yield replace(tabs[0], last=last)
        yield from nested

    def _cover(self, last: int) -> None:
        self.end = max(self.end, last)

    def _read_body(
        self, construct: Construct
    ) -> tuple[tuple[Block, ...], tuple[Construct, ...]] | None:
        """Read the blocks and constructs in the text of a construct, or return None."""
        indent = construct.column - 1 + INDENT
        body = [
            _dedent(self._line(line), indent)
            for line in range(construct.first + 1, construct.last + 1)
        ]
        if not body or self.depth >= _DEEPEST_NESTING or any(line is None for line in body):
            return None
        dedented = ["" if line is None else line for line in body]
        try:
            blocks = read_body("", "\n".join([*dedented, ""]), 1).blocks
        except TooDeepError:
            return None
        nested = find_constructs(dedented, 1, blocks, self.depth + 1)
        return blocks, tuple(
            replace(
                inner,
                first=inner.first + construct.first,
                last=inner.last + construct.first,
                column=inner.column + indent,
                callout=None,
            )
            for inner in nested
        )

    def _make_callout(
        self, construct: Construct, title: str, blocks: Sequence[Block]
    ) -> Callout | None:
        """Make an equivalent callout. Returns None if a line could change its meaning."""
        kind = CALLOUT_KINDS.get(construct.kind)
        following = self._line(construct.last + 1)
        if kind is None or not _can_be_title(title) or not all(map(_can_be_moved, blocks)):
            return None
        if following.strip() and not _begins_block(following):
            return None
        old = [self._line(line) for line in range(construct.first, construct.last + 1)]
        body = [_dedent(line, INDENT) or "" for line in old[1:]]
        first = next(number for number, line in enumerate(body) if line.strip())
        if not blocks or any("\t" in line[: len(line) - len(line.lstrip())] for line in body):
            return None
        needs_gap = not title and not (
            isinstance(blocks[0], Paragraph) and blocks[0].first == first + 1
        )
        head = [f"[!{kind}]", *([f"**{title}**", ""] if title.strip() else [""] * needs_gap)]
        new = [f"> {line}" if line.strip() else ">" for line in (*head, *body[first:])]
        has_text_above = self._line(construct.first - 1).strip() and self.end != construct.first - 1
        new = ([""] if has_text_above else []) + new + ([""] if following.strip() else [])
        return Callout("\n".join(old), "\n".join(new))

    def _find_definitions(self, index: int, line: int, content: str) -> Iterator[Construct]:
        """Find a definition list: a term, then lines with a colon and two spaces.

        One space is enough in a text with two such lines.
        """
        block = self.blocks[index]
        term = self._find_term_above(index) if line == block.first else block
        if term is None or not self._is_definition(content):
            return
        last = block.last
        for following in map(self.blocks.__getitem__, range(index + 1, len(self.blocks))):
            if following.first <= last or (isinstance(following, Code) and not following.fenced):
                last = max(last, following.last)
            elif self._continues_definitions(block, last, following):
                last = following.last
            else:
                break
        self._cover(last)
        term_line = self._line(term.first)
        column = len(term_line) - len(term_line.lstrip()) + 1 if block.parent is None else 1
        yield Construct(MaterialSyntax.DEFINITION_LIST, term.first, last, column, content.strip())

    def _find_term_above(self, index: int) -> Paragraph | None:
        """Find the term of a definition with one blank line between them."""
        block, term = self.blocks[index], self.blocks[index - 1] if index else None
        is_near = term is not None and term.parent is block.parent and term.last + 2 == block.first
        return term if isinstance(term, Paragraph) and is_near else None

    def _is_definition(self, content: str) -> bool:
        if _DEFINITION.match(content):
            return True
        if not _SHORT_DEFINITION.match(content):
            return False
        short_lines = [
            line for line, text in enumerate(self.contents) if _SHORT_DEFINITION.match(text)
        ]
        return len(short_lines) > 1 and short_lines[0] > 0

    def _continues_definitions(self, block: Block, last: int, following: Block) -> bool:
        """Whether a block in the same container continues a definition list."""
        if not isinstance(following, Paragraph) or following.parent is not block.parent:
            return False
        is_near = all(
            not self._line(line).strip(" \t>") for line in range(last + 1, following.first)
        )
        texts = following.text.split("\n")
        has_short_definition = any(map(_SHORT_DEFINITION.match, texts[1:]))
        return is_near and (has_short_definition or any(map(_DEFINITION.match, texts)))

    def _find_abbreviations(self, block: Block, line: int) -> Iterator[Construct]:
        """Find a run of abbreviations."""
        texts = takewhile(_ABBREVIATION.fullmatch, self.contents[line - block.first :])
        count = sum(1 for _ in texts)
        if count:
            self._cover(line + count - 1)
            text = self.contents[line - block.first].strip()
            yield Construct(
                MaterialSyntax.ABBREVIATION, line, self.end, self._find_column(line, text) + 1, text
            )


def _dedent(line: str, columns: int) -> str | None:
    """Remove columns from the start of a line.

    Returns an empty text for a blank line, and None if a tab or a text is in these columns.
    """
    if not line.strip():
        return ""
    position, column = 0, 0
    while column < columns and position < len(line):
        if line[position] == "\t":
            column += INDENT - column % INDENT
        elif line[position] in " >":
            column += 1
        else:
            return None
        position += 1
    return line[position:] if column == columns else None


def _can_be_title(title: str) -> bool:
    """Whether a title stays as it is between `**` and `**`."""
    is_plain = title.strip() == title and "*" not in title and "\\" not in title
    return not title or (is_plain and title.count("`") % 2 == 0)


def _can_be_moved(block: Block) -> bool:
    """Whether a block means the same in a callout. Headings and HTML do not."""
    if isinstance(block, Code):
        return block.closed
    return not isinstance(block, Heading | Html)


def _begins_block(line: str) -> bool:
    """Whether a line right below a construct begins another block."""
    return line.startswith(("# ", "## ", "### ", "#### ", "!!! ", "??? ", "???+ ", "=== "))
