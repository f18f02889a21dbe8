"""PromQL expressions, checked so that no expression can end this process.

promql_parser works by recursion in native code: an expression of some thousand levels overflows the stack, which kills
the process. An expression of few levels is parsed here. The others are parsed by a child process: this file, run as a
program, with a large stack and a limit of time and memory for each expression.
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
"""A token that can begin a level of the syntax tree: an operator, a parenthesis, or the range of a subquery."""

_SAFE_LEVELS: Final = 100
"""Levels that are parsed in this process. The smallest expression that crashed had 4,160 levels and a stack of 8 MB
(`1+1+…`); with 1 MB, it had 512."""

_SECONDS: Final = 10
_MEMORY: Final = 2 << 30
_STACKS: Final = tuple(megabytes << 20 for megabytes in (512, 256, 128, 64, 32))
"""Sizes of the child's stack, of which the first that the system grants is used: a level takes up to 2 KB."""


@dataclass(frozen=True, slots=True)
class PromqlFault:
    """Why an expression is not accepted: the parser's `reason`, or None if it is too deep to be parsed."""

    reason: str | None


_TOO_DEEP: Final = PromqlFault(None)


def check_expressions(expressions: Sequence[str]) -> list[PromqlFault | None]:
    """Check PromQL expressions; the answer holds the fault of each, or None for a valid one.

    One child process parses all the deep ones. It is started again after an expression that ended it. Raises
    ChildProcessError if the child cannot run.
    """
    deep_expressions = list(dict.fromkeys(filter(_is_deep, expressions)))
    deep_faults = dict(zip(deep_expressions, _check_in_child(deep_expressions), strict=True))
    return [
        deep_faults[expression] if expression in deep_faults else _fault(_reason(expression))
        for expression in expressions
    ]


def _is_deep(expression: str) -> bool:
    return len(expression) > _SAFE_LEVELS and len(_LEVEL.findall(expression)) > _SAFE_LEVELS


def _fault(reason: str | None) -> PromqlFault | None:
    return None if reason is None else PromqlFault(reason)


def _reason(expression: str) -> str | None:
    """The parser's reason to refuse an expression, in one line; None if it accepts the expression."""
    try:
        promql_parser.parse(expression)
    except ValueError as error:
        return " ".join(str(error).split())
    return None


def _check_in_child(expressions: list[str]) -> list[PromqlFault | None]:
    faults: list[PromqlFault | None] = []
    while len(faults) < len(expressions):
        faults += map(_fault, _ask_child(expressions[len(faults) :]))
        if len(faults) < len(expressions):
            faults.append(_TOO_DEEP)  # the child ended at this one
    return faults


def _ask_child(expressions: list[str]) -> list[str | None]:
    """The reasons that a child process gives, in order; fewer than expressions if one of them has ended it."""
    try:
        answer = subprocess.run(  # noqa: S603 - our own program; expressions are its input
            [sys.executable, "-P", __file__],
            input=json.dumps(expressions).encode(),
            capture_output=True,
            check=False,
            timeout=2
            * _SECONDS
            * len(expressions),  # of time on the clock, where the child cannot limit itself
        )
    except subprocess.TimeoutExpired as error:
        return _read_answers(error.stdout or b"")
    if answer.returncode > 0:
        last_line = (answer.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[
            -1
        ]
        raise ChildProcessError(ECHILD, f"the child process failed: {last_line}", "promql_parser")
    return _read_answers(answer.stdout)


def _read_answers(output: bytes) -> list[str | None]:
    """One JSON value a line; a last line without its end was not written to the end."""
    return [json.loads(line) for line in output.split(b"\n")[:-1]]


# The child.


def _reason_for_deep(expression: str) -> str | None:
    """The same as `_reason`, without the syntax tree in Python, whose memory grows with the square of the levels.

    The expression becomes the left side of `or`, which binds least, and a function that does not exist its right side.
    If the parser complains of the function alone, the left side is valid. Else it is parsed alone for the reason.
    """
    from secrets import token_hex

    unknown_call = f"unknown_{token_hex(8)}()"
    if _reason(f"{expression}\nor {unknown_call}") == _reason(unknown_call):
        return None
    return _reason(expression)


def _limit_resources() -> None:
    with suppress(ImportError, ValueError, OSError):  # a system without limits, or with lower ones
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY if hard < 0 else min(_MEMORY, hard), hard))


def _answer_all(expressions: list[str]) -> None:
    import signal

    for expression in expressions:
        if hasattr(
            signal, "setitimer"
        ):  # its signal ends the process; the parser does not return to Python before
            signal.setitimer(signal.ITIMER_PROF, _SECONDS)
        print(json.dumps(_reason_for_deep(expression)), flush=True)


def _run_child() -> None:
    """Read expressions as JSON from the standard input, and answer each in a thread with a large stack."""
    import threading

    _limit_resources()
    expressions = json.load(sys.stdin)
    for size in _STACKS:
        threading.stack_size(size)
        thread = threading.Thread(target=_answer_all, args=(expressions,))
        try:
            thread.start()
        except RuntimeError:  # no memory for a stack of this size
            continue
        thread.join()
        return
    sys.exit("no memory for a stack")


if __name__ == "__main__":
    _run_child()
