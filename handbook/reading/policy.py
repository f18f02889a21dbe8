"""Replace policy values in a standard: `{{ policy.a.b }}`, with a dotted name.

The names are replaced before any other reading, so that the checks, the page and the JSON have the
value. This is not a template: any other text in braces stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from handbook.diagnostics import Finding, Location

_NAME: Final = re.compile(r"\{\{ ?policy\.([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*) ?\}\}")


@dataclass(frozen=True, slots=True)
class Replacement:
    """A value in place of a name: its new location, and the lengths of both."""

    line: int
    column: int
    length: int
    name_length: int


@dataclass(frozen=True, slots=True)
class Substitution:
    """A text with values in place of names, and a finding for each unknown name."""

    text: str
    replacements: tuple[Replacement, ...]
    unknown: tuple[Finding, ...]


def substitute(text: str, path: str, value: Callable[[str], str | None]) -> Substitution:
    """Replace each name with its value.

    All locations are in the new text. `locate_original` converts them to the text of the file.
    """
    texts: list[str] = []
    replacements: list[Replacement] = []
    unknown: list[Finding] = []
    done = shift = 0
    line, line_start = 1, 0
    for match in _NAME.finditer(text):
        if (lines := text.count("\n", line_start, match.start())) > 0:
            line, line_start, shift = line + lines, text.rindex("\n", 0, match.start()) + 1, 0
        column = match.start() - line_start + shift + 1
        policy_value = value(match[1])
        if policy_value is None:
            unknown.append(
                Finding(
                    Location(path, line, column),
                    f"unknown policy value 'policy.{match[1]}'",
                    "name a single value under extra.policy in mkdocs.yml",
                )
            )
            continue
        policy_value = " ".join(policy_value.split())
        texts += [text[done : match.start()], policy_value]
        done = match.end()
        replacements.append(Replacement(line, column, len(policy_value), len(match[0])))
        shift += len(policy_value) - len(match[0])
    return Substitution("".join((*texts, text[done:])), tuple(replacements), tuple(unknown))


def locate_original(at: Location, replacements: Iterable[Replacement]) -> Location:
    """Convert a location in the text with values to the location in the file."""
    column = at.column
    for replacement in replacements:
        if replacement.line == at.line and replacement.column < at.column:
            beyond = at.column - replacement.column
            shift = replacement.length - replacement.name_length
            column -= shift if beyond >= replacement.length else beyond
    return at if column == at.column else replace(at, column=column)
