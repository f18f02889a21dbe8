"""Ids in texts: ids of this handbook, misspelt ids, and ids of other systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.reading.ids import suggest_id
from tests.handbooks import SMALL, copy_site, report

UNKNOWN = "correct the id, or put it in backticks if it is not a reference"


def hints_for(text: str, root: Path) -> list[str | None]:
    """Return the hints of the findings about an id in the text of a decision."""
    copy_site(SMALL, root)
    path = root / "adr/0002-use-postgresql.md"
    original = path.read_text(encoding="utf-8")
    path.write_text(original.replace("PostgreSQL 16.", f"PostgreSQL 16. {text}"), encoding="utf-8")
    findings = report(root).findings
    assert {finding.code for finding in findings} <= {"REF002"}
    return [finding.hint for finding in findings]


@pytest.mark.parametrize(
    "text",
    [
        "SEC-4711",
        "SEC-123",
        "OBS-7",
        "PROJ-12",
        "JIRA-1",
        "STD-1234",
        "SHA-256",
    ],
)
def test_an_id_of_another_system_is_text(text: str, tmp_path: Path) -> None:
    assert hints_for(f"See {text}.", tmp_path / "handbook") == []


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("SEC-99", UNKNOWN),
        ("SEC-1", "did you mean 'SEC-01'?"),
        ("SEC-001", "did you mean 'SEC-01'?"),
        ("SEC-0123", UNKNOWN),
        ("ADR-0099", UNKNOWN),
        ("ADR-12", UNKNOWN),
        ("STD-9", UNKNOWN),
        ("ADR-2", "did you mean 'ADR-0002'?"),
        ("ADR-002", "did you mean 'ADR-0002'?"),
        ("STD-99", UNKNOWN),
        ("STD-05.99", UNKNOWN),
        ("STD-5.1", "did you mean 'STD-05.1'?"),
    ],
)
def test_a_misspelt_id_is_a_finding(text: str, hint: str, tmp_path: Path) -> None:
    assert hints_for(f"See {text}.", tmp_path / "handbook") == [hint]


def test_a_name_is_suggested_by_its_letters() -> None:
    assert suggest_id("OrdersDwn2", ["OrdersDown2", "Other"]) == "did you mean 'OrdersDown2'?"
