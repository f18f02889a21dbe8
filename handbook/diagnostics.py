"""Data classes for the findings of the checks, and functions that suggest a correction."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST_LISTED: Final = 20
"""The number of findings of one rule in one file that a report lists. It counts all of them."""

NEW_EXCEPTION = "new-exception"
"""The name of the rule that reports new exceptions. A report lists its findings separately."""


class Severity(StrEnum):
    """The severity of a finding.

    An error fails the check and the build. A warning fails them only with `--strict`, and an
    advisory warning never.
    """

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A location in a file: path from the root, line and column. Both numbers count from 1."""

    path: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the text `old` to `new` at a location.

    It is not applied if the text at the location is not `old`.
    """

    at: Location
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A hint that suggests the candidate that is most similar to a text, or else a default.

    The search is slow, so only listed findings need it. `candidates` can be a generator. `search`
    is another function than `did_you_mean`.
    """

    text: str
    candidates: Iterable[str]
    default: str | None = None
    search: Callable[[str, Iterable[str]], str | None] | None = None

    def make(self) -> str | None:
        """Search for the most similar candidate, and return the hint."""
        search = self.search or did_you_mean
        return search(self.text, tuple(self.candidates)) or self.default


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault at a location, with an optional hint and an optional fix.

    A finding has a fix only if the correction is unambiguous, so that a program can apply it. With
    `is_warning`, it is a warning even if the other findings of its rule are errors.
    """

    at: Location
    message: str
    hint: str | Suggestion | None = None
    fix: Edit | None = None
    is_warning: bool = False


def make_hint(finding: Finding, *, has_suggestion: bool = True) -> str | None:
    """Return the hint of a finding as text. A suggestion is only made if `has_suggestion`."""
    if isinstance(finding.hint, Suggestion):
        return finding.hint.make() if has_suggestion else finding.hint.default
    return finding.hint


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding, with the code and the name of its rule, and its severity."""

    at: Location
    code: str
    rule: str
    severity: Severity
    message: str
    hint: str | None = None
    fix: Edit | None = None
    is_advisory: bool = False
    """True for a warning that `--strict` does not count."""


@dataclass(frozen=True, slots=True, order=True)
class Unlisted:
    """The number of findings of one rule in one file that a report counts but does not list."""

    path: str
    code: str
    rule: str
    severity: Severity
    count: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The findings that a report lists, and the numbers of all others, sorted by path and code."""

    findings: tuple[Diagnostic, ...]
    more: tuple[Unlisted, ...]


def sort_findings(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return findings in the order of a report: by path, line, column, code and message."""
    return tuple(sorted(findings, key=lambda finding: (finding.at, finding.code, finding.message)))


def limit_findings(findings: Iterable[Diagnostic]) -> Listing:
    """Return the first findings of each rule in each file, and the numbers of the others."""
    counts: Counter[tuple[str, str, str, Severity]] = Counter()
    listed = []
    for finding in findings:
        key = (finding.at.path, finding.code, finding.rule, finding.severity)
        counts[key] += 1
        if counts[key] <= MOST_LISTED:
            listed.append(finding)
    more = (
        Unlisted(*key, count - MOST_LISTED) for key, count in counts.items() if count > MOST_LISTED
    )
    return Listing(tuple(listed), tuple(sorted(more)))


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a check.

    - `findings`: all findings, sorted by path, line, column and code.
    - `records`: the number of records of each kind.
    - `suppressed_count`: the number of findings that a suppression allows.
    - `sample_count`: the number of secret samples in the settings.
    - `lowered_count`: the number of rules whose severity the settings lower.
    - `removal_count`: the number of allowed removals in the settings.
    - `site_url`: the full address of the site, or None without one.
    """

    records: Mapping[str, int]
    findings: tuple[Diagnostic, ...]
    suppressed_count: int = 0
    sample_count: int = 0
    lowered_count: int = 0
    removal_count: int = 0
    site_url: str | None = None

    def count(self, severity: Severity) -> int:
        """Return the number of findings with a severity."""
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
    def advisory_warnings(self) -> int:
        """The number of warnings that `--strict` does not count."""
        return sum(finding.is_advisory for finding in self.findings)

    def is_failed(self, *, strict: bool) -> bool:
        """Return whether the check fails: with errors, or if `strict`, with warnings that count."""
        return bool(self.errors or (strict and self.warnings > self.advisory_warnings))

    @property
    def listing(self) -> Listing:
        """The findings that reports list, and the numbers of all others."""
        return limit_findings(self.findings)

    @property
    def new_exceptions(self) -> Listing:
        """The findings about exceptions that the base does not have."""
        return limit_findings(finding for finding in self.findings if finding.rule == NEW_EXCEPTION)

    @property
    def summary(self) -> dict[str, object]:
        """The counts and the new exceptions of the report, for the JSON report."""
        return {
            "errors": self.errors,
            "warnings": self.warnings,
            "advisory": self.advisory_warnings,
            "suppressed": self.suppressed_count,
            "samples": self.sample_count,
            "lowered": self.lowered_count,
            "removed": self.removal_count,
            "new_exceptions": [
                {"path": finding.at.path, "line": finding.at.line, "message": finding.message}
                for finding in self.new_exceptions.findings
            ],
        }


def find_nearest(text: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that is most similar to a text, or None if no candidate is similar.

    A candidate is similar if `difflib` calculates a ratio of at least 0.6, without regard to case.
    """
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = _find_close_matches(text.casefold(), tuple(by_folded), 1, 0.6)
    return by_folded[matches[0]] if matches else None


def _find_close_matches(
    text: str, candidates: tuple[str, ...], count: int, cutoff: float
) -> Sequence[str]:
    """Return the candidates with at least a ratio of `difflib`, the most similar first."""
    return difflib.get_close_matches(text, candidates, n=count, cutoff=cutoff)


def suggest(candidate: str) -> str:
    """Return a hint that suggests a candidate."""
    return f"did you mean '{candidate}'?"


def did_you_mean(text: str, candidates: Iterable[str]) -> str | None:
    """Return a hint that suggests the most similar candidate, or None if none is similar."""
    candidate = find_nearest(text, candidates)
    return suggest(candidate) if candidate is not None else None


def find_only_match(text: str, candidates: Sequence[str]) -> str | None:
    """Return the only candidate that a misspelt text can mean, or None if this is unclear.

    The similarity of the candidate is at least 0.8, and of all others below 0.7.
    """
    folded = dict.fromkeys(candidate.casefold() for candidate in candidates)
    matches = _find_close_matches(text.casefold(), tuple(folded), 2, 0.7)
    if len(matches) != 1:
        return None
    if difflib.SequenceMatcher(None, matches[0], text.casefold()).ratio() < 0.8:
        return None
    spellings = [candidate for candidate in candidates if candidate.casefold() == matches[0]]
    return spellings[0] if len(spellings) == 1 else None


def find_rule_address(code: str) -> str:
    """Return the address of the text of a rule, such as `reference/rules/fm/#fm001`."""
    family = code.rstrip("0123456789").lower()
    return f"reference/rules/{family}/#{code.lower()}"
