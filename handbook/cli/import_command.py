"""`handbook import`: import records of other teams."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from handbook.authoring.importing.adr import plan_adrs
from handbook.authoring.importing.dates import DayOrder
from handbook.authoring.importing.plan import ImportOptions, Plan, to_json, to_text
from handbook.authoring.importing.postmortem import plan_postmortems
from handbook.authoring.importing.runbook import plan_runbooks
from handbook.authoring.importing.verify import compare_sources, comparison_json, comparison_text
from handbook.cli.common import (
    SETTINGS_FILE,
    UsageError,
    add_today,
    find_root,
    refuse_interrupted,
    restore_interrupted,
    write_text,
)
from handbook.diagnostics import did_you_mean
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.records.service import Service
from handbook.reporters.text import escape_unprintable
from handbook.vocabulary import ADR_STATUSES

EPILOG = """\
example:
  handbook import adr ../shop/docs/adr --dry-run
  handbook import adr ../shop/docs/adr --map Draft=proposed --dates day-first
  handbook import runbook ../shop/runbooks --service shop
  handbook import postmortem ../shop/incidents --service shop cart
  handbook import --verify ../shop/docs/adr

exit codes:
  0  every file is imported, or skipped for a stated reason; --verify: all sources are the same
  1  a file cannot be read, and nothing is written; --verify: a source has changed or is missing
  2  usage error, or a file or system error
"""
_PLANNERS: Final[dict[str, Callable[[Handbook, Path, ImportOptions], Plan]]] = {
    "adr": plan_adrs,
    "runbook": plan_runbooks,
    "postmortem": plan_postmortems,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "--verify",
        metavar="DIR",
        help="compare the imported records with the files of this folder, and import nothing",
    )
    _add_common(parser)
    parser.set_defaults(kind=None)
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", title="kinds of records")
    adr = kinds.add_parser("adr", help="decisions", description="Import decisions.")
    _add_folder(adr)
    adr.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="WORD=STATUS",
        help="import another word for a status as this status",
    )
    runbook = kinds.add_parser("runbook", help="runbooks", description="Import runbooks.")
    _add_folder(runbook, has_dates=False)
    runbook.add_argument(
        "--service",
        action="append",
        required=True,
        metavar="SLUG",
        help="the service of the runbooks",
    )
    postmortem = kinds.add_parser(
        "postmortem", help="post-mortems", description="Import post-mortems."
    )
    _add_folder(postmortem)
    postmortem.add_argument(
        "--service",
        action="extend",
        nargs="+",
        required=True,
        metavar="SLUG",
        help="the services that the incidents affected",
    )


def _add_common(parser: argparse.ArgumentParser, *, is_inner: bool = False) -> None:
    """Add the options that can be before and after the kind of the records."""
    parser.add_argument(
        "--into",
        "--root",
        dest="into",
        metavar="DIR",
        default=argparse.SUPPRESS if is_inner else None,
        help=f"the root of the handbook (default: this folder or the nearest parent with "
        f"{SETTINGS_FILE})",
    )
    parser.add_argument(
        "--format",
        choices=["text", "json"],
        default=argparse.SUPPRESS if is_inner else "text",
        help="the format of the report",
    )


def _add_folder(parser: argparse.ArgumentParser, *, has_dates: bool = True) -> None:
    """Add the arguments of every kind of record."""
    parser.add_argument("folder", metavar="DIR", help="the folder with the files to import")
    parser.set_defaults(dates=None)
    if has_dates:
        parser.add_argument(
            "--dates",
            type=DayOrder,
            choices=list(DayOrder),
            metavar="{day-first,month-first}",
            help="the order of dates such as 03/04/2021",
        )
    parser.add_argument("--dry-run", action="store_true", help="print the report, write nothing")
    _add_common(parser, is_inner=True)
    add_today(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    if options.verify is not None:
        if options.kind is not None:
            raise UsageError("--verify compares all kinds: use it without a kind")
        return _verify(options)
    if options.kind is None:
        raise UsageError(f"name a kind of record to import, one of: {', '.join(_PLANNERS)}")
    return _import(options)


def _import(options: argparse.Namespace) -> int:
    root = find_root(options.into)
    if options.dry_run:
        refuse_interrupted(root)
    else:
        restore_interrupted(root)
    handbook = load(root)
    import_options = ImportOptions(
        _read_words(getattr(options, "map", [])),
        options.dates,
        options.today or datetime.now(UTC).date(),
        _read_services(options, handbook),
    )
    try:
        plan = _PLANNERS[options.kind](handbook, Path(options.folder), import_options)
    except (NotADirectoryError, OverflowError) as error:
        raise UsageError(str(error)) from error
    if not options.dry_run and not plan.has_errors and plan.files:
        plan.write(root)
    _print(to_json(plan) if options.format == "json" else to_text(plan), options)
    return 1 if plan.has_errors else 0


def _verify(options: argparse.Namespace) -> int:
    root = find_root(options.into)
    refuse_interrupted(root)
    try:
        comparison = compare_sources(load(root), Path(options.verify))
    except NotADirectoryError as error:
        raise UsageError(str(error)) from error
    is_json = options.format == "json"
    _print(comparison_json(comparison) if is_json else comparison_text(comparison), options)
    return 0 if comparison.is_same else 1


def _print(report: str, options: argparse.Namespace) -> None:
    """Print a report. Control characters of names and texts are escaped, also in the text form."""
    if options.format != "json":
        report = "".join(f"{escape_unprintable(line)}\n" for line in report.split("\n")[:-1])
    write_text(report, None)


def _read_services(options: argparse.Namespace, handbook: Handbook) -> tuple[str, ...]:
    """Return the services of the records. Raises UsageError."""
    slugs = tuple(dict.fromkeys(getattr(options, "service", ())))
    services = [service.id for service in handbook.of(Service)]
    for slug in slugs:
        if not services:
            raise UsageError("no services yet; add one first: handbook new service …")
        if slug not in services:
            hint = did_you_mean(slug, services) or f"one of: {', '.join(services)}"
            raise UsageError(f"unknown service '{slug}'; {hint}")
    if options.kind == "runbook" and len(slugs) > 1:
        raise UsageError("a runbook has one service: use --service once")
    return slugs


def _read_words(pairs: list[str]) -> dict[str, str]:
    """Return the statuses of other words. Raises UsageError."""
    words = {}
    for pair in pairs:
        word, equals, status = pair.rpartition("=")
        if not equals or not word.strip() or status not in ADR_STATUSES:
            raise UsageError(
                f"--map {pair}: write WORD=STATUS, with one of: {', '.join(ADR_STATUSES)}"
            )
        words[word.strip()] = status
    return words
