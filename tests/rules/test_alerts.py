"""Test the runbook URLs and the severities of alerts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handbook.diagnostics import Diagnostic
from handbook.loading import load
from handbook.records.alert import Alert
from handbook.views.runbooks import alert_page
from tests.handbooks import SMALL, check, copy_site, replace_once, report

SITE = "https://h.example"
SERVICE = (
    "---\nowner: order-team\ntier: 3\nrepository: https://git.example/shop\n---\n"
    "# Shop\n\nIt sells.\n"
)
RULES = "runbooks/shop/shop.rules.yml"
SETTINGS = f"""site_name: A handbook
site_url: {SITE}/
theme: material
plugins: [handbook]
extra:
  handbook:
    teams: {{order-team: {{}}}}
  policy:
    severities: {{sev-1: {{}}}}
    alerts: {{paging: [page]}}
"""
OWN = f"{SITE}/alerts/Down/"
USE_OWN = f"write {OWN}"


def make_runbook(line: str) -> str:
    """Return a runbook with one cause. `line` sets its alerts or its trigger."""
    return (
        f"---\n{line}\nseverity: sev-1\nowner: order-team\nreviewed: 2026-11-05\n---\n"
        "# A runbook\n\n"
        "## When to use this runbook\n\nNow.\n\n## Diagnosis steps\n\n1. Look.\n\n"
        "## Common causes and fixes\n\n### No disk\n\n**Symptom:** Full.\n\n**Fix:** Empty it.\n\n"
        "## Escalation\n\n- Tier 1 (15 min): On call\n"
    )


def make_alert(name: str, url: str | None, labels: str = "{severity: page}") -> str:
    """Return one alert of a rule file."""
    annotations = f"      annotations: {{runbook_url: '{url}'}}\n" if url else ""
    return f"    - alert: {name}\n      expr: up == 0\n      labels: {labels}\n{annotations}"


FILES = {
    "mkdocs.yml": SETTINGS,
    "docs/services/shop.md": SERVICE,
    "docs/standards/index.md": "# Standards\n",
    "runbooks/shop/down.md": make_runbook("alerts: [Down]"),
    "runbooks/shop/slow.md": make_runbook("alerts: [Slow]"),
    "runbooks/shop/asked.md": make_runbook("trigger: A customer asks"),
}
SLOW = make_alert("Slow", f"{SITE}/alerts/Slow/")


def check_alerts(root: Path, alerts: str, **files: str) -> tuple[Diagnostic, ...]:
    """Check a service with alerts and the alert Slow. `files` are more files by path."""
    rules = f"groups:\n- name: shop\n  rules:\n{alerts}{SLOW}"
    return check(root, {**FILES, RULES: rules, **files})


def summarise(findings: tuple[Diagnostic, ...]) -> list[tuple[str, str, str | None]]:
    """Return the code, message and hint of each finding."""
    return [(finding.code, finding.message, finding.hint) for finding in findings]


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
def test_an_alert_links_to_its_page_or_its_runbook(url: str, tmp_path: Path) -> None:
    assert summarise(check_alerts(tmp_path, make_alert("Down", url))) == []


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
def test_a_template_in_a_url_is_a_finding(url: str, tmp_path: Path) -> None:
    (finding,) = check_alerts(tmp_path, make_alert("Down", url))
    assert (finding.code, finding.message, finding.hint) == (
        "RBK012",
        "template expression in 'runbook_url'",
        USE_OWN,
    )
    assert (finding.at.line, finding.at.column) == (7, 34)


@pytest.mark.parametrize(
    ("url", "message", "hint"),
    [
        ("https://wiki.example/down", f"'runbook_url' of another site than {SITE}/", USE_OWN),
        (f"{SITE}:8080/alerts/Down/", f"'runbook_url' of another site than {SITE}/", USE_OWN),
        (
            f"{SITE}.evil.example/alerts/Down/",
            f"'runbook_url' of another site than {SITE}/",
            USE_OWN,
        ),
        (f"{SITE}/alerts/Slow/", "'runbook_url' of another alert, Slow", USE_OWN),
        (f"{SITE}/alerts/Slow/#when", "'runbook_url' of another alert, Slow", USE_OWN),
        (
            f"{SITE}/runbooks/shop/slow/",
            "runbook runbooks/shop/slow.md does not list alert Down",
            USE_OWN,
        ),
        (
            f"{SITE}/runbooks/shop/slow/#no-disk",
            "runbook runbooks/shop/slow.md does not list alert Down",
            USE_OWN,
        ),
        (
            f"{SITE}/runbooks/shop/asked/",
            "runbook runbooks/shop/asked.md does not list alert Down",
            USE_OWN,
        ),
        (
            f"{SITE}/standards/",
            "'runbook_url' of a page that is not a runbook, docs/standards/index.md",
            USE_OWN,
        ),
        (
            f"{SITE}/services/shop/",
            "'runbook_url' of a page that is not a runbook, docs/services/shop.md",
            USE_OWN,
        ),
        (
            f"{SITE}/services/shop/#shop",
            "'runbook_url' of a page that is not a runbook, docs/services/shop.md",
            USE_OWN,
        ),
        (f"{SITE}/alerts/Dwon/", f"unknown page '{SITE}/alerts/Dwon/'", f"did you mean '{OWN}'?"),
        (f"{SITE}/alerts/down/", f"unknown page '{SITE}/alerts/down/'", f"did you mean '{OWN}'?"),
        (f"{SITE}/alerts/Down", f"unknown page '{SITE}/alerts/Down'", f"did you mean '{OWN}'?"),
        (
            f"{SITE}/alerts/",
            "'runbook_url' of a page that is not a runbook, docs/alerts.md",
            f"write {OWN}",
        ),
        (
            f"{SITE}/runbooks/shop/dwon/",
            f"unknown page '{SITE}/runbooks/shop/dwon/'",
            f"did you mean '{SITE}/runbooks/shop/down/'?",
        ),
        (f"{OWN}#whne", "unknown anchor '#whne' on /alerts/Down/", "did you mean 'when'?"),
        (
            f"{OWN}#incidents",
            "unknown anchor '#incidents' on /alerts/Down/",
            "remove '#incidents'",
        ),
        (
            f"{SITE}/runbooks/shop/down/#no-disc",
            "unknown anchor '#no-disc' on /runbooks/shop/down/",
            "did you mean 'no-disk'?",
        ),
    ],
)
def test_a_url_of_another_page_is_a_finding(
    url: str, message: str, hint: str, tmp_path: Path
) -> None:
    assert summarise(check_alerts(tmp_path, make_alert("Down", url))) == [("RBK012", message, hint)]


@pytest.mark.parametrize(
    ("url", "message", "hint"),
    [
        (OWN, "no runbook lists alert Down", "add 'Down' to 'alerts' in a runbook of shop"),
        (
            f"{SITE}/runbooks/shop/slow/",
            "runbook runbooks/shop/slow.md does not list alert Down",
            "in runbooks/shop/slow.md, write 'alerts: [Slow, Down]'",
        ),
        (
            f"{SITE}/runbooks/shop/down/",
            "runbook runbooks/shop/down.md does not list alert Down",
            "in runbooks/shop/down.md, replace 'trigger' with 'alerts: [Down]'",
        ),
    ],
)
def test_an_alert_without_a_runbook_is_a_finding(
    url: str, message: str, hint: str, tmp_path: Path
) -> None:
    files = {"runbooks/shop/down.md": make_runbook("trigger: It is down")}
    assert summarise(check_alerts(tmp_path, make_alert("Down", url), **files)) == [
        ("RBK012", message, hint)
    ]


@pytest.mark.parametrize("url", [OWN, f"{SITE}/runbooks/shop/down/"])
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("alerts: [Dwon]", "REF001"),
        ("alerts: []", "RBK002"),
        ("alerts: Down", "FM006"),
        ("alerts: [Do wn]", "FM006"),
    ],
)
def test_a_runbook_that_means_to_list_the_alert_is_one_finding(
    url: str, line: str, code: str, tmp_path: Path
) -> None:
    findings = check_alerts(
        tmp_path, make_alert("Down", url), **{"runbooks/shop/down.md": make_runbook(line)}
    )
    assert [(finding.at.path, finding.code) for finding in findings] == [
        ("runbooks/shop/down.md", code)
    ]


@pytest.mark.parametrize("name", ["Orders Down", "Orders-Down", "Orders.Down"])
@pytest.mark.parametrize("url", [f"{SITE}/alerts/OrdersDown/", f"{SITE}/runbooks/shop/down/"])
def test_an_invalid_alert_name_is_one_finding(name: str, url: str, tmp_path: Path) -> None:
    files = {"runbooks/shop/down.md": make_runbook("alerts: [OrdersDown]")}
    assert [finding.code for finding in check_alerts(tmp_path, make_alert(name, url), **files)] == [
        "RBK008"
    ]


def test_the_hint_names_the_service_of_the_alert(tmp_path: Path) -> None:
    files = {
        "docs/services/search.md": SERVICE.replace("Shop", "Search"),
        "runbooks/search/asked.md": make_runbook("trigger: A customer asks"),
        "runbooks/shop/down.md": make_runbook("trigger: It is down"),
    }
    (finding,) = check_alerts(
        tmp_path, make_alert("Down", f"{SITE}/runbooks/search/asked/"), **files
    )
    assert finding.hint == "add 'Down' to 'alerts' in a runbook of shop"


def test_the_anchors_of_an_alert_are_the_headings_of_its_page() -> None:
    handbook = load(SMALL)
    for linked_alert in handbook.of(Alert):
        page = alert_page(handbook, linked_alert)
        ids = re.findall(r' id="([^"]+)"', page.html)
        assert len(ids) == len(set(ids))
        assert handbook.anchors_of(linked_alert) == page.ids == set(ids)
    assert any("incidents" in handbook.anchors_of(listed) for listed in handbook.alerts)


def test_an_alert_can_link_to_its_incidents(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    replace_once(root, "alerts/OrdersDown/", "alerts/OrdersDown/#incidents")
    assert summarise(report(root).findings) == []


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
    (finding,) = check_alerts(tmp_path, make_alert("Down", url, f"{{severity: {severity}}}"))
    assert finding.message == f"unknown alert severity '{severity.strip(chr(34) + chr(39))}'"
    assert (finding.code, finding.hint) == ("RBK017", hint)
    assert (finding.at.line, finding.at.column) == (6, 26)
    assert (finding.fix and finding.fix.new) == meant


@pytest.mark.parametrize("severity", ["page", "critical", "warning", "info", "'page'"])
def test_a_severity_of_the_policy_has_no_finding(severity: str, tmp_path: Path) -> None:
    assert (
        summarise(check_alerts(tmp_path, make_alert("Down", OWN, f"{{severity: {severity}}}")))
        == []
    )


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
    slow = {RULES: "groups: []\n", "runbooks/shop/slow.md": make_runbook("trigger: Slow")}
    for severity in (*good.split(), *bad.split()):
        labels = f"{{severity: {severity}}}"
        rules = f"groups:\n- name: shop\n  rules:\n{make_alert('Down', OWN, labels)}"
        findings = check(tmp_path, {**FILES, **slow, "mkdocs.yml": settings, RULES: rules})
        codes = [finding.code for finding in findings if finding.at.path == RULES]
        assert codes == (["RBK017"] if severity in bad.split() else []), severity


@pytest.mark.parametrize("labels", ["{}", "{team: shop}"])
def test_an_alert_without_a_severity_has_no_finding(labels: str, tmp_path: Path) -> None:
    assert summarise(check_alerts(tmp_path, make_alert("Down", OWN, labels))) == []
    assert [
        finding.code for finding in check_alerts(tmp_path, make_alert("Down", None, labels))
    ] == ["RBK011"]


def test_a_label_that_is_almost_called_severity_is_one_finding_and_fixed(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    rules = root / "runbooks/shop/shop.rules.yml"
    whole = rules.read_text(encoding="utf-8")
    for label in ("Severity", "SEVERITY", "severty", "serverity"):
        rules.write_text(
            whole.replace("labels: {severity: page}", f"labels: {{{label}: page}}"),
            encoding="utf-8",
        )
        assert [finding.code for finding in report(root).findings] == ["RBK017"], label
    for label in ("priority", "team"):
        rules.write_text(
            whole.replace("labels: {severity: page}", f"labels: {{{label}: page}}"),
            encoding="utf-8",
        )
        assert report(root).findings == (), label


def test_an_empty_list_of_severities_is_the_default(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    settings = root / "mkdocs.yml"
    text = settings.read_text(encoding="utf-8")
    assert "severities: [ticket]" in text
    settings.write_text(
        text.replace("paging: [page], severities: [ticket]", "severities: []"), encoding="utf-8"
    )
    assert {finding.code for finding in report(root).findings} == {
        "RBK017"
    }  # The default severities do not include ticket.


@pytest.mark.parametrize(
    "labels", ['{severity: ""}', "{severity: }", "{severity: '  '}", "{severity: ~}"]
)
def test_an_empty_severity_is_one_finding(labels: str, tmp_path: Path) -> None:
    assert [
        finding.code for finding in check_alerts(tmp_path, make_alert("Down", OWN, labels))
    ] == ["FM009"]


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
    assert summarise(check_alerts(tmp_path, make_alert("Down", OWN, labels))) == []
    assert [
        finding.code for finding in check_alerts(tmp_path, make_alert("Down", None, labels))
    ] == ["RBK010"]


def make_rule_file(labels: str, *alerts: str) -> str:
    """Return a rule file with labels on its group."""
    return f"groups:\n- name: shop\n  labels: {labels}\n  rules:\n{''.join(alerts)}"


@pytest.mark.parametrize(
    ("alert_labels", "expected"),
    [
        ("{}", ["3:22:RBK017"]),
        ("{team: shop}", ["3:22:RBK017"]),
        ("{severity: page}", []),
        ("{severity: pgae}", ["7:26:RBK017"]),
    ],
)
def test_a_severity_of_the_group_is_found_there_once(
    alert_labels: str, expected: list[str], tmp_path: Path
) -> None:
    url = f"{SITE}/runbooks/shop/down/"
    both = [make_alert(name, url, alert_labels) for name in ("Down", "Lost")]
    rules = make_rule_file(
        "{severity: paige}", both[0] if expected and expected[0].startswith("7") else "".join(both)
    )
    files = {
        **FILES,
        RULES: rules,
        "runbooks/shop/down.md": make_runbook(
            "alerts: [Down, Lost]" if rules.count("alert:") > 1 else "alerts: [Down]"
        ),
        "runbooks/shop/slow.md": make_runbook("trigger: Slow"),
    }
    findings = check(tmp_path, files)
    assert [
        f"{finding.at.line}:{finding.at.column}:{finding.code}" for finding in findings
    ] == expected


def test_the_first_of_two_severities_counts(tmp_path: Path) -> None:
    findings = check_alerts(tmp_path, make_alert("Down", OWN, "{severity: page, severity: paige}"))
    assert [finding.code for finding in findings] == ["FM004"]


@pytest.mark.parametrize("value", ['""', "~", "", "'  '", "[x]"])
def test_an_invalid_url_is_one_finding(value: str, tmp_path: Path) -> None:
    annotations = f"      annotations: {{runbook_url: {value}}}\n"
    findings = check_alerts(tmp_path, make_alert("Down", None) + annotations)
    assert [finding.code for finding in findings] == ["FM006" if value == "[x]" else "FM009"]
