"""CON001 to CON017: facts that are stated twice, with different values.

Every rule is an advisory warning (ADR-0029). A rule reads only numbers with units, times,
percentages, ids and status words, in sentences with one possible meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

from handbook.diagnostics import Finding, Severity, find_only_match, suggest
from handbook.handbook import Handbook
from handbook.reading.promql import read_thresholds
from handbook.reading.quantities import (
    Bound,
    Quantity,
    find_durations,
    find_percentages,
    read_duration,
)
from handbook.records.adr import Adr
from handbook.records.alert import Alert
from handbook.records.postmortem import TIMELINE, Postmortem, TimelineEntry
from handbook.records.rule_file import TEMPLATE, MonitoringRule
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.rules.budgets import (
    find_wrong_budgets,
    find_wrong_shares,
    read_objectives,
    states_budget,
)
from handbook.rules.engine import Context, rule
from handbook.rules.incidents import (
    MOMENTS,
    find_wrong_durations,
    find_wrong_times,
    format_minutes,
    moment_of,
    span_of,
)
from handbook.rules.prose import Prose, contains_any, make_contradiction, read_prose
from handbook.vocabulary import ADR_NEXT_STATUSES, ADR_STATUSES, can_become

_POLICY_NAMES: Final = ("first", "second", "third", "fourth", "fifth")
"""The keys of the escalation tiers in the policy, in order."""


@rule(
    "CON001",
    "contradictory-duration",
    over=Postmortem,
    severity=Severity.WARNING,
    requires=("PMT001", "PMT003"),
    advisory=True,
)
def contradictory_duration(postmortem: Postmortem, context: Context) -> Iterator[Finding]:
    """A duration in the prose of a post-mortem agrees with the times in its front matter.

    The rule reads sentences about the incident, such as "The outage lasted 42 minutes.", and
    labels, such as "Time to detect: 5 minutes". A duration that is rounded agrees.

    Why: readers do not know which of the two durations is right.

    Bad:
        The outage lasted 45 minutes.
    Good:
        The outage lasted 40 minutes.
    """
    for stated in find_wrong_durations(postmortem, context.handbook):
        durations = {span: span_of(postmortem, span) for span in stated.spans}
        texts = [
            f"the {format_minutes(duration)} from '{start}' to '{end}'"
            for (start, end), duration in durations.items()
            if duration is not None
        ]
        key = stated.spans[0][1]
        yield make_contradiction(
            stated.prose.at(stated.quantity.start),
            f"duration '{stated.quantity.text}'",
            " and ".join(texts),
            postmortem.at(key),
            f"correct the duration, or correct '{key}'",
        )


@rule(
    "CON002",
    "contradictory-time",
    over=Postmortem,
    severity=Severity.WARNING,
    requires=("PMT001", "PMT003"),
    advisory=True,
)
def contradictory_time(postmortem: Postmortem) -> Iterator[Finding]:
    """A time in the prose of a post-mortem agrees with the time in its front matter.

    The rule reads sentences about the incident, such as "The outage was mitigated at 10:42.", and
    labels, such as "Mitigated: 10:42". A time in another zone than UTC is skipped.

    Why: readers do not know which of the two times is right.

    Bad:
        It was mitigated at 10:42.
    Good:
        It was mitigated at 10:40.
    """
    for stated in find_wrong_times(postmortem):
        moments = {key: moment_of(postmortem, key) for key in stated.keys}
        texts = [f"'{key}: {moment:%H:%M}' UTC" for key, moment in moments.items()]
        yield make_contradiction(
            stated.prose.at(stated.time.start),
            f"time '{stated.time.text}'",
            " and ".join(texts),
            postmortem.at(stated.keys[0]),
            f"correct the time, or correct '{stated.keys[0]}'",
        )


@rule(
    "CON003",
    "incomplete-timeline",
    over=Postmortem,
    severity=Severity.WARNING,
    requires=("FM102", "FM104", "PMT001", "PMT003", "PMT004", "PMT005"),
    advisory=True,
)
def incomplete_timeline(postmortem: Postmortem) -> Iterator[Finding]:
    """The timeline of a post-mortem has an entry at each time in its front matter.

    These are the minutes of `started`, `detected`, `acknowledged`, `mitigated` and `resolved`.
    Drafts are exempt.

    Why: the figures of the incident come from the front matter. If the timeline has another time
    for the same event, readers do not know which is right.

    Bad:
        - 10:38 — orders are placed again
    Good:
        - 10:40 — orders are placed again
    """
    entries = [entry for entry in postmortem.timeline if entry.at]
    if postmortem.status == "draft" or not entries or len(entries) < len(postmortem.timeline):
        return
    keys_by_minute: dict[datetime, list[str]] = {}
    for key in MOMENTS:
        if moment := moment_of(postmortem, key):
            keys_by_minute.setdefault(moment.replace(second=0, microsecond=0), []).append(key)
    entry_minutes = {entry.at for entry in entries}
    for minute, keys in keys_by_minute.items():
        if minute in entry_minutes:
            continue
        nearest = min(entries, key=lambda entry: _distance(entry, minute))
        names = " and ".join(f"'{key}'" for key in keys)
        moment_at = postmortem.at(keys[0])
        yield Finding(
            postmortem.source.at(nearest.line),
            f"no timeline entry at {minute:%H:%M}, the time of {names} "
            f"({moment_at.path}:{moment_at.line}); the nearest is '{nearest.at:%H:%M}'",
            f"if the nearest entry is the same event, correct its time or '{keys[0]}'; otherwise "
            f"add the entry '- {minute:%H:%M} — …'",
        )


def _distance(entry: TimelineEntry, minute: datetime) -> float:
    return abs((entry.at - minute).total_seconds()) if entry.at else float("inf")


@rule("CON004", "unlisted-alert", over=Postmortem, severity=Severity.WARNING, advisory=True)
def unlisted_alert(postmortem: Postmortem, context: Context) -> Iterator[Finding]:
    """An alert that fires in the timeline of a post-mortem is listed under `alerts`.

    Without alerts, those of an imported post-mortem are unknown, and the rule ignores it.

    Why: the pages of the alert and of the service do not show the incident.

    Bad:
        - 10:02 — `OrdersFlat` fires
    Good:
        - 10:02 — `OrdersDown` fires
    """
    has_no_list = postmortem.is_imported and not postmortem.alerts
    if has_no_list or postmortem.has_invalid_value("alerts"):
        return
    listed = ", ".join(postmortem.alerts) or "no alert"
    for prose in read_prose(postmortem, ("fire", "page"), section=TIMELINE):
        for match in re.finditer(r"\b(\w+)\s+(?:fires|fired|pages|paged)\b", prose.text):
            name = match[1]
            if name not in postmortem.alerts and any(
                alert.name == name for alert in context.handbook.alerts
            ):
                yield make_contradiction(
                    prose.at(match.start(1)),
                    f"alert '{name}', which fires in the timeline,",
                    f"'alerts', which lists {listed}",
                    postmortem.at("alerts"),
                    f"correct the name, or add {name} to 'alerts'",
                )


@rule("CON005", "self-review", over=Postmortem, severity=Severity.WARNING, advisory=True)
def self_review(postmortem: Postmortem, context: Context) -> Iterator[Finding]:
    """A post-mortem has a reviewer that is not one of its authors.

    Handbooks with only one team are exempt.

    Why: authors do not notice their own wrong assumptions.

    Bad:
        authors: [shop-team]
        reviewers: [shop-team]
    Good:
        authors: [shop-team]
        reviewers: [platform-team]
    """
    reviewers, teams = postmortem.reviewers, context.handbook.settings.organisation.teams
    is_written = not postmortem.has_invalid_value("reviewers")
    if reviewers and is_written and len(teams) > 1 and set(reviewers) <= set(postmortem.authors):
        at = postmortem.at("authors")
        yield Finding(
            postmortem.at("reviewers"),
            f"no reviewer except the authors: 'reviewers: [{', '.join(reviewers)}]' repeats "
            f"'authors: [{', '.join(postmortem.authors)}]' ({at.path}:{at.line})",
            "add a reviewer from another team",
        )


@rule(
    "CON006",
    "late-escalation",
    over=Runbook,
    severity=Severity.WARNING,
    requires=("RBK005", "RBK006"),
    advisory=True,
)
def late_escalation(runbook: Runbook, context: Context) -> Iterator[Finding]:
    """An escalation tier of a runbook does not come later than the policy allows.

    The policy has the minutes of each tier after the page (`escalation.first`, `escalation.second`
    and so on). They apply to a runbook of an alert that pages, and to a severity whose response
    begins before the first tier.

    Why: in an incident, people follow the runbook, and call the next tier too late.

    Bad:
        - Tier 2 (45 min): Owner of the shop
    Good:
        - Tier 2 (30 min): Owner of the shop
    """
    settings = context.handbook.settings
    for step in runbook.escalation:
        if not step.tier or step.minutes is None or step.tier > len(_POLICY_NAMES):
            continue
        name = _POLICY_NAMES[step.tier - 1]
        limit = settings.policy.escalation.get(name)
        node = settings.root_node.find("extra", "policy", "escalation", name)
        if not (limit and node and step.minutes > limit):
            continue
        if _is_paged(runbook, context.handbook):
            yield make_contradiction(
                runbook.source.at(step.line),
                f"'Tier {step.tier} ({step.minutes} min)'",
                f"'policy.escalation.{name}', which is {limit} minutes",
                node.at,
                f"write 'Tier {step.tier} ({limit} min)', or correct the policy",
            )


def _is_paged(runbook: Runbook, handbook: Handbook) -> bool:
    """Return whether a person is paged for the problem of a runbook."""
    policy = handbook.settings.policy
    if any(alert.severity in policy.alerts.paging for alert in _alerts_of(runbook, handbook)):
        return True
    severity = policy.severities.get(runbook.severity or "")
    respond = (severity.respond or "").strip().lower() if severity else ""
    limit = read_duration(respond.removeprefix("within "))
    first = policy.escalation.get(_POLICY_NAMES[0])
    return respond == "immediately" or bool(limit and first and limit <= first * 60)


_IN_DAYS: Final = re.compile(
    r"(?:(?:on|by) )?(?:the )?next (?:business |working )?day"
    r"|(?:within |in )?(?:an?|[0-9]+) (?:business |working )?(?:days?|weeks?)",
    re.IGNORECASE,
)


@rule("CON007", "low-severity", over=Runbook, severity=Severity.WARNING, advisory=True)
def low_severity(runbook: Runbook, context: Context) -> Iterator[Finding]:
    """A runbook of an alert that pages has a severity whose response begins on the same day.

    The policy has the response time of each severity (`severities`) and the alert severities that
    page (`alerts.paging`).

    Why: the alert wakes the on-call engineer for a problem that can wait for days, or the runbook
    understates the problem.

    Bad:
        alerts: [OrdersDown]
        severity: sev-4
    Good:
        alerts: [OrdersDown]
        severity: sev-1
    """
    policy = context.handbook.settings.policy
    severity = policy.severities.get(runbook.severity or "")
    if severity is None or not _IN_DAYS.fullmatch((severity.respond or "").strip()):
        return
    for alert in _alerts_of(runbook, context.handbook):
        if alert.severity in policy.alerts.paging:
            yield make_contradiction(
                runbook.at("severity"),
                f"'severity: {runbook.severity}' (response {severity.respond})",
                f"'severity: {alert.severity}' of alert {alert.name}, which pages",
                alert.severity_at,
                "raise the severity of the runbook, or lower the severity of the alert",
            )
            return


def _alerts_of(runbook: Runbook, handbook: Handbook) -> list[MonitoringRule]:
    """Return the rules of the alerts of a runbook. Several rules can have one name."""
    return [
        alerting_rule
        for alert in handbook.alerts
        if alert.name in runbook.alerts and alert.service == runbook.service
        for alerting_rule in alert.rules
    ]


@rule(
    "CON008",
    "contradictory-runbook-threshold",
    over=Runbook,
    severity=Severity.WARNING,
    advisory=True,
)
def contradictory_runbook_threshold(runbook: Runbook, context: Context) -> Iterator[Finding]:
    """A threshold in the section "When to use this runbook" is the threshold of the alert.

    The rule reads percentages after words such as "more than" and "below", if the runbook has only
    one alert, or if the sentence names the alert. The expression must have one threshold for a
    ratio.

    Why: the on-call engineer expects the problem at another error rate than the alert.

    Bad:
        When more than 10 % of searches fail (`SearchFails`)
    Good:
        When more than 5 % of searches fail (`SearchFails`)
    """
    stated = [
        (prose, percentage)
        for prose in read_prose(runbook, ("%", "cent"), section="When to use this runbook")
        for percentage in find_percentages(prose.text)
    ]
    for prose, percentage in stated:
        name = _find_alert_name(prose, percentage, runbook.alerts)
        if name is None and len(stated) == len(runbook.alerts) == 1:
            name = runbook.alerts[0]
        alerts = [alert for alert in _alerts_of(runbook, context.handbook) if alert.name == name]
        alert = _find_wrong_threshold(percentage, alerts)
        if alert:
            yield make_contradiction(
                prose.at(percentage.start),
                f"threshold '{percentage.text}'",
                f"the {_threshold_of(alert)} % in 'expr' of alert {alert.name}",
                alert.at("expr"),
                "correct the runbook, or the expression of the alert",
            )


def _find_alert_name(prose: Prose, percentage: Quantity, names: Sequence[str]) -> str | None:
    """Return the alert in parentheses after a percentage in the same sentence, or None.

    No other percentage may be between them.
    """
    after = prose.text[percentage.end :]
    match = re.search(r"\(\s*(\w+)\s*\)", after)
    if match is None or match[1] not in names:
        return None
    between = after[: match.start()]
    is_interrupted = re.search(r"[.;!?]\s", between) or any(find_percentages(between))
    return None if is_interrupted else match[1]


def _find_wrong_threshold(
    percentage: Quantity, alerts: list[MonitoringRule]
) -> MonitoringRule | None:
    """Return the first alert whose threshold contradicts a percentage.

    Returns None if one of the alerts agrees, or if the threshold of one of them is not certain.
    """
    fires_above = {Bound.AT_LEAST: True, Bound.AT_MOST: False}.get(percentage.bound)
    if fires_above is None:
        return None
    for alert in alerts:
        thresholds = list(read_thresholds(alert.expr))
        if len(thresholds) != 1 or thresholds[0].fires_above is not fires_above:
            return None
        if abs(thresholds[0].percent - percentage.value) < percentage.step / 2:
            return None
    return alerts[0] if alerts else None


def _threshold_of(alert: MonitoringRule) -> str:
    (threshold,) = read_thresholds(alert.expr)
    return f"{float(threshold.percent):g}"


_ANNOTATIONS: Final = ("summary", "description", "message")
"""The annotations with text for people."""
_EXPANSION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def _annotations_of(alert: MonitoringRule) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of annotations. Spaces replace template expressions."""
    for name in _ANNOTATIONS:
        text = alert.annotations.get(name, "")
        yield name, _EXPANSION.sub(lambda match: " " * len(match[0]), text)


