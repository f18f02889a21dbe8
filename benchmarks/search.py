"""Measure the search of a built site in Chromium: `python benchmarks/search.py SITE QUERY ...`.

Each query is typed quickly into a browser that has fetched nothing yet (the median of three), and again, one after the
other, into one that keeps what it has; then as slowly as most hands do, so that its beginnings are looked for too.
Printed: what is transferred from the opening of the search on (kB of 1,000 bytes, gzip -9; what Pagefind has compressed
as it is), the time from the last key to all results, and the first result.
"""

from __future__ import annotations

import gzip
import sys
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, Final

from playwright.sync_api import Page

from tests.browser.conftest import chromium
from tests.commands import Quiet, served

QUICK: Final = 60
SLOW: Final = 220
"""Milliseconds from key to key. The search waits longer than QUICK, and so answers the whole query alone."""
_TEXT: Final = {".html", ".js", ".css", ".json", ".svg", ".xml"}
_WATCH: Final = """() => {
  const dialog = document.getElementById("hb-search");
  const input = dialog.querySelector("input");
  input.addEventListener("input", () => (window.typed = performance.now()), true);
  new MutationObserver(() => (window.took = performance.now() - window.typed))
    .observe(dialog, {attributeFilter: ["data-shown"]});
}"""


@lru_cache(maxsize=4096)
def _compressed(path: str) -> bytes:
    return gzip.compress(Path(path).read_bytes(), 9)


class _Compressing(Quiet):
    """Answers as a web server does that compresses, and notes the sizes of what it has sent."""

    protocol_version = "HTTP/1.1"
    sent: ClassVar[list[int]] = []

    def send_head(self) -> Any:
        """The base's: send the head, answer the open file."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            return super().send_head()
        text = path.suffix in _TEXT
        body = _compressed(str(path)) if text else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=3600")
        if text:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.sent.append(len(body))
        return BytesIO(body)


def _typed(page: Page, query: str, pace: int) -> tuple[float, float, str]:
    """Search as a reader does; answers kB, ms from the last key, and the title of the first result."""
    page.wait_for_load_state("networkidle")
    _Compressing.sent.clear()
    if not page.locator("#hb-search[open]").count():
        page.locator(".hb-find").click()
        page.wait_for_selector("#hb-search[open]")
    page.locator("#hb-search input").fill("")
    page.evaluate(_WATCH)
    page.keyboard.type(query, delay=pace)
    page.wait_for_function(
        "query => document.getElementById('hb-search').dataset.shown === query", arg=query
    )
    took = page.evaluate("window.took")
    page.wait_for_load_state("networkidle")
    first = page.locator(".hb-search__results a")
    return (
        sum(_Compressing.sent) / 1000,
        took,
        first.first.inner_text() if first.count() else "(nothing)",
    )


def main(arguments: list[str]) -> int:
    """Measure the queries and print a table; answers 1 where a mark is missed.

    The marks: half a second from the last key; 300 kB for a query that is typed quickly.
    """
    if len(arguments) < 2:
        print("usage: search.py SITE QUERY ...", file=sys.stderr)
        return 2
    site, *queries = arguments
    worst = 0.0
    with served(Path(site), _Compressing) as address, chromium() as browser:
        kept = browser.new_page()
        kept.goto(address)

        def first(query: str, pace: int) -> tuple[float, float, str]:
            context = browser.new_context()
            page = context.new_page()
            page.goto(address)
            result = _typed(page, query, pace)
            context.close()
            return result

        first(queries[0], QUICK)  # a browser that has just started is slow
        print(
            f"{'first: kB':>10}{'ms':>6}{'again: kB':>11}{'ms':>6}{'slowly: kB':>12}{'ms':>6}  query: first result"
        )
        for query in queries:
            size, took, title = sorted(
                (first(query, QUICK) for _ in range(3)), key=lambda each: each[1]
            )[1]
            again, again_took, _ = _typed(kept, query, QUICK)
            slowly, slowly_took, _ = first(query, SLOW)
            worst = max(worst, size / 300, again / 300, max(took, again_took, slowly_took) / 500)
            numbers = f"{size:10.0f}{took:6.0f}{again:11.0f}{again_took:6.0f}{slowly:12.0f}{slowly_took:6.0f}"
            print(f"{numbers}  {query}: {title}", flush=True)
    return int(worst > 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
