"""The work of a check grows at most in proportion to the size of a crafted file.

The tests count calls, because times depend on the machine. `python -m benchmarks.growth` measures
the times of all crafted files, and of larger ones.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

import pytest

from benchmarks.crafted import POLICY, SETTINGS, Case, list_cases
from handbook.loading import load
from handbook.reading import shell
from handbook.rules.engine import rules, run
from tests.handbooks import ADR, TODAY, check, format_findings, write
from tests.handbooks import SETTINGS as SMALL_SETTINGS

CASES = {case.name: case for case in list_cases()}
MEASURED = (
    "record: comments",
    "record: image starts",
    "record: unknown references",
    "record: footnotes",
    "record: emphasis",
    "record: nested list items",
    "record: same headings",
    "record: headings near ids",
    "record: table rows",
    "record: tables",
    "record: admonitions",
    "record: suppressions",
    "record: suppressions alone",
    "record: unknown ids",
    "record: broken links",
    "record: broken anchors",
    "record: details",
    "record: to do",
    "record: passwords in URLs",
    "record: JWT parts",
    "runbook: plain shell fences",
    "front_matter: keys",
    "front_matter: misspelt keys",
    "front_matter: same key",
    "front_matter: suppressions",
    "rule_file: suppressions",
    "rule_file: merges",
    "audit: keys",
    "audit: unknown items",
    "audit: same item",
    "rules: alerts",
    "rules: similar alerts",
    "rules: recordings",
    "rules: unknown recordings",
    "rules: unknown severities",
    "rules: runbook addresses",
    "rules: groups",
    "timeline: entries",
    "actions: actions",
    "template: expressions",
)


def count_calls(case: Case, size: int, root: Path) -> int:
    """Return the number of calls, of Python and of C, that the check of a case makes."""
    write(root, {POLICY: SETTINGS, **case.make(case.repeat(size))})
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        run(load(root), TODAY)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.fuzz] if index % 4 else [])
        for index, name in enumerate(MEASURED)
    ],
)
def test_twice_the_size_is_at_most_twice_the_work(name: str, tmp_path: Path) -> None:
    rules()
    # The tests keep what depends on a text alone, so the first text must differ from the others.
    assert CASES[name].repeat(1_000) != CASES[name].repeat(12_000)
    count_calls(CASES[name], 1_000, tmp_path / "first")  # imports, and fills the caches
    small = count_calls(CASES[name], 12_000, tmp_path / "small")
    large = count_calls(CASES[name], 24_000, tmp_path / "large")
    assert large <= 2.2 * small


RUNBOOK = "adr/0001-a.md"


def check_code(root: Path, *scripts: str) -> list[str]:
    """Check a record with blocks of shell code. Return the findings with their messages."""
    text = "\n\n".join(f"```sh\n{script}\n```" for script in scripts)
    findings = check(root, {RUNBOOK: ADR.replace("Why.", text)})
    return [
        f"{place} {finding.message}"
        for place, finding in zip(format_findings(findings), findings, strict=True)
    ]


@pytest.mark.parametrize(
    ("script", "column", "reason"),
    [
        ("echo " + "{a," * 1500, 5 + 3 * 100 + 1, "more than 100 nested braces"),
        ("echo " + "$[" * 1500, 5 + 2 * 100 + 2, "more than 100 nested brackets"),
        ("a" + "[a" * 1500, 2 * 100 + 2, "more than 100 nested brackets"),
        ("echo " + "$(" * 1500, 5 + 2 * 12 + 2, "more than 12 nested parentheses"),
        ("echo $a\n" * 1001, 1, "more than 8,000 characters in one block"),
    ],
    ids=["braces", "arithmetic", "subscripts", "parentheses", "length"],
)
def test_shell_code_beyond_a_limit_is_one_finding(
    script: str, column: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "_find_shellcheck", lambda: pytest.fail("shellcheck runs"))
    assert check_code(tmp_path, script) == [
        f"{RUNBOOK}:11:{column}:FM107 invalid shell code: {reason}"
    ]


def test_a_file_has_a_limit_of_shell_code(tmp_path: Path) -> None:
    script = f"{'echo $a  #':x<71}\n" * 100
    assert check_code(tmp_path / "five", *[script] * 5) == []
    (finding,) = check_code(tmp_path / "nine", *[script] * 9)
    line = 11 + 5 * (100 + 4)
    assert finding == (
        f"{RUNBOOK}:{line}:1:FM107 invalid shell code: "
        "more than 40,000 characters of shell code in one file"
    )


@pytest.mark.parametrize(
    "script",
    [
        "echo " + "{a,b} " * 500,
        "curl -d '" + '{"a": ' * 90 + "1" + "}" * 90 + "' x",
        'grep "[a-z]" x\n' * 500,
        "kubectl get pods\n" * 2_000,
        "case a in\n" + "a) b;;\n" * 200 + "esac",
    ],
    ids=["expansions", "JSON", "classes", "plain commands", "case"],
)
def test_shell_code_within_the_limits_is_checked(script: str, tmp_path: Path) -> None:
    assert check_code(tmp_path, script) == []
    assert check_code(tmp_path, script[:7_000] + "\nif true; then") != []


@pytest.mark.parametrize("name", ["b" * 300, "b" * 5_000, "a/" * 3_000 + "b", "b%00c"])
@pytest.mark.parametrize("form", ["[x]({}.md)", "![x]({}.png)", '```\n--8<-- "{}"\n```'])
def test_a_path_that_the_system_refuses_is_a_broken_link(
    name: str, form: str, tmp_path: Path
) -> None:
    findings = check(tmp_path, {RUNBOOK: ADR.replace("Why.", form.replace("{}", name))})
    assert {finding.code for finding in findings} <= {"LNK001", "LNK002", "LNK006"}
    assert findings


@pytest.mark.parametrize("name", ["b" * 300, '"a\\0b"'])
@pytest.mark.parametrize(
    ("key", "code"),
    [("INHERIT: {}\n", "FM001"), ("hooks: [{}]\n", "FM022")],
    ids=["INHERIT", "hooks"],
)
def test_a_setting_that_the_system_refuses_is_a_finding(
    name: str, key: str, code: str, tmp_path: Path
) -> None:
    write(tmp_path, {POLICY: f"{SMALL_SETTINGS}{key.replace('{}', name)}", RUNBOOK: ADR})
    codes = [finding.code for finding in run(load(tmp_path), TODAY).findings]
    assert codes == [code]


def test_a_message_has_a_limit(tmp_path: Path) -> None:
    record = ADR.replace("accepted", "x " * 4_000)
    (finding,) = check(tmp_path, {RUNBOOK: record})
    assert len(finding.message) == 2_000
    assert finding.message.startswith("unknown value 'x x")
    assert finding.message.endswith("…")


def test_a_similar_name_is_searched_only_for_the_first_findings(tmp_path: Path) -> None:
    record = ADR.replace("Why.", "[x](0001-b.md)\n\n" * 300)
    findings = check(tmp_path, {RUNBOOK: record})
    assert len(findings) == 300
    hints = [finding.hint for finding in findings]
    assert set(hints[:100]) == {"did you mean '0001-a.md'?"}
    assert set(hints[100:]) == {"correct the path, or create the file adr/0001-b.md"}