@rule(
    "CON009",
    "contradictory-alert-threshold",
    over=Alert,
    severity=Severity.WARNING,
    requires=("RBK009",),
    advisory=True,
)
def contradictory_alert_threshold(alert: Alert) -> Iterator[Finding]:
    """A threshold in the annotations of an alert is the threshold of its expression.

    The rule reads one percentage after words such as "more than" and "below" in `summary`,
    `description` and `message`. The expression must have one threshold for a ratio.

    Why: the on-call engineer reads the summary, and not the expression.

    Bad:
        More than 50% of searches have failed
    Good:
        More than 5% of searches have failed
    """
    for alerting_rule in alert.rules:
        yield from _check_threshold(alerting_rule)


def _check_threshold(alert: MonitoringRule) -> Iterator[Finding]:
    """Report the percentages in the annotations of a rule that are not its threshold."""
    for name, text in _annotations_of(alert):
        stated = [
            percentage
            for percentage in find_percentages(text)
            if percentage.bound in (Bound.AT_LEAST, Bound.AT_MOST)
        ]
        if len(stated) == 1 and _find_wrong_threshold(stated[0], [alert]):
            yield make_contradiction(
                alert.at("annotations", name),
                f"threshold '{stated[0].text}' in '{name}' of alert {alert.name}",
                f"the {_threshold_of(alert)} % in 'expr'",
                alert.at("expr"),
                f"correct '{name}' or 'expr'",
            )


