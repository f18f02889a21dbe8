"""Every kind of page works in a browser and is accessible.

No page sends a request to another host. axe-core checks the accessibility against WCAG 2.2 AA.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Opener, serve_page

pytestmark = pytest.mark.browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

PAGES = [
    "",
    "standards/",
    "standards/11-incident-management/",
    "standards/12-code-review/",
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

RUNNING_ANIMATIONS = """() => document.getAnimations()
  .filter((animation) => animation.playState === "running")
  .filter((animation) => animation.effect.getComputedTiming().duration > 0)
  .map((animation) => animation.animationName ?? animation.transitionProperty)"""
RUN_AXE = """tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})
  .then(results => results.violations)"""


def find_violations(page: Page) -> list[str]:
    """Return the violations that axe-core reports: rule, place and summary."""
    page.evaluate(AXE)
    violations: list[dict[str, Any]] = page.evaluate(RUN_AXE, WCAG)
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_a_page_fits_and_has_no_faults_and_no_violations(
    open_browser: Opener, url: str, width: int
) -> None:
    for palette in ("light", "dark"):
        watched = open_browser(width, palette)
        page = watched.open(url)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            "the page is wider than the screen"
        )
        assert find_violations(page) == []
        assert watched.faults == []


@pytest.mark.parametrize(("zoom", "width"), [("200 %", 640), ("400 %", 320)])
def test_every_page_fits_when_zoomed(open_browser: Opener, zoom: str, width: int) -> None:
    """No page is wider than a screen of 1280 pixels at a zoom of 200 % and 400 %.

    See WCAG 2.2, criteria 1.4.4 and 1.4.10.
    """
    watched = open_browser(width)
    for url in PAGES:
        page = watched.open(url)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), (
            zoom,
            url,
        )


def test_reduced_motion_stops_all_animations(open_browser: Opener) -> None:
    watched = open_browser()
    for url in ("", "adr/", "runbooks/order-service/high-error-rate/"):
        page = watched.open(url)
        page.locator(".hb-find").click()
        page.wait_for_selector("#hb-search[open]")
        assert page.evaluate(RUNNING_ANIMATIONS) == [], url
    assert watched.faults == []


def test_a_planted_animation_is_noticed(browser: Browser, tmp_path: Path) -> None:
    style = "@keyframes a {to {left: 9px}} p {animation: a 9s infinite}"
    html = f"<!doctype html><title>x</title><style>{style}</style><p>x"
    with serve_page(browser, tmp_path, html) as watched:
        assert watched.open("").evaluate(RUNNING_ANIMATIONS) == ["a"]


def test_a_printed_runbook_has_only_its_text(open_browser: Opener) -> None:
    page = open_browser().open("runbooks/order-service/high-error-rate/")
    page.emulate_media(media="print")
    for selector in (".md-header", ".md-tabs", ".md-sidebar", ".md-footer", ".headerlink"):
        assert not page.locator(selector).first.is_visible(), selector
    assert page.get_by_text("kubectl argo rollouts restart").first.is_visible()


def test_a_printed_index_has_only_its_table(open_browser: Opener) -> None:
    page = open_browser().open("checklist/")
    page.emulate_media(media="print")
    assert not page.locator(".hb-filter").is_visible()
    assert not page.locator(".hb-find").is_visible()
    assert page.locator("#sec-04").is_visible()
    assert page.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("palette", ["light", "dark"])
def test_the_open_search_is_accessible(open_browser: Opener, palette: str) -> None:
    watched = open_browser(1440, palette)
    page = watched.open("")
    page.locator(".hb-find").click()
    page.locator("#hb-search input").fill("connection pool timeout")
    page.locator(".hb-search__results a").first.wait_for()
    assert find_violations(page) == []
    assert watched.faults == []


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<script>console.warn('planted')</script>", "console: planted"),
        ("<script>throw new Error('planted')</script>", "error: planted"),
        ("<img src='missing.png'>", "status 404"),
        (
            "<meta http-equiv='Content-Security-Policy' content=\"style-src 'none'\">"
            "<style>p {color: red}</style>",
            "console: Applying inline style violates",
        ),
        (
            "<img src='https://elsewhere.example/x.png'>",
            "another host: https://elsewhere.example/x.png",
        ),
    ],
    ids=["warning", "error", "missing-image", "policy", "another-host"],
)
def test_a_planted_fault_is_noticed(
    browser: Browser, tmp_path: Path, html: str, fault: str
) -> None:
    with serve_page(browser, tmp_path, f"<!doctype html><title>x</title>{html}") as watched:
        watched.open("")
        watched.page.wait_for_load_state("networkidle")
        assert any(message.startswith(fault) for message in watched.faults), watched.faults


def test_axe_reports_a_planted_fault(browser: Browser, tmp_path: Path) -> None:
    with serve_page(
        browser, tmp_path, "<!doctype html><html><title>x</title><img src='data:,'></html>"
    ) as watched:
        violations = find_violations(watched.open(""))
        assert any(violation.startswith("image-alt") for violation in violations)
