"""The links of a built site: every address that a page, the feed, the sitemap or the JSON names, and where it leads.

Each file is read once. An address is resolved as a browser does it: from the page's own, percent-decoded, its query
passed over, with index.html for a folder; a name counts as it is spelt on disk. What is wrong is a value (a fault);
`origin` finds the line of the repository that it comes from, when there is one to be told.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.diagnostics import Location, did_you_mean
from handbook.engines import ahead
from handbook.handbook import Handbook
from handbook.loading import uncollected
from handbook.reading.nodes import scalars
from handbook.records import Document, Entity
from handbook.records.alert import Alert
from handbook.records.service import Service

LARGEST: Final = 64_000_000
"""The bytes that a file of the site can have to be read: an index of ten thousand records has a tenth."""

_INDEX: Final = "index.html"
_READ: Final = re.compile(
    r".*\.(?:html?|css)|feed\.xml|sitemap\.xml|api/v1/.*\.json|assets/keys/(?!parts\.json).*\.json"
)
_RARE: Final[Mapping[str, tuple[str, ...]]] = {
    "img": ("srcset", "longdesc", "usemap"), "source": ("srcset",), "link": ("imagesrcset",), "meta": ("content",),
    "video": ("poster",), "object": ("data", "codebase", "classid", "usemap"), "form": ("action",),
    "button": ("formaction",), "input": ("formaction", "usemap"), "blockquote": ("cite",), "q": ("cite",),
    "del": ("cite",), "ins": ("cite",), "use": ("xlink:href",), "image": ("xlink:href",), "html": ("manifest",),
    "body": ("background",),
}  # fmt: skip
"""Where an address stands beside href and src."""
_SELECTOR: Final = f":is([href],[src],[id],a,map,style,template,{','.join(_RARE)})"
"""One selector for all: of a list the parser gives a node as often as it fits."""
_NOT_FOLLOWED: Final = ("edit", "preconnect", "dns-prefetch")
"""What a page says of an address that no reader is led to without an account, or at all."""
_CANDIDATE: Final = re.compile(r"[\s,]*([^\s,]\S*)")
_REFRESH: Final = re.compile(r"[\d.\s]*[;,]\s*(?:url\s*=\s*)?[\"']?([^\"']*)", re.IGNORECASE)
_IN_STYLE: Final = re.compile(r"/\*.*?(?:\*/|\Z)|(?:@import\s+|\burl\(\s*)[\"']?([^\"'()\s;]+)", re.DOTALL)
_TAG: Final = re.compile(rb"<(/?)([A-Za-z][^\s/>]*)([^<>]*)")
_SPACE: Final = re.compile(rb"[\s/]+")
_VOID: Final = frozenset(b"area base br col embed hr img input link meta p source track wbr".split())
_LARGE: Final = 100_000
_MANY: Final = 20_000
"""Bytes of a page, and its tags, or bytes of one tag, below which the parser cannot take long."""
_WORK: Final = 200_000_000
"""What the parser may do for a page, in steps from one open element or attribute to the next: half a second."""
_AROUND: Final = "".join(map(chr, range(0x21)))
_WITHIN: Final = re.compile(r"[\t\n\r]")
_HOST: Final = re.compile(r"[^\x00-\x20#/<>?@\[\\\]^|]+")
_SHOWN: Final = 200
_HINTED: Final = 20
"""Faults that get a hint: to look for what is spelt nearly so takes time."""


class NoSiteError(Exception):
    """A folder that is no built site; the text says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an address, or with a page. `sort` is the rule's that tells of it.

    `file` is the file of the site in which it stands, `leads` what the address leads to from the site's root on, the
    fragment included; `said` the path of the repository that the file itself names beside it.
    """

    file: str
    sort: str
    leads: str
    message: str
    hint: str | None = None
    said: str | None = None


@dataclass(frozen=True)
class Site:
    """What was read of a built site. `shown` is how its folder was named, `external` who names an address elsewhere."""

    shown: str
    faults: tuple[Fault, ...]
    external: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]


def with_answers(site: Site, silent: Mapping[str, str], again: Container[str]) -> Site:
    """The site, and what other hosts said instead of an answer as faults: `silent`, and whether not for the first time.

    `again` holds the addresses that did not answer in an earlier run either.
    """
    faults = (
        Fault(file, "gone" if url in again else "no-answer", url, f"{url[:_SHOWN]} does not answer: {said}")
        for url, said in silent.items()
        for file in site.external[url]
    )
    return replace(site, faults=(*site.faults, *faults))


@dataclass(slots=True)
class _BuiltPage:
    """A file of the site: the addresses in it, each once, and, where it is a page, its ids."""

    file: str
    values: dict[str, str | None] = field(default_factory=dict)
    """Each with the path that the file names beside it."""
    ids: frozenset[str] | None = None
    faults: list[Fault] = field(default_factory=list)


def address(file: str) -> str:
    """The address of a file of the site from its root on: `adr/0001-x/`, `404.html`."""
    return file.removesuffix(_INDEX) if file == _INDEX or file.endswith(f"/{_INDEX}") else file


def read_site(folder: str | Path, site_url: str) -> Site:
    """Read a built site, which stands at `site_url`, and find what is wrong with its links.

    Raises NoSiteError where there is no such folder, or no page in it.
    """
    with uncollected():
        return _read_site(Path(folder), str(folder), site_url)


def _read_site(folder: Path, shown: str, site_url: str) -> Site:
    if not folder.is_dir():
        raise NoSiteError(f"{shown} is no folder; `make site` builds the site")
    files = _files(folder)
    read = [file for file in sorted(files.regular) if _READ.fullmatch(file)]
    pages = list(ahead.each(len(read), lambda index: _read(folder, read[index])))
    if not any(page.ids is not None for page in pages):
        raise NoSiteError(f"{shown} holds no page; `make site` builds the site")
    faults = [_unreadable(file, "not a regular file") for file in sorted(files.irregular) if _READ.fullmatch(file)]
    resolver = _Resolver(files, {page.file: page.ids for page in pages}, site_url)
    external: dict[str, list[str]] = defaultdict(list)
    for page in pages:
        faults += page.faults
        for value, leads in resolver.of(page):
            if leads.external:
                external[leads.external].append(page.file)
            else:
                shown_value = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
                message = f"'{shown_value}' on /{address(page.file)} {leads.message}"
                faults.append(Fault(page.file, leads.sort, leads.address, message, leads.hint, page.values[value]))
    counts = {"page": sum(page.ids is not None for page in pages), "link": sum(len(page.values) for page in pages)}
    return Site(shown, tuple(faults), {url: tuple(files) for url, files in sorted(external.items())}, counts)


@dataclass(frozen=True)
class _Files:
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


def _files(folder: Path) -> _Files:
    """Every file below a folder. Symbolic links are not followed."""
    regular: list[str] = []
    irregular: list[str] = []
    left = [""]
    while left:
        below = left.pop()
        with os.scandir(folder / below) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    left.append(f"{below}{entry.name}/")
                else:
                    (regular if entry.is_file(follow_symlinks=False) else irregular).append(f"{below}{entry.name}")
    return _Files(frozenset(regular), frozenset(irregular))


# What stands in a file.


def _unreadable(file: str, reason: str) -> Fault:
    return Fault(file, "unreadable", "", f"/{address(file)} cannot be read: {reason}")


def _read(folder: Path, file: str) -> _BuiltPage:
    page = _BuiltPage(file)
    try:
        with open(f"{folder}/{file}", "rb") as opened:  # noqa: PTH123 - there are thousands
            if (size := os.fstat(opened.fileno()).st_size) > LARGEST:
                page.faults.append(_unreadable(file, f"{size} bytes are more than {LARGEST}"))
                return page
            data = opened.read()
        text = data.decode()
        if file.endswith(".json"):
            _read_json(page, json.loads(text))
        elif file.endswith(".css"):
            page.values = dict.fromkeys(_in_style(text))
        elif _too_much(data):
            page.faults.append(_unreadable(file, "nested too deeply, or an element with too many attributes"))
        elif file.endswith(".xml"):
            _read_xml(page, data)
        else:
            _read_html(page, data)
    except OSError as error:
        page.faults.append(_unreadable(file, str(error.strerror)))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        page.faults.append(_unreadable(file, f"not UTF-8: byte {data[error.start]:#04x} on line {line}"))
    except (ValueError, RecursionError) as error:
        page.faults.append(_unreadable(file, f"not JSON: {error}"))
    return page


def _too_much(data: bytes) -> bool:
    """Whether the parser would take long: its time grows with the square of the depth, and of a tag's attributes."""
    if len(data) < _LARGE:
        return False
    pieces = data.split(b"<")
    if len(pieces) < _MANY and max(map(len, pieces)) < _MANY:
        return False
    depth = work = 0
    for end, name, rest in _TAG.findall(data):
        if end:
            depth = max(depth - 1, 0)
        elif name.lower() not in _VOID:
            depth += 1
            work += depth
        if len(rest) > _MANY:
            work += len(_SPACE.findall(rest)) ** 2 // 2
        if work > _WORK:
            return True
    return False


