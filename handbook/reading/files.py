"""A file of the repository as text, or why it is none.

Everything that an author can write is read through here: what is too large, no regular file, not to be read or not
UTF-8 is a finding, whatever kind of file it is.
"""

from __future__ import annotations

import re
import stat
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path
from typing import Final

from handbook.diagnostics import Finding, Location

LARGEST: Final = 1_000_000
"""The bytes that a record, a page, a YAML file or an attachment can have."""

LONGEST_LINE: Final = 10_000
"""The characters that a line of a record, a page or a YAML file can have."""

_HIDDEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Control characters, other ends of lines, and what turns the direction of text (CVE-2021-42574)."""

_CONTROLS: Final = bytes(range(9)) + b"\x0b\x0c" + bytes(range(14, 32)) + b"\x7f"
_SPACES: Final = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
_READABLE: Final = re.compile(rb"\n|[ -~]{8,}")
"""What people can read in a picture or an archive, and its line feeds."""


def hidden_character(text: str) -> str | None:
    """The first character of a text that no editor shows, or that is no text at all; None where there is none."""
    match = _HIDDEN.search(text)
    return (
        match[0]
        if match
        else next((character for character in text if "\ud800" <= character <= "\udfff"), None)
    )


def is_utf8(path: str) -> bool:
    """Whether the name of a file is text in UTF-8, which addresses and reports need."""
    return not any("\udc80" <= character <= "\udcff" for character in path)


def read(root: Path, path: str) -> bytes | Finding:
    """The bytes of a file. What cannot be opened without waiting, a pipe or a device, is not read."""
    file = root / path
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            return Finding(Location(path), "cannot be read: not a regular file")
        if status.st_size > LARGEST:
            message = f"{status.st_size} bytes are more than {LARGEST}"
            return Finding(Location(path), message, "make it smaller, or link to where it is kept")
        return file.read_bytes()
    except OSError as error:
        return Finding(Location(path), f"cannot be read: {error.strerror}")


def decode(path: str, data: bytes, *, longest: int = LONGEST_LINE) -> str | Finding:
    """The bytes of a file as text without a byte order mark, its lines ended by a line feed.

    A line of more than `longest` characters is refused: what looks through it may take the square of its length.
    Characters that no editor shows and that mean something to a terminal, a parser or the order of reading are refused.
    """
    try:
        data = data.removeprefix(BOM_UTF8)
        text = data.decode().replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Finding(
            Location(path, line),
            f"not UTF-8: byte {data[error.start]:#04x}",
            "save the file as UTF-8",
        )
    if hidden := _HIDDEN.search(text):
        at = Location(
            path,
            text.count("\n", 0, hidden.start()) + 1,
            hidden.start() - text.rfind("\n", 0, hidden.start()),
        )
        return Finding(at, f"a character that nobody sees, U+{ord(hidden[0]):04X}", "take it out")
    if len(text) > longest:
        for line, content in enumerate(text.split("\n"), 1):
            if len(content) > longest:
                return Finding(
                    Location(path, line),
                    f"a line of more than {longest} characters",
                    "break it into several",
                )
    return text


def read_text(root: Path, path: str) -> str | Finding:
    """The text of a file."""
    data = read(root, path)
    return data if isinstance(data, Finding) else decode(path, data)


def read_loosely(root: Path, path: str) -> str:
    """Read whatever a search can find in a file; nothing of a file that cannot be read.

    The text of a file that is no clean text keeps the places of its characters: hidden ones become spaces, and bytes
    that are not UTF-8 become surrogates. UTF-16 is read as such. Only readable pieces remain of binary data.
    """
    data = read(root, path)
    if isinstance(data, Finding):
        return ""
    text = decode(path, data, longest=LARGEST)
    return text if isinstance(text, str) else _decode_loosely(data)


def _decode_loosely(data: bytes) -> str:
    if data.startswith((BOM_UTF16_BE, BOM_UTF16_LE)):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(BOM_UTF8).replace(
        b"\0", b""
    )  # without NUL bytes, UTF-16 is ASCII where it can be
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return _HIDDEN.sub(" ", data.decode())
    except UnicodeDecodeError:
        controls = len(data) - len(data.translate(None, _CONTROLS))
    if controls > len(data) // 100:
        return b" ".join(_READABLE.findall(data)).decode("ascii")
    return data.translate(_SPACES).decode("utf-8", "surrogateescape")
