"""RBK001 to RBK017 without RBK016: runbooks, alerts and the rule files of Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import shorten
from typing import Final
from urllib.parse import unquote, urlsplit

from handbook.diagnostics import (
    Edit,
    Finding,
    Location,
    Severity,
    Suggestion,
    did_you_mean,
    find_nearest,
    find_only_match,
    suggest,
)
from handbook.handbook import Handbook
from handbook.reading.blocks import Paragraph
from handbook.reading.nodes import Mapping
from handbook.reading.placeholders import is_unwritten
from handbook.reading.promql import check_expressions
from handbook.records.alert import Alert
from handbook.records.rule_file import TEMPLATE, MonitoringRule
from handbook.records.runbook import CAUSES, ESCALATION, Cause, Runbook
from handbook.records.service import Service
from handbook.rules.age import check_age
from handbook.rules.engine import Context, rule

_TIER_NUMBERS: Final = re.compile(r"\W*Tier\W*([0-9]{1,4})\D*([0-9]{1,4}) *min", re.IGNORECASE)
_NO_REASON: Final = "invalid promql query"
"""The message of the parser if it has no precise reason."""
_UNREADABLE = ("FM001", "FM002")
_MISSING_SECTION = ("FM102", "FM104")


@rule("RBK001", "invalid-runbook-name", over=Runbook)
def invalid_runbook_name(runbook: Runbook) -> Iterator[Finding]:
    """The path of a runbook is `runbooks/<service>/slug.md`.

    Why: the folder is the id of the service, and the path becomes the URL in the alerts.

    Bad:
        runbooks/shop/Orders_down.md
    Good:
        runbooks/shop/slow-search.md
    """
    if not runbook.has_valid_name:
        yield Finding(
            runbook.source.at(1),
            f"invalid file name '{runbook.path}'",
            "use lower case and hyphens, as in runbooks/shop/orders-down.md",
        )


@rule("RBK002", "invalid-trigger", over=Runbook, requires=_UNREADABLE, asks_imported=False)
def invalid_trigger(runbook: Runbook) -> Iterator[Finding]:
    """A runbook has either the key `alerts` or the key `trigger`.

    `alerts` lists the alerts that link to the runbook. `trigger` describes the event in which to
    use a runbook that has no alert.

    Why: without them, the on-call engineer cannot find the runbook in an incident.

    Bad:
        alerts: [OrdersDown]
        trigger: Somebody says that no order goes through
        severity: sev-1
    Good:
        alerts: [OrdersDown]
        severity: sev-1
    """
    if runbook.has_invalid_value("alerts") or runbook.has_invalid_value("trigger"):
        return
    if not runbook.alerts and not runbook.trigger:
        yield Finding(
            runbook.at("alerts"),
            "no 'alerts' and no 'trigger'",
            "add 'alerts: [AlertName]', or 'trigger:' with one sentence",
        )
    elif runbook.alerts and runbook.trigger:
        yield Finding(
            runbook.at("trigger"),
            "both 'alerts' and 'trigger'",
            "remove 'trigger': the alert is the trigger",
        )


@rule("RBK003", "missing-cause", over=Runbook, requires=_MISSING_SECTION, asks_imported=False)
def missing_cause(runbook: Runbook) -> Iterator[Finding]:
    """The section "Common causes and fixes" has an H3 heading for each cause.

    A runbook in another form, such as Prometheus', can leave out the headings.

    Why: during an incident, you need to find the right cause quickly.

    Bad:
        No buyers
    Good:
        ### No buyers
    """
    section = runbook.find_section(CAUSES)
    if not (runbook.has_own_form and section and section.filled) or runbook.causes:
        return
    if not runbook.has_placeholder(runbook.section_blocks(CAUSES)):
        yield Finding(
            runbook.source.at(section.heading.first),
            f"no cause in section '{section.heading.text}'",
            "add a heading that begins with '### ' for each cause",
        )


@rule("RBK004", "incomplete-cause", over=Runbook, asks_imported=False)
def incomplete_cause(runbook: Runbook) -> Iterator[Finding]:
    """Each cause has a `**Symptom:**` paragraph and a `**Fix:**` paragraph.

    The text after `**Fix:**` can be empty if a code block or a list follows. A runbook in another
    form can describe its causes as it likes.

    Why: you recognise the cause by its symptom, and then need the commands that fix it.

    Bad:
        **Solution:** Restart the pool.
    Good:
        **Fix:** Restart the pool.
    """
    for cause in runbook.causes if runbook.has_own_form else ():
        if cause.has_placeholder:
            continue
        at = runbook.source.at(cause.line)
        if cause.symptom is None:
            hint = _suggest_label(runbook, cause, "Symptom")
            yield Finding(at, f"no symptom for cause '{cause.title}'", hint)
        if cause.fix is None:
            hint = _suggest_label(runbook, cause, "Fix")
            yield Finding(at, f"no fix for cause '{cause.title}'", hint)


def _suggest_label(runbook: Runbook, cause: Cause, label: str) -> str:
    """Return the hint for a missing label, such as `**Fix:**`.

    The hint names a label below the cause that is misspelt, within a paragraph, or without text.
    """
    source = runbook.source
    headings = [heading for heading in source.headings if heading.level <= cause.heading.level]
    end = next((heading.first for heading in headings if heading.first > cause.line), None)
    misspelt_label = re.compile(rf"[*_]*{label}[*_]* ?:[*_]*", re.IGNORECASE)
    first_lines = {paragraph.first for paragraph in source.blocks_of(Paragraph)}
    for line in range(cause.line + 1, end or source.last_line + 1):
        match = misspelt_label.match(source.line(line))
        if match and match[0] != f"**{label}:**":
            return f"on line {line}, write '**{label}:**' instead of '{match[0]}'"
        if match and line not in first_lines:
            return f"put a blank line above '**{label}:**' on line {line}"
        if match:
            return f"write text after '**{label}:**' on line {line}"
    return f"add a paragraph '**{label}:** …'"


@rule(
    "RBK005",
    "invalid-escalation",
    over=Runbook,
    requires=_MISSING_SECTION,
    asks_imported=False,
)
def invalid_escalation(runbook: Runbook) -> Iterator[Finding]:
    """Every item of the escalation has the form `Tier 1 (15 min): who`.

    A runbook in another form, such as Prometheus', can describe its escalation as it likes.

    Why: in an incident, you need to see whom to call, and after how many minutes.

    Bad:
        - First call the engineer on call
    Good:
        - Tier 1 (15 min): Engineer on call
    """
    if not runbook.has_own_form:
        return
    for step in runbook.escalation:
        if step.tier is None and not step.is_placeholder:
            first_line = step.text.split("\n")[0]
            numbers = _TIER_NUMBERS.match(first_line)
            tier, minutes = numbers.groups() if numbers else ("1", "15")
            yield Finding(
                runbook.source.at(step.line),
                f"invalid escalation tier '{shorten(first_line, 60, placeholder='…')}'",
                f"write 'Tier {tier} ({minutes} min): who'",
            )
    section = runbook.find_section(ESCALATION)
    if not (section and section.filled) or runbook.escalation:
        return
    if not runbook.has_placeholder(runbook.section_blocks(ESCALATION)):
        yield Finding(
            runbook.source.at(section.heading.first),
            f"no list in section '{section.heading.text}'",
            "add a list item for each tier: '- Tier 1 (15 min): who'",
        )


@rule("RBK006", "misordered-escalation", over=Runbook, requires=("RBK005",), asks_imported=False)
def misordered_escalation(runbook: Runbook) -> Iterator[Finding]:
    """Escalation tiers have the numbers 1, 2, 3 and so on, and each is called later than the last.

    Why: if the tiers are not in order, the on-call engineer can miss a call.

    Bad:
        - Tier 3 (30 min): Owner of the shop
    Good:
        - Tier 2 (30 min): Owner of the shop
    """
    if any(step.is_placeholder for step in runbook.escalation):
        return
    minutes = -1
    for number, step in enumerate(runbook.escalation, 1):
        at = runbook.source.at(step.line)
        if step.tier is None or step.minutes is None:
            continue
        if step.tier != number:
            yield Finding(
                at,
                f"found tier {step.tier} where tier {number} was expected",
                "number the tiers from 1, without a gap",
            )
            return
        if step.minutes <= minutes:
            yield Finding(
                at,
                f"tier {step.tier} at {step.minutes} minutes, not later than the tier before it "
                f"({minutes} minutes)",
                f"write more than {minutes} minutes for tier {step.tier}",
            )
        minutes = step.minutes


@rule("RBK007", "foreign-alert", over=Runbook)
def foreign_alert(runbook: Runbook, context: Context) -> Iterator[Finding]:
    """A runbook lists only alerts of its own service.

    Why: the alert would send its team to the runbook of another team.

    Bad:
        alerts: [OrdersDown, SearchSlow]
        severity: sev-1
    Good:
        alerts: [OrdersDown]
        severity: sev-1
    """
    for name in runbook.alerts:
        alert = context.handbook.get(Alert, name)
        if alert and alert.service != runbook.service:
            at = runbook.at("alerts", name)
            yield Finding(
                at,
                f"alert '{name}' of another service, '{alert.service}'",
                f"remove it from this runbook, and list it in a runbook of '{alert.service}'",
            )


@rule("RBK008", "invalid-alert-name", over=Handbook)
def invalid_alert_name(handbook: Handbook) -> Iterator[Finding]:
    """The name of an alert belongs to one service, and has only letters, digits and underscores.

    Several alerting rules of a service can have the same name, such as one for each severity.

    Why: the name is part of the permanent address of the alert, `/alerts/<Name>/`.

    Bad:
        - alert: Orders spare
    Good:
        - alert: OrdersSpare
    """
    for alert in handbook.alerts:
        first = handbook.entities_by_id[alert.kind, alert.id]
        at = alert.rules[0].at("alert")
        if alert in handbook.misnamed_alerts:
            yield Finding(
                at,
                f"invalid alert name '{alert.name}'",
                "write it as one word, such as OrdersDown",
            )
        elif first is not alert:
            yield Finding(
                at,
                f"duplicate alert name '{alert.name}' (first in {first.path})",
                "rename one of the two alerts: they belong to different services",
            )


@rule("RBK009", "invalid-promql", over=Handbook)
def invalid_promql(handbook: Handbook) -> Iterator[Finding]:
    """The expression of an alert or of a recording rule is valid PromQL.

    Why: if one expression is invalid, Prometheus rejects the whole rule file, and no alert fires.

    Bad:
        expr: orders > 5%
    Good:
        expr: sum(orders) < 1
    """
    written_rules = [
        monitoring_rule
        for monitoring_rule in handbook.monitoring_rules
        if monitoring_rule.expr and not is_unwritten(monitoring_rule.expr)
    ]
    for written_rule, fault in zip(
        written_rules, check_expressions([written.expr for written in written_rules]), strict=True
    ):
        at = written_rule.at("expr")
        if fault and fault.exceeds_limit:
            yield Finding(at, f"PromQL expression {fault.reason}", "split it into recording rules")
        elif fault:
            reason = "" if fault.reason == _NO_REASON else f": {fault.reason}"
            yield Finding(
                at,
                f"invalid PromQL expression{reason}",
                "correct it, and test it with 'promtool check rules'",
            )


def _has_unknown_severity(alert: MonitoringRule, handbook: Handbook) -> bool:
    """Return whether the severity of an alerting rule is not in the policy.

    The result is False for an empty severity, which FM009 reports.
    """
    severities = handbook.settings.alert_severities
    if not alert.severity or alert.severity_is_template or is_unwritten(alert.severity):
        return False
    return bool(severities) and alert.severity not in severities


def _check_missing_url(alert: Alert, context: Context, *, paging: bool) -> Iterator[Finding]:
    """Report the rules of an alert without `runbook_url`.

    If `paging` is true, the function reports only paging rules, otherwise only other rules.
    """
    handbook = context.handbook
    for alerting_rule in alert.rules:
        severity = alerting_rule.severity
        is_paging = (
            severity in handbook.settings.policy.alerts.paging or alerting_rule.severity_is_template
        )
        # FM006 and FM009 report an invalid or empty `runbook_url`.
        url_node = alerting_rule.node.find("annotations", "runbook_url")
        if (
            is_paging is paging
            and url_node is None
            and not _has_unknown_severity(alerting_rule, handbook)
        ):
            url = _make_alert_url(alert, handbook)
            yield Finding(
                alerting_rule.at("alert"),
                f"no 'runbook_url' for alert {alert.name}",
                f"add 'runbook_url: {url}' under 'annotations'",
            )


@rule("RBK010", "paging-alert-without-runbook", over=Alert)
def paging_alert_without_runbook(alert: Alert, context: Context) -> Iterator[Finding]:
    """Every alert that pages an engineer has the annotation `runbook_url`.

    An alert pages if its severity is in `policy.alerts.paging`, or is a template expression.

    Why: an engineer who is paged must not have to search for the runbook.

    Bad:
        annotations: {summary: Orders stopped}
    Good:
        annotations: {summary: Orders stopped, runbook_url: "https://small.example/alerts/OrdersDown/"}
    """
    yield from _check_missing_url(alert, context, paging=True)


@rule("RBK011", "alert-without-runbook", over=Alert, severity=Severity.WARNING)
def alert_without_runbook(alert: Alert, context: Context) -> Iterator[Finding]:
    """Every alert that does not page an engineer has the annotation `runbook_url`.

    Why: the alert opens a ticket, and the reader of the ticket may not know the alert.

    Bad:
        annotations: {summary: Orders do not change}
    Good:
        annotations: {summary: Orders do not change, runbook_url: "https://small.example/runbooks/shop/orders-flat/"}
    """
    yield from _check_missing_url(alert, context, paging=False)


@rule("RBK012", "wrong-runbook-url", over=Alert)
def wrong_runbook_url(alert: Alert, context: Context) -> Iterator[Finding]:
    """The `runbook_url` of an alert is the URL of its own page, or of a runbook that lists it.

    The page of an alert is `/alerts/<Name>/`, and shows the runbook that lists the alert. The URL
    can end with an anchor of the page. It contains no template expression: Prometheus expands these
    before it adds the label `alertname`, so `{{ $labels.alertname }}` becomes an empty text.

    While the setting `handbook.moving_hosts` lists the host of the URL, the finding is a warning.

    Why: a wrong URL sends the on-call engineer to a missing page, or to the runbook of another
    alert.

    Bad:
        runbook_url: "https://small.example/alerts/{{ $labels.alertname }}/"
    Good:
        runbook_url: "https://small.example/alerts/SearchSlow/"
    """
    # RBK008 reports an invalid name, and FM020 an unknown address of the site. The URL in the hint
    # would contain both.
    handbook = context.handbook
    if alert in handbook.misnamed_alerts or not handbook.settings.has_site_url:
        return
    for alerting_rule in alert.rules:
        url = alerting_rule.runbook_url
        if url and not is_unwritten(url):
            at = alerting_rule.at("annotations", "runbook_url")
            yield from _check_url(alert, url, at, handbook)


def _check_url(alert: Alert, url: str, at: Location, handbook: Handbook) -> Iterator[Finding]:
    """Report the fault of a `runbook_url`, if it has one."""
    site = handbook.settings.site_url.rstrip("/") + "/"
    own_url = _make_alert_url(alert, handbook)
    hint = f"write {own_url}"
    if TEMPLATE in url:
        yield Finding(at, "template expression in 'runbook_url'", hint)
        return
    if not url.startswith(site):
        host = _find_moving_host(url, handbook)
        if host:
            message = f"'runbook_url' still on the moving host '{host}'"
            yield Finding(at, message, hint, is_warning=True)
            return
        yield Finding(at, f"'runbook_url' of another site than {site}", hint)
        return
    address, _, fragment = url.removeprefix(site).partition("#")
    target = handbook.entities_by_address.get(unquote(address))
    runbooks = handbook.runbooks_of(alert)
    if target is None:
        targets = [alert, *(runbook for runbook in runbooks if runbook.service == alert.service)]
        nearest_address = find_nearest(address, map(handbook.address, targets))
        hint = suggest(f"{site}{nearest_address}") if nearest_address else hint
        yield Finding(at, f"unknown page '{site}{address}'", hint)
    elif isinstance(target, Alert) and target.name != alert.name:
        yield Finding(at, f"'runbook_url' of another alert, {target.name}", hint)
    elif isinstance(target, Alert) and not runbooks:
        if not any(
            runbook.service == alert.service and _is_list_reported(runbook, handbook)
            for runbook in handbook.of(Runbook)
        ):
            yield Finding(at, f"no runbook lists alert {alert.name}", _suggest_listing(alert))
    elif isinstance(target, Runbook) and target not in runbooks:
        if not _is_list_reported(target, handbook):
            hint = hint if runbooks else _suggest_listing(alert, target)
            message = f"runbook {target.path} does not list alert {alert.name}"
            yield Finding(at, message, hint)
    elif not isinstance(target, Alert | Runbook):
        yield Finding(at, f"'runbook_url' of a page that is not a runbook, {target.path}", hint)
    elif fragment:
        anchors = (
            handbook.anchors_of(target) if isinstance(target, Alert) else target.source.anchors
        )
        if unquote(fragment) not in anchors:
            yield Finding(
                at,
                f"unknown anchor '#{fragment}' on /{address}",
                Suggestion(unquote(fragment), anchors, f"remove '#{fragment}'"),
            )


def _find_moving_host(url: str, handbook: Handbook) -> str | None:
    """Return the host of a URL if the settings list it as moving, otherwise None."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    hosts = {host.lower(): host for host in handbook.settings.organisation.moving_hosts}
    return hosts.get(parts.netloc.lower()) or hosts.get(parts.hostname or "")


