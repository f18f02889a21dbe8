"""Read the status that a file states, with the dates of its changes."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from handbook.authoring.importing.dates import DayOrder, find_dates
from handbook.authoring.importing.statements import Statement

_WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_BEFORE_WORD: Final = " \t[(\"'-–—"
_SPELLINGS: Final[Mapping[str, str]] = {"superceded": "superseded"}
"""Spellings of a status. adr-tools writes "Superceded by"."""
_OPEN: Final = re.compile(r"\s*(?:\?|→|->|=>)")
"""What follows a status that is not certain, or that has changed."""
_CHOICE: Final = re.compile(r"\s*(?:\||/|\bor\b)[\s\W]*(?P<next>[^\W\d_]+)", re.IGNORECASE)
"""What follows a status that can be one of several."""
_PICTURE: Final = re.compile(r"^\s*(?::[a-z0-9_+-]+:\s*)+")
_DATE_AFTER: Final = re.compile(r"[\s(,:–—-]*(?:(?:on|since|as of)\s+)?", re.IGNORECASE)
_ONLY_STATUS: Final = re.compile(r"\s*(?:\(.*\))?\s*[.;:]?\s*", re.DOTALL)
_SUCCESSOR: Final = re.compile(r"[\s-]+by\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StatedStatus:
    """A status that a file states. `is_alone` is True if no other text follows it."""

    word: str
    line: int
    place: str
    day: date | None = None
    is_alone: bool = True


@dataclass(frozen=True, slots=True)
class StatusChoice:
    """The present status of a record, its earlier statuses, and the conflicts between them."""

    status: StatedStatus | None
    history: tuple[StatedStatus, ...] = ()
    conflicts: tuple[str, ...] = ()


def read_status(
    statement: Statement,
    statuses: Collection[str],
    words: Mapping[str, str],
    order: DayOrder | None = None,
) -> StatedStatus | None:
    """Return the status that a statement gives, or None.

    `words` maps other words to statuses. Such a word is the whole text without what is in
    parentheses, or the first word. A text that gives a choice of statuses states none.
    """
    text = statement.text
    stated = next(find_dates(text, order), None)
    day = None
    if stated and not text[: stated.start].strip(" \t(["):
        day = stated.day
        text = text[stated.start + len(stated.text) :].lstrip(" \t)]:：,-–—")
    folded = {word.casefold(): status for word, status in words.items()}
    whole = re.sub(r"\s*\(.*?\)", "", text).strip(" .;,").casefold()
    if whole in folded:
        return StatedStatus(folded[whole], statement.line, statement.place, day)
    text = _PICTURE.sub("", text)
    match = _WORD.search(text)
    if match is None or _strip_pictures(text[: match.start()]).strip(_BEFORE_WORD):
        return None
    rest = text[match.end() :]
    word = _SPELLINGS.get(match[0].casefold(), match[0].casefold())
    status = folded.get(word) or (word if word in statuses else None)
    other = _CHOICE.match(rest)
    is_choice = other is not None and other["next"].casefold() in {*statuses, *folded}
    if status is None or is_choice or _OPEN.match(rest):
        return None
    if day is None and stated and (gap := _DATE_AFTER.match(rest)):
        shift = len(statement.text) - len(rest)
        day = stated.day if stated.start == shift + gap.end() else None
    has_successor = status == "superseded" and _SUCCESSOR.match(rest) is not None
    is_alone = bool(_ONLY_STATUS.fullmatch(rest)) or has_successor or day is not None
    return StatedStatus(status, statement.line, statement.place, day, is_alone)


def _strip_pictures(text: str) -> str:
    """Remove pictures such as a green tick, with their invisible parts."""
    return "".join(
        character
        for character in text
        if unicodedata.category(character) not in ("So", "Sk", "Mn", "Cf")
    )


def choose_status(statuses: Sequence[StatedStatus]) -> StatusChoice:
    """Return the present status. Different statuses without dates are a conflict."""
    by_place: dict[str, list[StatedStatus]] = defaultdict(list)
    for status in statuses:
        by_place[status.place].append(status)
    present: list[StatedStatus] = []
    history: list[StatedStatus] = []
    for stated in by_place.values():
        dated = sorted(
            (status for status in stated if status.day), key=lambda status: status.day or date.min
        )
        if dated and len({status.day for status in dated}) == len(dated):
            present.append(dated[-1])
            history = dated[:-1]
        else:
            present += _choose_without_dates(stated)
    if len({status.word for status in present}) > 1:
        places = " and ".join(f"'{status.word}' on line {status.line}" for status in present)
        return StatusChoice(None, (), (f"status {places}",))
    return StatusChoice(present[0] if present else None, tuple(history))


def _choose_without_dates(stated: Sequence[StatedStatus]) -> list[StatedStatus]:
    """Return the statuses of one place that count: the first, and others that are alone.

    A later "superseded" replaces an earlier "accepted", as adr-tools writes it.
    """
    counting = [status for index, status in enumerate(stated) if index == 0 or status.is_alone]
    last = counting[-1]
    if last.word == "superseded" and {status.word for status in counting[:-1]} <= {
        "accepted",
        "superseded",
    }:
        return [last]
    return counting
