"""Measure our speed: `python -m benchmarks.run {bench,large,suite} [--short]`.

`bench` compares it with other tools on handbooks of up to 1,000 records, `large` does the same with
up to 10,000, and `suite` measures the tests of this repository. Each writes its figures to a file
in `benchmarks/results`, and then writes RESULTS.md from all these files. All tools with the
same work run in turns, each in its own process. A failed measurement is part of the results, and
the others continue. The exit code is 1 if a measurement of our own tool fails.
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
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from benchmarks import peers, report, subjects
from benchmarks.edits import Preview, measure_edits
from benchmarks.phone import visit_page
from benchmarks.processes import measure_command
from benchmarks.results import FOLDER, Key, Results
from benchmarks.search import QUICK, CompressingHandler, search_with_empty_cache
from benchmarks.subjects import SUBJECTS, Set, Subject
from tests.browser.conftest import chromium
from tests.commands import serve_site
from tests.handbooks import ROOT

RESULTS: Final = ROOT / "benchmarks/RESULTS.md"
QUERIES: Final = ("queue", "kubernetes", "lagging replica")
INDEXES: Final = ("actions/", "adr/", "alerts/", "postmortems/", "runbooks/")
"""Addresses of the indexes that grow with the number of records."""
_WARM: Final = (subjects.KEPT, subjects.ONE_FILE)
"""Works that need the result of an earlier run, which is not measured."""
_ROUNDS: Final = {
    subjects.HELP: 10,
    subjects.CHECK: 5,
    subjects.KEPT: 5,
    subjects.ONE_FILE: 5,
    subjects.BUILD: 3,
    subjects.REBUILD: 3,
    subjects.LINKS: 5,
}


@dataclass(frozen=True)
class Step:
    """Part of a run with its expected seconds. It is ours if it measures no other tool."""

    name: str
    seconds: float
    run: Callable[[], None]
    is_ours: bool = True


class Run:
    """Run of one command: it plans the steps, runs them, and collects the results."""

    def __init__(self, results: Results, folder: Path, *, short: bool) -> None:
        self.results = results
        self.folder = folder
        self.short = short
        self.commands: dict[tuple[Subject, Set], subjects.Command] = {}
        self.failed: set[tuple[Subject, Set]] = set()
        self.has_failed = False
        """True if a measurement of our own tool has failed."""

    # Planning.

    def plan_bench(self) -> Iterator[Step]:
        """Plan the measurements of up to 1,000 records."""
        works = (subjects.CHECK, subjects.KEPT, subjects.ONE_FILE)
        sites = (subjects.BUILD, subjects.REBUILD, subjects.LINKS)
        small, middle, messy = (40, 60, 60) if self.short else (100, 1_000, 1_000)
        handbook = self.make_set(small)
        yield self.plan_generation(handbook)
        yield from self.plan_commands(handbook, (subjects.HELP, *works, subjects.BUILD))
        yield self.plan_removal(handbook)
        handbook, messy_handbook = self.make_set(middle), self.make_set(messy, "messy")
        yield self.plan_generation(handbook)
        yield self.plan_generation(messy_handbook)
        ours = [subject for subject in SUBJECTS if subject.tool == subjects.OURS]
        checks = [subject for subject in ours if subject.work == subjects.CHECK]
        yield from self.plan_commands(messy_handbook, (subjects.CHECK,), checks)
        yield self.plan_removal(messy_handbook)
        yield from self.plan_commands(handbook, (*works, *sites))
        yield self.plan_visits(handbook)
        tools = (subjects.OURS, subjects.ZENSICAL, subjects.HUGO, subjects.STOCK)
        yield from (self.plan_edits(handbook, tool) for tool in tools)
        yield self.plan_removal(handbook)

    def plan_large(self) -> Iterator[Step]:
        """Plan the measurements of up to 10,000 records."""
        works = (subjects.CHECK, subjects.KEPT, subjects.ONE_FILE, subjects.BUILD, subjects.LINKS)
        slow = (subjects.MARKDOWNLINT, subjects.BUILD_COMMAND)
        measured = [subject for subject in SUBJECTS if subject.tool not in slow]
        first, middle, last = (40, 50, 60) if self.short else (1_000, 5_000, 10_000)
        handbook = self.make_set(middle)
        yield self.plan_generation(handbook)
        builds = [s for s in SUBJECTS if (s.work, s.tool) == (subjects.BUILD, subjects.OURS)]
        yield from self.plan_commands(handbook, (subjects.BUILD,), builds, rounds=1)
        yield self.plan_search(handbook)
        yield self.plan_indexes(handbook)
        tools = (subjects.OURS, subjects.ZENSICAL, subjects.HUGO)
        yield from (self.plan_edits(handbook, tool) for tool in tools)
        yield self.plan_removal(handbook)
        for size, rounds in ((first, 3), (last, 1)):
            handbook = self.make_set(size)
            yield self.plan_generation(handbook)
            yield from self.plan_commands(handbook, works, measured, rounds)
            yield self.plan_removal(handbook)

    def plan_suite(self) -> Iterator[Step]:
        """Plan the commands that run the tests."""
        for target, minutes in (("fast", 1), ("test", 15))[: 1 if self.short else None]:
            yield Step(f"make {target}", 60.0 * minutes, partial(self.run_tests, target))

    def make_set(self, records: int, handbook: str = "plain") -> Set:
        """Return a set in a folder of its own."""
        return Set(self.folder / f"{handbook}-{records}", records, handbook)

    def plan_generation(self, handbook: Set) -> Step:
        """Plan the generation of a handbook."""
        name = f"generate {handbook.records} records ({handbook.handbook})"
        return Step(name, 2 + handbook.records / 400, partial(self.generate, handbook))

    def plan_removal(self, handbook: Set) -> Step:
        """Plan the removal of a handbook and its sites."""
        remove = partial(shutil.rmtree, handbook.folder, ignore_errors=True)
        return Step(f"remove {handbook.records} records", 1 + handbook.records / 1000, remove)

    def plan_commands(
        self,
        handbook: Set,
        works: Sequence[str],
        measured: Sequence[Subject] = SUBJECTS,
        rounds: int | None = None,
    ) -> Iterator[Step]:
        """Plan the commands of each work, in turns."""
        for work in works:
            tools = [
                subject
                for subject in measured
                if subject.work == work and peers.find_tool(subject.program)
            ]
            for turn in range(1 if self.short else rounds or _ROUNDS[work]):
                for subject in tools if turn % 2 == 0 else reversed(tools):
                    name = f"{work}, {subject.tool}, {handbook.records} {handbook.handbook}"
                    seconds = subject.expect_seconds(handbook.records)
                    seconds *= 2 if turn == 0 and work in _WARM else 1
                    run = partial(self.measure, subject, handbook)
                    yield Step(name, seconds, run, subject.tool in subjects.OUR_TOOLS)

    def plan_visits(self, handbook: Set) -> Step:
        """Plan the first visits of a runbook on a phone."""
        visits = 1 if self.short else 3
        return Step("first visits", 40.0 * visits, partial(self.visit, handbook, visits))

    def plan_indexes(self, handbook: Set) -> Step:
        """Plan the visits of the large indexes on a phone."""
        visits = 1 if self.short else 3
        pages = INDEXES[:1] if self.short else INDEXES
        seconds = 10.0 * visits * len(pages)
        return Step("indexes", seconds, partial(self.visit_indexes, handbook, pages, visits))

    def plan_search(self, handbook: Set) -> Step:
        """Plan the queries."""
        return Step("search", 25.0, partial(self.search, handbook))

    def plan_edits(self, handbook: Set, tool: str) -> Step:
        """Plan the edits in the preview of a tool."""
        number = 1 if self.short else 5
        records = handbook.records / 1000
        each = {subjects.OURS: 2 + 8 * records, subjects.STOCK: 3 + 2 * records}.get(tool, 3.0)
        seconds = 8 + 14 * records + (number + 1) * each
        name = f"edits, {tool}, {handbook.records}"
        run = partial(self.edit, handbook, tool, number)
        return Step(name, seconds, run, tool in subjects.OUR_TOOLS)

    # Running.

    def run(self, steps: Sequence[Step]) -> None:
        """Run all steps. A failed step is added to the results, and the next one runs."""
        begin = time.monotonic()
        whole, ended = sum(step.seconds for step in steps), 0.0
        for number, step in enumerate(steps, 1):
            elapsed = time.monotonic() - begin
            rate = elapsed / ended if elapsed > 60 else 1.0
            left = rate * (whole - ended) / 60
            line = f"[{number}/{len(steps)}] {elapsed / 60:5.1f} min, {left:5.1f} left: {step.name}"
            print(line, file=sys.stderr, flush=True)
            try:
                step.run()
            except Exception as error:
                message = " ".join(str(error).split())[:400] or type(error).__name__
                self.results.failures.append(f"{step.name}: {message}")
                self.has_failed |= step.is_ours
                print(f"    failed: {message}", file=sys.stderr, flush=True)
            ended += step.seconds
        self.results.minutes = round((time.monotonic() - begin) / 60, 1)

    def generate(self, handbook: Set) -> None:
        """Generate a handbook for the current day, so that no record is overdue."""
        options = ["--records", f"{handbook.records}", "--today", f"{date.today()}"]
        messy = ["--messy"] if handbook.handbook == "messy" else []
        script = [sys.executable, "-m", "benchmarks.generate", str(handbook.root)]
        subprocess.run([*script, *options, *messy], check=True)  # noqa: S603 - our own script

    def measure(self, subject: Subject, handbook: Set) -> None:
        """Run a command once, and keep its figures. After a failure it is not run again."""
        measured = (subject, handbook)
        tool = peers.find_tool(subject.program)
        if measured in self.failed or tool is None:
            return
        try:
            is_first = measured not in self.commands
            if is_first:
                self.commands[measured] = subject.make(handbook, tool)
            command = self.commands[measured]
            run = partial(
                measure_command,
                command.arguments,
                command.folder,
                codes=command.codes,
                patience=max(120.0, 8 * subject.expect_seconds(handbook.records)),
                environment=command.environment,
            )
            if is_first and subject.work in _WARM:
                command.prepare()
                run()
            command.prepare()
            usage = run()
        except BaseException:
            self.failed.add(measured)
            raise
        key = partial(Key, subject.work, subject.tool, handbook.records)
        for quantity, value in (
            ("CPU", usage.cpu),
            ("clock", usage.wall),
            ("memory", usage.memory),
        ):
            self.results.add(key(quantity, handbook.handbook), value)

    def run_tests(self, target: str) -> None:
        """Run the tests with a target of the Makefile, and keep the time."""
        begin = time.monotonic()
        command = ["make", target]
        subprocess.run(command, cwd=ROOT, check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - fixed
        key = Key(report.SUITE, f"make {target}", 0, "clock")
        self.results.add(key, time.monotonic() - begin)

    def visit(self, handbook: Set, visits: int) -> None:
        """Visit a runbook on each site with an empty cache, in turns."""
        runbook = sorted((handbook.root / "runbooks").glob("*/*.md"))[0]
        path = runbook.relative_to(handbook.root).with_suffix("").as_posix()
        tools = (subjects.OURS, subjects.STOCK, subjects.ZENSICAL)
        sites = {tool: subjects.find_site(handbook, tool) for tool in tools}
        with chromium() as browser, ExitStack() as servers:
            addresses = {
                tool: servers.enter_context(serve_site(site, CompressingHandler))
                for tool, site in sites.items()
                if (site / path / "index.html").is_file()
            }
            for _ in range(visits):
                for tool, address in addresses.items():
                    key = partial(Key, report.VISIT, tool, handbook.records)
                    self.add_visit(browser, key, f"{address}{path}/")
                if subjects.OURS in addresses:
                    key = partial(Key, report.VISIT, report.WITH_COPY, handbook.records)
                    url = f"{addresses[subjects.OURS]}{path}/"
                    self.add_visit(browser, key, url, keeps_copy=True)

    def visit_indexes(self, handbook: Set, pages: Sequence[str], visits: int) -> None:
        """Visit the large indexes of our site on a phone."""
        site = subjects.find_site(handbook, subjects.OURS)
        with chromium() as browser, serve_site(site, CompressingHandler) as address:
            for page in pages:
                key = partial(Key, report.INDEX, page, handbook.records)
                for _ in range(visits):
                    self.add_visit(browser, key, address + page)

    def add_visit(
        self, browser: Browser, key: Callable[[str], Key], url: str, *, keeps_copy: bool = False
    ) -> None:
        """Visit a page, and keep its figures."""
        visit = visit_page(browser, url, keeps_copy=keeps_copy)
        self.results.add(key("clock"), visit.seconds)
        self.results.add(key("transferred"), visit.size)

    def search(self, handbook: Set) -> None:
        """Search our site, each time with an empty cache."""
        site = subjects.find_site(handbook, subjects.OURS)
        with chromium() as browser, serve_site(site, CompressingHandler) as address:
            search_with_empty_cache(browser, address, QUERIES[0], QUICK)  # the first one is slow
            for query in QUERIES:
                key = partial(Key, report.SEARCH, query, handbook.records)
                for _ in range(1 if self.short else 3):
                    measured = search_with_empty_cache(browser, address, query, QUICK)
                    self.results.add(key("clock"), measured.duration / 1000)
                    self.results.add(key("transferred"), measured.size)

    def edit(self, handbook: Set, tool: str, number: int) -> None:
        """Edit a record in the preview of a tool."""
        program = {subjects.OURS: "handbook", subjects.STOCK: "mkdocs"}.get(tool, tool.lower())
        command = peers.find_tool(program)
        if command is None:
            return
        is_ours = tool == subjects.OURS
        folder = handbook.root if is_ours else subjects.write_sources(handbook, tool)
        name = handbook.edited_file.name
        parts = {subjects.OURS: "adr", subjects.HUGO: "content/adr"}.get(tool, "docs/adr")
        options: dict[str, Callable[[int], list[str]]] = {
            subjects.OURS: lambda port: ["--address", f"127.0.0.1:{port}"],
            subjects.HUGO: lambda port: ["--bind", "127.0.0.1", "--port", str(port)],
            subjects.ZENSICAL: lambda port: ["--dev-addr", f"127.0.0.1:{port}"],
            subjects.STOCK: lambda port: ["--dirty", "--dev-addr", f"127.0.0.1:{port}"],
        }
        verb = "server" if tool == subjects.HUGO else "serve"
        preview = Preview(
            lambda port: [*command, verb, *options[tool](port)],
            folder,
            folder / parts / name,
            f"/adr/{name.removesuffix('.md')}/",
            {"XDG_CACHE_HOME": str(handbook.make_folder("cache"))},
            is_ours,
        )
        patience = 120.0 + 0.06 * handbook.records
        with chromium() as browser:
            edits = measure_edits(browser, preview, number, patience)
        for edit in edits:
            for work, seconds in (
                (report.EDIT_PAGE, edit.page),
                (report.EDIT_ALL, edit.everything),
            ):
                if seconds is not None:
                    self.results.add(Key(work, tool, handbook.records, "clock"), seconds)


def describe_machine() -> str:
    """Return one line about the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, "
        f"{platform.system()} on {platform.machine()}, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f} before the first run"
    )