def _make_alert_url(alert: Alert, handbook: Handbook) -> str:
    """Return the permanent URL of an alert's page, which shows its runbook."""
    return f"{handbook.settings.site_url.rstrip('/')}/{handbook.address(alert)}"


def _is_list_reported(runbook: Runbook, handbook: Handbook) -> bool:
    """Return whether another rule reports the list of alerts in a runbook.

    RBK002 reports a missing list, the family FM an invalid one, and REF001 an unknown alert in the
    list. The fault that they report can be the reason why the list does not contain an alert.
    """
    if runbook.has_invalid_value("alerts") or runbook.has_invalid_value("trigger"):
        return True
    if not runbook.alerts:
        return not runbook.trigger
    return any(handbook.get(Alert, name) is None for name in runbook.alerts)


def _suggest_listing(alert: Alert, runbook: Runbook | None = None) -> str:
    """Return the hint to list an alert in `runbook`, or in any runbook of its service."""
    if runbook is None or runbook.service != alert.service:
        return f"add '{alert.name}' to 'alerts' in a runbook of {alert.service}"
    if not runbook.alerts:
        return f"in {runbook.path}, replace 'trigger' with 'alerts: [{alert.name}]'"
    alerts = ", ".join((*runbook.alerts, alert.name))
    return f"in {runbook.path}, write 'alerts: [{alerts}]'"


