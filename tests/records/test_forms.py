"""Test forms of other teams, imported records with gaps, and people.

The handbook tests/sites/forms has a record in each form, complete and with gaps.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from handbook.cli import main
from handbook.loading import load
from handbook.records.adr import Adr
from handbook.records.postmortem import Postmortem
from handbook.records.runbook import Runbook
from handbook.views import api
from handbook.views.adr_index import adr_index
from handbook.views.facts import facts
from handbook.views.postmortems import actions, figures, postmortem_archive
from handbook.views.runbooks import runbook_catalog
from handbook.views.services import services_index
from handbook.views.standards import standards_index
from tests.handbooks import FORMS, copy_site, format_findings, report

DAY = date(2026, 11, 26)
MADR = "adr/0001-use-madr-for-the-catalogue.md"
NYGARD = "adr/0002-write-logs-as-json.md"
WITHOUT_STATUS = "adr/0003-send-mail-through-a-queue.md"
IMPORTED_MADR = "adr/0004-serve-pictures-from-a-cdn.md"
OWN = "adr/0005-keep-sessions-in-redis.md"
PROMETHEUS = "runbooks/shop/shop-down.md"
IMPORTED_RUNBOOK = "runbooks/shop/queue-grows.md"
GOOGLE = "postmortems/2026-05-04-orders-were-lost.md"
IMPORTED_POSTMORTEM = "postmortems/2023-02-01-basket-emptied-itself.md"


@dataclass(frozen=True)
class Change:
    """A change of one file: the text `old`, which occurs once, becomes `new`."""

    path: str
    old: str
    new: str

    def findings(self, tmp_path: Path) -> list[str]:
        """Apply the change to a copy of the handbook, and return the findings."""
        root = copy_site(FORMS, tmp_path / "handbook")
        file = root / self.path
        text = file.read_text(encoding="utf-8")
        assert text.count(self.old) == 1
        file.write_text(text.replace(self.old, self.new), encoding="utf-8")
        return [
            f"{finding.at.path}:{finding.at.line}:{finding.at.column}: {finding.code} "
            f"{finding.message} [{finding.hint}]"
            for finding in report(root, DAY).findings
        ]


def test_records_in_all_forms_pass() -> None:
    assert format_findings(report(FORMS, DAY).findings) == []


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (MADR, "madr"),
        (NYGARD, "nygard"),
        (WITHOUT_STATUS, "handbook"),
        (IMPORTED_MADR, "madr"),
        (OWN, "handbook"),
        (PROMETHEUS, "prometheus"),
        (IMPORTED_RUNBOOK, "prometheus"),
        (GOOGLE, "google"),
        (IMPORTED_POSTMORTEM, "handbook"),
    ],
)
def test_the_form_is_recognised_by_its_headings(path: str, form: str) -> None:
    record = load(FORMS).documents[path]
    assert isinstance(record, Adr | Runbook | Postmortem)
    assert record.form.name == form


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            Change(
                MADR,
                "## Considered Options\n\n- A search index\n- A cache in front of the database\n\n",
                "",
            ),
            [],
        ),
        (
            Change(MADR, "## Decision Outcome", "## Outcome"),
            [
                f"{MADR}:48:1: FM102 missing section 'Decision Outcome' "
                "[on line 23, write '## Decision Outcome' instead of '## Outcome']"
            ],
        ),
        (
            Change(MADR, "decision-makers: shop-lead, platform-lead\n", ""),
            [],
        ),
        (
            Change(MADR, "shop-lead, platform-lead", "shop-lead, @platform-lead"),
            [
                f"{MADR}:4:29: FM005 invalid handle '@platform-lead' in 'decision-makers' "
                "[use the name of a team, or letters, digits and hyphens, without '@']"
            ],
        ),
        (
            Change(MADR, "decision-makers: ", "deciders: [shop-team]\ndecision-makers: "),
            [
                f"{MADR}:5:1: FM004 both 'deciders' and 'decision-makers', which have the same "
                "meaning [move its values to 'deciders']"
            ],
        ),
        (
            Change(MADR, "status: accepted", "status: superseded by ADR-0005"),
            [
                f"{MADR}:2:9: FM005 unknown value 'superseded by ADR-0005' for 'status' "
                "[write 'status: superseded' and 'superseded_by: [ADR-0005]']"
            ],
        ),
        (
            Change(
                NYGARD, "## Consequences\n\nPeople need a tool to read logs in a terminal.\n", ""
            ),
            [
                f"{NYGARD}:17:1: FM102 missing section 'Consequences' "
                "[add a heading '## Consequences', and text below it]"
            ],
        ),
        (
            Change(OWN, "## Problem", "## Issue"),
            [
                f"{OWN}:16:1: FM102 missing section 'Context' "
                "[add a heading '## Context', and text below it]"
            ],
        ),
        (
            Change(OWN, "- Signed cookies: they grow with the basket.", "Signed cookies."),
            [
                f"{OWN}:12:1: DEC009 no alternative in the section 'Alternatives considered' "
                "[add a list item: '- Name: the reason against it']"
            ],
        ),
        (
            Change(
                OWN,
                "\n## Notes\n\n- 2026-06-01: A session is now about 4 kB.\n",
                "\n## Notes\n\n- 2026-06-01: A session is now about 4 kB.\n\n## Costs\n\nFew.\n",
            ),
            [
                f"{OWN}:24:1: FM103 section 'Notes' above other sections "
                "[move '## Notes' and its text to the end of the file]"
            ],
        ),
        (
            Change(PROMETHEUS, "## Impact\n\nNobody can buy.\n\n", ""),
            [
                f"{PROMETHEUS}:13:1: FM102 missing section 'Impact' "
                "[add a heading '## Impact', and text below it]"
            ],
        ),
        (
            Change(PROMETHEUS, "Nobody can buy.\n", ""),
            [f"{PROMETHEUS}:13:1: FM104 empty section 'Impact' [add text below the heading]"],
        ),
        (
            Change(
                GOOGLE, "### What went wrong\n\n- Nobody tried the migration on a copy.\n\n", ""
            ),
            [
                f"{GOOGLE}:54:1: FM102 missing section 'What went wrong' "
                "[add a heading '### What went wrong', and text below it]"
            ],
        ),
        (
            Change(GOOGLE, "| detect | shop-team |", "| detect | shop-lead |"),
            [
                f"{GOOGLE}:46:43: PMT007 unknown owner 'shop-lead' of action A2 "
                "[did you mean 'shop-team'?]"
            ],
        ),
        (
            Change(GOOGLE, "- 10:05 ShopDown fires", "- five past ten: ShopDown fires"),
            [
                f"{GOOGLE}:65:1: PMT004 invalid timeline entry 'five past ten: ShopDown fires' "
                "[write 'HH:MM — what happened', with an em dash (—)]"
            ],
        ),
    ],
    ids=lambda value: re.sub(r"\W+", "-", value.new[:30]) if isinstance(value, Change) else "",
)
def test_a_new_record_must_have_what_its_form_asks(
    change: Change, expected: list[str], tmp_path: Path
) -> None:
    assert change.findings(tmp_path) == expected


@pytest.mark.parametrize(
    ("path", "gaps"),
    [
        (WITHOUT_STATUS, ("status", "date", "deciders", "alternatives")),
        (IMPORTED_MADR, ("deciders", "superseded by")),
        (IMPORTED_RUNBOOK, ("owner", "severity", "reviewed", "causes", "escalation")),
        (
            IMPORTED_POSTMORTEM,
            (
                "severity",
                "status",
                "started",
                "detected",
                "mitigated",
                "resolved",
                "published",
                "caused by",
                "authors",
                "reviewers",
                "owners of actions",
                "due dates of actions",
            ),
        ),
        (MADR, ()),
    ],
)
def test_an_imported_record_lists_its_gaps(path: str, gaps: tuple[str, ...]) -> None:
    record = load(FORMS).documents[path]
    assert isinstance(record, Adr | Runbook | Postmortem)
    assert record.gaps == gaps
    html = facts(load(FORMS), record)
    for gap in gaps:
        assert re.search(rf"<dt>{gap.capitalize()}</dt><dd>\s*<span class=\"hb-gap\">not rec", html)


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        (WITHOUT_STATUS, {"FM007", "FM102"}),
        (IMPORTED_MADR, {"DEC004"}),
        (IMPORTED_RUNBOOK, {"FM007", "FM102", "FM106", "REF001"}),
        (IMPORTED_POSTMORTEM, {"FM007", "FM102", "PMT007"}),
    ],
)
def test_without_imported_all_rules_apply_again(path: str, codes: set[str], tmp_path: Path) -> None:
    root = copy_site(FORMS, tmp_path / "handbook")
    text = (root / path).read_text(encoding="utf-8")
    (root / path).write_text(re.sub(r"imported:\n(?:  .*\n)+", "", text), encoding="utf-8")
    findings = [finding for finding in report(root, DAY).findings if finding.at.path == path]
    assert {finding.code for finding in findings} == codes


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            Change(WITHOUT_STATUS, "Mail is sent", "[Mail](mail.md) is sent"),
            f"{WITHOUT_STATUS}:11:1: LNK001",
        ),
        (Change(WITHOUT_STATUS, "Mail is sent", "ADR-0099 says mail is sent"), ":11:1: REF002"),
        (Change(IMPORTED_RUNBOOK, "TBD", "<hr>"), ":16:1: SAFE001"),
        (Change(IMPORTED_RUNBOOK, "TBD", "```bash\nif true; then\n```"), "FM107"),
        (
            Change(WITHOUT_STATUS, "  from: docs/decisions/003-mail.md\n", ""),
            f"{WITHOUT_STATUS}:3:3: FM007 missing key 'from'",
        ),
        (
            Change(WITHOUT_STATUS, "3f79bb7b4", "3F79BB7B4"),
            f"{WITHOUT_STATUS}:5:11: FM006 invalid value",
        ),
        (Change(IMPORTED_POSTMORTEM, "services: [shop]", "services: [shopp]"), ":2:12: REF001"),
    ],
)
def test_links_references_and_code_are_asked_of_imported_records(
    change: Change, expected: str, tmp_path: Path
) -> None:
    findings = change.findings(tmp_path)
    assert len(findings) == 1
    assert expected in findings[0]


def test_a_gap_can_be_filled_before_imported_is_removed(tmp_path: Path) -> None:
    change = Change(WITHOUT_STATUS, "---\nimported:", "---\nstatus: accepted\nimported:")
    assert change.findings(tmp_path) == []
    record = load(tmp_path / "handbook").documents[WITHOUT_STATUS]
    assert isinstance(record, Adr)
    assert record.gaps == ("date", "deciders", "alternatives")


def test_indexes_group_and_count_what_is_not_recorded() -> None:
    handbook = load(FORMS)
    index = adr_index(handbook, "adr/")
    assert "## Not recorded {#not-recorded}" in index
    assert "<option>not recorded</option>" in index
    assert "2 imported. 6 of their facts are not recorded." in index
    catalog = runbook_catalog(handbook, "runbooks/")
    assert "1 imported. 5 of their facts are not recorded." in catalog
    assert "ShopQueueGrows (no rule recorded)" in catalog
    archive = postmortem_archive(handbook, "postmortems/")
    assert "1 imported. 12 of their facts are not recorded." in archive
    assert '<tr data-severity="not recorded"' in archive
    assert 'data-owner="not recorded"' in actions(handbook, "actions/")


def test_a_handbook_without_imports_says_nothing_about_them(tmp_path: Path) -> None:
    root = copy_site(FORMS, tmp_path / "handbook")
    for path in (WITHOUT_STATUS, IMPORTED_MADR):
        (root / path).unlink()
    assert "imported" not in adr_index(load(root), "adr/")


def test_no_gap_is_in_a_figure() -> None:
    handbook = load(FORMS)
    published = [record for record in handbook.of(Postmortem) if record.status == "published"]
    assert [row["n"] for row in figures(published)] == [1, 0, 1, 1]
    assert '<th scope="row">Time to detect</th>' in postmortem_archive(handbook, "postmortems/")


def test_a_gap_is_null_in_the_api() -> None:
    files = api.files(load(FORMS), None)
    adrs = {item["id"]: item for item in json.loads(files["api/v1/adrs.json"])["items"]}
    assert adrs["ADR-0003"]["status"] is None
    assert adrs["ADR-0003"]["deciders"] is None
    assert adrs["ADR-0003"]["imported"] == {
        "from": "docs/decisions/003-mail.md",
        "date": "2026-11-26",
        "sha256": "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea",
    }
    assert adrs["ADR-0001"]["imported"] is None
    rows = json.loads(files["api/v1/actions.json"])["items"]
    assert [(row["owner"], row["due"], row["status"]) for row in rows] == [
        (None, None, "open"),
        ("shop-team", None, "done"),
        ("shop-team", None, "open"),
    ]


def test_the_timeline_and_the_actions_of_googles_form_are_read() -> None:
    record = load(FORMS).documents[GOOGLE]
    assert isinstance(record, Postmortem)
    assert [entry.event for entry in record.timeline] == [
        "The new version is deployed",
        "ShopDown fires",
        "The version before is back",
        "The last lost order is found",
    ]
    assert [(action.id, action.status) for action in record.actions] == [
        ("A1", "done"),
        ("A2", "open"),
    ]


@pytest.mark.parametrize(
    "entry",
    [
        "- 10:05 UTC ShopDown fires",
        "- 10:05 — ShopDown fires",
        "- 10:05: ShopDown fires",
        "- **10:05** ShopDown fires",
        "- `10:05` — ShopDown fires",
        "- 2026-05-04 10:05 ShopDown fires",
    ],
)
def test_an_entry_of_a_timeline_can_have_several_forms(entry: str, tmp_path: Path) -> None:
    assert Change(GOOGLE, "- 10:05 ShopDown fires", entry).findings(tmp_path) == []
    record = load(tmp_path / "handbook").documents[GOOGLE]
    assert isinstance(record, Postmortem)
    assert "ShopDown fires" in [timeline_entry.event for timeline_entry in record.timeline]


@pytest.mark.parametrize(
    "change",
    [
        Change(PROMETHEUS, "## Mitigation", "## Escalation\n\nCall the shop.\n\n## Mitigation"),
        Change(GOOGLE, "- It was a Monday morning.", "- None."),
        Change(MADR, "## Decision Drivers", "## Decision Drivers <!-- optional -->"),
    ],
    ids=["escalation", "luck", "comment"],
)
def test_a_form_asks_no_more_than_its_template(change: Change, tmp_path: Path) -> None:
    assert change.findings(tmp_path) == []


@pytest.mark.parametrize(
    ("kind", "arguments", "headings"),
    [
        (
            "adr",
            ["Split the basket"],
            ["Context and Problem Statement", "Considered Options", "Decision Outcome"],
        ),
        (
            "runbook",
            ["Orders wait", "--set", "service=shop"],
            ["Meaning", "Impact", "Diagnosis", "Mitigation"],
        ),
        (
            "postmortem",
            ["Orders waited", "--set", "started=2026-11-01T10:00Z"],
            [
                "Summary",
                "Impact",
                "Root Causes",
                "Trigger",
                "Resolution",
                "Detection",
                "Action Items",
                "Lessons Learned",
                "What went well",
                "What went wrong",
                "Where we got lucky",
                "Timeline",
            ],
        ),
    ],
)
def test_new_writes_the_form_of_the_settings(
    kind: str,
    arguments: list[str],
    headings: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = copy_site(FORMS, tmp_path / "handbook")
    assert main(["new", kind, *arguments, "--root", str(root), "--today", f"{DAY}"]) == 0
    path = capsys.readouterr().out.strip()
    text = (root / path).read_text(encoding="utf-8")
    assert re.findall(r"^##+ (.*)$", text, re.MULTILINE) == headings
    findings = report(root, DAY).findings
    assert {finding.code for finding in findings if finding.at.path == path} <= {"FM106"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            Change("mkdocs.yml", "people: any", "people: {shop-team: The shop}"),
            "handle 'shop-team' of a person is also the name of a team",
        ),
        (
            Change("mkdocs.yml", "people: any", 'people: {"@lead": A lead}'),
            "invalid handle '@lead' in 'people'",
        ),
        (Change("mkdocs.yml", "people: any", "people: all"), "invalid value 'all' for 'people'"),
        (
            Change("mkdocs.yml", "adr: {Context: [Problem]}", "adr: {Contxt: [Problem]}"),
            "unknown section 'Contxt'",
        ),
        (
            Change("mkdocs.yml", "adr: {Context: [Problem]}", "adrs: {Context: [Problem]}"),
            "unknown kind of record 'adrs'",
        ),
        (
            Change("mkdocs.yml", "adr: madr", "adr: mdr"),
            "unknown form 'mdr'",
        ),
        (
            Change("mkdocs.yml", "{Context: [Problem]}", "{Context: [Problem, Decision]}"),
            "heading 'Decision' of the section 'Context', which already means 'Decision'",
        ),
        (
            Change("mkdocs.yml", "{Context: [Problem]}", "{Context: [Problem, Decision Outcome]}"),
            "heading 'Decision Outcome' of the section 'Context', which already means 'Decision'",
        ),
        (
            Change("mkdocs.yml", "{Context: [Problem]}", "{Context: [Problem, Notes]}"),
            "heading 'Notes' of the section 'Context', which already means 'Notes'",
        ),
        (
            Change(
                "mkdocs.yml", "{Context: [Problem]}", "{Context: [Problem], Decision: [Problem]}"
            ),
            "heading 'Problem' of the section 'Decision', which already means 'Context'",
        ),
        (
            Change(
                "mkdocs.yml",
                "people: any",
                "people: any\n    rules: {FM104: off, empty-section: off}",
            ),
            "FM012 duplicate entry of rule 'FM104', also under its name 'empty-section'",
        ),
    ],
)
def test_a_wrong_name_in_the_settings_is_reported(
    change: Change, expected: str, tmp_path: Path
) -> None:
    assert any(expected in finding for finding in change.findings(tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        Change("mkdocs.yml", "{Context: [Problem]}", "{Context: [Context, Problem]}"),
        Change(
            "mkdocs.yml",
            "{Context: [Problem]}",
            "{Context: [Problem, Context and Problem Statement]}",
        ),
        Change("mkdocs.yml", "sections:\n", "sections:\n      postmortem: {Impact: [Summary]}\n"),
        Change("mkdocs.yml", "sections:\n", "sections:\n      standard: {When to deviate: [No]}\n"),
    ],
    ids=["own-heading", "madr-heading", "google-heading", "standard"],
)
def test_a_heading_with_one_meaning_is_valid(change: Change, tmp_path: Path) -> None:
    assert change.findings(tmp_path) == []


def test_a_heading_of_the_organisation_counts_as_a_heading_of_our_form(tmp_path: Path) -> None:
    """A section "Status" alone would make it a record in Nygard's form, without alternatives."""
    root = copy_site(FORMS, tmp_path / "handbook")
    text = (root / OWN).read_text(encoding="utf-8")
    text = text.replace("## Alternatives considered", "## Status\n\nAccepted.\n\n## Options")
    (root / OWN).write_text(text, encoding="utf-8")
    settings = root / "mkdocs.yml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace(
            "adr: {Context: [Problem]}",
            "adr: {Context: [Problem], Alternatives considered: [Options]}",
        ),
        encoding="utf-8",
    )
    record = load(root).documents[OWN]
    assert isinstance(record, Adr)
    assert record.has_own_form
    assert format_findings(report(root, DAY).findings) == []


