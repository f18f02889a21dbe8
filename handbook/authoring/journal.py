"""Change several files, all or none, even if the process is killed.

Before the first file is replaced, a journal keeps the old contents: in the Git directory, or in `.handbook/` where
there is none. If a file cannot be replaced, those before it are restored at once. If the process is killed, the journal
remains, and the next command that writes restores the old contents.
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
from handbook.authoring.writer import Prepared, WriteError, naming, prepare, shown, write_file
from handbook.history.git import git_directory

INTERRUPTED: Final = "a command was interrupted while it changed files; `handbook check --fix` restores the old files"
"""What a command says that does not read files of which some are old and some new."""

_INDEX: Final = "journal.json"


@dataclass(frozen=True, slots=True)
class Restoration:
    """What became of an interrupted change: files that have their old content again, and files edited since."""

    restored: tuple[str, ...]
    edited: tuple[str, ...]


def write_files(
    base: Path, contents: Mapping[Path, bytes], before: Mapping[Path, bytes | None] | None = None
) -> None:
    """Write several files below the folder `base`, or none of them. Missing folders are created.

    `before` is what the files are known to hold (None: they do not exist). Raises WriteError, also where a file holds
    something else by now; then every file is as it was.
    """
    with _folders_for(contents) as created:
        if len(contents) == 1:
            for target, content in contents.items():
                prepared = _prepare(target, content, before)
                try:
                    prepared.replace(unless_edited=True)
                finally:
                    prepared.discard()
        elif contents:
            _Journal.of(base).change(contents, before, created)


def _prepare(target: Path, content: bytes, before: Mapping[Path, bytes | None] | None) -> Prepared:
    prepared = prepare(target, content)
    if before is not None and prepared.old != before.get(target):
        prepared.discard()
        reason = (
            "it was edited at the same time"
            if before.get(target) is not None
            else "it exists by now"
        )
        raise WriteError(f"{shown(target)} cannot be written: {reason}")
    return prepared


def is_interrupted(base: Path) -> bool:
    """Whether a command was killed while it changed several files below `base`, so that some are old and some new.

    Waits for a command that is still at work.
    """
    return _Journal.of(base).is_left()


def restore(base: Path) -> Restoration | None:
    """Restore the old contents of the files that a killed command has changed; None where there is nothing to restore.

    A file that was edited since is left as it is. Raises WriteError.
    """
    return _Journal.of(base).restore()


@contextmanager
def _folders_for(targets: Iterable[Path]) -> Iterator[list[Path]]:
    """Create the folders of files, and remove those created again when the files cannot be written."""
    created: list[Path] = []
    try:
        for target in targets:
            for folder in reversed([folder for folder in target.parents if not folder.exists()]):
                with naming(target):
                    folder.mkdir()
                created.append(folder)
        yield created
    except BaseException:
        _remove(created)
        raise


def _remove(folders: Sequence[Path]) -> None:
    """Remove folders that are empty, the last one first."""
    for folder in reversed(folders):
        with suppress(OSError):
            folder.rmdir()


@dataclass(frozen=True, slots=True)
class _Journal:
    """Where the old contents of a change are kept, and the tree whose files it may change.

    The index names each file with the SHA-256 of its old and its new content (old: null for a new file), and the
    folders that were created. The old content of file N is in the file N.
    """

    folder: Path
    tree: Path

    @classmethod
    def of(cls, base: Path) -> _Journal:
        """The journal for the files below a folder."""
        if found := git_directory(base):
            tree, git = found
            return cls(git / "handbook", tree)
        tree = Path(os.path.realpath(base))
        return cls(tree / ".handbook", tree)

    def change(
        self,
        contents: Mapping[Path, bytes],
        before: Mapping[Path, bytes | None] | None,
        created: Sequence[Path],
    ) -> None:
        """Write the files, or none of them. `created` are folders to be removed if the change is undone."""
        prepared: list[Prepared] = []
        with self._locked():
            try:
                self._restore()
                for target, content in contents.items():
                    prepared.append(_prepare(target, content, before))
                self._record([file for file in prepared if self._holds(file.path)], created)
                self._replace(prepared)
            finally:
                for file in prepared:
                    file.discard()
                self._clear()

    def is_left(self) -> bool:
        """Whether a killed command has left the index of a change."""
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
        """Restore what a killed command has left."""
        if not self.folder.is_dir():
            return None
        with self._locked():
            restoration = self._restore()
            self._clear()
            return restoration

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the journal's folder alone; it is there as long as a change needs it."""
        while True:
            with naming(self.folder):
                self.folder.mkdir(exist_ok=True)
                descriptor = os.open(self.folder, os.O_RDONLY)
                lock(descriptor)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), self.folder.stat()):
                    break
            os.close(descriptor)  # the command before us has removed the folder that we waited for
        try:
            yield
        finally:
            try:
                with suppress(OSError):
                    self.folder.rmdir()
            finally:
                os.close(descriptor)

    def _record(self, files: Sequence[Prepared], created: Sequence[Path]) -> None:
        """Keep the old contents, then write the index."""
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
        """Replace every file; undo what was done if one cannot be replaced.

        A file behind a link that leads out of the tree is not in the journal, and is restored here alone.
        """
        outside: list[Prepared] = []
        try:
            for file in files:
                file.replace(unless_edited=True)
                if not self._holds(file.path):
                    outside.append(file)
            with naming(self.folder):
                (self.folder / _INDEX).unlink()  # from here on the change is made
        except BaseException as error:
            try:
                self._restore()
                for file in outside:
                    file.put_back()
            except WriteError as second:
                cause = (
                    error.cause if isinstance(error, WriteError) else "the change was interrupted"
                )
                outcome = f"files before it are changed, and were not restored: {second}"
                raise WriteError(cause, outcome) from error
            raise

    def _restore(self) -> Restoration | None:
        """Put the old contents back, by the index."""
        index = self.folder / _INDEX
        if not index.exists():
            return None
        restored, edited = [], []
        try:
            with naming(index):
                document = json.loads(index.read_bytes())
            for number, entry in enumerate(document["files"]):
                path, old, new = self._in_tree(entry["path"]), entry["old"], entry["new"]
                current = _digest(path.read_bytes()) if path.is_file() else None
                if current == new != old:
                    self._put_back(path, self.folder / str(number), old)
                    restored.append(shown(path))
                elif current != old:
                    edited.append(shown(path) if current else f"{shown(path)}, which is gone,")
            _remove([self._in_tree(folder) for folder in document["folders"]])
            with naming(index):
                index.unlink()
        except (ValueError, TypeError, KeyError, FileNotFoundError, RecursionError) as error:
            raise WriteError(
                f"{shown(index)} is damaged", "restore the files from Git, and remove it"
            ) from error
        return Restoration(tuple(restored), tuple(edited))

    def _put_back(self, path: Path, copy: Path, old: str | None) -> None:
        if old is None:
            with naming(path):
                path.unlink()
            return
        content = copy.read_bytes()
        if _digest(content) != old:
            raise ValueError(f"{copy} holds another text")
        write_file(path, content)

    def _clear(self) -> None:
        """Remove the old contents, unless an index still needs them."""
        if not (self.folder / _INDEX).exists():
            for copy in self.folder.iterdir():
                with suppress(OSError):
                    copy.unlink()

    def _holds(self, real: Path) -> bool:
        """Whether a file, its links followed, is in the tree."""
        return real.is_relative_to(self.tree)

    def _below_tree(self, path: Path) -> str:
        return str(Path(os.path.realpath(path)).relative_to(self.tree))

    def _in_tree(self, path: str) -> Path:
        """The file that an index names. Raises ValueError for one outside of the tree."""
        target = Path(os.path.realpath(self.tree / path))
        if not target.is_relative_to(self.tree):
            raise ValueError(f"{path} is outside of {self.tree}")
        return target


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
