"""Check the age of a date in a record, such as the date of its last review."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from handbook.diagnostics import Finding
from handbook.records import Record
from handbook.rules.engine import Context


def check_age(
    record: Record, key: str, max_days: int | None, hint: str, context: Context
) -> Iterator[Finding]:
    """Report the date under `key` if it is more than `max_days` days before today.

    Example records are exempt. If `max_days` is None, the result is empty.
    """
    day: date | None = getattr(record, key)
    if day and max_days and not record.example and day + timedelta(max_days) < context.today:
        yield Finding(record.at(key), f"'{key}: {day}' is more than {max_days} days ago", hint)
