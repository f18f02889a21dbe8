"""`handbook stage`: write the site as the sources of another engine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import click

from handbook.cli.common import UsageError, add_root, find_root, refuse_interrupted
from handbook.engines.stage import StageError, stage

EPILOG = """\
example:
  handbook stage staged && cd staged && zensical build

exit codes:
  0  the sources are written
  1  something is wrong with the handbook
  2  a wrong call, or something that the machine refuses
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "folder", metavar="DIR", help="the folder for the sources: new, empty, or an older stage"
    )
    add_root(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError."""
    root = find_root(options.root)
    refuse_interrupted(root)
    try:
        staged = stage(root, Path(options.folder))
    except StageError as error:
        raise UsageError(str(error)) from error
    except click.ClickException as error:
        print(f"handbook: {error.format_message()}", file=sys.stderr)
        return 1
    print(
        f"staged {staged.pages} pages and {staged.files - staged.pages} other files in {options.folder}"
    )
    return 0
