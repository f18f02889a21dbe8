"""Tests of the faults in the HTML of finished pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbook.site import html_faults
from handbook.site.html_faults import find_fault

PARTS = [
    *("<p>", "</p>", "<P>", "</P>", "<br>", "<br/>", "</br>", "<b>", "</b>", "</b >", "<svg />"),
    *('<a href="x y">', "</a>", "<a href=x>", "<a href='<'>", '<a href="<b>">', '<a href=""b>'),
    *("<!-- <p> -->", "<!--", "-->", "< p>", "<", ">", "</>", "<?x>", "<x-y>", "text", "&lt;"),
    *('<p title="a\nb">', "<textarea>", "</textarea>", "<p/a>", "</p/>", '</p a="b">'),
]


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<p id="a">x<br></p>', None),
        ('<svg viewBox="0 0 1 1"><path d="M0" /></svg>', None),
        ("<p><b>x</p>", "unclosed element <b>"),
        ("<p>x", "unclosed element <p>"),
        ("x</p>", "unmatched end tag </p>"),
    ],
)
def test_each_start_tag_needs_its_end_tag(html: str, fault: str | None) -> None:
    assert find_fault(html) == fault


@given(st.lists(st.sampled_from(PARTS), max_size=8).map("".join))
def test_html_without_the_parser_has_no_fault(html: str) -> None:
    fault = find_fault(html)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(html_faults, "_is_nested", lambda _: False)
        assert find_fault(html) == fault
