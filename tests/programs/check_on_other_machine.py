"""Check a handbook five times, with files in random order and without a network.

Arguments: SEED CORES OUTPUT ARGUMENT…. The runs have one or two cores, and five dates. Each writes
its findings to a file of its own.
"""

from __future__ import annotations

import os
import random
import socket
import sys
from typing import Any, NoReturn

import time_machine

from handbook.cli import main

seed, cores, output, *arguments = sys.argv[1:]
generator, scan = random.Random(seed), os.scandir  # noqa: S311 - an order, not a secret


class Shuffled(list[Any]):
    """Entries of a folder, as `os.scandir` returns them."""

    def __enter__(self) -> Shuffled:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def shuffle(*arguments: Any) -> Shuffled:
    with scan(*arguments) as entries:
        shuffled_entries = Shuffled(entries)
    generator.shuffle(shuffled_entries)
    return shuffled_entries


def refuse(*_: object, **__: object) -> NoReturn:
    raise OSError("no network")


os.scandir, socket.socket.connect = shuffle, refuse  # type: ignore[assignment,method-assign]
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
for run in range(5):
    with time_machine.travel(f"{2025 + run}-0{1 + run}-28", tick=False):
        if main([*arguments, "--output", f"{output}-{run}.json"]) != 1:
            sys.exit(f"run {run} did not end with findings")
