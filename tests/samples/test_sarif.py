"""The gate's SARIF against the schema of SARIF, which comes as a package of Node's."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.commands import run
from tests.handbooks import BROKEN, SMALL

pytestmark = [pytest.mark.samples, pytest.mark.xdist_group("node")]


@pytest.mark.parametrize("site", [SMALL, BROKEN], ids=lambda site: site.name)
def test_it_validates_against_its_schema(site: Path, node: dict[str, Path]) -> None:
    (file,) = (node["suite"] / "node_modules/@microsoft/jest-sarif/lib/schemas").glob(
        "sarif-2.1.0-*.json"
    )
    schema = json.loads(file.read_text(encoding="utf-8"))
    answer = run("handbook", "check", "--format", "sarif", "--today", "2026-11-23", cwd=site)
    jsonschema.validate(json.loads(answer.stdout), schema)
