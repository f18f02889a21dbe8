"""Mending what has one right answer, and touching nothing else in the file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from macros.diagnostics import Edit

_LINES = re.compile(r"\r\n|\r|\n")


def apply(root: Path, edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Make the edits in the files below `root`; answers those that were made.

    Passed over is an edit at whose place something else stands: the value of a policy in a standard, say. Raises
    OSError where a file cannot be written.
    """
    by_path: dict[str, list[Edit]] = defaultdict(list)
    for edit in dict.fromkeys(edits):
        by_path[edit.at.path].append(edit)
    made: list[Edit] = []
    for path, wanted in by_path.items():
        before = text = (root / path).read_bytes().decode("utf-8")
        for edit in sorted(wanted, key=lambda each: each.at, reverse=True):  # from the end, so that no place moves
            start = _offset(text, edit)
            if start is not None:
                old, new = (part.replace("\n", _end_of_lines(text)) for part in (edit.old, edit.new))
                text = text[:start] + new + text[start + len(old) :]
                made.append(edit)
        if text != before:
            (root / path).write_bytes(text.encode("utf-8"))
    return tuple(sorted(made, key=lambda each: each.at))


def _offset(text: str, edit: Edit) -> int | None:
    """Where the old text stands, a quotation mark before it not counted; None where it does not."""
    starts = [0, *(match.end() for match in _LINES.finditer(text))]
    marked = text.startswith("\ufeff") and edit.at.line == 1
    at = starts[edit.at.line - 1] + edit.at.column - 1 + marked
    old = edit.old.replace("\n", _end_of_lines(text))
    if text.startswith(old, at):
        return at
    return at + 1 if text.startswith(("'", '"'), at) and text.startswith(old, at + 1) else None


def _end_of_lines(text: str) -> str:
    first = _LINES.search(text)
    return first[0] if first else "\n"
