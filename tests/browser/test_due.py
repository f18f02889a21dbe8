"""The browser marks what is late on the day on which the page is read."""

from __future__ import annotations

import datetime

import pytest
from playwright.sync_api import expect

from handbook.loading import load
from handbook.views.due import list_deadlines
from tests.browser.conftest import Opener
from tests.handbooks import SMALL

pytestmark = pytest.mark.browser

DEADLINES = list_deadlines(load(SMALL))
LAST = DEADLINES[-1].day
"""The last day on which something of the small handbook is due."""


@pytest.mark.parametrize("width", [390, 1440])
def test_late_rows_are_marked_counted_and_filtered_and_the_view_has_an_address(
    width: int, open_browser: Opener
) -> None:
    watched = open_browser(width)
    page = watched.page
    now = datetime.datetime.combine(LAST, datetime.time(12), datetime.UTC)
    page.clock.set_fixed_time(now + datetime.timedelta(days=2))
    watched.open("due/")
    rows = page.locator("tr[data-due]")
    expect(rows).to_have_count(len(DEADLINES))
    expect(rows.last).to_contain_text("2 days late")
    expect(page.locator(".hb-due-counts")).to_have_text(
        f"{len(DEADLINES)} late, 0 due within 30 days"
    )
    owner = DEADLINES[-1].owners[0]
    page.locator("select[name=state]").select_option("late")
    page.locator("select[name=owner]").select_option(owner)
    expect(page.locator("tr[data-due]:visible")).to_have_count(
        sum(owner in deadline.owners for deadline in DEADLINES)
    )
    assert f"owner={owner}" in page.url
    assert "state=late" in page.url
    page.clock.set_fixed_time(now - datetime.timedelta(days=3))
    watched.open("due/?state=within+30+days")
    expect(page.locator("tr[data-due]:visible").last).to_contain_text("due in 3 days")
    assert watched.faults == []


def test_without_scripts_the_dates_are_there(open_browser: Opener) -> None:
    page = open_browser(scripts=False).open("due/")
    expect(page.locator("time.hb-due")).to_have_count(len(DEADLINES))
    expect(page.locator("time.hb-due").last).to_have_text(f"{LAST}")
