"""What readers see: one module a page, from the handbook to Markdown, HTML or JSON, with the templates beside them.

A view never reads a file, the clock or the network; everything it shows is in the handbook that it is given. Addresses
are relative to the page that is shown (`here`, its own address relative to the site's root).
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

from handbook.reading.addresses import relative

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
"""How a word is coloured; the word itself says what it means."""


def duration(value: timedelta | None) -> str:
    """A duration as people write it, `1 h 5 min`; "n/a" where it is not known."""
    if value is None:
        return "n/a"
    minutes = round(value.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (rest, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 min"


def moment(value: datetime) -> str:
    """A time as it is shown, in UTC: `2026-05-15 10:14 UTC`."""
    return f"{value:%Y-%m-%d %H:%M} UTC"


def fence(text: str, language: str) -> str:
    """The text as a block of code, whatever fences it holds itself."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    mark = "`" * max(3, longest + 1)
    shown = text.replace("--8<--", ";--8<--")  # what names a listing is shown here, not followed
    return f"{mark}{language}\n{shown}\n{mark}"


@dataclass(frozen=True, slots=True)
class Facet:
    """A list to filter a table by: its title, the data attribute of the rows, and the words that they have."""

    title: str
    name: str
    values: list[str]


def facet(title: str, name: str, values: Iterable[object]) -> Facet:
    """The facet of the words that rows have, sorted, each once; rows without one are passed over."""
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
    environment.globals["relative"] = relative
    environment.filters |= {"duration": duration, "moment": moment}
    environment.filters["tone"] = lambda word: TONES.get(str(word).lower(), "gone")
    return environment


def render(template: str, **values: Any) -> str:
    """A template of this package, filled in; values are escaped for HTML."""
    return _environment().get_template(template).render(**values)
