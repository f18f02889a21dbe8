"""Placeholders: words that a template or an author leaves where text is still to be written."""

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
    """Find the first placeholder in a text, however it is written."""
    return _PLACEHOLDER.search(text)


def without_code(text: str) -> str:
    """Replace code in backticks by spaces, so that every other character keeps its place."""
    return _CODE.sub(lambda code: " " * len(code[0]), text)


def is_unwritten(text: str) -> bool:
    """Tell whether a text is certainly still to be written.

    Certain is a placeholder in capitals anywhere in the text, and any other one alone or before a punctuation mark.
    Spanish "Todo el tráfico" and the name `todo-service` are not: other rules still check them.
    """
    return bool(_UNWRITTEN.search(without_code(text)))


def placeholder_finding(
    at: Location, word: str, replacement: str = "text", *, optional: bool = False
) -> Finding:
    """Report a placeholder; `replacement` is what to write, `optional` whether its key can be left out."""
    return Finding(
        at,
        f"placeholder '{word}'",
        f"replace it with {replacement}" + (", or leave the key out" if optional else ""),
    )
