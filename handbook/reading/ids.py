"""Ids in prose and in headings: how they are written, and the addresses that they make."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
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


class HeadingIds:
    """Gives the headings of one file their ids, as GitHub does: `same`, `same-1`, `same-2`.

    Until ADR-0021 a repeated heading had the id `same_1`, as Python-Markdown counts.
    """

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)
        self._taken_before = set(taken)
        self._counts: Counter[str] = Counter()
        self._last: dict[str, str] = {}

    def of(self, text: str) -> tuple[str, str | None]:
        """The id of the next heading, and the one that it had before ADR-0021 where that was another."""
        wanted = id = slug(text, "-")
        while id in self._taken or not id:
            self._counts[wanted] += 1
            id = f"{wanted}-{self._counts[wanted]}"
        self._taken.add(id)
        old = self._old(wanted)
        return id, old if old != id else None

    def _old(self, wanted: str) -> str:
        id = self._last.get(wanted, wanted)
        while id in self._taken_before or not id:
            counted = _COUNTED.match(id)
            id = f"{counted[1]}_{int(counted[2]) + 1}" if counted else f"{id}_1"
        self._taken_before.add(id)
        self._last[wanted] = id
        return id
