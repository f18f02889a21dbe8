"""Run parts of the tests, and print their times: `python -m tests all` or `python -m tests fast`.

- fast: style, types, and all tests without a built site.
- fuzz: hostile, large and generated files, and real files with random changes, the same in every
  run.
- mutation: a sample of the defects that a record can have, and half of its valid variations.
- builds: tests that build or serve a site.
- browser: tests that open a site in Chromium.
- samples: the sample files of the standards, each checked by its own tool.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
HUNG = 1800
"""Timeout of a command in seconds: ten times the time of the slowest command."""
PARTS: dict[str, list[list[str]]] = {
    "fast": [
        [str(BIN / "ruff"), "check", "--quiet", "."],
        [str(BIN / "ruff"), "format", "--quiet", "--check", "."],
        [str(BIN / "mypy"), "--no-error-summary"],
        [
            sys.executable,
            "-m",
            "pytest",
            "--quiet",
            "--numprocesses",
            "2",
            "-m",
            "not build and not browser and not samples and not mutation and not fuzz",
        ],
    ],
    "fuzz": [[sys.executable, "-m", "pytest", "--quiet", "--numprocesses", "2", "-m", "fuzz"]],
    "mutation": [
        [sys.executable, "-m", "pytest", "--quiet", "--numprocesses", "2", "-m", "mutation"]
    ],
    "builds": [[sys.executable, "-m", "pytest", "--quiet", "--numprocesses", "2", "-m", "build"]],
    "browser": [
        [sys.executable, "-m", "pytest", "--quiet", "--numprocesses", "2", "-m", "browser"]
    ],
    "samples": [
        [
            sys.executable,
            "-m",
            "pytest",
            "--quiet",
            "--numprocesses",
            "2",
            "--dist",
            "loadgroup",
            "-m",
            "samples",
        ]
    ],
}


def succeeds(command: list[str]) -> bool:
    """Tell whether a command succeeds before the timeout."""
    try:
        return (
            subprocess.run(command, stdin=subprocess.DEVNULL, timeout=HUNG, check=False).returncode
            == 0
        )
    except subprocess.TimeoutExpired:
        return False


def main(arguments: list[str]) -> int:
    """Run the selected parts.

    Returns 0 if all commands succeed, 1 if one fails, 2 for a usage error.
    """
    names = list(PARTS) if arguments == ["all"] else arguments
    if not names or set(names) - set(PARTS):
        print(f"usage: python -m tests all | {' | '.join(PARTS)}", file=sys.stderr)
        return 2
    failed = []
    times = []
    for name in names:
        begin = time.monotonic()
        failed += [
            f"{name}: {Path(command[0]).name} {' '.join(command[1:])}"
            for command in PARTS[name]
            if not succeeds(command)
        ]
        times.append(f"{name}: {time.monotonic() - begin:.1f} s")
    print("\n".join(times))
    for command_line in failed:
        print(f"FAILED {command_line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
