"""Read suppressions: comments with a reason that allow a finding on the line below.

In Markdown, a suppression is `<!-- handbook: allow RBK012 until 2027-01-31: reason -->`. In front
matter and in YAML files, it is a comment such as `# handbook: allow RBK012: reason`.
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

_HANDBOOK_COMMENT: Final = re.compile(r"^\s*(?:<!--|#)\s*handbook:(?P<text>.*?)(?:-->\s*)?$")
_ALLOW: Final = re.compile(
    r"\s*allow (?P<rule>[A-Z]+[0-9]{3}|[a-z]+(?:-[a-z]+)*)"
    r"(?: until (?P<until>[0-9]{4}-[0-9]{2}-[0-9]{2}))?:\s*(?P<reason>\S.*?)\s*"
)


_WITHOUT_REASON: Final = re.compile(
    r"\s*(?P<form>allow (?P<rule>[A-Z]+[0-9]{3}|[a-z]+(?:-[a-z]+)*)"
    r"(?: until [0-9]{4}-[0-9]{2}-[0-9]{2})?)\s*:?\s*"
)


@dataclass(frozen=True, slots=True)
class Suppression:
    """A suppression of one rule on one line.

    `at` is the location of the comment, and `line` is the line on which it allows a finding.
    `rule` is the code or name of the rule, or None if the comment is invalid or has no reason.
    """

    at: Location
    line: int
    rule: str | None = None
    until: date | None = None
    reason: str = ""
    rule_without_reason: str | None = None
    """The code or name of the rule in a comment that lacks only the reason."""
    form: str = ""
    """The text of a comment that lacks only the reason."""


def read_source_suppressions(source: Source) -> Iterator[Suppression]:
    """Read the suppressions of a Markdown file.

    They are YAML comments in the front matter, and HTML comments outside code blocks.
    """
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
    path: str, lines: tuple[str, ...], can_hold_comment: Callable[[int], bool]
) -> Iterator[Suppression]:
    comment_lines = {
        number
        for number, line in enumerate(lines, 1)
        if _HANDBOOK_COMMENT.match(line) and can_hold_comment(number)
    }
    target_line = 1
    for number in sorted(comment_lines):
        line = lines[number - 1]
        target_line = max(target_line, number + 1)
        while target_line <= len(lines) and (
            target_line in comment_lines or not lines[target_line - 1].strip()
        ):
            target_line += 1
        at = Location(path, number, len(line) - len(line.lstrip()) + 1)
        comment = _HANDBOOK_COMMENT.match(line)
        match = _ALLOW.fullmatch(comment["text"]) if comment else None
        try:
            until = date.fromisoformat(match["until"]) if match and match["until"] else None
        except ValueError:
            match = None
        if match is None:
            incomplete = _WITHOUT_REASON.fullmatch(comment["text"]) if comment else None
            yield (
                Suppression(
                    at,
                    target_line,
                    rule_without_reason=incomplete["rule"],
                    form=f"handbook: {incomplete['form']}",
                )
                if incomplete
                else Suppression(at, target_line)
            )
        else:
            yield Suppression(at, target_line, match["rule"], until, match["reason"])
