"""The browser marks what is late on the day on which the page is read."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from handbook.loading import load
from handbook.views.due import Deadline, list_deadlines
from tests.browser.conftest import Opener

pytestmark = pytest.mark.browser

NOON = datetime.time(12)


@pytest.fixture(scope="module")
def deadlines(small_site: Path) -> tuple[Deadline, ...]:
    """Return everything that is due in the small handbook, by day."""
    return list_deadlines(load(small_site.parent))


def focus(page: Page, target: Locator) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(120):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {target}")


def follow(page: Page, link: Locator, url: str | re.Pattern[str]) -> None:
    """Open a link with the keyboard, and wait for its page."""
    focus(page, link)
    page.keyboard.press("Enter")
    page.wait_for_url(url)


@pytest.mark.parametrize("width", [390, 1440])
def test_late_rows_are_marked_counted_and_filtered_and_the_view_has_an_address(
    width: int, open_browser: Opener, deadlines: tuple[Deadline, ...]
) -> None:
    watched = open_browser(width, shared=False)
    page = watched.page
    now = datetime.datetime.combine(deadlines[-1].day, NOON, datetime.UTC)
    page.clock.set_fixed_time(now + datetime.timedelta(days=2))
    watched.open("due/")
    rows = page.locator("tr[data-due]")
    expect(rows).to_have_count(len(deadlines))
    expect(rows.last).to_contain_text("2 days late")
    expect(page.locator(".hb-due-counts")).to_have_text(
        f"{len(deadlines)} late, 0 due within 30 days"
    )
    owner = deadlines[-1].owners[0]
    if width == 390:
        page.get_by_role("button", name="More filters").click()
    page.locator("select[name=state]").select_option("late")
    page.locator("select[name=owner]").select_option(owner)
    expect(page.locator("tr[data-due]:visible")).to_have_count(
        sum(owner in deadline.owners for deadline in deadlines)
    )
    assert f"owner={owner}" in page.url
    assert "state=late" in page.url
    page.clock.set_fixed_time(now - datetime.timedelta(days=3))
    watched.open("due/?state=within+30+days")
    expect(page.locator("tr[data-due]:visible").last).to_contain_text("due in 3 days")
    assert watched.faults == []


def test_on_a_phone_the_keyboard_leads_to_overdue_actions_and_to_the_living_decision(
    open_browser: Opener, deadlines: tuple[Deadline, ...]
) -> None:
    (action,) = (deadline for deadline in deadlines if deadline.kind == "action")
    watched = open_browser(390, shared=False)
    page = watched.page
    page.clock.set_fixed_time(
        datetime.datetime.combine(action.day, NOON, datetime.UTC) + datetime.timedelta(days=9)
    )
    main = watched.open("").get_by_role("main")
    follow(page, main.get_by_role("link", name="What is due"), "**/due/")
    focus(page, page.get_by_role("button", name="More filters"))
    page.keyboard.press("Enter")
    for name, value in (("kind", "action"), ("owner", "shop-team"), ("state", "late")):
        focus(page, page.locator(f".hb-filter select[name={name}]"))
        page.keyboard.type(value)
    rows = page.locator("tr[data-due]:visible")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("A2 of Orders stopped")
    expect(rows).to_contain_text("9 days late")
    shared_address = page.url
    follow(page, rows.get_by_role("link", name="shop-team"), "**/teams/shop-team/")
    team_rows = page.locator("tr[data-due]:visible")
    expect(team_rows).to_have_count(sum("shop-team" in item.owners for item in deadlines))
    expect(team_rows.filter(has_text="A2 of Orders stopped")).to_contain_text("9 days late")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(shared_address)
    expect(rows).to_have_count(1)
    follow(page, rows.get_by_role("link", name="A2 of"), re.compile(r"/actions/#.*-a2$"))

    watched.open("adr/0001-keep-orders-in-sqlite/")
    banner = page.get_by_role("note").filter(has_text="Do not follow")
    follow(page, banner.get_by_role("link"), "**/adr/0002-use-postgresql/")
    assert watched.faults == []


def test_without_scripts_the_dates_are_there(
    open_browser: Opener, deadlines: tuple[Deadline, ...]
) -> None:
    page = open_browser(scripts=False).open("due/")
    expect(page.locator("time.hb-due")).to_have_count(len(deadlines))
    expect(page.locator("time.hb-due").last).to_have_text(f"{deadlines[-1].day}")
