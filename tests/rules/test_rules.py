"""Every rule is documented, and its examples do what they say."""

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
from tests.handbooks import SMALL, TODAY, copy_of, places, replace_once, report

ALL = list(rules().values())
# The others are tried in tests/history/test_base.py and tests/site/test_site_links.py.
ALONE = [each for each in ALL if each.over not in (Base, Site)]


def test_the_small_handbook_has_no_finding() -> None:
    assert places(report(SMALL).findings) == []


@pytest.mark.parametrize("each", ALONE, ids=lambda each: each.code)
def test_the_bad_example_is_found_by_its_rule_and_by_no_other(each: Rule, tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    replace_once(root, each.good, each.bad)
    assert {finding.code for finding in report(root).findings} == {each.code}


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.code)
def test_a_rule_says_what_it_asks_and_why(each: Rule) -> None:
    assert re.fullmatch(r"[A-Z]{2,4}[0-9]{3}", each.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", each.name)
    assert each.text.endswith(".")
    assert each.why.endswith(".")
    assert each.bad != each.good


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(each.name for each in ALL).items() if count > 1] == []


def test_a_required_rule_runs_before_those_that_require_it() -> None:
    order = [each.code for each in ALL]
    assert all(order.index(code) < order.index(each.code) for each in ALL for code in each.requires)


def test_a_code_is_given_once() -> None:
    with pytest.raises(ValueError, match="FM001 is taken"):
        rule("FM001", "again", over=ALL[0].over)(ALL[0].check)


def test_a_retired_code_is_not_given_again() -> None:
    with pytest.raises(ValueError, match="MD003 is taken"):
        rule("MD003", "again", over=ALL[0].over)(ALL[0].check)


def test_settings_that_name_a_retired_code_say_so(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    replace_once(root, "rules: {SAFE002: error}", "rules: {MD003: warning}")
    assert [finding.hint for finding in report(root).findings] == ["remove it: the rule is retired"]


def test_codes_of_a_module_rise() -> None:
    for before, after in pairwise(ALL):
        if before.code[:3] == after.code[:3]:
            assert before.code < after.code


def test_each_kind_of_problem_has_exactly_one_rule() -> None:
    reporting = [each.reports for each in ALL if each.reports]
    assert Counter(reporting) == Counter(ProblemKind)


@pytest.mark.parametrize("kind", ProblemKind)
def test_a_rule_reports_the_problems_of_its_kind(kind: ProblemKind) -> None:
    handbook = load(SMALL)
    settings = replace(
        handbook.settings, problems=(Problem(kind, Finding(Location("mkdocs.yml"), "a problem")),)
    )
    findings = run(replace(handbook, settings=settings), TODAY).findings
    assert [finding.code for finding in findings] == [
        each.code for each in ALL if each.reports is kind
    ]
