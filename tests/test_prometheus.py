"""The rule files, as Prometheus itself reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.commands import need
from tests.handbooks import ROOT

RULES = sorted((ROOT / "runbooks").glob("*/*.rules.yml"))
UNIT_TESTS = sorted((ROOT / "docs/standards/samples").rglob("*.rules.test.yml"))


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([need("promtool"), *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_promtool_accepts_the_rules(path: Path) -> None:
    answer = promtool("check", "rules", str(path))
    assert answer.returncode == 0, answer.stderr + answer.stdout


@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.name)
def test_the_alerts_fire_when_they_should(path: Path) -> None:
    answer = promtool("test", "rules", str(path))
    assert answer.returncode == 0, answer.stderr + answer.stdout


def test_there_is_something_to_try() -> None:
    assert RULES
    assert UNIT_TESTS


def test_the_listing_of_a_shell_script_passes_shellcheck_s_syntax() -> None:
    for script in (ROOT / "docs/standards/samples").rglob("*.sh"):
        answer = subprocess.run(["sh", "-n", str(script)], capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("name", ["error-logs.sh"])
def test_the_log_command_passes_over_lines_that_are_no_json(name: str) -> None:
    need("jq")
    script = (ROOT / "docs/standards/samples/11" / name).read_text(encoding="utf-8")
    pipeline = script.split("|", 1)[1].strip().removesuffix("\n")
    lines = 'plain text\n{"level": "info", "n": 1}\n{"level": "error", "n": 2}\n'
    answer = subprocess.run(["sh", "-c", pipeline], input=lines, capture_output=True, text=True, check=False)
    assert answer.stdout == '{"level":"error","n":2}\n'
