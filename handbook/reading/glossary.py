"""The terms that pages define with `<dfn id="…">`, and the first mention of each term in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from handbook.reading.parser import NodeKind
from handbook.reading.source import Source

_DEFINITION: Final = re.compile(r'<dfn id="([\w-]+)">([^<|]+)</dfn>[ \t]*\|?[ \t]*(.*)')
"""A term, and the rest of its line, which is the next cell if the term is in a table."""
_CODE: Final = (NodeKind.FENCE, NodeKind.INDENTED_CODE, NodeKind.CODE)
_COMMENT: Final = re.compile("<!--.*?-->", re.DOTALL)
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Term:
    """A term with its meaning as plain text, the path of the page that defines it, and its id."""

    meaning: str
    path: str
    id: str


@dataclass(frozen=True, slots=True)
class Glossary:
    """The terms by their names in lower case, and a pattern that matches a mention of a term."""

    terms: Mapping[str, Term]
    pattern: re.Pattern[str] | None

    @classmethod
    def read(cls, bodies: Iterable[tuple[str, str]]) -> Glossary:
        """Read the terms that pages define. `bodies` has the path and the body of each page."""
        terms = {
            name.strip().lower(): Term(_read_meaning(rest), path, id)
            for path, body in bodies
            if "<dfn" in body
            for id, name, rest in _DEFINITION.findall(body)
        }
        names = "|".join(re.escape(name) for name in sorted(terms, key=len, reverse=True))
        # A mention can be a plural. It is no part of a longer word, name or path.
        pattern = rf"(?<![\w./-])({names})s?(?![\w/-]|\.\w)"
        return cls(terms, re.compile(pattern, re.IGNORECASE) if terms else None)

    def find_mentions(self, text: str) -> Iterator[tuple[re.Match[str], Term]]:
        """Yield the mentions of terms in a text, with the term of each."""
        if self.pattern:
            for match in self.pattern.finditer(text):
                yield match, self.terms[match[1].lower()]


def hide_examples(source: Source) -> str:
    """Return the body of a page without the definitions in its code and comments."""
    body = source.body
    if "<dfn" in body:
        for node in source.tree.walk():
            if node.kind in _CODE and "<dfn" in body[node.start : node.end]:
                body = body[: node.start] + " " * (node.end - node.start) + body[node.end :]
        body = _COMMENT.sub("", body)
    return body


def _read_meaning(rest: str) -> str:
    return _LINK.sub(r"\1", rest).replace("`", "").strip().removesuffix("|").strip()
