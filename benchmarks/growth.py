"""Measure how the time of a check grows with a crafted file: `python -m benchmarks.growth [WORD]`.

The script checks each file of `crafted.py` at 16 kB, 32 kB and so on, up to the largest file that
the check reads, or until one check takes longer than `--seconds`. The growth is the exponent of the
time over the last two doublings of the size: 1 is linear, and 2 is quadratic. The script fails if a
check is too slow.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from benchmarks.crafted import POLICY, SETTINGS, Case, list_cases
from handbook.loading import load
from handbook.reading.files import LARGEST
from handbook.reporters import REPORTERS
from handbook.rules.engine import rules, run

TODAY: Final = date(2026, 11, 23)
SIZES: Final = (16_000, 32_000, 64_000, 128_000, 256_000, 512_000, LARGEST - 3_000)
SLOW: Final = 5.0
"""CPU time of a check in seconds. A case with a longer time is too slow."""
STEEP: Final = 1.4
"""Growth. A case with a higher growth is too slow if its check takes longer than `SHORT`."""
SHORT: Final = 1.0


@dataclass(frozen=True)
class Measurement:
    """CPU time of a check in seconds, its number of findings, and the size of its reports."""

    size: int
    seconds: float
    findings: int
    report_size: int


@dataclass(frozen=True)
class Growth:
    """The measurements of a case by size. `has_ended` is False if the last check did not end."""

    measurements: tuple[Measurement, ...]
    has_ended: bool

    @property
    def exponent(self) -> float:
        """The exponent of the growth over the last two doublings of the size."""
        points = [point for point in self.measurements if point.seconds > 0.05][-3:]
        if len(points) < 2:
            return 0.0
        return math.log(points[-1].seconds / points[0].seconds) / math.log(
            points[-1].size / points[0].size
        )

    @property
    def is_slow(self) -> bool:
        """Whether a check is too slow, or grows faster than its file."""
        seconds = self.measurements[-1].seconds if self.measurements else 0.0
        return not self.has_ended or seconds > SLOW or (self.exponent > STEEP and seconds > SHORT)

    def __str__(self) -> str:
        times = "  ".join(
            f"{point.size // 1000}k {point.seconds:.2f}" for point in self.measurements[-3:]
        )
        if not self.has_ended:
            return f"^{self.exponent:.1f}  {times}  (did not end)"
        last = self.measurements[-1]
        return (
            f"^{self.exponent:.1f}  {times}  {last.findings} findings, "
            f"{last.report_size // 1000}k of reports"
        )


def measure(case: Case, size: int, timeout: float) -> Measurement | None:
    """Check the files of a case in a child process. Returns None if the check does not end."""
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_check, args=(case, size, sender))
    process.start()
    sender.close()
    try:
        measurement: Measurement | None = receiver.recv() if receiver.poll(timeout) else None
    except EOFError:
        measurement = None
    if process.pid is not None:
        with suppress(ProcessLookupError):  # the group ends with its last process
            os.killpg(process.pid, signal.SIGKILL)
    process.join()
    return measurement


def _check(case: Case, size: int, sender: Connection) -> None:
    os.setsid()  # shellcheck is in the same process group, and ends with it
    with tempfile.TemporaryDirectory() as folder:
        largest = 0
        for path, text in {POLICY: SETTINGS, **case.make(case.repeat(size))}.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            data = text.encode()[:LARGEST].decode(errors="ignore").encode()
            file.write_bytes(data)
            largest = max(largest, len(data))
        start = _read_cpu_time()
        report = run(load(Path(folder)), TODAY)
        report_size = sum(len(reporter(report)) for reporter in REPORTERS.values())
        seconds = _read_cpu_time() - start
        sender.send(Measurement(largest, seconds, len(report.findings), report_size))


def _read_cpu_time() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure_growth(case: Case, seconds: float, largest: int) -> Growth:
    """Check a case at growing sizes up to `largest`, until a check takes longer than `seconds`."""
    measurements: list[Measurement] = []
    for size in filter(largest.__ge__, SIZES):
        measurement = measure(case, size, 10 * seconds)
        if measurement is None:
            return Growth(tuple(measurements), has_ended=False)
        if measurements and measurement.size <= measurements[-1].size:
            break  # the case has a longest text
        measurements.append(measurement)
        if measurement.seconds > seconds:
            break
    return Growth(tuple(measurements), has_ended=True)


def _select_cases(words: list[str]) -> Iterator[Case]:
    for case in list_cases():
        if not words or any(word in case.name for word in words):
            yield case


def main(arguments: list[str] | None = None) -> int:
    """Run the command, and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="measure only the cases with one of these words")
    parser.add_argument("--seconds", type=float, default=4.0, help="longest check")
    parser.add_argument("--largest", type=int, default=LARGEST, help="largest file")
    options = parser.parse_args(arguments)
    rules()  # import all rules before the first measurement
    slow = 0
    for case in _select_cases(options.words):
        growth = measure_growth(case, options.seconds, options.largest)
        slow += growth.is_slow
        print(f"{'SLOW' if growth.is_slow else '    '} {case.name:40} {growth}", flush=True)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
