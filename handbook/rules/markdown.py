"""MD002 to MD025: Markdown that GitHub does not support, or shows in an unexpected way.

The codes that are missing belonged to rules that were removed (ADR-0021).
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

    Why: GitHub shows the text as another row of the table.

    Bad:
        | `a` or `b` | 4 ms |
        In June more.
    Good:
        | `a` or `b` | 4 ms |

        In June more.
    """
    source, body = document.source, document.source.body
    for table in source.blocks_of(Table):
        for row in table.spans[1:]:
            if "|" not in body[row.start : row.end]:
                yield Finding(
                    source.at_body(row.cells[0]),
                    "no blank line below the table",
                    "put a blank line before this text",
                )


@rule("MD006", "accidental-heading", over=Document, requires=("FM002",))
def accidental_heading(document: Document) -> Iterator[Finding]:
    """A paragraph of several lines has no line of `---` or `===` directly below it.

    Why: GitHub shows the whole paragraph as a heading.

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
            hint = (
                "if it is a paragraph, put a blank line before this line; "
                "if it is a heading, write it on one line that begins with '## '"
            )
            yield Finding(document.source.at(heading.last), "heading spans several lines", hint)


@rule("MD007", "unclosed-fence", over=Document)
def unclosed_fence(document: Document) -> Iterator[Finding]:
    """Every code fence is closed.

    The closing fence has the same characters as the opening fence, and is at least as long.

    Why: GitHub and the site show all text after an unclosed fence as code.

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
    for code in document.source.blocks_of(Code):
        if not code.closed:
            at = document.source.at(code.first)
            yield Finding(at, "unclosed code fence", "repeat the fence on a line below the code")


@rule("MD012", "too-many-cells", over=Document)
def too_many_cells(document: Document) -> Iterator[Finding]:
    r"""A table row has no more cells than the header.

    Write `|` inside a cell as `\|`, also in code.

    Why: GitHub does not show the extra cells.

    Bad:
        | `a|b` | 4 ms |
    Good:
        | `a` or `b` | 4 ms |
    """
    source, body = document.source, document.source.body
    for table in source.blocks_of(Table):
        for row in table.spans:
            rest = body[row.cells_end : row.end]
            text = rest.lstrip(" \t|")
            if text.strip():
                hint = "write '|' inside a cell as '\\|', or add a cell to the header"
                at = source.at_body(row.cells_end + len(rest) - len(text))
                yield Finding(at, "table row with more cells than the header", hint)


@rule("MD013", "unclosed-comment", over=Document)
def unclosed_comment(document: Document) -> Iterator[Finding]:
    """Every comment is closed.

    Why: GitHub and the site hide all text after an unclosed comment.

    Bad:
        <!-- reviewed in May
    Good:
        <!-- reviewed in May -->
    """
    for block in document.source.blocks_of(Html):
        for comment in COMMENT.finditer(block.text):
            if not comment[0].endswith(("-->", "--!>")):
                line = block.first + block.text.count("\n", 0, comment.start())
                yield Finding(document.source.at(line), "unclosed comment", "end it with '-->'")


@rule("MD020", "broken-macro", over=Page, mandatory=True)
def broken_macro(page: Page, context: Context) -> Iterator[Finding]:
    """A page with `render_macros: true` is a valid template with known macros.

    Known macros are the macros of this project (without arguments), of Jinja, of mkdocs-macros, of
    the page itself and of the modules in mkdocs.yml. The check reads these modules but does not run
    them. If it cannot read a module, only the build reports unknown macros.

    Why: the build stops at the first unknown macro.

    Bad:
        {{ adr_idx() }}
    Good:
        {{ adr_index() }}
    """
    names = context.handbook.macros
    if (
        not page.render_macros
        or not names.syntax.is_known
        or page.path in context.handbook.provided
    ):
        return
    source = page.source
    try:
        template = read_template(source.body, names.syntax)
    except TemplateError as error:
        line = source.body_line + (error.line or 2) - 1
        hint = (
            None
            if error.line
            else "split long expressions, or correct the plugin 'macros' in mkdocs.yml"
        )
        yield Finding(source.at(line), f"invalid macro template: {error.message}", hint)
        return
    for call in template.calls:
        if call.name in template.declared_names or (
            call.name not in names.signatures and not template.is_complete
        ):
            continue
        if fault := _describe_fault(call, names):
            line = source.body_line + call.line - 1
            yield Finding(source.at(line, source.line(line).find(call.name) + 1), *fault)


def _describe_fault(call: MacroCall, names: MacroNames) -> tuple[str, str | None] | None:
    """Return the message and the hint for an invalid call of a macro, or None for a valid one."""
    if call.name not in names.signatures:
        hint = did_you_mean(call.name, names.signatures)
        return (f"unknown macro '{call.name}'", hint) if names.is_complete else None
    macro_signature = names.signatures[call.name]
    if macro_signature is None or call.fits(macro_signature):
        return None
    usage = str(macro_signature).replace("=Ellipsis", "=…")
    return f"invalid arguments for macro '{call.name}'", f"call it as {call.name}{usage}"


_HINTS: Final = {
    MaterialSyntax.TABS: "write a heading for each tab, and its text below it without indentation",
    MaterialSyntax.DEFINITION_LIST: "write a list item: '- **term**: definition'",
    MaterialSyntax.ABBREVIATION: (
        "write the words in full at the first use of the abbreviation, and remove this line"
    ),
}
_LONGEST_QUOTE: Final = 60


