"""A copy of a standard names no record that its new handbook lacks."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from handbook.authoring import standards_copy
from handbook.authoring.standards_copy import copy_standards
from handbook.records.standard import CHANGES
from hatch_build import find_files
from tests.handbooks import write

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
        "First.\n([outage](../../postmortems/a.md).)\n\nNext.",
        "First.\n\nNext.",
    ),
    "a paragraph": ("First.\n\n[Page](../../runbooks/a/b.md)\nleft.\n\nNext.", "First.\n\nNext."),
    "a callout": ("First.\n\n> [!NOTE]\n> [Page](../services/a.md).\n\nNext.", "First.\n\nNext."),
    "a sentence of a callout": (
        "> [!NOTE]\n> One.\n> [Page](../services/a.md). Two.",
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
    "a link to another page": (
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
