"""Lock folders against other processes. On Windows, these functions do not lock anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:
    fcntl = None


def lock(descriptor: int, *, shared: bool = False, wait: bool = True) -> None:
    """Lock an open file or folder until it is closed or the process ends.

    Several processes can hold a shared lock. With `wait=False`, raises BlockingIOError if another
    process holds the lock.
    """
    if fcntl:
        mode: int = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, mode if wait else mode | fcntl.LOCK_NB)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Create a folder if it is missing, and lock it during the block.

    Raises BlockingIOError if another process holds the lock, or has just renamed the folder.
    """
    folder.mkdir(exist_ok=True)
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        lock(descriptor, wait=False)
        if not folder.exists() or not os.path.samestat(os.fstat(descriptor), folder.stat()):
            raise BlockingIOError
        yield
    finally:
        os.close(descriptor)
