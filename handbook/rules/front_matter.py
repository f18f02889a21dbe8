"""FM001 to FM013: front matter of any kind, and the settings, which are read the same way."""

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
    """A rule that only reports what the reading found of one kind; it has the name of that kind."""

    code: str
    kind: ProblemKind
    text: str
    why: str
    bad: str
    good: str

    def register(self) -> None:
        """Make it a rule like any other."""
        page = RulePage(*map(cleandoc, (self.text, self.why, self.bad, self.good)))
        rule(self.code, self.kind.value, over=Handbook, reports=self.kind, page=page)(self._check)

    def _check(self, handbook: Handbook) -> Iterator[Finding]:
        return iter(handbook.problems_of(self.kind))


PROBLEM_RULES: Final = (
    ProblemRule(
        code="FM001",
        kind=ProblemKind.UNREADABLE_FILE,
        text="""
            A file is UTF-8, and its front matter is a mapping in plain YAML between two lines of `---`.

            Anchors, aliases and tags beyond YAML's core are refused: no record needs them.
        """,
        why="MkDocs prints front matter that it cannot read into the page, and reports success.",
        bad="deciders: [platform-team",
        good="deciders: [platform-team]",
    ),
    ProblemRule(
        code="FM002",
        kind=ProblemKind.MISSING_FRONT_MATTER,
        text="A record begins with front matter.",
        why="without it a record has no status, no owner and no date, and no index can show it.",
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
        text="Every key is one that its kind knows.",
        why="a misspelt key is a fact that nobody reads.",
        bad="review_bye: 2027-03-02",
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM004",
        kind=ProblemKind.DUPLICATE_KEY,
        text="A key stands once.",
        why="YAML readers keep one of the two without a word, and not all of them the same one.",
        bad="""
            review_by: 2027-03-02
            review_by: 2028-03-02
        """,
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM005",
        kind=ProblemKind.UNKNOWN_VALUE,
        text="A value of a vocabulary is one of its words: statuses, and the teams and tags of the settings.",
        why="a misspelt status drops the record out of every list that is made by status.",
        bad="status: acepted",
        good="status: accepted",
    ),
    ProblemRule(
        code="FM006",
        kind=ProblemKind.WRONG_TYPE,
        text="A value has the form that its key asks for: a list, a date, a number, an id.",
        why="what cannot be read is not there, however sure it looks to a person.",
        bad="review_by: next spring",
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM007",
        kind=ProblemKind.MISSING_KEY,
        text="Every key that the kind requires is there.",
        why="an index cannot place a record whose status or date is unknown.",
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
        text="A date is one that the calendar has.",
        why="it was mistyped, and nobody can tell what was meant.",
        bad="review_by: 2027-02-30",
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM009",
        kind=ProblemKind.EMPTY_VALUE,
        text="A key that is written has a value.",
        why="an empty value reads as forgotten; a key that does not apply is left out.",
        bad="review_by:",
        good="review_by: 2027-03-02",
    ),
    ProblemRule(
        code="FM010",
        kind=ProblemKind.DUPLICATE_VALUE,
        text="A list names nothing twice.",
        why="the second entry was meant to be another, or is noise.",
        bad="deciders: [platform-team, platform-team]",
        good="deciders: [platform-team]",
    ),
)

for problem_rule in PROBLEM_RULES:
    problem_rule.register()


@rule("FM011", "missing-records", over=Handbook)
def missing_records(handbook: Handbook) -> Iterator[Finding]:
    """Of each kind there are at least as many records as the settings expect, and a handbook has a record at all.

    Why: an empty folder passes every rule about its content; zero found must not pass.

    Bad:
        expect: {adr: 30}
    Good:
        expect: {adr: 3}
    """
    expected = handbook.settings.organisation.expect
    known = {kind.kind: handbook.counts[kind.kind] for kind in KINDS}
    for kind, least in expected.items():
        at = handbook.settings.at("expect", kind)
        if kind not in known:
            yield Finding(at, f"'{kind}' is not a kind of record", did_you_mean(kind, known))
        elif known[kind] < least:
            message = f"at least {least} of kind {kind} expected, {known[kind]} found"
            yield Finding(at, message, "restore what was lost, or lower the number if it is right")
    if not any(expected.values()) and not any(handbook.counts.values()):
        yield Finding(
            handbook.settings.at("expect"), "no record found", "the root may be another folder"
        )


@rule("FM012", "unknown-rule", over=Handbook)
def unknown_rule(handbook: Handbook) -> Iterator[Finding]:
    """The settings change the severity of rules that exist.

    Why: a misspelt code leaves the rule as it was, and its author believes otherwise.

    Bad:
        rules: {SAFE999: error}
    Good:
        rules: {SAFE002: error}
    """
    known = rules()
    for code in handbook.settings.organisation.rules:
        if find_rule(code) is None:
            names = (word for rule in known.values() for word in (rule.code, rule.name))
            hint = (
                "remove it: the rule is retired" if code in RETIRED else did_you_mean(code, names)
            )
            yield Finding(handbook.settings.at("rules", code), f"'{code}' is not a rule", hint)


@rule("FM013", "future-date", over=Entity, severity=Severity.WARNING)
def future_date(entity: Entity, context: Context) -> Iterator[Finding]:
    """A date that says what has happened does not lie in the future.

    A date that plans (`review_by`, `due`, `until`) may. Samples (`example: true`) are exempt.

    Why: it was mistyped, or the record was written before the fact.

    Bad:
        date: 2999-03-02
    Good:
        date: 2026-03-02
    """
    if getattr(entity, "example", False):
        return
    for dated in entity.dated:
        if dated.day > context.today:
            yield Finding(
                dated.at,
                f"{dated.key} {dated.day} lies in the future",
                "write the day on which it happened",
            )