def _read_html(page: _BuiltPage, data: bytes) -> None:
    ids: list[str] = []
    names: list[str] = []
    values: dict[str, str | None] = {}
    base = ""
    trees: list[LexborHTMLParser | LexborNode] = [LexborHTMLParser(data)]
    for tree in trees:
        for node in tree.css(_SELECTOR):
            attributes = node.attributes
            if "id" in attributes:
                ids.append(attributes["id"] or "")
            if "rel" in attributes and attributes["rel"] in _NOT_FOLLOWED:
                continue
            value = attributes.get("href") or attributes.get("src")
            tag = node.tag or ""
            if tag == "base":
                base = base or value or ""
                continue
            if value and not value.isspace():
                values[value] = None
            elif name := "href" if "href" in attributes else "src" if "src" in attributes else "":
                message = f"an empty {name} on /{address(page.file)}: <{tag} {name}>"
                page.faults.append(Fault(page.file, "empty", f"<{tag} {name}>", message))
            if tag in _RARE:
                values.update(dict.fromkeys(_others(tag, attributes)))
            elif "name" in attributes and tag in ("a", "map"):
                names.append(attributes["name"] or "")
            elif tag == "style":
                values.update(dict.fromkeys(_in_style(node.text())))
            elif tag == "template":
                trees.extend(node.template_fragments())  # what a script may show; of no other tree
        if tree is trees[0]:
            once = set(ids)
            twice = [id for id, count in Counter(ids).items() if count > 1 and id] if len(once) < len(ids) else []
            page.ids = frozenset(once.union(names))
    for id in twice:
        message = f"the id '{id[:_SHOWN]}' stands more than once on /{address(page.file)}"
        page.faults.append(Fault(page.file, "duplicate", f"#{id}", message))
    values.pop("", None)
    page.values = {_joined(base, value): None for value in values} if base else values


