"""Shared fixtures: a fresh copy of the service, its databases, and the Node tools."""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands import install_node_packages, make_environment, require_tool
from tests.samples.proofs import SAMPLES, copy_service


def make_service_environment(**extra: str) -> dict[str, str]:
    """Return an environment in which the new virtual environment keeps its compiled modules."""
    environment = make_environment(**extra)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


@dataclass(frozen=True)
class Service:
    """Fresh copy of the service in its own Git repository, after its test command."""

    root: Path
    test_run: subprocess.CompletedProcess[str]

    @functools.cached_property
    def token_variables(self) -> dict[str, str]:
        """Variables with a new pair of keys for tokens: the service's and the tests'."""
        lines = self.run("python", "scripts/customer_token.py", "new").stdout.splitlines()
        return {
            "TOKEN_ISSUER": "https://login.example",
            **dict(line.split("=", 1) for line in lines),
        }

    def run(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy, with its own environment first on the path."""
        path = os.pathsep.join((str(self.root / ".venv/bin"), os.environ["PATH"]))
        return subprocess.run(
            command,
            cwd=self.root,
            env=make_service_environment(PATH=path, VIRTUAL_ENV=str(self.root / ".venv"), **env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return the service, installed and tested with the command of its README."""
    root = copy_service(tmp_path_factory.mktemp("service") / "order-service")
    test_run = subprocess.run(
        ["make", "test"],
        cwd=root,
        env=make_service_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Service(root, test_run)


@pytest.fixture(scope="session")
def databases() -> Iterator[dict[str, str]]:
    """Run PostgreSQL and Redis on free ports, and return the variables of their addresses."""
    redis = require_tool("redis-server")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    postgres = (
        Path(require_tool("initdb", str(programs[-1] / "initdb") if programs else "initdb"))
        .resolve()
        .parent
    )
    folder = Path(tempfile.mkdtemp(prefix="databases-"))
    user = []
    if os.geteuid() == 0:  # PostgreSQL does not run as root.
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        user = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    data, ports = str(folder / "data"), (_free_port(), _free_port())
    initdb = [
        *user,
        str(postgres / "initdb"),
        "-D",
        data,
        "-U",
        "orders",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
    ]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder)
    server = [
        *user,
        str(postgres / "postgres"),
        "-D",
        data,
        "-p",
        str(ports[0]),
        "-F",
        "-k",
        str(folder),
    ]
    processes = [
        subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in (
            [*server, "-c", "listen_addresses=127.0.0.1"],
            [
                redis,
                "--bind",
                "127.0.0.1",
                "--port",
                str(ports[1]),
                "--save",
                "",
                "--appendonly",
                "no",
            ],
        )
    ]
    try:
        for port in ports:
            _wait_for(port)
        createdb = [
            str(postgres / "createdb"),
            "-h",
            "127.0.0.1",
            "-p",
            str(ports[0]),
            "-U",
            "orders",
            "orders",
        ]
        subprocess.run(createdb, check=True, capture_output=True)
        yield {
            "DATABASE_URL": f"postgresql://orders@127.0.0.1:{ports[0]}/orders",
            "REDIS_URL": f"redis://127.0.0.1:{ports[1]}/0",
        }
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def running(service: Service, databases: dict[str, str]) -> Iterator[str]:
    """Run the service with databases and stubs, and return its address."""
    python, port = str(service.root / ".venv/bin/python"), _free_port()
    stubs = (
        "import sys; from tests.integration.stubs import Neighbours, served\n"
        "with served(Neighbours()) as neighbours:\n"
        "    print(neighbours.url, flush=True); sys.stdin.read()"
    )
    neighbours = subprocess.Popen(
        [python, "-c", stubs],
        cwd=service.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert neighbours.stdout
    url = neighbours.stdout.readline().strip()
    env = {
        **databases,
        **dict.fromkeys(("CATALOG_URL", "INVENTORY_URL", "STRIPE_URL"), url),
        "STRIPE_SECRET_KEY": "sk_test_example",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "GIT_SHA": "3f2c9d1",
    }
    env |= service.token_variables
    migration = service.run("alembic", "upgrade", "head", **env)
    assert migration.returncode == 0, migration.stderr
    process = subprocess.Popen(
        [python, "-m", "order_service"],
        cwd=service.root,
        env=make_environment(**env),
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        neighbours.communicate(timeout=30)
        process.wait(30)


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return folders with the locked Node packages of the service and of the tests."""
    folder = tmp_path_factory.mktemp("node")
    sources = {"service": SAMPLES / "order-service", "suite": Path(__file__).parent}
    return {name: install_node_packages(source, folder / name) for name, source in sources.items()}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
