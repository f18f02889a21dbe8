"""Run commands of this environment in forks of this process, which has imported their packages.

A fork has its own folder, variables and output, as a new process has, and it starts at once. Each
line of standard input has the arguments, the folder, the variables and the output files of a
command in JSON. The answer is a line with the exit code. Negative codes are signals.

After the first successful build, this process builds a site itself. So the later forks find
compiled templates and expressions, which are 40 % of the time of a small build.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from importlib.metadata import entry_points
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from handbook.cli import main

LATE = ("backrefs.bre", "handbook.cli.build_command", "handbook.engines.build")
"""Modules that only some builds import."""
TIMEOUT = 120
SMALL = Path(__file__).parents[1] / "sites" / "small"
SCRIPTS = {script.name: script for script in entry_points(group="console_scripts")}


def build_once() -> None:
    """Build a site, so that this process has all modules, templates and expressions."""
    for module in LATE:
        import_module(module)
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.theme import Theme

    from tests.templates import keep_compiled

    Theme.get_env = keep_compiled()  # type: ignore[method-assign,assignment]
    # Without a command, no logger is set up.
    with TemporaryDirectory() as folder, redirect_stderr(StringIO()):
        config = load_config(str(SMALL / "mkdocs.yml"), site_dir=f"{folder}/site")
        config.plugins.on_startup(command="build", dirty=False)
        build(config)
        config.plugins.on_shutdown()
    gc.freeze()


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
with redirect_stdout(StringIO()):
    main(["check", "--root", str(SMALL)])  # imports the rules
gc.freeze()
has_built = False
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if child == 0:
        become(*job)
        sys.exit(SCRIPTS[Path(sys.argv[0]).name].load()())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, flush=True)
    if code == 0 and "build" in job[0] and not has_built:
        build_once()
        has_built = True
