"""`handbook new`: create a record from its template."""

from __future__ import annotations

import argparse
from datetime import date

from handbook.authoring.journal import write_files
from handbook.authoring.new import CannotWriteError, new_record
from handbook.cli.common import (
    UsageError,
    add_root,
    add_today,
    encode_text,
    find_root,
    restore_interrupted,
)
from handbook.history.git import RevisionError, find_commit, list_files
from handbook.loading import load
from handbook.records.kinds import RECORDS

EPILOG = """\
example:
  handbook new runbook "Orders are slow" --set service=order-service

exit codes:
  0  the record is written
  2  usage error, or a file or system error
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "kind", choices=[kind.kind for kind in RECORDS], help="the kind of the record"
    )
    parser.add_argument("title", metavar="TITLE", help="the title of the record")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set a key of its front matter to a YAML value",
    )
    parser.add_argument(
        "--base",
        metavar="REV",
        help="skip the numbers used in this revision, for example origin/main",
    )
    add_today(parser)
    add_root(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    values = dict(pair.partition("=")[::2] for pair in options.set)
    for pair in options.set:
        if "=" not in pair:
            raise UsageError(f"--set {pair}: write key=value")
    root = find_root(options.root)
    restore_interrupted(root)
    handbook = load(root)
    try:
        taken = (
            list_files(root, find_commit(root, options.base)) if options.base is not None else ()
        )
        path, text = new_record(
            handbook, options.kind, options.title, values, options.today or date.today(), taken
        )
    except RevisionError as error:
        raise UsageError(f"--base {options.base}: {error}") from error
    except CannotWriteError as error:
        raise UsageError(str(error)) from error
    write_files(root, {root / path: encode_text(text)}, {root / path: None})
    print(path)
    return 0
