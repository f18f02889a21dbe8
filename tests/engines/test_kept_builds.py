"""A preview that keeps what has not changed has the same files as a cold build, after any edits."""

from __future__ import annotations

import errno
import logging
import os
import random
import re
import subprocess
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from mkdocs import utils
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.plugins import PluginCollection
from mkdocs.structure.files import File
from mkdocs.theme import Theme

from handbook.engines import check, kept
from handbook.engines.errors import BuildError, as_build_error
from handbook.engines.mkdocs import HandbookPlugin
from handbook.engines.mounting import HandbookPage
from handbook.engines.preview import (
    FAILED,
    INDEXING,
    UPDATING,
    Preview,
    PreviewServer,
    SiteBuilder,
    Watcher,
)
from handbook.records import Record
from handbook.site import finish
from tests.commands import make_environment
from tests.handbooks import SMALL, copy_site, read_files, write
from tests.templates import keep_compiled

pytestmark = pytest.mark.build

EDITS: Final = int(os.environ.get("PREVIEW_EDITS") or 200)
"""The number of random edits. `make fuzz` makes 2,000."""
EDITS_OF_A_TEST: Final = 20
SEED: Final = os.environ.get("PREVIEW_SEED") or "edits"
COMPARED: Final = 4 if EDITS <= 200 else 1
"""A cold build takes longer than the edit, so that CI compares only after every fourth edit."""
SETTINGS: Final = (
    ("site_name: A small handbook", "site_name: Another <handbook>"),
    ("  - Home: index.md", "  - Start: index.md"),
    ("tags: [database]", "tags: [databases]"),
    ("      platform-team: {}", "      platform-team: {channel: '#platform'}"),
    ("plugins:\n", "plugins:\n  - search\n"),
    ("  name: material\n", "  name: material\n  custom_dir: overrides\n"),
    ("site_url: https://small.example/", "site_url: https://other.example/sub/"),
    ("      - services/shop.md\n", ""),
    ("plugins:", "plugins: ["),
)
"""Changes of the settings. The last one is no YAML, so that the build fails."""
DRAWING: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
    '<title>{}</title><rect width="9" height="9" fill="currentColor"/></svg>\n'
)


@pytest.fixture(autouse=True)
def no_search_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the search index, which another process makes from the finished pages."""
    command = ["true"]
    monkeypatch.setattr(
        finish,
        "start_indexing",
        lambda *_, **__: subprocess.Popen(command, text=True),
    )


KEPT_ENVIRONMENT: Final = keep_compiled()


@pytest.fixture(autouse=True)
def compiled_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the compiled templates. A quarter of the time of these builds is their compilation."""
    monkeypatch.setattr(Theme, "get_env", KEPT_ENVIRONMENT)


