"""Write a report as SARIF 2.1.0, which code hosts and editors read.

Its specification is https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

from __future__ import annotations

import json
import os
from urllib.parse import quote

from handbook.diagnostics import Diagnostic, Report

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def sarif(report: Report) -> str:
    """Return the report as SARIF with one run, which lists only the rules that have findings.

    The text is indented by two spaces and ends with a newline.
    """
    rules = {finding.code: finding.rule for finding in report.findings}
    codes = sorted(rules)
    driver = {"name": "handbook", "rules": [{"id": code, "name": rules[code]} for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            _write_result(finding, codes.index(finding.code)) for finding in report.findings
        ],
        "properties": {"summary": report.summary},
    }
    return (
        json.dumps(
            {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False
        )
        + "\n"
    )


def _write_result(finding: Diagnostic, rule: int) -> dict[str, object]:
    at = finding.at
    location = {
        "artifactLocation": {"uri": quote(os.fsencode(at.path)), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": at.line, "startColumn": at.column},
    }
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": str(finding.severity),
        "message": {"text": "\n".join(filter(None, (finding.message, finding.hint)))},
        "locations": [{"physicalLocation": location}],
    }
    return result | {"properties": {"advisory": True}} if finding.is_advisory else result
