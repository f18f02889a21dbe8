"""Lighthouse gives the pages of this repository full scores."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from tests.browser.conftest import CHROMIUM
from tests.commands import require_tool, run_node
from tests.handbooks import ROOT

pytestmark = pytest.mark.browser

PAGES = ("", "standards/05-testing-pyramid/", "adr/", "runbooks/order-service/high-error-rate/")


CATEGORIES = ("accessibility", "best-practices", "seo")


def measure_scores(packages: Path, url: str) -> list[dict[str, float]]:
    """Run Lighthouse on a page, and return the scores of each run in percent by category."""
    shutil.copy(ROOT / "tests/browser/lighthouse.mjs", packages)
    answer = run_node(packages, "node", "lighthouse.mjs", require_tool(*CHROMIUM), url, *CATEGORIES)
    assert answer.returncode == 0, answer.stderr
    runs: list[dict[str, float]] = json.loads(answer.stdout)
    return runs


@pytest.mark.parametrize("url", PAGES)
def test_lighthouse_gives_full_scores(
    url: str, packages: Path, address: str, record_property: Callable[[str, object], None]
) -> None:
    """Performance is printed, not asserted, because it depends on the machine."""
    runs = measure_scores(packages, f"{address}{url}")
    record_property(f"Lighthouse, performance of /{url}", round(runs[0]["performance"]))
    assert {name: median(run[name] for run in runs) for name in CATEGORIES} == dict.fromkeys(
        CATEGORIES, 100
    )
