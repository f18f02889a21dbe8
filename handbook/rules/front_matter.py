"""FM001 to FM012: front matter of any kind, and the settings, which are read the same way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from handbook.diagnostics import Finding, Severity, did_you_mean
from handbook.handbook import Handbook
from handbook.records import Entity
from handbook.records.kinds import KINDS
from handbook.rules.engine import Context, rule, rules


def _problems(handbook: Handbook, sort: str) -> Iterator[Finding]:
    """What the tables of fields found of one sort, in the settings and in every file."""
    for problem in handbook.settings.problems:
        if problem.sort == sort:
            yield problem.finding
    problems = [entity.problems for entity in handbook.entities] + [file.problems for file in handbook.rule_files]
    for problem in chain.from_iterable(problems):
        if problem.sort == sort:
            yield problem.finding


@rule("FM001", "unreadable", over=Handbook)
def unreadable(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A file is UTF-8, and its front matter is a mapping in plain YAML between two lines of `---`.

    Anchors, aliases and tags beyond YAML's core are refused: no record needs them.

    Why: MkDocs prints front matter that it cannot read into the page, and reports success.

    Bad:
        deciders: [platform-team
    Good:
        deciders: [platform-team]
    """
    yield from _problems(handbook, "unreadable")


@rule("FM002", "no-front-matter", over=Handbook)
def no_front_matter(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A record begins with front matter.

    Why: without it a record has no status, no owner and no date, and no index can show it.

    Bad:
        # Keep orders in SQLite

        ## Context
    Good:
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
    """
    yield from _problems(handbook, "no-front-matter")


@rule("FM003", "unknown-key", over=Handbook)
def unknown_key(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """Every key is one that its kind knows.

    Why: a misspelt key is a fact that nobody reads.

    Bad:
        review_bye: 2027-03-02
    Good:
        review_by: 2027-03-02
    """
    yield from _problems(handbook, "unknown-key")


@rule("FM004", "duplicate-key", over=Handbook)
def duplicate_key(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A key stands once.

    Why: YAML readers keep one of the two without a word, and not all of them the same one.

    Bad:
        review_by: 2027-03-02
        review_by: 2028-03-02
    Good:
        review_by: 2027-03-02
    """
    yield from _problems(handbook, "duplicate-key")


@rule("FM005", "unknown-value", over=Handbook)
def unknown_value(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A value of a vocabulary is one of its words: statuses, and the teams and tags of the settings.

    Why: a misspelt status drops the record out of every list that is made by status.

    Bad:
        status: acepted
    Good:
        status: accepted
    """
    yield from _problems(handbook, "unknown-value")


@rule("FM006", "wrong-type", over=Handbook)
def wrong_type(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A value has the form that its key asks for: a list, a date, a number, an id.

    Why: what cannot be read is not there, however sure it looks to a person.

    Bad:
        review_by: next spring
    Good:
        review_by: 2027-03-02
    """
    yield from _problems(handbook, "wrong-type")


@rule("FM007", "missing-key", over=Handbook)
def missing_key(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """Every key that the kind requires is there.

    Why: an index cannot place a record whose status or date is unknown.

    Bad:
        status: accepted
        deciders: [platform-team]
    Good:
        status: accepted
        date: 2026-03-02
        deciders: [platform-team]
    """
    yield from _problems(handbook, "missing-key")


@rule("FM008", "impossible-date", over=Handbook)
def impossible_date(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A date is one that the calendar has.

    Why: it was mistyped, and nobody can tell what was meant.

    Bad:
        review_by: 2027-02-30
    Good:
        review_by: 2027-03-02
    """
    yield from _problems(handbook, "impossible-date")


@rule("FM009", "empty-value", over=Handbook)
def empty_value(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A key that is written has a value.

    Why: an empty value reads as forgotten; a key that does not apply is left out.

    Bad:
        review_by:
    Good:
        review_by: 2027-03-02
    """
    yield from _problems(handbook, "empty-value")


@rule("FM010", "repeated-value", over=Handbook)
def repeated_value(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A list names nothing twice.

    Why: the second entry was meant to be another, or is noise.

    Bad:
        deciders: [platform-team, platform-team]
    Good:
        deciders: [platform-team]
    """
    yield from _problems(handbook, "repeated-value")


@rule("FM011", "records-lost", over=Handbook)
def records_lost(handbook: Handbook, context: Context) -> Iterator[Finding]:
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
        yield Finding(handbook.settings.at("expect"), "no record found", "the root may be another folder")


@rule("FM012", "unknown-rule", over=Handbook)
def unknown_rule(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """The settings change the severity of rules that exist.

    Why: a misspelt code leaves the rule as it was, and its author believes otherwise.

    Bad:
        rules: {SAFE999: error}
    Good:
        rules: {SAFE002: error}
    """
    known = rules()
    for code in handbook.settings.organisation.rules:
        if code not in known:
            yield Finding(handbook.settings.at("rules", code), f"'{code}' is not a rule", did_you_mean(code, known))


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
            yield Finding(dated.at, f"{dated.key} {dated.day} lies in the future", "write the day on which it happened")
