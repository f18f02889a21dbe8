"""The site of this repository: pages, links, data files, policy, and other engines."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser

from handbook.history.git import read_head
from handbook.loading import load
from handbook.records.adr import Adr
from handbook.records.runbook import Runbook
from handbook.rules.engine import rules
from tests.commands import Quiet, run, serve_site
from tests.content.conftest import EXAMPLE, list_pages
from tests.engines.test_build import ON_ANOTHER_DAY
from tests.engines.test_engines import GENERATOR, read_text_and_ids
from tests.handbooks import ROOT, read_files
from tests.site.test_site import page, text_of

pytestmark = pytest.mark.build


def test_every_record_of_this_repository_shows_owner_date_and_edit_link(
    real_site: Path,
) -> None:
    handbook = load(ROOT)
    assert handbook.records
    for record in handbook.records:
        parsed = page(real_site, str(handbook.url(record.path)))
        assert record.id in text_of(parsed, ".hb-facts__head")[0]
        audits = [str(audit.date) for audit in handbook.audits if audit.service == record.id] or [
            "none yet"
        ]
        dates = [str(record.changed)] if record.changed else audits
        assert dates[-1] in " ".join(text_of(parsed, ".hb-facts dd"))
        owners = [getattr(record, key, None) for key in ("owner", "deciders", "authors")]
        assert any(owners)
        assert all(
            str(name) in " ".join(text_of(parsed, ".hb-facts dd")) for name in _flatten(owners)
        )
        (edit,) = parsed.css('a[rel="edit"]')
        assert (
            edit.attributes["href"]
            == f"https://github.com/example-org/handbook/edit/main/{record.path}"
        )


def _flatten(values: list[object]) -> list[object]:
    return [
        item
        for value in values
        if value
        for item in (value if isinstance(value, tuple) else (value,))
    ]


def test_the_sample_has_a_badge(real_site: Path) -> None:
    assert text_of(
        page(real_site, "adr/0023-use-postgresql-for-orders"), ".hb-facts .hb-badge--note"
    ) == ["example"]


def test_every_link_of_the_site_has_a_target(real_site: Path) -> None:
    pages = {
        file.relative_to(real_site).as_posix(): LexborHTMLParser(file.read_text("utf-8"))
        for file in real_site.rglob("*.html")
    }
    ids = {
        name: {node.attributes["id"] for node in parsed.css("[id]")}
        for name, parsed in pages.items()
    }
    checked_links = 0
    for name, parsed in pages.items():
        for node in parsed.css("[href], [src]"):
            target = node.attributes.get("href") or node.attributes.get("src") or ""
            base = "https://handbook.example/" + ("" if name == "404.html" else name)
            parts = urlsplit(urljoin(base, target))
            if parts.scheme not in ("http", "https") or parts.netloc != "handbook.example":
                continue
            path = parts.path.lstrip("/")
            path += "index.html" if not path or path.endswith("/") else ""
            assert (real_site / path).is_file(), f"{name}: {target}"
            assert not parts.fragment or path not in ids or parts.fragment in ids[path], (
                f"{name}: {target}"
            )
            checked_links += 1
    assert checked_links > 100


def test_no_page_loads_a_file_from_another_host(real_site: Path) -> None:
    for file in real_site.rglob("*.html"):
        parsed = LexborHTMLParser(file.read_text("utf-8"))
        for node in parsed.css(
            "script[src], link[rel~=stylesheet], link[rel~=preconnect], img, iframe, source, video"
        ):
            target = node.attributes.get("src") or node.attributes.get("href") or ""
            assert not urlsplit(target).netloc, f"{file.name}: {target}"
    for file in real_site.rglob("*.css"):
        assert not re.findall(r"url\([\"']?(?:https?:)?//", file.read_text("utf-8")), file.name


def test_the_footer_names_the_commit(real_site: Path) -> None:
    head = read_head(ROOT)
    (footer,) = text_of(page(real_site, "."), ".md-copyright")
    built_from = f"Built from commit {head[:12]}" if head else "Built from uncommitted files"
    assert footer == f"{built_from} Offline copy · Report a problem with this page"


def test_the_json_lists_every_decision(real_site: Path) -> None:
    decisions = json.loads((real_site / "api/v1/adrs.json").read_text(encoding="utf-8"))
    handbook = load(ROOT)
    assert decisions["version"] == 1
    assert [item["id"] for item in decisions["items"]] == [adr.id for adr in handbook.of(Adr)]
    names = ("standards", "checklist", "adrs", "runbooks", "alerts", "postmortems", "services")
    lists = [
        json.loads((real_site / f"api/v1/{name}.json").read_text(encoding="utf-8"))
        for name in names
    ]
    for item in (item for document in lists for item in document["items"]):
        path = urlsplit(item["url"]).path.lstrip("/")
        assert (real_site / path / "index.html").is_file()


def test_every_rule_has_an_entry_in_the_reference(real_site: Path) -> None:
    codes = [code.lower() for code in rules()]
    rows = page(real_site, "reference/rules").css("tbody tr")
    assert sorted(row.attributes["id"] or "" for row in rows) == sorted(codes)
    for code in codes:
        family = page(real_site, f"reference/rules/{code.rstrip('0123456789')}")
        assert family.css(f"h2#{code}"), code


class WithoutPauses(Quiet):
    """Server that LinkChecker need not spare."""

    def end_headers(self) -> None:
        self.send_header("LinkChecker", "no pause between two requests is needed")
        super().end_headers()


def test_linkchecker_finds_no_broken_link(real_site: Path, tmp_path: Path) -> None:
    configuration = tmp_path / "linkcheckerrc"
    configuration.write_text("[checking]\nmaxrequestspersecond=1000\n", encoding="utf-8")
    # It requests the pages of the service's files, but not the links of each of their lines.
    # The pages of the bookshop have the same theme, and `handbook links` checks them.
    pages = ("/files/", f"^[^?]*/{EXAMPLE}/.")
    not_followed = tuple(part for page in pages for part in ("--no-follow-url", page))
    options = ("--config", str(configuration), "--no-status", *not_followed)
    with serve_site(real_site, WithoutPauses) as address:
        answer = run("linkchecker", *options, address, cwd=tmp_path)
    assert "0 errors found" in answer.stdout, answer.stdout
    counts = re.search(r"(\d+) links in (\d+) URLs checked", answer.stdout)
    assert counts
    assert int(counts[2]) > 20


def test_every_published_page_has_the_strict_policy(real_site: Path) -> None:
    strict_policy = (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; "
        "manifest-src 'self'; form-action 'self'; "
        "object-src 'none'; base-uri 'none'"
    )
    tag = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
    pages = {
        path.relative_to(real_site): tag.findall(path.read_text("utf-8"))
        for path in real_site.rglob("*.html")
    }
    assert Path("404.html") in pages
    for path, policies in pages.items():
        without_hashes = [re.sub(r" 'sha256-[^']*'", "", policy) for policy in policies]
        assert without_hashes == [strict_policy], path


def test_the_page_of_a_record_is_small(real_site: Path) -> None:
    """A first visit transfers the compressed page and its files, without the search."""
    sizes: dict[Path, int] = {}

    def compressed_size(path: Path) -> int:
        if path not in sizes:
            sizes[path] = len(gzip.compress(path.read_bytes(), 9))
        return sizes[path]

    handbook = load(ROOT)
    for record in handbook.records:
        page = real_site / handbook.address(record).split("#")[0] / "index.html"
        html = page.read_text(encoding="utf-8")
        files = {
            (page.parent / name).resolve()
            for name in re.findall(r'(?:src|href)="([^"#?:]+\.(?:css|js|svg|png))"', html)
        }
        assert {"handbook.css", "handbook.js", "favicon.svg"} <= {file.name for file in files}
        assert not any("search" in file.name or "pagefind" in file.parts for file in files)
        if isinstance(record, Runbook):  # The script of runbooks is loaded by another script.
            files.add(real_site / "assets/runbook.js")
        assert compressed_size(page) + sum(map(compressed_size, files)) <= 90 * 1000, record.id
        if isinstance(record, Runbook):
            styles = [file for file in files if file.suffix == ".css"]
            assert sum(map(compressed_size, [page, *styles])) <= 44 * 1000, record.id


def test_properdocs_builds_the_same_site(real_site: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    options = ("--engine", "properdocs", "--output", str(site))
    answer = run("handbook", "build", *options, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    files, expected = (
        {
            path: GENERATOR.sub(b"", data)
            for path, data in read_files(folder).items()
            if not path.endswith("offline.json")  # It has hashes of pages with the generator tag.
        }
        for folder in (site, real_site)
    )
    assert files == expected


def test_zensical_builds_a_stage_with_the_same_text(real_site: Path, tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    run("handbook", "stage", str(stage), cwd=ROOT, check=True)
    answer = run("zensical", "build", "--strict", cwd=stage)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    run("handbook", "finish", str(stage / "site"), cwd=ROOT, check=True)

    pages = {path.relative_to(real_site) for path in list_pages(real_site, "*.html")}
    assert {path.relative_to(stage / "site") for path in (stage / "site").rglob("*.html")} == pages
    for path in pages - {Path("404.html")}:
        assert read_text_and_ids(stage / "site" / path) == read_text_and_ids(real_site / path), path
    generated = {
        path
        for path in read_files(real_site)
        if path.startswith("api/")
        or (path.endswith((".csv", "feed.xml")) and not path.startswith(f"{EXAMPLE}/"))
    }
    assert generated <= read_files(stage / "site").keys()

    shutil.copytree(real_site / EXAMPLE, stage / "site" / EXAMPLE)
    links = run("handbook", "links", str(stage / "site"), cwd=ROOT)
    findings = [
        line for line in links.stdout.splitlines() if " error: " in line or " warning: " in line
    ]
    assert findings == []


@pytest.mark.parametrize(
    "command",
    [["handbook", "check"], ["handbook", "build", "--output", "{site}"]],
    ids=["check", "build"],
)
def test_nothing_fails_two_years_later(command: list[str], tmp_path: Path) -> None:
    arguments = [argument.format(site=tmp_path / "site") for argument in command]
    answer = run("python", ON_ANOTHER_DAY, "2028-11-23", *arguments, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    assert "DEC011 warning: review was due on 2027-03-31" in answer.stdout + answer.stderr


def test_the_site_has_no_file_of_the_search_that_no_page_loads(real_site: Path) -> None:
    files = {file.name for file in (real_site / "pagefind").iterdir()}
    assert {"pagefind.js", "pagefind-worker.js", "pagefind-entry.json"} <= files
    assert not [name for name in files if "ui" in name or "highlight" in name]


def test_the_menu_names_an_index_of_a_section_once(real_site: Path) -> None:
    html = LexborHTMLParser((real_site / "teams/index.html").read_text(encoding="utf-8"))
    current = [link.text() for link in html.css("#hb-menu a[aria-current=page]")]
    assert current == ["Teams"]
