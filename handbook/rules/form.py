"""FM101 to FM107: the form of a record's body: its title, its sections and its code."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain

from handbook.diagnostics import Finding, Location, did_you_mean
from handbook.handbook import Handbook
from handbook.reading import nodes
from handbook.reading.blocks import SNIPPET, Code, Heading, Paragraph, Section, Table
from handbook.reading.fields import field_at
from handbook.reading.placeholders import (
    PLACEHOLDERS,
    find_placeholder,
    placeholder_finding,
    without_code,
)
from handbook.reading.problems import ProblemKind
from handbook.reading.shell import LANGUAGES, shell_errors
from handbook.reading.source import Source
from handbook.records import Document, Entity, Record
from handbook.rules.engine import rule

_UNREAD = ("FM001",)
_SWALLOWED = ("FM001", "MD007", "MD013")  # an open fence or comment takes what follows with it


def _required(record: Record) -> list[Section]:
    """The required sections that are there, in the order of the file, each once."""
    found: dict[str, Section] = {}
    for section in record.source.sections:
        if section.heading.text in record.sections:
            found.setdefault(section.heading.text, section)
    return list(found.values())


@rule("FM101", "missing-title", over=Document, requires=("FM001", "FM002"))
def missing_title(document: Document) -> Iterator[Finding]:
    """A file has one H1, before everything else in its body. It is the title.

    Why: the title stands nowhere else; without it lists show a file name, with two of them nobody knows which counts.

    Bad:
        ## Use PostgreSQL for orders

        ## Context
    Good:
        # Use PostgreSQL for orders

        ## Context
    """
    if not document.source.is_parsed:
        return  # rendered by another parser
    headings = [heading for heading in document.source.headings if heading.level == 1]
    if not headings:
        at = document.source.at(min(document.source.body_line + 1, document.source.last_line))
        yield Finding(at, "no title", "begin the body with '# ' and the title")
        return
    first = document.source.blocks[0]
    if not headings[0].text:
        yield Finding(document.source.at(headings[0].first), "the title is empty")
    elif isinstance(document, Record) and first is not headings[0]:
        yield Finding(
            document.source.at(headings[0].first),
            "something stands before the title",
            "move it below",
        )
    for heading in headings[1:]:
        yield Finding(
            document.source.at(heading.first),
            f"a second H1, '{heading.text}'",
            "a section's heading has ##",
        )


@rule("FM102", "missing-section", over=Record, requires=_SWALLOWED)
def missing_section(record: Record) -> Iterator[Finding]:
    """Every section that the kind requires is there, as an H2. One that stands in a code block or a comment is not.

    Why: readers look for the same thing at the same place, most of all at three in the morning.

    Bad:
        ## What follows
    Good:
        ## Consequences
    """
    sections = {section.heading.text: section for section in _required(record)}
    headings = [
        heading.text for heading in record.source.headings if heading.text not in record.sections
    ]
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
            f"the section '{name}' is missing",
            _look_alike(record, name, headings),
        )


def _look_alike(record: Record, name: str, headings: list[str]) -> str:
    """How to mend a missing section: what in the file looks like it."""
    for code in record.source.every(Code):
        if re.search(rf"^\s*##\s+{re.escape(name)}\s*$", code.text, re.MULTILINE):
            return f"the '## {name}' from line {code.first} on stands in a block of code"
    for heading in record.source.headings:
        if heading.text == name:
            return f"line {heading.first} has it as a heading of level {heading.level}; write '## {name}'"
    return did_you_mean(name, headings) or f"add '## {name}' with text of its own"


@rule("FM103", "misplaced-section", over=Record, requires=_UNREAD)
def misplaced_section(record: Record) -> Iterator[Finding]:
    """The required sections stand in the order of their kind; others may stand anywhere between.

    Why: a reader who knows one record knows where to look in every other.

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
    for section in _required(record):
        name = section.heading.text
        rank = record.sections.index(name)
        if rank < furthest:
            at = record.source.at(section.heading.first)
            order = " · ".join(record.sections)
            yield Finding(
                at,
                f"'{name}' belongs before '{record.sections[furthest]}'",
                f"the order is {order}",
            )
        furthest = max(furthest, rank)


