"""RBK018 to RBK024: the rule files of Prometheus, as Prometheus loads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from handbook.diagnostics import Finding, Location, Severity, did_you_mean, find_nearest
from handbook.handbook import Handbook
from handbook.reading import nodes
from handbook.reading.go_templates import find_template_fault
from handbook.reading.promql import find_recorded_series
from handbook.records.rule_file import TEMPLATE, MonitoringRule
from handbook.rules.engine import rule

_LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_SERIES_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_KEYS_OF_ALERTS: Final = ("for", "keep_firing_for", "annotations")
_NAME_LABEL: Final = "__name__"
"""The label that holds the name of a series. A rule cannot set it."""

_MOST_SEARCHES: Final = 50
"""The limit of unknown names for which the check searches a similar name."""


@rule("RBK018", "misused-rule-key", over=Handbook)
def misused_rule_key(handbook: Handbook) -> Iterator[Finding]:
    """A rule has either `alert` or `record`. A rule with `record` has no keys of alerts.

    The keys of alerts are `for`, `keep_firing_for` and `annotations`.

    Why: Prometheus rejects the whole rule file, and no alert fires.

    Bad:
        - {record: orders:rate1h, for: 5m, expr: "sum(rate(orders[1h]))"}
    Good:
        - {record: orders:rate1h, expr: "sum(rate(orders[1h]))"}
    """
    for monitoring_rule in handbook.monitoring_rules:
        node = monitoring_rule.node
        alert, record = node.get("alert"), node.get("record")
        if monitoring_rule.alert and monitoring_rule.record and record:
            yield Finding(
                record.at,
                "both 'alert' and 'record' in one rule",
                "write two rules, or remove one of the keys",
            )
        elif monitoring_rule.record:
            yield from _find_keys_of_alerts(node)
        elif not (alert or record) and not any(
            find_nearest(entry.key, ("alert", "record")) for entry in node.entries
        ):
            yield Finding(
                node.at,
                "no 'alert' and no 'record' in the rule",
                "add 'alert: AlertName', or 'record: level:metric:operations'",
            )


def _find_keys_of_alerts(node: nodes.Mapping) -> Iterator[Finding]:
    """Report the keys of alerts in a recording rule. Prometheus ignores empty and zero values."""
    for key in _KEYS_OF_ALERTS:
        entry = node.get(key)
        value = entry.value if entry else None
        is_set = (isinstance(value, nodes.Mapping) and value.entries) or (
            isinstance(value, nodes.Scalar) and re.search("[1-9]", value.text)
        )
        if entry and is_set:
            yield Finding(
                entry.at,
                f"key '{key}' in a recording rule",
                f"remove '{key}', or write 'alert' instead of 'record'",
            )


@rule("RBK019", "duplicate-group", over=Handbook)
def duplicate_group(handbook: Handbook) -> Iterator[Finding]:
    """The name of a rule group is unique in its file, or in its Kubernetes resource.

    Why: Prometheus rejects the whole rule file, and no alert fires.

    Bad:
        groups:
          - name: shop
            rules: []
          - name: shop
    Good:
        groups:
          - name: shop
    """
    for file in handbook.rule_files:
        for resource in file.resources:
            lines: dict[str, int] = {}
            for group in resource.groups:
                name = group.node.find("name")
                if name is None or not group.name:
                    continue
                if group.name in lines:
                    yield Finding(
                        name.at,
                        f"duplicate rule group '{group.name}' (first on line {lines[group.name]})",
                        "rename one of the two groups, or merge them",
                    )
                lines.setdefault(group.name, name.at.line)


@rule("RBK020", "invalid-label-name", over=Handbook)
def invalid_label_name(handbook: Handbook) -> Iterator[Finding]:
    """The name of a label or annotation has only letters, digits and underscores.

    It does not begin with a digit. A rule does not set the label `__name__`. If the setting
    `handbook.utf8_names` is true, every other name is valid.

    Why: Prometheus rejects the whole rule file, and no alert fires.

    Bad:
        labels: {order-kind: all, severity: page}
    Good:
        labels: {severity: page}
    """
    allows_utf8 = handbook.settings.organisation.utf8_names
    for monitoring_rule in handbook.monitoring_rules:
        for owner in (monitoring_rule.node, monitoring_rule.group):
            yield from _find_invalid_names(owner, "labels", "label", allows_utf8=allows_utf8)
        yield from _find_invalid_names(
            monitoring_rule.node, "annotations", "annotation", allows_utf8=allows_utf8
        )


def _find_invalid_names(
    owner: nodes.Mapping, key: str, noun: str, *, allows_utf8: bool
) -> Iterator[Finding]:
    values = owner.find(key)
    for entry in values.entries if isinstance(values, nodes.Mapping) else ():
        name = entry.key
        if name == _NAME_LABEL and noun == "label":
            yield Finding(entry.at, f"label '{name}'", "remove it: Prometheus sets it")
        elif not (_LABEL_NAME.fullmatch(name) or (allows_utf8 and name)):
            valid_name = re.sub(r"\W", "_", name, flags=re.ASCII)
            valid_name = valid_name if _LABEL_NAME.fullmatch(valid_name) else f"_{valid_name}"
            yield Finding(entry.at, f"invalid {noun} name '{name}'", f"write '{valid_name}'")


@rule("RBK021", "invalid-series-name", over=Handbook)
def invalid_series_name(handbook: Handbook) -> Iterator[Finding]:
    """The name of a recorded series has only letters, digits, underscores and colons.

    It does not begin with a digit. If the setting `handbook.utf8_names` is true, every name without
    braces is valid.

    Why: Prometheus rejects the whole rule file, and no alert fires.

    Bad:
        - record: orders-rate5m
    Good:
        - record: orders:rate5m
    """
    allows_utf8 = handbook.settings.organisation.utf8_names
    for monitoring_rule in handbook.monitoring_rules:
        name = monitoring_rule.record
        is_valid = _SERIES_NAME.fullmatch(name) or (allows_utf8 and not re.search("[{}]", name))
        if name and not is_valid:
            yield Finding(
                monitoring_rule.at("record"),
                f"invalid series name '{name}'",
                "write a name such as level:metric:operations",
            )


@rule("RBK022", "invalid-alert-template", over=Handbook)
def invalid_alert_template(handbook: Handbook) -> Iterator[Finding]:
    """The labels and annotations of an alert are valid Go templates.

    They use only the functions of Prometheus, the variables `$labels`, `$value`, `$externalLabels`
    and `$externalURL`, and their own variables.

    Why: Prometheus rejects the whole rule file, and no alert fires. For an unknown field or
    template, the on-call engineer gets an error message instead of the text.

    Bad:
        annotations: {summary: "Orders stopped in {{ $label.region }}", runbook_url: "https://small.example/alerts/OrdersDown/"}
    Good:
        annotations: {summary: Orders stopped, runbook_url: "https://small.example/alerts/OrdersDown/"}
    """
    for monitoring_rule in handbook.monitoring_rules:
        if monitoring_rule.alert:
            yield from _find_template_faults(monitoring_rule.node.find("labels"), "label")
            yield from _find_template_faults(monitoring_rule.group.find("labels"), "label")
            yield from _find_template_faults(monitoring_rule.node.find("annotations"), "annotation")


def _find_template_faults(values: nodes.Node | None, noun: str) -> Iterator[Finding]:
    for entry in values.entries if isinstance(values, nodes.Mapping) else ():
        value = entry.value
        # RBK012 reports every template in `runbook_url`.
        if not isinstance(value, nodes.Scalar) or TEMPLATE not in value.text:
            continue
        if entry.key != "runbook_url" and (fault := find_template_fault(value.text)):
            yield Finding(value.at, f"{fault.message} in {noun} '{entry.key}'", fault.hint)


@rule("RBK023", "duplicate-rule", over=Handbook, severity=Severity.WARNING)
def duplicate_rule(handbook: Handbook) -> Iterator[Finding]:
    """No two rules of a rule file have the same name and the same labels.

    Rules with the same name and different labels are valid, such as one for each severity.

    Why: two such alerts are one alert for Alertmanager, and two such series overwrite each other.

    Bad:
        - {record: orders:rate5m, expr: "sum(rate(orders[1h]))"}
    Good:
        - {record: orders:rate1h, expr: "sum(rate(orders[1h]))"}
    """
    for file in handbook.rule_files:
        for resource in file.resources:
            first_places: dict[object, Location] = {}
            for group in resource.groups:
                for monitoring_rule in group.rules:
                    yield from _find_duplicate(monitoring_rule, first_places)


def _find_duplicate(
    monitoring_rule: MonitoringRule, first_places: dict[object, Location]
) -> Iterator[Finding]:
    name = monitoring_rule.name
    if not name or bool(monitoring_rule.alert) == bool(monitoring_rule.record):
        return
    key = (name, frozenset(monitoring_rule.labels.items()))
    if key in first_places:
        yield Finding(
            monitoring_rule.at("alert" if monitoring_rule.alert else "record"),
            f"duplicate rule '{name}' with the same labels (first on line "
            f"{first_places[key].line})",
            "remove one of the two rules, or give them different labels",
        )
    else:
        first_places[key] = monitoring_rule.node.at


@rule("RBK024", "unknown-series", over=Handbook, severity=Severity.WARNING)
def unknown_series(handbook: Handbook) -> Iterator[Finding]:
    """A rule of the handbook records every series whose name has a colon.

    By convention, only recording rules produce such names: `level:metric:operations`.

    Why: an alert on a series that does not exist never fires.

    Bad:
        expr: sum(orders:rate10m) < 1
    Good:
        expr: sum(orders) < 1
    """
    if not all(file.is_readable for file in handbook.rule_files):
        return
    recorded_names = {monitoring_rule.record for monitoring_rule in handbook.monitoring_rules}
    hints: dict[str, str | None] = {}
    for monitoring_rule in handbook.monitoring_rules:
        for name in find_recorded_series(monitoring_rule.expr):
            if name in recorded_names:
                continue
            if name not in hints:
                # The search for a similar name is slow.
                can_search = len(hints) < _MOST_SEARCHES
                hints[name] = did_you_mean(name, sorted(recorded_names)) if can_search else None
            yield Finding(
                monitoring_rule.at("expr"),
                f"unknown series '{name}'",
                hints[name] or "correct the name, or add its recording rule to a rule file",
            )
