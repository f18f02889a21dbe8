"""The list of the offline copy, and the archive of pages that open from the file system."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import posixpath
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zipfile import ZipFile

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.cli import build_command
from handbook.cli.common import UsageError
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.site.offline import RUNBOOK_SCRIPT, find_target, list_files, write_list
from handbook.site.offline_archive import make_offline_archive
from tests.commands import run
from tests.handbooks import SMALL, copy_site, replace_once, write
from tests.repositories import run_git

ORDERS_DOWN = "runbooks/shop/orders-down/"
HEAD = """<!doctype html><html><head>
<meta http-equiv="Content-Security-Policy" content="script-src 'self' 'sha256-x='">
<link rel="stylesheet" href="../../../assets/main.css"><link rel="canonical" href="/elsewhere/">
</head><body><header><a href="../../../search/" data-search>Search</a></header>"""
PAGE = f"""{HEAD}<dialog id="hb-search"><a href="../../../search/">All</a></dialog>
<img src="drawing.svg" srcset="drawing.svg 1x, big.svg 2x">
<iframe src="../../../frame.html"></iframe>
<a href="#causes">Causes</a><a href="../../../services/shop/?a=1#about">Shop</a>
<a href="https://small.example/alerts/OrdersDown/">Alert</a><a href="/">Home</a>
<a href="../../../adr/0001-keep-orders-in-sqlite/#why">Decision</a>
<a href="https://other.example/">Other</a>
<script src="../../../assets/theme.js"></script><script type="module" src="x.js"></script>
</body></html>"""
SITE = {
    "index.html": HEAD,
    "404.html": HEAD,
    "search/index.html": HEAD,
    f"{ORDERS_DOWN}index.html": PAGE,
    f"{ORDERS_DOWN}drawing.svg": "<svg/>",
    f"{ORDERS_DOWN}big.svg": "<svg></svg>",
    "services/shop/index.html": HEAD,
    "alerts/OrdersDown/index.html": HEAD,
    "adr/0001-keep-orders-in-sqlite/index.html": HEAD,
    "assets/main.css": "@import 'more.css'; a {background: url(\"icons/a%20b.png\")}",
    "assets/more.css": "b {background: url(data:x) url(https://other.example/c.png)}",
    "assets/icons/a b.png": "png",
    "assets/theme.js": "theme()",
    "assets/runbook.js": "fill()",
    "frame.html": "",
    "old/orders/index.html": "<!doctype html><title>Moved</title>",
}
LOADED = {
    "assets/main.css",
    "assets/more.css",
    "assets/icons/a b.png",
    "assets/theme.js",
    f"{ORDERS_DOWN}drawing.svg",
    f"{ORDERS_DOWN}big.svg",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with some pages of the small handbook's site, in their simplest form."""
    write(tmp_path / "site", SITE)
    return tmp_path / "site"


@pytest.fixture
def handbook(tmp_path: Path) -> Handbook:
    """The small handbook in a repository, with a runbook that has moved."""
    root = copy_site(SMALL, tmp_path / "handbook")
    file = root / "runbooks/shop/orders-down.md"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("---\n", "---\nmoved_from: [/old/orders/]\n", 1), encoding="utf-8")
    run_git(root, "init", "--quiet")
    run_git(root, "add", ".")
    run_git(root, "commit", "--quiet", "-m", "all", day="2026-04-02")
    return load(root)


def read_list(site: Path, handbook: Handbook) -> dict[str, Any]:
    write_list(site, handbook)
    answer: dict[str, Any] = json.loads((site / "offline.json").read_text(encoding="utf-8"))
    return answer


def find_one(page: LexborHTMLParser, selector: str) -> LexborNode:
    (node,) = page.css(selector)
    return node