_STATE: Final = re.compile(
    r"\b(?:has|have|had|been|is|are|was|were|fails?|failed|failing|stays?|stayed|remains?|no|not"
    r"|down|above|below|over|under|unavailable|unreachable|missing|more|less|than|high|slow)\b",
    re.IGNORECASE,
)
_INSTRUCTION: Final = re.compile(
    r"\b(?:wait|watch|silence|snooze|mute|ignore|keep|kept|retain|retained|stored|cached|valid"
    r"|look|sleep|pause|will|would|can|may|might|should|must|if|until|enough|observe|monitor"
    r"|recorded|blocked|expected|expires?|paid|backed|budget)\b",
    re.IGNORECASE,
)
"""Words of sentences that do not say how long the expression has been true."""
_RANGE: Final = re.compile(r"(\w+)\s*\([^()\[\]]*\[\s*([0-9a-z]+)\s*[:\]]")
_EVENTS: Final = re.compile(r"\w+_over_time|increase|changes|i?delta|resets")
_AGE: Final = re.compile(r"\b(?:time|timestamp)\s*\(")


@rule(
    "CON010",
    "contradictory-alert-duration",
    over=Alert,
    severity=Severity.WARNING,
    requires=("RBK009",),
    advisory=True,
)
def contradictory_alert_duration(alert: Alert) -> Iterator[Finding]:
    """A duration in the annotations of an alert is its `for` duration.

    The rule reads durations after the word "for" in `summary`, `description` and `message`, such as
    "Orders have failed for 5 minutes". Durations in the expression are skipped.

    Why: the on-call engineer assumes that the problem began later or earlier than it did.

    Bad:
        for: 15m
    Good:
        for: 5m
    """
    for alerting_rule in alert.rules:
        yield from _check_duration(alerting_rule)


