"""Letters of other languages: folded spellings, and text that has no spaces between its words."""

from __future__ import annotations

import re
import unicodedata
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
