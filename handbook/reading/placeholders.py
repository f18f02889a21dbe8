"""Find placeholders: words that a template or an author leaves for text to be written."""

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
    """Find the first placeholder in a text, in upper or lower case."""
    return _PLACEHOLDER.search(text)


def blank_code(text: str) -> str:
    """Replace code in backticks with spaces. Every other character keeps its offset."""
    return _CODE.sub(lambda code: " " * len(code[0]), text)


def is_unwritten(text: str) -> bool:
    """Whether a text is certainly a placeholder.

    A placeholder in capitals anywhere in the text is certain. So is any other placeholder alone or
    before a punctuation mark. Spanish "Todo el tráfico" and the name `todo-service` are not
    certain: other rules still check them.
    """
    return bool(_UNWRITTEN.search(blank_code(text)))


def make_placeholder_finding(
    at: Location, placeholder: str, replacement: str = "text", *, optional: bool = False
) -> Finding:
    """Make the finding of a placeholder.

    `replacement` is the text to write, for the hint. `optional` adds that the key can be removed.
    """
    return Finding(
        at,
        f"placeholder '{placeholder}'",
        f"replace it with {replacement}" + (", or remove the key" if optional else ""),
    )
