"""Measure the search of a built site in Chromium: `python benchmarks/search.py SITE QUERY ...`.

The script types each query in three ways:

- quickly, in a browser with an empty cache; the figure is the median of three runs
- quickly, in a browser that keeps its cache
- slowly, so that the search also runs after each letter of the query

For each way it prints the transferred kB (1,000 bytes) since the search was opened, and the
milliseconds from the last key press to all results. It also prints the first result. The local
server compresses text with gzip -9, and sends the compressed files of Pagefind unchanged. Service
workers are blocked, because the list for the offline copy is a part of the first visit, whether
you search or not.
"""

from __future__ import annotations

import gzip
import sys
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, Final

from playwright.sync_api import Browser, Page

from tests.browser.conftest import chromium
from tests.commands import Quiet, serve_site

QUICK: Final = 60
SLOW: Final = 220
"""Milliseconds between key presses.

The search starts after a pause that is longer than QUICK and shorter than SLOW.
"""
_TEXT: Final = {".html", ".js", ".css", ".json", ".svg", ".xml"}
_WATCH: Final = """() => {
  const dialog = document.getElementById("hb-search");
  const input = dialog.querySelector("input");
  input.addEventListener("input", () => (window.typed = performance.now()), true);
  new MutationObserver(() => (window.duration = performance.now() - window.typed))
    .observe(dialog, {attributeFilter: ["data-shown"]});
}"""


@lru_cache(maxsize=4096)
def _compress(path: str) -> bytes:
    return gzip.compress(Path(path).read_bytes(), 9)


class CompressingHandler(Quiet):
    """Request handler that compresses text, and stores the size of each response."""

    protocol_version = "HTTP/1.1"
    sizes: ClassVar[list[int]] = []

    def send_head(self) -> Any:
        """Send the headers of a response, and return its body as an open file."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            return super().send_head()
        is_text = path.suffix in _TEXT
        body = _compress(str(path)) if is_text else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=3600")
        if is_text:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.sizes.append(len(body))
        return BytesIO(body)


@dataclass(frozen=True)
class Measurement:
    """Measured search: kB transferred, ms from the last key press, and the first result."""

    size: float
    duration: float
    title: str


def _search(page: Page, query: str, pace: int) -> Measurement:
    """Type a query into the search of a page, and measure the search.

    `pace` is the number of milliseconds between key presses.
    """
    page.wait_for_load_state("networkidle")
    CompressingHandler.sizes.clear()
    if not page.locator("#hb-search[open]").count():
        page.locator(".hb-find").click()
        page.wait_for_selector("#hb-search[open]")
    page.locator("#hb-search input").fill("")
    page.evaluate(_WATCH)
    page.keyboard.type(query, delay=pace)
    page.wait_for_function(
        "query => document.getElementById('hb-search').dataset.shown === query", arg=query
    )
    duration = page.evaluate("window.duration")
    page.wait_for_load_state("networkidle")
    results = page.locator(".hb-search__results a")
    title = results.first.inner_text() if results.count() else "(nothing)"
    return Measurement(sum(CompressingHandler.sizes) / 1000, duration, title)


def search_with_empty_cache(browser: Browser, address: str, query: str, pace: int) -> Measurement:
    """Open a site in a browser with an empty cache, and measure a query."""
    # The copy for on call, which a browser saves when it is idle, is no part of the search.
    context = browser.new_context(service_workers="block")
    try:
        page = context.new_page()
        page.goto(address)
        return _search(page, query, pace)
    finally:
        context.close()


def main(arguments: list[str]) -> int:
    """Measure the queries and print a table. Returns 1 if a query exceeds a limit.

    A query may take half a second from the last key press. A query that is typed quickly may
    transfer 300 kB.
    """
    if len(arguments) < 2:
        print("usage: search.py SITE QUERY ...", file=sys.stderr)
        return 2
    site, *queries = arguments
    worst = 0.0
    with serve_site(Path(site), CompressingHandler) as address, chromium() as browser:
        cached_page = browser.new_page(service_workers="block")
        cached_page.goto(address)
        # The first search of a new browser is slow.
        search_with_empty_cache(browser, address, queries[0], QUICK)
        print(
            f"{'first: kB  ms':>16}{'cached: kB  ms':>16}{'slow: kB  ms':>16}  query: first result"
        )
        for query in queries:
            runs = [search_with_empty_cache(browser, address, query, QUICK) for _ in range(3)]
            first = sorted(runs, key=lambda run: run.duration)[1]
            cached = _search(cached_page, query, QUICK)
            slow = search_with_empty_cache(browser, address, query, SLOW)
            runs = [first, cached, slow]
            duration = max(run.duration for run in runs)
            worst = max(worst, first.size / 300, cached.size / 300, duration / 500)
            numbers = "".join(f"{run.size:10.0f}{run.duration:6.0f}" for run in runs)
            print(f"{numbers}  {query}: {first.title}", flush=True)
    return int(worst > 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
