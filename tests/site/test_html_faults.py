"""Faults in the HTML of a page: plain tags are read without a parser, and with the same result."""

from __future__ import annotations

import random

import pytest

from handbook.site import html_faults
from handbook.site.html_faults import find_fault

PIECES = (
    "<p>", "</p>", "<b>", "</b>", "<br>", "<br />", "<wbr>", "<i/>", "<B>", "</B>", "</b >",
    '<a href="#x">', "</a>", '<a href="<">', "<a href=#x/>", '<a title="a > b">', "<p\nid>",
    "text", "<", ">", "&lt;", "<!-- <b> -->", "<textarea>", "</textarea>", "<title><b></title>",
    '<svg viewBox="0 0 1 1">', "<title>Load</title>", "</svg>", '<use xlink:href="#a" />',
)  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_plain_tags_have_the_faults_that_the_parser_finds(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same texts in every run
    texts = ["".join(chance.choices(PIECES, k=chance.randrange(1, 9))) for _ in range(300)]
    faults = list(map(find_fault, texts))
    plain_texts = sum(html_faults._read_plain_tags(text) is not None for text in texts)
    assert 0 < plain_texts < len(texts)
    monkeypatch.setattr(html_faults, "_read_plain_tags", lambda _: None)
    assert faults == list(map(find_fault, texts))


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<p>a</p><hr><img />", None),
        ("<p><b>a</p>", "unclosed element <b>"),
        ("<p>a", "unclosed element <p>"),
        ("<p>a</p></div>", "unmatched end tag </div>"),
    ],
)
def test_the_first_unmatched_tag_is_a_fault(html: str, fault: str | None) -> None:
    assert find_fault(html) == fault
