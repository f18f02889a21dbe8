"""Replace a folder by a new one, so that at every moment one of them is complete.

Beside the folder NAME, `.NAME.new` is the one that is being written. Where the system cannot
exchange two names at once, `.NAME.old` holds the old folder while the new one is renamed. After a
kill in between, `recover` puts it back.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from handbook.authoring.locks import folder_lock
from handbook.records.kinds import MOUNTED
from handbook.settings import DOCS

_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux
_NEW: Final = ".{}.new"
_OLD: Final = ".{}.old"


class UnusableError(Exception):
    """A folder that cannot take a site or a stage; the text says why."""


def find_output(folder: str | Path, root: Path, mark: str) -> Path:
    """Return the real path of a folder that is new, empty, or holds the file `mark`.

    `root` is the handbook's folder. Raises UnusableError where files would be lost, or names cannot
    be exchanged.
    """
    output = Path(os.path.realpath(folder))
    sources = [Path(os.path.realpath(root / name)) for name in (DOCS, *MOUNTED, ".git")]
    if root.is_relative_to(output) or any(output.is_relative_to(source) for source in sources):
        raise UnusableError(f"{folder} holds files of the handbook; name another folder")
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise UnusableError(f"{folder} is not a folder")
    if os.path.ismount(output):
        raise UnusableError(
            f"{folder} is a mount point, which cannot be exchanged; name a folder below it"
        )
    if output.is_dir() and any(output.iterdir()) and not (output / mark).is_file():
        raise UnusableError(f"{folder} holds other files; empty it, or name another folder")
    if (output / ".git").exists():
        raise UnusableError(
            f"{folder} is a Git repository; build into a folder below it, and copy the files"
        )
    return output


@contextmanager
def replacing(output: Path) -> Iterator[Path]:
    """Write a new folder, which takes the place of `output` at the end unless an error is raised.

    Raises BlockingIOError where another process writes to it, UnusableError and OSError.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    new = output.with_name(_NEW.format(output.name))
    if new.is_symlink() or (new.exists() and not new.is_dir()):
        raise UnusableError(f"{new} is in the way; remove it")
    with folder_lock(new):
        try:
            recover(output)
            _empty(new)
            yield new
            _keep_hidden_files(output, new)
            put_in_place(output)
        finally:
            shutil.rmtree(new, ignore_errors=True)


def put_in_place(output: Path) -> None:
    """Put the new folder in the place of the old one, and remove that. Raises OSError."""
    new = output.with_name(_NEW.format(output.name))
    old = output.with_name(_OLD.format(output.name))
    if not output.exists():
        new.rename(output)
    elif exchange(new, output):
        with suppress(OSError):  # what cannot be moved is removed where it is
            new.rename(old)
        shutil.rmtree(new, ignore_errors=True)
    else:
        output.rename(old)
        new.rename(output)
    shutil.rmtree(old, ignore_errors=True)


def exchange(first: Path, second: Path) -> bool:
    """Exchange two names at once, where the system can; whether it has."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is None:
        return False
    return bool(renameat2(_HERE, bytes(first), _HERE, bytes(second), _EXCHANGE) == 0)


def recover(folder: str | Path) -> None:
    """Put an old folder back where a process was killed between its two renames, else remove it.

    Raises OSError where it cannot be renamed.
    """
    output = Path(os.path.realpath(folder))
    if not output.name:
        return
    old = output.with_name(_OLD.format(output.name))
    if old.is_dir() and not old.is_symlink():
        if output.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(output)


def _empty(folder: Path) -> None:
    """Remove what a killed process has left in a folder. Raises UnusableError."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            with suppress(OSError):
                entry.unlink()
    if any(folder.iterdir()):
        raise UnusableError(f"{folder} cannot be emptied; remove it")


def _keep_hidden_files(old: Path, new: Path) -> None:
    """Copy files such as `.nojekyll`, which no engine writes."""
    for entry in old.iterdir() if old.is_dir() else ():
        if entry.name.startswith(".") and entry.is_file() and not (new / entry.name).exists():
            shutil.copy2(entry, new / entry.name)
