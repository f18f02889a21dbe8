"""Problems that reading finds in a file. One rule reports each kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from handbook.diagnostics import Finding


class ProblemKind(StrEnum):
    """The kinds of problem that reading finds. A rule names its kind in `reports`."""

    UNREADABLE_FILE = "unreadable-file"
    MISSING_FRONT_MATTER = "missing-front-matter"
    UNKNOWN_KEY = "unknown-key"
    DUPLICATE_KEY = "duplicate-key"
    UNKNOWN_VALUE = "unknown-value"
    WRONG_TYPE = "wrong-type"
    MISSING_KEY = "missing-key"
    INVALID_DATE = "invalid-date"
    EMPTY_VALUE = "empty-value"
    DUPLICATE_VALUE = "duplicate-value"
    PLACEHOLDER = "placeholder"
    UNKNOWN_POLICY = "unknown-policy"
    UNSAFE_ATTACHMENT = "unsafe-attachment"


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding of the reading, and the kind that selects its rule."""

    kind: ProblemKind
    finding: Finding
