"""Change all of several files or none of them, even if the process is killed.

Before the first file is replaced, the old contents are saved in a journal. The journal is in the
Git directory, or in `.handbook/` if there is no Git repository. If a file cannot be replaced, the
files that were already replaced are restored at once. If the process is killed, the journal
remains, and the next command that writes files restores them.
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
    Prepared,
    WriteError,
    display_path,
    name_target,
    prepare,
    prepare_removal,
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
) -> None:
    """Write all files or none of them, and create their missing folders.

    A file whose content is None is removed. `base` is a folder above the files. `expected` holds
    the old content of each file, or None for a new file. `verify` is called when all files are
    written. If it raises an error, the files are restored.

    Raises WriteError if a file cannot be written, or if its old content differs from `expected`.
    After an error, no file has changed.
    """
    with _create_folders(path for path, content in contents.items() if content is not None) as new:
        if len(contents) == 1 and verify is None:
            for target, content in contents.items():
                prepared = _prepare(target, content, expected)
                try:
                    prepared.replace(unless_edited=True)
                finally:
                    prepared.discard()
        elif contents:
            _Journal.of(base).change(contents, expected, new, verify)


def _prepare(
    target: Path, content: bytes | None, expected: Mapping[Path, bytes | None] | None
) -> Prepared:
    prepared = prepare_removal(target) if content is None else prepare(target, content)
    if expected is not None and prepared.old != expected.get(target):
        prepared.discard()
        is_new = expected.get(target) is None
        reason = "it already exists" if is_new else "it was edited at the same time"
        raise WriteError(f"{display_path(target)} cannot be written: {reason}")
    return prepared


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


@contextmanager
def _create_folders(targets: Iterable[Path]) -> Iterator[list[Path]]:
    """Create the missing folders of files, and remove these folders if the block raises an error.

    Yields the new folders.
    """
    created: list[Path] = []
    try:
        for target in targets:
            for folder in reversed([folder for folder in target.parents if not folder.exists()]):
                with name_target(target):
                    folder.mkdir()
                created.append(folder)
        yield created
    except BaseException:
        _remove(created)
        raise


def _remove(folders: Sequence[Path]) -> None:
    """Remove folders, from the last to the first. A folder that is not empty stays."""
    for folder in reversed(folders):
        with suppress(OSError):
            folder.rmdir()


@dataclass(frozen=True, slots=True)
class _Journal:
    """Journal of a change: the old contents of the files that the change replaces.

    `folder` holds the journal. All files of the change are below the folder `tree`. The index
    journal.json lists each file with the SHA-256 of its old and its new content. For a new file,
    the old hash is null. For a removed file, the new hash is null. The index also lists the new
    folders. The copy with the name N holds the old content of entry N of the index.
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
        contents: Mapping[Path, bytes | None],
        expected: Mapping[Path, bytes | None] | None,
        created: Sequence[Path],
        verify: Callable[[], None] | None,
    ) -> None:
        """Write all files or none of them.

        `created` holds the new folders, which are removed if the files are restored. If `verify`
        raises an error, the files are restored.
        """
        prepared: list[Prepared] = []
        with self._locked():
            try:
                self._restore()
                for target, content in contents.items():
                    prepared.append(_prepare(target, content, expected))
                self._record([file for file in prepared if self._holds(file.path)], created)
                self._replace(prepared, verify)
            finally:
                for file in prepared:
                    file.discard()
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

    def _record(self, files: Sequence[Prepared], created: Sequence[Path]) -> None:
        """Save the old contents of the files, then write the index."""
        entries = []
        for number, file in enumerate(files):
            if file.old is not None:
                write_file(self.folder / str(number), file.old)
            old = None if file.old is None else _digest(file.old)
            new = None if file.new is None else _digest(file.new)
            entries.append({"path": self._below_tree(file.path), "old": old, "new": new})
        folders = [self._below_tree(folder) for folder in created if self._holds(folder.resolve())]
        write_file(
            self.folder / _INDEX,
            json.dumps({"files": entries, "folders": folders}, indent=2).encode(),
        )

    def _replace(self, files: Sequence[Prepared], verify: Callable[[], None] | None) -> None:
        """Replace every file. If a file cannot be replaced, restore the files before it.

        If `verify` raises an error, restore all files.

        A symbolic link can point to a file outside the tree. The journal does not hold such a file,
        so only this function can restore it.
        """
        outside: list[Prepared] = []
        try:
            for file in files:
                file.replace(unless_edited=True)
                if not self._holds(file.path):
                    outside.append(file)
            if verify:
                verify()
            with name_target(self.folder):
                # The change is complete, so nothing must be restored any more.
                (self.folder / _INDEX).unlink()
        except BaseException as error:
            try:
                self._restore()
                for file in outside:
                    file.restore()
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
        write_file(path, content)

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
