"""RBK001 to RBK017: runbooks, and the alerts that they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from handbook.diagnostics import Edit, Finding, Location, Severity, did_you_mean, only_candidate
from handbook.handbook import Handbook
from handbook.reading.blocks import Code, Heading, Paragraph, Quote
from handbook.reading.nodes import Mapping
from handbook.reading.placeholders import is_unwritten
from handbook.reading.problems import ProblemKind
from handbook.reading.promql import check_expressions
from handbook.records.alert import TEMPLATE, Alert
from handbook.records.runbook import CAUSES, ESCALATION, Runbook
from handbook.records.service import Service
from handbook.rules.age import too_old
from handbook.rules.engine import Context, rule

_HARM: Final = re.compile(  # one \b for all words, so that a search looks closely at the beginnings of words alone
    r"\b(?:"
    r"kubectl\b[^\n#]*?\s(?:delete|drain)\b"
    r"|scale\b[^\n#]*\s--replicas[= ]0\b"
    r"|(?:helm|terraform|tofu|pulumi)\b[^\n#]*?\s(?:uninstall|delete|destroy)\b"
    r"|(?:aws|gcloud|az)\b[^\n#]*?\s(?:delete|terminate)[\w-]*"
    r"|git\s+push\b[^\n#]*\s(?:--force(?!-with-lease)|-f\b|--delete|--mirror)"
    r"|git\s+(?:reset\s+--hard|clean\s+-\w*f)"
    r"|rm\s+(?:-\w+\s+)*-\w*[rRf]"
    r"|(?:docker|podman)\s[^\n#]*\b(?:prune|rm\s+-\w*f)"
    r"|(?<![./-])(?:mkfs|wipefs|shred|dropdb|shutdown|reboot|poweroff)(?![\w-])"
    r"|dd\s[^\n#]*\bof="
    r"|kill(?:all)?\s+-(?:9|KILL|SIGKILL)\b"
    r"|(?i:drop\s+(?:table|database|schema|index|column|view|user|role)|truncate\s+(?:table\s+)?\w+|delete\s+from)\b"
    r"|(?i:pg_terminate_backend|flushall|flushdb)\b"
    r")|\s--force\b(?!-with-lease)"
)
"""A command that takes away what cannot be had back, or stops what people use."""
_SHOWN: Final = re.compile(r"^\s*(?:#|--).*$|\b(?:echo|grep|man)\b.*$", re.MULTILINE)
"""What only speaks of a command: a comment, a printed text, a pattern that is looked for."""
_WARNING: Final = re.compile(r"\W*(?:warning|caution|danger)\b", re.IGNORECASE)
_WARNING_CALLOUTS: Final = ("WARNING", "CAUTION", "IMPORTANT")
_UNREAD = ("FM001", "FM002")
_MISSING = ("FM102", "FM104")


@rule("RBK001", "invalid-runbook-name", over=Runbook)
def invalid_runbook_name(runbook: Runbook) -> Iterator[Finding]:
    """A runbook is `runbooks/<service>/slug.md`.

    Why: the folder says whose it is, and the path is the address that alerts send people to.

    Bad:
        runbooks/shop/Orders_down.md
    Good:
        runbooks/shop/slow-search.md
    """
    if not runbook.well_named:
        yield Finding(
            runbook.source.at(1),
            f"the name is not {runbook.file_form}",
            "such as shop/orders-down.md",
        )


@rule("RBK002", "invalid-trigger", over=Runbook, requires=_UNREAD)
def invalid_trigger(runbook: Runbook) -> Iterator[Finding]:
    """A runbook names the alerts that lead to it, or says in `trigger` how a person comes here without one; not both.

    Why: a runbook that nothing leads to is not found when it is needed.

    Bad:
        alerts: [OrdersDown]
        trigger: Somebody says that no order goes through
        severity: sev-1
    Good:
        alerts: [OrdersDown]
        severity: sev-1
    """
    if runbook.doubtful("alerts") or runbook.doubtful("trigger"):
        return
    if not runbook.alerts and not runbook.trigger:
        yield Finding(
            runbook.at("alerts"),
            "neither alerts nor trigger",
            "name the alert, or say how one comes here",
        )
    elif runbook.alerts and runbook.trigger:
        yield Finding(
            runbook.at("trigger"),
            "both alerts and trigger",
            "with an alert, the alert is the trigger",
        )


@rule("RBK003", "missing-cause", over=Runbook, requires=_MISSING)
def missing_cause(runbook: Runbook) -> Iterator[Finding]:
    """Under Common causes and fixes stands at least one H3, each a cause.

    Why: who comes here at night needs the next command, not an essay.

    Bad:
        Nobody buys
    Good:
        ### Nobody buys
    """
    for section in runbook.source.sections:
        if section.heading.text == CAUSES and section.filled and not runbook.causes:
            if runbook.unwritten(runbook.section_blocks(CAUSES)):
                return
            yield Finding(
                runbook.source.at(section.heading.first),
                "no cause is set out",
                "give each a heading, '### '",
            )


@rule("RBK004", "incomplete-cause", over=Runbook)
def incomplete_cause(runbook: Runbook) -> Iterator[Finding]:
    """Each cause has a paragraph that begins with `**Symptom:**` and one that begins with `**Fix:**`.

    A block of code may stand for the text of the fix.

    Why: the symptom is how the reader knows that it is this one, and the fix is what they came for.

    Bad:
        **Solution:** Restart the pool.
    Good:
        **Fix:** Restart the pool.
    """
    for cause in runbook.causes:
        if cause.unwritten:
            continue
        at = runbook.source.at(cause.line)
        if cause.symptom is None:
            yield Finding(
                at, f"the cause '{cause.title}' has no symptom", "add a paragraph '**Symptom:** …'"
            )
        if cause.fix is None:
            yield Finding(
                at, f"the cause '{cause.title}' has no fix", "add a paragraph '**Fix:** …'"
            )


@rule("RBK005", "invalid-escalation", over=Runbook, requires=_MISSING)
def invalid_escalation(runbook: Runbook) -> Iterator[Finding]:
    """Escalation is a list, each item `Tier 1 (15 min): who`.

    Why: it says after how many minutes to call whom, when nobody has the patience to read.

    Bad:
        - First call the engineer on call
    Good:
        - Tier 1 (15 min): Engineer on call
    """
    for step in runbook.escalation:
        if step.tier is None and not step.unwritten:
            yield Finding(
                runbook.source.at(step.line),
                "not a step of an escalation",
                "write 'Tier 1 (15 min): who'",
            )
    for section in runbook.source.sections:
        if section.heading.text == ESCALATION and section.filled and not runbook.escalation:
            if runbook.unwritten(runbook.section_blocks(ESCALATION)):
                return
            at = runbook.source.at(section.heading.first)
            yield Finding(at, "the escalation is not a list", "write '- Tier 1 (15 min): who'")


@rule("RBK006", "misordered-escalation", over=Runbook, requires=("RBK005",))
def misordered_escalation(runbook: Runbook) -> Iterator[Finding]:
    """Tiers count from 1 without a gap, and their minutes rise.

    Why: a step that is out of order is a call that is not made.

    Bad:
        - Tier 3 (30 min): Owner of the shop
    Good:
        - Tier 2 (30 min): Owner of the shop
    """
    if any(step.unwritten for step in runbook.escalation):
        return
    minutes = -1
    for number, step in enumerate(runbook.escalation, 1):
        at = runbook.source.at(step.line)
        if step.tier is None or step.minutes is None:
            continue
        if step.tier != number:
            yield Finding(
                at,
                f"tier {step.tier} stands where tier {number} belongs",
                "count from 1, without a gap",
            )
            return
        if step.minutes <= minutes:
            yield Finding(
                at,
                f"{step.minutes} minutes do not come after {minutes}",
                "each tier comes later than the last",
            )
        minutes = step.minutes


@rule("RBK007", "foreign-alert", over=Runbook)
def foreign_alert(runbook: Runbook, context: Context) -> Iterator[Finding]:
    """The alerts that a runbook lists are defined in the rules of its own service.

    Why: the alert's team would be sent to a runbook that another team keeps.

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
                f"{name} is an alert of {alert.service}",
                f"a runbook of {alert.service} should list it",
            )