@rule("RBK013", "empty-rule-file", over=Handbook)
def empty_rule_file(handbook: Handbook) -> Iterator[Finding]:
    """Every rule file that a service lists under `rules` exists, and contains a rule.

    Why: in a missing or empty file, the check finds no faults of alerts.

    Bad:
        rules: [runbooks/shop/shops.rules.yml]
    Good:
        rules: [runbooks/shop/shop.rules.yml]
    """
    rule_file_paths = {file.path for file in handbook.rule_files}
    for service in handbook.of(Service):
        for path in service.rules:
            if path not in rule_file_paths:
                yield Finding(
                    service.at("rules", path),
                    f"rule file not found: '{path}'",
                    Suggestion(path, rule_file_paths, "correct the path, or add the file"),
                )
    for file in handbook.rule_files:
        if not file.rules and file.is_readable:
            owner = handbook.get(Service, file.service)
            at = (
                owner.at("rules", file.path)
                if owner and file.path in owner.rules
                else Location(file.path)
            )
            yield Finding(
                at, f"no rule in rule file '{file.path}'", "add a rule, or remove the file"
            )


@rule("RBK014", "overdue-runbook-review", over=Runbook, severity=Severity.WARNING)
def overdue_runbook_review(runbook: Runbook, context: Context) -> Iterator[Finding]:
    """The last review of a runbook is not too long ago.

    The policy sets the number of days (`review.runbook`).

    Why: systems change, and an outdated command can cause damage.

    Bad:
        reviewed: 2026-01-01
    Good:
        reviewed: 2026-11-02
    """
    days = context.handbook.settings.policy.review.runbook
    hint = "review the page, correct what is out of date, and set 'reviewed' to today's date"
    yield from check_age(runbook, "reviewed", days, hint, context)


