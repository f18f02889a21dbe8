"""The published artifact of a site below a path, such as a project site of GitHub Pages."""

from __future__ import annotations

import functools
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser
from selectolax.lexbor import LexborHTMLParser

from handbook.loading import load
from tests.browser.conftest import WatchedPage, watch
from tests.commands import Quiet, run, serve_site
from tests.handbooks import SMALL, copy_site

pytestmark = pytest.mark.browser

SITE = "https://team.example/handbook/"
OLD_PAGE = "adr/0002-take-postgresql/"
UPLOAD = ["tar", "--dereference", "--hard-dereference", "--exclude=.git", "--exclude=.github"]
"""The command with which actions/upload-pages-artifact packs a site."""


class PagesHandler(Quiet):
    """Request handler that answers for a missing page with 404.html of the site, as Pages does."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send the page 404.html of the site, or the usual error outside of the site."""
        if code != HTTPStatus.NOT_FOUND or not self.path.startswith("/handbook/"):
            super().send_error(code, message, explain)
            return
        content = (Path(self.directory) / "handbook/404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small handbook with a `site_url` that has a path, and with a moved decision."""
    root = copy_site(SMALL, tmp_path_factory.mktemp("sub-path") / "records")
    for file in (root / "mkdocs.yml", *root.rglob("*.rules.yml")):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("https://small.example/", SITE), encoding="utf-8")
    decision = root / "adr/0002-use-postgresql.md"
    text = decision.read_text(encoding="utf-8")
    decision.write_text(
        text.replace("---\n", f"---\nmoved_from: [/{OLD_PAGE}]\n", 1), encoding="utf-8"
    )
    return root


@pytest.fixture(scope="module")
def artifact(root: Path) -> Path:
    """The folder that holds the unpacked artifact as `handbook/`."""
    answer = run("handbook", "build", cwd=root)
    assert answer.returncode == 0, answer.stderr
    archive = root.parent / "artifact.tar"
    subprocess.run([*UPLOAD, "-C", str(root / "site"), "-cf", str(archive), "."], check=True)
    site = root.parent / "pages/handbook"
    site.mkdir(parents=True)
    subprocess.run(["tar", "-C", str(site), "-xf", str(archive)], check=True)
    return site.parent


@pytest.fixture(scope="module")
def host(artifact: Path) -> Iterator[str]:
    """The address of a host that serves the artifact below `/handbook/` only."""
    with serve_site(artifact, PagesHandler) as address:
        yield address


@pytest.fixture
def reader(browser: Browser, host: str) -> Iterator[WatchedPage]:
    """A browser at the site. A request outside of the sub-path counts as another host."""
    context = browser.new_context(viewport={"width": 1440, "height": 844})
    yield watch(context.new_page(), f"{host}handbook/")
    context.close()


@functools.cache
def request_status(url: str) -> int:
    """Return the status of the answer to a request."""
    try:
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - an address of the test's server
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_every_address_of_the_artifact_is_below_the_path(artifact: Path, host: str) -> None:
    """This covers links, assets, the feed, the sitemap and the data files."""
    addresses: dict[str, str] = {}
    for file in sorted((artifact / "handbook").rglob("*")):
        name = file.relative_to(artifact).as_posix()
        if file.suffix == ".html":
            base = f"{host}{name.removesuffix('index.html')}"
            parsed = LexborHTMLParser(file.read_text(encoding="utf-8"))
            for node in parsed.css("[href], [src]"):
                value = node.attributes.get("href") or node.attributes.get("src") or ""
                addresses[urljoin(base, value.replace(SITE, f"{host}handbook/"))] = name
        elif file.suffix in (".xml", ".json"):
            for url in re.findall(rf"{SITE}[^\s\"<]*", file.read_text(encoding="utf-8")):
                addresses[url.replace(SITE, f"{host}handbook/")] = name
    local = {url.partition("#")[0]: name for url, name in addresses.items() if url.startswith(host)}
    assert len(local) > 40
    outside = {
        url: name for url, name in local.items() if not urlsplit(url).path.startswith("/handbook/")
    }
    assert outside == {}
    broken = {url: name for url, name in local.items() if request_status(url) != HTTPStatus.OK}
    assert broken == {}


def test_pages_load_all_their_assets(reader: WatchedPage) -> None:
    for url in ("", "adr/", "adr/0001-keep-orders-in-sqlite/", "runbooks/shop/orders-down/"):
        reader.open(url)
        reader.page.wait_for_load_state("networkidle")
    assert reader.faults == []


def test_the_search_leads_to_a_record(reader: WatchedPage) -> None:
    page = reader.open("runbooks/shop/orders-down/")
    page.locator(".hb-find").click()
    page.locator("#hb-search input").fill("ADR-0001")
    page.locator(".hb-search__results a").first.click()
    page.wait_for_url("**/handbook/adr/0001-keep-orders-in-sqlite/**")
    assert reader.faults == []


def test_every_alert_leads_to_its_page(root: Path, reader: WatchedPage) -> None:
    urls = {rule.runbook_url for alert in load(root).alerts for rule in alert.rules} - {None}
    assert len(urls) == 5
    for url in sorted(filter(None, urls)):
        page = reader.open(url.removeprefix(SITE))
        assert page.get_by_role("heading", level=1).count() == 1
    assert reader.faults == []


def test_a_redirect_leads_to_the_new_address(reader: WatchedPage) -> None:
    page = reader.open(OLD_PAGE)
    page.wait_for_url("**/handbook/adr/0002-use-postgresql/")
    assert reader.faults == []


def test_a_missing_page_suggests_others_and_has_its_assets_and_links(reader: WatchedPage) -> None:
    page = reader.open("alerts/OrderDown/")
    page.wait_for_load_state("networkidle")
    console, fault = sorted(reader.faults)
    assert console.startswith("console: Failed to load resource")
    assert fault == f"status 404: {reader.address}alerts/OrderDown/"
    suggestion = page.locator("[data-missing] .hb-search__results a").first
    assert suggestion.get_attribute("href") == f"{reader.address}alerts/OrdersDown/"
    assert page.locator("[data-missing] input").input_value() == "OrderDown"
    doors = page.locator("article a").evaluate_all("links => links.map(link => link.href)")
    assert {f"{reader.address}runbooks/", f"{reader.address}search/", reader.address} <= {*doors}
    page.locator(".hb-find").click()
    page.locator("#hb-search input").fill("OrdersDown")
    page.locator("#hb-search .hb-search__results a").first.click()
    page.wait_for_url("**/handbook/alerts/OrdersDown/**")
    assert len(reader.faults) == 2
