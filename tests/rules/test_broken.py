"""Findings in a handbook with every fault, compared with a golden file on varied machines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from handbook.history.base import Base
from handbook.reporters.text import text
from handbook.rules.engine import rules
from handbook.site.built import Site
from tests.commands import run
from tests.handbooks import BROKEN, GOLDEN, ROOT, report


def test_findings_match_the_golden_file() -> None:
    """Compare the findings with the golden file.

    To regenerate it, run
    `handbook check --root tests/sites/broken --today 2026-11-23 > tests/golden/broken.txt`.
    """
    assert text(report(BROKEN)) == (GOLDEN / "broken.txt").read_text(encoding="utf-8")


def test_every_rule_has_a_finding() -> None:
    codes = {rule.code for rule in rules().values() if rule.over not in (Base, Site)}
    assert {finding.code for finding in report(BROKEN).findings} == codes


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.fuzz) for seed in range(2, 6))]
)
def test_order_clock_network_and_cores_change_no_error(seed: int, tmp_path: Path) -> None:
    arguments = ["check", "--format", "json", "--root", str(BROKEN)]
    output = str(tmp_path / "run")
    command = (
        "python",
        str(ROOT / "tests/programs/check_on_other_machine.py"),
        str(seed),
        str(1 + seed % 2),
        output,
        *arguments,
    )
    answer = run(*command, cwd=ROOT, PYTHONHASHSEED=str(seed))
    assert answer.returncode == 0, answer.stderr
    golden = (GOLDEN / "broken.txt").read_text(encoding="utf-8")
    errors = re.findall(r"^\S+:\d+:\d+: [A-Z]+\d{3} error: .+$", golden, re.MULTILINE)
    runs = sorted(tmp_path.iterdir())
    assert len(runs) == 5
    for file in runs:
        assert errors == [
            "{path}:{line}:{column}: {code} error: {message}".format_map(finding)
            for finding in json.loads(file.read_text(encoding="utf-8"))["findings"]
            if finding["severity"] == "error"
        ]
