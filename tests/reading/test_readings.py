"""The two readings of Markdown: where they differ, a rule says so; where no rule speaks, they are the same."""

from __future__ import annotations

from pathlib import Path

import markdown
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handbook.handbook import Handbook
from handbook.loading import load
from handbook.reading.ids import slug
from handbook.reading.source import read_source
from handbook.records import Page
from handbook.rules.engine import Context, rules
from handbook.site import outline
from handbook.site.rendering import RecordMarkdown
from tests.handbooks import ROOT, SMALL, TODAY

HANDBOOK: Handbook = load(SMALL)
CORPORA = ROOT.parent / "shared" / "corpora"


def rendered(body: str) -> str:
    """The HTML of a body, by the extensions of mkdocs.yml as the plugin completes them."""
    converter = markdown.Markdown(
        extensions=["sane_lists", "tables", "toc", "pymdownx.highlight", "pymdownx.quotes", "pymdownx.superfences",
                    RecordMarkdown(HANDBOOK)],
        extension_configs={
            "tables": {"use_align_attribute": True},
            "toc": {"permalink": True, "slugify": slug, "marker": ""},
            "pymdownx.highlight": {"anchor_linenums": False, "linenums_style": "pymdownx-inline"},
            "pymdownx.quotes": {"callouts": True},
        },
    )  # fmt: skip
    return converter.convert(body)


def difference(text: str) -> str | None:
    source = read_source("docs/x.md", text.encode())
    found = outline.difference(source, outline.parsed(rendered(source.body)))
    return found[1] if found else None


def codes(text: str) -> set[str]:
    page = Page(path="docs/x.md", source=read_source("docs/x.md", text.encode()))
    context = Context(HANDBOOK, TODAY)
    return {code for code, each in rules().items() if code.startswith("MD") for _ in each.check(page, context)}


SAME = [
    "text\n\n- a\n- b\n",
    "- a\n    - b\n        - c\n            - d\n",
    "1. a\n\n    text\n\n2. b\n",
    "1. a\n\n    ```sh\n    ls\n    ```\n\n2. b\n",
    "- a\n    ```\n    x\n    ```\n",
    "- a\n\n    | a | b |\n    |---|---|\n    | 1 | 2 |\n",
    "- a\n\n    > quote\n",
    "3. a\n4. b\n",
    "10. a\n11. b\n",
    "text\n2. not a list\n",
    "* a\n\n    text in a\n\n    - b\n",
    "> quote\ntext\n",
    "text\n> quote\n",
    "> - a\n>     - b\n>\n> ```\n> x\n> ```\n",
    "> [!WARNING]\n> Text\n>\n> - a\n",
    "## H\n- a\n",
    "## H\n| a |\n|---|\n| 1 |\n",
    "<!-- c -->\n- a\n",
    "text\n\n<!-- c\n\n# no\n\n-->\n\n# yes\n",
    "text\n```\nx\n```\ntext\n",
    "````md\n```\nx\n```\n````\n",
    "~~~yaml\nx\n~~~\n",
    '```bash title="x"\ny\n```\n',
    "```\n\n\n```\n",
    "Setext\n===\n",
    "# H #\n",
    "\\# x\n",
    "***\n",
    "[TOC]\n",
    "## H {#x}\n\n## H\n\n## H\n",
    "## x {#h}\n\n## h\n",
    "## 中文标题\n",
    "## A_b_c and a__b__c\n",
    "## `code` and *em* and [l](x.md) ![i](p.png)\n",
    "## {{ config }}\n\n{{ config }} {% for %} ${{ secrets.X }}\n",
    "| a | b |\n|---|---|\n| `x` | y |\n| only |\n| 1 | 2 | 3 |\n",
    "| a | b |\n|:-:|--:|\n| 1 | 2 |\n",
    "[^1]: foot\n\ntext[^1]\n",
    "a<br>b\n",
    "ADR-0001 and [x](../adr/0001-keep-orders-in-sqlite.md)\n",
]


@pytest.mark.parametrize("text", SAME)
def test_what_both_read_alike_is_no_finding(text: str) -> None:
    assert (difference(text), codes(text)) == (None, set())


@pytest.mark.parametrize("text", ["!!! note\n    x\n", '=== "tab"\n    x\n', "*[HTML]: x\n"])
def test_the_syntax_of_material_is_read_alike_and_is_a_finding(text: str) -> None:
    assert (difference(text), codes(text)) == (None, {"MD021"})


