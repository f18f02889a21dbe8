"""The bookshop, an invented organisation: a second handbook, published below the real one."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urljoin

import pytest
from selectolax.lexbor import LexborHTMLParser

from handbook.handbook import Handbook
from handbook.loading import load
from handbook.settings import read_settings
from handbook.site.nested import read_all_sites
from macros import link_to_example
from tests.content.conftest import BOOKSHOP, EXAMPLE, list_pages
from tests.handbooks import ROOT, SMALL, report
from tests.site.test_site import page

DAY = date(2026, 11, 26)
"""The day on which the records of the bookshop are complete."""
LINKING = ("", "adr/", "postmortems/", "actions/", "due/", "exceptions/", "services/")
"""The pages that link to the same page of the bookshop."""
SHORTEST_TITLE = 20
"""Shorter titles, such as Observability, are words that both sites use."""


def test_the_check_of_the_bookshop_reports_nothing() -> None:
    assert report(BOOKSHOP, DAY).findings == ()


def test_the_bookshop_has_only_content() -> None:
    assert not list(BOOKSHOP.rglob("*.py"))


def list_titles(handbook: Handbook) -> set[str]:
    """Return the titles of a handbook that are long enough to be unique."""
    titles = {record.title for record in handbook.records}
    return {title for title in titles if len(title) >= SHORTEST_TITLE}


def read_texts(site: Path, nested: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file of a site. The index of the search is compressed."""
    for file in sorted(site.rglob("*")):
        path = file.relative_to(site)
        if file.is_file() and path.parts[0] != nested:
            data = file.read_bytes()
            data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
            yield path.as_posix(), data.decode("utf-8", "ignore")


@pytest.mark.build
def test_no_file_of_one_site_has_a_title_of_the_other(real_site: Path) -> None:
    real_titles, example_titles = list_titles(load(ROOT)), list_titles(load(BOOKSHOP))
    assert len(real_titles - example_titles) > 40
    assert len(example_titles - real_titles) > 40
    real, example = dict(read_texts(real_site, EXAMPLE)), dict(read_texts(real_site / EXAMPLE))
    for texts, own, foreign in (
        (real, real_titles, example_titles - real_titles),
        (example, example_titles, real_titles - example_titles),
    ):
        for path in ("feed.xml", "sitemap.xml", "api/v1/adrs.json"):
            assert path in texts
        indexed = [text for path, text in texts.items() if path.endswith(".pf_fragment")]
        assert any(title in text for title in own for text in indexed)
        pattern = re.compile("|".join(map(re.escape, sorted(foreign))))
        assert {
            path: pattern.findall(text) for path, text in texts.items() if pattern.search(text)
        } == {}


@pytest.mark.build
def test_each_site_lists_only_its_own_addresses(real_site: Path) -> None:
    url = read_settings(ROOT).site_url
    for folder, prefix in ((real_site, url), (real_site / EXAMPLE, f"{url}{EXAMPLE}/")):
        sitemap = re.findall("<loc>(.*?)</loc>", (folder / "sitemap.xml").read_text("utf-8"))
        feed = re.findall('<link href="(.*?)"', (folder / "feed.xml").read_text("utf-8"))
        decisions = json.loads((folder / "api/v1/adrs.json").read_text("utf-8"))["items"]
        addresses = [*sitemap, *feed, *(decision["url"] for decision in decisions)]
        assert len(addresses) > 50
        assert all(address.startswith(prefix) for address in addresses)
        nested = f"{url}{EXAMPLE}/"
        assert prefix == nested or not any(address.startswith(nested) for address in addresses)


@pytest.mark.build
def test_no_link_of_the_two_sites_is_broken(real_site: Path) -> None:
    sites = read_all_sites(real_site, read_settings(ROOT), ROOT)
    assert [root for root, _ in sites] == [ROOT, BOOKSHOP]
    folders = list_pages(real_site, "*.html"), list((real_site / EXAMPLE).rglob("*.html"))
    for (_, site), pages in zip(sites, folders, strict=True):
        assert site.link_faults == ()
        assert site.counts["page"] == len(pages)
        assert site.counts["link"] > 20 * site.counts["page"]


@pytest.mark.build
def test_every_page_of_the_bookshop_says_that_it_is_invented(real_site: Path) -> None:
    pages = list((real_site / EXAMPLE).rglob("*.html"))
    assert real_site / EXAMPLE / "404.html" in pages
    for file in pages:
        text = file.read_text(encoding="utf-8")
        banner = re.search('<p class="hb-notice">(.*?)</p>', text, re.DOTALL)
        assert banner, file
        assert "invented" in banner[1]
        (link,) = re.findall('href="(.*?)"', banner[1])
        assert urljoin(f"/{file.relative_to(real_site)}", link) == "/", file
    assert not any(
        "hb-notice" in file.read_text("utf-8") for file in list_pages(real_site, "*.html")
    )


@pytest.mark.build
def test_short_indexes_link_to_the_same_page_of_the_bookshop(real_site: Path) -> None:
    for address in LINKING:
        links = [
            node.attributes["href"] for node in page(real_site, address or ".").css(".hb-example a")
        ]
        assert [urljoin(f"/{address}", link or "") for link in links] == [f"/{EXAMPLE}/{address}"]
    (link,) = page(real_site, "start-here/").css(".hb-example a")
    assert urljoin("/start-here/", link.attributes["href"] or "") == f"/{EXAMPLE}/"


@pytest.mark.build
def test_the_page_for_missing_addresses_leads_to_the_bookshop(real_site: Path) -> None:
    """A server such as GitHub Pages has only this page, also for addresses of the bookshop."""
    outer, inner = (
        LexborHTMLParser((real_site / file).read_text(encoding="utf-8"))
        for file in ("404.html", f"{EXAMPLE}/404.html")
    )
    (link,) = outer.css("[data-nested]")
    assert link.attributes["href"] == f"/{EXAMPLE}/"
    assert link.text() == read_settings(BOOKSHOP).site_name
    assert inner.css("[data-nested]") == []


@pytest.mark.build
def test_the_bookshop_always_shows_what_it_is(real_site: Path) -> None:
    """The header keeps the name of the site when the title of the page scrolls away."""
    home = page(real_site, EXAMPLE)
    (header,), (about, _) = home.css(".md-header__title"), home.css(".hb-hero p")
    assert "Invented" in header.text()
    assert "data-md-component" not in header.attributes
    assert about.text().startswith("Brambleshelf is an invented bookshop")


@pytest.mark.build
def test_the_history_of_this_repository_is_not_that_of_the_bookshop(real_site: Path) -> None:
    """Its decisions are years older than its files, which were corrected before they were shown."""
    pages = list((real_site / EXAMPLE / "adr").rglob("*.html"))
    assert len(pages) > 35
    assert not any("changed since the decision" in page.read_text("utf-8") for page in pages)


def test_without_a_nested_handbook_the_link_is_empty() -> None:
    assert link_to_example(load(SMALL), "adr/") == ""
