"""Problems that the reader of a file finds. For each kind of problem, one rule reports it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from handbook.diagnostics import Finding


class ProblemKind(StrEnum):
    """The kinds of problem. A rule names the kind that it reports in its argument `reports`."""

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
    INVALID_SITE_URL = "invalid-site-url"
    UNSUPPORTED_SETTING = "unsupported-setting"
    MISSING_SETTINGS_FILE = "missing-settings-file"


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding of the reader of a file. Its kind decides which rule reports it."""

    kind: ProblemKind
    finding: Finding
