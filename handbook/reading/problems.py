"""What reading finds wrong in a file: a closed set of kinds, each reported by one rule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from handbook.diagnostics import Finding


class ProblemKind(StrEnum):
    """The kinds of problem that reading finds. A rule says by `reports` which one is its own."""

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
    """A finding of the reading, and its kind, which says which rule reports it."""

    kind: ProblemKind
    finding: Finding
