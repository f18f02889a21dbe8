"""Write a report as text for a person at a terminal."""

from __future__ import annotations

from handbook.diagnostics import Report, Severity

_PLAIN, _BOLD, _DIM = "\x1b[0m", "\x1b[1m", "\x1b[2m"
ADVISORY = " (advisory)"
"""The mark of a warning that `--strict` does not count."""
_COLOURS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}


def text(report: Report, *, colour: bool = False) -> str:
    """Return one line for each finding, and the summary as the last line.

    The line of a finding has the form `path:line:column: CODE severity: message`. The line of an
    advisory warning ends with `(advisory)`. The hint is on an indented line below. With `colour`,
    the text contains colour codes for a terminal.
    """

    def paint(mark: str, text: str) -> str:
        return f"{mark}{text}{_PLAIN}" if colour else text

    lines = []
    for finding in report.findings:
        at = finding.at
        location = paint(_BOLD, f"{escape_unprintable(at.path)}:{at.line}:{at.column}:")
        label = paint(_COLOURS[finding.severity], f"{finding.code} {finding.severity}:")
        mark = ADVISORY if finding.is_advisory else ""
        lines.append(f"{location} {label} {escape_unprintable(finding.message)}{mark}")
        if finding.hint:
            lines.append(paint(_DIM, f"    {escape_unprintable(finding.hint)}"))
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


def escape_unprintable(text: str) -> str:
    """Escape unprintable characters, such as line breaks and control codes for a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


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
    exceptions = ", ".join(
        escape_unprintable(f"{finding.message} ({finding.at.path}:{finding.at.line})")
        for finding in report.new_exceptions
    )
    return f"{records}: {', '.join(counts)}{f'; {exceptions}' if exceptions else ''}"


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
