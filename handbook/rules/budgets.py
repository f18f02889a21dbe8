"""Find error budgets in prose that contradict the objectives of a service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from handbook.diagnostics import Location
from handbook.handbook import Handbook
from handbook.reading import nodes
from handbook.reading.quantities import (
    Bound,
    Quantity,
    find_durations,
    find_percentages,
)
from handbook.records import Record
from handbook.records.postmortem import Postmortem
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.rules.incidents import span_of
from handbook.rules.prose import Prose, read_prose

_DAY: Final = Fraction(86_400)
_WINDOWS: Final = {
    "week": (7 * _DAY,),
    "month": (*(days * _DAY for days in range(28, 32)), _DAY * 365 / 12),
    "year": (365 * _DAY, 366 * _DAY, _DAY * 1461 / 4),
}
"""The possible lengths of calendar windows, in seconds."""
_BUDGET: Final = re.compile(r".*\bbudget\s?(?:of|is|:|=)", re.IGNORECASE)
_BUDGET_WORDS: Final = (
    "budget:",
    *(f"budget{space}{word}" for space in " \n" for word in ("of", "is", "=")),
)
_WINDOW_AFTER: Final = re.compile(
    r"\s?(?:a|an|per|every|each|in|over|of|for|within|/)\s?(?:a |an |every |each |any )?"
    r"(?:calendar )?(?:(week|month|year)\b|([0-9]{1,3}) days\b)",
    re.IGNORECASE,
)
_NO_WINDOW: Final = re.compile(r"\s?(?:[.,;:)!]|$)")
_OBJECTIVE_BEFORE: Final = re.compile(
    r".*\s(?:over|in|of|for|per|a)\s(?:a |every )?(?:([0-9]{1,3}) days|(week|month|year))\b.*",
    re.IGNORECASE,
)
_SHARE: Final = re.compile(
    r".*\btime (?:until|to) (?P<end>mitigat|resol)(?:ion|e|ution|ve) (?:used|took|spent)",
    re.IGNORECASE,
)
_OF_BUDGET: Final = re.compile(r" of (?:it|(?:the|this) (?:error )?budget)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StatedObjective:
    """An objective of a service, as the author wrote it. `window` is in seconds."""

    name: str
    text: str
    percent: Fraction
    at: Location
    window: Fraction | None
    window_text: str
    window_at: Location


@dataclass(frozen=True, slots=True)
class WrongBudget:
    """An error budget in prose, with the objective that it contradicts."""

    prose: Prose
    quantity: Quantity
    objective_text: str
    objective_at: Location
    expected: str


@dataclass(frozen=True, slots=True)
class WrongShare:
    """A share of an error budget in a post-mortem, with the moment that it contradicts."""

    prose: Prose
    quantity: Quantity
    key: str
    moment_at: Location
    expected: str


def read_objectives(service: Service) -> Iterator[StatedObjective]:
    """Yield the valid objectives of a service, with their locations."""
    rows = service.mapping.find("slos") if service.mapping else None
    for row in rows.items if isinstance(rows, nodes.Sequence) else ():
        if not isinstance(row, nodes.Mapping):
            continue
        name, objective, window = (row.find(key) for key in ("name", "objective", "window"))
        if not (isinstance(name, nodes.Scalar) and isinstance(objective, nodes.Scalar)):
            continue
        if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,9})?", objective.text):
            has_window = isinstance(window, nodes.Scalar)
            yield StatedObjective(
                name.text,
                objective.text,
                Fraction(objective.text),
                objective.at,
                _read_days(window),
                window.text if isinstance(window, nodes.Scalar) else "",
                window.at if window is not None and has_window else objective.at,
            )


def _read_days(window: nodes.Node | None) -> Fraction | None:
    """Return the seconds of a window such as `30d`, or None if it is invalid."""
    text = window.text if isinstance(window, nodes.Scalar) else ""
    return int(text[:-1]) * _DAY if re.fullmatch(r"[0-9]{1,4}d", text) else None


def states_budget(record: Record) -> bool:
    """Return False if a record certainly states no budget. The test is cheap for a long text."""
    return "budget" in record.source.text.lower()


def find_wrong_budgets(
    record: Service | Runbook | Postmortem, handbook: Handbook
) -> Iterator[WrongBudget]:
    """Yield the error budgets in the prose of a record that no objective of its service allows."""
    for prose in read_prose(record, _BUDGET_WORDS):
        for quantity in find_durations(prose.text):
            if budget := _check_budget(prose, quantity, record, handbook):
                yield budget


def _objectives_of(
    record: Service | Runbook | Postmortem, handbook: Handbook
) -> Iterator[StatedObjective]:
    """Yield the objectives of the services of a record."""
    match record:
        case Service():
            yield from read_objectives(record)
        case Runbook():
            service = handbook.get(Service, record.service)
            yield from read_objectives(service) if service else ()
        case Postmortem():
            for id in record.services:
                service = handbook.get(Service, id)
                yield from read_objectives(service) if service else ()


def _check_budget(
    prose: Prose,
    quantity: Quantity,
    record: Service | Runbook | Postmortem,
    handbook: Handbook,
) -> WrongBudget | None:
    """Return the contradiction of an error budget, or None if it is right or not certain."""
    before, after = prose.before(quantity.start), prose.after(quantity.end)
    if quantity.bound is Bound.VAGUE or not _BUDGET.fullmatch(before):
        return None
    window_match = _WINDOW_AFTER.match(after)
    if not window_match and not _NO_WINDOW.match(after):
        return None
    windows = _read_windows(window_match[1], window_match[2]) if window_match else ()
    percentages = list(find_percentages(before))
    if len(percentages) == 1 and (stated := _OBJECTIVE_BEFORE.fullmatch(before)):
        percent, text = percentages[0].value, percentages[0].text
        windows = windows or _read_windows(stated[2], stated[1])
        return _compare(prose, quantity, [(percent, windows, text, prose.at(quantity.start))])
    objectives = list(_objectives_of(record, handbook))
    if percentages or any(objective.percent < 1 for objective in objectives):
        return None
    return _compare(
        prose,
        quantity,
        [
            (
                objective.percent,
                windows or ((objective.window,) if objective.window else ()),
                f"{objective.name} {objective.text}%",
                objective.at,
            )
            for objective in objectives
            if objective.percent < 100
        ],
    )


def _read_windows(name: str | None, days: str | None) -> tuple[Fraction, ...]:
    return _WINDOWS[name.lower()] if name else (int(days) * _DAY,) if days else ()


def _compare(
    prose: Prose,
    quantity: Quantity,
    candidates: list[tuple[Fraction, tuple[Fraction, ...], str, Location]],
) -> WrongBudget | None:
    """Return the contradiction of a budget with all candidates, or None if one agrees.

    A candidate has a percentage, its possible windows, its text and its location.
    """
    if not candidates or not all(windows for _, windows, _, _ in candidates):
        return None
    for percent, windows, _, _ in candidates:
        if any(quantity.agrees_with(window * (100 - percent) / 100) for window in windows):
            return None
    percent, windows, text, at = candidates[0]
    window = windows[len(windows) // 2]
    minutes = float(window * (100 - percent) / 100 / 60)
    return WrongBudget(prose, quantity, text, at, f"{minutes:.6g} minutes")


def find_wrong_shares(postmortem: Postmortem) -> Iterator[WrongShare]:
    """Yield the shares of an error budget that the times of a post-mortem contradict.

    The sentence must state the budget, as in "The error budget is 43.2 minutes, and the time until
    mitigation used 72% of it."
    """
    for prose in read_prose(postmortem, _BUDGET_WORDS):
        for quantity in find_percentages(prose.text):
            before = prose.before(quantity.start)
            form = _SHARE.fullmatch(before)
            if not form or not _OF_BUDGET.match(prose.after(quantity.end)):
                continue
            key = "mitigated" if form["end"].lower() == "mitigat" else "resolved"
            span = span_of(postmortem, ("started", key))
            budgets = [
                duration
                for duration in find_durations(before)
                if _BUDGET.fullmatch(before[: duration.start].rstrip())
            ]
            if span is None or len(budgets) != 1 or budgets[0].bound is not Bound.EXACT:
                continue
            actual = Fraction(span.total_seconds()) / budgets[0].value * 100
            if not quantity.agrees_with(actual):
                at = postmortem.at(key)
                yield WrongShare(prose, quantity, key, at, f"{round(float(actual))}%")
