"""What tests share: the sites that they look at, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import run
from tests.handbooks import ROOT, SMALL, copy_of


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have measured and not judged, each by `record_property`."""
    for report in terminalreporter.getreports("passed"):
        for what, value in report.user_properties:
            terminalreporter.write_line(f"{what}: {value}")


@pytest.fixture(scope="session")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small handbook as a site."""
    root = copy_of(SMALL, tmp_path_factory.mktemp("small") / "handbook")
    run("mkdocs", "build", cwd=root, check=True)
    return root / "site"


@pytest.fixture(scope="session")
def real_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as a site."""
    site = tmp_path_factory.mktemp("real") / "site"
    run("mkdocs", "build", "--site-dir", str(site), cwd=ROOT, check=True)
    return site
