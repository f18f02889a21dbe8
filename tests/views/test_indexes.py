"""The indexes: filters, rows beyond the first hundred, and the pages of rules, alerts and tags."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markupsafe import Markup
from selectolax.lexbor import LexborHTMLParser

from handbook.diagnostics import find_rule_address
from handbook.loading import load
from handbook.provided_pages import PROVIDED_PATHS, make_address
from handbook.records.adr import Adr
from handbook.records.alert import Alert
from handbook.records.kinds import RECORDS
from handbook.records.runbook import Runbook
from handbook.rules.engine import rules
from handbook.views import api, show_labels, split_rows
from handbook.views.descriptions import describe
from handbook.views.facts import facts
from handbook.views.home import home
from handbook.views.keys import keys
from handbook.views.macro_views import call_view
from handbook.views.rules_reference import FAMILY_ADDRESSES, rule_family
from handbook.views.runbooks import alert_page
from tests.handbooks import ADR, SETTINGS, SMALL, copy_site, write

HANDBOOK = load(SMALL)
INDEXES = {
    "actions": "actions/",
    "adr_index": "adr/",
    "alert_index": "alerts/",
    "checklist": "checklist/",
    "due": "due/",
    "postmortem_archive": "postmortems/",
    "rules_reference": "reference/rules/",
    "runbook_catalog": "runbooks/",
    "services_index": "services/",
    "standards_index": "standards/",
    "tag_index": "tags/",
}
"""The macro of each index, with the address of its page."""


def read_index(name: str) -> LexborHTMLParser:
    """Return the HTML of an index of the small handbook. Its headings are still Markdown."""
    return LexborHTMLParser(call_view(name, HANDBOOK, INDEXES[name]))


@pytest.mark.parametrize(
    ("count", "first", "rest"),
    [(0, 0, 0), (1, 1, 0), (100, 100, 0), (101, 100, 1), (250, 100, 150)],
)
def test_a_table_shows_its_first_hundred_rows(count: int, first: int, rest: int) -> None:
    rows = "\n".join(f'<tr id="r{number}">\n<td>{number}</td>\n</tr>' for number in range(count))
    first_rows, other_rows, number = split_rows(Markup(f"\n{rows}\n"))  # noqa: S704 - our HTML
    assert (first_rows.count("<tr"), other_rows.count("<tr"), number) == (first, rest, count)
    assert re.findall("<td>(.*)</td>", first_rows + other_rows) == [str(n) for n in range(count)]


@pytest.mark.parametrize("name", INDEXES)
def test_every_index_has_a_filter_and_heads_for_its_rows(name: str) -> None:
    index = read_index(name)
    assert len(index.css("form.hb-filter input[name=text]")) == 1
    tables = index.css(".hb-table[data-rows] table")
    assert tables
    for table in tables:
        assert table.css_first("caption") or table.attributes["aria-labelledby"]
        for row in table.css("tbody tr"):
            assert row.css_first("th[scope=row]")


@pytest.mark.parametrize("name", INDEXES)
def test_every_choice_of_a_filter_is_a_value_of_a_row(name: str) -> None:
    index = read_index(name)
    for select in index.css(".hb-filter select:not([name=sort], [name=state])"):
        key = f"data-{select.attributes['name']}"
        rows = index.css(f"tr[{key}]")
        values = {value for row in rows for value in (row.attributes[key] or "").split("|")}
        choices = {option.text() for option in select.css("option:not([value])")}
        assert choices == values - {""}, key


def test_every_rule_has_a_row_with_its_old_anchor_and_a_text() -> None:
    index = read_index("rules_reference")
    links = {row.id: row.css("a")[0].attributes["href"] for row in index.css("tbody tr")}
    assert links == {
        code.lower(): find_rule_address(code).removeprefix("reference/rules/") for code in rules()
    }
    assert {f"#{family.lower()}" for family in FAMILY_ADDRESSES} == {
        f"#{item.id}" for item in index.css(".hb-all li")
    }
    texts = {family: rule_family(family) for family in FAMILY_ADDRESSES}
    assert all('<a href="../">All rules</a>' in text for text in texts.values())
    for code, rule in rules().items():
        family = code.rstrip("0123456789")
        assert f"## {code} {rule.name} {{#{code.lower()}}}" in texts[family]
        assert find_rule_address(code).startswith(FAMILY_ADDRESSES[family])


def test_the_index_of_alerts_leads_to_each_alert_and_its_runbook() -> None:
    rows = read_index("alert_index").css("tbody tr")
    for alert, row in zip(
        sorted(HANDBOOK.alerts, key=lambda alert: (alert.service, alert.name)), rows, strict=True
    ):
        links = {link.attributes["href"] for link in row.css("a")}
        assert f"{alert.name}/" in links
        assert {
            f"../{HANDBOOK.address(runbook)}" for runbook in HANDBOOK.runbooks_of(alert)
        } <= links


def test_a_tag_of_a_record_leads_to_all_records_with_this_tag() -> None:
    index = call_view("tag_index", HANDBOOK, "tags/")
    tagged = [record for kind in RECORDS for record in HANDBOOK.of(kind) if record.tags]
    assert tagged
    for record in tagged:
        html = LexborHTMLParser(facts(HANDBOOK, record))
        for tag in record.tags:
            (link,) = (link for link in html.css("dd a") if link.text() == tag)
            fragment = (link.attributes["href"] or "").partition("tags/")[2]
            assert f"{{{fragment}}}" in index
            assert len(re.findall(f'data-tag="{tag}"', index)) == sum(
                tag in other.tags for other in tagged
            )


def test_tags_that_differ_only_in_marks_have_different_anchors(tmp_path: Path) -> None:
    tags = '["c++", "c#", "on call"]'
    settings = SETTINGS.replace("[database, site]", tags)
    tagged = ADR.replace("---\n# ", f"tags: {tags}\n---\n# ")
    write(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": tagged})
    handbook = load(tmp_path)
    assert handbook.tag_ids == {"c#": "tag-c", "c++": "tag-c-1", "on call": "tag-on-call"}
    html = LexborHTMLParser(facts(handbook, handbook.of(Adr)[0]))
    links = {link.text(): link.attributes["href"] for link in html.css('a[href*="tags/#"]')}
    assert links == {tag: f"../../tags/#{id}" for tag, id in handbook.tag_ids.items()}
    index = call_view("tag_index", handbook, "tags/")
    assert all(index.count(f"{{#{id}}}") == 1 for id in handbook.tag_ids.values())


def test_an_own_page_of_tags_needs_no_anchors(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(root, {"docs/tags.md": "# Tags\n"})
    handbook = load(root)
    record = next(record for kind in RECORDS for record in handbook.of(kind) if record.tags)
    assert 'tags/"' in facts(handbook, record)
    assert "tags/#" not in facts(handbook, record)


def test_the_home_page_lists_only_services_with_an_alert_or_a_runbook() -> None:
    html = LexborHTMLParser(home(HANDBOOK, "")).css(".hb-door")[0]
    addresses = {link.attributes["href"] or "" for link in html.css("li a")}
    services = {alert.service for alert in HANDBOOK.alerts}
    services |= {runbook.service for runbook in HANDBOOK.of(Runbook)}
    assert {url for url in addresses if url.startswith("services/")} == {
        f"services/{service}/" for service in services
    }
    assert "alerts/" in {link.attributes["href"] for link in html.css("p a")}


def test_the_pages_of_all_indexes_are_provided() -> None:
    for address in INDEXES.values():
        assert address in map(make_address, PROVIDED_PATHS)


@pytest.mark.parametrize(
    ("summary", "text"),
    [
        ("{{ $labels.pod }} of {{$labels.job}} is full", "<pod> of <job> is full"),
        ("{{ $value | humanizePercentage }} failed", "<value> failed"),
        ("{{ humanize $value }} failed", "<value> failed"),
        ("{{ if $value }}full{{ end }}", "{{ if $value }}full{{ end }}"),
        ("{{ $labels }} {{ $values }}", "{{ $labels }} {{ $values }}"),
    ],
)
def test_a_label_in_a_summary_is_shown_by_its_name(summary: str, text: str) -> None:
    assert show_labels(summary) == text


def test_pages_show_the_name_of_a_label_and_the_data_keeps_its_template(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "small")
    path = root / "runbooks/shop/shop.rules.yml"
    template = "Orders of {{ $labels.shop }} stopped"
    rule_file = path.read_text(encoding="utf-8")
    path.write_text(rule_file.replace("Orders stopped", f"'{template}'"), encoding="utf-8")
    handbook = load(root)
    assert template in api.files(handbook, None)["api/v1/alerts.json"]
    alert = handbook.get(Alert, "OrdersDown")
    assert alert
    for page in (
        call_view("alert_index", handbook, "alerts/"),
        call_view("everything", handbook, "search/"),
        alert_page(handbook, alert).html,
    ):
        assert "Orders of &lt;shop&gt; stopped" in page
        assert template not in page
    assert describe(handbook, alert).startswith("Orders of <shop> stopped")


@pytest.mark.parametrize(
    ("setting", "beginning"),
    [
        ("", "How we build and run software, and why. Automated checks"),
        ("site_description: >-\n  We sell\n  books\n", "We sell books. Automated checks"),
        ('site_description: "Who are we?"\n', "Who are we? Automated checks"),
    ],
    ids=["no description", "no full stop", "question"],
)
def test_the_home_page_begins_with_the_description_of_the_site(
    setting: str, beginning: str, tmp_path: Path
) -> None:
    html = LexborHTMLParser(home(load(write(tmp_path, {"mkdocs.yml": SETTINGS + setting})), ""))
    about, _ = html.css(".hb-hero p")
    assert " ".join(about.text().split()).startswith(beginning)


def test_links_to_rules_lead_to_the_own_page_of_a_family(tmp_path: Path) -> None:
    """It replaces the provided page, and has no anchor for each rule."""
    files = {"mkdocs.yml": SETTINGS, "docs/reference/rules/fm.md": "# Ours\n\nText.\n"}
    handbook = load(write(tmp_path, files))
    table = LexborHTMLParser(call_view("rules_reference", handbook, "reference/rules/"))
    links = [link.attributes["href"] or "" for link in table.css("tr a[data-text]")]
    assert "fm/" in links
    assert "lnk/#lnk001" in links
    assert not any(link.startswith("fm/#") for link in links)
    assert '"reference/rules/fm/"' in keys(handbook)["assets/keys/fm0.json"]
