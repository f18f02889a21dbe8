"""Find ids in text and in headings, and make anchors from them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Final

from pymdownx.slugs import slugify

from handbook.diagnostics import did_you_mean, suggest

# The lookbehind comes after the first letter, so that a search tests it only at capital letters.
ID: Final = re.compile(r"[A-Z](?<![\w./-][A-Z])[A-Z0-9]{1,9}-[0-9]{1,4}(?:\.[0-9]{1,3})?(?![\w-])")
"""An id in a text, which names a record, a requirement or a checklist item."""

EXPLICIT_ID: Final = re.compile(r"\s+\{#([A-Za-z][\w.-]*)\}\s*$")
"""An id in braces that an author wrote at the end of a heading, such as `{#my-id}`."""

ITEM_WITH_ID: Final = re.compile(rf"\*\*({ID.pattern})\*\*")
"""The start of a list item that has an id, such as `**STD-05.3**`."""

CAMEL_CASE_BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""The boundary of two words in a name such as `OrderServiceDown`."""

_NUMBERED: Final = re.compile(r"(?P<prefix>[A-Z][A-Z0-9]*)-(?P<number>[0-9]{1,9})")
_COUNTED: Final = re.compile(r"^(.*)_([0-9]+)$")

slug: Callable[[str, str], str] = slugify(case="lower")
"""Make the id of a heading from its text and a separator. Checks and site both use this."""


def anchor(id: str) -> str:
    """Return the anchor of an id on its page, such as `std-05-3` for `STD-05.3`."""
    return id.lower().replace(".", "-")


def find_group(id: str) -> str:
    """Return the group of a checklist item, such as `SEC` for `SEC-03`."""
    return id.split("-")[0]


def find_item_anchor(level: int, text: str) -> str | None:
    """Return the anchor of the checklist item at the start of an H3, or None."""
    match = ID.match(text) if level == 3 else None
    return anchor(match[0]) if match else None


def read_number(id: str) -> tuple[str, int] | None:
    """Return the prefix and the number of an id such as SEC-1, or None."""
    match = _NUMBERED.fullmatch(id)
    return (match["prefix"], int(match["number"])) if match else None


def find_same_number(id: str, ids: Iterable[str]) -> str | None:
    """Return the id that has the prefix and the number of a misspelt id, such as SEC-1, or None."""
    number = read_number(id)
    if number is None:
        return None
    same_ids = (known_id for known_id in ids if known_id != id and read_number(known_id) == number)
    return next(same_ids, None)


def suggest_id(id: str, ids: Iterable[str]) -> str | None:
    """Return a hint that suggests the id that a misspelt id means, or None.

    Two ids with different numbers are never similar, because each number is the number of another
    record.
    """
    base, dot, requirement = id.partition(".")
    if not _NUMBERED.fullmatch(base):
        return did_you_mean(id, ids)
    same_id = find_same_number(base, ids)
    return suggest(f"{same_id}{dot}{requirement}") if same_id else None


class HeadingIds:
    """Makes the ids of the headings of one file, as GitHub does: `same`, `same-1`, `same-2`.

    It also makes the ids that the site had before ADR-0021, when Python-Markdown made them:
    `same`, `same_1`, `same_2`.
    """

    def __init__(self, taken_ids: Collection[str]) -> None:
        self._taken_ids = set(taken_ids)
        self._taken_old_ids = set(taken_ids)
        self._counts: Counter[str] = Counter()
        self._last_old_ids: dict[str, str] = {}

    def of(self, text: str) -> tuple[str, str | None]:
        """Return the id of the next heading with this text, and its old id or None.

        The old id is the id before ADR-0021. It is None if it equals the new id.
        """
        base = id = slug(text, "-")
        while id in self._taken_ids or not id:
            self._counts[base] += 1
            id = f"{base}-{self._counts[base]}"
        self._taken_ids.add(id)
        old_id = self._count_old_id(base)
        return id, old_id if old_id != id else None

    def _count_old_id(self, base: str) -> str:
        id = self._last_old_ids.get(base, base)
        while id in self._taken_old_ids or not id:
            match = _COUNTED.match(id)
            id = f"{match[1]}_{int(match[2]) + 1}" if match else f"{id}_1"
        self._taken_old_ids.add(id)
        self._last_old_ids[base] = id
        return id
