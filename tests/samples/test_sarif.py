"""The SARIF report is valid against the schema, which is in a Node package."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.commands import run
from tests.handbooks import BROKEN, SMALL

pytestmark = [pytest.mark.samples, pytest.mark.xdist_group("node")]


@pytest.mark.parametrize("site", [SMALL, BROKEN], ids=lambda site: site.name)
def test_the_sarif_report_is_valid(site: Path, node: dict[str, Path]) -> None:
    (file,) = (node["suite"] / "node_modules/@microsoft/jest-sarif/lib/schemas").glob(
        "sarif-2.1.0-*.json"
    )
    schema = json.loads(file.read_text(encoding="utf-8"))
    answer = run("handbook", "check", "--format", "sarif", "--today", "2026-11-23", cwd=site)
    jsonschema.validate(json.loads(answer.stdout), schema)
