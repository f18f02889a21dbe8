"""Check the syntax of PromQL expressions, and read their thresholds and recorded series.

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
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from errno import ECHILD
from fractions import Fraction
from functools import lru_cache
from math import isfinite
from typing import Any, Final

import promql_parser

_LEVEL: Final = re.compile(r"[-+*/%^<>=!(\[]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
"""A token that can begin a nested level of an expression: an operator or a bracket."""

_SAFE_LEVELS: Final = 100
"""The limit of nested levels in an expression that this process parses.

The smallest expression that crashed (`1+1+…`) had 4,160 levels with a stack of 8 MB, and 512 levels
with a stack of 1 MB.
"""

_LONGEST: Final = 10_000
"""The length limit of an expression. The time of the parser grows with the square of the length."""

_SECONDS: Final = 10
_MEMORY: Final = 2 << 30
_STACKS: Final = tuple(megabytes << 20 for megabytes in (512, 256, 128, 64, 32))
"""Sizes of the stack of the child process. It uses the first size that the system allows.

One nested level needs up to 2 KB.
"""


_TOKEN: Final = re.compile(
    r"""\s+|\#[^\n]*|`[^`]*(?:`|\Z)|"(?:\\.|[^"\\])*(?:"|\\?\Z)|'(?:\\.|[^'\\])*(?:'|\\?\Z)
    |\[[^\[\]"'`\#]*\]|[a-zA-Z_:][a-zA-Z0-9_:]*|=~|!~|!=|==|.""",
    re.VERBOSE | re.DOTALL,
)
"""A token of an expression. A time range such as `[5m:1m]` is one token.

A string without its closing mark ends with the expression, so that the search takes linear time.
"""
_RENAMED_FUNCTIONS: Final = {"holt_winters": "double_exponential_smoothing"}
"""The functions of Prometheus 2 that have another name in Prometheus 3, and their new names."""
_LIBRARY_LACKS: Final = re.compile("`|" + "|".join(_RENAMED_FUNCTIONS))
"""A sign of syntax that promql_parser does not know."""
_REPETITION: Final = r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})"
_NESTED_REPETITION: Final = re.compile(
    rf"\\.|\[\^?\]?(?:\\.|[^\]\\])*(?:\]|\\?\Z)|\(\?|({_REPETITION}\??+{_REPETITION})", re.DOTALL
)
"""A repetition of a repetition, such as `a**`, as its group 1. Go refuses it in a pattern."""


@dataclass(frozen=True, slots=True)
class PromqlFault:
    """The fault of an expression.

    `reason` is the message of the parser, or the limit that the expression exceeds.
    """

    reason: str
    exceeds_limit: bool = False


_TOO_DEEP: Final = PromqlFault("nested too deeply", exceeds_limit=True)
_TOO_LONG: Final = PromqlFault(f"of more than {_LONGEST:,} characters", exceeds_limit=True)


def check_expressions(expressions: Sequence[str]) -> list[PromqlFault | None]:
    """Return the fault of each expression in order, or None if the expression is valid.

    One child process parses all deep expressions. If an expression kills the child process, a new
    one parses the rest. Raises ChildProcessError if the child process cannot run.
    """
    translated = [_translate(expression) for expression in expressions]
    unique_expressions = tuple(dict.fromkeys(translated))
    deep_expressions = list(filter(_is_deep, unique_expressions))
    faults = dict(zip(deep_expressions, _check_in_child(deep_expressions), strict=True))
    for expression in unique_expressions:
        if len(expression) > _LONGEST:
            faults[expression] = _TOO_LONG
        elif expression not in faults:
            reason = _read_reason(expression) or _find_pattern_fault(expression)
            faults[expression] = _make_fault(reason)
    return [faults[expression] for expression in translated]


def find_recorded_series(expression: str) -> tuple[str, ...]:
    """Return the different names of series with a colon in an expression, in their order.

    By convention, only recording rules produce series with such names.
    """
    if ":" not in expression:
        return ()
    names: dict[str, None] = {}
    previous = matched_label = ""
    for token in _split(expression):
        if token[0] in "\"'`":
            name = token[1:-1]
            # {__name__="a:b"}, or {"a:b"} of Prometheus 3
            if (
                ":" in name
                and _is_series_name(name)
                and ((matched_label, previous) == ("__name__", "=") or previous == "{")
            ):
                names[name] = None
        elif ":" in token and _is_series_name(token):
            names[token] = None
        matched_label = previous if token in ("=", "!=", "=~", "!~") else matched_label
        previous = token
    return tuple(names)


