"""Apply the fixes that are unambiguous, and change nothing else in the file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from handbook.authoring.order import reorder_keys
from handbook.diagnostics import Edit
from handbook.handbook import Handbook
from handbook.reading.source import Source, read_source
from handbook.records import Document

_LINES = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class FixResult:
    """Old and new contents of the changed files by path, with the edits."""

    contents: Mapping[str, bytes]
    originals: Mapping[str, bytes]
    value_edits: tuple[Edit, ...]
    order_edits: tuple[Edit, ...]


def apply_fixes(
    handbook: Handbook, edits: Iterable[Edit], is_selected: Callable[[str], bool]
) -> FixResult:
    """Make the edits in memory, then sort the keys of the selected documents.

    `is_selected` takes the path of a document. An edit is skipped if its line holds another text,
    such as the value of a policy in a standard. No file is written. Raises OSError if a file cannot
    be read.
    """
    originals: dict[str, bytes] = {}
    value_edits, contents = _apply(handbook.root, {}, originals, edits)
    reorderings = reorder_keys(_read_documents(handbook, contents), is_selected)
    order_edits, contents = _apply(handbook.root, contents, originals, reorderings)
    return FixResult(contents, originals, value_edits, order_edits)


def _read_documents(
    handbook: Handbook, contents: Mapping[str, bytes]
) -> Iterable[tuple[type[Document], Source]]:
    """Yield every document with its class, after the first edits."""
    for document in handbook.of(Document):
        content = contents.get(document.path)
        yield (
            type(document),
            document.source if content is None else read_source(document.path, content),
        )


def _apply(
    root: Path, contents: Mapping[str, bytes], originals: dict[str, bytes], edits: Iterable[Edit]
) -> tuple[tuple[Edit, ...], dict[str, bytes]]:
    """Return the edits that were made, and the contents of all changed files.

    Files that are read from disk are added to `originals`.
    """
    by_path: dict[str, list[Edit]] = defaultdict(list)
    for edit in dict.fromkeys(edits):
        by_path[edit.at.path].append(edit)
    applied: list[Edit] = []
    changed = dict(contents)
    for path, edits_of_file in by_path.items():
        if path not in changed:
            originals[path] = (root / path).read_bytes()
        content = changed.get(path, originals[path])
        text = content.decode("utf-8")
        # The last edit comes first, because an edit moves all text after it.
        for edit in sorted(edits_of_file, key=lambda edit: edit.at, reverse=True):
            start = _find_offset(text, edit)
            if start is not None:
                newline = _find_newline(text)
                old, new = edit.old.replace("\n", newline), edit.new.replace("\n", newline)
                text = text[:start] + new + text[start + len(old) :]
                applied.append(edit)
        if text.encode("utf-8") != content:
            changed[path] = text.encode("utf-8")
    return tuple(sorted(applied, key=lambda edit: edit.at)), changed


def _find_offset(text: str, edit: Edit) -> int | None:
    """Return the offset of the old text, or None if the line holds another text.

    An opening quotation mark before the text is skipped.
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
