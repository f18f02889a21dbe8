"""A preview that keeps what has not changed has the same files as a cold build, after any edits."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from handbook.engines.errors import BuildError, as_build_error
from handbook.engines.preview import SiteBuilder
from handbook.site import finish
from tests.commands import make_environment
from tests.handbooks import SMALL, copy_site, read_files, write

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
        lambda *_: subprocess.Popen(command, text=True),
    )


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
