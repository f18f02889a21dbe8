"""`handbook finish`: the last work on a site that any engine has built."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from handbook.cli.common import UsageError, add_root, find_root, refuse_interrupted
from handbook.diagnostics import Report
from handbook.loading import load
from handbook.reporters.text import text
from handbook.site.finish import FinishError, finish

EPILOG = """\
example:
  handbook finish public

exit codes:
  0  the site is finished
  1  a page runs a script that is not the theme's
  2  usage error, or a file or system error
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument("site", metavar="SITE", help="the folder of the built site")
    add_root(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError."""
    root, site = find_root(options.root), Path(options.site)
    if not options.site:
        raise UsageError("SITE is empty; name the folder of the built site")
    refuse_interrupted(root)
    if not (site / "index.html").is_file():
        raise UsageError(f"{options.site} holds no site; build it first")
    handbook = load(root)
    try:
        finished = finish(site, handbook)
    except FinishError as error:
        raise UsageError(str(error)) from error
    if finished.findings:
        sys.stdout.write(text(Report(handbook.counts, finished.findings)))
        return 1
    print(f"finished {finished.pages} pages and {finished.redirects} redirects in {options.site}")
    return 0