@pytest.mark.parametrize(
    ("path", "headings"),
    [
        (
            MADR,
            ("Context and Problem Statement", "Decision Outcome"),
        ),
        (PROMETHEUS, ("Meaning", "Diagnosis", "Mitigation")),
    ],
)
def test_headings_in_lower_case_give_hints_of_their_form(
    path: str, headings: tuple[str, ...], tmp_path: Path
) -> None:
    root = copy_site(FORMS, tmp_path / "handbook")
    text = (root / path).read_text(encoding="utf-8")
    for heading in headings:
        text = text.replace(f"## {heading}", f"## {heading.lower()}")
    (root / path).write_text(text, encoding="utf-8")
    hints = [finding.hint or "" for finding in report(root, DAY).findings]
    assert len(hints) == len(headings)
    for heading in headings:
        wanted = f"write '## {heading}' instead of '## {heading.lower()}'"
        assert any(hint.endswith(wanted) for hint in hints)


@pytest.mark.parametrize(
    "source",
    [
        "docs/adr/0008-use-mysql.md",
        "incidents/2018 02 22.md",
        "https://git.example/shop/orders@0a1b2c3:docs/adr/0008.md",
        "https://git.example:8443/shop@0a1b2c3:a.md",
        "git@git.example:shop/orders.git@0a1b2c3:a.md",
        "ssh://git@git.example/shop@0a1b2c3:a..b.md",
    ],
)
def test_a_public_source_is_valid(source: str, tmp_path: Path) -> None:
    change = Change(WITHOUT_STATUS, "docs/decisions/003-mail.md", source)
    assert change.findings(tmp_path) == []


