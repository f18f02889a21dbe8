"""Resolve the addresses of a built site as a browser does: to a file of the site, to another host, or to nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from handbook.diagnostics import did_you_mean
from handbook.site.built_files import INDEX, MAX_SHOWN, BuiltFile, LinkFaultKind, address

_STRIPPED: Final = "".join(map(chr, range(0x21)))
"""What a browser strips from both ends of an address."""
_REMOVED: Final = re.compile(r"[\t\n\r]")
"""What a browser removes from within an address."""
_HOST: Final = re.compile(r"[^\x00-\x20#/<>?@\[\\\]^|]+")
_MAX_HINTS: Final = 20
"""Broken links that get a hint: the search for a similar name takes time."""


@dataclass(frozen=True, slots=True)
class Broken:
    """An address that leads to nothing of the site: `address` is what it leads to, `message` says why."""

    kind: LinkFaultKind
    address: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class External:
    """An address on another host, without its fragment."""

    url: str


@dataclass(frozen=True)
class SiteFiles:
    """What a site consists of: its regular files, and what is neither file nor folder, symbolic links among them."""

    regular: frozenset[str]
    irregular: frozenset[str]

    @cached_property
    def folded(self) -> Mapping[str, str]:
        """The files by their names with case taken away."""
        return {file.casefold(): file for file in self.regular}

    @cached_property
    def below(self) -> Mapping[str, list[str]]:
        """The addresses in each folder."""
        found: dict[str, list[str]] = defaultdict(list)
        for file in self.regular:
            found[address(file).rstrip("/").rpartition("/")[0]].append(address(file))
        return found


class Resolver:
    """Says where addresses lead. What pages name in common is resolved once for the folder that they stand in."""

    def __init__(
        self, files: SiteFiles, ids: Mapping[str, frozenset[str] | None], site_url: str
    ) -> None:
        self.files = files
        try:
            site = urlsplit(site_url)
        except ValueError:
            site = urlsplit("/")
        self.host = site.netloc.lower()
        self.root = f"{site.path.rstrip('/')}/"
        self.url = f"{site_url.rstrip('/')}/"
        self.hinted = 0
        self.ids = {address(file): ids.get(file) for file in files.regular}
        """What stands at an address: the ids of a page, None for another file."""

    def broken_or_external(self, page: BuiltFile) -> Iterator[tuple[str, Broken | External]]:
        """The addresses of a page that do not simply lead to what is there, each with where it leads."""
        here = address(page.file)
        folder = page.file[: page.file.rfind("/") + 1]
        own = page.ids or frozenset()
        for value in page.values:
            if (value[0] == "#" and value[1:] in own) or self._is_plain(here, folder, value):
                continue
            target = self.resolve(page.file, value)
            if target is not None:
                yield value, target

    def _is_plain(self, here: str, folder: str, value: str) -> bool:
        """Whether an address without anything unusual leads to what is there. Most do; the others are looked at."""
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
            path = here
        if path not in self.ids or "%" in path:
            return False
        return not mark or fragment in (self.ids[path] or ())

    def resolve(self, file: str, value: str) -> Broken | External | None:
        """Where an address that stands in a file of the site leads."""
        value = _REMOVED.sub("", value.strip(_STRIPPED))
        try:
            parts = urlsplit(value)
            if parts.scheme not in ("", "http", "https"):
                return None
            if (parts.scheme or parts.netloc) and not _HOST.fullmatch(parts.hostname or ""):
                return Broken(LinkFaultKind.INVALID, value, "is no address: it names no host")
            _ = parts.port
        except ValueError as error:
            return Broken(LinkFaultKind.INVALID, value, f"is no address: {error}")
        path = parts.path.replace("\\", "/")
        if parts.netloc:
            path = path or "/"
            if parts.netloc.lower() != self.host or not f"{path}/".startswith(self.root):
                return External(urlunsplit((parts.scheme or "https", *parts[1:4], "")))
        if path.startswith("/"):
            if not f"{path}/".startswith(self.root):
                return Broken(
                    LinkFaultKind.OUTSIDE,
                    path,
                    f"leads out of the site, which begins at {self.root}",
                )
            path = path[len(self.root) :]
        elif path:
            path = f"{file.rpartition('/')[0]}/{path}"
        else:
            path = address(file)
        return self._resolve_path(path, unquote(parts.fragment.partition(":~:")[0]), parts.fragment)

    def _resolve_path(self, path: str, fragment: str, raw: str) -> Broken | External | None:
        """Where a path from the site's root on leads."""
        names: list[str] = []
        name = ""
        for part in path.split("/"):
            name = unquote(part, errors="surrogateescape")
            if name == ".." and not names:
                return Broken(LinkFaultKind.OUTSIDE, path, "leads out of the site")
            if name == "..":
                names.pop()
            elif name not in (".", ""):
                names.append(name)
        found = "/".join((*names, "") if name in ("", ".", "..") and names else names)
        mark = f"#{fragment}" if fragment else ""
        file = f"{found}{INDEX}" if found.endswith("/") or not found else found
        if file not in self.files.regular and f"{file}/{INDEX}" in self.files.regular:
            found, file = f"{found}/", f"{file}/{INDEX}"
        if file not in self.files.regular:
            return Broken(
                LinkFaultKind.MISSING,
                f"{found}{mark}",
                "leads to no file of the site",
                self._hint(found, file),
            )
        ids = self.ids[address(file)]
        if (
            not fragment
            or ids is None
            or fragment in ids
            or raw in ids
            or fragment.lower() == "top"
        ):
            return None
        message = f"leads to /{found}, which has no id '{fragment[:MAX_SHOWN]}'"
        return Broken(LinkFaultKind.FRAGMENT, f"{found}{mark}", message, self._near(fragment, ids))

    def _hint(self, found: str, file: str) -> str | None:
        if file in self.files.irregular:
            return "what is there is a symbolic link, or no regular file"
        if spelt := self.files.folded.get(file.casefold()):
            return f"on disk it is spelt /{address(spelt)}"
        folder = found.rstrip("/").rpartition("/")[0]
        return self._near(found, self.files.below.get(folder, ()))

    def _near(self, word: str, candidates: Iterable[str]) -> str | None:
        self.hinted += 1
        return did_you_mean(word[:MAX_SHOWN], candidates) if self.hinted <= _MAX_HINTS else None
