"""Report of the benchmarks: targets and tables, as Markdown and as HTML.

This module needs no package outside the standard library, because a page of the site calls it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from statistics import median
from typing import Final

from benchmarks.results import FOLDER, Key, Results, read_results

COMMANDS: Final = {"bench": "make bench", "large": "make bench-large", "suite": "make bench-suite"}
"""The names of the runs, each with its command."""
TITLES: Final = {
    "bench": "Up to 1,000 records",
    "large": "Up to 10,000 records",
    "suite": "The tests of this repository",
}
VISIT: Final = "first visit"
INDEX: Final = "index"
SEARCH: Final = "search"
WITH_COPY: Final = "handbook with its copy for on call"
EDIT_PAGE: Final = "edit, page"
EDIT_ALL: Final = "edit, everything"
SUITE: Final = "suite"
_OURS: Final = "handbook"
_STOCK: Final = "MkDocs + Material"
_LINEAR: Final = 1.1
"""The largest growth of the cost of a record that counts as linear. Times vary by some percent."""
_CAPTIONS: Final = {
    ("check", "CPU"): "Check of all records without kept results, in CPU seconds",
    ("check", "memory"): "Check of all records: peak memory of all processes, in MB",
    ("check, nothing changed", "clock"): "Check again, nothing changed, in seconds",
    ("check, one file changed", "clock"): "Check again, one file changed, in seconds",
    ("help", "CPU"): "handbook --help, in CPU seconds",
    ("build", "CPU"): "Cold build of the site with search, in CPU seconds",
    ("build", "clock"): "Cold build of the site with search, in seconds",
    ("build", "memory"): "Cold build of the site: peak memory of all processes, in MB",
    ("build again", "clock"): "Build again, nothing changed, in seconds",
    ("links", "clock"): "All links of the built site, in seconds",
    (EDIT_PAGE, "clock"): "From a save to the reloaded page in the preview, in seconds",
    (EDIT_ALL, "clock"): "From a save to everything that it changes, the search too, in seconds",
    (VISIT, "transferred"): "First visit of a runbook: transferred kB",
    (VISIT, "clock"): "First visit of a runbook on a slow phone: seconds until interactive",
    (SEARCH, "transferred"): "First query on a site: transferred kB since the search was opened",
    (SEARCH, "clock"): "First query on a site: seconds from the last key to all results",
    (INDEX, "clock"): "Indexes on a slow phone: seconds until interactive",
    (INDEX, "transferred"): "Indexes on a slow phone: transferred kB",
}
"""The tables in their order, each with its caption, by work and quantity."""
_INTRODUCTION: Final = (
    "A record is a Markdown file of about 6 KB: a decision, a runbook, a post-mortem, a service or "
    "a standard. In the messy handbook, the runbooks have real shell code, the decisions are twice "
    "as long, and both have more tables.",
    "All tools with the same work run in turns, each as a whole process. A cell shows the median, "
    "and in brackets the minimum and the maximum. The column after the sizes is the cost of one "
    "more record. The last column is our value divided by the value of the other tool in the same "
    "turn: below 1, ours is quicker or smaller.",
    "The memory is the sum of all processes (PSS), sampled while they run. *handbook* in the "
    "tables of builds is MkDocs with our plugin, which also runs the check. *handbook build* "
    "checks the links of the finished site, too. The Markdown linters run with all their rules "
    "except the line length. check-jsonschema sees only the front matter. Hugo has small templates "
    "of our own and no search. The preview of MkDocs runs with `--dirty`, which leaves other pages "
    "old.",
    "The slow phone is Chromium with a quarter of the CPU's speed, 1.6 Mbit/s, a latency of 150 "
    "ms, and an empty cache. After the first page is idle, our site saves a copy of the pages for "
    "on call. A row of its own shows a visit with what the browser loads until then and within "
    "four seconds after the last long task.",
    "The tests run in a clone in which they have run before, with all packages installed.",
)


@dataclass(frozen=True)
class Target:
    """Target with its limit and the measured value, or None if it was not measured."""

    name: str
    unit: str
    limit: float
    value: float | None

    @property
    def verdict(self) -> str:
        """Return whether the target is met or missed."""
        if self.value is None:
            return "not measured"
        return "met" if self.value <= self.limit else "missed"


@dataclass(frozen=True)
class Table:
    """Table with its caption. The first cell of each row is its header."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def read_all() -> list[Results]:
    """Return the results of all commands that were run."""
    files = (FOLDER / f"{command}.json" for command in COMMANDS)
    return [read_results(file) for file in files if file.is_file()]


# Targets.


def _divide(value: float | None, base: float | None) -> float | None:
    return value / base if value is not None and base else None


def _find_ratio(results: Results, key: Key, base: Key) -> float | None:
    """Return the median of the ratios of two series, turn by turn."""
    pairs = zip(results.values.get(key, ()), results.values.get(base, ()), strict=False)
    ratios = [value / base_value for value, base_value in pairs if base_value]
    return median(ratios) if ratios else None