@rule("RBK008", "invalid-alert-name", over=Handbook)
def invalid_alert_name(handbook: Handbook) -> Iterator[Finding]:
    """An alert's name is one word of letters, digits and underscores, and no other alert has it.

    Why: the name is an address here, `/alerts/<Name>/`, for good.

    Bad:
        - alert: Orders spare
    Good:
        - alert: OrdersSpare
    """
    for alert in handbook.alerts:
        first = handbook.by_id[alert.kind, alert.id]
        if alert in handbook.misnamed_alerts:
            yield Finding(
                alert.at("alert"),
                f"'{alert.name}' is no name of an alert",
                "write it as one word: OrdersDown",
            )
        elif first is not alert:
            yield Finding(
                alert.at("alert"),
                f"{alert.name} is an alert of {first.path} already",
                "give it another name",
            )


@rule("RBK009", "invalid-promql", over=Handbook)
def invalid_promql(handbook: Handbook) -> Iterator[Finding]:
    """The expression of an alert is PromQL.

    Why: Prometheus refuses the whole file, and none of its alerts fires.

    Bad:
        expr: orders > 5%
    Good:
        expr: sum(orders) < 1
    """
    alerts = [alert for alert in handbook.alerts if alert.expr and not is_unwritten(alert.expr)]
    for alert, fault in zip(
        alerts, check_expressions([alert.expr for alert in alerts]), strict=True
    ):
        at = alert.at("expr")
        if fault and fault.reason is None:
            yield Finding(
                at, "expression too deeply nested to check", "split it into recording rules"
            )
        elif fault:
            yield Finding(at, f"not PromQL: {fault.reason}", "try it with promtool check rules")


