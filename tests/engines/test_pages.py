"""Pages in a complete site: Markdown of GitHub, other plugins, and syntax of Material."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.commands import run
from tests.engines.test_macros import make_handbook, read_article, run_build
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


def add_text(root: Path, text: str) -> Path:
    """Add a text at the end of a section of a decision."""
    record = root / RECORD
    source = record.read_text(encoding="utf-8")
    record.write_text(
        source.replace("\n## Decision\n", f"\n{text}\n\n## Decision\n", 1), encoding="utf-8"
    )
    return root


HTML_BY_TEXT = {
    "See https://a.example/x_y and www.b.example.": (
        '<a href="https://a.example/x_y">https://a.example/x_y</a>'
    ),
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
    "> [!CAUTION]\n> Hot.": (
        '<div class="admonition caution danger">\n<p class="admonition-title">Caution</p>'
    ),
    "<details>\n<summary>More</summary>\n\n*Text*\n\n</details>": (
        "<summary>More</summary>\n<p><em>Text"
    ),
}
"""Texts of a record, each with a part of its HTML."""


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Article of a decision for each text."""
    root = make_handbook(tmp_path_factory.mktemp("articles") / "handbook")
    names = {text: f"adr/0{number}-x" for number, text in enumerate(HTML_BY_TEXT, 100)}
    write(
        root,
        {
            f"{name}.md": ADR.replace("\nWhy.\n", f"\nWhy.\n\n{text}\n", 1)
            for text, name in names.items()
        },
    )
    answer = run_build(root)
    assert answer.returncode == 0, answer.stderr
    return {text: read_article(root, name) for text, name in names.items()}


@pytest.mark.parametrize("text", HTML_BY_TEXT, ids=lambda text: text.split("\n")[0])
def test_a_page_has_the_html_of_github(text: str, articles: dict[str, str]) -> None:
    assert HTML_BY_TEXT[text] in articles[text]


def test_render_by_default_renders_no_templates_in_records(tmp_path: Path) -> None:
    plugins = "plugins:\n  - macros: {render_by_default: true}\n  - handbook\n"
    root = add_text(make_handbook(tmp_path / "handbook", plugins), "In {{ 6 * 7 }} ways.")
    answer = run_build(root)
    assert answer.returncode == 0, answer.stderr
    assert "In {{ 6 * 7 }} ways." in read_article(root, "adr/0001-keep-orders-in-sqlite")


def test_the_plugins_search_and_tags_include_records(tmp_path: Path) -> None:
    plugins = "plugins: [search, tags, macros, handbook]\n"
    root = make_handbook(tmp_path / "handbook", plugins, {"docs/tags.md": TAGS})
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    settings = settings.replace("markdown_extensions:\n", "markdown_extensions:\n  - attr_list\n")
    write(root, {"mkdocs.yml": settings.replace("nav:\n", "nav:\n  - Tags: tags.md\n", 1)})
    answer = run_build(root)
    assert answer.returncode == 0, answer.stderr
    index = json.loads((root / "site/search/search_index.json").read_text(encoding="utf-8"))
    sections = {entry["location"]: entry for entry in index["docs"]}
    assert "Orders need transactions." in sections["adr/0002-use-postgresql/#context"]["text"]
    assert "0002-use-postgresql/" in read_article(root, "tags")


def test_the_title_of_a_page_comes_from_nav_or_from_its_heading(tmp_path: Path) -> None:
    root = make_handbook(tmp_path / "handbook")
    assert run_build(root).returncode == 0
    html = (root / "site/markdown/index.html").read_text(encoding="utf-8")
    assert "<title>Markdown - A small handbook</title>" in html
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings.replace("- Markdown: markdown.md", "- Forms: markdown.md")})
    assert run_build(root).returncode == 0
    home = (root / "site/index.html").read_text(encoding="utf-8")
    assert '<li><a href="markdown/">Forms</a></li>' in home


def add_material_page(root: Path, text: str) -> Path:
    """Make a handbook with a page in the syntax of Material."""
    make_handbook(root, files={"docs/tabs.md": text})
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    extensions = (
        "markdown_extensions:\n  - admonition\n  - pymdownx.tabbed: {alternate_style: true}\n"
    )
    settings = settings.replace("markdown_extensions:\n", extensions).replace(
        "nav:\n", "nav:\n  - Tabs: tabs.md\n", 1
    )
    return write(root, {"mkdocs.yml": settings})


def test_the_key_markdown_selects_the_syntax_of_material(tmp_path: Path) -> None:
    root = add_material_page(tmp_path / "handbook", MATERIAL.replace("../adr/", "adr/"))
    answer = run_build(root)
    assert answer.returncode == 0, answer.stderr
    page = read_article(root, "tabs")
    assert '<div class="admonition warning">' in page
    assert 'class="tabbed-set' in page
    assert 'href="../adr/0001-keep-orders-in-sqlite/#context"' in page
    assert run("handbook", "links", "site", cwd=root).returncode == 0


def test_an_unknown_anchor_in_a_page_of_material_stops_a_strict_build(tmp_path: Path) -> None:
    root = add_material_page(
        tmp_path / "handbook", MATERIAL.replace("../adr/", "adr/").replace("#context", "#contxt")
    )
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings + "validation: {links: {anchors: warn}}\n"})
    answer = run("handbook", "build", cwd=root)
    assert answer.returncode == 1
    assert "#contxt" in answer.stderr + answer.stdout


