"""Engines besides MkDocs: ProperDocs builds the same site, and Zensical the same text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.commands import run
from tests.engines.test_macros import make_handbook
from tests.handbooks import ADR, SMALL, copy_site, write

pytestmark = pytest.mark.build

GENERATOR = re.compile(rb'<meta name="generator" content="[^"]*">')
ADDED_BY_THEME = ".headerlink, .md-content__button, .md-source-file, .md-tags, #__skip, form"
"""Elements that a theme adds to the article."""


def read_text_and_ids(page: Path) -> tuple[str, list[str]]:
    """Return the text of the article without white space, and the ids in the article."""
    article = LexborHTMLParser(page.read_bytes()).css_first("article.md-content__inner")
    assert article is not None, page
    for node in article.css(ADDED_BY_THEME):
        node.decompose()
    return "".join(article.text().split()), sorted(
        node.attributes["id"] or "" for node in article.css("[id]")
    )


MACROS = "plugins:\n  - macros: {modules: [shop]}\n  - handbook\nnot_in_nav: /x.md\n"
PAGE = """---
render_macros: true
description: One & two
---
# Hello *you* `_x_` & {{ 1 + 1 }}

{{ hello('you') }}
"""
TABS = '---\nmarkdown: material\n---\n# Tabs\n\n=== "A"\n\n    x\n'
HELLO = """def define_env(env):
    @env.macro
    def hello(name):
        return f'**{name}**, {env.page.url}'
"""


def test_a_stage_holds_macros_and_pages_of_material(tmp_path: Path) -> None:
    root = make_handbook(
        tmp_path / "handbook", MACROS, {"shop.py": HELLO, "docs/x.md": PAGE, "docs/tabs.md": TABS}
    )
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings.replace("nav:\n", "nav:\n  - tabs.md\n", 1)})
    assert run("handbook", "stage", "../stage", cwd=root).returncode == 0
    staged = (tmp_path / "stage/docs/x.md").read_text(encoding="utf-8")
    assert "description: One &amp; two" in staged
    assert "<strong>you</strong>, x/" in staged
    assert '=== "A"' in (tmp_path / "stage/docs/tabs.md").read_text(encoding="utf-8")
    assert run("zensical", "build", cwd=tmp_path / "stage").returncode == 0
    heading = LexborHTMLParser((tmp_path / "stage/site/x/index.html").read_bytes()).css_first("h1")
    assert heading is not None
    assert heading.text().startswith("Hello you _x_ & 2")
    assert heading.css_first("code") is not None


def test_a_stage_replaces_only_an_older_stage(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(tmp_path, {"full/file": "x"})
    for folder in ("../full", ".", "docs/stage", ".."):
        answer = run("handbook", "stage", folder, cwd=root)
        assert answer.returncode == 2, folder
        assert "choose another folder" in answer.stderr
    assert run("handbook", "stage", "../stage", cwd=root).returncode == 0
    write(tmp_path, {"stage/docs/old.md": "# Old\n"})
    assert run("handbook", "stage", "../stage", cwd=root).returncode == 0
    assert not (tmp_path / "stage/docs/old.md").exists()
    write(root, {"adr/0001-keep-orders-in-sqlite.md": ADR.replace("accepted", "acepted")})
    answer = run("handbook", "stage", "../stage", cwd=root)
    assert answer.returncode == 1
    assert "FM005 error" in answer.stderr
    assert (tmp_path / "stage/docs/index.md").exists()
