"""`handbook new`: a record that states what its author gave, and says TODO everywhere else."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from handbook.cli import main
from handbook.reading import nodes
from handbook.reading.source import read_source
from handbook.records.kinds import RECORDS
from tests.handbooks import SMALL, copy_of, places, report, write


@dataclass(frozen=True)
class New:
    """A call of `handbook new`, the text that it writes, and what an author writes in place of each TODO."""

    kind: str
    given: Sequence[str]
    path: str
    text: str
    places: Sequence[str]
    """Where the findings are, as `line:column`."""
    written: Sequence[str]
    """A line of the file for each line with a TODO."""


ADR_BODY = """
# A new thing!

## Context

TODO: say what the problem is, and what limits the choice

## Decision

TODO: say what is decided, in full sentences

## Alternatives considered

- TODO: name an alternative, and say why it was not chosen

## Consequences

TODO: say what becomes easier, and what becomes harder
"""
ADR_WRITTEN = ("Nights are short.", "We sleep.", "- Coffee: it does not last.", "People are awake.")

RUNBOOK_BODY = """
# A new thing!

## When to use this runbook

TODO: say what the reader sees when this runbook is the right one

## Diagnosis steps

1. TODO: give the first command or page to check, and say what each answer means

## Common causes and fixes

### TODO: name the cause

**Symptom:** TODO: say how the reader knows that it is this cause

**Fix:** TODO: give the command or the steps that fix it

## Escalation

- TODO: write "Tier N (minutes min): who"
"""
RUNBOOK_WRITTEN = (
    "No order goes through.",
    "1. Read the log of the pool.",
    "### The pool is full",
    "**Symptom:** The log says `timeout`.",
    "**Fix:** Restart the pool.",
    "- Tier 1 (15 min): Engineer on call",
)

POSTMORTEM_BODY = """
# A new thing!

## Impact

TODO: say who could not do what, and how many they were

## Timeline

- 01:30 — TODO: say what happened

## Root cause

TODO: say which change of the system would have prevented the incident

## What went well

TODO: say what to keep

## What went wrong

TODO: say what to change

## Action items

| Id | Action | Owner | Due | Status |
|---|---|---|---|---|
| A1 | TODO: say what has to be done | TODO | TODO | open |

## Lessons learned

