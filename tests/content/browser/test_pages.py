"""Every kind of page of this repository works in a browser, fits, and is accessible."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.browser.conftest import Opener, paste
from tests.browser.test_pages import RUNNING_ANIMATIONS, find_violations
from tests.handbooks import ROOT

pytestmark = pytest.mark.browser

PAGES = [
    "",
    "standards/",
    "standards/11-incident-management/",
    "standards/12-code-review/",
    "checklist/",
    "adr/",
    "adr/0023-use-postgresql-for-orders/",
    "runbooks/",
    "alerts/",
    "tags/",
    "runbooks/order-service/high-error-rate/",
    "alerts/OrderServiceHighErrorRate/",
    "postmortems/",
    "postmortems/2026-05-15-order-service-outage/",
    "actions/",
    "services/",
    "services/order-service/",
    "services/order-service/files/",
    "services/order-service/files/k8s/deployment.yaml/",
    "search/",
    "how-to/add-a-runbook/",
    "reference/contract/",
    "reference/rules/",
    "reference/rules/fm/",
    "reference/glossary/",
    "reference/proofs/",
    "standards/04-ci-cd-pipeline/",
    "404.html",
]
SCHEMES: dict[Literal["light", "dark"], str] = {"light": "default", "dark": "slate"}
"""The colour scheme of the theme for each setting of the reader's system."""


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_a_page_fits_and_has_no_faults_and_no_violations(
    open_browser: Opener, url: str, width: int
) -> None:
    watched = open_browser(width)
    page = watched.open(url)
    for palette, scheme in SCHEMES.items():
        page.emulate_media(color_scheme=palette)
        page.locator(f"body[data-md-color-scheme={scheme}]").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            "the page is wider than the screen"
        )
        assert find_violations(page) == []
    assert watched.faults == []
    # Text of twice the size also fits on a phone (WCAG 2.2, criterion 1.4.4).
    if width == 390:
        page.evaluate("document.documentElement.style.fontSize = '250%'")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


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
    paste(page.locator("#hb-search input"), "connection pool timeout")
    page.locator(".hb-search__results a").first.wait_for()
    assert find_violations(page) == []
    assert watched.faults == []


def test_a_copy_of_a_file_has_its_text_without_line_numbers(open_browser: Opener) -> None:
    """The code of a file scrolls, so that its lines stay whole on a phone."""
    watched = open_browser(390, "light")
    page = watched.open("services/order-service/files/k8s/deployment.yaml/#L60")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy to clipboard").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    file = ROOT / "docs/standards/samples/order-service/k8s/deployment.yaml"
    assert copied.strip() == file.read_text(encoding="utf-8").strip()
    code = "document.querySelector('.hb-file code')"
    assert page.evaluate(f"{code}.scrollWidth > {code}.clientWidth")
    assert page.locator("#L60").is_visible()
    assert watched.faults == []
