"""Each standard has the same shape, and is short enough to read.

A standard begins with the first steps ("Adopt it"), has a table of deviations and ends with its
changes. Its prose has a limit of words.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import cache
from statistics import median

import pytest

from handbook.loading import load
from handbook.reading.blocks import Heading, Item, List, Paragraph, Table
from handbook.records.standard import (
    ADOPTION,
    CHANGES,
    DEVIATIONS,
    HUMAN_REVIEW,
    DetailKind,
    Standard,
)
from tests.handbooks import ROOT

MOST_WORDS = 2_200
MOST_WORDS_IN_MEDIAN = 1_300
DEVIATION_COLUMNS = ("Case", "Condition", "Who decides", "Where recorded")
STEPS = ("Week 1", "Month 1", "Quarter 1", "May wait")


@cache
def load_standards() -> dict[str, Standard]:
    """Return the standards of this handbook by id."""
    return {standard.id: standard for standard in load(ROOT).of(Standard)}


IDS = sorted(load_standards())
over_standards = pytest.mark.parametrize("id", IDS)


def read_texts(standard: Standard) -> Iterator[str]:
    """Yield the text of each paragraph, heading and table cell.

    Listings, and the links of a requirement to instructions and checklist items, are no prose.
    """
    links = {
        id(detail.block)
        for requirement in standard.requirements
        for kind, detail in requirement.details.items()
        if kind is not DetailKind.WHY
    }
    for block in standard.source.blocks:
        if isinstance(block, Paragraph | Heading) and id(block) not in links:
            yield block.text
        elif isinstance(block, Table):
            for row in (block.head, *block.rows):
                yield from row


def count_words(standard: Standard) -> int:
    """Count the words of prose on the page of a standard. A code span is one word."""
    text = "\n".join(read_texts(standard))
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"`[^`]+`", "code", text)
    return sum(bool(re.search(r"\w", word)) for word in text.split())


@over_standards
def test_a_page_is_short_enough_to_read(id: str) -> None:
    assert count_words(load_standards()[id]) <= MOST_WORDS


def test_half_of_the_pages_are_short() -> None:
    words = {id: count_words(load_standards()[id]) for id in IDS}
    assert median(words.values()) <= MOST_WORDS_IN_MEDIAN, words


@over_standards
def test_a_standard_begins_with_the_smallest_first_step_and_a_plan(id: str) -> None:
    standard = load_standards()[id]
    section = standard.source.sections[0]
    assert section.heading.text == ADOPTION
    blocks = [
        block
        for block in standard.source.blocks
        if section.heading.last < block.first <= section.last
    ]
    assert isinstance(blocks[0], Paragraph)
    assert blocks[0].text.startswith("First step: ")
    [plan] = (block for block in blocks if isinstance(block, Table))
    assert tuple(row[0] for row in plan.rows) == STEPS


@over_standards
def test_a_standard_ends_with_its_changes_newest_first(id: str) -> None:
    standard = load_standards()[id]
    section = standard.source.sections[-1]
    assert section.heading.text == CHANGES
    blocks = [block for block in standard.source.blocks if section.heading.last < block.first]
    texts = [block.text for block in blocks if isinstance(block, Paragraph)]
    assert all(isinstance(block, List | Item | Paragraph) for block in blocks)
    matches = [re.match(r"(\d{4}-\d\d-\d\d): \S", text) for text in texts]
    days = [datetime.date.fromisoformat(match[1]) for match in matches if match]
    assert len(days) == len(texts) > 0
    assert days == sorted(days, reverse=True)


@over_standards
def test_a_table_says_who_decides_about_a_deviation_and_where_it_is_recorded(id: str) -> None:
    blocks = load_standards()[id].section_blocks(DEVIATIONS)
    [table] = (block for block in blocks if isinstance(block, Table))
    assert table.head == DEVIATION_COLUMNS
    assert table.rows
    assert all(all(row) for row in table.rows)


@over_standards
def test_each_requirement_names_its_verification(id: str) -> None:
    # STD009 tests the same. It is off until every standard is converted.
    verifiers = {HUMAN_REVIEW, *load(ROOT).checklist_items}
    unverified = [
        requirement.id
        for requirement in load_standards()[id].requirements
        if not requirement.is_withdrawn
        and not (requirement.verified_by and verifiers >= set(requirement.verified_by))
    ]
    assert unverified == []


@over_standards
def test_each_binding_sentence_of_a_requirement_has_its_obligation(id: str) -> None:
    sentences = [
        (requirement.id, sentence)
        for requirement in load_standards()[id].requirements
        if not requirement.is_withdrawn
        for sentence in re.split(r"(?<=[.;]) +", requirement.text_without_id)
    ]
    without = [
        (id, sentence)
        for id, sentence in sentences
        if not re.search(r"\b(MUST|SHOULD|MAY)\b", sentence)
    ]
    assert without == []
