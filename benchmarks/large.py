"""Measure the indexes of a large handbook on a slow phone: `python benchmarks/large.py [SITE]`.

Without SITE, the script generates a handbook of 5,000 records and builds its site. A page is
interactive when its last long task ends (50 ms or more). The phone is Chromium with a quarter of
the CPU's speed, 1.6 Mbit/s, a latency of 150 ms and a screen of 412 px. The local server compresses
text with gzip -9. The script prints the median of three visits with an empty cache. It fails if a
page takes more than 4 seconds.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import Browser

from benchmarks.search import CompressingHandler
from tests.browser.conftest import INDEXES, chromium
from tests.commands import serve_site

LIMIT: Final = 4.0  # seconds
RECORDS: Final = 5_000
RUNS: Final = 3
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


def main(arguments: list[str]) -> int:
    """Measure each index and print a table. Returns 1 if a page takes too long."""
    if len(arguments) > 1:
        print("usage: large.py [SITE]", file=sys.stderr)
        return 2
    with TemporaryDirectory() as folder:
        site = Path(arguments[0]) if arguments else _build(Path(folder))
        return int(max(_measure_site(site)) > LIMIT)


def _build(folder: Path) -> Path:
    """Generate a handbook, build its site in `folder`, and return the folder of the site."""
    root, site = folder / "handbook", folder / "site"
    generate = [str(Path(__file__).parent / "generate.py"), str(root), "--records", f"{RECORDS}"]
    build = ["-m", "handbook", "build", "--root", str(root), "--output", str(site)]
    for command in (generate, build):
        subprocess.run([sys.executable, *command], check=True)  # noqa: S603 - fixed arguments
    return site


def _measure_site(site: Path) -> list[float]:
    """Measure every index of a site, and print its rows, its kB and its seconds."""
    worst = []
    with serve_site(site, CompressingHandler) as address, chromium() as browser:
        print(f"{'rows':>8}{'kB':>8}{'CPU s':>8}{'seconds':>9}  page")
        for url in INDEXES:
            visits = [_open_page(browser, address + url) for _ in range(RUNS)]
            seconds = median(visit.seconds for visit in visits)
            cpu = median(visit.cpu for visit in visits)
            worst.append(seconds)
            first = visits[0]
            print(f"{first.rows:8}{first.size:8.0f}{cpu:8.2f}{seconds:9.1f}  {url}", flush=True)
    return worst


@dataclass(frozen=True)
class _Visit:
    """Visit of a page: its rows, the kB, the seconds until interactive, and its CPU seconds.

    The CPU seconds are the time of the main thread until the page is quiet. They depend less on
    other programs, and are not slowed down.
    """

    rows: int
    size: float
    seconds: float
    cpu: float


def _open_page(browser: Browser, url: str) -> _Visit:
    """Open a page on a slow phone."""
    context = browser.new_context(viewport={"width": 412, "height": 823}, has_touch=True)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", _NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.add_init_script(_WATCH)
    CompressingHandler.sizes.clear()
    page.goto(url, wait_until="load", timeout=120_000)
    page.wait_for_function(_IS_QUIET, arg=_QUIET, timeout=120_000)
    seconds = page.evaluate(_READ_TIME) / 1000
    size = sum(CompressingHandler.sizes) / 1000
    rows = page.locator(".hb-table[data-rows] tbody tr").count()
    metrics = session.send("Performance.getMetrics")["metrics"]
    cpu = next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
    context.close()
    return _Visit(rows, size, seconds, cpu)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
