"""A change of several records, planned in memory and then written as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from handbook.authoring.editor import CannotChangeError, RecordEditor
from handbook.authoring.journal import write_files
from handbook.handbook import Handbook
from handbook.records import Document


@dataclass
class PlannedChange:
    """The planned contents of the files that a command changes.

    `contents` has the new content of each file by path, or None for a file to remove. `originals`
    has the old contents, or None for a new file. `notes` are lines for the author. `new_paths` has
    the new path of each moved file, by its old one.
    """

    handbook: Handbook
    contents: dict[str, bytes | None] = field(default_factory=dict)
    originals: dict[str, bytes | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    new_paths: dict[str, str] = field(default_factory=dict)
    _editors: dict[str, RecordEditor] = field(default_factory=dict)

    def edit(self, document: Document) -> RecordEditor:
        """Return the editor of a document. Raises CannotChangeError if it is unreadable."""
        if document.path not in self._editors:
            content = (self.handbook.root / document.path).read_bytes()
            self._editors[document.path] = RecordEditor(type(document), document.path, content)
            self.originals[document.path] = content
        return self._editors[document.path]

    def changed_contents(self) -> dict[str, bytes | None]:
        """Return the contents of all files whose content differs from the old one."""
        edited = {path: editor.content for path, editor in self._editors.items()}
        contents = {**edited, **self.contents}
        return {
            path: content
            for path, content in sorted(contents.items())
            if path not in self.originals or content != self.originals[path]
        }

    def write(self, root: Path, verify: Callable[[], None] | None = None) -> list[str]:
        """Write all files or none of them, and return their paths.

        `verify` is called when the files are written. If it raises an error, they are restored.
        Raises WriteError.
        """
        contents = self.changed_contents()
        if contents:
            write_files(
                root,
                {root / path: content for path, content in contents.items()},
                {root / path: self.originals.get(path) for path in contents},
                verify,
                {root / new: root / old for old, new in self.new_paths.items()},
            )
        return list(contents)


def check_order(key: str, path: str, old: date | None, new: date) -> None:
    """Raise CannotChangeError if a new date is before the recorded one."""
    if old and new < old:
        raise CannotChangeError(f"{path}: {new} is before '{key}: {old}'; set a later --date")