@pytest.mark.parametrize(
    "source",
    [
        "/docs/adr/0008.md",
        "~/docs/adr/0008.md",
        "C:/docs/0008.md",
        "../other/0008.md",
        "docs/../../0008.md",
        "file:///srv/shop@0a1b2c3:a.md",
        "/srv/shop@0a1b2c3:a.md",
        "https://lead@git.example/shop@0a1b2c3:a.md",
        "https://git.example/shop:a.md",
        "https://git.example/shop@0a1b2c3:/a.md",
    ],
)
def test_a_source_on_a_machine_or_with_a_user_is_invalid(source: str, tmp_path: Path) -> None:
    change = Change(WITHOUT_STATUS, "docs/decisions/003-mail.md", source)
    assert [finding.split()[1] for finding in change.findings(tmp_path)] == ["FM006"]


_ROW = "| A1 | Keep the basket on login |  |  | open |\n"


@pytest.mark.parametrize(
    ("rows", "ids"),
    [
        (f"{_ROW}{_ROW}", ["A1", "A2"]),
        ("|  | One |  |  |  |\n|  |  |  |  |  |\n| B 7 | Two |  |  |  |\n", ["A1", "A2"]),
        ("| A3 | One |  |  | open |\n| A5 | Two |  |  | open |\n", ["A3", "A5"]),
    ],
    ids=["duplicate", "empty", "with-a-gap"],
)
def test_actions_of_an_imported_record_have_different_ids(
    rows: str, ids: list[str], tmp_path: Path
) -> None:
    assert Change(IMPORTED_POSTMORTEM, _ROW, rows).findings(tmp_path) == []
    record = load(tmp_path / "handbook").documents[IMPORTED_POSTMORTEM]
    assert isinstance(record, Postmortem)
    assert [action.id for action in record.actions] == ids


