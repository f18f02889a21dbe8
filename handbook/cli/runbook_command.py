"""`handbook runbook`: record that a runbook was reviewed or exercised."""

from __future__ import annotations

import argparse

from handbook.authoring.editor import CannotChangeError
from handbook.authoring.updates import find_runbook, mark_exercised, mark_reviewed
from handbook.cli.changing import (
    add_action,
    add_date,
    open_change,
    read_date,
    resolve_path,
    write_change,
)
from handbook.cli.common import UsageError

EPILOG = """\
example:
  handbook runbook reviewed runbooks/order-service/orders-are-slow.md

The command prints the trailer for your commit, such as `Reviewed-by: order-team`.

exit codes:
  0  the record is changed, or nothing was to change
  2  usage error, a change that is not allowed, or a file or system error
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in (
        ("reviewed", "record a review, which compares every step with the system"),
        ("exercised", "record an exercise, which follows every step"),
    ):
        action = add_action(actions, name, text)
        action.add_argument("path", metavar="PATH", help="the path or the id of the runbook")
        add_date(action)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    day = read_date(options)
    change = open_change(options)
    try:
        path = resolve_path(options.path, change.handbook.root)
        runbook = find_runbook(change.handbook, path)
        (mark_reviewed if options.action == "reviewed" else mark_exercised)(change, runbook, day)
    except CannotChangeError as error:
        raise UsageError(str(error)) from error
    if options.action == "reviewed":
        team = runbook.owner or "a-team"
        change.notes.append(f"end the message of your commit with the line 'Reviewed-by: {team}'")
    write_change(change)
    return 0
