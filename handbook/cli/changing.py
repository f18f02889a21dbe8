"""Functions of the subcommands that change records: dates, the base, and the check afterwards."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from handbook.authoring.moving import Published
from handbook.authoring.planned_change import PlannedChange
from handbook.cli.common import UsageError, add_root, find_root, parse_date, restore_interrupted
from handbook.diagnostics import Diagnostic, Severity
from handbook.handbook import Handbook
from handbook.history import git
from handbook.loading import load
from handbook.records.adr import Adr
from handbook.reporters.text import escape_unprintable
from handbook.rules.engine import run as check

_MOST_FINDINGS = 5


def add_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    """Add an action of a subcommand. `text` is its help, without an upper-case letter at the start.

    The action has the option for the root folder.
    """
    action = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    add_root(action)
    return action


def add_date(parser: argparse.ArgumentParser) -> None:
    """Add the option for the date to write into the record."""
    parser.add_argument(
        "--date",
        type=parse_date,
        default=None,
        metavar="YYYY-MM-DD",
        help="the date to write (default: today in UTC)",
    )


def add_base(parser: argparse.ArgumentParser) -> None:
    """Add the option for the published revision."""
    parser.add_argument(
        "--base",
        metavar="REV",
        help="the published revision (default: the default branch of origin, or else HEAD)",
    )


def open_change(options: argparse.Namespace) -> PlannedChange:
    """Load the handbook for a change. Raises UsageError and WriteError."""
    root = find_root(options.root)
    restore_interrupted(root)
    return PlannedChange(load(root))


def resolve_path(name: str, root: Path) -> str:
    """Return the path below the root of a file that the current folder has, or else the name.

    A shell completes paths from the current folder, which can be below the root.
    """
    file = Path(name).resolve()
    if file.is_file() and file.is_relative_to(root):
        return file.relative_to(root).as_posix()
    return name.removeprefix("./")


def resolve_new_path(new: str, name: str, root: Path) -> str:
    """Return a new path below the root. It begins in the same folder as the path `name`."""
    is_below_root = resolve_path(name, root) == name.removeprefix("./")
    file = Path(new).resolve()
    if (is_below_root and not Path(new).is_absolute()) or not file.is_relative_to(root):
        return new.removeprefix("./")
    return file.relative_to(root).as_posix()


def read_date(options: argparse.Namespace) -> date:
    """Return the date to write. Raises UsageError for a date in the future."""
    today = datetime.now(UTC).date()
    if options.date and options.date > today:
        raise UsageError(f"--date {options.date} is in the future: today is {today} in UTC")
    return options.date or today


def read_published(root: Path, base: str | None) -> Published:
    """Read the files of the published revision. Raises UsageError if `base` is unknown."""
    try:
        if base is None and git.read_head(root) is None:
            return Published(None)
        tip = git.find_commit(root, base or git.find_default_branch(root) or "HEAD")
        files = git.list_files(root, tip)
    except git.RevisionError as error:
        raise UsageError(f"--base {base}: {error}") from error
    commit = tip
    with suppress(git.RevisionError):  # a shallow clone
        commit = git.find_merge_base(root, tip)
    return Published(
        frozenset(files),
        git.list_branch_files(root, Adr.folder) | files.keys(),
        lambda path: git.read_file(root, commit, path),
        has_base=True,
    )


def write_change(change: PlannedChange) -> list[str]:
    """Write a change, and print the changed files and the notes. Return the paths.

    If the check then reports a new error, nothing is written. Raises UsageError and WriteError.
    """
    root = change.handbook.root
    new_paths = change.new_paths
    old_errors = Counter(_identify(finding, new_paths) for finding in _list_errors(change.handbook))

    def verify() -> None:
        known = old_errors.copy()
        new_errors = []
        for finding in _list_errors(load(root)):
            key = _identify(finding, {})
            if known[key]:
                known[key] -= 1
            else:
                new_errors.append(finding)
        if new_errors:
            _print_findings(new_errors)
            raise UsageError("nothing is changed, because the check would report these errors")

    paths = change.write(root, verify)
    for path in paths:
        print(escape_unprintable(path))
    if not paths:
        print("handbook: nothing to change", file=sys.stderr)
    for note in dict.fromkeys(change.notes):
        print(f"handbook: {escape_unprintable(note)}", file=sys.stderr)
    return paths


def _list_errors(handbook: Handbook) -> list[Diagnostic]:
    report = check(handbook, datetime.now(UTC).date())
    return [finding for finding in report.findings if finding.severity is Severity.ERROR]


def _identify(finding: Diagnostic, new_paths: Mapping[str, str]) -> tuple[str, str, str]:
    path = finding.at.path
    return finding.code, new_paths.get(path, path), finding.message


def _print_findings(findings: list[Diagnostic]) -> None:
    for finding in findings[:_MOST_FINDINGS]:
        place = f"{finding.at.path}:{finding.at.line}:{finding.at.column}"
        hint = f"; {finding.hint}" if finding.hint else ""
        line = f"{place}: {finding.code} {finding.message}{hint}"
        print(escape_unprintable(line), file=sys.stderr)
    if len(findings) > _MOST_FINDINGS:
        print(f"and {len(findings) - _MOST_FINDINGS} more", file=sys.stderr)
