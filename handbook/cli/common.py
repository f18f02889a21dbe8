"""What the subcommands share: options, the root of the handbook, and how a report is written."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

from handbook.authoring.journal import INTERRUPTED, is_interrupted, restore
from handbook.authoring.writer import write_file
from handbook.diagnostics import Report
from handbook.reporters import REPORTERS
from handbook.reporters.text import shown, text

SETTINGS_FILE = "mkdocs.yml"


class UsageError(Exception):
    """The call or the machine is wrong; the text says what."""


def add_root(parser: argparse.ArgumentParser) -> None:
    """Add the option for the root of the handbook."""
    parser.add_argument(
        "--root",
        metavar="DIR",
        help=f"the handbook (default: the nearest parent folder with {SETTINGS_FILE})",
    )


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the options for the form of a report."""
    parser.add_argument(
        "--format", choices=list(REPORTERS), default="text", help="the form of the report"
    )
    parser.add_argument(
        "--output", metavar="FILE", help="write the report to a file instead of standard output"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings, too")


def add_today(parser: argparse.ArgumentParser) -> None:
    """Add the option for the day that counts as today."""
    parser.add_argument(
        "--today",
        type=_day,
        default=None,
        metavar="YYYY-MM-DD",
        help="the day that counts as today",
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a date YYYY-MM-DD") from None


def find_root(given: str | None) -> Path:
    """The handbook: the folder given, else the nearest one above with the settings. Raises UsageError."""
    if given is not None:
        root = Path(given).resolve()
        if not (root / SETTINGS_FILE).is_file():
            raise UsageError(f"{given} holds no {SETTINGS_FILE}")
        return root
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / SETTINGS_FILE).is_file():
            return folder
    raise UsageError(f"no {SETTINGS_FILE} in this folder or a folder above it; use --root DIR")


def refuse_interrupted(root: Path) -> None:
    """Raise UsageError where a killed command has left some files of a change old and some new."""
    if is_interrupted(root):
        raise UsageError(INTERRUPTED)


def restore_interrupted(*folders: Path) -> None:
    """Restore the files of an interrupted change, and report them on standard error. Raises WriteError."""
    for folder in folders:
        if restoration := restore(folder):
            for path in restoration.restored:
                print(
                    f"handbook: restored {shown(path)}: the command that changed it was interrupted",
                    file=sys.stderr,
                )
            for path in restoration.edited:
                print(
                    f"handbook: left {shown(path)} as it is: it was edited since", file=sys.stderr
                )


def write_report(report: Report, options: argparse.Namespace) -> int:
    """Write a report in the form and to the place that the options name, and return the exit code."""
    if options.format == "text" and options.output is None and _in_colour():
        write_text(text(report, colour=True), None)
    else:
        write_text(REPORTERS[options.format](report), options.output)
    return 1 if report.errors or (options.strict and report.warnings) else 0


def _in_colour() -> bool:
    """Whether standard output is a terminal that wants colour (https://no-color.org)."""
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def write_text(content: str, output: str | None) -> None:
    """Write a text to a file, or to standard output. Raises WriteError."""
    if output is None:
        sys.stdout.write(content)
        sys.stdout.flush()
    else:
        write_file(Path(output), encoded(content))


def encoded(content: str) -> bytes:
    """A text as a file holds it: what is not text in it, from the name of a file, is written as an escape."""
    return content.encode("utf-8", "backslashreplace")
