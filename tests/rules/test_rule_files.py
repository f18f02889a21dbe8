"""Test the rule files of Prometheus: their forms, their faults, and alerts with several rules.

`tests/rules/test_promtool.py` compares the check with promtool.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from handbook.diagnostics import Diagnostic, Severity
from handbook.loading import load
from handbook.reading.promql import find_recorded_series
from handbook.records.alert import Alert
from handbook.records.rule_file import read_rule_file
from handbook.views.api import files as api_files
from handbook.views.keys import keys
from handbook.views.runbooks import alert_page
from tests.handbooks import SMALL, check, copy_site, format_findings, report, write
from tests.rules.test_alerts import (
    FILES,
    OWN,
    RULES,
    SERVICE,
    SETTINGS,
    SITE,
    make_alert,
    make_runbook,
)

GROUP = "groups:\n- name: shop\n  rules:\n"
SLOW = make_alert("Slow", f"{SITE}/alerts/Slow/")
DOWN = make_alert("Down", OWN)


def check_rules(root: Path, rules: str, **files: str) -> tuple[Diagnostic, ...]:
    """Check a service with this rule file, which has the alerts Down and Slow."""
    return check(root, {**FILES, RULES: rules, **files})


def places(findings: tuple[Diagnostic, ...]) -> list[str]:
    """Return the place and the code of each finding in the rule file."""
    return [place.removeprefix(f"{RULES}:") for place in format_findings(findings)]


RECORD = "    - record: job:up:sum\n      expr: sum(up)\n"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (RECORD + "      for: 5m\n", ["14:7:RBK018"]),
        (RECORD + "      keep_firing_for: 5m\n", ["14:7:RBK018"]),
        (RECORD + "      annotations: {a: b}\n", ["14:7:RBK018"]),
        (RECORD + "      alert: Other\n", ["12:7:RBK018", "14:14:RBK011"]),
        ("    - expr: up\n", ["12:7:RBK018"]),
        ("    - alrt: A\n      expr: up\n", ["12:7:FM003"]),
        (RECORD + "      labels: {se-rvice: shop}\n", ["14:16:RBK020"]),
        (RECORD + "      labels: {__name__: shop}\n", ["14:16:RBK020"]),
        (RECORD.replace("job:up:sum", "job-up-sum"), ["12:15:RBK021"]),
        (RECORD.replace("job:up:sum", "sum(up)"), ["12:15:RBK021"]),
        (RECORD.replace("sum(up)", "sum(up"), ["13:13:RBK009"]),
        (RECORD + "      labels: {a: [b]}\n", ["14:19:FM006"]),
        (RECORD + "      labels: {a: b, a: c}\n", ["14:22:FM004"]),
        (RECORD + RECORD, ["14:15:RBK023"]),
        (RECORD + "- {name: shop, rules: []}\n", ["14:10:RBK019"]),
        (RECORD + "- {name: x, interval: 1m5h, rules: []}\n", ["14:23:FM006"]),
        (RECORD + "- {name: x, query_offset: x, rules: []}\n", ["14:27:FM006"]),
        (RECORD + "- {name: x, limit: '5', rules: []}\n", ["14:20:FM006"]),
        (RECORD + "x: 1\n", ["14:1:FM003"]),
    ],
)
def test_a_fault_that_prometheus_refuses_is_found_at_its_place(
    more: str, expected: list[str], tmp_path: Path
) -> None:
    assert places(check_rules(tmp_path, GROUP + DOWN + SLOW + more)) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('annotations: {summary: "{{ $labels.instance "}', ["14:30:RBK022"]),
        ('annotations: {summary: "{{ humanise $value }}"}', ["14:30:RBK022"]),
        ('annotations: {a: "{{ $foo }}", b: "{{ $bar }}"}', ["14:24:RBK022", "14:41:RBK022"]),
        ("labels: {severity: page, a: '{{ if }}'}", ["14:35:RBK022"]),
        ('annotations: {a: "{{ $value | humanize }}", b: "{{ $externalLabels.x }}"}', []),
        (
            "annotations:\n        a: |-\n          {{ $value }}\n          {{ end }}",
            ["15:12:RBK022"],
        ),
        ("annotations: {a: '', b: }", []),
        ("labels: {a: '', severity: page}", []),
    ],
)
def test_a_template_of_an_alert_is_checked(line: str, expected: list[str], tmp_path: Path) -> None:
    alert = f"    - alert: Other\n      expr: up\n      {line}\n"
    findings = check_rules(tmp_path, GROUP + DOWN + SLOW + alert)
    assert [place for place in places(findings) if "RBK01" not in place] == expected


def test_a_label_of_a_group_is_a_template_of_its_alerts(tmp_path: Path) -> None:
    labels = "groups:\n- name: shop\n  labels: {a: '{{ $q }}', b-c: d}\n  rules:\n"
    assert places(check_rules(tmp_path, labels + DOWN + SLOW)) == ["3:15:RBK022", "3:27:RBK020"]


@pytest.mark.parametrize("name", ["service.name", "se-rvice", "ä", "5"])
def test_utf8_names_are_valid_if_the_settings_say_so(name: str, tmp_path: Path) -> None:
    rules = (
        GROUP + DOWN + SLOW + f"    - record: {name}\n      expr: up\n      labels: {{{name}: x}}\n"
    )
    assert [finding.code for finding in check_rules(tmp_path, rules)] == ["RBK021", "RBK020"]
    settings = SETTINGS.replace("  handbook:\n", "  handbook:\n    utf8_names: true\n")
    assert check_rules(tmp_path, rules, **{"mkdocs.yml": settings}) == ()
    for bad in (
        rules.replace(f"{{{name}:", "{__name__:"),
        rules.replace(f": {name}\n", ": 'a{}'\n"),
    ):
        codes = {finding.code for finding in check_rules(tmp_path, bad, **{"mkdocs.yml": settings})}
        assert codes in ({"RBK020"}, {"RBK021"})


MERGED = f"""groups:
- name: shop
  rules:
    - alert: Down
      expr: up{{job=~`\\d+`}} == 0
      labels: &labels {{severity: page, team: shop}}
      annotations: {{runbook_url: {OWN}}}
    - alert: Slow
      expr: up == 0
      labels: {{<<: *labels, team: LABEL}}
      annotations: {{runbook_url: {SITE}/alerts/Slow/}}