def test_the_list_has_the_pages_for_on_call_and_all_that_they_load(
    site: Path, handbook: Handbook
) -> None:
    document = read_list(site, handbook)
    pages = {"", "search/", ORDERS_DOWN, "services/shop/", "alerts/OrdersDown/"}
    others = {"404.html", "old/orders/", RUNBOOK_SCRIPT}
    assert set(document["files"]) == pages | LOADED | others
    content = PAGE.encode()
    assert document["files"][ORDERS_DOWN] == [
        hashlib.sha256(content).hexdigest()[:32],
        len(content),
    ]
    assert document["bytes"] == sum(size for _, size in document["files"].values())
    assert document["pages"]["Alerts"] == [["OrdersDown", "alerts/OrdersDown/"]]
    assert [address for _, address in document["pages"]["Lists"]] == ["", "search/"]
    assert re.fullmatch("[0-9a-f]{7}", document["commit"])


def test_equal_sites_have_equal_lists_and_a_changed_file_is_another_version(
    site: Path, handbook: Handbook
) -> None:
    version = read_list(site, handbook)["version"]
    content = (site / "offline.json").read_bytes()
    read_list(site, handbook)
    assert (site / "offline.json").read_bytes() == content
    (site / "assets/icons/a b.png").write_text("other")
    assert read_list(site, handbook)["version"] != version
    (site / "adr/0001-keep-orders-in-sqlite/index.html").write_text("other")
    (site / "assets/icons/a b.png").write_text("png")
    assert read_list(site, handbook)["version"] == version


@pytest.mark.parametrize(
    ("file", "address", "target"),
    [
        ("a/index.html", "../b/?x=1#c", ("b/", "?x=1#c")),
        ("a/index.html", "/handbook/b/", ("b/", "")),
        ("404.html", "https://x.example/handbook/assets/a%20b.css", ("assets/a b.css", "")),
        ("a/index.html", "..", ("", "")),
        ("a/index.html", "/b/", None),
        ("a/index.html", "../../b/", None),
        ("a/index.html", "https://y.example/handbook/b/", None),
        ("a/index.html", "mailto:a@x.example", None),
        ("a/index.html", "https://[x", None),
    ],
)
def test_an_address_of_the_site_has_a_path(
    file: str, address: str, target: tuple[str, str] | None
) -> None:
    assert find_target(file, address, "https://x.example/handbook/") == target


def test_links_of_the_archive_lead_to_its_files_or_to_the_site(
    site: Path, handbook: Handbook
) -> None:
    archive = ZipFile(io.BytesIO(make_offline_archive(site, handbook)))
    assert {name.removeprefix("handbook/") for name in archive.namelist()} == {
        "index.html",
        "search/index.html",
        f"{ORDERS_DOWN}index.html",
        "services/shop/index.html",
        "alerts/OrdersDown/index.html",
        *LOADED,
        RUNBOOK_SCRIPT,
    }
    html = archive.read(f"handbook/{ORDERS_DOWN}index.html").decode()
    parsed = LexborHTMLParser(html)
    assert [node.attributes["href"] for node in parsed.css("a")] == [
        "../../../search/index.html",
        f"https://small.example/{ORDERS_DOWN}",
        "#causes",
        "../../../services/shop/index.html?a=1#about",
        "../../../alerts/OrdersDown/index.html",
        "../../../index.html",
        "https://small.example/adr/0001-keep-orders-in-sqlite/#why",
        "https://other.example/",
    ]
    image = find_one(parsed, "img").attributes
    assert (image["src"], image["srcset"]) == ("drawing.svg", "drawing.svg 1x, big.svg 2x")
    assert parsed.css("dialog, [type=module], [data-search]") == []
    policy = find_one(parsed, "meta").attributes["content"] or ""
    assert "script-src 'self' file: 'sha256-x=';" in policy
    banner = find_one(parsed, "header .hb-offline").text()
    assert re.fullmatch(r"Offline copy of 2026-04-02, commit [0-9a-f]{7}\. Current page", banner)


def test_equal_sites_give_equal_archives(site: Path, handbook: Handbook) -> None:
    assert make_offline_archive(site, handbook) == make_offline_archive(site, handbook)


