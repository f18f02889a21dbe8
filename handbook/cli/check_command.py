"""`handbook check`: run the rules over the whole handbook."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from handbook.authoring.fix import fix
from handbook.authoring.journal import write_files
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
from handbook.diagnostics import Report
from handbook.handbook import Handbook
from handbook.history.base import Base, read_base
from handbook.history.git import RevisionError
from handbook.loading import load, uncollected
from handbook.reporters.text import shown
from handbook.rules.engine import rules
from handbook.rules.engine import run as run_rules

EPILOG = """\
example:
  handbook check --base origin/main --format github

exit codes:
  0  no error
  1  an error, or a warning with --strict
  2  a wrong call, or something that the machine refuses
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="report only findings in these files and folders"
    )
    add_root(parser)
    add_report(parser)
    parser.add_argument(
        "--select",
        metavar="CODES",
        default="",
        help="report only these codes, or codes that begin with them",
    )
    parser.add_argument(
        "--ignore",
        metavar="CODES",
        default="",
        help="do not report these codes, or codes that begin with them",
    )
    parser.add_argument(
        "--base",
        metavar="REV",
        help="report also what this branch changed that others rely on: origin/main",
    )
    parser.add_argument(
        "--fix", action="store_true", help="apply the fixes that are unambiguous, then check again"
    )
    add_today(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    root = find_root(options.root)
    if options.fix:
        restore_interrupted(root)
    else:
        refuse_interrupted(root)
    paths = [_relative(path, root) for path in options.paths]
    base = _base(root, options.base)
    handbook = load(root)
    if base:
        _compare(base, handbook)
    report = _report(handbook, options, paths, base)
    if options.fix and _fix(handbook, options, paths, report):
        report = _report(load(root), options, paths, base)
    return write_report(report, options)


def _relative(path: str, root: Path) -> str:
    resolved = Path(path).resolve()
    if not resolved.is_relative_to(root):
        raise UsageError(f"{path} is outside of {root}")
    if not resolved.exists():
        raise UsageError(f"{path} does not exist")
    return resolved.relative_to(root).as_posix()


def _base(root: Path, revision: str | None) -> Base | None:
    try:
        return None if revision is None else read_base(root, revision)
    except RevisionError as error:
        raise UsageError(f"--base {revision}: {error}") from error
    except OSError as error:
        raise UsageError(f"--base {revision}: its files cannot be laid out: {error}") from error


def _compare(base: Base, handbook: Handbook) -> None:
    """Report a handbook that the base did not have. Raises UsageError where the base cannot be compared with."""
    try:
        if base.is_before(handbook):
            print(
                f"handbook: the handbook is new: {shown(base.revision)} has no record",
                file=sys.stderr,
            )
    except RevisionError as error:
        raise UsageError(f"--base {base.revision}: {error}") from error


def _report(
    handbook: Handbook, options: argparse.Namespace, paths: Sequence[str], base: Base | None
) -> Report:
    select, ignore = _codes(options.select), _codes(options.ignore)
    with uncollected():
        report = run_rules(
            handbook, options.today or date.today(), base=base, select=select, ignore=ignore
        )
    findings = tuple(finding for finding in report.findings if _is_below(paths, finding.at.path))
    return replace(report, findings=findings)


def _codes(text: str) -> tuple[str, ...]:
    codes = tuple(code.strip() for code in text.split(",") if code.strip())
    for code in codes:
        if not any(known.startswith(code) for known in rules()):
            raise UsageError(f"no rule's code begins with '{code}'")
    return codes


def _is_below(paths: Sequence[str], path: str) -> bool:
    """Whether a path is among those that were given; without any, every path is."""
    return not paths or any(
        given == "." or path == given or path.startswith(f"{given}/") for given in paths
    )


def _first_line(text: str) -> str:
    """A text in quotes, or the first line of a block that has several."""
    first, *others = text.strip("\n").split("\n")
    return f"the block {first!r}" if others else repr(text)


def _fix(
    handbook: Handbook, options: argparse.Namespace, paths: Sequence[str], report: Report
) -> bool:
    """Apply the fixes, and report them on standard error; whether anything changed.

    Values come first, then the order of keys, whose lines hold them. The order has no code: it is left as it is where
    codes are selected.
    """
    edits = (finding.fix for finding in report.findings if finding.fix)
    fixed = fix(handbook, edits, lambda path: not options.select and _is_below(paths, path))
    contents = {handbook.root / path: content for path, content in fixed.contents.items()}
    write_files(
        handbook.root,
        contents,
        {handbook.root / path: content for path, content in fixed.before.items()},
    )
    changes = [
        (
            edit.at,
            f"{_first_line(edit.old)} is now {_first_line(edit.new)}"
            if edit.old
            else f"added {edit.new!r}",
        )
        for edit in fixed.values
    ]
    changes += [(edit.at, "the keys are now in their order") for edit in fixed.orders]
    for at, change in changes:
        print(f"{shown(at.path)}:{at.line}:{at.column}: {change}", file=sys.stderr)
    return bool(changes)
