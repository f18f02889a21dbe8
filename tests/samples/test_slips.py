"""Each slip in a copy of the service makes the check for it fail."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.handbooks import ROOT, read_yaml
from tests.samples.proofs import copy_service, run_command
from tests.samples.properties import PROPERTIES
from tests.samples.repo import Repo

pytestmark = pytest.mark.samples

SLIPS: list[dict[str, Any]] = read_yaml(Path(__file__).parent / "slips.yml")
AUTOMATED = {
    "SCM-02",
    "SCM-03",
    "SCM-05",
    "CICD-01",
    "CICD-02",
    "CICD-06",
    "CICD-10",
    "CICD-11",
    "TEST-01",
    "TEST-02",
    "TEST-04",
    "SEC-01",
    "SEC-02",
    "SEC-04",
    "SEC-05",
    "SEC-10",
    "OBS-06",
    "OBS-08",
    "K8S-01",
    "K8S-02",
    "K8S-03",
    "K8S-04",
    "K8S-05",
    "K8S-06",
    "K8S-07",
    "K8S-09",
    "K8S-10",
    "K8S-11",
    "DOC-01",
    "DOC-02",
    "DOC-06",
}


@pytest.mark.parametrize("slip", SLIPS, ids=[f"{slip['slip']} ({slip['by']})" for slip in SLIPS])
def test_a_slip_is_found(slip: dict[str, Any], tmp_path: Path) -> None:
    root = copy_service(tmp_path / "service")
    if slip["file"].startswith("runbooks/"):
        shutil.copytree(ROOT / "runbooks", root / "runbooks")
    file = root / slip["file"]
    if slip.get("remove"):
        file.unlink()
    else:
        text = file.read_text(encoding="utf-8")
        old, new = slip["replace"]
        assert old in text, f"text missing in {slip['file']}; update slips.yml"
        file.write_text(text.replace(old, new), encoding="utf-8")
    if slip["by"] in PROPERTIES:
        assert list(PROPERTIES[slip["by"]](Repo(root)))
    else:
        assert run_command(slip["by"], root).returncode != 0


def test_every_automated_item_has_a_slip() -> None:
    assert {slip.get("item") for slip in SLIPS} >= AUTOMATED
