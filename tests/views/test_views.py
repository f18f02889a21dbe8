"""Test the views of a handbook without MkDocs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from handbook.diagnostics import Diagnostic, Location, Severity
from handbook.loading import load
from handbook.reading.addresses import make_relative
from handbook.reading.fields import fields_of
from handbook.records.adr import Adr
from handbook.records.kinds import RECORDS
from handbook.records.postmortem import Postmortem
from handbook.records.standard import Standard
from handbook.settings import settings_schema
from handbook.views import NOT_RECORDED, adr_index, api, duration
from handbook.views.backlinks import backlinks
from handbook.views.facts import facts
from handbook.views.findings import findings
from handbook.views.home import home
from handbook.views.links import Linker
from handbook.views.postmortems import figures, percentile
from handbook.views.records_reference import records_reference
from handbook.views.services import score
from handbook.vocabulary import ADR_NEXT_STATUSES, ADR_STATUSES
from tests.handbooks import ADR, SETTINGS, SMALL, copy_site, write

HANDBOOK = load(SMALL)


@pytest.mark.parametrize(
    ("url", "page_address", "expected"),
    [
        ("adr/0001-a/", "", "adr/0001-a/"),
        ("adr/0001-a/", "adr/", "0001-a/"),
        ("adr/", "adr/0001-a/", "../"),
        ("", "adr/0001-a/", "../../"),
        ("adr/0002-b/#context", "adr/0001-a/", "../0002-b/#context"),
        ("adr/0001-a/#context", "adr/0001-a/", "#context"),
        ("api/v1/adrs.json", "adr/", "../api/v1/adrs.json"),
        ("", "", "./"),
    ],
)
def test_addresses_are_relative_to_the_page(url: str, page_address: str, expected: str) -> None:
    assert make_relative(url, page_address) == expected


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("`a|b` and *c*", "<code>a|b</code> and <em>c</em>"),
        (
            "[run](../runbooks/shop/orders-down.md#escalation)",
            '<a href="../runbooks/shop/orders-down/#escalation">run</a>',
        ),
        (
            "[*web*](https://example.com/?a=1&b=2)",
            '<a href="https://example.com/?a=1&amp;b=2"><em>web</em></a>',
        ),
        ("[gone](../nowhere.md) [x](data:text/html,x)", "gone x"),
        ("[js](javascript:alert(1))", "js"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
    ],
)
def test_a_line_of_a_record_is_safe_html_with_its_links(text: str, html: str) -> None:
    assert (
        Linker(HANDBOOK, "actions/").inline(text, "postmortems/2026-05-04-orders-stopped.md")
        == html
    )


def test_every_status_is_in_the_index_and_in_the_moves() -> None:
    assert (
        set(adr_index.STATUS_ORDER)
        == set(adr_index._MEANINGS)
        == {*ADR_STATUSES, NOT_RECORDED}
        == {*ADR_NEXT_STATUSES, NOT_RECORDED}
    )


def test_text_of_a_record_is_escaped(tmp_path: Path) -> None:
    title = "A <script>alert(1)</script> & more"
    text = ADR.replace("# A decision", f"# {title.replace('<', '&lt;')}")
    write(
        tmp_path,
        {
            "mkdocs.yml": SETTINGS,
            "adr/0001-a.md": text,
            "adr/0002-b.md": ADR.replace("Why.", "ADR-0001"),
        },
    )
    handbook = load(tmp_path)
    (first, second) = handbook.of(Adr)
    for html in (
        adr_index.adr_index(handbook, ""),
        home(handbook, ""),
        backlinks(handbook, second),
        facts(handbook, first),
    ):
        assert "<script" not in html
    bad = Diagnostic(Location("a.md"), "FM001", "x", Severity.ERROR, "<script>")
    assert "<script" not in findings([bad])


def test_decisions_come_after_what_tells_people_what_to_do() -> None:
    html = home(HANDBOOK, "").partition("What changed")[2]
    titles = re.findall(r"(ADR-[0-9]{4}|STD-[0-9]{2}|Orders stopped|Shop: [^<]+)</?", html)
    assert titles == [
        "Shop: search is slow",
        "Shop: orders do not change",
        "STD-05",
        "STD-08",
        "Orders stopped",
        "ADR-0003",
        "ADR-0002",
    ]


def test_the_home_page_lists_the_alerts_of_each_service() -> None:
    html = home(HANDBOOK, "").partition("Find a standard")[0]
    assert '<a href="alerts/OrdersDown/">OrdersDown</a>' in html
    assert "3 alerts" in html


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (None, "n/a"),
        (0, "0 min"),
        (31, "31 min"),
        (65, "1 h 5 min"),
        (1440, "1 d"),
        (1501, "1 d 1 h 1 min"),
    ],
)
def test_a_duration_is_readable(minutes: int | None, expected: str) -> None:
    assert duration(None if minutes is None else timedelta(minutes=minutes)) == expected


def test_durations_are_computed_and_a_missing_time_is_not_zero() -> None:
    (postmortem,) = HANDBOOK.of(Postmortem)
    assert [duration(time.value) for time in postmortem.durations] == [
        "2 min",
        "3 min",
        "40 min",
        "1 h",
    ]
    unknown = replace(postmortem, detected=None)
    assert [duration(time.value) for time in unknown.durations] == ["n/a", "n/a", "40 min", "1 h"]
    assert [row["n"] for row in figures([postmortem, unknown])] == [1, 1, 2, 2]
    assert figures([]) == []


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [(1, 0.9, 1), (10, 0.9, 9), (11, 0.9, 10), (2, 0.5, 1), (3, 0.5, 2)],
)
def test_a_percentile_is_the_nearest_rank(count: int, share: float, expected: int) -> None:
    values = [timedelta(minutes=minute) for minute in range(1, count + 1)]
    assert percentile(values, share) == timedelta(minutes=expected)


def test_a_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.9)


def test_a_score_counts_unknown_items_separately() -> None:
    audit = HANDBOOK.audits[-1]
    audit_score = score(audit)
    assert audit_score.verdicts == {
        "pass": 2,
        "fail": 1,
        "unknown": 1,
        "not-applicable": 1,
        "waived": 1,
    }
    assert audit_score.passes == {"automated": 1, "evidence": 0, "attested": 1}
    assert audit_score.total == 6


def test_policy_values_are_in_pages_and_in_json() -> None:
    standard = HANDBOOK.get(Standard, "STD-05")
    assert standard
    assert standard.summary == "Coverage is at least 80%"
    assert "{{ other.braces }} stay." in standard.source.text
    items = json.loads(api.files(HANDBOOK, None)["api/v1/checklist.json"])["items"]
    assert "Traces are kept for 90d" in [item["item"] for item in items]


def test_json_has_every_key_of_a_kind() -> None:
    document = json.loads(api.files(HANDBOOK, "abc")["api/v1/adrs.json"])
    assert document["commit"] == "abc"
    for item in document["items"]:
        assert {field.key for field in fields_of(Adr)} | {
            "id",
            "title",
            "url",
            "path",
            "referred_to_by",
        } == set(item)
    assert document["items"][0]["history"] == [
        {"status": "proposed", "date": "2026-02-01"},
        {"status": "accepted", "date": "2026-02-09"},
    ]


def remove_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: remove_nulls(item) for key, item in value.items() if item is not None}
    return [remove_nulls(item) for item in value] if isinstance(value, list) else value


def test_the_reference_of_the_records_has_every_key_and_section_of_a_kind() -> None:
    *parts, common = re.split(r"^## ", records_reference(), flags=re.MULTILINE)[1:]
    assert len(parts) == len(RECORDS)
    for kind, part in zip(RECORDS, parts, strict=True):
        assert part.startswith(f"{kind.list_title}\n")
        assert all(section in part for section in kind.sections)
        keys = re.findall(r"^\| `(\w+)`", part + common, re.MULTILINE)
        assert sorted(keys) == sorted(row.key for row in fields_of(kind))
    assert "| `status` | yes | status of the decision: proposed," in parts[1]
    assert "| `tags` |  | tags from the list" in common


def check_published_schemas(root: Path) -> None:
    """Assert that every record of a handbook matches the schema that its site publishes."""
    handbook = load(root)
    contents = api.files(handbook, None)
    lists = {
        kind.kind: json.loads(contents[f"api/v1/{kind.plural}.json"])["items"] for kind in RECORDS
    }
    lists["audit"] = [audit for service in lists["service"] for audit in service["audits"]]
    for kind, items in lists.items():
        schema = json.loads(contents[f"api/v1/schemas/{kind}.json"])
        validator = jsonschema.Draft202012Validator(
            schema, format_checker=jsonschema.FormatChecker()
        )
        validator.check_schema(schema)
        for item in items:
            record = {
                key: remove_nulls(item[key])
                for key in schema["properties"]
                if item[key] is not None
            }
            for key in ("exercise", "runbook", "standard"):
                assert key not in record
            assert [error.message for error in validator.iter_errors(record)] == []
            assert list(validator.iter_errors(record | {"zebra": 1})) != []


def check_json_lists(root: Path) -> None:
    """Assert that every list of the site has a version, a commit and addresses."""
    contents = api.files(load(root), "abc")
    names = (
        "standards",
        "checklist",
        "adrs",
        "runbooks",
        "alerts",
        "postmortems",
        "actions",
        "services",
    )
    for name in names:
        document = json.loads(contents[f"api/v1/{name}.json"])
        assert (document["version"], document["commit"]) == (1, "abc")
        assert all(item["url"].startswith("https://") for item in document["items"])
    assert contents["checklist.csv"].count("\r\n") == 1 + len(
        json.loads(contents["api/v1/checklist.json"])["items"]
    )
    assert contents["actions.csv"].count("\r\n") == 1 + len(
        json.loads(contents["api/v1/actions.json"])["items"]
    )


def test_every_record_matches_the_published_schema() -> None:
    check_published_schemas(SMALL)


def test_every_json_list_has_a_version_and_urls() -> None:
    check_json_lists(SMALL)


ACTIONS = "| Id | Action | Owner | Due | Status |\n|---|---|---|---|---|\n"


def export_action(root: Path, action: str) -> list[str]:
    """Return the lines of `actions.csv` for a post-mortem with this action."""
    copy_site(SMALL, root)
    (file,) = (root / "postmortems").glob("2*.md")
    text = file.read_text(encoding="utf-8")
    row = re.search(r"^\| A1 \| (.*?) \|", text, re.MULTILINE)
    assert row
    file.write_text(text.replace(row[1], action, 1), encoding="utf-8")
    return api.files(load(root), None)["actions.csv"].split("\r\n")


@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "'"),
        ("x;", "x;'"),
        ("x; ", "x; '"),
        ("x;;", "x;;'"),
        ("x,", "x,'"),
        ('x;"', "x;\"'"),
        ('x "a;', "x \"a;'"),
        ("x a;", "x a;'"),
    ],
)
def test_no_spreadsheet_finds_a_formula(before: str, after: str, mark: str, tmp_path: Path) -> None:
    (action,) = (
        line for line in export_action(tmp_path / "x", f"{before}{mark}1+1") if line.count("1+1")
    )
    assert f"{after}{mark}1+1".replace('"', '""') in action
    # A spreadsheet splits the line at its own separator, and then knows no quotation mark.
    for separator in (";", "\t"):
        cells = [cell.strip(' "') for cell in action.split(separator)]
        assert not [cell for cell in cells if cell.startswith(mark)]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("x\n=1", "x\n'=1"),
        ("x\r-1", "x\r'-1"),
        ("x\t@a", "x\t'@a"),
        ("x|=1", "x|'=1"),
        ('"=1"', '"\'=1"'),
        (" =1", " '=1"),
    ],
)
def test_other_separators_start_a_cell(cell: str, expected: str) -> None:
    assert api._neutralise(cell) == expected


@pytest.mark.parametrize(
    "cell",
    ["", "a - b", "well-known", "down, -5 %", "a=b; c", "C++", "team@host.example", "2026-01-01"],
)
def test_a_text_without_a_formula_stays_as_it_is(cell: str) -> None:
    assert api._neutralise(cell) == cell


def test_the_schema_of_the_settings_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(settings_schema())
