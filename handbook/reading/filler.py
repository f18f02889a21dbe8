"""Find texts without content, such as `...` and `N/A`, that an author wrote to fill a gap."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from handbook.reading.placeholders import is_unwritten

_LONGEST: Final = 300
"""The length limit of a text that can be without content, in characters."""
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_MARKS: Final = re.compile("(?:[^\\w\u2190-\U0010ffff]|_)+")
"""Punctuation and spaces. Symbols such as arrows and emoji are content."""
_INSTRUCTION: Final = re.compile(
    r"[-*+_\s]*(?:\d{1,9}[.)]\s+)?[*_]*(?:\[[^\[\]]* [^\[\]]*\]|\{[^{}]* [^{}]*\})[*_.]*\s*"
)
"""An instruction of a template, such as `[Describe the context]` or `{Describe the context}`."""
_WORDS: Final = frozenset(
    {
        "",  # only punctuation, such as `...`, or only spaces, such as `&nbsp;`
        "coming soon",
        "n a",
        "na",
        "nil",
        "not applicable",
        "null",
        "placeholder",
        "tba",
        "tbc",
        "to do",
        "todo",
        "wip",
    }
)
"""The texts without content, in lower case and without punctuation."""
_BE: Final = "(?:is|are|was|were|has been|have been)"
_FOUND: Final = "(?:available|considered|discussed|documented|found|given|known|noted|recorded)"
_NONE: Final = re.compile(
    rf"(?:none|nothing)(?: {_BE})?(?: {_FOUND})?|no(?: \w+){{1,2}}(?: {_BE})? {_FOUND}"
)
"""A text that says only that there is nothing, in lower case and without punctuation."""


def is_filler(text: str) -> bool:
    """Return whether a text has no content.

    The result is False for code, for a text that says that there is nothing, and for a placeholder,
    which another rule reports.
    """
    if len(text) > _LONGEST or "`" in text:
        return False
    is_without_content = _plain_words(text) in _WORDS or bool(_INSTRUCTION.fullmatch(text))
    return is_without_content and not is_unwritten(text)


def says_none(text: str) -> bool:
    """Return whether a text says only that there is nothing, such as "None were recorded."."""
    return len(text) <= _LONGEST and bool(_NONE.fullmatch(_plain_words(text)))


def _plain_words(text: str) -> str:
    """Return a text in lower case, without comments, character references and punctuation."""
    return _MARKS.sub(" ", unescape(_COMMENT.sub("", text))).strip().casefold()
