"""PromQL of any depth: each expression is checked, and none kills the process."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import promql_parser
import pytest

from handbook.reading import promql
from handbook.reading.promql import PromqlFault, check_expressions
from tests.handbooks import ROOT
from tests.rules.test_alerts import OWN, RULES, check_alerts, make_alert

# The kinds of nesting, each as a function of its levels.
KINDS: dict[str, Callable[[int], str]] = {
    "sum of numbers": lambda levels: "+".join(["1"] * levels),
    "sum of series": lambda levels: " + ".join(["up"] * levels),
    "powers": lambda levels: "^".join(["1"] * levels),
    "comparisons": lambda levels: " > ".join(["up"] * levels),
    "and": lambda levels: " and ".join(["up"] * levels),
    "or": lambda levels: " OR ".join(["up"] * levels),
    "unless": lambda levels: "\nunless\n".join(["up"] * levels),
    "atan2": lambda levels: " atan2 ".join(["up"] * levels),
    "parentheses": lambda levels: "(" * levels + "1" + ")" * levels,
    "signs": lambda levels: "- " * levels + "up",
    "signs without spaces": lambda levels: "-+" * (levels // 2) + "up",
    "calls": lambda levels: "abs(" * levels + "up" + ")" * levels,
    "aggregations": lambda levels: "sum by (job) (" * levels + "up" + ")" * levels,
    "subqueries": lambda levels: "max_over_time(" * levels + "up" + "[5m:1m])" * levels,
    "signs and parentheses": lambda levels: "-(" * levels + "1" + ")" * levels,
}
DEEP = 4_200
"""Enough levels to crash a process with a stack of 8 MB, for most kinds."""


def make_deep(kind: str) -> str:
    """Return the deepest expression of a kind within the limit of the length."""
    levels = range(DEEP, 0, -20)
    return next(text for text in map(KINDS[kind], levels) if len(text) <= promql._LONGEST)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "levels",
    [
        2,
        promql._SAFE_LEVELS - 2,
        promql._SAFE_LEVELS + 2,
        pytest.param(None, marks=pytest.mark.fuzz),
    ],
)
def test_a_valid_expression_of_any_depth_is_accepted(kind: str, levels: int | None) -> None:
    assert check_expressions([KINDS[kind](levels) if levels else make_deep(kind)]) == [None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_expression_is_not_parsed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promql_parser, "parse", lambda text: pytest.fail("parsed"))
    monkeypatch.setattr(promql, "_ask_child", lambda expressions: pytest.fail("parsed"))
    expression = KINDS[kind](promql._LONGEST)
    assert check_expressions([expression, expression]) == [promql._TOO_LONG] * 2
    assert promql._TOO_LONG.reason == "of more than 10,000 characters"


@pytest.mark.parametrize("kind", KINDS)
def test_a_deep_expression_is_not_parsed_in_this_process(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promql_parser, "parse", lambda text: pytest.fail("parsed here"))
    assert check_expressions([make_deep(kind)]) == [None]


@pytest.mark.parametrize(
    ("form", "levels"),
    [
        ("{}+", DEEP),
        ("{})", DEEP),
        ("({}", DEEP),
        ('{}+"x"', DEEP),
        ("{} or 1", DEEP),
        ("{} foo", DEEP),
        ("{} + unknown(1)", DEEP),
        ("{} # x\n)", DEEP),
        ('{} + "x', DEEP),
    ],
)
@pytest.mark.fuzz
def test_an_invalid_deep_expression_has_the_reason_of_a_short_one(form: str, levels: int) -> None:
    short, deep = (form.format("+".join(["1"] * number)) for number in (3, levels))
    short_fault, deep_fault = check_expressions([short, deep])
    assert short_fault == deep_fault
    assert short_fault is not None
    assert short_fault.reason


def test_a_comment_at_the_end_of_a_deep_expression_hides_nothing() -> None:
    assert check_expressions([make_deep("and")[: -len(" and up")] + " # and so on"]) == [None]


TOKENS = (
    'a 1 "x" ( ) [5m] [5m:1m] { } + - * == and or unless bool on ignoring sum abs by offset 5m @ '
    ", # \n `x` ' " + '"'
)


def test_both_methods_of_parsing_agree() -> None:
    chance = random.Random(18)  # noqa: S311 - not for secrets
    tokens = TOKENS.split(" ")
    texts = {" ".join(chance.choices(tokens, k=chance.randint(1, 6))) for _ in range(4_000)}
    texts |= {
        "a",
        "1 or 1",
        "a or a",
        "a or",
        "or a",
        "or",
        "sum(or)",
        "-a",
        "a[5m]",
        '"x"',
        "a offset -5m",
        "a # or",
    }
    reasons = {
        text: (promql._read_deep_reason(text), promql._read_reason(text)) for text in sorted(texts)
    }
    assert {text: both for text, both in reasons.items() if both[0] != both[1]} == {}
    assert sum(both[0] is None for both in reasons.values()) > 50


def test_one_child_parses_all_and_is_started_again_after_a_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    requests: list[bytes] = []
    answers = iter([(-11, b'null\n"no"\n'), (0, b"null\n")])

    def run(command: list[str], **options: bytes) -> subprocess.CompletedProcess[bytes]:
        requests.append(options["input"])
        return subprocess.CompletedProcess(command, *next(answers), b"")

    monkeypatch.setattr(subprocess, "run", run)
    deep = [KINDS["and"](promql._SAFE_LEVELS + number) for number in range(2, 6)]
    assert check_expressions(["up", *deep, deep[0], "up +"]) == [
        None,
        None,
        PromqlFault("no"),
        promql._TOO_DEEP,
        None,
        None,
        PromqlFault("invalid promql query"),
    ]
    assert len(requests) == 2


@pytest.mark.parametrize("output", [b'null\n"unfin', b"null\n"])
def test_a_child_that_times_out_has_answered_its_complete_lines(
    output: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], **options: bytes) -> subprocess.CompletedProcess[bytes]:
        if b"," in options["input"]:
            raise subprocess.TimeoutExpired(command, 10, output)
        return subprocess.CompletedProcess(command, 0, b"null\n", b"")

    monkeypatch.setattr(subprocess, "run", run)
    deep = [KINDS["or"](promql._SAFE_LEVELS + number) for number in range(2, 5)]
    assert check_expressions(deep) == [None, promql._TOO_DEEP, None]


def test_a_child_that_cannot_run_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promql, "__file__", str(ROOT / "nowhere.py"))
    with pytest.raises(ChildProcessError, match=r"the child process failed: .*nowhere\.py"):
        check_expressions([make_deep("and")])


def test_the_child_imports_nothing_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('taken over')\n", encoding="utf-8")
    (tmp_path / "promql_parser.py").write_text("raise SystemExit('taken over')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert check_expressions([make_deep("and")]) == [None]


@pytest.mark.parametrize("kind", ["sum of numbers", "calls", "subqueries"])
@pytest.mark.parametrize("kilobytes", [1024, pytest.param(8192, marks=pytest.mark.fuzz)])
def test_a_small_stack_is_enough(kind: str, kilobytes: int) -> None:
    """The main thread has the stack limit of the shell, and parses shallow expressions."""
    shallow = KINDS[kind](promql._SAFE_LEVELS // 3)
    program = (
        "import sys; from handbook.reading.promql import check_expressions as check\n"
        "assert check(sys.stdin.read().split(';')) == [None, None]"
    )
    answer = subprocess.run(
        [
            "sh",
            "-c",
            'ulimit -s "$0" && exec "$1" -c "$2"',
            str(kilobytes),
            sys.executable,
            program,
        ],
        input=f"{shallow};{make_deep(kind)}",
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (KINDS["sum of numbers"](DEEP), []),
        (KINDS["and"](1_000), []),
        (
            f"{KINDS['and'](1_000)} +",
            [
                (
                    "RBK009",
                    "invalid PromQL expression",
                    "correct it, and test it with 'promtool check rules'",
                )
            ],
        ),
        ('""', ["FM009"]),
    ],
)
def test_an_alert_with_a_deep_expression_has_its_finding(
    expression: str, expected: list[object], tmp_path: Path
) -> None:
    findings = check_alerts(tmp_path, make_alert("Down", OWN).replace("up == 0", expression))
    by_code = [
        finding.code if finding.code == "FM009" else (finding.code, finding.message, finding.hint)
        for finding in findings
    ]
    assert by_code == expected


def test_an_expression_that_kills_the_child_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, -11, b"", b"")
    )
    (finding,) = check_alerts(
        tmp_path, make_alert("Down", OWN).replace("up == 0", KINDS["or"](1_000))
    )
    assert (finding.code, finding.message) == ("RBK009", "PromQL expression nested too deeply")
    assert finding.hint == "split it into recording rules"
    assert (finding.at.path, finding.at.line, finding.at.column) == (RULES, 5, 13)
