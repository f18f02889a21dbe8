"""Compare our speed with other tools on the same handbooks: `python benchmarks/run.py [--short]`.

A subject is a tool with a task, for example the build with Hugo. All subjects run in turns on
handbooks of the same size, each in its own process. The fastest of several runs counts, because
other programs disturbed it least. The figures are CPU times for the same reason. Some goals also
use the wall time, the time on the clock.

The script writes the figures to RESULTS.md. It fails only if a measured command fails.
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
"""Number of records at which the goals apply, and from which the growth is computed."""


@dataclass(frozen=True)
class Run:
    """Wall time and CPU time of a command in seconds, and its peak memory in MB."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Command:
    """Command with the folder in which it runs."""

    arguments: Sequence[str]
    folder: Path


@dataclass
class Subject:
    """Measured tool with its task.

    `prepare` takes a handbook and an empty folder, and returns the commands to run in order.
    `sizes` holds the sizes at which the tool is measured, `codes` the exit codes of success, and
    `runs` the measured runs by size.
    """

    group: str
    name: str
    prepare: Callable[[Path, Path], list[Command]]
    sizes: tuple[int, ...] = SIZES
    codes: tuple[int, ...] = (0,)
    runs: dict[int, list[Run]] = field(default_factory=dict)
    pages: dict[int, int] = field(default_factory=dict)
    """Numbers of pages of the built site by size. Only link checkers have them."""

    def find_best(self, size: int, *, by_wall: bool = False) -> Run | None:
        """Return the run of a size with the least CPU time, or with the least wall time."""
        return min(
            self.runs.get(size, ()), key=lambda run: run.wall if by_wall else run.cpu, default=None
        )


def run_command(command: Command, log: Path, codes: Sequence[int]) -> Run:
    """Run a command, and return its times and its peak memory.

    The output goes to the file `log`. Raises RuntimeError with the end of the output if the exit
    code is not in `codes`.
    """
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"}
    with log.open("wb") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            command.arguments,
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
        output_end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(
            f"exit code {process.returncode} of {' '.join(command.arguments)[:200]}\n{output_end}"
        )
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def add_runs(runs: Sequence[Run]) -> Run:
    """Combine the runs of several commands: the sum of their times, and the highest memory."""
    return Run(
        sum(run.wall for run in runs), sum(run.cpu for run in runs), max(run.peak for run in runs)
    )


# Functions that prepare a subject. Each takes the handbook and an empty folder.


def _prepare_check(root: Path, folder: Path) -> list[Command]:
    return [Command([str(BIN / "handbook"), "check"], root)]


def _prepare_help(root: Path, folder: Path) -> list[Command]:
    return [Command([str(BIN / "handbook"), "--help"], root)]


def _prepare_jsonschema(root: Path, folder: Path) -> list[Command]:
    commands = []
    for kind, files in others.write_front_matter(root, folder).items():
        arguments = [str(BIN / "handbook"), "schema", kind, "--root", str(root)]
        schema = folder / f"{kind}.schema.json"
        schema.write_bytes(subprocess.run(arguments, capture_output=True, check=True).stdout)  # noqa: S603
        commands.append(
            Command([str(BIN / "check-jsonschema"), "--schemafile", str(schema), *files], folder)
        )
    return commands


def _build_with_mkdocs(root: Path, site: Path, *command: str) -> list[Command]:
    """Return the command that builds a site. `command` replaces the executable of MkDocs."""
    return [
        Command(
            [*(command or [str(BIN / "mkdocs")]), "build", "--quiet", "--site-dir", str(site)], root
        )
    ]


_WITHOUT_SEARCH: Final = """
from handbook.site import finish
from mkdocs.__main__ import cli
finish.write_search_index = lambda *_: None
cli()
"""
"""Program that runs MkDocs without our search index, because our plugin has no such option."""


def _prepare_ours(root: Path, folder: Path) -> list[Command]:
    return _build_with_mkdocs(root, folder, sys.executable, "-c", _WITHOUT_SEARCH)


def _prepare_ours_with_search(root: Path, folder: Path) -> list[Command]:
    return _build_with_mkdocs(root, folder)


def _make_stock(
    *, in_nav: bool = False, search: bool = False
) -> Callable[[Path, Path], list[Command]]:
    def prepare(root: Path, folder: Path) -> list[Command]:
        others.write_stock_site(root, folder, in_nav=in_nav, search=search)
        return _build_with_mkdocs(folder, folder / "site")

    return prepare


