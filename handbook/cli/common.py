"""Shared parts of the subcommands: options, the root folder, and the report."""

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
from handbook.reporters.text import escape_unprintable, text

SETTINGS_FILE = "mkdocs.yml"


class UsageError(Exception):
    """Error in the arguments, in a file or in the system. The message is the reason."""


def add_root(parser: argparse.ArgumentParser) -> None:
    """Add the option for the root folder of the handbook."""
    parser.add_argument(
        "--root",
        metavar="DIR",
        help=f"the root folder (default: this folder or the nearest parent with {SETTINGS_FILE})",
    )


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the options for the report."""
    parser.add_argument(
        "--format", choices=list(REPORTERS), default="text", help="the format of the report"
    )
    parser.add_argument(
        "--output", metavar="FILE", help="write the report to a file instead of standard output"
    )
    parser.add_argument("--strict", action="store_true", help="also exit with 1 for warnings")


def add_today(parser: argparse.ArgumentParser) -> None:
    """Add the option for the date of the check."""
    parser.add_argument(
        "--today",
        type=_parse_date,
        default=None,
        metavar="YYYY-MM-DD",
        help="the date of the check (default: today)",
    )


def _parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid date '{text}': write YYYY-MM-DD") from None


def find_root(option: str | None) -> Path:
    """Return the root folder of the handbook. Raises UsageError.

    This is the folder of the option `--root`, else the current folder or its nearest parent with
    settings.
    """
    if option is not None:
        root = Path(option).resolve()
        if not (root / SETTINGS_FILE).is_file():
            raise UsageError(f"no {SETTINGS_FILE} in '{option}'")
        return root
    current = Path.cwd().resolve()
    for folder in (current, *current.parents):
        if (folder / SETTINGS_FILE).is_file():
            return folder
    raise UsageError(f"no {SETTINGS_FILE} in this folder or its parents; set --root DIR")


def refuse_interrupted(root: Path) -> None:
    """Raise UsageError if a killed command has changed only some of its files."""
    if is_interrupted(root):
        raise UsageError(INTERRUPTED)


def restore_interrupted(*folders: Path) -> None:
    """Restore the files of an interrupted change, and list them on standard error.

    Raises WriteError.
    """
    for folder in folders:
        if restoration := restore(folder):
            for path in restoration.restored:
                name = escape_unprintable(path)
                print(f"handbook: restored {name} after an interrupted command", file=sys.stderr)
            for path in restoration.edited:
                name = escape_unprintable(path)
                print(f"handbook: did not restore {name}: it was edited since", file=sys.stderr)


def write_report(report: Report, options: argparse.Namespace) -> int:
    """Write a report as the options require, and return the exit code."""
    if options.format == "text" and options.output is None and _wants_colour():
        write_text(text(report, colour=True), None)
    else:
        write_text(REPORTERS[options.format](report), options.output)
    return 1 if report.errors or (options.strict and report.warnings) else 0


def _wants_colour() -> bool:
    """Tell whether standard output is a terminal with colours (https://no-color.org)."""
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def write_text(content: str, output: str | None) -> None:
    """Write a text to a file, or to standard output. Raises WriteError."""
    if output is None:
        sys.stdout.write(content)
        sys.stdout.flush()
    else:
        write_file(Path(output), encode_text(content))


def encode_text(content: str) -> bytes:
    """Encode a text as UTF-8, with escapes for invalid bytes of file names."""
    return content.encode("utf-8", "backslashreplace")
