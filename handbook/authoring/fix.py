"""Apply the fixes that are unambiguous, and change nothing else in the file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from handbook.authoring.order import in_order
from handbook.diagnostics import Edit
from handbook.handbook import Handbook
from handbook.reading.source import Source, read_source
from handbook.records import Document

_LINES = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Fixed:
    """The new contents of files by path, the contents before, the edits of values and the edits of key order."""

    contents: Mapping[str, bytes]
    before: Mapping[str, bytes]
    values: tuple[Edit, ...]
    orders: tuple[Edit, ...]


def fix(handbook: Handbook, edits: Iterable[Edit], reorder: Callable[[str], bool]) -> Fixed:
    """Make the edits, then put the keys of the documents in order whose path `reorder` accepts. Writes nothing.

    An edit is skipped if its place holds another text, such as the value of a policy in a standard. Raises OSError if a
    file cannot be read.
    """
    before: dict[str, bytes] = {}
    values, contents = _edited(handbook.root, {}, before, edits)
    orders, contents = _edited(
        handbook.root, contents, before, in_order(_documents(handbook, contents), reorder)
    )
    return Fixed(contents, before, values, orders)


def _documents(
    handbook: Handbook, contents: Mapping[str, bytes]
) -> Iterable[tuple[type[Document], Source]]:
    """The documents as they are after the first edits."""
    for document in handbook.of(Document):
        content = contents.get(document.path)
        yield (
            type(document),
            document.source if content is None else read_source(document.path, content),
        )


def _edited(
    root: Path, contents: Mapping[str, bytes], read: dict[str, bytes], edits: Iterable[Edit]
) -> tuple[tuple[Edit, ...], dict[str, bytes]]:
    """The edits that could be made, and the contents of all files after them. What is read from disk goes to `read`."""
    by_path: dict[str, list[Edit]] = defaultdict(list)
    for edit in dict.fromkeys(edits):
        by_path[edit.at.path].append(edit)
    made: list[Edit] = []
    changed = dict(contents)
    for path, wanted in by_path.items():
        if path not in changed:
            read[path] = (root / path).read_bytes()
        before = changed.get(path, read[path])
        text = before.decode("utf-8")
        for edit in sorted(
            wanted, key=lambda edit: edit.at, reverse=True
        ):  # from the end, so that no place moves
            start = _offset(text, edit)
            if start is not None:
                old, new = (
                    part.replace("\n", _end_of_lines(text)) for part in (edit.old, edit.new)
                )
                text = text[:start] + new + text[start + len(old) :]
                made.append(edit)
        if text.encode("utf-8") != before:
            changed[path] = text.encode("utf-8")
    return tuple(sorted(made, key=lambda edit: edit.at)), changed


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