"""


def test_merge_keys_and_raw_strings_are_read(tmp_path: Path) -> None:
    assert check_rules(tmp_path, MERGED) == ()
    alerts = load(tmp_path).alerts
    assert [dict(alert.rules[0].labels) for alert in alerts] == [
        {"severity": "page", "team": "shop"},
        {"severity": "page", "team": "LABEL"},
    ]


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("severity: page,", "severity: paige,", ["6:34:RBK017"]),
        ("team: shop}", "se-am: shop}", ["6:40:RBK020"]),
        ("<<: *labels", "<<: labels", ["10:20:FM001"]),
        ("<<: *labels", "<<: [*labels, x]", ["10:30:FM001"]),
        ("<<: *labels", "<<: *labels, <<: *labels", ["10:29:FM001"]),
        ("<<: *labels", "<<: *other", ["10:20:FM001"]),
        ("labels: {<<: *labels", "labels: &x {<<: *x", ["10:15:FM001"]),
    ],
)
def test_a_fault_of_a_merged_value_is_found_once_at_its_place(
    good: str, bad: str, expected: list[str], tmp_path: Path
) -> None:
    assert good in MERGED
    assert places(check_rules(tmp_path, MERGED.replace(good, bad))) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a: &a {"
        + ", ".join(f"k{n}: v" for n in range(1000))
        + "}\nb: {<<: ["
        + ", ".join(["*a"] * 1000)
        + "]}\n",
        "".join(
            f"k{n}: &k{n} {{x: y, <<: [{', '.join([f'*k{n - 1}'] * 20)}]}}\n"
            if n
            else "k0: &k0 {a: b}\n"
            for n in range(30)
        ),
    ],
)
def test_a_bomb_of_merge_keys_is_refused(text: str) -> None:
    begin = time.process_time()
    file = read_rule_file(RULES, "shop", text)
    assert "more than 100000 values" in file.problems[0].finding.message
    assert time.process_time() - begin < 5


RESOURCE = """apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: shop}
spec:
  groups:
