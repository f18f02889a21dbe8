"""Two processes at one list, and fragments of templates that are rendered once."""

from __future__ import annotations

import filecmp
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, Environment

from benchmarks.generate import generate
from handbook.engines.fragments import once
from tests.commands import run
from tests.handbooks import ROOT

# In a process of its own: one with threads, as the suite's may be, is not to be forked.
WORK = """
import os, sys, time
from handbook.engines.ahead import Ahead
def work(index):
    {body}
    return index, os.getpid()
ahead = Ahead(4, work)
os.waitid(os.P_PID, ahead._process, os.WEXITED | os.WNOWAIT)  # so that what it has come to is known
print([made and (made[0], made[1] != os.getpid()) for made in map(ahead.take, range(4))])
ahead.end()
"""


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        ("", "[(0, True), (1, True), (2, True), (3, True)]"),
        ("if index == 2: return None", "[(0, True), (1, True), None, (3, True)]"),
        ("if index == 2: raise ValueError", "[None, None, None, (3, True)]"),
        ("if index == 2: os.abort()", "[None, None, None, None]"),
        ("if index == 3: sys.exit()", "[None, None, None, None]"),
    ],
    ids=["all", "one not made", "an error", "killed", "an end"],
)
def test_what_the_other_process_has_not_made_is_left_to_the_caller(body: str, taken: str) -> None:
    answer = run("python", "-c", WORK.format(body=body), cwd=ROOT)
    assert (answer.stdout, answer.stderr) == (f"{taken}\n", "")


def test_it_stops_when_it_is_told_to() -> None:
    work = "lambda index: time.sleep(0.05)"
    script = f"import time; from handbook.engines.ahead import Ahead; a = Ahead(1000, {work}); a.end(); print(1)"
    begin = time.monotonic()
    assert run("python", "-c", script, cwd=ROOT).stdout == "1\n"
    assert time.monotonic() - begin < 40  # all of it takes fifty


# A build in two processes that renders once what records share; and one that does everything by itself, for each page.
BUILD = """
import sys
from mkdocs.__main__ import cli
from handbook.engines import ahead
from handbook.engines import fragments
from handbook.site import finish as publishing
publishing.index = lambda site: None
ahead.possible = lambda: sys.argv[1] == "two"
if sys.argv[1] == "one":
    once = fragments.once
    fragments.once = lambda place: once(lambda context: None)
cli(["build", "--site-dir", sys.argv[2]])
"""


@pytest.mark.build
@pytest.mark.skipif(sys.platform == "win32", reason="nothing is forked there")
def test_a_site_is_the_same_without_what_makes_its_build_quick(tmp_path: Path) -> None:
    generate(tmp_path / "handbook", 120)
    for name in ("one", "two"):
        run("python", "-c", BUILD, name, str(tmp_path / name), cwd=tmp_path / "handbook", check=True)
    pages = [page.relative_to(tmp_path / "one") for page in (tmp_path / "one").rglob("*") if page.is_file()]
    assert len(pages) > 120
    assert filecmp.cmpfiles(tmp_path / "one", tmp_path / "two", map(str, pages), shallow=False)[1:] == ([], [])


def test_a_fragment_is_rendered_once_a_place() -> None:
    text = "{% call once('x') %}{{ count() }}{% endcall %}"
    environment = Environment(loader=DictLoader({"page": text}), autoescape=True)
    counted: list[Any] = []

    def count() -> int:
        counted.append(None)
        return len(counted)

    environment.globals |= {"count": count, "once": once(lambda context: context["place"])}
    page = environment.get_template("page")
    assert [page.render(place=place) for place in ("a", "b", "a", None, None, "b")] == ["1", "2", "1", "3", "4", "2"]


@pytest.mark.build
def test_what_the_other_process_would_say_is_said_once(tmp_path: Path) -> None:
    root = tmp_path / "handbook"
    generate(root, 120)
    hook = """
import logging

def on_page_markdown(markdown, page, **_):
    if page.file.src_uri.startswith("postmortems/2"):
        logging.getLogger("mkdocs.plugins.odd").warning("odd: %s", page.file.src_uri)
"""
    (root / "odd.py").write_text(hook, encoding="utf-8")
    with (root / "mkdocs.yml").open("a", encoding="utf-8") as settings:
        settings.write("\nhooks: [odd.py]\n")
    pages = sorted(f"odd: {file.relative_to(root).as_posix()}" for file in root.glob("postmortems/2*.md"))
    answer = run("python", "-c", BUILD, "two", str(tmp_path / "site"), cwd=root)
    assert sorted(line.partition("WARNING -  ")[2] for line in answer.stderr.splitlines() if "odd:" in line) == pages
    assert f"Aborted with {len(pages)} warnings in strict mode!" in answer.stdout + answer.stderr
    assert answer.returncode == 1
