"""Addresses as a browser reads them."""

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
