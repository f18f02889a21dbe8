"""Test that check and build report exactly the findings of golden/defects.yml."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from handbook.cli import main
from tests.commands import run
from tests.handbooks import GOLDEN, SMALL, copy_site, read_yaml

DEFECTS = read_yaml(GOLDEN / "defects.yml")
FINDING = re.compile(r"^(\S+:\d+:\d+): ([A-Z]+\d{3}) (?:error|warning): ", re.MULTILINE)


@pytest.fixture
def defective_root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the small handbook with one defect."""
    defect: dict[str, Any] = request.param
    root = copy_site(SMALL, tmp_path / "handbook")
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


def parametrize_defects(test: Any) -> Any:
    parameters = [
        pytest.param(defect, defect["findings"], id=defect["defect"]) for defect in DEFECTS
    ]
    return pytest.mark.parametrize(
        ("defective_root", "expected"), parameters, indirect=["defective_root"]
    )(test)


@parametrize_defects
def test_the_check_finds_it(
    defective_root: Path, expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--root", str(defective_root), "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [
        f"{f['path']}:{f['line']}:{f['column']}:{f['code']}" for f in report["findings"]
    ] == expected


@pytest.mark.build
@parametrize_defects
def test_a_plain_build_fails_with_it(defective_root: Path, expected: list[str]) -> None:
    answer = run("mkdocs", "build", cwd=defective_root)
    assert [f"{position}:{code}" for position, code in FINDING.findall(answer.stderr)] == expected
    assert "Traceback" not in answer.stderr
    assert answer.returncode == 1
    assert not (defective_root / "site").exists()


def test_a_subprocess_would_be_seen_to_fail(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run("handbook", "check", cwd=tmp_path, check=True)
