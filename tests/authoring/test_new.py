"""`handbook new` writes the values of its author, and TODO for all others."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from handbook.cli import main
from handbook.loading import load
from handbook.reading import nodes
from handbook.reading.ids import slug
from handbook.reading.source import read_source
from handbook.records.kinds import RECORDS
from handbook.records.runbook import Runbook
from tests.handbooks import SITE_SETTINGS, SMALL, copy_site, format_findings, report, write


@dataclass(frozen=True)
class Case:
    """Call of `handbook new`, its result, and the author's text for each TODO."""

    kind: str
    values: Sequence[str]
    path: str
    text: str
    findings: Sequence[str]
    """Position of each finding, as `line:column`."""
    completed_lines: Sequence[str]
    """Replacement for each line with a TODO."""


ADR_BODY = """
# A new thing!

## Context

TODO: describe the problem and the constraints on the choice

## Decision

TODO: state the decision, in full sentences

## Alternatives considered

- TODO: name an alternative, and explain why you rejected it

## Consequences

TODO: state what becomes easier and what becomes harder
"""
ADR_LINES = ("Nights are short.", "We sleep.", "- Coffee: it does not last.", "People are awake.")

RUNBOOK_BODY = """
# A new thing!

## When to use this runbook

TODO: describe when to use this runbook

## Diagnosis steps

1. TODO: give the first check, and explain each result

## Common causes and fixes

### TODO: name the cause

**Symptom:** TODO: describe the symptom that identifies this cause

**Fix:** TODO: give the command or the steps that fix it

## Escalation

- TODO: write "Tier N (minutes min): who"
"""
RUNBOOK_LINES = (
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

TODO: state who was affected, how, and how many

## Timeline

- 01:30 — TODO: describe what happened

## Root cause

TODO: name the system change that would have prevented the incident

## What went well

TODO: list what to keep

## What went wrong

TODO: list what to change

## Action items

| Id | Action | Owner | Due | Status |
|---|---|---|---|---|
| A1 | TODO: describe the action | TODO | TODO | open |

## Lessons learned

TODO: list what other teams should know
"""
POSTMORTEM_LINES = (
    "Customers could not buy.",
    "- 01:30 — orders stop",
    "The pool was too small.",
    "The alert came at once.",
    "The pool was not watched.",
    "| A1 | Watch the pool | order-team | 2026-12-01 | open |",
    "Watch each pool.",
)

STARTED = "started=2026-11-20T23:30-02:00"

CASES = {
    "adr": Case(
        "adr",
        [],
        "adr/0004-a-new-thing.md",
        f"---\nstatus: proposed\ndate: 2026-11-23\n---{ADR_BODY}",
        ["9:1", "13:1", "17:3", "21:1"],
        ADR_LINES,
    ),
    "adr that is decided": Case(
        "adr",
        ["status=accepted", "tags=[database]"],
        "adr/0004-a-new-thing.md",
        f"---\nstatus: accepted\ndate: TODO\ndeciders: [TODO]\ntags: [database]\n---{ADR_BODY}",
        ["3:7", "4:12", "11:1", "15:1", "19:3", "23:1"],
        ["date: 2026-03-02", "deciders: [shop-team]", *ADR_LINES],
    ),
    "standard": Case(
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

            TODO: describe what goes wrong without this standard

            ## What it requires

            - **STD-09.1** TODO: state what a team must, should or may do
                - Verified by: human review

            ## How to implement it

            TODO: show how to do it, with an example

            ## How to verify it

            TODO: describe how to check each requirement

            ## When to deviate

            TODO: state when a team may deviate, and who must approve it
            """),
        ["2:10", "3:14", "4:11", "5:9", "6:8", "7:11", "14:1", "18:16", "23:1", "27:1", "31:1"],
        [
            "summary: Names are short",
            "core_tools: [ruff]",
            "prevents: Long names",
            "calms: [lean]",
            "owner: shop-team",
            "reviewed: 2026-11-20",
            "Long names are hard to remember.",
            "- **STD-09.1** A name MUST be short.",
            "Choose a short name.",
            "Count its letters.",
            "Never.",
        ],
    ),
    "runbook": Case(
        "runbook",
        ["service=shop"],
        "runbooks/shop/a-new-thing.md",
        "---\n# if an alert links to this runbook, set instead: alerts: [AlertName]\n"
        f"trigger: TODO\nseverity: TODO\nowner: TODO\nreviewed: TODO\n---{RUNBOOK_BODY}",
        ["3:10", "4:11", "5:8", "6:11", "12:1", "16:4", "20:5", "28:3"],
        [
            "trigger: A call",
            "severity: sev-2",
            "owner: shop-team",
            "reviewed: 2026-11-20",
            *RUNBOOK_LINES,
        ],
    ),
    "runbook of an alert": Case(
        "runbook",
        ["service=shop", "alerts=[OrdersDown]", "severity=sev-2"],
        "runbooks/shop/a-new-thing.md",
        "---\nalerts: [OrdersDown]\nseverity: sev-2\n"
        f"owner: TODO\nreviewed: TODO\n---{RUNBOOK_BODY}",
        ["4:8", "5:11", "11:1", "15:4", "19:5", "27:3"],
        ["owner: shop-team", "reviewed: 2026-11-20", *RUNBOOK_LINES],
    ),
    "postmortem": Case(
        "postmortem",
        [STARTED],
        "postmortems/2026-11-21-a-new-thing.md",
        "---\nseverity: TODO\nstatus: draft\nstarted: 2026-11-20T23:30-02:00\n"
        f"services: [TODO]\nauthors: [TODO]\n---{POSTMORTEM_BODY}",
        ["2:11", "5:12", "6:11", "12:1", "16:11", "20:1", "24:1", "28:1", "34:8", "38:1"],
        ["severity: sev-2", "services: [shop]", "authors: [shop-team]", *POSTMORTEM_LINES],
    ),
    "postmortem of a service": Case(
        "postmortem",
        [STARTED, "services=[warehouse]"],
        "postmortems/2026-11-21-a-new-thing.md",
        "---\nseverity: TODO\nstatus: draft\nstarted: 2026-11-20T23:30-02:00\n"
        f"services: [warehouse]\nauthors: [TODO]\n---{POSTMORTEM_BODY}",
        ["2:11", "6:11", "12:1", "16:11", "20:1", "24:1", "28:1", "34:8", "38:1"],
        ["severity: sev-2", "authors: [shop-team]", *POSTMORTEM_LINES],
    ),
    "postmortem that is published": Case(
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
            "resolved: 2026-11-21T01:30Z",
            "published: 2026-11-22",
            "caused_by: capacity",
            "reviewers: [order-team]",
            *POSTMORTEM_LINES,
        ],
    ),
    "service": Case(
        "service",
        [],
        "docs/services/a-new-thing.md",
        "---\nowner: TODO\ntier: TODO\non_call: TODO\nrepository: TODO\n---\n"
        "# A new thing!\n\nTODO: describe what the service does, and for whom\n",
        ["2:8", "3:7", "4:10", "5:13", "9:1"],
        [
            "owner: shop-team",
            "tier: 1",
            "on_call: https://rota.example/new",
            "repository: https://git.example/new",
            "It is new.",
        ],
    ),
    "service of tier 3": Case(
        "service",
        ["tier=3"],
        "docs/services/a-new-thing.md",
        "---\nowner: TODO\ntier: 3\nrepository: TODO\n---\n"
        "# A new thing!\n\nTODO: describe what the service does, and for whom\n",
        ["2:8", "4:13", "8:1"],
        ["owner: shop-team", "repository: https://git.example/new", "It is new."],
    ),
}

