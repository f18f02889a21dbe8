"""Change several files, all or none, even if the process is killed.

Before the first file is replaced, a journal keeps the old contents in the Git directory, or in
`.handbook/` outside of a repository. If a file cannot be replaced, the files before it are restored
at once. If the process is killed, the journal remains, and the next command that writes restores
the old contents.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    write_file,
)
from handbook.history.git import git_directory

INTERRUPTED: Final = (
    "a command was interrupted while it changed files; run `handbook check --fix` to restore them"
)
"""Error message of a command that stops because some files are old and some new."""

_INDEX: Final = "journal.json"


@dataclass(frozen=True, slots=True)
class Restoration:
    """Result of undoing an interrupted change: the restored files, and the files edited since."""

    restored: tuple[str, ...]
    edited: tuple[str, ...]


def write_files(
    base: Path, contents: Mapping[Path, bytes], expected: Mapping[Path, bytes | None] | None = None
) -> None:
    """Write several files below the folder `base`, or none of them. Missing folders are created.

    `expected` holds the old content of each file, or None for a file that does not exist. Raises
    WriteError, also if the content of a file is not the expected one. Then no file has changed.
    """
    with _create_folders(contents) as created:
        if len(contents) == 1:
            for target, content in contents.items():
                prepared = _prepare(target, content, expected)
                try:
                    prepared.replace(unless_edited=True)
                finally:
                    prepared.discard()
        elif contents:
            _Journal.of(base).change(contents, expected, created)


def _prepare(
    target: Path, content: bytes, expected: Mapping[Path, bytes | None] | None
) -> Prepared:
    prepared = prepare(target, content)
    if expected is not None and prepared.old != expected.get(target):
        prepared.discard()
        is_new = expected.get(target) is None
        reason = "it already exists" if is_new else "it was edited at the same time"
        raise WriteError(f"{display_path(target)} cannot be written: {reason}")
    return prepared


def is_interrupted(base: Path) -> bool:
    """Tell whether a command was killed while it changed several files below `base`.

    If a command is changing files now, the call waits for its end.
    """
    return _Journal.of(base).is_pending()


def restore(base: Path) -> Restoration | None:
    """Restore the old contents of the files that a killed command has changed.

    A file that was edited since is not changed. Returns None if no command was killed. Raises
    WriteError.
    """
    return _Journal.of(base).restore()


@contextmanager
def _create_folders(targets: Iterable[Path]) -> Iterator[list[Path]]:
    """Create the folders of files, and remove the new ones if the block fails."""
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
    """Remove empty folders, the last one first."""
    for folder in reversed(folders):
        with suppress(OSError):
            folder.rmdir()


@dataclass(frozen=True, slots=True)
class _Journal:
    """Folder with the old contents of a change, and the tree whose files may change.

    The index lists each file with the SHA-256 of its old and its new content. The old hash of a
    new file is null. The index also lists the folders that were created. The file N holds the old
    content of file N.
    """

    folder: Path
    tree: Path

    @classmethod
    def of(cls, base: Path) -> _Journal:
        """Return the journal for the files below a folder."""
        if repository := git_directory(base):
            tree, git = repository
            return cls(git / "handbook", tree)
        tree = Path(os.path.realpath(base))
        return cls(tree / ".handbook", tree)

    def change(
        self,
        contents: Mapping[Path, bytes],
        expected: Mapping[Path, bytes | None] | None,
        created: Sequence[Path],
    ) -> None:
        """Write the files, or none of them.

        `created` holds the new folders, which are removed if the change is undone.
        """
        prepared: list[Prepared] = []
        with self._locked():
            try:
                self._restore()
                for target, content in contents.items():
                    prepared.append(_prepare(target, content, expected))
                self._record([file for file in prepared if self._holds(file.path)], created)
                self._replace(prepared)
            finally:
                for file in prepared:
                    file.discard()
                self._clear()

    def is_pending(self) -> bool:
        """Tell whether the index of a killed command exists."""
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
        """Restore the old contents after a killed command; None if no command was killed."""
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
        """Save the old contents, then write the index."""
        entries = []
        for number, file in enumerate(files):
            if file.old is not None:
                write_file(self.folder / str(number), file.old)
            old = None if file.old is None else _digest(file.old)
            entries.append(
                {"path": self._below_tree(file.path), "old": old, "new": _digest(file.new)}
            )
        folders = [self._below_tree(folder) for folder in created if self._holds(folder.resolve())]
        write_file(
            self.folder / _INDEX,
            json.dumps({"files": entries, "folders": folders}, indent=2).encode(),
        )

    def _replace(self, files: Sequence[Prepared]) -> None:
        """Replace every file. If one cannot be replaced, restore the files before it.

        A file behind a link to a place outside of the tree is not in the journal, and is only
        restored here.
        """
        outside: list[Prepared] = []
        try:
            for file in files:
                file.replace(unless_edited=True)
                if not self._holds(file.path):
                    outside.append(file)
            with name_target(self.folder):
                # Without the index, the change is final.
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
                outcome = f"the files before it have changed, and cannot be restored: {second}"
                raise WriteError(cause, outcome) from error
            raise

    def _restore(self) -> Restoration | None:
        """Restore the old contents that the index lists; None without an index."""
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
        write_file(path, content)

    def _clear(self) -> None:
        """Remove the old contents, unless an index refers to them."""
        if not (self.folder / _INDEX).exists():
            for copy in self.folder.iterdir():
                with suppress(OSError):
                    copy.unlink()

    def _holds(self, real: Path) -> bool:
        """Tell whether a real path is in the tree."""
        return real.is_relative_to(self.tree)

    def _below_tree(self, path: Path) -> str:
        return str(Path(os.path.realpath(path)).relative_to(self.tree))

    def _in_tree(self, path: str) -> Path:
        """Return the real path of a file in the index. Raises ValueError if it is outside."""
        target = Path(os.path.realpath(self.tree / path))
        if not target.is_relative_to(self.tree):
            raise ValueError(f"{path} is outside of {self.tree}")
        return target


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
