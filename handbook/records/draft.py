"""The values for a new record, from the command `handbook new`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from handbook.records.forms import OWN_FORM

TODO: Final = "TODO"
"""The placeholder for a value that the author must still write."""


class IncompleteDraftError(ValueError):
    """Raised if a draft has no value that its kind needs. The message names the value."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The values for a new record."""

    name: str
    """The slug of the title."""
    values: Mapping[str, str]
    """The values that the author set, as YAML, by key."""
    today: date
    existing_paths: frozenset[str]
    """The paths that the work tree or the base branch already contains."""
    ids: Mapping[str, tuple[str, ...]]
    """The ids of the existing records, by kind."""
    form: str = OWN_FORM
    """The name of the form of the new record."""

    def status(self, default: str) -> str:
        """Return the status that the author set, without quotes, or else the default."""
        return self.values.get("status", default).strip("\"' ")