def test_a_runbook_shows_its_alerts_with_and_without_rules(tmp_path: Path) -> None:
    change = Change(IMPORTED_RUNBOOK, "[ShopQueueGrows]", "[ShopDown, ShopQueueGrows]")
    assert change.findings(tmp_path) == []
    catalog = runbook_catalog(load(tmp_path / "handbook"), "runbooks/")
    assert "ShopDown</a>, ShopQueueGrows (no rule recorded)" in catalog


def test_a_runbook_without_alert_and_trigger_has_a_gap(tmp_path: Path) -> None:
    change = Change(IMPORTED_RUNBOOK, "alerts: [ShopQueueGrows]\n", "")
    assert change.findings(tmp_path) == []
    record = load(tmp_path / "handbook").documents[IMPORTED_RUNBOOK]
    assert isinstance(record, Runbook)
    assert "alerts or trigger" in record.gaps


@pytest.mark.parametrize("team", ["shop_team", "Team Shop"])
def test_a_team_whose_name_is_no_handle_decides(team: str, tmp_path: Path) -> None:
    root = copy_site(FORMS, tmp_path / "handbook")
    for path, old, new in (
        ("mkdocs.yml", "platform-team: {}", f"platform-team: {{}}\n      {team}: {{}}"),
        (OWN, "[shop-team, platform-lead]", f"[{team}, platform-lead]"),
    ):
        text = (root / path).read_text(encoding="utf-8")
        (root / path).write_text(text.replace(old, new), encoding="utf-8")
    assert format_findings(report(root, DAY).findings) == []
    schema = api.schema(load(root), Adr)["properties"]["deciders"]["items"]
    assert re.search(schema["pattern"], team)


