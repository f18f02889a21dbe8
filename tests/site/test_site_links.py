"""The links of a built site: what is found, where it is said to come from, and what hostile pages can do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

import pytest

from handbook.cli import main
from handbook.loading import load
from handbook.rules.engine import Rule, rules, run_on_site
from handbook.settings import read_settings
from handbook.site.built import NoSiteError, Site, read_site
from tests.commands import run, unprivileged
from tests.handbooks import ROOT, SMALL, TODAY, copy_of, places, write

OF_PAGES = [each for each in rules().values() if each.over is Site and each.code <= "LNK106"]
PAGE = "<!doctype html><title>x</title><h1 id=top-of-it>x</h1>"


def read(root: Path, files: Mapping[str, str | bytes], url: str = "https://h.example/") -> Site:
    """A site of the files given, beside a home page with an anchor and a page below it."""
    return read_site(
        write(root, {"index.html": PAGE, "a/b/index.html": f"{PAGE}<a name=old></a>", **files}), url
    )


def sorts(site: Site) -> list[tuple[str, str]]:
    return [(fault.kind, fault.target) for fault in site.faults]


def one(root: Path, link: str, url: str = "https://h.example/") -> list[tuple[str, str]]:
    """What is found of the page /a/ that consists of one link."""
    return sorts(
        read(root, {"a/index.html": f"{PAGE}<a href='{link}'>x</a>", "a/ü b.txt": "x"}, url)
    )


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
)
def test_an_address_leads_where_a_browser_takes_it(
    link: str, expected: tuple[str, str] | None, tmp_path: Path
) -> None:
    assert one(tmp_path, link) == ([expected] if expected else [])


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
)
def test_a_site_below_a_path_ends_there(
    link: str, expected: tuple[str, str] | None, tmp_path: Path
) -> None:
    assert one(tmp_path, link, "https://h.example/book/") == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("html", "missing"),
    [
        ("<a href=1>x</a><area href=2><link rel=next href=3>", "1 2 3"),
        (
            "<script src=1></script><img src=2><iframe src=3></iframe><embed src=4><input type=image src=5>",
            "1 2 3 4 5",
        ),
        (
            "<video src=1 poster=2><source src=3><track src=4></video><audio src=5></audio>",
            "1 2 3 4 5",
        ),
        (
            "<picture><source srcset='1 1x, 2 2x'><img srcset='3 100w,4 200w,  data:x,y 3x, 5'></picture>",
            "1 2 3 4 5",
        ),
        ("<link rel=preload as=image imagesrcset='1, 2 2x'>", "1 2"),
        ("<meta http-equiv=Refresh content='0; url=1'>", "1"),
        ("<meta http-equiv=refresh content=\"5;URL='1'\">", "1"),
        ("<meta http-equiv=refresh content=30><meta name=x content='0; url=1'>", ""),
        (
            "<form action=1><button formaction=2>x</button><input formaction=3></form><form action=''></form>",
            "1 2 3",
        ),
        (
            "<object data=1></object><blockquote cite=2></blockquote><q cite=3></q><ins cite=4></ins>",
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
)
def test_every_place_of_an_address_is_looked_at(html: str, missing: str, tmp_path: Path) -> None:
    found = sorts(read(tmp_path, {"a/index.html": PAGE + html}))
    assert sorted(found) == [("missing", f"a/{name}") for name in missing.split()]


def test_a_style_sheet_names_what_is_there(tmp_path: Path) -> None:
    site = read(
        tmp_path,
        {
            "s/a.css": 'a{background:url("../index.html")} b{background:url( x.png )} c{src:url(data:x)}'
        },
    )
    assert sorts(site) == [("missing", "s/x.png")]


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
)
def test_files_for_machines_name_what_is_there(
    file: str, text: str, expected: str | None, tmp_path: Path
) -> None:
    found = sorts(read(tmp_path, {file: text.replace("H/", "https://h.example/")}))
    assert found == ([("missing", expected)] if expected else [])


def test_ids_are_there_once(tmp_path: Path) -> None:
    ids = "<p id=a>x<p id=b>x<p id=a>x<a name=a></a><a name=c></a><a name=d></a><p id='a '><p id=''><p id=''>"
    (fault,) = read(tmp_path, {"c.html": ids}).faults
    assert (fault.kind, fault.message) == (
        "duplicate",
        "the id 'a' appears more than once on /c.html",
    )


def test_what_is_spelt_otherwise_or_nearly_so_is_named(tmp_path: Path) -> None:
    links = "<a href=B/>x</a><a href=bb/>x</a><a href='b/#olde'>x</a>"
    hints = [fault.hint for fault in read(tmp_path, {"a/index.html": PAGE + links}).faults]
    assert hints == ["on disk it is spelt /a/b/", "did you mean 'a/b/'?", "did you mean 'old'?"]


def test_other_hosts_are_collected_without_their_fragments(tmp_path: Path) -> None:
    site = read(
        tmp_path,
        {
            "c.html": "<a href='https://o.dev/x#a'></a><a href=//o.dev/x></a><a href=http://o.dev/?y=1></a>"
        },
    )
    assert site.external == {
        "http://o.dev/?y=1": ("c.html",),
        "https://o.dev/x": ("c.html", "c.html"),
    }
    assert site.faults == ()


@pytest.mark.parametrize("empty", [None, {}, {"a.txt": "x"}])
def test_a_folder_without_a_page_is_no_site(empty: dict[str, str] | None, tmp_path: Path) -> None:
    if empty is not None:
        write(tmp_path / "site", {"a.txt": "x", **empty})
    with pytest.raises(NoSiteError, match="build the site first"):
        read_site(tmp_path / "site", "/")


# Hostile sites: each is read in a few seconds, and what cannot be read is told.
HOSTILE: dict[str, tuple[str | bytes, list[str]]] = {
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
    "comments that never end": ("<!-- " * 200_000, []),
    "tags that never end": ("<a href=x " * 100_000, ["unreadable"]),
    "a hundred thousand links": ("<a href=c/>x</a>" * 100_000, ["missing"]),
    "a srcset of commas": (f"<img srcset='{',' * 500_000}{'x, ' * 1000}'>", ["missing"]),
    "bytes that are no UTF-8": (b"<p>\n\xff\xfe", ["unreadable"]),
    "NUL bytes": (b"<a href='\x00'>x</a><p id='\x00'>", ["missing"]),
    "percent signs": ("<a href='%'>x</a><a href='%zz%00%FF'>y</a>", ["missing", "missing"]),
    "a right-to-left mark": ("<a href='\u202ec'>x</a>", ["missing"]),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_page_is_read_within_bounds(case: str, tmp_path: Path) -> None:
    text, expected = HOSTILE[case]
    begin = time.process_time()
    site = read(tmp_path, {"c.html": text})
    assert time.process_time() - begin < 10
    assert [fault.kind for fault in site.faults] == expected
    assert all(len(fault.message) < 600 for fault in site.faults)


def test_a_feed_is_bounded_as_a_page_is(tmp_path: Path) -> None:
    assert sorts(read(tmp_path, {"feed.xml": "<feed>" + "<entry>" * 100_000})) == [
        ("unreadable", "")
    ]


def test_a_page_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, {"c.html": "x"})
    os.truncate(tmp_path / "c.html", 100_000_000)
    assert [fault.message for fault in read(tmp_path, {}).faults] == [
        "/c.html cannot be read: 100000000 bytes are more than 64000000"
    ]


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '"x', "\ufeff{}"])
def test_json_that_is_none_is_told(text: str, tmp_path: Path) -> None:
    assert sorts(read(tmp_path, {"api/v1/adrs.json": text})) == [("unreadable", "")]


def test_what_is_no_regular_file_is_neither_read_nor_followed(tmp_path: Path) -> None:
    site = write(
        tmp_path / "site",
        {"index.html": "<a href=out/secret.html>x</a><a href=round/>x</a><a href=link.html>x</a>"},
    )
    write(tmp_path / "outside", {"secret.html": "<a href=nowhere>x</a>"})
    (site / "out").symlink_to("../outside")
    (site / "round").symlink_to(".")
    (site / "link.html").symlink_to("index.html")
    os.mkfifo(site / "pipe.html")
    found = read_site(site, "/").faults
    assert [(fault.kind, fault.target or fault.file) for fault in found] == [
        ("unreadable", "link.html"),
        ("unreadable", "pipe.html"),
        ("missing", "out/secret.html"),
        ("missing", "round/"),
        ("missing", "link.html"),
    ]
    assert found[-1].hint == "what is there is a symbolic link, or no regular file"


def test_what_another_user_may_not_read_is_told(tmp_path: Path) -> None:
    root = write(
        tmp_path, {"mkdocs.yml": "site_name: x\n", "site/index.html": PAGE, "site/c.html": PAGE}
    )
    (root / "site/c.html").chmod(0)
    code = (
        "from handbook.site.built import read_site; print(read_site('site', '/').faults[0].message)"
    )
    command = [*unprivileged(), sys.executable, "-c", code]
    answer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert answer.stdout == "/c.html cannot be read: Permission denied\n"


# On sites that were built.


def report_on(site: Path, root: Path) -> list[str]:
    """What is found of a site that was built from a root, as places."""
    found = read_site(site, read_settings(root).site_url)
    return places(run_on_site(found, load(root), TODAY).findings)


@pytest.mark.build
@pytest.mark.parametrize("site", ["small_site", "real_site"])
def test_the_sites_that_we_build_have_no_finding(site: str, request: pytest.FixtureRequest) -> None:
    root = SMALL if site == "small_site" else ROOT
    folder = request.getfixturevalue(site)
    found = read_site(folder, read_settings(root).site_url)
    assert found.faults == ()
    assert found.counts["page"] == len(list(folder.rglob("*.html")))
    assert found.counts["link"] > 20 * found.counts["page"]


@pytest.mark.build
def test_each_file_for_machines_of_a_site_is_looked_at(small_site: Path, tmp_path: Path) -> None:
    """Where a form changes so that nothing is found in it any more, this fails."""
    site = copy_of(small_site, tmp_path / "site")
    shutil.rmtree(site / "adr/0001-keep-orders-in-sqlite")
    shutil.rmtree(site / "alerts/OrdersDown")
    found = read_site(site, read_settings(SMALL).site_url)
    named = {fault.file for fault in found.faults}
    assert {"feed.xml", "sitemap.xml", "api/v1/adrs.json", "api/v1/alerts.json"} <= named
    assert any(file.startswith("assets/keys/") for file in named)


def spoilt(site: Path, good: str, bad: str) -> Iterator[str]:
    """Put `bad` in the place of `good` in the first page that has it; the page's file."""
    for file in sorted(site.rglob("*.html")):
        text = file.read_text(encoding="utf-8")
        if good in text:
            file.write_text(text.replace(good, bad, 1), encoding="utf-8")
            yield file.relative_to(site).as_posix()
            return
    raise AssertionError(f"no page holds: {good}")


