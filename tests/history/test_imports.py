"""Test imported records, and rules that are off, against a base."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.diagnostics import Report, Severity
from handbook.history.base import read_base
from handbook.loading import load
from handbook.reporters import REPORTERS
from handbook.rules.engine import run
from tests.handbooks import FORMS, NEWEST, copy_site
from tests.repositories import create_repository, run_git

pytestmark = pytest.mark.history

WITHOUT_STATUS = "adr/0003-send-mail-through-a-queue.md"
SUPERSEDED = "adr/0004-serve-pictures-from-a-cdn.md"
OWN = "adr/0005-keep-sessions-in-redis.md"
POSTMORTEM = "postmortems/2023-02-01-basket-emptied-itself.md"
IMPORTED = f"imported: {{from: docs/a.md, date: 2026-11-26, sha256: {'0' * 64}}}\n"


@pytest.fixture
def branch(tmp_path: Path) -> Path:
    return create_repository(copy_site(FORMS, tmp_path / "handbook"))


def edit(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (root / path).write_text(text.replace(old, new), encoding="utf-8")


def compare(root: Path) -> Report:
    return run(load(root), NEWEST, base=read_base(root, "main"))


def messages(root: Path) -> list[str]:
    return [f"{finding.code} {finding.message}" for finding in compare(root).findings]


def test_a_new_imported_record_is_one_warning_in_the_summary(branch: Path) -> None:
    path = branch / "adr/0006-use-a-cache.md"
    path.write_text(f"---\n{IMPORTED}---\n# Use a cache\n\nIt is quick.\n", encoding="utf-8")
    report = compare(branch)
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("FM019", Severity.WARNING)
    assert finding.message == "new imported record ADR-0006"
    last_line = REPORTERS["text"](report).rstrip().split("\n")[-1]
    assert last_line.endswith("; new imported record ADR-0006 (adr/0006-use-a-cache.md:2)")


def test_a_record_that_becomes_imported_is_new(branch: Path) -> None:
    edit(branch, OWN, "deciders:", f"{IMPORTED}deciders:")
    assert messages(branch) == ["FM019 new imported record ADR-0005"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (WITHOUT_STATUS, "adr/0003-mail-in-a-queue.md"),
        (WITHOUT_STATUS, "adr/0009-send-mail-through-a-queue.md"),
        ("runbooks/shop/queue-grows.md", "runbooks/shop/too-many-orders.md"),
    ],
)
def test_a_renamed_imported_record_is_not_new(old: str, new: str, branch: Path) -> None:
    run_git(branch, "mv", old, new)
    edit(branch, new, "imported:", f"moved_from: [/{old.removesuffix('.md')}/]\nimported:")
    assert messages(branch) == []


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (WITHOUT_STATUS, "status: accepted\ndate: 2020-01-02\ndeciders: [lead]\n"),
        (WITHOUT_STATUS, "status: proposed\n"),
        (WITHOUT_STATUS, "status: rejected\nhistory: [{status: proposed, date: 2020-01-02}]\n"),
        (SUPERSEDED, "deciders: [lead]\nconsulted: [lead]\n"),
        (POSTMORTEM, "status: published\npublished: 2023-03-01\nseverity: P2\n"),
    ],
)
def test_gaps_can_be_filled(path: str, new: str, branch: Path) -> None:
    edit(branch, path, "imported:", f"{new}imported:")
    assert messages(branch) == []


def test_the_text_of_a_decision_without_a_status_can_change(branch: Path) -> None:
    edit(branch, WITHOUT_STATUS, "Mail is sent", "Mail was sent")
    assert messages(branch) == []


def test_the_text_of_a_decided_imported_record_cannot_change(branch: Path) -> None:
    edit(branch, SUPERSEDED, "Pictures load slowly", "Pictures load quickly")
    assert [message.split()[0] for message in messages(branch)] == ["DEC013"]


def test_an_imported_decision_keeps_its_status(branch: Path) -> None:
    edit(branch, SUPERSEDED, "status: superseded\n", "")
    assert messages(branch) == ["DEC015 missing key 'status' (it is 'superseded' in the base)"]


def test_an_imported_postmortem_keeps_its_status(branch: Path) -> None:
    edit(branch, POSTMORTEM, "imported:", "status: published\nimported:")
    run_git(branch, "commit", "--quiet", "--all", "--message", "docs: a status")
    edit(branch, POSTMORTEM, "status: published\n", "")
    assert messages(branch) == ["PMT010 missing key 'status' (it is 'published' in the base)"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "{FM104: off}", ["FM019 rule FM104 is off"]),
        ("", "{empty-section: 'off'}", ["FM019 rule FM104 is off"]),
        ("", "{PMT009: off}", ["FM019 rule PMT009 is off"]),
        ("", "{FM104: warning}", ["FM019 severity of FM104 lowered to 'warning'"]),
        ("{FM104: warning}", "{FM104: off}", ["FM019 rule FM104 is off"]),
        (
            "",
            "{FM104: {severity: off, reason: a short handbook}}",
            ["FM019 rule FM104 is off: a short handbook"],
        ),
        ("{FM104: off}", "{FM104: warning}", []),
        ("{FM104: off}", "{empty-section: off}", []),
    ],
)
def test_a_rule_that_is_turned_off_is_a_new_exception(
    old: str, new: str, expected: list[str], branch: Path
) -> None:
    set_rules(branch, old)
    run_git(branch, "commit", "--quiet", "--allow-empty", "--all", "--message", "feat: rules")
    set_rules(branch, new)
    assert messages(branch) == expected


def set_rules(root: Path, rules: str) -> None:
    path = root / "mkdocs.yml"
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.split("\n") if not line.startswith("    rules: ")]
    if rules:
        lines.insert(lines.index("    people: any") + 1, f"    rules: {rules}")
    path.write_text("\n".join(lines), encoding="utf-8")
