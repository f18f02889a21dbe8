"""MD001 to MD022: Markdown that the site would render otherwise than it reads.

The gate reads CommonMark, as the Git host and editors do; the site renders Python-Markdown. Each known difference is a
rule here. What no rule knows is found by the build, which compares the outlines of both (`outline`). The lines of a
piece of Material's syntax belong to MD021 alone: what the other rules would say of them follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import wraps
from typing import Final

from handbook.diagnostics import Edit, Finding, Location, did_you_mean
from handbook.macro_names import MacroNames
from handbook.reading.blocks import Block, Break, Code, Heading, Html, Item, List, Paragraph, Quote, Table
from handbook.reading.material import CALLOUT_KINDS, Construct, MaterialSyntax
from handbook.reading.source import Source
from handbook.reading.templates import MacroCall, TemplateError, read_template
from handbook.records import Document, Page
from handbook.rules.engine import Check, Context, rule

_CODE_SPAN = re.compile(r"(`+)(?!`)(.*?[^`])\1(?!`)")
_INFO = re.compile(r"(?:[\w+#.-]+(?: (?:title|linenums|hl_lines)=\"[^\"]*\")*)?(?: ?\{[^{}]*\})?")
_FENCE = re.compile(r"[ \t>]*(?:`{3,}|~{3,})")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_OPEN_TAG = re.compile(r"<([A-Za-z][A-Za-z0-9-]*)(?![^<>]*/>)")
_CLOSE_TAG = re.compile(r"</([A-Za-z][A-Za-z0-9-]*)")
_BLOCK_INDENTED = re.compile(r"(?: {4}|\t)\s*(?:(?:[-*+]|[0-9]+\.)\s|```|~~~)")
_DEFINITION = re.compile(r"\s{0,3}\[[^\]]+\]:\s*\S")
_MERMAID = re.compile(r"\{? *\.?mermaid(?![\w-])", re.IGNORECASE)
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "source", "wbr"})


def _outside_material(check: Check) -> Check:
    """The check without its findings on lines that MD021 reports."""

    @wraps(check)
    def check_outside(document: Document, context: Context) -> Iterator[Finding]:
        for finding in check(document, context):
            if finding.at.line not in document.source.construct_lines:
                yield finding

    return check_outside


def _blank(source: Source, line: int) -> bool:
    """Whether a line holds nothing, the marks of quotations not counted."""
    return not source.line(line).strip(" \t>")


def _siblings(source: Source) -> Iterator[tuple[Block, Block]]:
    """Each block with the one before it in the same container."""
    last: dict[int, Block] = {}
    for block in source.blocks:
        before = last.get(id(block.parent))
        if before is not None:
            yield before, block
        last[id(block.parent)] = block


def _indent(source: Source, block: Block) -> int:
    """The columns before a block's first character, the marks of quotations around it not counted."""
    line = source.line(block.first).expandtabs(4)
    parent = block.parent
    while parent is not None:
        if isinstance(parent, Quote):
            line = re.sub(r"^ {0,3}> ?", "", line, count=1)
        parent = parent.parent
    return len(line) - len(line.lstrip(" "))


def _depth(block: Block) -> int:
    """How many lists a block stands in, up to the nearest quotation."""
    depth, parent = 0, block.parent
    while parent is not None and not isinstance(parent, Quote):
        depth, parent = depth + isinstance(parent, Item), parent.parent
    return depth


@rule("MD001", "not-apart", over=Document)
@_outside_material
def not_apart(document: Document, context: Context) -> Iterator[Finding]:
    """A blank line stands between a list or a quotation and the text, code or table above or below it.

    A list within an item may follow the item's first line at once; a quotation may follow text.

    Why: without it the site shows the list as part of what stands above it, in one line.

    Bad:
        Orders need transactions.
        - Refunds too.
    Good:
        Orders need transactions.

        - Refunds too.
    """
    source = document.source
    for before, block in _siblings(source):
        if before.last + 1 != block.first or isinstance(before, Heading | Break | Html | Table):
            continue
        first_in_item = isinstance(block.parent, Item) and block.parent.first == before.first
        if isinstance(block, List) and not isinstance(before, List):
            apart = isinstance(before, Paragraph) and first_in_item
        elif isinstance(before, List):
            apart = not isinstance(block, Quote)
        else:
            apart = not isinstance(before, Quote) or isinstance(block, Heading | Break | Html)
        if not apart:
            message = f"{_name(block)} right under {_name(before)}"
            yield Finding(source.at(block.first), message, "put a blank line before it")


