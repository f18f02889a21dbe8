"""Run a command, and measure its time and the memory of all its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SHARE: Final = 20
"""The pause between two samples, as a multiple of the time that a sample takes."""
_PAUSE: Final = 0.02


class CommandError(Exception):
    """A measured command failed, or took too long."""


@dataclass(frozen=True)
class Usage:
    """Wall time and CPU time in seconds, and the peak of the memory of all processes in MB."""

    wall: float
    cpu: float
    memory: float


def make_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of measured commands, as a user has it.

    It has no CI, which switches our cache off. Python keeps compiled modules.
    """
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1", **extra}
    for name in ("CI", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    return environment


def list_processes(parent: int) -> Iterator[int]:
    """Yield a process and all that it started, except those that have ended."""
    with suppress(OSError, IndexError):
        status = Path(f"/proc/{parent}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        if status.split()[0] != "Z":
            yield parent
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            for child in children.read_text(encoding="utf-8").split():
                yield from list_processes(int(child))


def read_memory(process: int) -> int:
    """Return the memory of a process in kB. Shared memory counts in proportion (PSS)."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


class MemorySampler:
    """Samples the memory of a process and its children until it is stopped."""

    def __init__(self, process: int) -> None:
        self.process = process
        self.peak = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._sample, daemon=True)
        self.thread.start()

    def _sample(self) -> None:
        pause = 0.0
        while not self.ended.wait(pause):
            start = time.perf_counter()
            self.peak = max(self.peak, sum(map(read_memory, list_processes(self.process))))
            pause = max(_PAUSE, _SHARE * (time.perf_counter() - start))

    def stop(self) -> float:
        """Stop the sampling, and return the peak in MB."""
        self.ended.set()
        self.thread.join()
        return self.peak * 1.024 / 1000


def measure_command(
    arguments: Sequence[str],
    folder: Path,
    *,
    codes: Sequence[int] = (0,),
    patience: float = 600.0,
    environment: Mapping[str, str] | None = None,
) -> Usage:
    """Run a command in a folder, and measure it.

    Raises CommandError if the exit code is not in `codes`, or if the command takes longer than
    `patience` seconds.
    """
    log = folder.parent / f"{folder.name}.log"
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the commands of the benchmarks
            arguments,
            cwd=folder,
            env=make_environment(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        sampler = MemorySampler(process.pid)
        alarm = threading.Timer(patience, _kill_group, [process.pid])
        alarm.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _kill_group(process.pid)
            raise
        finally:
            wall = time.perf_counter() - start
            alarm.cancel()
            memory = sampler.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""]
        limit = f" after {patience:.0f} s" if wall >= patience else ""
        raise CommandError(f"exit code {process.returncode}{limit}: {lines[-1][:200]}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, memory)


@contextmanager
def run_server(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[int]:
    """Run a server during the block, and yield the id of its process."""
    with (folder.parent / f"{folder.name}.log").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the commands of the benchmarks
            arguments,
            cwd=folder,
            env=make_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield process.pid
        finally:
            _kill_group(process.pid)
            process.wait()


def _kill_group(process: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
