"""Shellcheck reads each distinct script once, in its own process."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.reading import shell

BROKEN = "if true; then"
VALID = 'for id in $(jq .id); do echo "$id"; done'


@pytest.fixture
def texts_of_runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Return a list that receives the texts of each run of shellcheck."""
    runs: list[tuple[str, ...]] = []

    class Run(shell._Run):
        def __init__(self, texts: tuple[str, ...]) -> None:
            runs.append(texts)
            super().__init__(texts)

    monkeypatch.setattr(shell, "_Run", Run)
    shell.start_shell_check.cache_clear()
    return runs


def test_repeated_scripts_are_checked_once_and_reported_each_time(
    texts_of_runs: list[tuple[str, ...]],
) -> None:
    errors = shell.find_shell_errors(((BROKEN, VALID), (VALID, "git status"), (VALID, BROKEN)))
    assert texts_of_runs == [(BROKEN, VALID)]
    assert [(error.file, error.script) for error in errors] == [(0, 0), (2, 1)]
    assert len({(error.line, error.column, error.message) for error in errors}) == 1


def test_placeholders_of_the_same_length_make_the_same_text(
    texts_of_runs: list[tuple[str, ...]],
) -> None:
    scripts = tuple((f"if grep <{name}> log; then",) for name in ("pod", "job"))
    assert len(shell.find_shell_errors(scripts)) == 2
    assert len(texts_of_runs[0]) == 1


def test_plain_commands_start_no_process(texts_of_runs: list[tuple[str, ...]]) -> None:
    assert shell.find_shell_errors((("kubectl get pods | head -5",),)) == ()
    assert texts_of_runs == []


def test_a_second_call_waits_for_the_run_that_was_started(
    texts_of_runs: list[tuple[str, ...]],
) -> None:
    started = shell.start_shell_check(((BROKEN,),))
    assert shell.find_shell_errors(((BROKEN,),)) == started.errors
    assert len(texts_of_runs) == 1


def test_an_abandoned_check_leaves_no_process_and_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    check = shell.ShellCheck(((BROKEN,),))
    assert check._run is not None
    process = check._run._process
    del check
    assert process.returncode is not None
    assert list(tmp_path.iterdir()) == []


def test_a_slow_check_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "shellcheck"
    program.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(shell, "_find_shellcheck", lambda: str(program))
    monkeypatch.setattr(shell, "_SECONDS", 0.1)
    shell.start_shell_check.cache_clear()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            shell.find_shell_errors(((BROKEN,),))
    monkeypatch.undo()
    assert len(shell.find_shell_errors(((BROKEN,),))) == 1
