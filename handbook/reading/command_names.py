"""Find the names in commands that the reader replaces, such as `<pod>` or `NAME`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from handbook.reading.blocks import Block, Code, Paragraph
from handbook.reading.code_languages import CodeFamily, family_of, read_language
from handbook.reading.shell_words import NAME_TO_REPLACE

_WITH_BRACKETS: Final = frozenset((CodeFamily.SHELL, CodeFamily.POWERSHELL, CodeFamily.SESSION))
"""Families in which `<pod>` is a name. In other languages, it can be a comparison or output."""
_INSTRUCTION: Final = re.compile(
    r"\b(?:in place of|instead of|replace|replaces|replacing)\s+`(?P<name>[A-Z][A-Z0-9_]*)`",
    re.IGNORECASE,
)


def find_command_names(blocks: Iterable[Block]) -> tuple[str, ...]:
    """Return the names that the reader replaces in blocks of code, in the order of the commands.

    A name is `<pod>` in shell code. A word in capital letters is a name if a sentence says so, as
    in "Put the pod in place of `NAME`". A shell variable such as `$POD` is not a name, because a
    command sets it.
    """
    blocks = tuple(blocks)
    words = {
        match["name"]
        for block in blocks
        if isinstance(block, Paragraph)
        for match in _INSTRUCTION.finditer(block.text)
        if match["name"].isupper()
    }
    found: dict[str, None] = {}
    for block in blocks:
        if isinstance(block, Code):
            matches = [*_find_words(block.text, words)]
            if family_of(read_language(block.info)) in _WITH_BRACKETS:
                matches += NAME_TO_REPLACE.finditer(block.text)
            for match in sorted(matches, key=re.Match.start):
                found.setdefault(match[0])
    return tuple(found)


def _find_words(text: str, words: Iterable[str]) -> Iterable[re.Match[str]]:
    """Find the words in a text, but not their assignments and not variables such as `$NAME`."""
    for word in words:
        yield from re.finditer(rf"(?<![\w${{-]){word}(?![\w=-])", text)