@rule("RBK015", "overdue-exercise", over=Runbook, severity=Severity.WARNING)
def overdue_exercise(runbook: Runbook, context: Context) -> Iterator[Finding]:
    """The last exercise of a runbook is not too long ago.

    An exercise is an incident or a drill in which a person follows the runbook. The policy sets the
    number of days (`review.exercise`).

    Why: a review does not prove that the commands work.

    Bad:
        exercised: 2025-01-01
    Good:
        exercised: 2026-11-03
    """
    days = context.handbook.settings.policy.review.exercise
    hint = "follow the runbook in a drill, and set 'exercised' to the date of the drill"
    yield from check_age(runbook, "exercised", days, hint, context)


@rule("RBK017", "unknown-alert-severity", over=Handbook)
def unknown_alert_severity(handbook: Handbook) -> Iterator[Finding]:
    """The label `severity` of an alert has a value that the policy lists.

    The lists are `policy.alerts.severities` and `policy.alerts.paging`. An alert can have the label
    from its group. The rule ignores an alert without the label, but reports a label with a similar
    name. It ignores a template expression, because Prometheus expands it when the alert fires.

    Why: Alertmanager selects the receiver by this label, so an alert with a misspelt severity pages
    no engineer.

    Bad:
        labels: {severity: paige}
    Good:
        labels: {severity: page}
    """
    severities = handbook.settings.alert_severities
    places: set[Location] = set()
    for alert in handbook.alerting_rules:
        if alert.severity is None:
            yield from _find_misspelt_labels(alert, places)
            continue
        at = alert.severity_at
        if at in places or not _has_unknown_severity(alert, handbook):
            continue
        places.add(at)  # Many alerts can have the severity from one label of their group.
        meant = find_only_match(alert.severity, severities)
        fix = Edit(at, alert.severity, meant) if meant else None
        hint = did_you_mean(alert.severity, severities) or f"use one of {', '.join(severities)}"
        yield Finding(at, f"unknown alert severity '{alert.severity}'", hint, fix)


def _find_misspelt_labels(alert: MonitoringRule, places: set[Location]) -> Iterator[Finding]:
    """Report the labels of an alert and its group whose names misspell `severity`.

    An alert without the label `severity` pages no engineer.
    """
    for owner in (alert.node, alert.group):
        labels = owner.find("labels")
        for entry in labels.entries if isinstance(labels, Mapping) else ():
            if entry.at not in places and find_only_match(entry.key, ["severity"]):
                places.add(entry.at)
                fix = Edit(entry.at, entry.key, "severity")
                yield Finding(
                    entry.at, f"misspelt label '{entry.key}'", "did you mean 'severity'?", fix
                )
