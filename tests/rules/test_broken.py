"""A handbook with every fault: each code is found, where the golden file says, whatever the machine."""

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


def test_it_is_found_as_the_golden_file_says() -> None:
    """Made anew by `handbook check --root tests/sites/broken --today 2026-11-23 > tests/golden/broken.txt`."""
    assert text(report(BROKEN)) == GOLDEN.read_text(encoding="utf-8")


def test_it_has_every_fault_that_there_is_a_rule_for() -> None:
    alone = {each.code for each in rules().values() if each.over not in (Base, Site)}
    assert {finding.code for finding in report(BROKEN).findings} == alone


# The gate in a process of its own: files come in any order, the network is gone, there is one core or there are two,
# and each run has another day. The findings of each stand in the file that is named first.
ELSEWHERE = """
import os, random, socket, sys
seed, cores, output, *arguments = sys.argv[1:]
chance, scan = random.Random(seed), os.scandir

class Shuffled(list):
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass

def shuffled(*arguments):
    with scan(*arguments) as entries:
        found = Shuffled(entries)
    chance.shuffle(found)
    return found

def refused(*_, **__):
    raise OSError("there is no network")

os.scandir, socket.socket.connect = shuffled, refused
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
    command = ("python", "-c", ELSEWHERE, str(seed), str(1 + seed % 2), output, *arguments)
    answer = run(*command, cwd=ROOT, PYTHONHASHSEED=str(seed))
    assert answer.returncode == 0, answer.stderr
    golden = GOLDEN.read_text(encoding="utf-8")
    errors = re.findall(r"^\S+:\d+:\d+: [A-Z]+\d{3} error: .+$", golden, re.MULTILINE)
    runs = sorted(tmp_path.iterdir())
    assert len(runs) == 5
    for each in runs:
        assert errors == [
            f"{found['path']}:{found['line']}:{found['column']}: {found['code']} error: {found['message']}"
            for found in json.loads(each.read_text(encoding="utf-8"))["findings"]
            if found["severity"] == "error"
        ]
