"""Read a file of the repository, or return a finding that says why it is unreadable.

This module reads every file that an author writes. It returns a finding for a file that is too
large, that is not a regular file, that is not UTF-8, or that contains a merge conflict.

All other modules that load and check the handbook ask this module about the file system. So it can
record the questions and the answers (`record_answers`). The result of a check is valid as long as
each question has the same answer.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum, auto
from hashlib import blake2b
from pathlib import Path
from textwrap import shorten
from typing import Final

from handbook.diagnostics import Finding, Location

LARGEST: Final = 1_000_000
"""The size limit of records, pages, YAML files and attachments, in bytes."""

LONGEST_LINE: Final = 10_000
"""The length limit of a line in a record, page or YAML file, in characters."""

_HIDDEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Invisible characters: control characters, Unicode line ends, and marks of text direction.

Marks of text direction can hide code from a reader (CVE-2021-42574).
"""

_CONFLICT: Final = re.compile(r"^(?:<{7}|>{7})(?: .*)?$|^\|{7} (?!.*\|$).+$", re.MULTILINE)
"""A line that Git writes into a file that it cannot merge.

The line between both versions, `=======`, is no sign alone, because it can underline a heading.
"""

_VISIBLE: Final = bytes(range(32, 127)) + b"\t\n\r"
"""The characters of ASCII that a text can contain."""

_CONTROLS: Final = bytes(range(9)) + b"\x0b\x0c" + bytes(range(14, 32)) + b"\x7f"
_SPACES: Final = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
_READABLE: Final = re.compile(rb"\n|[ -~]{8,}")
"""A line feed, or at least 8 readable characters, in a binary file such as a picture."""


class FileQuestion(StrEnum):
    """The questions about a path of the file system."""

    MODE = auto()
    """The type and the permissions of a file or folder."""
    LINK = auto()
    """Whether a path is a symbolic link."""
    TARGET = auto()
    """A path with all its symbolic links followed."""
    NAMES = auto()
    """The entries of a folder: for each its name, and whether it is a folder and a regular file."""
    CONTENT = auto()
    """The hash of a file, or the reason why it is unreadable."""


Answer = int | bool | str | list[list[str | bool]] | None
"""An answer to a question. JSON can store every answer."""


@dataclass
class Answers:
    """The recorded questions, each with its answer, by the question and the path."""

    by_question: dict[tuple[FileQuestion, str], Answer] = field(default_factory=dict)
    is_consistent: bool = True
    """False if a question had two answers, because a file changed in the meantime."""
    is_complete: bool = True
    """False if a result also depends on code or on limits of the system (`refuse_recording`)."""

    def add(self, question: FileQuestion, path: Path, answer: Answer) -> None:
        """Record an answer."""
        if self.by_question.setdefault((question, str(path)), answer) != answer:
            self.is_consistent = False


_recorders: Final[list[Answers]] = []


@contextmanager
def record_answers() -> Iterator[Answers]:
    """Record all questions about the file system, with their answers."""
    answers = Answers()
    _recorders.append(answers)
    try:
        yield answers
    finally:
        _recorders.remove(answers)


def refuse_recording() -> None:
    """Mark all recorded answers as incomplete."""
    for answers in _recorders:
        answers.is_complete = False


def ask(question: FileQuestion, path: Path) -> Answer:
    """Ask the file system a question about a path, and return its answer."""
    if question is FileQuestion.MODE:
        return _find_mode(path)
    if question is FileQuestion.LINK:
        return is_link(path)
    if question is FileQuestion.TARGET:
        return str(follow_links(path))
    if question is FileQuestion.NAMES:
        return [[*entry] for entry in list_folder(path)]
    return _hash(_read(path, ""))


def _record(question: FileQuestion, path: Path, answer: Answer) -> None:
    for answers in _recorders:
        answers.add(question, path, answer)


def _hash(content: bytes | Finding) -> str:
    """Return the hash of the content of a file, or the message of a finding."""
    if isinstance(content, Finding):
        return content.message
    return blake2b(content, digest_size=16).hexdigest()


def find_hidden_character(text: str) -> str | None:
    """Return the first invisible character or unpaired surrogate of a text, or None."""
    match = _HIDDEN.search(text)
    return (
        match[0]
        if match
        else next((character for character in text if "\ud800" <= character <= "\udfff"), None)
    )


def is_utf8(path: str) -> bool:
    """Return whether the path of a file is valid UTF-8. Addresses and reports need UTF-8."""
    return not any("\udc80" <= character <= "\udcff" for character in path)


def exists(path: Path) -> bool:
    """Return whether a file or folder exists.

    If the system refuses the path, for example because a name is too long, the result is False.
    """
    return _find_mode(path) is not None


