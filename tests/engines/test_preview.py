"""`handbook serve` while an author writes: it prints what is wrong, shows it, goes on, and recovers."""

from __future__ import annotations

import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands import BIN, environment
from tests.handbooks import SMALL, copy_of

pytestmark = pytest.mark.build

PATIENCE = 60.0


class Preview:
    """A running `handbook serve`."""

    def __init__(self, root: Path, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.root = root
        self.log = log
        self.address = f"http://127.0.0.1:{port}/"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(BIN / "handbook"), "serve", "--address", f"127.0.0.1:{port}"],
                cwd=root,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def printed(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def page(self, url: str) -> str:
        try:
            with urllib.request.urlopen(self.address + url, timeout=5) as answer:  # noqa: S310 - our own server
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return ""

    def wait(self, until: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not until():
            assert self.process.poll() is None, f"the preview stopped:\n{self.printed()}"
            assert time.monotonic() < end, f"no {what} within {PATIENCE} s:\n{self.printed()}"
            time.sleep(0.1)


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[Preview]:
    running = Preview(copy_of(SMALL, tmp_path / "handbook"), tmp_path / "log")
    try:
        running.wait(lambda: "ADR-0002" in running.page("adr/0002-use-postgresql/"), "first page")
        yield running
    finally:
        running.process.terminate()
        running.process.wait(timeout=20)


def test_a_broken_record_is_printed_and_shown_and_mended(preview: Preview) -> None:
    url, finding = "adr/0002-use-postgresql/", "adr/0002-use-postgresql.md:2:9: FM005 error"
    record = preview.root / "adr/0002-use-postgresql.md"
    whole = record.read_text(encoding="utf-8")
    assert "hb-findings" not in preview.page(url)

    record.write_text(whole.replace("status: accepted", "status: acepted"), encoding="utf-8")
    preview.wait(lambda: finding in preview.printed(), "finding")
    preview.wait(lambda: "hb-findings" in preview.page(url), "finding on the page")
    assert "did you mean &#39;accepted&#39;?" in preview.page(url)
    assert "hb-findings" not in preview.page("adr/0001-keep-orders-in-sqlite/")

    record.write_text(whole.replace("# Use PostgreSQL", "# Use 🐘 PostgreSQL"), encoding="utf-8")
    preview.wait(lambda: "hb-findings" not in preview.page(url), "mended page")
    assert "Use 🐘 PostgreSQL" in preview.page(url)


def test_the_text_is_found_in_a_preview_soon_after_each_build(preview: Preview) -> None:
    def indexed() -> str:
        found = re.search(r'"hash":"(\w+)"', preview.page("pagefind/pagefind-entry.json"))
        return found[1] if found else ""

    preview.wait(lambda: bool(indexed()), "index of the text")
    before = indexed()
    record = preview.root / "adr/0002-use-postgresql.md"
    record.write_text(
        record.read_text(encoding="utf-8").replace("## Context", "## Context\n\nUnheardof."),
        encoding="utf-8",
    )
    preview.wait(lambda: indexed() not in ("", before), "index of the new text")


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
)
def test_no_defect_stops_it(preview: Preview, path: str, good: str, bad: str) -> None:
    file = preview.root / path
    whole = file.read_text(encoding="utf-8")
    assert good in whole
    file.write_text(whole.replace(good, bad), encoding="utf-8")
    preview.wait(lambda: preview.printed().count("Reloading browsers") >= 1, "second build")
    assert "Traceback" not in preview.printed()

    record = preview.root / "adr/0003-keep-orders-in-mysql.md"
    file.write_text(whole, encoding="utf-8")
    record.write_text(
        record.read_text(encoding="utf-8").replace("Fewer things", "Far fewer things"),
        encoding="utf-8",
    )
    preview.wait(
        lambda: "Far fewer things" in preview.page("adr/0003-keep-orders-in-mysql/"),
        "page after mending",
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"---\ntags: [database\n---\n# A decision\n", ":2:7: FM001 error"),
        (b"# A decision\n\n\xff\n", ":3:1: FM001 error: not UTF-8: byte 0xff"),
        (b"# A decision\n\n" + b"> " * 200 + b"x\n", ":3:1: FM001 error: nested too deeply"),
        (b"# A decision\n\n\x1b[31m\n", ":3:1: FM001 error: a character that nobody sees"),
    ],
    ids=["broken front matter", "no text", "nested too deeply", "a control character"],
)
def test_a_preview_shows_why_a_file_cannot_be_read(
    data: bytes, message: str, tmp_path: Path
) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    (root / "adr/0002-use-postgresql.md").write_bytes(data)
    running = Preview(root, tmp_path / "log")
    try:
        running.wait(
            lambda: "hb-findings" in running.page("adr/0002-use-postgresql/"),
            "page with the finding",
        )
        assert "FM001" in running.page("adr/0002-use-postgresql/")
        assert f"adr/0002-use-postgresql.md{message}" in running.printed()
    finally:
        running.process.terminate()
        running.process.wait(timeout=20)
