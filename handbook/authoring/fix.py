"""Apply the fixes of findings to the files, without changing any other text."""

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
    """Result of applying the fixes: the changed files and the edits in them.

    `contents` holds the new content of each changed file by its path, and `originals` the old one.
    `value_edits` are the fixes of findings. `order_edits` sort keys.
    """

    contents: Mapping[str, bytes]
    originals: Mapping[str, bytes]
    value_edits: tuple[Edit, ...]
    order_edits: tuple[Edit, ...]


def apply_fixes(
    handbook: Handbook, edits: Iterable[Edit], is_selected: Callable[[str], bool]
) -> FixResult:
    """Apply the edits in memory, then sort the keys of the selected documents.

    `is_selected` takes the path of a document and tells whether to sort its keys. An edit is
    skipped if the file does not contain the text to replace at its place. For example, the file of
    a standard contains `{{ policy.a }}` and not the value. No file is written. Raises OSError if a
    file cannot be read.
    """
    originals: dict[str, bytes] = {}
    value_edits, contents = _apply(handbook.root, {}, originals, edits)
    reorderings = reorder_keys(_read_documents(handbook, contents), is_selected)
    order_edits, contents = _apply(handbook.root, contents, originals, reorderings)
    return FixResult(contents, originals, value_edits, order_edits)


def _read_documents(
    handbook: Handbook, contents: Mapping[str, bytes]
) -> Iterable[tuple[type[Document], Source]]:
    """Yield the class and the source of every document.

    A document whose path is in `contents` is read from there.
    """
    for document in handbook.of(Document):
        content = contents.get(document.path)
        yield (
            type(document),
            document.source if content is None else read_source(document.path, content),
        )


def _apply(
    root: Path, contents: Mapping[str, bytes], originals: dict[str, bytes], edits: Iterable[Edit]
) -> tuple[tuple[Edit, ...], dict[str, bytes]]:
    """Apply edits to files, and return the applied edits and the contents of all changed files.

    `contents` holds the files that earlier edits have changed. Other files are read from disk, and
    their contents are added to `originals`.
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
        # The edits are applied from the end of the file, because an edit moves the text after it.
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
