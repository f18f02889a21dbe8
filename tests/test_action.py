"""The action for GitHub: its definition, and its steps in a repository with only records."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import make_environment, make_offline_environment, run
from tests.handbooks import ROOT, SMALL, copy_package, copy_site, replace_once, write
from tests.repositories import commit_all, create_repository, run_git

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: dict[str, str] = {
    step["name"]: step["run"] for step in ACTION["runs"]["steps"] if "run" in step
}
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
"""The shell of a step with `shell: bash`."""
WORKFLOW = """\
on: pull_request
jobs:
  check:
    runs-on: ubuntu-24.04
    steps:
      - uses: ./
        with: {{{inputs}: x}}
"""


def run_step(name: str, cwd: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script of a step, and return its code and output."""
    return subprocess.run(
        [*BASH, STEPS[name]],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_the_action_is_valid_and_zizmor_finds_nothing() -> None:
    schema = ["--builtin-schema", "vendor.github-actions"]
    valid = run("check-jsonschema", *schema, "action.yml", cwd=ROOT)
    assert valid.returncode == 0, valid.stdout
    audit = run("zizmor", "--offline", "--quiet", "--persona", "pedantic", "action.yml", cwd=ROOT)
    assert audit.returncode == 0, audit.stdout


@pytest.mark.parametrize(("inputs", "code"), [*((name, 0) for name in ACTION["inputs"]), ("x", 1)])
def test_a_workflow_can_use_the_inputs(inputs: str, code: int, tmp_path: Path) -> None:
    """actionlint reads action.yml, and refuses other inputs."""
    write(
        tmp_path,
        {
            "action.yml": (ROOT / "action.yml").read_bytes(),
            ".github/workflows/check.yml": WORKFLOW.format(inputs=inputs),
        },
    )
    run_git(tmp_path, "init", "--quiet")
    answer = run("actionlint", "-no-color", cwd=tmp_path)
    assert answer.returncode == code, answer.stdout


@pytest.mark.parametrize("name", STEPS)
def test_shellcheck_accepts_the_steps(name: str, tmp_path: Path) -> None:
    script = write(tmp_path, {"step.sh": STEPS[name]}) / "step.sh"
    answer = run("shellcheck", "--shell=bash", str(script), cwd=tmp_path)
    assert answer.returncode == 0, answer.stdout


@pytest.fixture
def pull_request(tmp_path: Path) -> Path:
    """A clone of the small handbook with a branch that adds a warning and an error."""
    root = create_repository(copy_site(SMALL, tmp_path / "handbook"))
    run_git(root, "update-ref", "refs/remotes/origin/main", "main")
    run_git(root, "checkout", "--quiet", "-b", "branch")
    replace_once(root, "status: superseded", "status: superceded")
    commit_all(root, "docs: a change")
    return root


def check(
    root: Path, program: str | None = None, **inputs: str
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run the step of the check, and return its answer and the job summary.

    Without `program`, the program prints only its arguments.
    """
    temporary = root.parent / "temporary"
    program = program or '#!/bin/sh\nprintf "<%s>" "$@"\n'
    write(temporary, {"handbook/bin/handbook": program, "summary.md": ""})
    (temporary / "handbook/bin/handbook").chmod(0o755)
    values = {name.upper(): str(entry["default"]) for name, entry in ACTION["inputs"].items()}
    environment = make_environment(
        GITHUB_STEP_SUMMARY=str(temporary / "summary.md"), RUNNER_TEMP=str(temporary)
    )
    environment = {**environment, "GITHUB_BASE_REF": "", **values, **inputs}
    answer = run_step("Check", root, environment)
    return answer, (temporary / "summary.md").read_text(encoding="utf-8")


PROGRAM = f'#!/bin/sh\nexec "{sys.executable}" -m handbook "$@"\n'


def test_a_pull_request_gets_annotations_and_a_summary(pull_request: Path) -> None:
    answer, summary = check(
        pull_request, PROGRAM, GITHUB_BASE_REF="main", PYTHONPATH=os.fspath(ROOT)
    )
    assert answer.returncode == 1, answer.stderr
    assert "::error file=adr/0001-keep-orders-in-sqlite.md,line=2,col=9," in answer.stdout
    assert "### Records compared with origin/main" in summary
    assert "1 moved in status." in summary
    assert "did you mean 'superseded'&#63;" in summary


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, ["--"]),
        ({"STRICT": "true"}, ["--strict", "--"]),
        ({"BASE": "v1"}, ["--base=v1", "--"]),
        ({"GITHUB_BASE_REF": "main"}, ["--base=origin/main", "--"]),
        ({"GITHUB_BASE_REF": "main", "BASE": "v1"}, ["--base=v1", "--"]),
        ({"PATHS": "adr\n\nrun books\n-x\n"}, ["--", "adr", "run books", "-x"]),
        ({"BASE": "$(exit 3)", "PATHS": "`exit 3`"}, ["--base=$(exit 3)", "--", "`exit 3`"]),
    ],
    ids=["default", "strict", "base", "pull-request", "other-base", "paths", "hostile"],
)
def test_inputs_become_arguments(
    inputs: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    root = tmp_path / "handbook"
    root.mkdir()
    answer, _ = check(root, **inputs)
    assert answer.returncode == 0, answer.stderr
    arguments = answer.stdout.removeprefix("<").removesuffix(">").split("><")
    assert arguments[:4] == ["check", "--format", "github", "--summary"]
    assert arguments[5:] == expected


def test_an_invalid_input_stops_the_check(tmp_path: Path) -> None:
    root = tmp_path / "handbook"
    root.mkdir()
    answer, _ = check(root, STRICT="yes")
    assert (answer.returncode, answer.stdout.startswith("::error::invalid value 'yes'")) == (
        2,
        True,
    )


@pytest.mark.build
def test_the_action_installs_its_own_version(tmp_path: Path) -> None:
    """The packages that pip would fetch come from this environment."""
    package = copy_package(tmp_path / "action")
    environment = make_offline_environment(
        PYTHON=sys.executable,
        VERSION="",
        RUNNER_TEMP=str(tmp_path),
        GITHUB_ACTION_PATH=str(package),
    )
    answer = run_step("Install", tmp_path, environment)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    program = [str(tmp_path / "handbook/bin/handbook"), "check"]
    checked = subprocess.run(program, cwd=SMALL, env=environment, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_action_installs_another_version(tmp_path: Path) -> None:
    """A simulated interpreter records how the step calls pip."""
    pip = '#!/bin/sh\nprintf "%s\\n" "$@"\n'
    python = f'#!/bin/sh\nmkdir -p "$3/bin"\ncat > "$3/bin/pip" <<\'EOF\'\n{pip}EOF\n'
    write(tmp_path, {"python": f'{python}chmod +x "$3/bin/pip"\n'})
    (tmp_path / "python").chmod(0o755)
    environment = make_environment(
        PYTHON=str(tmp_path / "python"), VERSION="1.2.3", RUNNER_TEMP=str(tmp_path)
    )
    answer = run_step("Install", tmp_path, environment)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "handbook==1.2.3"
