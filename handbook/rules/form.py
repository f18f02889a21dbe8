"""FM101 to FM108: titles, required sections, placeholders and shell code."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import chain
from textwrap import shorten

from handbook.diagnostics import Finding, Location, find_nearest
from handbook.handbook import Handbook
from handbook.reading import nodes
from handbook.reading.blocks import (
    SNIPPET,
    Block,
    Code,
    Heading,
    Html,
    Paragraph,
    Table,
)
from handbook.reading.code_languages import CodeFamily, read_language
from handbook.reading.fields import find_field_at
from handbook.reading.filler import is_filler, says_none
from handbook.reading.ids import slug
from handbook.reading.placeholders import (
    can_have_placeholder,
    find_placeholder,
    make_placeholder_finding,
)
from handbook.reading.problems import ProblemKind
from handbook.reading.raw_html import COMMENT
from handbook.reading.shell import LANGUAGES, find_shell_errors, start_shell_check
from handbook.reading.source import Source
from handbook.reading.unpasteable import PasteFaults, find_paste_faults
from handbook.records import Document, Entity, Record
from handbook.records.forms import FormSection
from handbook.records.postmortem import Postmortem
from handbook.rules.engine import Context, rule
from handbook.settings import Settings

_UNREADABLE = ("FM001",)
_TITLE_NUMBER = re.compile(
    r"\W*(?:(?P<prefix>[A-Za-z]+)[ #-]{0,2}0*(?P<id>[0-9]{1,4})(?![0-9])(?:\]|\s*[.:)—–-]|\s*$)"
    r"|(?P<number>0[0-9]{1,3}|[0-9]{1,3})[.:)] )"
)
"""The start of a title with the number of a record, such as `ADR-0012: ` or `12. `."""
_TITLE_DAY = re.compile(
    r"\W*(?:(?:incident|outage|post-?mortem|report)\W+){0,2}(?:(?:from|of|on)\s+)?"
    r"(?P<first>[0-9]{4}-[0-9]{2}-[0-9]{2})\b"
    r"|.*(?:[(—–,:]| -)\s*(?P<last>[0-9]{4}-[0-9]{2}-[0-9]{2})\W*",
    re.IGNORECASE,
)
"""A title that begins with a date, or ends with one in brackets or after a comma."""
_LONGEST_FILLER = 30
"""The number of lines of a section that can be without content."""
_HIDING_RULES = ("FM001", "MD007", "MD013")
"""The rules whose faults hide text from other rules, such as an unclosed fence or comment."""


@rule("FM101", "missing-title", over=Document, requires=("FM001", "FM002"))
def missing_title(document: Document, context: Context) -> Iterator[Finding]:
    """A document has exactly one H1, its title, before all other content except comments.

    Why: if a document has no title, lists show its file name. If it has two, readers cannot tell
    which one is the title.

    Bad:
        ## Use PostgreSQL for orders

        ## Context
    Good:
        # Use PostgreSQL for orders

        ## Context
    """
    if not document.source.is_parsed:
        return  # Python-Markdown renders this page, so its headings are unknown.
    findings = list(_find_title_faults(document))
    # The title of a team's page is its name, whatever that is.
    if findings and document.path not in context.handbook.provided:
        yield from findings


def _find_title_faults(document: Document) -> Iterator[Finding]:
    headings = [heading for heading in document.source.headings if heading.level == 1]
    if not headings:
        at = document.source.at(min(document.source.body_line + 1, document.source.last_line))
        yield Finding(at, "missing title", "begin the text with a line '# ' and the title")
        return
    first = next(block for block in document.source.blocks if not _is_comment(block))
    if not headings[0].text:
        yield Finding(
            document.source.at(headings[0].first), "empty title", "write the title after '# '"
        )
    elif is_filler(headings[0].text) or says_none(headings[0].text):
        yield Finding(
            document.source.at(headings[0].first),
            f"title '{headings[0].text}' without content",
            "replace it with a title that says what the page is about",
        )
    elif isinstance(document, Record) and first is not headings[0]:
        yield Finding(
            document.source.at(headings[0].first),
            "content before the title",
            "move the title above all other content",
        )
    for heading in headings[1:]:
        yield Finding(
            document.source.at(heading.first),
            f"second title '{heading.text}' (the first title is on line {headings[0].first})",
            f"make it a section heading: write '## {heading.text}'",
        )


def _is_comment(block: Block) -> bool:
    """Return whether a block is only comments, such as the settings of a linter."""
    return isinstance(block, Html) and not COMMENT.sub("", block.text).strip()


@rule("FM102", "missing-section", over=Record, requires=_HIDING_RULES, asks_imported=False)
def missing_section(record: Record) -> Iterator[Finding]:
    """A record has every section that its form requires, as an H2.

    The rule recognises the form by the headings: the form of this handbook, or one such as MADR. A
    heading of another form, or of `handbook.sections`, can take the place of a heading with the
    same meaning. A heading in a code block or a comment does not count.

    Why: readers know in which section to find the information, even at three in the morning.

    Bad:
        ## What follows
    Good:
        ## Consequences
    """
    required = record.form.required
    for index, part in enumerate(required):
        if record.find_section(part.meaning):
            continue
        following = (
            section.heading.first
            for later in required[index + 1 :]
            if (section := record.find_section(later.meaning))
        )
        line = next(following, record.source.last_line)
        yield Finding(
            record.source.at(line),
            f"missing section '{part.heading}'",
            _suggest_heading(record, part),
        )


def _suggest_heading(record: Record, part: FormSection) -> str:
    """Return the hint for a missing section.

    The hint names a similar heading or code block in the file, if there is one.
    """
    name, marker = part.heading, "#" * part.level
    for code in record.source.blocks_of(Code):
        if re.search(rf"^\s*{marker}\s+{re.escape(name)}\s*$", code.text, re.MULTILINE):
            return f"move '{marker} {name}' out of the code block on line {code.first}"
    form_headings = {section.heading for section in record.form.sections}
    headings = {
        heading.text: heading
        for heading in reversed(record.source.headings)
        if heading.text == name or heading.text not in form_headings
    }
    similar = name if name in headings else find_nearest(name, headings)
    if similar is None:
        return f"add a heading '{marker} {name}', and text below it"
    heading = headings[similar]
    written = f"{'#' * heading.level} {similar}"
    return f"on line {heading.first}, write '{marker} {name}' instead of '{written}'"


@rule("FM103", "misplaced-section", over=Record, requires=_UNREADABLE, asks_imported=False)
def misplaced_section(record: Record) -> Iterator[Finding]:
    """An optional section with a fixed place is in this place.

    - "Notes" of a decision and "What changed" of a standard are the last section.
    - "Adopt it" of a standard is the first section.

    All other sections can be in any order.

    Why: notes are added after the decision. Text below them would look like a part of the notes,
    and a change to it would look like a change to the decision. Readers look for the first steps at
    the start of a standard, and for its changes at the end.

    Bad:
        ## Notes

        - 2026-04-02: The pool is now larger.

        ## Consequences

        Somebody operates it.
    Good:
        ## Consequences

        Somebody operates it.
    """
    sections = record.source.sections
    for section in sections[1:]:
        if section.heading.text == record.first_section:
            yield Finding(
                record.source.at(section.heading.first),
                f"section '{record.first_section}' below other sections",
                f"move '## {record.first_section}' and its text directly below the title",
            )
    for section in sections[:-1]:
        if section.heading.text == record.last_section:
            yield Finding(
                record.source.at(section.heading.first),
                f"section '{record.last_section}' above other sections",
                f"move '## {record.last_section}' and its text to the end of the file",
            )


@rule("FM104", "empty-section", over=Record, requires=_HIDING_RULES, asks_imported=False)
def empty_section(record: Record) -> Iterator[Finding]:
    """Every required section contains text.

    These texts do not count:

    - headings and comments
    - filler such as `...`, `N/A` or `&nbsp;`
    - the instruction of a template, such as `[Describe the context]`
    - statements such as "None." and "None were recorded."

    "None." is text in the sections Impact, What went well, What went wrong and Where we got lucky
    of a post-mortem, and in the section When to deviate of a standard.

    Why: readers cannot tell whether the author forgot the section or had nothing to say.

    Bad:
        ## Decision

        <!-- what was decided -->
    Good:
        ## Decision

        PostgreSQL 16.
    """
    for part in record.form.required:
        sections = record.sections_by_meaning.get(part.meaning, ())
        if not sections:
            continue
        name = sections[0].heading.text
        at = record.source.at(sections[0].heading.first)
        if not any(section.filled for section in sections):
            yield Finding(at, f"empty section '{name}'", "add text below the heading")
        elif filler := _find_filler(record, part.meaning):
            yield Finding(
                at,
                f"section '{name}' without content: '{shorten(filler, 60, placeholder='…')}'",
                "replace it with text",
            )


def _find_filler(record: Record, name: str) -> str | None:
    """Return the first text of a section if none of its texts has content, or None.

    `name` is the name of our section with the same meaning.
    """
    sections = record.sections_by_meaning[name]
    if any(section.last - section.heading.last > _LONGEST_FILLER for section in sections):
        return None
    texts: list[str] = []
    for block in record.section_blocks(name):
        match block:
            case Code() if COMMENT.search(block.text):
                return None  # code shows its comments
            case Paragraph() | Code():
                texts.append(block.text)
            case Table():
                texts.extend(cell for row in block.rows for cell in row if cell)
        if texts and not _is_filler(texts[-1], record, name):
            return None
    return texts[0] if texts else None


def _is_filler(text: str, record: Record, name: str) -> bool:
    can_be_none = name in record.sections_with_none
    return is_filler(text) or (says_none(text) and not can_be_none)


@rule("FM105", "duplicate-section", over=Record, requires=_UNREADABLE, asks_imported=False)
def duplicate_section(record: Record) -> Iterator[Finding]:
    """A record has each required section only once.

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
    known = {
        section.heading.text
        for sections in record.sections_by_meaning.values()
        for section in sections
    }
    for section in record.source.sections:
        name = section.heading.text
        if name in known and first.setdefault(name, section.heading) is not section.heading:
            at = record.source.at(section.heading.first)
            yield Finding(
                at,
                f"duplicate section '{name}' (first on line {first[name].first})",
                "merge the two sections, or rename one of them",
            )


