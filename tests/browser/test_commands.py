"""The script of runbooks fills names into commands and copies them, without the theme."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from handbook import site
from tests.browser.conftest import WatchedPage, serve_page

pytestmark = pytest.mark.browser

ASSETS = Path(site.__file__).parent / "theme/assets"
COMMAND = "kubectl delete pod <pod> <pod-2> <POD> NAME <NAME> NAME_2\n"
HTML = f"""<!doctype html><html lang="en"><title>Runbook</title>
<link rel="icon" href="data:,"><body>
<nav class="hb-bar" data-names="{escape("<pod>|NAME|<NAME>|<POD>|<pod-2>")}"></nav>
<article>
<p><code id="whole">&lt;pod&gt;</code> <code id="inline">kubectl logs &lt;pod&gt;</code></p>
<div class="highlight"><pre id="block"><button data-clipboard-target="#block > code">Copy</button
><code><span>{escape(COMMAND[:18])}</span>{escape(COMMAND[18:])}</code></pre></div>
</article>
<div class="md-dialog"><div class="md-dialog__inner"></div></div>
<script src="handbook.js"></script></body></html>"""
REFUSE = """() => {
  navigator.clipboard.writeText = async () => { throw new Error("denied"); };
  document.execCommand = () => false;
}"""
REFUSE_NEW_COMMAND = "() => { Object.defineProperty(navigator, 'clipboard', {value: undefined}); }"


@pytest.fixture
def watched(browser: Browser, tmp_path: Path) -> Iterator[WatchedPage]:
    """A page with a command, the scripts of runbooks, and the theme's dialog."""
    for name in ("handbook.js", "runbook.js"):
        shutil.copy(ASSETS / name, tmp_path)
    with serve_page(browser, tmp_path, HTML) as watched:
        watched.open("").locator(".hb-names").wait_for()
        yield watched


def test_a_page_from_the_file_system_fills_in_names_and_is_honest(
    browser: Browser, tmp_path: Path
) -> None:
    """A page without the bar of runbooks copies too."""
    for name in ("handbook.js", "runbook.js"):
        shutil.copy(ASSETS / name, tmp_path)
    (tmp_path / "runbook.html").write_text(HTML, encoding="utf-8")
    (tmp_path / "standard.html").write_text(HTML.replace("hb-bar", "other"), encoding="utf-8")
    page = browser.new_page()
    for name, input_count in (("runbook", 5), ("standard", 0)):
        page.goto((tmp_path / f"{name}.html").as_uri())
        if input_count:
            page.locator(".hb-names").wait_for()
            page.locator(".hb-names input").first.fill("orders-1")
            assert "delete pod orders-1 <pod-2>" in (
                page.locator("#block code").text_content() or ""
            )
        assert page.locator(".hb-names input").count() == input_count
        page.evaluate(REFUSE)
        assert copy(page).startswith("Not copied. The text is selected")
    page.close()


def copy(page: Page) -> str:
    """Copy the command, and return what a screen reader announces."""
    page.get_by_role("button", name="Copy").click()
    page.locator(".md-dialog--active").wait_for(state="attached")
    return page.get_by_role("status").inner_text()


def test_each_name_has_its_own_text_which_can_be_anything(watched: WatchedPage) -> None:
    page = watched.page
    labels = page.locator(".hb-names label")
    assert labels.all_inner_texts() == ["<pod>", "NAME", "<NAME>", "<POD>", "<pod-2>"]
    for value in ("$& $1 $$", "a'b\"c\\", "<b>x</b>", "ü % #", "<NAME>"):
        labels.nth(0).locator("input").fill(f" {value}\n")
        command = COMMAND.replace("<pod>", value)
        assert page.locator("#block code").text_content() == command
        assert page.locator("#inline").text_content() == f"kubectl logs {value}"
        assert page.locator("#whole").text_content() == "<pod>"
    labels.nth(0).locator("input").fill("")
    labels.nth(1).locator("input").fill("x")
    filled = COMMAND.replace(" NAME ", " x ")
    assert page.locator("#block code").text_content() == filled
    labels.nth(2).locator("input").fill("y")
    assert page.locator("#block code").text_content() == filled.replace("<NAME>", "y")
    assert watched.faults == []


def test_a_failed_copy_is_announced_and_leaves_the_command_selected(watched: WatchedPage) -> None:
    page = watched.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(REFUSE_NEW_COMMAND)
    assert copy(page) == "Copied to clipboard"
    assert page.evaluate("getSelection().toString()") == ""
    page.reload()
    assert page.evaluate("navigator.clipboard.readText()") == COMMAND.strip()
    page.evaluate(REFUSE)
    assert copy(page).startswith("Not copied. The text is selected")
    assert page.evaluate("getSelection().toString()").strip() == COMMAND.strip()
