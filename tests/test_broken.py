"""A handbook with every fault: each code is found, where the golden file says, whatever the machine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from macros.reporters.text import text
from macros.rules import rules
from tests.commands import run
from tests.handbooks import BROKEN, ROOT, report

GOLDEN = Path(__file__).parent / "golden" / "broken.txt"


def test_it_is_found_as_the_golden_file_says() -> None:
    """Made anew by `handbook check --root tests/sites/broken --today 2026-11-23 > tests/golden/broken.txt`."""
    assert text(report(BROKEN)) == GOLDEN.read_text(encoding="utf-8")


def test_it_has_every_fault_that_there_is_a_rule_for() -> None:
    assert {finding.code for finding in report(BROKEN).findings} == set(rules())


# The gate in a process of its own: files come in any order, the network is gone, there is one core or there are two.
ELSEWHERE = """
import os, random, socket, sys
seed, cores, *arguments = sys.argv[1:]
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
from macros.cli import main
sys.exit(main(arguments))
"""
RUNS = [(seed, 1 + seed % 2, 2026 + seed % 3) for seed in range(3)]


@pytest.mark.parametrize(("seed", "cores", "year"), RUNS)
def test_order_clock_network_and_cores_change_no_error(seed: int, cores: int, year: int) -> None:
    arguments = ["check", "--format", "json", "--today", f"{year}-11-23", "--root", str(BROKEN)]
    answer = run("python", "-c", ELSEWHERE, str(seed), str(cores), *arguments, cwd=ROOT, PYTHONHASHSEED=str(seed))
    assert answer.returncode == 1, answer.stderr
    found = [
        f"{each['path']}:{each['line']}:{each['column']}: {each['code']} error: {each['message']}"
        for each in json.loads(answer.stdout)["findings"]
        if each["severity"] == "error"
    ]
    golden = GOLDEN.read_text(encoding="utf-8")
    assert found == re.findall(r"^\S+:\d+:\d+: [A-Z]+\d{3} error: .+$", golden, re.MULTILINE)
