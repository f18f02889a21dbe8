"""Write a report as workflow commands, which GitHub shows as annotations of a pull request.

See https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands for their
syntax.
"""

from __future__ import annotations

from handbook.diagnostics import Report
from handbook.reporters.text import ADVISORY, describe_unlisted, escape_unprintable, summary


def github(report: Report) -> str:
    """Return one `::error` or `::warning` command per finding, then the summary.

    A `::notice` command counts the findings that are not listed.
    """
    lines = []
    listing = report.listing
    for finding in listing.findings:
        at = finding.at
        properties = f"file={_escape_property(at.path)},line={at.line},col={at.column}"
        mark = ADVISORY if finding.is_advisory else ""
        title = _escape_property(f"{finding.code} {finding.rule}{mark}")
        message = "\n".join(filter(None, (finding.message, finding.hint)))
        lines.append(f"::{finding.severity} {properties},title={title}::{_escape_data(message)}")
    for unlisted in listing.more:
        title = _escape_property(f"{unlisted.code} {unlisted.rule}")
        path = _escape_property(unlisted.path)
        lines.append(f"::notice file={path},title={title}::{describe_unlisted(unlisted)}")
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


def _escape_data(text: str) -> str:
    return escape_unprintable(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