def _find_marginal(results: Results, key: Key, records: int) -> float | None:
    """Return the cost of one more record between the size of a key and a larger size."""
    small = results.find_median(key)
    large = results.find_median(Key(key.work, key.tool, records, key.quantity, key.handbook))
    return None if small is None or large is None else (large - small) / (records - key.records)


def list_targets(bench: Results, large: Results, suite: Results) -> list[Target]:
    """Return all targets, the missed ones first."""

    def find(results: Results, work: str, records: int, quantity: str = "clock") -> float | None:
        return results.find_median(Key(work, _OURS, records, quantity))

    def find_growth(work: str) -> float | None:
        key = Key(work, _OURS, 1_000, "CPU")
        small = _find_marginal(bench, Key(work, _OURS, 100, "CPU"), 1_000)
        return _divide(_find_marginal(large, key, 10_000), small)

    def find_memory(work: str) -> float | None:
        marginal = _find_marginal(large, Key(work, _OURS, 1_000, "memory"), 10_000)
        return None if marginal is None else 1000 * marginal

    def find_largest(work: str, quantity: str) -> float | None:
        medians = (
            large.find_median(key)
            for key in large.values
            if (key.work, key.quantity) == (work, quantity)
        )
        return max((value for value in medians if value is not None), default=None)

    def per_record(results: Results, records: int) -> float | None:
        value = find(results, "check", records, "CPU")
        return None if value is None else 1000 * value / records

    def find_seconds(command: str) -> float | None:
        return suite.find_median(Key(SUITE, command, 0, "clock"))

    plain = Key("check", _OURS, 1_000, "CPU")
    messy = Key("check", _OURS, 1_000, "CPU", "messy")
    build, stock = Key("build", _OURS, 1_000, "CPU"), Key("build", _STOCK, 1_000, "CPU")
    nothing, one_file = "check, nothing changed", "check, one file changed"
    targets = [
        Target("Edit, to the reloaded page, at 1,000", "s", 1, find(bench, EDIT_PAGE, 1_000)),
        Target("Edit, to the reloaded page, at 5,000", "s", 2, find(large, EDIT_PAGE, 5_000)),
        Target("Edit, to everything else, at 1,000", "s", 4, find(bench, EDIT_ALL, 1_000)),
        Target("Edit, to everything else, at 5,000", "s", 4, find(large, EDIT_ALL, 5_000)),
        Target("Check, nothing changed, at 1,000", "s", 0.35, find(bench, nothing, 1_000)),
        Target("Check, nothing changed, at 10,000", "s", 1.5, find(large, nothing, 10_000)),
        Target("Check, one file changed, at 1,000", "s", 0.8, find(bench, one_file, 1_000)),
        Target("Check, one file changed, at 10,000", "s", 6, find(large, one_file, 10_000)),
        Target(
            "Check, messy to plain, at 1,000",
            "×",
            2,
            _divide(bench.find_median(messy), bench.find_median(plain)),
        ),
        Target("Check, CPU time for a record, at 1,000", "ms", 1.5, per_record(bench, 1_000)),
        Target("Check, CPU time for a record, at 10,000", "ms", 1.5, per_record(large, 10_000)),
        Target("Check, growth of the cost of a record", "×", _LINEAR, find_growth("check")),
        Target("Check, memory for one more record", "kB", 70, find_memory("check")),
        Target(
            "Build, CPU time, to MkDocs + Material, at 1,000",
            "×",
            0.8,
            _find_ratio(bench, build, stock),
        ),
        Target("Build, growth of the cost of a record", "×", _LINEAR, find_growth("build")),
        Target("Build, memory for one more record", "kB", 70, find_memory("build")),
        Target("handbook --help, CPU time", "s", 0.1, find(bench, "help", 100, "CPU")),
        Target("Largest index on a phone, at 5,000", "s", 4, find_largest(INDEX, "clock")),
        Target("Largest first query, at 5,000", "kB", 300, find_largest(SEARCH, "transferred")),
        Target("Slowest first query, at 5,000", "s", 0.5, find_largest(SEARCH, "clock")),
        Target("make bench itself", "min", 20, bench.minutes or None),
        Target("make bench-large itself", "min", 35, large.minutes or None),
        Target("make test", "min", 12, _divide(find_seconds("make test"), 60)),
        Target("make fast", "s", 60, find_seconds("make fast")),
    ]
    order = ("missed", "not measured", "met")
    return sorted(targets, key=lambda target: order.index(target.verdict))


def _make_targets_table(all_results: Sequence[Results]) -> Table:
    rows = [
        (
            target.name,
            f"≤ {target.limit:g} {target.unit}",
            "–" if target.value is None else f"{target.value:.2f} {target.unit}",
            target.verdict,
        )
        for target in list_targets(*(_find(all_results, command) for command in COMMANDS))
    ]
    return Table(
        "Targets, the missed ones first", ("measurement", "target", "measured", "verdict"), rows
    )


# Tables.


