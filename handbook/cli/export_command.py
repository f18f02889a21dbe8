"""`handbook export`: write the files that the site serves for machines."""

from __future__ import annotations

import argparse
from pathlib import Path

from handbook.authoring.journal import write_files
from handbook.cli.common import add_root, encoded, find_root, restore_interrupted
from handbook.history.git import commit
from handbook.loading import load
from handbook.views import api

EPILOG = """\
example:
  handbook export --output public

exit codes:
  0  the files are written
  2  a wrong call, or something that the machine refuses
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    add_root(parser)
    parser.add_argument(
        "--output",
        default=".",
        metavar="DIR",
        help="the folder for api/v1/ and the CSV files (default: .)",
    )


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    root, folder = find_root(options.root), Path(options.output)
    base = root if folder.resolve().is_relative_to(root) else folder
    restore_interrupted(*dict.fromkeys((root, base)))
    contents = api.files(load(root), commit(root))
    write_files(base, {folder / name: encoded(content) for name, content in contents.items()})
    return 0
