"""`handbook serve`: serve a preview, and update it on every change."""

from __future__ import annotations

import argparse
import sys

from handbook.cli.build_command import add_engine
from handbook.cli.common import UsageError, add_root, find_root
from handbook.engines.build import Engine, serve
from handbook.engines.errors import BuildError, EngineError, OutputError
from handbook.reporters.text import escape_lines
from handbook.site.exchange import recover

EPILOG = """\
example:
  handbook serve --address 127.0.0.1:8080

exit codes:
  0  the preview was stopped
  1  the settings cannot be used
  2  usage error, or a file or system error
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    add_root(parser)
    add_engine(parser)
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="the address of the preview (default: 127.0.0.1:8000)",
    )


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError."""
    root = find_root(options.root)
    try:
        recover(root / "site")
        serve(root, options.address, Engine(options.engine))
    except BuildError as error:
        print(f"handbook: {escape_lines(str(error))}", file=sys.stderr)
        return 1
    except EngineError as error:
        raise UsageError(str(error)) from error
    except OutputError as error:
        raise error.__cause__ or error from None
    except OSError as error:
        subject = error.filename or options.address or "the address of mkdocs.yml"
        raise UsageError(f"the preview cannot be served: {error.strerror} ({subject})") from error
    return 0
