"""What may stand beside a record: pictures, PDF and text, small and inert."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from macros.diagnostics import Finding, Location

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
_MOST: Final = 1_000_000
_ACTIVE_SVG: Final = re.compile(
    rb"<\s*(?:[\w.-]+:)?(?:script|foreignobject|iframe|embed|object|handler|set|animate)|[\s\"'/]on[a-z]+\s*=|javascript:"
    rb"|<!ENTITY|<\?xml-stylesheet|href\s*=\s*[\"']\s*(?!#|data:image/(?:png|jpeg|gif|webp))",
    re.IGNORECASE,
)


def judge(root: Path, path: str) -> Finding | None:
    """What is wrong with an attachment, or None: its kind, its size in bytes, and what an SVG holds."""
    at = Location(path)
    suffix = Path(path).suffix.lower()
    if suffix not in _PLAIN and suffix != ".svg":
        return Finding(at, f"'{suffix or path}' is no kind of attachment", "a picture, a PDF or text")
    try:
        size = (root / path).stat().st_size
        data = (root / path).read_bytes() if suffix == ".svg" and size <= _MOST else b""
    except OSError as error:
        return Finding(at, f"cannot be read: {error.strerror}")
    if size > _MOST:
        return Finding(at, f"{size} bytes are more than {_MOST}", "make it smaller, or link to where it is kept")
    if _ACTIVE_SVG.search(data) or b"\0" in data:
        return Finding(at, "the SVG holds a script, a handler, or a link", "save it as a plain drawing")
    return None
