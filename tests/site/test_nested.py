"""Nested handbooks: a second site below the first one, and the notice above its pages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from handbook.loading import load
from handbook.settings import read_settings
from handbook.site.finish import finish
from handbook.site.nested import read_all_sites, report_links
from handbook.views.notice import notice
from tests.commands import run
from tests.handbooks import ADR, SITE_SETTINGS, TODAY, report, write

URL = "https://handbook.example/"
INNER_SETTINGS = SITE_SETTINGS.replace(URL, f"{URL}example/")
NOTICE = f"A *draft*: see [decisions](../adr/index.md) or [the handbook]({URL}adr/)."
NESTED = "extra:\n  handbook: {nested: {example: inner}}\n"
HANDBOOKS = {
    "mkdocs.yml": f"{SITE_SETTINGS}{NESTED}",
    "docs/x.md": "# X\n",
    "inner/mkdocs.yml": f"{INNER_SETTINGS}extra:\n  handbook: {{notice: '{NOTICE}'}}\n",
    "inner/docs/y.md": "# Y\n",
}
PAGE = "<!doctype html><title>x</title><h1 id=top-of-it>x</h1>"


def check_links(root: Path, files: dict[str, str]) -> list[str]:
    """Check the links of a site with a nested site. Returns `path:code: message`."""
    write(root, {**HANDBOOKS, "site/index.html": PAGE, **files})
    report = report_links(read_all_sites(root / "site", read_settings(root), root), root, TODAY)
    return [
        f"{finding.at.path.removeprefix(f'{root}/')}:{finding.code}: {finding.message}"
        for finding in report.findings
    ]


INNER = {"site/example/index.html": PAGE, "site/example/y/index.html": PAGE}


def test_links_between_the_sites_are_checked_in_both_directions(tmp_path: Path) -> None:
    links = "<a href='{0}x/'></a><a href='{0}#top-of-it'></a><a href='{0}#none'></a>"
    outer = "<a href=example/></a><a href=example/y/#top-of-it></a><a href=example/z/></a>"
    files = {
        **INNER,
        "site/index.html": PAGE + outer,
        "site/example/y/index.html": PAGE + links.format("../../") + links.format(URL),
    }
    assert check_links(tmp_path, files) == [
        "site/index.html:LNK101: broken link 'example/z/' on /: no such file",
        "inner/docs/y.md:LNK101: broken link '../../x/' on /example/y/: no such file"
        " (also on /example/y/)",
        "inner/docs/y.md:LNK102: unknown anchor '../../#none' on /example/y/: no id 'none' on /"
        " (also on /example/y/)",
    ]


def test_each_data_file_belongs_to_its_site(tmp_path: Path) -> None:
    row = json.dumps([["Y", "z/", "page"]])
    files = {
        **INNER,
        "site/example/sitemap.xml": f"<loc>{URL}example/z/</loc>",
        "site/example/assets/keys/a.json": row,
    }
    findings = check_links(tmp_path, files)
    assert [finding.partition(":")[0] for finding in findings] == [
        "site/example/assets/keys/a.json"
    ]


def test_a_missing_nested_site_is_a_finding_only_where_a_page_links_to_it(tmp_path: Path) -> None:
    assert check_links(tmp_path / "unlinked", {}) == []
    assert check_links(
        tmp_path / "linked", {"site/index.html": f"{PAGE}<a href=example/></a>"}
    ) == ["site/index.html:LNK101: broken link 'example/' on /: no such file"]


def test_a_folder_without_a_setting_is_part_of_the_site(tmp_path: Path) -> None:
    write(tmp_path, {**HANDBOOKS, "mkdocs.yml": SITE_SETTINGS, "site/index.html": PAGE, **INNER})
    (sites,) = read_all_sites(tmp_path / "site", read_settings(tmp_path), tmp_path)
    assert sites[1].counts["page"] == 3


def test_the_address_of_a_nested_handbook_is_its_folder_in_the_site(tmp_path: Path) -> None:
    write(tmp_path, {**HANDBOOKS, "inner/mkdocs.yml": SITE_SETTINGS})
    (finding,) = report(tmp_path).findings
    assert (finding.code, finding.at.line) == ("FM020", 6)
    assert finding.message == f"wrong site_url '{URL}' of the nested handbook 'inner'"
    assert finding.hint == f"write 'site_url: {URL}example/' into inner/mkdocs.yml"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("site_name: [x\n", "correct inner/mkdocs.yml, line 1"),
        ("- x\n", "correct inner/mkdocs.yml, line 1"),
        ("INHERIT: base.yml\n", "correct inner/mkdocs.yml, line 1"),
    ],
    ids=["broken", "list", "missing parent"],
)
def test_unreadable_settings_of_a_nested_handbook_are_the_cause(
    settings: str, expected: str, tmp_path: Path
) -> None:
    write(tmp_path, {**HANDBOOKS, "inner/mkdocs.yml": settings})
    (finding,) = report(tmp_path).findings
    assert finding.code == "FM020"
    assert finding.message.startswith("unreadable settings of the nested handbook 'inner': ")
    assert finding.hint == expected


def test_links_of_a_notice_begin_at_the_root_of_the_site(tmp_path: Path) -> None:
    handbook = load(write(tmp_path, HANDBOOKS) / "inner")
    html = (
        "A <em>draft</em>: see "
        '<a href="{0}adr/">decisions</a> or <a href="{1}adr/">the handbook</a>.'
    )
    assert "{0}".join(notice(handbook, None)) == html.replace("{1}", URL)
    assert "{0}".join(notice(handbook, URL)) == html.replace("{1}", "{0}../")
    assert notice(load(tmp_path), None) == []


def test_a_notice_has_no_markup_of_its_own(tmp_path: Path) -> None:
    text = "<script>x</script> & [y](javascript:z)"
    settings = f"{INNER_SETTINGS}extra:\n  handbook: {{notice: '{text}'}}\n"
    write(tmp_path, {"mkdocs.yml": settings, "docs/x.md": "# X\n"})
    assert "".join(notice(load(tmp_path), None)) == "&lt;script&gt;x&lt;/script&gt; &amp; y"


def test_a_folder_that_is_no_nested_site_gets_the_content_policy(tmp_path: Path) -> None:
    settings = SITE_SETTINGS + "extra:\n  handbook: {nested: {adr: inner, example: inner}}\n"
    page = f"{PAGE}<article class='md-content__inner'>x</article>"
    built = {
        "adr/index.html": page,
        "example/index.html": page,
        "example/assets/keys/parts.json": "[]",
        "index.html": page,
    }
    write(tmp_path / "site", built)
    finished = finish(tmp_path / "site", load(write(tmp_path, {"mkdocs.yml": settings})))
    assert finished.pages == 2
    assert "Content-Security-Policy" in (tmp_path / "site/adr/index.html").read_text()
    assert (tmp_path / "site/example/index.html").read_text() == page


@pytest.mark.build
def test_texts_of_the_settings_are_no_markup_and_own_files_stay(tmp_path: Path) -> None:
    address = 'https://x.example/?a=1&b="onclick=x'
    settings = (
        f"{SITE_SETTINGS}nav: [index.md, {{Out: '{address}'}}]\n"
        "extra:\n  handbook:\n    rules: {FM020: 'off'}\n"
        "    report_url: 'https://git.example/new?\"x\"={body}'\n"
    ).replace(f"site_url: {URL}\n", "")
    own = {"docs/llms.txt": "own", "docs/index.md.txt": "own"}
    root = write(tmp_path, {"mkdocs.yml": settings, **own})
    answer = run("handbook", "build", cwd=root)
    assert answer.returncode == 0, answer.stderr
    for name in ("index.html", "404.html"):
        html = LexborHTMLParser((root / "site" / name).read_text(encoding="utf-8"))
        assert not html.css("[onclick]"), name
        assert {link.text() for link in html.css(f"a[href={json.dumps(address)}]")}, name
        (report_link,) = html.css(".hb-report")
        assert report_link.attributes["data-address"] == f"/{name.removeprefix('index.html')}"
    assert (root / "site/llms.txt").read_text() == "own"
    assert (root / "site/index.md.txt").read_text() == "own"
    assert (root / "site/index.md").read_text(encoding="utf-8").startswith("# The handbook")


@pytest.mark.build
def test_a_build_contains_the_site_of_the_nested_handbook(tmp_path: Path) -> None:
    root = write(tmp_path / "root", HANDBOOKS)
    answer = run("handbook", "build", cwd=root)
    assert answer.returncode == 0, answer.stderr
    site = root / "site"
    counts = read_page_counts(site)
    assert counts[0] > counts[1] - 5 > 10
    (site / "pagefind").rename(tmp_path / "pagefind")
    assert run("handbook", "finish", "site", cwd=root).returncode == 0
    assert read_page_counts(site) == counts
    for name, link in (
        ("index.html", "./../adr/"),
        ("y/index.html", "../../adr/"),
        ("404.html", "/example/../adr/"),
    ):
        html = (site / "example" / name).read_text(encoding="utf-8")
        banner = re.findall('<aside class="md-banner">.*?</aside>', html, re.DOTALL)
        assert f'<a href="{link}">the handbook</a>' in "".join(banner), name
    assert "md-banner" not in (site / "index.html").read_text(encoding="utf-8")
    assert run("handbook", "links", "site", cwd=root).returncode == 0


def read_page_counts(site: Path) -> list[int]:
    """Return the numbers of pages in the search indexes of a site and of its nested site."""
    entries = (folder / "pagefind/pagefind-entry.json" for folder in (site, site / "example"))
    return [json.loads(entry.read_bytes())["languages"]["en"]["page_count"] for entry in entries]


@pytest.mark.build
@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"inner/adr/0001-a.md": ADR.replace("accepted", "acepted")},
            "handbook: nested handbook inner: the check found errors\nadr/0001-a.md:2:9: FM005",
        ),
        ({"docs/example.md": "# E\n"}, "mkdocs.yml: folder 'example' in 'nested' is an address"),
    ],
    ids=["an error in the nested handbook", "a page at its address"],
)
def test_a_build_that_fails_keeps_both_old_sites(
    files: dict[str, str], message: str, tmp_path: Path
) -> None:
    old = {
        "site/404.html": "old",
        "site/assets/keys/parts.json": "{}",
        "site/example/a.html": "old",
    }
    root = write(tmp_path, {**HANDBOOKS, **old, **files})
    answer = run("handbook", "build", cwd=root)
    assert answer.returncode == 1
    assert message in answer.stderr
    assert (root / "site/example/a.html").read_text(encoding="utf-8") == "old"
