"""The page of due dates lists everything that can be late, without knowing the day."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from handbook.loading import load
from handbook.views.due import count_dates, due, exceptions, list_deadlines
from handbook.views.home import home
from handbook.views.postmortems import actions
from tests.handbooks import ADR, SETTINGS, SMALL, copy_site, replace_once, write


def list_due(root: Path) -> list[tuple[str, str, str]]:
    """Return the day, the kind and the address of each deadline."""
    return [(f"{item.day}", item.kind, item.address) for item in list_deadlines(load(root))]


def test_the_small_handbook_has_reviews_audits_and_waivers() -> None:
    kinds = {kind for _, kind, _ in list_due(SMALL)}
    assert {"audit", "review"} <= kinds


@pytest.mark.parametrize(
    ("quarter", "day"),
    [("2026-Q1", "2026-06-30"), ("2026-Q3", "2026-12-31"), ("2026-Q4", "2027-03-31")],
)
def test_the_next_audit_is_due_at_the_end_of_the_next_quarter(
    quarter: str, day: str, tmp_path: Path
) -> None:
    root = copy_site(SMALL, tmp_path / "small")
    service = root / "docs/services/search"
    for path in service.iterdir():
        path.rename(service / f"{quarter}.yml")
    assert (day, "audit", "services/search/") in list_due(root)


def test_open_actions_decisions_and_suppressions_are_due(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "small")
    replace_once(root, "| done 2026-05-12 |", "| open |")
    adr = ADR.replace("deciders", "review_by: 2027-03-31\ndeciders")
    comment = "<!-- handbook: allow MD012 until 2027-01-31: a reason -->\n\n## Decision"
    write(root, {"adr/0009-x.md": adr.replace("## Decision", comment)})
    items = list_due(root)
    assert ("2027-03-31", "review", "adr/0009-x/") in items
    assert ("2027-01-31", "suppression", "adr/0009-x/") in items
    assert any(kind == "action" and "#2026-05-04-orders-stopped-a" in at for _, kind, at in items)
    assert items == sorted(items)


def test_a_superseded_decision_and_an_example_are_not_due(tmp_path: Path) -> None:
    reviewed = ADR.replace("deciders", "review_by: 2027-03-31\ndeciders")
    root = write(
        tmp_path,
        {
            "mkdocs.yml": SETTINGS,
            "adr/0001-a.md": reviewed.replace("accepted", "deprecated"),
            "adr/0002-b.md": reviewed.replace("deciders", "example: true\ndeciders"),
        },
    )
    assert list_due(root) == []
    assert "Nothing has a due date." in due(load(root), "due/")
    assert "What is due" not in home(load(root), "")


def test_the_home_page_of_an_empty_handbook_counts_nothing(tmp_path: Path) -> None:
    page = home(load(write(tmp_path, {"mkdocs.yml": SETTINGS})), "")
    for text in ("No standards yet<", "No decisions yet<", "No services yet<"):
        assert text in page
    assert not re.search(r"\b0\b", re.sub(r"<svg.*?</svg>", "", page))


def test_pages_have_the_dates_and_their_number_per_day() -> None:
    handbook = load(SMALL)
    deadlines = list_deadlines(handbook)
    page = due(handbook, "due/")
    assert page.count("<tr data-kind=") == len(deadlines)
    first = deadlines[0].day
    assert f'<time class="hb-due hb-nowrap" datetime="{first}">{first}</time>' in page
    assert count_dates(deadlines) in home(handbook, "")
    total = sum(int(entry.split(":")[1]) for entry in count_dates(deadlines).split())
    assert total == len(deadlines)
    assert f"{date.today().year + 50}" not in page


def list_exceptions(root: Path) -> dict[str, list[str]]:
    """Return the texts of the other cells of each row, by the text of the first cell."""
    page = exceptions(load(root), "exceptions/")
    rows = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.split("</tr>", page)[1:-1]]
    texts = [[re.sub(r"<[^>]+>", "", cell) for cell in row] for row in rows]
    return {row[0]: row[1:] for row in texts}


def test_a_rule_that_is_off_can_have_a_reason_and_an_owner(tmp_path: Path) -> None:
    off = "{severity: off, reason: see ADR-0001, owner: order-team}"
    settings = SETTINGS + f"    rules: {{FM010: warning, overdue-action: {off}}}\n"
    root = write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": ADR})
    assert list_exceptions(root) == {
        "FM010 is warning": ["rule", "mkdocs.yml", "not recorded", "not recorded", "no end date"],
        "overdue-action is off": [
            "rule",
            "mkdocs.yml",
            "see ADR-0001",
            "order-team",
            "no end date",
        ],
    }
    assert 'href="../adr/0001-a/"' in exceptions(load(root), "exceptions/")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("{severity: off}", "missing key 'reason'"),
        ("{severity: off, reason: none}", "value 'none' of 'reason' without content"),
        ("{severity: of, reason: a test}", "unknown value 'of' for 'severity'"),
        ("{severity: off, reason: a test, owner: nobody}", "unknown value 'nobody' for 'owner'"),
        ("[off]", "unexpected list under 'FM010'"),
    ],
)
def test_an_invalid_setting_of_a_rule_is_reported(
    setting: str, message: str, tmp_path: Path
) -> None:
    settings = SETTINGS + f"    rules: {{FM010: {setting}}}\n"
    problems = load(write(tmp_path, {"mkdocs.yml": settings})).settings.problems
    assert [problem.finding.message for problem in problems] == [message]


def test_a_suppression_in_yaml_has_its_place_and_its_owner(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "small")
    rule_file = root / "runbooks/shop/shop.rules.yml"
    text = rule_file.read_text(encoding="utf-8")
    comment = "# handbook: allow ALR001 until 2027-01-31: a reason\n"
    alert = re.findall(r"alert: (\w+)", text)[1]
    line = next(line for line in text.splitlines(True) if f"alert: {alert}" in line)
    indent = line[: len(line) - len(line.lstrip())]
    rule_file.write_text(text.replace(line, f"{indent}{comment}{line}"), encoding="utf-8")
    path = rule_file.relative_to(root).as_posix()
    [row] = [cells for cells in list_exceptions(root).values() if cells[0] == "suppression"]
    assert row[1] == path
    assert row[3] == "shop-team"
    page = exceptions(load(root), "exceptions/")
    assert f'<a href="../alerts/{alert}/">{path}</a>' in page
    assert ("2027-01-31", "suppression", f"alerts/{alert}/") in list_due(root)


def test_exceptions_have_their_owner_reason_and_end(tmp_path: Path) -> None:
    settings = SETTINGS + "    rules: {FM010: warning}\n"
    comment = "<!-- handbook: allow MD012 until 2027-01-31: a good reason -->\n\n## Decision"
    root = write(
        tmp_path,
        {"mkdocs.yml": settings, "adr/0001-a.md": ADR.replace("## Decision", comment)},
    )
    page = exceptions(load(root), "exceptions/")
    assert "2 exceptions." in page
    for text in ("MD012", "a good reason", "order-team", "2027-01-31", "FM010 is warning"):
        assert text in page
    assert "There is no exception." in exceptions(
        load(write(tmp_path / "b", {"mkdocs.yml": SETTINGS})), ""
    )


def test_open_actions_have_a_filter_for_late_ones(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "small")
    replace_once(root, "| done 2026-05-12 |", "| open |")
    html = actions(load(root), "actions/")
    assert "<option>late</option>" in html
    rows = re.findall(r'<tr id="[^"]*"[^>]*>', html)
    assert [row for row in rows if "data-due" in row] == [
        row for row in rows if 'data-status="open"' in row
    ]
    assert any("data-due" in row for row in rows)
