"""Find Markdown extensions that Material for MkDocs renders, but GitHub does not.

The patterns follow the extensions `admonition`, `abbr` and `def_list` of Python-Markdown, and the
extensions `details` and `tabbed` of PyMdown. The text `!!!` can also begin an ordinary sentence.
Therefore a line counts as a header only if indented text follows it, or if it has a kind that
Material defines.
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
"""The number of columns by which an extension indents the text below its header."""

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
"""The kind of callout on GitHub, by the kind of admonition that it can replace."""

_KINDS_WITHOUT_CALLOUT: Final = (
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
_ADMONITION_KINDS: Final = frozenset({*CALLOUT_KINDS, *_KINDS_WITHOUT_CALLOUT})
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
"""A line that begins with a colon, as in a definition list.

A body without such a line and without any of `_SIGNS` has no extension. Most bodies have none.
"""


class MaterialSyntax(StrEnum):
    """The syntax of Material and Python-Markdown that this module finds."""

    ADMONITION = "admonition"
    COLLAPSIBLE = "collapsible block"
    TABS = "content tabs"
    DEFINITION_LIST = "definition list"
    ABBREVIATION = "abbreviation"


@dataclass(frozen=True, slots=True)
class Callout:
    """A callout that can replace a construct.

    `old` is the text of the construct, and `new` the text of the callout. Both are without the last
    line end.
    """

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Construct:
    """A use of a Markdown extension, such as an admonition with its text.

    - `first` and `last`: its first and its last line in the file.
    - `column`: the column at which it begins.
    - `text`: its first line.
    - `kind`: the kind of an admonition in lower case, or "".
    - `callout`: the callout that can replace it, or None if a change could alter its meaning.
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
    """Return the constructs of a body, in the order of the file.

    `lines` are all lines of the file, and the body begins on line `body_line`. `depth` is the
    number of constructs that enclose the body.
    """
    text = "\n".join(("", *lines[body_line - 1 :]))
    if not any(sign in text for sign in _SIGNS) and not _COLON_LINE.search(text):
        return ()
    finder = _Finder(lines, body_line, blocks, depth)
    return tuple(
        sorted(finder.find_in_text(), key=lambda construct: (construct.first, construct.column))
    )


