"""The menu of a page lists its siblings in groups, and its size does not grow with the handbook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from handbook.handbook import Handbook
from handbook.loading import load
from handbook.records.adr import Adr
from handbook.records.runbook import Runbook
from handbook.views.menu import WINDOW, Menus, render_steps
from tests.handbooks import ADR, SETTINGS, SMALL, copy_site, replace_once, write

RUNBOOK = "---\nalerts: []\n---\n# {title}\n"
POSTMORTEM = "---\nstatus: draft\n---\n# {title}\n"
SERVICE = "---\ntier: 1\n---\n# {title}\n"
STANDARD = "---\ntags: []\n---\n# {title}\n"


def make_records(root: Path, count: int) -> Handbook:
    """Make a handbook with this number of records of each kind."""
    files = {"mkdocs.yml": SETTINGS}
    for number in range(1, count + 1):
        day = f"20{number % 20 + 10}-{number % 12 + 1:02}-{number % 28 + 1:02}"
        files |= {
            f"adr/{number:04}-decision.md": ADR.replace("2026-03-02", day),
            f"runbooks/service-{number // 10}/step-{number:04}.md": RUNBOOK.format(title=number),
            f"postmortems/{day}-incident-{number:04}.md": POSTMORTEM.format(title=number),
            f"docs/services/service-{number}.md": SERVICE.format(title=f"Service {number}"),
        }
    return load(write(root, files))


def list_links(menu: Any) -> dict[str, list[str]]:
    """Return the labels, or else the titles, of a menu by group. The current one has a star."""
    return {
        group["title"]: [
            (entry["label"] or entry["title"]) + "*" * entry["current"]
            for entry in group["entries"]
        ]
        for group in menu["groups"]
    }


def find_menu(handbook: Handbook, address: str) -> Any:
    menu = Menus(handbook).find_menu(address)
    assert menu is not None, address
    return menu


def test_the_size_of_a_menu_does_not_grow_with_the_handbook(tmp_path: Path) -> None:
    sizes = []
    for count in (50, 500):
        handbook = make_records(tmp_path / str(count), count)
        menus = Menus(handbook)
        found = [menus.find_menu(handbook.address(record)) for record in handbook.records]
        assert all(
            sum(len(group["entries"]) for group in menu["groups"]) == WINDOW
            for menu in found
            if menu
        )
        sizes.append(sum(len(json.dumps(menu)) for menu in found) / len(found))
    assert sizes[1] < sizes[0] * 1.1


@pytest.mark.parametrize(
    ("number", "first", "last"),
    [(1, 1, 15), (25, 18, 32), (50, 36, 50)],
    ids=["first", "middle", "last"],
)
def test_the_current_record_is_in_the_middle(
    number: int, first: int, last: int, tmp_path: Path
) -> None:
    days = {f"adr/{index:04}-x.md": ADR for index in range(1, 51)}
    handbook = load(write(tmp_path, {"mkdocs.yml": SETTINGS, **days}))
    menu = find_menu(handbook, f"adr/{number:04}-x/")
    ids = [f"ADR-{index:04}" + "*" * (index == number) for index in range(first, last + 1)]
    assert list_links(menu) == {"Accepted, 2026": ids[::-1]}
    assert menu["title"] == "Decisions"
    assert menu["all"]["title"] == "All 50 decisions"


def test_decisions_are_grouped_by_status_and_year(tmp_path: Path) -> None:
    older = ADR.replace("2026-03-02", "2025-03-02")
    root = write(
        tmp_path,
        {
            "mkdocs.yml": SETTINGS,
            "adr/0001-a.md": older.replace("accepted", "rejected"),
            "adr/0002-b.md": older,
            "adr/0003-c.md": ADR,
            "adr/0004-d.md": ADR.replace("accepted", "proposed"),
        },
    )
    menu = find_menu(load(root), "adr/0002-b/")
    assert list_links(menu) == {
        "Proposed, 2026": ["ADR-0004"],
        "Accepted, 2026": ["ADR-0003"],
        "Accepted, 2025": ["ADR-0002*"],
        "Rejected, 2025": ["ADR-0001"],
    }
    assert [entry["void"] for group in menu["groups"] for entry in group["entries"]] == [
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("status", "group"),
    [("", "Not recorded"), ("status: accepted\n", "Accepted, year not recorded")],
)
def test_the_group_of_a_decision_says_what_is_not_recorded(
    tmp_path: Path, status: str, group: str
) -> None:
    imported = f"---\n{status}imported: {{from: doc/a.md, date: 2026-03-02}}\n---\n# Keep files\n"
    handbook = load(write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": imported}))
    assert list_links(find_menu(handbook, "adr/0001-a/")) == {group: ["ADR-0001*"]}


SMALL_HANDBOOK = load(SMALL)


@pytest.mark.parametrize(
    ("address", "title", "groups", "index"),
    [
        (
            "runbooks/shop/orders-flat/",
            "Runbooks",
            {
                "Search": ["Search is slow"],
                "Shop": ["Orders are down", "Orders do not change*", "Search is slow"],
            },
            "runbooks/",
        ),
        (
            "alerts/OrdersFlat/",
            "Alerts",
            {
                "Search": ["SearchFails", "SearchSlow"],
                "Shop": ["OrdersDown", "OrdersFlat*", "OrdersSpare"],
            },
            "alerts/",
        ),
        (
            "postmortems/2026-05-04-orders-stopped/",
            "Post-mortems",
            {"2026": ["2026-05-04*"]},
            "postmortems/",
        ),
        ("postmortems/", "Post-mortems", {"2026": ["2026-05-04"]}, "postmortems/"),
    ],
    ids=["runbook", "alert", "post-mortem", "index"],
)
def test_records_are_grouped_by_service_or_year(
    address: str, title: str, groups: dict[str, list[str]], index: str
) -> None:
    menu = find_menu(SMALL_HANDBOOK, address)
    assert (menu["title"], list_links(menu), menu["all"]["url"]) == (title, groups, index)


def test_a_record_in_the_navigation_is_not_repeated_in_the_menu(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "small")
    menus = Menus(load(root))
    assert menus.find_menu("services/shop/") is None
    assert menus.find_menu("standards/05-testing/") is None
    replace_once(root, "      - services/search.md\n      - services/shop.md\n", "")
    menu = find_menu(load(root), "services/shop/")
    assert list_links(menu) == {"": ["Search", "Shop*"]}
    assert menu["all"]["title"] == "All 3 services"


def test_provided_pages_that_the_navigation_lacks_have_a_menu(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "small")
    replace_once(root, "      - actions.md\n", "      - actions.md\n      - due.md\n")
    links = list_links(find_menu(load(root), "exceptions/"))
    assert "Exceptions*" in links[""]
    assert "Due" not in links[""]
    assert "Add a runbook" in links["How to"]


def test_teams_have_a_menu() -> None:
    menu = find_menu(SMALL_HANDBOOK, "teams/order-team/")
    assert list_links(menu) == {"": ["order-team*", "platform-team", "shop-team"]}
    assert menu["all"] == {"title": "All 3 teams", "url": "teams/"}


def list_steps(handbook: Handbook, kind: type[Adr | Runbook], id: str) -> str:
    record = handbook.get(kind, id)
    assert record is not None
    neighbours = Menus(handbook).find_neighbours(handbook.address(record))
    return render_steps(handbook, record, neighbours)


def test_previous_and_next_follow_the_number_and_the_title_within_a_service() -> None:
    decision = list_steps(SMALL_HANDBOOK, Adr, "ADR-0002")
    assert 'href="../0001-keep-orders-in-sqlite/" rel="prev"' in decision
    assert 'href="../0003-keep-orders-in-mysql/" rel="next"' in decision
    assert "Previous decision" in decision
    runbook = list_steps(SMALL_HANDBOOK, Runbook, "shop/orders-flat")
    assert 'href="../orders-down/" rel="prev"' in runbook
    assert 'href="../slow-search/" rel="next"' in runbook
    assert list_steps(SMALL_HANDBOOK, Runbook, "search/slow") == ""
