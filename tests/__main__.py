"""The suite, part by part, each with its time: `python -m tests all` or `python -m tests fast`.

fast: style, types, and every test that needs no whole site. fuzz: hostile files, and real ones spoilt at
random, always the same. mutation: a sample of the defects that a record can have.
builds: those that build or serve a site. browser: those that open it in Chromium. samples: the listings of the
standards, each by the tool that it is for.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
HUNG = 1800
"""Seconds after which a command counts as hung; the slowest takes a tenth of it."""
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


def passes(command: list[str]) -> bool:
    """Whether a command ends, and ends well."""
    try:
        return (
            subprocess.run(command, stdin=subprocess.DEVNULL, timeout=HUNG, check=False).returncode
            == 0
        )
    except subprocess.TimeoutExpired:
        return False


def main(arguments: list[str]) -> int:
    """Run the parts that are asked for; answers 0 where every command of them did, else 1."""
    wanted = list(PARTS) if arguments == ["all"] else arguments
    if not wanted or set(wanted) - set(PARTS):
        print(f"usage: python -m tests all | {' | '.join(PARTS)}", file=sys.stderr)
        return 2
    failed = []
    times = []
    for part in wanted:
        begin = time.monotonic()
        failed += [
            f"{part}: {Path(command[0]).name} {' '.join(command[1:])}"
            for command in PARTS[part]
            if not passes(command)
        ]
        times.append(f"{part}: {time.monotonic() - begin:.1f} s")
    print("\n".join(times))
    for each in failed:
        print(f"FAILED {each}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
