"""Addresses as a browser reads them, and as a page of the site writes them."""

from __future__ import annotations

import re
from typing import Final

_PASSED_OVER: Final = re.compile(r"[\x00-\x20]")

SCHEMES: Final = ("http", "https", "mailto", "tel")
"""Where a link to another place may lead."""


def scheme(address: str) -> str:
    """The scheme that a browser sees in an address, passing over white space and control characters; or nothing."""
    found, colon, _ = _PASSED_OVER.sub("", address).partition(":")
    return found.lower() if colon and not set(found) & set("/?#") else ""


def relative(url: str, here: str) -> str:
    """The address `url` as seen from the page `here`, both relative to the site's root: `adr/0001-x/`, ``."""
    path, mark, fragment = url.partition("#")
    there = path.split("/")  # the last part is the page's own name, "" for a folder
    base = here.split("/")[:-1]
    same = 0
    for one, other in zip(there[:-1], base, strict=False):
        if one != other:
            break
        same += 1
    found = "../" * (len(base) - same) + "/".join(there[same:])
    return f"{found}{mark}{fragment}" if found or mark else "./"