@rule("FM104", "empty-section", over=Record, requires=_SWALLOWED)
def empty_section(record: Record) -> Iterator[Finding]:
    """A required section has text of its own. Headings and comments are not text.

    Why: an empty section says that a question was asked and looks as if it had been answered.

    Bad:
        ## Decision

        <!-- what was decided -->
    Good:
        ## Decision

        PostgreSQL 16.
    """
    for section in _required(record):
        if not section.filled:
            at = record.source.at(section.heading.first)
            yield Finding(at, f"the section '{section.heading.text}' is empty", "write it")


@rule("FM105", "duplicate-section", over=Record, requires=_UNREAD)
def duplicate_section(record: Record) -> Iterator[Finding]:
    """A required section stands once.

    Why: two sections of one name hold two answers.

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
                at, f"a second section '{name}'", f"the first begins on line {first[name].first}"
            )


@rule("FM106", "placeholder", over=Handbook, requires=_UNREAD, reports=ProblemKind.PLACEHOLDER)
def placeholder(handbook: Handbook) -> Iterator[Finding]:
    """No placeholder is left in a text or in a value.

    A placeholder is `TODO`, `TBD`, `FIXME`, `XXX`, "To be written" or "lorem ipsum", outside code. Each value and each
    section has one finding. No other rule reports what is still a placeholder.

    Why: what is published is taken for finished.

    Bad:
        TODO: say what was decided
    Good:
        PostgreSQL 16.
    """
    places: set[Location] = set()
    for entity in handbook.entities:
        for finding in _in_values(entity, handbook):
            places.add(finding.at)
            yield finding
        if isinstance(entity, Record):
            yield from _in_text(entity.source)
    for sample in handbook.settings.organisation.samples:
        if match := find_placeholder(sample.reason or ""):
            at = handbook.settings.at_sample(sample, "reason")
            yield placeholder_finding(at, match[0], "why it is no secret")
    for problem in chain(
        handbook.settings.problems, *(file.problems for file in handbook.rule_files)
    ):
        if problem.kind is ProblemKind.PLACEHOLDER and problem.finding.at not in places:
            yield problem.finding


def _in_values(entity: Entity, handbook: Handbook) -> Iterator[Finding]:
    mapping = entity.mapping
    if mapping is None:
        return
    for value in nodes.scalars(mapping):
        if match := find_placeholder(value.text):
            field = field_at(type(entity), mapping, value.at)
            replacement = field[0].replacement(handbook.settings.vocabularies) if field else "text"
            yield placeholder_finding(
                value.at, match[0], replacement, optional=not (field and field[1])
            )


def _in_text(source: Source) -> Iterator[Finding]:
    text = source.body.lower()
    if not any(word in text for word in PLACEHOLDERS):  # cheaper than the regular expression
        return
    reported: set[int] = set()
    headings = [heading.first for heading in source.headings if heading.level <= 2]
    for block in source.blocks:
        if not isinstance(block, Paragraph | Heading | Table):
            continue
        for line in range(block.first, block.last + 1):
            match = find_placeholder(without_code(source.line(line)))
            section = bisect_right(headings, line) if match else 0
            if match and section not in reported:
                reported.add(section)
                yield placeholder_finding(source.at(line, match.start() + 1), match[0])


@rule("FM107", "invalid-shell", over=Handbook)
def invalid_shell(handbook: Handbook) -> Iterator[Finding]:
    """A block of shell code is one that a shell can run, as far as shellcheck sees: its errors, not its warnings.

    The blocks are those that say `bash`, `sh`, `shell` or `zsh` after the fence. What a listing brings in from a file
    is not looked at here.

    Why: it is pasted into a terminal, where a slip does half of what was meant.

    Bad:
        if df -h; then
    Good:
        df -h
    """
    blocks = [
        (document.source, code)
        for document in handbook.of(Document)
        for code in document.source.every(Code)
        if code.fenced and code.closed and code.info.split(" ")[0] in LANGUAGES
    ]
    for error in shell_errors(tuple(SNIPPET.sub("", code.text) for _, code in blocks)):
        source, code = blocks[error.script]
        line = code.first + error.line
        indent = source.line(line).find(code.text.split("\n")[error.line - 1])
        yield Finding(
            source.at(line, max(indent, 0) + error.column),
            f"a shell cannot run it: {error.message}",
        )
