"""Measure what we build beside what others build, on the same handbooks: `python benchmarks/run.py [--short]`.

Everything that is compared at a size runs in turns, each in a process of its own; of several runs the quickest
counts, which is the one that the machine disturbed least. For the same reason what is compared is processor time; the
marks of the build are given by the clock, too. The figures are reported in RESULTS.md and never asserted:
speed fails no run of this, only a command that does not do its work.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks import others

BIN: Final = Path(sys.executable).parent
RESULTS: Final = Path(__file__).parent / "RESULTS.md"
SIZES: Final = (100, 300, 1_000, 5_000, 10_000)
BASE: Final = 1_000
"""The size at which the marks stand, and from which growth is counted."""


@dataclass(frozen=True)
class Run:
    """What a command took: seconds on the clock, seconds of processor time, peak memory in MB."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Command:
    """A command, and the folder in which it runs."""

    words: Sequence[str]
    folder: Path


@dataclass
class Subject:
    """Something that is measured. `prepare` lays out what it works on, and answers the commands to run one by one."""

    group: str
    name: str
    prepare: Callable[[Path, Path], list[Command]]
    sizes: tuple[int, ...] = SIZES
    codes: tuple[int, ...] = (0,)
    runs: dict[int, list[Run]] = field(default_factory=dict)
    pages: dict[int, int] = field(default_factory=dict)
    """For what reads a built site: the number of pages that it has at a size."""

    def best(self, size: int, *, clock: bool = False) -> Run | None:
        """The quickest run at a size, by the processor or by the clock."""
        return min(
            self.runs.get(size, ()), key=lambda run: run.wall if clock else run.cpu, default=None
        )


def measured(command: Command, log: Path, codes: Sequence[int]) -> Run:
    """Run a command. Raises RuntimeError with the end of what it printed where its exit code is not among `codes`."""
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"}
    with log.open("wb") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            command.words,
            cwd=command.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(
            f"{' '.join(command.words)[:200]} ended with {process.returncode}\n{end}"
        )
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def together(runs: Sequence[Run]) -> Run:
    """Commands that run one after the other as one."""
    return Run(
        sum(run.wall for run in runs), sum(run.cpu for run in runs), max(run.peak for run in runs)
    )


# What is measured. Each is given the handbook and a folder of its own.


def _gate(root: Path, own: Path) -> list[Command]:
    return [Command([str(BIN / "handbook"), "check"], root)]


def _start(root: Path, own: Path) -> list[Command]:
    return [Command([str(BIN / "handbook"), "--help"], root)]


def _jsonschema(root: Path, own: Path) -> list[Command]:
    commands = []
    for kind, files in others.front_matter(root, own).items():
        asked = [str(BIN / "handbook"), "schema", kind, "--root", str(root)]
        schema = own / f"{kind}.schema.json"
        schema.write_bytes(subprocess.run(asked, capture_output=True, check=True).stdout)  # noqa: S603
        commands.append(
            Command([str(BIN / "check-jsonschema"), "--schemafile", str(schema), *files], own)
        )
    return commands


def _mkdocs(root: Path, site: Path, *command: str) -> list[Command]:
    """MkDocs, or a command that takes its place, on a handbook."""
    return [
        Command(
            [*(command or [str(BIN / "mkdocs")]), "build", "--quiet", "--site-dir", str(site)], root
        )
    ]


_WITHOUT_SEARCH: Final = """
from handbook.site import finish
from mkdocs.__main__ import cli
finish.index = lambda site: None
cli()
"""
"""MkDocs without our index of the search, for which the plugin has no option: nobody but us would want it."""


def _ours(root: Path, own: Path) -> list[Command]:
    return _mkdocs(root, own, sys.executable, "-c", _WITHOUT_SEARCH)


def _ours_with_search(root: Path, own: Path) -> list[Command]:
    return _mkdocs(root, own)


def _stock(*, in_nav: bool = False, search: bool = False) -> Callable[[Path, Path], list[Command]]:
    def prepare(root: Path, own: Path) -> list[Command]:
        others.stock(root, own, in_nav=in_nav, search=search)
        return _mkdocs(own, own / "site")

    return prepare


