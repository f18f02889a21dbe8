"""Run a command of the environment on another day: DAY COMMAND ARGUMENT…."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import time_machine

day, name, *arguments = sys.argv[1:]
sys.argv = [name, *arguments]
(command,) = entry_points(group="console_scripts", name=name)
with time_machine.travel(day, tick=True):
    sys.exit(command.load()())
