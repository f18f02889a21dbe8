"""An SVG that is drawn in the page's colour becomes part of the page; any other picture stays a picture."""

from __future__ import annotations

from pathlib import Path

import markdown
import pytest

from handbook.loading import load
from handbook.site.rendering import RecordMarkdown
from tests.handbooks import SMALL, copy_of

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" fill="currentColor">'
    '<title>A load</title><path d="M0 0"/></svg>'
)
PATH = "adr/0002-use-postgresql.md"


def shown(root: Path, text: str) -> str:
    """The HTML of a picture in a decision, whose folder holds load.svg with this text."""
    handbook_root = copy_of(SMALL, root / "handbook")
    (handbook_root / "adr/0002-use-postgresql/load.svg").write_text(text, encoding="utf-8")
    extension = RecordMarkdown(load(handbook_root))
    extension.path = PATH
    return markdown.Markdown(extensions=[extension]).convert(
        "See ![the load by hour](0002-use-postgresql/load.svg) here."
    )


def test_a_drawing_in_the_page_s_colour_joins_the_page(tmp_path: Path) -> None:
    html = shown(tmp_path, DRAWING)
    assert html.startswith("<p>See <svg ")
    assert html.endswith("</svg> here.</p>")
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
    assert '<img alt="the load by hour" src="0002-use-postgresql/load.svg"' in html
    assert "<svg" not in html
