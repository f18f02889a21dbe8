"""Every kind of page in a real browser: it works, asks nobody else, and is accessible (axe-core, WCAG 2.2 AA)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Opener, page_with

pytestmark = pytest.mark.browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

PAGES = [
    "",
    "standards/",
    "standards/11-incident-management/",
    "checklist/",
    "adr/",
    "adr/0023-use-postgresql-for-orders/",
    "runbooks/",
    "runbooks/order-service/high-error-rate/",
    "alerts/OrderServiceHighErrorRate/",
    "postmortems/",
    "postmortems/2026-05-15-order-service-outage/",
    "actions/",
    "services/",
    "services/order-service/",
    "search/",
    "how-to/add-a-runbook/",
    "reference/contract/",
    "reference/rules/",
    "reference/proofs/",
    "standards/04-ci-cd-pipeline/",
    "404.html",
]


MOVING = """() => document.getAnimations().filter((each) => each.playState === "running")
  .filter((each) => each.effect.getComputedTiming().duration > 0)
  .map((each) => each.animationName ?? each.transitionProperty)"""


def violations(page: Page) -> list[str]:
    """What axe-core finds: the rule, and where."""
    page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}}).then(found => found.violations)",
        WCAG,
    )
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_a_page_is_quiet_accessible_and_fits(opened: Opener, url: str, width: int) -> None:
    for palette in ("light", "dark"):
        watched = opened(width, palette)
        page = watched.open(url)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            "the page is wider than the screen"
        )
        assert violations(page) == []
        assert watched.faults == []


@pytest.mark.parametrize(("zoom", "width"), [("200 %", 640), ("400 %", 320)])
def test_every_page_fits_when_enlarged(opened: Opener, zoom: str, width: int) -> None:
    """1280 pixels, enlarged twice and four times (WCAG 2.2, 1.4.4 and 1.4.10): nothing is wider than the screen."""
    watched = opened(width)
    for url in PAGES:
        page = watched.open(url)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), (
            zoom,
            url,
        )


def test_nothing_moves_for_who_wants_less_motion(opened: Opener) -> None:
    watched = opened()
    for url in ("", "adr/", "runbooks/order-service/high-error-rate/"):
        page = watched.open(url)
        page.locator(".hb-find").click()
        page.wait_for_selector("#hb-search[open]")
        assert page.evaluate(MOVING) == [], url
    assert watched.faults == []


def test_a_planted_motion_is_seen(browser: Browser, tmp_path: Path) -> None:
    html = "<!doctype html><title>x</title><style>@keyframes a {to {left: 9px}} p {animation: a 9s infinite}</style><p>x"
    with page_with(browser, tmp_path, html) as watched:
        assert watched.open("").evaluate(MOVING) == ["a"]


def test_a_printed_runbook_is_its_text(opened: Opener) -> None:
    page = opened().open("runbooks/order-service/high-error-rate/")
    page.emulate_media(media="print")
    for part in (".md-header", ".md-tabs", ".md-sidebar", ".md-footer", ".headerlink"):
        assert not page.locator(part).first.is_visible(), part
    assert page.get_by_text("kubectl argo rollouts restart").first.is_visible()


def test_a_printed_index_is_its_table(opened: Opener) -> None:
    page = opened().open("checklist/")
    page.emulate_media(media="print")
    assert not page.locator(".hb-filter").is_visible()
    assert not page.locator(".hb-find").is_visible()
    assert page.locator("#sec-04").is_visible()
    assert page.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("palette", ["light", "dark"])
def test_the_open_search_is_accessible(opened: Opener, palette: str) -> None:
    watched = opened(1440, palette)
    page = watched.open("")
    page.locator(".hb-find").click()
    page.locator("#hb-search input").fill("connection pool timeout")
    page.locator(".hb-search__results a").first.wait_for()
    assert violations(page) == []
    assert watched.faults == []


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<script>console.warn('planted')</script>", "console: planted"),
        ("<script>throw new Error('planted')</script>", "error: planted"),
        ("<img src='missing.png'>", "status 404"),
        (
            "<meta http-equiv='Content-Security-Policy' content=\"style-src 'none'\"><style>p {color: red}</style>",
            "console: Applying inline style violates",
        ),
        (
            "<img src='https://elsewhere.example/x.png'>",
            "another host: https://elsewhere.example/x.png",
        ),
    ],
)
def test_the_watcher_sees_a_planted_fault(
    browser: Browser, tmp_path: Path, html: str, fault: str
) -> None:
    with page_with(browser, tmp_path, f"<!doctype html><title>x</title>{html}") as watched:
        watched.open("")
        watched.page.wait_for_load_state("networkidle")
        assert any(each.startswith(fault) for each in watched.faults), watched.faults


def test_axe_sees_a_planted_fault(browser: Browser, tmp_path: Path) -> None:
    with page_with(
        browser, tmp_path, "<!doctype html><html><title>x</title><img src='data:,'></html>"
    ) as watched:
        found = violations(watched.open(""))
        assert any(each.startswith("image-alt") for each in found)
