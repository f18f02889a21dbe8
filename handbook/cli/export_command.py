"""`handbook export`: write the JSON and CSV files of the site."""

from __future__ import annotations

import argparse
from pathlib import Path

from handbook.authoring.journal import write_files
from handbook.cli.common import add_root, encode_text, find_root, restore_interrupted
from handbook.history.git import read_head
from handbook.loading import load
from handbook.views import api

EPILOG = """\
example:
  handbook export --output public

exit codes:
  0  the files are written
  2  usage error, or a file or system error
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    add_root(parser)
    parser.add_argument(
        "--output",
        default=".",
        metavar="DIR",
        help="the folder for api/v1/ and the CSV files (default: this folder)",
    )


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    root, folder = find_root(options.root), Path(options.output)
    base = root if folder.resolve().is_relative_to(root) else folder
    restore_interrupted(*dict.fromkeys((root, base)))
    contents = api.files(load(root), read_head(root))
    write_files(base, {folder / name: encode_text(content) for name, content in contents.items()})
    return 0