def test_an_unknown_person_can_be_defined(tmp_path: Path) -> None:
    root = copy_site(FORMS, tmp_path / "handbook")
    for path, old, new in (
        ("mkdocs.yml", "people: any", "people: {shop-lead: The lead, platform-lead: The other}"),
        (MADR, "[data-lead]", "[zoe]"),
    ):
        text = (root / path).read_text(encoding="utf-8")
        (root / path).write_text(text.replace(old, new), encoding="utf-8")
    (finding,) = report(root, DAY).findings
    assert finding.code == "FM005"
    assert finding.hint == (
        "use one of shop-team, platform-team, shop-lead, platform-lead, or define the person under "
        "'extra.handbook.people' in mkdocs.yml"
    )


def test_the_schema_asks_what_the_check_asks() -> None:
    handbook = load(FORMS)
    schema = api.schema(handbook, Adr)
    assert schema["anyOf"] == [{"required": ["imported"]}, {"required": ["status", "date"]}]
    assert schema["properties"]["deciders"]["type"] == "array"
    assert "anyOf" in schema["properties"]["consulted"]
    assert "anyOf" in schema["patternProperties"]["^decision-makers$"]
    assert api.schema(handbook, Runbook)["required"] == []


def test_a_new_published_postmortem_has_only_placeholders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy_site(FORMS, tmp_path / "handbook")
    values = ["--set", "started=2026-11-01T10:00Z", "--set", "status=published"]
    assert main(["new", "postmortem", "X", *values, "--root", str(root), "--today", f"{DAY}"]) == 0
    path = capsys.readouterr().out.strip()
    findings = [finding for finding in report(root, DAY).findings if finding.at.path == path]
    assert {finding.code for finding in findings} == {"FM106"}


