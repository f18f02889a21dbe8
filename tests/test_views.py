"""What the views make of a handbook, without MkDocs."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import macros
from macros.diagnostics import Diagnostic, Location, Severity
from macros.fields import fields_of
from macros.handbook import load
from macros.records.adr import Adr
from macros.records.kinds import RECORDS
from macros.settings import settings_schema
from macros.views import adr_index, api, relative
from macros.views.adr import facts, newest_first
from macros.views.backlinks import backlinks
from macros.views.findings import findings
from macros.views.recent import recent
from macros.vocabulary import ADR_MOVES, ADR_STATUSES, MACROS
from tests.handbooks import ADR, ROOT, SETTINGS, SMALL, write

HANDBOOK = load(SMALL)


@pytest.mark.parametrize(
    ("url", "here", "expected"),
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
def test_addresses_are_relative_to_the_page(url: str, here: str, expected: str) -> None:
    assert relative(url, here) == expected


def test_every_status_has_its_place_in_the_index_and_its_moves() -> None:
    assert set(adr_index._ORDER) == set(adr_index._MEANING) == set(ADR_STATUSES) == set(ADR_MOVES)


def test_text_of_a_record_is_escaped(tmp_path: Path) -> None:
    title = "A <script>alert(1)</script> & more"
    text = ADR.replace("# A decision", f"# {title.replace('<', '&lt;')}")
    write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": text, "adr/0002-b.md": ADR.replace("Why.", "ADR-0001")})
    handbook = load(tmp_path)
    (first, second) = handbook.of(Adr)
    for html in (
        adr_index.adr_index(handbook, ""),
        recent(handbook, ""),
        backlinks(handbook, second),
        facts(handbook, first),
    ):
        assert "<script" not in html
    bad = Diagnostic(Location("a.md"), "FM001", "x", Severity.ERROR, "<script>")
    assert "<script" not in findings([bad])


def test_the_newest_change_comes_first() -> None:
    assert [adr.id for adr in newest_first(HANDBOOK.of(Adr))] == ["ADR-0003", "ADR-0002", "ADR-0001"]


def test_the_interface_keeps_every_key_of_a_kind() -> None:
    document = json.loads(api.files(HANDBOOK, "abc")["api/v1/adrs.json"])
    assert document["commit"] == "abc"
    for item in document["items"]:
        assert {field.key for field in fields_of(Adr)} | {"id", "title", "url", "path", "referred_to_by"} == set(item)
    assert document["items"][0]["history"] == [
        {"status": "proposed", "date": "2026-02-01"},
        {"status": "accepted", "date": "2026-02-09"},
    ]


def without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("root", [SMALL, ROOT], ids=["small", "real"])
def test_every_record_is_valid_by_the_published_schema(root: Path) -> None:
    handbook = load(root)
    made = api.files(handbook, None)
    lists = {kind.kind: json.loads(made[f"api/v1/{kind.plural}.json"])["items"] for kind in RECORDS}
    lists["audit"] = [audit for service in lists["service"] for audit in service["audits"]]
    for kind, items in lists.items():
        schema = json.loads(made[f"api/v1/schemas/{kind}.json"])
        validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        validator.check_schema(schema)
        for item in items:
            record = {key: without_nulls(item[key]) for key in schema["properties"] if item[key] is not None}
            for key in ("exercise", "runbook", "standard"):
                assert key not in record
            assert [error.message for error in validator.iter_errors(record)] == []
            assert list(validator.iter_errors(record | {"zebra": 1})) != []


@pytest.mark.parametrize("root", [SMALL, ROOT], ids=["small", "real"])
def test_every_list_of_the_interface_has_its_form(root: Path) -> None:
    made = api.files(load(root), "abc")
    names = ("standards", "checklist", "adrs", "runbooks", "alerts", "postmortems", "actions", "services")
    for name in names:
        document = json.loads(made[f"api/v1/{name}.json"])
        assert (document["version"], document["commit"]) == (1, "abc")
        assert all(item["url"].startswith("https://") for item in document["items"])
    assert made["checklist.csv"].count("\r\n") == 1 + len(json.loads(made["api/v1/checklist.json"])["items"])
    assert made["actions.csv"].count("\r\n") == 1 + len(json.loads(made["api/v1/actions.json"])["items"])


def test_the_schema_of_the_settings_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(settings_schema())


class Environment:
    """As much of mkdocs-macros' environment as the module uses."""

    def __init__(self, conf: dict[str, object]) -> None:
        self.conf = conf
        self.macros: dict[str, object] = {}

    def macro(self, function: object, name: str) -> None:
        self.macros[name] = function


def test_an_engine_without_our_plugin_still_runs_the_gate(tmp_path: Path) -> None:
    conf: dict[str, object] = {"config_file_path": str(SMALL / "mkdocs.yml")}
    environment = Environment(conf)
    macros.define_env(environment)
    assert set(environment.macros) == set(MACROS)

    write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": ADR.replace("accepted", "acepted")})
    with pytest.raises(Exception, match="the gate found errors") as raised:
        macros.define_env(Environment({"config_file_path": str(tmp_path / "mkdocs.yml")}))
    assert type(raised.value).__name__ == "ClickException"
