"""Record what happened to runbooks and to the actions of post-mortems."""

from __future__ import annotations

from datetime import date

from handbook.authoring.editor import CannotChangeError
from handbook.authoring.planned_change import PlannedChange, check_order
from handbook.diagnostics import did_you_mean
from handbook.handbook import Handbook
from handbook.reading.files import find_hidden_character
from handbook.records.postmortem import Action, Postmortem
from handbook.records.runbook import Runbook


def find_runbook(handbook: Handbook, name: str) -> Runbook:
    """Return the runbook with a path or an id. Raises CannotChangeError."""
    by_name = {runbook.path: runbook for runbook in handbook.of(Runbook)}
    by_name |= {runbook.id: runbook for runbook in handbook.of(Runbook)}
    if runbook := by_name.get(name.removeprefix("./")):
        return runbook
    hint = did_you_mean(name, by_name)
    raise CannotChangeError(f"no runbook '{name}'{f'; {hint}' if hint else ''}")


def mark_reviewed(change: PlannedChange, runbook: Runbook, day: date) -> None:
    """Set the date of the last review. Raises CannotChangeError."""
    check_order("reviewed", runbook.path, runbook.reviewed, day)
    change.edit(runbook).set_value("reviewed", f"{day}")


def mark_exercised(change: PlannedChange, runbook: Runbook, day: date) -> None:
    """Set the date of the last exercise. Raises CannotChangeError."""
    check_order("exercised", runbook.path, runbook.exercised, day)
    change.edit(runbook).set_value("exercised", f"{day}")


def find_action(handbook: Handbook, name: str, id: str) -> tuple[Postmortem, Action]:
    """Return an action and its post-mortem, by the path or the id of the post-mortem.

    Raises CannotChangeError.
    """
    by_name = {postmortem.path: postmortem for postmortem in handbook.of(Postmortem)}
    by_name |= {postmortem.id: postmortem for postmortem in handbook.of(Postmortem)}
    postmortem = by_name.get(name.removeprefix("./"))
    if postmortem is None:
        hint = did_you_mean(name, by_name)
        raise CannotChangeError(f"no post-mortem '{name}'{f'; {hint}' if hint else ''}")
    ids = [action.id for action in postmortem.actions]
    action = next((action for action in postmortem.actions if action.id == id.upper()), None)
    if action is None:
        names = ", ".join(ids) or "none"
        raise CannotChangeError(f"no action '{id}' in {postmortem.path}; its actions: {names}")
    return postmortem, action


def close_action(
    change: PlannedChange,
    postmortem: Postmortem,
    action: Action,
    status: str,
    day: date | None = None,
) -> None:
    """Set the status of an open action, such as `done 2026-05-18`. Raises CannotChangeError."""
    if hidden := find_hidden_character(status) or ("\n" if "\n" in status else None):
        raise CannotChangeError(f"invisible character U+{ord(hidden):04X} in the reason")
    if not action.is_open:
        state = f"{action.status} {action.done}" if action.done else action.status or "not recorded"
        raise CannotChangeError(f"action {action.id} of {postmortem.path} is not open: {state}")
    if "Status" not in action.header:
        raise CannotChangeError(
            f"{postmortem.path}:{action.line}: the table has no column 'Status'; edit the file"
        )
    started = postmortem.started.date() if postmortem.started else None
    if day:
        check_order("started", postmortem.path, started, day)
    change.edit(postmortem).set_cell(action, "Status", status)
