"""Shared fixtures: the sites, built once per run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import run
from tests.handbooks import ROOT, SMALL, copy_site


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
def real_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built site of this repository."""
    site = tmp_path_factory.mktemp("real") / "site"
    run("mkdocs", "build", "--site-dir", str(site), cwd=ROOT, check=True)
    return site
