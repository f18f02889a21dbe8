"""The build as a command: what it never does, and what never changes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from macros import plugin
from tests.commands import BIN, run
from tests.handbooks import ADR, ROOT, SMALL, copy_of, write

pytestmark = pytest.mark.build

# Runs a command of the environment as if it were another day.
ON_ANOTHER_DAY = """
import sys
import time_machine
from importlib.metadata import entry_points
day, name, *arguments = sys.argv[1:]
sys.argv = [name, *arguments]
(command,) = entry_points(group="console_scripts", name=name)
with time_machine.travel(day, tick=True):
    sys.exit(command.load()())
"""


def contents(site: Path) -> dict[str, bytes]:
    return {file.relative_to(site).as_posix(): file.read_bytes() for file in sorted(site.rglob("*")) if file.is_file()}


@pytest.mark.parametrize(
    "command", [["handbook", "check"], ["mkdocs", "build", "--site-dir", "{site}"]], ids=["check", "build"]
)
def test_two_years_on_nothing_fails(command: list[str], tmp_path: Path) -> None:
    arguments = [argument.format(site=tmp_path / "site") for argument in command]
    answer = run("python", "-c", ON_ANOTHER_DAY, "2028-11-23", *arguments, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    assert "DEC011 warning: was to be reviewed by 2027-04-30" in answer.stdout + answer.stderr


def test_a_finding_of_the_clock_does_not_change_the_pages(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    run("python", "-c", ON_ANOTHER_DAY, "2026-11-23", "mkdocs", "build", "--site-dir", "a", cwd=root, check=True)
    run("python", "-c", ON_ANOTHER_DAY, "2028-11-23", "mkdocs", "build", "--site-dir", "b", cwd=root, check=True)
    first, second = contents(root / "a"), contents(root / "b")
    assert {name for name in first if first[name] != second.get(name)} - {"sitemap.xml", "sitemap.xml.gz"} == set()
    assert first.keys() == second.keys()


def test_every_error_is_printed_at_once(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    for name in ("0001-keep-orders-in-sqlite", "0002-use-postgresql", "0003-keep-orders-in-mysql"):
        file = root / f"adr/{name}.md"
        file.write_text(
            file.read_text(encoding="utf-8").replace("deciders: [", "deciders: [nobody, "), encoding="utf-8"
        )
    answer = run("mkdocs", "build", cwd=root)
    assert answer.stderr.count("FM005 error: deciders 'nobody'") == 3
    assert answer.stderr.startswith("Error: the gate found errors\n")
    assert "Traceback" not in answer.stderr


def test_a_page_that_differs_from_what_was_checked_stops_the_build(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    spoiler = (
        "def on_page_markdown(markdown, **_):\n    return markdown.replace('- PostgreSQL: one', 'PostgreSQL: one')\n"
    )
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"spoil.py": spoiler, "mkdocs.yml": settings + "hooks: [spoil.py]\n"})
    answer = run("mkdocs", "build", cwd=root)
    assert answer.returncode == 1
    assert "adr/0001-keep-orders-in-sqlite.md:22:1: MD099 error: bulleted list of 1 at depth 0" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not list((root / "site").rglob("*.html"))


def test_a_page_with_a_warning_is_compared_all_the_same(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    spoiler = "def on_page_markdown(markdown, **_):\n    return markdown.replace('- MySQL: weaker', 'MySQL: weaker')\n"
    record = root / "adr/0002-use-postgresql.md"
    text = record.read_text(encoding="utf-8").replace("review_by: 2027-03-02", "review_by: 2026-03-03")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(
        root, {"spoil.py": spoiler, "mkdocs.yml": settings + "hooks: [spoil.py]\n", "adr/0002-use-postgresql.md": text}
    )
    answer = run("mkdocs", "build", cwd=root)
    assert "DEC011 warning" in answer.stderr
    assert "MD099 error" in answer.stderr
    assert answer.returncode == 1


def test_a_difference_that_is_allowed_does_not_stop_the_build(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    record = root / "adr/0001-keep-orders-in-sqlite.md"
    text = record.read_text(encoding="utf-8")
    comment = "<!-- handbook: allow MD011: it is its name -->"
    record.write_text(text.replace("A backup", f"{comment}\n### Written in C#\n\nA backup"), encoding="utf-8")
    assert run("mkdocs", "build", cwd=root).returncode == 0
    record.write_text(text.replace("A backup", "### Written in C#\n\nA backup"), encoding="utf-8")
    assert run("mkdocs", "build", cwd=root).returncode == 1


def test_what_only_mkdocs_sees_stops_the_build_too(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    write(root, {"docs/lost.md": "# Not in the navigation\n"})
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings + "validation: {nav: {omitted_files: warn}}\n"})
    answer = run("mkdocs", "build", cwd=root)
    assert answer.returncode == 1
    assert "lost.md" in answer.stderr


def test_make_site_keeps_the_old_site_when_a_build_fails(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    shutil.copy(ROOT / "Makefile", root / "Makefile")
    shutil.copytree(ROOT / "requirements", root / "requirements")
    shutil.copy(ROOT / "pyproject.toml", root / "pyproject.toml")
    venv = root / ".venv"
    venv.mkdir()
    (venv / "bin").symlink_to(BIN)
    for stamp in (".created", ".site"):
        (venv / stamp).touch()
    run_make(root)
    before = contents(root / "site")
    assert "adr/0001-keep-orders-in-sqlite/index.html" in before
    write(root, {"adr/0004-broken.md": ADR.replace("accepted", "acepted")})
    with pytest.raises(AssertionError, match="FM005"):
        run_make(root)
    assert contents(root / "site") == before
    (root / "adr/0004-broken.md").unlink()
    run_make(root)
    assert contents(root / "site").keys() == before.keys()


def run_make(root: Path) -> None:
    import subprocess

    answer = subprocess.run(
        ["make", "site"], cwd=root, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert answer.returncode == 0, answer.stderr


def test_the_code_of_the_build_s_own_finding_is_no_rule_of_the_gate() -> None:
    from macros.rules import rules

    assert plugin._OUTLINE[0] not in rules()
