"""Write a file so that it is always wholly old or wholly new.

The new content is written beside the target, flushed to the disk, and renamed over it.
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
"""A temporary file, with the process that writes it: hidden, so that neither the checks nor MkDocs read it."""
_PROCESS: Final = token_hex(4)
"""Tells this process from another that had the same number, as in containers."""
_DESCRIPTOR: Final = re.compile(r"/(?:dev|proc/self)/fd/([0-9]+)")
_MAX_LINKS: Final = 40  # as in Linux


class WriteError(Exception):
    """A file cannot be written. The text is one line: the `cause`, which names the file, and what became of it."""

    def __init__(self, cause: str, outcome: str = "nothing changed in it") -> None:
        super().__init__(f"{cause}; {outcome}")
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that is ready to be replaced: its path behind all links, and its old and its new content.

    `old` is None for a new file. `temporary` is the file that holds the new content.
    """

    path: Path
    old: bytes | None
    new: bytes
    temporary: Path

    def replace(self, *, unless_edited: bool = False) -> None:
        """Put the new content in place. Raises WriteError, also for a file that another program has written since."""
        with naming(self.path):
            if unless_edited and _content(self.path) != self.old:
                raise OSError(errno.EBUSY, "it was edited at the same time")
            self.temporary.replace(self.path)
            sync(self.path.parent)

    def put_back(self) -> None:
        """Restore the old content. Raises WriteError."""
        if self.old is None:
            with naming(self.path):
                self.path.unlink(missing_ok=True)
        else:
            write_file(self.path, self.old)

    def discard(self) -> None:
        """Remove the temporary file, if it is still there."""
        with suppress(OSError):
            self.temporary.unlink()


def write_file(target: Path, content: bytes) -> None:
    """Write one file. Links are followed; the mode and the owner of an existing file are kept.

    A target that is no regular file, such as a pipe or /dev/stdout, is written straight. Raises WriteError, and
    BrokenPipeError for a pipe that nobody reads.
    """
    if _write_straight(target, content):
        return
    prepared = prepare(target, content)
    try:
        prepared.replace()
    finally:
        prepared.discard()


def prepare(target: Path, content: bytes) -> Prepared:
    """Write the new content of a regular file beside it. Raises WriteError, after which nothing is left."""
    with naming(target):
        path = Path(os.path.realpath(target))
        status = _status(path)
        old = _content(path)
        _remove_abandoned(path.parent)
        temporary = path.parent / f".handbook-{os.getpid()}-{_PROCESS}-{token_hex(4)}.tmp"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            write(descriptor, content)
            if status:
                _keep_rights(descriptor, path, status)
            os.fsync(descriptor)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        finally:
            os.close(descriptor)
    return Prepared(path, old, content, temporary)


def write(descriptor: int, content: bytes) -> None:
    """Write all of a content to an open file."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the file system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def naming(target: Path, outcome: str = "nothing changed in it") -> Iterator[None]:
    """Turn what the machine refuses into a WriteError that names the target."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteError(
            f"{shown(target)} cannot be written: {error.strerror or error}", outcome
        ) from error


def shown(path: Path) -> str:
    """A path as a message names it: relative to the current folder where it is below that."""
    return (
        os.path.relpath(path)
        if Path(os.path.realpath(path)).is_relative_to(Path.cwd())
        else str(path)
    )


def _write_straight(target: Path, content: bytes) -> bool:
    """Write to a target that is no regular file; False where it is one, or does not exist."""
    with naming(target):
        descriptor = _descriptor(target)
        if descriptor is not None:
            sys.stdout.flush()
            descriptor = os.dup(descriptor)
        elif _is_special(target):
            descriptor = os.open(target, os.O_WRONLY)
        else:
            return False
    try:
        with naming(target, "a part may be written"):
            write(descriptor, content)
    finally:
        os.close(descriptor)
    return True


def _descriptor(target: Path) -> int | None:
    """The open file of this process that a name such as /dev/stdout or /dev/fd/63 stands for."""
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


def _status(path: Path) -> os.stat_result | None:
    """The status of a regular file that may be written; None where there is no file. Raises OSError for any other."""
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


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _keep_rights(descriptor: int, path: Path, status: os.stat_result) -> None:
    """Give a new file the owner, group, mode and extended attributes of the one that it replaces.

    Only root may give a file to another user: then the group has to stay, so that the other does not lose the file.
    """
    try:
        os.fchown(descriptor, status.st_uid, status.st_gid)
    except PermissionError:
        os.fchown(descriptor, -1, status.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
    for name in (
        os.listxattr(path) if hasattr(os, "listxattr") else ()
    ):  # access control lists among them
        with suppress(OSError):
            os.setxattr(descriptor, name, os.getxattr(path, name))


def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that killed processes have left in a folder."""
    for path in folder.glob(".handbook-*.tmp"):
        match = _TEMPORARY.fullmatch(path.name)
        if match and match[2] != _PROCESS and not _is_running(int(match[1])):
            path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    """Whether another process of this number runs."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True