DIFFERENT = [
    ("text\n- a\n- b\n", "MD001"),
    ("```\nx\n```\n- a\n", "MD001"),
    ("> q\n- a\n", "MD001"),
    ("- a\n> q\n> - b\n", "MD001"),
    ("> [!WARNING]\n> Text\n> - a\n", "MD001"),
    ("text\n| a |\n|---|\n| 1 |\n", "MD002"),
    ("| a | b |\n|---|---|\n| 1 | 2 |\n# H\n", "MD002"),
    ("- a\n  - b\n", "MD003"),
    ("1. a\n\n   ```\n   x\n   ```\n\n2. b\n", "MD003"),
    ("text\n\n ## H\n", "MD004"),
    ("#hash\n", "MD005"),
    ("text\n#hash\n", "MD005"),
    ("a\nb\n===\n", "MD006"),
    ("- a\n---\n", "MD006"),
    ("- b\n===\n", "MD006"),
    ("```\na\n\n## H\n", "MD007"),
    ("```sh\na\n  ```\n", "MD007"),
    ("```sh\na\n````\n", "MD007"),
    ("```sql title=x\ny\n```\n", "MD008"),
    ("1) a\n", "MD009"),
    ("- a\n* b\n", "MD010"),
    ("- a\n1. b\n", "MD010"),
    ("# C#\n", "MD011"),
    ("| a | b |\n|---|---|\n| `x|y` | z |\n| 1 | 2 |\n", "MD012"),
    ("text\n\n<!-- open\n\n## H\n", "MD013"),
    ("- a\n\n    text\n- b\n", "MD014"),
    ("- a\n-\n- c\n", "MD015"),
    ("<div>\n\n## H\n\n</div>\n", "MD016"),
    ("text\n[x]: y\n\n    z\n", "MD017"),
    ("a | b\n|---|---|\n| 1 | 2 |\n", "MD018"),
    ("- a\n\n      six\n", "MD019"),
]


@pytest.mark.parametrize(("text", "code"), DIFFERENT)
def test_a_known_difference_is_a_finding(text: str, code: str) -> None:
    assert code in codes(text)


def test_the_known_differences_are_differences() -> None:
    alike = [text for text, code in DIFFERENT if difference(text) is None and code not in ("MD012", "MD017")]
    assert alike == []


FRAGMENTS = st.sampled_from([
    "", "", "", "text", "more text", "- a", "- b", "* s", "1. one", "2. two", "    - n", "    1. n", "        - nn",
    "    para", "  two", "   three", "# H", "## H2", "### C#", "---", "===", "***", "```", "```bash", "x = 1", "> q",
    "> - q", "> ", "| a | b |", "|---|---|", "| 1 | 2 |", "<!-- c -->", "    ```", "    x", "-", "1)", "`co` de",
    "**b**", ":::", "[x]: y", "a | b", "~~~", "\\# x", "#h", "- [l](x)", "  - n2", "   - n3", "1. ", "\ttab",
])  # fmt: skip


@given(st.lists(FRAGMENTS, min_size=2, max_size=8))
@settings(max_examples=1500, derandomize=True, deadline=None, database=None)
def test_where_no_rule_speaks_both_readings_are_the_same(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    if not codes(text):
        assert difference(text) is None


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the public records to try parsers on are not here")
def test_public_records_differ_only_where_a_rule_speaks() -> None:
    files = sorted(CORPORA.rglob("*.md"))
    assert files
    unknown = [
        str(file.relative_to(CORPORA))
        for file in files
        if difference(text := file.read_text(encoding="utf-8")) and not codes(text)
    ]
    # A comment that ends in `-->>`: for Python-Markdown it hides the list under it.
    assert unknown == ["adr/jabref/0049-hardcode-fieldnames.md"]


@pytest.mark.parametrize("path", sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "adr").glob("0*.md")))
def test_the_outline_of_every_decision_is_the_same(path: str) -> None:
    assert difference((ROOT / path).read_text(encoding="utf-8")) is None


def test_an_outline_notices_what_is_lost(tmp_path: Path) -> None:
    text = "# T\n\n- a\n- b\n\n| x |\n|---|\n| 1 |\n\n```\ncode\n```\n"
    source = read_source("docs/x.md", text.encode())
    html = rendered(text)
    assert outline.difference(source, outline.parsed(html)) is None
    for good, bad in [
        ("<li>b</li>", ""),
        ("<h1", "<h2"),
        ('id="t"', 'id="u"'),
        ("code", "mode"),
        ("<tbody>", "<thead>"),
        ("<ul>", "<ol>"),
    ]:
        assert good in html
        assert outline.difference(source, outline.parsed(html.replace(good, bad))) is not None, good
