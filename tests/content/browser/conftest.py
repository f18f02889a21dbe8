"""The fixtures of the browser tests, for the site of this repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import contexts, open_browser
from tests.commands import serve_site

__all__ = ["address", "contexts", "open_browser"]


@pytest.fixture(scope="session")
def address(real_site: Path) -> Iterator[str]:
    """Return the address of the site of this repository."""
    with serve_site(real_site) as site_address:
        yield site_address
