"""Run parts of the tests, and print their times: `python -m tests all` or `python -m tests fast`.

`python -m tests --engine all` runs only the tests of the engine, which need none of the records of
this repository. The other tests are in tests/content and tests/samples.

- fast: style, types, and all tests without a built site.
- fuzz: hostile, large and generated files, real files with random changes, the same in every run,
  and commands that are killed.
- mutation: a sample of the defects that a record can have, and half of its valid variations.
- history: comparisons with a base, in Git repositories of the tests.
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
MARKERS = {
    "fuzz": "fuzz",
    "mutation": "mutation",
    "history": "history",
    "builds": "build",
    "browser": "browser",
    "samples": "samples",
}
"""The marker of the tests of each part. The part `fast` has the tests without a marker."""
ENGINE = "--engine"
CONTENT = ("tests/content", "tests/samples")
"""The folders of the tests of this repository's records, texts and samples."""


def make_pytest_command(markers: str) -> list[str]:
    """Return the command that runs the tests with these markers on two cores."""
    # Tests of one group share an expensive fixture.
    options = ["--quiet", "--numprocesses", "2", "--dist", "loadgroup"]
    return [sys.executable, "-m", "pytest", *options, "-m", markers]


PARTS: dict[str, list[list[str]]] = {
    "fast": [
        [str(BIN / "ruff"), "check", "--quiet", "."],
        [str(BIN / "ruff"), "format", "--quiet", "--check", "."],
        [str(BIN / "mypy"), "--no-error-summary"],
        make_pytest_command(" and ".join(f"not {marker}" for marker in MARKERS.values())),
    ],
    **{part: [make_pytest_command(marker)] for part, marker in MARKERS.items()},
}


def list_engine_commands() -> dict[str, list[list[str]]]:
    """Return the commands of each part without the content tests."""
    ignored = [f"--ignore={folder}" for folder in CONTENT]
    return {
        part: [[*command, *ignored] if "pytest" in command else command for command in commands]
        for part, commands in PARTS.items()
        if part != "samples"
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
    parts, names = PARTS, arguments
    if arguments[:1] == [ENGINE]:
        parts, names = list_engine_commands(), arguments[1:]
    if names == ["all"]:
        names = list(parts)
    if not names or set(names) - set(parts):
        print(f"usage: python -m tests [{ENGINE}] all | {' | '.join(PARTS)}", file=sys.stderr)
        return 2
    failed = []
    times = []
    for name in names:
        begin = time.monotonic()
        failed += [
            f"{name}: {Path(command[0]).name} {' '.join(command[1:])}"
            for command in parts[name]
            if not succeeds(command)
        ]
        times.append(f"{name}: {time.monotonic() - begin:.1f} s")
    print("\n".join(times))
    for command_line in failed:
        print(f"FAILED {command_line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
