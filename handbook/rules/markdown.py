"""MD002 to MD025: Markdown that GitHub shows differently from what its author meant, and syntax that it does not have.

The missing codes are retired: their rules compared two parsers (ADR-0021).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from handbook.diagnostics import Edit, Finding, did_you_mean
from handbook.macro_names import MacroNames
from handbook.reading.blocks import Code, Html, Item, Paragraph, Table
from handbook.reading.material import CALLOUT_KINDS, Construct, MaterialSyntax
from handbook.reading.parser import MarkdownNode, NodeKind
from handbook.reading.raw_html import COMMENT, TagFault
from handbook.reading.templates import MacroCall, TemplateError, read_template
from handbook.records import Document, Page, Record
from handbook.rules.engine import Context, rule

_DELIMITER_ROW = re.compile(r"(?=.*\|)(?=.*-)[|:\- \t]+")
_TEXTS = frozenset(
    (
        NodeKind.PARAGRAPH,
        NodeKind.PLAIN,
        NodeKind.HEADING,
        NodeKind.TABLE_CELL,
        NodeKind.EMPHASIS,
        NodeKind.STRONG,
        NodeKind.STRIKETHROUGH,
        NodeKind.LINK,
    )
)
_TILDE = re.compile(r"(?<![~\\])~(?!~)")
_MERMAID = re.compile(r"\{? *\.?mermaid(?![\w-])", re.IGNORECASE)


@rule("MD002", "text-under-table", over=Document)
def text_under_table(document: Document) -> Iterator[Finding]:
    """A blank line separates a table from the text below it.

    Why: GitHub reads the line as one more row of the table.

    Bad:
        | `a` or `b` | 4 ms |
        In June more.
    Good:
        | `a` or `b` | 4 ms |

        In June more.
    """
    source, body = document.source, document.source.body
    for table in source.every(Table):
        for row in table.spans[1:]:
            if "|" not in body[row.start : row.end]:
                yield Finding(
                    source.at_body(row.cells[0]),
                    "text right below a table",
                    "put a blank line before it",
                )


@rule("MD006", "accidental-heading", over=Document, requires=("FM002",))
def accidental_heading(document: Document) -> Iterator[Finding]:
    """A line of `---` or `===` is not right below a paragraph of several lines.

    Why: GitHub makes one heading of all of them.

    Bad:
        and fewer in May.
        ---
    Good:
        and fewer in May.

        ---
    """
    for heading in document.source.headings:
        if heading.setext and heading.last > heading.first + 1:
            if heading.first in document.source.construct_lines:
                continue
            hint = "put a blank line before its last line, or write a heading on one line with '## ' before it"
            yield Finding(
                document.source.at(heading.last), "a paragraph of several lines as a heading", hint
            )


@rule("MD007", "unclosed-fence", over=Document)
def unclosed_fence(document: Document) -> Iterator[Finding]:
    """A block of code that a fence opens is closed by a fence of the same characters, at least as long.

    Why: all that follows is code.

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
    for code in document.source.every(Code):
        if not code.closed:
            at = document.source.at(code.first)
            yield Finding(
                at, "the fence is never closed", "end the code with a line of the same fence"
            )


@rule("MD012", "too-many-cells", over=Document)
def too_many_cells(document: Document) -> Iterator[Finding]:
    r"""A row of a table has no more cells than the header. Write a `|` within a cell as `\|`, also in code.

    Why: GitHub does not show the extra cells.

    Bad:
        | `a|b` | 4 ms |
    Good:
        | `a` or `b` | 4 ms |
    """
    source, body = document.source, document.source.body
    for table in source.every(Table):
        for row in table.spans:
            rest = body[row.cells_end : row.end]
            text = rest.lstrip(" \t|")
            if text.strip():
                hint = "write a '|' within a cell as '\\|', or add a cell to the header"
                at = source.at_body(row.cells_end + len(rest) - len(text))
                yield Finding(at, "a cell without a column, which is not shown", hint)


@rule("MD013", "unclosed-comment", over=Document)
def unclosed_comment(document: Document) -> Iterator[Finding]:
    """A comment is closed.

    Why: all that follows is hidden.

    Bad:
        <!-- reviewed in May
    Good:
        <!-- reviewed in May -->
    """
    for block in document.source.every(Html):
        for comment in COMMENT.finditer(block.text):
            if not comment[0].endswith(("-->", "--!>")):
                line = block.first + block.text.count("\n", 0, comment.start())
                yield Finding(
                    document.source.at(line), "the comment is never closed", "end it with '-->'"
                )


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
        hint = (
            None
            if error.line
            else "split it into several expressions, or correct the plugin macros in mkdocs.yml"
        )
        yield Finding(source.at(line), f"not a template: {error.message}", hint)
        return
    for call in template.calls:
        if call.name in template.declared or (
            call.name not in names.signatures and not template.is_complete
        ):
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
    MaterialSyntax.ABBREVIATION: "write the words in full where the abbreviation is first used, and remove this line",
}
_LONGEST_QUOTE: Final = 60


