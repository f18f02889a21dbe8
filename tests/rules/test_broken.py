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
from tests.handbooks import BROKEN, ROOT, report

GOLDEN = ROOT / "tests" / "golden" / "broken.txt"


def test_findings_match_the_golden_file() -> None:
    """Compare the findings with the golden file.

    To regenerate it, run
    `handbook check --root tests/sites/broken --today 2026-11-23 > tests/golden/broken.txt`.
    """
    assert text(report(BROKEN)) == GOLDEN.read_text(encoding="utf-8")


def test_every_rule_has_a_finding() -> None:
    codes = {rule.code for rule in rules().values() if rule.over not in (Base, Site)}
    assert {finding.code for finding in report(BROKEN).findings} == codes


# The program runs the check in another process, with files in random order, without a network, on
# one or two cores, and on five dates. It writes the findings of each run to a file of its own.
CHECK_ON_OTHER_MACHINE = """
import os, random, socket, sys
seed, cores, output, *arguments = sys.argv[1:]
generator, scan = random.Random(seed), os.scandir

class Shuffled(list):
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass

def shuffle(*arguments):
    with scan(*arguments) as entries:
        shuffled_entries = Shuffled(entries)
    generator.shuffle(shuffled_entries)
    return shuffled_entries

def refuse(*_, **__):
    raise OSError("no network")

os.scandir, socket.socket.connect = shuffle, refuse
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:int(cores)])
import time_machine
from handbook.cli import main
for run in range(5):
    with time_machine.travel(f"{2025 + run}-0{1 + run}-28", tick=False):
        assert main([*arguments, "--output", f"{output}-{run}.json"]) == 1
"""


@pytest.mark.parametrize("seed", range(6))
def test_order_clock_network_and_cores_change_no_error(seed: int, tmp_path: Path) -> None:
    arguments = ["check", "--format", "json", "--root", str(BROKEN)]
    output = str(tmp_path / "run")
    command = (
        "python",
        "-c",
        CHECK_ON_OTHER_MACHINE,
        str(seed),
        str(1 + seed % 2),
        output,
        *arguments,
    )
    answer = run(*command, cwd=ROOT, PYTHONHASHSEED=str(seed))
    assert answer.returncode == 0, answer.stderr
    golden = GOLDEN.read_text(encoding="utf-8")
    errors = re.findall(r"^\S+:\d+:\d+: [A-Z]+\d{3} error: .+$", golden, re.MULTILINE)
    runs = sorted(tmp_path.iterdir())
    assert len(runs) == 5
    for file in runs:
        assert errors == [
            "{path}:{line}:{column}: {code} error: {message}".format_map(finding)
            for finding in json.loads(file.read_text(encoding="utf-8"))["findings"]
            if finding["severity"] == "error"
        ]
