"""A report lists the first findings of a rule in a file, and counts the others."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from handbook.cli import main
from handbook.diagnostics import (
    MOST_LISTED,
    Diagnostic,
    Location,
    Report,
    Severity,
    limit_findings,
)
from handbook.engines.check import check_handbook
from handbook.loading import load
from handbook.reporters.text import summary
from handbook.rules.engine import run
from handbook.views.findings import findings as render_findings
from tests.handbooks import ADR, SETTINGS, TODAY, write

PATHS = ("adr/0001-a.md", "adr/0002-b.md")


def write_records(root: Path, *ids: int, suffix: str = "") -> Path:
    """Write one record for each number, with that many unknown ids."""
    texts = [ADR.replace("Why.", "ADR-0099\n" * number + suffix) for number in ids]
    return write(root, {"mkdocs.yml": SETTINGS, **dict(zip(PATHS, texts, strict=False))})


def run_check(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str) -> tuple[int, str]:
    """Run the check, and return its exit code and its report."""
    code = main(["check", "--root", str(root), "--today", "2026-11-23", *arguments])
    return code, capsys.readouterr().out


@pytest.mark.parametrize(
    ("ids", "more"),
    [
        ((MOST_LISTED,), []),
        ((MOST_LISTED + 1,), [(PATHS[0], 1)]),
        ((454,), [(PATHS[0], 434)]),
        ((3, 30), [(PATHS[1], 10)]),
        ((30, 3), [(PATHS[0], 10)]),
        ((21, 1_021), [(PATHS[0], 1), (PATHS[1], 1_001)]),
    ],
)
def test_each_format_lists_some_findings_of_a_rule_and_counts_all(
    ids: tuple[int, ...],
    more: list[tuple[str, int]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_records(tmp_path, *ids)
    listed = sum(min(number, MOST_LISTED) for number in ids)
    rest = {"code": "REF002", "rule": "unknown-id", "severity": "error"}

    code, text = run_check(capsys, tmp_path)
    assert code == 1
    assert text.count("unknown id 'ADR-0099'") == listed
    assert [line for line in text.splitlines() if line.endswith(" more")] == [
        f"{path}: REF002 error: and {count:,} more" for path, count in more
    ]
    assert f": {sum(ids)} errors, 0 warnings" in text

    report = json.loads(run_check(capsys, tmp_path, "--format", "json")[1])
    assert len(report["findings"]) == listed
    assert report["more"] == [{"path": path, **rest, "count": count} for path, count in more]
    assert report["summary"]["errors"] == sum(ids)

    annotations = run_check(capsys, tmp_path, "--format", "github")[1].splitlines()
    assert len([line for line in annotations if line.startswith("::error ")]) == listed
    assert [line for line in annotations if line.startswith("::notice ")] == [
        f"::notice file={path},title=REF002 unknown-id::and {count:,} more" for path, count in more
    ]

    (sarif,) = json.loads(run_check(capsys, tmp_path, "--format", "sarif")[1])["runs"]
    notes = [result for result in sarif["results"] if result["level"] == "note"]
    assert len(sarif["results"]) == listed + len(notes)
    assert [
        (
            note["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            note["message"]["text"],
        )
        for note in notes
    ] == [(path, f"and {count:,} more") for path, count in more]
    assert {note["ruleId"] for note in notes} <= {"REF002"}
    assert sarif["properties"]["summary"]["errors"] == sum(ids)


def test_the_first_findings_are_listed_and_the_count_follows_those_of_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_records(tmp_path, 25, 1, suffix="\n[x](y.md)\n")
    lines = run_check(capsys, tmp_path)[1].splitlines()
    places = [line.split(" ")[0] for line in lines if not line.startswith(" ")]
    assert places == [
        *(f"{PATHS[0]}:{line}:1:" for line in range(10, 30)),
        f"{PATHS[0]}:36:1:",
        f"{PATHS[0]}:",
        f"{PATHS[1]}:10:1:",
        f"{PATHS[1]}:12:1:",
        "2",
    ]


def test_each_rule_has_its_own_count() -> None:
    findings = [
        Diagnostic(Location("a.md", line), code, code.lower(), severity, "fault")
        for line in range(1, 31)
        for code, severity in (("FM001", Severity.ERROR), ("FM104", Severity.WARNING))
    ]
    listing = limit_findings(findings)
    assert [finding.at.line for finding in listing.findings] == [
        line for line in range(1, 21) for _ in "ab"
    ]
    assert [(unlisted.code, unlisted.count) for unlisted in listing.more] == [
        ("FM001", 10),
        ("FM104", 10),
    ]


def test_warnings_beyond_the_list_fail_a_strict_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_records(tmp_path, 30)
    write(tmp_path, {"mkdocs.yml": f"{SETTINGS}    rules: {{REF002: warning}}\n"})
    assert run_check(capsys, tmp_path)[0] == 0
    code, text = run_check(capsys, tmp_path, "--strict")
    assert code == 1
    assert f"{PATHS[0]}: REF002 warning: and 10 more" in text


def test_only_the_selected_files_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_records(tmp_path, 30, 40)
    text = run_check(capsys, tmp_path, str(tmp_path / PATHS[1]))[1]
    assert f"{PATHS[1]}: REF002 error: and 20 more" in text
    assert PATHS[0] not in text
    assert ": 40 errors" in text


def test_fix_corrects_findings_beyond_the_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = "!!! note\n    Text.\n\n" * 30
    write(tmp_path, {"mkdocs.yml": SETTINGS, PATHS[0]: ADR.replace("Why.\n", body)})
    assert ": and 10 more" in run_check(capsys, tmp_path)[1]
    assert run_check(capsys, tmp_path, "--fix")[0] == 0
    assert (tmp_path / PATHS[0]).read_text(encoding="utf-8").count("> [!NOTE]") == 30


def test_the_link_check_of_a_site_lists_some_broken_links(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    links = "".join(f"<a href='/gone-{number}/'>x</a>" for number in range(30))
    write(
        tmp_path,
        {
            "mkdocs.yml": f"site_url: https://h.example/\n{SETTINGS}",
            PATHS[0]: ADR,
            "site/index.html": f"<!doctype html><title>x</title>{links}",
        },
    )
    arguments = ["links", str(tmp_path / "site"), "--root", str(tmp_path), "--format", "json"]
    assert main(arguments) == 1
    report = json.loads(capsys.readouterr().out)
    assert len(report["findings"]) == MOST_LISTED
    assert [unlisted["count"] for unlisted in report["more"]] == [10]
    assert report["summary"]["errors"] == 30


def test_a_build_lists_some_findings(tmp_path: Path) -> None:
    write_records(tmp_path, 30)
    checked = check_handbook(str(tmp_path / "mkdocs.yml"))
    with pytest.raises(click.ClickException) as error:
        checked.stop_on_errors()
    text = error.value.format_message()
    assert text.count("unknown id") == MOST_LISTED
    assert f"{PATHS[0]}: REF002 error: and 10 more" in text


def test_the_preview_of_a_page_lists_some_findings(tmp_path: Path) -> None:
    write_records(tmp_path, 30)
    html = render_findings(run(load(tmp_path), TODAY).findings)
    assert html.count("unknown id") == MOST_LISTED
    assert "REF002 error: and 10 more" in html


def test_the_last_line_names_three_new_exceptions_and_counts_the_others() -> None:
    exceptions = tuple(
        Diagnostic(at, "FM019", "new-exception", Severity.WARNING, f"allow {at.line}")
        for at in (
            *(Location("adr/a.md", line) for line in range(1, 31)),
            Location("mkdocs.yml", 40),
        )
    )
    report = Report({"adr": 1}, exceptions)
    assert [item.at.line for item in report.new_exceptions.findings] == [*range(1, 21), 40]
    assert summary(report).endswith(
        "; allow 40 (mkdocs.yml:40), allow 1 (adr/a.md:1), allow 2 (adr/a.md:2), "
        "and 28 more new exceptions"
    )
    assert summary(Report({}, exceptions[:4])).endswith(", and 1 more new exception")
