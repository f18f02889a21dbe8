"""Ids in prose and in headings: how they are written, and the addresses that they make."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from pymdownx.slugs import slugify

# What may not stand before the first letter is looked at after it, so that a search need only stop at capitals.
ID: Final = re.compile(r"[A-Z](?<![\w./-][A-Z])[A-Z0-9]{1,9}-[0-9]{1,4}(?:\.[0-9]{1,3})?(?![\w-])")
"""How an id of a record, a rule of a standard or an item of the checklist is written in prose."""

EXPLICIT_ID: Final = re.compile(r"\s+\{#([A-Za-z][\w.-]*)\}\s*$")
"""An id that an author gives to a heading, at its end."""

RULE_ITEM: Final = re.compile(rf"\*\*({ID.pattern})\*\*")
"""How a list item begins that has an id of its own."""

_COUNTED: Final = re.compile(r"^(.*)_([0-9]+)$")

slug: Callable[[str, str], str] = slugify(case="lower")
"""(text, separator) → the id of a heading; the one slug function, used by the gate and by the site."""


def anchor(id: str) -> str:
    """The address within a page of what has an id: `STD-05.3` → `std-05-3`."""
    return id.lower().replace(".", "-")


def own_id(level: int, text: str) -> str | None:
    """The id that a heading's text gives it: that of an item of the checklist which an H3 begins with."""
    match = ID.match(text) if level == 3 else None
    return anchor(match[0]) if match else None


def unique(wanted: str, taken: set[str], given: dict[str, str]) -> str:
    """An id that is not yet taken, counted as Python-Markdown's toc extension counts: `a`, `a_1`, `a_2`.

    `given` remembers the last id that was given for what was wanted, so that ten thousand are not counted anew.
    """
    candidate = given.get(wanted, wanted)
    while candidate in taken or not candidate:
        counted = _COUNTED.match(candidate)
        candidate = f"{counted[1]}_{int(counted[2]) + 1}" if counted else f"{candidate}_1"
    taken.add(candidate)
    given[wanted] = candidate
    return candidate
