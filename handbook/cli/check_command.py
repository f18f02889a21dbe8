"""`handbook check`: run all rules on the handbook."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from handbook.cache import CheckCache, is_off
from handbook.cli.common import (
    UsageError,
    add_report,
    add_root,
    add_today,
    find_root,
    refuse_interrupted,
    restore_interrupted,
    write_report,
)

EPILOG = """\
example:
  handbook check --base origin/main --format github

exit codes:
  0  no errors
  1  errors found, or with --strict warnings that are not advisory
  2  usage error, or a file or system error
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="report only the findings in these files and folders",
    )
    add_root(parser)
    add_report(parser)
    parser.add_argument(
        "--select",
        metavar="RULES",
        default="",
        help="report only these rules: codes, names or prefixes of codes, separated by commas",
    )
    parser.add_argument(
        "--ignore",
        metavar="RULES",
        default="",
        help="do not report these rules: codes, names or prefixes of codes, separated by commas",
    )
    parser.add_argument(
        "--base",
        metavar="REV",
        help="also compare the branch with this revision, for example origin/main",
    )
    parser.add_argument(
        "--summary",
        metavar="FILE",
        help="also write the findings, and with --base the changed records, to a Markdown file",
    )
    parser.add_argument(
        "--fix", action="store_true", help="apply the unambiguous fixes, then check again"
    )
    parser.add_argument(
        "--no-cache", action="store_true", help="do not use the results of earlier checks"
    )
    add_today(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError.

    The module of the checks is imported only if the cache has no report, because its import is
    slow.
    """
    root = find_root(options.root)
    if options.fix:
        restore_interrupted(root)
    else:
        refuse_interrupted(root)
    paths = [_relative_path(path, root) for path in options.paths]
    today = options.today or date.today()
    cache = None
    # A report with a base depends on Git, and a summary needs the records.
    is_cacheable = not options.fix and options.base is None and options.summary is None
    if is_cacheable and not options.no_cache and not is_off():
        cache = CheckCache(root, today, (*paths, "", options.select, options.ignore))
    report = cache and cache.find_report()
    if not report:
        from handbook.cli.checking import check

        report = check(root, today, options, paths, cache)
    return write_report(report, options)


def _relative_path(path: str, root: Path) -> str:
    resolved = Path(path).resolve()
    if not resolved.is_relative_to(root):
        raise UsageError(f"'{path}' is outside the handbook {root}")
    if not resolved.exists():
        raise UsageError(f"'{path}' does not exist")
    return resolved.relative_to(root).as_posix()
