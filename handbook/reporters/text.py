"""Write a report as text for a person at a terminal."""

from __future__ import annotations

from handbook.diagnostics import Report, Severity

_PLAIN, _BOLD, _DIM = "\x1b[0m", "\x1b[1m", "\x1b[2m"
_COLOURS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}


def text(report: Report, *, colour: bool = False) -> str:
    """Return one line per finding, its hint indented below, then the summary.

    The form of a line is `path:line:column: CODE severity: message`. With `colour`, the text
    has the colour codes of a terminal.
    """

    def paint(mark: str, text: str) -> str:
        return f"{mark}{text}{_PLAIN}" if colour else text

    lines = []
    for finding in report.findings:
        at = finding.at
        location = paint(_BOLD, f"{escape_unprintable(at.path)}:{at.line}:{at.column}:")
        label = paint(_COLOURS[finding.severity], f"{finding.code} {finding.severity}:")
        lines.append(f"{location} {label} {escape_unprintable(finding.message)}")
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
    """Return one line with the number of records, of findings and of exceptions."""
    records = (
        ", ".join(f"{count} {kind}" for kind, count in report.records.items() if count)
        or "no record"
    )
    counts = [_count(report.errors, "error"), _count(report.warnings, "warning")]
    if report.suppressed:
        counts.append(f"{report.suppressed} suppressed")
    if report.samples:
        counts.append(_count(report.samples, "secret sample"))
    if report.lowered:
        counts.append(_count(report.lowered, "lowered severity", "lowered severities"))
    exceptions = ", ".join(
        escape_unprintable(f"{finding.message} ({finding.at.path}:{finding.at.line})")
        for finding in report.new_exceptions
    )
    return f"{records}: {', '.join(counts)}{f'; {exceptions}' if exceptions else ''}"


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
