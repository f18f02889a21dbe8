"""The report as workflow commands, which GitHub shows beside the lines of a pull request.

The form is GitHub's: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from handbook.diagnostics import Report
from handbook.reporters.text import shown, summary


def github(report: Report) -> str:
    """One `::error` or `::warning` command a finding, then what was read."""
    lines = []
    for finding in report.findings:
        at = finding.at
        place = f"file={_property(at.path)},line={at.line},col={at.column}"
        title = _property(f"{finding.code} {finding.rule}")
        message = "\n".join(filter(None, (finding.message, finding.hint)))
        lines.append(f"::{finding.severity} {place},title={title}::{_data(message)}")
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


def _data(text: str) -> str:
    return shown(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
