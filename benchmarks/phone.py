"""Visits of pages on a slow phone, in Chromium.

The phone has a quarter of the CPU's speed, 1.6 Mbit/s, a latency of 150 ms, a screen of 412 px and
an empty cache. The local server compresses text with gzip -9. A page is interactive when its last
long task ends (50 ms or more).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Browser

from benchmarks.search import CompressingHandler

_QUIET: Final = 4_000
"""Milliseconds without a long task after which a page is taken as interactive."""
_NETWORK: Final = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
_WATCH: Final = """
  window.lastTask = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.lastTask = task.startTime + task.duration;
  }).observe({type: "longtask", buffered: true});
"""
_IS_QUIET: Final = """quiet => document.readyState === "complete"
  && performance.now() - Math.max(window.lastTask,
    performance.getEntriesByType("navigation")[0].loadEventEnd) > quiet"""
_READ_TIME: Final = """() => Math.max(window.lastTask,
  performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd)"""


@dataclass(frozen=True)
class Visit:
    """Visit of a page: the transferred kB, and the seconds until it is interactive."""

    size: float
    seconds: float


def visit_page(browser: Browser, url: str, *, keeps_copy: bool = False) -> Visit:
    """Open a page on a slow phone. With `keeps_copy`, the browser saves the copy for on call."""
    context = browser.new_context(
        viewport={"width": 412, "height": 823},
        has_touch=True,
        service_workers="allow" if keeps_copy else "block",
    )
    try:
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", _NETWORK)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        page.add_init_script(_WATCH)
        CompressingHandler.sizes.clear()
        page.goto(url, wait_until="load", timeout=120_000)
        page.wait_for_function(_IS_QUIET, arg=_QUIET, timeout=120_000)
        seconds = page.evaluate(_READ_TIME) / 1000
        return Visit(sum(CompressingHandler.sizes) / 1000, seconds)
    finally:
        context.close()