class _Finder:
    """Finds the constructs of a body. `last_covered` is the last line of the last construct."""

    def __init__(
        self, lines: Sequence[str], body_line: int, blocks: Sequence[Block], depth: int
    ) -> None:
        self.lines, self.body_line, self.blocks, self.depth = lines, body_line, blocks, depth
        self.last_covered = 0
        self.contents: list[str] = []

    def find_in_text(self) -> Iterator[Construct]:
        """Yield the constructs in paragraphs and in underlined headings."""
        for index, block in enumerate(self.blocks):
            if isinstance(block, Paragraph) or (isinstance(block, Heading) and block.setext):
                self.contents = self._read_contents(block)
                for line in range(block.first, block.first + len(self.contents)):
                    if line > self.last_covered:
                        yield from self._find_at(index, block, line)

    def _line(self, number: int) -> str:
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def _read_contents(self, block: Block) -> list[str]:
        """Return the lines of a block without the marks of lists and block quotes."""
        if isinstance(block, Paragraph):
            return block.text.split("\n")
        return (
            [self._line(line) for line in range(block.first, block.last + 1)]
            if block.parent is None
            else []
        )

    def _find_at(self, index: int, block: Block, line: int) -> Iterator[Construct]:
        """Yield the constructs that begin on a line of a block."""
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
        """Count the columns by which a line is indented. Returns None if the line is blank.

        `quoted` means that the line is in a block quote: a mark `>` counts as a column.
        """
        text = self._line(line)
        if quoted:
            text = re.sub(r"^[ \t>]+", lambda marks: marks[0].replace(">", " "), text)
        if not text.strip():
            return None
        text = text.expandtabs(INDENT)
        return len(text) - len(text.lstrip(" "))

    def _find_last_line(self, block: Block, header: int, column: int) -> int:
        """Return the last line of the indented text below a header.

        Returns the header if no indented text follows it.
        """
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
        """Return the column, counted from 0, at which `content` begins in a line."""
        return max(self._line(line).expandtabs(INDENT).find(content.strip().expandtabs(INDENT)), 0)

    def _find_admonition(self, block: Block, header: int, content: str) -> Iterator[Construct]:
        """Yield the admonition whose header is on a line, and the constructs in it."""
        match = _ADMONITION.fullmatch(content)
        if match is None or not (match["words"] or match["title"] is not None):
            return
        column = self._find_column(header, content)
        last = self._find_last_line(block, header, column)
        kind, *classes = (match["words"] or "").split() or [""]
        needs_no_body = kind in _ADMONITION_KINDS and _PLACEMENT.issuperset(classes)
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
        self._extend_covered(construct.last)
        yield construct
        yield from nested[1] if nested else ()

    def _find_tabs(self, block: Block, header: int, content: str) -> Iterator[Construct]:
        """Yield a set of content tabs, and the constructs in it.

        A header in the middle of a paragraph counts only if indented text follows it.
        """
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
        self._extend_covered(last)
        yield replace(tabs[0], last=last)
        yield from nested

    def _extend_covered(self, last: int) -> None:
        self.last_covered = max(self.last_covered, last)

    def _read_body(
        self, construct: Construct
    ) -> tuple[tuple[Block, ...], tuple[Construct, ...]] | None:
        """Return the blocks and the constructs in the indented text of a construct.

        Returns None if the construct has no text, or if the text is unreadable.
        """
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
        """Return the equivalent callout, or None if a change could alter the meaning of a line."""
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
        has_text_above = (
            self._line(construct.first - 1).strip() and self.last_covered != construct.first - 1
        )
        new = ([""] if has_text_above else []) + new + ([""] if following.strip() else [])
        return Callout("\n".join(old), "\n".join(new))

    def _find_definitions(self, index: int, line: int, content: str) -> Iterator[Construct]:
        """Yield the definition list that begins on a line.

        A definition list is a term, and below it lines that begin with a colon and two spaces. One
        space is enough if the paragraph has two such lines.
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
        self._extend_covered(last)
        term_line = self._line(term.first)
        column = len(term_line) - len(term_line.lstrip()) + 1 if block.parent is None else 1
        yield Construct(MaterialSyntax.DEFINITION_LIST, term.first, last, column, content.strip())

    def _find_term_above(self, index: int) -> Paragraph | None:
        """Return the term of a definition if one blank line is between them, or else None."""
        block, term = self.blocks[index], self.blocks[index - 1] if index else None
        is_near = term is not None and term.parent is block.parent and term.last + 2 == block.first
        return term if isinstance(term, Paragraph) and is_near else None

    def _is_definition(self, content: str) -> bool:
        """Return whether a line is a definition of a definition list."""
        if _DEFINITION.match(content):
            return True
        if not _SHORT_DEFINITION.match(content):
            return False
        short_lines = [
            line for line, text in enumerate(self.contents) if _SHORT_DEFINITION.match(text)
        ]
        return len(short_lines) > 1 and short_lines[0] > 0

    def _continues_definitions(self, block: Block, last: int, following: Block) -> bool:
        """Return whether a block continues the definition list above it."""
        if not isinstance(following, Paragraph) or following.parent is not block.parent:
            return False
        is_near = all(
            not self._line(line).strip(" \t>") for line in range(last + 1, following.first)
        )
        texts = following.text.split("\n")
        has_short_definition = any(map(_SHORT_DEFINITION.match, texts[1:]))
        return is_near and (has_short_definition or any(map(_DEFINITION.match, texts)))

    def _find_abbreviations(self, block: Block, line: int) -> Iterator[Construct]:
        """Yield a construct for consecutive lines that define abbreviations."""
        texts = takewhile(_ABBREVIATION.fullmatch, self.contents[line - block.first :])
        count = sum(1 for _ in texts)
        if count:
            self._extend_covered(line + count - 1)
            text = self.contents[line - block.first].strip()
            yield Construct(
                MaterialSyntax.ABBREVIATION,
                line,
                self.last_covered,
                self._find_column(line, text) + 1,
                text,
            )


def _dedent(line: str, columns: int) -> str | None:
    """Return a line without its first `columns` columns, or "" if the line is blank.

    Returns None if text or a part of a tab is in these columns.
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
    """Return whether a title has the same meaning between `**` and `**`."""
    is_plain = title.strip() == title and "*" not in title and "\\" not in title
    return not title or (is_plain and title.count("`") % 2 == 0)


def _can_be_moved(block: Block) -> bool:
    """Return whether a block has the same meaning in a callout.

    A heading and HTML do not, and neither does code without a closing fence.
    """
    if isinstance(block, Code):
        return block.closed
    return not isinstance(block, Heading | Html)


def _begins_block(line: str) -> bool:
    """Return whether a line, directly below a construct, begins another block."""
    return line.startswith(("# ", "## ", "### ", "#### ", "!!! ", "??? ", "???+ ", "=== "))
