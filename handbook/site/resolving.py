"""Resolve the addresses in a built site as a browser does.

The target of an address is a file of the site, is on another host, or does not exist.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from handbook.diagnostics import did_you_mean
from handbook.site.built_files import INDEX, MAX_SHOWN, BuiltFile, LinkFaultKind, make_address

_STRIPPED: Final = "".join(map(chr, range(0x21)))
"""Characters that a browser strips from both ends of an address."""
_REMOVED: Final = re.compile(r"[\t\n\r]")
"""Characters that a browser removes inside an address."""
_HOST: Final = re.compile(r"[^\x00-\x20#/<>?@\[\\\]^|]+")
_MAX_HINTS: Final = 20
"""Maximum number of broken links with a hint, because it takes time to find a similar name."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Address without an existing target, and the message about it.

    `address` is the missing target. The message begins with `fault`, for example "broken link". It
    ends with `detail`, the reason, if there is one.
    """

    kind: LinkFaultKind
    address: str
    fault: str
    detail: str = ""
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class External:
    """Address on another host, without its fragment."""

    url: str


@dataclass(frozen=True)
class SiteFiles:
    """Files of a site. A symbolic link or a pipe, for example, is an irregular file."""

    regular: frozenset[str]
    irregular: frozenset[str]

    @cached_property
    def by_folded_name(self) -> Mapping[str, str]:
        """Map the lower-case path of each file to its path."""
        return {file.casefold(): file for file in self.regular}

    @cached_property
    def addresses_by_folder(self) -> Mapping[str, list[str]]:
        """Map each folder to the addresses of its files."""
        addresses: dict[str, list[str]] = defaultdict(list)
        for file in self.regular:
            address = make_address(file)
            addresses[address.rstrip("/").rpartition("/")[0]].append(address)
        return addresses


class Resolver:
    """Resolver of the addresses in the files of a site, and of the sites in its folders."""

    def __init__(
        self, files: SiteFiles, ids: Mapping[str, frozenset[str] | None], site_url: str
    ) -> None:
        self.files = files
        try:
            site_parts = urlsplit(site_url)
        except ValueError:
            site_parts = urlsplit("/")
        self.host = site_parts.netloc.lower()
        self.root = f"{site_parts.path.rstrip('/')}/"
        self.url = f"{site_url.rstrip('/')}/"
        self.hint_count = 0
        self.ids = {make_address(file): ids.get(file) for file in files.regular}
        """Ids of a page, by its address. The value is None for a file that is not a page."""

    def find_broken_and_external(
        self, page: BuiltFile, prefix: str = ""
    ) -> Iterator[tuple[str, Broken | External]]:
        """Yield each broken or external address in a file of the site, with its target.

        An external address is on another host. `prefix` is the folder of a nested site.
        """
        file = prefix + page.file
        page_address = make_address(file)
        folder = file[: file.rfind("/") + 1]
        page_ids = page.ids or frozenset()
        for value in page.addresses:
            if value[0] == "#" and value[1:] in page_ids:
                continue
            if self._is_plain_link(page_address, folder, value):
                continue
            target = self.resolve(file, value)
            if target is not None:
                yield value, target

    def _is_plain_link(self, page_address: str, folder: str, value: str) -> bool:
        """Tell whether an address in a simple form has an existing target.

        This test is fast and covers most addresses. `resolve` is slower and handles every address.
        """
        path, mark, fragment = value.partition("#")
        if path.endswith(".."):
            path += "/"
        if path.startswith(self.url):
            path = path[len(self.url) :]
        elif path:
            while folder and path.startswith("../"):
                path = path[3:]
                folder = folder[: folder.rfind("/", 0, -1) + 1]
            path = folder + path
        else:
            path = page_address
        if path not in self.ids or "%" in path:
            return False
        return not mark or fragment in (self.ids[path] or ())

    def resolve(self, file: str, value: str) -> Broken | External | None:
        """Resolve an address in a file of the site.

        Returns None if the target is an existing file of the site. An address with another scheme
        than http or https is not checked, and also gives None.
        """
        value = _REMOVED.sub("", value.strip(_STRIPPED))
        try:
            parts = urlsplit(value)
            if parts.scheme not in ("", "http", "https"):
                return None
            if (parts.scheme or parts.netloc) and not _HOST.fullmatch(parts.hostname or ""):
                return Broken(LinkFaultKind.INVALID, value, "invalid address", "no valid host")
            _ = parts.port
        except ValueError as error:
            return Broken(LinkFaultKind.INVALID, value, "invalid address", str(error))
        path = parts.path.replace("\\", "/")
        if parts.netloc:
            path = path or "/"
            if parts.netloc.lower() != self.host or not f"{path}/".startswith(self.root):
                return External(urlunsplit((parts.scheme or "https", *parts[1:4], "")))
        if path.startswith("/"):
            if not f"{path}/".startswith(self.root):
                detail = f"the site begins at {self.root}"
                return Broken(LinkFaultKind.OUTSIDE, path, "link outside the site", detail)
            path = path[len(self.root) :]
        elif path:
            path = f"{file.rpartition('/')[0]}/{path}"
        else:
            path = make_address(file)
        return self._resolve_path(path, unquote(parts.fragment.partition(":~:")[0]), parts.fragment)

    def _resolve_path(
        self, path: str, fragment: str, raw_fragment: str
    ) -> Broken | External | None:
        """Resolve a path that begins at the root of the site.

        `fragment` is the decoded fragment of the address, and `raw_fragment` the original one.
        """
        names: list[str] = []
        name = ""
        for segment in path.split("/"):
            name = unquote(segment, errors="surrogateescape")
            if name == ".." and not names:
                return Broken(LinkFaultKind.OUTSIDE, path, "link outside the site")
            if name == "..":
                names.pop()
            elif name not in (".", ""):
                names.append(name)
        target = "/".join((*names, "") if name in ("", ".", "..") and names else names)
        mark = f"#{fragment}" if fragment else ""
        file = f"{target}{INDEX}" if target.endswith("/") or not target else target
        if file not in self.files.regular and f"{file}/{INDEX}" in self.files.regular:
            target, file = f"{target}/", f"{file}/{INDEX}"
        if file not in self.files.regular:
            hint = self._make_hint(target, file)
            return Broken(
                LinkFaultKind.MISSING, f"{target}{mark}", "broken link", "no such file", hint
            )
        ids = self.ids[make_address(file)]
        if (
            not fragment
            or ids is None
            or fragment in ids
            or raw_fragment in ids
            or fragment.lower() == "top"
        ):
            return None
        detail = f"no id '{fragment[:MAX_SHOWN]}' on /{target}"
        hint = self._suggest(fragment, ids)
        return Broken(LinkFaultKind.FRAGMENT, f"{target}{mark}", "unknown anchor", detail, hint)

    def _make_hint(self, target: str, file: str) -> str | None:
        if file in self.files.irregular:
            return "replace the symbolic link or special file with a regular file"
        if path := self.files.by_folded_name.get(file.casefold()):
            return f"use the same case as the file name: /{make_address(path)}"
        folder = target.rstrip("/").rpartition("/")[0]
        return self._suggest(target, self.files.addresses_by_folder.get(folder, ()))

    def _suggest(self, text: str, candidates: Iterable[str]) -> str | None:
        self.hint_count += 1
        if self.hint_count > _MAX_HINTS:
            return None
        return did_you_mean(text[:MAX_SHOWN], candidates)
