"""The records of this repository: findings, credentials, search keys and published data."""

from __future__ import annotations

import json
import re

import pytest

from handbook.loading import load
from handbook.reading import files
from handbook.reading.credential_forms import FORMS
from handbook.rules.engine import run
from handbook.views.keys import keys
from handbook.views.standards import checklist
from tests.cli.test_cli import call
from tests.handbooks import NEWEST, ROOT, TODAY
from tests.views.test_views import check_json_lists, check_published_schemas


def test_this_repository_has_no_findings(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "check", "--root", str(ROOT), "--today", str(NEWEST), "--strict")
    assert (code, out.count("\n")) == (0, 1), out


def test_the_records_of_this_repository_have_no_contradiction() -> None:
    codes = [finding.code for finding in run(load(ROOT), TODAY).findings]
    assert [code for code in codes if code.startswith("CON")] == []


def test_no_record_or_page_of_this_repository_has_a_credential() -> None:
    report = run(load(ROOT), TODAY)
    assert [finding for finding in report.findings if finding.code == "SAFE005"] == []


def test_the_pictures_of_this_repository_hold_no_secret() -> None:
    pictures = [
        path
        for suffix in ("png", "svg")
        for path in ROOT.glob(f"**/*.{suffix}")
        if ".venv" not in path.parts
    ]
    assert pictures
    for path in pictures:
        text = files.read_searchable_text(ROOT, path.relative_to(ROOT).as_posix())
        assert [
            form.name
            for form in FORMS
            for match in form.pattern.finditer(text)
            if form.extent(match)
        ] == []


def test_the_keys_hold_ids_alerts_rules_and_messages() -> None:
    files = {
        path.split("/")[-1].removesuffix(".json"): json.loads(text)
        for path, text in keys(load(ROOT)).items()
    }
    prefixes, words = files.pop("parts"), files.pop("words")
    assert prefixes == sorted(files)
    rows = [row for prefix in prefixes for row in files[prefix]]
    targets = {key: (url, kind) for _, url, kind, _, *names in reversed(rows) for key in names}
    assert "rollback" in " ".join(words["words"]).split()
    assert targets["ADR-0023"] == ("adr/0023-use-postgresql-for-orders/", "Decision")
    assert targets["STD-05.1"][0] == "standards/05-testing-pyramid/#std-05-1"
    assert targets["SEC-04"][0] == "standards/06-devsecops/#sec-04"
    assert targets["RBK003"][0] == "reference/rules/rbk/#rbk003"
    assert targets["OrderServiceHighErrorRate"][1] == "Alert"
    assert targets["RateLimitError"][0].startswith("runbooks/order-service/")


def test_an_item_belongs_to_its_owner_and_to_other_standards_verified_by_it() -> None:
    handbook = load(ROOT)
    shared = {
        id: [standard.id for standard in handbook.standards_of(id)]
        for id in ("SCM-03", "CICD-05", "TEST-01")
    }
    assert shared == {
        "SCM-03": ["STD-03", "STD-07"],
        "CICD-05": ["STD-04", "STD-11"],
        "TEST-01": ["STD-05"],
    }
    page = checklist(handbook, "checklist/")
    [row] = re.findall(r'<tr id="scm-03".*?</tr>', page, re.DOTALL)
    assert 'data-standard="STD-03|STD-07"' in row
    assert row.index("Pre-commit hooks") < row.index("Semantic versioning")


def test_every_record_matches_the_published_schema() -> None:
    check_published_schemas(ROOT)


def test_every_json_list_has_a_version_and_urls() -> None:
    check_json_lists(ROOT)
