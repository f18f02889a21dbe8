"""The policy's values in a standard: `{{ policy.a.b }}`, a dotted name and nothing else.

Replaced in the text before anything else reads it, so that the gate, the page and the JSON hold the value. It is no
template: what is not a dotted name under `extra.policy` stays as it is.
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
    """A value that took the place of a name: where it begins in the new text, its length, and that of the name."""

    line: int
    column: int
    length: int
    written: int


@dataclass(frozen=True, slots=True)
class Substitution:
    """A text with values in the place of names, and a finding at each name that has none."""

    text: str
    replacements: tuple[Replacement, ...]
    unknown: tuple[Finding, ...]


def substitute(text: str, path: str, value: Callable[[str], str | None]) -> Substitution:
    """Replace each name by its value. All places are those in the new text; `as_written` leads back."""
    pieces: list[str] = []
    replacements: list[Replacement] = []
    unknown: list[Finding] = []
    done = shift = 0
    line, line_start = 1, 0
    for match in _NAME.finditer(text):
        if (lines := text.count("\n", line_start, match.start())) > 0:
            line, line_start, shift = line + lines, text.rindex("\n", 0, match.start()) + 1, 0
        column = match.start() - line_start + shift + 1
        found = value(match[1])
        if found is None:
            unknown.append(
                Finding(
                    Location(path, line, column),
                    f"'policy.{match[1]}' is not one value of the policy",
                )
            )
            continue
        found = " ".join(found.split())
        pieces += [text[done : match.start()], found]
        done = match.end()
        replacements.append(Replacement(line, column, len(found), len(match[0])))
        shift += len(found) - len(match[0])
    return Substitution("".join((*pieces, text[done:])), tuple(replacements), tuple(unknown))


def as_written(at: Location, replacements: Iterable[Replacement]) -> Location:
    """The place in the file as its author wrote it, for one in the text with values."""
    column = at.column
    for replacement in replacements:
        if replacement.line == at.line and replacement.column < at.column:
            beyond = at.column - replacement.column
            shift = replacement.length - replacement.written
            column -= shift if beyond >= replacement.length else beyond
    return at if column == at.column else replace(at, column=column)
