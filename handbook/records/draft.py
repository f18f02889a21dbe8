"""What a kind knows when a new record of it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

TODO: Final = "TODO"
"""What stands for a value that the author did not give."""


class IncompleteDraftError(ValueError):
    """A draft that lacks a value which its kind needs; the text says which."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of a record that is about to be written."""

    name: str
    """The title in lower case, joined by hyphens."""
    given: Mapping[str, str]
    """The author's values, as YAML, by key."""
    today: date
    taken: frozenset[str]
    """The paths that are taken, here and in the branch that this one will be merged into."""
    ids: Mapping[str, tuple[str, ...]]
    """The ids of the records that there are, by kind."""

    def status(self, default: str) -> str:
        """The status that the author gives, without quotes."""
        return self.given.get("status", default).strip("\"' ")