def _check_duration(alert: MonitoringRule) -> Iterator[Finding]:
    """Report the durations in the annotations of a rule that are not its `for` duration."""
    held = read_duration(alert.for_duration or "0s")
    if held is None or _AGE.search(alert.expr):
        return
    for name, text in _annotations_of(alert):
        for quantity in find_durations(text):
            if _is_held_time(text, quantity) and not _is_true_for(quantity, held, alert):
                yield make_contradiction(
                    alert.at("annotations", name),
                    f"duration '{quantity.text}' in '{name}' of alert {alert.name}",
                    f"'for: {alert.for_duration}'" if alert.for_duration else "the missing 'for'",
                    alert.at("for") if alert.node.find("for") else alert.at("expr"),
                    f"correct '{name}' or 'for'",
                )


def _is_held_time(text: str, quantity: Quantity) -> bool:
    """Return whether a text says that a state has held for this time."""
    sentence = re.split(r"[.!?;]\s", text[: quantity.start])[-1]
    before = re.fullmatch(r"(.*)\bfor\s*", sentence, re.DOTALL | re.IGNORECASE)
    after = re.match(r"\s*(?:[.,;:)!]|$|\(|and\b|on\b|in\b)", text[quantity.end :])
    return bool(
        before and after and _STATE.search(before[1]) and not _INSTRUCTION.search(before[1])
    )


