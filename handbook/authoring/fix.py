"""Apply the fixes of findings to the files, without changing any other text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from handbook.authoring.edits import apply_edits
from handbook.authoring.order import reorder_keys
from handbook.diagnostics import Edit
from handbook.handbook import Handbook
from handbook.reading.source import Source, read_source
from handbook.records import Document


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
    a standard contains `{{ policy.a }}` and not the value. Provided pages have no file, so their
    edits are skipped. No file is written. Raises OSError if a file cannot be read.
    """
    originals: dict[str, bytes] = {}
    own_edits = (edit for edit in edits if edit.at.path not in handbook.provided)
    value_edits, contents = _apply(handbook.root, {}, originals, own_edits)
    reorderings = reorder_keys(_read_documents(handbook, contents), is_selected)
    order_edits, contents = _apply(handbook.root, contents, originals, reorderings)
    return FixResult(contents, originals, value_edits, order_edits)


def _read_documents(
    handbook: Handbook, contents: Mapping[str, bytes]
) -> Iterable[tuple[type[Document], Source]]:
    """Yield the class and the source of every document of the repository.

    A document whose path is in `contents` is read from there.
    """
    for document in handbook.of(Document):
        if document.path in handbook.provided:
            continue
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
        new_content, applied_here = apply_edits(content, edits_of_file)
        applied += applied_here
        if new_content != content:
            changed[path] = new_content
    return tuple(sorted(applied, key=lambda edit: edit.at)), changed
