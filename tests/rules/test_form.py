"""Test the rules for titles, sections, front matter and settings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.handbooks import (
    ADR,
    SETTINGS,
    SITE_SETTINGS,
    SMALL,
    check,
    copy_site,
    format_findings,
    replace_once,
    report,
    write,
)


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("# A decision\n\n", "", ["6:FM101"]),
        ("# A decision", "Text.\n\n# A decision", ["8:FM101"]),
        ("# A decision", "<!-- a -->\n\nText.\n\n# A decision", ["10:FM101"]),
        ("# A decision", "<!-- a -->\n\n# A decision", []),
        ("Why.", "Why.\n\n# Another title", ["12:FM101"]),
        ("## Context\n\nWhy.\n\n", "", ["8:FM102"]),
        ("## Consequences\n\nThen.\n", "", ["18:FM102"]),
        (
            "## Consequences\n\nThen.\n",
            "```markdown\n## Consequences\n\nThen.\n```\n",
            ["24:FM102"],
        ),
        ("## Consequences\n\nThen.\n", "<!--\n## Consequences\n\nThen.\n-->\n", ["24:FM102"]),
        ("## Decision", "### Decision", ["16:FM102"]),
        ("## Decision", "## Decisions", ["16:FM102"]),
        ("What.", "", ["12:FM104"]),
        ("What.", "<!-- what was decided -->", ["12:FM104"]),
        ("What.", "### In short", ["12:FM104"]),
        ("What.", "```sql\nSELECT 1;\n```", []),
        ("What.", "| a |\n|---|\n| 1 |", []),
        ("What.", "What.\n\n## Measured\n\nIn May.", []),
        ("What.", "What.\n\n## Decision\n\nThis.", ["16:FM105"]),
        ("What.", "TODO: what.", ["14:FM106"]),
        ("What.", "What. `TODO` is our word.", []),
        ("What.", "What.\n\n```\n# TODO\n```", []),
        ("What.", "Lorem ipsum dolor.\n\nTBD, and TODO.", ["14:FM106"]),
    ],
)
def test_title_and_sections(good: str, bad: str, expected: list[str], tmp_path: Path) -> None:
    assert good in ADR
    findings = check(tmp_path, {"adr/0001-a.md": ADR.replace(good, bad, 1)})
    assert [f"{finding.at.line}:{finding.code}" for finding in findings] == expected


def test_sections_can_be_in_any_order(tmp_path: Path) -> None:
    context, decision = "## Context\n\nWhy.\n\n", "## Decision\n\nWhat.\n\n"
    text = ADR.replace(context + decision, decision + context)
    assert text != ADR
    assert format_findings(check(tmp_path, {"adr/0001-a.md": text})) == []


@pytest.mark.parametrize(
    ("good", "bad", "expected", "hint"),
    [
        ("status: accepted", "status: acepted", "2:9:FM005", "did you mean 'accepted'?"),
        ("status: accepted", "status: [accepted]", "2:9:FM006", None),
        (
            "status: accepted",
            "status:",
            "2:8:FM009",
            "write one of proposed, accepted, rejected, deprecated, superseded, or remove the key",
        ),
        ("status: accepted", "statuss: accepted", "2:1:FM003", "did you mean 'status'?"),
        (
            "status: accepted\n",
            "",
            "4:1:FM007",
            "add 'status:' (status of the decision: "
            "proposed, accepted, rejected, deprecated, superseded)",
        ),
        (
            "status: accepted",
            "status: accepted\nstatus: proposed",
            "3:1:FM004",
            "remove one of the two keys, with its value",
        ),
        ("status: accepted", "status: accepted\nzebra: 1", "3:1:FM003", None),
        ("date: 2026-03-02", "date: 2026-02-30", "3:7:FM008", None),
        ("date: 2026-03-02", "date: 2026-3-2", "3:7:FM006", None),
        ("date: 2026-03-02", "date: 20260302", "3:7:FM006", None),
        (
            "[order-team]",
            "[order-team",
            "4:11:FM001",
            "close the '[' that begins here",
        ),
        (
            "[order-team]",
            "&a [order-team]\ntags: *a",
            "4:11:FM001",
            "write the value out in each place",
        ),
        (
            "[order-team]",
            "!!python/object:os.system [x]",
            "4:11:FM001",
            "remove the tag",
        ),
        ("[order-team]", "[order-team, order-team]", "4:24:FM010", None),
        ("---\n# A", "# A", "1:1:FM001", "add a line '---' after the last key"),
        (
            "---\nstatus",
            "status",
            "1:1:FM002",
            "begin the file with the lines '---', 'status: TODO', 'date: TODO' and '---'",
        ),
    ],
)
def test_front_matter(good: str, bad: str, expected: str, hint: str | None, tmp_path: Path) -> None:
    assert good in ADR
    (finding,) = check(tmp_path, {"adr/0001-a.md": ADR.replace(good, bad, 1)})
    assert format_findings([finding]) == [f"adr/0001-a.md:{expected}"]
    assert hint is None or finding.hint == hint


def test_the_hint_of_an_unknown_value_names_the_vocabulary(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, {"adr/0001-a.md": ADR.replace("accepted", "zebra")})
    assert finding.message == "unknown value 'zebra' for 'status'"
    assert finding.hint == "use one of proposed, accepted, rejected, deprecated, superseded"
    assert finding.rule == "unknown-value"


def test_bytes_that_are_not_utf_8_are_a_finding_at_their_line(tmp_path: Path) -> None:
    assert format_findings(check(tmp_path, {"adr/0001-a.md": ADR.encode() + b"\xff\n"})) == [
        "adr/0001-a.md:23:1:FM001"
    ]


@pytest.mark.parametrize("byte_order_mark", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_byte_order_mark_and_windows_line_ends_are_allowed(
    byte_order_mark: bytes, end: bytes, tmp_path: Path
) -> None:
    data = byte_order_mark + ADR.encode().replace(b"\n", end)
    assert check(tmp_path, {"adr/0001-a.md": data}) == ()


IN_HANDBOOK = f"{SITE_SETTINGS}extra:\n  handbook:\n    "


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (f"{IN_HANDBOOK}expect: {{adr: 2}}\n", "mkdocs.yml:7:14:FM011"),
        (f"{IN_HANDBOOK}expect: {{adrs: 1}}\n", "mkdocs.yml:7:14:FM011"),
        (f"{IN_HANDBOOK}team: {{}}\n", "mkdocs.yml:7:5:FM003"),
        (f"{IN_HANDBOOK}tags: database\n", "mkdocs.yml:7:11:FM006"),
        (
            f"{IN_HANDBOOK}rules: {{DEC999: warning}}\n",
            "mkdocs.yml:7:13:FM012",
        ),
        (
            f"{IN_HANDBOOK}rules: {{DEC001: loud}}\n",
            "mkdocs.yml:7:21:FM005",
        ),
        ("extra: [a\n", "mkdocs.yml:1:8:FM001"),
        ("- a\n", "mkdocs.yml:1:1:FM001"),
        ("INHERIT: base.yml\n", "mkdocs.yml:1:10:FM001"),
    ],
)
def test_settings(settings: str, expected: str, tmp_path: Path) -> None:
    proposed = ADR.replace("accepted", "proposed").replace("deciders: [order-team]\n", "")
    write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": proposed})
    assert format_findings(report(tmp_path).findings) == [expected]


def test_another_docs_dir_is_one_finding(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    (root / "docs").rename(root / "content")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": f"docs_dir: content\n{settings}"})
    (finding,) = report(root).findings
    assert format_findings([finding]) == ["mkdocs.yml:1:11:FM001"]
    assert finding.message == "docs_dir 'content' is not supported"
    assert finding.hint == "rename the folder to docs, and remove docs_dir"


@pytest.mark.parametrize("value", ["[docs]", "{a: docs}"])
def test_a_docs_dir_that_is_no_text_is_one_finding(value: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": f"docs_dir: {value}\n{settings}"})
    (finding,) = report(root).findings
    assert (finding.code, finding.at.path, finding.at.line) == ("FM006", "mkdocs.yml", 1)


@pytest.mark.parametrize("value", ["docs", "docs/", "./docs", '"docs"', "", "!ENV [DOCS, docs]"])
def test_docs_dir_may_name_the_folder_of_pages(value: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": f"docs_dir: {value}\n{settings}"})
    assert format_findings(report(root).findings) == []


def test_a_handbook_can_be_empty(tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": "site_name: x\n"})
    assert format_findings(report(tmp_path).findings) == []


def test_only_expect_asks_for_records(tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": "extra: {handbook: {expect: {adr: 1}}}\n"})
    assert format_findings(report(tmp_path).findings) == ["mkdocs.yml:1:29:FM011"]


def test_settings_change_the_severity_of_a_rule(tmp_path: Path) -> None:
    settings = SETTINGS + "    rules: {DEC009: warning}\n"
    text = ADR.replace("- Another.", "There were none.")
    write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": text})
    assert [(finding.code, finding.severity) for finding in report(tmp_path).findings] == [
        ("DEC009", "warning")
    ]


def test_an_action_that_was_done_in_the_future_is_a_warning(tmp_path: Path) -> None:
    root = shutil.copytree(SMALL, tmp_path / "small")
    replace_once(root, "done 2026-05-12", "done 2027-05-12")
    place = "postmortems/2026-05-04-orders-stopped.md:51:51"
    assert format_findings(report(root).findings) == [f"{place}:FM013"]
