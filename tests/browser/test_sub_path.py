"""The published artifact of a site below a path, such as a project site of GitHub Pages."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, Page
from selectolax.lexbor import LexborHTMLParser

from handbook.loading import load
from handbook.site.offline import write_list
from tests.browser.conftest import WatchedPage, paste, watch
from tests.browser.test_pages import find_violations
from tests.commands import Quiet, run, serve_site
from tests.handbooks import SMALL, copy_site
from tests.repositories import run_git

pytestmark = pytest.mark.browser

SITE = "https://team.example/handbook/"
OLD_PAGE = "adr/0002-take-postgresql/"
LATE_HEADERS = "/handbook/runbooks/shop/orders-down/"
LATE_BODY = "/handbook/services/shop/"
UPLOAD = ["tar", "--dereference", "--hard-dereference", "--exclude=.git", "--exclude=.github"]
"""The command with which actions/upload-pages-artifact packs a site."""


class PagesHandler(Quiet):
    """Request handler that answers for a missing page with 404.html of the site, as Pages does."""

    is_cut = False
    """Whether no request has an answer."""

    def do_GET(self) -> None:  # noqa: N802 - name in the base class
        """Send the answer, or close the connection."""
        if self.is_cut:
            self.close_connection = True
            return
        super().do_GET()

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
    run_git(root, "init", "--quiet")
    run_git(root, "add", ".")
    run_git(root, "commit", "--quiet", "-m", "all", day="2026-04-02")
    return root


@pytest.fixture(scope="module")
def artifact(root: Path) -> Path:
    """The folder that holds the unpacked artifact as `handbook/`."""
    answer = run("handbook", "build", "--offline", "offline.zip", cwd=root)
    assert answer.returncode == 0, answer.stderr
    assert "wrote the offline archive to offline.zip (" in answer.stdout
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
    paste(page.locator("#hb-search input"), "ADR-0001")
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
    assert {f"{reader.address}alerts/", f"{reader.address}search/", reader.address} <= {*doors}
    page.locator(".hb-find").click()
    paste(page.locator("#hb-search input"), "OrdersDown")
    page.locator("#hb-search .hb-search__results a").first.click()
    page.wait_for_url("**/handbook/alerts/OrdersDown/**")
    assert len(reader.faults) == 2


def wait_for_copy(page: Page, scope: str, version: str) -> None:
    """Wait until the browser has the complete offline copy, and no other copy of this scope."""
    script = """async (scope) => {
      const names = (await caches.keys()).filter((name) => name.split(" ")[1] === scope);
      const list = async (name) => (await caches.open(name)).match(`${scope}offline.json`);
      const lists = await Promise.all(names.map(list));
      return lists.every(Boolean) ? names.map((name) => name.split(" ")[2]) : [];
    }"""
    end = time.monotonic() + 20
    while (versions := page.evaluate(script, scope)) != [version]:
        assert time.monotonic() < end, versions
        page.wait_for_timeout(100)


LOAD_STYLE = """fetch("/handbook/assets/handbook.css", {cache: "no-store"})
  .then(() => true, () => false)"""


PLANT_CACHES = """async () => {
  await caches.open("handbook-offline /a/ 1");
  const old = await caches.open("handbook-offline /handbook/ 0");
  await old.put("/handbook/", new Response("<h1>Old</h1>"));
}"""
"""The cache of another site on the host, and an incomplete cache of an older worker."""


def read_version(site: Path) -> str:
    return str(json.loads((site / "offline.json").read_text(encoding="utf-8"))["version"])


def open_kept_pages(page: Page, home: str) -> None:
    """Open every alert, runbook and service in the list of everything from the offline copy."""
    page.goto(f"{home}search/?q=orders")
    hrefs: list[str] = page.locator("article a").evaluate_all("links => links.map(a => a.href)")
    kinds = tuple(f"{home}{kind}/" for kind in ("alerts", "runbooks", "services"))
    links = sorted({link for link in hrefs if link.startswith(kinds)})
    assert len(links) >= 10
    for link in links:
        answer = page.goto(link)
        assert answer is not None
        assert answer.status == HTTPStatus.OK, link
        assert page.locator("article h1").count() == 1, link
        banner = page.locator(".hb-offline")
        age = r"\d{4}-\d\d-\d\d \d\d:\d\d \(less than a minute old\)"
        assert re.fullmatch(
            rf"Offline copy of {age}, commit [0-9a-f]{{7}}\. About this copy", banner.inner_text()
        )
        colour = banner.evaluate("element => getComputedStyle(element).backgroundColor")
        assert colour != "rgba(0, 0, 0, 0)", "the style is missing"


def deploy_changed_runbook(site: Path, root: Path) -> None:
    """Change a page of the site, and write the list of the offline copy again."""
    file = site / "runbooks/shop/orders-down/index.html"
    html = file.read_text(encoding="utf-8")
    file.write_text(html.replace("</h1>", " again</h1>", 1), encoding="utf-8")
    old_version = read_version(site)
    write_list(site, load(root))
    assert read_version(site) != old_version


def test_a_visited_site_opens_without_a_network_and_says_how_old_it_is(
    browser: Browser, root: Path, artifact: Path, tmp_path: Path
) -> None:
    """A second site is on the same host, below the first one."""

    class Network(PagesHandler):
        """Network that can fail or become slow, or send only the headers of an answer."""

        late_headers = late_body = ""
        """The paths whose headers or body arrive after the patience of the worker."""

        def send_response(self, code: int, message: str | None = None) -> None:
            """Start an answer."""
            if self.path == self.late_headers:
                time.sleep(6)
            super().send_response(code, message)

        def copyfile(self, source: Any, outputfile: Any) -> None:
            """Send the body of a file."""
            self.wfile.flush()
            if self.path == self.late_body:
                time.sleep(6)
            super().copyfile(source, outputfile)

    site = copy_site(artifact, tmp_path / "host") / "handbook"
    second = copy_site(artifact / "handbook", site / "example")
    with serve_site(site.parent, Network) as host:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page, home = context.new_page(), f"{host}handbook/"
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{home}runbooks/shop/orders-down/")
        wait_for_copy(page, "/handbook/", read_version(site))
        page.goto(f"{home}example/offline/")
        wait_for_copy(page, "/handbook/example/", read_version(second))
        wait_for_copy(page, "/handbook/", read_version(site))

        Network.is_cut = True
        context.set_offline(True)
        open_kept_pages(page, home)
        page.goto(f"{home}runbooks/shop/orders-down#causes")
        assert page.url.startswith(f"{home}runbooks/shop/orders-down/")
        assert find_violations(page) == []
        page.goto(f"{home}{OLD_PAGE}")
        assert page.locator("h1").inner_text() == "No network"
        page.get_by_role("link", name="OrdersDown").click()
        page.wait_for_url(f"{home}alerts/OrdersDown/")

        # The files of the copy are only for pages of the same version.
        page.evaluate(PLANT_CACHES)
        deploy_changed_runbook(site, root)
        context.set_offline(False)
        for url, is_answered in (
            ("alerts/OrdersDown/", True),
            ("runbooks/shop/orders-down/", False),
        ):
            Network.is_cut = False
            page.goto(home + url)
            Network.is_cut = True
            assert page.evaluate(LOAD_STYLE) is is_answered, url

        # A new deployment replaces the copy. At the next two visits, the network is slow.
        Network.is_cut = False
        page.goto(f"{home}offline/")
        wait_for_copy(page, "/handbook/", read_version(site))
        Network.late_headers, Network.late_body = LATE_HEADERS, LATE_BODY
        other_page = context.new_page()
        other_page.evaluate("url => { location.href = url }", urljoin(host, LATE_BODY))
        page.goto(urljoin(host, LATE_HEADERS))
        other_page.wait_for_url(urljoin(host, LATE_BODY))
        for visited, title in ((page, "again"), (other_page, "Shop")):
            assert title in visited.locator("h1").inner_text()
            assert visited.locator(".hb-offline").count() == 1, visited.url

        # The reader removes the copy of one site.
        page.goto(f"{home}offline/")
        assert "MB" in page.locator("[data-offline] p").inner_text()
        assert find_violations(page) == []
        page.get_by_role("button", name="Remove the copy").click()
        page.get_by_role("button", name="Keep a copy").wait_for()
        names: list[str] = page.evaluate("caches.keys()")
        assert {name.split(" ")[1] for name in names} == {"/a/", "/handbook/example/"}
        assert errors == []
        context.close()


def test_no_copy_is_saved_if_the_reader_saves_data_or_the_disk_is_full(
    browser: Browser, host: str
) -> None:
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(navigator, 'connection', {value: {saveData: true}})"
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{host}handbook/offline/")
    button = page.get_by_role("button", name="Keep a copy")
    button.wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate("navigator.serviceWorker.getRegistration()") is None
    without_worker = context.new_page()
    without_worker.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'serviceWorker', {value: undefined})"
    )
    without_worker.goto(f"{host}handbook/offline/")
    without_worker.get_by_text("It needs an address with https").wait_for()
    without_worker.close()
    quota = {"origin": host.rstrip("/"), "quotaSize": 100_000}
    context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)
    button.click()
    page.get_by_text("The last attempt to save it failed").wait_for()
    assert "This browser keeps no copy." in page.locator("[data-offline]").inner_text()
    assert page.evaluate("caches.keys()") == []
    later = "Number(localStorage.getItem('/handbook/.offline-not-before')) > Date.now()"
    assert page.evaluate(later), "each page would try again"
    page.goto(f"{host}handbook/runbooks/shop/orders-down/")
    assert page.locator("h1").count() == 1
    assert page.locator(".hb-offline").count() == 0
    assert errors == []
    context.close()
