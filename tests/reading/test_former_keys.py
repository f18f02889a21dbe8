"""Keys of settings and records that a newer version of the package has renamed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from handbook.cli.program import main
from handbook.reading import fields
from handbook.reading.fields import Field, FormerKey
from handbook.records.adr import Adr
from handbook.settings import Organisation, Policy
from tests.handbooks import ADR, SETTINGS, check, write

POLICY = f"{SETTINGS}  policy: {{alarms: {{paging: [page]}}}}\n"


@pytest.fixture(autouse=True)
def renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renamed keys of three tables, as if version 9.0.0 had renamed them."""
    former_keys = {
        (Organisation, "tags"): "labels",
        (Policy, "alerts"): "alarms",
        (Adr, "deciders"): "approvers",
    }
    fields_of: Callable[[type], tuple[Field, ...]] = fields.fields_of

    def list_fields(table: type) -> tuple[Field, ...]:
        return tuple(
            dataclasses.replace(row, former_keys=(FormerKey(former_keys[table, row.key], "9.0.0"),))
            if (table, row.key) in former_keys
            else row
            for row in fields_of(table)
        )

    monkeypatch.setattr(fields, "fields_of", list_fields)


@pytest.mark.parametrize(
    ("settings", "record", "place", "old", "new"),
    [
        (SETTINGS.replace("tags:", "labels:"), ADR, ("mkdocs.yml", 8, 5), "labels", "tags"),
        (POLICY, ADR, ("mkdocs.yml", 9, 12), "alarms", "alerts"),
        (
            SETTINGS,
            ADR.replace("deciders", "approvers"),
            ("adr/0001-a.md", 4, 1),
            "approvers",
            "deciders",
        ),
    ],
    ids=["settings", "policy", "record"],
)
def test_a_renamed_key_is_one_finding_with_a_fix(
    settings: str, record: str, place: tuple[str, int, int], old: str, new: str, tmp_path: Path
) -> None:
    files = {"mkdocs.yml": settings, "adr/0001-a.md": record}
    (finding,) = check(tmp_path, files)
    assert (finding.at.path, finding.at.line, finding.at.column) == place
    assert finding.message == f"key '{old}', which version 9.0.0 renamed to '{new}'"
    assert (finding.code, finding.hint) == ("FM003", f"write '{new}'")

    assert main(["check", "--root", str(tmp_path), "--fix"]) == 0
    assert f"{new}:" in (tmp_path / finding.at.path).read_text(encoding="utf-8")


def test_the_value_of_a_renamed_key_counts(tmp_path: Path) -> None:
    settings = SETTINGS.replace("tags:", "labels:")
    record = ADR.replace("---\n#", "tags: [database, zebra]\n---\n#")
    codes = [f.code for f in check(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": record})]
    assert sorted(codes) == ["FM003", "FM005"]


def test_an_old_key_beside_the_new_one_is_not_fixed(tmp_path: Path) -> None:
    settings = f"{SETTINGS}    labels: [other]\n"
    (finding,) = check(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": ADR})
    assert (finding.hint, finding.fix) == ("move its values to 'tags'", None)


def test_other_keys_are_unknown_as_before(tmp_path: Path) -> None:
    write(tmp_path, {"adr/0001-a.md": ADR})
    (finding,) = check(tmp_path, {"mkdocs.yml": f"{SETTINGS}    zebra: [x]\n"})
    assert finding.message == "unknown key 'zebra'"
