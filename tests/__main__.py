"""Run parts of the tests, and print their times: `python -m tests all` or `python -m tests fast`.

`python -m tests --engine all` runs only the tests of the engine, which need none of the records of
this repository. The other tests are in tests/content and tests/samples.

- fast: style, types, and all tests without a built site.
- fuzz: hostile, large and generated input, real files with random changes, the same in every run,
  and commands that are killed.
- mutation: a sample of the defects that a record can have, and half of its valid variations.
- history: comparisons with a base, in Git repositories of the tests.
- builds: tests that build or serve a site.
- browser: tests that open a site in Chromium.
- samples: the sample files of the standards, each checked by its own tool.

The tests of all selected parts are one run, which imports and collects them once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

BIN = Path(sys.executable).parent
HUNG = 1800
"""Timeout of a command in seconds: more than twice the time of the whole suite."""
MARKERS = {
    "fuzz": "fuzz",
    "mutation": "mutation",
    "history": "history",
    "builds": "build",
    "browser": "browser",
    "samples": "samples",
}
"""The marker of the tests of each part. The part `fast` has the tests without a marker."""
FAST = "fast"
PARTS = (FAST, *MARKERS)
STYLE = (
    ("ruff", "check", "--quiet", "."),
    ("ruff", "format", "--quiet", "--check", "."),
    ("mypy", "--no-error-summary"),
)
"""The commands of the part `fast` that check the style and the types."""
ENGINE = "--engine"
CONTENT = ("tests/content", "tests/samples")
"""The folders of the tests of this repository's records, texts and samples."""
ENGINE_PARTS = tuple(part for part in PARTS if part != "samples")
MEMORY = Path("/dev/shm")  # noqa: S108 - the tests make folders of their own in it
"""A folder in memory, which is quicker than a disk.

For each new file, ext4 searches the recently removed ones: a tenth of the time of all tests.
"""
NEEDED = 4_000_000_000
"""The bytes that the tests need for their files, four times as many as they use."""


def has_quick_memory() -> bool:
    """Return whether the tests can keep their files in memory."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return False
    disk = os.statvfs(MEMORY)
    # Containers often have little room in this folder, or run no programs from it.
    return disk.f_bavail * disk.f_frsize >= NEEDED and not disk.f_flag & os.ST_NOEXEC


@contextmanager
def make_run_environment() -> Iterator[dict[str, str]]:
    """Yield the environment of the commands, and remove the tests' files in memory afterwards."""
    # The tests start hundreds of processes with the same modules, which are compiled once.
    environment = {key: os.environ[key] for key in os.environ.keys() - {"PYTHONDONTWRITEBYTECODE"}}
    if not has_quick_memory():
        yield environment
        return
    with TemporaryDirectory(prefix="handbook-", dir=MEMORY, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user
        yield environment | {"TMPDIR": folder}


def make_expression(parts: Sequence[str]) -> str:
    """Return the expression for pytest that selects the tests of these parts."""
    if set(parts) == set(PARTS):
        return ""
    without_marker = " and ".join(f"not {marker}" for marker in MARKERS.values())
    return " or ".join(f"({without_marker})" if part == FAST else MARKERS[part] for part in parts)


def list_commands(parts: Sequence[str], ignored: Sequence[str] = ()) -> list[list[str]]:
    """Return the commands that run these parts, without the tests in the ignored folders."""
    options = ["--quiet", "--numprocesses", "auto", "-m", make_expression(parts)]
    ignore = [f"--ignore={folder}" for folder in ignored]
    style = [[str(BIN / name), *arguments] for name, *arguments in STYLE if FAST in parts]
    return [[sys.executable, "-m", "pytest", *options, *ignore], *style]


def main(arguments: list[str]) -> int:
    """Run the selected parts. The commands run at the same time.

    Returns 0 if all commands succeed, 1 if one fails, 2 for a usage error.
    """
    is_engine = arguments[:1] == [ENGINE]
    known, names = (ENGINE_PARTS, arguments[1:]) if is_engine else (PARTS, arguments)
    parts = known if names == ["all"] else names
    if not parts or set(parts) - set(known):
        print(f"usage: python -m tests [{ENGINE}] all | {' | '.join(PARTS)}", file=sys.stderr)
        return 2
    begin = time.monotonic()
    commands = list_commands(parts, CONTENT if is_engine else ())
    failed = []
    with make_run_environment() as environment:
        processes = [
            subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)
            for command in commands
        ]
        for command, process in zip(commands, processes, strict=True):
            try:
                code = process.wait(begin + HUNG - time.monotonic())
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            if code:
                failed.append(f"{Path(command[0]).name} {' '.join(command[1:])}")
    print(f"{' '.join(names)}: {time.monotonic() - begin:.1f} s")
    for command_line in failed:
        print(f"FAILED {command_line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