def _name(block: Block) -> str:
    match block:
        case Paragraph():
            return "a line of text"
        case Code():
            return "a block of code"
        case List():
            return "a list"
        case Quote():
            return "a quotation"
        case _:
            return "a table"


@rule("MD002", "table-not-apart", over=Document)
@_outside_material
def table_not_apart(document: Document, context: Context) -> Iterator[Finding]:
    """A blank line stands before a table and after it.

    Why: without it the site shows the table as text, or what follows as one more row.

    Bad:
        Measured in May.
        | Store | p99 |
    Good:
        Measured in May.

        | Store | p99 |
    """
    source = document.source
    for before, block in _siblings(source):
        if isinstance(block, Table) and isinstance(before, Paragraph | List) and before.last + 1 == block.first:
            yield Finding(source.at(block.first), "a table right under text", "put a blank line before it")
    for table in source.every(Table):
        if not _blank(source, table.last + 1):
            yield Finding(source.at(table.last + 1), "a line right under a table", "put a blank line before it")


@rule("MD003", "list-indent", over=Document)
@_outside_material
def list_indent(document: Document, context: Context) -> Iterator[Finding]:
    """What belongs to an item of a list is indented by four columns, and by four more in each list within it.

    Why: with two or three the site ends the list there; a numbered list begins again at 1 after each block of code.

    Bad:
        - Refunds too.
          - Partial ones as well.
    Good:
        - Refunds too.
            - Partial ones as well.
    """
    source = document.source
    for block in source.blocks:
        if isinstance(block, Item) or isinstance(block.parent, Item):
            expected, found = 4 * _depth(block), _indent(source, block)
        if isinstance(block, Item):
            if not _on_first_line_of_item(block) and found // 4 != expected // 4:
                yield _wrong_indent(source.at(block.first), "an item of a list", found, expected)
        elif isinstance(block.parent, Item) and block.first != block.parent.first:
            if (
                not isinstance(block, List)
                and (not isinstance(block, Code) or block.fenced)
                and found // 4 != expected // 4
            ):
                yield _wrong_indent(source.at(block.first), "a block within an item of a list", found, expected)
        if isinstance(block, Paragraph):
            for line in range(block.first + 1, block.last + 1):
                if _BLOCK_INDENTED.match(source.line(line)):
                    message = "a line of text that looks like an item of a list, or a fence"
                    yield Finding(source.at(line), message, "put a blank line before it, or indent it less")


def _on_first_line_of_item(item: Item) -> bool:
    """Whether a list begins on the very line of the item that it stands in: `- - text`."""
    outer = item.parent.parent if item.parent else None
    return isinstance(outer, Item) and outer.first == item.first


def _wrong_indent(at: Location, what: str, found: int, expected: int) -> Finding:
    return Finding(at, f"{what} is indented by {found} columns", f"indent it by {expected}")


@rule("MD004", "indented-heading", over=Document)
@_outside_material
def indented_heading(document: Document, context: Context) -> Iterator[Finding]:
    """A heading begins in the first column.

    Why: the site shows one that is indented as text with a sharp sign before it.

    Bad:
        Most in June.

          ### Load
    Good:
        Most in June.

        ### Load
    """
    source = document.source
    for heading in source.headings:
        inside_item = isinstance(heading.parent, Item)
        if not heading.setext and not inside_item and _indent(source, heading):
            yield Finding(source.at(heading.first), "a heading that is indented", "begin it in the first column")


