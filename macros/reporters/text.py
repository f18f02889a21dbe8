"""The report for a person at a terminal."""

from __future__ import annotations

from macros.diagnostics import Report


def text(report: Report) -> str:
    """One finding a line, `path:line:column: CODE severity: message`, its hint indented below; then what was read."""
    lines = []
    for finding in report.findings:
        at = finding.at
        lines.append(f"{at.path}:{at.line}:{at.column}: {finding.code} {finding.severity}: {finding.message}")
        if finding.hint:
            lines.append(f"    {finding.hint}")
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


def summary(report: Report) -> str:
    """What was read and found, in one line."""
    read = ", ".join(f"{count} {kind}" for kind, count in report.records.items() if count) or "no record"
    return f"{read}: {_count(report.errors, 'error')}, {_count(report.warnings, 'warning')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