def _unknown_severity(alert: Alert, handbook: Handbook) -> bool:
    """Whether an alert has a severity, and the policy does not name it. FM009 reports an empty one."""
    known_severities = handbook.settings.alert_severities
    if not alert.severity or alert.severity_is_template or is_unwritten(alert.severity):
        return False
    return bool(known_severities) and alert.severity not in known_severities


def _no_url(alert: Alert, context: Context, *, paging: bool) -> Iterator[Finding]:
    handbook = context.handbook
    pages = alert.severity in handbook.settings.policy.alerts.paging or alert.severity_is_template
    written = alert.node.find(
        "annotations", "runbook_url"
    )  # FM006 and FM009 report one that cannot be read
    if pages is paging and written is None and not _unknown_severity(alert, handbook):
        url = _own_url(alert, handbook)
        yield Finding(
            alert.at("alert"),
            f"{alert.name} has no runbook_url",
            f"annotations: runbook_url: {url}",
        )


@rule("RBK010", "paging-alert-without-runbook", over=Alert)
def paging_alert_without_runbook(alert: Alert, context: Context) -> Iterator[Finding]:
    """An alert that wakes somebody (`policy.alerts.paging`) says in `runbook_url` where to read on.

    An alert whose severity is a template counts as one of them.

    Why: who is woken should not have to search.

    Bad:
        annotations: {summary: Orders stopped}
    Good:
        annotations: {summary: Orders stopped, runbook_url: "https://small.example/alerts/OrdersDown/"}
    """
    yield from _no_url(alert, context, paging=True)


@rule("RBK011", "alert-without-runbook", over=Alert, severity=Severity.WARNING)
def alert_without_runbook(alert: Alert, context: Context) -> Iterator[Finding]:
    """An alert that wakes nobody says in `runbook_url` where to read on, too.

    Why: the ticket that it opens is read by somebody who did not write the alert.

    Bad:
        annotations: {summary: Orders do not change}
    Good:
        annotations: {summary: Orders do not change, runbook_url: "https://small.example/runbooks/shop/orders-flat/"}
    """
    yield from _no_url(alert, context, paging=False)


