"""Run commands of this environment in forks of this process, which has imported their packages.

A fork has its own folder, variables and output, as a new process has, and it starts at once. Each
line of standard input has the arguments, the folder, the variables and the output files of a
command in JSON. The answer is a line with the exit code. Negative codes are signals.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import redirect_stdout
from importlib import import_module
from importlib.metadata import entry_points
from io import StringIO
from pathlib import Path

from handbook.cli import main

LATE = (
    "backrefs.bre",
    "handbook.engines.mkdocs",
    "handbook.site.finish",
    "material.plugins.search.plugin",
    "mkdocs.commands.build",
    "mkdocs_macros.plugin",
    "pymdownx.superfences",
)
"""Modules that only a build imports."""
TIMEOUT = 120
SMALL = Path(__file__).parents[1] / "sites" / "small"
SCRIPTS = {script.name: script for script in entry_points(group="console_scripts")}


def become(arguments: list[str], cwd: str, variables: dict[str, str], outputs: list[str]) -> None:
    """Turn this process into the process of a command."""
    signal.alarm(TIMEOUT)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(variables)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in enumerate(outputs, 1):
        os.dup2(os.open(path, os.O_WRONLY), descriptor)
    sys.argv = arguments


sys.path[0] = str(Path(sys.executable).parent)  # as for an installed command
for module in LATE:
    import_module(module)
with redirect_stdout(StringIO()):
    main(["check", "--root", str(SMALL)])  # imports the rules
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        become(*json.loads(line))
        sys.exit(SCRIPTS[Path(sys.argv[0]).name].load()())
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