def _read_commit() -> str:
    command = ["git", "rev-parse", "--short=10", "HEAD"]
    answer = subprocess.run(  # noqa: S603 - fixed arguments
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or "unknown"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns 1 if a measurement of our own tool fails."""
    parser = argparse.ArgumentParser(description="Measure our speed.")
    parser.add_argument("command", choices=report.COMMANDS)
    parser.add_argument(
        "--short",
        action="store_true",
        help="for CI: measure small handbooks once, or only the fast tests; print the report, and "
        "write no file",
    )
    options = parser.parse_args(arguments)
    results = Results(
        options.command,
        f"{date.today()}",
        _read_commit(),
        describe_machine(),
    )
    if options.command != "suite":
        results.versions, results.missing = peers.read_versions(), peers.list_missing_tools()
    with tempfile.TemporaryDirectory(prefix="handbook-bench-") as folder:
        run = Run(results, Path(folder), short=options.short)
        plans = {"bench": run.plan_bench, "large": run.plan_large, "suite": run.plan_suite}
        run.run(list(plans[options.command]()))
    if options.short:
        print(report.write_markdown([results]))
    else:
        results.write(FOLDER / f"{options.command}.json")
        RESULTS.write_text(report.write_markdown(report.read_all()), encoding="utf-8")
    for failure in results.failures:
        print(f"failed: {failure}", file=sys.stderr)
    return int(run.has_failed)


if __name__ == "__main__":
    sys.exit(main())