def _prepare_hugo(root: Path, folder: Path) -> list[Command]:
    others.write_hugo_site(root, folder)
    return [Command(["hugo", "--quiet"], folder)]


def _site_path(root: Path) -> Path:
    """Return the folder of our site with search, which the link checkers read."""
    return root.parent / "build-ours-with-search"


def _prepare_links(root: Path, folder: Path) -> list[Command]:
    return [Command([str(BIN / "handbook"), "links", str(_site_path(root))], root)]


def _prepare_lychee(root: Path, folder: Path) -> list[Command]:
    site = str(_site_path(root))
    options = [
        "--offline",
        "--include-fragments",
        "--no-progress",
        "--index-files",
        "index.html",
        "--root-dir",
        site,
    ]
    return [Command([str(BIN / "lychee"), *options, site], folder)]


def _prepare_linkchecker(root: Path, folder: Path) -> list[Command]:
    # LinkChecker uses file:// and one thread, because it does not end with http and ten threads.
    options = ["--no-status", "--threads", "0", "--ignore-url", "^https?:"]
    index = f"file://{_site_path(root)}/index.html"
    return [Command([str(BIN / "linkchecker"), *options, index], folder)]


def list_subjects() -> tuple[list[Subject], list[str]]:
    """Return the subjects whose tools are installed, and a message for each missing tool."""
    small = tuple(size for size in SIZES if size <= BASE)
    # Subjects without a goal are not measured at the largest size, because that would take too
    # long. All runs together take less than twenty minutes.
    large = SIZES[:-1]
    all_subjects = [
        Subject("check", "handbook check", _prepare_check),
        Subject("check", "handbook --help", _prepare_help, (SIZES[0],)),
        Subject("check", "check-jsonschema", _prepare_jsonschema),
        Subject("build", "ours", _prepare_ours),
        Subject("build", "stock, out of the nav", _make_stock()),
        Subject("build", "stock, in the nav", _make_stock(in_nav=True), small),
        Subject("build", "Hugo", _prepare_hugo, large),
        Subject("search", "ours with search", _prepare_ours_with_search, large),
        Subject("search", "stock with search", _make_stock(search=True), small),
        Subject("links", "handbook links", _prepare_links, large),
        Subject("links", "lychee", _prepare_lychee, large),
        Subject("links", "LinkChecker", _prepare_linkchecker, (BASE,)),
    ]
    missing = {}
    if not shutil.which("hugo"):
        missing["Hugo"] = "Hugo is missing (Debian: apt-get install hugo)"
    for name in ("check-jsonschema", "lychee", "linkchecker"):
        if not (BIN / name).is_file():
            subject_name = "LinkChecker" if name == "linkchecker" else name
            missing[subject_name] = f"{name} is missing (make bench installs it)"
    available = [subject for subject in all_subjects if subject.name not in missing]
    return available, list(missing.values())


def measure(subjects: Sequence[Subject], size: int, rounds: int, today: date) -> None:
    """Generate a handbook of one size, and measure all subjects on it in turns."""
    with tempfile.TemporaryDirectory(prefix="handbook-bench-") as folder:
        # LinkChecker drops its root rights before it reads files.
        Path(folder).chmod(0o755)
        root = Path(folder) / "handbook"
        # A separate process generates the handbook. If this process did it, its memory would grow
        # and would count as memory of the measured processes, which it starts.
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
        subjects_of_size = [subject for subject in subjects if size in subject.sizes]
        prepared: list[tuple[Subject, Sequence[Command]]] = []
        for subject in subjects_of_size:
            is_site = subject.prepare is _prepare_ours_with_search
            target = _site_path(root) if is_site else Path(folder) / f"subject-{len(prepared)}"
            target.mkdir()
            prepared.append((subject, subject.prepare(root, target)))
        for turn in range(1, rounds + 1):
            for subject, commands in prepared:
                log = Path(folder) / "log"
                run = add_runs([run_command(command, log, subject.codes) for command in commands])
                subject.runs.setdefault(size, []).append(run)
                print(
                    f"{size:>6}  {turn}  {subject.name:<24} {run.cpu:8.2f} s CPU "
                    f"{run.wall:8.2f} s  {run.peak:6.0f} MB",
                    file=sys.stderr,
                )

        for subject in subjects_of_size:
            if subject.group == "links":
                subject.pages[size] = sum(1 for _ in _site_path(root).rglob("*.html"))


# Report.


