"""What is read of a Markdown file, and where it stands."""

from __future__ import annotations

import pytest

from handbook.reading.blocks import Code, Heading, Item, List, Paragraph, Quote, Table
from handbook.reading.source import read_source


def test_headings_in_code_and_comments_are_none() -> None:
    text = "# One\n\n```\n# two\n```\n\n<!--\n# three\n-->\n\n    # four\n\n## Five\n"
    assert [(each.first, each.level, each.text) for each in read_source("a.md", text.encode()).headings] == [
        (1, 1, "One"),
        (13, 2, "Five"),
    ]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("# A title\n\n## A title\n\n## A title\n", ["a-title", "a-title_1", "a-title_2"]),
        ("# `code` & *marks* [link](x.md)\n", ["code--marks-link"]),
        ("# 决策记录\n", ["决策记录"]),
        ("# Ünïcode\n", ["ünïcode"]),
        ("## Named {#own-id}\n", ["own-id"]),
        ("## x {#a}\n\n## A\n", ["a", "a_1"]),
        ("# ?!\n", ["_1"]),
        ("# Two  spaces\n", ["two-spaces"]),
    ],
)
def test_ids_of_headings(text: str, ids: list[str]) -> None:
    assert [each.id for each in read_source("a.md", text.encode()).headings] == ids


def test_links_images_and_ids_have_the_place_where_they_stand() -> None:
    text = (
        "---\nstatus: accepted\n---\n# T [a](a.md)\n\n"
        "> quoted ADR-0001 and\n> [b](b.md)\n\n"
        "- item\n  ![c](c.png)\n\n"
        "| x | y [d](d.md) |\n|---|---|\n| x | `ADR-0009` [d](d.md) ADR-0002 |\n\n"
        "`[no](no.md)` [ref][r] ADR-0003\n\n[r]: e.md\n"
    )
    source = read_source("a.md", text.encode())
    assert [(each.target, each.image, each.at.line, each.at.column) for each in source.links] == [
        ("a.md", False, 4, 5),
        ("b.md", False, 7, 3),
        ("c.png", True, 10, 3),
        ("d.md", False, 12, 9),
        ("d.md", False, 14, 18),
        ("e.md", False, 16, 15),
    ]
    assert [(each.id, each.at.line, each.at.column) for each in source.mentions] == [
        ("ADR-0001", 6, 10),
        ("ADR-0002", 14, 28),
        ("ADR-0003", 16, 24),
    ]


def test_blocks_know_what_they_stand_in() -> None:
    source = read_source("a.md", b"- a\n\n    > b\n\n    ```sh\n    ls\n    ```\n\n| h |\n|---|\n| 1 |\n")
    assert [type(block) for block in source.blocks] == [List, Item, Paragraph, Quote, Paragraph, Code, Table]
    code = next(source.every(Code))
    assert isinstance(code.parent, Item)
    assert (code.info, code.text, code.closed, code.first, code.last) == ("sh", "ls\n", True, 5, 7)
    assert next(source.every(Table)).rows == (("1",),)


def test_front_matter_is_text_with_places() -> None:
    source = read_source("a.md", b"---\n\nno: no\nnumber: 0023\ntime: 10:14\n---\n\nBody\n")
    assert source.front_matter
    values = {entry.key: (entry.value, entry.at.line) for entry in source.front_matter.mapping.entries}
    assert {key: getattr(value, "text", None) for key, (value, _) in values.items()} == {
        "no": "no",
        "number": "0023",
        "time": "10:14",
    }
    assert [line for _, line in values.values()] == [3, 4, 5]
    assert (source.front_matter.end.line, source.body.strip()) == (6, "Body")


def test_the_text_of_a_heading_is_without_its_marks() -> None:
    (heading,) = read_source("a.md", b"## *A* `b` [c](d.md) ![e](f.png) {#g}\n").headings
    assert isinstance(heading, Heading)
    assert (heading.text, heading.id) == ("A b c", "g")


def test_a_section_ends_at_the_next_heading_of_its_level() -> None:
    source = read_source("a.md", b"# T\n\n## A\n\n### A1\n\ntext\n\n## B\n")
    assert [(each.heading.text, each.last, each.filled) for each in source.sections] == [
        ("A", 8, True),
        ("B", 10, False),
    ]
