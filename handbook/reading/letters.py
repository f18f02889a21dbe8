"""Letters of other languages: folded spellings, and text that has no spaces between its words."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

CJK: Final = "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Ranges of Chinese and Japanese characters, for a character class."""

_CJK_CHARACTER: Final = re.compile(f"[{CJK}]")
_CJK_GAP: Final = re.compile(rf"(?<=[{CJK}])(?=\S)|(?<=\S)(?=[{CJK}])")
_HTML_TEXT: Final = re.compile(r">[^<]+")
_MARKS: Final = re.compile("[\u0300-\u036f]")
_LETTERS: Final = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d"}
    | {"ð": "d", "þ": "th", "ı": "i", "ħ": "h"}
)

_SEARCH_WORDS: Final = Path(__file__).parents[1] / "site/theme/assets/search-words.js"
_STOP_WORDS: Final = re.compile(r"STOP_WORDS = new Set\(\s*`([^`]*)`")


@cache
def read_stop_words() -> frozenset[str]:
    """Return the words of grammar and of questions, from the script of the search."""
    match = _STOP_WORDS.search(_SEARCH_WORDS.read_text(encoding="utf-8"))
    return frozenset(match[1].split() if match else ())


def fold(text: str) -> str:
    """Return a text in lower case, and without accents, as search-words.js does."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text.lower()))
    return unicodedata.normalize("NFC", plain).translate(_LETTERS)


def has_cjk(text: str) -> bool:
    """Return whether a text has Chinese or Japanese characters."""
    return _CJK_CHARACTER.search(text) is not None


def space_cjk(html: str) -> str:
    """Return HTML with a space around each Chinese or Japanese character in its text."""
    return _HTML_TEXT.sub(lambda text: f">{_CJK_GAP.sub(' ', text[0][1:])}", html)
