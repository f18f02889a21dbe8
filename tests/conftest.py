"""Shared fixtures: the sites, built once per run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commands import run
from tests.handbooks import SMALL, copy_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have recorded with `record_property`."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built site of the small handbook."""
    root = copy_site(SMALL, tmp_path_factory.mktemp("small") / "handbook")
    run("mkdocs", "build", cwd=root, check=True)
    return root / "site"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return one Chromium for all tests."""
    from tests.browser.conftest import chromium  # Only these tests need Playwright.

    with chromium() as chromium_browser:
        yield chromium_browser
