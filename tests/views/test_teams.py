"""Each team has a page, and its contacts are beside its name on runbooks, alerts and services."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from handbook.diagnostics import Report
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.records.adr import Adr
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.site.assembly import Assembly
from handbook.views import api
from handbook.views.due import due, exceptions, list_deadlines
from handbook.views.facts import facts
from handbook.views.home import everything, home
from handbook.views.keys import keys
from handbook.views.postmortems import actions
from handbook.views.runbooks import alert_page
from handbook.views.services import services_index
from handbook.views.teams import team_page, teams_index
from tests.handbooks import (
    ADR,
    SETTINGS,
    SMALL,
    copy_site,
    format_findings,
    replace_once,
    report,
    write,
)

CHANNEL = 'shop-team: {channel: "#team-shop"}'
ROTA = "https://rota.example/team"
ON_CALL = "on_call: https://rota.example/shop\n"


def copy_small(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """Copy the small handbook, and replace texts in it."""
    root = copy_site(SMALL, tmp_path / "small")
    for good, bad in changes:
        replace_once(root, good, bad)
    return root


def make_assembly(handbook: Handbook) -> Assembly:
    """Return the assembly of a handbook without Git history."""
    return Assembly(handbook, Report(handbook.entity_counts, ()), None, None)


def read_links(html: str) -> dict[str, str]:
    """Return the address of each link by its text."""
    return {
        link.text(strip=True): str(link.attributes["href"])
        for link in LexborHTMLParser(html).css("a[href]")
    }


def test_the_list_has_the_contacts_and_the_numbers_of_each_team(tmp_path: Path) -> None:
    root = copy_small(tmp_path, (CHANNEL, f'shop-team: {{channel: "#team-shop", on_call: {ROTA}}}'))
    rows = LexborHTMLParser(teams_index(load(root), "teams/")).css("tbody tr")
    texts = [[cell.text(strip=True) for cell in row.css("th, td")] for row in rows]
    assert texts == [
        ["order-team", "#team-orders", "", "nothing yet", "nothing"],
        ["platform-team", "", "", "2 services, 1 runbook, 2 alerts, 2 standards", "5 due dates"],
        [
            "shop-team",
            "#team-shop",
            "Who is on call",
            "1 service, 3 runbooks, 3 alerts",
            "6 due dates",
        ],
    ]
    assert read_links(rows[2].html or "")["shop-team"] == "shop-team/"


def test_the_page_of_a_team_has_its_records_due_dates_decisions_and_incidents(
    tmp_path: Path,
) -> None:
    root = copy_small(tmp_path, ("| 2026-05-13 | done 2026-05-12 |", "| 2027-05-13 | open |"))
    handbook = load(root)
    page = team_page(handbook, "teams/shop-team/")
    links = read_links(page)
    assert links["Shop"] == "../../services/shop/"
    assert links["Shop: orders are down"] == "../../runbooks/shop/orders-down/"
    assert links["OrdersDown"] == "../../alerts/OrdersDown/"
    assert links["Orders stopped"] == "../../postmortems/2026-05-04-orders-stopped/"
    assert links["A2"] == "../../actions/#2026-05-04-orders-stopped-a2"
    assert "A1" not in links
    days = [item.day for item in list_deadlines(handbook) if "shop-team" in item.owners]
    times = LexborHTMLParser(page).css("tr[data-due] time")
    assert [time.text() for time in times] == [f"{day}" for day in days]
    decisions = read_links(team_page(handbook, "teams/platform-team/"))
    assert decisions["ADR-0002Use PostgreSQL for orders"] == "../../adr/0002-use-postgresql/"
    assert "ADR-0002Use PostgreSQL for orders" not in links


def test_a_team_that_owns_nothing_says_so(tmp_path: Path) -> None:
    root = write(tmp_path, {"mkdocs.yml": SETTINGS})
    page = team_page(load(root), "teams/order-team/")
    assert "This team owns no service, runbook or standard." in page
    assert "Nothing has a due date." in page
    assert "## Decisions" not in page
    assert "No team yet." in teams_index(load(write(tmp_path / "b", {"mkdocs.yml": "a: b"})), "")
    assert team_page(load(root), "adr/") == "No team of the settings has this page."


@pytest.mark.parametrize(
    ("names", "addresses"),
    [
        ('"Team A & B": {}, "team a b": {}', ["teams/team-a--b/", "teams/team-a-b/"]),
        ('"Team A!": {}, "team a": {}, "team A": {}', ["team-a", "team-a-1", "team-a-2"]),
        ('index: {}, "?": {}', ["teams/index-1/", "teams/-1/"]),
        ("команда-1: {}", ["teams/команда-1/"]),
        (f"{'a' * 300}: {{}}, {'a' * 301}: {{}}", ["a" * 60, "a" * 60 + "-1"]),
        (f"{'队' * 300}: {{}}", ["队" * 60]),
    ],
)
def test_each_team_has_its_own_address(names: str, addresses: list[str], tmp_path: Path) -> None:
    settings = SETTINGS.replace("order-team: {}, platform-team: {}", names)
    handbook = load(write(tmp_path, {"mkdocs.yml": settings}))
    expected = [at if at.startswith("teams/") else f"teams/{at}/" for at in addresses]
    assert list(handbook.settings.team_addresses.values()) == expected
    assert all(handbook.has_address(address) for address in expected)
    assert format_findings(report(tmp_path).findings) == []


def test_the_title_of_the_page_is_the_name_whatever_its_characters(tmp_path: Path) -> None:
    name = "*A* & <b>_B_</b> [c](d) `e` {{ home() }}"
    settings = SETTINGS.replace("order-team: {}", f'"{name}": {{}}')
    handbook = load(write(tmp_path, {"mkdocs.yml": settings}))
    (path, *_) = (path for path in handbook.provided if path.startswith("docs/teams/a-"))
    article = make_assembly(handbook).make_article(
        handbook.documents[path], make_assembly(handbook).expand(handbook.documents[path])
    )
    (heading,) = LexborHTMLParser(article.html).css("h1")
    assert heading.text().startswith(name)
    assert 'data-pagefind-meta="kind:Team"' in article.html
    assert article.findings == ()


def test_a_page_of_the_repository_replaces_the_page_of_a_team(tmp_path: Path) -> None:
    page = "---\nrender_macros: true\n---\n# Orders\n\n{{ team_page() }}\n"
    write(tmp_path, {"mkdocs.yml": SETTINGS, "docs/teams/order-team.md": page})
    handbook = load(tmp_path)
    assert "docs/teams/order-team.md" not in handbook.provided
    assert "docs/teams/platform-team.md" in handbook.provided
    assert read_links(teams_index(handbook, "teams/"))["order-team"] == "order-team/"
    assert format_findings(report(tmp_path).findings) == []


def test_the_rota_of_a_team_is_that_of_its_services_without_one(tmp_path: Path) -> None:
    root = copy_small(tmp_path, (ON_CALL, ""))
    assert "docs/services/shop.md:11:1:SVC002" in format_findings(report(root).findings)
    replace_once(root, CHANNEL, f'shop-team: {{channel: "#team-shop", on_call: {ROTA}}}')
    assert format_findings(report(root).findings) == []
    handbook = load(root)
    runbook, service = handbook.get(Runbook, "shop/orders-down"), handbook.get(Service, "shop")
    alert = next(alert for alert in handbook.alerts if alert.name == "OrdersDown")
    assert runbook is not None
    assert service is not None
    for html in (
        facts(handbook, runbook),
        facts(handbook, service),
        alert_page(handbook, alert).html,
    ):
        links = read_links(html)
        assert links["Who is on call"] == ROTA
        assert links["shop-team"].endswith("teams/shop-team/")
        assert "#team-shop" in html
    assert read_links(home(handbook, ""))["Who is on call"] == ROTA


@pytest.mark.parametrize("rota", ["the first of the list in #team-shop", "javascript:alert(1)"])
def test_a_rota_that_is_no_address_is_a_text(rota: str, tmp_path: Path) -> None:
    root = copy_small(tmp_path, (ON_CALL, ""), (CHANNEL, f'shop-team: {{on_call: "{rota}"}}'))
    handbook = load(root)
    for html in (team_page(handbook, "teams/shop-team/"), home(handbook, "")):
        assert rota in html
        assert rota not in read_links(html).values()


def test_the_rota_of_a_service_comes_before_that_of_its_team(tmp_path: Path) -> None:
    root = copy_small(tmp_path, (CHANNEL, f"shop-team: {{on_call: {ROTA}}}"))
    handbook = load(root)
    runbook = handbook.get(Runbook, "shop/orders-down")
    assert runbook is not None
    assert read_links(facts(handbook, runbook))["Who is on call"] == "https://rota.example/shop"


def test_the_escalation_has_the_contacts_above_the_text_of_the_author() -> None:
    handbook = load(SMALL)
    runbook = handbook.get(Runbook, "shop/orders-down")
    assert runbook is not None
    html = make_assembly(handbook).make_article(runbook).html
    alert = next(alert for alert in handbook.alerts if alert.name == "OrdersDown")
    for page in (html, alert_page(handbook, alert).html):
        (contacts,) = LexborHTMLParser(page).css("h2#escalation + p")
        assert contacts.text() == "On call: Who is on call. Owner: shop-team, #team-shop."
        (steps,) = LexborHTMLParser(page).css("h2#escalation + p + ul")
        assert steps.text().strip().startswith("Tier 1 (15 min)")


def test_teams_are_links_and_people_are_not(tmp_path: Path) -> None:
    settings = SETTINGS + "    people: {ana: Ana Lopez}\n"
    comment = "<!-- handbook: allow MD012 until 2027-01-31: a reason -->\n\n## Decision"
    adr = ADR.replace("[order-team]", "[order-team, ana]").replace("## Decision", comment)
    handbook = load(write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": adr}))
    (record,) = handbook.of(Adr)
    for html in (facts(handbook, record), due(handbook, "due/"), exceptions(handbook, "due/")):
        assert read_links(html)["order-team"].endswith("teams/order-team/")
        assert "Ana Lopez" in html
        assert "Ana Lopez" not in read_links(html)
    small = load(SMALL)
    for html in (
        services_index(small, "services/"),
        actions(small, "actions/"),
        everything(small, "search/"),
    ):
        assert read_links(html)["shop-team"] == "../teams/shop-team/"


def test_programs_and_the_search_find_teams() -> None:
    handbook = load(SMALL)
    items = json.loads(api.files(handbook, None)["api/v1/teams.json"])["items"]
    assert items[2] == {
        "name": "shop-team",
        "channel": "#team-shop",
        "on_call": None,
        "url": "https://small.example/teams/shop-team/",
        "services": ["shop"],
        "runbooks": ["shop/orders-down", "shop/orders-flat", "shop/slow-search"],
        "standards": [],
        "alerts": ["OrdersDown", "OrdersFlat", "OrdersSpare"],
        "adrs": [],
        "postmortems": ["2026-05-04-orders-stopped"],
    }
    rows = json.loads(keys(handbook)["assets/keys/sho.json"])
    assert ["shop-team", "teams/shop-team/", "Team", "", "shop-team"] in rows


def test_a_value_with_blank_lines_does_not_end_the_html_around_it(tmp_path: Path) -> None:
    text = r"one\n\n## two\r\r[a](javascript:b)\n\n```"
    root = copy_small(
        tmp_path,
        (CHANNEL, f'shop-team: {{channel: "{text}", on_call: "{text}"}}'),
        ("summary: Orders stopped", f'summary: "{text}"'),
    )
    assembly = make_assembly(load(root))
    pages = {article.source: article for article in assembly.pages(lambda page: page.source.body)}
    for source in ("alerts.md", "teams/index.md", "teams/shop-team.md"):
        assert pages[source].findings == (), source
        assert "\n## two" in pages[source].html.replace("&#10;", "\n"), source
        assert "<h2>two" not in pages[source].html, source
