"""A headless Chromium that sees one site, and notes everything that a page does besides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from tests.commands import need, served

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@dataclass
class Watched:
    """A page of a site, and what it did that it should not."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)

    def open(self, url: str) -> Page:
        self.page.goto(self.address + url)
        return self.page


def watch(page: Page, address: str) -> Watched:
    """Note console messages, page errors, failed requests, bad answers and requests to other hosts."""
    watched = Watched(page, address)
    note = watched.faults.append
    page.on("console", lambda message: note(f"console: {message.text}"))
    page.on("pageerror", lambda error: note(f"error: {error}"))

    def failed(request: Request) -> None:
        # What the reader's next step cut short has not failed: a picture, when the next page is asked for.
        if "ERR_ABORTED" not in (request.failure or ""):
            note(f"failed: {request.url}")

    page.on("requestfailed", failed)
    page.on(
        "response",
        lambda answer: (
            note(f"status {answer.status}: {answer.url}") if answer.status >= 400 else None
        ),
    )

    def other_host(url: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            note(f"another host: {url}")

    page.on("request", lambda request: other_host(request.url))
    return watched


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium, without a window."""
    path = need(*CHROMIUM)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def address(real_site: Path) -> Iterator[str]:
    with served(real_site) as found:
        yield found


Opener = Callable[..., Watched]


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Opener]:
    """Makes watched pages: width, palette, with or without scripts."""
    contexts: list[BrowserContext] = []

    def make(width: int = 1440, palette: str = "light", *, scripts: bool = True) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme="dark" if palette == "dark" else "light",
            reduced_motion="reduce",
            java_script_enabled=scripts,
            has_touch=width < 500,
        )
        contexts.append(context)
        return watch(context.new_page(), address)

    yield make
    for context in contexts:
        context.close()


@contextmanager
def page_with(browser: Browser, root: Path, html: str) -> Iterator[Watched]:
    """A page of our own making, watched: for faults that are planted."""
    (root / "index.html").write_text(html, encoding="utf-8")
    with served(root) as found:
        context = browser.new_context()
        try:
            yield watch(context.new_page(), found)
        finally:
            context.close()