class Editor:
    """Edits a handbook at random. Half of the edits restore a file."""

    def __init__(self, root: Path, seed: str) -> None:
        self.root = root
        self.random = random.Random(seed)  # noqa: S311 - the same edits in every run
        self.original = read_files(root)
        self.number = 0
        self.edits: tuple[Callable[[], str], ...] = (
            self.restore,
            self.restore,
            self.restore_all,
            self.change_text,
            self.change_text,
            self.change_text,
            self.change_title,
            self.change_word,
            self.add_record,
            self.rename_record,
            self.delete_record,
            self.change_rule_file,
            self.change_audit,
            self.change_settings,
            self.change_template,
            self.change_other_file,
            self.commit,
        )

    def edit(self) -> str:
        """Make an edit, and return its name with the path of the file."""
        self.number += 1
        return self.random.choice(self.edits)()

    def find(self, *patterns: str) -> str:
        """Return the path of a random file."""
        paths = sorted(
            path.relative_to(self.root).as_posix()
            for pattern in patterns
            for path in self.root.glob(pattern)
        )
        return self.random.choice(paths) if paths else "docs/index.md"

    def find_record(self) -> str:
        return self.find(
            "adr/0*.md", "runbooks/*/*.md", "postmortems/2*.md", "docs/standards/*.md",
            "docs/services/s*.md", "docs/markdown.md",
        )  # fmt: skip

    def replace(self, path: str, old: str, new: str) -> str:
        file = self.root / path
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        return f"{path}: {old!r} -> {new!r}"

    def restore(self) -> str:
        current = read_files(self.root)
        changed = [
            path
            for path in sorted({*current, *self.original})
            if not path.startswith(".git/") and current.get(path) != self.original.get(path)
        ]
        if not changed:
            return "nothing"
        path = self.random.choice(changed)
        self._reset(path)
        return f"restored {path}"

    def _reset(self, path: str) -> None:
        if path in self.original:
            write(self.root, {path: self.original[path]})
        else:
            (self.root / path).unlink()

    def restore_all(self) -> str:
        current = read_files(self.root)
        for path in {*current, *self.original}:
            if not path.startswith(".git/") and current.get(path) != self.original.get(path):
                self._reset(path)
        return "restored all"

    def change_text(self) -> str:
        link = os.path.relpath(self.find_record(), Path(self.find_record()).parent)
        texts = (
            f"Edit {self.number}, see ADR-0002, TEST-01 and STD-05.1.",
            f"See [another page]({link}) and [none](nowhere-{self.number}.md).",
            f"## Another heading {self.number}",
            "```bash\nrm -rf /srv/data\n```",
            "{{ adr_index() }}",
            "![A drawing](0002-use-postgresql/drawing.svg)",
            "<b>raw</b>",
        )
        path = self.find_record()
        return self.replace(path, "\n\n", f"\n\n{self.random.choice(texts)}\n\n")

    def change_title(self) -> str:
        return self.replace(self.find_record(), "\n# ", f"\n# New {self.number} *title* ")

    def change_word(self) -> str:
        words = ("accepted", "published", "order-team", "2026", "SEV", "shop", "ADR-0001", "---")
        return self.replace(self.find_record(), self.random.choice(words), f"w{self.number}")

    def add_record(self) -> str:
        source = self.find("adr/0*.md", "runbooks/*/*.md")
        folder, _, name = source.rpartition("/")
        number = f"{self.number + 100:04}"
        new = f"{folder}/{number}-{name[5:]}" if folder == "adr" else f"{folder}/new-{name}"
        write(self.root, {new: (self.root / source).read_bytes()})
        if folder == "adr" and self.random.random() < 0.5:
            write(self.root, {f"{new.removesuffix('.md')}/data-{self.number}.csv": "a,b\n1,2\n"})
        return f"added {new}"

    def rename_record(self) -> str:
        old = self.find("adr/0*.md", "runbooks/*/*.md", "docs/services/s*.md")
        new = f"{old.removesuffix('.md')}-x.md"
        (self.root / old).rename(self.root / new)
        if self.random.random() < 0.5:
            address = old.removeprefix("docs/").removesuffix(".md")
            self.replace(new, "---\n", f"---\nmoved_from: [/{address}/]\n")
        return f"renamed {old}"

    def delete_record(self) -> str:
        path = self.find("adr/*.md", "runbooks/*/*.md", "docs/*.md", "adr/*/*")
        if path != "docs/index.md":
            (self.root / path).unlink()
        return f"deleted {path}"

    def change_rule_file(self) -> str:
        words = ("OrdersDown", "severity: ", "page", "orders", "expr", "for: ")
        path = self.find("runbooks/*/*.rules.yml")
        return self.replace(path, self.random.choice(words), f"W{self.number}")

    def change_audit(self) -> str:
        path = self.find("docs/services/*/*.yml")
        return self.replace(path, self.random.choice(("pass", "fail", "date")), "waived")

    def change_settings(self) -> str:
        return self.replace("mkdocs.yml", *self.random.choice(SETTINGS))

    def change_template(self) -> str:
        changes = (
            ("adr/index.md", "{{ ", "{{ un"),
            ("docs/index.md", "\n\n", f"\n\nNumber {self.number}\n\n"),
            ("runbooks/index.md", "\n\n", "\n\n{{ 6 * 7 }}\n\n"),
            ("docs/index.md", "\n\n", "\n\n{{ nothing.at.all }}\n\n"),
            ("docs/checklist.md", "# ", "# My "),
            ("overrides/main.html", "</p>", f"{self.number}</p>"),
        )
        return self.replace(*self.random.choice(changes))

    def change_other_file(self) -> str:
        path = self.find("docs/standards/samples/*/*", "adr/*/*.csv", "adr/*/*.svg", "src/*/*")
        if path.endswith(".svg"):
            return str(write(self.root, {path: DRAWING.format(self.number)}))
        file = self.root / path
        file.write_bytes(file.read_bytes() + f"\n{self.number}".encode())
        return f"changed {path}"

    def commit(self) -> str:
        if not (self.root / ".git").exists():
            git(self.root, "init", "--quiet")
        git(self.root, "add", "--all")
        day = f"2026-01-{1 + self.number % 28:02}T12:00:00Z"
        git(self.root, "commit", "--quiet", "--allow-empty", "--message", "An edit", day=day)
        return "commit"


