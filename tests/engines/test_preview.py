"""Preview with `handbook serve`: it prints and shows findings, continues, and recovers."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands import BIN, make_environment
from tests.handbooks import SMALL, copy_site

pytestmark = pytest.mark.build

PATIENCE = 60.0


class Preview:
    """Running process of `handbook serve`."""

    def __init__(self, root: Path, log: Path) -> None:
        with socket.socket() as free_port:
            free_port.bind(("127.0.0.1", 0))
            port = free_port.getsockname()[1]
        self.root = root
        self.log = log
        self.address = f"http://127.0.0.1:{port}/"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(BIN / "handbook"), "serve", "--address", f"127.0.0.1:{port}"],
                cwd=root,
                env=make_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def read_log(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def read_page(self, url: str) -> str:
        try:
            with urllib.request.urlopen(self.address + url, timeout=5) as answer:  # noqa: S310 - local server
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return ""

    def is_idle(self) -> bool:
        """Return whether a build has ended after each change."""
        log = self.read_log()
        return log.count("Detected file changes") == log.count("Reloading browsers")

    def wait_until(self, is_done: Callable[[], bool], event: str) -> None:
        end = time.monotonic() + PATIENCE
        while not is_done():
            assert self.process.poll() is None, f"the preview stopped:\n{self.read_log()}"
            assert time.monotonic() < end, f"no {event} within {PATIENCE} s:\n{self.read_log()}"
            time.sleep(0.1)


@contextmanager
def start_preview(folder: Path, changes: dict[str, bytes]) -> Iterator[Preview]:
    """Run a preview of the small handbook, in which some files have other content."""
    root = copy_site(SMALL, folder / "handbook")
    for path, content in changes.items():
        (root / path).write_bytes(content)
    running = Preview(root, folder / "log")
    try:
        running.wait_until(
            lambda: "ADR-0001" in running.read_page("adr/0001-keep-orders-in-sqlite/"), "first page"
        )
        yield running
    finally:
        running.process.terminate()
        running.process.wait(timeout=20)


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[Preview]:
    """Return a preview for one test."""
    with start_preview(tmp_path, {}) as running:
        yield running


@pytest.fixture(scope="module")
def long_preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    """Return a preview for several tests, which repair what they break."""
    with start_preview(tmp_path_factory.mktemp("preview"), {}) as running:
        yield running


UNREADABLE = [
    (b"---\ntags: [database\n---\n# A decision\n", ":2:7: FM001 error"),
    (b"# A decision\n\n\xff\n", ":3:1: FM001 error: invalid UTF-8: byte 0xff"),
    (b"# A decision\n\n" + b"> " * 200 + b"x\n", ":3:1: FM001 error: nested too deeply"),
    (b"# A decision\n\n\x1b[31m\n", ":3:1: FM001 error: invisible character U+001B"),
]
UNREADABLE_FILES = {f"adr/{n:04}-a-decision.md": case for n, case in enumerate(UNREADABLE, 11)}


@pytest.fixture(scope="module")
def faulty_preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    """Return a preview with files that it cannot read."""
    changes = {path: data for path, (data, _) in UNREADABLE_FILES.items()}
    with start_preview(tmp_path_factory.mktemp("faulty"), changes) as running:
        yield running


def test_a_finding_is_printed_and_shown_until_it_is_fixed(preview: Preview) -> None:
    url, finding = "adr/0002-use-postgresql/", "adr/0002-use-postgresql.md:2:9: FM005 error"
    record = preview.root / "adr/0002-use-postgresql.md"
    valid_text = record.read_text(encoding="utf-8")
    assert "hb-findings" not in preview.read_page(url)
    assert preview.read_page("worker.js") == "", "a preview keeps no offline copy"

    record.write_text(valid_text.replace("status: accepted", "status: acepted"), encoding="utf-8")
    preview.wait_until(lambda: finding in preview.read_log(), "finding")
    preview.wait_until(lambda: "hb-findings" in preview.read_page(url), "finding on the page")
    assert "did you mean &#39;accepted&#39;?" in preview.read_page(url)
    assert "hb-findings" not in preview.read_page("adr/0001-keep-orders-in-sqlite/")

    record.write_text(
        valid_text.replace("# Use PostgreSQL", "# Use 🐘 PostgreSQL"), encoding="utf-8"
    )
    preview.wait_until(lambda: "hb-findings" not in preview.read_page(url), "fixed page")
    assert "Use 🐘 PostgreSQL" in preview.read_page(url)


def test_the_search_index_of_a_preview_is_renewed_after_each_build(preview: Preview) -> None:
    def count_indexes() -> int:
        text = preview.read_page(".handbook/search.json")
        return len(json.loads(text)["folders"]) if text else 0

    preview.wait_until(lambda: count_indexes() == 1, "index of all pages")
    record = preview.root / "adr/0002-use-postgresql.md"
    record.write_text(
        record.read_text(encoding="utf-8").replace("## Context", "## Context\n\nUnheardof."),
        encoding="utf-8",
    )
    preview.wait_until(lambda: count_indexes() == 2, "index of the changed page")


@pytest.mark.parametrize(
    ("path", "good", "bad"),
    [
        ("adr/0002-use-postgresql.md", "tags: [database]", "tags: [database"),
        ("adr/0002-use-postgresql.md", "---\nstatus", "status"),
        ("adr/0002-use-postgresql.md", "(0001-keep-orders-in-sqlite.md)", "(http://[bad)"),
        ("adr/0002-use-postgresql.md", "```\n\n## Consequences", "## Consequences"),
        ("adr/0002-use-postgresql.md", "Orders need transactions.", "Weighed:\n- one\n- two"),
        ("adr/index.md", "adr_index()", "no_such_macro()"),
        ("adr/index.md", "adr_index()", "polcy.slo"),
        ("docs/index.md", "(markdown.md#load)", "(nowhere.md)"),
        ("mkdocs.yml", "tags: [database]", "tags: [databases]"),
    ],
    ids=[
        "invalid front matter",
        "no front matter",
        "invalid address",
        "unclosed fence",
        "list without a blank line",
        "unknown macro",
        "undefined name",
        "broken link",
        "unknown tag",
    ],
)
def test_no_defect_stops_the_preview(long_preview: Preview, path: str, good: str, bad: str) -> None:
    preview, file = long_preview, long_preview.root / path
    valid_text = file.read_text(encoding="utf-8")
    assert good in valid_text
    builds = preview.read_log().count("Reloading browsers")
    file.write_text(valid_text.replace(good, bad), encoding="utf-8")
    preview.wait_until(
        lambda: preview.read_log().count("Reloading browsers") > builds, "build after the defect"
    )
    assert "Traceback" not in preview.read_log()

    record = preview.root / "adr/0003-keep-orders-in-mysql.md"
    valid_record = record.read_text(encoding="utf-8")
    new_words = f"Fewer than {builds} things"
    file.write_text(valid_text, encoding="utf-8")
    record.write_text(valid_record.replace("Fewer things", new_words), encoding="utf-8")
    preview.wait_until(
        lambda: new_words in preview.read_page("adr/0003-keep-orders-in-mysql/"),
        "page after the fix",
    )
    record.write_text(valid_record, encoding="utf-8")
    preview.wait_until(
        lambda: "Fewer things" in preview.read_page("adr/0003-keep-orders-in-mysql/"),
        "page as before",
    )
    # The next test counts the builds after its own defect.
    preview.wait_until(preview.is_idle, "end of the builds")
    assert "Traceback" not in preview.read_log()


@pytest.mark.parametrize(
    ("path", "message"),
    [(path, message) for path, (_, message) in UNREADABLE_FILES.items()],
    ids=["invalid front matter", "invalid UTF-8", "deep nesting", "control character"],
)
def test_a_preview_shows_the_reason_for_an_unreadable_file(
    faulty_preview: Preview, path: str, message: str
) -> None:
    page = faulty_preview.read_page(path.removesuffix(".md") + "/")
    assert "hb-findings" in page
    assert "FM001" in page
    assert f"{path}{message}" in faulty_preview.read_log()
