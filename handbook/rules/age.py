"""How old a date may become: the warnings that read today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from handbook.diagnostics import Finding
from handbook.records import Record
from handbook.rules.engine import Context


def too_old(
    record: Record, key: str, days: int | None, hint: str, context: Context
) -> Iterator[Finding]:
    """A finding where the date under a key is more than `days` days ago; none for samples, and without a limit."""
    day: date | None = getattr(record, key)
    if day and days and not record.example and day + timedelta(days=days) < context.today:
        yield Finding(record.at(key), f"{key} on {day}, more than {days} days ago", hint)
