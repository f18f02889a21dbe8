"""`handbook finish`: add content policy, redirects and search to a site of any engine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from handbook.cli.common import UsageError, add_root, find_root, refuse_interrupted
from handbook.diagnostics import Report, sort_findings
from handbook.loading import load
from handbook.reporters.text import escape_unprintable, text
from handbook.settings import find_nested, read_settings
from handbook.site.finish import FinishError, finish

EPILOG = """\
example:
  handbook finish public

exit codes:
  0  the site is finished
  1  a page runs a script that the theme does not contain
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
        raise UsageError("empty SITE; write the path of the built site")
    refuse_interrupted(root)
    if not (site / "index.html").is_file():
        raise UsageError(f"no site in folder '{options.site}'; build the site first")
    settings = read_settings(root)
    roots = {site: root}
    roots |= {site / name: path for name, path in find_nested(settings, root).items()}
    codes = [
        _finish(folder, roots[folder]) for folder in roots if (folder / "index.html").is_file()
    ]
    return max(codes)


def _finish(site: Path, root: Path) -> int:
    """Finish one site, and return the exit code. Raises UsageError."""
    handbook = load(root)
    try:
        finished = finish(site, handbook)
    except FinishError as error:
        raise UsageError(str(error)) from error
    if finished.findings:
        sys.stdout.write(text(Report(handbook.entity_counts, sort_findings(finished.findings))))
        return 1
    folder = escape_unprintable(str(site))
    print(f"finished {finished.pages} pages and {finished.redirects} redirects in {folder}")
    return 0
