"""Replace files atomically: a file holds either its old or its new content, and never a mixture.

The new content is written to a temporary file in the same folder and flushed to the disk. Then the
temporary file is renamed to the name of the target.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final

_TEMPORARY: Final = re.compile(r"\.handbook-([0-9]+)-([0-9a-f]{8})-[0-9a-f]{8}\.tmp")
"""Name of a temporary file. It holds the number and the random token of the process.

The name starts with a dot, so that neither the checks nor MkDocs read the file.
"""
PROCESS: Final = token_hex(4)
"""Random token of this process. Its number is not enough, because containers reuse numbers."""
_DESCRIPTOR: Final = re.compile(r"/(?:dev|proc/self)/fd/([0-9]+)")
_MAX_LINKS: Final = 40  # Linux has the same limit.


class WriteError(Exception):
    """Raised if a file cannot be written. The message is one line: the cause, then the outcome.

    `cause` names the file and the reason. The outcome says whether the file has changed.
    """

    def __init__(self, cause: str, outcome: str = "nothing changed in it") -> None:
        super().__init__(f"{cause}; {outcome}")
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Prepared:
    """File whose new content is written to a temporary file, but which is not replaced yet.

    `path` is the path of the file, with symbolic links resolved. `old` is the old content, or None
    for a new file. `new` is the new content, and `temporary` is the temporary file. Both are None
    for a file that is to be removed.
    """

    path: Path
    old: bytes | None
    new: bytes | None
    temporary: Path | None

    def replace(self, *, unless_edited: bool = False) -> None:
        """Replace the file with its new content, or remove it. Raises WriteError if this fails.

        With `unless_edited`, also raises WriteError if the file no longer has its old content.
        """
        with name_target(self.path):
            if unless_edited and _read_content(self.path) != self.old:
                raise OSError(errno.EBUSY, "it was edited at the same time")
            if self.temporary is None:
                self.path.unlink()
            else:
                self.temporary.replace(self.path)
            sync(self.path.parent)

    def restore(self) -> None:
        """Restore the old content. Raises WriteError."""
        if self.old is None:
            with name_target(self.path):
                self.path.unlink(missing_ok=True)
        else:
            write_file(self.path, self.old)

    def discard(self) -> None:
        """Remove the temporary file, if it still exists."""
        if self.temporary is not None:
            with suppress(OSError):
                self.temporary.unlink()


def write_file(target: Path, content: bytes, model: Path | None = None) -> None:
    """Write one file. An existing file keeps its mode and its owner.

    A new file gets the mode and the owner of the file `model`, if there is one.

    If the target is a symbolic link, the file that it points to is written. A target that is not a
    regular file, such as a pipe or /dev/stdout, is written without a temporary file. Raises
    WriteError, or BrokenPipeError if no process reads the pipe.
    """
    if _write_directly(target, content):
        return
    prepared = prepare(target, content, model)
    try:
        prepared.replace()
    finally:
        prepared.discard()


def prepare(target: Path, content: bytes, model: Path | None = None) -> Prepared:
    """Write the new content of a regular file to a temporary file in the same folder.

    A new file gets the mode and the owner of the file `model`, if there is one.

    Raises WriteError if this fails. After an error, there is no temporary file.
    """
    with name_target(target):
        path = Path(os.path.realpath(target))
        status = _read_status(path)
        old = _read_content(path)
        _remove_abandoned(path.parent)
        temporary = path.parent / f".handbook-{os.getpid()}-{PROCESS}-{token_hex(4)}.tmp"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            write(descriptor, content)
            if status:
                _copy_rights(descriptor, path, status)
            elif model:
                _copy_rights(descriptor, model, model.stat())
            os.fsync(descriptor)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        finally:
            os.close(descriptor)
    return Prepared(path, old, content, temporary)


def prepare_removal(target: Path) -> Prepared:
    """Prepare to remove a regular file. Raises WriteError if this is not possible."""
    with name_target(target):
        path = Path(os.path.realpath(target))
        if _read_status(path) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return Prepared(path, path.read_bytes(), None, None)


def write(descriptor: int, content: bytes) -> None:
    """Write the whole content to an open file."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync(folder: Path) -> None:
    """Flush the entries of a folder to the disk, if the file system supports that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def name_target(target: Path, outcome: str = "nothing changed in it") -> Iterator[None]:
    """Turn an OSError in the block into a WriteError whose message names the target.

    `outcome` says whether the target has changed.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteError(
            f"{display_path(target)} cannot be written: {error.strerror or error}", outcome
        ) from error


def display_path(path: Path) -> str:
    """Return a path for a message: relative to the current folder if it is below that folder."""
    return (
        os.path.relpath(path)
        if Path(os.path.realpath(path)).is_relative_to(Path.cwd())
        else str(path)
    )


def _write_directly(target: Path, content: bytes) -> bool:
    """Write to a target that is not a regular file, such as a pipe, and return True.

    If the target is a regular file or does not exist, write nothing and return False.
    """
    with name_target(target):
        descriptor = _find_descriptor(target)
        if descriptor is not None:
            sys.stdout.flush()
            descriptor = os.dup(descriptor)
        elif _is_special(target):
            descriptor = os.open(target, os.O_WRONLY)
        else:
            return False
    try:
        with name_target(target, "part of it may have been written"):
            write(descriptor, content)
    finally:
        os.close(descriptor)
    return True


def _find_descriptor(target: Path) -> int | None:
    """Return the file descriptor that a path names, such as /dev/stdout or /dev/fd/63.

    Returns None for any other path.
    """
    path = target.absolute()
    for _ in range(_MAX_LINKS):
        if match := _DESCRIPTOR.fullmatch(
            str(path).replace(f"/proc/{os.getpid()}/", "/proc/self/")
        ):
            return int(match[1])
        if not path.is_symlink():
            break
        path = Path(os.path.normpath(path.parent / path.readlink()))
    return None


def _is_special(target: Path) -> bool:
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _read_status(path: Path) -> os.stat_result | None:
    """Return the status of a regular, writable file, or None for a missing file.

    Raises OSError for any other file.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return status


def _read_content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _copy_rights(descriptor: int, path: Path, status: os.stat_result) -> None:
    """Copy the owner, the group, the mode and the extended attributes of a file to the new file.

    Only root may change the owner of a file. For other users, the function copies only the group.
    The owner of the old file can then access the new file as a member of that group.
    """
    try:
        os.fchown(descriptor, status.st_uid, status.st_gid)
    except PermissionError:
        os.fchown(descriptor, -1, status.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
    # The extended attributes contain the access control lists.
    for name in os.listxattr(path) if hasattr(os, "listxattr") else ():
        with suppress(OSError):
            os.setxattr(descriptor, name, os.getxattr(path, name))


def remove_temporary_files(folder: Path, process: str) -> None:
    """Remove the temporary files that a killed process with a random token left in a folder."""
    for path in folder.glob(".handbook-*.tmp"):
        match = _TEMPORARY.fullmatch(path.name)
        if match and match[2] == process:
            path.unlink(missing_ok=True)


def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that killed processes have left in a folder."""
    for path in folder.glob(".handbook-*.tmp"):
        match = _TEMPORARY.fullmatch(path.name)
        if match and match[2] != PROCESS and not _is_running(int(match[1])):
            path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    """Tell whether another process with this number is running."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # It is a process of another user.
        return True
    return True
