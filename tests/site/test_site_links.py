"""Link check of a built site: faults, their places in the sources, and hostile pages."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import pytest

from handbook.cli import main
from handbook.loading import load
from handbook.rules.engine import Rule, rules, run_on_site
from handbook.settings import read_settings
from handbook.site.built import NoSiteError, Site, read_site
from tests.commands import drop_privileges, run
from tests.handbooks import ADR, SETTINGS, SMALL, TODAY, copy_site, format_findings, write

SITE_LINK_RULES = [
    rule
    for rule in rules().values()
    if rule.over is Site and (rule.code <= "LNK106" or rule.code == "LNK110")
]
PAGE = "<!doctype html><title>x</title><h1 id=top-of-it>x</h1>"


def write_and_read_site(
    root: Path, files: Mapping[str, str | bytes], url: str = "https://h.example/"
) -> Site:
    """Write and read a site with a home page, the page /a/b/ and more files."""
    pages = {"index.html": PAGE, "a/b/index.html": f"{PAGE}<a name=old></a>"}
    return read_site(write(root, {**pages, **files}), url)


def kinds_and_targets(site: Site) -> list[tuple[str, str]]:
    return [(fault.kind, fault.target) for fault in site.link_faults]


def format_id(parameter: str | tuple[str, str] | None) -> str:
    """Format a link, or the fault expected of it, for the id of a test."""
    if isinstance(parameter, str):
        return f"'{parameter}'"
    return parameter[0] if parameter else "valid"


def check_link(root: Path, link: str, url: str = "https://h.example/") -> list[tuple[str, str]]:
    """Return the faults of a link on the page /a/."""
    files = {"a/index.html": f"{PAGE}<a href='{link}'>x</a>", "a/ü b.txt": "x"}
    return kinds_and_targets(write_and_read_site(root, files, url))


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("b/", None),
        ("b", None),
        ("b/index.html", None),
        ("./b/./", None),
        ("b/../../a/b/", None),
        ("..", None),
        ("../", None),
        ("/", None),
        ("/a/b/", None),
        (".", None),
        ("?sorted=1", None),
        ("b/?x=1#old", None),
        ("#top-of-it", None),
        ("#", None),
        ("#top", None),
        ("#TOP", None),
        ("b/#old", None),
        ("b/#top-of-it", None),
        ("b#top-of-it", None),
        ("b/#:~:text=some%20words", None),
        ("b/#top%2Dof%2Dit", None),
        ("%C3%BC%20b.txt", None),
        ("%62/", None),
        ("ü b.txt#anything", None),
        (" b/ ", None),
        ("b\\", None),
        ("https://h.example/a/b/#old", None),
        ("http://H.example", None),
        ("//h.example/a/", None),
        ("mailto:team@h.example", None),
        ("tel:+1", None),
        ("data:text/plain,x", None),
        ("https://other.example/gone#x", None),
        ("c/", ("missing", "a/c/")),
        ("c/#x", ("missing", "a/c/#x")),
        ("B/", ("missing", "a/B/")),
        ("b/index.htm", ("missing", "a/b/index.htm")),
        ("ü b.txt/", ("missing", "a/ü b.txt/")),
        ("b%2Findex.html%3F", ("missing", "a/b/index.html?")),
        ("https://h.example/c/", ("missing", "c/")),
        ("/c.png?v=2", ("missing", "c.png")),
        ("#nowhere", ("fragment", "a/#nowhere")),
        ("#Top-of-it", ("fragment", "a/#Top-of-it")),
        ("b/#nowhere", ("fragment", "a/b/#nowhere")),
        ("../#old", ("fragment", "#old")),
        ("", ("empty", "<a href>")),
        ("  ", ("empty", "<a href>")),
        ("http://[bad", ("invalid", "http://[bad")),
        ("http://", ("invalid", "http://")),
        ("https:///x", ("invalid", "https:///x")),
        ("https://a b.example/", ("invalid", "https://a b.example/")),
        ("https://h.example:port/", ("invalid", "https://h.example:port/")),
        ("../../", ("outside", "a/../../")),
        ("/../x", ("outside", "../x")),
    ],
    ids=format_id,
)
def test_an_address_is_resolved_as_a_browser_does(
    link: str, expected: tuple[str, str] | None, tmp_path: Path
) -> None:
    assert check_link(tmp_path, link) == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/book/a/b/", None),
        ("/book", None),
        ("https://h.example/book/", None),
        ("https://h.example/elsewhere/", None),
        ("/a/b/", ("outside", "/a/b/")),
        ("/bookshop/", ("outside", "/bookshop/")),
        ("../../", ("outside", "a/../../")),
        ("/book/c/", ("missing", "c/")),
    ],
    ids=format_id,
)
def test_links_outside_the_path_of_a_site_are_faults(
    link: str, expected: tuple[str, str] | None, tmp_path: Path
) -> None:
    faults = check_link(tmp_path, link, "https://h.example/book/")
    assert faults == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("html", "missing"),
    [
        ("<a href=1>x</a><area href=2><link rel=next href=3>", "1 2 3"),
        (
            "<script src=1></script><img src=2><iframe src=3></iframe><embed src=4>"
            "<input type=image src=5>",
            "1 2 3 4 5",
        ),
        (
            "<video src=1 poster=2><source src=3><track src=4></video><audio src=5></audio>",
            "1 2 3 4 5",
        ),
        (
            "<picture><source srcset='1 1x, 2 2x'>"
            "<img srcset='3 100w,4 200w,  data:x,y 3x, 5'></picture>",
            "1 2 3 4 5",
        ),
        ("<link rel=preload as=image imagesrcset='1, 2 2x'>", "1 2"),
        ("<meta http-equiv=Refresh content='0; url=1'>", "1"),
        ("<meta http-equiv=refresh content=\"5;URL='1'\">", "1"),
        ("<meta http-equiv=refresh content=30><meta name=x content='0; url=1'>", ""),
        (
            "<form action=1><button formaction=2>x</button><input formaction=3></form>"
            "<form action=''></form>",
            "1 2 3",
        ),
        (
            "<object data=1></object><blockquote cite=2></blockquote><q cite=3></q>"
            "<ins cite=4></ins>",
            "1 2 3 4",
        ),
        ("<svg><use href=1 /><use xlink:href=2 /><image href=3 /></svg>", "1 2 3"),
        ("<style>@import '1'; a { background: url(2) } /* url(3) */</style>", "1 2"),
        ("<template><img src=1><template><a href=2 id=x>x</a></template></template>", "1 2"),
        ("<noscript><img src=1></noscript>", "1"),
        ("<p id=x>x</p><template><p id=x>x</p></template>", ""),
        ("<A HREF=1>x</A><pre><code><a href=2>x</a></code></pre>", "1 2"),
        ("<!-- <a href=1> --><script>'<a href=2>'</script><textarea><a href=3></textarea>", ""),
        ("<base href=../a/sub/><a href=1>x</a>", "sub/1"),
        ("<a rel=edit href=1>x</a>", ""),
    ],
    ids=[
        "links",
        "embedded content",
        "video and audio",
        "picture",
        "imagesrcset",
        "refresh",
        "refresh in quotes",
        "other meta elements",
        "forms",
        "object and citations",
        "SVG",
        "style",
        "templates",
        "noscript",
        "id also in a template",
        "code",
        "comment, script and textarea",
        "base",
        "edit link",
    ],
)
def test_every_element_and_attribute_with_an_address_is_checked(
    html: str, missing: str, tmp_path: Path
) -> None:
    faults = kinds_and_targets(write_and_read_site(tmp_path, {"a/index.html": PAGE + html}))
    assert sorted(faults) == [("missing", f"a/{name}") for name in missing.split()]


def test_addresses_in_a_style_sheet_are_checked(tmp_path: Path) -> None:
    style = 'a{background:url("../index.html")} b{background:url( x.png )} c{src:url(data:x)}'
    site = write_and_read_site(tmp_path, {"s/a.css": style})
    assert kinds_and_targets(site) == [("missing", "s/x.png")]


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("feed.xml", "<feed><link href='H/a/b/'/><entry><link href='H/c/'/></entry></feed>", "c/"),
        ("feed.xml", "<feed><id>H/a/b/#accepted-2026-03-02</id></feed>", None),
        ("feed.xml", "<feed><entry><id>H/c/#accepted-2026-03-02</id></entry></feed>", "c/"),
        ("sitemap.xml", "<urlset><url><loc>H/c/?a=1&amp;b=2</loc></url></urlset>", "c/"),
        ("api/v1/adrs.json", '{"items": [{"url": "H/c/#x"}]}', "c/#x"),
        ("api/v1/schemas/adr.json", '{"$id": "H/c.json"}', "c.json"),
        ("api/v1/adrs.json", '{"items": [{"text": "H/c/ is a text"}]}', None),
        (
            "api/v1/alerts.json",
            '[{"name": "Down", "annotations": {"runbook_url": "H/alerts/Down/"}}]',
            "alerts/Down/",
        ),
        (
            "assets/keys/ada.json",
            '[["A title", "c/#x", "Page", "a key"], ["Another", "a/b/", "Page", "b"]]',
            "c/#x",
        ),
        ("assets/keys/adb.json", '{"rows": [["A title", "c/", "Page", "a key"]]}', "c/"),
    ],
    ids=[
        "links of a feed",
        "id of a feed",
        "id of an entry",
        "sitemap",
        "url in JSON",
        "schema id",
        "text in JSON",
        "runbook_url",
        "search keys",
        "search keys in a mapping",
    ],
)
def test_addresses_in_the_feed_the_sitemap_and_the_json_are_checked(
    file: str, text: str, expected: str | None, tmp_path: Path
) -> None:
    files = {file: text.replace("H/", "https://h.example/")}
    faults = kinds_and_targets(write_and_read_site(tmp_path, files))
    assert faults == ([("missing", expected)] if expected else [])


def test_a_duplicate_id_is_a_fault(tmp_path: Path) -> None:
    ids = (
        "<p id=a>x<p id=b>x<p id=a>x<a name=a></a><a name=c></a><a name=d></a>"
        "<p id='a '><p id=''><p id=''>"
    )
    (fault,) = write_and_read_site(tmp_path, {"c.html": ids}).link_faults
    assert (fault.kind, fault.message) == ("duplicate", "duplicate id 'a' on /c.html")


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("c/", "broken link 'c/' on /a/: no such file"),
        ("b/#nowhere", "unknown anchor 'b/#nowhere' on /a/: no id 'nowhere' on /a/b/"),
        ("../../", "link outside the site '../../' on /a/"),
        ("https:///x", "invalid address 'https:///x' on /a/: no valid host"),
        ("", "empty href on /a/: <a href>"),
    ],
    ids=["missing file", "unknown anchor", "outside", "invalid address", "empty"],
)
def test_a_message_names_the_fault_and_the_link(link: str, message: str, tmp_path: Path) -> None:
    files = {"a/index.html": f"{PAGE}<a href='{link}'>x</a>"}
    (fault,) = write_and_read_site(tmp_path, files).link_faults
    assert fault.message == message


def test_a_hint_gives_the_right_spelling(tmp_path: Path) -> None:
    links = "<a href=B/>x</a><a href=bb/>x</a><a href='b/#olde'>x</a>"
    site = write_and_read_site(tmp_path, {"a/index.html": PAGE + links})
    assert [fault.hint for fault in site.link_faults] == [
        "use the same case as the file name: /a/b/",
        "did you mean 'a/b/'?",
        "did you mean 'old'?",
    ]


def test_external_links_are_collected_without_their_fragments(tmp_path: Path) -> None:
    links = "<a href='https://o.dev/x#a'></a><a href=//o.dev/x></a><a href=http://o.dev/?y=1></a>"
    site = write_and_read_site(tmp_path, {"c.html": links})
    assert site.external == {
        "http://o.dev/?y=1": ("c.html",),
        "https://o.dev/x": ("c.html", "c.html"),
    }
    assert site.link_faults == ()


@pytest.mark.parametrize("files", [None, {"a.txt": "x"}], ids=["missing folder", "no page"])
def test_a_folder_without_a_page_is_an_error(files: dict[str, str] | None, tmp_path: Path) -> None:
    if files is not None:
        write(tmp_path / "site", files)
    with pytest.raises(NoSiteError, match="build the site first"):
        read_site(tmp_path / "site", "/")


# Hostile pages. Each must be read in a few seconds, or be reported as unreadable.
HOSTILE_PAGES: dict[str, tuple[str | bytes, list[str]]] = {
    "a line of a megabyte": (f"<p>{'x' * 1_000_000}<a href={'y' * 1_000_000}>x</a>", ["missing"]),
    "elements a million deep": ("<div>" * 1_000_000, ["unreadable"]),
    "lists fifty thousand deep, all closed": (
        f"{'<ul><li>' * 50_000}{'</li></ul>' * 50_000}",
        ["unreadable"],
    ),
    "a tag of a hundred thousand attributes": (
        f"<a {' '.join(f'a{n}' for n in range(100_000))}>",
        ["unreadable"],
    ),
    "unclosed comments": ("<!-- " * 200_000, []),
    "unclosed tags": ("<a href=x " * 100_000, ["unreadable"]),
    "a hundred thousand links": ("<a href=c/>x</a>" * 100_000, ["missing"]),
    "a srcset of commas": (f"<img srcset='{',' * 500_000}{'x, ' * 1000}'>", ["missing"]),
    "bytes that are not UTF-8": (b"<p>\n\xff\xfe", ["unreadable"]),
    "NUL bytes": (b"<a href='\x00'>x</a><p id='\x00'>", ["missing"]),
    "percent signs": ("<a href='%'>x</a><a href='%zz%00%FF'>y</a>", ["missing", "missing"]),
    "a right-to-left mark": ("<a href='\u202ec'>x</a>", ["missing"]),
}


@pytest.mark.parametrize("case", HOSTILE_PAGES)
def test_a_hostile_page_is_read_within_limits(case: str, tmp_path: Path) -> None:
    text, expected = HOSTILE_PAGES[case]
    begin = time.process_time()
    site = write_and_read_site(tmp_path, {"c.html": text})
    assert time.process_time() - begin < 10
    assert [fault.kind for fault in site.link_faults] == expected
    assert all(len(fault.message) < 600 for fault in site.link_faults)


def test_a_feed_has_the_limits_of_a_page(tmp_path: Path) -> None:
    site = write_and_read_site(tmp_path, {"feed.xml": "<feed>" + "<entry>" * 100_000})
    assert kinds_and_targets(site) == [("unreadable", "")]


def test_a_page_over_the_size_limit_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, {"c.html": "x"})
    os.truncate(tmp_path / "c.html", 100_000_000)
    assert [fault.message for fault in write_and_read_site(tmp_path, {}).link_faults] == [
        "unreadable file '/c.html': 100000000 bytes, more than 64000000"
    ]


@pytest.mark.parametrize(
    "text",
    ["{", "[" * 100_000, '"x', "\ufeff{}"],
    ids=["open brace", "deep lists", "open string", "byte order mark"],
)
def test_invalid_json_is_a_fault(text: str, tmp_path: Path) -> None:
    site = write_and_read_site(tmp_path, {"api/v1/adrs.json": text})
    assert kinds_and_targets(site) == [("unreadable", "")]


def test_irregular_files_are_neither_read_nor_followed(tmp_path: Path) -> None:
    site = write(
        tmp_path / "site",
        {"index.html": "<a href=out/secret.html>x</a><a href=round/>x</a><a href=link.html>x</a>"},
    )
    write(tmp_path / "outside", {"secret.html": "<a href=nowhere>x</a>"})
    (site / "out").symlink_to("../outside")
    (site / "round").symlink_to(".")
    (site / "link.html").symlink_to("index.html")
    os.mkfifo(site / "pipe.html")
    faults = read_site(site, "/").link_faults
    assert [(fault.kind, fault.target or fault.file) for fault in faults] == [
        ("unreadable", "link.html"),
        ("unreadable", "pipe.html"),
        ("missing", "out/secret.html"),
        ("missing", "round/"),
        ("missing", "link.html"),
    ]
    assert faults[-1].hint == "replace the symbolic link or special file with a regular file"


def test_a_file_without_read_permission_is_a_fault(tmp_path: Path) -> None:
    root = write(
        tmp_path, {"mkdocs.yml": "site_name: x\n", "site/index.html": PAGE, "site/c.html": PAGE}
    )
    (root / "site/c.html").chmod(0)
    code = (
        "from handbook.site.built import read_site; "
        "print(read_site('site', '/').link_faults[0].message)"
    )
    command = [*drop_privileges(), sys.executable, "-c", code]
    answer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert answer.stdout == "unreadable file '/c.html': Permission denied\n"


# Tests on built sites.


def check_site(folder: Path, root: Path) -> list[str]:
    """Return the places of the findings on a site that was built from a root."""
    site = read_site(folder, read_settings(root).site_url)
    return format_findings(run_on_site(site, load(root), TODAY).findings)


def check_own_site(folder: Path, root: Path) -> None:
    """Assert that a site has no faults, and that every page and link was read."""
    site = read_site(folder, read_settings(root).site_url)
    assert site.link_faults == ()
    assert site.counts["page"] == len(list(folder.rglob("*.html")))
    assert site.counts["link"] > 20 * site.counts["page"]


@pytest.mark.build
def test_the_small_site_has_no_finding(small_site: Path) -> None:
    check_own_site(small_site, SMALL)


@pytest.mark.build
def test_each_generated_data_file_is_checked(small_site: Path, tmp_path: Path) -> None:
    """The check must still read addresses after the form of a data file changes."""
    folder = copy_site(small_site, tmp_path / "site")
    remove_folders(folder, "adr/0001-keep-orders-in-sqlite", "alerts/OrdersDown")
    site = read_site(folder, read_settings(SMALL).site_url)
    files = {fault.file for fault in site.link_faults}
    assert {"feed.xml", "sitemap.xml", "api/v1/adrs.json", "api/v1/alerts.json"} <= files
    assert any(file.startswith("assets/keys/") for file in files)


def break_first_page(site: Path, good: str, bad: str) -> str:
    """Replace `good` with `bad` in the first page that holds it. Returns the page's file."""
    for file in sorted(site.rglob("*.html")):
        text = file.read_text(encoding="utf-8")
        # The reference of the rules shows the same text as an example.
        if good in text and "reference" not in file.parts:
            file.write_text(text.replace(good, bad, 1), encoding="utf-8")
            return file.relative_to(site).as_posix()
    raise AssertionError(f"no page holds: {good}")