@rule("MD005", "sharp-without-space", over=Document)
@_outside_material
def sharp_without_space(document: Document, context: Context) -> Iterator[Finding]:
    """A line of text does not begin with `#`.

    Why: the site makes a heading of it. A heading has one to six, then a space; a channel's name stands in backticks.

    Bad:
        #team-orders decides.
    Good:
        `#team-orders` decides.
    """
    source = document.source
    for block in source.blocks:
        if not isinstance(block, Paragraph) and not (isinstance(block, Heading) and block.setext):
            continue
        for offset, line in enumerate(block.text.split("\n")):
            if line.startswith("#"):
                message = "a line of text that begins with '#'"
                yield Finding(source.at(block.first + offset), message, "put a space after it, or write it as code")


@rule("MD006", "underlined-by-chance", over=Document, requires=("FM002",))
@_outside_material
def underlined_by_chance(document: Document, context: Context) -> Iterator[Finding]:
    """A line of `---` or `===` does not stand right under text, unless it underlines a heading of one line.

    Why: the site makes a heading of the line above it, and of no other.

    Bad:
        - Refunds too.
        ---
    Good:
        - Refunds too.

        ---
    """
    source = document.source
    for block in source.blocks:
        if isinstance(block, Break) and not source.line(block.first).strip(" >-") and _under_text(source, block):
            yield Finding(source.at(block.first), "a line of '---' right under text", "put a blank line before it")
        elif (
            isinstance(block, Heading) and block.setext and (block.last > block.first + 1 or _under_text(source, block))
        ):
            message = "an underlined heading right under text"
            yield Finding(source.at(block.first), message, "write it on one line, with '## ' before it")
        elif isinstance(block, Paragraph):
            for offset, line in enumerate(block.text.split("\n")):
                if line.strip() and not line.strip(" ="):
                    at = source.at(block.first + offset)
                    yield Finding(at, "a line of '===' that underlines nothing", "take it out, or write it as code")


def _under_text(source: Source, block: Block) -> bool:
    """Whether the line above a block holds something; outside of a quotation, the mark of one is something."""
    begins = source.front_matter is not None and block.first == source.body_line + 1
    above = "" if begins else source.line(block.first - 1)
    return not _blank(source, block.first - 1) if isinstance(block.parent, Quote) else bool(above.strip())


@rule("MD007", "open-fence", over=Document)
@_outside_material
def open_fence(document: Document, context: Context) -> Iterator[Finding]:
    """A block of code that a fence opens is closed by the same fence: as far in, and as long.

    Why: the site shows any other fence as text, and all that follows as Markdown.

    Bad:
        ```sql
        SELECT 1;

        ## Consequences
    Good:
        ```sql
        SELECT 1;
        ```

        ## Consequences
    """
    source = document.source
    for code in source.every(Code):
        if not code.closed:
            yield Finding(source.at(code.first), "the fence is never closed", "end the code with the same fence")
        elif (fence := _FENCE.match(source.line(code.first))) and source.line(code.last).rstrip() != fence[0]:
            message = f"the fence of line {code.first} is not closed by this one"
            yield Finding(source.at(code.last), message, f"write '{fence[0]}'")


@rule("MD008", "fence-options", over=Document)
@_outside_material
def fence_options(document: Document, context: Context) -> Iterator[Finding]:
    """After an opening fence stands one word for the language, then only `title="…"`, `linenums="…"`, `hl_lines="…"`.

    Why: with anything else the site takes the fence for text.

    Bad:
        ```sql title=query.sql
    Good:
        ```sql
    """
    for code in document.source.every(Code):
        if code.fenced and not _INFO.fullmatch(code.info):
            message = f"the site does not know '{code.info}' after a fence"
            yield Finding(document.source.at(code.first), message, "write the language alone")


@rule("MD009", "list-marker", over=Document)
@_outside_material
def list_marker(document: Document, context: Context) -> Iterator[Finding]:
    """The numbers of a list are followed by a full stop, not a parenthesis.

    Why: the site shows `1)` as text.

    Bad:
        1) Refunds too.
    Good:
        1. Refunds too.
    """
    for item in document.source.every(Item):
        if item.marker == ")":
            yield Finding(document.source.at(item.first), "a list numbered with ')'", "write '1.'")


