"""Read the schemes of addresses, and make relative addresses between pages."""

from __future__ import annotations

import re
from typing import Final

_IGNORED: Final = re.compile(r"[\x00-\x20]")
"""White space and control characters, which browsers ignore in a scheme."""

SCHEMES: Final = ("http", "https", "mailto", "tel")
"""The schemes that a link to another site can have."""


def read_scheme(address: str) -> str:
    """Return the scheme of an address in lower case, or an empty text.

    White space and control characters are ignored, as browsers do.
    """
    scheme, colon, _ = _IGNORED.sub("", address).partition(":")
    return scheme.lower() if colon and not set(scheme) & set("/?#") else ""


def make_relative(url: str, page: str) -> str:
    """Return the address `url` as a link from `page`.

    Both are relative to the root of the site, such as `adr/0001-x/`. The root itself is empty.
    """
    path, mark, fragment = url.partition("#")
    target_parts = path.split("/")  # the last part is the page's own name, "" for a folder
    page_folders = page.split("/")[:-1]
    shared = 0
    for target_folder, page_folder in zip(target_parts[:-1], page_folders, strict=False):
        if target_folder != page_folder:
            break
        shared += 1
    relative = "../" * (len(page_folders) - shared) + "/".join(target_parts[shared:])
    return f"{relative}{mark}{fragment}" if relative or mark else "./"
