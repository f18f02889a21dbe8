"""Audits that the check does not read, and dates, waivers and evidence that cannot be true."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from handbook.loading import load
from handbook.records.audit import EVIDENCE
from handbook.records.service import Service
from handbook.views.services import service_details
from tests.handbooks import SMALL, copy_site, format_findings, report, write

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


def read(root: Path, path: str) -> str:
    """Return the text of a file."""
    return (root / path).read_text(encoding="utf-8")


def edit(root: Path, path: str, old: str, new: str) -> None:
    """Replace a text that a file contains once."""
    text = read(root, path)
    assert text.count(old) == 1
    (root / path).write_text(text.replace(old, new), encoding="utf-8")


def change_audit(root: Path, old: str, new: str) -> list[str]:
    """Copy the small handbook, replace a text in an audit, and return the findings."""
    copy_site(SMALL, root)
    edit(root, AUDIT, old, new)
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
        "logging.py: ",
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
        "k8s/hpa.yaml: minReplicas: 3",
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
        ("logging.py: def format(self", []),
        ("logging.py: def reformat(self", [f"{AUDIT}:5:52:SVC017"]),
        ("logging.py", [f"{AUDIT}:5:52:SVC021"]),
        ("https://ci.example/runs/12", [f"{AUDIT}:5:52:SVC021"]),
    ],
)
def test_the_evidence_of_an_automated_pass_is_a_line(
    evidence: str, expected: list[str], tmp_path: Path
) -> None:
    root = tmp_path / "handbook"
    assert change_audit(root, '"logging.py:12"', f"'{evidence}'") == expected


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ("README.md", []),
        ("https://small.example/adr/0002-use-postgresql/#context", []),
        ("https://small.example/alerts/OrdersDown/", []),
        ("https://small.example/api/v1/adrs.json", []),
        ("https://small.example/adr/0009-nothing/", [f"{AUDIT}:5:51:SVC017"]),
        ("https://elsewhere.example/adr/0009-nothing/", []),
    ],
)
def test_the_evidence_exists(evidence: str, expected: list[str], tmp_path: Path) -> None:
    old, new = 'automated, evidence: "logging.py:12"', f"evidence, evidence: '{evidence}'"
    assert change_audit(tmp_path / "handbook", old, new) == expected


def test_the_files_of_another_repository_are_unknown(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    edit(root, "docs/services/shop.md", "source: docs/standards/samples/shop\n", "")
    edit(root, AUDIT, "logging.py:12", "src/app.py:900")
    assert format_findings(report(root).findings) == []


@pytest.mark.parametrize("source", ["../shop", "/srv/shop", "docs/../..", "./docs"])
def test_the_source_of_a_service_is_in_the_repository(source: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    edit(root, "docs/services/shop.md", "source: docs/standards/samples/shop", f"source: {source}")
    assert format_findings(report(root).findings) == ["docs/services/shop.md:6:9:FM006"]


def test_a_symbolic_link_does_not_lead_out_of_the_source(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    (tmp_path / "app.py").write_text("a = 1\n", encoding="utf-8")
    (root / "code").mkdir()
    (root / "code/app.py").symlink_to(tmp_path / "app.py")
    (root / "code/loop").symlink_to("loop")
    edit(root, "docs/services/shop.md", "source: docs/standards/samples/shop", "source: code")
    for old, new in (("logging.py:12", "app.py:1"), ("app.py:1", "loop:1")):
        edit(root, AUDIT, old, new)
        assert format_findings(report(root).findings) == [f"{AUDIT}:5:52:SVC017"]


WEAK = [f"{AUDIT}:6:51:SVC020"]


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ("https://grafana.example/d/shop", []),
        ("https://git.example/shop/actions/runs/12", []),
        ("https://git.example/shopping/blob/main/app.py", []),
        ("https://git.example/shop/blob/main/logging.py#L12", WEAK),
        ("https://git.example/shop/-/raw/main/logging.py", WEAK),
        ("https://git.example/shop/settings/rules", WEAK),
        ("https://git.example/shop/-/settings/repository", WEAK),
        ("logging.py:12", WEAK),
    ],
)
def test_a_pass_by_evidence_needs_more_than_a_file(
    evidence: str, expected: list[str], tmp_path: Path
) -> None:
    old = 'OBS-03: {verdict: fail, by: evidence, evidence: "https://grafana.example/d/shop"}'
    new = f'OBS-03: {{verdict: pass, by: evidence, evidence: "{evidence}"}}'
    assert change_audit(tmp_path / "handbook", old, new) == expected


def test_a_file_of_github_is_weak_under_each_of_its_addresses(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    edit(root, "docs/services/shop.md", "https://git.example/shop", "https://github.com/a/shop.git")
    edit(root, AUDIT, "OBS-03: {verdict: fail", "OBS-03: {verdict: pass")
    url = "https://grafana.example/d/shop"
    for weak_url in (
        "https://github.com/a/shop/tree/main/docs",
        "https://raw.githubusercontent.com/a/shop/main/app.py",
    ):
        edit(root, AUDIT, url, weak_url)
        assert format_findings(report(root).findings) == WEAK
        url = weak_url


def test_a_file_can_prove_a_fail_or_an_item_that_accepts_files(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    edit(root, AUDIT, "https://grafana.example/d/shop", "logging.py:12")
    assert format_findings(report(root).findings) == []
    edit(root, AUDIT, "OBS-03: {verdict: fail", "OBS-03: {verdict: pass")
    assert format_findings(report(root).findings) == WEAK
    standard = "docs/standards/08-observability.md"
    edit(root, standard, "dashboard shows errors\n", "dashboard shows errors\n  files: true\n")
    assert format_findings(report(root).findings) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/services/shop/2026-Q4/2026-11-19-rules.json", []),
        ("docs/services/shop/2026-Q4/2026-11-19-application.yaml", []),
        ("docs/services/shop/2026-Q4/2026-09-30-rules.json", WEAK),
        ("docs/services/shop/2026-Q4/2026-11-31-rules.json", WEAK),
        ("docs/services/shop/2026-Q3/2026-09-30-rules.json", WEAK),
        ("docs/services/search/2026-Q4/2026-11-19-rules.json", WEAK),
    ],
)
def test_a_dated_export_is_evidence(path: str, expected: list[str], tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    edit(root, AUDIT, "OBS-03: {verdict: fail", "OBS-03: {verdict: pass")
    edit(root, AUDIT, "https://grafana.example/d/shop", path)
    assert f"{AUDIT}:6:51:SVC017" in format_findings(report(root).findings)
    write(root, {path: "{}\n"})
    assert format_findings(report(root).findings) == expected


NEXT = "docs/services/shop/2027-Q1.yml"


def close_audit(root: Path) -> None:
    """Add the audit of the next quarter, which closes the audit of this one."""
    results = read(root, AUDIT).partition("results:\n")[2]
    head = "date: 2027-01-10\nauditor: platform-team\ncommit: 3f2c9d1\nresults:\n"
    write(root, {NEXT: f"{head}  OBS-02: {{verdict: unknown, needs: a look}}\n{results}"})


def list_audit_findings(root: Path) -> list[str]:
    findings = format_findings(report(root, date(2027, 1, 20)).findings)
    return [finding for finding in findings if finding.startswith("docs/services/shop/")]


def test_only_the_open_audit_is_asked_about_a_changed_text(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    standard = "docs/standards/05-testing.md"
    edit(root, standard, "item: Somebody looks for secrets", "item: A tool looks for secrets")
    assert list_audit_findings(root) == [f"{AUDIT}:10:61:SVC008"]
    close_audit(root)
    assert list_audit_findings(root) == [f"{NEXT}:11:61:SVC008"]


def test_a_closed_audit_depends_on_nothing_that_changes_later(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    close_audit(root)
    edit(root, NEXT, '"logging.py:12"', '"README.md:1"')
    (root / "docs/standards/samples/shop/logging.py").unlink()
    assert list_audit_findings(root) == []


def test_a_page_says_which_items_are_worded_differently_since(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    edit(root, AUDIT, '"logging.py:12"', '"logging.py:12", of: "abcdef"')
    close_audit(root)
    edit(root, NEXT, ', of: "abcdef"', "")
    handbook = load(root)
    service = handbook.get(Service, "shop")
    assert service
    rows = service_details(handbook, service).split("<tr ")
    reworded = [row for row in rows if "worded differently since" in row]
    assert [re.findall(r"[A-Z]+-\d\d", row)[0] for row in reworded] == ["OBS-01"]


def test_a_page_shows_what_is_needed_as_markdown_and_links_to_dated_evidence(
    tmp_path: Path,
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    export = "docs/services/shop/2026-Q4/2026-11-19-errors.csv"
    edit(root, AUDIT, "needs: a look at the settings", "needs: the rules of `main`")
    edit(root, AUDIT, "https://grafana.example/d/shop", export)
    write(root, {export: "errors\n"})
    handbook = load(root)
    service = handbook.get(Service, "shop")
    assert service
    page = service_details(handbook, service)
    assert "needs the rules of <code>main</code>" in page
    assert f'<a href="2026-Q4/2026-11-19-errors.csv"><code>{export}</code></a>' in page
