"""Embed an SVG that uses the page's colour; keep any other picture as an image."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handbook.loading import load
from tests.handbooks import SMALL, copy_site, render_article

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" fill="currentColor">'
    '<title>A load</title><path d="M0 0"/></svg>'
)
PATH = "adr/0002-use-postgresql.md"


def render_with_drawing(
    root: Path, text: str, body: str = "See ![the load by hour]({0}) here."
) -> str:
    """Render a decision's body; its folder contains load.svg with this text."""
    handbook_root = copy_site(SMALL, root / "handbook")
    (handbook_root / "adr/0002-use-postgresql/load.svg").write_text(text, encoding="utf-8")
    return render_article(load(handbook_root), PATH, body.format("0002-use-postgresql/load.svg"))


def test_a_drawing_in_the_page_colour_is_embedded(tmp_path: Path) -> None:
    html = render_with_drawing(tmp_path, DRAWING)
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
    ids=["fixed-colours", "style", "not-well-formed"],
)
def test_any_other_drawing_stays_an_image(text: str, tmp_path: Path) -> None:
    html = render_with_drawing(tmp_path, text)
    assert '<img alt="the load by hour" src="load.svg"' in html
    assert "<svg" not in html


@pytest.mark.parametrize(
    "inside",
    [
        '<h:meta xmlns:h="http://www.w3.org/1999/xhtml" http-equiv="refresh" '
        'content="0;url=https://evil.example"/>',
        '<form xmlns="http://www.w3.org/1999/xhtml" action="https://evil.example">'
        '<input name="p"/></form>',
        "<plaintext/>",
        "<style>path {}</style>",
        "<unknown/>",
    ],
)
def test_unsafe_elements_prevent_embedding(inside: str, tmp_path: Path) -> None:
    html = render_with_drawing(tmp_path, DRAWING.replace("<path", f"{inside}<path"))
    assert "<svg" not in html
    assert '<img alt="the load by hour"' in html


def test_an_id_like_a_colour_is_an_id(tmp_path: Path) -> None:
    html = render_with_drawing(
        tmp_path, DRAWING.replace("<path", '<g id="fade"/><use href="#fade"/><path', 1)
    )
    assert '<g id="drawing-1-fade">' in html
    assert '<use href="#drawing-1-fade">' in html


def test_embedding_renames_ids_and_removes_classes(tmp_path: Path) -> None:
    elements = (
        '<g id="context" class="md-header"><use href="#context"/>'
        '<path fill="url(#a)" stroke="#abc"/></g><path'
    )
    html = render_with_drawing(
        tmp_path, DRAWING.replace("<path", elements, 1), "![a]({0}) ![b]({0})"
    )
    assert re.findall(r' id="([^"]+)"', html) == ["drawing-1-context", "drawing-2-context"]
    assert 'href="#drawing-1-context"' in html
    assert 'fill="url(#drawing-2-a)"' in html
    assert 'stroke="#abc"' in html  # a colour, not an id
    assert "md-header" not in html