def list_tables(results: Results) -> Iterator[Table]:
    """Yield a table for each quantity of each work."""
    for (work, quantity), caption in _CAPTIONS.items():
        keys = [key for key in results.values if (key.work, key.quantity) == (work, quantity)]
        if keys:
            yield _make_table(results, keys, caption)


def _make_table(results: Results, keys: Sequence[Key], caption: str) -> Table:
    sizes = sorted({key.records for key in keys})
    names = list(dict.fromkeys((key.tool, key.handbook) for key in keys))
    has_cost = len(sizes) > 1
    has_ratio = any(tool == _OURS for tool, _ in names) and len({tool for tool, _ in names}) > 1
    quantity = keys[0].quantity
    unit = "kB" if quantity == "memory" else "ms"
    header = ["", *(f"{size:,} records" for size in sizes)]
    header += [f"one more record, in {unit}"] * has_cost + ["handbook ÷ this tool"] * has_ratio
    rows = []
    for tool, handbook in names:
        row = [f"{tool}, messy" if handbook == "messy" else tool]
        series = [Key(keys[0].work, tool, size, quantity, handbook) for size in sizes]
        row += [_format_values(results.values.get(key)) for key in series]
        if has_cost:
            cost = _find_marginal(results, series[0], sizes[-1])
            row.append("–" if cost is None else f"{1000 * cost:.2f}")
        if has_ratio:
            row.append(_format_ratio(results, series))
        rows.append(row)
    return Table(caption, header, rows)


def _format_number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _format_values(values: Sequence[float] | None) -> str:
    if not values:
        return "–"
    middle = _format_number(median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({_format_number(min(values))} to {_format_number(max(values))})"


def _format_ratio(results: Results, series: Sequence[Key]) -> str:
    """Return our value divided by that of a tool, at the largest size that both have."""
    for key in reversed(series):
        ours = Key(key.work, _OURS, key.records, key.quantity)
        ratio = _find_ratio(results, ours, key)
        if ratio is not None and key.tool != _OURS:
            return _format_number(ratio)
    return "–"


# Texts.


def _describe(results: Results) -> list[str]:
    lines = [
        f"`{COMMANDS[results.command]}` on {results.date}, commit {results.commit}, "
        f"{results.minutes:g} minutes. Machine: {results.machine}.",
    ]
    if results.versions:
        versions = (f"{name} {number}" for name, number in results.versions.items())
        lines.append(f"Versions: {', '.join(versions)}.")
    if results.missing:
        lines.append(f"Not installed, and not measured: {', '.join(results.missing)}.")
    return [*lines, *(f"Failed: {failure}" for failure in results.failures)]


def _find(all_results: Sequence[Results], command: str) -> Results:
    matching = (results for results in all_results if results.command == command)
    return next(matching, Results(command))


def _list_parts(all_results: Sequence[Results]) -> Iterator[tuple[str, str | Table]]:
    """Yield the parts of the report: titles, paragraphs and tables, each with its type."""
    yield "title", "Targets"
    yield "table", _make_targets_table(all_results)
    yield "title", "How it is measured"
    yield from (("text", text) for text in _INTRODUCTION)
    for results in all_results:
        yield "title", TITLES[results.command]
        yield from (("text", text) for text in _describe(results))
        yield from (("table", table) for table in list_tables(results))


def write_markdown(all_results: Sequence[Results]) -> str:
    """Return the report as Markdown."""
    begin = "`make bench`, `make bench-large` and `make bench-suite` write this file."
    blocks = ["# Benchmarks", begin]
    for kind, part in _list_parts(all_results):
        if isinstance(part, Table):
            blocks += [f"**{part.caption}**", _write_markdown_table(part)]
        else:
            blocks.append(f"## {part}" if kind == "title" else _escape(part))
    return "\n\n".join(blocks) + "\n"


def _escape(text: str) -> str:
    """Escape the characters of messages that could begin HTML."""
    return text.replace("<", "&lt;")


def _write_markdown_table(table: Table) -> str:
    rule = "|".join("---" for _ in table.header)
    rows = (f"| {' | '.join(row)} |" for row in (table.header, *table.rows))
    head, *body = rows
    return "\n".join((head, f"|{rule}|", *body))


def write_page(all_results: Sequence[Results]) -> str:
    """Return the report for a page of the site: Markdown with HTML tables that have captions."""
    blocks = []
    for kind, part in _list_parts(all_results):
        if isinstance(part, Table):
            blocks.append(_write_html_table(part))
        else:
            blocks.append(f"## {part}" if kind == "title" else _escape(part))
    return "\n\n".join(blocks)


def _write_html_table(table: Table) -> str:
    header = "".join(
        f'<th scope="col">{escape(cell)}</th>' if cell else "<td></td>" for cell in table.header
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(
            f'<td data-label="{escape(label)}">{escape(cell)}</td>'
            for label, cell in zip(table.header[1:], row[1:], strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    return (
        f'<div class="hb-table" role="region" aria-label="{escape(table.caption)}" tabindex="0">'
        f"<table><caption>{escape(table.caption)}</caption>"
        f"<thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