"""


def indent(text: str, spaces: int) -> str:
    return "".join(f"{' ' * spaces}{line}\n" for line in text.splitlines())


GROUP_OF_DOWN = f"- name: down\n  rules:\n{DOWN}"
GROUP_OF_SLOW = f"- name: slow\n  rules:\n{SLOW}"
RESOURCES = {
    "a resource": RESOURCE + indent(GROUP_OF_DOWN + GROUP_OF_SLOW, 2),
    "two resources with the same group": RESOURCE
    + indent(GROUP_OF_DOWN, 2)
    + "---\n"
    + RESOURCE
    + indent(GROUP_OF_SLOW.replace("slow", "down"), 2),
    "other resources": "# x\n---\napiVersion: v1\nkind: ConfigMap\ndata: {groups: x}\n---\n"
    + RESOURCE
    + indent(GROUP_OF_DOWN + GROUP_OF_SLOW, 2)
    + "---\n",
    "a list": "apiVersion: v1\nkind: List\nitems:\n- kind: Service\n-\n"
    + indent(RESOURCE + indent(GROUP_OF_DOWN + GROUP_OF_SLOW, 2), 2),
    "a strategy of Thanos": RESOURCE
    + indent(GROUP_OF_DOWN.replace("\n", "\n  partial_response_strategy: warn\n", 1), 2)
    + indent(GROUP_OF_SLOW, 2),
    "a namespace of Mimir": f"namespace: shop\ngroups:\n{GROUP_OF_DOWN}{GROUP_OF_SLOW}",
    "two namespaces of Mimir": f"namespace: a\ngroups:\n{GROUP_OF_DOWN}---\n"
    + f"namespace: b\ngroups:\n{GROUP_OF_SLOW.replace('slow', 'down')}",
    "tenants of Mimir": "namespace: shop\ngroups:\n"
    + GROUP_OF_DOWN.replace("\n", "\n  source_tenants: [a, b]\n  evaluation_delay: 1m\n", 1)
    + GROUP_OF_SLOW,
}


@pytest.mark.parametrize("form", RESOURCES)
def test_each_form_of_a_rule_file_is_read(form: str, tmp_path: Path) -> None:
    assert check_rules(tmp_path, RESOURCES[form]) == ()
    alerts = load(tmp_path).alerts
    assert [alert.name for alert in alerts] == ["Down", "Slow"]
    lines = RESOURCES[form].split("\n")
    for alert in alerts:
        assert lines[alert.rules[0].at("alert").line - 1].endswith(f"alert: {alert.name}")


@pytest.mark.parametrize(
    ("form", "good", "bad", "expected"),
    [
        ("a resource", "kind: PrometheusRule", "kind: PrometheusRules", ["2:7:FM005"]),
        ("a resource", "spec:", "spec:\n  x: y", ["5:3:FM003"]),
        ("a resource", "metadata:", "metadta:", ["3:1:FM003"]),
        ("a resource", "apiVersion: monitoring.coreos.com/v1\n", "", ["1:1:FM007"]),
        ("a resource", "name: slow", "name: down", ["12:11:RBK019"]),
        ("a resource", "expr: up == 0", "expr: up ==", ["9:15:RBK009"]),
        ("a list", "expr: up == 0", "expr: up ==", ["14:17:RBK009"]),
        (
            "two resources with the same group",
            "severity: page",
            "severity: paige",
            ["10:28:RBK017"],
        ),
        ("a strategy of Thanos", "partial_", "partal_", ["7:5:FM003"]),
        ("a namespace of Mimir", "namespace:", "namespaces:", ["1:1:FM003"]),
        ("two namespaces of Mimir", "namespace: b\n", "", ["10:1:FM001"]),
        ("tenants of Mimir", "namespace: shop\n", "", ["3:3:FM003", "4:3:FM003"]),
    ],
)
def test_a_fault_in_each_form_of_a_rule_file_is_found(
    form: str, good: str, bad: str, expected: list[str], tmp_path: Path
) -> None:
    assert good in RESOURCES[form]
    assert places(check_rules(tmp_path, RESOURCES[form].replace(good, bad, 1))) == expected


@pytest.mark.parametrize(
    "text", ["kind: ConfigMap\n", "# nothing but a comment\n---\n", "groups: []\n"]
)
def test_a_file_without_rules_is_one_finding(text: str, tmp_path: Path) -> None:
    runbooks = {
        path: make_runbook("trigger: x") for path in FILES if path.endswith(("down.md", "slow.md"))
    }
    findings = check_rules(tmp_path, text, **runbooks)
    assert [finding.code for finding in findings] in (["RBK013"], ["FM001"])


def test_a_rule_file_can_have_only_recording_rules(tmp_path: Path) -> None:
    files = {"runbooks/shop/records.rules.yml": GROUP + RECORD}
    assert check_rules(tmp_path, GROUP + DOWN + SLOW, **files) == ()


# Alerts with several rules.


def make_severities(*severities: str, url: str | None = OWN) -> str:
    """Return rules of the alert Down, one for each severity."""
    return "".join(make_alert("Down", url, f"{{severity: {severity}}}") for severity in severities)


def test_rules_of_one_service_can_share_an_alert_name(tmp_path: Path) -> None:
    rules = GROUP + make_severities("page", "warning") + SLOW
    more = {"runbooks/shop/more.rules.yml": GROUP + make_severities("critical")}
    assert check_rules(tmp_path, rules, **more) == ()
    handbook = load(tmp_path)
    alert = handbook.get(Alert, "Down")
    assert alert is not None
    assert handbook.entity_counts["alert"] == 2
    assert not handbook.is_ambiguous(alert)
    assert alert.severities == ("critical", "page", "warning")
    assert [rule.path for rule in alert.rules] == ["runbooks/shop/more.rules.yml", RULES, RULES]
    assert {reference.target.id for reference in handbook.references_from(alert)} == {"shop"}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (make_severities("page", "paige"), ["10:26:RBK017"]),
        (make_severities("page") + make_severities("critical", url=None), ["8:14:RBK011"]),
        (make_severities("warning") + make_severities("page", url=None), ["8:14:RBK010"]),
        (
            make_severities("page") + make_severities("info", url=f"{SITE}/alerts/Slow/"),
            ["11:34:RBK012"],
        ),
        (make_severities("page", "page"), ["8:14:RBK023"]),
        (make_severities("page", "info").replace("up == 0", "up ==", 1), ["5:13:RBK009"]),
    ],
)
def test_a_fault_in_one_rule_of_an_alert_is_found(
    rules: str, expected: list[str], tmp_path: Path
) -> None:
    assert places(check_rules(tmp_path, GROUP + rules + SLOW)) == expected


def test_two_services_cannot_share_an_alert_name(tmp_path: Path) -> None:
    files = {
        "docs/services/search.md": SERVICE.replace("Shop", "Search"),
        "runbooks/search/search.rules.yml": GROUP + make_severities("page", "info"),
    }
    findings = check_rules(tmp_path, GROUP + DOWN + SLOW, **files)
    assert [finding for finding in findings if finding.code == "RBK008"] == [
        finding for finding in findings if finding.at.path == RULES and finding.at.line == 4
    ]
    (duplicate,) = (finding for finding in findings if finding.code == "RBK008")
    assert (
        duplicate.message
        == "duplicate alert name 'Down' (first in runbooks/search/search.rules.yml)"
    )


def test_every_view_shows_an_alert_with_several_rules_once(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    rules = root / RULES
    few = (
        '{alert: OrdersDown, expr: "sum(orders) < 5", labels: {severity: ticket}, annotations: '
        '{summary: "Few <orders>", runbook_url: "https://small.example/alerts/OrdersDown/"}}'
    )
    text = rules.read_text(encoding="utf-8")
    marker = "      - alert: OrdersFlat"
    assert marker in text
    rules.write_text(text.replace(marker, f"      - {few}\n{marker}"), encoding="utf-8")
    assert report(root).findings == ()
    handbook = load(root)
    alert = handbook.get(Alert, "OrdersDown")
    assert alert is not None
    page = alert_page(handbook, alert)
    assert handbook.anchors_of(alert) == page.ids
    for text in ("Orders stopped", "Few &lt;orders&gt;", "fires immediately", "true for 5m"):
        assert text in page.html
    assert page.html.count("Rule file: runbooks/shop/shop.rules.yml") == 2
    assert page.html.count(">ticket</span>") == 2
    items = json.loads(api_files(handbook, None)["api/v1/alerts.json"])["items"]
    (item,) = (item for item in items if item["name"] == "OrdersDown")
    assert item["expr"] == item["rules"][0]["expr"] == "sum(orders) < 1"
    assert [rule["labels"] for rule in item["rules"]] == [
        {"severity": "page"},
        {"severity": "ticket"},
    ]
    assert [rule["line"] for rule in item["rules"]] == [4, 9]
    assert (
        keys(handbook)["assets/keys/dow.json"].count("OrdersDown") == 3
    )  # its title, address and key


# Series that no rule records.


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("sum(job:up:sum) > 1", ("job:up:sum",)),
        ("a:b + c:d + a:b", ("a:b", "c:d")),
        ("rate(up[5m:1m]) + up[1h:]", ()),
        ('up{a="b:c"} + up{a=~`d:e`}', ()),
        ('{__name__="a:b"} + {__name__=~"c:d"} + {"e:f"}', ("a:b", "e:f")),
        ("up # a:b\n+ c:d", ("c:d",)),
        ("label_replace(up, 'a:b', `c:d`, \"e:f\", '')", ()),
    ],
)
def test_names_of_recorded_series_are_found(expression: str, names: tuple[str, ...]) -> None:
    assert find_recorded_series(expression) == names


@pytest.mark.parametrize("owner", ["alert: Down", "record: a:b"])
def test_a_series_that_no_rule_records_is_a_warning(owner: str, tmp_path: Path) -> None:
    rule = f"    - {owner}\n      expr: sum(job:up:sum) > 1\n"
    files = {"runbooks/shop/records.rules.yml": GROUP + RECORD}
    rules = GROUP + DOWN + SLOW + rule
    codes = [finding.code for finding in check_rules(tmp_path, rules, **files)]
    assert "RBK024" not in codes
    renamed = {path: text.replace("job:up:sum", "jobs:up:sum") for path, text in files.items()}
    findings = [
        finding for finding in check_rules(tmp_path, rules, **renamed) if finding.code == "RBK024"
    ]
    assert [(finding.severity, finding.message, finding.hint) for finding in findings] == [
        (Severity.WARNING, "unknown series 'job:up:sum'", "did you mean 'jobs:up:sum'?")
    ]
    assert places(tuple(findings)) == ["13:13:RBK024"]
    write(tmp_path, {"runbooks/shop/records.rules.yml": "groups: ["})
    assert "RBK024" not in {finding.code for finding in report(tmp_path).findings}


# A host that is moving.


@pytest.mark.parametrize("host", ["old.example", "OLD.example", "old.example:8080"])
@pytest.mark.parametrize("path", ["alerts/Down/", "", "runbooks/down.html#fix"])
def test_a_url_on_a_moving_host_is_a_warning(host: str, path: str, tmp_path: Path) -> None:
    rules = GROUP + make_alert("Down", f"https://{host}/{path}") + SLOW
    (error,) = check_rules(tmp_path, rules)
    assert (error.code, error.severity) == ("RBK012", Severity.ERROR)
    settings = SETTINGS.replace("  handbook:\n", "  handbook:\n    moving_hosts: [old.example]\n")
    (warning,) = check_rules(tmp_path, rules, **{"mkdocs.yml": settings})
    assert (warning.code, warning.severity) == ("RBK012", Severity.WARNING)
    assert warning.message == "'runbook_url' still on the moving host 'old.example'"
    assert (warning.at, warning.hint) == (error.at, f"write {OWN}")


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/alerts/Down/",
        "https://old.example.other.example/",
        f"{SITE}/alerts/Slow/",
        "https://old.example/{{ $labels.x }}",
        "https://[/",
    ],
)
def test_another_wrong_url_is_an_error(url: str, tmp_path: Path) -> None:
    settings = SETTINGS.replace("  handbook:\n", "  handbook:\n    moving_hosts: [old.example]\n")
    rules = GROUP + make_alert("Down", url) + SLOW
    (finding,) = check_rules(tmp_path, rules, **{"mkdocs.yml": settings})
    assert (finding.code, finding.severity) == ("RBK012", Severity.ERROR)


@pytest.mark.parametrize("host", ["https://old.example/", "old.example/", "[x]"])
def test_a_moving_host_is_a_host(host: str, tmp_path: Path) -> None:
    settings = SETTINGS.replace("  handbook:\n", f"  handbook:\n    moving_hosts: ['{host}']\n")
    (finding,) = check_rules(tmp_path, GROUP + DOWN + SLOW, **{"mkdocs.yml": settings})
    assert (finding.code, finding.at.path, finding.at.line) == ("FM006", "mkdocs.yml", 7)


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("record: job:up:sum", "record: TODO", ["12:15:FM106"]),
        ("expr: sum(up)", "expr: TODO", ["13:13:FM106"]),
        ("expr: sum(up)", "expr: sum(up)\n      labels: {a: TODO}", ["14:19:FM106"]),
        ("name: shop", "name: TODO", ["2:9:FM106"]),
        ("record: job:up:sum", "record: todo_total", []),
        ("expr: sum(up)", "expr: sum(todo)", []),
    ],
)
def test_a_placeholder_of_a_recording_rule_is_found(
    good: str, bad: str, expected: list[str], tmp_path: Path
) -> None:
    rules = (GROUP + DOWN + SLOW + RECORD).replace(good, bad)
    assert places(check_rules(tmp_path, rules)) == expected
