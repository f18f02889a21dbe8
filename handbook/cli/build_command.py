"""`handbook build`: check everything, and build the site."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from zipfile import is_zipfile

from handbook.cli.common import UsageError, add_root, find_root
from handbook.engines.build import Engine, build
from handbook.engines.errors import BuildError, EngineError, OutputError
from handbook.reporters.text import escape_lines
from handbook.site.exchange import UnusableError

EPILOG = """\
example:
  handbook build --output public
  handbook build --offline handbook.zip

exit codes:
  0  the site is built, and replaces the old one
  1  errors found; the old site stays
  2  usage error, or a file or system error; the old site stays
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    add_root(parser)
    add_engine(parser)
    parser.add_argument(
        "--output", metavar="DIR", help="the folder for the site (default: site/ of the handbook)"
    )
    parser.add_argument(
        "--offline",
        metavar="FILE",
        help="also write the pages for on call as a ZIP archive, which opens without a server",
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the option for the engine."""
    engines = [engine.value for engine in Engine]
    parser.add_argument(
        "--engine",
        choices=engines,
        default=Engine.MKDOCS.value,
        help="the program that builds the site",
    )


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError."""
    root = find_root(options.root)
    if options.output == "":
        raise UsageError("empty --output; write the path of a folder")
    output = options.output or root / "site"
    archive = _find_archive(options.offline, Path(output))
    try:
        build(root, output, Engine(options.engine), archive)
    except BuildError as error:
        print(f"handbook: {escape_lines(str(error))}", file=sys.stderr)
        return 1
    except OutputError as error:
        raise error.__cause__ or error from None
    except BlockingIOError as error:
        raise UsageError("another build is writing to this folder") from error
    except (EngineError, UnusableError) as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        at = f" ({error.filename})" if error.filename else ""
        raise UsageError(f"the site cannot be written: {error.strerror}{at}") from error
    return 0


def _find_archive(path: str | None, output: Path) -> Path | None:
    """Return the real path of the offline archive, if there is one.

    `output` is the folder of the site. Raises UsageError if the archive would be lost with the old
    site, or would replace another file.
    """
    if path is None:
        return None
    archive = Path(path).resolve()
    if not path or archive.is_dir() or not archive.parent.is_dir():
        raise UsageError(f"invalid --offline '{path}'; write the path of a file in a folder")
    if not os.access(archive.parent, os.W_OK):
        raise UsageError(
            f"--offline '{path}' is in a folder that you cannot write to; choose another"
        )
    if archive.is_relative_to(output.resolve()):
        raise UsageError(f"--offline '{path}' is in the folder of the site; choose another folder")
    if archive.is_file() and archive.stat().st_size and not is_zipfile(archive):
        raise UsageError(f"--offline '{path}' is not a ZIP archive; choose another file")
    return archive
