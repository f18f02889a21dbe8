"""Pages in a whole site: what GitHub shows, what other plugins see, and pages in Material's own syntax."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.commands import run
from tests.engines.test_macros import article, built, site_of
from tests.handbooks import ADR, write

pytestmark = pytest.mark.build

RECORD = "adr/0001-keep-orders-in-sqlite.md"
MATERIAL = """---
markdown: material
---
# Tabs

!!! warning "In June"

    Most of it.

=== "One"

    First.

[A decision](../adr/0001-keep-orders-in-sqlite.md#context)
"""


TAGS = "---\nmarkdown: material\n---\n# Tags\n\n<!-- material/tags -->\n"


def with_text(root: Path, text: str) -> Path:
    """The handbook with a text at the end of a section of a decision."""
    record = root / RECORD
    source = record.read_text(encoding="utf-8")
    record.write_text(
        source.replace("\n## Decision\n", f"\n{text}\n\n## Decision\n", 1), encoding="utf-8"
    )
    return root


SHOWN = {
    "See https://a.example/x_y and www.b.example.": '<a href="https://a.example/x_y">https://a.example/x_y</a>',
    "See www.b.example.": '<a href="http://www.b.example">www.b.example</a>.',
    "- [x] done\n- [ ] open": '<input type="checkbox" disabled aria-label="done" checked>',
    "~~gone~~ and \\~ \\$ \\@": "<del>gone</del> and ~ $ @",
    "one\\\ntwo": "one<br>\ntwo",
    "[a] [b]\n\n[b]: https://b.example": '[a] <a href="https://b.example">b</a>',
    'foo**"a"**': 'foo**"a"**',
    "- ```sh\n  ls\n  ```": '<li>\n<div class="highlight">',
    "[a](#context (Title))": '<a href="#context" title="Title">a</a>',
    "```make\nall:\n\tls\n```": "\t",
    "### Same\n\n### Same": '<h3 id="same-1"><a id="same_1"></a>Same',
    "text\n- a\n  - b": "<p>text</p>\n<ul>\n<li>a\n<ul>\n<li>b</li>",
    "A note.[^1]\n\n[^1]: The note.": '<li id="fn:1">\n<p>The note.&nbsp;',
    "> [!CAUTION]\n> Hot.": '<div class="admonition caution danger">\n<p class="admonition-title">Caution</p>',
    "<details>\n<summary>More</summary>\n\n*Text*\n\n</details>": "<summary>More</summary>\n<p><em>Text",
}
"""A text of a record, and a part of the HTML that its page has for it."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The article of a decision with each of the texts."""
    root = site_of(tmp_path_factory.mktemp("shown") / "handbook")
    names = {text: f"adr/0{number}-x" for number, text in enumerate(SHOWN, 100)}
    write(
        root,
        {
            f"{name}.md": ADR.replace("\nWhy.\n", f"\nWhy.\n\n{text}\n", 1)
            for text, name in names.items()
        },
    )
    answer = built(root)
    assert answer.returncode == 0, answer.stderr
    return {text: article(root, name) for text, name in names.items()}


@pytest.mark.parametrize("text", SHOWN, ids=lambda text: text.split("\n")[0])
def test_a_page_shows_what_github_shows(text: str, shown: dict[str, str]) -> None:
    assert SHOWN[text] in shown[text]


def test_no_template_runs_in_a_record_where_templates_run_by_default(tmp_path: Path) -> None:
    plugins = "plugins:\n  - macros: {render_by_default: true}\n  - handbook\n"
    root = with_text(site_of(tmp_path / "handbook", plugins), "In {{ 6 * 7 }} ways.")
    answer = built(root)
    assert answer.returncode == 0, answer.stderr
    assert "In {{ 6 * 7 }} ways." in article(root, "adr/0001-keep-orders-in-sqlite")


def test_the_search_of_mkdocs_and_the_tags_of_material_see_records(tmp_path: Path) -> None:
    plugins = "plugins: [search, tags, macros, handbook]\n"
    root = site_of(tmp_path / "handbook", plugins, {"docs/tags.md": TAGS})
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    settings = settings.replace("markdown_extensions:\n", "markdown_extensions:\n  - attr_list\n")
    write(root, {"mkdocs.yml": settings.replace("nav:\n", "nav:\n  - Tags: tags.md\n", 1)})
    answer = built(root)
    assert answer.returncode == 0, answer.stderr
    index = json.loads((root / "site/search/search_index.json").read_text(encoding="utf-8"))
    sections = {entry["location"]: entry for entry in index["docs"]}
    assert "Orders need transactions." in sections["adr/0002-use-postgresql/#context"]["text"]
    assert "0002-use-postgresql/" in article(root, "tags")


def test_the_navigation_names_a_page_and_else_its_heading_does(tmp_path: Path) -> None:
    root = site_of(tmp_path / "handbook")
    assert built(root).returncode == 0
    html = (root / "site/markdown/index.html").read_text(encoding="utf-8")
    assert "<title>Markdown - A small handbook</title>" in html
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings.replace("- Markdown: markdown.md", "- Forms: markdown.md")})
    assert built(root).returncode == 0
    assert re.search(
        r'<span class="md-ellipsis">\s*Forms',
        (root / "site/index.html").read_text(encoding="utf-8"),
    )


