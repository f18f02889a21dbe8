"""Views: one module per page, which turns the handbook into Markdown, HTML or JSON.

A view never reads a file, the clock or the network. It shows only values of the handbook. Links are
relative to the page of the view. `page_address` is that page's address from the site's root.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from handbook.reading.addresses import make_relative

TONES: Final[Mapping[str, str]] = {
    "accepted": "good",
    "published": "good",
    "pass": "good",
    "done": "good",
    "proposed": "open",
    "draft": "open",
    "in-review": "open",
    "unknown": "open",
    "open": "open",
    "deprecated": "gone",
    "superseded": "gone",
    "not-applicable": "gone",
    "dropped": "gone",
    "rejected": "bad",
    "fail": "bad",
    "waived": "note",
    "example": "note",
}
"""Colour of each badge. The text of the badge carries the meaning without the colour."""


def duration(value: timedelta | None) -> str:
    """Format a duration for people: `1 h 5 min`; "n/a" if it is unknown."""
    if value is None:
        return "n/a"
    minutes = round(value.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    amounts = ((days, "d"), (hours, "h"), (rest, "min"))
    return " ".join(f"{number} {unit}" for number, unit in amounts if number) or "0 min"


def moment(value: datetime) -> str:
    """Format a time in UTC: `2026-05-15 10:14 UTC`."""
    return f"{value:%Y-%m-%d %H:%M} UTC"


def fence(text: str, language: str) -> str:
    """Wrap a text in a Markdown code fence, longer than any fence in it."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    mark = "`" * max(3, longest + 1)
    escaped = text.replace("--8<--", ";--8<--")  # the escape keeps a listing from being included
    return f"{mark}{language}\n{escaped}\n{mark}"


@dataclass(frozen=True, slots=True)
class Facet:
    """Filter of a table: its label, the data attribute of the rows, and the values."""

    title: str
    name: str
    values: list[str]


def make_facet(title: str, name: str, values: Iterable[object]) -> Facet:
    """Make a facet from the sorted, unique values of the rows, without empty ones."""
    return Facet(title, name, sorted({str(value) for value in values if value not in (None, "")}))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.globals["relative"] = make_relative
    environment.filters |= {"duration": duration, "moment": moment}
    environment.filters["tone"] = lambda status: TONES.get(str(status).lower(), "gone")
    return environment


def render(template: str, **values: Any) -> str:
    """Render a template of this package. Values are escaped for HTML."""
    return _environment().get_template(template).render(**values)
