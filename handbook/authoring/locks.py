"""Locks of folders, which hold as long as a process lives. Windows has none: there nothing is locked."""

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
    """Lock an open file or folder. Raises BlockingIOError where another process holds it and `wait` is false."""
    if fcntl:
        how: int = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, how if wait else how | fcntl.LOCK_NB)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Create a folder where there is none, and hold it alone.

    Raises BlockingIOError where another process holds it, and where that has moved it away meanwhile.
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
