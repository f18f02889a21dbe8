"""Find durations, percentages and times of day in prose.

Only forms with one possible meaning are read: digits with a unit. Number words, decimal commas,
thousands separators and ranges such as "5–10 minutes" are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from typing import Final


class Bound(Enum):
    """The relation of a stated quantity to the actual one."""

    EXACT = auto()
    AT_LEAST = auto()
    AT_MOST = auto()
    VAGUE = auto()


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity in a text, in seconds or in percent.

    `step` is the value of one unit in its last digit: 60 for "42 minutes", 0.1 for "99.9%".
    `start` is the offset of its qualifier, such as "more than", or else of its number.
    """

    text: str
    value: Fraction
    step: Fraction
    bound: Bound
    start: int
    end: int

    def agrees_with(self, actual: Fraction, slack: Fraction = Fraction(0)) -> bool:
        """Return whether an actual value can be written as this quantity.

        A value that is rounded up or down to the last digit agrees. `slack` is the uncertainty of
        the actual value.
        """
        tolerance = max(self.step, slack)
        match self.bound:
            case Bound.EXACT:
                return abs(self.value - actual) < tolerance
            case Bound.AT_LEAST:
                return actual > self.value - tolerance
            case Bound.AT_MOST:
                return actual < self.value + tolerance
            case Bound.VAGUE:
                return True


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A time of day in a text. `is_utc` is True if the text says that it is in UTC."""

    text: str
    minute_of_day: int
    is_utc: bool
    start: int
    end: int


_SECONDS: Final = {
    "ms": Fraction(1, 1000),
    "millisecond": Fraction(1, 1000),
    "s": Fraction(1),
    "sec": Fraction(1),
    "second": Fraction(1),
    "m": Fraction(60),
    "min": Fraction(60),
    "minute": Fraction(60),
    "h": Fraction(3600),
    "hr": Fraction(3600),
    "hour": Fraction(3600),
    "d": Fraction(86_400),
    "day": Fraction(86_400),
    "w": Fraction(604_800),
    "week": Fraction(604_800),
}
_NUMBER: Final = r"([0-9]{1,7}(?:\.[0-9]{1,6})?)"
_NOT_INSIDE: Final = r"(?<![\w.,:/$€£#+–—-])"
_PERCENTAGE: Final = re.compile(rf"{_NOT_INSIDE}{_NUMBER}\s?(?:%|per ?cent\b)(?![\w-])")
_UNIT: Final = (
    r"(?:[\s-]?((?:millisecond|second|minute|hour|day|week|sec|min|hr)s?|ms|s|h)|([mdw]))"
    r"(?![\w/²³])"
)
"""A unit of time. `m` can also mean metres, so that it must follow its number directly."""
_PART: Final = re.compile(_NUMBER + _UNIT)
_DURATION: Final = re.compile(_NOT_INSIDE + _NUMBER + _UNIT)
_COMPACT: Final = re.compile(rf"{_NOT_INSIDE}(?:[0-9]{{1,7}}(?:ms|[smhdw])){{2,6}}(?!\w)")
"""A duration with several parts, such as `1h30m`."""
_COMPACT_PART: Final = re.compile(r"([0-9]+)(ms|[smhdw])")
_JOINT: Final = re.compile(r",?\s+(?:and\s+)?(?=[0-9])")
_CLOCK: Final = re.compile(
    r"(?<![\w.,:/T+-])([01]?[0-9]|2[0-3]):([0-5][0-9])(?::[0-5][0-9])?"
    r"(\s?\(?(?:UTC|GMT|Z)\b)?(?![\w:]|\.[0-9])"
)
_OTHER_ZONE: Final = re.compile(
    r"\s*\(?(?:[A-Z]{2,5}\b|[ap]\.?m\b|[AP]\.?M\b|local\b|[+−][0-9]|[A-Z][a-z]+ time\b)"
)
_QUALIFIERS: Final = tuple(
    (bound, re.compile(rf"(?<!\w)(?:{words})\s*\Z", re.IGNORECASE))
    for bound, words in (
        (
            Bound.VAGUE,
            r"about|around|approximately|approx\.?|roughly|nearly|almost|some|circa|ca\.?|[~≈±]"
            r"|close to|(?:just|well|slightly|a (?:little|bit))(?: (?:over|under|above|below))?"
            r"|(?:first|last|next|past|previous|final|other|every|each|another|further|extra"
            r"|additional|not)(?: (?:more|less|longer) than)?",
        ),
        (
            Bound.AT_MOST,
            r"at most|(?:less|fewer|shorter|lower|smaller|no more|no longer) than|under|below"
            r"|up to|within|[<≤]=?",
        ),
        (
            Bound.AT_LEAST,
            r"at least|(?:more|longer|greater|higher|larger|no less) than|over|above|beyond"
            r"|exceed(?:s|ed|ing)?|[>≥]=?",
        ),
    )
)
_LONGEST_QUALIFIER: Final = 30
_RANGE_BEFORE: Final = re.compile(
    r"(?:[0-9]\s?(?:%|[a-z]{1,12})?\s*(?:[-–—]|\b(?:to|and|or)\b)|\bbetween)\s*\Z", re.IGNORECASE
)
_RANGE_AFTER: Final = re.compile(
    r"\s*(?:[-–—/]\s*[0-9]|(?:to|or)\s+[0-9]"
    r"|or (?:so|more|less|longer|shorter|higher|lower|above|below|over)\b|\+)"
)


def find_percentages(text: str) -> Iterator[Quantity]:
    """Yield the percentages in a text, such as "5 %", "99.9%" and "5 percent"."""
    for match in _PERCENTAGE.finditer(text):
        if not _is_range(text, match.start(), match.end()):
            value, step = _read_number(match[1])
            yield _qualify(text, value, step, match.start(), match.end())


def find_durations(text: str) -> Iterator[Quantity]:
    """Yield the durations in a text, such as "42 minutes", "1 h 30 min" and "5m"."""
    position = 0
    while match := _DURATION.search(text, position):
        start, end = match.span()
        value, step = _read_part(match)
        while (joint := _JOINT.match(text, end)) and (part := _PART.match(text, joint.end())):
            part_value, part_step = _read_part(part)
            if part_step >= step:
                break
            value, step, end = value + part_value, part_step, part.end()
        position = end
        if not _is_range(text, start, end):
            yield _qualify(text, value, step, start, end)
    for match in _COMPACT.finditer(text):
        parts = [(int(number), _SECONDS[unit]) for number, unit in _COMPACT_PART.findall(match[0])]
        value = sum((number * unit for number, unit in parts), Fraction(0))
        yield _qualify(text, value, min(unit for _, unit in parts), match.start(), match.end())


def find_clock_times(text: str) -> Iterator[ClockTime]:
    """Yield the times of day in a text that are in UTC or in no stated zone, such as "10:42"."""
    for match in _CLOCK.finditer(text):
        if match[3] or not _OTHER_ZONE.match(text, match.end()):
            minute_of_day = int(match[1]) * 60 + int(match[2])
            yield ClockTime(
                text[match.start() : match.end(2)],
                minute_of_day,
                bool(match[3]),
                match.start(),
                match.end(),
            )


def read_duration(text: str) -> Fraction | None:
    """Return the seconds of a text that is only a duration, such as "15m", or None."""
    quantity = next(find_durations(text), None)
    if quantity is None or (quantity.start, quantity.end) != (0, len(text)):
        return None
    return quantity.value


def read_percentage(text: str) -> Fraction | None:
    """Return the value of a text that is only a percentage, such as "99.9%", or None."""
    quantity = next(find_percentages(text), None)
    if quantity is None or (quantity.start, quantity.end) != (0, len(text)):
        return None
    return quantity.value


def _read_number(number: str) -> tuple[Fraction, Fraction]:
    """Return the value of a decimal number, and the value of one unit in its last digit."""
    return Fraction(number), Fraction(1, 10 ** len(number.partition(".")[2]))


def _read_part(match: re.Match[str]) -> tuple[Fraction, Fraction]:
    """Return the seconds of a number with a unit, and of one unit in its last digit."""
    unit = match[2] or match[3]
    seconds = _SECONDS.get(unit) or _SECONDS[unit.removesuffix("s")]
    value, step = _read_number(match[1])
    return value * seconds, step * seconds


def _is_range(text: str, start: int, end: int) -> bool:
    """Return whether a quantity is the start or the end of a range."""
    before = text[max(0, start - _LONGEST_QUALIFIER) : start]
    return bool(_RANGE_BEFORE.search(before) or _RANGE_AFTER.match(text, end))


def _qualify(text: str, value: Fraction, step: Fraction, start: int, end: int) -> Quantity:
    """Make a quantity with the bound of the words in front of it."""
    window_start = max(0, start - _LONGEST_QUALIFIER)
    before = text[window_start:start]
    bound, qualifier_start = Bound.EXACT, start
    for candidate, qualifier in _QUALIFIERS:
        if match := qualifier.search(before):
            bound, qualifier_start = candidate, window_start + match.start()
            break
    return Quantity(" ".join(text[start:end].split()), value, step, bound, qualifier_start, end)
