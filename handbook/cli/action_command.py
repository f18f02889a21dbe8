"""`handbook action`: record that an action of a post-mortem was done or dropped."""

from __future__ import annotations

import argparse

from handbook.authoring.editor import CannotChangeError
from handbook.authoring.updates import close_action, find_action
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
  handbook action done 2026-05-15-orders-stopped A2
  handbook action drop 2026-05-15-orders-stopped A3 --reason "the pool is gone"

exit codes:
  0  the record is changed
  2  usage error, a change that is not allowed, or a file or system error
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in (
        ("done", "record that an action was done"),
        ("drop", "record that an action will not be done"),
    ):
        action = add_action(actions, name, text)
        action.add_argument(
            "postmortem", metavar="PM", help="the path or the id of the post-mortem"
        )
        action.add_argument("id", metavar="ID", help="the id of the action, such as A2")
        if name == "done":
            add_date(action)
        else:
            action.add_argument("--reason", required=True, metavar="TEXT", help="the reason")


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    day = read_date(options) if options.action == "done" else None
    reason = "" if day else " ".join(options.reason.split())
    if day is None and not reason:
        raise UsageError("--reason: write the reason")
    change = open_change(options)
    try:
        path = resolve_path(options.postmortem, change.handbook.root)
        postmortem, action = find_action(change.handbook, path, options.id)
        status = f"done {day}" if day else f"dropped: {reason}"
        close_action(change, postmortem, action, status, day)
    except CannotChangeError as error:
        raise UsageError(str(error)) from error
    write_change(change)
    return 0