@rule("MD010", "lists-run-together", over=Document)
@_outside_material
def lists_run_together(document: Document, context: Context) -> Iterator[Finding]:
    """Two lists do not follow each other without something between them; a list keeps its marker.

    Why: the site makes one list of them.

    Bad:
        - Refunds too.
        * Vouchers too.
    Good:
        - Refunds too.
        - Vouchers too.
    """
    source = document.source
    for before, block in _siblings(source):
        if isinstance(before, List) and isinstance(block, List):
            apart = _blank(source, block.first - 1)
            if not apart or before.ordered == block.ordered:
                hint = "keep to one marker, or put a line of text between the lists"
                yield Finding(source.at(block.first), "a list runs into the next", hint)


@rule("MD011", "heading-ends-in-sharp", over=Document)
@_outside_material
def heading_ends_in_sharp(document: Document, context: Context) -> Iterator[Finding]:
    """The text of a heading does not end in `#`.

    Why: the site takes it for the closing mark of the heading, and drops it.

    Bad:
        ### Written in C#
    Good:
        ### Written in C# and SQL
    """
    for heading in document.source.headings:
        if heading.text.endswith("#"):
            yield Finding(document.source.at(heading.first), "a heading that ends in '#'", "let a word follow it")


@rule("MD012", "pipe-in-cell", over=Document)
@_outside_material
def pipe_in_cell(document: Document, context: Context) -> Iterator[Finding]:
    """Code in a cell of a table holds no `|`.

    Why: the Git host ends the cell there, the site does not; with a backslash before it the site shows the backslash.

    Bad:
        | `a|b` | 4 ms |
    Good:
        | `a` or `b` | 4 ms |
    """
    source = document.source
    for table in source.every(Table):
        for line in range(table.first, table.last + 1):
            for span in _CODE_SPAN.finditer(source.line(line)):
                if "|" in span[2]:
                    at = source.at(line, span.start() + 1)
                    yield Finding(at, "a '|' in code in a cell", "say it without, or move the code below the table")


@rule("MD013", "open-comment", over=Document)
@_outside_material
def open_comment(document: Document, context: Context) -> Iterator[Finding]:
    """A comment is closed.

    Why: the Git host hides all that follows, the site shows it.

    Bad:
        <!-- reviewed in May
    Good:
        <!-- reviewed in May -->
    """
    for block in document.source.every(Html):
        if block.text.lstrip().startswith("<!--") and "-->" not in block.text:
            yield Finding(document.source.at(block.first), "the comment is never closed", "end it with '-->'")


@rule("MD014", "item-under-block", over=Document)
@_outside_material
def item_under_block(document: Document, context: Context) -> Iterator[Finding]:
    """A blank line stands before an item of a list where the item above it holds one.

    Why: the site takes the item for a part of the block above it, and the list ends there.

    Bad:
        - Refunds too.

            Partial ones as well.
        - Vouchers too.
    Good:
        - Refunds too.

            Partial ones as well.

        - Vouchers too.
    """
    source = document.source
    for before, block in _siblings(source):
        if isinstance(before, Item) and isinstance(block, Item) and not _blank(source, block.first - 1):
            if any(_blank(source, line) for line in range(before.first, block.first)):
                message = "an item of a list right under a block of the item above"
                yield Finding(source.at(block.first), message, "put a blank line before it")


@rule("MD015", "empty-item", over=Document)
@_outside_material
def empty_item(document: Document, context: Context) -> Iterator[Finding]:
    """An item of a list has text on its first line.

    Why: the site takes the bare marker for text, or for the underline of a heading.

    Bad:
        - Refunds too.
        -
    Good:
        - Refunds too.
        - Vouchers too.
    """
    source = document.source
    filled = {(id(block.parent), block.first) for block in source.blocks}
    for item in source.every(Item):
        if (id(item), item.first) not in filled:
            yield Finding(source.at(item.first), "an item of a list without text", "write it, or take the marker out")