def test_each_index_counts_imported_records(tmp_path: Path) -> None:
    service = "docs/services/shop.md"
    imported = (FORMS / WITHOUT_STATUS).read_text(encoding="utf-8").split("---\n")[1]
    assert (
        Change(service, "owner: shop-team\n", f"owner: shop-team\n{imported}").findings(tmp_path)
        == []
    )
    handbook = load(tmp_path / "handbook")
    assert "1 imported." in services_index(handbook, "services/")
    assert "imported" not in standards_index(handbook, "standards/")


def test_people_are_shown_by_name(tmp_path: Path) -> None:
    root = copy_site(FORMS, tmp_path / "handbook")
    names = (
        "people: {shop-lead: Lead of the shop, platform-lead: Lead of the platform, data-lead: D}"
    )
    settings = root / "mkdocs.yml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("people: any", names), encoding="utf-8"
    )
    assert format_findings(report(root, DAY).findings) == []
    record = load(root).documents[MADR]
    assert isinstance(record, Adr)
    assert "Lead of the shop" in facts(load(root), record)
    assert "Lead of the shop, Lead of the platform" in adr_index(load(root), "adr/")


@pytest.mark.parametrize("word", ["off", '"off"', "'off'"])
def test_a_rule_can_be_off(word: str, tmp_path: Path) -> None:
    root = copy_site(FORMS, tmp_path / "handbook")
    settings = root / "mkdocs.yml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace("    people: any\n", f"    people: any\n    rules: {{FM104: {word}}}\n"),
        encoding="utf-8",
    )
    runbook = root / PROMETHEUS
    runbook.write_text(
        runbook.read_text(encoding="utf-8").replace("Nobody can buy.\n", ""), encoding="utf-8"
    )
    result = report(root, DAY)
    assert format_findings(result.findings) == []
    assert result.lowered_count == 1


