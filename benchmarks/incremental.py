"""Edits shown without building everything: `python benchmarks/incremental.py --records 1000 --edits 12`.

The prototype of ADR-0015, measured and proved, and no part of the product. It builds a generated handbook once, then
makes random edits. For each it reads what changed, asks every question again that a page has asked of the handbook, and
makes anew only pages with another answer. At the end, and with `--prove` after every edit, a cold build in a process of
its own must have the same bytes in every file. Times are seconds on the clock, and want a machine that is quiet.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from mkdocs.commands.build import _build_page, _populate_page, build
from mkdocs.config import load_config
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure.pages import Page

import macros.handbook
import macros.plugin
from benchmarks import others
from macros import ahead, publishing
from macros.handbook import Handbook, Named, Reference
from macros.records import Entity
from macros.records.alert import Alert
from macros.rules import run
from macros.source import Source, read_source
from macros.views import api
from macros.views.feed import feed
from macros.views.keys import keys
from macros.views.runbooks import alert_page


class DifferentError(Exception):
    """What was shown is not what a cold build shows; or an edit was none that the gate lets pass."""


Question = tuple[Hashable, ...]
Trace = dict[Question, Hashable]


@dataclass(frozen=True)
class Name:
    """An entity as a question holds it: what is found under the name may have changed."""

    kind: str
    id: str
    path: str


class Recorder(Handbook):
    """A handbook that notes what it is asked, and can be given another to answer from.

    An answer is noted as a mark: an entity by the digest of its file, anything else by its value. Views and the
    renderer see nothing but the handbook, so that a page for which all marks are the same is the same page.
    """

    def __init__(self, handbook: Handbook) -> None:
        for name, value in (("_now", handbook), ("_trace", None), ("_digests", digests(handbook.root)), ("_kept", {})):
            object.__setattr__(self, name, value)

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_"):
            return object.__getattribute__(self, name)
        value = getattr(self._now, name)
        if self._trace is None or name in ("settings", "root"):  # for another mkdocs.yml everything is built
            return value
        if callable(value):
            return lambda *arguments: self._note((name, *map(_named, arguments)), value(*arguments))
        return Watched(self, name, value) if isinstance(value, Mapping) else self._note((name,), value)

    def _note(self, question: Question, answer: Any) -> Any:
        self._trace[question] = self._mark(answer)
        return answer

    def _mark(self, answer: Any) -> Hashable:
        match answer:
            case Entity():
                return answer.kind, answer.id, self._digests[answer.path]
            case Reference():
                return self._mark(answer.source), self._mark(answer.target), answer.via
            case Named():
                return answer.kind, self._mark(answer.record), answer.fragment
            case tuple() | list():
                return tuple(map(self._mark, answer))
        return answer  # type: ignore[no-any-return]

    def _turn_to(self, handbook: Handbook) -> None:
        object.__setattr__(self, "_now", handbook)
        object.__setattr__(self, "_digests", digests(handbook.root))
        object.__setattr__(self, "_kept", {})

    def _record(self, trace: Trace | None) -> None:
        object.__setattr__(self, "_trace", trace)

    def _holds(self, trace: Trace) -> bool:
        """Whether every question has the answer that it had. Many pages ask the same, which is asked once."""
        return all(self._again(question) == mark for question, mark in trace.items())

    def _again(self, question: Question) -> Hashable:
        if question not in self._kept:
            name, *arguments = question
            try:
                value = getattr(self._now, str(name))
                if isinstance(value, Mapping):
                    self._kept[question] = self._of_mapping(value, *arguments)
                else:
                    found = value(*map(self._entity, arguments)) if callable(value) else value
                    self._kept[question] = self._mark(found)
            except KeyError:
                self._kept[question] = KeyError  # what was asked about is gone
        return self._kept[question]  # type: ignore[no-any-return]

    def _of_mapping(self, mapping: Mapping[Any, Any], *key: Any) -> Hashable:
        return self._mark(mapping.get(key[0])) if key else tuple(mapping)

    def _entity(self, argument: Any) -> Any:
        if not isinstance(argument, Name):
            return argument
        found = self._now.documents.get(argument.path)
        return found or self._now.by_id[argument.kind, argument.id]


class Watched(Mapping[Any, Any]):
    """A mapping of the handbook: every look into it is a question."""

    def __init__(self, recorder: Recorder, name: str, mapping: Mapping[Any, Any]) -> None:
        self.recorder, self.name, self.mapping = recorder, name, mapping

    def __getitem__(self, key: Any) -> Any:
        self.recorder._note((self.name, key), self.mapping.get(key))
        return self.mapping[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.recorder._note((self.name,), tuple(self.mapping)))

    def __len__(self) -> int:
        return len(self.mapping)


def _named(argument: Any) -> Hashable:
    return Name(argument.kind, argument.id, argument.path) if isinstance(argument, Entity) else argument


def digests(root: Path) -> dict[str, bytes]:
    """Every file that a record, an alert or an audit is read from, by its path."""
    files = (file for pattern in ("*.md", "*.yml", "*.yaml") for file in root.rglob(pattern))
    return {file.relative_to(root).as_posix(): hashlib.blake2b(file.read_bytes()).digest() for file in files}


class Kept:
    """Sources by path and content."""

    def __init__(self) -> None:
        self.sources: dict[tuple[str, bytes], Source] = {}

    def read(self, path: str, data: bytes) -> Source:
        """What `read_source` answers, which parses the same bytes once."""
        if (path, data) not in self.sources:
            self.sources[path, data] = read_source(path, data)
        return self.sources[path, data]


class Capture(BasePlugin):  # type: ignore[type-arg]
    """Notes what each page asks while it is made, and keeps what MkDocs goes on with."""

    def __init__(self) -> None:
        self.traces: dict[str, Trace] = {}
        self.titles: dict[str, Any] = {}
        self.env: Any = None
        self.nav: Any = None
        self.files: Any = None

    @event_priority(-100)
    def on_nav(self, nav: Any, *, config: Any, files: Any) -> None:
        """After the handbook's own."""
        self.nav, self.files = nav, files
        self.titles = {file.src_uri: file.page.__dict__.get("title") for file in files.documentation_pages()}

    @event_priority(-100)
    def on_env(self, env: Any, *, config: Any, files: Any) -> None:
        """After the handbook's own."""
        self.env = env

    def on_pre_page(self, page: Page, *, config: Any, files: Any) -> Page:
        """From here on it is this page that asks."""
        self.traces[page.file.src_uri] = {}
        config["handbook"]._record(self.traces[page.file.src_uri])
        return page

    @event_priority(-100)
    def on_page_content(self, html: str, *, page: Page, config: Any, files: Any) -> str:
        """The last thing that depends on the handbook."""
        config["handbook"]._record(None)
        return html


