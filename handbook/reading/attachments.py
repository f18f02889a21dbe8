"""What may stand beside a record: pictures, PDF and text, small and inert."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from handbook.diagnostics import Finding, Location
from handbook.reading.files import LARGEST, decode, read

_PLAIN: Final = frozenset(
    {
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".webp",
        ".avif",
        ".pdf",
        ".txt",
        ".csv",
        ".tsv",
        ".json",
        ".log",
        ".yml",
        ".yaml",
    }
)
_BEGINNINGS: Final = {
    ".png": rb"\x89PNG",
    ".jpg": rb"\xff\xd8\xff",
    ".jpeg": rb"\xff\xd8\xff",
    ".gif": rb"GIF8[79]a",
    ".webp": rb"RIFF....WEBP",
    ".avif": rb"....ftypavi[fs]",
    ".pdf": rb"%PDF",
}
"""How a file begins that is what its name says; a text is one that does not begin as HTML does."""
_NO_HTML: Final = (
    rb"(?!(?:\xef\xbb\xbf)?\s*<(?:!--|!doctype|\?xml"
    rb"|(?:html|head|title|script|style|iframe|body|a|b|br|div|font|h1|img|p|svg|table)\b))"
)
_ACTIVE_SVG: Final = re.compile(
    r"<\s*(?:[\w.-]+:)?(?:script|foreignobject|iframe|embed|object|handler|set|animate)|[\s\"'/]on[a-z]+\s*=|javascript:"
    r"|<!ENTITY|<\?xml-stylesheet|href\s*=\s*[\"']\s*(?!#|data:image/(?:png|jpeg|gif|webp))",
    re.IGNORECASE,
)

_DEEPEST_SVG: Final = 100
"""Elements within each other: the page that an SVG becomes part of is read by recursion."""
_SVG_TAG: Final = re.compile(r"<(/?)[A-Za-z][^<>]*?(/?)>")


def judge(root: Path, path: str) -> Finding | None:
    """What is wrong with an attachment, or None: its kind, its size, how it begins, and what an SVG holds."""
    at = Location(path)
    suffix = Path(path).suffix.lower()
    if suffix not in _PLAIN and suffix != ".svg":
        return Finding(
            at, f"'{suffix or path}' is no kind of attachment", "a picture, a PDF or text"
        )
    data = read(root, path)
    if isinstance(data, Finding):
        return data
    if suffix == ".svg":
        text = decode(path, data, longest=LARGEST)
        if isinstance(text, Finding):
            return text
        if _ACTIVE_SVG.search(text):
            return Finding(
                at, "the SVG holds a script, a handler, or a link", "save it as a plain drawing"
            )
        if _is_deep_svg(text):
            return Finding(
                at, f"SVG nested deeper than {_DEEPEST_SVG} elements", "save it as a plain drawing"
            )
    elif not re.match(_BEGINNINGS.get(suffix, _NO_HTML), data, re.DOTALL | re.IGNORECASE):
        return Finding(
            at, f"this is no '{suffix}': it begins otherwise", "save it as what its name says"
        )
    return None


def _is_deep_svg(text: str) -> bool:
    depth = 0
    for closes, empty in _SVG_TAG.findall(text):
        if closes:
            depth = max(depth - 1, 0)
        elif not empty:
            depth += 1
            if depth > _DEEPEST_SVG:
                return True
    return False
