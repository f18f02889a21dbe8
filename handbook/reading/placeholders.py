"""Find placeholders: words such as TODO that mark text which an author must still write."""

from __future__ import annotations

import re
from typing import Final

from handbook.diagnostics import Finding, Location

PLACEHOLDERS: Final = ("todo", "tbd", "fixme", "xxx", "lorem ipsum", "to be written")

_WORDS: Final = rf"(?ai:{'|'.join(PLACEHOLDERS)})"
_PLACEHOLDER: Final = re.compile(rf"\b{_WORDS}\b")
_UNWRITTEN: Final = re.compile(
    rf"\b(?:TODO|TBD|FIXME|XXX)\b|\b(?ai:lorem ipsum)\b|^\W*{_WORDS}\s*(?:[:.,!?…]|$)"
)
_CODE: Final = re.compile(r"`[^`\n]*`")


def find_placeholder(text: str) -> re.Match[str] | None:
    """Find the first placeholder in a text, in upper or lower case. Returns None if none exists."""
    return _PLACEHOLDER.search(text)


def blank_code(text: str) -> str:
    """Replace code in backticks by spaces, so that the other characters keep their offsets."""
    return _CODE.sub(lambda code: " " * len(code[0]), text)


def is_unwritten(text: str) -> bool:
    """Return whether a text certainly contains a placeholder.

    A placeholder in capital letters is certain. A placeholder in small letters is certain only if
    it begins the text, and the text ends or a punctuation mark follows. Spanish "Todo el tráfico"
    and the name `todo-service` are not certain, so other rules check them as ordinary text.
    """
    return bool(_UNWRITTEN.search(blank_code(text)))


def make_placeholder_finding(
    at: Location, placeholder: str, replacement: str = "text", *, optional: bool = False
) -> Finding:
    """Make the finding for a placeholder.

    `replacement` describes the text to write, for the hint. If `optional` is True, the hint also
    says that the author can remove the key.
    """
    return Finding(
        at,
        f"placeholder '{placeholder}'",
        f"replace it with {replacement}" + (", or remove the key" if optional else ""),
    )