def _is_true_for(quantity: Quantity, held: Fraction, alert: MonitoringRule) -> bool:
    """Return whether a stated duration can be true when the alert fires."""
    if quantity.bound in (Bound.VAGUE, Bound.AT_MOST):
        return True
    ranges = {
        read_duration(length): bool(_EVENTS.fullmatch(function))
        for function, length in _RANGE.findall(alert.expr)
    }
    if quantity.value in ranges and (not held or ranges[quantity.value]):
        return True
    if any(length and quantity.value == held + length for length in ranges):
        return True
    if quantity.value == read_duration(alert.text_of("keep_firing_for") or ""):
        return True
    if quantity.bound is Bound.AT_LEAST:
        return quantity.value <= held
    return quantity.value == held


@rule("CON011", "contradictory-service-label", over=Alert, severity=Severity.WARNING, advisory=True)
def contradictory_service_label(alert: Alert, context: Context) -> Iterator[Finding]:
    """The label `service` of an alert does not name another service than the one that owns it.

    A service owns the alerts in the rule files that it lists, or that are in its runbook folder.
    Only names of services in the handbook are compared, and names that are similar to one of them.

    Why: Alertmanager sends the alert to the team of one service, and the handbook shows it on the
    page of the other.

    Bad:
        labels: {severity: ticket, service: shop}
    Good:
        labels: {severity: ticket, service: search}
    """
    for alerting_rule in alert.rules:
        yield from _check_service_label(alerting_rule, context.handbook)