def _hugo(root: Path, own: Path) -> list[Command]:
    others.hugo(root, own)
    return [Command(["hugo", "--quiet"], own)]


def _site(root: Path) -> Path:
    """Where the site with search stands; its subject comes before those that check it."""
    return root.parent / "build-ours-with-search"


def _links(root: Path, own: Path) -> list[Command]:
    return [Command([str(BIN / "handbook"), "links", str(_site(root))], root)]


def _lychee(root: Path, own: Path) -> list[Command]:
    site = str(_site(root))
    options = [
        "--offline",
        "--include-fragments",
        "--no-progress",
        "--index-files",
        "index.html",
        "--root-dir",
        site,
    ]
    return [Command([str(BIN / "lychee"), *options, site], own)]


def _linkchecker(root: Path, own: Path) -> list[Command]:
    # Over file:// and with one thread: over http with ten it does not come to an end.
    options = ["--no-status", "--threads", "0", "--ignore-url", "^https?:"]
    return [Command([str(BIN / "linkchecker"), *options, f"file://{_site(root)}/index.html"], own)]


def subjects() -> tuple[list[Subject], list[str]]:
    """What can be measured here, in the order of turns, and a line for each that cannot."""
    small = tuple(size for size in SIZES if size <= BASE)
    large = SIZES[
        :-1
    ]  # what no mark asks for at the largest size, so that the whole takes less than twenty minutes
    wanted = [
        Subject("gate", "handbook check", _gate),
        Subject("gate", "handbook --help", _start, (SIZES[0],)),
        Subject("gate", "check-jsonschema", _jsonschema),
        Subject("build", "ours", _ours),
        Subject("build", "stock, out of the nav", _stock()),
        Subject("build", "stock, in the nav", _stock(in_nav=True), small),
        Subject("build", "Hugo", _hugo, large),
        Subject("search", "ours with search", _ours_with_search, large),
        Subject("search", "stock with search", _stock(search=True), small),
        Subject("links", "handbook links", _links, large),
        Subject("links", "lychee", _lychee, large),
        Subject("links", "LinkChecker", _linkchecker, (BASE,)),
    ]
    absent = {}
    if not shutil.which("hugo"):
        absent["Hugo"] = "Hugo is not on this machine (Debian: apt-get install hugo)"
    for name in ("check-jsonschema", "lychee", "linkchecker"):
        if not (BIN / name).is_file():
            absent["LinkChecker" if name == "linkchecker" else name] = (
                f"{name} is not installed (make bench does)"
            )
    return [subject for subject in wanted if subject.name not in absent], list(absent.values())


def measure(wanted: Sequence[Subject], size: int, rounds: int, today: date) -> None:
    """Measure all subjects at one size, in turns, on one handbook."""
    with tempfile.TemporaryDirectory(prefix="handbook-bench-") as folder:
        Path(folder).chmod(0o755)  # LinkChecker reads as nobody where it is started by root
        root = Path(folder) / "handbook"
        # In a process of its own: what this one holds would count as memory of those that it starts.
        script = Path(__file__).parent / "generate.py"
        command = [
            sys.executable,
            str(script),
            str(root),
            "--records",
            str(size),
            "--today",
            str(today),
        ]
        subprocess.run(command, check=True)  # noqa: S603
        here = [subject for subject in wanted if size in subject.sizes]
        prepared: list[tuple[Subject, Sequence[Command]]] = []
        for subject in here:
            own = (
                _site(root)
                if subject.prepare is _ours_with_search
                else Path(folder) / f"own-{len(prepared)}"
            )
            own.mkdir()
            prepared.append((subject, subject.prepare(root, own)))
        for turn in range(1, rounds + 1):
            for subject, commands in prepared:
                run = together(
                    [measured(each, Path(folder) / "log", subject.codes) for each in commands]
                )
                subject.runs.setdefault(size, []).append(run)
                print(
                    f"{size:>6}  {turn}  {subject.name:<24} {run.cpu:8.2f} s of {run.wall:8.2f} s  {run.peak:6.0f} MB",
                    file=sys.stderr,
                )

        for subject in here:
            if subject.group == "links":
                subject.pages[size] = sum(1 for _ in _site(root).rglob("*.html"))


