"""A picture or a PDF that ends too early, and an SVG that is invalid XML, are findings."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.reading.pictures import is_cut_off
from tests.handbooks import ADR, SMALL, check, format_findings, make_png

RECORD = "adr/0001-a.md"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><title>Load</title><path d='M0 0'/></svg>"
PREVIEW = b"\xff\xe1\x00\x08\xff\xd8\xff\xd9\x00\x00"
JPEG = b"\xff\xd8" + PREVIEW + b"\xff\xff\xda\x00\x04\x00\x00pixels\xff\xd9"
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x00\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
WEBP = b"RIFF\x0e\x00\x00\x00WEBPVP8L\x02\x00\x00\x00\x2f\x00"
AVIF = (
    b"\x00\x00\x00\x10ftypavif\x00\x00\x00\x00"
    b"\x00\x00\x00\x0cmeta\x00\x00\x00\x00"
    b"\x00\x00\x00\x0cmdat\x00\x00\x00\x00"
)
FILES = {
    "png": make_png(b"some pixels"),
    "jpg": JPEG,
    "jpeg": JPEG,
    "gif": GIF,
    "webp": WEBP,
    "avif": AVIF,
    "pdf": b"%PDF-1.7\nstartxref\n9\n%%EOF\n",
}


@pytest.mark.parametrize("suffix", FILES)
def test_every_shorter_copy_is_cut_off(suffix: str) -> None:
    data = FILES[suffix]
    assert not is_cut_off(f".{suffix}", data)
    assert not is_cut_off(f".{suffix}", data + b"\0") or suffix == "avif"
    text_end = len(data) - len(data.rstrip())
    lengths = range(len(data) - text_end)
    assert [length for length in lengths if not is_cut_off(f".{suffix}", data[:length])] == []


def test_a_real_picture_is_complete() -> None:
    data = (SMALL / "adr/0002-use-postgresql/load.png").read_bytes()
    assert not is_cut_off(".png", data)
    assert is_cut_off(".png", data[:-1])


@pytest.mark.parametrize("folder", ["adr/0001-a", "docs/pictures"])
@pytest.mark.parametrize("suffix", FILES)
def test_a_cut_off_file_is_a_finding(suffix: str, folder: str, tmp_path: Path) -> None:
    path = f"{folder}/load.{suffix}"
    assert check(tmp_path, {RECORD: ADR, path: FILES[suffix]}) == ()
    (finding,) = check(tmp_path, {RECORD: ADR, path: FILES[suffix][:-8]})
    assert format_findings([finding]) == [f"{path}:1:1:SAFE004"]
    assert finding.message.startswith("incomplete ")
    assert finding.hint == "add a complete copy"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (SVG[:60], "its end is missing"),
        (SVG.replace(b"</svg>", b"\n</g></svg>"), "mismatched tag on line 2"),
        (SVG.replace(b"Load", b"a & b"), "not well-formed (invalid token) on line 1"),
        (SVG.replace(b"Load", b"&nbsp;"), "undefined entity on line 1"),
        (SVG.replace(b"<path", b"<x:path"), "unbound prefix on line 1"),
        (SVG + SVG, "junk after document element on line 1"),
        (b"<svg><path d='M0 0'/></svg>", 'outer element is not <svg xmlns="'),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "outer element is not <svg"),
        (b"", "its end is missing"),
    ],
)
@pytest.mark.parametrize("folder", ["adr/0001-a", "docs/pictures"])
def test_an_invalid_svg_is_a_finding(data: bytes, fault: str, folder: str, tmp_path: Path) -> None:
    path = f"{folder}/load.svg"
    (finding,) = check(tmp_path, {RECORD: ADR, path: data})
    assert format_findings([finding]) == [f"{path}:1:1:SAFE004"]
    assert finding.message.startswith(f"invalid SVG: {fault}")


@pytest.mark.parametrize(
    "data",
    [
        SVG,
        b"<?xml version='1.0' encoding='UTF-8' standalone='no'?>\n<!-- Load -->\n" + SVG,
        b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN'"
        b" 'http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd'>" + SVG,
        SVG.replace(b"svg ", b"s:svg ")
        .replace(b"xmlns=", b"xmlns:s=")
        .replace(b"/svg>", b"/s:svg>"),
    ],
)
def test_a_valid_svg(data: bytes, tmp_path: Path) -> None:
    assert check(tmp_path, {RECORD: ADR, "adr/0001-a/load.svg": data}) == ()
