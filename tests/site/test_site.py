"""Finished site: pages, links, views, data files and search index."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.commands import run
from tests.handbooks import ADR, SMALL, copy_site, write

pytestmark = pytest.mark.build


def page(site: Path, url: str) -> LexborHTMLParser:
    return LexborHTMLParser((site / url / "index.html").read_text(encoding="utf-8"))


def text_of(parsed: LexborHTMLParser, selector: str) -> list[str]:
    return [" ".join(node.text().split()) for node in parsed.css(selector)]


def test_a_record_shows_its_facts(small_site: Path) -> None:
    parsed = page(small_site, "adr/0001-keep-orders-in-sqlite")
    assert text_of(parsed, ".hb-facts__head") == ["ADR-0001 superseded"]
    assert text_of(parsed, ".hb-facts dt") == [
        "Proposed",
        "Accepted",
        "Superseded",
        "Deciders",
        "Superseded by",
    ]
    assert text_of(parsed, ".hb-facts dd")[:4] == [
        "2026-02-01",
        "2026-02-09",
        "2026-03-02",
        "order-team",
    ]
    (successor,) = parsed.css(".hb-facts__wide a")
    assert successor.attributes["href"] == "../0002-use-postgresql/"


def test_a_new_record_need_not_be_in_the_navigation(tmp_path: Path) -> None:
    """Standards and services are in docs/, where MkDocs reports pages that are not in `nav`."""
    root = copy_site(SMALL, tmp_path / "handbook")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    service = (root / "docs/services/warehouse.md").read_text(encoding="utf-8")
    strict = f"{settings}validation: {{nav: {{omitted_files: warn}}}}\n"
    write(
        root,
        {"mkdocs.yml": strict, "docs/services/depot.md": service.replace("# Warehouse", "# Depot")},
    )
    assert run("handbook", "check", cwd=root).returncode == 0
    answer = run("mkdocs", "build", "--quiet", cwd=root)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Depot" in text_of(page(root / "site", "services"), "tbody th a")


TITLES = {
    "adr/0001-keep-orders-in-sqlite": "# Keep orders in SQLite 🚨",
    "adr/0002-use-postgresql": "# 👩‍🚒 𝒳 🇩🇪",
    "adr/0003-keep-orders-in-mysql": "# 𠮷野家",
    "runbooks/shop/orders-down": '# Shop: "orders" 🧯 {{ x }} & é \U0010fffd',
    "docs/standards/08-observability": "# Observability 🔭 ☃️",
    "docs/services/shop": "# 🛒",
    "docs/markdown": "# Mark 🖋️ down",
    "postmortems/2026-05-04-orders-stopped": "# Orders stopped 🚨" + " so long" * 20,
}


def test_a_title_with_characters_beyond_the_basic_plane_is_unchanged(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    for path, title in TITLES.items():
        file = root / f"{path}.md"
        file.write_text(
            re.sub("(?m)^# .*", title, file.read_text(encoding="utf-8"), count=1), encoding="utf-8"
        )
    assert run("handbook", "check", cwd=root).returncode == 0
    run("mkdocs", "build", cwd=root, check=True)
    keys = "".join(
        file.read_text(encoding="utf-8") for file in (root / "site/assets/keys").iterdir()
    )
    for path, title in TITLES.items():
        parsed = page(root / "site", path.removeprefix("docs/"))
        title_text = title.removeprefix("# ")
        assert text_of(parsed, "h1")[0].removesuffix("¶") == title_text
        assert f"{title_text} - A small handbook" in text_of(parsed, "title")[0]
        assert path == "docs/markdown" or json.dumps(title_text, ensure_ascii=False)[1:-1] in keys
    assert "Orders stopped 🚨" in (root / "site/feed.xml").read_text(encoding="utf-8")


def test_a_record_lists_its_references_and_backlinks(small_site: Path) -> None:
    parsed = page(small_site, "adr/0002-use-postgresql")
    assert text_of(parsed, ".hb-ties h3, .hb-ties li") == [
        "Refers to",
        "supersedes ADR-0001 Keep orders in SQLite",
        "Referred to by",
        "supersedes ADR-0001 Keep orders in SQLite",
        "rejected amendment ADR-0003 Keep orders in MySQL",
        "STD-08 Observability",
        "related to Orders stopped",
        "waiver used in shop, 2026-Q4",
    ]
    hrefs = {node.text(): node.attributes["href"] for node in parsed.css(".hb-ties a")}
    assert hrefs["shop, 2026-Q4"] == "../../services/shop/#2026-q4"


def test_a_record_lists_the_pages_that_mention_it(small_site: Path) -> None:
    links = page(small_site, "adr/0001-keep-orders-in-sqlite").css(".hb-ties a")
    assert "../../" in {node.attributes["href"] for node in links}


def test_a_bare_id_is_a_link(small_site: Path) -> None:
    links = {
        node.text(): node.attributes["href"]
        for node in page(small_site, ".").css("article a[title]")
    }
    assert links["ADR-0001"] == "adr/0001-keep-orders-in-sqlite/"


def test_an_id_in_bold_is_a_link_and_a_rule_links_to_itself(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(
        root,
        {"adr/0004-bold.md": ADR.replace("Why.", "As **ADR-0002** says, and **STD-08.1** asks.")},
    )
    run("mkdocs", "build", cwd=root, check=True)
    hrefs = {
        node.text(): node.attributes["href"]
        for node in page(root / "site", "adr/0004-bold").css("strong a")
    }
    assert hrefs == {
        "ADR-0002": "../0002-use-postgresql/",
        "STD-08.1": "../../standards/08-observability/#std-08-1",
    }
    rule_links = page(root / "site", "standards/08-observability").css("tr#std-08-1 th a")
    assert [node.attributes["href"] for node in rule_links] == ["#std-08-1"]


def test_a_link_written_for_the_git_host_leads_to_the_page(small_site: Path) -> None:
    links = {
        node.text(): node.attributes["href"] for node in page(small_site, ".").css("article p a")
    }
    assert links["why"] == "adr/0001-keep-orders-in-sqlite/#context"
    record_links = {
        node.text(): node.attributes["href"]
        for node in page(small_site, "adr/0002-use-postgresql").css("article p a")
    }
    assert record_links["SQLite"] == "../0001-keep-orders-in-sqlite/"
    assert record_links["the context"] == "#context"


def test_an_attachment_is_published_below_its_record(small_site: Path) -> None:
    (image,) = page(small_site, "adr/0002-use-postgresql").css("article img")
    assert (small_site / "adr/0002-use-postgresql" / str(image.attributes["src"])).is_file()
    assert (small_site / "adr/0002-use-postgresql/load.csv").is_file()


def test_a_file_that_is_not_a_record_is_not_published(small_site: Path) -> None:
    paths = (path.relative_to(small_site).as_posix() for path in small_site.rglob("*"))
    assert not [path for path in paths if "README" in path and "shop/files/" not in path]


def test_a_record_has_a_breadcrumb_a_tab_and_an_edit_link(
    small_site: Path,
) -> None:
    parsed = page(small_site, "adr/0001-keep-orders-in-sqlite")
    assert text_of(parsed, ".md-path__item") == ["Home", "Decisions"]
    assert text_of(parsed, ".md-tabs__item--active") == ["Decisions"]
    (edit,) = parsed.css('a[rel="edit"]')
    assert (
        edit.attributes["href"]
        == "https://git.example/small/edit/main/adr/0001-keep-orders-in-sqlite.md"
    )
    (edit,) = page(small_site, "markdown").css('a[rel="edit"]')
    assert edit.attributes["href"] == "https://git.example/small/edit/main/docs/markdown.md"


def test_the_index_groups_by_status_without_a_script(small_site: Path) -> None:
    parsed = page(small_site, "adr")
    assert text_of(parsed, "article h2") == ["Accepted¶", "Superseded¶", "Rejected¶"]
    assert text_of(parsed, ".hb-counts") == ["3 decisions: 1 accepted, 1 superseded, 1 rejected."]
    assert text_of(parsed, ".hb-table tbody th") == [
        "ADR-0002 Use PostgreSQL for orders",
        "ADR-0001 Keep orders in SQLite",
        "ADR-0003 Keep orders in MySQL",
    ]


def test_the_search_index_holds_the_id_of_a_record(small_site: Path) -> None:
    index = json.loads((small_site / "search/search_index.json").read_text(encoding="utf-8"))
    texts = {entry["location"]: entry["text"] for entry in index["docs"]}
    assert "ADR-0002" in texts["adr/0002-use-postgresql/"]


BRACES = """Braces: {{ config }}, {% for %}, ${{ secrets.X }} and {# no comment #}.

## With {{ config }}

- `{{ $labels.instance }}`{{ x }}

| Key | Value |
|---|---|
| a | {{ config }} |

```yaml
token: ${{ secrets.X }}  # {% for %}
```
"""


def test_braces_in_a_record_are_text(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(root, {"adr/0004-braces.md": ADR.replace("Why.", f"Why.\n\n{BRACES}")})
    run("mkdocs", "build", cwd=root, check=True)
    parsed = page(root / "site", "adr/0004-braces")
    article = " ".join((parsed.css_first("article") or parsed.root).text().split())  # type: ignore[union-attr]
    assert "Braces: {{ config }}, {% for %}, ${{ secrets.X }} and {# no comment #}." in article
    assert "With {{ config }}" in article
    assert "{{ $labels.instance }}{{ x }}" in article
    assert text_of(parsed, "article td") == ["a", "{{ config }}"]
    assert text_of(parsed, "article pre") == ["token: ${{ secrets.X }} # {% for %}"]