# What is reported.


@dataclass(frozen=True)
class Mark:
    """A figure beside its mark. `least` where more is better."""

    name: str
    unit: str
    limit: float
    figure: float | None
    least: bool = False

    @property
    def verdict(self) -> str:
        """Whether it is met."""
        if self.figure is None:
            return "not measured"
        over = self.limit / self.figure if self.least else self.figure / self.limit
        return "met" if over <= 1 else "within a quarter" if over <= 1.25 else "missed"

    def row(self) -> str:
        """Its row of the table."""
        figure = "–" if self.figure is None else f"{self.figure:.2f}{self.unit}"
        return f"| {self.name} | {'≥' if self.least else '≤'} {self.limit:g}{self.unit} | {figure} | {self.verdict} |"


class Figures:
    """Ratios and growth of what was measured."""

    def __init__(self, measured: Sequence[Subject]) -> None:
        self.subjects = {subject.name: subject for subject in measured}

    def best(self, name: str, size: int) -> Run | None:
        """The quickest run of a subject at a size."""
        return self.subjects[name].best(size) if name in self.subjects else None

    def ratio(self, name: str, other: str, size: int, *, clock: bool = False) -> float | None:
        """How many times as long as another a subject takes."""
        if name not in self.subjects or other not in self.subjects:
            return None
        one, two = (self.subjects[each].best(size, clock=clock) for each in (name, other))
        if not one or not two:
            return None
        return one.wall / two.wall if clock else one.cpu / two.cpu

    def each(self, name: str, size: int) -> float | None:
        """Milliseconds a record."""
        run = self.best(name, size)
        return 1000 * run.cpu / size if run else None

    def links(self, size: int) -> float | None:
        """Milliseconds by the clock that our check of links takes for a page of the site, its start apart."""
        subject, start = self.subjects.get("handbook links"), self.best("handbook --help", SIZES[0])
        run = subject.best(size, clock=True) if subject else None
        return (
            1000 * (run.wall - start.wall) / subject.pages[size]
            if subject and run and start
            else None
        )

    def growth(self, name: str) -> float | None:
        """Time a record at the largest size, against that at the base: 1 is linear."""
        subject = self.subjects.get(name)
        large, base = (
            self.each(name, max(subject.runs, default=0)) if subject else None,
            self.each(name, BASE),
        )
        return large / base if subject and large and base and max(subject.runs) > BASE else None

    def marks(self) -> Iterator[Mark]:
        """The marks, each with what was measured."""
        large = max(size for subject in self.subjects.values() for size in subject.runs)
        at = BASE if large >= BASE else large
        gate, start = self.best("handbook check", large), self.best("handbook --help", SIZES[0])
        ours, stock, listed = "ours", "stock, out of the nav", "stock, in the nav"
        for size in sorted({at, large}):
            yield Mark(f"gate, a record, at {size:,}", " ms", 2, self.each("handbook check", size))
        yield Mark(
            f"gate, growth from {BASE:,} to {SIZES[-1]:,}", "", 1, self.growth("handbook check")
        )
        yield Mark(f"gate, peak memory at {large:,}", " MB", 600, gate.peak if gate else None)
        yield Mark("start-up", " s", 0.25, start.cpu if start else None)
        for clock, by in ((True, "by the clock"), (False, "processor time")):
            out, nav = (
                self.ratio(ours, stock, at, clock=clock),
                self.ratio(listed, ours, at, clock=clock),
            )
            yield Mark(f"build, ours to stock out of the nav, at {at:,}, {by}", " ×", 1.3, out)
            yield Mark(
                f"build, stock in the nav to ours, at {at:,}, {by}", " ×", 4, nav, least=True
            )
        yield Mark(f"build, growth from {BASE:,} to {SIZES[-1]:,}", "", 1, self.growth(ours))
        yield Mark(
            f"links, a page, start-up apart, at {at:,}, by the clock", " ms", 0.5, self.links(at)
        )


