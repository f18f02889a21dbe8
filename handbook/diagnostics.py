"""Findings of the checks: location, rule, severity, message, hint and fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

NEW_EXCEPTION = "new-exception"
"""Name of the rule for new exceptions, which the summary of a report lists."""


class Severity(StrEnum):
    """Severity of a finding. Errors fail the check and the build, warnings only with `--strict`."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """Location in a file: POSIX path from the root, line and column. Both count from 1."""

    path: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Edit:
    """Replacement of `old` by `new` at a location. It changes nothing if the text differs."""

    at: Location
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Fault at a location, with an optional hint and an optional fix.

    A `fix` exists only if the correction is unambiguous, so that a program can apply it.
    """

    at: Location
    message: str
    hint: str | None = None
    fix: Edit | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Finding with its rule and severity."""

    at: Location
    code: str
    rule: str
    severity: Severity
    message: str
    hint: str | None = None
    fix: Edit | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Result of a check.

    `findings` are sorted by path, line, column and code. The other fields are counts: `records` by
    kind, `suppressed` findings, secret `samples` in the settings, and rules with a `lowered`
    severity.
    """

    records: Mapping[str, int]
    findings: tuple[Diagnostic, ...]
    suppressed: int = 0
    samples: int = 0
    lowered: int = 0

    def count(self, severity: Severity) -> int:
        """Return the number of findings with a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def errors(self) -> int:
        """Number of errors."""
        return self.count(Severity.ERROR)

    @property
    def warnings(self) -> int:
        """Number of warnings."""
        return self.count(Severity.WARNING)

    @property
    def new_exceptions(self) -> tuple[Diagnostic, ...]:
        """Findings about exceptions that the base does not have."""
        return tuple(finding for finding in self.findings if finding.rule == NEW_EXCEPTION)

    @property
    def summary(self) -> dict[str, object]:
        """Counts and new exceptions, for JSON."""
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


def find_nearest(text: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most similar to a text; None if none is similar.

    The similarity is the ratio of `difflib` (Ratcliff and Obershelp), at least 0.6, without case.
    """
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    near = difflib.get_close_matches(text.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None


def suggest(candidate: str) -> str:
    """Return the hint that suggests a candidate."""
    return f"did you mean '{candidate}'?"


def did_you_mean(text: str, candidates: Iterable[str]) -> str | None:
    """Return the hint that suggests the most similar candidate; None if none is similar."""
    candidate = find_nearest(text, candidates)
    return suggest(candidate) if candidate is not None else None


def find_only_match(text: str, candidates: Sequence[str]) -> str | None:
    """Return the only candidate that a misspelt text can mean; None if it is unclear.

    Its similarity is at least 0.8, and no other candidate reaches 0.7.
    """
    matches = difflib.get_close_matches(
        text.casefold(), {candidate.casefold() for candidate in candidates}, n=2, cutoff=0.7
    )
    if len(matches) != 1:
        return None
    if difflib.SequenceMatcher(None, matches[0], text.casefold()).ratio() < 0.8:
        return None
    spellings = [candidate for candidate in candidates if candidate.casefold() == matches[0]]
    return spellings[0] if len(spellings) == 1 else None
