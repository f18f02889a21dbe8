"""The copies that `handbook init --with standards` makes of the standards of this repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from handbook import __version__
from handbook.authoring import standards_copy
from handbook.cli import main
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.reading.blocks import Code
from handbook.reading.parser import MarkdownNode, NodeKind
from handbook.reading.render import include_listings
from handbook.records.standard import CHANGES, Standard
from tests.handbooks import ROOT, format_findings, report

URL, TEAM = "https://our.example/handbook/", "our-team"


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new handbook with the standards."""
    root = tmp_path_factory.mktemp("copy")
    arguments = ["--name", "Ours", "--url", URL, "--team", TEAM, "--team", "b-team"]
    assert main(["init", str(root), *arguments, "--with", "standards"]) == 0
    return root


def read_extra(root: Path) -> dict[str, Any]:
    text = (root / "mkdocs.yml").read_text(encoding="utf-8")
    extra: dict[str, Any] = yaml.safe_load(text)["extra"]
    return extra


def read_standards(handbook: Handbook) -> dict[str, Standard]:
    return {standard.id: standard for standard in handbook.of(Standard)}


def list_texts(node: MarkdownNode) -> Iterator[str]:
    """Yield the texts outside of code."""
    if node.kind is NodeKind.TEXT:
        yield node.text
    for child in node.children:
        yield from list_texts(child)


def test_a_copy_has_no_findings(copy: Path) -> None:
    assert format_findings(report(copy, date.today()).findings) == []


def test_a_copy_keeps_requirements_items_and_code(copy: Path) -> None:
    ours, copied = load(ROOT), load(copy)
    standards = read_standards(copied)
    assert len(standards) == 13
    assert list(standards) == list(read_standards(ours))
    for original in read_standards(ours).values():
        standard = standards[original.id]
        assert standard.title == original.title
        assert standard.checklist == original.checklist
        assert standard.owner == TEAM
        assert standard.reviewed == original.reviewed
        assert [
            (part.id, part.text, part.why, part.verified_by) for part in standard.requirements
        ] == [(part.id, part.text, part.why, part.verified_by) for part in original.requirements]
        codes = [block.text for block in original.source.blocks_of(Code)]
        assert [block.text.rstrip("\n") for block in standard.source.blocks_of(Code)] == [
            include_listings(code, ours.read_listing)
            .replace("https://handbook.example/", URL)
            .rstrip("\n")
            for code in codes
        ]


def test_a_copy_names_nothing_that_the_new_handbook_lacks(copy: Path) -> None:
    services = {path.stem for path in (ROOT / "docs/services").glob("*.md")} - {"index"}
    teams = "|".join(read_extra(ROOT)["handbook"]["teams"])
    for standard in load(copy).of(Standard):
        text = standard.source.text
        for name in ("8<--", "docs/standards/samples", "https://handbook.example/"):
            assert name not in text, standard.path
        assert not [code for code in standard.source.blocks_of(Code) if not code.text.strip()]
        note = standards_copy.NOTE.replace("> ", "").replace("*", "")
        prose = list(list_texts(standard.source.tree))
        for line in (line for line in prose if line not in note):
            assert not re.search(r"\b(ADR|INC)-[0-9]", line), line
            assert not [name for name in services if name in line and "-" in name], line
            assert not re.search(rf"\b({teams})\b", line), line
        front_matter = text[: standard.source.body_offset]
        assert not re.search(rf"\b({teams})\b|order-service|ADR-", front_matter)


def test_a_copy_has_the_whole_policy_with_its_comments(copy: Path) -> None:
    ours, copied = read_extra(ROOT), read_extra(copy)
    assert copied["policy"] == ours["policy"]
    assert copied["handbook"]["groups"] == ours["handbook"]["groups"]
    policies = [
        (root / "mkdocs.yml").read_text(encoding="utf-8").partition("  policy:\n")[2]
        for root in (ROOT, copy)
    ]
    assert policies[0].rstrip() == policies[1].rstrip()


def test_a_copy_says_where_it_is_from(copy: Path) -> None:
    for standard in load(copy).of(Standard):
        text = standard.source.text.partition(f"## {CHANGES}\n")[2]
        source = f"`handbook init` copied this standard from the package `handbook` {__version__}."
        assert text.startswith(f"\n- {date.today()}: {source}\n")
        assert text.count("\n- ") == 1
    readme = (copy / "README.md").read_text(encoding="utf-8")
    assert "## Make the standards yours\n\n" in readme
    assert f"the package, and {TEAM} owns them.\n" in readme
