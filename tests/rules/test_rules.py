"""Registry of the rules, their documentation and their examples."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from handbook.diagnostics import Finding, Location
from handbook.history.base import Base
from handbook.loading import load
from handbook.reading.problems import Problem, ProblemKind
from handbook.rules.engine import Rule, rule, rules, run
from handbook.site.built import Site
from tests.handbooks import SMALL, TODAY, copy_site, format_findings, replace_once, report

ALL = list(rules().values())
# tests/history/test_base.py and tests/site/test_site_links.py test the other rules.
HANDBOOK_RULES = [rule for rule in ALL if rule.over not in (Base, Site)]


def test_the_small_handbook_has_no_finding() -> None:
    assert format_findings(report(SMALL).findings) == []


@pytest.mark.parametrize("checked_rule", HANDBOOK_RULES, ids=lambda rule: rule.code)
def test_only_the_rule_itself_reports_its_bad_example(checked_rule: Rule, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    replace_once(root, checked_rule.good, checked_rule.bad)
    assert {finding.code for finding in report(root).findings} == {checked_rule.code}


@pytest.mark.parametrize("checked_rule", ALL, ids=lambda rule: rule.code)
def test_every_rule_is_documented(checked_rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z]{2,4}[0-9]{3}", checked_rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", checked_rule.name)
    assert checked_rule.text.endswith(".")
    assert checked_rule.why.endswith(".")
    assert checked_rule.bad != checked_rule.good


def test_names_are_unique() -> None:
    counts = Counter(rule.name for rule in ALL)
    assert [name for name, count in counts.items() if count > 1] == []


def test_required_rules_run_first() -> None:
    order = [rule.code for rule in ALL]
    assert all(order.index(code) < order.index(rule.code) for rule in ALL for code in rule.requires)


@pytest.mark.parametrize("code", ["FM001", "MD003"])
def test_a_code_is_never_reused(code: str) -> None:
    with pytest.raises(ValueError, match=f"duplicate or retired code {code}"):
        rule(code, "another-rule", over=ALL[0].over)(ALL[0].check)


def test_a_required_code_must_be_registered_first() -> None:
    with pytest.raises(ValueError, match="unknown codes required by DEC098: DEC099"):
        rule("DEC098", "another-rule", over=ALL[0].over, requires=("DEC099",))(ALL[0].check)


def test_a_retired_code_in_the_settings_is_reported(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    replace_once(root, "rules: {SAFE002: error}", "rules: {MD003: warning}")
    assert [finding.hint for finding in report(root).findings] == [
        "remove the entry: the rule no longer exists"
    ]


def test_the_codes_of_a_module_are_in_ascending_order() -> None:
    for earlier, later in pairwise(ALL):
        same_family = earlier.code[:3] == later.code[:3]
        if earlier.check.__module__ == later.check.__module__ and same_family:
            assert earlier.code < later.code


def test_each_kind_of_problem_has_exactly_one_rule() -> None:
    reported_kinds = [rule.reports for rule in ALL if rule.reports]
    assert Counter(reported_kinds) == Counter(ProblemKind)


@pytest.mark.parametrize("kind", ProblemKind)
def test_a_rule_reports_the_problems_of_its_kind(kind: ProblemKind) -> None:
    handbook = load(SMALL)
    settings = replace(
        handbook.settings, problems=(Problem(kind, Finding(Location("mkdocs.yml"), "a problem")),)
    )
    findings = run(replace(handbook, settings=settings), TODAY).findings
    assert [finding.code for finding in findings] == [
        rule.code for rule in ALL if rule.reports is kind
    ]
