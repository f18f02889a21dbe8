"""Check PromQL expressions, so that no expression can kill this process.

promql_parser works by recursion in native code: an expression of some thousand levels overflows the
stack, which kills the process. An expression of few levels is parsed here. A child process parses
the others: this file, run as a program, with a large stack and limits of time and memory for each
expression.
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
"""A token that can begin a level of the tree: an operator or a bracket."""

_SAFE_LEVELS: Final = 100
"""The most levels that this process parses.

The smallest expression that crashed (`1+1+…`) had 4,160 levels with a stack of 8 MB, and 512 levels
with a stack of 1 MB.
"""

_SECONDS: Final = 10
_MEMORY: Final = 2 << 30
_STACKS: Final = tuple(megabytes << 20 for megabytes in (512, 256, 128, 64, 32))
"""Sizes of the child's stack. The first size that the system grants is used.

A level takes up to 2 KB.
"""


@dataclass(frozen=True, slots=True)
class PromqlFault:
    """A fault of an expression: the parser's `reason`, or None for too many levels."""

    reason: str | None


_TOO_DEEP: Final = PromqlFault(None)


def check_expressions(expressions: Sequence[str]) -> list[PromqlFault | None]:
    """Return the fault of each expression, or None for a valid one.

    One child process parses all deep expressions. It is started again after an expression that
    killed it. Raises ChildProcessError if the child cannot run.
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
    """Return the parser's reason to refuse an expression, in one line, or None."""
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
            faults.append(_TOO_DEEP)  # this expression killed the child
    return faults


def _ask_child(expressions: list[str]) -> list[str | None]:
    """Return the reasons of a child process, in order.

    There are fewer reasons than expressions if one of them killed the child.
    """
    # This limit counts wall time, for systems on which the child cannot limit itself.
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
    """Read one JSON value per line. A last line without a line end is incomplete."""
    return [json.loads(line) for line in output.split(b"\n")[:-1]]


# The code below runs in the child.


def _read_deep_reason(expression: str) -> str | None:
    """Do the same as `_read_reason`, without the syntax tree in Python.

    The memory of that tree grows with the square of the levels. The expression becomes the left
    side of `or`, which binds least, and an unknown function its right side. If the parser refuses
    only the function, the left side is valid. Otherwise the expression is parsed alone for the
    reason.
    """
    from secrets import token_hex

    unknown_call = f"unknown_{token_hex(8)}()"
    if _read_reason(f"{expression}\nor {unknown_call}") == _read_reason(unknown_call):
        return None
    return _read_reason(expression)


def _limit_resources() -> None:
    # Some systems have no limits, and some have lower ones.
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY if hard < 0 else min(_MEMORY, hard), hard))


def _answer_all(expressions: list[str]) -> None:
    import signal

    for expression in expressions:
        # The signal of the timer kills the process, because the parser does not return to Python.
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, _SECONDS)
        print(json.dumps(_read_deep_reason(expression)), flush=True)


def _run_child() -> None:
    """Answer the expressions from the standard input, in a thread with a large stack."""
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
