"""The report for a person at a terminal."""

from __future__ import annotations

from handbook.diagnostics import Report, Severity

_PLAIN, _BOLD, _DIM = "\x1b[0m", "\x1b[1m", "\x1b[2m"
_COLOURS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}


def text(report: Report, *, colour: bool = False) -> str:
    """One finding a line, `path:line:column: CODE severity: message`, its hint indented below; then what was read.

    With `colour` the same characters, between the marks that a terminal understands.
    """

    def marked(mark: str, piece: str) -> str:
        return f"{mark}{piece}{_PLAIN}" if colour else piece

    lines = []
    for finding in report.findings:
        at = finding.at
        place = marked(_BOLD, f"{shown(at.path)}:{at.line}:{at.column}:")
        kind = marked(_COLOURS[finding.severity], f"{finding.code} {finding.severity}:")
        lines.append(f"{place} {kind} {shown(finding.message)}")
        if finding.hint:
            lines.append(marked(_DIM, f"    {shown(finding.hint)}"))
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


def shown(text: str) -> str:
    """Text that keeps to its line, and tells a terminal nothing: what is not to be seen is written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def summary(report: Report) -> str:
    """What was read and found, in one line."""
    read = (
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
        shown(f"{finding.message} ({finding.at.path}:{finding.at.line})")
        for finding in report.new_exceptions
    )
    return f"{read}: {', '.join(counts)}{f'; {exceptions}' if exceptions else ''}"


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
