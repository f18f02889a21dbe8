"""Headless Chromium that opens one site, and records the faults of its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, sync_playwright

from tests.commands import require_tool, serve_site

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

INDEXES = (
    "actions/",
    "adr/",
    "alerts/",
    "checklist/",
    "due/",
    "postmortems/",
    "reference/rules/",
    "runbooks/",
    "services/",
    "standards/",
    "tags/",
)
"""The addresses of all indexes with a filter."""


@dataclass
class WatchedPage:
    """Page of a site with its faults, such as console messages and failed requests."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)

    def open(self, url: str) -> Page:
        """Open a page of the site, and return it."""
        self.page.goto(self.address + url)
        return self.page


def watch(page: Page, address: str) -> WatchedPage:
    """Record console messages, errors, failed requests, and requests to other hosts."""
    watched = WatchedPage(page, address)
    note = watched.faults.append
    page.on("console", lambda message: note(f"console: {message.text}"))
    page.on("pageerror", lambda error: note(f"error: {error}"))

    def note_failure(request: Request) -> None:
        # A request is aborted when the reader opens the next page. This is not a failure.
        if "ERR_ABORTED" not in (request.failure or ""):
            note(f"failed: {request.url}")

    page.on("requestfailed", note_failure)
    page.on(
        "response",
        lambda answer: (
            note(f"status {answer.status}: {answer.url}") if answer.status >= 400 else None
        ),
    )

    def note_other_host(url: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            note(f"another host: {url}")

    page.on("request", lambda request: note_other_host(request.url))
    return watched


PASTE = """(field, text) => {
  field.value = text;
  field.dispatchEvent(new InputEvent("input", {inputType: "insertFromPaste", bubbles: true}));
}"""


def paste(field: Locator, text: str) -> None:
    """Paste a text into a field. The search then runs at once, without a pause in typing."""
    field.click()
    field.evaluate(PASTE, text)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the installed Chromium without a window during the block."""
    path = require_tool(*CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(small_site: Path) -> Iterator[str]:
    """Return the address of the site of the small handbook."""
    with serve_site(small_site) as site_address:
        yield site_address


Opener = Callable[..., WatchedPage]
Look = tuple[int, str, bool]
"""The width and the palette of a page, and whether scripts run."""


@dataclass
class SharedContext:
    """Context that the tests share, and its pages that no test uses now."""

    context: BrowserContext
    idle_pages: list[WatchedPage] = field(default_factory=list)


Contexts = dict[Look, SharedContext]


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> Contexts:
    """Return the contexts that the tests share.

    A new context costs one CPU second: it starts a process, and its cache is empty. A new page
    costs half a second more than a page whose process has compiled the scripts.
    """
    return {}


@pytest.fixture
def open_browser(browser: Browser, contexts: Contexts, address: str) -> Iterator[Opener]:
    """Return a function that opens watched pages: width, palette, with or without scripts.

    A test that changes the clock or the scripts, or that listens to events, needs a context of its
    own.
    """
    used_pages: list[tuple[Look, WatchedPage]] = []
    own_contexts: list[BrowserContext] = []

    def make_context(width: int, palette: str, scripts: bool) -> BrowserContext:
        return browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme="dark" if palette == "dark" else "light",
            reduced_motion="reduce",
            java_script_enabled=scripts,
            has_touch=width < 500,
        )

    def open_page(
        width: int = 1440, palette: str = "light", *, scripts: bool = True, shared: bool = True
    ) -> WatchedPage:
        look = (width, palette, scripts)
        if not shared:
            own_contexts.append(context := make_context(*look))
            return watch(context.new_page(), address)
        if look not in contexts:
            contexts[look] = SharedContext(make_context(*look))
        shared_context = contexts[look]
        if shared_context.idle_pages:
            watched = shared_context.idle_pages.pop()
        else:
            watched = watch(shared_context.context.new_page(), address)
        used_pages.append((look, watched))
        return watched

    yield open_page
    for look, watched in used_pages:
        reset(watched, look)
        contexts[look].idle_pages.append(watched)
    for context in own_contexts:
        context.close()


def reset(watched: WatchedPage, look: Look) -> None:
    """Make a page as good as new, for the next test."""
    page, (width, palette, scripts) = watched.page, look
    page.context.clear_permissions()
    page.unroute_all(behavior="ignoreErrors")
    if scripts and page.url.startswith(watched.address):
        page.evaluate("sessionStorage.clear()")
    storage = {"origin": watched.address.rstrip("/"), "storageTypes": "local_storage"}
    session = page.context.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", storage)
    session.detach()
    page.goto("about:blank")
    page.emulate_media(
        media="null", color_scheme="dark" if palette == "dark" else "light", reduced_motion="reduce"
    )
    if page.viewport_size != {"width": width, "height": 844}:
        page.set_viewport_size({"width": width, "height": 844})
    watched.faults.clear()


@contextmanager
def serve_page(browser: Browser, root: Path, html: str) -> Iterator[WatchedPage]:
    """Serve one page with this HTML, for tests that plant a fault."""
    (root / "index.html").write_text(html, encoding="utf-8")
    with serve_site(root) as page_address:
        context = browser.new_context()
        try:
            yield watch(context.new_page(), page_address)
        finally:
            context.close()
