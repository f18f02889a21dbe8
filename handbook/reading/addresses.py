"""Read the schemes of addresses, and make relative addresses between pages."""

from __future__ import annotations

import re
from typing import Final

_IGNORED: Final = re.compile(r"[\x00-\x20]")
"""White space and control characters. Browsers ignore them in the scheme of an address."""

SCHEMES: Final = ("http", "https", "mailto", "tel")
"""The schemes that an external link can have."""


def read_scheme(address: str) -> str:
    """Return the scheme of an address in lower case, or "" if it has none.

    The function ignores white space and control characters, as browsers do.
    """
    scheme, colon, _ = _IGNORED.sub("", address).partition(":")
    return scheme.lower() if colon and not set(scheme) & set("/?#") else ""


def make_relative(url: str, page: str) -> str:
    """Return the link that leads from the page `page` to the page `url`.

    Both arguments are addresses from the root of the site, such as `adr/0001-x/`. The address of
    the root is "".
    """
    path, hash_mark, fragment = url.partition("#")
    target_parts = path.split("/")  # the last part is a file name, or "" if the path is a folder
    page_folders = page.split("/")[:-1]
    shared_count = 0
    for target_folder, page_folder in zip(target_parts[:-1], page_folders, strict=False):
        if target_folder != page_folder:
            break
        shared_count += 1
    relative = "../" * (len(page_folders) - shared_count) + "/".join(target_parts[shared_count:])
    return f"{relative}{hash_mark}{fragment}" if relative or hash_mark else "./"