def material(root: Path, text: str) -> Path:
    """A handbook with a page in Material's syntax."""
    site_of(root, files={"docs/tabs.md": text})
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    extensions = (
        "markdown_extensions:\n  - admonition\n  - pymdownx.tabbed: {alternate_style: true}\n"
    )
    settings = settings.replace("markdown_extensions:\n", extensions).replace(
        "nav:\n", "nav:\n  - Tabs: tabs.md\n", 1
    )
    return write(root, {"mkdocs.yml": settings})


def test_a_page_that_says_so_is_in_the_syntax_of_material(tmp_path: Path) -> None:
    root = material(tmp_path / "handbook", MATERIAL.replace("../adr/", "adr/"))
    answer = built(root)
    assert answer.returncode == 0, answer.stderr
    page = article(root, "tabs")
    assert '<div class="admonition warning">' in page
    assert 'class="tabbed-set' in page
    assert 'href="../adr/0001-keep-orders-in-sqlite/#context"' in page
    assert run("python", "-m", "handbook", "links", "site", cwd=root).returncode == 0


def test_a_wrong_anchor_in_a_page_of_material_stops_a_strict_build(tmp_path: Path) -> None:
    root = material(
        tmp_path / "handbook", MATERIAL.replace("../adr/", "adr/").replace("#context", "#contxt")
    )
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings + "validation: {links: {anchors: warn}}\n"})
    answer = run("handbook", "build", cwd=root)
    assert answer.returncode == 1
    assert "#contxt" in answer.stderr + answer.stdout


@pytest.mark.parametrize(
    "text", ['<p onclick="x()">a</p>', "<iframe></iframe>", "[a](javascript:x)"]
)
def test_a_page_of_material_that_could_act_stops_the_build(text: str, tmp_path: Path) -> None:
    answer = built(
        material(tmp_path / "handbook", f"---\nmarkdown: material\n---\n# Tabs\n\n{text}\n")
    )
    assert answer.returncode == 1
    assert "docs/tabs.md:1:1: SAFE009 error: the page would hold" in answer.stderr


def test_links_finds_what_could_act_in_a_finished_page(tmp_path: Path) -> None:
    root = site_of(tmp_path / "handbook")
    assert built(root).returncode == 0
    page = root / "site/markdown/index.html"
    html = page.read_text(encoding="utf-8")
    page.write_text(html.replace("<p>", '<p onmouseover="x()">', 1), encoding="utf-8")
    answer = run("python", "-m", "handbook", "links", "site", cwd=root)
    assert answer.returncode == 1
    assert (
        "docs/markdown.md:1:1: SAFE009 error: /markdown/ holds <p onmouseover=…>" in answer.stdout
    )


def test_a_page_of_material_has_the_title_of_its_heading(tmp_path: Path) -> None:
    root = material(tmp_path / "handbook", "---\nmarkdown: material\n---\n# Hello\n")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings.replace("  - Tabs: tabs.md\n", "  - tabs.md\n")})
    assert built(root).returncode == 0
    assert "<title>Hello - A small handbook</title>" in (root / "site/tabs/index.html").read_text(
        encoding="utf-8"
    )


MACROS = "---\nrender_macros: true\n---\n"


def with_page(root: Path, text: str) -> Path:
    """A handbook with a page without a title in the navigation."""
    site_of(root, files={"docs/x.md": text})
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    return write(root, {"mkdocs.yml": settings.replace("nav:\n", "nav:\n  - x.md\n", 1)})


def test_a_title_that_a_macro_writes_is_shown_as_written(tmp_path: Path) -> None:
    root = with_page(tmp_path / "handbook", MACROS + "# X {{ 1 + 1 }} &lt;b>\n")
    answer = built(root)
    assert answer.returncode == 0, answer.stderr
    html = (root / "site/x/index.html").read_text(encoding="utf-8")
    assert "<title>X 2 &lt;b&gt; - A small handbook</title>" in html
    assert "amp;lt" not in html


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{{ "> " * 150 }}deep', "nested too deeply"),
        (
            '[d]({{ "nope.md" }})',
            "a macro or plugin wrote a link to 'nope.md', which is not on this site",
        ),
    ],
)
def test_what_macros_write_is_checked(text: str, message: str, tmp_path: Path) -> None:
    answer = built(with_page(tmp_path / "handbook", f"{MACROS}# X\n\n{text}\n"))
    assert answer.returncode == 1
    assert f"docs/x.md:1:1: MD020 error: {message}" in answer.stderr


def test_footnotes_of_a_record_are_not_in_the_views_of_it(tmp_path: Path) -> None:
    root = site_of(tmp_path / "handbook")
    postmortem = root / "postmortems/2026-05-04-orders-stopped.md"
    text = postmortem.read_text(encoding="utf-8").replace("| A1 | ", "| A1 | Note[^1] ", 1)
    write(root, {"postmortems/2026-05-04-orders-stopped.md": f"{text}\n[^1]: A note.\n"})
    answer = built(root)
    assert answer.returncode == 0, answer.stderr
    assert run("python", "-m", "handbook", "links", "site", cwd=root).stdout.count("error:") == 0
    assert 'id="fn:1"' in article(root, "postmortems/2026-05-04-orders-stopped")