@pytest.mark.build
@pytest.mark.parametrize("each", OF_PAGES, ids=lambda each: each.code)
def test_the_bad_example_is_found_by_its_rule_and_by_no_other(
    each: Rule, small_site: Path, tmp_path: Path
) -> None:
    site = copy_of(small_site, tmp_path / "site")
    (file,) = spoilt(site, each.good, each.bad)
    found = read_site(site, read_settings(SMALL).site_url)
    (finding,) = run_on_site(found, load(SMALL), TODAY).findings
    assert (finding.code, finding.rule, finding.severity) == (each.code, each.name, each.severity)
    assert f"/{file.removesuffix('index.html')}" in finding.message


@pytest.mark.build
def test_a_page_in_another_encoding_is_found_by_its_rule(small_site: Path, tmp_path: Path) -> None:
    site = copy_of(small_site, tmp_path / "site")
    page = site / "markdown/index.html"
    page.write_bytes(
        page.read_text(encoding="utf-8").replace("</h1>", " ü</h1>", 1).encode("latin-1", "replace")
    )
    assert report_on(site, SMALL) == ["docs/markdown.md:1:1:LNK107"]


def gone(site: Path, *folders: str) -> None:
    for folder in folders:
        shutil.rmtree(site / folder)


@pytest.mark.build
def test_a_finding_stands_where_its_link_was_written(small_site: Path, tmp_path: Path) -> None:
    """A link, an id in prose, a key of front matter and an alert's runbook_url; and none is told twice for the JSON."""
    site = copy_of(small_site, tmp_path / "site")
    gone(site, "adr/0001-keep-orders-in-sqlite", "alerts/OrdersDown")
    found = report_on(site, SMALL)
    assert found == [
        "adr/0002-use-postgresql.md:7:14:LNK101",
        "adr/0002-use-postgresql.md:27:4:LNK101",
        "adr/index.md:1:1:LNK101",
        "docs/index.md:6:30:LNK101",
        "docs/index.md:6:49:LNK101",
        "postmortems/2026-05-04-orders-stopped.md:12:10:LNK101",
        "runbooks/index.md:1:1:LNK101",
        "runbooks/shop/orders-down.md:2:10:LNK101",
        "runbooks/shop/shop.rules.yml:8:61:LNK101",
    ]


