"""The menu of every kind of page works on a phone and a wide screen, by keyboard and with axe."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.test_pages import load_axe

pytestmark = pytest.mark.browser

KINDS = {
    "": "Home",
    "404.html": "Runbooks",
    "adr/": "ADR-0002 Use PostgreSQL for orders",
    "adr/0002-use-postgresql/": "ADR-0001 Keep orders in SQLite",
    "alerts/OrdersDown/": "OrdersFlat",
    "due/": "Exceptions",
    "how-to/add-a-runbook/": "Add an alert",
    "postmortems/2026-05-04-orders-stopped/": "All post-mortems",
    "reference/rules/": "Exceptions",
    "runbooks/": "Orders are down",
    "runbooks/shop/orders-down/": "Orders do not change",
    "search/": "Home",
    "services/shop/": "Warehouse",
    "standards/05-testing/": "Compliance checklist",
    "teams/order-team/": "shop-team",
}
"""A page of each kind, with a link in its menu that leads to another page."""


def find_violations(page: Page) -> list[str]:
    """Return the ids and the places of the violations, best practices included."""
    load_axe(page)
    violations: list[dict[str, Any]] = page.evaluate(
        "() => axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations)"
    )
    return [f"{item['id']}: {node['target']}" for item in violations for node in item["nodes"]]


@pytest.mark.parametrize(("width", "palette"), [(390, "dark"), (1440, "light")])
def test_every_kind_of_page_has_a_menu(open_browser: Opener, width: int, palette: str) -> None:
    watched = open_browser(width, palette)
    for url, link in KINDS.items():
        page = watched.open(url)
        menu = page.get_by_role("navigation", name="Menu", exact=True)
        button = page.get_by_role("button", name="Menu", exact=True)
        if width < 500:
            expect(menu).to_be_hidden()
            button.focus()
            page.keyboard.press("Enter")
            expect(button).to_have_attribute("aria-expanded", "true")
            expect(menu).to_be_focused()
            expect(menu.get_by_role("link", name="A small handbook")).to_be_visible()
            expect(menu.get_by_text("All sections")).to_be_visible()
        if width < 500 or url:
            expect(menu.get_by_role("link", name=link, exact=True).last).to_be_visible()
            assert menu.locator("a[aria-current]:visible").count() <= 2, url
        assert find_violations(page) == [], url
        if width < 500:
            page.keyboard.press("Escape")
            expect(menu).to_be_hidden()
            expect(button).to_be_focused()
    assert [fault for fault in watched.faults if "404" not in fault] == []


def test_previous_and_next_lead_through_the_decisions_by_keyboard(open_browser: Opener) -> None:
    watched = open_browser(390)
    page = watched.open("adr/0001-keep-orders-in-sqlite/")
    for id in ("ADR-0002", "ADR-0003"):
        page.locator(".hb-steps a[rel=next]").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".hb-facts__id").first).to_have_text(id)
    expect(page.locator(".hb-steps a[rel=next]")).to_have_count(0)
    page.locator(".hb-steps a[rel=prev]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".hb-facts__id").first).to_have_text("ADR-0002")


def test_the_menu_opens_by_keyboard_without_scripts(open_browser: Opener) -> None:
    page = open_browser(390, scripts=False).open("runbooks/shop/orders-down/")
    menu = page.get_by_role("navigation", name="Menu", exact=True)
    expect(menu).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox", name="Menu", exact=True)).to_be_focused()
    page.keyboard.press("Space")
    menu.get_by_role("link", name="Search is slow").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("search is slow")