_GROUPS: Final = {
    "gate": (
        "The gate",
        "handbook check",
        "Every rule over every record, beside a check of the front matter alone.",
    ),
    "build": (
        "The build",
        "ours",
        "Cold, with all rules and views; no search index on either side.",
    ),
    "search": (
        "The build with the search index",
        "ours with search",
        "The same with the plugin search on both sides.",
    ),
    "links": (
        "Links of the built site",
        "lychee",
        "Our site with search, from disk; other hosts are not asked.",
    ),
}


def tables(figures: Figures) -> Iterator[str]:
    """What was measured, as Markdown: a table a group, each cell seconds, ms a record, ratio and memory."""
    for group, (title, base, text) in _GROUPS.items():
        rows = [
            subject
            for subject in figures.subjects.values()
            if subject.group == group and subject.runs
        ]
        sizes = sorted({size for subject in rows for size in subject.runs})
        if not rows:
            continue
        yield f"## {title}\n\n{text} `×` is against {base}.\n"
        yield "| | " + " | ".join(f"{size:,}" for size in sizes) + " | growth |"
        yield "|---|" + "---|" * (len(sizes) + 1)
        for subject in rows:
            cells = (_cell(figures, subject, base, size) for size in sizes)
            growth = figures.growth(subject.name)
            yield (
                f"| {subject.name} | "
                + " | ".join(cells)
                + f" | {f'{growth:.2f}' if growth else '–'} |"
            )
        yield ""


def _cell(figures: Figures, subject: Subject, base: str, size: int) -> str:
    run, ratio = subject.best(size), figures.ratio(subject.name, base, size)
    if run is None:
        return "–"
    times = "" if ratio is None or subject.name == base else f", {ratio:.2f} ×"
    return f"{run.cpu:.2f} s ({1000 * run.cpu / size:.2f} ms{times}), {run.wall:.1f} s, {run.peak:.0f} MB"


def machine() -> str:
    """The machine in general terms."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    tools = ", ".join(
        f"{name} {version(name)}" for name in ("mkdocs", "mkdocs-material", "pyromark")
    )
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {platform.system()} on {platform.machine()}, "
        f"Python {platform.python_version()}, {tools}; the load before the first run was {os.getloadavg()[0]:.1f}"
    )


def report(figures: Figures, absent: Sequence[str], described: str) -> str:
    """The whole report, as Markdown."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. A record is a Markdown file of about 6 KB; alerts and audits come on top, and our",
        "site has a page for each alert. Three runs up to 1,000 records, one beyond; all in turns, and the quickest",
        "counts. A cell says seconds of processor time (milliseconds a record, times the base), which others on the",
        "machine disturb little; then seconds on the clock, and peak memory. The marks of the build are given by the",
        "clock and in processor time.",
        f"Growth is the time a record at the largest size against that at {BASE:,}: 1 is linear.",
        "",
        f"Machine: {described}.",
        *(f"Not measured: {line}." for line in absent),
        "",
        "## Marks",
        "",
        "| what | mark | measured | |",
        "|---|---|---|---|",
        *(mark.row() for mark in figures.marks()),
        "",
        *tables(figures),
    ]
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; answers 1 where something that is measured did not do its work."""
    parser = argparse.ArgumentParser(description="Measure what we build beside what others build.")
    parser.add_argument(
        "--short", action="store_true", help="100 records, one run each, nothing written: for CI"
    )
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=list(SIZES), metavar="N", help="numbers of records"
    )
    parser.add_argument(
        "--runs",
        type=int,
        metavar="N",
        help="runs of each (default: three up to 1,000, one beyond)",
    )
    parser.add_argument(
        "--output", type=Path, default=RESULTS, metavar="FILE", help="where the report goes"
    )
    options = parser.parse_args(arguments)
    described = machine()
    wanted, absent = subjects()
    today = (
        date.today()
    )  # so that no date of the texts is overdue, and every build prints as little as any other
    text = ""
    try:
        for size in SIZES[:1] if options.short else options.sizes:
            measure(
                wanted,
                size,
                options.runs or (3 if size <= BASE and not options.short else 1),
                today,
            )
            text = report(Figures(wanted), absent, described)
            if not options.short:
                options.output.write_text(
                    text, encoding="utf-8"
                )  # at each size: the last takes half of the time
    except (RuntimeError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
