"""Apply edits to the bytes of a file, without changing any other text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from handbook.diagnostics import Edit

_LINES = re.compile(r"\r\n|\r|\n")


def apply_edits(content: bytes, edits: Iterable[Edit]) -> tuple[bytes, list[Edit]]:
    """Apply edits to the content of one file. Return the new content and the applied edits.

    An edit is skipped if the file does not contain the text to replace at its place. A line break
    in an edit becomes the line break of the file.
    """
    text = content.decode("utf-8")
    applied = []
    # The edits are applied from the end of the file, because an edit moves the text after it.
    for edit in sorted(edits, key=lambda edit: edit.at, reverse=True):
        start = _find_offset(text, edit)
        if start is not None:
            newline = _find_newline(text)
            old, new = edit.old.replace("\n", newline), edit.new.replace("\n", newline)
            text = text[:start] + new + text[start + len(old) :]
            applied.append(edit)
    return text.encode("utf-8"), applied


def _find_offset(text: str, edit: Edit) -> int | None:
    """Return the offset of the text that an edit replaces.

    If the text is in quotation marks, the offset is after the opening mark. Returns None if the
    file does not contain the text at the place of the edit.
    """
    starts = [0, *(match.end() for match in _LINES.finditer(text))]
    has_bom = text.startswith("\ufeff") and edit.at.line == 1
    at = starts[edit.at.line - 1] + edit.at.column - 1 + has_bom
    old = edit.old.replace("\n", _find_newline(text))
    if text.startswith(old, at):
        return at
    return at + 1 if text.startswith(("'", '"'), at) and text.startswith(old, at + 1) else None


def _find_newline(text: str) -> str:
    first = _LINES.search(text)
    return first[0] if first else "\n"
