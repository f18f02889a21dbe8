"""Shared fixture of the content tests: the site of this repository, built once per run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import run
from tests.handbooks import ROOT


@pytest.fixture(scope="session")
def real_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built site of this repository."""
    site = tmp_path_factory.mktemp("real") / "site"
    run("mkdocs", "build", "--site-dir", str(site), cwd=ROOT, check=True)
    return site