@pytest.mark.build
@pytest.mark.parametrize("rule", SITE_LINK_RULES, ids=lambda rule: rule.code)
def test_only_the_rule_itself_reports_its_bad_example(
    rule: Rule, small_site: Path, tmp_path: Path
) -> None:
    folder = copy_site(small_site, tmp_path / "site")
    file = break_first_page(folder, rule.good, rule.bad)
    site = read_site(folder, read_settings(SMALL).site_url)
    (finding,) = run_on_site(site, load(SMALL), TODAY).findings
    assert (finding.code, finding.rule, finding.severity) == (rule.code, rule.name, rule.severity)
    assert f"/{file.removesuffix('index.html')}" in finding.message


@pytest.mark.build
def test_a_page_in_another_encoding_is_a_finding(small_site: Path, tmp_path: Path) -> None:
    site = copy_site(small_site, tmp_path / "site")
    page = site / "markdown/index.html"
    page.write_bytes(
        page.read_text(encoding="utf-8").replace("</h1>", " ü</h1>", 1).encode("latin-1", "replace")
    )
    assert check_site(site, SMALL) == ["docs/markdown.md:1:1:LNK107"]


def remove_folders(site: Path, *folders: str) -> None:
    for folder in folders:
        shutil.rmtree(site / folder)