TODO: say what other teams should know
"""
POSTMORTEM_WRITTEN = (
    "Nobody could buy.",
    "- 01:30 — orders stop",
    "The pool was too small.",
    "The alert came at once.",
    "The pool was not watched.",
    "| A1 | Watch the pool | order-team | 2026-12-01 | open |",
    "Watch each pool.",
)

STARTED = "started=2026-11-20T23:30-02:00"

NEW = {
    "adr": New(
        "adr",
        [],
        "adr/0004-a-new-thing.md",
        f"---\nstatus: proposed\ndate: 2026-11-23\n---{ADR_BODY}",
        ["9:1", "13:1", "17:3", "21:1"],
        ADR_WRITTEN,
    ),
    "adr that is decided": New(
        "adr",
        ["status=accepted", "tags=[database]"],
        "adr/0004-a-new-thing.md",
        f"---\nstatus: accepted\ndate: TODO\ndeciders: [TODO]\ntags: [database]\n---{ADR_BODY}",
        ["3:7", "4:12", "11:1", "15:1", "19:3", "23:1"],
        ["date: 2026-03-02", "deciders: [shop-team]", *ADR_WRITTEN],
    ),
    "standard": New(
        "standard",
        [],
        "docs/standards/09-a-new-thing.md",
        textwrap.dedent("""\
            ---
            summary: TODO
            core_tools: [TODO]
            prevents: TODO
            calms: [TODO]
            owner: TODO
            reviewed: TODO
            checklist: []
            ---
            # A new thing!

            ## Why it matters

            TODO: say what goes wrong without this standard

            ## What it requires

            - **STD-09.1** TODO: say what a team must, should or may do, with that verb in capitals

            ## How to implement it

            TODO: show how a team does it

            ## How to verify it

            TODO: say how to see that a team does it

            ## When to deviate

            TODO: say when a team may do something else, and who agrees to it
            """),
        ["2:10", "3:14", "4:11", "5:9", "6:8", "7:11", "14:1", "18:16", "22:1", "26:1", "30:1"],
        [
            "summary: Names are short",
            "core_tools: [ruff]",
            "prevents: Long names",
            "calms: [lean]",
            "owner: shop-team",
            "reviewed: 2026-11-20",
            "Nobody remembers a long name.",
            "- **STD-09.1** A name MUST be short.",
            "Choose a short name.",
            "Count its letters.",
            "Never.",
        ],
    ),
    "runbook": New(
        "runbook",
        ["service=shop"],
        "runbooks/shop/a-new-thing.md",
        "---\n# or, if an alert leads here: alerts: [AlertName]\n"
        f"trigger: TODO\nseverity: TODO\nowner: TODO\nreviewed: TODO\n---{RUNBOOK_BODY}",
        ["3:10", "4:11", "5:8", "6:11", "12:1", "16:4", "20:5", "28:3"],
        [
            "trigger: A call",
            "severity: sev-2",
            "owner: shop-team",
            "reviewed: 2026-11-20",
            *RUNBOOK_WRITTEN,
        ],
    ),
    "runbook of an alert": New(
        "runbook",
        ["service=shop", "alerts=[OrdersDown]", "severity=sev-2"],
        "runbooks/shop/a-new-thing.md",
        f"---\nalerts: [OrdersDown]\nseverity: sev-2\nowner: TODO\nreviewed: TODO\n---{RUNBOOK_BODY}",
        ["4:8", "5:11", "11:1", "15:4", "19:5", "27:3"],
        ["owner: shop-team", "reviewed: 2026-11-20", *RUNBOOK_WRITTEN],
    ),
    "postmortem": New(
        "postmortem",
        [STARTED],
        "postmortems/2026-11-21-a-new-thing.md",
        "---\nseverity: TODO\nstatus: draft\nstarted: 2026-11-20T23:30-02:00\n"
        f"services: [TODO]\nauthors: [TODO]\n---{POSTMORTEM_BODY}",
        ["2:11", "5:12", "6:11", "12:1", "16:11", "20:1", "24:1", "28:1", "34:8", "38:1"],
        ["severity: sev-2", "services: [shop]", "authors: [shop-team]", *POSTMORTEM_WRITTEN],
    ),
    "postmortem of a service": New(
        "postmortem",
        [STARTED, "services=[warehouse]"],
        "postmortems/2026-11-21-a-new-thing.md",
        "---\nseverity: TODO\nstatus: draft\nstarted: 2026-11-20T23:30-02:00\n"
        f"services: [warehouse]\nauthors: [TODO]\n---{POSTMORTEM_BODY}",
        ["2:11", "6:11", "12:1", "16:11", "20:1", "24:1", "28:1", "34:8", "38:1"],
        ["severity: sev-2", "authors: [shop-team]", *POSTMORTEM_WRITTEN],
    ),
    "postmortem that is published": New(
        "postmortem",
        [
            STARTED,
            "services=[warehouse]",
            "severity=sev-1",
            "authors=[shop-team]",
            "status=published",
        ],
        "postmortems/2026-11-21-a-new-thing.md",
        "---\nseverity: sev-1\nstatus: published\nstarted: 2026-11-20T23:30-02:00\n"
        "resolved: TODO\npublished: TODO\ncaused_by: TODO\n"
        f"services: [warehouse]\nauthors: [shop-team]\nreviewers: [TODO]\n---{POSTMORTEM_BODY}",
        ["5:11", "6:12", "7:12", "10:13", "16:1", "20:11", "24:1", "28:1", "32:1", "38:8", "42:1"],
        [
            "resolved: 2026-11-21T02:00Z",
            "published: 2026-11-22",
            "caused_by: capacity",
            "reviewers: [order-team]",
            *POSTMORTEM_WRITTEN,
        ],
    ),
    "service": New(
        "service",
        [],
        "docs/services/a-new-thing.md",
        "---\nowner: TODO\ntier: TODO\non_call: TODO\nrepository: TODO\n---\n"
        "# A new thing!\n\nTODO: say what the service does, and for whom\n",
        ["2:8", "3:7", "4:10", "5:13", "9:1"],
        [
            "owner: shop-team",
            "tier: 1",
            "on_call: https://rota.example/new",
            "repository: https://git.example/new",
            "It is new.",
        ],
    ),
    "service of tier 3": New(
        "service",
        ["tier=3"],
        "docs/services/a-new-thing.md",
        "---\nowner: TODO\ntier: 3\nrepository: TODO\n---\n"
        "# A new thing!\n\nTODO: say what the service does, and for whom\n",
        ["2:8", "4:13", "8:1"],
        ["owner: shop-team", "repository: https://git.example/new", "It is new."],
    ),
}

STATED = {
    "adr": {"status": "proposed", "date": "2026-11-23"},
    "standard": {},
    "runbook": {},
    "postmortem": {"status": "draft", "started": "2026-11-20T23:30-02:00"},
    "service": {},
}
"""The values that a new record of each kind may state where its author gave only what the kind needs."""


def new(root: Path, kind: str, title: str, given: Sequence[str]) -> int:
    """Call `handbook new`; answers its exit code."""
    pairs = [part for pair in given for part in ("--set", pair)]
    return main(["new", kind, title, "--root", str(root), "--today", "2026-11-23", *pairs])


@pytest.mark.parametrize("case", NEW.values(), ids=NEW)
def test_it_states_what_was_given_and_says_todo_everywhere_else(
    case: New, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    assert new(root, case.kind, "A new  thing!", case.given) == 0
    assert capsys.readouterr().out == f"{case.path}\n"
    assert (root / case.path).read_text(encoding="utf-8") == case.text


@pytest.mark.parametrize("case", NEW.values(), ids=NEW)
def test_its_only_findings_are_what_is_still_to_be_written(case: New, tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    assert new(root, case.kind, "A new  thing!", case.given) == 0
    assert places(report(root).findings) == [f"{case.path}:{place}:FM106" for place in case.places]
    lines = (root / case.path).read_text(encoding="utf-8").split("\n")
    unwritten = [number for number, line in enumerate(lines) if "TODO" in line]
    for number, line in zip(unwritten, case.written, strict=True):
        lines[number] = line
    (root / case.path).write_text("\n".join(lines), encoding="utf-8")
    assert places(report(root).findings) == []


@pytest.mark.parametrize("kind", [each.kind for each in RECORDS])
def test_no_value_is_invented(kind: str, tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    case = NEW[kind]
    assert new(root, kind, "A new thing", case.given) == 0
    source = read_source(case.path, (root / case.path).read_bytes())
    assert source.front_matter
    stated = {
        entry.key: value.text
        for entry in source.front_matter.mapping.entries
        for value in nodes.scalars(entry.value)
        if value.text != "TODO"
    }
    assert stated == STATED[kind]


def test_a_handbook_without_a_service_team_or_severity_has_no_first_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path, {"mkdocs.yml": "site_name: x\n"})
    for kind, given in (("adr", []), ("standard", []), ("postmortem", [STARTED]), ("service", [])):
        assert new(root, kind, "A new thing!", given) == 0
    assert {finding.code for finding in report(root).findings} == {"FM106"}
    text = (root / "postmortems/2026-11-21-a-new-thing.md").read_text(encoding="utf-8")
    assert text == NEW["postmortem"].text
    (root / "docs/services/a-new-thing.md").unlink()
    capsys.readouterr()
    assert new(root, "runbook", "x", ["service=shop"]) == 2
    assert "no service for the runbook; add one first" in capsys.readouterr().err


@pytest.mark.parametrize(
    "title", ['Say "no": {{ config }} & <b>', "ünïcode", "a: b # c", "- [x] y"]
)
def test_any_title_is_taken(title: str, tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    for kind in ("adr", "standard", "runbook"):
        assert new(root, kind, title, NEW[kind].given) == 0
    assert {each.code for each in report(root).findings} <= {"FM106", "SAFE001"}


@pytest.mark.parametrize(
    ("kind", "title", "given", "message"),
    [
        ("runbook", "x", [], "a runbook needs --set service=…, one of: search, shop, warehouse"),
        ("runbook", "x", ["service=shpo"], "there is no service 'shpo'; did you mean 'shop'?"),
        ("postmortem", "x", [], "a post-mortem needs --set started="),
        ("postmortem", "x", ["started=2026-05-15"], "a post-mortem needs --set started="),
        (
            "postmortem",
            "x",
            ["started=0001-01-01T00:00+14:00"],
            "a post-mortem needs --set started=",
        ),
        ("adr", "x", ["statsu=accepted"], "adr has no key 'statsu'; did you mean 'status'?"),
        ("adr", "x", ["status"], "write key=value"),
        ("adr", "!?", [], "the title has no letter"),
        ("adr", "a\udcffb", [], "the title holds an invisible character, U+DCFF"),
        (
            "runbook",
            "a\x1b[31m",
            ["service=shop"],
            "the title holds an invisible character, U+001B",
        ),
        ("service", "a\u202eb", [], "the title holds an invisible character, U+202E"),
        ("service", "Shop", [], "docs/services/shop.md is there already"),
    ],
)
def test_what_cannot_be_written_is_said_and_nothing_is(
    kind: str,
    title: str,
    given: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    before = sorted(path.relative_to(root) for path in root.rglob("*"))
    assert new(root, kind, title, given) == 2
    assert message in capsys.readouterr().err
    assert sorted(path.relative_to(root) for path in root.rglob("*")) == before