def _check_service_label(alert: MonitoringRule, handbook: Handbook) -> Iterator[Finding]:
    """Report the label of a rule that names another service than its owner."""
    name = alert.labels.get("service", "")
    if not name or TEMPLATE in name or name in _owners_of(alert, handbook):
        return
    if handbook.get(Service, name) is None:
        slugs = [service.id for service in handbook.of(Service)]
        if slug := find_only_match(name, slugs):
            message = f"unknown service '{name}' in the label 'service' of alert {alert.name}"
            yield Finding(alert.at("labels", "service"), message, suggest(slug))
        return
    owner = handbook.get(Service, alert.service)
    if owner is None:
        return
    at = owner.at("rules", alert.path)
    yield make_contradiction(
        alert.at("labels", "service"),
        f"label 'service: {name}' of alert {alert.name}",
        f"the owner of the rule file, '{alert.service}'",
        at if owner.rules else owner.source.at(1),
        f"write 'service: {alert.service}', or move the alert to a rule file of '{name}'",
    )


def _owners_of(alert: MonitoringRule, handbook: Handbook) -> set[str]:
    """Return the services that own the rule file of an alert."""
    listing = {service.id for service in handbook.of(Service) if alert.path in service.rules}
    return listing | {alert.service}


@rule(
    "CON012",
    "low-objective",
    over=Service,
    severity=Severity.WARNING,
    requires=("SVC012",),
    advisory=True,
)
def low_objective(service: Service, context: Context) -> Iterator[Finding]:
    """An objective of a service is not lower than the objective of the same name in the policy.

    The policy has the lowest objectives that every service must reach, such as
    `policy.slo.availability`.

    Why: the standard promises more than the service does.

    Bad:
        objective: 99.5,
    Good:
        objective: 99.9,
    """
    for objective in read_objectives(service):
        floor = context.handbook.settings.slo_percentage(objective.name)
        if floor and 1 <= objective.percent < floor.percent:
            yield make_contradiction(
                objective.at,
                f"objective '{objective.text}' of {objective.name}",
                f"'policy.slo.{objective.name}', which is {floor.text}",
                floor.at,
                "raise the objective, or correct the policy",
            )


@rule(
    "CON013",
    "contradictory-window",
    over=Service,
    severity=Severity.WARNING,
    requires=("SVC012",),
    advisory=True,
)
def contradictory_window(service: Service, context: Context) -> Iterator[Finding]:
    """The time window of an objective is the window in the policy (`slo.window`).

    Why: error budgets of different windows cannot be compared, and the policy of the error budget
    applies to one window.

    Bad:
        window: 7d}
    Good:
        window: 30d}
    """
    settings = context.handbook.settings
    node = settings.policy_node("slo", "window")
    window = read_duration(node.text) if node else None
    for objective in read_objectives(service):
        if node and window and objective.window and objective.window != window:
            yield make_contradiction(
                objective.window_at,
                f"window '{objective.window_text}' of {objective.name}",
                f"'policy.slo.window', which is {node.text}",
                node.at,
                "correct the window, or correct the policy",
            )


@rule("CON014", "ratio-objective", over=Service, severity=Severity.WARNING, advisory=True)
def ratio_objective(service: Service) -> Iterator[Finding]:
    """An objective is a percentage, such as 99.9, and not a ratio, such as 0.999.

    Why: the page would show an objective of less than 1 %.

    Bad:
        objective: 0.999,
    Good:
        objective: 99.9,
    """
    for objective in read_objectives(service):
        if 0 < objective.percent < 1:
            yield Finding(
                objective.at,
                f"objective '{objective.text}' of {objective.name} is a ratio, not a percentage",
                f"write {float(objective.percent * 100):.10g}",
            )


