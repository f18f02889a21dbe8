"""The page of due dates lists everything that can be late, without knowing the day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from handbook.loading import load
from handbook.views.due import count_dates, due, exceptions, list_deadlines
from handbook.views.home import home
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