@rule("MD021", "material-syntax", over=Document)
def material_syntax(document: Document) -> Iterator[Finding]:
    """A record or page has GitHub Flavored Markdown alone, without the syntax of Material and Python-Markdown.

    That is: admonitions (`!!! note`), collapsible blocks (`??? note`), content tabs (`=== "Title"`), definition lists
    and abbreviations. `--fix` turns an admonition into a callout where its text can be moved line by line.

    Why: the site and the Git host print it as text, so that a warning does not look like one.

    Bad:
        !!! warning "In June"

            In June more.
    Good:
        In June more.
    """
    for construct in document.source.constructs:
        at = document.source.at(construct.first, construct.column)
        text = (
            construct.text
            if len(construct.text) <= _LONGEST_QUOTE
            else f"{construct.text[:_LONGEST_QUOTE]}…"
        )
        callout = construct.callout
        edit = (
            Edit(document.source.at(construct.first), callout.old, callout.new) if callout else None
        )
        yield Finding(at, f"{construct.syntax} '{text}'", _material_hint(construct), edit)


def _material_hint(construct: Construct) -> str:
    """What GitHub Flavored Markdown has instead of a construct."""
    if construct.syntax not in (MaterialSyntax.ADMONITION, MaterialSyntax.COLLAPSIBLE):
        return _HINTS[construct.syntax]
    kind = CALLOUT_KINDS.get(construct.kind)
    kinds = f"> [!{kind}]" if kind else "> [!NOTE], [!TIP], [!IMPORTANT], [!WARNING] or [!CAUTION]"
    return f"write '{kinds}', then '> ' before each line of its text"


@rule("MD022", "mermaid-fence", over=Document)
def mermaid_fence(document: Document) -> Iterator[Finding]:
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
            yield Finding(
                document.source.at(code.first), "Mermaid source, which the site does not draw", hint
            )


@rule("MD023", "misplaced-delimiter-row", over=Document)
def misplaced_delimiter_row(document: Document) -> Iterator[Finding]:
    """A table begins below a blank line, and its delimiter row has as many cells as its header.

    Why: otherwise the table, or a part of it, is shown as text.

    Bad:
        | Store | p99 |
        |---|
        | PostgreSQL | 4 ms |
    Good:
        | Store | p99 |
        |---|---|
        | PostgreSQL | 4 ms |
    """
    source = document.source
    if "|" not in source.body:
        return
    hint = "put a blank line before the table's header, and give both rows the same number of cells"
    for paragraph in source.every(Paragraph):
        if "|" not in paragraph.text:
            continue
        for line, text in enumerate(paragraph.text.split("\n"), paragraph.first):
            is_item = paragraph.first == paragraph.last and isinstance(paragraph.parent, Item)
            if (
                not is_item
                and _DELIMITER_ROW.fullmatch(text)
                and line not in source.construct_lines
            ):
                yield Finding(source.at(line), "a delimiter row that makes no table", hint)
    for before, block in pairwise(source.blocks):
        if isinstance(before, Table) and isinstance(block, Code) and not block.fenced:
            if block.first == before.last + 1:
                hint = "begin it in the column of the table, or put a blank line before it"
                yield Finding(source.at(block.first), "an indented line right below a table", hint)


@rule("MD024", "single-tilde", over=Document)
def single_tilde(document: Document) -> Iterator[Finding]:
    r"""A single `~` within words is written as `\~`, and text that is struck out has `~~` around it.

    Why: GitHub strikes out what is between two of them, as in `10~20 and 30~40`.

    Bad:
        In July 4~5 ms, or 8~9 ms.
    Good:
        In July 4 to 5 ms, or 8 to 9 ms.
    """
    source = document.source
    hint = "write '\\~' for the sign, or '~~' around text that is struck out"
    for node in source.tree.walk() if "~" in source.body else ():
        if node.kind in _TEXTS:
            for offset in _struck_by_tildes(source.body, node.children):
                yield Finding(source.at_body(offset), "a single '~' that may strike out text", hint)


def _struck_by_tildes(body: str, nodes: list[MarkdownNode]) -> Iterator[int]:
    """The offset of the first of two single tildes between which GitHub, but not our parser, strikes out the text."""
    opener: int | None = None
    for node in nodes:
        if node.kind is not NodeKind.TEXT:
            continue
        for match in _TILDE.finditer(body, node.start, node.end):
            before, after = (
                body[match.start() - 1 : match.start()],
                body[match.end() : match.end() + 1],
            )
            if opener is not None and before.strip():
                yield opener
                opener = None
            elif after.strip():
                opener = match.start()


@rule("MD025", "unbalanced-html", over=Record, requires=("MD013",))
def unbalanced_html(record: Record) -> Iterator[Finding]:
    """An HTML element that a record may hold is closed in the paragraph, list item or quotation that it was opened in.

    `<details>` and `<summary>` begin a line, since they hold blocks.

    Why: GitHub and the site close it somewhere else, and what follows is hidden or looks different.

    Bad:
        <sub>PostgreSQL 16.
    Good:
        PostgreSQL 16.
    """
    for at, tag in record.source.faulty_tags:
        if tag.fault is not TagFault.NOT_ALLOWED:
            message, hint = _TAG_FAULTS[tag.fault]
            yield Finding(at, message.format(tag.text), hint)


_TAG_FAULTS: Final = {
    TagFault.UNCLOSED: (
        "'{}' is never closed",
        "close it in the same paragraph, list item or quotation",
    ),
    TagFault.UNOPENED: (
        "'{}' closes nothing",
        "remove it, or open it in the same paragraph, list item or quotation",
    ),
    TagFault.WITHIN_LINE: ("'{}' in the middle of a line", "begin a line with it"),
}
