"""Mutation test of the small handbook, with a random sample of fixed seed."""

from __future__ import annotations

import random

import pytest

from handbook.loading import load
from tests.handbooks import SMALL
from tests.mutation import (
    KEY_CHANGES,
    RULE_CHANGES,
    SECTION_CHANGES,
    TARGET_CHANGES,
    find_missed_mutants,
    judge_mutants,
    make_mutants,
)

pytestmark = pytest.mark.mutation


def test_the_check_finds_a_sample_of_the_mutants_of_the_small_handbook() -> None:
    mutants = list(make_mutants(load(SMALL)))
    changes = {mutant.change for mutant in mutants}
    # Only one record of the small handbook has attachments.
    targets = set(TARGET_CHANGES) - {"attachment of another record"}
    assert {*KEY_CHANGES, *RULE_CHANGES, *SECTION_CHANGES, *targets, "reorder"} <= changes
    records = [mutant for mutant in mutants if mutant.path != "mkdocs.yml"]
    sample = random.Random(7).sample(records, 200)  # noqa: S311
    assert find_missed_mutants(judge_mutants(sample, SMALL)) == []
