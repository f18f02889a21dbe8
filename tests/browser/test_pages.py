"""The pages of the small handbook work in a browser and are accessible.

No page sends a request to another host. axe-core checks the accessibility against WCAG 2.2 AA.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Opener, reset, serve_page, watch

pytestmark = pytest.mark.browser

PROPERTIES_AS_MAPS = """class WeakMap {
  #key = Symbol();
  has(object) { return Object.hasOwn(object, this.#key); }
  get(object) { return object[this.#key]; }
  set(object, value) { object[this.#key] = value; return this; }
}
class WeakSet {
  #key = Symbol();
  has(object) { return Object.hasOwn(object, this.#key); }
  add(object) { object[this.#key] = true; return this; }
}"""
"""Weak maps that keep their values as properties of the objects.

axe-core keeps the private values of all colours in weak maps. On large pages they take a third of
its time, because they are large and each collection of garbage reads them.
"""
KEEP_COLOURS = """const {prototype} = axe.commons.color.Color;
const {parseString} = prototype;
const colours = new Map();
prototype.parseString = function (text) {
  if (!colours.has(text)) {
    const {r, g, b, alpha} = parseString.call(this, text);
    colours.set(text, {r, g, b, alpha});
  }
  return Object.assign(this, colours.get(text));
};"""
"""Parser of colours that reads each text once.

A page has few colours. axe-core reads them again for each element, which takes a quarter of its
time.
"""
FILE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
AXE = f"(() => {{{PROPERTIES_AS_MAPS}\n{FILE.read_text(encoding='utf-8')}\n{KEEP_COLOURS}\n}})()"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

RUNNING_ANIMATIONS = """() => document.getAnimations()
  .filter((animation) => animation.playState === "running")
  .filter((animation) => animation.effect.getComputedTiming().duration > 0)
  .map((animation) => animation.animationName ?? animation.transitionProperty)"""
RUN_AXE = """tags => axe.run(document, {
  runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']
}).then(results => results.violations)"""


SHOW_ALL = """() => {
  for (const table of document.querySelectorAll(".hb-table"))
    table.style.contentVisibility = "visible";
}"""


def load_axe(page: Page) -> None:
    """Load axe-core into the page, once for each visit."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE)


def find_violations(page: Page) -> list[str]:
    """Return the violations that axe-core reports: rule, place and summary."""
    load_axe(page)
    # axe measures only what the browser has laid out.
    page.evaluate(SHOW_ALL)
    violations: list[dict[str, Any]] = page.evaluate(RUN_AXE, WCAG)
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "adr/0002-use-postgresql/",
        "runbooks/shop/orders-down/",
        "postmortems/2026-05-04-orders-stopped/",
        "checklist/",
    ],
)
def test_a_page_fits_and_has_no_faults_and_no_violations(open_browser: Opener, url: str) -> None:
    watched = open_browser(390)
    page = watched.open(url)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert find_violations(page) == []
    assert watched.faults == []


def test_a_page_names_the_feed_and_does_not_fetch_the_sitemap(open_browser: Opener) -> None:
    page = open_browser(390).open("")
    page.wait_for_load_state("networkidle")
    feed = page.get_attribute("link[rel~=alternate]", "href")
    assert feed == "feed.xml"
    loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert any(address.endswith("handbook.js") for address in loaded)
    assert [address for address in loaded if "sitemap" in address] == []


def test_a_used_page_is_as_good_as_new_for_the_next_test(browser: Browser, address: str) -> None:
    state = """() => [
      location.href, innerWidth, localStorage.length, sessionStorage.length,
      ...["print", "(prefers-color-scheme: dark)", "(prefers-reduced-motion)"].map(
        (query) => matchMedia(query).matches),
    ]"""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark", reduced_motion="reduce"
    )
    watched = watch(context.new_page(), address)
    page = watched.open("")
    before = page.evaluate(state)
    page.evaluate("localStorage.a = sessionStorage.a = 1; console.warn('planted')")
    page.emulate_media(media="print", color_scheme="light", reduced_motion="no-preference")
    page.set_viewport_size({"width": 1440, "height": 844})
    page.route("**", lambda route: route.fulfill(body="planted"))
    changed = zip(before, page.evaluate(state), strict=True)
    assert [old == new for old, new in changed] == [True, *[False] * 6]
    assert watched.faults

    reset(watched, (390, "dark", True))
    assert page.url == "about:blank"
    assert watched.open("") == page
    assert page.evaluate(state) == before
    assert "planted" not in page.content()
    assert watched.faults == []
    context.close()


def test_a_planted_animation_is_noticed(browser: Browser, tmp_path: Path) -> None:
    style = "@keyframes a {to {left: 9px}} p {animation: a 9s infinite}"
    html = f"<!doctype html><title>x</title><style>{style}</style><p>x"
    with serve_page(browser, tmp_path, html) as watched:
        assert watched.open("").evaluate(RUNNING_ANIMATIONS) == ["a"]


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
        assert any(message.startswith(fault) for message in watched.faults), watched.faults


@pytest.mark.parametrize(
    ("html", "rules"),
    [
        ("<img src='data:,'>", ["image-alt"]),
        (
            "<p style='color: #767676'>one<p style='color: #777'>two<p style='color: #777'>three",
            [
                "color-contrast",
                "color-contrast",
            ],
        ),
    ],
    ids=["image", "contrast"],
)
def test_axe_reports_a_planted_fault(
    browser: Browser, tmp_path: Path, html: str, rules: list[str]
) -> None:
    """A colour that axe-core has read before has the same contrast."""
    page = f"<!doctype html><html lang='en'><title>x</title>{html}</html>"
    with serve_page(browser, tmp_path, page) as watched:
        violations = find_violations(watched.open(""))
        assert [violation.partition(":")[0] for violation in violations] == rules
