"""Facts that are stated twice: contradictions are advisory warnings, everything else is silent."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from handbook.cli import main
from handbook.diagnostics import Diagnostic
from handbook.loading import load
from handbook.reading.promql import read_thresholds
from handbook.reading.quantities import Bound, find_clock_times, find_durations, find_percentages
from handbook.rules.engine import rules, run
from handbook.rules.prose import clear_markup
from tests.handbooks import CORPORA, SMALL, TODAY, copy_site, needs_corpora, report, write

POSTMORTEM = "postmortems/2026-05-04-orders-stopped.md"
DECISION = "adr/0002-use-postgresql.md"
RULE_FILE = "runbooks/search/search.rules.yml"
RUNBOOK = "runbooks/search/slow.md"
SERVICE = "docs/services/shop.md"
IMPACT = "No order for 40 minutes."
RATIOS = """\
      - record: job:errors:ratio_rate5m
        expr: sum by (job) (rate(errors_total[5m])) / sum by (job) (rate(requests_total[5m]))
      - record: job:error_ratio:rate5m
        expr: sum by (job) (rate(errors_total[5m])) / sum by (job) (rate(requests_total[5m]))
"""
FEW_EXAMPLES = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def contradictions(root: Path) -> list[Diagnostic]:
    """Return the findings of the family, and make sure that there are no others."""
    findings = report(root).findings
    assert [finding for finding in findings if not finding.code.startswith("CON")] == []
    return list(findings)


def replace_in(root: Path, file: str, old: str, new: str) -> None:
    text = (root / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, (file, old)
    (root / file).write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_site(SMALL, tmp_path / "handbook")


# The small incident: started 10:00, detected 10:02, acknowledged 10:05, mitigated 10:40, resolved
# 11:00.
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The outage lasted 42 minutes.", "CON001"),
        ("The outage lasted\n42 minutes.", "CON001"),
        ("The outage lasted **42 minutes**.", "CON001"),
        ("In total, the outage lasted 42 minutes.", "CON001"),
        ("No order was placed, and the outage lasted 42 minutes.", "CON001"),
        ("The incident lasted more than 2 hours.", "CON001"),
        ("The incident lasted less than 30 min.", "CON001"),
        ("The shop was down for 42 minutes.", "CON001"),
        ("The service was unavailable for 1 h 30 min.", "CON001"),
        ("Down for 42 minutes.", "CON001"),
        ("The incident caused 42 minutes of downtime.", "CON001"),
        ("The incident was detected after 5 minutes.", "CON001"),
        ("The outage was detected within 1 minute.", "CON001"),
        ("Detected after 5 minutes by the alert.", "CON001"),
        ("The incident was detected 5 minutes after it began.", "CON001"),
        ("The page was acknowledged 8 minutes after it went out.", "CON001"),
        ("The incident was resolved after 3 hours.", "CON001"),
        ("- Time to detect: 5 minutes", "CON001"),
        ("- **Duration:** 42 minutes", "CON001"),
        ("Time to detect: 2 minutes\nTime to mitigate: 45 minutes", "CON001"),
        ("The incident was mitigated at 10:42.", "CON002"),
        ("The incident was mitigated at 10:42 UTC.", "CON002"),
        ("It was mitigated at 10:42 (UTC).", "CON002"),
        ("The outage began at 09:58.", "CON002"),
        ("The incident was declared resolved at 11:01.", "CON002"),
        ("The outage ended at 10:50.", "CON002"),
        ("Resolved at 11:05.", "CON002"),
        ("- Mitigated: 10:42", "CON002"),
        ("The incident stayed open, 10:00–11:05 UTC, until all was well.", "CON002"),
    ],
)
def test_prose_contradicts_the_times_of_the_incident(root: Path, text: str, code: str) -> None:
    replace_in(root, POSTMORTEM, IMPACT, f"None.\n\n{text}\n\n")
    (finding,) = contradictions(root)
    assert finding.code == code
    source = (root / POSTMORTEM).read_text(encoding="utf-8").split("\n")
    stated = re.match(r"\w+ '(.+?)' contradicts ", finding.message)
    assert stated
    line = source[finding.at.line - 1][finding.at.column - 1 :]
    assert stated[1].split()[0] in line[:30]
    assert re.search(rf"\({re.escape(POSTMORTEM)}:[4-8]\)$", finding.message)


@pytest.mark.parametrize(
    "text",
    [
        "The outage lasted 40 minutes.",
        "The outage lasted 60 minutes.",
        "The outage lasted 1 hour.",
        "The outage lasted about 42 minutes.",
        "The outage lasted 40–45 minutes.",
        "The outage lasted 40 to 45 minutes.",
        "The outage lasted forty-two minutes.",
        "The outage lasted 42,5 minutes.",
        "The outage lasted more than 30 minutes.",
        "The outage lasted less than 2 hours.",
        "The outage would have lasted 90 minutes.",
        "Without the alert, the outage lasted 90 minutes longer.",
        "If the outage lasted 90 minutes, the budget would be gone.",
        "In March, the outage lasted 90 minutes.",
        "The Stripe outage lasted 90 minutes.",
        "The first outage lasted 5 minutes.",
        "The migration lasted 90 minutes.",
        "The outage lasted 5 minutes longer than in March.",
        "The replica was down for 5 minutes.",
        "The missing index was detected after 20 minutes.",
        "The team looked at the pool. It was detected after 20 minutes.",
        "The incident was detected within 5 minutes.",
        "The page was acknowledged 3 minutes after it went out.",
        "The bug was mitigated at 10:12.",
        "The incident was mitigated at 12:40 CEST.",
        "The incident was mitigated at 10:42 AM.",
        "The incident was mitigated at 10:40 UTC.",
        "The incident stayed open, 10:00–11:00 UTC, until all was well.",
        "> The outage lasted 42 minutes.",
        'A customer wrote: "The outage lasted 42 minutes."',
        "`The outage lasted 42 minutes.`",
        "<!-- The outage lasted 42 minutes. -->\nNone.",
        "- Time to detect: N/A",
        "- Time to detect: 2 minutes",
        "The ticket was\nresolved at 12:05.",
    ],
)
def test_prose_that_agrees_or_is_uncertain_is_silent(root: Path, text: str) -> None:
    replace_in(root, POSTMORTEM, IMPACT, f"None.\n\n{text}\n\n")
    assert contradictions(root) == []


def test_a_local_time_can_be_in_the_zone_of_the_front_matter(root: Path) -> None:
    replace_in(
        root, POSTMORTEM, "mitigated: 2026-05-04T10:40Z", "mitigated: 2026-05-04T12:40+02:00"
    )
    replace_in(root, POSTMORTEM, IMPACT, "The incident was mitigated at 12:40.")
    assert contradictions(root) == []


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("started", "- 10:00 — no", "- 09:59 — no"),
        ("detected", "- 10:02 — `", "- 10:03 — `"),
        ("acknowledged", "- 10:05 — the", "- 10:06 — the"),
        ("mitigated", "- 10:40 — orders", "- 10:41 — orders"),
        ("resolved", "- 11:00 — the", "- 11:01 — the"),
    ],
)
def test_the_timeline_has_every_minute_of_the_front_matter(
    root: Path, key: str, old: str, new: str
) -> None:
    replace_in(root, POSTMORTEM, old, new)
    (finding,) = contradictions(root)
    assert finding.code == "CON003"
    assert f"the time of '{key}' ({POSTMORTEM}:" in finding.message
    source = (root / POSTMORTEM).read_text(encoding="utf-8").split("\n")
    assert source[finding.at.line - 1].startswith(new)


def test_the_timeline_of_a_draft_can_be_incomplete(root: Path) -> None:
    replace_in(root, POSTMORTEM, "- 10:40 — orders", "- 10:41 — orders")
    replace_in(root, POSTMORTEM, "status: published", "status: draft")
    assert [finding.code for finding in report(root).findings] == ["PMT009"]


@pytest.mark.parametrize(
    ("event", "codes"),
    [
        ("`OrdersFlat` fires", ["CON004"]),
        ("OrdersFlat fired", ["CON004"]),
        ("`OrdersDown` fires, and `OrdersFlat` fires", ["CON004"]),
        ("`OrdersFlat` does not fire", []),
        ("the team silences `OrdersFlat`", []),
        ("`NodeDown` of the cluster fires", []),
        ("the alarm of the building fires", []),
    ],
)
def test_an_alert_that_fires_is_listed(root: Path, event: str, codes: list[str]) -> None:
    replace_in(root, POSTMORTEM, "`OrdersDown` fires", event)
    assert [finding.code for finding in contradictions(root)] == codes


@pytest.mark.parametrize(
    ("reviewers", "codes"),
    [("[shop-team]", ["CON005"]), ("[shop-team, order-team]", []), ("[order-team]", [])],
)
def test_a_reviewer_is_not_an_author(root: Path, reviewers: str, codes: list[str]) -> None:
    replace_in(root, POSTMORTEM, "reviewers: [platform-team]", f"reviewers: {reviewers}")
    assert [finding.code for finding in contradictions(root)] == codes


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("Tier 1 (15 min)", "Tier 1 (20 min)", ["CON006"]),
        ("Tier 2 (30 min)", "Tier 2 (31 min)", ["CON006"]),
        ("Tier 1 (15 min)", "Tier 1 (5 min)", []),
        ("Owner of the shop", "Owner of the shop\n- Tier 3 (90 min): Director", []),
        ("severity: sev-1", "severity: sev-4", ["CON007"]),
        ("severity: sev-1", "severity: sev-2", []),
    ],
)
def test_a_runbook_agrees_with_the_policy(root: Path, old: str, new: str, codes: list[str]) -> None:
    replace_in(root, "runbooks/shop/orders-down.md", old, new)
    assert [finding.code for finding in contradictions(root)] == codes


def test_the_escalation_of_a_problem_that_pages_nobody_can_be_later(root: Path) -> None:
    replace_in(root, "runbooks/shop/orders-flat.md", "severity: sev-2", "severity: sev-4")
    replace_in(root, "runbooks/shop/orders-flat.md", "(15 min)", "(600 min)")
    assert contradictions(root) == []


def test_an_invalid_time_in_the_policy_is_an_error(root: Path) -> None:
    replace_in(root, "mkdocs.yml", "first: 15 minutes", "first: soon")
    (finding,) = report(root).findings
    assert (finding.code, finding.at.path) == ("FM006", "mkdocs.yml")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("When more than 10 % of searches fail (`SearchFails`).", ["CON008"]),
        ("When more than 10% of searches fail (SearchFails).", ["CON008"]),
        ("When over 10 percent fail (`SearchFails`), or one is slow (`SearchSlow`).", ["CON008"]),
        ("When more than 5% of searches fail (`SearchFails`).", []),
        ("When less than 95% of searches succeed (`SearchFails`).", []),
        ("When about 10% of searches fail (`SearchFails`).", []),
        ("When more than 10% of searches are slow (`SearchSlow`).", []),
        ("More than 10% of searches fail. See the alerts (`SearchFails`).", []),
        ("When more than 10% of searches fail.", []),  # the runbook has two alerts
    ],
)
def test_a_runbook_states_the_threshold_of_its_alert(
    root: Path, text: str, codes: list[str]
) -> None:
    old = "When more than 5 % of searches fail (`SearchFails`), or when one is slow."
    replace_in(root, RUNBOOK, old, text)
    assert [finding.code for finding in contradictions(root)] == codes


@pytest.mark.parametrize(
    ("expression", "summary", "codes"),
    [
        ("a / b > 0.5", "More than 5 % fail", ["CON009"]),
        ("a / b > 0.05", "More than 50 percent fail", ["CON009"]),
        ("100 * a / b > 50", "Errors above 5%", ["CON009"]),
        ("0.5 < a / b", "The error rate exceeds 5%", ["CON009"]),
        ("1 - a / b > 5 / 10", "More than 5% fail", ["CON009"]),
        ("job:errors:ratio_rate5m > 0.5", "More than 5% fail", ["CON009"]),
        ("job:error_ratio:rate5m > 0.5", "More than 5% fail", ["CON009"]),
        ("a / b < 0.5", "Less than 5% succeed", ["CON009"]),
        ("a / b > 0.05", "More than 5% fail", []),
        ("a / b > 0.054", "More than 5% fail", []),
        ("a / b > 0.05", "95% of requests succeed", []),
        ("a / b > 0.05", "About 10% fail", []),
        ("a / b > 0.05", "Availability below 99%", []),
        ("a / b > 0.5 or c / d > 0.1", "More than 5% fail", []),
        ("x_sum / x_count > 0.5", "More than 5% are slow", []),
        ("histogram_quantile(0.99, a) > 0.5", "More than 5% are slow", []),
        ("a / b > 14.4 * (1 - 0.999)", "The budget of 99.9% is gone", []),
        ("a / b > 0.05", "{{ $value }}% fail, more than 5,5 %", []),
    ],
)
def test_a_summary_states_the_threshold_of_the_expression(
    root: Path, expression: str, summary: str, codes: list[str]
) -> None:
    old = "sum(rate(search_errors_total[5m])) / sum(rate(searches_total[5m])) > 0.05"
    replace_in(root, RULE_FILE, old, json.dumps(expression))
    with (root / RULE_FILE).open("a", encoding="utf-8") as file:
        file.write(RATIOS)
    replace_in(
        root, RULE_FILE, "More than 5% of searches have failed for 5 minutes", json.dumps(summary)
    )
    replace_in(root, RUNBOOK, "more than 5 % of", "many")
    assert [finding.code for finding in contradictions(root)] == codes


@pytest.mark.parametrize(
    ("expression", "held", "summary", "codes"),
    [
        ("rate(a[5m]) > 1", "15m", "Searches have failed for 5 minutes", ["CON010"]),
        ("rate(a[5m]) > 1", "15m", "Searches have failed for 5m.", ["CON010"]),
        ("a > 1", "10m", "Search has been slow for more than 15 minutes", ["CON010"]),
        ("a > 1", "90m", "Search is down for 1 hour", ["CON010"]),
        ("a > 1", "15m", "Searches have failed for 15 minutes", []),
        ("a > 1", "1h30m", "Searches have failed for 1 h 30 min", []),
        ("a > 1", "15m", "Searches have failed for more than 5 minutes", []),
        ("a > 1", "15m", "Searches have failed for about 5 minutes", []),
        ("a > 1", "15m", "Searches have failed for the last 5 minutes", []),
        ("a > 1", "15m", "Search is down. Wait for 5 minutes.", []),
        ("a > 1", "15m", "Search is down. Silence the alert for 2 hours.", []),
        ("time() - a > 3600", "15m", "There has been no index for 1 hour", []),
        ("increase(a[1h]) == 0", "15m", "There has been no search for 1 hour", []),
        ("rate(a[5m]) == 0", "0s", "There has been no search for 5 minutes", []),
        ("rate(a[5m]) == 0", "10m", "There has been no search for 15 minutes", []),
    ],
)
def test_a_summary_states_the_for_duration(
    root: Path, expression: str, held: str, summary: str, codes: list[str]
) -> None:
    old = "sum(rate(search_errors_total[5m])) / sum(rate(searches_total[5m])) > 0.05"
    replace_in(root, RULE_FILE, old, json.dumps(expression))
    replace_in(root, RULE_FILE, "for: 5m", f"for: {held}")
    replace_in(
        root, RULE_FILE, "More than 5% of searches have failed for 5 minutes", json.dumps(summary)
    )
    assert [finding.code for finding in contradictions(root)] == codes


@pytest.mark.parametrize(
    ("label", "codes"),
    [("shop", ["CON011"]), ("search", []), ("elastic", []), ('"{{ $labels.app }}"', [])],
)
def test_the_service_label_names_the_owner(root: Path, label: str, codes: list[str]) -> None:
    replace_in(root, RULE_FILE, "service: search}", f"service: {label}}}")
    findings = contradictions(root)
    assert [finding.code for finding in findings] == codes
    assert all("(docs/services/search.md:1)" in finding.message for finding in findings)


def test_a_misspelt_service_label_is_an_unknown_service(root: Path) -> None:
    replace_in(root, RULE_FILE, "service: search}", "service: serach}")
    (finding,) = contradictions(root)
    assert finding.code == "CON011"
    assert finding.message.startswith("unknown service 'serach' in the label 'service' of alert ")
    assert finding.hint == "did you mean 'search'?"


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        ("{name: availability, objective: 99.5, window: 30d}", ["CON012"]),
        ("{name: availability, objective: 99.95, window: 30d}", []),
        ("{name: latency, objective: 95, window: 30d}", []),
        ("{name: availability, objective: 99.9, window: 7d}", ["CON013"]),
        ("{name: availability, objective: 0.999, window: 30d}", ["CON014"]),
        ("{name: latency, objective: 0.95, window: 30d}", ["CON014"]),
    ],
)
def test_an_objective_agrees_with_the_policy(root: Path, row: str, codes: list[str]) -> None:
    replace_in(root, SERVICE, "{name: availability, objective: 99.9, window: 30d}", row)
    assert [finding.code for finding in contradictions(root)] == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("The error budget is 43 minutes a month.", []),
        ("The error budget is 44 minutes a month.", []),
        ("The error budget is 43.2 minutes in 30 days.", []),
        ("The error budget is 8.76 hours a year.", []),
        ("It has an error budget of about 50 minutes.", []),
        ("The budget of 5 minutes for a deployment is enough.", []),
        ("A budget of 99.5% over 30 days, whose error budget is 3.6 hours, is spent.", []),
        ("The error budget is 52 minutes a month.", ["CON015"]),
        ("The error budget is 4.32 minutes in 30 days.", ["CON015"]),
        ("It has an error budget of 3.6 hours.", ["CON015"]),
        ("An objective of 99.5% over 30 days, whose error budget is 43.2 minutes.", ["CON015"]),
    ],
)
def test_an_error_budget_agrees_with_its_objective(root: Path, text: str, codes: list[str]) -> None:
    replace_in(root, SERVICE, "Sells books.", text)
    assert [finding.code for finding in contradictions(root)] == codes


@pytest.mark.parametrize(
    ("share", "codes"), [("93%", []), ("92%", []), ("29%", ["CON015"]), ("about 29%", [])]
)
def test_a_share_of_the_budget_agrees_with_the_times(
    root: Path, share: str, codes: list[str]
) -> None:
    text = "The error budget is 43.2 minutes, and the time until mitigation used {} of it."
    replace_in(root, POSTMORTEM, IMPACT, text.format(share))
    assert [finding.code for finding in contradictions(root)] == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("This decision was rejected.", ["CON016"]),
        ("PostgreSQL. This decision is deprecated.", ["CON016"]),
        ("This ADR was superseded by ADR-0003.", ["CON016"]),
        ("**Status:** Rejected", ["CON016"]),
        ("This decision was accepted.", []),
        ("Status: Proposed", []),
        ("This decision is not rejected.", []),
        ("If this decision was rejected, we would use files.", []),
        ("ADR-0001 used files. This decision was rejected.", []),
        ("> This decision was rejected.", []),
        ("The proposal was rejected.", []),
        ("This decision is deprecated if PostgreSQL 17 is out.", []),
        ("This decision supersedes ADR-0001.", []),
        ("This decision amends ADR-0001.", ["CON017"]),
        ("Amends: ADR-0003", ["CON017"]),
        ("Supersedes ADR-0001 and ADR-0003.", ["CON017"]),
        ("ADR-0002 supersedes ADR-0003.", ["CON017"]),
        ("This decision was amended by ADR-0001.", ["CON017"]),
        ("This decision was amended by ADR-0003.", []),
        ("ADR-0003 supersedes ADR-0001.", []),
        ("A later decision that supersedes ADR-0003 is needed.", []),
        ("This decision supersedes ADR-0003 in part.", []),
    ],
)
def test_prose_agrees_with_the_front_matter_of_a_decision(
    root: Path, text: str, codes: list[str]
) -> None:
    replace_in(root, DECISION, "PostgreSQL 16.", text)
    assert [finding.code for finding in contradictions(root)] == codes


def test_a_wrong_budget_and_its_share_are_one_finding(root: Path) -> None:
    text = (
        "The error budget is 33.2 minutes in 30 days, and the time until mitigation used 93% of it."
    )
    replace_in(root, POSTMORTEM, IMPACT, text)
    assert [finding.code for finding in contradictions(root)] == ["CON015"]


def test_an_objective_that_is_a_ratio_is_one_finding(root: Path) -> None:
    replace_in(root, SERVICE, "objective: 99.9,", "objective: 0.999,")
    replace_in(root, SERVICE, "Sells books.", "The error budget is 43.2 minutes in 30 days.")
    assert [finding.code for finding in contradictions(root)] == ["CON014"]


def test_the_status_of_an_alternative_is_not_the_status_of_the_decision(root: Path) -> None:
    replace_in(root, DECISION, "- MySQL: weaker with JSON.", "- MySQL.\n\nStatus: Rejected")
    assert contradictions(root) == []


# Reports


@pytest.fixture
def contradictory_root(root: Path) -> Path:
    replace_in(root, POSTMORTEM, "lasted 40 minutes", "lasted 45 minutes")
    return root


def call(root: Path, *options: str) -> int:
    return main(["check", "--root", str(root), "--today", str(TODAY), *options])


def test_every_rule_of_the_family_is_an_advisory_warning() -> None:
    family = [rule for rule in rules().values() if rule.code.startswith("CON")]
    assert {rule.severity_label for rule in family} == {"advisory warning"}
    assert [rule for rule in rules().values() if rule.is_advisory] == family


@pytest.mark.parametrize(
    ("severity", "summary", "code"),
    [
        (None, "0 errors, 1 warning (1 advisory)", 0),
        ("warning", "0 errors, 1 warning", 1),
        ("error", "1 error, 0 warnings", 1),
    ],
)
def test_strict_counts_a_contradiction_only_if_the_settings_say_so(
    contradictory_root: Path,
    severity: str | None,
    summary: str,
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if severity:
        old = "rules: {SAFE002: error}"
        replace_in(contradictory_root, "mkdocs.yml", old, f"rules: {{CON001: {severity}}}")
    assert call(contradictory_root, "--strict") == code
    assert capsys.readouterr().out.splitlines()[-1].endswith(f": {summary}")


def test_every_report_marks_an_advisory_warning(
    contradictory_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs: dict[str, str] = {}
    for name in ("text", "github", "json", "sarif"):
        assert call(contradictory_root, "--format", name) == 0
        outputs[name] = capsys.readouterr().out
    assert re.search(r" CON001 warning: .+ \(advisory\)$", outputs["text"], re.MULTILINE)
    assert "::warning file=" in outputs["github"]
    assert "title=CON001 contradictory-duration (advisory)::" in outputs["github"]
    document = json.loads(outputs["json"])
    (finding,) = document["findings"]
    assert (finding["severity"], finding["advisory"]) == ("warning", True)
    assert (document["summary"]["warnings"], document["summary"]["advisory"]) == (1, 1)
    (result,) = json.loads(outputs["sarif"])["runs"][0]["results"]
    assert (result["level"], result["properties"]) == ("warning", {"advisory": True})


def test_a_contradiction_can_be_suppressed(root: Path) -> None:
    allow = "<!-- handbook: allow CON001: the times of another region -->"
    replace_in(root, POSTMORTEM, IMPACT, f"None.\n\n{allow}\nThe outage lasted 45 minutes.\n\n")
    checked = report(root)
    assert (checked.findings, checked.suppressed_count) == ((), 1)


# Quantities


@pytest.mark.parametrize(
    ("text", "seconds", "bound"),
    [
        ("42 minutes", 2520, Bound.EXACT),
        ("42-minute", 2520, Bound.EXACT),
        ("1 h 30 min", 5400, Bound.EXACT),
        ("1h30m", 5400, Bound.EXACT),
        ("500 ms", Fraction(1, 2), Bound.EXACT),
        ("at least 2 hours", 7200, Bound.AT_LEAST),
        ("up to 2 days", 172_800, Bound.AT_MOST),
        ("about 5 min", 300, Bound.VAGUE),
        ("the first 5 minutes", 300, Bound.VAGUE),
    ],
)
def test_a_duration_is_read(text: str, seconds: int | Fraction, bound: Bound) -> None:
    (quantity,) = find_durations(text)
    assert (quantity.value, quantity.bound) == (seconds, bound)


@pytest.mark.parametrize(
    "text",
    [
        "five minutes",
        "5–10 minutes",
        "5 to 10 minutes",
        "between 5 and 10 minutes",
        "2,5 minutes",
        "1,200 minutes",
        "5 m",
        "5 m/s",
        "5 minutes or more",
        "v1.5 minutes"[:4],
        "10:05",
    ],
)
def test_an_ambiguous_duration_is_skipped(text: str) -> None:
    assert list(find_durations(text)) == []


@pytest.mark.parametrize("text", ["5,5 %", "5–10%", "5 or 10 %", "five percent", "5", "-5%"])
def test_an_ambiguous_percentage_is_skipped(text: str) -> None:
    assert list(find_percentages(text)) == []


@pytest.mark.parametrize("text", ["10:18 AM", "10:18 CET", "25:00", "2026-05-04T10:00", "1:2"])
def test_a_time_in_another_zone_is_skipped(text: str) -> None:
    assert list(find_clock_times(text)) == []


@pytest.mark.parametrize(
    "text", ["a `b` c", "`kubectl get x`", "[a](b.md) **c**", '"a b" c', "<!-- a\nb --> c", "``a``"]
)
def test_markup_is_cleared_without_moving_the_text(text: str) -> None:
    cleared = clear_markup(text)
    assert len(cleared) == len(text)
    assert cleared.count("\n") == text.count("\n")
    assert not set(cleared) & set("`*[](<")


def test_a_deep_expression_has_no_threshold() -> None:
    assert read_thresholds("+".join("1" * 5000) + " > 0.5") == frozenset()


# Generated records: a consistent one has no finding, and one wrong value has exactly one.

MINUTES = st.integers(min_value=1, max_value=300)


def make_postmortem(start: datetime, minutes: list[int]) -> tuple[str, dict[str, str]]:
    """Return the path and text parts of a consistent post-mortem."""
    keys = ("started", "detected", "acknowledged", "mitigated", "resolved")
    offsets = [sum(minutes[:index]) for index in range(5)]
    moments = {
        key: start + timedelta(minutes=offset) for key, offset in zip(keys, offsets, strict=True)
    }
    parts = {
        "keys": "".join(f"{key}: {moment:%Y-%m-%dT%H:%MZ}\n" for key, moment in moments.items()),
        "lasted": f"The outage lasted {offsets[3]} minutes.",
        "detected": f"The outage was detected after {offsets[1]} minutes.",
        "time": f"The incident was resolved at {moments['resolved']:%H:%M} UTC.",
        "timeline": "".join(
            f"- {moment:%Y-%m-%d %H:%M} — {key}\n" for key, moment in moments.items()
        ),
    }
    return f"postmortems/{start:%Y-%m-%d}-generated.md", parts


def write_postmortem(root: Path, path: str, parts: dict[str, str]) -> None:
    text = (SMALL / POSTMORTEM).read_text(encoding="utf-8")
    text = re.sub(r"2026-05-1[23]", "2026-11-20", text)
    text = re.sub(
        r"started:.*?published: \S+\n",
        parts["keys"] + "published: 2026-11-20\n",
        text,
        flags=re.DOTALL,
    )
    impact = "\n\n".join(parts[key] for key in ("lasted", "detected", "time"))
    text = re.sub(r"No order for 40.*?\n", impact + "\n", text)
    text = re.sub(r"- 09:50.*?\n\n", parts["timeline"] + "\n", text, flags=re.DOTALL)
    write(root, {path: text})


@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 10, 1)),
    minutes=st.lists(MINUTES, min_size=4, max_size=4),
    wrong=st.sampled_from(["", "lasted", "detected", "time", "timeline"]),
)
@example(start=datetime(2026, 5, 12), minutes=[1, 1, 1, 1], wrong="")
@FEW_EXAMPLES
@pytest.mark.fuzz
def test_a_generated_postmortem_has_a_finding_only_for_a_wrong_value(
    start: datetime, minutes: list[int], wrong: str, tmp_path_factory: Any
) -> None:
    root = copy_site(SMALL, tmp_path_factory.mktemp("generated") / "handbook")
    start = start.replace(second=0, microsecond=0, tzinfo=UTC)
    path, parts = make_postmortem(start, minutes)
    total = sum(minutes)
    end = start + timedelta(minutes=total)
    parts |= {
        "lasted": {"lasted": f"The outage lasted {total + 7} minutes."},
        "detected": {"detected": f"The outage was detected after {minutes[0] + 5} minutes."},
        "time": {"time": f"The incident was resolved at {end + timedelta(minutes=9):%H:%M} UTC."},
        "timeline": {
            "timeline": parts["timeline"].replace(
                f"{end:%Y-%m-%d %H:%M} — resolved",
                f"{end + timedelta(1):%Y-%m-%d %H:%M} — resolved",
            )
        },
    }.get(wrong, {})
    write_postmortem(root, path, parts)
    codes = [finding.code for finding in report(root).findings]
    assert (
        codes
        == {
            "": [],
            "lasted": ["CON001"],
            "detected": ["CON001"],
            "time": ["CON002"],
            "timeline": ["CON003"],
        }[wrong]
    )


@given(
    percent=st.integers(min_value=1, max_value=99),
    minutes=st.integers(min_value=1, max_value=59),
    wrong=st.sampled_from(["", "percent", "minutes"]),
)
@FEW_EXAMPLES
@pytest.mark.fuzz
def test_a_generated_alert_has_a_finding_only_for_a_wrong_value(
    percent: int, minutes: int, wrong: str, tmp_path_factory: Any
) -> None:
    root = copy_site(SMALL, tmp_path_factory.mktemp("generated") / "handbook")
    stated_percent = percent % 99 + 1 if wrong == "percent" else percent
    stated_minutes = minutes + 1 if wrong == "minutes" else minutes
    replace_in(root, RUNBOOK, "more than 5 % of", "many")
    replace_in(root, RULE_FILE, "> 0.05", f"> {percent / 100}")
    replace_in(root, RULE_FILE, "for: 5m", f"for: {minutes}m")
    replace_in(
        root,
        RULE_FILE,
        "More than 5% of searches have failed for 5 minutes",
        f"More than {stated_percent}% of searches have failed for {stated_minutes} minutes",
    )
    codes = [finding.code for finding in report(root).findings]
    assert codes == {"": [], "percent": ["CON009"], "minutes": ["CON010"]}[wrong]


@given(
    objective=st.decimals(min_value="99.9", max_value="99.99", places=2),
    is_wrong=st.booleans(),
)
@FEW_EXAMPLES
@pytest.mark.fuzz
def test_a_generated_budget_has_a_finding_only_if_it_is_wrong(
    objective: Any, is_wrong: bool, tmp_path_factory: Any
) -> None:
    root = copy_site(SMALL, tmp_path_factory.mktemp("generated") / "handbook")
    replace_in(root, SERVICE, "objective: 99.9,", f"objective: {objective},")
    budget = float((100 - objective) / 100 * 43_200) + is_wrong
    replace_in(root, SERVICE, "Sells books.", f"The error budget is {budget:.2f} minutes.")
    assert [finding.code for finding in report(root).findings] == ["CON015"] * is_wrong


# Real records


@needs_corpora
@pytest.mark.fuzz
def test_public_records_have_no_false_contradiction(root: Path) -> None:
    """Each record has front matter, and an alert, with the facts that its own text states."""
    files = sorted(CORPORA.glob("*/**/*.md"))
    assert len(files) > 400
    for number, file in enumerate(files, 100):
        path, text = make_record(number, file)
        write(root, {path: text})
        if path.startswith("runbooks/"):
            with (root / RULE_FILE).open("a", encoding="utf-8") as rule_file:
                rule_file.write(make_alert(number, text))
    findings = run(load(root), TODAY).findings
    assert [f"{finding}" for finding in findings if finding.code.startswith("CON")] == []


def make_alert(number: int, text: str) -> str:
    """Return the alert of a runbook, with the first percentage of the runbook as its threshold."""
    percentage = next(find_percentages(text), None)
    limit = float(percentage.value) if percentage else 12.3
    comparison = "<" if percentage and percentage.bound is Bound.AT_MOST else ">"
    return f"      - {{alert: Alert{number}, expr: 100 * a / b {comparison} {limit}}}\n"


def make_record(number: int, file: Path) -> tuple[str, str]:
    """Return the path and the text of a record of the corpora, with front matter."""
    text = file.read_text(encoding="utf-8", errors="replace")
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    match file.relative_to(CORPORA).parts[0]:
        case "adr":
            stated = re.search(
                r"(?i)\bstatus\b\W{0,20}(accepted|rejected|deprecated|superseded)", text
            )
            status = stated[1].lower() if stated else "accepted"
            keys = f"status: {status}\ndate: 2026-03-01\ndeciders: [order-team]"
            return f"adr/{number:04}-x.md", f"---\n{keys}\n---\n{body}"
        case "runbooks":
            keys = (
                f"alerts: [Alert{number}]\nseverity: sev-2\nowner: shop-team\nreviewed: 2026-11-01"
            )
            body = body.replace("## Meaning", "## When to use this runbook")
            return f"runbooks/search/x{number}.md", f"---\n{keys}\n---\n{body}"
    start = datetime(2026, 3, 1, tzinfo=UTC)
    detected = re.search(r"Time to detection: ([0-9]+ (?:hours [0-9]+ )?minutes)", text)
    quantity = next(find_durations(detected[1])) if detected else None
    moments = {"started": start}
    if quantity:
        moments["detected"] = start + timedelta(seconds=float(quantity.value))
    moments |= dict.fromkeys(("mitigated", "resolved"), start + timedelta(days=30))
    keys = "".join(f"{key}: {moment:%Y-%m-%dT%H:%MZ}\n" for key, moment in moments.items())
    keys += "severity: sev-1\nstatus: draft\nservices: [shop]\nauthors: [shop-team]"
    return f"postmortems/2026-03-01-x{number}.md", f"---\n{keys}\n---\n{body}"
