"""A sample of the mutants, drawn by a fixed seed; `make mutation` tries them all."""

from __future__ import annotations

import random
from functools import cache

import pytest

from handbook.loading import load
from tests.handbooks import ROOT
from tests.mutation import KEY_WAYS, OPTIONAL, SECTION_WAYS, Mutant, holes, judged, mutants

pytestmark = pytest.mark.mutation


@cache
def every() -> list[Mutant]:
    return list(mutants(load(ROOT)))


def test_the_product_is_whole() -> None:
    ways = {mutant.way for mutant in every()}
    assert {*KEY_WAYS, *SECTION_WAYS, "path", "fragment", "id", "reorder"} <= ways
    assert len(every()) > 5000
    assert {mutant.path.split("/")[0] for mutant in every()} == {
        "adr",
        "docs",
        "runbooks",
        "postmortems",
    }


def test_what_is_rewritten_and_not_spoilt_has_no_finding() -> None:
    """Deleting an optional key rewrites the whole front matter: a mutant that dies must die of its defect."""
    rewritten = {
        mutant.path: mutant
        for mutant in every()
        if mutant.right == OPTIONAL and mutant.way == "delete"
    }
    lived = [code for _, code in judged(list(rewritten.values())) if not code]
    assert len(lived) > 10


@pytest.mark.parametrize("seed", [7, 11])
def test_a_sample_of_the_mutants_is_found(seed: int) -> None:
    chosen: list[Mutant] = random.Random(seed).sample(every(), 200)  # noqa: S311
    assert holes(judged(chosen)) == []
