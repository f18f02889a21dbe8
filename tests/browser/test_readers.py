"""What readers come for: an alert's fix on a phone, a record by its id, an error message, a page without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Opener

pytestmark = pytest.mark.browser


def search(page: Page, query: str) -> None:
    """Type a query into Material's search, as a reader does."""
    toggle = page.locator("label.md-header__button[for=__search]")
    if toggle.is_visible():
        toggle.click()
    page.get_by_role("textbox", name="Search").click()
    page.keyboard.type(query)
    page.locator(".md-search-result__link").first.wait_for()


def titles(page: Page, most: int = 3) -> list[str]:
    return [text.strip() for text in page.locator(".md-search-result__link h1").all_inner_texts()[:most]]


def wait_for_title(page: Page, title: str) -> None:
    """Until a title is among the first three: results of a part of the query go before those of the whole."""
    for _ in range(50):
        if title in titles(page):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{title} is not among {titles(page)}")


def test_from_an_alert_s_name_to_the_command_of_its_fix_in_two_taps(opened: Opener) -> None:
    watched = opened(390)
    page = watched.open("")
    search(page, "OrderServiceHighErrorRate")
    page.locator(".md-search-result__link", has_text="OrderServiceHighErrorRate").first.tap()
    page.wait_for_url("**/alerts/OrderServiceHighErrorRate/**")
    page.get_by_role("link", name="Out of memory").tap()
    page.wait_for_url("**/runbooks/order-service/high-error-rate/#out-of-memory")
    command = page.get_by_text("kubectl argo rollouts restart").first
    assert command.is_visible()
    box = command.bounding_box()
    assert box
    assert 0 <= box["y"] < 844
    assert watched.faults == []


def test_the_address_of_an_alert_leads_to_its_runbook(opened: Opener) -> None:
    page = opened().open("alerts/OrderServiceErrorsCritical/")
    page.get_by_role("link", name="Runbook: Order service: database connection pool exhausted").click()
    page.wait_for_url("**/runbooks/order-service/database-connection-pool-exhausted/")
    assert page.get_by_role("heading", level=1).inner_text().startswith("Order service: database connection pool")


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("ADR-0023", "Use PostgreSQL for the orders service"),
        ("OrderServiceErrorsCritical", "OrderServiceErrorsCritical"),
        ("connection pool timeout", "Order service: database connection pool exhausted"),
        ("RateLimitError", "Order service: high error rate"),
    ],
)
def test_search_finds_it_among_the_first(opened: Opener, query: str, title: str) -> None:
    page = opened().open("")
    search(page, query)
    wait_for_title(page, title)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("", "OrderServiceHighErrorRate"),
        ("standards/", "Incident management"),
        ("checklist/", "Every alert leads to a runbook that lists it"),
        ("adr/", "Use PostgreSQL for the orders service"),
        ("runbooks/", "Order service: high error rate"),
        ("runbooks/order-service/high-error-rate/", "kubectl argo rollouts restart"),
        ("postmortems/", "31 min"),
        ("actions/", "Check the performance of queries in CI"),
        ("services/order-service/", "1 shown by a machine, 1 by evidence, 1 attested"),
        ("search/", "Keep the gate outside MkDocs"),
    ],
)
def test_a_page_is_read_without_scripts(opened: Opener, url: str, text: str) -> None:
    watched = opened(390, scripts=False)
    page = watched.open(url)
    assert page.get_by_text(text).first.is_visible()


def test_the_tap_on_a_rule_s_id_leads_to_the_rule(opened: Opener) -> None:
    page = opened().open("how-to/add-a-post-mortem/")
    page.get_by_role("link", name="STD-11").first.click()
    page.wait_for_url("**/standards/11-incident-management/")
    page.goto(page.url + "#std-11-6")
    rule = page.locator("#std-11-6")
    assert rule.is_visible()
    assert "within 5 business days" in rule.inner_text()