@rule("MD016", "markdown-in-html", over=Page)
@_outside_material
def markdown_in_html(page: Page, context: Context) -> Iterator[Finding]:
    """Raw HTML in a page stands in one piece: no blank line between a tag and its end, and one after it.

    Why: the Git host reads what follows the blank line as Markdown, the site as HTML.

    Bad:
        <div>

        In June more.

        </div>
    Good:
        In June more.
    """
    for block in page.source.every(Html):
        text = _COMMENT.sub("", block.text)
        if not text.strip():
            continue
        opened = [name.lower() for name in _OPEN_TAG.findall(text)]
        closed = [name.lower() for name in _CLOSE_TAG.findall(text)]
        if not text.rstrip().endswith(">") or sorted(name for name in opened if name not in _VOID) != sorted(closed):
            message = "raw HTML that does not end where its block ends"
            yield Finding(page.source.at(block.first), message, "no blank line within it, one after it")


@rule("MD017", "definition-under-text", over=Document)
@_outside_material
def definition_under_text(document: Document, context: Context) -> Iterator[Finding]:
    """A blank line stands before the definition of a link, `[name]: target`.

    Why: right under text the Git host shows it, and the site takes it away.

    Bad:
        Most in June.
        [why]: https://postgresql.example
    Good:
        Most in June.

        [why]: https://postgresql.example
    """
    source = document.source
    for block in source.every(Paragraph):
        for offset, line in enumerate(block.text.split("\n")):
            if offset and _DEFINITION.match(line):
                at = source.at(block.first + offset)
                yield Finding(at, "the definition of a link right under text", "put a blank line before it")


@rule("MD018", "table-form", over=Document)
@_outside_material
def table_form(document: Document, context: Context) -> Iterator[Finding]:
    """A table has a row under its head, and every line of it begins and ends with `|`.

    Why: without the pipes the site may take it for text; without a row it shows an empty one.

    Bad:
        Store | p99
        |---|---|
        | PostgreSQL | 4 ms |
    Good:
        | Store | p99 |
        |---|---|
        | PostgreSQL | 4 ms |
    """
    source = document.source
    for table in source.every(Table):
        if not table.rows:
            yield Finding(source.at(table.first), "a table without a row", "give it one, or take it out")
        for line in range(table.first, table.last + 1):
            text = re.sub(r"^[\s>]*(?:[-*+]\s+|[0-9]+\.\s+)?", "", source.line(line)).rstrip()
            if not (text.startswith("|") and text.endswith("|")):
                yield Finding(source.at(line), "a line of a table without '|' around it", "begin and end it with '|'")


@rule("MD019", "indented-code", over=Document)
@_outside_material
def indented_code(document: Document, context: Context) -> Iterator[Finding]:
    """Code stands between fences, not indented by four columns.

    Why: under a list or beside a fence the site takes it for text, or text for it; and it has no language.

    Bad:
        - Refunds too.

                SELECT 1;
    Good:
        - Refunds too.

            ```sql
            SELECT 1;
            ```
    """
    for code in document.source.every(Code):
        if not code.fenced:
            message = "code by indentation, or text indented by too much"
            yield Finding(document.source.at(code.first), message, "put ``` before and after it, or indent it less")


@rule("MD020", "broken-macro", over=Page)
def broken_macro(page: Page, context: Context) -> Iterator[Finding]:
    """A page with `render_macros: true` is a template that Jinja can read, and calls macros that there are.

    Those are the engine's own, which take no arguments, and those of Jinja, of mkdocs-macros, of the page itself and of
    the modules that mkdocs.yml names. No module is run: where one cannot be read, the build reports an unknown name.

    Why: the build would stop at the first of them.

    Bad:
        {{ adr_idx() }}
    Good:
        {{ adr_index() }}
    """
    names = context.handbook.macros
    if not page.render_macros or not names.syntax.is_known:
        return
    source = page.source
    try:
        template = read_template(source.body, names.syntax)
    except TemplateError as error:
        line = source.body_line + (error.line or 2) - 1
        hint = None if error.line else "split it into several expressions, or correct the plugin macros in mkdocs.yml"
        yield Finding(source.at(line), f"not a template: {error.message}", hint)
        return
    for call in template.calls:
        if call.name in template.declared or (call.name not in names.signatures and not template.is_complete):
            continue
        if fault := _fault(call, names):
            line = source.body_line + call.line - 1
            yield Finding(source.at(line, source.line(line).find(call.name) + 1), *fault)