REQUIRED_VALUES = {
    "adr": {"status": "proposed", "date": "2026-11-23"},
    "standard": {},
    "runbook": {},
    "postmortem": {"status": "draft", "started": "2026-11-20T23:30-02:00"},
    "service": {},
}
"""Values in a new record of each kind if the author gives only the required ones."""


def run_new(root: Path, kind: str, title: str, values: Sequence[str]) -> int:
    """Run `handbook new`, and return its exit code."""
    options = [argument for value in values for argument in ("--set", value)]
    return main(["new", kind, title, "--root", str(root), "--today", "2026-11-23", *options])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_new_record_has_the_values_of_its_author_and_todo_for_all_others(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    assert run_new(root, case.kind, "A new  thing!", case.values) == 0
    assert capsys.readouterr().out == f"{case.path}\n"
    assert (root / case.path).read_text(encoding="utf-8") == case.text


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_only_findings_of_a_new_record_are_its_todos(case: Case, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    assert run_new(root, case.kind, "A new  thing!", case.values) == 0
    assert format_findings(report(root).findings) == [
        f"{case.path}:{position}:FM106" for position in case.findings
    ]
    lines = (root / case.path).read_text(encoding="utf-8").split("\n")
    incomplete = [number for number, line in enumerate(lines) if "TODO" in line]
    for number, line in zip(incomplete, case.completed_lines, strict=True):
        lines[number] = line
    (root / case.path).write_text("\n".join(lines), encoding="utf-8")
    assert format_findings(report(root).findings) == []


@pytest.mark.parametrize("kind", [record.kind for record in RECORDS])
def test_no_value_is_invented(kind: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    case = CASES[kind]
    assert run_new(root, kind, "A new thing", case.values) == 0
    source = read_source(case.path, (root / case.path).read_bytes())
    assert source.front_matter
    values = {
        entry.key: value.text
        for entry in source.front_matter.mapping.entries
        for value in nodes.walk_scalars(entry.value)
        if value.text != "TODO"
    }
    assert values == REQUIRED_VALUES[kind]


def test_an_empty_handbook_gets_no_invented_service_team_or_severity(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path, {"mkdocs.yml": SITE_SETTINGS})
    for kind, values in (
        ("adr", []),
        ("standard", []),
        ("postmortem", [STARTED]),
        ("service", []),
    ):
        assert run_new(root, kind, "A new thing!", values) == 0
    assert {finding.code for finding in report(root).findings} == {"FM106"}
    text = (root / "postmortems/2026-11-21-a-new-thing.md").read_text(encoding="utf-8")
    assert text == CASES["postmortem"].text
    (root / "docs/services/a-new-thing.md").unlink()
    capsys.readouterr()
    assert run_new(root, "runbook", "x", ["service=shop"]) == 2
    assert "no services yet; add one first" in capsys.readouterr().err


@pytest.mark.parametrize(
    "title",
    ['Say "no": {{ config }} & `<b>`', "ünïcode", "a: b # c", "- [x] y"],
    ids=["markup", "accents", "yaml", "list"],
)
def test_a_title_may_hold_any_characters(title: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    for kind in ("adr", "standard", "runbook"):
        assert run_new(root, kind, title, CASES[kind].values) == 0
    assert {finding.code for finding in report(root).findings} == {"FM106"}


@pytest.mark.parametrize(
    ("kind", "title", "values", "message"),
    [
        (
            "runbook",
            "x",
            [],
            "missing service; add --set service=… with one of: search, shop, warehouse",
        ),
        ("runbook", "x", ["service=shpo"], "unknown service 'shpo'; did you mean 'shop'?"),
        ("postmortem", "x", [], "no 'started' with a UTC offset"),
        ("postmortem", "x", ["started=2026-05-15"], "invalid value '2026-05-15' for 'started'"),
        (
            "postmortem",
            "x",
            ["started=0001-01-01T00:00+14:00"],
            "time '0001-01-01T00:00+14:00' does not exist",
        ),
        ("adr", "x", ["statsu=accepted"], "unknown key 'statsu' for adr; did you mean 'status'?"),
        ("adr", "x", ["status"], "write key=value"),
        ("adr", "!?", [], "add --slug SLUG, such as --slug orders-stopped"),
        ("adr", "日本語", [], "no letter from a to z and no digit"),
        ("adr", "x " * 80, [], "file name of more than 100 characters; add --slug SLUG"),
        ("adr", "x", ["status=acepted"], "did you mean 'accepted'?"),
        ("adr", "x", ["date=2026-02-30"], "date '2026-02-30' does not exist"),
        ("adr", "x", ["date=2026-02-03", "date=2026-02-04"], "--set date: 2 values"),
        ("adr", "x", ["deciders=nobody"], "unknown value 'nobody' for 'deciders'"),
        ("adr", "x", ["supersedes=ADR-2"], "invalid value 'ADR-2' for 'supersedes'"),
        ("adr", "x", ["supersedes=ADR-0099"], "(REF001): unknown decision 'ADR-0099'"),
        ("adr", "x", ["supersedes=[ADR-0002"], "--set supersedes: "),
        ("adr", "x", ["history=proposed"], "write a mapping with status, date"),
        ("adr", "x", ["tags=a\nowner: b"], "invisible character U+000A in the value"),
        (
            "adr",
            "x",
            ["status=accepted", "supersedes=ADR-0002"],
            "the check would reject the record (DEC006): one-sided reference",
        ),
        ("adr", "ADR-0001: x", [], "(FM108): title names 'ADR-0001'"),
        ("adr", "Say <b>", [], "(SAFE001): "),
        ("runbook", "Index", ["service=shop"], "add --slug SLUG with another name"),
        ("runbook", "README", ["service=shop"], "add --slug SLUG with another name"),
        ("service", "index", [], "'docs/services/index.md' is the page of its folder"),
        ("adr", "a\udcffb", [], "invisible character U+DCFF in the title"),
        (
            "runbook",
            "a\x1b[31m",
            ["service=shop"],
            "invisible character U+001B in the title",
        ),
        ("service", "a\u202eb", [], "invisible character U+202E in the title"),
        ("service", "Shop", [], "'docs/services/shop.md' already exists"),
    ],
    ids=[
        "no-service",
        "unknown-service",
        "no-start",
        "start-without-time",
        "start-out-of-range",
        "unknown-key",
        "no-value",
        "no-letter",
        "no-latin-letter",
        "long-title",
        "misspelt-status",
        "impossible-date",
        "two-dates",
        "unknown-team",
        "invalid-id",
        "unknown-id",
        "invalid-yaml",
        "scalar-instead-of-mapping",
        "line-break",
        "one-sided-reference",
        "title-of-another-record",
        "html",
        "index",
        "readme",
        "service-index",
        "invalid-utf8",
        "escape",
        "bidi",
        "existing-file",
    ],
)
def test_an_invalid_call_prints_an_error_and_writes_nothing(
    kind: str,
    title: str,
    values: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    files = sorted(path.relative_to(root) for path in root.rglob("*"))
    assert run_new(root, kind, title, values) == 2
    assert message in capsys.readouterr().err
    assert sorted(path.relative_to(root) for path in root.rglob("*")) == files


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (["supersedes=ADR-0002"], "supersedes: [ADR-0002]"),
        (["supersedes=[ADR-0002]"], "supersedes: [ADR-0002]"),
        (["amends=ADR-0001, ADR-0002"], "amends: [ADR-0001, ADR-0002]"),
        (["amends=ADR-0001", "amends=ADR-0002"], "amends: [ADR-0001, ADR-0002]"),
        (["amends=[ADR-0001]", "amends=ADR-0002"], "amends: [ADR-0001, ADR-0002]"),
        (["deciders=TODO"], "deciders: [TODO]"),
        (["tags="], "tags: []"),
        (
            ["status=accepted", "history={status: proposed, date: 2026-03-01}"],
            "history: [{status: proposed, date: 2026-03-01}]",
        ),
    ],
)
def test_a_value_of_a_list_is_written_as_a_list(
    values: list[str], line: str, tmp_path: Path
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    assert run_new(root, "adr", "A new thing", values) == 0
    text = (root / "adr/0004-a-new-thing.md").read_text(encoding="utf-8")
    assert line in text.split("\n")
    assert {finding.code for finding in report(root).findings} == {"FM106"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Orders are slow", "Orders are slow"),
        ("Restart: now", "Restart: now"),
        ("orders # of the shop", "orders # of the shop"),
        ("#1 of the shop", "#1 of the shop"),
        ("- a list", "- a list"),
        ('Say "no"', 'Say "no"'),
        ("'in quotes'", "in quotes"),
    ],
)
def test_a_text_keeps_its_characters(text: str, expected: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    values = ["service=shop", f"trigger={text}"]
    assert run_new(root, "runbook", "A new thing", values) == 0
    runbook = load(root).documents["runbooks/shop/a-new-thing.md"]
    assert isinstance(runbook, Runbook)
    assert runbook.trigger == expected


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Straße gesperrt", "strasse-gesperrt"),
        ("GROẞE Änderung", "grosse-anderung"),
        ("Smørrebrød på bordet", "smorrebrod-pa-bordet"),
        ("Ærø og Œuvre", "aero-og-oeuvre"),
        ("Łódź", "lodz"),
        ("Đorđe", "dorde"),
        ("Þór og það", "thor-og-thad"),
        ("Işık İzmir", "isik-izmir"),
        ("ﬁle № 1", "file-no-1"),
    ],
)
def test_letters_become_letters_from_a_to_z(title: str, name: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    assert run_new(root, "service", title, []) == 0
    assert (root / f"docs/services/{name}.md").is_file()


def test_the_anchors_of_headings_keep_their_letters() -> None:
    assert slug("Straße und Łódź", "-") == "straße-und-łódź"


def test_the_slug_of_the_author_is_the_name_for_the_path(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    options = ["--root", str(root), "--today", "2026-11-23"]
    assert main(["new", "adr", "日本語", "--slug", "in-japanese", *options]) == 0
    assert "# 日本語\n" in (root / "adr/0004-in-japanese.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["", "Index", "a b", "a--b", "-a", "a/b", "../a", "a.md", "straße", "a_b", "a" * 101]
)
def test_an_invalid_slug_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    options = ["--root", str(root), "--today", "2026-11-23"]
    assert main(["new", "adr", "A thing", f"--slug={name}", *options]) == 2
    assert "slug" in capsys.readouterr().err
    assert [path.name for path in root.glob("adr/0004*")] == []