@rule("RBK012", "wrong-runbook-url", over=Alert)
def wrong_runbook_url(alert: Alert, context: Context) -> Iterator[Finding]:
    """The `runbook_url` of an alert is its own address, `/alerts/<Name>/`, or that of a runbook that lists it.

    A runbook lists the alert, and a fragment exists on the page. The address holds no template: Prometheus adds the
    label `alertname` after it has expanded templates, so `{{ $labels.alertname }}` expands to nothing.

    Why: a dead link, or another alert's runbook, at three in the morning.

    Bad:
        runbook_url: "https://small.example/alerts/{{ $labels.alertname }}/"
    Good:
        runbook_url: "https://small.example/alerts/SearchSlow/"
    """
    url = alert.runbook_url
    handbook = context.handbook
    if (
        not url or is_unwritten(url) or alert in handbook.misnamed_alerts
    ):  # RBK008 reports the name, which the address would hold
        return
    at = alert.at("annotations", "runbook_url")
    site = handbook.settings.site_url.rstrip("/") + "/"
    own_url = _own_url(alert, handbook)
    if TEMPLATE in url:
        yield Finding(at, "template in runbook_url", own_url)
        return
    if not url.startswith(site):
        yield Finding(at, f"runbook_url outside of this site, {site}", own_url)
        return
    address, _, fragment = url.removeprefix(site).partition("#")
    target = handbook.by_address.get(unquote(address))
    runbooks = handbook.runbooks_of(alert)
    if target is None:
        valid_urls = [own_url, *(site + handbook.address(runbook) for runbook in runbooks)]
        yield Finding(at, f"unknown page '{address}'", did_you_mean(url, valid_urls) or own_url)
    elif isinstance(target, Alert) and target.name != alert.name:
        yield Finding(at, f"address of another alert, {target.name}", own_url)
    elif isinstance(target, Alert) and not runbooks:
        if not any(
            runbook.service == alert.service and _may_list(runbook, handbook)
            for runbook in handbook.of(Runbook)
        ):
            yield Finding(at, f"no runbook that lists {alert.name}", _how_to_list(alert))
    elif isinstance(target, Runbook) and target not in runbooks:
        if not _may_list(target, handbook):
            hint = own_url if runbooks else _how_to_list(alert, target)
            yield Finding(at, f"runbook that does not list {alert.name}, {target.path}", hint)
    elif not isinstance(target, Alert | Runbook):
        yield Finding(at, f"page that is not a runbook, {target.path}", own_url)
    elif fragment:
        anchors = (
            handbook.anchors_of(target) if isinstance(target, Alert) else target.source.anchors
        )
        if unquote(fragment) not in anchors:
            hint = did_you_mean(unquote(fragment), anchors) or f"leave '#{fragment}' out"
            yield Finding(at, f"unknown heading '#{fragment}' on /{address}", hint)


def _own_url(alert: Alert, handbook: Handbook) -> str:
    """The permanent address of an alert, which leads to its runbook."""
    return f"{handbook.settings.site_url.rstrip('/')}/{handbook.address(alert)}"


def _may_list(runbook: Runbook, handbook: Handbook) -> bool:
    """Whether another rule reports the alerts of a runbook, which may be meant to list more than can be read.

    RBK002 reports a runbook without alerts, a rule of the family FM a list that cannot be read, and REF001 an alert
    that is unknown.
    """
    if runbook.doubtful("alerts") or runbook.doubtful("trigger"):
        return True
    if not runbook.alerts:
        return not runbook.trigger
    return any(handbook.get(Alert, name) is None for name in runbook.alerts)


def _how_to_list(alert: Alert, runbook: Runbook | None = None) -> str:
    """The hint that has an alert listed in a runbook of its service: the one given, if it is of that service."""
    if runbook is None or runbook.service != alert.service:
        return f"set 'alerts: [{alert.name}]' in a runbook of {alert.service}"
    if not runbook.alerts:
        return f"set 'alerts: [{alert.name}]' in place of 'trigger' there"
    return f"set 'alerts: [{', '.join((*runbook.alerts, alert.name))}]' there"


@rule("RBK013", "empty-rule-file", over=Handbook)
def empty_rule_file(handbook: Handbook) -> Iterator[Finding]:
    """A rule file holds an alert, and a file that a service names is there.

    Why: an empty file passes every check of its alerts.

    Bad:
        rules: [runbooks/shop/shops.rules.yml]
    Good:
        rules: [runbooks/shop/shop.rules.yml]
    """
    present = {file.path for file in handbook.rule_files}
    for service in handbook.of(Service):
        for path in service.rules:
            if path not in present:
                hint = did_you_mean(path, present)
                yield Finding(service.at("rules", path), f"there is no rule file {path}", hint)
    holding = {alert.path for alert in handbook.alerts}
    for file in handbook.rule_files:
        if file.path not in holding and not any(
            problem.kind is ProblemKind.UNREADABLE_FILE for problem in file.problems
        ):
            owner = handbook.get(Service, file.service)
            at = (
                owner.at("rules", file.path)
                if owner and file.path in owner.rules
                else Location(file.path)
            )
            yield Finding(at, f"{file.path} holds no alert", "write one, or take the file out")


