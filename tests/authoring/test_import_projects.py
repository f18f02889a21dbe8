"""Imported decisions of seven projects are one site."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.authoring.test_import_adr import (
    DAY,
    DEFECTS,
    SETTINGS,
    plan_import,
)
from tests.commands import run
from tests.handbooks import CORPORA, needs_corpora, report, write


@pytest.mark.build
@needs_corpora
def test_the_decisions_of_seven_projects_are_one_site(tmp_path: Path) -> None:
    codes = {code for defects in DEFECTS.values() for code, _ in defects}
    allowed = {**dict.fromkeys(codes, "warning"), "LNK102": "warning"}
    index = "---\nrender_macros: true\n---\n# Index\n\n{{{{ {}() }}}}\n"
    root = write(
        tmp_path,
        {
            "mkdocs.yml": f"{SETTINGS}    rules: {json.dumps(allowed)}\n",
            "docs/index.md": "# Home\n",
            "docs/search.md": index.format("everything"),
            "adr/index.md": index.format("adr_index"),
        },
    )
    for project in DEFECTS:
        plan_import(root, CORPORA / "adr" / project).write(root)
    findings = report(root, DAY).findings
    assert len(findings) == sum(sum(defects.values()) for defects in DEFECTS.values())
    answer = run("handbook", "build", cwd=root)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    text = (root / "site/adr/index.html").read_text(encoding="utf-8")
    assert "295 imported" in text
