"""Rules about decisions, with one short decision for each case."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.handbooks import ADR, check, format_findings


def adr(**keys: str) -> str:
    """Return a decision with these keys in front matter. An empty value removes the key."""
    lines = {"status": "accepted", "date": "2026-03-02", "deciders": "[order-team]"} | keys
    head = "".join(f"{key}: {value}\n" for key, value in lines.items() if value)
    body = ADR.split("---\n", 2)[2]
    return f"---\n{head}---\n{body}"


OLD = adr(status="superseded", superseded_by="[ADR-0002]")
NEW = adr(supersedes="[ADR-0001]")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (OLD, NEW, []),
        (adr(status="superseded"), NEW, ["adr/0001-a.md:2:9:DEC004"]),
        (adr(superseded_by="[ADR-0002]"), NEW, ["adr/0001-a.md:5:16:DEC005"]),
        (OLD, adr(), ["adr/0001-a.md:5:17:DEC006"]),
        (adr(), NEW, ["adr/0002-b.md:5:14:DEC006"]),
        (adr(), adr(status="proposed", supersedes="[ADR-0001]"), []),
        (adr(), adr(status="rejected", supersedes="[ADR-0001]"), []),
        (OLD, adr(status="proposed", supersedes="[ADR-0001]"), ["adr/0001-a.md:5:17:DEC006"]),
        (
            adr(status="superseded", superseded_by="[ADR-0003]"),
            adr(),
            ["adr/0001-a.md:5:17:REF001"],
        ),
        (adr(status="acepted"), NEW, ["adr/0001-a.md:2:9:FM005"]),
        (OLD.replace("[ADR-0002]", "[ADR-2]"), NEW, ["adr/0001-a.md:5:17:FM006"]),
        (OLD.replace("superseded_by", "superceded_by"), NEW, ["adr/0001-a.md:5:1:FM003"]),
        (OLD.replace("---\n", "", 1), NEW, ["adr/0001-a.md:1:1:FM002"]),
        (OLD, NEW.replace("[ADR-0001]", "[ADR-0001"), ["adr/0002-b.md:5:13:FM001"]),
        (
            adr(supersedes="[ADR-0002]", superseded_by="[ADR-0002]", status="superseded"),
            adr(supersedes="[ADR-0001]", superseded_by="[ADR-0001]", status="superseded"),
            ["adr/0001-a.md:5:14:DEC007"],
        ),
        (adr(amends="[ADR-0001]"), adr(), ["adr/0001-a.md:5:10:DEC007"]),
    ],
)
def test_references_agree_in_both_directions(
    old: str, new: str, expected: list[str], tmp_path: Path
) -> None:
    assert (
        format_findings(check(tmp_path, {"adr/0001-a.md": old, "adr/0002-b.md": new})) == expected
    )


ACCEPTED = "[{status: accepted, date: 2026-05-18}]"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"date": "2026-05-18"}, {"date": "2026-11-20"}, "3:7 'history: [{status: accepted, date"),
        ({"date": "2026-05-18", "history": ACCEPTED}, {"date": "2026-11-20"}, "3:7 "),
        (
            {"date": "2026-05-18", "history": "[{status: proposed, date: 2026-05-01}]"},
            {"date": "2026-11-20"},
            "3:7 '{status: accepted, date: 2026-05-18}' to 'history'",
        ),
        (
            {"date": "2026-05-18"},
            {"status": "deprecated", "date": "2026-11-21", "history": ACCEPTED.replace("05", "11")},
            "3:7 'date: 2026-11-18'",
        ),
        ({"date": "2026-11-20"}, {"date": "2026-11-20"}, None),
        ({"date": "2026-11-22"}, {"date": "2026-11-20"}, None),
        (
            {"date": "2026-05-18"},
            {"status": "deprecated", "date": "2026-11-20", "history": ACCEPTED},
            None,
        ),
        ({"date": "2026-05-18"}, {"status": "deprecated", "date": "2026-11-20"}, None),
    ],
)
def test_a_decision_is_not_superseded_before_its_successor_is_accepted(
    old: dict[str, str], new: dict[str, str], expected: str | None, tmp_path: Path
) -> None:
    keys = {"status": "superseded", "superseded_by": "[ADR-0002]"} | old
    files = {
        "adr/0001-a.md": adr(**keys),
        "adr/0002-b.md": adr(**{"supersedes": "[ADR-0001]"} | new),
    }
    findings = [
        f"{finding.at.line}:{finding.at.column} {finding.hint}"
        for finding in check(tmp_path, files)
        if finding.code == "DEC016"
    ]
    assert bool(findings) == bool(expected)
    place, _, hint = (expected or "").partition(" ")
    assert all(finding.startswith(place) and hint in finding for finding in findings)


def test_the_first_of_several_successors_ends_a_decision(tmp_path: Path) -> None:
    def write_successors(day: str) -> list[str]:
        old = adr(status="superseded", date=day, superseded_by="[ADR-0002, ADR-0003]")
        new = adr(date="2026-06-02", supersedes="[ADR-0001]")
        files = {"adr/0001-a.md": old, "adr/0002-b.md": new.replace("06-02", "11-20")}
        return format_findings(check(tmp_path, {**files, "adr/0003-c.md": new}))

    assert write_successors("2026-06-02") == []
    assert write_successors("2026-06-01") == ["adr/0001-a.md:3:7:DEC016"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"deciders": ""}, ["4:DEC003"]),
        ({"deciders": "[]"}, ["4:DEC003"]),
        ({"deciders": "[ordr-team]"}, ["4:FM005"]),
        ({"deciders": "order-team"}, ["4:FM006"]),
        ({"status": "proposed", "deciders": ""}, []),
        ({"status": "rejected", "history": "[{status: accepted, date: 2026-03-01}]"}, ["5:DEC008"]),
        ({"status": "superseded", "superseded_by": "[ADR-0001]"}, ["5:DEC007"]),
        ({"history": "[{status: proposed, date: 2026-03-01}]"}, []),
        ({"history": "[{status: proposed, date: 2026-03-09}]"}, ["5:DEC008"]),
        ({"history": "[{status: proposed, day: 2026-03-01}]"}, ["5:FM007", "5:FM003"]),
        ({"history": "{status: proposed, date: 2026-03-01}"}, ["5:FM006"]),
        ({"review_by": "2026-03-02"}, ["5:DEC010"]),
        ({"review_by": "2026-11-22"}, ["5:DEC011"]),
        ({"review_by": "2026-11-22", "example": "true"}, []),
        ({"review_by": "2026-11-22", "status": "deprecated"}, []),
        ({"date": "2026-11-24"}, ["3:FM013"]),
        ({"date": "2026-11-24", "example": "true"}, []),
        ({"tags": "[databse]"}, ["5:FM005"]),
        ({"moved_from": "[adr/7/]"}, ["5:FM006"]),
        ({"example": "yes"}, ["5:FM006"]),
        ({"services": "[order-service]"}, ["5:REF001"]),
    ],
)
def test_front_matter_of_a_decision(
    keys: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    findings = check(tmp_path, {"adr/0001-a.md": adr(**keys)})
    assert [f"{finding.at.line}:{finding.code}" for finding in findings] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nothing else was weighed.", ["DEC009"]),
        ("- Another.", []),
        ("### Another\n\nWhy not.", []),
        ("| Store | Why not |\n|---|---|\n| MySQL | JSON |", []),
        ("", ["FM104"]),
    ],
)
def test_at_least_one_alternative_is_required(
    text: str, expected: list[str], tmp_path: Path
) -> None:
    body = ADR.replace("- Another.", text)
    findings = check(tmp_path, {"adr/0001-a.md": body})
    assert [finding.code for finding in findings] == expected


def test_a_duplicate_number_is_reported_with_the_next_free_number(tmp_path: Path) -> None:
    findings = check(tmp_path, {"adr/0001-a.md": ADR, "adr/0001-b.md": ADR, "adr/0007-c.md": ADR})
    assert format_findings(findings) == ["adr/0001-b.md:1:1:DEC002"]
    assert findings[0].hint == "begin the file name with the next free number, 0008"


def test_a_cycle_of_three_is_one_finding(tmp_path: Path) -> None:
    files = {
        "adr/0001-a.md": adr(amends="[ADR-0002]"),
        "adr/0002-b.md": adr(amends="[ADR-0003]"),
        "adr/0003-c.md": adr(amends="[ADR-0001]"),
    }
    (finding,) = check(tmp_path, files)
    assert finding.code == "DEC007"
    assert "ADR-0001 → ADR-0002 → ADR-0003 → ADR-0001" in finding.message


def test_a_rule_that_depends_on_today_is_a_warning(tmp_path: Path) -> None:
    (finding,) = check(
        tmp_path, {"adr/0001-a.md": adr(review_by="2027-01-01")}, today=date(2028, 1, 1)
    )
    assert (finding.code, finding.severity) == ("DEC011", "warning")
