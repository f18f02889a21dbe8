"""Mutation test of the records of this repository, with a random sample of fixed seed.

`make mutation` tests all mutants.
"""

from __future__ import annotations

import random
from functools import cache

import pytest

from handbook.loading import load
from tests.handbooks import ROOT
from tests.mutation import (
    KEY_CHANGES,
    OPTIONAL_KEY,
    RULE_CHANGES,
    SECTION_CHANGES,
    TARGET_CHANGES,
    Mutant,
    find_missed_mutants,
    judge_mutants,
    make_mutants,
)

pytestmark = pytest.mark.mutation


@cache
def all_mutants() -> list[Mutant]:
    return list(make_mutants(load(ROOT)))


def test_every_kind_of_change_has_mutants() -> None:
    changes = {mutant.change for mutant in all_mutants()}
    assert {
        *KEY_CHANGES,
        *RULE_CHANGES,
        *SECTION_CHANGES,
        "path",
        "fragment",
        "id",
        "reorder",
    } <= changes
    assert {*TARGET_CHANGES, "id of the kind standard", "id of the kind runbook"} <= changes
    assert len(all_mutants()) > 5000
    assert {mutant.path.split("/")[0] for mutant in all_mutants()} == {
        "adr",
        "docs",
        "runbooks",
        "postmortems",
        "mkdocs.yml",
    }


def test_rewritten_front_matter_alone_has_no_finding() -> None:
    """A mutant without an optional key has rewritten front matter, but usually no fault."""
    mutant_by_path = {
        mutant.path: mutant
        for mutant in all_mutants()
        if mutant.excuse == OPTIONAL_KEY and mutant.change == "delete"
    }
    codes = [code for _, code in judge_mutants(list(mutant_by_path.values()))]
    assert codes.count("") > 10


@pytest.mark.parametrize("seed", [7, 11])
def test_the_check_finds_a_sample_of_the_mutants(seed: int) -> None:
    sample: list[Mutant] = random.Random(seed).sample(all_mutants(), 200)  # noqa: S311
    assert find_missed_mutants(judge_mutants(sample)) == []


def test_the_check_finds_every_kind_of_change_of_a_rule() -> None:
    by_change = {mutant.change: mutant for mutant in all_mutants() if mutant.change in RULE_CHANGES}
    assert find_missed_mutants(judge_mutants(list(by_change.values()))) == []
