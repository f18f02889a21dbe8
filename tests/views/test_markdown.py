"""The Markdown of pages, and the list of all pages, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from handbook.diagnostics import Report
from handbook.loading import load
from handbook.site.assembly import Assembly
from tests.handbooks import SMALL, copy_site, replace_once, write


def make_markdown(root: Path) -> Mapping[str, str]:
    """Return the Markdown of all pages of the handbook in a folder, by path."""
    return Assembly(load(root), Report({}, ()), None, None).markdown()


def write_page(tmp_path: Path, body: str) -> str:
    """Return the Markdown of a page of a copy of the small handbook."""
    root = copy_site(SMALL, tmp_path / "handbook")
    (root / "docs/guides").mkdir()
    (root / "docs/guides/page.md").write_text(f"# A page\n\n{body}", encoding="utf-8")
    return make_markdown(root)["guides/page/index.md"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "[a](../../adr/0002-use-postgresql.md#context)",
            "[a](../../adr/0002-use-postgresql/#context)",
        ),
        (
            "[a](../../adr/0002-use-postgresql.md 'title')",
            "[a](../../adr/0002-use-postgresql/ 'title')",
        ),
        ("[a]\n\n[a]: ../../adr/0002-use-postgresql.md", "[a]: ../../adr/0002-use-postgresql/"),
        ("[a](https://example.com/x)", "[a](https://example.com/x)"),
        ("`[a](../../adr/0002-use-postgresql.md)`", "`[a](../../adr/0002-use-postgresql.md)`"),
        (
            "```\n[a]: ../../adr/0002-use-postgresql.md\n```",
            "[a]: ../../adr/0002-use-postgresql.md",
        ),
    ],
)
def test_links_lead_to_the_site_and_code_stays(tmp_path: Path, body: str, expected: str) -> None:
    assert expected in write_page(tmp_path, body)


def test_a_record_keeps_its_text_without_front_matter() -> None:
    markdown = make_markdown(SMALL)["runbooks/shop/orders-down/index.md"]
    assert markdown.startswith("# Shop: orders are down\n")
    assert "**Symptom:** `connection pool timeout` in the logs." in markdown


def test_an_alert_links_to_its_runbook_and_shows_its_expression() -> None:
    markdown = make_markdown(SMALL)["alerts/OrdersDown/index.md"]
    assert "[Shop: orders are down](../../runbooks/shop/orders-down/)" in markdown
    assert "```promql\nsum(orders) < 1\n```" in markdown


def test_families_of_rules_and_files_of_services_have_markdown(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(root / "docs/standards/samples/shop", {"deploy.sh": "echo '```'\n", "a b.bin": "\0"})
    texts = make_markdown(root)
    assert "## FM001 " in texts["reference/rules/fm/index.md"]
    assert texts["services/shop/files/deploy.sh/index.md"] == (
        "# deploy.sh\n\n````sh\necho '```'\n````\n"
    )
    listing = texts["services/shop/files/index.md"]
    assert "- [deploy.sh](deploy.sh/)\n" in listing
    assert "- [a b.bin](a%20b.bin/a%20b.bin.bin)\n" in listing
    for name in ("reference/rules/fm/index.md", "services/shop/files/index.md"):
        assert texts["llms.txt"].count(f"https://small.example/{name})") == 1


def test_the_list_names_each_record_once_with_its_description() -> None:
    handbook = load(SMALL)
    text = make_markdown(SMALL)["llms.txt"]
    assert text.startswith(f"# {handbook.settings.site_name}\n")
    for entity in (*handbook.records, *handbook.alerts):
        assert text.count(f"/{handbook.address(entity)}index.md)") == 1
    assert "OrdersDown/index.md): Orders stopped · sev-1 · shop-team\n" in text


def test_the_markdown_has_an_unclosed_bracket_as_the_author_wrote_it(tmp_path: Path) -> None:
    assert write_page(tmp_path, "a ](b) [c") == "# A page\n\na ](b) [c\n"


def test_titles_in_lists_for_programs_are_no_markup(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    title = "# Shop: ]( &lt;b&gt; \\[x\\] \\\\"
    replace_once(root, "# Shop: orders are down", title)
    replace_once(root, "site_name: A small handbook", "site_name: A [small] <b>")
    texts = make_markdown(root)
    link = r"[Shop: \]( \<b> \[x\] \\]"
    assert texts["llms.txt"].startswith("# A \\[small\\] \\<b>\n")
    assert f"- {link}(https://small.example/runbooks/shop/orders-down/" in texts["llms.txt"]
    alert = texts["alerts/OrdersDown/index.md"]
    assert f"Runbook: {link}(../../runbooks/shop/orders-down/)" in alert