@pytest.mark.parametrize(
    "text",
    ['<p onclick="x()">a</p>', "<iframe></iframe>", "[a](javascript:x)"],
    ids=["handler", "frame", "script address"],
)
def test_active_content_in_a_page_of_material_stops_the_build(text: str, tmp_path: Path) -> None:
    answer = run_build(
        add_material_page(
            tmp_path / "handbook", f"---\nmarkdown: material\n---\n# Tabs\n\n{text}\n"
        )
    )
    assert answer.returncode == 1
    assert "docs/tabs.md:1:1: SAFE009 error: active content" in answer.stderr


def test_links_reports_active_content_in_a_finished_page(tmp_path: Path) -> None:
    root = make_handbook(tmp_path / "handbook")
    assert run_build(root).returncode == 0
    page = root / "site/markdown/index.html"
    html = page.read_text(encoding="utf-8")
    page.write_text(html.replace("<p>", '<p onmouseover="x()">', 1), encoding="utf-8")
    answer = run("handbook", "links", "site", cwd=root)
    assert answer.returncode == 1
    assert (
        "docs/markdown.md:1:1: SAFE009 error: active content <p onmouseover=…> on /markdown/"
        in answer.stdout
    )


def test_a_page_of_material_has_the_title_of_its_heading(tmp_path: Path) -> None:
    root = add_material_page(tmp_path / "handbook", "---\nmarkdown: material\n---\n# Hello\n")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings.replace("  - Tabs: tabs.md\n", "  - tabs.md\n")})
    assert run_build(root).returncode == 0
    assert "<title>Hello - A small handbook</title>" in (root / "site/tabs/index.html").read_text(
        encoding="utf-8"
    )


MACROS = "---\nrender_macros: true\n---\n"


def add_page(root: Path, text: str) -> Path:
    """Make a handbook with a page that has no title in the navigation."""
    make_handbook(root, files={"docs/x.md": text})
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    return write(root, {"mkdocs.yml": settings.replace("nav:\n", "nav:\n  - x.md\n", 1)})


def test_a_title_from_a_macro_is_escaped_once(tmp_path: Path) -> None:
    root = add_page(tmp_path / "handbook", MACROS + "# X {{ 1 + 1 }} &lt;b>\n")
    answer = run_build(root)
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
            "broken link 'nope.md' in the output of a macro or a plugin",
        ),
    ],
    ids=["deep nesting", "broken link"],
)
def test_the_output_of_macros_is_checked(text: str, message: str, tmp_path: Path) -> None:
    answer = run_build(add_page(tmp_path / "handbook", f"{MACROS}# X\n\n{text}\n"))
    assert answer.returncode == 1
    assert f"docs/x.md:1:1: MD020 error: {message}" in answer.stderr


def test_views_of_a_record_do_not_repeat_its_footnotes(tmp_path: Path) -> None:
    root = make_handbook(tmp_path / "handbook")
    postmortem = root / "postmortems/2026-05-04-orders-stopped.md"
    text = postmortem.read_text(encoding="utf-8").replace("| A1 | ", "| A1 | Note[^1] ", 1)
    write(root, {"postmortems/2026-05-04-orders-stopped.md": f"{text}\n[^1]: A note.\n"})
    answer = run_build(root)
    assert answer.returncode == 0, answer.stderr
    assert run("handbook", "links", "site", cwd=root).stdout.count("error:") == 0
    assert 'id="fn:1"' in read_article(root, "postmortems/2026-05-04-orders-stopped")


NAMES = {
    "C#.md": "C%23.md",
    "a?b.md": "a%3Fb.md",
    "100%41.md": "100%2541.md",
    "two words & more.md": "two%20words%20%26%20more.md",
    "Überblick.md": "%C3%9Cberblick.md",
}
"""Names of files with special characters, and the same names in an address."""


@pytest.mark.parametrize(
    ("template", "folder"),
    [
        ("https://git.example/edit/{path}", "docs/notes/"),
        ("https://git.example/?edit={path!q}", "docs%2Fnotes%2F"),
    ],
    ids=["quoted by the plugin", "quoted by MkDocs"],
)
def test_an_edit_link_names_the_whole_file(template: str, folder: str, tmp_path: Path) -> None:
    files = {f"docs/notes/{name}": "# A note\n" for name in NAMES}
    files["docs/notes/Tab#.md"] = "---\nmarkdown: material\n---\n# A tab\n"
    root = make_handbook(tmp_path / "handbook", files=files)
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    settings = re.sub("(?m)^edit_uri_template: .*", f"edit_uri_template: {template}", settings)
    write(root, {"mkdocs.yml": f"{settings}not_in_nav: /notes/\n"})
    assert run_build(root).returncode == 0
    pages = "\n".join(page.read_text() for page in (root / "site" / "notes").rglob("index.html"))
    links = set(re.findall(r'href="https://git.example/(?:edit/|\?edit=)([^"]*)"', pages))
    assert links == {f"{folder}{name}" for name in (*NAMES.values(), "Tab%23.md")}


def test_a_site_without_a_palette_follows_the_system_of_the_reader(small_site: Path) -> None:
    """Material's script for a list of palettes needs an input for each of them."""
    html = (small_site / "index.html").read_text(encoding="utf-8")
    assert html.count('name="__palette"') == 3
    for scheme in ("light", "dark"):
        assert f'data-md-color-media="(prefers-color-scheme: {scheme})"' in html
