"""The filter, the order and the rows on demand of the indexes of the small handbook."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from handbook.rules.engine import rules
from tests.browser.conftest import INDEXES, Opener
from tests.browser.test_pages import RUN_AXE, find_violations

pytestmark = pytest.mark.browser

ROWS = ".hb-table[data-rows] tbody tr"
PHONE, DESKTOP = 390, 1440
FITS = "document.documentElement.scrollWidth <= innerWidth"


def count_shown(page: Page) -> int:
    """Return the number of rows that have a place on the page."""
    return page.locator(f"{ROWS}:visible").count()


@pytest.mark.parametrize(("width", "palette"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_every_index_says_when_nothing_matches_and_is_accessible(
    width: int, palette: str, open_browser: Opener
) -> None:
    watched = open_browser(width, palette)
    for url in INDEXES:
        page = watched.open(url)
        rows = count_shown(page)
        assert rows, url
        field = page.get_by_label("Filter by text")
        field.fill("nothing has this text")
        expect(page.get_by_text("Nothing matches the filter.")).to_be_visible()
        assert count_shown(page) == 0, url
        assert find_violations(page) == []
        # The best practices are those of the article, because the theme is around it.
        violations = page.evaluate(
            RUN_AXE.replace("document", "document.querySelector('article')"), ["best-practice"]
        )
        assert [violation["id"] for violation in violations] == [], url
        page.get_by_role("button", name="Show everything").press("Enter")
        page.wait_for_function("() => !location.search")
        expect(field).to_be_focused()
        assert count_shown(page) == rows, url
        if width == PHONE:  # Text of twice the size also fits.
            page.evaluate("document.documentElement.style.fontSize = '250%'")
            assert page.evaluate(FITS), url
    assert watched.faults == []


def test_a_phone_keeps_the_filter_in_reach_and_sorts_by_a_field(open_browser: Opener) -> None:
    watched = open_browser(PHONE)
    page = watched.open("adr/")
    assert page.locator(".hb-table thead button").count() == 0
    expect(page.locator(".hb-zero").first).to_be_hidden()
    toggle = page.get_by_role("button", name="More filters")
    expect(page.locator("select[name=status]")).to_be_hidden()
    toggle.focus()
    page.keyboard.press("Enter")
    page.locator("select[name=status]").select_option("accepted")
    expect(toggle).to_have_text("More filters (1)")
    assert count_shown(page) == 1
    page.get_by_role("button", name="Clear").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Filter by text")).to_be_focused()
    page.get_by_label("Sort by").select_option("Decision, descending")
    page.wait_for_url("**/adr/?sort=-Decision")
    page.reload()
    expect(page.locator("select[name=sort]")).to_have_value("-Decision")
    page = watched.open("reference/rules/")
    page.evaluate("scrollTo(0, 4000)")
    expect(page.get_by_label("Filter by text")).to_be_in_viewport()
    assert watched.faults == []


def test_the_heads_of_the_columns_sort_by_keyboard(open_browser: Opener) -> None:
    watched = open_browser(DESKTOP)
    page = watched.open("reference/rules/?family=Standards")
    head = page.get_by_role("columnheader", name="Rule")
    button = page.get_by_role("button", name="Rule", exact=True)
    assert "2195" in page.evaluate(
        "getComputedStyle(document.querySelector('th button'), '::after').content"
        ".codePointAt(2).toString(16)"
    )
    first = page.locator(f"{ROWS}:visible").first
    for order, code in (("ascending", "STD001"), ("descending", "STD0")):
        button.focus()
        page.keyboard.press("Enter")
        expect(head).to_have_attribute("aria-sort", order)
        assert code in first.inner_text()
    assert not first.inner_text().startswith("STD001")
    page.wait_for_url("**/?family=Standards&sort=-Rule")
    page.set_viewport_size({"width": PHONE, "height": 844})
    expect(button).to_have_attribute("tabindex", "-1")
    assert watched.faults == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_rows_beyond_the_first_hundred_are_shown_on_request(
    width: int, open_browser: Opener
) -> None:
    watched = open_browser(width)
    page = watched.open("reference/rules/")
    assert count_shown(page) == 100
    expect(page.locator(".hb-filter output")).to_have_text(f"{len(rules())}")
    more = page.get_by_role("checkbox", name=f"Show all {len(rules())}")
    more.check()
    assert count_shown(page) == len(rules())
    more.uncheck()
    assert count_shown(page) == 100
    # A filter also finds the other rows.
    last = [*rules()][-1]
    page.get_by_label("Filter by text").fill("safe01")
    assert 0 < count_shown(page) < 20
    expect(more).to_be_hidden()
    # The old address of a text leads to the text.
    watched.open(f"reference/rules/#{last.lower()}")
    page.wait_for_url(f"**/reference/rules/*/#{last.lower()}")
    assert page.locator(f"#{last.lower()}").is_visible()
    assert watched.faults == []


def test_without_scripts_all_rows_are_there(open_browser: Opener) -> None:
    page = open_browser(PHONE, scripts=False).open("reference/rules/#safe001")
    assert count_shown(page) == len(rules())
    assert page.locator("#safe001").is_visible()
    for control in (".hb-filter", ".hb-more", ".hb-empty"):
        assert page.locator(control).first.is_hidden()
    page.locator("#safe001 a").first.click()
    page.wait_for_url("**/reference/rules/safe/#safe001")


def test_the_doors_of_the_home_page_are_in_one_row_or_one_column(open_browser: Opener) -> None:
    page = open_browser().open("")
    for width in (PHONE, 768, 900, 1024, 1280, DESKTOP):
        page.set_viewport_size({"width": width, "height": 844})
        boxes = [door.bounding_box() for door in page.locator(".hb-door").all()]
        assert len({round(box["y"]) for box in boxes if box}) in (1, len(boxes)), width
        assert page.evaluate(FITS)