def _others(tag: str, attributes: Mapping[str, str | None]) -> Iterator[str]:
    """The addresses of a node that stand neither in href nor in src; an empty one there says nothing."""
    for name in _RARE[tag]:
        value = attributes.get(name) or ""
        if name.endswith("srcset"):
            yield from _candidates(value)
        elif name != "content":
            yield value
        elif (attributes.get("http-equiv") or "").lower() == "refresh" and (match := _REFRESH.match(value)):
            yield match[1]


def _candidates(srcset: str) -> Iterator[str]:
    """The addresses of a srcset; a comma ends one, and stands within one where no white space follows."""
    at = 0
    while match := _CANDIDATE.match(srcset, at):
        yield match[1].rstrip(",")
        at = match.end()
        if not match[1].endswith(","):
            at = srcset.find(",", at)
            if at < 0:
                return


def _in_style(text: str) -> Iterator[str]:
    """The addresses in a style sheet, outside of comments."""
    return (found[1] for found in _IN_STYLE.finditer(text) if found[1])


def _joined(base: str, value: str) -> str:
    """An address as the page has it that says from where addresses count."""
    try:
        plain = not any(each.startswith(("/", "\\")) or urlsplit(each).scheme for each in (base, value))
        if not plain:
            return urljoin(base, value)
    except ValueError:
        return value
    return base + value if value[0] in "#?" else f"{base[: base.rfind('/') + 1]}{value}"