@dataclass
class Generated:
    """What the handbook's plugin generates: how, of what answers, and its text."""

    make: Callable[[Recorder], Mapping[str, str]]
    trace: Trace = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def made(self, recorder: Recorder) -> Mapping[str, str]:
        """Make it anew, and note what it asks."""
        self.trace = {}
        recorder._record(self.trace)
        self.texts = self.make(recorder)
        recorder._record(None)
        return self.texts


@dataclass(frozen=True)
class Took:
    """Seconds on the clock: to read, to find what changes, until the page itself stands, and all others; then the rest.

    `pages` is the number of pages that were made anew.
    """

    read: float
    find: float
    page: float
    pages_all: float
    generated: float
    rules: float
    pages: int


class Preview:
    """A site that follows its handbook."""

    def __init__(self, root: Path, settings: Path, site: Path) -> None:
        self.root, self.site = root, site
        os.chdir(root)  # listings are found from here
        self.kept = Kept()
        macros.handbook.read_source = self.kept.read  # type: ignore[attr-defined]
        macros.plugin.load = lambda root: Recorder(macros.handbook.load(root))  # type: ignore[attr-defined]
        ahead.possible = lambda: False  # the other process would have the traces
        publishing.index = lambda site: None
        self.config = load_config(str(settings), site_dir=str(site))
        self.capture = Capture()
        self.config.plugins["capture"] = self.capture
        build(self.config)
        if not self.kept.sources:
            raise LookupError("nothing was read by read_source")
        self.recorder: Recorder = self.config["handbook"]
        plugins: Any = self.config.plugins
        self.plugin = plugins["handbook"]
        commit = self.plugin.commit
        self.others = [
            Generated(lambda handbook: api.files(handbook, commit)),
            Generated(keys),
            Generated(lambda handbook: {"feed.xml": feed(handbook)}),
        ]
        self.alerts = {f"alerts/{alert.name}.md": Generated(_alert(alert)) for alert in self.recorder.alerts}
        for each in (*self.others, *self.alerts.values()):
            each.made(self.recorder)

    def follow(self, path: str) -> Took:
        """Show what has changed; `path` is the file that was edited."""
        begin = time.perf_counter()
        handbook = macros.handbook.load(self.root)
        self.recorder._turn_to(handbook)
        read = time.perf_counter()
        dirty = []
        for file in self.capture.files.documentation_pages():
            alert = self.alerts.get(file.src_uri)
            if alert and not self.recorder._holds(alert.trace):
                file.content_string = alert.made(self.recorder)[file.src_uri]
            elif self.recorder._holds(self.capture.traces[file.src_uri]):
                continue
            dirty.append(file)
        dirty.sort(key=lambda file: handbook.source_uri(path) != file.src_uri)  # it is looked at
        find = time.perf_counter()
        first = find
        for place, file in enumerate(dirty):
            self._write(file.page)
            first = first if place else time.perf_counter()
        pages = time.perf_counter()
        for each in self.others:
            if not self.recorder._holds(each.trace):
                for name, text in each.made(self.recorder).items():
                    (self.site / name).write_text(text, encoding="utf-8", newline="")
        generated = time.perf_counter()
        if errors := run(handbook, date.today()).errors:
            raise DifferentError(str(errors))
        rules = time.perf_counter()
        return Took(
            read - begin, find - read, first - begin, pages - begin, generated - pages, rules - generated, len(dirty)
        )

    def _write(self, page: Page) -> None:
        title = page.title
        page.__dict__.pop("title", None)
        if (given := self.capture.titles[page.file.src_uri]) is not None:
            page.title = given
        _populate_page(page, self.config, self.capture.files)
        if self.plugin.differences:
            raise DifferentError(str(self.plugin.differences))
        if page in self.capture.nav.pages and page.title != title:
            raise NotImplementedError("a title of the navigation has changed: everything is built")
        pages = self.capture.files.documentation_pages()
        _build_page(page, self.config, pages, self.capture.nav, self.capture.env)


