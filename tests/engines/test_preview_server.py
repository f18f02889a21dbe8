"""The server of the preview: it answers during a build, and tells pages when they change."""

from __future__ import annotations

import gc
import json
import threading
import urllib.error
import urllib.request
import weakref
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from handbook.engines import preview
from handbook.engines.preview import UPDATING, PreviewServer, Watcher, collect_garbage
from handbook.engines.preview_index import SearchState
from tests.handbooks import write


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PreviewServer]:
    site = write(
        tmp_path / "site",
        {
            "index.html": "<body><h1>Home</h1></body>",
            "404.html": "<body>Missing</body>",
            "adr/index.html": "<body>Decisions</body>",
            "assets/site.css": "p {}",
        },
    )
    write(tmp_path, {"secret.txt": "classified"})
    running = PreviewServer(("127.0.0.1", 0), site, "/handbook/")
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield running
    running.stop()


def read(server: PreviewServer, path: str) -> tuple[int, str, str]:
    """Return the status, the type and the text of an answer."""
    url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def read_state(server: PreviewServer, page: str, known: dict[str, str]) -> dict[str, str]:
    query = urlencode({"page": page, **known})
    state: dict[str, str] = json.loads(read(server, f"/.handbook/state?{query}")[2])
    return state


def test_pages_files_and_redirects_are_below_the_path_of_the_site(server: PreviewServer) -> None:
    assert "<h1>Home</h1>" in read(server, "/")[2]
    assert "Decisions" in read(server, "/handbook/adr")[2]
    assert read(server, "/handbook/assets/site.css") == (200, "text/css; charset=utf-8", "p {}")
    status, _, text = read(server, "/handbook/nowhere/")
    assert (status, "Missing" in text) == (404, True)
    (server.site / "404.html").unlink()
    status, _, text = read(server, "/handbook/nowhere/")
    assert (status, "location.reload()" in text) == (404, True)


@pytest.mark.parametrize("path", ["/handbook/../secret.txt", "/handbook/%2e%2e/secret.txt", "/%00"])
def test_no_file_outside_of_the_site_is_served(path: str, server: PreviewServer) -> None:
    status, _, text = read(server, path)
    assert (status, "classified" in text) == (404, False)


def test_a_page_shows_the_message_without_scripts(server: PreviewServer) -> None:
    assert '<p id="hb-preview" role="status" hidden ' in read(server, "/handbook/")[2]
    server.publish(UPDATING)
    page = read(server, "/handbook/")[2]
    assert f">{UPDATING}</p>" in page
    assert "hidden" not in page.partition("<p ")[2].partition(">")[0]


def test_a_waiting_page_learns_of_its_change_and_of_the_message(server: PreviewServer) -> None:
    state = read_state(server, "/handbook/adr/", {})
    answers: list[dict[str, str]] = []
    waiting = threading.Thread(
        target=lambda: answers.append(read_state(server, "/handbook/adr/", state))
    )
    waiting.start()
    (server.site / "index.html").write_text("another page", encoding="utf-8")
    server.publish("")  # The page that waits has not changed.
    waiting.join(0.3)
    assert answers == []
    server.publish(UPDATING)
    waiting.join(10)
    assert answers == [{**state, "message": UPDATING}]

    (server.site / "adr/index.html").write_text("<body>New</body>", encoding="utf-8")
    server.publish("")
    assert read_state(server, "/handbook/adr/", answers[0])["version"] != state["version"]


def test_a_waiting_page_learns_of_a_new_search_index(server: PreviewServer) -> None:
    state = read_state(server, "/handbook/adr/", {})
    server.search = SearchState(1)
    server.publish("")
    new_state = read_state(server, "/handbook/adr/", state)
    assert new_state["version"] == state["version"]
    assert new_state["library"] != state["library"]


def test_all_pages_reload_for_a_new_style(server: PreviewServer) -> None:
    state = read_state(server, "/handbook/", {})
    server.publish("", reloads_all=True)
    assert read_state(server, "/handbook/", state)["version"] != state["version"]


def test_the_watcher_finds_each_change_once(tmp_path: Path) -> None:
    write(tmp_path, {"docs/a.md": "a", "docs/b.md": "b", "mkdocs.yml": "x", "new/c.md": "c"})
    watcher = Watcher([tmp_path / "docs", tmp_path / "mkdocs.yml", tmp_path / "missing"])
    assert watcher.take_changes() == []
    write(tmp_path, {"docs/a.md": "changed", "mkdocs.yml": "y"})
    (tmp_path / "docs/b.md").unlink()
    names = [Path(path).name for path in watcher.take_changes()]
    assert (names, watcher.take_changes()) == (["a.md", "b.md", "mkdocs.yml"], [])

    watcher.watch([tmp_path / "docs", tmp_path / "new"])
    assert watcher.take_changes() == []
    write(tmp_path, {"new/c.md": "changed"})
    assert [Path(path).name for path in watcher.take_changes()] == ["c.md"]


def test_a_file_that_changes_again_is_found_before_all_files_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "_SHARE", 1e-9)  # The next search in all files is in some hours.
    write(tmp_path, {"docs/a.md": "a", "docs/b.md": "b"})
    watcher = Watcher([tmp_path / "docs"])
    write(tmp_path, {"docs/a.md": "changed"})
    assert [Path(path).name for path in watcher.take_changes()] == ["a.md"]

    found: list[str] = []
    waiting = threading.Thread(target=lambda: found.extend(watcher.wait(lambda: None)), daemon=True)
    waiting.start()
    save = threading.Timer(0.2, write, (tmp_path, {"docs/a.md": "changed again"}))
    save.start()
    waiting.join(10)
    assert [Path(path).name for path in found] == ["a.md"]


class Cycle:
    """An object that only the garbage collector can remove."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize("has_many_objects", [False, True])
def test_garbage_of_the_first_build_stays_until_many_files_change(
    has_many_objects: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if has_many_objects:
        monkeypatch.setattr(preview, "_MANY_OBJECTS", 0)
    first = Cycle()
    of_first_build = weakref.ref(first)
    gc.freeze()
    del first
    second = Cycle()
    of_update = weakref.ref(second)
    del second
    collect_garbage()
    assert of_update() is None
    assert (of_first_build() is None) is has_many_objects
    gc.unfreeze()
