"""Shared fixtures: the sites and the wheel, built once per run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commands import make_offline_environment, run
from tests.handbooks import ROOT, SMALL, copy_site, replace_once

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have recorded with `record_property`."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built site of the small handbook, with one open action."""
    root = copy_site(SMALL, tmp_path_factory.mktemp("small") / "handbook")
    replace_once(root, "| 2026-05-13 | done 2026-05-12 |", "| 2027-05-13 | open |")
    run("mkdocs", "build", cwd=root, check=True)
    return root / "site"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return one Chromium for all tests."""
    from tests.browser.conftest import chromium  # Only these tests need Playwright.

    with chromium() as chromium_browser:
        yield chromium_browser


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this repository, built without an index and without a cache."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    answer = subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), "."],
        cwd=ROOT,
        env=make_offline_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    (file,) = folder.iterdir()
    return file
