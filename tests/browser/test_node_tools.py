"""Lighthouse checks the pages, and Biome checks the scripts and styles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import run_node
from tests.handbooks import ROOT

pytestmark = pytest.mark.browser


def test_scripts_and_styles_are_formatted_and_linted(packages: Path) -> None:
    folder = Path(__file__).parent
    assets = ROOT / "handbook/site/theme/assets"
    files = (str(assets), str(ROOT / "handbook/engines/preview-search.js"))
    answer = run_node(
        packages, "biome", "ci", "--error-on-warnings", f"--config-path={folder}", *files
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
