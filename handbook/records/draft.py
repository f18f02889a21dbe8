"""Input for a new record, passed to its kind by the command `handbook new`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

TODO: Final = "TODO"
"""Placeholder for a missing value."""


class IncompleteDraftError(ValueError):
    """Draft without a value that its kind needs; the message names the value."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Input for a new record."""

    name: str
    """Slug of the title."""
    values: Mapping[str, str]
    """Values from the author, as YAML, by key."""
    today: date
    existing_paths: frozenset[str]
    """Paths in use, in the work tree and in the base branch."""
    ids: Mapping[str, tuple[str, ...]]
    """Ids of the existing records, by kind."""

    def status(self, default: str) -> str:
        """Return the status from the author without quotes, or the default."""
        return self.values.get("status", default).strip("\"' ")