def _read_xml(page: _BuiltPage, data: bytes) -> None:
    """The addresses of a feed (Atom) or a sitemap. The parser of HTML reads these, too, and knows no entities."""
    for node in LexborHTMLParser(data).css("link[href],id,loc"):
        value = (node.attributes.get("href") if node.tag == "link" else node.text()) or ""
        value = value.strip().partition("#")[0] if node.tag == "id" else value.strip()  # an id is no link
        if value:
            page.values[value] = None
        else:
            page.faults.append(Fault(page.file, "empty", f"<{node.tag}>", f"an empty <{node.tag}> in /{page.file}"))


def _read_json(page: _BuiltPage, document: Any) -> None:
    """The addresses of the JSON: every text that is one, and the second of each row of the search's keys."""
    rows, root = page.file.startswith("assets/"), "../" * page.file.count("/")
    left: list[tuple[Any, str | None]] = [(document, None)]
    while left:
        node, path = left.pop()
        if isinstance(node, dict):
            path = node.get("path", path)
            node = node.values()
        elif rows and len(node) > 2 and isinstance(node[0], str) and isinstance(node[1], str):
            page.values[f"{root}{node[1]}"] = None
        for child in node:
            if isinstance(child, str):
                if child.startswith(("http://", "https://")) and len(child.split()) == 1:
                    page.values.setdefault(child, path if isinstance(path, str) else None)
            elif isinstance(child, dict | list):
                left.append((child, path))


# Where an address leads.


@dataclass(frozen=True, slots=True)
class _Leads:
    """Where an address leads: to nothing that is of the site (`sort` and `message` say why), or to another host."""

    address: str = ""
    sort: str = ""
    message: str = ""
    hint: str | None = None
    external: str = ""


_WELL: Final = _Leads()


class _Resolver:
    """Says where addresses lead. What pages name in common is resolved once for the folder that they stand in."""

    def __init__(self, files: _Files, ids: Mapping[str, frozenset[str] | None], site_url: str) -> None:
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

    def of(self, page: _BuiltPage) -> Iterator[tuple[str, _Leads]]:
        """The addresses of a page that do not simply lead to what is there, each with where it leads."""
        here = address(page.file)
        folder = page.file[: page.file.rfind("/") + 1]
        own = page.ids or frozenset()
        for value in page.values:
            if (value[0] == "#" and value[1:] in own) or self._plainly_there(here, folder, value):
                continue
            leads = self.leads(page.file, value)
            if leads is not _WELL:
                yield value, leads

    def _plainly_there(self, here: str, folder: str, value: str) -> bool:
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

    def leads(self, file: str, value: str) -> _Leads:
        """Where an address that stands in a file of the site leads."""
        value = _WITHIN.sub("", value.strip(_AROUND))
        try:
            parts = urlsplit(value)
            if parts.scheme not in ("", "http", "https"):
                return _WELL
            if (parts.scheme or parts.netloc) and not _HOST.fullmatch(parts.hostname or ""):
                return _Leads(value, "invalid", "is no address: it names no host")
            _ = parts.port
        except ValueError as error:
            return _Leads(value, "invalid", f"is no address: {error}")
        path = parts.path.replace("\\", "/")
        if parts.netloc:
            path = path or "/"
            if parts.netloc.lower() != self.host or not f"{path}/".startswith(self.root):
                return _Leads(external=urlunsplit((parts.scheme or "https", *parts[1:4], "")))
        if path.startswith("/"):
            if not f"{path}/".startswith(self.root):
                return _Leads(path, "outside", f"leads out of the site, which begins at {self.root}")
            path = path[len(self.root) :]
        elif path:
            path = f"{file.rpartition('/')[0]}/{path}"
        else:
            path = address(file)
        return self._within(path, unquote(parts.fragment.partition(":~:")[0]), parts.fragment)

    def _within(self, path: str, fragment: str, raw: str) -> _Leads:
        """Where a path from the site's root on leads."""
        names: list[str] = []
        name = ""
        for part in path.split("/"):
            name = unquote(part, errors="surrogateescape")
            if name == ".." and not names:
                return _Leads(path, "outside", "leads out of the site")
            if name == "..":
                names.pop()
            elif name not in (".", ""):
                names.append(name)
        found = "/".join((*names, "") if name in ("", ".", "..") and names else names)
        mark = f"#{fragment}" if fragment else ""
        file = f"{found}{_INDEX}" if found.endswith("/") or not found else found
        if file not in self.files.regular and f"{file}/{_INDEX}" in self.files.regular:
            found, file = f"{found}/", f"{file}/{_INDEX}"
        if file not in self.files.regular:
            return _Leads(f"{found}{mark}", "missing", "leads to no file of the site", self._hint(found, file))
        ids = self.ids[address(file)]
        if not fragment or ids is None or fragment in ids or raw in ids or fragment.lower() == "top":
            return _WELL
        message = f"leads to /{found}, which has no id '{fragment[:_SHOWN]}'"
        return _Leads(f"{found}{mark}", "fragment", message, self._near(fragment, ids))

    def _hint(self, found: str, file: str) -> str | None:
        if file in self.files.irregular:
            return "what is there is a symbolic link, or no regular file"
        if spelt := self.files.folded.get(file.casefold()):
            return f"on disk it is spelt /{address(spelt)}"
        folder = found.rstrip("/").rpartition("/")[0]
        return self._near(found, self.files.below.get(folder, ()))

    def _near(self, word: str, candidates: Iterable[str]) -> str | None:
        self.hinted += 1
        return did_you_mean(word[:_SHOWN], candidates) if self.hinted <= _HINTED else None


