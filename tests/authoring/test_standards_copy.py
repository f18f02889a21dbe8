"""`handbook init --with standards`: copies of the standards that stand on their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml

from handbook import __version__
from handbook.authoring import standards_copy
from handbook.authoring.standards_copy import copy_standards
from handbook.cli import main
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.reading.blocks import Code
from handbook.reading.parser import MarkdownNode, NodeKind
from handbook.reading.render import include_listings
from handbook.records.standard import CHANGES, Standard
from hatch_build import find_files
from tests.handbooks import ROOT, format_findings, report, write

URL, TEAM = "https://our.example/handbook/", "our-team"
SETTINGS = """\
site_url: https://handbook.example/
extra:
  handbook:
    teams: {their-team: {}}
    groups:
      DOC: Documents
  policy:
    # The longest life of a branch.
    branches: {life: 2 days}
"""
PAGE = """\
---
owner: their-team
reviewed: 2026-01-01
---
# A standard

## How to implement it

{text}
"""
OTHER_PAGES = {"docs/standards/02-b.md": PAGE, "docs/standards/01-a/a.svg": "<svg/>"}


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new handbook with the standards. Its rules are off where ours are."""
    root = tmp_path_factory.mktemp("copy")
    arguments = ["--name", "Ours", "--url", URL, "--team", TEAM, "--team", "b-team"]
    assert main(["init", str(root), *arguments, "--with", "standards"]) == 0
    rules = read_extra(ROOT)["handbook"].get("rules", {})
    assert set(rules) <= {"unverified-requirement"}
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    changed = settings.replace("    teams:\n", f"    rules: {rules}\n    teams:\n")
    write(root, {"mkdocs.yml": changed})
    return root


def read_extra(root: Path) -> dict[str, dict[str, object]]:
    text = (root / "mkdocs.yml").read_text(encoding="utf-8")
    extra: dict[str, dict[str, object]] = yaml.safe_load(text)["extra"]
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
    teams = "|".join(read_extra(ROOT)["handbook"]["teams"])  # type: ignore[call-overload]
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


CASES = {
    "a sentence with a link to a record": (
        "First. See [the\noutage](../../postmortems/2026-05-15-outage.md) of May. Last.",
        "First. Last.",
    ),
    "a sentence with the id of a decision": (
        "In ADR-0001 we chose. We `a. b` ADR.",
        "We `a. b` ADR.",
    ),
    "the last sentence, in brackets": (
        "First.\n([proofs](../reference/proofs.md).)\n\nNext.",
        "First.\n\nNext.",
    ),
    "a paragraph": ("First.\n\n[Page](../start-here.md)\nleft.\n\nNext.", "First.\n\nNext."),
    "a callout": ("First.\n\n> [!NOTE]\n> [Page](../a.md).\n\nNext.", "First.\n\nNext."),
    "a sentence of a callout": (
        "> [!NOTE]\n> One.\n> [Page](../a.md). Two.",
        "> [!NOTE]\n> One. Two.",
    ),
    "a list item": (
        "- **STD-01.1** You MUST.\n    - How: [runbook](../../runbooks/a/b.md)\n    - Why: So.",
        "- **STD-01.1** You MUST.\n    - Why: So.",
    ),
    "a table row": (
        "| a | b |\n|---|---|\n| c | d |\n| ADR-0001 | e |",
        "| a | b |\n|---|---|\n| c | d |",
    ),
    "the link of a heading": ("### The [outage](../a.md)", "### The outage"),
    "the link of a table head": ("| [a](../a.md) |\n|---|\n| b |", "| a |\n|---|\n| b |"),
    "a link to the glossary": (
        "The [burn rate](../reference/glossary.md#burn-rate) is high.",
        "The burn rate is high.",
    ),
    "an address of the site": ("See [it](https://handbook.example/adr/). Last.", "Last."),
    "links that stay": (
        "[a](#a), [b](02-b.md#b), ![c](01-a/a.svg), [d](../checklist.md), [e](https://a.example/).",
    )
    * 2,
    "teams": (
        "their-team, `their-team`, `@org/their-team`, `#their-team` and their-teams.",
        "our-team, `our-team`, `@org/their-team`, `#their-team` and their-teams.",
    ),
    "ids of standards": ("STD-02.1 and DOC-01 stay.",) * 2,
    "code": ("```yaml\nowner: their-team # ADR-0001 [a](../a.md)\n```",) * 2,
    "a listing": ('```sh\n--8<-- "a.sh:part"\n```', "```sh\necho a\n```"),
    "a listing in a list": (
        '1. Run:\n\n    ```sh\n    --8<-- "a.sh:part"\n    ```',
        "1. Run:\n\n    ```sh\n    echo a\n    ```",
    ),
    "a listing of wrong shell code": ('```sh\n--8<-- "bad/a.sh"\n```', "```text\nls )\n```"),
}


@pytest.mark.parametrize("name", CASES)
def test_text_about_missing_records_is_left_out(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, expected = CASES[name]
    body = copy_page(text, tmp_path, monkeypatch)
    assert body.partition("## How to implement it\n\n")[2].partition("\n\n## ")[0] == expected


def copy_page(text: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the copy of a standard with a text, from a repository of two standards."""
    samples = "docs/standards/samples"
    write(
        root,
        {
            "mkdocs.yml": SETTINGS,
            "docs/standards/01-a.md": PAGE.format(text=text),
            f"{samples}/a.sh": "# --8<-- [start:part]\necho a\n# --8<-- [end:part]\n",
            f"{samples}/bad/a.sh": "ls )\n",
            **OTHER_PAGES,
        },
    )
    monkeypatch.setattr(standards_copy, "_REPOSITORY", root)
    copied = copy_standards(TEAM, URL, date(2026, 11, 26))
    assert sorted(copied.files) == ["docs/standards/01-a.md", *sorted(OTHER_PAGES)]
    return copied.files["docs/standards/01-a.md"].decode()


def test_the_history_of_a_standard_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"Text.\n\n## {CHANGES}\n\n- 2026-01-01: STD-01.1 is new.\n"
    body = copy_page(text, tmp_path, monkeypatch)
    assert body.count(f"## {CHANGES}") == 1
    assert "STD-01.1" not in body
    assert f"# A standard\n\n{standards_copy.NOTE}\n## How" in body
    assert "\nowner: our-team\nreviewed: 2026-01-01\n" in body


def test_the_wheel_gets_the_standards_and_the_files_of_their_listings(tmp_path: Path) -> None:
    files = {
        "docs/standards/01-a.md": '```sh\n--8<-- "a.sh:part"\n```\n\n```sh\n--8<-- "b/c.sh"\n```\n',
        "docs/standards/01-a/a.svg": "",
        "docs/standards/samples/a.sh": "",
        "runbooks/b/c.sh": "",
    }
    unused = {"docs/standards/index.md": "", "docs/standards/samples/unused.py": ""}
    write(tmp_path, files | unused)
    assert sorted(find_files(tmp_path)) == sorted(files)
    (tmp_path / "runbooks/b/c.sh").unlink()
    with pytest.raises(FileNotFoundError, match=r"b/c\.sh"):
        list(find_files(tmp_path))
