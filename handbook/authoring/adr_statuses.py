"""Move decisions from status to status, on both sides of a supersession."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from handbook.authoring.editor import CannotChangeError
from handbook.authoring.planned_change import PlannedChange, check_order
from handbook.diagnostics import did_you_mean
from handbook.handbook import Handbook
from handbook.records.adr import Adr
from handbook.vocabulary import ADR_NEXT_STATUSES

_NUMBER: Final = re.compile(r"(?:ADR[- ]?)?(?P<number>[0-9]{1,4})", re.IGNORECASE)


def find_adr(handbook: Handbook, name: str) -> Adr:
    """Return the decision with an id, such as ADR-0007 or 7, or with a path.

    Raises CannotChangeError if there is no such decision, or if two files have the id.
    """
    path = name.removeprefix("./")
    if isinstance(adr := handbook.documents.get(path), Adr):
        return adr
    match = _NUMBER.fullmatch(name)
    id = f"ADR-{match['number'].zfill(4)}" if match else name
    adrs = [adr for adr in handbook.of(Adr) if adr.id == id]
    if len(adrs) > 1:
        paths = " and ".join(adr.path for adr in adrs)
        raise CannotChangeError(
            f"{id} is the number of {paths}; write the path instead of the id, or renumber one: "
            f"handbook adr renumber {adrs[-1].path}"
        )
    if not adrs:
        hint = did_you_mean(id, (adr.id for adr in handbook.of(Adr)))
        raise CannotChangeError(f"unknown decision '{name}'{f'; {hint}' if hint else ''}")
    return adrs[0]


def accept(change: PlannedChange, adr: Adr, day: date, deciders: Sequence[str] = ()) -> None:
    """Accept a decision. The decisions that it supersedes become superseded.

    Raises CannotChangeError.
    """
    _decide(change, adr, "accepted", day, deciders)
    for id in adr.supersedes:
        _supersede(change, find_adr(change.handbook, id), adr, day)


def reject(change: PlannedChange, adr: Adr, day: date, deciders: Sequence[str] = ()) -> None:
    """Reject a decision. Raises CannotChangeError."""
    _decide(change, adr, "rejected", day, deciders)


def deprecate(change: PlannedChange, adr: Adr, day: date) -> None:
    """Deprecate a decision, which nothing replaces. Raises CannotChangeError."""
    _set_status(change, adr, "deprecated", day)


def supersede(change: PlannedChange, old: Adr, new: Adr, day: date) -> None:
    """Record that a decision replaces another one.

    While the new decision is proposed, the old one stays in force. It becomes superseded when the
    new one is accepted. Raises CannotChangeError.
    """
    if old is new:
        raise CannotChangeError(f"{old.id} cannot supersede itself")
    if new.status == "proposed":
        _refuse_unless_in_force(old)
        change.edit(new).add_value("supersedes", old.id)
        change.notes.append(f"{old.id} stays in force until {new.id} is accepted")
        return
    if new.status != "accepted":
        raise CannotChangeError(
            f"{new.id} is {new.status or 'without a status'}; only a proposed or accepted decision "
            "can supersede another"
        )
    _supersede(change, old, new, day)
    change.edit(new).add_value("supersedes", old.id)


def _decide(
    change: PlannedChange, adr: Adr, status: str, day: date, deciders: Sequence[str]
) -> None:
    _set_status(change, adr, status, day)
    if deciders and adr.deciders and set(deciders) != set(adr.deciders):
        raise CannotChangeError(
            f"{adr.path} has other deciders: {', '.join(adr.deciders)}; omit --deciders, or edit "
            "the file"
        )
    for name in deciders if not adr.deciders else ():
        change.edit(adr).add_value("deciders", name)
    if not deciders and not adr.deciders and adr.has_own_form and not adr.is_imported:
        raise CannotChangeError(f"{adr.id} has no deciders; add --deciders NAME")


def _supersede(change: PlannedChange, old: Adr, new: Adr, day: date) -> None:
    """Write the side of the old decision. Several decisions together can replace one."""
    if old.status != "superseded":
        if new.status == "accepted":
            check_order("date", new.path, new.date, day)
        _set_status(change, old, "superseded", day)
    change.edit(old).add_value("superseded_by", new.id)


def _refuse_unless_in_force(adr: Adr) -> None:
    if adr.status in ("proposed", "rejected"):
        next_step = "reject it instead" if adr.status == "proposed" else "it was never in force"
        raise CannotChangeError(f"{adr.id} is {adr.status} and cannot be superseded; {next_step}")


def _set_status(change: PlannedChange, adr: Adr, status: str, day: date) -> None:
    """Set the status and its date, and add the earlier status to the history."""
    if status == "superseded":
        _refuse_unless_in_force(adr)
    if adr.has_invalid_value("status") or adr.has_invalid_value("date"):
        raise CannotChangeError(f"{adr.path} has an invalid status or date; correct it first")
    if adr.status and status not in ADR_NEXT_STATUSES[adr.status]:
        allowed = " or ".join(ADR_NEXT_STATUSES[adr.status])
        next_step = f"it can become {allowed}" if allowed else "this status is final"
        raise CannotChangeError(f"{adr.id} is {adr.status} and cannot become {status}; {next_step}")
    check_order("date", adr.path, adr.date, day)
    editor = change.edit(adr)
    if adr.status and adr.date and adr.has_date_of_status:
        editor.add_to_history(adr.status, f"{adr.date}")
    editor.set_value("status", status)
    editor.set_value("date", f"{day}")