def _alert(alert: Alert) -> Callable[[Recorder], Mapping[str, str]]:
    name = Name(alert.kind, alert.id, alert.path)
    return lambda handbook: {f"alerts/{alert.name}.md": alert_page(handbook, handbook.by_id[name.kind, name.id])}  # type: ignore[arg-type]


def edit(root: Path, chance: random.Random) -> tuple[str, str]:
    """Change one file in one of the ways in which people do: its path, and what was done."""
    what = chance.choice(("text", "text", "title", "tags", "alert"))
    folders = {"title": "adr/0*.md", "tags": "postmortems/2*.md", "alert": "runbooks/*/*.yml"}
    folder = folders.get(what) or chance.choice(("adr/0*.md", "runbooks/*/*.md", "postmortems/2*.md"))
    change = {
        "text": (r"(\w\.)\n\n(?=[A-Z#])", r"\1 It was looked at again.\n\n"),
        "title": (r"\n# ([^\n]+)\n", r"\n# \1 again\n"),
        "tags": (r"\ntags: \[([\w-]+), [^\n]*\]\n", r"\ntags: [\1]\n"),
        "alert": (r"(summary: [^\n]*\w)", r"\1 now"),
    }[what]
    files = sorted(root.glob(folder))
    for file in chance.sample(files, len(files)):
        old = file.read_text(encoding="utf-8")
        new = re.sub(*change, old, count=1)
        if new != old:
            file.write_text(new, encoding="utf-8")
            return file.relative_to(root).as_posix(), what
    raise LookupError(f"no file of {folder} can be changed so")


def same(root: Path, settings: Path, site: Path, cold: Path) -> float:
    """Build the handbook anew; answers the seconds. Raises DifferentError with the files that have other bytes."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "-f", str(settings), "--site-dir", str(cold)]
    subprocess.run(command, check=True, cwd=root, stderr=subprocess.DEVNULL)  # noqa: S603
    took = time.perf_counter() - begin
    files = [{file.relative_to(each) for file in each.rglob("*") if file.is_file()} for each in (site, cold)]
    different = files[0] ^ files[1]
    different |= {file for file in files[0] & files[1] if (site / file).read_bytes() != (cold / file).read_bytes()}
    if different:
        raise DifferentError(f"another than in a cold build: {', '.join(map(str, sorted(different)))}")
    return took


def main() -> int:
    """Run the command; answers 0, or ends with a DifferentError that names the files."""
    parser = argparse.ArgumentParser(description="Edits shown without building everything: measured, and proved.")
    parser.add_argument("--records", type=int, default=1000, metavar="N")
    parser.add_argument("--edits", type=int, default=12, metavar="N")
    parser.add_argument("--seed", type=int, default=2026, metavar="N")
    parser.add_argument("--prove", action="store_true", help="compare with a cold build after every edit")
    options = parser.parse_args()
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    with tempfile.TemporaryDirectory(prefix="handbook-edits-") as folder:
        root, site, cold = Path(folder) / "handbook", Path(folder) / "site", Path(folder) / "cold"
        script = Path(__file__).parent / "generate.py"
        made = [sys.executable, str(script), str(root), "--records", str(options.records), "--today", str(date.today())]
        subprocess.run(made, check=True)  # noqa: S603
        settings = others.without_search(root)
        preview = Preview(root, settings, site)
        took = same(root, settings, site, cold)
        print(
            f"{options.records} records, cold: {took:.2f} s\n{'edit':<8}{'pages':>6}"
            + "".join(f"{name:>11}" for name in _COLUMNS)
        )
        all_took = []
        chance = random.Random(options.seed)  # noqa: S311 - edits, not secrets
        for number in range(options.edits):
            path, what = edit(root, chance)
            one = preview.follow(path)
            all_took.append(one)
            print(f"{what:<8}{one.pages:>6}" + "".join(f"{getattr(one, name):>11.3f}" for name in _COLUMNS), flush=True)
            if options.prove or number == options.edits - 1:
                same(root, settings, site, cold)
        print(
            f"{'median':<14}" + "".join(f"{median(getattr(one, name) for one in all_took):>11.3f}" for name in _COLUMNS)
        )
    return 0


_COLUMNS = ("read", "find", "page", "pages_all", "generated", "rules")

if __name__ == "__main__":
    sys.exit(main())