def _fault(call: MacroCall, names: MacroNames) -> tuple[str, str | None] | None:
    """The message and the hint on a call of an unknown macro, or with wrong arguments; None for any other."""
    if call.name not in names.signatures:
        hint = did_you_mean(call.name, names.signatures)
        return (f"unknown macro '{call.name}'", hint) if names.is_complete else None
    signature = names.signatures[call.name]
    if signature is None or call.fits(signature):
        return None
    usage = str(signature).replace("=Ellipsis", "=…")
    return f"wrong arguments for macro '{call.name}'", f"call it as {call.name}{usage}"


_HINTS: Final = {
    MaterialSyntax.TABS: "write a heading for each tab, and its text below it without the indent",
    MaterialSyntax.DEFINITION_LIST: "write a list: '- **term**: definition'",
    MaterialSyntax.ABBREVIATION: "write the words in full where the abbreviation stands first, and remove this line",
}
_LONGEST_QUOTE: Final = 60


@rule("MD021", "material-syntax", over=Document)
def material_syntax(document: Document, context: Context) -> Iterator[Finding]:
    """A record or page has GitHub Flavored Markdown alone, without the syntax of Material and Python-Markdown.

    That is: admonitions (`!!! note`), collapsible blocks (`??? note`), content tabs (`=== "Title"`), definition lists
    and abbreviations. `--fix` turns an admonition into a callout where its text can be moved line by line.

    Why: the site and the Git host print it as text, so that a warning does not look like one.

    Bad:
        !!! warning "In June"

            Most in June.
    Good:
        Most in June.
    """
    for construct in document.source.constructs:
        at = document.source.at(construct.first, construct.column)
        text = construct.text if len(construct.text) <= _LONGEST_QUOTE else f"{construct.text[:_LONGEST_QUOTE]}…"
        callout = construct.callout
        edit = Edit(document.source.at(construct.first), callout.old, callout.new) if callout else None
        yield Finding(at, f"{construct.syntax} '{text}'", _material_hint(construct), edit)


def _material_hint(construct: Construct) -> str:
    """What GitHub Flavored Markdown has instead of a construct."""
    if construct.syntax not in (MaterialSyntax.ADMONITION, MaterialSyntax.COLLAPSIBLE):
        return _HINTS[construct.syntax]
    kind = CALLOUT_KINDS.get(construct.kind)
    kinds = f"> [!{kind}]" if kind else "> [!NOTE], [!TIP], [!IMPORTANT], [!WARNING] or [!CAUTION]"
    return f"write '{kinds}', then '> ' before each line of its text"


@rule("MD022", "mermaid-fence", over=Document)
def mermaid_fence(document: Document, context: Context) -> Iterator[Finding]:
    """A diagram is an SVG file beside the record, not a fence with the source of Mermaid.

    An SVG whose root says `fill="currentColor"` has the colours of the page. The source can stay, in a `text` fence.

    Why: the site loads no script that could draw it, and shows the source to readers.

    Bad:
        ```mermaid
        SELECT 1;
        ```
    Good:
        ```sql
        SELECT 1;
        ```
    """
    for code in document.source.every(Code):
        if code.fenced and _MERMAID.match(code.info):
            hint = (
                'draw it as an SVG attachment whose root says fill="currentColor"; '
                "keep the source in a fence of ```text if you want it"
            )
            yield Finding(document.source.at(code.first), "Mermaid source, which the site does not draw", hint)