def git(root: Path, *arguments: str, day: str = "") -> None:
    names = ("GIT_AUTHOR", "GIT_COMMITTER")
    identity = {f"{name}_{key}": "a@b.example" for name in names for key in ("NAME", "EMAIL")}
    dates = {f"{name}_DATE": day for name in names} if day else {}
    subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, env=make_environment() | identity | dates
    )


def make_handbook(tmp_path: Path) -> Path:
    """Copy the small handbook, with files of a service, a drawing and a template."""
    root = copy_site(SMALL, tmp_path / "handbook")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    service = (root / "docs/services/shop.md").read_text(encoding="utf-8")
    return write(
        root,
        {
            "mkdocs.yml": settings.replace("  - search\n", "", 1),
            "docs/services/shop.md": service.replace("---\n", "---\nsource: src/shop\n", 1),
            "src/shop/app.py": "print('a')\n",
            "adr/0002-use-postgresql/drawing.svg": DRAWING.format("Load"),
            "overrides/main.html": (
                '{% extends "base.html" %}{% block announce %}<p>{% for file in pages %}'
                "{{ file.page.title }},{% endfor %}</p>{% endblock %}"
            ),
        },
    )


def build_cold(root: Path, site: Path, url: str) -> None:
    """Build the site of a preview as MkDocs does it, with nothing kept."""
    with as_build_error(root):
        config = load_config(str(root / "mkdocs.yml"), site_dir=str(site), strict=False)
        config.plugins.on_startup(command="serve", dirty=False)
        config.site_url = url
        build(config, serve_url=url)
        config.plugins.on_shutdown()


def read_site(site: Path) -> Mapping[str, bytes]:
    """Return the files of a site. The gzip of the sitemap holds the time of its build."""
    return {path: data for path, data in read_files(site).items() if path != "sitemap.xml.gz"}


