"""Read the text of a PDF that Chromium has printed, line by line."""

from __future__ import annotations

import re
import zlib

_STREAM = re.compile(rb"/Length (\d+).*?stream\n", re.DOTALL)
_OPERATOR = re.compile(
    rb"^(?P<save>q)$|^(?P<restore>Q)$"
    rb"|[-\d.]+ 0 0 (?P<scale>[-\d.]+) [-\d.]+ (?P<shift>[-\d.]+) cm"
    rb"|/F(?P<font>\d+) [\d.]+ Tf|1 0 0 -1 [-\d.]+ (?P<y>[-\d.]+) Tm"
    rb"|[-\d.]+ (?P<down>[-\d.]+) Td|<(?P<glyphs>[0-9A-F]+)> Tj",
    re.MULTILINE,
)
"""Operators that save and restore the state, scale, choose a font, move, and show glyphs."""


def read_pdf(pdf: bytes) -> list[list[str]]:
    """Return the lines of each page, from top to bottom."""
    objects = _read_objects(pdf)
    pages = (body for body in objects.values() if re.search(rb"/Type /Page\b", body))
    contents = (_read_stream(objects[_refer(page, b"Contents")]) for page in pages)
    return [_read_lines(objects, content) for content in contents]


def _read_objects(pdf: bytes) -> dict[int, bytes]:
    """Return the objects by number, from the table of their offsets at the end of the file."""
    table = int(re.findall(rb"startxref\n(\d+)", pdf)[-1])
    offsets = [int(offset) for offset in re.findall(rb"(\d{10}) \d{5} [nf]", pdf[table:])]
    ends = sorted([*offsets, table])
    return {
        number: pdf[offset : ends[ends.index(offset) + 1]]
        for number, offset in enumerate(offsets)
        if offset
    }


def _refer(body: bytes, key: bytes) -> int:
    """Return the number of the object that a key of a dictionary refers to."""
    match = re.search(rb"/" + key + rb" \[?(\d+) 0 R", body)
    assert match, (key, body[:200])
    return int(match[1])


def _read_stream(body: bytes) -> bytes:
    match = _STREAM.search(body)
    assert match, body[:200]
    data = body[match.end() : match.end() + int(match[1])]
    return zlib.decompress(data) if data else b""


def _read_lines(objects: dict[int, bytes], content: bytes) -> list[str]:
    """Return the lines of a page. Texts at about the same height are one line."""
    lines: dict[int, str] = {}
    characters: dict[int, str] = {}
    scale, shift, y = 1.0, 0.0, 0.0
    saved: list[tuple[float, float]] = []
    for match in _OPERATOR.finditer(content):
        if match["save"]:
            saved.append((scale, shift))
        elif match["restore"]:
            scale, shift = saved.pop()
        elif match["scale"]:
            scale, shift = float(match["scale"]) * scale, float(match["shift"]) * scale + shift
        elif match["font"]:
            to_unicode = objects[_refer(objects[int(match["font"])], b"ToUnicode")]
            characters = _read_characters(_read_stream(to_unicode).decode())
        elif match["y"]:
            y = float(match["y"])
        elif match["down"]:
            y -= float(match["down"])
        else:
            codes = re.findall("....", match["glyphs"].decode())
            height = round(y * scale + shift)
            near = next((line for line in lines if abs(line - height) <= 2), height)
            text = "".join(characters[int(code, 16)] for code in codes)
            lines[near] = lines.get(near, "") + text
    return [lines[height] for height in sorted(lines, reverse=True)]


def _read_characters(table: str) -> dict[int, str]:
    """Return the character of each glyph, from the table ToUnicode of a font."""
    characters: dict[int, str] = {}
    for kind, rows in re.findall(r"beginbf(char|range)\n(.*?)endbf", table, re.DOTALL):
        for row in rows.splitlines():
            first, *rest = re.findall(r"<([0-9A-Fa-f]+)>", row)
            last = rest[0] if kind == "range" else first
            text = bytes.fromhex(rest[-1]).decode("utf-16-be")
            for offset, code in enumerate(range(int(first, 16), int(last, 16) + 1)):
                characters[code] = text[:-1] + chr(ord(text[-1]) + offset)
    return characters
