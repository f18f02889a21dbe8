"""The search of a preview finds an edit soon, with a small index beside the one of all pages."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from handbook.engines import preview_index
from handbook.engines.preview import Preview, PreviewServer, SiteBuilder, Watcher
from handbook.site import finish
from tests.browser.conftest import WatchedPage, paste, watch
from tests.commands import serve_site
from tests.handbooks import SMALL, copy_site

pytestmark = pytest.mark.browser

RECORD = "adr/0002-use-postgresql"
OLD_WORD = "transactions"
PATIENCE = 60.0


class EditedPreview:
    """A preview in this process, and the handbook that it shows."""

    def __init__(self, folder: Path) -> None:
        self.root = copy_site(SMALL, folder / "handbook")
        self.builder = SiteBuilder(self.root, folder / "site")
        self.builder.build()
        self.server = PreviewServer(("127.0.0.1", 0), folder / "site", self.builder.mount_path)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.preview = Preview(self.builder, self.server, Watcher([]))
        self.builder.start_indexing()
        self.finish_indexing()
        self.whole = self.read_whole_index()

    @property
    def index(self) -> preview_index.PreviewIndex:
        return self.builder.index

    def finish_indexing(self) -> None:
        """Wait until the index that is being written is complete."""
        version = self.index.state.version
        end = time.monotonic() + PATIENCE
        while self.index.state.version == version:
            assert time.monotonic() < end, "no search index"
            self.preview.finish_indexing()
            time.sleep(0.02)

    def read_whole_index(self) -> bytes:
        return (self.index.folder / "whole/pagefind/pagefind-entry.json").read_bytes()

    def edit(self, old: str, new: str, record: str = RECORD) -> None:
        """Replace a text in a record, and update the preview."""
        file = self.root / f"{record}.md"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
        self.update(file)

    def update(self, *files: Path) -> None:
        """Update the preview, and check that it has not indexed all pages."""
        self.preview.update([str(file) for file in files])
        assert self.server.message == "", "the message has not ended"
        assert self.read_whole_index() == self.whole


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[EditedPreview]:
    running = EditedPreview(tmp_path)
    yield running
    running.builder.stop()
    running.server.stop()


@pytest.fixture
def reader(preview: EditedPreview, browser: Browser) -> Iterator[WatchedPage]:
    """Return a page that the edits of a record do not change. So it stays open."""
    context = browser.new_context()
    watched = watch(context.new_page(), preview.address)
    watched.open("markdown/")
    watched.page.evaluate("() => { window.isFirst = true; }")
    yield watched
    assert watched.faults == []
    context.close()


def wait_for_library(page: Page, preview: EditedPreview) -> None:
    """Wait until an open page knows the state of the search."""
    end = f"?{preview.index.state.version}"
    page.wait_for_function(
        "end => document.getElementById('hb-search').dataset.library.endsWith(end)", arg=end
    )


def search(page: Page, query: str) -> Sequence[str]:
    """Return the paths of the pages that the search dialog finds, without fragments."""
    if not page.locator("#hb-search[open]").count():
        page.keyboard.press("/")
    field = page.locator("#hb-search input")
    if field.input_value():
        field.fill("")
        page.wait_for_function("() => document.getElementById('hb-search').dataset.shown === ''")
    paste(field, query)
    page.wait_for_function(
        "query => document.getElementById('hb-search').dataset.shown === query", arg=query
    )
    rows = page.locator("#hb-search .hb-search__results a")
    links = rows.evaluate_all("links => links.map((link) => link.pathname)")
    return [link.strip("/") for link in links]


def test_an_open_page_finds_the_new_text_and_not_the_old_one(
    preview: EditedPreview, reader: WatchedPage
) -> None:
    page = reader.page
    assert RECORD in search(page, OLD_WORD)
    assert RECORD not in search(page, "quokka")

    preview.edit(f"Orders need {OLD_WORD}.", "The quokka needs orders.")
    wait_for_library(page, preview)
    assert search(page, "quokka") == [RECORD]
    assert RECORD not in search(page, OLD_WORD)
    assert search(page, "vendor's guide").count(RECORD) == 1

    preview.edit("quokka", "wombat")
    wait_for_library(page, preview)
    assert search(page, "wombat") == [RECORD]
    assert RECORD not in search(page, "quokka")
    assert page.evaluate("() => window.isFirst"), "the page was loaded again"


def test_the_results_of_an_edited_page_have_its_kind_and_status(
    preview: EditedPreview, reader: WatchedPage
) -> None:
    preview.edit(f"Orders need {OLD_WORD}.", "The quokka needs orders.")
    wait_for_library(reader.page, preview)
    assert search(reader.page, "quokka") == [RECORD]
    row = reader.page.locator("#hb-search .hb-search__results li")
    assert "ADR-0002: Use PostgreSQL for orders: Context" in row.inner_text()
    assert "accepted" in row.inner_text()
    assert row.locator("mark").inner_text() == "quokka"
    reader.page.locator("#hb-search select").select_option("Runbook")
    reader.page.wait_for_function("() => !document.querySelector('.hb-search__results mark')")
    assert search(reader.page, "quokka") == []


def test_a_deleted_page_is_not_found(preview: EditedPreview, reader: WatchedPage) -> None:
    name = "adr/0003-keep-orders-in-mysql"
    preview.edit("Fewer things", "Fewer quokka things", name)
    wait_for_library(reader.page, preview)
    assert name in search(reader.page, "quokka")
    file = preview.root / f"{name}.md"
    file.unlink()
    preview.update(file)
    wait_for_library(reader.page, preview)
    assert search(reader.page, "quokka") == []
    assert name not in search(reader.page, "orders")


def test_a_renamed_page_is_found_at_its_new_address(
    preview: EditedPreview, reader: WatchedPage
) -> None:
    name, new_name = "adr/0003-keep-orders-in-mysql", "adr/0003-keep-orders-elsewhere"
    assert name in search(reader.page, "fewer things")
    file = preview.root / f"{name}.md"
    text = file.read_text(encoding="utf-8")
    file.unlink()
    new_file = preview.root / f"{new_name}.md"
    new_file.write_text(
        text.replace("---\n", f"---\nmoved_from: [/{name}/]\n", 1), encoding="utf-8"
    )
    preview.update(file, new_file)
    wait_for_library(reader.page, preview)
    pages = search(reader.page, "fewer things")
    assert new_name in pages
    assert name not in pages


def test_all_pages_are_indexed_again_after_some_time(
    preview: EditedPreview, reader: WatchedPage
) -> None:
    preview.edit(f"Orders need {OLD_WORD}.", "The quokka needs orders.")
    preview.preview.finish_indexing()
    assert preview.index.indexing is None, "30 seconds have not passed"
    assert len(preview.index.state.folders) == 2

    preview.index.quiet = 0
    preview.edit("quokka", "wombat")
    preview.preview.finish_indexing()
    assert preview.index.indexing
    assert preview.index.indexing.process
    assert os.getpriority(os.PRIO_PROCESS, preview.index.indexing.process.pid) == 19
    preview.finish_indexing()
    assert preview.server.message == ""
    assert preview.read_whole_index() != preview.whole
    assert len(preview.index.state.folders) == 1
    assert not preview.index.state.replaced
    wait_for_library(reader.page, preview)
    assert search(reader.page, "wombat") == [RECORD]
    assert RECORD not in search(reader.page, OLD_WORD)
    preview.preview.finish_indexing()
    assert preview.index.indexing is None, "nothing is left to index"


def test_an_edit_stops_the_indexing_of_all_pages(preview: EditedPreview) -> None:
    preview.index.quiet = 0
    preview.edit("transactions", "quokka")
    preview.preview.finish_indexing()
    assert preview.index.indexing
    assert preview.index.indexing.name == "whole"
    process = preview.index.indexing.process
    preview.edit("quokka", "wombat")
    assert process
    assert process.returncode is not None
    assert len(preview.index.state.folders) == 2


def test_a_page_as_before_needs_no_second_index(preview: EditedPreview) -> None:
    preview.edit("transactions", "quokka")
    assert len(preview.index.state.replaced) == 1
    preview.edit("quokka", "transactions")
    assert not preview.index.state.replaced
    assert len(preview.index.state.folders) == 1


def test_the_indexes_that_list_an_edited_record_are_not_indexed_again(
    preview: EditedPreview,
) -> None:
    preview.edit("# Use PostgreSQL", "# Use the quokka and PostgreSQL")
    changed = {
        name
        for name, text in preview.index.texts.items()
        if preview.index.indexed_texts[name] != text
    }
    assert "quokka" in (preview.index.site / "adr/index.html").read_text(encoding="utf-8")
    assert "quokka" in (preview.index.site / "search/index.html").read_text(encoding="utf-8")
    assert f"{RECORD}/index.html" in changed
    assert changed.isdisjoint(("adr/index.html", "search/index.html"))


def test_changed_settings_keep_the_search(preview: EditedPreview, reader: WatchedPage) -> None:
    file = preview.root / "mkdocs.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("platform-team: {}", "platform-team: {channel: '#x'}"))
    record = preview.root / f"{RECORD}.md"
    record.write_text(record.read_text(encoding="utf-8").replace(OLD_WORD, "quokka"))
    preview.update(file, record)
    page = reader.open("adr/")
    assert RECORD in search(page, "quokka")
    assert RECORD not in search(page, OLD_WORD)


def test_a_fault_of_pagefind_is_a_warning(
    preview: EditedPreview, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(["false"], text=True)

    state = preview.index.state
    monkeypatch.setattr(finish, "start_indexing", fail)
    with caplog.at_level(logging.WARNING):
        preview.edit("transactions", "quokka")
    assert "the search index could not be written" in caplog.text
    assert preview.index.state == state


def test_the_server_lists_no_index_before_the_first_one(tmp_path: Path) -> None:
    server = PreviewServer(("127.0.0.1", 0), tmp_path, "/handbook/")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/.handbook/search.json"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert json.load(answer) == {"folders": [], "replaced": []}
    server.search = preview_index.SearchState(1, (".search/whole/pagefind/",), ("en_1",))
    with urllib.request.urlopen(url, timeout=10) as answer:
        folders = ["/handbook/.search/whole/pagefind/"]
        assert json.load(answer) == {"folders": folders, "replaced": ["en_1"]}
    server.stop()


def test_a_published_site_has_one_index_and_asks_for_no_other(
    small_site: Path, browser: Browser
) -> None:
    assert not (small_site / ".search").exists()
    with serve_site(small_site) as address:
        context = browser.new_context()
        watched = watch(context.new_page(), address)
        requests: list[str] = []
        watched.page.on("request", lambda request: requests.append(request.url))
        page = watched.open("markdown/")
        assert RECORD in search(page, OLD_WORD)
        assert page.locator("#hb-search").get_attribute("data-library") is None
        assert any("/pagefind/" in url for url in requests)
        assert not [url for url in requests if "/.handbook" in url or "/.search" in url]
        assert watched.faults == []
        context.close()
