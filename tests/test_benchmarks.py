"""Generated handbooks are valid, can be built, and are the same for the same seed."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date
from pathlib import Path
from types import FrameType

import pytest

from benchmarks import report as benchmark_report
from benchmarks.generate import Author, generate, main
from benchmarks.processes import CommandError, measure_command
from benchmarks.results import Key, Results, read_results
from benchmarks.run import RESULTS, Run, Step
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


def test_a_messy_handbook_has_real_shell_code_and_no_findings(tmp_path: Path) -> None:
    generate(tmp_path, 60, messy=True)
    assert report(tmp_path, TODAY).findings == ()
    texts = [file.read_text(encoding="utf-8") for file in (tmp_path / "runbooks").glob("*/*.md")]
    blocks = sum(text.count("```bash") for text in texts) / len(texts)
    assert 13 <= blocks <= 15
    assert any("done < <(" in text for text in texts)


def measure(code: str, folder: Path) -> float:
    """Return the peak memory of a Python program in MB."""
    return measure_command([sys.executable, "-c", code], folder).memory


def test_the_memory_of_all_processes_is_measured(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    fill = "data = b'x' * 60_000_000; import time; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {fill!r}]); {fill}"
    both = parent.replace("subprocess.run(", "subprocess.Popen(")
    assert measure(fill, tmp_path / "work") > 60
    assert measure(both, tmp_path / "work") > 120


def test_a_command_that_fails_or_takes_too_long_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with pytest.raises(CommandError, match="exit code 3: no disk"):
        measure_command(["sh", "-c", "echo no disk; exit 3"], tmp_path / "work")
    with pytest.raises(CommandError, match="after 0 s"):
        measure_command(["sleep", "30"], tmp_path / "work", patience=0.2)


def test_a_failed_step_does_not_stop_the_others(tmp_path: Path) -> None:
    results, ended = Results("bench"), []

    def fail() -> None:
        raise OSError("no space left")

    run_of_steps = Run(results, tmp_path, short=True)
    other = Step("first", 1, fail, is_ours=False)
    run_of_steps.run([other, Step("second", 1, lambda: ended.append(2))])
    assert (results.failures, ended) == (["first: no space left"], [2])
    assert not run_of_steps.has_failed
    run_of_steps.run([Step("third", 1, fail)])
    assert run_of_steps.has_failed


def test_the_time_of_the_tests_is_kept_unless_they_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Makefile").write_text("fast:\n\t@sleep 0.2\ntest:\n\t@false\n")
    monkeypatch.setattr("benchmarks.run.ROOT", tmp_path)
    results = Results("suite")
    suite = Run(results, tmp_path, short=False)
    suite.run(list(suite.plan_suite()))
    key = Key(benchmark_report.SUITE, "make fast", 0, "clock")
    assert list(results.values) == [key]
    assert results.values[key][0] >= 0.2
    assert results.failures[0].startswith("make test: ")
    assert suite.has_failed


def make_results() -> tuple[Results, Results, Results]:
    """Return results in which the check is linear, and an edit and the tests take too long."""
    bench, large = Results("bench", minutes=21), Results("large", minutes=30)
    for results, sizes in ((bench, (100, 1_000)), (large, (1_000, 10_000))):
        for records in sizes:
            for tool, each in (("handbook", 0.001), ("rumdl", 0.0005)):
                results.values[Key("check", tool, records, "CPU")] = [
                    turn * (0.2 + each * records) for turn in (1.0, 1.1, 1.3)
                ]
    bench.add(Key(benchmark_report.EDIT_PAGE, "handbook", 1_000, "clock"), 1.04)
    suite = Results("suite")
    for command, seconds in (("make fast", 59.9), ("make test", 721.0)):
        suite.add(Key(benchmark_report.SUITE, command, 0, "clock"), seconds)
    return bench, large, suite


def test_missed_targets_come_first(tmp_path: Path) -> None:
    targets = benchmark_report.list_targets(*make_results())
    verdicts = {target.name: target.verdict for target in targets}
    assert list(verdicts.values()) == sorted(
        verdicts.values(), key=("missed", "not measured", "met").index
    )
    assert verdicts["Edit, to the reloaded page, at 1,000"] == "missed"
    assert verdicts["make bench itself"] == "missed"
    assert (verdicts["make test"], verdicts["make fast"]) == ("missed", "met")
    assert verdicts["Check, growth of the cost of a record"] == "met"
    assert verdicts["Check, CPU time for a record, at 10,000"] == "met"
    assert verdicts["Build, memory for one more record"] == "not measured"


def test_a_table_has_the_median_the_cost_of_a_record_and_the_ratio_in_pairs() -> None:
    bench = make_results()[0]
    text = benchmark_report.write_markdown([bench])
    assert "| handbook | 0.33 (0.30 to 0.39) | 1.32 (1.20 to 1.56) | 1.10 | – |" in text
    assert "| rumdl | 0.28 (0.25 to 0.33) | 0.77 (0.70 to 0.91) | 0.55 | 1.71 |" in text


def test_results_are_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    results = make_results()[0]
    results.failures.append("links: broken")
    results.write(tmp_path / "bench.json")
    assert benchmark_report.write_markdown(
        [read_results(tmp_path / "bench.json")]
    ) == benchmark_report.write_markdown([results])


def test_the_page_has_the_same_tables_with_captions() -> None:
    bench = make_results()[0]
    page, text = benchmark_report.write_page([bench]), benchmark_report.write_markdown([bench])
    captions = [line.strip("*") for line in text.splitlines() if line.startswith("**")]
    assert captions
    assert [f"<caption>{caption}</caption>" in page for caption in captions] == [True] * len(
        captions
    )


def test_the_committed_report_comes_from_the_committed_figures() -> None:
    text = benchmark_report.write_markdown(benchmark_report.read_all())
    assert RESULTS.read_text(encoding="utf-8") == text, "run benchmarks.report"


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