@dataclass(frozen=True)
class Goal:
    """Goal: a measured figure and its limit, a maximum or with `is_minimum` a minimum."""

    name: str
    unit: str
    limit: float
    figure: float | None
    is_minimum: bool = False

    @property
    def verdict(self) -> str:
        """Verdict on the goal. A miss by at most a quarter of the limit has its own verdict."""
        if self.figure is None:
            return "not measured"
        ratio = self.limit / self.figure if self.is_minimum else self.figure / self.limit
        return "met" if ratio <= 1 else "within a quarter" if ratio <= 1.25 else "missed"

    def format_row(self) -> str:
        """Return the row of the table."""
        figure = "–" if self.figure is None else f"{self.figure:.2f}{self.unit}"
        limit = f"{'≥' if self.is_minimum else '≤'} {self.limit:g}{self.unit}"
        return f"| {self.name} | {limit} | {figure} | {self.verdict} |"


class Figures:
    """Figures computed from the runs of all subjects, such as ratios and growth."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self.subjects = {subject.name: subject for subject in subjects}

    def find_best(self, name: str, size: int) -> Run | None:
        """Return the run of a subject at a size with the least CPU time."""
        return self.subjects[name].find_best(size) if name in self.subjects else None

    def compute_ratio(
        self, name: str, base: str, size: int, *, by_wall: bool = False
    ) -> float | None:
        """Return the time of the subject `name` divided by the time of the subject `base`."""
        if name not in self.subjects or base not in self.subjects:
            return None
        run = self.subjects[name].find_best(size, by_wall=by_wall)
        base_run = self.subjects[base].find_best(size, by_wall=by_wall)
        if not run or not base_run:
            return None
        return run.wall / base_run.wall if by_wall else run.cpu / base_run.cpu

    def compute_time_per_record(self, name: str, size: int) -> float | None:
        """Return the CPU time of a subject in milliseconds per record."""
        run = self.find_best(name, size)
        return 1000 * run.cpu / size if run else None

    def compute_time_per_page(self, size: int) -> float | None:
        """Return the wall time of our link check in ms per page, minus the start-up time."""
        subject = self.subjects.get("handbook links")
        start = self.find_best("handbook --help", SIZES[0])
        run = subject.find_best(size, by_wall=True) if subject else None
        return (
            1000 * (run.wall - start.wall) / subject.pages[size]
            if subject and run and start
            else None
        )

    def compute_growth(self, name: str) -> float | None:
        """Return the time per record at the largest size, divided by the time at the size BASE.

        If the time grows linearly with the number of records, the growth is 1.
        """
        subject = self.subjects.get(name)
        largest = max(subject.runs, default=0) if subject else 0
        large = self.compute_time_per_record(name, largest)
        base = self.compute_time_per_record(name, BASE)
        return large / base if subject and large and base and max(subject.runs) > BASE else None

    def list_goals(self) -> Iterator[Goal]:
        """Yield all goals with their measured figures."""
        large = max(size for subject in self.subjects.values() for size in subject.runs)
        at = min(BASE, large)
        growth = f"growth from {BASE:,} to {SIZES[-1]:,}"
        check = self.find_best("handbook check", large)
        start = self.find_best("handbook --help", SIZES[0])
        ours, stock, stock_in_nav = "ours", "stock, out of the nav", "stock, in the nav"
        for size in sorted({at, large}):
            time_per_record = self.compute_time_per_record("handbook check", size)
            yield Goal(f"check, per record, at {size:,}", " ms", 2, time_per_record)
        yield Goal(f"check, {growth}", "", 1, self.compute_growth("handbook check"))
        yield Goal(f"check, peak memory at {large:,}", " MB", 600, check.peak if check else None)
        yield Goal("start-up", " s", 0.25, start.cpu if start else None)
        for by_wall, unit in ((True, "wall time"), (False, "CPU time")):
            ratio = self.compute_ratio(ours, stock, at, by_wall=by_wall)
            yield Goal(f"build, ours to stock out of the nav, at {at:,}, {unit}", " ×", 1.3, ratio)
            ratio = self.compute_ratio(stock_in_nav, ours, at, by_wall=by_wall)
            name = f"build, stock in the nav to ours, at {at:,}, {unit}"
            yield Goal(name, " ×", 4, ratio, is_minimum=True)
        yield Goal(f"build, {growth}", "", 1, self.compute_growth(ours))
        name = f"links, per page, without start-up, at {at:,}, wall time"
        yield Goal(name, " ms", 0.5, self.compute_time_per_page(at))


_GROUPS: Final = {
    "check": (
        "The check",
        "handbook check",
        "All rules on all records, compared with a check of the front matter only.",
    ),
    "build": (
        "The build",
        "ours",
        "Without a cache, with all rules and views, and without a search index.",
    ),
    "search": (
        "The build with the search index",
        "ours with search",
        "The same build with a search index.",
    ),
    "links": (
        "Links of the built site",
        "lychee",
        "All links of our built site within the site, read from disk.",
    ),
}


def write_tables(figures: Figures) -> Iterator[str]:
    """Yield the lines of a Markdown table for each group of subjects.

    A cell holds the seconds, the milliseconds per record, the ratio and the peak memory.
    """
    for group, (title, base, text) in _GROUPS.items():
        rows = [
            subject
            for subject in figures.subjects.values()
            if subject.group == group and subject.runs
        ]
        sizes = sorted({size for subject in rows for size in subject.runs})
        if not rows:
            continue
        yield f"## {title}\n\n{text} `×` is the ratio to {base}.\n"
        yield "| | " + " | ".join(f"{size:,}" for size in sizes) + " | growth |"
        yield "|---|" + "---|" * (len(sizes) + 1)
        for subject in rows:
            cells = (_format_cell(figures, subject, base, size) for size in sizes)
            growth = figures.compute_growth(subject.name)
            yield (
                f"| {subject.name} | "
                + " | ".join(cells)
                + f" | {f'{growth:.2f}' if growth else '–'} |"
            )
        yield ""


def _format_cell(figures: Figures, subject: Subject, base: str, size: int) -> str:
    run, ratio = subject.find_best(size), figures.compute_ratio(subject.name, base, size)
    if run is None:
        return "–"
    times = "" if ratio is None or subject.name == base else f", {ratio:.2f} ×"
    cpu = f"{run.cpu:.2f} s ({1000 * run.cpu / size:.2f} ms{times})"
    return f"{cpu}, {run.wall:.1f} s, {run.peak:.0f} MB"


def describe_machine() -> str:
    """Return one line about the machine and the versions of the tools."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    tools = ", ".join(
        f"{name} {version(name)}" for name in ("mkdocs", "mkdocs-material", "pyromark")
    )
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB of memory, "
        f"{platform.system()} on {platform.machine()}, "
        f"Python {platform.python_version()}, {tools}, "
        f"load {os.getloadavg()[0]:.1f} before the first run"
    )


