"""Make the parts of a large search index small, and list their sizes for the search.

A part of Pagefind's index, `pagefind/index/*.pf_index`, has the words of one range of the alphabet
and their pages. Stop words are on every page, so that a part with one has up to ten times the size
of others, and the search never asks for them. The files are CBOR (RFC 8949) after a signature, in
gzip.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from handbook.reading.letters import read_stop_words

LARGE: Final = 1_000
"""Pages of a site above which the search counts bytes. search-index.js has the same number."""
SIZES: Final = "assets/keys/sizes.json"
"""The list of [first word, bytes] of all parts of the index."""

_SIGNATURE: Final = b"pagefind_dcd"
_ARRAY, _MAP, _TAG = 4, 5, 6
"""Types of CBOR whose items follow them."""
_STRINGS: Final = (2, 3)


def shrink_parts(site: Path, folder: Path) -> None:
    """Remove the stop words from the parts of an index, and write the sizes of the parts.

    `folder` of the site holds the index. Raises ValueError or IndexError, and changes
    nothing, if a file has another format than Pagefind 1.5.
    """
    # The index has stems: "every" is "everi".
    stop_words = read_stop_words()
    names = {stem.encode() for word in stop_words for stem in (word, re.sub("y$", "i", word))}
    # A site has one language. An index of another language has only a few pages.
    meta = max(folder.glob("*.pf_meta"), key=lambda file: file.stat().st_size)
    sizes = []
    smaller_parts = {}
    for first, last, name in _read_ranges(_read(meta)):
        part = folder / "index" / f"{name}.pf_index"
        size = part.stat().st_size
        if any(first <= word and word[: len(last)] <= last for word in names):
            data = gzip.compress(_remove_words(_read(part), names), 9, mtime=0)
            smaller_parts[part] = data
            size = len(data)
        sizes.append([first.decode(), size])
    for part, data in smaller_parts.items():
        part.write_bytes(data)
    text = json.dumps(sizes, ensure_ascii=False, separators=(",", ":"))
    (site / SIZES).write_text(text, encoding="utf-8")


def read_page_ids(folder: Path) -> dict[str, str]:
    """Return the ids of the pages of an index in `folder`, by their addresses.

    Raises ValueError or KeyError if a file has another format than Pagefind 1.5.
    """
    ids = {}
    for file in (folder / "fragment").glob("*.pf_fragment"):
        address = json.loads(_read(file)[len(_SIGNATURE) :])["url"]
        ids[address] = file.stem
    return ids


def _read(file: Path) -> bytes:
    data = gzip.decompress(file.read_bytes())
    if not data.startswith(_SIGNATURE):
        raise ValueError(f"{file.name} is no file of Pagefind 1.5")
    return data


def _read_ranges(meta: bytes) -> Iterator[tuple[bytes, bytes, str]]:
    """Yield the first word, the last word and the name of each part."""
    _, _, at = _read_head(meta, len(_SIGNATURE))
    at = _skip(meta, _skip(meta, at))  # the version and the pages
    _, count, at = _read_head(meta, at)
    for _ in range(count):
        _, _, at = _read_head(meta, at)
        first, at = _read_string(meta, at)
        last, at = _read_string(meta, at)
        name, at = _read_string(meta, at)
        yield first, last, name.decode()


def _remove_words(part: bytes, names: set[bytes]) -> bytes:
    """Return a part without some words. A part is [[[word, pages, …], …]]."""
    _, _, at = _read_head(part, len(_SIGNATURE))
    _, count, at = _read_head(part, at)
    entries = []
    for _ in range(count):
        end = _skip(part, at)
        word, _ = _read_string(part, _read_head(part, at)[2])
        if word not in names:
            entries.append(part[at:end])
        at = end
    head = b"\x81\x9a" + len(entries).to_bytes(4, "big")
    return _SIGNATURE + head + b"".join(entries) + part[at:]


def _read_string(data: bytes, at: int) -> tuple[bytes, int]:
    _, length, start = _read_head(data, at)
    return data[start : start + length], start + length


def _read_head(data: bytes, at: int) -> tuple[int, int, int]:
    """Return the type, the number and the end of the head of an item."""
    kind, number = data[at] >> 5, data[at] & 31
    at += 1
    if number < 24:
        return kind, number, at
    if number > 27:
        raise ValueError("an item without a length is not read")
    end = at + (1 << (number - 24))
    return kind, int.from_bytes(data[at:end], "big"), end


def _skip(data: bytes, at: int) -> int:
    """Return the end of the item that starts at `at`."""
    items = 1
    while items:
        length, inner_items = _SHORT_ITEMS[data[at]]
        if not length:
            kind, number, at = _read_head(data, at)
            length, inner_items = _measure(kind, number)
        at += length
        items += inner_items - 1
    return at


def _measure(kind: int, number: int) -> tuple[int, int]:
    """Return the bytes that follow the head of an item, and the number of its inner items."""
    if kind in _STRINGS:
        return number, 0
    return 0, {_ARRAY: number, _MAP: 2 * number, _TAG: 1}.get(kind, 0)


def _measure_short_item(head: int) -> tuple[int, int]:
    """Return the length in bytes of an item, and the number of its inner items.

    The length is without the inner items. It is 0 if the first byte of the item, `head`, does not
    decide it.
    """
    kind, number = head >> 5, head & 31
    if number < 24:
        length, inner_items = _measure(kind, number)
        return 1 + length, inner_items
    if number < 28 and kind not in (*_STRINGS, _ARRAY, _MAP):
        return 1 + (1 << (number - 24)), _measure(kind, number)[1]
    return 0, 0


_SHORT_ITEMS: Final = tuple(map(_measure_short_item, range(256)))
"""The length and the number of inner items for each first byte. An index has millions of items."""
