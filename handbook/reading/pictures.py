"""Find damage in pictures and PDFs: a file that ends too early, and an SVG that is invalid XML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from xml.parsers import expat

_SVG: Final = "http://www.w3.org/2000/svg"
_ENDS_EARLY: Final = frozenset(
    expat.errors.codes[message]
    for message in (expat.errors.XML_ERROR_NO_ELEMENTS, expat.errors.XML_ERROR_UNCLOSED_TOKEN)
)


class NotSvgError(ValueError):
    """Raised if the outer element of a file is not an SVG element."""


def is_cut_off(suffix: str, data: bytes) -> bool:
    """Return whether a picture or a PDF ends too early. `suffix` is the suffix of its name.

    The file must have the first bytes of its format. A file of another format is never cut off.
    """
    reaches_end = _FORMATS.get(suffix)
    return reaches_end is not None and not reaches_end(data)


def describe_svg_fault(text: str) -> str | None:
    """Return what is wrong with the XML of an SVG, for a message, or None if it is valid.

    An SVG without the namespace of SVG is not a picture for a browser.
    """
    parser = expat.ParserCreate(namespace_separator=" ")

    def read_outer_element(name: str, _: Mapping[str, str]) -> None:
        parser.StartElementHandler = None
        if name != f"{_SVG} svg":
            raise NotSvgError

    parser.StartElementHandler = read_outer_element
    try:
        parser.Parse(text.encode(), True)
    except NotSvgError:
        return f'outer element is not <svg xmlns="{_SVG}">'
    except expat.ExpatError as error:
        if error.code in _ENDS_EARLY:
            return "its end is missing"
        return f"{expat.errors.messages[error.code]} on line {error.lineno}"
    return None


def _png_reaches_end(data: bytes) -> bool:
    """Follow the chunks of a PNG to the chunk IEND."""
    offset = len(b"\x89PNG\r\n\x1a\n")
    while offset + 12 <= len(data):
        length, name = int.from_bytes(data[offset : offset + 4]), data[offset + 4 : offset + 8]
        offset += 12 + length
        if name == b"IEND":
            return offset <= len(data)
    return False


def _jpeg_reaches_end(data: bytes) -> bool:
    """Follow the segments of a JPEG to its pixels, which end with the marker EOI.

    A preview in a segment before the pixels has a marker EOI of its own.
    """
    offset = len(b"\xff\xd8")
    while offset + 4 <= len(data) and data[offset] == 0xFF:
        length = int.from_bytes(data[offset + 2 : offset + 4])
        if data[offset + 1] == 0xDA:
            return data.find(b"\xff\xd9", offset) >= 0
        offset += 2 + length if data[offset + 1] != 0xFF else 1
    return False


def _gif_reaches_end(data: bytes) -> bool:
    """Follow the blocks of a GIF to its trailer.

    After an unknown block, the last byte of the file decides.
    """
    offset = 13 + _color_table_size(data[10:11])
    while offset < len(data):
        match data[offset]:
            case 0x3B:
                return True
            case 0x21:
                offset += 2
            case 0x2C:
                offset += 11 + _color_table_size(data[offset + 9 : offset + 10])
            case _:
                return data.endswith(b";")
        while offset < len(data) and data[offset]:
            offset += 1 + data[offset]
        offset += 1
    return False


def _color_table_size(flags: bytes) -> int:
    """Return the size of a colour table of a GIF in bytes. `flags` is the byte before it."""
    return 3 << (flags[0] % 8 + 1) if flags and flags[0] & 0x80 else 0


def _webp_reaches_end(data: bytes) -> bool:
    return len(data) >= 8 + int.from_bytes(data[4:8], "little")


def _avif_reaches_end(data: bytes) -> bool:
    """Follow the boxes of an AVIF. The last box can have the size 0, which means "to the end"."""
    offset, names = 0, set()
    while offset + 8 <= len(data):
        size = int.from_bytes(data[offset : offset + 4])
        names.add(data[offset + 4 : offset + 8])
        if size == 1:
            size = int.from_bytes(data[offset + 8 : offset + 16])
        offset = offset + max(size, 8) if size else len(data)
    return offset == len(data) and {b"meta", b"mdat"} <= names


def _pdf_reaches_end(data: bytes) -> bool:
    return b"%%EOF" in data[-1024:]


_FORMATS: Final[Mapping[str, Callable[[bytes], bool]]] = {
    ".png": _png_reaches_end,
    ".jpg": _jpeg_reaches_end,
    ".jpeg": _jpeg_reaches_end,
    ".gif": _gif_reaches_end,
    ".webp": _webp_reaches_end,
    ".avif": _avif_reaches_end,
    ".pdf": _pdf_reaches_end,
}
"""For each suffix: the function that returns whether a file of this format is complete."""
