"""A list that two processes work through from both ends, until they meet.

Whoever goes through it asks for each item in turn. Up to the place where they meet the answer is None, "make it
yourself"; from there on it is what the other process, a fork of this one, has made from the end backwards. Where that
has failed at an item, the answer is None too: nothing but the time depends on it.
"""

from __future__ import annotations

import contextlib
import gc
import mmap
import os
import pickle
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

LEAST: Final = 100
"""The least number of items for which a second process is worth its start."""

Made = TypeVar("Made")


def possible() -> bool:
    """Whether there is a second processor, and a process that can be forked: one without threads."""
    forks = hasattr(os, "fork") and hasattr(os, "sched_getaffinity") and threading.active_count() == 1
    return forks and len(os.sched_getaffinity(0)) > 1


class Ahead(Generic[Made]):
    """What another process makes of the items 0 to `length` - 1; `work` makes one, or None, in that process."""

    def __init__(self, length: int, work: Callable[[int], Made | None]) -> None:
        self._shared = mmap.mmap(-1, 16)  # how far this process has come, and how far the other
        self._reach(0, -1)
        self._reach(1, length)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as this
        self._made: dict[int, Made] | None = None
        gc.freeze()  # or the first look for garbage copies all that is shared
        self._length, origin = length, os.getpid()
        self._process = os.fork()
        if self._process == 0:
            with contextlib.suppress(BaseException):  # this process comes to the same, and says so
                self._work(work, origin)
            os._exit(0)

    def _work(self, work: Callable[[int], Made | None], origin: int) -> None:
        gc.disable()
        with self._file:
            for index in reversed(range(self._length)):
                if index <= self._reached(0) or os.getppid() != origin:
                    break
                self._reach(1, index)
                if (made := work(index)) is not None:
                    pickle.dump((index, made), self._file, pickle.HIGHEST_PROTOCOL)

    def take(self, index: int) -> Made | None:
        """What was made of an item; None where the caller is to make it. Asked for in order."""
        if self._made is None:
            self._reach(0, index)
            if index < self._reached(1):
                return None
            self._made = self._finished()
        return self._made.pop(index, None)

    def _finished(self) -> dict[int, Made]:
        self.end()
        made: dict[int, Made] = {}
        self._file.seek(0)
        with self._file, contextlib.suppress(EOFError, pickle.UnpicklingError):  # where it ended in the middle
            while True:
                index, one = pickle.load(self._file)  # noqa: S301 - written by ourselves, into a file without a name
                made[index] = one
        return made

    def end(self) -> None:
        """Have the other process stop after the item that it is at, and wait for that."""
        if self._process:
            self._reach(0, self._length)
            os.waitpid(self._process, 0)
            self._process = 0

    def _reached(self, who: int) -> int:
        return int(struct.unpack_from("q", self._shared, 8 * who)[0])

    def _reach(self, who: int, index: int) -> None:
        struct.pack_into("q", self._shared, 8 * who, index)


def each(length: int, work: Callable[[int], Made]) -> Iterator[Made]:
    """What `work` makes of the items 0 to `length` - 1, in order; by two processes where that is worth it."""
    ahead = Ahead(length, work) if length >= LEAST and possible() else None
    try:
        for index in range(length):
            made = ahead.take(index) if ahead else None
            yield work(index) if made is None else made
    finally:
        if ahead:
            ahead.end()
