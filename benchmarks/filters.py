"""Measure the filter of an index in Chromium: `python benchmarks/filters.py SITE PAGE TEXT`, such as `site adr/ queue`.

Printed for a phone and a desk: milliseconds from a key to the rows that are shown for it, and for the key that empties
the field, so that every row comes back.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tests.browser.conftest import chromium
from tests.commands import served

MARK: Final = 200  # ms
_WATCH: Final = """() => {
  window.took = [];
  document.querySelector(".hb-filter input").addEventListener("input", () => {
    const typed = performance.now();
    // The second frame begins when the first has been drawn.
    requestAnimationFrame(() => requestAnimationFrame(() => window.took.push(Math.round(performance.now() - typed))));
  }, true);
}"""


def main(arguments: list[str]) -> int:
    """Measure, and print; answers 1 where the mark of 200 ms is missed."""
    if len(arguments) != 3:
        print("usage: filters.py SITE PAGE TEXT", file=sys.stderr)
        return 2
    site, url, text = arguments
    worst = 0
    with served(Path(site)) as address, chromium() as browser:
        for width in (390, 1440):
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.goto(address + url)
            rows = page.locator(".hb-table[data-rows] tbody tr").count()
            page.evaluate(_WATCH)
            field = page.get_by_label("Text")
            field.press_sequentially(text, delay=700)
            for _ in text:
                page.wait_for_timeout(700)
                field.press("Backspace")
            page.wait_for_timeout(1500)
            took: list[int] = page.evaluate("window.took")
            worst = max(worst, *took)
            print(f"{width} px, {rows} rows: {took} ms", flush=True)
    return int(worst > MARK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
