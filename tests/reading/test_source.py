"""The reading of a Markdown file: its content and the locations of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.loading import load
from handbook.reading.blocks import Code, Heading, Item, List, Paragraph, Quote, Table
from handbook.reading.render import render_line
from handbook.reading.source import read_source
from handbook.site.html_faults import find_fault
from tests.handbooks import SMALL, copy_site, render_article, replace_once, report


def test_code_and_comments_have_no_headings() -> None:
    text = "# One\n\n```\n# two\n```\n\n<!--\n# three\n-->\n\n    # four\n\n## Five\n"
    assert [
        (heading.first, heading.level, heading.text)
        for heading in read_source("a.md", text.encode()).headings
    ] == [
        (1, 1, "One"),
        (13, 2, "Five"),
    ]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("# A title\n\n## A title\n\n## A title\n", ["a-title", "a-title-1", "a-title-2"]),
        ("# `code` & *marks* [link](x.md)\n", ["code--marks-link"]),
        ("# 决策记录\n", ["决策记录"]),
        ("# Ünïcode\n", ["ünïcode"]),
        ("## Named {#own-id}\n", ["own-id"]),
        ("## x {#a}\n\n## A\n", ["a", "a-1"]),
        ("# ?!\n", ["-1"]),
        ("# Two  spaces\n", ["two-spaces"]),
    ],
)
def test_ids_of_headings(text: str, ids: list[str]) -> None:
    assert [heading.id for heading in read_source("a.md", text.encode()).headings] == ids


@pytest.mark.parametrize(
    ("texts", "old_ids"),
    [
        (["A", "A", "A"], [None, "a_1", "a_2"]),
        # The old id of the last heading is now the id of the third one.
        (["A", "A", "A", "A 2"], [None, "a_1", "a_2", None]),
        (["A", "A", "A_1"], [None, None, "a_2"]),
    ],
)
def test_an_old_id_is_no_id_of_another_heading(texts: list[str], old_ids: list[str | None]) -> None:
    body = "".join(f"## {text}\n\n" for text in texts)
    headings = read_source("x.md", body.encode()).headings
    assert [heading.old_id for heading in headings] == old_ids


def test_links_images_and_ids_have_their_locations() -> None:
    text = (
        "---\nstatus: accepted\n---\n# T [a](a.md)\n\n"
        "> quoted ADR-0001 and\n> [b](b.md)\n\n"
        "- item\n  ![c](c.png)\n\n"
        "| x | y [d](d.md) |\n|---|---|\n| x | `ADR-0009` [d](d.md) ADR-0002 |\n\n"
        "`[no](no.md)` [ref][r] ADR-0003\n\n[r]: e.md\n"
    )
    source = read_source("a.md", text.encode())
    assert [(link.target, link.image, link.at.line, link.at.column) for link in source.links] == [
        ("a.md", False, 4, 5),
        ("b.md", False, 7, 3),
        ("c.png", True, 10, 3),
        ("d.md", False, 12, 9),
        ("d.md", False, 14, 18),
        ("e.md", False, 16, 15),
    ]
    assert [(mention.id, mention.at.line, mention.at.column) for mention in source.mentions] == [
        ("ADR-0001", 6, 10),
        ("ADR-0002", 14, 28),
        ("ADR-0003", 16, 24),
    ]


def test_blocks_have_their_parents() -> None:
    source = read_source(
        "a.md", b"- a\n\n    > b\n\n    ```sh\n    ls\n    ```\n\n| h |\n|---|\n| 1 |\n"
    )
    assert [type(block) for block in source.blocks] == [
        List,
        Item,
        Paragraph,
        Quote,
        Paragraph,
        Code,
        Table,
    ]
    code = next(source.blocks_of(Code))
    assert isinstance(code.parent, Item)
    assert (code.info, code.text, code.closed, code.first, code.last) == ("sh", "ls\n", True, 5, 7)
    assert next(source.blocks_of(Table)).rows == (("1",),)


def test_front_matter_is_text_with_locations() -> None:
    source = read_source("a.md", b"---\n\nno: no\nnumber: 0023\ntime: 10:14\n---\n\nBody\n")
    assert source.front_matter
    values = {
        entry.key: (entry.value, entry.at.line) for entry in source.front_matter.mapping.entries
    }
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
    assert [
        (section.heading.text, section.last, section.filled) for section in source.sections
    ] == [
        ("A", 8, True),
        ("B", 10, False),
    ]


PLACES = {
    "plain": ("see [x](gone.md) here", 1, 5),
    "after characters of two bytes": ("é é ü [x](gone.md)", 1, 7),
    "after a character beyond U+FFFF": ("🚨 [x](gone.md)", 1, 3),
    "after a tab": ("a\t[x](gone.md)", 1, 3),
    "after an escape and an entity": ("\\* &amp; [x](gone.md)", 1, 10),
    "on a later line": ("a\nb\n[x](gone.md)", 3, 1),
    "in a tight item": ("- a\n  - é [x](gone.md)", 2, 7),
    "in a quotation of two levels": ("> > a\n> > [x](gone.md)", 2, 5),
    "in a cell": ("| a | b |\n|---|---|\n| `a\\|b` | é [x](gone.md) |", 3, 14),
    "in emphasis": ("*é **[x](gone.md)***", 1, 6),
    "an image in a link": ("[![i](gone.md)](https://a.example)", 1, 2),
    "after an address with marks": ("https://a.example/a_*b*c and [x](gone.md)", 1, 30),
    "in a footnote": ("a[^1]\n\n[^1]: é [x](gone.md)", 3, 9),
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["without a mark", "with a byte order mark"])
@pytest.mark.parametrize("name", PLACES)
def test_a_link_has_its_location_in_the_original_file(name: str, start: str, end: str) -> None:
    text, line, column = PLACES[name]
    source = read_source("docs/x.md", (start + f"# T\n\n{text}\n".replace("\n", end)).encode())
    assert [
        (link.at.line, link.at.column) for link in source.links if link.target == "gone.md"
    ] == [(line + 2, column)]


STANDARD = "docs/standards/05-testing.md"


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ("At {{ policy.testing.coverage }} see STD-99.", 38, "REF002"),
        ("At {{policy.testing.coverage}}{{ policy.testing.coverage }} see STD-99.", 65, "REF002"),
        ("See STD-99 at {{ policy.testing.coverage }}.", 5, "REF002"),
        ("At {{ policy.testing.coverage }} and {{ policy.testing.covrage }}.", 38, "STD006"),
    ],
)
def test_a_finding_after_a_policy_value_has_its_location_in_the_original_file(
    line: str, column: int, code: str, tmp_path: Path
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    good = "At {{ policy.testing.coverage }} most of it was run once. {{ other.braces }} stay."
    replace_once(root, good, line)
    number = (root / STANDARD).read_text(encoding="utf-8").split("\n").index(line) + 1
    places = [
        (finding.at.line, finding.at.column, finding.code) for finding in report(root).findings
    ]
    assert (number, column, code) in places


@pytest.mark.parametrize(
    ("text", "ids"),
    [("## Use `{#id}`\n", ["use-id"]), ("## A *b {#c}*\n", ["a-b-c"]), ("## *A* {#c}\n", ["c"])],
)
def test_only_text_at_the_end_of_a_heading_gives_it_an_id(text: str, ids: list[str]) -> None:
    assert [heading.id for heading in read_source("a.md", text.encode()).headings] == ids


ODD = [
    "Note[^A].\n\n[^a]: text",
    '```sh linenums="²"\nls\n```',
    '```sh hl_lines="²"\nls\n```',
    '```sh linenums="' + "9" * 5000 + '"\nls\n```',
    "[^a]: [^b]\n\n[^b]: [^a]\n\nx[^a]",
    "x[^a]\n\n> [^a]: # y",
]


@pytest.mark.parametrize("text", ODD, ids=lambda text: text[:20])
def test_odd_text_has_a_page(text: str) -> None:
    assert (
        find_fault(
            render_article(load(SMALL), "adr/0001-keep-orders-in-sqlite.md", f"# T\n\n{text}\n")
        )
        is None
    )


def test_a_value_that_is_nested_too_deeply_is_text() -> None:
    text = "*a **b " * 60 + "x" + "***" * 60
    assert render_line(text, None) == text


def test_the_node_of_each_block_is_the_one_with_its_offset() -> None:
    text = """# Title

Text \\
with a break.

- one

  > quoted
  >
  > - *deep* item
- [ ] task
1. \\*escaped

   second paragraph

| a | b |
|---|---|
| 1 | 2 |

> ## Heading in a quote
>
> | c |
> |---|

Setext
======

[^1]: A footnote

    - with a list
"""
    source = read_source("docs/a.md", text.encode())
    nodes = {(node.kind, node.start): node for node in source.tree.walk()}
    blocks = [
        block for block in source.blocks if isinstance(block, Heading | Paragraph | Table | Item)
    ]
    assert len(blocks) == 19
    for block in blocks:
        node = source.node_of(block)
        assert nodes[node.kind, block.start] is node
        assert node.kind.name in ("PLAIN", type(block).__name__.upper())