@rule("RBK014", "overdue-runbook-review", over=Runbook, severity=Severity.WARNING)
def overdue_runbook_review(runbook: Runbook, context: Context) -> Iterator[Finding]:
    """A runbook is read against reality as often as the policy says (`review.runbook`).

    Why: systems change, and commands that worked once may do harm now.

    Bad:
        reviewed: 2026-01-01
    Good:
        reviewed: 2026-11-02
    """
    days = context.handbook.settings.policy.review.runbook
    yield from too_old(runbook, "reviewed", days, "read it, and mend it", context)


@rule("RBK015", "overdue-exercise", over=Runbook, severity=Severity.WARNING)
def overdue_exercise(runbook: Runbook, context: Context) -> Iterator[Finding]:
    """A runbook is followed, in an incident or a drill, as often as the policy says (`review.exercise`).

    Why: what was only read has not been shown to work.

    Bad:
        exercised: 2025-01-01
    Good:
        exercised: 2026-11-03
    """
    days = context.handbook.settings.policy.review.exercise
    yield from too_old(runbook, "exercised", days, "try it in a drill", context)


@rule("RBK016", "missing-warning", over=Runbook)
def missing_warning(runbook: Runbook) -> Iterator[Finding]:
    """A warning stands above a command that destroys or stops something, under the same heading.

    Such commands delete, drain, drop, force, terminate, or scale to 0. A warning is a callout (`> [!WARNING]`,
    `> [!CAUTION]`) or a paragraph that begins with "Warning" or "Caution". One finding a block of code.

    Why: who is woken at three in the morning pastes what stands there.

    Bad:
        > Mind the time.

        ```bash
        kubectl delete job old-index
    Good:
        > [!WARNING]
        > What is deleted is gone.

        ```bash
        kubectl delete job old-index
    """
    warned = False
    for block in runbook.source.blocks:
        if isinstance(block, Heading):
            warned = False
        elif isinstance(block, Paragraph):
            warned = warned or bool(_WARNING.match(block.text))
        elif isinstance(block, Quote):
            warned = warned or block.callout in _WARNING_CALLOUTS
        elif isinstance(block, Code) and not warned:
            text = _SHOWN.sub(lambda match: " " * len(match[0]), block.text)
            if match := _HARM.search(text):
                line = block.first + text.count("\n", 0, match.start()) + block.fenced
                at = runbook.source.at(
                    line,
                    len(runbook.source.line(line)) - len(runbook.source.line(line).lstrip()) + 1,
                )
                what = " ".join(match[0].split())
                yield Finding(
                    at,
                    f"'{what}' without a warning above it",
                    "put '> [!WARNING]' and what is at stake above",
                )


@rule("RBK017", "unknown-alert-severity", over=Handbook)
def unknown_alert_severity(handbook: Handbook) -> Iterator[Finding]:
    """The label `severity` of an alert is one that the policy names (`policy.alerts`: `severities` and `paging`).

    The label stands at the alert or at its group. An alert without it has no finding here, unless another label is
    almost called so, and neither has one whose severity is a template, which Prometheus expands when the alert fires.

    Why: Alertmanager routes by this label, and an alert that pages under a misspelt one pages nobody.

    Bad:
        labels: {severity: paige}
    Good:
        labels: {severity: page}
    """
    severities = handbook.settings.alert_severities
    places: set[Location] = set()
    for alert in handbook.alerts:
        if alert.severity is None:
            yield from _misspelt_severity(alert, places)
            continue
        at = alert.severity_at
        if at in places or not _unknown_severity(alert, handbook):
            continue
        places.add(at)  # one label of a group is the severity of many alerts
        meant = only_candidate(alert.severity, severities)
        fix = Edit(at, alert.severity, meant) if meant else None
        hint = did_you_mean(alert.severity, severities) or f"use one of {', '.join(severities)}"
        yield Finding(at, f"unknown severity '{alert.severity}'", hint, fix)


def _misspelt_severity(alert: Alert, places: set[Location]) -> Iterator[Finding]:
    """The label of an alert, or of its group, that is almost called severity: nobody is paged by it."""
    for owner in (alert.node, alert.group):
        labels = owner.find("labels")
        for entry in labels.entries if isinstance(labels, Mapping) else ():
            if entry.at not in places and only_candidate(entry.key, ["severity"]):
                places.add(entry.at)
                fix = Edit(entry.at, entry.key, "severity")
                yield Finding(
                    entry.at, f"unknown label '{entry.key}'", "did you mean 'severity'?", fix
                )
