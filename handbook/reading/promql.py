"""Check the syntax of PromQL expressions.

promql_parser uses recursion in native code. An expression with thousands of nested levels would
overflow the stack, which kills the process. Therefore this process parses only expressions with few
levels. A child process parses the others: it runs this file as a program, with a large stack, and
with limits of time and memory.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from errno import ECHILD
from typing import Final

import promql_parser

_LEVEL: Final = re.compile(r"[-+*/%^<>=!(\[]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
"""A token that can begin a nested level of an expression: an operator or a bracket."""

_SAFE_LEVELS: Final = 100
"""The limit of nested levels in an expression that this process parses.

The smallest expression that crashed (`1+1+…`) had 4,160 levels with a stack of 8 MB, and 512 levels
with a stack of 1 MB.
"""

_SECONDS: Final = 10
_MEMORY: Final = 2 << 30
_STACKS: Final = tuple(megabytes << 20 for megabytes in (512, 256, 128, 64, 32))
"""Sizes of the stack of the child process. It uses the first size that the system allows.

One nested level needs up to 2 KB.
"""


@dataclass(frozen=True, slots=True)
class PromqlFault:
    """The fault of an invalid expression.

    `reason` is the message of the parser, or None if the expression has too many levels.
    """

    reason: str | None


_TOO_DEEP: Final = PromqlFault(None)


def check_expressions(expressions: Sequence[str]) -> list[PromqlFault | None]:
    """Return the fault of each expression in order, or None if the expression is valid.

    One child process parses all deep expressions. If an expression kills the child process, a new
    one parses the rest. Raises ChildProcessError if the child process cannot run.
    """
    deep_expressions = list(dict.fromkeys(filter(_is_deep, expressions)))
    deep_faults = dict(zip(deep_expressions, _check_in_child(deep_expressions), strict=True))
    return [
        deep_faults[expression]
        if expression in deep_faults
        else _make_fault(_read_reason(expression))
        for expression in expressions
    ]


def _is_deep(expression: str) -> bool:
    return len(expression) > _SAFE_LEVELS and len(_LEVEL.findall(expression)) > _SAFE_LEVELS


def _make_fault(reason: str | None) -> PromqlFault | None:
    return None if reason is None else PromqlFault(reason)


def _read_reason(expression: str) -> str | None:
    """Return the error message of the parser as one line, or None for a valid expression."""
    try:
        promql_parser.parse(expression)
    except ValueError as error:
        return " ".join(str(error).split())
    return None


def _check_in_child(expressions: list[str]) -> list[PromqlFault | None]:
    faults: list[PromqlFault | None] = []
    while len(faults) < len(expressions):
        faults += map(_make_fault, _ask_child(expressions[len(faults) :]))
        if len(faults) < len(expressions):
            faults.append(_TOO_DEEP)  # the next expression killed the child process
    return faults


def _ask_child(expressions: list[str]) -> list[str | None]:
    """Return the answer of a child process for each expression: an error message or None.

    If an expression kills the child process, the answers end before this expression.
    """
    # This limit counts wall time. It is for systems without a timer for the child process.
    seconds = 2 * _SECONDS * len(expressions)
    try:
        answer = subprocess.run(  # noqa: S603 - our own program; expressions are its input
            [sys.executable, "-P", __file__],
            input=json.dumps(expressions).encode(),
            capture_output=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        return _read_answers(error.stdout or b"")
    if answer.returncode > 0:
        lines = answer.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise ChildProcessError(ECHILD, f"the child process failed: {lines[-1]}", "promql_parser")
    return _read_answers(answer.stdout)


def _read_answers(output: bytes) -> list[str | None]:
    """Read one JSON value per line. Ignore a last line without a line end: it is incomplete."""
    return [json.loads(line) for line in output.split(b"\n")[:-1]]


# The code below runs in the child process.


def _read_deep_reason(expression: str) -> str | None:
    """Return the same as `_read_reason`, but with less memory for a valid expression.

    For a valid expression, the parser returns a syntax tree whose memory grows with the square of
    the levels. To get no tree, this function adds `or` and an unknown function, which is always an
    error. If the parser reports only the unknown function, the expression is valid. Otherwise the
    function parses the expression alone, to get the error message.
    """
    from secrets import token_hex

    unknown_call = f"unknown_{token_hex(8)}()"
    if _read_reason(f"{expression}\nor {unknown_call}") == _read_reason(unknown_call):
        return None
    return _read_reason(expression)


def _limit_resources() -> None:
    """Limit the memory of this process, and disable core dumps."""
    # Some systems do not support limits, and some refuse a limit above their own.
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, hard_limit = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(
            resource.RLIMIT_AS,
            (_MEMORY if hard_limit < 0 else min(_MEMORY, hard_limit), hard_limit),
        )


def _answer_all(expressions: list[str]) -> None:
    """Print the answer for each expression as a line of JSON."""
    import signal

    for expression in expressions:
        # The signal of this timer kills the process. Python cannot interrupt native code.
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, _SECONDS)
        print(json.dumps(_read_deep_reason(expression)), flush=True)


def _run_child() -> None:
    """Read expressions from standard input, and check them in a thread with a large stack."""
    import threading

    _limit_resources()
    expressions = json.load(sys.stdin)
    for size in _STACKS:
        threading.stack_size(size)
        thread = threading.Thread(target=_answer_all, args=(expressions,))
        try:
            thread.start()
        except RuntimeError:  # the system has no memory for a stack of this size
            continue
        thread.join()
        return
    sys.exit("no memory for a stack")


if __name__ == "__main__":
    _run_child()
