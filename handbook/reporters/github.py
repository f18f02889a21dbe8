"""Write a report as workflow commands, which GitHub shows as annotations of a pull request.

See https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands for their
syntax.
"""

from __future__ import annotations

from handbook.diagnostics import Report
from handbook.reporters.text import ADVISORY, escape_unprintable, summary


def github(report: Report) -> str:
    """Return one `::error` or `::warning` command per finding, then the summary."""
    lines = []
    for finding in report.findings:
        at = finding.at
        properties = f"file={_escape_property(at.path)},line={at.line},col={at.column}"
        mark = ADVISORY if finding.is_advisory else ""
        title = _escape_property(f"{finding.code} {finding.rule}{mark}")
        message = "\n".join(filter(None, (finding.message, finding.hint)))
        lines.append(f"::{finding.severity} {properties},title={title}::{_escape_data(message)}")
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


def _escape_data(text: str) -> str:
    return escape_unprintable(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