def write_report(figures: Figures, missing: Sequence[str], machine: str) -> str:
    """Return the whole report as Markdown."""
    lines = [
        "# Benchmarks",
        "",
        "`make bench` writes this report. A record is a Markdown file of about 6 KB. The alerts",
        "and audits of a handbook are not counted. Our site has a page for each alert.",
        "",
        f"The tools run in turns: three times up to {BASE:,} records, and once above that. The",
        "fastest run counts. A cell holds the CPU time in seconds, in brackets the milliseconds",
        "per record and the ratio to another tool, then the wall time and the peak memory. The",
        "ratios use the CPU time, because other programs on the machine hardly change it. Growth",
        "is the time per record at the largest size, divided by the time per record at",
        f"{BASE:,}. It is 1 if the time grows linearly.",
        "",
        f"Machine: {machine}.",
        *(f"Not measured: {message}." for message in missing),
        "",
        "## Goals",
        "",
        "| measurement | goal | result | |",
        "|---|---|---|---|",
        *(goal.format_row() for goal in figures.list_goals()),
        "",
        *write_tables(figures),
    ]
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns 1 if a measured command fails."""
    parser = argparse.ArgumentParser(description="Compare our speed with other tools.")
    parser.add_argument(
        "--short",
        action="store_true",
        help="measure 100 records with one run each, and write no file, for CI",
    )
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=list(SIZES), metavar="N", help="numbers of records"
    )
    parser.add_argument(
        "--runs",
        type=int,
        metavar="N",
        help="runs of each subject (default: three up to 1,000, one above)",
    )
    parser.add_argument(
        "--output", type=Path, default=RESULTS, metavar="FILE", help="the file for the report"
    )
    options = parser.parse_args(arguments)
    machine = describe_machine()
    subjects, missing = list_subjects()
    # The handbook is generated for the current day, so that no record is overdue and no build
    # prints warnings.
    today = date.today()
    text = ""
    try:
        for size in SIZES[:1] if options.short else options.sizes:
            measure(
                subjects,
                size,
                options.runs or (3 if size <= BASE and not options.short else 1),
                today,
            )
            text = write_report(Figures(subjects), missing, machine)
            if not options.short:
                # The report is written after each size, because the last size takes half of the
                # time.
                options.output.write_text(text, encoding="utf-8")
    except (RuntimeError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
