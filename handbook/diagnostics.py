"""What the gate says: where, which rule, how bad, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

NEW_EXCEPTION = "new-exception"
"""The name of the rule whose findings the summary of a report lists."""


class Severity(StrEnum):
    """An error fails the gate and the build; a warning fails them only where `--strict` asks for it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file: POSIX path relative to the root; line and column count characters from 1."""

    path: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Edit:
    """At a place of a file, `new` instead of `old`. Nothing is changed where something else stands by then."""

    at: Location
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule yields: a place, what is wrong there, and how to mend it where that is known.

    `fix` is there where one answer alone is right, so that a program may give it.
    """

    at: Location
    message: str
    hint: str | None = None
    fix: Edit | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding together with the rule that found it."""

    at: Location
    code: str
    rule: str
    severity: Severity
    message: str
    hint: str | None = None
    fix: Edit | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer of one run of the gate.

    `findings` are sorted by path, line, column and code; `records` counts the records read of each kind;
    `suppressed` counts the findings that a suppression in a record silenced, `samples` the published examples of
    secrets that the settings declare, and `lowered` the rules whose severity the settings lower.
    """

    records: Mapping[str, int]
    findings: tuple[Diagnostic, ...]
    suppressed: int = 0
    samples: int = 0
    lowered: int = 0

    def count(self, severity: Severity) -> int:
        """The number of findings of one severity."""
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def errors(self) -> int:
        """The number of errors."""
        return self.count(Severity.ERROR)

    @property
    def warnings(self) -> int:
        """The number of warnings."""
        return self.count(Severity.WARNING)

    @property
    def new_exceptions(self) -> tuple[Diagnostic, ...]:
        """The findings that report an exception from the rules that the base does not have."""
        return tuple(finding for finding in self.findings if finding.rule == NEW_EXCEPTION)

    @property
    def summary(self) -> dict[str, object]:
        """The counts, and the new exceptions, as programs read them."""
        return {
            "errors": self.errors,
            "warnings": self.warnings,
            "suppressed": self.suppressed,
            "samples": self.samples,
            "lowered": self.lowered,
            "new_exceptions": [
                {"path": finding.at.path, "line": finding.at.line, "message": finding.message}
                for finding in self.new_exceptions
            ],
        }


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate nearest to `word`, or None where none is near.

    Nearness is `difflib`'s ratio (Ratcliff and Obershelp), at least 0.6, case not counted.
    """
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None


def ask_whether(candidate: str) -> str:
    """The hint that asks whether a candidate was meant."""
    return f"did you mean '{candidate}'?"


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """The hint that asks whether the candidate nearest to `word` was meant, or None where none is near."""
    meant = nearest(word, candidates)
    return ask_whether(meant) if meant is not None else None


def only_candidate(word: str, candidates: Sequence[str]) -> str | None:
    """The one candidate that `word` can only be a slip for: near by a ratio of 0.8, no other by 0.7; or None."""
    near = difflib.get_close_matches(
        word.casefold(), {each.casefold() for each in candidates}, n=2, cutoff=0.7
    )
    best = [each for each in candidates if near and each.casefold() == near[0]]
    sure = len(near) == 1 and difflib.SequenceMatcher(None, near[0], word.casefold()).ratio() >= 0.8
    return best[0] if sure and len(best) == 1 else None