@pytest.mark.build
def test_a_finding_has_its_place_in_the_source(small_site: Path, tmp_path: Path) -> None:
    """Links, ids in prose, keys of front matter and `runbook_url` have places.

    The JSON repeats these links and adds no findings.
    """
    site = copy_site(small_site, tmp_path / "site")
    remove_folders(site, "adr/0001-keep-orders-in-sqlite", "alerts/OrdersDown")
    assert check_site(site, SMALL) == [
        "adr/0002-use-postgresql.md:7:14:LNK101",
        "adr/0002-use-postgresql.md:27:4:LNK101",
        "adr/0003-keep-orders-in-mysql.md:1:1:LNK101",  # and other pages with the menu
        "docs/index.md:6:30:LNK101",
        "docs/index.md:6:49:LNK101",
        "postmortems/2026-05-04-orders-stopped.md:12:10:LNK101",
        "runbooks/shop/orders-down.md:2:10:LNK101",
        "runbooks/shop/shop.rules.yml:8:61:LNK101",
        "runbooks/shop/shop.rules.yml:9:9:LNK101",  # the page of the next alert, in its menu
    ]


@pytest.mark.build
def test_a_broken_link_of_a_template_is_one_finding(small_site: Path, tmp_path: Path) -> None:
    site = copy_site(small_site, tmp_path / "site")
    for page in site.rglob("index.html"):
        base = os.path.relpath(site, page.parent)
        text = page.read_text(encoding="utf-8").replace(
            "</body>", f'<a href="{base}/imprint/">x</a></body>'
        )
        page.write_text(text, encoding="utf-8")
    (finding,) = run_on_site(read_site(site, "https://small.example/"), load(SMALL), TODAY).findings
    assert re.fullmatch(
        r"broken link '(\.\./|\./)*imprint/' on /\S*: no such file "
        r"\(also on /\S+, /\S+ and \d+ more\)",
        finding.message,
    )


