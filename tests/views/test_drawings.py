"""An SVG that is drawn in the page's colour becomes part of the page; any other picture stays a picture."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handbook.loading import load
from tests.handbooks import SMALL, article, copy_of

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" fill="currentColor">'
    '<title>A load</title><path d="M0 0"/></svg>'
)
PATH = "adr/0002-use-postgresql.md"


def shown(root: Path, text: str, body: str = "See ![the load by hour]({0}) here.") -> str:
    """The HTML of a body of a decision, whose folder holds load.svg with this text."""
    handbook_root = copy_of(SMALL, root / "handbook")
    (handbook_root / "adr/0002-use-postgresql/load.svg").write_text(text, encoding="utf-8")
    return article(load(handbook_root), PATH, body.format("0002-use-postgresql/load.svg"))


def test_a_drawing_in_the_page_s_colour_joins_the_page(tmp_path: Path) -> None:
    html = shown(tmp_path, DRAWING)
    assert html.startswith("<p>See <svg ")
    assert html.endswith("</svg> here.</p>\n")
    assert 'aria-label="the load by hour"' in html
    assert 'viewBox="0 0 1 1"' in html
    assert "<title>A load</title>" in html
    assert "ns0" not in html


@pytest.mark.parametrize(
    "text",
    [
        DRAWING.replace("currentColor", "#123456"),
        DRAWING.replace("<path", '<path style="fill: red"'),
        DRAWING.replace("</svg>", ""),
    ],
    ids=["in colours of its own", "with a style", "not well formed"],
)
def test_any_other_stays_a_picture(text: str, tmp_path: Path) -> None:
    html = shown(tmp_path, text)
    assert '<img alt="the load by hour" src="load.svg"' in html
    assert "<svg" not in html


@pytest.mark.parametrize(
    "inside",
    [
        '<h:meta xmlns:h="http://www.w3.org/1999/xhtml" http-equiv="refresh" content="0;url=https://evil.example"/>',
        '<form xmlns="http://www.w3.org/1999/xhtml" action="https://evil.example"><input name="p"/></form>',
        "<plaintext/>",
        "<style>path {}</style>",
        "<unknown/>",
    ],
)
def test_only_elements_of_a_drawing_join_the_page(inside: str, tmp_path: Path) -> None:
    html = shown(tmp_path, DRAWING.replace("<path", f"{inside}<path"))
    assert "<svg" not in html
    assert '<img alt="the load by hour"' in html


def test_an_id_that_reads_like_a_colour_is_an_id(tmp_path: Path) -> None:
    html = shown(tmp_path, DRAWING.replace("<path", '<g id="fade"/><use href="#fade"/><path', 1))
    assert '<g id="drawing-1-fade">' in html
    assert '<use href="#drawing-1-fade">' in html


def test_ids_and_classes_of_a_drawing_are_its_own(tmp_path: Path) -> None:
    parts = '<g id="context" class="md-header"><use href="#context"/><path fill="url(#a)" stroke="#abc"/></g><path'
    html = shown(tmp_path, DRAWING.replace("<path", parts, 1), "![a]({0}) ![b]({0})")
    assert re.findall(r' id="([^"]+)"', html) == ["drawing-1-context", "drawing-2-context"]
    assert 'href="#drawing-1-context"' in html
    assert 'fill="url(#drawing-2-a)"' in html
    assert 'stroke="#abc"' in html  # a colour
    assert "md-header" not in html
