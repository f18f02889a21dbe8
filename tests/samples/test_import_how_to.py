"""The commands of the how-to "Bring your records" take a folder of decisions to an index."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.authoring.test_import_adr import OWN, TWELVE
from tests.commands import BIN, make_environment
from tests.handbooks import ROOT

PAGE = ROOT / "docs/how-to/bring-your-records.md"


CORRECTIONS = {
    "adr/0001-record-decisions.md": (
        "and not ADR-0099, which never was.",
        "and not the one\nthat never was.",
    ),
    "adr/0007-pay-by-card.md": (
        "(/docs/adr/0001-record-decisions.md)",
        "(0001-record-decisions.md)",
    ),
}
"""The corrections that the check asks for, as text before and after."""


def run_blocks(blocks: list[str], folder: Path) -> str:
    """Run blocks of commands in a folder, and return their output."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    answer = subprocess.run(
        ["bash", "-e"],
        input="".join(blocks),
        cwd=folder,
        env=make_environment(PATH=path),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


@pytest.mark.build
def test_the_how_to_ends_with_a_published_index(tmp_path: Path) -> None:
    shutil.copytree(OWN, tmp_path / "shop/docs/adr")
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    publish = next(index for index, block in enumerate(blocks) if "handbook build" in block)
    output = run_blocks(blocks[:publish], tmp_path)
    assert output.count("12 records, 3 files skipped\n") == 2
    root = tmp_path / "handbook"
    for path, (old, new) in CORRECTIONS.items():
        text = (root / path).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (root / path).write_text(text.replace(old, new), encoding="utf-8")
    output = run_blocks(blocks[publish:], root)
    assert output.endswith("12 same, 0 changed, 0 missing\n")
    index = (root / "site/adr/index.html").read_text(encoding="utf-8")
    for decision in TWELVE:
        assert decision.title in index
    assert "12 imported" in index