@rule("CON015", "contradictory-budget", over=Handbook, severity=Severity.WARNING, advisory=True)
def contradictory_budget(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """An error budget is the time that its objective allows: (100 % − objective) of the window.

    The rule compares `policy.slo.budget` with `policy.slo.availability` and `policy.slo.window`. It
    also reads budgets in services, runbooks and post-mortems, such as "a budget of 43.2 minutes in
    30 days", and compares them with the objectives of the service.

    Why: with a wrong budget, a team stops its releases too early or too late.

    Bad:
        budget: 4.32 minutes
    Good:
        budget: 43.2 minutes
    """
    yield from _check_policy_budget(handbook)
    records = (
        record for record in handbook.records if isinstance(record, Service | Runbook | Postmortem)
    )
    yield from context.judge("CON015", records, _check_budgets)


def _check_budgets(record: Service | Runbook | Postmortem, context: Context) -> Iterator[Finding]:
    if not states_budget(record):
        return
    wrong_budgets = list(find_wrong_budgets(record, context.handbook))
    for budget in wrong_budgets:
        yield make_contradiction(
            budget.prose.at(budget.quantity.start),
            f"error budget '{budget.quantity.text}'",
            f"the objective '{budget.objective_text}', which allows {budget.expected}",
            budget.objective_at,
            f"write '{budget.expected}', or correct the objective",
        )
    wrong_paragraphs = {id(budget.prose.paragraph) for budget in wrong_budgets}
    for share in find_wrong_shares(record) if isinstance(record, Postmortem) else ():
        if id(share.prose.paragraph) in wrong_paragraphs:
            continue
        yield make_contradiction(
            share.prose.at(share.quantity.start),
            f"share '{share.quantity.text}' of the error budget",
            f"'{share.key}', which gives {share.expected}",
            share.moment_at,
            f"write '{share.expected}', or correct '{share.key}'",
        )


def _check_policy_budget(handbook: Handbook) -> Iterator[Finding]:
    settings = handbook.settings
    nodes = [settings.policy_node("slo", key) for key in ("window", "budget")]
    availability = settings.slo_percentage("availability")
    window, budget = nodes
    if not (availability and window and budget):
        return
    seconds = read_duration(window.text)
    stated = next(find_durations(budget.text), None)
    if not seconds or not stated or read_duration(budget.text) is None:
        return
    expected = seconds * (100 - availability.percent) / 100
    if not stated.agrees_with(expected):
        yield make_contradiction(
            budget.at,
            f"error budget '{budget.text}'",
            f"'policy.slo.availability', {availability.text} of {window.text}",
            availability.at,
            f"write '{float(expected / 60):.10g} minutes', or correct the objective",
        )


_STATUS: Final = "|".join(ADR_STATUSES)
_THIS: Final = r"[Tt]his (?:decision|ADR|record)"
_STATUS_SENTENCE: Final = re.compile(
    rf"(?:^|(?<=[.!?])\s+){_THIS}\s+(?:is|was|has\s+been|had\s+been)\s+({_STATUS})"
    r"(?=\s*(?:[.;!]|$)|\s+by\s+ADR-|\s+on\s+[0-9])"
)
_STATUS_LABEL: Final = re.compile(
    rf"\s*Status\s*:\s*({_STATUS})\s*(?:$|[.\n(,]|by\b|on\s+[0-9])", re.IGNORECASE
)
_STATUS_WORDS: Final = ("this decision", "this adr", "this record", "status")
_RELATION_WORDS: Final = ("supersedes", "amends", "superseded by", "amended by")
_ADR_ID: Final = re.compile(r"\bADR-[0-9]{4}\b")


@rule("CON016", "contradictory-status", over=Adr, severity=Severity.WARNING, advisory=True)
def contradictory_status(adr: Adr) -> Iterator[Finding]:
    """A status in the prose of a decision is its status in the front matter, or an earlier one.

    The rule reads sentences such as "This decision was rejected." and labels such as
    "Status: Rejected".

    Why: readers do not know whether they must follow the decision.

    Bad:
        PostgreSQL 16. This decision was rejected.
    Good:
        PostgreSQL 16.
    """
    past_statuses = {change.status for change in adr.history}
    for prose in _read_own_prose(adr, _STATUS_WORDS):
        for match in _find_statuses(prose):
            status = match[1].lower()
            if adr.status is None or status in past_statuses | {adr.status}:
                continue
            if not can_become(ADR_NEXT_STATUSES, status, adr.status):
                yield make_contradiction(
                    prose.at(match.start(1)),
                    f"status '{match[1]}' in the text",
                    f"'status: {adr.status}'",
                    adr.at("status"),
                    "correct the text or 'status'",
                )


def _read_own_prose(adr: Adr, words: Sequence[str]) -> Iterator[Prose]:
    """Yield the paragraphs of a decision, without its alternatives, which have other statuses."""
    if not contains_any(adr.source.body, words):
        return
    alternatives = {id(block) for block in adr.section_blocks("Alternatives considered")}
    for prose in read_prose(adr, words):
        if id(prose.paragraph) not in alternatives:
            yield prose


def _find_statuses(prose: Prose) -> Iterator[re.Match[str]]:
    """Yield the statuses of the decision itself in a paragraph.

    "This decision" after the id of another decision can mean the other one.
    """
    if match := _STATUS_LABEL.match(prose.text):
        yield match
    for match in _STATUS_SENTENCE.finditer(prose.text):
        if not _ADR_ID.search(prose.text, 0, match.start()):
            yield match


_RELATION: Final = re.compile(
    rf"(?:^|(?<=[.!?])\s+)\W*(?:{_THIS}\s+|(?P<self>ADR-[0-9]{{4}})\s+)?"
    r"(?P<verb>(?i:supersedes|amends|(?:(?:is|was|has\s+been)\s+)?(?:superseded|amended)\s+by))"
    r"\s*:?\s+(?P<ids>ADR-[0-9]{4}(?:(?:\s*,\s*|\s+and\s+|\s*,\s*and\s+)ADR-[0-9]{4})*)"
    r"(?!\s*(?:['’]s\b|\(?(?:in\s+part|partly|partially)))"
)


@rule("CON017", "undeclared-relation", over=Adr, severity=Severity.WARNING, advisory=True)
def undeclared_relation(adr: Adr, context: Context) -> Iterator[Finding]:
    """A decision that the prose supersedes or amends is also in the front matter.

    The rule reads sentences such as "This decision supersedes ADR-0002." and labels such as
    "Amends: ADR-0002".

    Why: the page of the other decision does not show that it changed.

    Bad:
        MySQL for the reports. This decision supersedes ADR-0002.
    Good:
        MySQL for the reports.
    """
    for prose in _read_own_prose(adr, _RELATION_WORDS):
        for match in _RELATION.finditer(prose.text):
            if match["self"] not in (None, adr.id):
                continue
            verb = " ".join(match["verb"].lower().split())
            for id_match in _ADR_ID.finditer(prose.text, match.start("ids"), match.end("ids")):
                yield from _check_relation(adr, verb, id_match, prose, context.handbook)


def _check_relation(
    adr: Adr, verb: str, id_match: re.Match[str], prose: Prose, handbook: Handbook
) -> Iterator[Finding]:
    """Report a relation in the text that the front matter of neither decision has."""
    other = handbook.get(Adr, id_match[0])
    if other is None or other is adr:
        return
    owner, key, target = adr, verb, other
    if verb.endswith("amended by"):
        owner, key, target = other, "amends", adr
    elif verb.endswith("superseded by"):
        key = "superseded_by"
        if adr.status != "superseded":
            return  # rule CON016 reports the status
    ids = getattr(owner, key)
    if target.id not in ids:
        yield make_contradiction(
            prose.at(id_match.start()),
            f"'{verb} {other.id}' in the text",
            f"'{key}: [{', '.join(ids)}]' of {owner.id}",
            owner.at(key),
            f"add {target.id} to '{key}' in {owner.path}, or correct the text",
        )
