"""The site of the public runbooks and post-mortems, after their real defects are repaired."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from handbook.diagnostics import Diagnostic
from tests.commands import run
from tests.handbooks import CORPORA, SMALL, TODAY, copy_site, report

pytestmark = pytest.mark.build


def repair(root: Path, findings: Iterable[Diagnostic]) -> set[str]:
    """Repair the real defects of the public records, and return the codes of other findings.

    Links without a target become text. Code that is no valid shell code becomes text. A destructive
    command gets a warning, and a code fence its end.
    """
    others = set()
    for finding in sorted(findings, key=lambda finding: (-finding.at.line, finding.code)):
        file = root / finding.at.path
        lines = file.read_text(encoding="utf-8").split("\n")
        index = finding.at.line - 1
        if finding.code in ("FM107", "RBK016"):
            while not lines[index].startswith("```"):
                index -= 1
            if finding.code == "FM107":
                lines[index] = "```text"
            else:
                lines[index:index] = ["> [!WARNING]", "> This deletes data.", ""]
        elif finding.code in ("LNK001", "LNK004"):
            lines[index] = re.sub(r"\]\((?:PM|/)[^)]*\)", "]", lines[index])
            lines[index] = re.sub(r"^\[PM[^\]]*\]:.*", "", lines[index])
            lines[index] = re.sub(r"(?:\[(PM[^\]]+)\])+", r"\1", lines[index])
        elif finding.code == "LNK007":
            lines[index] = re.sub(r"\[([^\]]+)\]\[([^\]]+)\]", r"\1", lines[index])
        elif finding.code == "MD007":
            end = next(number for number in range(index, len(lines)) if not lines[number])
            lines.insert(end, "```")
        else:
            others.add(finding.code)
        file.write_text("\n".join(lines), encoding="utf-8")
    return others


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the public records are not installed")
def test_the_site_of_public_runbooks_and_postmortems_builds(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    for kind in ("runbook", "postmortem"):
        folder = f"{CORPORA / f'{kind}s'}"
        arguments = ("import", kind, folder, "--service", "shop", "--today", f"{TODAY}")
        assert run("handbook", *arguments, cwd=root).returncode == 0
    run("handbook", "check", "--fix", cwd=root)  # removes prompts from shell code
    assert repair(root, report(root).findings) == set()
    run("handbook", "check", "--fix", cwd=root)  # also in the block that has its end now
    assert [finding.code for finding in report(root).findings] == []
    build = run("handbook", "build", cwd=root)
    assert build.returncode == 0, build.stdout + build.stderr
    pages = sorted((root / "site" / "runbooks" / "shop").rglob("index.html"))
    assert len(pages) >= 108
    page = LexborHTMLParser(
        (root / "site/runbooks/shop/kube-api-down/index.html").read_text(encoding="utf-8")
    )
    facts = page.css_first(".hb-facts")
    assert facts is not None
    assert "KubeAPIDown (no rule recorded)" in " ".join(facts.text().split())
    incident = "postmortems/2021-06-22-all-services-returning-503-in-kubernetes"
    page = LexborHTMLParser((root / "site" / incident / "index.html").read_text(encoding="utf-8"))
    items = [item.text() for item in page.css("article li")]
    assert "2021-06-22 08:21 — VPC CNI replaced by the pipeline" in items
    rows = [row.text() for row in page.css("article td:first-child")]
    assert rows == ["A1", "A2", "A3"]