def is_file(path: Path) -> bool:
    """Return whether a path is a regular file. If the system refuses it, the result is False."""
    return stat.S_ISREG(_find_mode(path) or 0)


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder. If the system refuses it, the result is False."""
    return stat.S_ISDIR(_find_mode(path) or 0)


def is_inside(folder: Path, path: str) -> bool:
    """Return whether a path, with its symbolic links followed, stays below a folder."""
    return follow_links(folder / path).is_relative_to(follow_links(folder))


def follow_links(path: Path) -> Path:
    """Return the absolute path of a file or folder without symbolic links."""
    # Path.resolve raises an error for a loop of symbolic links in Python 3.11 and 3.12.
    target = posixpath.realpath(path)
    _record(FileQuestion.TARGET, path, target)
    return Path(target)


def is_link(path: Path) -> bool:
    """Return whether a path is a symbolic link."""
    answer = path.is_symlink()
    _record(FileQuestion.LINK, path, answer)
    return answer


def is_executable(path: Path) -> bool:
    """Return whether the owner of a file may execute it."""
    return bool((_find_mode(path) or 0) & stat.S_IXUSR)


def list_folder(path: Path) -> list[tuple[str, bool, bool]]:
    """Return the entries of a folder: the name, and whether it is a folder and a regular file.

    The function does not follow symbolic links. Raises OSError.
    """
    with os.scandir(path) as iterator:
        entries = sorted(
            (
                entry.name,
                entry.is_dir(follow_symlinks=False),
                entry.is_file(follow_symlinks=False),
            )
            for entry in iterator
        )
    _record(FileQuestion.NAMES, path, [[*entry] for entry in entries])
    return entries


def _find_mode(path: Path) -> int | None:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # ValueError: the path contains a NUL character
        mode = None
    _record(FileQuestion.MODE, path, mode)
    return mode


def read_bytes(root: Path, path: str) -> bytes | Finding:
    """Return the bytes of a file, or a finding if the file is unreadable.

    A pipe or a device also gives a finding, because a read of it can wait forever.
    """
    file = root / path
    content = _read(file, path)
    if _recorders:
        _record(FileQuestion.CONTENT, file, _hash(content))
    return content


def _read(file: Path, path: str) -> bytes | Finding:
    """Return the bytes of a file, or a finding for the path `path`."""
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            return Finding(
                Location(path),
                "unreadable file: it is not a regular file",
                "replace it with a regular file",
            )
        if status.st_size > LARGEST:
            message = (
                f"file too large: {status.st_size:,} bytes, but at most {LARGEST:,} are allowed"
            )
            hint = "make it smaller, or store it elsewhere and link to it"
            return Finding(Location(path), message, hint)
        return file.read_bytes()
    except OSError as error:
        return Finding(Location(path), f"unreadable file: {error.strerror}")


def decode(path: str, data: bytes, *, longest: int = LONGEST_LINE) -> str | Finding:
    """Decode the bytes of a file. Returns the text, or a finding if the bytes are invalid.

    The text has no byte order mark, and every line ends with a line feed. The function returns a
    finding for:

    - bytes that are not UTF-8
    - a line of more than `longest` characters, because the time of a search in the line can grow
      with the square of its length
    - an invisible character, because it can control a terminal or a parser, or change the order in
      which a person reads the text
    - a merge conflict that Git wrote into the file
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
    # Most files have only visible ASCII, and this test is cheaper than the regular expression.
    is_visible = data.isascii() and not data.translate(None, _VISIBLE)
    if not is_visible and (hidden := _HIDDEN.search(text)):
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
                    f"line of more than {longest:,} characters",
                    "break it into several lines",
                )
    return _find_conflict(path, text) or text


def _find_conflict(path: str, text: str) -> Finding | None:
    """Return the finding for the first merge conflict in a text, or None."""
    # These tests are cheaper than the regular expression.
    if not ("<<<<<<<" in text or ">>>>>>>" in text or "|||||||" in text):
        return None
    match = _CONFLICT.search(text)
    return (
        make_conflict_finding(Location(path, text.count("\n", 0, match.start()) + 1), match[0])
        if match
        else None
    )


def make_conflict_finding(at: Location, line: str) -> Finding:
    """Make the finding for a merge conflict. `line` is a line that Git wrote."""
    return Finding(
        at,
        f"merge conflict '{shorten(line, 40, placeholder='…')}'",
        "keep one of the two versions, and delete the lines of Git; indent them in an example",
    )


def read_text(root: Path, path: str) -> str | Finding:
    """Return the text of a file, or a finding if the file is unreadable."""
    data = read_bytes(root, path)
    return data if isinstance(data, Finding) else decode(path, data)


def read_searchable_text(root: Path, path: str) -> str:
    """Return the text of any file, so that a rule can search it. Returns "" if it is unreadable.

    The function replaces each invisible character by a space and each invalid byte by a surrogate,
    so that the other characters keep their offsets. It decodes UTF-16. From binary data it returns
    only the readable text.
    """
    data = read_bytes(root, path)
    if isinstance(data, Finding):
        return ""
    text = decode(path, data, longest=LARGEST)
    return text if isinstance(text, str) else _decode_searchable_text(data)


def _decode_searchable_text(data: bytes) -> str:
    """Return the readable text of bytes that `decode` refuses."""
    if data.startswith((BOM_UTF16_BE, BOM_UTF16_LE)):
        data = data.decode("utf-16", "replace").encode()
    # UTF-16 text of ASCII characters becomes ASCII if its NUL bytes are removed.
    data = data.removeprefix(BOM_UTF8).replace(b"\0", b"")
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return _HIDDEN.sub(" ", data.decode())
    except UnicodeDecodeError:
        controls = len(data) - len(data.translate(None, _CONTROLS))
    if controls > len(data) // 100:
        return b" ".join(_READABLE.findall(data)).decode("ascii")
    return data.translate(_SPACES).decode("utf-8", "surrogateescape")
