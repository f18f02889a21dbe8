"""Texts without content, merge conflicts, and titles that name another record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.handbooks import ADR, SMALL, check, copy_site, format_findings, report

RUNBOOK = "runbooks/shop/orders-down.md"
POSTMORTEM = "postmortems/2026-05-04-orders-stopped.md"
STANDARD = "docs/standards/08-observability.md"
AUDIT = "docs/services/shop/2026-Q4.yml"


def change(root: Path, path: str, old: str, new: str) -> list[str]:
    """Copy the small handbook, replace a text in a file, and return the findings of the check."""
    copy_site(SMALL, root)
    text = (root / path).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (root / path).write_text(text.replace(old, new), encoding="utf-8")
    return format_findings(report(root).findings)


@pytest.mark.parametrize(
    "text",
    [
        "...",
        "…",
        "N/A",
        "n.a.",
        "- -",
        "—",
        "&nbsp;",
        "None.",
        "- None were recorded.",
        "- Nothing was considered",
        "No alternatives were discussed.",
        "Not applicable",
        "**TBA**",
        "- todo",
        "[Describe the context and the forces at play]",
        "*[Describe the context]*",
        "{Describe the context, for example in free form}",
        "- [First alternative]\n- [Second alternative]",
        "| a |\n|---|\n| ... |",
        "...\n\n<!-- later -->",
    ],
)
def test_a_section_without_content(text: str, tmp_path: Path) -> None:
    findings = check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", text)})
    assert format_findings(findings) == ["adr/0001-a.md:8:1:FM104"]
    assert findings[0].hint in ("replace it with text", "add text below the heading")


@pytest.mark.parametrize(
    "text",
    [
        "None of the teams could deploy.",
        "No orders were lost.",
        "Not applicable to batch jobs, because they have no users.",
        "...\n\nThe pool was too small.",
        "- [ADR-0001](0001-a.md)",
        "[The decision about the pool](0001-a.md)",
        "```\nN/A\n```\n\nThe log shows it.",
        "```html\n<!-- later -->\n```",
        "```xml\n<!-- a\nb -->\n```",
        "無。理由は次の通り。",
        "🚨",
    ],
)
def test_a_section_with_content(text: str, tmp_path: Path) -> None:
    assert check(tmp_path, {"adr/0001-a.md": ADR.replace("Why.", text)}) == ()


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        (POSTMORTEM, "No order for 40 minutes.", "None.", []),
        (POSTMORTEM, "The alert came soon.", "- Nothing.", []),
        (POSTMORTEM, "Nobody had measured the migration.", "None were found.", []),
        (POSTMORTEM, "Nobody had measured the migration.", "N/A", [f"{POSTMORTEM}:42:1:FM104"]),
        (POSTMORTEM, "An index was missing.", "None.", [f"{POSTMORTEM}:34:1:FM104"]),
        (STANDARD, "With a decision.", "None.", []),
        (STANDARD, "What cannot be seen cannot be mended.", "None.", [f"{STANDARD}:33:1:FM104"]),
        (RUNBOOK, "1. Look at the pool.", "1. None.", [f"{RUNBOOK}:14:1:FM104"]),
    ],
)
def test_none_is_an_answer_in_some_sections(
    path: str, old: str, new: str, expected: list[str], tmp_path: Path
) -> None:
    assert change(tmp_path / "handbook", path, old, new) == expected


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        (STANDARD, "summary: What runs can be seen", "summary: N/A", "2:10:FM009"),
        (STANDARD, "prevents: Operating blind", "prevents: '[What it prevents]'", "4:11:FM009"),
        (STANDARD, "core_tools: [Prometheus]", "core_tools: ['-']", "3:14:FM009"),
        (
            "runbooks/search/slow.md",
            "alerts: [SearchSlow, SearchFails]",
            "trigger: ...",
            "2:10:FM009",
        ),
        (AUDIT, "needs: a look at the settings", "needs: none", "9:37:FM009"),
        (AUDIT, "reason: no container", "reason: '?'", "8:45:FM009"),
        (RUNBOOK, "**Fix:** Restart the pool.", "**Fix:** N/A", "20:1:RBK004"),
        (RUNBOOK, "`No space left on device`.", "...", "26:1:RBK004"),
        (RUNBOOK, "Engineer on call", "N/A", "38:1:RBK005"),
        (POSTMORTEM, "the engineer on call looks", "...", "29:1:PMT004"),
        (POSTMORTEM, "| A1 | Alert on the pool |", "| A1 | - |", "50:8:PMT007"),
        (POSTMORTEM, "# Orders stopped", "# ...", "18:1:FM101"),
    ],
)
def test_a_value_without_content(
    path: str, old: str, new: str, expected: str, tmp_path: Path
) -> None:
    assert change(tmp_path / "handbook", path, old, new) == [f"{path}:{expected}"]


@pytest.mark.parametrize("line", ["<<<<<<< HEAD", "<<<<<<<", ">>>>>>> main", "||||||| 1a2b3c4"])
@pytest.mark.parametrize(
    "path",
    [
        "adr/0002-use-postgresql.md",
        "docs/index.md",
        "docs/services/shop/2026-Q4.yml",
        "runbooks/shop/shop.rules.yml",
        "mkdocs.yml",
    ],
)
def test_a_line_of_a_merge_conflict_is_one_finding(path: str, line: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    text = (root / path).read_text(encoding="utf-8").rstrip("\n")
    (root / path).write_text(f"{text}\n{line}\n", encoding="utf-8")
    (finding,) = report(root).findings
    last_line = text.count("\n") + 2
    assert format_findings([finding]) == [f"{path}:{last_line}:1:FM001"]
    assert finding.message == f"merge conflict '{line}'"


CONFLICT = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> main\n"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("status: accepted\n", CONFLICT.format("status: accepted", "status: rejected"), 2),
        ("## Decision\n", CONFLICT.format("## Decision", "## Decision"), 12),
        ("What.\n", f"```sh\n{CONFLICT.format('a', 'b')}```\n", 15),
        ("What.\n", "What.\n\n=======\n\nThat.\n", 16),
    ],
)
def test_a_merge_conflict_is_one_finding(old: str, new: str, line: int, tmp_path: Path) -> None:
    findings = check(tmp_path, {"adr/0001-a.md": ADR.replace(old, new, 1)})
    assert format_findings(findings) == [f"adr/0001-a.md:{line}:1:FM001"]


@pytest.mark.parametrize(
    "text",
    [
        "```text\n <<<<<<< HEAD\n =======\n >>>>>>> main\n```",
        "```text\n<<<<<<<< eight\n```",
        "| a | b | c | d | e | f |\n|---|---|---|---|---|---|\n||||||| |",
        "A line `<<<<<<< HEAD` begins it.",
        "```text\nName\n=======\n```",
    ],
)
def test_a_text_that_is_no_merge_conflict(text: str, tmp_path: Path) -> None:
    findings = check(tmp_path, {"adr/0001-a.md": ADR.replace("What.", text)})
    assert "FM001" not in {finding.code for finding in findings}


@pytest.mark.parametrize(
    ("path", "old", "title", "name"),
    [
        ("adr/0002-use-postgresql.md", "Use PostgreSQL for orders", "ADR-0012: Use", "ADR-0012"),
        ("adr/0002-use-postgresql.md", "Use PostgreSQL for orders", "[ADR-12] Use", "ADR-12"),
        ("adr/0002-use-postgresql.md", "Use PostgreSQL for orders", "ADR 12 – Use", "ADR 12"),
        ("adr/0002-use-postgresql.md", "Use PostgreSQL for orders", "12. Use", "12"),
        ("adr/0002-use-postgresql.md", "Use PostgreSQL for orders", "0012: Use", "0012"),
        (STANDARD, "Observability", "STD-09: Observability", "STD-09"),
        (STANDARD, "Observability", "9. Observability", "9"),
        (POSTMORTEM, "Orders stopped", "2026-05-14: Orders stopped", "2026-05-14"),
        (POSTMORTEM, "Orders stopped", "Post-mortem 2026-05-14: Orders", "2026-05-14"),
        (POSTMORTEM, "Orders stopped", "Orders stopped (2026-04-05)", "2026-04-05"),
        (RUNBOOK, "Shop: orders are down", "Orders flat", "Orders flat"),
        (RUNBOOK, "Shop: orders are down", "shop/orders-flat", "shop/orders-flat"),
        ("docs/services/shop.md", "Shop", "Search", "Search"),
    ],
)
def test_a_title_that_names_another_record(
    path: str, old: str, title: str, name: str, tmp_path: Path
) -> None:
    root = tmp_path / "handbook"
    findings = change(root, path, f"\n# {old}\n", f"\n# {title}\n")
    assert [finding.rpartition(":")[2] for finding in findings if path in finding] == ["FM108"]
    (finding,) = (finding for finding in report(root).findings if finding.code == "FM108")
    assert f"'{name}'" in finding.message


@pytest.mark.parametrize(
    ("path", "old", "title"),
    [
        ("adr/0002-use-postgresql.md", "Use PostgreSQL for orders", "ADR-0002: Use PostgreSQL"),
        ("adr/0002-use-postgresql.md", "Use PostgreSQL for orders", "2. Use PostgreSQL"),
        ("adr/0002-use-postgresql.md", "Use PostgreSQL for orders", "12 factors for orders"),
        ("adr/0002-use-postgresql.md", "Use PostgreSQL for orders", "3-way merges"),
        ("adr/0002-use-postgresql.md", "Use PostgreSQL for orders", "2027: a plan"),
        ("adr/0002-use-postgresql.md", "Use PostgreSQL for orders", "Replace ADR-0001"),
        ("adr/0002-use-postgresql.md", "Use PostgreSQL for orders", "HTTP-2: a plan"),
        (STANDARD, "Observability", "STD-08: Observability"),
        (POSTMORTEM, "Orders stopped", "2026-05-04: Orders stopped"),
        (POSTMORTEM, "Orders stopped", "Orders stopped after the release of 2026-05-03"),
        (RUNBOOK, "Shop: orders are down", "Orders down"),
        (RUNBOOK, "Shop: orders are down", "Orders flat or down"),
    ],
)
def test_a_title_that_fits_its_record(path: str, old: str, title: str, tmp_path: Path) -> None:
    findings = change(tmp_path / "handbook", path, f"\n# {old}\n", f"\n# {title}\n")
    assert [finding for finding in findings if finding.endswith("FM108")] == []
