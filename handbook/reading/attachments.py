"""Check the attachments of records.

An attachment is a small, complete picture, PDF or text file without active content, such as a
script.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from handbook.diagnostics import Finding, Location
from handbook.reading.files import LARGEST, decode, read_bytes
from handbook.reading.pictures import describe_svg_fault, is_cut_off

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
_SIGNATURES: Final = {
    ".png": ("a PNG", rb"\x89PNG"),
    ".jpg": ("a JPEG", rb"\xff\xd8\xff"),
    ".jpeg": ("a JPEG", rb"\xff\xd8\xff"),
    ".gif": ("a GIF", rb"GIF8[79]a"),
    ".webp": ("a WebP", rb"RIFF....WEBP"),
    ".avif": ("an AVIF", rb"....ftypavi[fs]"),
    ".pdf": ("a PDF", rb"%PDF"),
}
"""For each suffix: the file format, and a pattern of the first bytes of such a file."""
_NO_HTML: Final = (
    # A browser treats a text file as HTML if the file begins with one of these tags.
    rb"(?!(?:\xef\xbb\xbf)?\s*<(?:!--|!doctype|\?xml"
    rb"|(?:html|head|title|script|style|iframe|body|a|b|br|div|font|h1|img|p|svg|table)\b))"
)
_ACTIVE_SVG: Final = re.compile(
    r"<\s*(?:[\w.-]+:)?(?:script|foreignobject|iframe|embed|object|handler|set|animate)|[\s\"'/]on[a-z]+\s*=|javascript:"
    r"|<!ENTITY|<\?xml-stylesheet|href\s*=\s*[\"']\s*(?!#|data:image/(?:png|jpeg|gif|webp))",
    re.IGNORECASE,
)

_DEEPEST_SVG: Final = 100
"""The deepest nesting of elements in an SVG.

The limit is needed because a recursive function reads the page that includes the SVG.
"""
_SVG_TAG: Final = re.compile(r"<(/?)[A-Za-z][^<>]*?(/?)>")


def is_attachment_name(path: str) -> bool:
    """Return whether the ending of a file name is one that an attachment can have."""
    suffix = Path(path).suffix.lower()
    return suffix in _PLAIN or suffix == ".svg"


def check_attachment(root: Path, path: str) -> Finding | None:
    """Return the first fault of an attachment, or None if it is valid.

    The function checks the type, the size, the first bytes and the end of the file. In an SVG it
    also checks for active content.
    """
    at = Location(path)
    suffix = Path(path).suffix.lower()
    if suffix not in _PLAIN and suffix != ".svg":
        return Finding(
            at,
            f"unsupported attachment type '{suffix or path}'",
            "attach a picture, a PDF or a text file",
        )
    data = read_bytes(root, path)
    if isinstance(data, Finding):
        return data
    if suffix == ".svg":
        text = decode(path, data, longest=LARGEST)
        if isinstance(text, Finding):
            return text
        if _ACTIVE_SVG.search(text):
            return Finding(
                at,
                "SVG with a script, an event handler or an external link",
                "remove scripts, event handlers and external links from the drawing",
            )
        if _is_deep_svg(text):
            return Finding(
                at,
                f"SVG with more than {_DEEPEST_SVG} levels of nested elements",
                "ungroup elements of the drawing",
            )
        return _check_svg_xml(at, text)
    return _check_signature(at, suffix, data) or _check_end(at, suffix, data)


def check_picture(root: Path, path: str) -> Finding | None:
    """Return a finding if a picture or a PDF of a page is damaged, or None if it is complete.

    Attachments of records have `check_attachment`. A picture of a page can also have a script.
    """
    suffix = Path(path).suffix.lower()
    if suffix != ".svg" and suffix not in _SIGNATURES:
        return None
    at = Location(path)
    data = read_bytes(root, path)
    if isinstance(data, Finding):
        return None
    if suffix != ".svg":
        return _check_signature(at, suffix, data) or _check_end(at, suffix, data)
    text = decode(path, data, longest=LARGEST)
    return None if isinstance(text, Finding) else _check_svg_xml(at, text)


def _check_svg_xml(at: Location, text: str) -> Finding | None:
    """Return a finding if an SVG is not valid XML, for example because its end is missing."""
    fault = describe_svg_fault(text)
    if fault is None:
        return None
    return Finding(at, f"invalid SVG: {fault}", "export the drawing again")


def _check_end(at: Location, suffix: str, data: bytes) -> Finding | None:
    """Return a finding if the end of a picture or a PDF is missing."""
    if not is_cut_off(suffix, data):
        return None
    name = _SIGNATURES[suffix][0].split()[1]
    return Finding(at, f"incomplete {name} file: its end is missing", "add a complete copy")


def _check_signature(at: Location, suffix: str, data: bytes) -> Finding | None:
    """Return a finding if the first bytes of a file do not fit its suffix."""
    file_format, signature = _SIGNATURES.get(suffix, ("", _NO_HTML))
    if re.match(signature, data, re.DOTALL | re.IGNORECASE):
        return None
    if not file_format:
        message = f"HTML content in a file whose name ends with '{suffix}'"
        return Finding(at, message, "save it as plain text")
    message = f"file is not {file_format}, but its name ends with '{suffix}'"
    return Finding(at, message, f"save it as {file_format}, or correct the suffix of its name")


def _is_deep_svg(text: str) -> bool:
    """Return whether the elements of an SVG are nested too deeply."""
    depth = 0
    for closes, empty in _SVG_TAG.findall(text):
        if closes:
            depth = max(depth - 1, 0)
        elif not empty:
            depth += 1
            if depth > _DEEPEST_SVG:
                return True
    return False
