"""`handbook stage`: write the site as source files for another engine."""

from __future__ import annotations

import argparse
import sys

from handbook.cli.common import UsageError, add_root, find_root, refuse_interrupted
from handbook.engines.errors import BuildError
from handbook.engines.stage import stage
from handbook.reporters.text import escape_lines, escape_unprintable
from handbook.site.exchange import UnusableError

EPILOG = """\
example:
  handbook stage staged && cd staged && zensical build

exit codes:
  0  the source files are written
  1  errors found
  2  usage error, or a file or system error
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "folder",
        metavar="DIR",
        help="the folder for the source files: new, empty, or an older stage",
    )
    add_root(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError."""
    root = find_root(options.root)
    refuse_interrupted(root)
    if not options.folder:
        raise UsageError("empty DIR; write the path of a folder")
    try:
        staged = stage(root, options.folder)
    except BuildError as error:
        print(f"handbook: {escape_lines(str(error))}", file=sys.stderr)
        return 1
    except UnusableError as error:
        raise UsageError(str(error)) from error
    except BlockingIOError as error:
        raise UsageError("another command is writing to this folder") from error
    except OSError as error:
        raise UsageError(f"the stage cannot be written: {error.strerror}") from error
    others = staged.files - staged.pages
    folder = escape_unprintable(options.folder)
    print(f"staged {staged.pages} pages and {others} other files in {folder}")
    return 0
