"""FM001 to FM013: front matter and settings, which share one reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import Final

from handbook.diagnostics import Finding, Severity, did_you_mean
from handbook.handbook import Handbook
from handbook.reading.problems import ProblemKind
from handbook.records import Entity
from handbook.records.kinds import KINDS
from handbook.rules.engine import RETIRED, Context, RulePage, find_rule, rule, rules


@dataclass(frozen=True, kw_only=True)
class ProblemRule:
    """A rule that reports the problems of one kind. The name of the kind is its name."""

    code: str
    kind: ProblemKind
    text: str
    why: str
    bad: str
    good: str

    def register(self) -> None:
        """Register the rule with its page."""
        page = RulePage(*map(cleandoc, (self.text, self.why, self.bad, self.good)))
        rule(self.code, self.kind.value, over=Handbook, reports=self.kind, page=page)(self._check)

    def _check(self, handbook: Handbook) -> Iterator[Finding]:
        return iter(handbook.problems_of(self.kind))


PROBLEM_RULES: Final = (
    ProblemRule(
        code="FM001",
        kind=ProblemKind.UNREADABLE_FILE,
        text="""
            A file is UTF-8, and its front matter is a YAML mapping between two lines of `---`.

            Anchors, aliases and custom tags are not allowed, because no record needs them.
        """,
        why="MkDocs prints invalid front matter as text on the page, and still reports success.",
        bad="deciders: [platform-team",
        good="deciders: [platform-team]",
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
        text="Every key is a known key of its kind.",
        why="the handbook ignores the value of a misspelt key.",
        bad="review_bye: 2027-03-02",
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM004",
        kind=ProblemKind.DUPLICATE_KEY,
        text="Every key occurs once.",
        why="YAML parsers silently keep one of the values, and they differ in which one.",
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
            A key with a fixed set of values has one of them.

            Examples are statuses, and the teams and tags of the settings.
        """,
        why="a record with a misspelt status is missing from every list by status.",
        bad="status: acepted",
        good="status: accepted",
    ),
    ProblemRule(
        code="FM006",
        kind=ProblemKind.WRONG_TYPE,
        text="Every value has the type of its key, such as list, date, number or id.",
        why="the handbook ignores an invalid value, although it looks right to a reader.",
        bad="review_by: next spring",
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM007",
        kind=ProblemKind.MISSING_KEY,
        text="Every required key is present.",
        why="an index cannot place a record without a status or a date.",
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
        text="Every date exists in the calendar.",
        why="the date is a typing error, and only its author knows the right one.",
        bad="review_by: 2027-02-30",
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM009",
        kind=ProblemKind.EMPTY_VALUE,
        text="Every key has a value.",
        why="an empty value looks forgotten. Leave out a key that does not apply.",
        bad="review_by:",
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM010",
        kind=ProblemKind.DUPLICATE_VALUE,
        text="A list has no duplicate values.",
        why="the duplicate is noise, or a typing error for another value.",
        bad="deciders: [platform-team, platform-team]",
        good="deciders: [platform-team]",
    ),
)

for problem_rule in PROBLEM_RULES:
    problem_rule.register()


@rule("FM011", "missing-records", over=Handbook)
def missing_records(handbook: Handbook) -> Iterator[Finding]:
    """A handbook has at least as many records of each kind as its settings expect.

    Without `expect`, it has at least one record.

    Why: an empty folder has no findings, so the loss of all its records would pass unnoticed.

    Bad:
        expect: {adr: 30}
    Good:
        expect: {adr: 3}
    """
    expected = handbook.settings.organisation.expect
    counts = {kind.kind: handbook.counts[kind.kind] for kind in KINDS}
    for kind, minimum in expected.items():
        at = handbook.settings.at("expect", kind)
        if kind not in counts:
            yield Finding(at, f"unknown kind of record '{kind}'", did_you_mean(kind, counts))
        elif counts[kind] < minimum:
            message = f"only {counts[kind]} of the {minimum} expected records of kind '{kind}'"
            yield Finding(at, message, "restore the missing records, or lower the number")
    if not any(expected.values()) and not any(handbook.counts.values()):
        at = handbook.settings.at("expect")
        yield Finding(at, "no records", "check '--root', or add a record")


@rule("FM012", "unknown-rule", over=Handbook)
def unknown_rule(handbook: Handbook) -> Iterator[Finding]:
    """The settings change the severity of known rules only.

    Why: a misspelt code leaves the severity of the rule unchanged.

    Bad:
        rules: {SAFE999: error}
    Good:
        rules: {SAFE002: error}
    """
    names = [name for rule in rules().values() for name in (rule.code, rule.name)]
    for code in handbook.settings.organisation.rules:
        if find_rule(code) is None:
            hint = (
                "remove it: the rule is retired" if code in RETIRED else did_you_mean(code, names)
            )
            yield Finding(handbook.settings.at("rules", code), f"unknown rule '{code}'", hint)


@rule("FM013", "future-date", over=Entity, severity=Severity.WARNING)
def future_date(entity: Entity, context: Context) -> Iterator[Finding]:
    """The date of a past event is not in the future.

    Planned dates (`review_by`, `due`, `until`) can be in the future. Samples (`example: true`)
    are exempt.

    Why: the date is a typing error, or the author wrote the record before the event.

    Bad:
        date: 2999-03-02
    Good:
        date: 2026-03-02
    """
    if getattr(entity, "example", False):
        return
    for past_date in entity.past_dates:
        if past_date.day > context.today:
            yield Finding(
                past_date.at,
                f"future date '{past_date.day}' in '{past_date.key}'",
                "set the day of the event",
            )
