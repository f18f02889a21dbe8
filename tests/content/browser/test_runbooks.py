"""An on-call engineer finds, fills in, copies and prints the commands of a runbook."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page

from handbook.loading import load
from handbook.records.alert import Alert
from handbook.records.runbook import Runbook
from tests.browser.conftest import Opener
from tests.browser.pdf_text import read_pdf
from tests.browser.test_due import focus
from tests.browser.test_pages import find_violations
from tests.content.conftest import BOOKSHOP, EXAMPLE
from tests.handbooks import ROOT

pytestmark = pytest.mark.browser

HANDBOOK = load(ROOT)
RUNBOOKS = [HANDBOOK.address(runbook) for runbook in HANDBOOK.of(Runbook)]
HIGH_ERROR_RATE = "runbooks/order-service/high-error-rate/"
BAR = 48
HEADER = 48
BOXES = """elements => elements.filter(element => element.getClientRects().length).map(element => {
  const box = element.getBoundingClientRect();
  return {x: box.x, y: box.y, width: box.width, height: box.height};
})"""
CONTRAST = """button => {
  const channels = color => color.match(/[\\d.]+/g).map(Number);
  const blend = ([r, g, b, a = 1], under) => [r, g, b].map((c, n) => c * a + under[n] * (1 - a));
  const light = rgb => rgb.map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const page = blend(channels(getComputedStyle(document.body).backgroundColor), [255, 255, 255]);
  const code = button.closest('pre').querySelector('code');
  const back = blend(channels(getComputedStyle(code).backgroundColor), page);
  const front = blend(channels(getComputedStyle(button).color), back);
  const [low, high] = [light(front), light(back)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""
FIRST_COMMAND_OF_FIX = """link => {
  const heading = document.getElementById(link.hash.slice(1));
  for (let next = heading.nextElementSibling; next; next = next.nextElementSibling) {
    if (/^H[123]$/.test(next.tagName)) return null;
    const block = next.matches('.highlight') ? next : next.querySelector('.highlight');
    if (block) return [...document.querySelectorAll('article .highlight')].indexOf(block);
  }
  return null;
}"""
COVERED = """bar => {
  const focused = document.activeElement;
  return focused !== document.body && !bar.contains(focused)
    && focused.getBoundingClientRect().bottom > bar.getBoundingClientRect().top;
}"""


def read_clipboard(page: Page) -> str:
    """Return the text of the clipboard."""
    return str(page.evaluate("navigator.clipboard.readText()"))


def use(page: Page, target: Locator, width: int) -> None:
    """Tap an element on a phone. On a wide screen, press Enter on it."""
    if width < 500:
        target.tap()
    else:
        target.focus()
        page.keyboard.press("Enter")


@pytest.mark.parametrize("width", [390, 1440])
def test_one_tap_and_one_copy_lead_from_an_alert_to_the_first_command_of_a_fix(
    width: int, open_browser: Opener
) -> None:
    watched = open_browser(width)
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    alerts = [alert for alert in HANDBOOK.of(Alert) if alert.service == "order-service"]
    assert alerts
    for alert in alerts:
        page = watched.open(HANDBOOK.address(alert))
        links = page.locator(".hb-recent a")
        for n in range(links.count()):
            index = links.nth(n).evaluate(FIRST_COMMAND_OF_FIX)
            if index is not None:
                break
        else:
            pytest.fail(f"no fix of {alert.name} has a command")
        use(page, links.nth(n), width)
        block = page.locator("article .highlight").nth(index)
        box = block.bounding_box()
        assert box
        assert HEADER <= box["y"] < 844 - BAR, alert.name
        use(page, block.get_by_role("button", name="Copy to clipboard"), width)
        page.get_by_role("status").filter(has_text="Copied to clipboard").wait_for()
        assert read_clipboard(page) == block.locator("code").inner_text().rstrip(), alert.name
    assert watched.faults == []


def test_the_first_command_of_every_runbook_is_within_two_screens(open_browser: Opener) -> None:
    """The links of the bar lead to parts of the page, and the escalation has the contacts."""
    watched = open_browser(390)
    bookshop = load(BOOKSHOP)
    examples = [f"{EXAMPLE}/{bookshop.address(runbook)}" for runbook in bookshop.of(Runbook)]
    for address in [*RUNBOOKS, *examples]:
        page = watched.open(address)
        first = page.locator("article .highlight").first.bounding_box()
        assert first, address
        assert first["y"] < 2 * 844, address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        bar = page.locator(".hb-bar a")
        assert bar.all_inner_texts() == ["Causes", "Commands", "Escalate"], address
        for link in bar.all():
            assert page.locator(str(link.get_attribute("href"))).count() == 1, address
        assert re.search(r"Owner: \S+, #", page.locator("#escalation + p").inner_text()), address
    assert watched.faults == []


def test_on_a_phone_the_bar_leads_to_each_part_and_covers_nothing(open_browser: Opener) -> None:
    watched = open_browser(390, scripts=False)
    page = watched.open(HIGH_ERROR_RATE)
    bar = page.locator(".hb-bar")
    box = bar.bounding_box()
    assert box
    assert (box["y"] + box["height"], box["width"]) == (844, 390)
    for text, id in (
        ("Escalate", "escalation"),
        ("Causes", "common-causes-and-fixes"),
        ("Commands", "diagnosis-steps"),
    ):
        link = bar.get_by_role("link", name=text)
        link_box = link.bounding_box()
        assert link_box
        assert link_box["height"] >= 44
        link.tap()
        heading = page.locator(f"#{id}").bounding_box()
        assert heading
        assert HEADER <= heading["y"] < 844 - BAR, text
    for _ in range(60):
        page.keyboard.press("Tab")
        assert not bar.evaluate(COVERED), page.locator(":focus").all_inner_texts()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    (commit,) = page.locator(".md-copyright").evaluate_all(BOXES)
    assert commit["y"] + commit["height"] <= 844 - BAR
    facts = page.locator(".hb-facts")
    assert not facts.get_by_text("Next review").is_visible()
    facts.locator("summary").tap()
    assert facts.get_by_text("Next review").is_visible()
    wide = open_browser(1440, scripts=False).open(HIGH_ERROR_RATE)
    assert not wide.locator(".hb-bar").is_visible()
    assert wide.locator(".hb-facts").get_by_text("Next review").is_visible()
    assert not wide.locator(".hb-facts summary").is_visible()


@pytest.mark.parametrize(("width", "palette"), [(390, "light"), (390, "dark"), (1440, "dark")])
def test_a_name_is_filled_in_once_and_every_copy_has_it(
    width: int, palette: str, open_browser: Opener
) -> None:
    watched = open_browser(width, palette)
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = watched.open(HIGH_ERROR_RATE)
    field = page.get_by_role("textbox", name="NAME")
    block = page.locator(".hb-names + .highlight")
    button = block.get_by_role("button", name="Copy to clipboard")
    box = button.bounding_box()
    assert box
    assert button.evaluate(CONTRAST) >= 3
    if width < 500:
        assert box["width"] >= 44
        assert box["height"] >= 44
        field.tap()
    else:
        focus(page, field)
    page.keyboard.type("order-service-7d9f-x2")
    assert find_violations(page) == []
    if width < 500:
        button.tap()
    else:
        focus(page, button)
        page.keyboard.press("Enter")
    page.get_by_role("status").filter(has_text="Copied to clipboard").wait_for()
    assert read_clipboard(page) == "kubectl delete -n production pod/order-service-7d9f-x2"
    field.fill("")
    assert block.locator("code").inner_text().strip() == "kubectl delete -n production pod/NAME"
    field.fill("a")
    page.reload()
    assert page.get_by_role("textbox", name="NAME").input_value() == ""
    assert page.evaluate("localStorage.length + sessionStorage.length") <= 1  # the palette
    assert watched.faults == []


def test_a_link_to_a_cause_of_another_runbook_opens_the_cause(open_browser: Opener) -> None:
    for width in (390, 1440):
        page = open_browser(width).open(HIGH_ERROR_RATE)
        page.get_by_role("link", name="a new version fails").first.click()
        page.wait_for_url("**/slo-availability/#a-new-version-fails")
        heading = page.locator("#a-new-version-fails").bounding_box()
        assert heading
        assert HEADER <= heading["y"] < 844 / 2


def test_a_printed_runbook_has_addresses_and_no_page_for_a_few_lines(
    open_browser: Opener,
) -> None:
    watched = open_browser(1440, "dark")
    headings = {
        heading.text for runbook in HANDBOOK.of(Runbook) for heading in runbook.source.headings
    }
    for address in RUNBOOKS:
        page = watched.open(address)
        page.wait_for_selector("[data-printed]", state="attached")
        pages = read_pdf(page.pdf(format="A4"))
        text = "".join("".join(line.split()) for lines in pages for line in lines)
        assert f"https://handbook.example/{address}·commit" in text, address
        assert "lastchanged" in text, address
        assert all(len(lines) >= 6 for lines in pages), (address, [len(lines) for lines in pages])
        assert not {lines[-1] for lines in pages} & headings, address
        assert "Referredto" not in text, address
        assert "Copy" not in text, address
    page = watched.open(HIGH_ERROR_RATE)
    page.wait_for_selector("[data-printed]", state="attached")
    text = "".join("".join(line.split()) for lines in read_pdf(page.pdf()) for line in lines)
    for link in (
        "Whoisoncall(https://oncall.example.com/order-service)",
        "Redisfull(https://handbook.example/runbooks/order-service/redis-full/#diagnosis-steps)",
        "#team-orders",
        "Tier3(45min):Engineeringdirector",
    ):
        assert link in text
    assert watched.faults == []
