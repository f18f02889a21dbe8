"""The policy's values in a standard: `{{ policy.a.b }}`, a dotted name and nothing else.

Replaced in the text before anything else reads it, so that the gate, the page and the JSON hold the value. It is no
template: what is not a dotted name under `extra.policy` stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from handbook.diagnostics import Finding, Location

_NAME: Final = re.compile(r"\{\{ ?policy\.([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*) ?\}\}")


def substitute(text: str, path: str, value: Callable[[str], str | None]) -> tuple[str, tuple[Finding, ...]]:
    """The text with each name replaced by its value, and a finding at each name that has none."""
    unknown: list[Finding] = []

    def replace(match: re.Match[str]) -> str:
        found = value(match[1])
        if found is None:
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            unknown.append(Finding(Location(path, line, column), f"'policy.{match[1]}' is not one value of the policy"))
            return match[0]
        return " ".join(found.split())

    return _NAME.sub(replace, text), tuple(unknown)
