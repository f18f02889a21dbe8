"""`handbook adr`: move decisions from status to status, and renumber them."""

from __future__ import annotations

import argparse
import re

from handbook.authoring.adr_statuses import accept, deprecate, find_adr, reject, supersede
from handbook.authoring.editor import CannotChangeError
from handbook.authoring.moving import renumber
from handbook.cli.changing import (
    add_action,
    add_base,
    add_date,
    open_change,
    read_date,
    read_published,
    resolve_path,
    write_change,
)
from handbook.cli.common import UsageError
from handbook.records.adr import Adr

EPILOG = """\
example:
  handbook adr accept ADR-0042 --deciders order-team platform-team
  handbook adr supersede ADR-0007 ADR-0042
  handbook adr renumber adr/0042-keep-orders-in-postgresql.md

exit codes:
  0  the records are changed, or nothing was to change
  2  usage error, a change that is not allowed, or a file or system error
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in (
        ("accept", "accept a decision; the decisions that it supersedes become superseded"),
        ("reject", "reject a proposed decision"),
    ):
        action = _add_decision_action(actions, name, text, "id")
        add_date(action)
        action.add_argument(
            "--deciders", nargs="+", default=[], metavar="NAME", help="the teams or people"
        )
    text = "deprecate a decision without a successor"
    add_date(_add_decision_action(actions, "deprecate", text, "id"))
    text = "record that NEW replaces OLD"
    add_date(_add_decision_action(actions, "supersede", text, "old", "new"))
    action = _add_decision_action(
        actions, "renumber", "give a decision another number, and correct its citations", "old"
    )
    action.add_argument(
        "new", nargs="?", metavar="NEW", help="the new number (default: the next free one)"
    )
    action.set_defaults(date=None)
    add_base(action)


def _add_decision_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    *decisions: str,
) -> argparse.ArgumentParser:
    action = add_action(actions, name, text)
    for decision in decisions:
        action.add_argument(
            decision, metavar=decision.upper(), help="an id, such as ADR-0042, or a path"
        )
    return action


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    day = read_date(options)
    change = open_change(options)
    handbook = change.handbook

    def find(name: str) -> Adr:
        return find_adr(handbook, resolve_path(name, handbook.root))

    try:
        match options.action:
            case "accept":
                accept(change, find(options.id), day, options.deciders)
            case "reject":
                reject(change, find(options.id), day, options.deciders)
            case "deprecate":
                deprecate(change, find(options.id), day)
            case "supersede":
                supersede(change, find(options.old), find(options.new), day)
            case _:
                adr = find(options.old)
                number = _read_number(options.new)
                renumber(change, adr, number, read_published(handbook.root, options.base))
    except CannotChangeError as error:
        raise UsageError(str(error)) from error
    write_change(change)
    return 0


def _read_number(text: str | None) -> int | None:
    match = re.fullmatch(r"(?:ADR-)?([0-9]{1,4})", text or "", re.IGNORECASE)
    if text is not None and match is None:
        raise UsageError(f"invalid number '{text}': write a number such as 0042")
    return int(match[1]) if match else None
