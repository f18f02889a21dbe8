"""Read suppressions: comments that allow a finding on the line below, with a reason.

In Markdown a suppression is `<!-- handbook: allow RBK012 until 2027-01-31: reason -->`. In front
matter and in YAML files it is a comment, `# handbook: allow …`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from handbook.diagnostics import Location
from handbook.reading.blocks import Html
from handbook.reading.source import Source

_MARKED: Final = re.compile(r"^\s*(?:<!--|#)\s*handbook:(?P<text>.*?)(?:-->\s*)?$")
_ALLOW: Final = re.compile(
    r"\s*allow (?P<rule>[A-Z]+[0-9]{3}|[a-z]+(?:-[a-z]+)*)"
    r"(?: until (?P<until>[0-9]{4}-[0-9]{2}-[0-9]{2}))?:\s*(?P<reason>\S.*?)\s*"
)


@dataclass(frozen=True, slots=True)
class Suppression:
    """A suppression of one rule on one line.

    `rule` is the code or name of the rule, or None if the comment is invalid or has no reason.
    """

    at: Location
    line: int
    rule: str | None = None
    until: date | None = None
    reason: str = ""


def read_source_suppressions(source: Source) -> Iterator[Suppression]:
    """Read the suppressions of a Markdown file: comments in front matter and outside code."""
    head = source.front_matter.end.line if source.front_matter else 0
    html_lines = {
        line for block in source.blocks_of(Html) for line in range(block.first, block.last + 1)
    }
    yield from _read(
        source.path, source.split_lines(), lambda line: line < head or line in html_lines
    )


def read_yaml_suppressions(path: str, text: str) -> Iterator[Suppression]:
    """Read the suppressions of a YAML file."""
    yield from _read(path, tuple(text.splitlines()), lambda _: True)


def _read(
    path: str, lines: tuple[str, ...], counts: Callable[[int], bool]
) -> Iterator[Suppression]:
    marked = {
        number for number, line in enumerate(lines, 1) if _MARKED.match(line) and counts(number)
    }
    for number in sorted(marked):
        line = lines[number - 1]
        target = number + 1
        while target <= len(lines) and (target in marked or not lines[target - 1].strip()):
            target += 1
        at = Location(path, number, len(line) - len(line.lstrip()) + 1)
        comment = _MARKED.match(line)
        match = _ALLOW.fullmatch(comment["text"]) if comment else None
        try:
            until = date.fromisoformat(match["until"]) if match and match["until"] else None
        except ValueError:
            match = None
        if match is None:
            yield Suppression(at, target)
        else:
            yield Suppression(at, target, match["rule"], until, match["reason"])
