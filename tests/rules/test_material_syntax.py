"""Test the findings and fixes for Material syntax and Mermaid in records."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handbook.authoring.fix import apply_fixes
from handbook.cli import main
from handbook.diagnostics import Diagnostic
from handbook.loading import load
from handbook.reading.source import read_source
from handbook.rules.engine import run
from tests.handbooks import ADR, SETTINGS, TODAY, check, write

PATH = "adr/0001-a.md"


def make_record(body: str) -> str:
    """Return the sample decision with `body` as its context."""
    return ADR.replace("Why.\n", body.strip("\n") + "\n", 1)


def check_body(body: str, root: Path) -> list[Diagnostic]:
    """Return all findings of a record with `body` as its context."""
    return list(check(root, {PATH: make_record(body), "adr/index.md": "# Decisions\n"}))


CONSTRUCTS = {
    "an admonition": ("!!! warning\n    Do not.", ["10:1"]),
    "a blank line below": ("!!! warning\n\n    Do not.", ["10:1"]),
    "a title": ('!!! note "Title"\n    Text.', ["10:1"]),
    "an empty title": ('!!! note ""\n    Text.', ["10:1"]),
    "no body": ("!!! note", ["10:1"]),
    "a body at the margin": ("!!! note\nText.", ["10:1"]),
    "a body at three columns": ("!!! note\n   Text.", ["10:1"]),
    "a body with a tab": ("!!! note\n\tText.", ["10:1"]),
    "inline": ("!!! danger inline\n    Text.", ["10:1"]),
    "inline end": ('!!! danger inline end "Title"\n    Text.', ["10:1"]),
    "a kind of its own": ("!!! pied-piper\n    Text.", ["10:1"]),
    "no space": ("!!!note\n    Text.", ["10:1"]),
    "a capital": ("!!! Warning\n    Text.", ["10:1"]),
    "a class": ("!!! note wide\n    Text.", ["10:1"]),
    "below text": ("Text.\n!!! note\n    Text.", ["11:1"]),
    "two": ("!!! note\n    A.\n\n!!! tip\n    B.", ["10:1", "13:1"]),
    "two without a blank line": ("!!! note\n    A.\n!!! tip\n    B.", ["10:1", "12:1"]),
    "with a list": ("!!! note\n    - a\n    - b", ["10:1"]),
    "with a list of two columns": ("!!! note\n    Text.\n\n    - a\n      - b", ["10:1"]),
    "with a fence": ("!!! note\n    ```text\n    a\n\n    b\n    ```", ["10:1"]),
    "with code by indentation": ("!!! note\n\n        code", ["10:1"]),
    "with a line at the margin": ("!!! note\n    Text\nmore.", ["10:1"]),
    "nested": ("!!! note\n    Text.\n\n    !!! tip\n        More.", ["10:1", "13:5"]),
    "in an item": ("- Text.\n\n    !!! note\n        More.", ["12:5"]),
    "in an item of two columns": ("- Text.\n\n  !!! note\n      More.", ["12:3"]),
    "on the first line of an item": ("- !!! note\n        More.", ["10:3"]),
    "in a quotation": ("> !!! note\n>     More.", ["10:3"]),
    "a collapsible block": ("??? note\n    Text.", ["10:1"]),
    "an open one": ('???+ tip "Title"\n    Text.', ["10:1"]),
    "one without a kind": ('??? "Title"\n    Text.', ["10:1"]),
    "one without a body": ("??? note", ["10:1"]),
    "tabs": ('=== "A"\n\n    Text.\n\n=== "B"\n\n    More.', ["10:1"]),
    "tabs with fences": (
        '=== "A"\n    ```text\n    a\n    ```\n=== "B"\n    ```text\n    b\n    ```',
        ["10:1"],
    ),
    "a tab that is selected": ('===+ "A"\n    Text.', ["10:1"]),
    "a set of its own": ('===! "A"\n    Text.', ["10:1"]),
    "two sets of tabs": ('=== "A"\n    Text.\n\nText.\n\n=== "B"\n    Text.', ["10:1", "15:1"]),
    "an admonition in a tab": ('=== "A"\n    !!! note\n        Text.', ["10:1", "11:5"]),
    "tabs below text": ('Text:\n=== "A"\n    Text.', ["11:1"]),
    "a definition": ("HTML\n:   A language.", ["10:1"]),
    "a tab after the colon": ("HTML\n:\tA language.", ["10:1"]),
    "a definition with a paragraph": ("HTML\n:   A language.\n\n    More of it.", ["10:1"]),
    "a definition after a blank line": ("HTML\n\n:   A language.", ["10:1"]),
    "several definitions": ("HTML\n:   A language.\n:   Text.\n\nCSS\n:   Another.", ["10:1"]),
    "definitions with one space": ("HTML\n: A language.\nCSS\n: Another.", ["10:1"]),
    "an abbreviation": ("HTML.\n\n*[HTML]: Hyper Text Markup Language", ["12:1"]),
    "an abbreviation under text": ("HTML.\n*[HTML]: Hyper Text Markup Language", ["11:1"]),
    "abbreviations": ("*[HTML]: Hyper Text Markup Language\n*[CSS]: Style", ["10:1"]),
}


@pytest.mark.parametrize(("body", "expected"), CONSTRUCTS.values(), ids=CONSTRUCTS)
def test_material_syntax_is_one_finding(body: str, expected: list[str], tmp_path: Path) -> None:
    """The finding is at the first line, and no other rule reports the construct."""
    findings = check_body(body, tmp_path)
    assert [f"{finding.at.line}:{finding.at.column}" for finding in findings] == expected
    assert {finding.code for finding in findings} == {"MD021"}
    assert all(finding.hint for finding in findings)


VALID = [
    "Wow!!!",
    "Wow!!! Text.",
    "!!!",
    "!!! Stop",
    "!!! What a day, he said.",
    "!!!important!!!",
    "!!! note that this fails.",
    "Text\n!!! and more.",
    "???",
    "??? what",
    "??? what is this",
    "What???\n\nText.",
    "`!!! note`",
    "\\!!! note",
    '| a | === |\n|---|---|\n| === "A" | !!! note |',
    'a === "b" in code.',
    '`a`\n=== "b" is compared.',
    '```text\n!!! note\n    Text.\n=== "A"\nHTML\n:   x\n*[HTML]: x\n{: .a }\n```',
    "- a\n\n    ```text\n    !!! note\n        Text.\n    ```",
    "`a\n!!! note b`",
    "Text\n: more of it.",
    "Text:\n\n: more.",
    "The time is\n:smile:",
    "a : b",
    "HTML: a language.",
    "- **HTML**: a language.",
    "| a | b |\n|:--|:-:|\n| : x | :   y |",
    "::: note\nText.\n:::",
    "{curly}",
    "{{ policy.a }}",
    "{{policy.a}} and { .a",
    "[a](index.md){{ policy.a }}",
    "[a](index.md) {curly}",
    "[a](index.md){curly}",
    "f(x){.a}",
    "f(x){a=1}",
    'rate(a[5m]){job="x"}',
    '`a{job="x"}`',
    'a{job="x"} is a query.',
    '{job="x"}',
    "`[a](index.md){ .b }`",
    "$x_{i=1}$ and $x^{.5}$",
    "*.{js,ts}",
    "{ }",
    "{.}",
    "${HOME}",
    "{a: 1}",
    "Why.\n\n### Title {#id}",
    "Why.\n\n### Title {#an-id.b} ###",
    "Why.\n\n### Title {curly}",
    "Why.\n\n### A {.b} c",
    "Why.\n\n### `{ .a }`",
    "{% if x %}",
    "{# a comment #}",
    "*[link](index.md)*",
    "*[a]: b*",
    "* [a](index.md): b",
    "\\*[HTML]: a",
    "`*[HTML]: a`",
    "[ref]: https://a.example/\n\nSee [ref].",
    "`[^1]: a`",
    "> [!WARNING]\n> Text.",
    "> [!NOTE]\n> **Title**\n>\n> Text.",
    "- [a](index.md)\n- !important",
    "Text\n\n=\n",
    "[a](index.md) and f(b){.c}",
]


@pytest.mark.parametrize("body", VALID)
def test_similar_text_has_no_finding(body: str, tmp_path: Path) -> None:
    assert [
        finding for finding in check_body(body, tmp_path) if finding.code in ("MD021", "MD022")
    ] == []


@pytest.mark.parametrize("title", ["A decision\n===", "A decision\n====="])
def test_an_underlined_title_has_no_finding(title: str, tmp_path: Path) -> None:
    assert check(tmp_path, {PATH: ADR.replace("# A decision", title)}) == ()


def test_other_faults_of_the_file_are_found(tmp_path: Path) -> None:
    findings = check_body("!!! note\n    - a\n\nText.\n\n| a |\n|---|\nb", tmp_path)
    assert [(finding.at.line, finding.code) for finding in findings] == [
        (10, "MD021"),
        (17, "MD002"),
    ]


def test_an_underline_makes_a_heading_of_it(tmp_path: Path) -> None:
    """The section has no text then. Of the Markdown rules, only MD021 reports it."""
    findings = check_body("!!! note\n    Text.\n---", tmp_path)
    assert [(finding.at.line, finding.code) for finding in findings] == [
        (8, "FM104"),
        (10, "MD021"),
    ]


def test_a_page_is_checked(tmp_path: Path) -> None:
    files = {PATH: ADR, "docs/index.md": "# Home\n\n!!! note\n    Start here.\n"}
    assert [finding.code for finding in check(tmp_path, files)] == ["MD021"]


@pytest.mark.parametrize(
    "info", ["mermaid", "Mermaid", "{ .mermaid }", "{.mermaid}", 'mermaid title="a"']
)
@pytest.mark.parametrize("fence", ["```", "~~~~"])
def test_mermaid_is_a_finding(info: str, fence: str, tmp_path: Path) -> None:
    findings = check_body(f"Why.\n\n{fence}{info}\ngraph TD; a-->b\n{fence}", tmp_path)
    assert [(finding.at.line, finding.code) for finding in findings] == [(12, "MD022")]


@pytest.mark.parametrize(
    "body",
    [
        "```text\ngraph TD; a-->b\n```",
        "```text\nmermaid\n```",
        "````markdown\n```mermaid\na\n```\n````",
        "```mermaid-js\na\n```",
        "`mermaid` and mermaid",
        "```\nmermaid\n```",
    ],
)
def test_a_diagram_source_as_text_has_no_finding(body: str, tmp_path: Path) -> None:
    assert check_body(body, tmp_path) == []


FIXED = {
    "text": ("!!! warning\n    Do not.", "> [!WARNING]\n> Do not."),
    "a blank line": (
        "!!! warning\n\n    Do not.\n\n    At all.",
        "> [!WARNING]\n> Do not.\n>\n> At all.",
    ),
    "a title": ('!!! note "In June"\n    Text.', "> [!NOTE]\n> **In June**\n>\n> Text."),
    "an empty title": ('!!! note ""\n    Text.', "> [!NOTE]\n> Text."),
    "a title with code": ('!!! note "Use `a`"\n    Text.', "> [!NOTE]\n> **Use `a`**\n>\n> Text."),
    "inline": ("!!! danger inline end\n    Text.", "> [!CAUTION]\n> Text."),
    "collapsible": ('???+ tip "T"\n    Text.', "> [!TIP]\n> **T**\n>\n> Text."),
    "a tab": ("!!! note\n\tText.\n\n\tMore.", "> [!NOTE]\n> Text.\n>\n> More."),
    "a list": ("!!! note\n    - a\n        - b\n    - c", "> [!NOTE]\n>\n> - a\n>     - b\n> - c"),
    "a fence": (
        "!!! note\n    Text.\n\n    ```text\n    a\n\n      b\n    ```",
        "> [!NOTE]\n> Text.\n>\n> ```text\n> a\n>\n>   b\n> ```",
    ),
    "a table": (
        "!!! note\n    | a |\n    |---|\n    | b |",
        "> [!NOTE]\n>\n> | a |\n> |---|\n> | b |",
    ),
    "text above": ("Text.\n!!! note\n    More.", "Text.\n\n> [!NOTE]\n> More."),
    "two": ("!!! note\n    A.\n!!! bug\n    B.", "> [!NOTE]\n> A.\n\n> [!CAUTION]\n> B."),
    "two apart": ("!!! note\n    A.\n\n!!! bug\n    B.", "> [!NOTE]\n> A.\n\n> [!CAUTION]\n> B."),
    "a heading below": ("!!! note\n    A.\n### B", "> [!NOTE]\n> A.\n\n### B"),
    "a definition of a link": (
        "!!! note\n    [b]: index.md\n\n    [a][b].",
        "> [!NOTE]\n>\n> [b]: index.md\n>\n> [a][b].",
    ),
    "a hard break": ("!!! note\n    A.  \n    B.", "> [!NOTE]\n> A.  \n> B."),
    "umlauts": ('!!! note "Größe 🚀"\n    Für alle.', "> [!NOTE]\n> **Größe 🚀**\n>\n> Für alle."),
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("body", "expected"), FIXED.values(), ids=FIXED)
def test_an_admonition_becomes_a_callout(
    body: str, expected: str, mark: str, end: str, tmp_path: Path
) -> None:
    """The fix changes no other byte of the file."""
    write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/index.md": "# Decisions\n"})
    write(tmp_path, {PATH: (mark + make_record(body)).replace("\n", end).encode()})
    assert (
        main(["check", "--strict", "--root", str(tmp_path), "--today", "2026-11-23", "--fix"]) == 0
    )
    assert (tmp_path / PATH).read_bytes() == (mark + make_record(expected)).replace(
        "\n", end
    ).encode()


KINDS = {
    "NOTE": "note info abstract summary quote example question",
    "TIP": "tip hint success check",
    "IMPORTANT": "important",
    "WARNING": "warning attention",
    "CAUTION": "danger error failure bug caution",
}


@pytest.mark.parametrize(
    ("kind", "callout"),
    [
        (admonition, kind)
        for kind, admonitions in KINDS.items()
        for admonition in admonitions.split()
    ],
)
def test_a_kind_has_its_callout(kind: str, callout: str, tmp_path: Path) -> None:
    (finding,) = check_body(f"!!! {kind}\n    Text.", tmp_path)
    assert finding.fix is not None
    assert finding.fix.new == f"> [!{callout}]\n> Text."
    assert f"'> [!{callout}]'" in (finding.hint or "")


UNFIXED = [
    "!!! note",
    "!!! note\nText.",
    "!!! note\n   Text.",
    "!!! pied-piper\n    Text.",
    "!!! todo\n    Text.",
    "!!! note wide\n    Text.",
    "!!! note\n    Text\nmore.",
    "!!! note\n    Text.\n---",
    "- a\n\n    !!! note\n        Text.",
    "> !!! note\n>     Text.",
    "!!! note\n    ```text\n    open",
    "!!! note\n    ### Heading\n\n    Text.",
    "!!! note\n    <!-- comment -->\n\n    Text.",
    "!!! note\n    Text.\n\n    !!! tip\n        More.",
    '!!! note "a * b"\n    Text.',
    '!!! note "a ` b"\n    Text.',
    '!!! note "a\\\\"\n    Text.',
    "!!! note\n    Text.\n\n    \tcode",
    "!!! note\n\n    [a]: https://a.example/",
    "- a\n!!! note\n    Text.",
    "> a\n!!! note\n    Text.",
    '??? "T"\n    Text.',
    " !!! note\n    Text.",
    '=== "A"\n    Text.',
    "HTML\n:   A language.",
    "*[HTML]: A language",
]


@pytest.mark.parametrize("body", UNFIXED)
def test_an_unsafe_move_has_no_fix(body: str, tmp_path: Path) -> None:
    findings = [finding for finding in check_body(body, tmp_path) if finding.code == "MD021"]
    assert findings
    assert [finding.fix for finding in findings] == [None] * len(findings)


WORDS = st.lists(
    st.sampled_from(
        [
            "orders",
            "wait,",
            "**do**",
            "not",
            "`run`",
            "*it*",
            "ü",
            "10:30",
            "a_b",
            "{x}",
            "1.5",
            "[a](index.md)",
        ]
    ),
    min_size=1,
)
LINES = WORDS.map(" ".join)
TEXTS = st.lists(LINES, min_size=1, max_size=3).map("\n".join)
LISTS = st.lists(LINES, min_size=1, max_size=3).map(
    lambda items: "\n".join(f"- {item}" for item in items)
)
DEEP_LISTS = st.tuples(LINES, LISTS).map(
    lambda parts: f"- {parts[0]}\n" + re.sub("^", "    ", parts[1], flags=re.M)
)
NUMBERED = st.tuples(LINES, LINES).map(
    lambda parts: f"1. {parts[0]}\n\n    {parts[1]}\n\n2. {parts[0]}"
)
FENCES = st.lists(
    st.sampled_from(["", "a", "  b", "# c", "!!! note", "> d", "- e", "    f"]), max_size=5
).map(lambda lines: "\n".join(["```text", "x", *lines, "```"]))
QUOTES = TEXTS.map(lambda text: re.sub("^", "> ", text, flags=re.M))
TABLES = LINES.map(lambda cell: f"| a | b |\n|---|---|\n| {cell} | c |")
IN_LISTS = st.tuples(LINES, FENCES).map(
    lambda parts: (
        f"- {parts[0]}\n\n"
        + "\n".join(f"    {line}" if line else "" for line in parts[1].split("\n"))
    )
)
BLOCKS = st.one_of(TEXTS, LISTS, DEEP_LISTS, NUMBERED, FENCES, QUOTES, TABLES, IN_LISTS)


@st.composite
def draw_bodies(draw: st.DrawFn) -> list[str]:
    """Draw blocks without adjacent lists or quotations, which other rules report."""
    blocks: list[str] = []
    for block in draw(st.lists(BLOCKS, min_size=1, max_size=5)):
        blocks += [block, "So."] if block[0] in "-1>" and not block.startswith("1.5") else [block]
    return blocks


@pytest.mark.fuzz
@settings(max_examples=200, deadline=None)
@given(
    draw_bodies(),
    st.sampled_from(
        ["!!! note", "!!! danger inline", "??? tip", '???+ bug "In June"', '!!! warning "Use `a`"']
    ),
    st.sampled_from(["", "\n"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["    ", "\t"]),
)
def test_no_word_is_lost(
    tmp_path_factory: pytest.TempPathFactory,
    blocks: list[str],
    header: str,
    gap: str,
    end: str,
    indent: str,
) -> None:
    """The fix leaves no finding, and keeps the text of the admonition in the callout."""
    body = "\n\n".join(blocks)
    indented = "\n".join(indent + line if line else "" for line in body.split("\n"))
    root = write(
        tmp_path_factory.mktemp("handbook"),
        {
            "mkdocs.yml": SETTINGS,
            "adr/index.md": "# Decisions\n",
            PATH: make_record(f"{header}\n{gap}{indented}").replace("\n", end).encode(),
        },
    )
    findings = run(load(root), TODAY).findings
    assert [finding.code for finding in findings] == ["MD021"]
    contents = apply_fixes(
        load(root), (finding.fix for finding in findings if finding.fix), lambda path: False
    ).contents
    write(root, contents)
    assert run(load(root), TODAY).findings == ()
    fixed = contents[PATH].decode()
    assert fixed.count("\n") == fixed.count(end)
    quoted = [line for line in fixed.replace("\r\n", "\n").split("\n") if line.startswith(">")]
    text = "\n".join(line[2:] for line in quoted[1:]).strip("\n")
    if '"' in header:
        title, text = text.split("\n\n", 1)
        assert title == f"**{header.split(chr(34))[1]}**"
    assert text == body


HOSTILE = {
    "definitions": "a\n:   b\n\n# x\n\n" * 20_000,
    "footnotes": "[^a]: b\n\n" * 30_000,
    "admonitions": "!!! note\n    a\n" * 20_000,
    "nested": "".join("    " * n + "!!! note\n\n" for n in range(300)),
    "tabs": '=== "a"\n\n' * 20_000,
    "blank lines": "!!! note\n" + "\n" * 200_000,
    "braces": ("[a](" + "(" * 400 + "){.a}" * 800 + "\n\n") * 50,
    "unclosed braces": ("{.a " * 1_200 + "\n\n") * 50,
    "colons": ("a\n" + ":x\n" * 1_500 + "\n") * 50,
    "abbreviations": ("*[a\n" * 1_200 + "\n") * 50,
    "code": ("{.a}`" + "``" * 800 + "\n\n") * 100,
}


@pytest.mark.fuzz
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_read_in_time(text: str) -> None:
    """The time grows with the text. Each case takes less than a second of a free CPU."""
    source = read_source("a.md", text.encode())
    begin = time.process_time()
    assert source.constructs is not None
    assert time.process_time() - begin < 5
