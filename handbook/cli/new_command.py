"""`handbook new`: write a new record."""

from __future__ import annotations

import argparse
from datetime import date

from handbook.authoring.journal import write_files
from handbook.authoring.new import CannotWriteError, new
from handbook.cli.common import (
    UsageError,
    add_root,
    add_today,
    encoded,
    find_root,
    restore_interrupted,
)
from handbook.history.git import RevisionError, files, find
from handbook.loading import load
from handbook.records.kinds import RECORDS

EPILOG = """\
example:
  handbook new runbook "Orders are slow" --set service=order-service

exit codes:
  0  the record is written
  2  a wrong call, or something that the machine refuses
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "kind", choices=[kind.kind for kind in RECORDS], help="the kind of the record"
    )
    parser.add_argument("title", metavar="TITLE", help="its title")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a value of its front matter, as YAML",
    )
    parser.add_argument(
        "--base", metavar="REV", help="skip the numbers that this revision has taken: origin/main"
    )
    add_today(parser)
    add_root(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    given = dict(pair.partition("=")[::2] for pair in options.set)
    for pair in options.set:
        if "=" not in pair:
            raise UsageError(f"--set {pair}: write key=value")
    root = find_root(options.root)
    restore_interrupted(root)
    handbook = load(root)
    try:
        others = files(root, find(root, options.base)) if options.base is not None else ()
        path, text = new(
            handbook, options.kind, options.title, given, options.today or date.today(), others
        )
    except RevisionError as error:
        raise UsageError(f"--base {options.base}: {error}") from error
    except CannotWriteError as error:
        raise UsageError(str(error)) from error
    write_files(root, {root / path: encoded(text)}, {root / path: None})
    print(path)
    return 0