# Where it comes from.


class Origins:
    """Finds the place in the repository that a fault of the site comes from."""

    def __init__(self, handbook: Handbook, site: Site) -> None:
        self.handbook, self.site = handbook, site
        self.moved = {f"{old.strip('/')}/": each for each in handbook.documents.values() for old in each.moved_from}
        self.by_path: dict[str, list[Entity]] = defaultdict(list)
        for each in handbook.entities:
            self.by_path[each.path].append(each)
        self.places: dict[int, dict[str, list[Location]]] = {}

    def written(self, fault: Fault) -> list[Location]:
        """Every place of the page's sources that names what the address leads to; none where a template does."""
        found: dict[Location, None] = {}
        for entity in self._entities(fault):
            places = self.places.get(id(entity))
            if places is None:
                places = self.places[id(entity)] = defaultdict(list)
                for leads, at in self._named(entity):
                    places[leads].append(at)
            found.update(dict.fromkeys(places.get(fault.leads, ())))
        return list(found)

    def page(self, fault: Fault) -> Location:
        """The place of the page itself: its source, or what it is made of; else the file of the site."""
        for entity in self._entities(fault):
            return entity.at() if isinstance(entity, Alert) else Location(entity.path)
        return Location(posixpath.join(self.site.shown, fault.file))

    def _entities(self, fault: Fault) -> list[Entity]:
        """What the handbook knows of the page, or of what a file for machines speaks of."""
        handbook = self.handbook
        if fault.said:
            return self.by_path.get(fault.said, [])
        here = address(fault.file)
        known = handbook.by_address.get(here) or self.moved.get(here)
        if known is None and not fault.file.endswith(".html"):
            known = handbook.by_address.get(fault.leads.partition("#")[0])
        if isinstance(known, Service):
            return [known, *handbook.audits_of(known)]
        return [known] if known else []

    def _named(self, entity: Entity) -> Iterator[tuple[str, Location]]:
        """What an entity names, as a fault has it, and where: in its text, by ids, and in its YAML."""
        handbook = self.handbook
        if isinstance(entity, Document):
            for resolved in handbook.links_of(entity):
                link, target = resolved.link, resolved.target
                url = handbook.url(target.path) if target.path else None
                mark = f"#{target.fragment}" if target.fragment else ""
                yield self._plain(link.target) if url is None else f"{url}{mark}", link.at
            for mention in entity.source.mentions:
                named = handbook.named(mention.id)
                if named.record:
                    mark = f"#{named.fragment}" if named.fragment else ""
                    yield f"{handbook.address(named.record)}{mark}", mention.at
        for reference in handbook.referred_from(entity):
            yield handbook.address(reference.target), reference.at
        if entity.mapping:
            for scalar in scalars(entity.mapping):
                yield self._plain(scalar.text), scalar.at

    def _plain(self, text: str) -> str:
        """An address as a fault has it: that of another host without its fragment, that of this site from its root."""
        site = self.handbook.settings.site_url.rstrip("/") + "/"
        return text.removeprefix(site) if text.startswith(site) else text.partition("#")[0]
