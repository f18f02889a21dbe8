"""Shared fixtures of the content tests: the sites of this repository, built once per run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import make_once, run
from tests.handbooks import ROOT

EXAMPLE = "example"
"""Folder of the site in which the bookshop is nested."""
BOOKSHOP = ROOT / "tests/sites/bookshop"


@pytest.fixture(scope="session")
def real_site(request: pytest.FixtureRequest) -> Path:
    """Return the built site of this repository, with the site of the bookshop below it."""

    def build(folder: Path) -> None:
        answer = run("handbook", "build", "--output", str(folder / "site"), cwd=ROOT)
        assert answer.returncode == 0, answer.stdout + answer.stderr

    return make_once(request, "real", build) / "site"


def list_pages(site: Path, name: str = "index.html") -> list[Path]:
    """Return the pages of the site of this repository, without the pages of the bookshop."""
    return [page for page in sorted(site.rglob(name)) if page.relative_to(site).parts[0] != EXAMPLE]
