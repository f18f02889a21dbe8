"""Runbooks and alerts have the bar, the facts and the order that an on-call engineer needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from handbook.diagnostics import Report
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.records.alert import Alert
from handbook.records.runbook import Runbook
from handbook.site.assembly import Assembly
from handbook.views.facts import facts
from handbook.views.on_call import rank_runbooks
from handbook.views.runbooks import alert_page
from tests.handbooks import SMALL, copy_site, replace_once, write

OTHER = """---
alerts: [{alerts}]
severity: sev-2
owner: shop-team
reviewed: 2026-11-02
---
# Shop: {name}

## When to use this runbook

When an alert fires.

## Diagnosis steps

1. Read {link}.

## Common causes and fixes

### {name}

**Symptom:** `{name}` in the logs.

**Fix:** Wait.

## Escalation

- Tier 1 (15 min): Engineer on call
"""


def find_runbook(handbook: Handbook, id: str) -> Runbook:
    """Return the runbook with an id."""
    runbook = handbook.get(Runbook, id)
    assert runbook is not None
    return runbook


def find_alert(handbook: Handbook) -> Alert:
    """Return the alert OrdersDown."""
    return next(alert for alert in handbook.alerts if alert.name == "OrdersDown")


def read_bar(html: str) -> dict[str, str]:
    """Return the address of each link in the bar, by its text."""
    links = LexborHTMLParser(html).css(".hb-bar a")
    return {link.text(strip=True): str(link.attributes["href"]) for link in links}


def test_the_bar_links_to_the_parts_that_a_runbook_has(tmp_path: Path) -> None:
    handbook = load(SMALL)
    runbook = find_runbook(handbook, "shop/orders-down")
    article = Assembly.of(handbook, Report({}, ())).make_article(runbook)
    bar = read_bar(article.html)
    assert bar == {
        "Causes": "#common-causes-and-fixes",
        "Commands": "#the-disk-is-full",
        "Escalate": "#escalation",
    }
    assert {address.removeprefix("#") for address in bar.values()} <= article.ids
    assert read_bar(alert_page(handbook, find_alert(handbook)).html) == bar
    root = copy_site(SMALL, tmp_path / "small")
    replace_once(root, "```bash\ndf -h\n```", "Delete old files.")
    handbook = load(root)
    assert "Commands" not in read_bar(alert_page(handbook, find_alert(handbook)).html)


def test_the_bar_has_the_names_that_the_reader_replaces(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "small")
    replace_once(root, "df -h\n", "df -h <a&b>\nkubectl logs <pod> <pod>\n")
    html = alert_page(load(root), find_alert(load(root))).html
    bar = LexborHTMLParser(html).css_first(".hb-bar")
    assert bar is not None
    assert bar.attributes["data-names"] == "<pod>"


def test_the_folded_facts_are_what_the_engineer_needs_first() -> None:
    handbook = load(SMALL)
    parsed = LexborHTMLParser(facts(handbook, find_runbook(handbook, "shop/orders-down")))
    labels = [label.text() for label in parsed.css(".hb-facts__brief dt")]
    assert labels == ["On call", "Owner", "Channel", "Reviewed"]
    more = [label.text() for label in parsed.css("details dt")]
    assert more[0] == "Causes and fixes"
    assert not set(labels) & set(more)
    assert not LexborHTMLParser(facts(handbook, handbook.records[0])).css("details")
    alert = LexborHTMLParser(alert_page(handbook, find_alert(handbook)).html)
    labels = [label.text() for label in alert.css(".hb-facts__brief dt")]
    assert labels == ["Service", "Owner", "Channel", "On call", "Reviewed"]


@pytest.mark.parametrize(
    ("link", "alerts", "reason"),
    [
        ("[the other](orders-down.md)", "OrdersDown", "Start here: it links to the other runbook."),
        (
            "on",
            "OrdersDown, OrdersSpare",
            "Start here: it handles 2 alerts, more than any other.",
        ),
        ("on", "OrdersDown", ""),
    ],
)
def test_the_runbook_for_the_triage_is_the_first_of_an_alert(
    link: str, alerts: str, reason: str, tmp_path: Path
) -> None:
    root = copy_site(SMALL, tmp_path / "small")
    other = OTHER.format(alerts=alerts, link=link, name="triage")
    write(root, {"runbooks/shop/triage.md": other})
    handbook = load(root)
    alert = find_alert(handbook)
    ids = [ranked.runbook.id for ranked in rank_runbooks(handbook, alert)]
    triage, down = "shop/triage", "shop/orders-down"
    assert ids == ([triage, down] if reason else [down, triage])
    html = alert_page(handbook, alert).html
    assert ("Start here" in html) == bool(reason)
    assert reason in html
    first = "triage" if reason else "orders-down"
    assert read_bar(html)["Causes"].endswith(f"/shop/{first}/#common-causes-and-fixes")


def test_the_triage_of_three_runbooks_links_to_most_others(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "small")
    link = "[one](orders-down.md) and [two](one.md)"
    triage = OTHER.format(alerts="OrdersDown", link=link, name="triage")
    one = OTHER.format(alerts="OrdersDown, OrdersSpare", link="[t](triage.md)", name="one")
    write(root, {"runbooks/shop/triage.md": triage, "runbooks/shop/one.md": one})
    handbook = load(root)
    ranked = rank_runbooks(handbook, find_alert(handbook))
    assert [item.runbook.id for item in ranked] == ["shop/triage", "shop/one", "shop/orders-down"]
    assert [item.reason for item in ranked] == ["Start here: it links to the 2 others.", "", ""]


def test_a_printed_record_says_where_it_is_from_and_how_old_it_is() -> None:
    handbook = load(SMALL)
    alert = find_alert(handbook)
    runbook = find_runbook(handbook, "shop/orders-down")
    days = {runbook.path: "2026-11-03", alert.path: "2026-11-02"}
    assembly = Assembly(handbook, Report({}, ()), "0123456789abcdef", days)
    for article in (assembly.make_article(runbook), assembly.make_alert_article(alert)):
        (line,) = LexborHTMLParser(article.html).css("h1 ~ .hb-printed")
        address = f"https://small.example/{article.address}"
        assert line.text() == f"{address} · commit 0123456789ab · last changed 2026-11-03"
    assembly = Assembly(handbook, Report({}, ()), None, None)
    (line,) = LexborHTMLParser(assembly.make_article(runbook).html).css(".hb-printed")
    assert line.text().endswith("/runbooks/shop/orders-down/ · uncommitted files")
