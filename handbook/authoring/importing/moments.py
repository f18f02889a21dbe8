"""Read times of day with their zones as people write them. An ambiguous time has no value."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from handbook.authoring.importing.dates import DayOrder, find_dates

CLOCK: Final = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)?(?!:?[0-9])"
    r"(?:\s*(?P<half>[ap])\.?m\b\.?)?"
)
"""A time of day, such as `16:58` or `4:58 PM`."""
UTC_NAME: Final = r"(?:UTC|GMT|(?<=[0-9])Z)(?![\w+-]|\s*[+-][0-9])"
_ZONE: Final = (
    r"(?P<zone>(?:UTC|GMT)?\s?(?P<sign>[+-])(?P<hours>[0-9]{1,2})(?::?(?P<minutes>[0-9]{2}))?"
    r"|UTC|GMT|CET|CEST|Z)(?!\w)"
)
_MOMENT: Final = re.compile(rf"(?<![0-9:]){CLOCK}(?:\s*\(?{_ZONE}\)?)?", re.IGNORECASE)
_ALL_TIMES: Final = re.compile(
    r"\ball\s+(?:the\s+)?(?:times|timestamps)\s+(?:(?:are|given|shown|below|here)\s+)*(?:in\s+)?"
    r"\(?(?P<zone>[A-Za-z]+(?:[+-][0-9:]+)?)",
    re.IGNORECASE,
)
_FILLER: Final = re.compile(
    r"\W|_|\b(?:at|on|t|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?)\b",
    re.IGNORECASE,
)
_EUROPE: Final = {"CET": 1, "CEST": 2}
_MARCH, _OCTOBER = 3, 10


def read_zone(text: str) -> str | None:
    """Return the zone of all times of a text, such as `UTC`, if it states exactly one."""
    zones = {match["zone"].upper() for match in _ALL_TIMES.finditer(text)}
    return zones.pop() if len(zones) == 1 else None


def is_utc(zone: str | None) -> bool:
    """Return whether a zone is UTC."""
    return zone in ("UTC", "GMT", "Z")


def read_clock(match: re.Match[str]) -> time | None:
    """Return the time of day of a match of `CLOCK`, or None if it does not exist."""
    hour, minute = int(match["hour"]), int(match["minute"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (match["half"].lower() == "p")
    try:
        return time(hour, minute)
    except ValueError:
        return None


def read_moment(
    text: str, day: date | None, zone: str | None, order: DayOrder | None
) -> datetime | None:
    """Return the time that a text is, in UTC, or None.

    `day` and `zone` belong to the whole record, for a text without them. A text with other
    words, without a zone, or with a time that its zone does not have, has no value.
    """
    dates = list(find_dates(text, order))
    for stated in reversed(dates):
        text = text[: stated.start] + " " + text[stated.start + len(stated.text) :]
    matches = list(_MOMENT.finditer(text))
    if len(dates) > 1 or len(matches) != 1:
        return None
    match = matches[0]
    clock = read_clock(match)
    day = dates[0].day if dates else day
    if clock is None or day is None:
        return None
    if _FILLER.sub("", text[: match.start()] + " " + text[match.end() :]):
        return None
    local = datetime.combine(day, clock)
    offset = _read_offset(match, zone, local)
    try:
        return None if offset is None else (local - offset).replace(tzinfo=UTC)
    except OverflowError:
        return None


def _read_offset(match: re.Match[str], zone: str | None, local: datetime) -> timedelta | None:
    """Return the offset of a time from UTC, or None if it is not clear."""
    if match["sign"]:
        offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
        return -offset if match["sign"] == "-" else offset
    name = match["zone"].upper() if match["zone"] else zone
    if is_utc(name):
        return timedelta()
    if name in _EUROPE and (name == "CEST") == _is_summer(local):
        return timedelta(hours=_EUROPE[name])
    return None


def _is_summer(local: datetime) -> bool:
    """Return whether a local time in Central Europe is in summer time."""
    year = local.year
    start = datetime.combine(_last_sunday(year, _MARCH), time(2))
    return start <= local < datetime.combine(_last_sunday(year, _OCTOBER), time(3))


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)
