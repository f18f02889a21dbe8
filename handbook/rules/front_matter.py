"""FM001 to FM013, FM027: keys and values of front matter, YAML files and settings."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import Final

from handbook.diagnostics import Finding, Location, Severity, did_you_mean
from handbook.handbook import Handbook
from handbook.reading.problems import ProblemKind
from handbook.records import Entity, Record
from handbook.records.kinds import KINDS, RECORDS
from handbook.records.postmortem import Postmortem
from handbook.rules.engine import RETIRED, Context, RulePage, find_rule, rule, rules


@dataclass(frozen=True, kw_only=True)
class ProblemRule:
    """A rule that reports the problems of one kind, found while reading files.

    The name of the rule is the name of that kind.
    """

    code: str
    kind: ProblemKind
    text: str
    why: str
    bad: str
    good: str
    is_mandatory: bool = False

    def register(self) -> None:
        """Register the rule with its documentation."""
        page = RulePage(*map(cleandoc, (self.text, self.why, self.bad, self.good)))
        register = rule(
            self.code,
            self.kind.value,
            over=Handbook,
            mandatory=self.is_mandatory,
            reports=self.kind,
            page=page,
        )
        register(self._check)

    def _check(self, handbook: Handbook) -> Iterator[Finding]:
        return iter(handbook.problems_of(self.kind))


READING_PROBLEM_RULES: Final = (
    ProblemRule(
        code="FM001",
        kind=ProblemKind.UNREADABLE_FILE,
        text="""
            A file is UTF-8, and its front matter is a YAML mapping between two lines of `---`.

            Anchors, aliases and custom tags are not allowed, because no record needs them. A file
            has no merge conflict, such as a line `<<<<<<< HEAD`.
        """,
        why="MkDocs shows invalid front matter as text on the page, and reports no error.",
        bad="deciders: [platform-team",
        good="deciders: [platform-team]",
        is_mandatory=True,
    ),
    ProblemRule(
        code="FM002",
        kind=ProblemKind.MISSING_FRONT_MATTER,
        text="A record begins with front matter.",
        why="without it, a record has no status, owner or date, and no index can list it.",
        bad="""
            # Keep orders in SQLite

            ## Context
        """,
        good="""
            ---
            status: superseded
            date: 2026-03-02
            deciders: [order-team]
            history:
              - {status: proposed, date: 2026-02-01}
              - {status: accepted, date: 2026-02-09}
            superseded_by: [ADR-0002]
            ---
            # Keep orders in SQLite

            ## Context
        """,
    ),
    ProblemRule(
        code="FM003",
        kind=ProblemKind.UNKNOWN_KEY,
        text="A record has only keys that its kind defines.",
        why="the site ignores a key with a typing error, and its value.",
        bad="review_bye: 2027-03-02",
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM004",
        kind=ProblemKind.DUPLICATE_KEY,
        text="Every key occurs only once in its mapping.",
        why="YAML parsers silently use one of the values, either the first or the last.",
        bad="""
            review_by: 2027-03-02
            review_by: 2028-03-02
        """,
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM005",
        kind=ProblemKind.UNKNOWN_VALUE,
        text="""
            If a key allows only certain values, its value is one of them.

            Examples are the statuses of a kind, and the teams and tags in the settings.
        """,
        why="a record with a misspelt status is missing from every list of records by status.",
        bad="status: acepted",
        good="status: accepted",
    ),
    ProblemRule(
        code="FM006",
        kind=ProblemKind.WRONG_TYPE,
        text="Every value has the type that its key requires, such as list, date, number or id.",
        why="the site ignores an invalid value, although readers of the file take it as valid.",
        bad="review_by: next spring",
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM007",
        kind=ProblemKind.MISSING_KEY,
        text="A record has every key that its kind requires.",
        why="a list by status or date cannot contain a record without a status or a date.",
        bad="""
            status: accepted
            deciders: [platform-team]
        """,
        good="""
            status: accepted
            date: 2026-03-02
            deciders: [platform-team]
        """,
    ),
    ProblemRule(
        code="FM008",
        kind=ProblemKind.INVALID_DATE,
        text="""
            Every date exists in the calendar, and its year is from 1970 to 2100.

            No record is about an event before Unix time, and nobody plans a date after 2100.
        """,
        why="the date is a typing error, and only its author knows the correct date.",
        bad="review_by: 2027-02-30",
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM009",
        kind=ProblemKind.EMPTY_VALUE,
        text="Every key has a value.",
        why="readers cannot tell whether the author forgot the value. Remove an optional key "
        "that you do not need.",
        bad="review_by:",
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM010",
        kind=ProblemKind.DUPLICATE_VALUE,
        text="A list contains each value only once.",
        why="the duplicate has no effect, or the author meant another value.",
        bad="deciders: [platform-team, platform-team]",
        good="deciders: [platform-team]",
    ),
)

for problem_rule in READING_PROBLEM_RULES:
    problem_rule.register()


@rule("FM011", "missing-records", over=Handbook)
def missing_records(handbook: Handbook) -> Iterator[Finding]:
    """A handbook has at least as many records of each kind as `handbook.expect` requires.

    Without this setting, a handbook can be empty.

    Why: without records there are no findings, so the check would not notice that all are lost.

    Bad:
        expect: {adr: 30}
    Good:
        expect: {adr: 3}
    """
    expected = handbook.settings.organisation.expect
    counts = {kind.kind: handbook.entity_counts[kind.kind] for kind in KINDS}
    for kind, minimum in expected.items():
        at = handbook.settings.at("expect", kind)
        if kind not in counts:
            yield Finding(at, f"unknown kind of record '{kind}'", did_you_mean(kind, counts))
        elif counts[kind] < minimum:
            message = f"{counts[kind]} records of kind '{kind}', but 'expect' requires {minimum}"
            hint = "restore the missing records, or lower the number under 'handbook.expect'"
            yield Finding(at, message, hint)


@rule("FM012", "unknown-rule", over=Handbook)
def unknown_rule(handbook: Handbook) -> Iterator[Finding]:
    """Every rule under `handbook.rules` in the settings exists, and is there once.

    Why: if the code of a rule is misspelt, its severity does not change.

    Bad:
        rules: {SAFE999: error}
    Good:
        rules: {SAFE002: error}
    """
    names = [name for rule in rules().values() for name in (rule.code, rule.name)]
    settings = handbook.settings
    for name in settings.organisation.rules:
        at = settings.at("rules", name)
        named_rule = find_rule(name)
        if named_rule is None:
            hint = (
                "remove the entry: the rule no longer exists"
                if name in RETIRED
                else did_you_mean(name, names)
                or "use the code or the name of a rule, such as FM102"
            )
            yield Finding(at, f"unknown rule '{name}'", hint)
        elif name == named_rule.code and named_rule.name in settings.organisation.rules:
            message = f"duplicate entry of rule '{name}', also under its name '{named_rule.name}'"
            yield Finding(at, message, "remove one of the two entries")


_PAST_HINT: Final = "write the day on which the event happened"


@rule("FM013", "future-date", over=Entity, severity=Severity.WARNING)
def future_date(entity: Entity, context: Context) -> Iterator[Finding]:
    """The date of a past event is not in the future.

    So is the day on which an action of a post-mortem was done. Planned dates (`review_by`, `due`,
    `until`) can be in the future. Example records (`example: true`) are exempt.

    Why: the date is a typing error, or the author wrote the record before the event.

    Bad:
        date: 2099-03-02
    Good:
        date: 2026-03-02
    """
    if getattr(entity, "example", False):
        return
    for past_date in entity.past_dates:
        if past_date.day > context.today:
            yield Finding(
                past_date.at,
                f"future date '{past_date.day}' under '{past_date.key}'",
                _PAST_HINT,
            )
    for action in entity.actions if isinstance(entity, Postmortem) else ():
        if action.done and action.done > context.today:
            column = action.columns[action.header.index("Status")]
            at = Location(entity.path, action.line, column)
            yield Finding(at, f"future date '{action.done}' of action {action.id}", _PAST_HINT)


@rule("FM027", "invalid-removal", over=Handbook)
def invalid_removal(handbook: Handbook) -> Iterator[Finding]:
    """Each entry of `handbook.removed` names a file or folder that no longer exists, only once.

    The path of the entry begins at the root of the handbook. It can be a file that still exists, if
    the site no longer publishes the file.

    Why: the entry would allow a later removal of the file without a review.

    Bad:
        tags: [database]
        removed:
          - path: docs/markdown.md
            reason: no one reads it
        groups: {OBS: Observability, SEC: Security}
    Good:
        tags: [database]
        groups: {OBS: Observability, SEC: Security}
    """
    earlier_paths: set[str] = set()
    for removal in handbook.settings.organisation.removed:
        path = (removal.path or "").rstrip("/")
        if not removal.path:
            continue
        if not _is_below_root(path):
            fault = f"invalid path '{removal.path}'"
            hint = "write the path from the root of the handbook, such as docs/old-page.md"
        elif path in handbook.paths:
            fault = f"removed path '{path}' still exists"
            hint = "remove this entry, or remove the file or folder"
        elif path in earlier_paths:
            fault, hint = f"duplicate entry for '{path}'", "remove one of the entries"
        else:
            earlier_paths.add(path)
            continue
        yield Finding(handbook.settings.at_removal(removal, "path"), fault, hint)


def _is_below_root(path: str) -> bool:
    """Return whether a path is in its normal form, relative to the root and below it."""
    return posixpath.normpath(path) == path and not path.startswith(("/", "..")) and path != "."


@rule("FM032", "invalid-form-setting", over=Handbook)
def invalid_form_setting(handbook: Handbook) -> Iterator[Finding]:
    """Every kind, section and form under `handbook.sections` and `handbook.template` exists.

    A heading under `handbook.sections` has one meaning: it is not listed for another section of the
    kind, and no known form gives it the meaning of another section.

    Why: a setting with a misspelt name has no effect.

    Bad:
        template: {postmortem: handbok}
    Good:
        template: {postmortem: handbook}
    """
    settings = handbook.settings
    kinds = {kind.kind: kind for kind in RECORDS if kind.sections}
    for kind, aliases in settings.organisation.sections.items():
        if kind not in kinds:
            yield _report_unknown(settings.at("sections", kind), "kind of record", kind, kinds)
            continue
        for section in aliases:
            if section not in kinds[kind].sections:
                at = settings.at("sections", kind, section)
                yield _report_unknown(at, "section", section, kinds[kind].sections)
        yield from _find_ambiguous_headings(kinds[kind], handbook)
    for kind, form in settings.organisation.template.items():
        at = settings.at("template", kind)
        names = [form.name for form in kinds[kind].forms()] if kind in kinds else []
        if kind not in kinds:
            yield _report_unknown(at, "kind of record", kind, kinds)
        elif form not in names:
            yield _report_unknown(at, "form", form, names)


def _find_ambiguous_headings(kind: type[Record], handbook: Handbook) -> Iterator[Finding]:
    """Report the headings of the organisation that already mean another section of the kind."""
    known = {
        heading: meaning
        for heading, meaning in kind.section_meanings().items()
        if meaning in kind.sections
    }
    known |= {name: name for name in (kind.first_section, kind.last_section) if name}
    settings = handbook.settings
    for section, headings in settings.organisation.sections[kind.kind].items():
        for heading in headings:
            if known.setdefault(heading, section) != section:
                yield Finding(
                    settings.at("sections", kind.kind, section),
                    f"heading '{heading}' of the section '{section}', which already means "
                    f"'{known[heading]}'",
                    "remove the heading from one of the two sections",
                )


def _report_unknown(at: Location, noun: str, name: str, names: Iterable[str]) -> Finding:
    hint = did_you_mean(name, names) or f"use one of {', '.join(names)}"
    return Finding(at, f"unknown {noun} '{name}'", hint)
