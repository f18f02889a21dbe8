"""Write a report as text for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from handbook.diagnostics import Diagnostic, Report, Severity, Unlisted

_PLAIN, _BOLD, _DIM = "\x1b[0m", "\x1b[1m", "\x1b[2m"
ADVISORY = " (advisory)"
"""The mark of a warning that `--strict` does not count."""
_COLOURS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}


def text(report: Report, *, colour: bool = False) -> str:
    """Return one line for each finding, and the summary as the last line.

    The line of a finding has the form `path:line:column: CODE severity: message`. The line of an
    advisory warning ends with `(advisory)`. The hint is on an indented line below. Below the
    findings of a file, a line `path: CODE severity: and N more` counts the findings of a rule that
    are not listed. With `colour`, the text contains colour codes for a terminal.
    """

    def paint(mark: str, text: str) -> str:
        return f"{mark}{text}{_PLAIN}" if colour else text

    def write_finding(finding: Diagnostic) -> Iterator[str]:
        at = finding.at
        location = paint(_BOLD, f"{escape_unprintable(at.path)}:{at.line}:{at.column}:")
        label = paint(_COLOURS[finding.severity], f"{finding.code} {finding.severity}:")
        mark = ADVISORY if finding.is_advisory else ""
        yield f"{location} {label} {escape_unprintable(finding.message)}{mark}"
        if finding.hint:
            yield paint(_DIM, f"    {escape_unprintable(finding.hint)}")

    def write_unlisted(unlisted: Unlisted) -> str:
        location = paint(_BOLD, f"{escape_unprintable(unlisted.path)}:")
        label = paint(_COLOURS[unlisted.severity], f"{unlisted.code} {unlisted.severity}:")
        return f"{location} {label} {describe_unlisted(unlisted)}"

    listing = report.listing
    more_by_path = {
        path: list(group) for path, group in groupby(listing.more, key=lambda more: more.path)
    }
    lines: list[str] = []
    for path, findings in groupby(listing.findings, key=lambda finding: finding.at.path):
        for finding in findings:
            lines += write_finding(finding)
        lines += map(write_unlisted, more_by_path.get(path, ()))
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


def describe_unlisted(unlisted: Unlisted) -> str:
    """Return the text that counts the findings of a rule that are not listed."""
    return f"and {unlisted.count:,} more"


def escape_unprintable(text: str) -> str:
    """Escape unprintable characters, such as line breaks and control codes for a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


_MOST_EXCEPTIONS: Final = 3
"""The largest number of new exceptions in the last line of a report."""


def escape_lines(text: str) -> str:
    """Escape unprintable characters in each line of a text. The line ends stay."""
    return "\n".join(map(escape_unprintable, text.split("\n")))


def summary(report: Report) -> str:
    """Return one line with the numbers of records, findings and exceptions, and new exceptions."""
    records = (
        ", ".join(f"{count} {kind}" for kind, count in report.records.items() if count)
        or "no record"
    )
    counts = [_count(report.errors, "error"), _count(report.warnings, "warning")]
    if report.advisory_warnings:
        counts[-1] += f" ({report.advisory_warnings} advisory)"
    if report.suppressed_count:
        counts.append(f"{report.suppressed_count} suppressed")
    if report.sample_count:
        counts.append(_count(report.sample_count, "secret sample"))
    if report.lowered_count:
        counts.append(_count(report.lowered_count, "lowered severity", "lowered severities"))
    if report.removal_count:
        counts.append(_count(report.removal_count, "allowed removal"))
    # The settings affect every record, so their exceptions come first.
    findings = sorted(report.new_exceptions.findings, key=lambda finding: "/" in finding.at.path)
    more = len(findings[_MOST_EXCEPTIONS:]) + sum(
        unlisted.count for unlisted in report.new_exceptions.more
    )
    exceptions = ", ".join(
        (
            *(
                escape_unprintable(f"{finding.message} ({finding.at.path}:{finding.at.line})")
                for finding in findings[:_MOST_EXCEPTIONS]
            ),
            *([f"and {_count(more, 'more new exception')}"] if more else []),
        )
    )
    return f"{records}: {', '.join(counts)}{f'; {exceptions}' if exceptions else ''}"


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
