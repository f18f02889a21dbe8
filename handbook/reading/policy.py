"""Replace policy expressions in a standard, such as `{{ policy.a.b }}`, by their values.

The values come from `extra.policy` in the settings. The replacement comes before the parsing of the
standard, so that the checks, the page and the JSON have the value. This module does not run Jinja:
any other text in braces stays unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from handbook.diagnostics import Finding, Location

_EXPRESSION: Final = re.compile(r"\{\{ ?policy\.([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*) ?\}\}")


@dataclass(frozen=True, slots=True)
class Replacement:
    """A policy value that replaced an expression.

    `line` and `column` are the location of the value in the new text. `value_length` and
    `expression_length` are numbers of characters.
    """

    line: int
    column: int
    value_length: int
    expression_length: int


@dataclass(frozen=True, slots=True)
class Substitution:
    """The new text with its replacements, and a finding for each unknown policy value."""

    text: str
    replacements: tuple[Replacement, ...]
    unknown_values: tuple[Finding, ...]


def substitute(text: str, path: str, value: Callable[[str], str | None]) -> Substitution:
    """Replace each policy expression in a text by its value.

    `value` returns the policy value of a dotted name, or None if the name is unknown. All locations
    in the result are in the new text. `locate_original` converts them to locations in the file.
    """
    texts: list[str] = []
    replacements: list[Replacement] = []
    unknown_values: list[Finding] = []
    position = shift = 0
    line, line_start = 1, 0
    for match in _EXPRESSION.finditer(text):
        if (lines := text.count("\n", line_start, match.start())) > 0:
            line, line_start, shift = line + lines, text.rindex("\n", 0, match.start()) + 1, 0
        column = match.start() - line_start + shift + 1
        policy_value = value(match[1])
        if policy_value is None:
            unknown_values.append(
                Finding(
                    Location(path, line, column),
                    f"unknown policy value 'policy.{match[1]}'",
                    "use the name of a single value under 'extra.policy' in mkdocs.yml",
                )
            )
            continue
        policy_value = " ".join(policy_value.split())
        texts += [text[position : match.start()], policy_value]
        position = match.end()
        replacements.append(Replacement(line, column, len(policy_value), len(match[0])))
        shift += len(policy_value) - len(match[0])
    return Substitution(
        "".join((*texts, text[position:])), tuple(replacements), tuple(unknown_values)
    )


def locate_original(at: Location, replacements: Iterable[Replacement]) -> Location:
    """Convert a location in the text with policy values to the location in the file."""
    column = at.column
    for replacement in replacements:
        if replacement.line == at.line and replacement.column < at.column:
            offset_in_value = at.column - replacement.column
            shift = replacement.value_length - replacement.expression_length
            column -= shift if offset_in_value >= replacement.value_length else offset_in_value
    return at if column == at.column else replace(at, column=column)
