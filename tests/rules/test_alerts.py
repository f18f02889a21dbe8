"""Alerts: where they send their reader, and how bad they say that it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handbook.diagnostics import Diagnostic
from handbook.loading import load
from handbook.records.alert import Alert
from handbook.views.runbooks import alert_page
from tests.handbooks import SMALL, check, copy_of, replace_once, report

SITE = "https://h.example"
SERVICE = "---\nowner: order-team\ntier: 3\nrepository: https://git.example/shop\n---\n# Shop\n\nIt sells.\n"
RULES = "runbooks/shop/shop.rules.yml"
SETTINGS = f"""site_name: A handbook
site_url: {SITE}/
extra:
  handbook:
    teams: {{order-team: {{}}}}
  policy:
    severities: {{sev-1: {{}}}}
    alerts: {{paging: [page]}}
"""
OWN = f"{SITE}/alerts/Down/"


def runbook(leads: str) -> str:
    """A runbook with one cause; `leads` is the line that says what leads to it."""
    return (
        f"---\n{leads}\nseverity: sev-1\nowner: order-team\nreviewed: 2026-11-05\n---\n# A runbook\n\n"
        "## When to use this runbook\n\nNow.\n\n## Diagnosis steps\n\n1. Look.\n\n"
        "## Common causes and fixes\n\n### No disk\n\n**Symptom:** Full.\n\n**Fix:** Empty it.\n\n"
        "## Escalation\n\n- Tier 1 (15 min): On call\n"
    )


def alert(name: str, url: str | None, labels: str = "{severity: page}") -> str:
    """One alert of a rule file."""
    annotations = f"      annotations: {{runbook_url: '{url}'}}\n" if url else ""
    return f"    - alert: {name}\n      expr: up == 0\n      labels: {labels}\n{annotations}"


FILES = {
    "mkdocs.yml": SETTINGS,
    "docs/services/shop.md": SERVICE,
    "docs/standards/index.md": "# Standards\n",
    "runbooks/shop/down.md": runbook("alerts: [Down]"),
    "runbooks/shop/slow.md": runbook("alerts: [Slow]"),
    "runbooks/shop/asked.md": runbook("trigger: A customer asks"),
}
SLOW = alert("Slow", f"{SITE}/alerts/Slow/")


def found(root: Path, alerts: str, **files: str) -> tuple[Diagnostic, ...]:
    """What the gate says of a service with these alerts and another, Slow; `files` are further ones by path."""
    rules = f"groups:\n- name: shop\n  rules:\n{alerts}{SLOW}"
    return check(root, {**FILES, RULES: rules, **files})


def told(findings: tuple[Diagnostic, ...]) -> list[tuple[str, str, str | None]]:
    return [(each.code, each.message, each.hint) for each in findings]


@pytest.mark.parametrize(
    "url",
    [
        OWN,
        f"{OWN}#when",
        f"{OWN}#down",
        f"{OWN}#no-disk",
        f"{SITE}/alerts/%44own/",
        f"{SITE}/runbooks/shop/down/",
        f"{SITE}/runbooks/shop/down/#no-disk",
        f"{SITE}/runbooks/shop/down/#no%2ddisk",
    ],
)
def test_an_alert_leads_to_its_own_page_or_its_own_runbook(url: str, tmp_path: Path) -> None:
    assert told(found(tmp_path, alert("Down", url))) == []


@pytest.mark.parametrize(
    "url",
    [
        f"{SITE}/alerts/{{{{ $labels.alertname }}}}/",
        f"{SITE}/alerts/{{{{$labels.alertname}}}}/",
        f"{SITE}/alerts/{{{{ .Labels.alertname }}}}/",
        f"{SITE}/alerts/{{{{- $labels.alertname -}}}}/",
        f"{SITE}/alerts/{{{{ with $labels }}}}{{{{ .alertname }}}}{{{{ end }}}}/",
        f"{SITE}/runbooks/{{{{ $labels.service }}}}/down/",
        f"{SITE}/alerts/Down/#{{{{ $labels.instance }}}}",
        f"{SITE}/alerts/Down/{{{{/* a comment */}}}}",
        "{{ $externalURL }}/alerts/Down/",
        f"{SITE}/alerts/{{{{ $labels.alertname",
    ],
)
def test_a_template_in_an_address_is_refused(url: str, tmp_path: Path) -> None:
    (finding,) = found(tmp_path, alert("Down", url))
    assert (finding.code, finding.message, finding.hint) == (
        "RBK012",
        "template in runbook_url",
        OWN,
    )
    assert (finding.at.line, finding.at.column) == (7, 34)


@pytest.mark.parametrize(
    ("url", "message", "hint"),
    [
        ("https://wiki.example/down", f"runbook_url outside of this site, {SITE}/", OWN),
        (f"{SITE}:8080/alerts/Down/", f"runbook_url outside of this site, {SITE}/", OWN),
        (f"{SITE}.evil.example/alerts/Down/", f"runbook_url outside of this site, {SITE}/", OWN),
        (f"{SITE}/alerts/Slow/", "address of another alert, Slow", OWN),
        (f"{SITE}/alerts/Slow/#when", "address of another alert, Slow", OWN),
        (
            f"{SITE}/runbooks/shop/slow/",
            "runbook that does not list Down, runbooks/shop/slow.md",
            OWN,
        ),
        (
            f"{SITE}/runbooks/shop/slow/#no-disk",
            "runbook that does not list Down, runbooks/shop/slow.md",
            OWN,
        ),
        (
            f"{SITE}/runbooks/shop/asked/",
            "runbook that does not list Down, runbooks/shop/asked.md",
            OWN,
        ),
        (f"{SITE}/standards/", "page that is not a runbook, docs/standards/index.md", OWN),
        (f"{SITE}/services/shop/", "page that is not a runbook, docs/services/shop.md", OWN),
        (f"{SITE}/services/shop/#shop", "page that is not a runbook, docs/services/shop.md", OWN),
        (f"{SITE}/alerts/Dwon/", "unknown page 'alerts/Dwon/'", f"did you mean '{OWN}'?"),
        (f"{SITE}/alerts/down/", "unknown page 'alerts/down/'", f"did you mean '{OWN}'?"),
        (f"{SITE}/alerts/Down", "unknown page 'alerts/Down'", f"did you mean '{OWN}'?"),
        (f"{SITE}/alerts/", "unknown page 'alerts/'", f"did you mean '{OWN}'?"),
        (
            f"{SITE}/runbooks/shop/dwon/",
            "unknown page 'runbooks/shop/dwon/'",
            f"did you mean '{SITE}/runbooks/shop/down/'?",
        ),
        (f"{OWN}#whne", "unknown heading '#whne' on /alerts/Down/", "did you mean 'when'?"),
        (
            f"{OWN}#incidents",
            "unknown heading '#incidents' on /alerts/Down/",
            "leave '#incidents' out",
        ),
        (
            f"{SITE}/runbooks/shop/down/#no-disc",
            "unknown heading '#no-disc' on /runbooks/shop/down/",
            "did you mean 'no-disk'?",
        ),
    ],
)
def test_an_address_that_is_not_the_alerts_own_is_refused(
    url: str, message: str, hint: str, tmp_path: Path
) -> None:
    assert told(found(tmp_path, alert("Down", url))) == [("RBK012", message, hint)]


@pytest.mark.parametrize(
    ("url", "message", "hint"),
    [
        (OWN, "no runbook that lists Down", "set 'alerts: [Down]' in a runbook of shop"),
        (
            f"{SITE}/runbooks/shop/slow/",
            "runbook that does not list Down, runbooks/shop/slow.md",
            "set 'alerts: [Slow, Down]' there",
        ),
        (
            f"{SITE}/runbooks/shop/down/",
            "runbook that does not list Down, runbooks/shop/down.md",
            "set 'alerts: [Down]' in place of 'trigger' there",
        ),
    ],
)
def test_an_alert_that_no_runbook_lists_is_refused(
    url: str, message: str, hint: str, tmp_path: Path
) -> None:
    files = {"runbooks/shop/down.md": runbook("trigger: It is down")}
    assert told(found(tmp_path, alert("Down", url), **files)) == [("RBK012", message, hint)]


@pytest.mark.parametrize("url", [OWN, f"{SITE}/runbooks/shop/down/"])
@pytest.mark.parametrize(
    ("leads", "code"),
    [
        ("alerts: [Dwon]", "REF001"),
        ("alerts: []", "RBK002"),
        ("alerts: Down", "FM006"),
        ("alerts: [Do wn]", "FM006"),
    ],
)
def test_a_runbook_that_means_to_list_the_alert_is_one_finding(
    url: str, leads: str, code: str, tmp_path: Path
) -> None:
    findings = found(tmp_path, alert("Down", url), **{"runbooks/shop/down.md": runbook(leads)})
    assert [(each.at.path, each.code) for each in findings] == [("runbooks/shop/down.md", code)]


@pytest.mark.parametrize("name", ["Orders Down", "Orders-Down", "Orders.Down"])
@pytest.mark.parametrize("url", [f"{SITE}/alerts/OrdersDown/", f"{SITE}/runbooks/shop/down/"])
def test_a_name_that_is_none_is_one_finding(name: str, url: str, tmp_path: Path) -> None:
    files = {"runbooks/shop/down.md": runbook("alerts: [OrdersDown]")}
    assert [each.code for each in found(tmp_path, alert(name, url), **files)] == ["RBK008"]


def test_another_runbook_of_another_service_is_not_told_to_list_the_alert(tmp_path: Path) -> None:
    files = {
        "docs/services/search.md": SERVICE.replace("Shop", "Search"),
        "runbooks/search/asked.md": runbook("trigger: A customer asks"),
        "runbooks/shop/down.md": runbook("trigger: It is down"),
    }
    (finding,) = found(tmp_path, alert("Down", f"{SITE}/runbooks/search/asked/"), **files)
    assert finding.hint == "set 'alerts: [Down]' in a runbook of shop"


def test_the_anchors_of_an_alert_are_the_headings_of_its_page() -> None:
    handbook = load(SMALL)
    for each in handbook.of(Alert):
        page = alert_page(handbook, each)
        ids = re.findall(r' id="([^"]+)"', page.html)
        assert len(ids) == len(set(ids))
        assert handbook.anchors_of(each) == page.ids == set(ids)
    assert any("incidents" in handbook.anchors_of(each) for each in handbook.alerts)


def test_an_alert_with_incidents_may_lead_to_them(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    replace_once(root, "alerts/OrdersDown/", "alerts/OrdersDown/#incidents")
    assert told(report(root).findings) == []


SEVERITIES = "use one of page, critical, warning, info"


@pytest.mark.parametrize(
    ("severity", "hint", "meant"),
    [
        ("paige", "did you mean 'page'?", "page"),
        ("Page", "did you mean 'page'?", "page"),
        ("PAGE", "did you mean 'page'?", "page"),
        ("'page '", "did you mean 'page'?", "page"),
        ('"criticl"', "did you mean 'critical'?", "critical"),
        ("ticket", SEVERITIES, None),
        ("1", SEVERITIES, None),
        ("'{page}'", "did you mean 'page'?", "page"),
    ],
)
@pytest.mark.parametrize("url", [OWN, None])
def test_a_severity_that_the_policy_does_not_name_is_one_finding(
    severity: str, hint: str, meant: str | None, url: str | None, tmp_path: Path
) -> None:
    (finding,) = found(tmp_path, alert("Down", url, f"{{severity: {severity}}}"))
    assert finding.message == f"unknown severity '{severity.strip(chr(34) + chr(39))}'"
    assert (finding.code, finding.hint) == ("RBK017", hint)
    assert (finding.at.line, finding.at.column) == (6, 26)
    assert (finding.fix and finding.fix.new) == meant


@pytest.mark.parametrize("severity", ["page", "critical", "warning", "info", "'page'"])
def test_a_severity_of_the_policy_has_no_finding(severity: str, tmp_path: Path) -> None:
    assert told(found(tmp_path, alert("Down", OWN, f"{{severity: {severity}}}"))) == []


@pytest.mark.parametrize(
    ("alerts", "good", "bad"),
    [
        ("{paging: [wake], severities: [ticket]}", "wake ticket", "page critical"),
        ("{severities: [ticket]}", "ticket", "page"),
        ("{paging: [wake]}", "wake page critical warning info", "ticket"),
        ("{paging: [wake], severities: []}", "wake", "page"),
        ("{paging: []}", "page", "wake"),
        ("{paging: page}", "page wake", ""),
        ("{severities: ticket}", "ticket wake", ""),
        ("{severities: }", "page wake", ""),
        ("{severities: {ticket: x}}", "page wake", ""),
        ("3", "page wake", ""),
    ],
)
def test_severities_are_those_of_the_policy_and_those_that_page(
    alerts: str, good: str, bad: str, tmp_path: Path
) -> None:
    settings = SETTINGS.replace("{paging: [page]}", alerts)
    slow = {RULES: "groups: []\n", "runbooks/shop/slow.md": runbook("trigger: Slow")}
    for severity in (*good.split(), *bad.split()):
        rules = (
            f"groups:\n- name: shop\n  rules:\n{alert('Down', OWN, f'{{severity: {severity}}}')}"
        )
        findings = check(tmp_path, {**FILES, **slow, "mkdocs.yml": settings, RULES: rules})
        codes = [each.code for each in findings if each.at.path == RULES]
        assert codes == (["RBK017"] if severity in bad.split() else []), severity


@pytest.mark.parametrize("labels", ["{}", "{team: shop}"])
def test_an_alert_without_a_severity_has_no_finding(labels: str, tmp_path: Path) -> None:
    assert told(found(tmp_path, alert("Down", OWN, labels))) == []
    assert [each.code for each in found(tmp_path, alert("Down", None, labels))] == ["RBK011"]


def test_a_label_that_is_almost_called_severity_is_one_finding_and_fixed(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    rules = root / "runbooks/shop/shop.rules.yml"
    whole = rules.read_text(encoding="utf-8")
    for label in ("Severity", "SEVERITY", "severty", "serverity"):
        rules.write_text(
            whole.replace("labels: {severity: page}", f"labels: {{{label}: page}}"),
            encoding="utf-8",
        )
        assert [each.code for each in report(root).findings] == ["RBK017"], label
    for label in ("priority", "team"):
        rules.write_text(
            whole.replace("labels: {severity: page}", f"labels: {{{label}: page}}"),
            encoding="utf-8",
        )
        assert report(root).findings == (), label


def test_an_empty_list_of_severities_is_the_default(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    settings = root / "mkdocs.yml"
    text = settings.read_text(encoding="utf-8")
    assert "severities: [ticket]" in text
    settings.write_text(
        text.replace("paging: [page], severities: [ticket]", "severities: []"), encoding="utf-8"
    )
    assert {each.code for each in report(root).findings} == {
        "RBK017"
    }  # ticket is none of the default


@pytest.mark.parametrize(
    "labels", ['{severity: ""}', "{severity: }", "{severity: '  '}", "{severity: ~}"]
)
def test_an_empty_severity_is_one_finding(labels: str, tmp_path: Path) -> None:
    assert [each.code for each in found(tmp_path, alert("Down", OWN, labels))] == ["FM009"]


@pytest.mark.parametrize(
    "severity",
    [
        "{{ if gt $value 9.0 }}page{{ end }}",
        "{{$labels.severity}}",
        "{{ $labels.severity }}",
        "pa{{ `ge` }}",
    ],
)
def test_an_alert_whose_severity_is_a_template_may_page(severity: str, tmp_path: Path) -> None:
    labels = f'{{severity: "{severity}"}}'
    assert told(found(tmp_path, alert("Down", OWN, labels))) == []
    assert [each.code for each in found(tmp_path, alert("Down", None, labels))] == ["RBK010"]


def of_group(labels: str, *alerts: str) -> str:
    """A rule file whose group has labels."""
    return f"groups:\n- name: shop\n  labels: {labels}\n  rules:\n{''.join(alerts)}"


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("{}", ["3:22:RBK017"]),
        ("{team: shop}", ["3:22:RBK017"]),
        ("{severity: page}", []),
        ("{severity: pgae}", ["7:26:RBK017"]),
    ],
)
def test_a_severity_of_the_group_is_found_there_once(
    own: str, expected: list[str], tmp_path: Path
) -> None:
    url = f"{SITE}/runbooks/shop/down/"
    both = [alert(name, url, own) for name in ("Down", "Lost")]
    rules = of_group(
        "{severity: paige}", both[0] if expected and expected[0].startswith("7") else "".join(both)
    )
    files = {
        **FILES,
        RULES: rules,
        "runbooks/shop/down.md": runbook(
            "alerts: [Down, Lost]" if rules.count("alert:") > 1 else "alerts: [Down]"
        ),
        "runbooks/shop/slow.md": runbook("trigger: Slow"),
    }
    findings = check(tmp_path, files)
    assert [f"{each.at.line}:{each.at.column}:{each.code}" for each in findings] == expected


def test_a_severity_that_stands_twice_is_that_which_stands_first(tmp_path: Path) -> None:
    findings = found(tmp_path, alert("Down", OWN, "{severity: page, severity: paige}"))
    assert [each.code for each in findings] == ["FM004"]


@pytest.mark.parametrize("value", ['""', "~", "", "'  '", "[x]"])
def test_an_address_that_cannot_be_read_is_one_finding(value: str, tmp_path: Path) -> None:
    annotations = f"      annotations: {{runbook_url: {value}}}\n"
    findings = found(tmp_path, alert("Down", None) + annotations)
    assert [each.code for each in findings] == ["FM006" if value == "[x]" else "FM009"]
