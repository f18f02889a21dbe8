"""The golden file of defects: gate and build fail with exactly what it says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from handbook.cli import main
from tests.commands import run
from tests.handbooks import ROOT, SMALL, copy_of

DEFECTS = yaml.safe_load((ROOT / "tests" / "golden" / "defects.yml").read_text(encoding="utf-8"))
FINDING = re.compile(r"^(\S+:\d+:\d+): ([A-Z]+\d{3}) (?:error|warning): ", re.MULTILINE)


@pytest.fixture
def spoilt(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the small handbook with one defect."""
    defect: dict[str, Any] = request.param
    root = copy_of(SMALL, tmp_path / "handbook")
    if "replace" in defect:
        good, bad = defect["replace"]
        file = root / defect["file"]
        text = file.read_text(encoding="utf-8")
        assert text.count(good) == 1
        file.write_text(text.replace(good, bad), encoding="utf-8")
    for path in defect.get("remove", ()):
        target = root / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    return root


def each_defect(test: Any) -> Any:
    parameters = [pytest.param(defect, defect["found"], id=defect["defect"]) for defect in DEFECTS]
    return pytest.mark.parametrize(("spoilt", "found"), parameters, indirect=["spoilt"])(test)


@each_defect
def test_the_gate_finds_it(
    spoilt: Path, found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--root", str(spoilt), "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [
        f"{f['path']}:{f['line']}:{f['column']}:{f['code']}" for f in report["findings"]
    ] == found


@pytest.mark.build
@each_defect
def test_a_plain_build_fails_with_it(spoilt: Path, found: list[str]) -> None:
    answer = run("mkdocs", "build", cwd=spoilt)
    assert [f"{place}:{code}" for place, code in FINDING.findall(answer.stderr)] == found
    assert "Traceback" not in answer.stderr
    assert answer.returncode == 1
    assert not (spoilt / "site").exists()


def test_a_subprocess_would_be_seen_to_fail(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run("handbook", "check", cwd=tmp_path, check=True)
