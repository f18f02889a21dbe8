"""Write a report as JSON for other programs. The contract defines the keys of this JSON."""

from __future__ import annotations

import json

from handbook.diagnostics import Report


def as_json(report: Report) -> str:
    """Return the report as JSON, version 1, indented by two spaces, with a final newline."""
    listing = report.listing
    document = {
        "version": 1,
        "root": ".",
        "records": dict(report.records),
        "findings": [
            {
                "path": finding.at.path,
                "line": finding.at.line,
                "column": finding.at.column,
                "code": finding.code,
                "rule": finding.rule,
                "severity": str(finding.severity),
                "advisory": finding.is_advisory,
                "message": finding.message,
                "hint": finding.hint,
            }
            for finding in listing.findings
        ],
        "more": [
            {
                "path": unlisted.path,
                "code": unlisted.code,
                "rule": unlisted.rule,
                "severity": str(unlisted.severity),
                "count": unlisted.count,
            }
            for unlisted in listing.more
        ],
        "summary": report.summary,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
