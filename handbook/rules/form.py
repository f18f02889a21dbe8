"""FM101 to FM107: the title, the sections and the shell code of a record."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain

from handbook.diagnostics import Finding, Location, find_nearest
from handbook.handbook import Handbook
from handbook.reading import nodes
from handbook.reading.blocks import SNIPPET, Code, Heading, Paragraph, Section, Table
from handbook.reading.fields import find_field_at
from handbook.reading.placeholders import (
    PLACEHOLDERS,
    blank_code,
    find_placeholder,
    make_placeholder_finding,
)
from handbook.reading.problems import ProblemKind
from handbook.reading.shell import LANGUAGES, find_shell_errors
from handbook.reading.source import Source
from handbook.records import Document, Entity, Record
from handbook.rules.engine import rule

_UNREAD = ("FM001",)
_NAME_TO_REPLACE = re.compile(r"<([A-Za-z][\w.-]*(?: [\w.-]+)*)>")
"""A name such as `<pod>` that the reader replaces. A shell takes `<` for a redirection."""
_SWALLOWED = ("FM001", "MD007", "MD013")  # an open fence or comment hides the text after it


def _list_required_sections(record: Record) -> list[Section]:
    """List the required sections of a record in the order of the file, without duplicates."""
    sections: dict[str, Section] = {}
    for section in record.source.sections:
        if section.heading.text in record.sections:
            sections.setdefault(section.heading.text, section)
    return list(sections.values())


@rule("FM101", "missing-title", over=Document, requires=("FM001", "FM002"))
def missing_title(document: Document) -> Iterator[Finding]:
    """A document has exactly one H1, its title, before all other content.

    Why: lists show the file name of a document without a title. With two, it is unclear which one
    is the title.

    Bad:
        ## Use PostgreSQL for orders

        ## Context
    Good:
        # Use PostgreSQL for orders

        ## Context
    """
    if not document.source.is_parsed:
        return  # Python-Markdown renders this page
    headings = [heading for heading in document.source.headings if heading.level == 1]
    if not headings:
        at = document.source.at(min(document.source.body_line + 1, document.source.last_line))
        yield Finding(at, "missing title", "begin the body with '# ' and the title")
        return
    first = document.source.blocks[0]
    if not headings[0].text:
        yield Finding(
            document.source.at(headings[0].first), "empty title", "write the title after '# '"
        )
    elif isinstance(document, Record) and first is not headings[0]:
        yield Finding(
            document.source.at(headings[0].first),
            "content before the title",
            "move it below the title",
        )
    for heading in headings[1:]:
        yield Finding(
            document.source.at(heading.first),
            f"duplicate title '{heading.text}' (first on line {headings[0].first})",
            f"write '## {heading.text}' for a section",
        )


@rule("FM102", "missing-section", over=Record, requires=_SWALLOWED)
def missing_section(record: Record) -> Iterator[Finding]:
    """A record has every section that its kind requires, as an H2.

    A heading in a code block or a comment does not count.

    Why: readers find the same information in the same place, even at three in the morning.

    Bad:
        ## What follows
    Good:
        ## Consequences
    """
    sections = {section.heading.text: section for section in _list_required_sections(record)}
    for index, name in enumerate(record.sections):
        if name in sections:
            continue
        following = (
            sections[later].heading.first
            for later in record.sections[index + 1 :]
            if later in sections
        )
        line = next(following, record.source.last_line)
        yield Finding(
            record.source.at(line),
            f"missing section '{name}'",
            _suggest_heading(record, name),
        )


def _suggest_heading(record: Record, name: str) -> str:
    """Suggest how to add a missing section, from similar text in the file."""
    for code in record.source.blocks_of(Code):
        if re.search(rf"^\s*##\s+{re.escape(name)}\s*$", code.text, re.MULTILINE):
            return f"move '## {name}' out of the code block on line {code.first}"
    headings = {
        heading.text: heading
        for heading in reversed(record.source.headings)
        if heading.text == name or heading.text not in record.sections
    }
    similar = name if name in headings else find_nearest(name, headings)
    if similar is None:
        return f"add '## {name}', and text below it"
    heading = headings[similar]
    return f"line {heading.first} says '{'#' * heading.level} {similar}': write '## {name}'"


@rule("FM103", "misplaced-section", over=Record, requires=_UNREAD)
def misplaced_section(record: Record) -> Iterator[Finding]:
    """Required sections are in the order of their kind.

    Other sections can be anywhere between them.

    Why: a reader who has read one record can find everything in the others.

    Bad:
        ## Decision

        PostgreSQL 16.

        ## Context

        Orders need transactions.
    Good:
        ## Context

        Orders need transactions.

        ## Decision

        PostgreSQL 16.
    """
    furthest = -1
    for section in _list_required_sections(record):
        name = section.heading.text
        rank = record.sections.index(name)
        if rank < furthest:
            at = record.source.at(section.heading.first)
            order = " · ".join(record.sections)
            yield Finding(
                at,
                f"section '{name}' after section '{record.sections[furthest]}'",
                f"use this order: {order}",
            )
        furthest = max(furthest, rank)


@rule("FM104", "empty-section", over=Record, requires=_SWALLOWED)
def empty_section(record: Record) -> Iterator[Finding]:
    """Every required section contains text.

    Headings and comments are not text.

    Why: an empty section looks like an answer, but gives none.

    Bad:
        ## Decision

        <!-- what was decided -->
    Good:
        ## Decision

        PostgreSQL 16.
    """
    for section in _list_required_sections(record):
        if not section.filled:
            at = record.source.at(section.heading.first)
            yield Finding(
                at, f"empty section '{section.heading.text}'", "add text below the heading"
            )


@rule("FM105", "duplicate-section", over=Record, requires=_UNREAD)
def duplicate_section(record: Record) -> Iterator[Finding]:
    """Each required section occurs once.

    Why: two sections of the same name can contradict each other.

    Bad:
        ## Decision

        PostgreSQL 16.

        ## Decision

        Or perhaps not.
    Good:
        ## Decision

        PostgreSQL 16.
    """
    first: dict[str, Heading] = {}
    for section in record.source.sections:
        name = section.heading.text
        if (
            name in record.sections
            and first.setdefault(name, section.heading) is not section.heading
        ):
            at = record.source.at(section.heading.first)
            yield Finding(
                at,
                f"duplicate section '{name}' (first on line {first[name].first})",
                "merge the two sections, or rename one of them",
            )


@rule("FM106", "placeholder", over=Handbook, requires=_UNREAD, reports=ProblemKind.PLACEHOLDER)
def placeholder(handbook: Handbook) -> Iterator[Finding]:
    """No text and no value contains a placeholder.

    Placeholders are `TODO`, `TBD`, `FIXME`, `XXX`, "To be written" and "lorem ipsum", outside
    code. The rule reports one finding for each value and each section. No other rule reports a
    value that is still a placeholder.

    Why: readers take a published text as finished.

    Bad:
        TODO: say what was decided
    Good:
        PostgreSQL 16.
    """
    places: set[Location] = set()
    for entity in handbook.entities:
        for finding in _find_in_values(entity, handbook):
            places.add(finding.at)
            yield finding
        if isinstance(entity, Record):
            yield from _find_in_text(entity.source)
    for sample in handbook.settings.organisation.samples:
        if match := find_placeholder(sample.reason or ""):
            at = handbook.settings.at_sample(sample, "reason")
            yield make_placeholder_finding(at, match[0], "the reason why it is not a secret")
    for problem in chain(
        handbook.settings.problems, *(file.problems for file in handbook.rule_files)
    ):
        if problem.kind is ProblemKind.PLACEHOLDER and problem.finding.at not in places:
            yield problem.finding


def _find_in_values(entity: Entity, handbook: Handbook) -> Iterator[Finding]:
    """Find the placeholders in the values of an entity."""
    mapping = entity.mapping
    if mapping is None:
        return
    for value in nodes.walk_scalars(mapping):
        if match := find_placeholder(value.text):
            field = find_field_at(type(entity), mapping, value.at)
            replacement = field[0].replacement(handbook.settings.vocabularies) if field else "text"
            yield make_placeholder_finding(
                value.at, match[0], replacement, optional=not (field and field[1])
            )


def _find_in_text(source: Source) -> Iterator[Finding]:
    """Find the first placeholder of each section."""
    text = source.body.lower()
    if not any(
        placeholder in text for placeholder in PLACEHOLDERS
    ):  # This test is cheaper than the regex.
        return
    reported: set[int] = set()
    headings = [heading.first for heading in source.headings if heading.level <= 2]
    for block in source.blocks:
        if not isinstance(block, Paragraph | Heading | Table):
            continue
        for line in range(block.first, block.last + 1):
            match = find_placeholder(blank_code(source.line(line)))
            section = bisect_right(headings, line) if match else 0
            if match and section not in reported:
                reported.add(section)
                yield make_placeholder_finding(source.at(line, match.start() + 1), match[0])


@rule("FM107", "invalid-shell", over=Handbook)
def invalid_shell(handbook: Handbook) -> Iterator[Finding]:
    """Shell code blocks have no error that shellcheck reports.

    The rule checks blocks that have `bash`, `sh`, `shell` or `zsh` after the fence. It ignores
    the warnings of shellcheck, and code that a listing includes from a file.

    Why: readers paste the code into a terminal, where an error can stop a command halfway.

    Bad:
        if df -h; then
    Good:
        df -h
    """
    blocks = [
        (document.source, code)
        for document in handbook.of(Document)
        for code in document.source.blocks_of(Code)
        if code.fenced and code.closed and code.info.split(" ")[0] in LANGUAGES
    ]
    for error in find_shell_errors(tuple(SNIPPET.sub("", code.text) for _, code in blocks)):
        source, code = blocks[error.script]
        line = code.first + error.line
        indent = source.line(line).find(code.text.split("\n")[error.line - 1])
        at = source.at(line, max(indent, 0) + error.column)
        names = _NAME_TO_REPLACE.finditer(source.line(line))
        if name := next((name for name in names if name.start() < at.column <= name.end()), None):
            message = f"unquoted placeholder '{name[0]}' in shell code"
            variable = re.sub(r"\W", "_", name[1])
            hint = f'put it in quotes, "{name[0]}", or use a variable, "${variable}"'
        else:
            message = f"invalid shell code: {error.message}"
            hint = "correct it, or begin a block that is not shell code with ```text"
        yield Finding(at, message, hint)
