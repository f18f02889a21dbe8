"""Replace a folder with a new one. At every moment, a complete folder exists.

The new folder is written to `.NAME.new`, beside the folder NAME. Then the two names are exchanged.
Some systems cannot exchange two names in one step. There, the old folder is renamed to `.NAME.old`
first. If the process is killed before the second rename, `recover` restores the old folder.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from handbook.authoring.locks import folder_lock
from handbook.records.kinds import MOUNTED
from handbook.settings import DOCS

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # The constants have these values on Linux.
_NEW_NAME: Final = ".{}.new"
_OLD_NAME: Final = ".{}.old"
_MARKER: Final = ".being-written"
"""A file in the new folder until it is complete."""


class UnusableError(Exception):
    """Raised if a site or a stage cannot be written to a folder. The message gives the reason."""


def find_output(folder: str | Path, root: Path, marks: Sequence[str]) -> Path:
    """Return the real path of an output folder, with symbolic links resolved.

    The folder must be new, empty, or an older output, which holds the files `marks`. `root` is the
    root folder of the handbook. Raises UnusableError if other files would be lost, or if the folder
    cannot be renamed.
    """
    output = Path(os.path.realpath(folder))
    sources = [Path(os.path.realpath(root / name)) for name in (DOCS, *MOUNTED, ".git")]
    if root.is_relative_to(output) or any(output.is_relative_to(source) for source in sources):
        raise UnusableError(f"{folder} holds sources of the handbook; choose another folder")
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise UnusableError(f"{folder} is not a folder")
    if os.path.ismount(output):
        raise UnusableError(
            f"{folder} is a mount point, which cannot be renamed; choose a folder below it"
        )
    if output.is_dir() and any(output.iterdir()) and not _is_output(output, marks):
        raise UnusableError(f"{folder} holds other files; empty it, or choose another folder")
    if (output / ".git").exists():
        raise UnusableError(
            f"{folder} is a Git repository; choose a folder below it, and copy the files from there"
        )
    return output


@contextmanager
def replace_folder(output: Path, marks: Sequence[str]) -> Iterator[Path]:
    """Yield a new folder. After the block, it replaces the folder `output`.

    If the block raises an error, the new folder is removed and `output` stays. Raises
    BlockingIOError if another process is writing to the folder. Also raises UnusableError and
    OSError.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    new = output.with_name(_NEW_NAME.format(output.name))
    if new.is_symlink() or (new.exists() and not new.is_dir()):
        raise UnusableError(f"{new} exists and is not a folder; remove it")
    with folder_lock(new):
        try:
            _clear(output.with_name(_OLD_NAME.format(output.name)), output, marks)
            _remove_leftovers(new, marks)
            (new / _MARKER).touch()
            yield new
            (new / _MARKER).unlink(missing_ok=True)
            _keep_hidden_files(output, new)
            put_new_in_place(output)
        finally:
            if (new / _MARKER).exists():
                shutil.rmtree(new, ignore_errors=True)
            with suppress(OSError):  # It is still empty if an error or a signal came early.
                new.rmdir()


def put_new_in_place(output: Path) -> None:
    """Replace the old folder with the new one, and remove the old one. Raises OSError."""
    new = output.with_name(_NEW_NAME.format(output.name))
    old = output.with_name(_OLD_NAME.format(output.name))
    if not output.exists():
        new.rename(output)
    elif exchange(new, output):
        # The old folder now has the new name.
        try:
            new.rename(old)
        except OSError:
            old = new
        shutil.rmtree(old, ignore_errors=True)
    else:
        output.rename(old)
        new.rename(output)
        shutil.rmtree(old, ignore_errors=True)


def exchange(first: Path, second: Path) -> bool:
    """Exchange the names of two folders in one step. Returns False if the system cannot do this."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is None:
        return False
    result = renameat2(_AT_FDCWD, bytes(first), _AT_FDCWD, bytes(second), _RENAME_EXCHANGE)
    return bool(result == 0)


def recover(folder: str | Path) -> None:
    """Restore the old folder after a process was killed between its two renames. Raises OSError."""
    output = Path(os.path.realpath(folder))
    if not output.name:
        return
    old = output.with_name(_OLD_NAME.format(output.name))
    if old.is_dir() and not old.is_symlink() and not output.exists():
        old.rename(output)


def _is_output(folder: Path, marks: Sequence[str]) -> bool:
    return all((folder / mark).is_file() for mark in marks)


def _clear(old: Path, output: Path, marks: Sequence[str]) -> None:
    """Restore the folder of a killed process, or remove it if the new folder has replaced it."""
    recover(output)
    if _is_output(old, marks):
        shutil.rmtree(old, ignore_errors=True)


def _remove_leftovers(folder: Path, marks: Sequence[str]) -> None:
    """Remove the files of a killed process from a folder.

    Raises UnusableError if the folder holds other files, and if a file cannot be removed.
    """
    if any(folder.iterdir()) and not ((folder / _MARKER).exists() or _is_output(folder, marks)):
        raise UnusableError(f"{folder} holds other files; move or remove it")
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            with suppress(OSError):
                entry.unlink()
    if any(folder.iterdir()):
        raise UnusableError(f"{folder} cannot be emptied; remove it")


def _keep_hidden_files(old: Path, new: Path) -> None:
    """Copy hidden files and folders, such as `.nojekyll`, from the old site.

    No engine writes them.
    """
    for entry in old.iterdir() if old.is_dir() else ():
        target = new / entry.name
        if not entry.name.startswith(".") or entry.is_symlink() or target.exists():
            continue
        if entry.is_dir():
            shutil.copytree(entry, target, symlinks=True)
        elif entry.is_file():
            shutil.copy2(entry, target)
