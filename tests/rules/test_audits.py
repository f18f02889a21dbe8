"""Audits that the check does not read, and dates, waivers and evidence that cannot be true."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.records.audit import EVIDENCE
from tests.handbooks import SMALL, copy_site, format_findings, report

AUDIT = "docs/services/shop/2026-Q4.yml"


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("docs/services/shop/2026-Q5.yml", "name an audit after its quarter, such as"),
        ("docs/services/shop/2026-q3.yml", "rename it to docs/services/shop/2026-Q3.yml"),
        ("docs/services/shop/2026-Q3.yaml", "rename it to docs/services/shop/2026-Q3.yml"),
        ("docs/services/shop/2026-Q3.YML", "rename it to docs/services/shop/2026-Q3.yml"),
        ("docs/services/shop/2026Q3.yml", "rename it to docs/services/shop/2026-Q3.yml"),
        ("docs/services/shop/audit.yml", "name an audit after its quarter, such as"),
        ("docs/services/shop/2026-Q3/audit.yml", "name an audit after its quarter, such as"),
        ("docs/services/shop/old/2026-Q3.yml", "rename it to docs/services/<service>/2026-Q3"),
        ("docs/services/2026-Q3.yml", "rename it to docs/services/<service>/2026-Q3.yml"),
        ("docs/service/shop/2026-Q3.yml", "rename it to docs/services/<service>/2026-Q3.yml"),
        ("docs/2026-q3.yaml", "rename it to docs/services/<service>/2026-Q3.yml"),
    ],
)
def test_an_audit_that_is_not_read_is_a_finding(path: str, hint: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("date: 2026-08-01\n", encoding="utf-8")
    (finding,) = report(root).findings
    assert format_findings([finding]) == [f"{path}:1:1:SVC015"]
    assert finding.hint
    assert finding.hint.startswith(hint)


@pytest.mark.parametrize(
    "path",
    [
        "docs/services/shop/notes.txt",
        "docs/services/shop/.2026-Q3.yml",
        "docs/openapi.yaml",
        "adr/0002-use-postgresql/values.yml",
        "docs/standards/samples/shop/2026-Q3.yml",
    ],
)
def test_another_file_is_no_audit(path: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    (root / path).write_text("a: 1\n", encoding="utf-8")
    assert format_findings(report(root).findings) == []


def test_a_rule_file_of_a_service_is_no_audit(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    rules = root / "docs/services/shop/shop.rules.yml"
    rules.write_bytes((root / "runbooks/shop/shop.rules.yml").read_bytes())
    (root / "runbooks/shop/shop.rules.yml").unlink()
    service = root / "docs/services/shop.md"
    text = service.read_text(encoding="utf-8")
    text = text.replace("runbooks/shop/shop.rules.yml", "docs/services/shop/shop.rules.yml")
    service.write_text(text, encoding="utf-8")
    assert format_findings(report(root).findings) == []


def change_audit(root: Path, old: str, new: str) -> list[str]:
    """Copy the small handbook, replace a text in an audit, and return the findings."""
    copy_site(SMALL, root)
    text = (root / AUDIT).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (root / AUDIT).write_text(text.replace(old, new), encoding="utf-8")
    return format_findings(report(root).findings)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2026-10-01", []),
        ("2026-09-30", [f"{AUDIT}:1:7:SVC016"]),
        ("2025-11-20", [f"{AUDIT}:1:7:SVC016"]),
    ],
)
def test_the_date_of_an_audit_is_in_its_quarter(
    date: str, expected: list[str], tmp_path: Path
) -> None:
    assert change_audit(tmp_path / "handbook", "2026-11-20", date) == expected


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("2026-11-19", [f"{AUDIT}:7:51:SVC018"]),
        ("2025-01-01", [f"{AUDIT}:7:51:SVC018"]),
        ("2026-11-20", [f"{AUDIT}:7:51:SVC009"]),
        ("2026-11-23", []),
    ],
)
def test_a_waiver_ends_after_its_audit(until: str, expected: list[str], tmp_path: Path) -> None:
    assert change_audit(tmp_path / "handbook", "2027-06-30", until) == expected


@pytest.mark.parametrize(
    "evidence",
    [
        "javascript:alert(1)",
        "n/a",
        "N/A",
        "...",
        "-",
        ":0",
        "logging.py:0",
        "logging.py:x",
        "logging.py:",
        "/etc/passwd",
        "../other/app.py:3",
        "src/../../app.py:3",
        "ftp://files.example/x",
        "https://",
        "www.example.com/x",
        "see the wiki",
        "yes",
        "C:/app.py",
    ],
)
def test_an_evidence_without_a_form_is_invalid(evidence: str, tmp_path: Path) -> None:
    findings = change_audit(tmp_path / "handbook", '"logging.py:12"', f"'{evidence}'")
    assert findings == [f"{AUDIT}:5:52:FM006"]


@pytest.mark.parametrize(
    "evidence",
    [
        "Makefile:3",
        ".github/workflows/ci-cd.yml:54",
        "README.md",
        "src/app/[id]/page.tsx:10-20",
        "k8s/overlays/eu-1/values.yaml:7",
        "https://grafana.example/d/shop?from=now-7d#panel",
        "http://localhost:3000/",
    ],
)
def test_an_evidence_with_a_form_is_valid(evidence: str) -> None:
    assert EVIDENCE.fullmatch(evidence)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ("logging.py:12", []),
        ("logging.py:13", [f"{AUDIT}:5:52:SVC017"]),
        ("loging.py:12", [f"{AUDIT}:5:52:SVC017"]),
        ("README.md", []),
        ("https://small.example/adr/0002-use-postgresql/#context", []),
        ("https://small.example/alerts/OrdersDown/", []),
        ("https://small.example/api/v1/adrs.json", []),
        ("https://small.example/adr/0009-nothing/", [f"{AUDIT}:5:52:SVC017"]),
        ("https://elsewhere.example/adr/0009-nothing/", []),
    ],
)
def test_the_evidence_exists(evidence: str, expected: list[str], tmp_path: Path) -> None:
    root = tmp_path / "handbook"
    assert change_audit(root, '"logging.py:12"', f"'{evidence}'") == expected


def test_the_files_of_another_repository_are_unknown(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    (root / "docs/standards/samples/shop/README.md").unlink()
    (root / "docs/standards/samples/shop/logging.py").unlink()
    assert format_findings(report(root).findings) == []
