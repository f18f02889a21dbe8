"""Read a repository file as text, or report why it cannot be read.

Every file that an author writes is read by this module. A file that is too large, unreadable, not
regular or not UTF-8 is a finding.
"""

from __future__ import annotations

import re
import stat
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path
from typing import Final

from handbook.diagnostics import Finding, Location

LARGEST: Final = 1_000_000
"""The largest size of a record, page, YAML file or attachment, in bytes."""

LONGEST_LINE: Final = 10_000
"""The largest length of a line of a record, page or YAML file, in characters."""

_HIDDEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Control characters, rare line ends, and marks of text direction (CVE-2021-42574)."""

_CONTROLS: Final = bytes(range(9)) + b"\x0b\x0c" + bytes(range(14, 32)) + b"\x7f"
_SPACES: Final = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
_READABLE: Final = re.compile(rb"\n|[ -~]{8,}")
"""Readable text in a picture or an archive, and its line feeds."""


def find_hidden_character(text: str) -> str | None:
    """Return the first invisible character or lone surrogate of a text, or None."""
    match = _HIDDEN.search(text)
    return (
        match[0]
        if match
        else next((character for character in text if "\ud800" <= character <= "\udfff"), None)
    )


def is_utf8(path: str) -> bool:
    """Whether the name of a file is valid UTF-8, as addresses and reports need."""
    return not any("\udc80" <= character <= "\udcff" for character in path)


def read_bytes(root: Path, path: str) -> bytes | Finding:
    """Read the bytes of a regular file. A pipe or a device is a finding: it could block."""
    file = root / path
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            return Finding(
                Location(path),
                "unreadable file: not a regular file",
                "replace it with a regular file",
            )
        if status.st_size > LARGEST:
            message = f"file of {status.st_size} bytes, more than {LARGEST}"
            hint = "make it smaller, or store it elsewhere and link to it"
            return Finding(Location(path), message, hint)
        return file.read_bytes()
    except OSError as error:
        return Finding(Location(path), f"unreadable file: {error.strerror}")


def decode(path: str, data: bytes, *, longest: int = LONGEST_LINE) -> str | Finding:
    """Decode a file, without its byte order mark and with line feeds as line ends.

    A line of more than `longest` characters is a finding: a search in it can take time in the
    square of its length. An invisible character is a finding: it can control a terminal or a
    parser, or change the order of reading.
    """
    try:
        data = data.removeprefix(BOM_UTF8)
        text = data.decode().replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Finding(
            Location(path, line),
            f"invalid UTF-8: byte {data[error.start]:#04x}",
            "save the file as UTF-8",
        )
    if hidden := _HIDDEN.search(text):
        at = Location(
            path,
            text.count("\n", 0, hidden.start()) + 1,
            hidden.start() - text.rfind("\n", 0, hidden.start()),
        )
        return Finding(at, f"invisible character U+{ord(hidden[0]):04X}", "remove it")
    if len(text) > longest:
        for line, content in enumerate(text.split("\n"), 1):
            if len(content) > longest:
                return Finding(
                    Location(path, line),
                    f"line of more than {longest} characters",
                    "break it into several lines",
                )
    return text


def read_text(root: Path, path: str) -> str | Finding:
    """Read a file as text."""
    data = read_bytes(root, path)
    return data if isinstance(data, Finding) else decode(path, data)


def read_loosely(root: Path, path: str) -> str:
    """Read the text of any file for a search. An unreadable file gives an empty text.

    Characters keep their places: invisible ones become spaces, and bytes that are not UTF-8 become
    surrogates. UTF-16 is decoded. Binary data is reduced to its readable text.
    """
    data = read_bytes(root, path)
    if isinstance(data, Finding):
        return ""
    text = decode(path, data, longest=LARGEST)
    return text if isinstance(text, str) else _decode_loosely(data)


def _decode_loosely(data: bytes) -> str:
    if data.startswith((BOM_UTF16_BE, BOM_UTF16_LE)):
        data = data.decode("utf-16", "replace").encode()
    # Without its NUL bytes, UTF-16 text in ASCII characters is ASCII.
    data = data.removeprefix(BOM_UTF8).replace(b"\0", b"")
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return _HIDDEN.sub(" ", data.decode())
    except UnicodeDecodeError:
        controls = len(data) - len(data.translate(None, _CONTROLS))
    if controls > len(data) // 100:
        return b" ".join(_READABLE.findall(data)).decode("ascii")
    return data.translate(_SPACES).decode("utf-8", "surrogateescape")
