"""Write a report as SARIF 2.1.0, which code hosts and editors read.

Its specification is https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

from __future__ import annotations

import json
import os
from urllib.parse import quote

from handbook.diagnostics import Diagnostic, Report, Unlisted, find_rule_address
from handbook.reporters.text import describe_unlisted

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def sarif(report: Report) -> str:
    """Return the report as SARIF with one run, which lists only the rules that have findings.

    A result with the level `note` counts the findings that are not listed.
    The text is indented by two spaces and ends with a newline.
    """
    listing = report.listing
    rules = {finding.code: finding.rule for finding in listing.findings}
    codes = sorted(rules)
    index_by_code = {code: index for index, code in enumerate(codes)}
    driver = {
        "name": "handbook",
        "rules": [_write_rule(code, rules[code], report.site_url) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            *(_write_result(finding, index_by_code[finding.code]) for finding in listing.findings),
            *(_write_note(unlisted, index_by_code[unlisted.code]) for unlisted in listing.more),
        ],
        "properties": {"summary": report.summary},
    }
    return (
        json.dumps(
            {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False
        )
        + "\n"
    )


def _write_rule(code: str, name: str, site_url: str | None) -> dict[str, object]:
    rule: dict[str, object] = {"id": code, "name": name}
    if site_url:
        rule["helpUri"] = f"{site_url.rstrip('/')}/{find_rule_address(code)}"
    return rule


def _write_result(finding: Diagnostic, rule: int) -> dict[str, object]:
    at = finding.at
    location = {
        **_locate_file(at.path),
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


def _write_note(unlisted: Unlisted, rule: int) -> dict[str, object]:
    return {
        "ruleId": unlisted.code,
        "ruleIndex": rule,
        "level": "note",
        "message": {"text": describe_unlisted(unlisted)},
        "locations": [{"physicalLocation": _locate_file(unlisted.path)}],
    }


def _locate_file(path: str) -> dict[str, object]:
    return {"artifactLocation": {"uri": quote(os.fsencode(path)), "uriBaseId": "%SRCROOT%"}}
