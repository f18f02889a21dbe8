"""Functions that several subcommands use: options, the root folder, and the report."""

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
    """Raised if a command cannot run: wrong arguments, or an error of a file or the system.

    The message gives the reason.
    """


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
    parser.add_argument(
        "--strict", action="store_true", help="also exit with 1 for warnings that are not advisory"
    )


def add_today(parser: argparse.ArgumentParser) -> None:
    """Add the option for the date that counts as today."""
    parser.add_argument(
        "--today",
        type=parse_date,
        default=None,
        metavar="YYYY-MM-DD",
        help="the date to use instead of today",
    )


def parse_date(text: str) -> date:
    """Return the date of an argument. Raises ArgumentTypeError for any other text."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid date '{text}': write YYYY-MM-DD") from None


def find_root(option: str | None) -> Path:
    """Return the root folder of the handbook.

    `option` is the value of `--root`. Without it, the root is the current folder or its nearest
    parent that contains mkdocs.yml. Raises UsageError if there is no such folder.
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
    """Raise UsageError if a command was killed after it had changed only some of its files."""
    if is_interrupted(root):
        raise UsageError(INTERRUPTED)


def restore_interrupted(*folders: Path) -> None:
    """Restore the files that a killed command has changed, and list them on standard error.

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
    """Write a report in the format of `--format`, and return the exit code of the command."""
    if options.format == "text" and options.output is None and _wants_colour():
        write_text(text(report, colour=True), None)
    else:
        write_text(REPORTERS[options.format](report), options.output)
    return 1 if report.is_failed(strict=options.strict) else 0


def _wants_colour() -> bool:
    """Tell whether to print colours: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def write_text(content: str, output: str | None) -> None:
    """Write text to the file `output`, or to standard output if it is None.

    Raises WriteError.
    """
    if output is None:
        sys.stdout.write(content)
        sys.stdout.flush()
    else:
        write_file(Path(output), encode_text(content))


def encode_text(content: str) -> bytes:
    """Encode text as UTF-8. Bytes of file names that are not UTF-8 become escapes."""
    return content.encode("utf-8", "backslashreplace")
