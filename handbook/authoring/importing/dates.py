"""Read dates as people write them. An ambiguous date has no value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH: Final = rf"(?P<month>{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in _MONTHS)}|sept)\.?"
_DATE: Final = re.compile(
    r"(?<![A-Za-z0-9_/.-])(?:"
    r"(?P<iso>[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?:(?=T[0-9]{2}:)|(?![0-9])))"
    r"|(?P<ideographs>[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日)"
    r"|(?P<numbers>[0-9]{1,2}[/.-][0-9]{1,2}[/.-](?:[0-9]{4}|[0-9]{2}))"
    rf"|(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+(?P<year>[0-9]{{4}})"
    rf"|{_MONTH.replace('month', 'first')}\s+(?P<second>[0-9]{{1,2}})(?:st|nd|rd|th)?,?\s+"
    r"(?P<third>[0-9]{4})"
    r")(?=T[0-9]{2}:|(?![A-Za-z0-9_/-]|\.[0-9]))",
    re.IGNORECASE,
)
_CENTURY: Final = 2000
"""The century of a year with two digits. No record is older than these repositories."""


class DayOrder(StrEnum):
    """The order of day and month in a date such as 03/04/2021."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


@dataclass(frozen=True, slots=True)
class StatedDate:
    """A date in a text. `day` is None if it is ambiguous or does not exist."""

    text: str
    start: int
    day: date | None


def find_dates(text: str, order: DayOrder | None = None) -> Iterator[StatedDate]:
    """Yield the dates in a text. Without `order`, a date such as 03/04/2021 is ambiguous."""
    for match in _DATE.finditer(text):
        yield StatedDate(match[0], match.start(), _read(match, order))


def read_compact_date(text: str) -> date | None:
    """Return the date of eight digits, such as 20220708, or None."""
    return _make(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None


def _read(match: re.Match[str], order: DayOrder | None) -> date | None:
    if match["iso"] or match["ideographs"]:
        year, month, day = map(int, re.findall("[0-9]+", match["iso"] or match["ideographs"]))
        return _make(year, month, day)
    if match["numbers"]:
        return _read_numbers(match["numbers"], order)
    if match["day"]:
        return _make(int(match["year"]), _month_number(match["month"]), int(match["day"]))
    return _make(int(match["third"]), _month_number(match["first"]), int(match["second"]))


def _read_numbers(text: str, order: DayOrder | None) -> date | None:
    """Return the date of three numbers.

    The year is the last number. A year of two digits can also be the first. Without an order, the
    date has a value only if all its readings that exist are the same day.
    """
    first, second, last = map(int, re.split(r"[/.-]", text))
    is_short = last < 100
    year = last + _CENTURY * is_short
    readings = {
        DayOrder.DAY_FIRST: _make(year, second, first),
        DayOrder.MONTH_FIRST: _make(year, first, second),
    }
    if order:
        return readings[order]
    year_first = _make(first + _CENTURY, second, last) if is_short else None
    days = {day for day in (*readings.values(), year_first) if day}
    return days.pop() if len(days) == 1 else None


def _month_number(name: str) -> int:
    prefix = name.lower()[:3]
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(prefix))


def _make(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