def _is_series_name(text: str) -> bool:
    return bool(re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", text))


def _split(expression: str) -> Iterator[str]:
    """Yield the tokens of an expression, without spaces and comments."""
    for token in _TOKEN.findall(expression):
        if not token.isspace() and not token.startswith("#"):
            yield token


def _translate(expression: str) -> str:
    """Return an expression in the syntax of promql_parser.

    The library reads backslashes in raw strings as escapes, and knows only Prometheus 3.
    """
    if not _LIBRARY_LACKS.search(expression):
        return expression
    return "".join(map(_translate_token, _TOKEN.findall(expression)))


def _translate_token(token: str) -> str:
    if token[0] == token[-1] == "`" and len(token) > 1:
        text = token[1:-1].replace("\\", r"\\").replace('"', r"\"")
        return '"' + text.replace("\n", r"\n") + '"'
    return _RENAMED_FUNCTIONS.get(token, token)


def _find_pattern_fault(expression: str) -> str | None:
    """Return the fault of a regular expression that Go refuses and promql_parser accepts."""
    if "~" not in expression:
        return None
    previous = ""
    for token in _split(expression):
        if previous in ("=~", "!~") and token[0] in "\"'`":
            pattern = token[1:-1] if token[0] == "`" else token[1:-1].replace(r"\\", "\\")
            for match in _NESTED_REPETITION.finditer(pattern):
                if match[1]:
                    return f"repeated repetition '{match[1]}' in a regular expression"
        previous = token
    return None


def _is_deep(expression: str) -> bool:
    return (
        _SAFE_LEVELS < len(expression) <= _LONGEST
        and len(_LEVEL.findall(expression)) > _SAFE_LEVELS
    )


def _make_fault(reason: str | None) -> PromqlFault | None:
    return None if reason is None else PromqlFault(reason)


@lru_cache(maxsize=10_000)  # A preview checks all expressions again after each edit.
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
    # The child process imports nothing of this package.
    from handbook.reading.files import refuse_recording

    refuse_recording()  # The system sets the limits of a child process.
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


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit on a ratio, in percent. The alert fires above it, or below it."""

    percent: Fraction
    fires_above: bool


_COMPARISONS: Final = {">": True, ">=": True, "<": False, "<=": False}
"""Whether the left side of each comparison is the greater one."""
_RATIO_NAME: Final = re.compile(r"(?:^|[_:])(?:ratio|fraction)(?:$|[_:])")
_PERCENT_NAME: Final = re.compile(r"(?:^|[_:])percent(?:age)?(?:$|[_:])")


def read_thresholds(expression: str) -> frozenset[Threshold]:
    """Return the limits on ratios in an expression, such as 5 % for `a / b > 0.05`.

    Returns no limits for an expression that is invalid or deeply nested.
    """
    if _is_deep(expression):
        return frozenset()
    try:
        root = promql_parser.parse(expression)
    except ValueError:
        return frozenset()
    return frozenset(_find_thresholds(root))


def _find_thresholds(node: Any) -> Iterator[Threshold]:
    if isinstance(node, promql_parser.BinaryExpr):
        yield from _find_thresholds(node.lhs)
        yield from _find_thresholds(node.rhs)
        is_left_greater = _COMPARISONS.get(str(node.op))
        if is_left_greater is None:
            return
        for ratio, limit, fires_above in (
            (node.lhs, node.rhs, is_left_greater),
            (node.rhs, node.lhs, not is_left_greater),
        ):
            scale, value = _find_scale(ratio), _fold_constant(limit)
            if scale and value is not None and 0 < value < scale:
                yield Threshold(value / scale * 100, fires_above)
    else:
        for part in _parts_of(node):
            yield from _find_thresholds(part)


def _parts_of(node: Any) -> Iterator[Any]:
    """Yield the expressions directly in a node that is not a binary expression."""
    if isinstance(node, promql_parser.Call):
        yield from node.args
    elif isinstance(
        node,
        promql_parser.ParenExpr
        | promql_parser.UnaryExpr
        | promql_parser.AggregateExpr
        | promql_parser.SubqueryExpr,
    ):
        yield node.expr


def _find_scale(node: Any) -> Fraction | None:
    """Return the value that means 100 % in a ratio: 1 or 100. Returns None if it is no ratio.

    A quotient of a sum and a count (`x_sum / x_count`) is an average, and not a ratio.
    """
    if isinstance(node, promql_parser.ParenExpr):
        return _find_scale(node.expr)
    if isinstance(node, promql_parser.AggregateExpr):
        return _find_scale(node.expr) if str(node.op) in ("avg", "max", "min") else None
    if isinstance(node, promql_parser.VectorSelector):
        name = node.name or ""
        if _RATIO_NAME.search(name):
            return Fraction(1)
        return Fraction(100) if _PERCENT_NAME.search(name) else None
    if not isinstance(node, promql_parser.BinaryExpr):
        return None
    left, right = _fold_constant(node.lhs), _fold_constant(node.rhs)
    match str(node.op):
        case "*" if 100 in (left, right):
            scale = _find_scale(node.rhs if left == 100 else node.lhs)
            return scale * 100 if scale == 1 else None
        case "/" if left is None and right is None:
            if "_sum" in str(node.lhs):
                return None
            return Fraction(100) if _is_hundredfold(node.lhs) else Fraction(1)
        case "-" if left is not None:
            return _find_scale(node.rhs) if _find_scale(node.rhs) == left else None
        case "or" | ">" | ">=" | "!=":
            return _find_scale(node.lhs)
    return None


def _is_hundredfold(node: Any) -> bool:
    """Return whether a node is a product with 100, such as `100 * sum(a)`."""
    if isinstance(node, promql_parser.ParenExpr):
        return _is_hundredfold(node.expr)
    return (
        isinstance(node, promql_parser.BinaryExpr)
        and str(node.op) == "*"
        and 100 in (_fold_constant(node.lhs), _fold_constant(node.rhs))
    )


def _fold_constant(node: Any) -> Fraction | None:
    """Return the value of an expression of numbers, such as `5 / 100`, or None."""
    if isinstance(node, promql_parser.NumberLiteral):
        return Fraction(str(node.val)) if isfinite(node.val) else None
    if isinstance(node, promql_parser.ParenExpr):
        return _fold_constant(node.expr)
    if not isinstance(node, promql_parser.BinaryExpr):
        return None
    left, right = _fold_constant(node.lhs), _fold_constant(node.rhs)
    if left is None or right is None:
        return None
    match str(node.op):
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if right:
            return left / right
    return None


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
