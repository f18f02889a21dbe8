"""Ids in prose and in headings, and the anchors that they make."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from typing import Final

from pymdownx.slugs import slugify

# The lookbehind comes after the first letter: a search stops only at capitals, which is faster.
ID: Final = re.compile(r"[A-Z](?<![\w./-][A-Z])[A-Z0-9]{1,9}-[0-9]{1,4}(?:\.[0-9]{1,3})?(?![\w-])")
"""An id in prose: of a record, a requirement or a checklist item."""

EXPLICIT_ID: Final = re.compile(r"\s+\{#([A-Za-z][\w.-]*)\}\s*$")
"""An id that an author writes at the end of a heading."""

RULE_ITEM: Final = re.compile(rf"\*\*({ID.pattern})\*\*")
"""The start of a list item that has an id."""

_COUNTED: Final = re.compile(r"^(.*)_([0-9]+)$")

slug: Callable[[str, str], str] = slugify(case="lower")
"""(text, separator) → the id of a heading. The checks and the site use this one function."""


def anchor(id: str) -> str:
    """Return the anchor of an id on its page: `STD-05.3` → `std-05-3`."""
    return id.lower().replace(".", "-")


def find_item_anchor(level: int, text: str) -> str | None:
    """Return the anchor of the checklist item that an H3 explains, or None."""
    match = ID.match(text) if level == 3 else None
    return anchor(match[0]) if match else None


class HeadingIds:
    """Give the headings of one file their ids, as GitHub does: `same`, `same-1`, `same-2`.

    Until ADR-0021 a repeated heading had the id `same_1`, as Python-Markdown counts.
    """

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)
        self._old_taken = set(taken)
        self._counts: Counter[str] = Counter()
        self._last_old: dict[str, str] = {}

    def of(self, text: str) -> tuple[str, str | None]:
        """Return the id of the next heading, and its id before ADR-0021 if that differs."""
        base = id = slug(text, "-")
        while id in self._taken or not id:
            self._counts[base] += 1
            id = f"{base}-{self._counts[base]}"
        self._taken.add(id)
        old_id = self._count_old_id(base)
        return id, old_id if old_id != id else None

    def _count_old_id(self, base: str) -> str:
        id = self._last_old.get(base, base)
        while id in self._old_taken or not id:
            counted = _COUNTED.match(id)
            id = f"{counted[1]}_{int(counted[2]) + 1}" if counted else f"{id}_1"
        self._old_taken.add(id)
        self._last_old[base] = id
        return id
