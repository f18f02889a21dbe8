"""Run `handbook`, and kill it with SIGKILL at its Nth change to a file.

Usage: killed.py N ARGUMENT…
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from handbook.cli import main

changes = 0
fatal_change = int(sys.argv[1])


def count_changes(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        global changes
        changes += 1
        if changes == fatal_change:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)

    return call


for name in ("write", "fsync", "replace", "unlink", "mkdir", "rmdir"):
    setattr(os, name, count_changes(getattr(os, name)))
sys.exit(main(sys.argv[2:]))