@rule("FM106", "placeholder", over=Handbook, requires=_UNREADABLE, reports=ProblemKind.PLACEHOLDER)
def placeholder(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """No text and no value contains a placeholder.

    These texts are placeholders, outside code:

    - `TODO`, `TBD`, `FIXME` or `XXX` in upper case, if the word begins a line, a cell or a
      sentence, or if a colon follows it. The word is text if it is the subject of a sentence, such
      as "TBD means trunk-based development".
    - "To be written", "to be defined" and similar phrases, as a whole line or value
    - "lorem ipsum"

    The rule reports one finding for each value and each section. Other rules ignore a value that
    is a placeholder.

    Why: readers assume that a published text is finished.

    Bad:
        TODO: say what was decided
    Good:
        PostgreSQL 16.
    """
    places: set[Location] = set()
    for finding in chain(
        context.judge("FM106", handbook.entities, _find_in_entity),
        _find_in_settings(handbook),
        _find_in_rule_files(handbook),
    ):
        places.add(finding.at)
        yield finding
    for problem in chain(
        handbook.settings.problems, *(file.problems for file in handbook.rule_files)
    ):
        if problem.kind is ProblemKind.PLACEHOLDER and problem.finding.at not in places:
            yield problem.finding


def _find_in_entity(entity: Entity, context: Context) -> Iterator[Finding]:
    """Report the placeholders in the values of an entity, and in the text of a record."""
    yield from _find_in_values(entity, context.handbook.settings)
    if isinstance(entity, Record) and not entity.is_imported:
        yield from _find_in_text(entity.source)


def _find_in_values(entity: Entity, settings: Settings) -> Iterator[Finding]:
    """Report the placeholders in the YAML values of an entity."""
    mapping = entity.mapping
    if mapping is None:
        return
    for value in nodes.walk_scalars(mapping):
        if placeholder := find_placeholder(value.text):
            field = find_field_at(type(entity), mapping, value.at)
            replacement = field[0].replacement(settings.allowed_values) if field else "text"
            yield make_placeholder_finding(
                value.at, placeholder.text, replacement, optional=not (field and field[1])
            )


def _find_in_settings(handbook: Handbook) -> Iterator[Finding]:
    """Report the placeholders in the texts of `extra.handbook` and `extra.policy`."""
    settings = handbook.settings
    reported = {problem.finding.at for problem in settings.problems}
    for sample in settings.organisation.samples:
        if match := find_placeholder(sample.reason or ""):
            at = settings.at_sample(sample, "reason")
            reported.add(at)
            yield make_placeholder_finding(at, match.text, "the reason why it is not a secret")
    for key in ("handbook", "policy"):
        node = settings.root_node.find("extra", key)
        for value in nodes.walk_scalars(node) if node else ():
            if value.at not in reported and (match := find_placeholder(value.text)):
                yield make_placeholder_finding(value.at, match.text, "text")


def _find_in_rule_files(handbook: Handbook) -> Iterator[Finding]:
    """Report the placeholders in recording rules and in the names of rule groups.

    The values of alerting rules are values of entities. A word in small letters, such as `todo`,
    can be the name of a service.
    """
    for monitoring_rule in handbook.monitoring_rules:
        rule_node = None if monitoring_rule.alert else monitoring_rule.node
        owners = (monitoring_rule.group.find("name"), rule_node)
        for value in chain.from_iterable(nodes.walk_scalars(owner) for owner in owners if owner):
            if match := find_placeholder(value.text):
                yield make_placeholder_finding(value.at, match.text)


def _find_in_text(source: Source) -> Iterator[Finding]:
    """Report the first placeholder in each section of a file."""
    if not can_have_placeholder(source.body):
        return
    reported: set[int] = set()
    headings = [heading.first for heading in source.headings if heading.level <= 2]
    for block in source.blocks:
        for at, placeholder in source.find_placeholders(block):
            section = bisect_right(headings, at.line)
            if section not in reported:
                reported.add(section)
                replacement = "text, or put it in backticks if it is not a placeholder"
                yield make_placeholder_finding(at, placeholder, replacement)


def _start_shellcheck(context: Context) -> None:
    """Start shellcheck, which runs while the other rules check the handbook."""
    start_shell_check(_list_scripts(_list_shell_sources(context)))


@rule("FM107", "invalid-shell", over=Handbook, start=_start_shellcheck)
def invalid_shell(context: Context) -> Iterator[Finding]:
    """Shell code blocks have no error that shellcheck reports.

    The rule checks code blocks with the language `bash`, `sh` or `shell`. It ignores warnings of
    shellcheck, lines that a listing includes from a file, placeholders such as `<pod>`, and the
    pages that the plugin provides. RBK025 reports faults of pasted text, such as a prompt, and this
    rule checks the code without them.

    Why: readers paste the code into a terminal, where an error can stop a command halfway.

    Bad:
        if df -h; then
    Good:
        df -h
    """
    sources = _list_shell_sources(context)
    for error in find_shell_errors(_list_scripts(sources)):
        source = sources[error.file]
        context.rules_by_path[source.path].add("FM107")
        code = _list_shell_blocks(source)[error.script]
        line = code.first + error.line
        indent = source.line(line).find(code.text.split("\n")[error.line - 1])
        column = _find_faults(code).find_column(code.text, error.line, error.column)
        yield Finding(
            source.at(line, max(indent, 0) + column),
            f"invalid shell code: {error.message}",
            error.hint
            or "correct the code, or begin the block with ```text if it is not shell code",
        )


def _list_scripts(sources: Iterable[Source]) -> tuple[tuple[str, ...], ...]:
    """Return the scripts of each source with shell code."""
    return tuple(
        tuple(SNIPPET.sub("", _find_faults(code).repaired) for code in _list_shell_blocks(source))
        for source in sources
    )


def _list_shell_sources(context: Context) -> list[Source]:
    """Return the sources with shell code to judge, without those of provided pages."""
    return [
        document.source
        for document in context.select_judged("FM107", context.handbook.of(Document))
        if document.path not in context.handbook.provided and _list_shell_blocks(document.source)
    ]


def _list_shell_blocks(source: Source) -> list[Code]:
    return [
        code
        for code in source.blocks_of(Code)
        if code.fenced and code.closed and read_language(code.info) in LANGUAGES
    ]


def _find_faults(code: Code) -> PasteFaults:
    return find_paste_faults(code.text, CodeFamily.SHELL)


@rule("FM108", "wrong-id-in-title", over=Record, requires=_UNREADABLE)
def wrong_id_in_title(record: Record, context: Context) -> Iterator[Finding]:
    """If the title of a record has a number, a date or a name, it is the one of its file.

    The title does not need them, because every page shows the id of its record.

    Why: readers cannot tell which of the two is right, and quote the wrong record.

    Bad:
        # ADR-0001: Use PostgreSQL for orders
    Good:
        # Use PostgreSQL for orders
    """
    heading = record.source.title_heading
    if heading is None or not record.has_valid_name:
        return
    if written_id := (
        find_wrong_number(record, heading.text)
        or _find_wrong_day(record, heading.text)
        or _find_other_name(record, heading.text, context.handbook)
    ):
        yield Finding(
            record.source.at(heading.first),
            f"title names '{written_id}', but the record is '{record.id}'",
            f"remove '{written_id}' from the title, or rename the file",
        )


def find_wrong_number(record: Record, title: str) -> str | None:
    """Return the number at the start of a title if the number of the record is another one."""
    prefix, _, own_number = record.id.rpartition("-")
    match = _TITLE_NUMBER.match(title)
    if not (match and record.mention and own_number.isdecimal()):
        return None
    if match["prefix"] and match["prefix"].upper() != prefix:
        return None
    number = match["id"] or match["number"]
    return match[0].strip(" :.)—–[]-") if int(number) != int(own_number) else None


def _find_wrong_day(record: Record, title: str) -> str | None:
    """Return the date in the title of a post-mortem if it is not a day of the incident."""
    match = _TITLE_DAY.match(title) if isinstance(record, Postmortem) else None
    if match is None or not isinstance(record, Postmortem):
        return None
    day = match["first"] or match["last"]
    first_day = record.id[: len(day)]
    last_day = str(record.resolved.date()) if record.resolved else first_day
    return None if first_day <= day <= last_day else day


def _find_other_name(record: Record, title: str, handbook: Handbook) -> str | None:
    """Return the title if it is the name of another record of the same kind."""
    name = slug(title, "-")
    folder, _, own_name = record.id.rpartition("/")
    if record.mention or name in (own_name, record.id):
        return None
    ids = (f"{folder}/{name}" if folder else name, title)
    return title if any((record.kind, id) in handbook.entities_by_id for id in ids) else None
