"""Find placeholders: words such as TODO that mark text which an author must still write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from handbook.diagnostics import Finding, Location

_MARKERS: Final = "TODO|TBD|FIXME|XXX"
_VERBS: Final = (
    *("added", "announced", "completed", "decided"),
    *("defined", "determined", "done", "written"),
)
_WORDS: Final = ("lorem ipsum", "tbd", "fixme", "xxx", *(f"to be {verb}" for verb in _VERBS))
_SIGNS: Final = ("todo", "lorem ipsum", "tbd", "fixme", "xxx", "to be ")
"""Texts of which every placeholder contains one, in lower case."""
_PHRASES: Final = "|".join(_WORDS)
_CANDIDATE: Final = re.compile(
    # A hyphen, a slash or a full stop can join the word to another, as in TODO.md.
    rf"\b(?P<marker>{_MARKERS})\b(?![-/.]\w)|\b(?P<phrase>(?ai:{_PHRASES}))\b"
)
_UNWRITTEN_END: Final = re.compile(rf"[\w-]+-(?P<marker>{_MARKERS})")
"""A word that ends with a placeholder, such as 2026-11-TODO."""
_CODE: Final = re.compile(r"`[^`\n]*`")
_OPENING: Final = " \t*_~\"'“‘([{<"
_CLOSING: Final = " \t*_~\"'”’)]}>.,!?…"
_BLOCK_MARKS: Final = re.compile(r"[\s>#*+|-]*(?:\d{1,9}[.)]\s*)?(?:\[[ xX]\])?")
"""The text before the first word of a line: the marks of quotations, headings, lists and tables."""
_LABEL: Final = re.compile(r"[\s>*+-]*\*\*[^*\n]+\*\*")
_BREAKS: Final = ("!", "?", "…", ":", ";", "|", "—", "–", " -", ".")
"""The ends of a sentence, a cell or a clause."""
_ABBREVIATIONS: Final = ("e.g.", "i.e.")
_NEW_LINE: Final = re.compile(r".*(?:[.!?…:;|)][*_~\"'”’)]*[ \t]*|  |\\)", re.DOTALL)
"""A line of a paragraph after which a new sentence begins."""
_IS_SUBJECT: Final = re.compile(
    r",?\s+or\b|\s+(?:(?:and|can|could|did|had|may|might|must|shall|should|will|would)\b"
    r"|(?!(?:dates|details|examples|figures|links|metrics|names|numbers|steps)\b)"
    r"(?:is|has|was|[a-z]+(?<![sui])s)\s+[\w`(])"
)
"""The text after a word that is the subject of a sentence, as in `TBD means …`, `TODO comments …`.

The next word is a verb, or a noun in the plural. The words `discuss` and `this` are neither.
"""
_IS_TERM: Final = re.compile(r"[\s:|(*_—–-]*t(?!o\b)\w*[ -]b\w*[ -]d\w*", re.IGNORECASE)
"""The text after TBD as an abbreviation, as in `TBD (trunk-based development)`."""
_BRACKETED: Final = re.compile(rf"\[(?:{_MARKERS})\](?![(\[])|\((?:TODO|FIXME)\)")
_LONGEST: Final = 200
"""The number of characters around a word that decide whether it is a placeholder."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder, and its offset in the text that contains it."""

    text: str
    offset: int


@lru_cache(maxsize=20_000)  # Records have the same values again and again.
def find_placeholder(text: str) -> Placeholder | None:
    """Find the first placeholder in a text, which can have several lines.

    A word such as TODO in upper case is a placeholder if it begins a line, a cell or a sentence, or
    if a colon follows it. It is text within a sentence, and as the subject of a sentence. Code in
    backticks has no placeholder. Returns None if there is no placeholder.
    """
    word = text.strip(_OPENING + _CLOSING + "-+\n")
    if len(word) < _LONGEST and (match := _UNWRITTEN_END.fullmatch(word)):
        return Placeholder(match["marker"], text.index(word) + match.start("marker"))
    if _CANDIDATE.search(text):
        for candidate in _CANDIDATE.finditer(blank_code(text)):
            if _is_placeholder(candidate):
                return Placeholder(candidate[0], candidate.start())
    return None


def can_have_placeholder(text: str) -> bool:
    """Return False if a text certainly has no placeholder. The test is cheap for a long text."""
    lower_text = text.lower()
    return any(word in lower_text for word in _SIGNS)


def blank_code(text: str) -> str:
    """Replace code in backticks by spaces, so that the other characters keep their offsets."""
    return _CODE.sub(lambda code: " " * len(code[0]), text)


def is_unwritten(text: str) -> bool:
    """Return whether a text contains a placeholder."""
    return find_placeholder(text) is not None


def _is_placeholder(candidate: re.Match[str]) -> bool:
    """Return whether a candidate is a placeholder, judged by the text around it."""
    text, start = candidate.string, candidate.start()
    *previous_lines, before = text[max(start - _LONGEST, 0) : start].split("\n")
    after = text[candidate.end() : candidate.end() + _LONGEST].split("\n")[0]
    is_alone = not after.split("|")[0].strip(_CLOSING)
    if phrase := candidate["phrase"]:
        return phrase.lower().startswith("lorem") or (is_alone and _begins(before))
    if candidate["marker"] == "TBD" and _IS_TERM.match(after):
        return False
    if after.lstrip("*_~").startswith(":") or _BRACKETED.match(text, max(start - 1, 0)):
        return True
    if not _begins(before) or _IS_SUBJECT.match(after):
        return False
    if not previous_lines or before.strip(" \t>") or not previous_lines[-1].strip(" \t>"):
        return True
    # The sentence of the previous line can continue on this line.
    is_new_sentence = bool(_NEW_LINE.fullmatch(previous_lines[-1]))
    return is_new_sentence or (is_alone and candidate["marker"] != "TBD")


def _begins(before: str) -> bool:
    """Return whether a line, a cell or a sentence begins after a text."""
    text = before.rstrip(_OPENING)
    is_sentence_end = text.endswith(_BREAKS) and not text.endswith(_ABBREVIATIONS)
    return (
        is_sentence_end
        or bool(_BLOCK_MARKS.fullmatch(text))
        or bool(_LABEL.fullmatch(before.rstrip()))
    )


def make_placeholder_finding(
    at: Location, placeholder: str, replacement: str = "text", *, optional: bool = False
) -> Finding:
    """Make the finding for a placeholder.

    `replacement` describes the text to write, for the hint. If `optional` is True, the hint also
    says that the author can remove the key.
    """
    return Finding(
        at,
        f"placeholder '{placeholder}'",
        f"replace it with {replacement}" + (", or remove the key" if optional else ""),
    )
