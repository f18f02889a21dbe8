"""Generated handbooks are valid, can be built, and are the same for the same seed."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date
from pathlib import Path
from types import FrameType

import pytest

from benchmarks.generate import Author, generate, main
from handbook.loading import load
from handbook.records import Entity
from handbook.records.audit import Audit
from handbook.rules.engine import Context, rules
from tests.commands import run
from tests.handbooks import TODAY, report


def test_a_generated_handbook_has_no_findings(tmp_path: Path) -> None:
    generate(tmp_path, 60)
    answer = report(tmp_path, TODAY)
    assert answer.findings == ()
    records = ("standard", "adr", "runbook", "postmortem", "service")
    assert sum(answer.records[kind] for kind in records) == 60
    assert all(answer.records.values()), answer.records


@pytest.mark.parametrize(
    ("seed", "today"),
    [
        (3, date(2028, 2, 29)),
        pytest.param(2, date(2026, 11, 23), marks=pytest.mark.fuzz),
        pytest.param(4, date(2027, 1, 1), marks=pytest.mark.fuzz),
    ],
)
def test_every_seed_and_day_gives_a_valid_handbook(seed: int, today: date, tmp_path: Path) -> None:
    generate(tmp_path, 200, seed, today)
    assert report(tmp_path, today).findings == ()


def test_a_seed_gives_the_same_handbook_again() -> None:
    first, second, different = (dict(Author(60, seed, TODAY).files()) for seed in (7, 7, 8))
    assert first == second
    assert first != different


def test_the_texts_have_the_size_of_real_records() -> None:
    sizes = [
        len(text)
        for path, text in Author(300, 1, TODAY).files()
        if path.startswith(("adr/", "runbooks/"))
    ]
    assert 4_000 < sum(sizes) / len(sizes) < 9_000


def count_calls(root: Path, records: int) -> dict[str, float]:
    """Generate a handbook, and return the number of calls per record of each rule."""
    generate(root, records)
    context = Context(load(root), TODAY)
    calls: Counter[str] = Counter()
    subjects: dict[str, int] = {}
    for code, rule in rules().items():
        # Audits are excluded, because their length depends on the size of the handbook.
        if not issubclass(rule.over, Entity) or rule.over is Audit:
            continue
        records_of_rule = context.handbook.of(rule.over)
        subjects[code] = len(records_of_rule)

        def count(frame: FrameType, event: str, argument: object, code: str = code) -> None:
            calls[code] += event in ("call", "c_call")

        sys.setprofile(count)
        for record in records_of_rule:
            list(rule.findings(record, context))
        sys.setprofile(None)
    return {code: calls[code] / number for code, number in subjects.items()}


@pytest.mark.fuzz
def test_no_rule_is_slower_per_record_in_a_larger_handbook(tmp_path: Path) -> None:
    small, large = count_calls(tmp_path / "small", 100), count_calls(tmp_path / "large", 500)
    assert [code for code in small if large[code] > 1.5 * small[code] + 5] == []


def test_no_file_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "handbook"
    assert main([str(folder), "--records", "20"]) == 0
    assert main([str(folder), "--records", "20"]) == 2
    assert "is not empty" in capsys.readouterr().err


@pytest.mark.build
def test_a_generated_handbook_can_be_built(tmp_path: Path) -> None:
    generate(tmp_path, 60)
    answer = run("mkdocs", "build", "--quiet", "--strict", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert len(list((tmp_path / "site/adr").glob("*/index.html"))) > 20