def test_a_link_without_a_target_is_marked_if_the_site_has_no_address(
    site: Path, tmp_path: Path
) -> None:
    root = copy_site(SMALL, tmp_path / "local")
    replace_once(root, "site_url: https://small.example/\n", "")
    archive = ZipFile(io.BytesIO(make_offline_archive(site, load(root))))
    parsed = LexborHTMLParser(archive.read(f"handbook/{ORDERS_DOWN}index.html"))
    (decision,) = (node for node in parsed.css("a") if node.text() == "Decision")
    assert decision.attributes == {"title": "Not in the offline copy"}
    assert find_one(parsed, ".hb-offline").text() == "Offline copy of uncommitted files."


@pytest.mark.build
def test_every_link_of_a_real_archive_has_a_target(small_site: Path) -> None:
    archive = ZipFile(io.BytesIO(make_offline_archive(small_site, load(SMALL))))
    pages = {
        name: LexborHTMLParser(archive.read(name))
        for name in archive.namelist()
        if name.endswith(".html")
    }
    ids = {
        name: {node.attributes["id"] for node in page.css("[id]")} for name, page in pages.items()
    }
    broken = []
    links = 0
    for name, page in pages.items():
        for node in page.css("[href], [src]"):
            address = urlsplit(node.attributes.get("href") or node.attributes.get("src") or "")
            if address.scheme or address.netloc:
                continue
            links += 1
            path = posixpath.join(posixpath.dirname(name), unquote(address.path))
            target = posixpath.normpath(path) if address.path else name
            if target not in archive.namelist() or (
                address.fragment and target in ids and unquote(address.fragment) not in ids[target]
            ):
                broken.append((name, address.geturl()))
    assert broken == []
    assert links > 200
    kept = {name.removeprefix("handbook/").removesuffix("index.html") for name in pages}
    handbook = load(SMALL)
    assert {handbook.address(alert) for alert in handbook.alerts} <= kept


@pytest.mark.build
def test_a_built_site_has_the_worker_at_its_root(small_site: Path) -> None:
    assert not (small_site / "assets/worker.js").exists()
    assert "offline.json" in (small_site / "worker.js").read_text(encoding="utf-8")
    document = json.loads((small_site / "offline.json").read_text(encoding="utf-8"))
    addresses = {name.removesuffix("index.html") for name in list_files(small_site, load(SMALL))}
    assert addresses | {"404.html", "offline/", "assets/offline.js"} <= set(document["files"])


def test_the_archive_replaces_no_other_file_and_is_not_in_the_site(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n", encoding="utf-8")
    for path, reason in (
        ("notes.md", "is not a ZIP archive; choose another file"),
        ("public/a.zip", "is in the folder of the site; choose another folder"),
    ):
        (tmp_path / "public").mkdir(exist_ok=True)
        command = ("handbook", "build", "--root", str(SMALL), "--output", "public")
        answer = run(*command, "--offline", path, cwd=tmp_path)
        assert (answer.returncode, answer.stderr) == (2, f"handbook: --offline '{path}' {reason}\n")
    assert (tmp_path / "notes.md").read_text(encoding="utf-8") == "# Notes\n"


def test_the_archive_needs_a_folder_that_you_can_write_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)
    options = argparse.Namespace(root=SMALL, output=None, offline=str(tmp_path / "a.zip"))
    with pytest.raises(UsageError, match="is in a folder that you cannot write to"):
        build_command.run(options)


def test_the_archive_needs_a_folder_that_exists(tmp_path: Path) -> None:
    for path in ("", "missing/a.zip", "."):
        answer = run("handbook", "build", "--offline", path, "--root", str(SMALL), cwd=tmp_path)
        assert (answer.returncode, answer.stderr) == (
            2,
            f"handbook: invalid --offline '{path}'; write the path of a file in a folder\n",
        )