def list_changed(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the paths of the files that differ."""
    return (
        path.removeprefix(".git/")
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    )


def interrupt_write(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Fill the disk while MkDocs writes its file with a number, counted from 1."""
    write_file, copy_file = utils.write_file, File.copy_file
    writes = 0

    def write_or_stop(output: str, write_it: Callable[[], None]) -> None:
        nonlocal writes
        writes += 1
        if writes == number:
            Path(output).parent.mkdir(parents=True, exist_ok=True)
            Path(output).write_bytes(b"cut")
            raise OSError(errno.ENOSPC, "no space left", output)
        write_it()

    def write_page(content: bytes, output: str) -> None:
        write_or_stop(output, lambda: write_file(content, output))

    def write_other(file: File, dirty: bool = False) -> None:
        if not dirty or file.is_modified():
            write_or_stop(file.abs_dest_path, lambda: copy_file(file))

    monkeypatch.setattr(utils, "write_file", write_page)
    monkeypatch.setattr(File, "copy_file", write_other)


def list_differences(kept: Mapping[str, bytes], cold: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the first different line of each file that differs."""
    for path in cold:
        if kept[path] != cold[path]:
            pairs = zip(kept[path].splitlines(), cold[path].splitlines(), strict=False)
            line = next((pair for pair in pairs if pair[0] != pair[1]), (b"", b"(other length)"))
            yield f"{path}\n- {line[0]!r}\n+ {line[1]!r}\n"


@pytest.mark.parametrize("part", range(EDITS // EDITS_OF_A_TEST))
def test_a_preview_equals_a_cold_build_after_every_edit(part: int, tmp_path: Path) -> None:
    root = make_handbook(tmp_path)
    editor = Editor(root, f"{SEED}-{part}")
    builder = SiteBuilder(root, tmp_path / "kept")
    builder.build()
    edits: list[str] = []
    compared = failed = 0
    for number in range(1, EDITS_OF_A_TEST + 1):
        before = read_files(root)
        edits.append(editor.edit())
        try:
            builder.kept.show_pages(root, list_changed(before, read_files(root)))
            builder.build()
            error = None
        except BuildError as failure:
            error = str(failure)
            assert "a plugin or hook failed" not in error, (error, edits[-8:])
        if number % COMPARED == 0 or error:
            try:
                build_cold(root, tmp_path / "cold", builder.url)
                cold_error = None
            except BuildError as failure:
                cold_error = str(failure)
            assert error == cold_error, edits
            if error is None:
                kept, cold = read_site(tmp_path / "kept"), read_site(tmp_path / "cold")
                assert sorted(kept) == sorted(cold), edits
                assert "".join(list_differences(kept, cold)) == "", edits[-8:]
            compared += error is None
            failed += error is not None
    builder.stop()
    assert compared, f"{failed} builds failed"


def test_a_build_takes_the_handbook_of_the_shown_pages_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_handbook(tmp_path)
    builder = SiteBuilder(root, tmp_path / "site")
    builder.build()
    path = "adr/0002-use-postgresql.md"
    page = tmp_path / "site/adr/0002-use-postgresql/index.html"

    def edit(title: str) -> None:
        text = (root / path).read_text(encoding="utf-8")
        (root / path).write_text(re.sub("(?m)^# .*", f"# {title}", text), encoding="utf-8")

    def fail(*_: object) -> None:
        raise OSError

    edit("First title")
    assert builder.show_pages([path])
    with monkeypatch.context() as patch:
        patch.setattr(check, "load", fail)
        builder.build()
    assert "First title" in page.read_text(encoding="utf-8")

    builder.show_pages([path])  # The build fails before it takes this handbook.
    edit("Second title")
    with monkeypatch.context() as patch:
        patch.setattr(kept, "load", fail)
        assert builder.show_pages([path]) == []
    builder.build()
    assert "Second title" in page.read_text(encoding="utf-8")
    builder.stop()


def test_a_page_that_a_failed_build_removed_is_left_to_the_next_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_handbook(tmp_path)
    builder = SiteBuilder(root, tmp_path / "site")
    builder.build()
    record = root / "adr/0002-use-postgresql.md"
    page = tmp_path / "site/adr/0002-use-postgresql/index.html"
    text = record.read_text(encoding="utf-8")

    def fail(*_: object, **__: object) -> None:
        raise BuildError("The disk is full.")

    record.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(kept.KeptBuild, "finish", fail)
        with pytest.raises(BuildError):
            builder.build()
    assert not page.parent.exists()

    record.write_text(text, encoding="utf-8")
    path = record.relative_to(root).as_posix()
    assert builder.kept.show_pages(root, [path]) == []
    builder.build()
    assert page.is_file()
    builder.stop()


def test_an_edit_renders_only_the_pages_that_show_it(tmp_path: Path) -> None:
    root = make_handbook(tmp_path)
    builder = SiteBuilder(root, tmp_path / "site")
    builder.build()
    record = root / "adr/0002-use-postgresql.md"
    text = record.read_text(encoding="utf-8")
    record.write_text(text.replace("Orders need transactions.", "They do."), encoding="utf-8")
    page = tmp_path / "site/adr/0002-use-postgresql/index.html"

    assert builder.show_pages(["adr/0002-use-postgresql.md"]) == ["adr/0002-use-postgresql/"]
    assert "They do." in page.read_text(encoding="utf-8")

    builder.build()
    folder = "adr/0002-use-postgresql"
    pages = [name for name in builder.kept.written_files if name.startswith("adr/")]
    assert sorted(pages) == [f"{folder}/index.html", f"{folder}/index.md"]
    others = set(builder.kept.written_files) - set(pages)
    assert {Path(name).suffix for name in others} <= {".json"}
    builder.build()
    assert builder.kept.written_files == []
    builder.stop()


def test_a_build_renders_only_changed_pages_and_pages_with_macros(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_handbook(tmp_path)
    builder = SiteBuilder(root, tmp_path / "site")
    builder.build()
    rendered: list[str] = []
    render = HandbookPage.render

    def note_render(page: HandbookPage, *arguments: Any) -> None:
        rendered.append(page.file.src_uri)
        render(page, *arguments)

    monkeypatch.setattr(HandbookPage, "render", note_render)
    builder.build()
    documents = builder.kept.last.assembly.handbook.documents if builder.kept.last else {}
    assert not [path for path in rendered if isinstance(documents.get(path), Record)]
    rendered.clear()
    record = root / "adr/0002-use-postgresql.md"
    record.write_text(record.read_text(encoding="utf-8").replace("Orders need", "They need"))
    builder.build()
    assert "adr/0002-use-postgresql.md" in rendered
    assert len(rendered) < len(documents) / 2
    builder.stop()


def test_an_interrupted_build_leaves_no_wrong_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_handbook(tmp_path)
    editor = Editor(root, f"{SEED}-interrupted")
    builder = SiteBuilder(root, tmp_path / "kept")
    builder.build()
    interrupted = 0
    for number in range(EDITS // 50):
        if number % 2:
            editor.restore_all()
        else:
            editor.replace("docs/services/shop.md", "\n# ", f"\n# New {number} ")
            editor.replace("adr/0001-keep-orders-in-sqlite.md", "\n# ", f"\n# New {number} ")
        with monkeypatch.context() as patch:
            interrupt_write(patch, editor.random.randint(1, 20))
            try:
                builder.build()
            except BuildError:
                interrupted += 1
        builder.build()
        build_cold(root, tmp_path / "cold", builder.url)
        kept, cold = read_site(tmp_path / "kept"), read_site(tmp_path / "cold")
        assert sorted(kept) == sorted(cold)
        assert "".join(list_differences(kept, cold)) == ""
    builder.stop()
    assert interrupted


def test_a_file_can_become_a_page_of_the_same_name_and_a_file_again(tmp_path: Path) -> None:
    root, site = make_handbook(tmp_path), tmp_path / "site"
    builder = SiteBuilder(root, site)
    text = "# Notes\n\nSome notes.\n"
    file, page = root / "docs/notes", root / "docs/notes.md"
    file.write_text(text, encoding="utf-8")
    builder.build()
    file.rename(page)
    builder.build()
    assert "Some notes." in (site / "notes/index.html").read_text(encoding="utf-8")
    page.rename(file)
    builder.build()
    assert (site / "notes").read_text(encoding="utf-8") == text
    file.unlink()
    builder.build()
    assert not (site / "notes").exists()


def test_a_failed_build_keeps_the_redirects(tmp_path: Path) -> None:
    root, site = make_handbook(tmp_path), tmp_path / "site"
    first, last = (
        root / "adr/0001-keep-orders-in-sqlite.md",
        root / "adr/0003-keep-orders-in-mysql.md",
    )

    def move(record: Path, address: str) -> None:
        text = record.read_text(encoding="utf-8")
        record.write_text(
            text.replace("---\n", f"---\nmoved_from: [{address}]\n", 1), encoding="utf-8"
        )

    move(last, "/old/")
    builder = SiteBuilder(root, site)
    builder.build()
    text = first.read_text(encoding="utf-8")
    move(first, "/adr/0002-use-postgresql/")  # the address of another page
    with pytest.raises(BuildError):
        builder.build()
    assert "0003-keep-orders-in-mysql" in (site / "old/index.html").read_text(encoding="utf-8")
    first.write_text(text, encoding="utf-8")
    last.write_text(last.read_text(encoding="utf-8").replace("/old/", "/older/"), encoding="utf-8")
    builder.build()
    assert not (site / "old").exists()
    assert (site / "older/index.html").is_file()


def test_after_an_error_only_the_changed_files_are_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root, site = make_handbook(tmp_path), tmp_path / "site"
    builder = SiteBuilder(root, site)
    builder.build()
    messages: list[str] = []

    class Server(PreviewServer):
        def __init__(self) -> None:
            """Collect the messages, and serve nothing."""

        def publish(self, message: str, *, reloads_all: bool = False) -> None:
            messages.append(message)

    preview = Preview(builder, Server(), Watcher([root / "adr"]))
    name = "adr/0002-use-postgresql"
    record, page = root / f"{name}.md", site / name / "index.html"
    text = record.read_text(encoding="utf-8").replace("Orders need transactions.", "They do.")

    old = "moved_from: [/adr/0001-keep-orders-in-sqlite/]"  # the address of another page
    record.write_text(text.replace("---\n", f"---\n{old}\n", 1), encoding="utf-8")
    preview.update([str(record)])
    assert messages[-1] == FAILED

    before = {path: path.stat().st_mtime_ns for path in site.rglob("*") if path.is_file()}
    record.write_text(text, encoding="utf-8")
    messages.clear()
    with caplog.at_level(logging.INFO):
        preview.update([str(record)])
    written = set(builder.kept.written_files)
    assert {path.split("/")[0] for path in written if path.endswith("html")} == {"adr"}
    assert f"Reloading browsers: {len(written)} files written" in caplog.text
    templates = {"404.html", "sitemap.xml", "sitemap.xml.gz"}
    after = {path: path.stat().st_mtime_ns for path in before}
    changed = {path.relative_to(site).as_posix() for path in before if before[path] != after[path]}
    assert changed - templates - {f"{name}/index.html"} <= written
    assert "They do." in page.read_text(encoding="utf-8")
    assert messages == [UPDATING, UPDATING, INDEXING]
    while messages[-1]:
        preview.finish_indexing()
    assert messages[-1] == ""
    preview.finish_indexing()
    assert messages.count("") == 1

    record.write_text(text.replace("status: accepted", "status: acepted"), encoding="utf-8")
    preview.update([str(record)])
    assert "hb-findings" in page.read_text(encoding="utf-8")
    record.write_text(text, encoding="utf-8")
    preview.update([str(record)])
    assert "hb-findings" not in page.read_text(encoding="utf-8")
    builder.build()
    assert builder.kept.written_files == []
    builder.stop()


def test_a_preview_of_mkdocs_keeps_no_older_handbook(tmp_path: Path) -> None:
    """`mkdocs serve` builds again and again in one process, with new settings each time."""
    root = make_handbook(tmp_path)
    plugin, old = HandbookPlugin(), None
    plugin.on_startup(command="serve", dirty=False)
    for _ in range(3):
        config = load_config(str(root / "mkdocs.yml"), site_dir=str(tmp_path / "site"))
        config.plugins = PluginCollection()
        config.plugins["handbook"] = plugin
        build(config, serve_url="http://127.0.0.1:8000/")
        assert old is None or old() is None
        old = weakref.ref(plugin.current_build.assembly.handbook)