OFF = "rules: {missing-section: off}"


@pytest.mark.parametrize(
    ("alternatives", "comment", "codes"),
    [
        ("- Signed cookies: they grow with the basket.", "", []),
        ("Signed cookies.", "", ["DEC009"]),
        ("- Cookies.", "<!-- handbook: allow FM102: short -->\n", []),
    ],
    ids=["nothing", "no-alternative", "suppression"],
)
def test_a_missing_section_that_is_allowed_hides_no_other_fault(
    alternatives: str, comment: str, codes: list[str], tmp_path: Path
) -> None:
    root = copy_site(FORMS, tmp_path / "handbook")
    for path, old, new in (
        ("mkdocs.yml", "people: any", f"people: any\n    {OFF}"),
        (OWN, "## Problem\n\nSessions are lost when a pod is replaced.\n\n", ""),
        (OWN, "- Signed cookies: they grow with the basket.", alternatives),
        (OWN, "## Decision", f"{comment}## Decision"),
    ):
        text = (root / path).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (root / path).write_text(text.replace(old, new), encoding="utf-8")
    assert [finding.code for finding in report(root, DAY).findings] == codes


def test_an_empty_handbook_is_valid(tmp_path: Path) -> None:
    (tmp_path / "mkdocs.yml").write_text("site_name: Empty\nsite_url: https://e.example/\n")
    assert report(tmp_path, DAY).findings == ()
