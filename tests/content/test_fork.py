"""The commands of the how-to "Fork with the standards" make a valid fork.

The tests of the engine pass in the fork, and also without any record.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.__main__ import CONTENT, FAST, make_expression
from tests.commands import BIN, make_environment
from tests.handbooks import ROOT, SITE_SETTINGS, write
from tests.repositories import create_repository, run_git

pytestmark = pytest.mark.build

PAGE = ROOT / "docs/how-to/fork.md"
RECORDS = ("adr", "docs", "postmortems", "runbooks", "mkdocs.yml")
TESTS = "python -m tests --engine fast"
READING = ("ROOT", "copy_package", "benchmarks", "hatch_build", "macros")
"""The names by which a test of the engine reads a file of the repository."""


def run_in(root: Path, *command: str) -> str:
    """Run a command with the package of a root, and return its output."""
    answer = subprocess.run(
        command,
        cwd=root,
        env=make_environment(PYTHONPATH=str(root), HANDBOOK_CORPORA=str(root / "none")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout + answer.stderr


@pytest.fixture(scope="module")
def steps() -> list[str]:
    """Return the blocks of commands of the page."""
    return re.findall(r"^ +```sh\n(.*?)^ +```$", PAGE.read_text(encoding="utf-8"), re.S | re.M)


@pytest.fixture(scope="module")
def fork(steps: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of this repository in which all commands before the checks have run."""
    root = tmp_path_factory.mktemp("fork") / "handbook"
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file() and not name.startswith(".venv"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    create_repository(root)
    assert "handbook check" in steps[-1]
    commit = steps[-1].partition(".venv/")[0]
    run_in(root, "bash", "-ec", "".join([*steps[:-1], commit]))
    return root


def test_the_fork_has_no_finding_but_the_allowed_removals(fork: Path, steps: list[str]) -> None:
    assert ".venv/bin/handbook check --base main" in steps[-1]
    output = run_in(fork, str(BIN / "handbook"), "check", "--base", "main")
    removed = run_git(fork, "diff", "--name-only", "--diff-filter=D", "main", "--", "adr", "docs")
    count = len(removed.split())
    assert count > 30
    assert f": 0 errors, {count} warnings, {count} allowed removals" in output
    assert set(re.findall(r" ([A-Z]+\d+) warning: ", output)) == {"FM019"}


def test_the_fork_needs_no_entry_after_the_merge(fork: Path, tmp_path: Path) -> None:
    root = shutil.copytree(fork, tmp_path / "handbook")
    text = (root / "mkdocs.yml").read_text(encoding="utf-8")
    text, count = re.subn(r"^    removed:\n(?:      - .*\n)+", "", text, flags=re.MULTILINE)
    assert count == 1
    write(root, {"mkdocs.yml": text})
    output = run_in(root, str(BIN / "handbook"), "check", "--base", "our-handbook", "--strict")
    assert "0 errors, 0 warnings" in output


def test_the_site_of_the_fork_has_no_broken_link(fork: Path) -> None:
    run_in(fork, str(BIN / "handbook"), "build")
    run_in(fork, str(BIN / "handbook"), "links", "site")
    settings = yaml.safe_load((fork / "mkdocs.yml").read_text(encoding="utf-8"))
    assert settings["site_name"] == "Our handbook"
    home = (fork / "site/index.html").read_text(encoding="utf-8")
    assert "Our handbook" in home
    assert "example-org/handbook" not in home


def list_names(node: ast.AST) -> set[str]:
    """Return the names that the code of a node uses: variables, fixtures, and their texts."""
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    names |= {child.arg for child in ast.walk(node) if isinstance(child, ast.arg)}
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    texts = (child for decorator in decorators for child in ast.walk(decorator))
    return names | {str(text.value) for text in texts if isinstance(text, ast.Constant)}


def list_defined(node: ast.stmt) -> set[str]:
    """Return the names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return set().union(*map(list_names, targets))
    return set()


def list_readers(code: str) -> list[str]:
    """Return the tests of a module that use a file of the repository, directly or by a name.

    A module with a fixture or a statement for all tests that uses such a file has only such tests.
    """
    body = ast.parse(code).body
    used = set(READING)
    for node in body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in READING:
            used |= {alias.asname or alias.name for alias in node.names}
    size = 0
    while size < len(used):
        size = len(used)
        for node in body:
            if list_names(node) & used:
                used |= list_defined(node)
    everywhere = {"pytestmark"} | {
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef)
        and any("autouse" in ast.unparse(decorator) for decorator in node.decorator_list)
    }
    tests = [name for node in body for name in list_defined(node) if name.startswith("test_")]
    return tests if everywhere & used else [name for name in tests if name in used]


def list_engine_tests(root: Path) -> list[str]:
    """Return the tests of the engine that use a file of the repository.

    All other tests only use handbooks of the tests.
    """
    return [
        f"{name}::{test}"
        for path in sorted(root.glob("tests/**/test_*.py"))
        if not (name := path.relative_to(root).as_posix()).startswith(CONTENT)
        for test in list_readers(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(
    ("code", "readers"),
    [
        ("def test_a():\n    open(ROOT)", ["test_a"]),
        ("def read():\n    open(ROOT)\ndef test_a():\n    read()\ndef test_b(): ...", ["test_a"]),
        ("FILE: Path = ROOT / 'a'\nNAME = FILE\ndef test_a():\n    open(NAME)", ["test_a"]),
        ("@fixture\ndef root():\n    return ROOT\ndef test_a(root): ...", ["test_a"]),
        (
            "@fixture\ndef a():\n    return ROOT\n@mark.usefixtures('a')\ndef test_a(): ...",
            ["test_a"],
        ),
        ("@parametrize('x', [ROOT])\ndef test_a(x): ...\ndef test_b(x): ...", ["test_a"]),
        ("from benchmarks.run import Run as R\ndef test_a():\n    R()", ["test_a"]),
        ("@fixture(autouse=True)\ndef f():\n    open(ROOT)\ndef test_a(): ...", ["test_a"]),
        ("def test_a():\n    open(SMALL)", []),
    ],
)
def test_a_test_that_uses_a_file_of_the_repository_is_found(code: str, readers: list[str]) -> None:
    assert list_readers(code) == readers


def test_the_engine_needs_no_record_of_this_repository(fork: Path, tmp_path: Path) -> None:
    """Runs the fast tests that could read a record, in the fork without any record."""
    root = shutil.copytree(fork, tmp_path / "handbook")
    for name in RECORDS:
        shutil.rmtree(root / name) if (root / name).is_dir() else (root / name).unlink()
    write(root, {"mkdocs.yml": SITE_SETTINGS})
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--message", "chore: remove all records")
    tests = list_engine_tests(root)
    assert {"tests/test_repository.py", "tests/test_benchmarks.py"} <= {
        test.partition("::")[0] for test in tests
    }
    output = run_in(
        root, sys.executable, "-m", "pytest", "--quiet", "-m", make_expression([FAST]), *tests
    )
    assert int(re.findall(r"(\d+) passed", output)[0]) > 100


def test_the_page_names_the_option_of_the_engine_tests(steps: list[str]) -> None:
    assert TESTS in steps[-1]