@pytest.mark.build
def test_what_a_template_writes_is_told_once(small_site: Path, tmp_path: Path) -> None:
    site = copy_of(small_site, tmp_path / "site")
    for page in site.rglob("index.html"):
        base = os.path.relpath(site, page.parent)
        text = page.read_text(encoding="utf-8").replace(
            "</body>", f'<a href="{base}/imprint/">x</a></body>'
        )
        page.write_text(text, encoding="utf-8")
    found = run_on_site(read_site(site, "https://small.example/"), load(SMALL), TODAY).findings
    (finding,) = found
    assert re.fullmatch(
        r"'(\.\./|\./)*imprint/' on /\S* leads to no file of the site \(also on /\S+, /\S+ and \d+ more\)",
        finding.message,
    )


@pytest.mark.build
def test_a_page_without_a_source_is_named_by_its_path(small_site: Path, tmp_path: Path) -> None:
    site = copy_of(small_site, tmp_path / "site")
    write(site, {"404.html": "<a href=nowhere>x</a>", "old/index.html": "<a href=nowhere>x</a>"})
    assert report_on(site, SMALL) == [
        f"{site}/404.html:1:1:LNK101",
        f"{site}/old/index.html:1:1:LNK101",
    ]


@pytest.mark.build
def test_a_page_that_moved_is_its_record_s(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    page = (root / "docs/markdown.md").read_text(encoding="utf-8")
    write(root, {"docs/markdown.md": f"---\nmoved_from: [/how/to/write/]\n---\n{page}"})
    run("mkdocs", "build", cwd=root, check=True)
    assert report_on(root / "site", root) == []
    text = (root / "site/how/to/write/index.html").read_text(encoding="utf-8")
    write(root, {"site/how/to/write/index.html": text.replace("../markdown/", "../markup/")})
    assert report_on(root / "site", root) == ["docs/markdown.md:1:1:LNK101"]


@pytest.mark.build
def test_a_finding_can_be_allowed_and_its_severity_set(small_site: Path, tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    site = copy_of(small_site, tmp_path / "site")
    gone(site, "markdown")
    before = report_on(site, root)
    (place,) = [
        each for each in before if each.startswith("docs/index.md:") and ":1:1:" not in each
    ] or [before[0]]
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
    assert (report.errors, report.warnings) == (0, len(before))
    path, line, *_ = place.split(":")
    lines = (root / path).read_text(encoding="utf-8").splitlines(keepends=True)
    lines.insert(int(line) - 1, "<!-- handbook: allow LNK101: it comes with the next release -->\n")
    write(root, {path: "".join(lines)})
    report = run_on_site(read_site(site, "https://small.example/"), load(root), TODAY)
    assert (report.warnings, report.suppressed) == (len(before) - 1, 1)


# What lychee finds of what was planted, we find.
PLANTED = (
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
def test_what_lychee_finds_is_found(small_site: Path, tmp_path: Path) -> None:
    site = copy_of(small_site, tmp_path / "site")
    pages = sorted(site.glob("*/*/index.html"))
    for number, planted in enumerate(PLANTED):
        page = pages[number % len(pages)]
        text = page.read_text(encoding="utf-8").replace("</article>", f"{planted}</article>", 1)
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
    theirs = {
        (
            Path(file).relative_to(site).as_posix(),
            _plain(found["url"].removeprefix(site.as_uri()).removeprefix("error:")),
        )
        for file, all_of_it in json.loads(answer.stdout)["error_map"].items()
        for found in all_of_it
    }
    assert len(theirs) > len(PLANTED)
    faults = read_site(site, "https://small.example/").faults
    ours = {
        (fault.file, "" if fault.kind == "invalid" else _plain(fault.target)) for fault in faults
    }
    assert theirs - ours == set()


def _plain(address: str) -> str:
    """An address as both name it: decoded, without index.html, and of one above the site its end alone."""
    path, mark, fragment = unquote(address).partition("#")
    path = path.partition("?")[0].removesuffix("index.html").strip("/")
    return f"{path.rpartition('/')[2] if 'above' in path else path}{mark}{fragment}"


# The command.


@pytest.fixture
def checked(small_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small handbook with its site, as the folder that the command runs in."""
    root = copy_of(SMALL, tmp_path / "handbook")
    copy_of(small_site, root / "site")
    monkeypatch.chdir(root)
    return root


@pytest.mark.build
def test_the_command_says_what_it_read(checked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["links", "site"]) == 0
    assert re.fullmatch(r"\d+ page, \d+ link: 0 errors, 0 warnings\n", capsys.readouterr().out)


@pytest.mark.build
@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_every_reporter_tells_of_a_link(
    form: str, checked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone(checked / "site", "markdown")
    assert main(["links", "site", "--format", form, "--output", "report"]) == 1
    assert capsys.readouterr().out == ""
    text = (checked / "report").read_text(encoding="utf-8")
    assert "LNK101" in text
    assert "leads to no file of the site" in text
    if form in ("json", "sarif"):
        json.loads(text)


def test_settings_that_cannot_be_read_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"mkdocs.yml": "site_url: [", "site/index.html": PAGE})
    assert main(["links", str(tmp_path / "site"), "--root", str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err
        == "handbook: mkdocs.yml cannot be read; `handbook check` says why\n"
    )


@pytest.mark.build
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is no folder"),
        (["docs"], "docs holds no page"),
        (["mkdocs.yml"], "mkdocs.yml is no folder"),
        (["site", "--root", "docs"], "docs holds no mkdocs.yml"),
        (["site", "--state", "state.json"], "--state needs --external"),
        (["site", "--output", "no/such/file"], "no/such/file cannot be written"),
    ],
)
def test_what_is_wrong_with_the_call_is_said_in_a_line(
    arguments: list[str], message: str, checked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["links", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"handbook: {message}")
    assert err.count("\n") == 1
