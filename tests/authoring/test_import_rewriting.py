"""The body of an imported record is rewritten at exact places, and every rewrite can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handbook.authoring.importing.dates import DayOrder, find_dates, read_compact_date
from handbook.authoring.rewriting import (
    BodyDraft,
    CitedRecord,
    Rewrite,
    apply,
    demote_titles,
    move_title,
    rewrite_citations,
    rewrite_duplicate_ids,
    rewrite_links,
    rewrite_tables,
    undo,
    without_overlaps,
)
from handbook.reading.raw_html import read_html
from handbook.reading.source import read_source

fuzzed = settings(max_examples=200, derandomize=True, deadline=None, database=None)
IDS = {4: "ADR-0004", 8: "ADR-0008", 9: "ADR-0029"}


def make_body(text: str) -> BodyDraft:
    """Return the body of a file with this text."""
    return BodyDraft(read_source("0001-a.md", text.encode()))


def rewrite(text: str, *functions: Callable[[BodyDraft], Iterable[Rewrite]]) -> str:
    """Apply passes to a text, and return the new text."""
    body = make_body(text)
    for function in functions:
        body.change(function(body))
    assert undo(body.text, body.passes) == text
    return body.text


def normalise(text: str) -> str:
    """Rewrite what a record cannot contain, and return the new text."""
    body = make_body(text)
    body.normalise()
    assert undo(body.text, body.passes) == text
    assert not read_html(body.text, body.tree).faults
    return body.text


def cite(text: str) -> str:
    """Rewrite the citations in a text. The file 0009-b.md is ADR-0077."""

    def find_linked(target: str) -> CitedRecord | None:
        return CitedRecord(9, "ADR-0077") if target == "0009-b.md" else None

    return rewrite(text, lambda body: rewrite_citations(body, IDS.get, find_linked))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See ADR 8.", "See ADR-0008."),
        ("See ADR-8, ADR008, adr 8 and ADR #8.", "See ADR-0008, ADR-0008, ADR-0008 and ADR-0008."),
        ("See ADR-0008.", "See ADR-0008."),
        ("See ADR-0009.", "See ADR-0029."),
        ("# ADR 8 and more", "# ADR-0008 and more"),
        ("| a |\n|---|\n| ADR 8 |", "| a |\n|---|\n| ADR-0008 |"),
        ("- **ADR 8**: _adr-4_", "- **ADR-0008**: _ADR-0004_"),
        ("> ADR 8", "> ADR-0008"),
        ("[ADR 9](0009-b.md)", "[ADR-0077](0009-b.md)"),
        ("[ADR 8](0009-b.md)", "[ADR-0008](0009-b.md)"),
        ("[ADR 8]\n\n[ADR 8]: x.md", "[ADR-0008][ADR 8]\n\n[ADR 8]: x.md"),
        ("[ADR 8][]\n\n[ADR 8]: x.md", "[ADR-0008][ADR 8]\n\n[ADR 8]: x.md"),
        ("[ADR 8][b]\n\n[b]: x.md", "[ADR-0008][b]\n\n[b]: x.md"),
        ("![ADR 8]\n\n[ADR 8]: x.png", "![ADR-0008][ADR 8]\n\n[ADR 8]: x.png"),
        ("é ADR 8 – ü", "é ADR-0008 – ü"),
    ],
)
def test_citations_become_ids(text: str, expected: str) -> None:
    assert cite(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "`ADR 8`",
        "```\nADR 8\n```",
        "    ADR 8",
        "<!-- ADR 8 -->",
        "https://shop.example/ADR-8",
        "<https://shop.example/ADR-8>",
        "[decision](ADR-8)",
        "[decision](x.md 'ADR 8')",
        "[b]: ADR-8",
        "ADR 99 and ADR-0099",
        "ADR 8.2, ADR-8-draft, ADR 80000, PADR 8, x-ADR-8, /ADR-8",
        "adr/0008-use-mysql.md",
        "[ADR 8](https://other.example/adr/8)",
        "ADR",
    ],
)
def test_other_text_is_no_citation(text: str) -> None:
    assert cite(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a <T> b", r"a \<T> b"),
        ("<div>\nx\n</div>", "\\<div>\nx\n\\</div>"),
        ("<kbd>x</kbd><br/>", "<kbd>x</kbd><br/>"),
        ('<kbd class="k">x</kbd>', "<kbd>x</kbd>"),
        ("<br clear='all'>", "<br>"),
        ("a <sub>x", r"a \<sub>x"),
        ("a </sup>", r"a \</sup>"),
        ("a <details>b</details>", r"a \<details>b\</details>"),
        (
            "<details open>\n<summary>x</summary>\n\ny\n\n</details>",
            "<details>\n<summary>x</summary>\n\ny\n\n</details>",
        ),
        ("<!-- <div> -->", "<!-- <div> -->"),
        ("<?php ?> <!DOCTYPE html>", r"\<?php ?> \<!DOCTYPE html>"),
        ('<img src="a b.png" alt="x">', "![x](a%20b.png)"),
        ("<img src=a.png>", "![a.png](a.png)"),
        ("<img src=a.png title='A \"b\"' alt=x>", r'![x](a.png "A \"b\"")'),
        ('<p><img src="a.png" alt="[x]"/></p>', r"\<p>![\[x\]](a.png)\</p>"),
        ("<img>", r"\<img>"),
        ('<a href="x.md">y</a>', "[y](x.md)"),
        ('<a href="x.md"><b>y</b></a>', r"[\<b>y\</b>](x.md)"),
        ('<a href="x.md">y', r'\<a href="x.md">y'),
        ('<a name="x"></a>', r'\<a name="x">\</a>'),
        ('<a href="x.md"></a>', r'\<a href="x.md">\</a>'),
        ('<a href="x.md">]</a>', r'\<a href="x.md">]\</a>'),
        ('<a href="x.md">y</a> <a href="z.md">w</a>', "[y](x.md) [w](z.md)"),
        ("| a |\n|---|\n| <T> |", "| a |\n|---|\n| \\<T> |"),
        ("`<T>`", "`<T>`"),
        ("```\n<T>\n```", "```\n<T>\n```"),
    ],
)
def test_html_becomes_markdown_or_text(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```mermaid\ngraph\n```", "```text\ngraph\n```"),
        ("~~~~ {.mermaid title=x}\ngraph\n~~~~", "~~~~ text\ngraph\n~~~~"),
        ("- x\n\n  ```Mermaid\n  graph\n  ```", "- x\n\n  ```text\n  graph\n  ```"),
        ("```mermaid-js\nx\n```", "```mermaid-js\nx\n```"),
        ("![x](https://a.example/b.png)", "[x](https://a.example/b.png)"),
        ("![](https://a.example/b.png)", "[https://a.example/b.png](https://a.example/b.png)"),
        ("![x][y]\n\n[y]: https://a.example/b.png", "[x][y]\n\n[y]: https://a.example/b.png"),
        (
            "[![x](https://a.example/b.png)](c.md)",
            "[x](c.md) ([image](https://a.example/b.png))",
        ),
        ("![x](b.png)", "![x](b.png)"),
        ("| a |\n|---|\n| b |\nText.\nMore.", "| a |\n|---|\n| b |\n\nText.\nMore."),
        ("> | a |\n> |---|\n> Text.", "> | a |\n> |---|\n> Text."),
        ("x\n\n!!! note\n\n    One.\n\ny", "x\n\n> [!NOTE]\n> One.\n\ny"),
        ("```\n!!! note\n\n    One.\n```", "```\n!!! note\n\n    One.\n```"),
    ],
)
def test_other_forms_with_one_right_answer(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("| a | b |\n|---|---|---|\n| 1 | 2 |\n", "| a | b |\n|---|---|\n| 1 | 2 |\n"),
        ("| a | b |\n|---|\n| 1 | 2 |\n", "| a | b |\n|---| --- |\n| 1 | 2 |\n"),
        ("a | b\n--- | :---: | ---\n1 | 2\n", "a | b\n--- | :---: \n1 | 2\n"),
        # The third cell of the row would be lost.
        ("| a | b |\n|---|---|---|\n| 1 | 2 | 3 |\n", None),
        ("| a | b |\n|---|---|\n| 1 | 2 | 3 |\n", None),
        ("a\n---\n", None),
        ("```\n| a |\n|---|---|\n```\n", None),
    ],
)
def test_delimiter_rows_get_the_cells_of_the_header(text: str, expected: str | None) -> None:
    new = rewrite(text, lambda body: rewrite_tables(body.text, body.tree))
    assert new == (text if expected is None else expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A\n\n# B\n", "# A\n\n## B\n"),
        ("A\n=\n\nB\n===\n", "A\n=\n\nB\n---\n"),
        ("# A\n\n> # B\n", "# A\n\n> ## B\n"),
        ("# A\n\n# B #\n\n# C\n", "# A\n\n## B #\n\n## C\n"),
        ("Text.\n\n# A\n\nMore.\n", "\n# A\n\nText.\n\n\nMore.\n"),
        ("## B\n\n# A\n", "\n# A\n\n## B\n\n"),
        ("# A\n\n`# B`\n", "# A\n\n`# B`\n"),
    ],
)
def test_there_is_one_title_and_it_is_first(text: str, expected: str) -> None:
    assert rewrite(text, move_title, demote_titles) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A\n\n## B {#x}\n\n## C {#x}\n", "# A\n\n## B {#x}\n\n## C {#c}\n"),
        (
            "# A\n\n- **DI-1** x\n\n### DI-1 Lambda\n",
            "# A\n\n- **DI-1** x\n\n### DI-1 Lambda {#di-1-lambda}\n",
        ),
        ("# A\n\n## \\_\\_x\n", "# A\n\n## \\_\\_x {#x}\n"),
        ("# A\n\n## B\n\n## B\n", "# A\n\n## B\n\n## B\n"),
    ],
)
def test_duplicate_ids_of_headings(text: str, expected: str) -> None:
    assert rewrite(text, rewrite_duplicate_ids) == expected


@pytest.mark.parametrize(
    "text",
    [
        "[x](a.md)",
        "[x]( a.md )",
        "[x](a.md 'title (1)')",
        "[x](<a.md>)",
        "[x [y]](a.md)",
        "![x](a.md)",
        "[![x](b.png)](a.md)",
        "- [x](a.md)\n  - y",
        "| x |\n|---|\n| [x](a.md) |",
        "[x]: a.md",
        "[x]: <a.md> 'y'",
        "> [x]: a.md",
        "[x]\n\n[x]: a.md\n[y]: b.md",
        "é [ü](a.md)",
    ],
)
def test_targets_of_links_are_replaced(text: str) -> None:
    new = {"a.md": "NEW/1.md"}
    assert rewrite(text, lambda body: rewrite_links(body, new.get)) == text.replace(
        "a.md", "NEW/1.md"
    )


@pytest.mark.parametrize(
    "text", ["`[x](a.md)`", "    [x](a.md)", "```\n[x]: a.md\n```", "Text\n[x]: a.md", "<a.md>"]
)
def test_other_text_has_no_target(text: str) -> None:
    assert rewrite(text, lambda body: rewrite_links(body, {"a.md": "b.md"}.get)) == text


MARKDOWN = st.lists(
    st.sampled_from(
        (
            "# A",
            "# ADR 8: é",
            "## B {#b}",
            "## B {#b}",
            "#x",
            "x\n===",
            "ADR 8",
            "[ADR 9]",
            "[ADR 9]: 0009-b.md",
            "[x](a.md#y)",
            "![x](https://a.example/b.png)",
            "![]",
            "<div>",
            "</div>",
            "<a href='x.md'>",
            "</a>",
            "<img src=x.png>",
            "<br class=x>",
            "<kbd>",
            "<!--",
            "-->",
            "```mermaid",
            "```",
            "| a | b |",
            "|---|",
            "!!! note\n\n    x\n",
            "> ",
            "- ",
            "    ",
            "\t",
            "\\",
            "`",
            "*",
            "\n",
            "\n\n",
            "\r\n",
            "日本",
            "\u00a0",
        )
    ),
    max_size=25,
).map("".join)


@fuzzed
@given(MARKDOWN)
def test_every_body_is_its_source_after_undoing(text: str) -> None:
    body = make_body(text)
    original = body.text
    body.change(rewrite_tables(body.text, body.tree))
    body.change(move_title(body))
    body.change(demote_titles(body))
    body.normalise()
    body.change(rewrite_citations(body, IDS.get, lambda target: None))
    body.change(rewrite_duplicate_ids(body))
    body.change(rewrite_links(body, lambda target: f"new-{target}"))
    assert undo(body.text, body.passes) == original


@fuzzed
@given(st.text("abc\n"), st.data())
def test_rewrites_can_be_undone(text: str, data: st.DataObject) -> None:
    offsets = data.draw(st.lists(st.integers(0, len(text)), max_size=8).map(sorted))
    rewrites = without_overlaps(
        Rewrite(start, text[start:end], data.draw(st.text("xyz", max_size=3)), "test")
        for start, end in pairwise(offsets)
    )
    assert undo(apply(text, rewrites), [rewrites]) == text


def test_another_text_cannot_be_undone() -> None:
    with pytest.raises(ValueError, match="not the rewritten text at 1"):
        undo("axc", [(Rewrite(1, "b", "y", "test"),)])


DAYS = st.dates(date(1990, 1, 1), date(2098, 12, 31))


@fuzzed
@given(
    DAYS,
    st.sampled_from(
        ("%Y-%m-%d", "%Y/%m/%d", "%d %B %Y", "%B %d, %Y", "%d %b %Y", "%Y年%m月%d日", "%b. %d %Y")
    ),
)
def test_a_clear_date_is_read_in_every_form(day: date, form: str) -> None:
    text = day.strftime(form)
    assert [stated.day for stated in find_dates(f"Since {text}, we know.")] == [day]
    assert [stated.day for stated in find_dates(text, DayOrder.MONTH_FIRST)] == [day]


@fuzzed
@given(DAYS, st.sampled_from("/.-"))
def test_a_date_of_three_numbers_is_read_only_if_it_has_one_reading(
    day: date, separator: str
) -> None:
    day_first = day.strftime(f"%d{separator}%m{separator}%Y")
    month_first = day.strftime(f"%m{separator}%d{separator}%Y")
    is_clear = day.day > 12 or day.day == day.month
    for text in (day_first, month_first):
        (stated,) = find_dates(text)
        assert stated.day == (day if is_clear else None)
    (with_order,) = find_dates(day_first, DayOrder.DAY_FIRST)
    assert with_order.day == day
    (with_order,) = find_dates(month_first, DayOrder.MONTH_FIRST)
    assert with_order.day == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("03/04/2021", None),
        ("04/04/2021", date(2021, 4, 4)),
        ("31/12/2021", date(2021, 12, 31)),
        ("12/31/2021", date(2021, 12, 31)),
        ("31/31/2021", None),
        ("09/27/23", date(2023, 9, 27)),
        ("13/12/21", None),  # 13 December 2021, or 21 December 2013
        ("2021-02-30", None),
        ("4th of March 2021", date(2021, 3, 4)),
        ("Sept 4, 2021", date(2021, 9, 4)),
        ("2021-03-04T10:00:00Z", date(2021, 3, 4)),
    ],
)
def test_single_dates(text: str, day: date | None) -> None:
    (stated,) = find_dates(text)
    assert (stated.text.startswith(text[:8]), stated.day) == (True, day)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2021",
        "March 2021",
        "v2021.3.4.5",
        "12021-03-04",
        "2021-03-041",
        "a/2021/03/04/b",
        "1.2.3",
    ],
)
def test_other_numbers_are_no_dates(text: str) -> None:
    assert list(find_dates(text)) == []


@pytest.mark.parametrize(("text", "day"), [("20220708", date(2022, 7, 8)), ("20221308", None)])
def test_compact_dates(text: str, day: date | None) -> None:
    assert read_compact_date(text) == day