@pytest.mark.build
def test_a_finding_on_a_page_without_a_source_names_the_built_file(
    small_site: Path, tmp_path: Path
) -> None:
    site = copy_site(small_site, tmp_path / "site")
    write(site, {"404.html": "<a href=nowhere>x</a>", "old/index.html": "<a href=nowhere>x</a>"})
    assert check_site(site, SMALL) == [
        f"{site}/404.html:1:1:LNK101",
        f"{site}/old/index.html:1:1:LNK101",
    ]


@pytest.mark.build
def test_a_finding_on_a_redirect_names_the_moved_page(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    page = (root / "docs/markdown.md").read_text(encoding="utf-8")
    write(root, {"docs/markdown.md": f"---\nmoved_from: [/how/to/write/]\n---\n{page}"})
    run("mkdocs", "build", cwd=root, check=True)
    assert check_site(root / "site", root) == []
    text = (root / "site/how/to/write/index.html").read_text(encoding="utf-8")
    write(root, {"site/how/to/write/index.html": text.replace("../markdown/", "../markup/")})
    assert check_site(root / "site", root) == ["docs/markdown.md:1:1:LNK101"]


@pytest.mark.build
def test_a_finding_can_be_allowed_and_its_severity_set(small_site: Path, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    site = copy_site(small_site, tmp_path / "site")
    remove_folders(site, "markdown")
    all_places = check_site(site, root)
    (allowed_place,) = [
        place for place in all_places if place.startswith("docs/index.md:") and ":1:1:" not in place
    ] or [all_places[0]]
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(
        root,
        {
            "mkdocs.yml": settings.replace(
                "  handbook:\n", "  handbook:\n    rules: {LNK101: warning}\n", 1
            )
        },
    )
    report = run_on_site(read_site(site, "https://small.example/"), load(root), TODAY)
    assert (report.errors, report.warnings) == (0, len(all_places))
    path, line, *_ = allowed_place.split(":")
    lines = (root / path).read_text(encoding="utf-8").splitlines(keepends=True)
    lines.insert(int(line) - 1, "<!-- handbook: allow LNK101: it comes with the next release -->\n")
    write(root, {path: "".join(lines)})
    report = run_on_site(read_site(site, "https://small.example/"), load(root), TODAY)
    assert (report.warnings, report.suppressed_count) == (len(all_places) - 1, 1)


# Our check must report every planted fault that lychee reports.
PLANTED_FAULTS = (
    '<a href="../no-such-page/">x</a>',
    '<a href="no-such-file.txt">x</a>',
    '<img src="no-such.png">',
    '<img src="x" srcset="no-such-1.png 1x, no-such-2.png 2x">',
    '<a href="../../adr/#no-such-id">x</a>',
    '<a href="#no-such-id">x</a>',
    '<a href="../../ADR/">x</a>',
    '<a href="../../assets/">x</a>',
    '<iframe src="no-such.html"></iframe>',
    '<video src="no-such.mp4" poster="no-such.jpg"></video>',
    '<object data="no-such.pdf"></object>',
    '<form action="no-such/"></form>',
    '<link rel="next" href="no-such-next/">',
    '<area href="no-such-area/">',
    '<blockquote cite="no-such-cite/">x</blockquote>',
    '<a href="/no-such-root/">x</a>',
    '<a href="http://[no-such">x</a>',
    '<a href="../../../../../no-such-above/">x</a>',
    '<a href="no%20such">x</a>',
    '<template><img src="no-such-template.png"></template>',
    "<style>b{background:url(no-such-style.png)}</style>",
    '<a href="../../adr/index.html?x=1#no-such">x</a>',
    '<embed src="no-such.swf"><input formaction="no-such-form">',
)


@pytest.mark.build
def test_every_fault_that_lychee_reports_is_a_fault_here(small_site: Path, tmp_path: Path) -> None:
    site = copy_site(small_site, tmp_path / "site")
    pages = sorted(site.glob("*/*/index.html"))
    for number, planted_fault in enumerate(PLANTED_FAULTS):
        page = pages[number % len(pages)]
        text = page.read_text(encoding="utf-8").replace(
            "</article>", f"{planted_fault}</article>", 1
        )
        page.write_text(text, encoding="utf-8")
    write(site, {"assets/more.css": "b{background:url(no-such-sheet.png)}"})
    options = [
        "--offline",
        "--include-fragments",
        "--no-progress",
        "--format",
        "json",
        "--index-files",
        "index.html",
    ]
    answer = run("lychee", *options, "--root-dir", str(site), str(site), cwd=tmp_path)
    faults_of_lychee = {
        (
            Path(file).relative_to(site).as_posix(),
            _normalise(error["url"].removeprefix(site.as_uri()).removeprefix("error:")),
        )
        for file, errors in json.loads(answer.stdout)["error_map"].items()
        for error in errors
    }
    assert len(faults_of_lychee) > len(PLANTED_FAULTS)
    our_faults = {
        (fault.file, "" if fault.kind == "invalid" else _normalise(fault.target))
        for fault in read_site(site, "https://small.example/").link_faults
    }
    assert faults_of_lychee - our_faults == set()


def _normalise(address: str) -> str:
    """Return an address in a form that both tools share.

    The address is decoded and has no index.html. Only the last name of an address above the site
    remains.
    """
    path, mark, fragment = unquote(address).partition("#")
    path = path.partition("?")[0].removesuffix("index.html").strip("/")
    return f"{path.rpartition('/')[2] if 'above' in path else path}{mark}{fragment}"


# Tests of the command.


@pytest.fixture
def small_handbook(small_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small handbook with its site, as the working directory."""
    root = copy_site(SMALL, tmp_path / "handbook")
    copy_site(small_site, root / "site")
    monkeypatch.chdir(root)
    return root


@pytest.mark.build
def test_the_command_prints_counts(
    small_handbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["links", "site"]) == 0
    assert re.fullmatch(r"\d+ page, \d+ link: 0 errors, 0 warnings\n", capsys.readouterr().out)


@pytest.mark.build
@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_every_reporter_reports_a_broken_link(
    form: str, small_handbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    remove_folders(small_handbook / "site", "markdown")
    assert main(["links", "site", "--format", form, "--output", "report"]) == 1
    assert capsys.readouterr().out == ""
    text = (small_handbook / "report").read_text(encoding="utf-8")
    assert "LNK101" in text
    assert "no such file" in text
    if form in ("json", "sarif"):
        json.loads(text)


def test_unreadable_settings_are_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"mkdocs.yml": "site_url: [", "site/index.html": PAGE})
    assert main(["links", str(tmp_path / "site"), "--root", str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err
        == "handbook: mkdocs.yml cannot be read; run `handbook check` for the reason\n"
    )


@pytest.mark.build
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no folder 'nowhere'; build the site first"),
        (["docs"], "no page in folder 'docs'; build the site first"),
        (["mkdocs.yml"], "no folder 'mkdocs.yml'; build the site first"),
        (["site", "--root", "docs"], "no mkdocs.yml in 'docs'"),
        (["site", "--state", "state.json"], "--state works only with --external"),
        (["site", "--output", "no/such/file"], "no/such/file cannot be written"),
    ],
    ids=["missing folder", "no page", "file", "wrong root", "state alone", "unwritable output"],
)
def test_a_usage_error_is_reported_in_one_line(
    arguments: list[str], message: str, small_handbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["links", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"handbook: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>{{ home() }}</p>", ["docs/page.md:3:1:LNK110"]),
        ("<p>{{adr_index( )}} and {{ <b>x</b></p>", ["docs/page.md:1:1:LNK110"]),
        ("<p>{{- now() -}}</p>", ["docs/page.md:1:1:LNK110"]),
        ("<p>{{ due() }}</p>", []),
        ("<p><code>{{ home() }}</code></p><pre>{{ home() }}</pre>", []),
        ("<p>{{ range(3) }} {{ unknown() }} {{ home }} {home()}</p>", []),
        ("<p>{{ $labels.instance }}</p><script>{{ home() }}</script>", []),
    ],
)
def test_the_call_of_a_known_macro_is_no_text(
    html: str, expected: list[str], tmp_path: Path
) -> None:
    files = {
        "docs/page.md": "# A page\n\n{{ home() }}\n",
        "site/page/index.html": f"{PAGE}{html}",
        "site/adr/0001-a/index.html": f"{PAGE}<p>{{{{ home() }}}}</p>",
    }
    # The text of a record stays text, also in an index.
    record = ADR.replace("# ", "# How to read {{ due() }}: ", 1)
    write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": record, **files})
    findings = check_site(tmp_path / "site", tmp_path)
    assert [finding for finding in findings if finding.endswith("LNK110")] == expected
