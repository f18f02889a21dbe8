"""Run `handbook`, and kill it with SIGKILL at the Nth change that it makes to a file: killed.py N ARGUMENT…"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from handbook.cli import main

done = 0
last = int(sys.argv[1])


def counted(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any, **options: Any) -> Any:
        global done
        done += 1
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)

    return called


for name in ("write", "fsync", "replace", "unlink", "mkdir", "rmdir"):
    setattr(os, name, counted(getattr(os, name)))
sys.exit(main(sys.argv[2:]))
