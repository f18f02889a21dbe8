"""Change all of several files or none of them, even if the process is killed.

Before the first change, the old contents are saved in a journal. The journal is in the Git
directory, or in `.handbook/` if there is no Git repository. If a file cannot be replaced, the files
that were already replaced are restored at once. If the process is killed, the journal remains. The
next command that writes files then restores the old contents, and removes the temporary files and
the new folders.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from handbook.authoring.locks import lock
from handbook.authoring.writer import (
    PROCESS,
    Prepared,
    WriteError,
    display_path,
    name_target,
    prepare,
    prepare_removal,
    remove_temporary_files,
    write_file,
)
from handbook.history.git import find_git_directory

INTERRUPTED: Final = (
    "a command was interrupted while it changed files; run `handbook check --fix` to restore them"
)
"""Error message of a command that stops because a killed command has changed only some files."""

_INDEX: Final = "journal.json"


@dataclass(frozen=True, slots=True)
class Restoration:
    """Result of restoring files after a command was killed.

    `restored` holds the paths of the restored files. `edited` holds the files that were not
    restored, because they were edited after the command was killed.
    """

    restored: tuple[str, ...]
    edited: tuple[str, ...]


def write_files(
    base: Path,
    contents: Mapping[Path, bytes | None],
    expected: Mapping[Path, bytes | None] | None = None,
    verify: Callable[[], None] | None = None,
    models: Mapping[Path, Path] | None = None,
) -> None:
    """Write all files or none of them, and create their missing folders.

    A file whose content is None is removed, and so are the folders that are then empty. `base` is a
    folder above the files. `expected` holds the old content of each file, or None for a new file.
    `verify` is called when all files are written. If it raises an error, the files are restored. A
    new file gets the mode and the owner of its file in `models`.

    Raises WriteError if a file cannot be written, or if its old content differs from `expected`.
    After an error, no file has changed.
    """
    journal = _Journal.of(base)
    changes = [
        _FileChange(path, content, (models or {}).get(path)) for path, content in contents.items()
    ]
    if len(changes) == 1 and verify is None and changes[0].target.parent.is_dir():
        prepared = changes[0].prepare(expected)
        try:
            prepared.replace(unless_edited=True)
        finally:
            prepared.discard()
    elif changes:
        journal.change(base, changes, expected, verify)


@dataclass(frozen=True, slots=True)
class _FileChange:
    """A file to write, or to remove if its content is None. `model` has the mode of a new file."""

    target: Path
    content: bytes | None
    model: Path | None

    def prepare(self, expected: Mapping[Path, bytes | None] | None) -> Prepared:
        """Write the temporary file. Raises WriteError if the old content is not the expected."""
        if self.content is None:
            prepared = prepare_removal(self.target)
        else:
            prepared = prepare(self.target, self.content, self.model)
        try:
            self.check(prepared.old, expected)
        except WriteError:
            prepared.discard()
            raise
        return prepared

    def check(self, old: bytes | None, expected: Mapping[Path, bytes | None] | None) -> None:
        """Raise WriteError if the old content of the file differs from the expected one."""
        if expected is not None and old != expected.get(self.target):
            is_new = expected.get(self.target) is None
            reason = "it already exists" if is_new else "it was edited at the same time"
            raise WriteError(f"{display_path(self.target)} cannot be written: {reason}")


def is_interrupted(base: Path) -> bool:
    """Tell whether a command was killed while it changed several files below `base`.

    If another command is changing files, this function waits until that command ends.
    """
    return _Journal.of(base).is_pending()


def restore(base: Path) -> Restoration | None:
    """Restore the old contents of the files that a killed command has changed.

    A file that was edited after that is not restored. Returns None if no command was killed. Raises
    WriteError.
    """
    return _Journal.of(base).restore()


def _remove(folders: Sequence[Path]) -> None:
    """Remove folders, from the last to the first. A folder that is not empty stays."""
    for folder in reversed(folders):
        with suppress(OSError):
            folder.rmdir()


def _list_missing_folders(changes: Iterable[_FileChange]) -> Iterator[Path]:
    """Yield the missing folders of files to write, each one after the folder that contains it."""
    for change in changes:
        if change.content is not None:
            yield from reversed([folder for folder in change.target.parents if not folder.exists()])


def _remove_empty_folders(base: Path, removed_files: Iterable[Path]) -> None:
    """Remove the folders below `base` that are empty after the removal of files."""
    root = Path(os.path.realpath(base))
    for file in removed_files:
        for folder in file.parents:
            if folder == root or not folder.is_relative_to(root):
                break
            with suppress(OSError):
                folder.rmdir()


@dataclass(frozen=True, slots=True)
class _Journal:
    """Journal of a change: the old contents of the files that the change replaces.

    `folder` holds the journal. All files of the change are below the folder `tree`. The index
    journal.json lists each file with the SHA-256 of its old and its new content. For a new file,
    the old hash is null. For a removed file, the new hash is null. The index also lists the new
    folders, and holds the random token of the process, which is in the names of its temporary
    files. The copy with the name N holds the old content of entry N of the index.
    """

    folder: Path
    tree: Path

    @classmethod
    def of(cls, base: Path) -> _Journal:
        """Return the journal for changes of files below the folder `base`."""
        if repository := find_git_directory(base):
            tree, git = repository
            return cls(git / "handbook", tree)
        tree = Path(os.path.realpath(base))
        return cls(tree / ".handbook", tree)

    def change(
        self,
        base: Path,
        changes: Sequence[_FileChange],
        expected: Mapping[Path, bytes | None] | None,
        verify: Callable[[], None] | None,
    ) -> None:
        """Write all files or none of them.

        If `verify` raises an error, the files are restored. Folders below `base` that are empty
        after the removal of a file are removed.
        """
        with self._locked():
            try:
                self._restore()
                folders = list(dict.fromkeys(_list_missing_folders(changes)))
                old_contents = self._record(changes, expected, folders)
                self._apply(base, changes, old_contents, folders, verify)
            finally:
                self._clear()

    def is_pending(self) -> bool:
        """Tell whether there is an index, which only a killed command leaves."""
        try:
            descriptor = os.open(self.folder, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            lock(descriptor, shared=True)
            return (self.folder / _INDEX).exists()
        finally:
            os.close(descriptor)

    def restore(self) -> Restoration | None:
        """Restore the old contents after a kill. Returns None if no command was killed."""
        if not self.folder.is_dir():
            return None
        with self._locked():
            restoration = self._restore()
            self._clear()
            return restoration

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Create and lock the folder of the journal, and remove it after the block."""
        while True:
            with name_target(self.folder):
                self.folder.mkdir(exist_ok=True)
                descriptor = os.open(self.folder, os.O_RDONLY)
                lock(descriptor)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), self.folder.stat()):
                    break
            # Another command has removed the folder while this one waited for the lock.
            os.close(descriptor)
        try:
            yield
        finally:
            try:
                with suppress(OSError):
                    self.folder.rmdir()
            finally:
                os.close(descriptor)

    def _record(
        self,
        changes: Sequence[_FileChange],
        expected: Mapping[Path, bytes | None] | None,
        folders: Sequence[Path],
    ) -> Mapping[Path, bytes | None]:
        """Save the old contents of the files in the tree, then write the index.

        Returns the old contents. Raises WriteError if they are not the expected ones.
        """
        entries: list[dict[str, str | None]] = []
        old_contents: dict[Path, bytes | None] = {}
        for change in changes:
            path = Path(os.path.realpath(change.target))
            with name_target(change.target):
                content = path.read_bytes() if path.is_file() else None
            change.check(content, expected)
            old_contents[change.target] = content
            if not self._holds(path):
                continue
            if content is not None:
                write_file(self.folder / str(len(entries)), content, path)
            old = None if content is None else _digest(content)
            new = None if change.content is None else _digest(change.content)
            entries.append({"path": self._below_tree(path), "old": old, "new": new})
        new_folders = [
            self._below_tree(folder)
            for folder in folders
            if self._holds(Path(os.path.realpath(folder)))
        ]
        index = {"files": entries, "folders": new_folders, "process": PROCESS}
        write_file(self.folder / _INDEX, json.dumps(index, indent=2).encode())
        return old_contents

    def _apply(
        self,
        base: Path,
        changes: Sequence[_FileChange],
        old_contents: Mapping[Path, bytes | None],
        folders: Sequence[Path],
        verify: Callable[[], None] | None,
    ) -> None:
        """Create the folders and replace every file. If that fails, restore all of them.

        A symbolic link can point to a file outside the tree. The journal does not hold such a file,
        so only this function can restore it.
        """
        prepared: list[Prepared] = []
        outside: list[Prepared] = []
        try:
            for folder in folders:
                with name_target(folder):
                    folder.mkdir()
            prepared += (change.prepare(old_contents) for change in changes)
            for file in prepared:
                file.replace(unless_edited=True)
                if not self._holds(file.path):
                    outside.append(file)
            if verify:
                verify()
            _remove_empty_folders(base, [file.path for file in prepared if file.new is None])
            with name_target(self.folder):
                # The change is complete, so nothing must be restored any more.
                (self.folder / _INDEX).unlink()
        except BaseException as error:
            try:
                for file in prepared:
                    file.discard()
                self._restore()
                for file in outside:
                    file.restore()
                _remove(folders)
            except WriteError as second:
                cause = (
                    error.cause if isinstance(error, WriteError) else "the change was interrupted"
                )
                outcome = f"the files before it were replaced and cannot be restored: {second}"
                raise WriteError(cause, outcome) from error
            raise

    def _restore(self) -> Restoration | None:
        """Restore the old contents of the files in the index. Returns None if there is no index.

        Raises WriteError if the journal is damaged.
        """
        index = self.folder / _INDEX
        if not index.exists():
            return None
        restored, edited = [], []
        try:
            with name_target(index):
                document = json.loads(index.read_bytes())
            for number, entry in enumerate(document["files"]):
                path, old, new = self._in_tree(entry["path"]), entry["old"], entry["new"]
                current = _digest(path.read_bytes()) if path.is_file() else None
                if current == new != old:
                    self._restore_file(path, self.folder / str(number), old)
                    restored.append(display_path(path))
                elif current != old:
                    name = display_path(path)
                    edited.append(name if current else f"{name} (deleted)")
            parents = {self._in_tree(entry["path"]).parent for entry in document["files"]}
            for folder in parents:
                remove_temporary_files(folder, document.get("process", ""))
            _remove([self._in_tree(folder) for folder in document["folders"]])
            with name_target(index):
                index.unlink()
        except (ValueError, TypeError, KeyError, FileNotFoundError, RecursionError) as error:
            raise WriteError(
                f"{display_path(index)} is damaged", "restore the files from Git, then remove it"
            ) from error
        return Restoration(tuple(restored), tuple(edited))

    def _restore_file(self, path: Path, copy: Path, old: str | None) -> None:
        if old is None:
            with name_target(path):
                path.unlink()
            return
        content = copy.read_bytes()
        if _digest(content) != old:
            raise ValueError(f"unexpected content of {copy}")
        with name_target(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, content, copy)

    def _clear(self) -> None:
        """Remove the old contents, unless an index refers to them."""
        if not (self.folder / _INDEX).exists():
            for copy in self.folder.iterdir():
                with suppress(OSError):
                    copy.unlink()

    def _holds(self, real: Path) -> bool:
        """Tell whether a path without symbolic links is in the tree."""
        return real.is_relative_to(self.tree)

    def _below_tree(self, path: Path) -> str:
        return str(Path(os.path.realpath(path)).relative_to(self.tree))

    def _in_tree(self, path: str) -> Path:
        """Return the real path of a file in the index.

        Raises ValueError if the file is outside the tree.
        """
        target = Path(os.path.realpath(self.tree / path))
        if not target.is_relative_to(self.tree):
            raise ValueError(f"{path} is outside of {self.tree}")
        return target


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
