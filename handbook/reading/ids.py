"""Ids in prose and in headings: how they are written, and the addresses that they make."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from pymdownx.slugs import slugify

# The lookbehind comes after the first letter, so that a search stops only at capitals.
ID: Final = re.compile(r"[A-Z](?<![\w./-][A-Z])[A-Z0-9]{1,9}-[0-9]{1,4}(?:\.[0-9]{1,3})?(?![\w-])")
"""How an id of a record, a rule of a standard or an item of the checklist is written in prose."""

EXPLICIT_ID: Final = re.compile(r"\s+\{#([A-Za-z][\w.-]*)\}\s*$")
"""An id that an author gives to a heading, at its end."""

RULE_ITEM: Final = re.compile(rf"\*\*({ID.pattern})\*\*")
"""The start of a list item that has its own id."""

_COUNTED: Final = re.compile(r"^(.*)_([0-9]+)$")

slug: Callable[[str, str], str] = slugify(case="lower")
"""(text, separator) → the id of a heading; the one slug function, used by the gate and by the site."""


def anchor(id: str) -> str:
    """The anchor of an id within its page: `STD-05.3` → `std-05-3`."""
    return id.lower().replace(".", "-")


def own_id(level: int, text: str) -> str | None:
    """The anchor of the checklist item whose id an H3 starts with; None for any other heading."""
    match = ID.match(text) if level == 3 else None
    return anchor(match[0]) if match else None


def unique(wanted: str, taken: set[str], given: dict[str, str]) -> str:
    """An id that is not yet taken, counted as Python-Markdown's toc extension counts: `a`, `a_1`, `a_2`.

    `given` maps a wanted id to the last one given for it, so that counting never starts over.
    """
    candidate = given.get(wanted, wanted)
    while candidate in taken or not candidate:
        counted = _COUNTED.match(candidate)
        candidate = f"{counted[1]}_{int(counted[2]) + 1}" if counted else f"{candidate}_1"
    taken.add(candidate)
    given[wanted] = candidate
    return candidate