@rule("MD021", "material-syntax", over=Document)
def material_syntax(document: Document) -> Iterator[Finding]:
    """A document is GitHub Flavored Markdown, without the syntax of Material for MkDocs.

    Admonitions (`!!! note`), collapsible blocks (`??? note`), content tabs (`=== "Title"`),
    definition lists and abbreviations are not allowed. `--fix` converts an admonition to a
    callout if the text of the callout can keep its lines.

    Why: the site and the Git host show this syntax as plain text, so readers overlook a warning.

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
        yield Finding(
            at, f"unsupported {construct.syntax} '{text}'", _material_hint(construct), edit
        )


def _material_hint(construct: Construct) -> str:
    """Return the hint that shows how to write a construct in GitHub Flavored Markdown."""
    if construct.syntax not in (MaterialSyntax.ADMONITION, MaterialSyntax.COLLAPSIBLE):
        return _HINTS[construct.syntax]
    kind = CALLOUT_KINDS.get(construct.kind)
    callout = f"'> [!{kind}]'" if kind else "'> [!NOTE]' (or TIP, IMPORTANT, WARNING, CAUTION)"
    return f"write {callout}, then '> ' before each line of its text"


@rule("MD022", "mermaid-fence", over=Document)
def mermaid_fence(document: Document) -> Iterator[Finding]:
    """A diagram is an SVG attachment, not a Mermaid code block.

    An SVG with `fill="currentColor"` on its root element uses the colours of the page. You can show
    the source of the diagram in a `text` block.

    Why: the site has no script that draws Mermaid diagrams, so readers would see the source.

    Bad:
        ```mermaid
        SELECT 1;
        ```
    Good:
        ```sql
        SELECT 1;
        ```
    """
    for code in document.source.blocks_of(Code):
        if code.fenced and _MERMAID.match(code.info):
            hint = (
                'add the diagram as an SVG attachment with fill="currentColor" on its root, '
                "or begin the block with ```text to show the source"
            )
            yield Finding(
                document.source.at(code.first),
                "unsupported Mermaid diagram",
                hint,
            )


@rule("MD023", "misplaced-delimiter-row", over=Document)
def misplaced_delimiter_row(document: Document) -> Iterator[Finding]:
    """A table has a blank line above it, and as many delimiter cells (`---`) as header cells.

    Why: without them, the site shows the table, or part of it, as text.

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
    hint = (
        "put a blank line above the header row, and write as many cells in the delimiter row as in "
        "the header row"
    )
    for paragraph in source.blocks_of(Paragraph):
        if "|" not in paragraph.text:
            continue
        for line, text in enumerate(paragraph.text.split("\n"), paragraph.first):
            is_item = paragraph.first == paragraph.last and isinstance(paragraph.parent, Item)
            if (
                not is_item
                and _DELIMITER_ROW.fullmatch(text)
                and line not in source.construct_lines
            ):
                yield Finding(source.at(line), "delimiter row ('---|---') outside a table", hint)
    for table, block in pairwise(source.blocks):
        if isinstance(table, Table) and isinstance(block, Code) and not block.fenced:
            if block.first == table.last + 1:
                hint = (
                    "for a table row, remove the indentation; for code, put a blank line above it"
                )
                yield Finding(source.at(block.first), "indented line directly below a table", hint)


@rule("MD024", "single-tilde", over=Document)
def single_tilde(document: Document) -> Iterator[Finding]:
    r"""A single `~` in text is written as `\~`.

    To strike out text, write `~~` before and after it.

    Why: GitHub strikes out the text between two single tildes, as in `10~20 and 30~40`.

    Bad:
        In July 4~5 ms, or 8~9 ms.
    Good:
        In July 4 to 5 ms, or 8 to 9 ms.
    """
    source = document.source
    hint = "write '\\~' for a tilde, or '~~' before and after text to strike it out"
    for node in source.tree.walk() if "~" in source.body else ():
        if node.kind in _TEXTS:
            for offset in _find_strikethroughs(source.body, node.children):
                yield Finding(source.at_body(offset), "single '~', which can strike out text", hint)


def _find_strikethroughs(body: str, nodes: list[MarkdownNode]) -> Iterator[int]:
    """Return the offset of each single tilde at which GitHub begins struck-out text.

    The parser of the site does not strike out text between single tildes.
    """
    opener: int | None = None
    for node in nodes:
        if node.kind is not NodeKind.TEXT:
            continue
        for match in _TILDE.finditer(body, node.start, node.end):
            preceding = body[match.start() - 1 : match.start()]
            following = body[match.end() : match.end() + 1]
            if opener is not None and preceding.strip():
                yield opener
                opener = None
            elif following.strip():
                opener = match.start()


@rule("MD025", "unbalanced-html", over=Record, requires=("MD013",))
def unbalanced_html(record: Record) -> Iterator[Finding]:
    """Every HTML element is closed in the block that opens it.

    A block is a paragraph, a list item or a block quote. The tags `<details>` and `<summary>` are
    at the start of a line, because these elements contain blocks.

    Why: GitHub and the site close an unclosed element in different places, which can hide the text
    after it.

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
        "unclosed HTML element '{}'",
        "close it in the same paragraph, list item or block quote",
    ),
    TagFault.UNOPENED: (
        "closing tag '{}' without an opening tag",
        "remove it, or add the opening tag in the same paragraph, list item or block quote",
    ),
    TagFault.WITHIN_LINE: (
        "HTML tag '{}' in the middle of a line",
        "move it to the start of a line",
    ),
}
