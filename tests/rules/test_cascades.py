"""One cause is one finding, also if other rules depend on the faulty value or file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.handbooks import SMALL, copy_site, format_findings, report

POSTMORTEM = "postmortems/2026-05-04-orders-stopped.md"
AUDIT = "docs/services/shop/2026-Q4.yml"
STANDARD = "docs/standards/08-observability.md"
FILES = sorted(
    path.relative_to(SMALL).as_posix()
    for path in SMALL.rglob("*")
    if path.suffix in (".md", ".yml") and "samples" not in path.parts and path.name != "README.md"
)


@pytest.mark.parametrize("path", FILES)
def test_a_merge_conflict_causes_no_finding_in_another_file(path: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    text = (root / path).read_text(encoding="utf-8")
    (root / path).write_text(f"<<<<<<< HEAD\n{text}", encoding="utf-8")
    assert format_findings(report(root).findings) == [f"{path}:1:1:FM001"]


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        (POSTMORTEM, "started: 2026-05-04T10:00Z", "started: 2026-05-04T10:00", "4:10:FM006"),
        (POSTMORTEM, "started: 2026-05-04T10:00Z", "started: yesterday", "4:10:FM006"),
        (POSTMORTEM, "started: 2026-05-04T10:00Z", "started: 2026-05-32T10:00Z", "4:10:FM008"),
        (POSTMORTEM, "started: 2026-05-04T10:00Z\n", "", "16:1:FM007"),
        (POSTMORTEM, "started: 2026-05-04T10:00Z", "started: 2026-05-05T10:00Z", "1:1:PMT001"),
        (POSTMORTEM, "started: 2026-05-04T10:00Z", "started: 2026-04-05T10:00Z", "1:1:PMT001"),
        (POSTMORTEM, "started: 2026-05-04T10:00Z", "started: 2026-05-04T10:03Z", "5:11:PMT003"),
        (AUDIT, "OBS-01:", "OBS-1:", "5:3:SVC003"),
        (AUDIT, "OBS-01:", "OBS-001:", "5:3:SVC003"),
        (AUDIT, "results:", "result:", "4:1:FM003"),
        (STANDARD, "- id: OBS-01", "- id: OBS-1", "9:7:FM006"),
        (STANDARD, "- id: OBS-01", "- id: TODO", "9:7:FM106"),
    ],
)
def test_one_cause_is_one_finding(
    path: str, old: str, new: str, expected: str, tmp_path: Path
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    text = (root / path).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (root / path).write_text(text.replace(old, new), encoding="utf-8")
    assert format_findings(report(root).findings) == [f"{path}:{expected}"]


def test_an_item_without_a_verdict_is_still_a_finding_beside_a_misspelt_one(
    tmp_path: Path,
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    text = (root / AUDIT).read_text(encoding="utf-8")
    (root / AUDIT).write_text(text.replace("OBS-01:", "OBS-77:"), encoding="utf-8")
    assert format_findings(report(root).findings) == [
        f"{AUDIT}:5:3:SVC003",
        f"{AUDIT}:5:3:SVC004",
    ]
