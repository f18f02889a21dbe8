"""Add a kind of record with one module and one table entry, and test it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from handbook.records import Record
from handbook.records.kinds import KINDS, RECORDS
from tests.commands import make_environment
from tests.handbooks import ROOT, SMALL, copy_site, write

NO_POWER = """---
level: high
owner: shop-team
services: [shop]
---
# No power

## What may happen

The lights go out.

## What we do about it

A battery.
"""


def run_with_risk(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the kind of tests/records/risk.py in the table of kinds."""
    return subprocess.run(
        [sys.executable, "-m", "tests.programs.with_risk", *arguments],
        cwd=root,
        env=make_environment(PYTHONPATH=str(ROOT)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the small handbook with a risk and an index of risks."""
    root = copy_site(SMALL, tmp_path / "handbook")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    settings_with_risks = settings.replace(
        "  - Everything:", "  - Risks: [risks/index.md]\n  - Everything:"
    )
    files = {
        "mkdocs.yml": settings_with_risks,
        "risks/index.md": "# Risks\n\nWhat may go wrong.\n",
        "risks/no-power.md": NO_POWER,
    }
    return write(root, files)


def test_its_records_are_read_and_counted(root: Path) -> None:
    checked = run_with_risk(root, "handbook", "check")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "1 risk: 0 errors, 0 warnings" in checked.stdout


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("level: high", "level: hihg", "2:8:FM005"),
        ("level: high\n", "", "4:1:FM007"),
        ("owner:", "ownr:", "3:1:FM003"),
        ("[shop]", "[shoop]", "4:12:REF001"),
        ("## What we do about it\n\nA battery.\n", "", "10:1:FM102"),
        ("A battery.\n", "", "12:1:FM104"),
    ],
    ids=["value", "missing-key", "misspelt-key", "reference", "missing-section", "empty-section"],
)
def test_its_fields_and_sections_are_checked(
    root: Path, good: str, bad: str, expected: str
) -> None:
    write(root, {"risks/no-power.md": NO_POWER.replace(good, bad)})
    (finding,) = json.loads(run_with_risk(root, "handbook", "check", "--format", "json").stdout)[
        "findings"
    ]
    assert f"{finding['line']}:{finding['column']}:{finding['code']}" == expected


def test_its_schema_has_its_fields(root: Path) -> None:
    schema = json.loads(run_with_risk(root, "handbook", "schema", "risk").stdout)
    assert list(schema["properties"])[:3] == ["level", "owner", "services"]
    assert schema["properties"]["level"]["enum"] == ["low", "high"]
    assert schema["required"] == ["level", "owner"]


def test_a_new_record_has_its_template(root: Path) -> None:
    completed = run_with_risk(
        root, "handbook", "new", "risk", "The disk is full", "--set", "level=low"
    )
    assert completed.stdout == "risks/the-disk-is-full.md\n"
    text = (root / "risks/the-disk-is-full.md").read_text(encoding="utf-8")
    assert text.startswith(
        "---\nlevel: low\nowner: TODO\n---\n# The disk is full\n\n"
        "## What may happen\n\nTODO: describe "
    )


def test_it_is_in_the_json_files(root: Path) -> None:
    run_with_risk(root, "handbook", "export")
    (item,) = json.loads((root / "api/v1/risks.json").read_text(encoding="utf-8"))["items"]
    assert (item["id"], item["level"], item["services"]) == ("no-power", "high", ["shop"])
    assert (root / "api/v1/schemas/risk.json").is_file()


@pytest.mark.build
def test_it_is_on_the_site(root: Path) -> None:
    built = run_with_risk(root, "mkdocs", "build", "--quiet")
    assert built.returncode == 0, built.stderr
    page, everything, service = (
        (root / "site" / address / "index.html").read_text(encoding="utf-8")
        for address in ("risks/no-power", "search", "services/shop")
    )
    assert 'data-pagefind-meta="kind:Risk"' in page
    assert '<h2 id="risks">Risks' in everything
    assert "No power</a>" in everything
    assert "<option>Risk</option>" in everything
    assert '<span class="hb-how">threatened by</span>' in service
    keys = json.loads((root / "site/assets/keys/pow.json").read_text(encoding="utf-8"))
    assert keys == [["No power", "risks/no-power/", "Risk", "", "no-power", "No power"]]


def test_contributing_shows_this_kind() -> None:
    source = (ROOT / "tests/records/risk.py").read_text(encoding="utf-8")
    example = source[source.index("@dataclass") :].strip()
    assert example in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.kind)
def test_a_kind_defines_all_labels(kind: type[Record]) -> None:
    assert all(
        getattr(kind, name)
        for name in ("plural", "label", "list_title", "folder", "file_form", "template")
    )
    assert list(kind.template) == (list(kind.sections) or [""])


def test_labels_are_unique() -> None:
    assert len({kind.label for kind in KINDS}) == len(KINDS)
