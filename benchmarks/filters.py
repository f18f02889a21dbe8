"""Measure how fast the filter of an index works: `python benchmarks/filters.py SITE PAGE TEXT`.

Example: `python benchmarks/filters.py site adr/ queue`. The script types TEXT into the filter in
Chromium and deletes it again, on a narrow screen (phone) and a wide one (desktop). It prints the
milliseconds from each key press to the display of the matching rows.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tests.browser.conftest import chromium
from tests.commands import serve_site

LIMIT: Final = 200  # ms
_WATCH: Final = """() => {
  window.times = [];
  document.querySelector(".hb-filter input").addEventListener("input", () => {
    const start = performance.now();
    const note = () => window.times.push(Math.round(performance.now() - start));
    // The second frame begins after the first one is painted.
    requestAnimationFrame(() => requestAnimationFrame(note));
  }, true);
}"""


def main(arguments: list[str]) -> int:
    """Measure the filter and print the times. Returns 1 if a key press takes more than 200 ms."""
    if len(arguments) != 3:
        print("usage: filters.py SITE PAGE TEXT", file=sys.stderr)
        return 2
    site, url, text = arguments
    worst = 0
    with serve_site(Path(site)) as address, chromium() as browser:
        for width in (390, 1440):
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.goto(address + url)
            rows = page.locator(".hb-table[data-rows] tbody tr").count()
            page.evaluate(_WATCH)
            field = page.get_by_label("Filter by text")
            field.press_sequentially(text, delay=700)
            for _ in text:
                page.wait_for_timeout(700)
                field.press("Backspace")
            page.wait_for_timeout(1500)
            times: list[int] = page.evaluate("window.times")
            worst = max(worst, *times)
            print(f"{width} px, {rows} rows: {times} ms", flush=True)
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
