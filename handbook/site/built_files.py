"""Read the addresses in the files of a built site: HTML, CSS, the feed, the sitemap and the JSON."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.reading.addresses import scheme
from handbook.site.html_faults import ACTIVE, find_active

MAX_BYTES: Final = 64_000_000
"""The bytes that a file of the site can have to be read: an index of ten thousand records has a tenth."""

INDEX: Final = "index.html"
READ: Final = re.compile(
    r".*\.(?:html?|css)|feed\.xml|sitemap\.xml|api/v1/.*\.json|assets/keys/(?!parts\.json).*\.json"
)
_ADDRESS_ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "img": ("srcset", "longdesc", "usemap"),
    "source": ("srcset",),
    "link": ("imagesrcset",),
    "meta": ("content",),
    "video": ("poster",),
    "object": ("data", "codebase", "classid", "usemap"),
    "form": ("action",),
    "button": ("formaction",),
    "input": ("formaction", "usemap"),
    "blockquote": ("cite",),
    "q": ("cite",),
    "del": ("cite",),
    "ins": ("cite",),
    "use": ("xlink:href",),
    "image": ("xlink:href",),
    "html": ("manifest",),
    "body": ("background",),
}
"""The attributes, besides href and src, that hold addresses."""
_SELECTOR: Final = f":is([href],[src],style,{','.join(_ADDRESS_ATTRIBUTES)})"
"""One selector for all: of a list the parser gives a node as often as it fits."""
_RELATIONS_NOT_FOLLOWED: Final = ("edit", "preconnect", "dns-prefetch")
"""What a page says of an address that no reader is led to without an account, or at all."""
_CANDIDATE: Final = re.compile(r"[\s,]*([^\s,]\S*)")
_REFRESH: Final = re.compile(r"[\d.\s]*[;,]\s*(?:url\s*=\s*)?[\"']?([^\"']*)", re.IGNORECASE)
_IN_STYLE: Final = re.compile(
    r"/\*.*?(?:\*/|\Z)|(?:@import\s+|\burl\(\s*)[\"']?([^\"'()\s;]+)", re.DOTALL
)
_TAG: Final = re.compile(rb"<(/?)([A-Za-z][^\s/>]*)([^<>]*)")
_SPACE: Final = re.compile(rb"[\s/]+")
_PERHAPS_ACTIVE: Final = re.compile(
    rf"<(?:{'|'.join(sorted(ACTIVE))})\b|[\s/\"']on[a-z]+\s*=|srcdoc".encode(), re.IGNORECASE
)
_ACTIVE_SCHEMES: Final = ("javascript", "vbscript")
_VOID: Final = frozenset(
    b"area base br col embed hr img input link meta p source track wbr".split()
)
_MAX_PLAIN_BYTES: Final = 100_000
_MAX_TAGS: Final = 20_000
"""Bytes of a page, and its tags, or bytes of one tag, below which the parser cannot take long."""
_PARSER_BUDGET: Final = 200_000_000
"""What the parser may do for a page, in steps from one open element or attribute to the next: half a second."""
MAX_SHOWN: Final = 200
"""The characters of an address that a message shows."""


class LinkFaultKind(StrEnum):
    """What is wrong with an address or a file of the site; a rule reports each."""

    MISSING = "missing"
    FRAGMENT = "fragment"
    EMPTY = "empty"
    DUPLICATE = "duplicate"
    INVALID = "invalid"
    OUTSIDE = "outside"
    UNREADABLE = "unreadable"
    ACTIVE = "active"
    NO_ANSWER = "no-answer"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class LinkFault:
    """What is wrong with an address, or with a file of the site.

    `file` is the file of the site that holds the address; `target` what the address leads to, from the root of the site
    and with its fragment; `source` the path of the repository that the file names beside the address.
    """

    file: str
    kind: LinkFaultKind
    target: str
    message: str
    hint: str | None = None
    source: str | None = None


@dataclass(slots=True)
class BuiltFile:
    """A file of the site: the addresses in it, each once, and the ids of a page."""

    file: str
    values: dict[str, str | None] = field(default_factory=dict)
    """Each with the path that the file names beside it."""
    ids: frozenset[str] | None = None
    faults: list[LinkFault] = field(default_factory=list)


def address(file: str) -> str:
    """The address of a file of the site from its root on: `adr/0001-x/`, `404.html`."""
    return file.removesuffix(INDEX) if file == INDEX or file.endswith(f"/{INDEX}") else file


def unreadable(file: str, reason: str) -> LinkFault:
    """The fault of a file that cannot be read."""
    return LinkFault(
        file, LinkFaultKind.UNREADABLE, "", f"/{address(file)} cannot be read: {reason}"
    )


def read_file(folder: Path, file: str) -> BuiltFile:
    """Read the addresses and the ids of a file of a built site. What is wrong with the file is in its `faults`."""
    page = BuiltFile(file)
    try:
        with open(f"{folder}/{file}", "rb") as opened:  # noqa: PTH123 - there are thousands
            if (size := os.fstat(opened.fileno()).st_size) > MAX_BYTES:
                page.faults.append(unreadable(file, f"{size} bytes are more than {MAX_BYTES}"))
                return page
            data = opened.read()
        text = data.decode()
        if file.endswith(".json"):
            _read_json(page, json.loads(text))
        elif file.endswith(".css"):
            page.values = dict.fromkeys(_addresses_in_style(text))
        elif _is_too_deep(data):
            page.faults.append(
                unreadable(file, "nested too deeply, or an element with too many attributes")
            )
        elif file.endswith(".xml"):
            _read_xml(page, data)
        else:
            _read_html(page, data)
    except OSError as error:
        page.faults.append(unreadable(file, str(error.strerror)))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        page.faults.append(
            unreadable(file, f"not UTF-8: byte {data[error.start]:#04x} on line {line}")
        )
    except (ValueError, RecursionError) as error:
        page.faults.append(unreadable(file, f"not JSON: {error}"))
    return page


def _is_too_deep(data: bytes) -> bool:
    """Whether the parser would take long: its time grows with the square of the depth, and of a tag's attributes."""
    if len(data) < _MAX_PLAIN_BYTES:
        return False
    pieces = data.split(b"<")
    if len(pieces) < _MAX_TAGS and max(map(len, pieces)) < _MAX_TAGS:
        return False
    depth = work = 0
    for end, name, rest in _TAG.findall(data):
        if end:
            depth = max(depth - 1, 0)
        elif name.lower() not in _VOID:
            depth += 1
            work += depth
        if len(rest) > _MAX_TAGS:
            work += len(_SPACE.findall(rest)) ** 2 // 2
        if work > _PARSER_BUDGET:
            return True
    return False


def _read_html(page: BuiltFile, data: bytes) -> None:
    document = LexborHTMLParser(data)
    base = _base_of(document)
    page.ids = _ids(page, document)
    values: dict[str, None] = {}
    for tree in _trees(document):
        for node in tree.css(_SELECTOR):
            if node.attributes.get("rel") not in _RELATIONS_NOT_FOLLOWED and node.tag != "base":
                values.update(dict.fromkeys(_addresses_of(page, node)))
    for act in _active(document, data, values):
        page.faults.append(
            LinkFault(page.file, LinkFaultKind.ACTIVE, act, f"/{address(page.file)} holds {act}")
        )
    values.pop("", None)
    page.values = {_join(base, value) if base else value: None for value in values}


def _active(document: LexborHTMLParser, data: bytes, addresses: Iterable[str]) -> Iterator[str]:
    """What could act on a reader in the article of a page, by its content, or anywhere, by an address."""
    if _PERHAPS_ACTIVE.search(
        data, max(data.find(b"<article"), 0), max(data.rfind(b"</article>"), 0)
    ):
        for article in document.css("article"):
            if act := find_active(article):
                yield act
    yield from (
        f"the address '{value[:MAX_SHOWN]}'"
        for value in addresses
        if scheme(value) in _ACTIVE_SCHEMES
    )


def _trees(tree: LexborHTMLParser | LexborNode) -> Iterator[LexborHTMLParser | LexborNode]:
    """A document and the contents of its templates, which a script may show and which are of no other tree."""
    yield tree
    for template in tree.css("template"):
        for fragment in template.template_fragments():
            yield from _trees(fragment)


def _base_of(document: LexborHTMLParser) -> str:
    """The address from which the addresses of a page count; empty where the page names none."""
    return next(
        (href for base in document.css("base[href]") if (href := base.attributes["href"])), ""
    )


def _ids(page: BuiltFile, document: LexborHTMLParser) -> frozenset[str]:
    """The ids and the names of anchors of a page; an id that is there twice is a fault."""
    ids = Counter(node.attributes["id"] or "" for node in document.css("[id]"))
    for id, count in ids.items():
        if count > 1 and id:
            message = f"the id '{id[:MAX_SHOWN]}' appears more than once on /{address(page.file)}"
            page.faults.append(LinkFault(page.file, LinkFaultKind.DUPLICATE, f"#{id}", message))
    names = (node.attributes["name"] or "" for node in document.css("a[name],map[name]"))
    return frozenset({*ids, *names})


def _addresses_of(page: BuiltFile, node: LexborNode) -> Iterator[str]:
    """The addresses of a node; an empty href or src is a fault."""
    tag, attributes = node.tag or "", node.attributes
    value = attributes.get("href") or attributes.get("src")
    if value and not value.isspace():
        yield value
    elif name := next((name for name in ("href", "src") if name in attributes), None):
        message = f"an empty {name} on /{address(page.file)}: <{tag} {name}>"
        page.faults.append(LinkFault(page.file, LinkFaultKind.EMPTY, f"<{tag} {name}>", message))
    if tag in _ADDRESS_ATTRIBUTES:
        yield from _other_addresses(tag, attributes)
    elif tag == "style":
        yield from _addresses_in_style(node.text())


def _other_addresses(tag: str, attributes: Mapping[str, str | None]) -> Iterator[str]:
    """The addresses of a node outside href and src; an empty one is ignored."""
    for name in _ADDRESS_ATTRIBUTES[tag]:
        value = attributes.get(name) or ""
        if name.endswith("srcset"):
            yield from _addresses_in_srcset(value)
        elif name != "content":
            yield value
        elif (attributes.get("http-equiv") or "").lower() == "refresh" and (
            match := _REFRESH.match(value)
        ):
            yield match[1]


def _addresses_in_srcset(srcset: str) -> Iterator[str]:
    """The addresses of a srcset; a comma inside an address belongs to it unless white space follows."""
    at = 0
    while match := _CANDIDATE.match(srcset, at):
        yield match[1].rstrip(",")
        at = match.end()
        if not match[1].endswith(","):
            at = srcset.find(",", at)
            if at < 0:
                return


def _addresses_in_style(text: str) -> Iterator[str]:
    """The addresses in a style sheet, outside of comments."""
    return (found[1] for found in _IN_STYLE.finditer(text) if found[1])


def _join(base: str, value: str) -> str:
    """An address as the page has it that says from where addresses count."""
    try:
        plain = not any(
            each.startswith(("/", "\\")) or urlsplit(each).scheme for each in (base, value)
        )
        if not plain:
            return urljoin(base, value)
    except ValueError:
        return value
    return base + value if value[0] in "#?" else f"{base[: base.rfind('/') + 1]}{value}"


def _read_xml(page: BuiltFile, data: bytes) -> None:
    """The addresses of a feed (Atom) or a sitemap. The parser of HTML reads these, too, and knows no entities."""
    for node in LexborHTMLParser(data).css("link[href],id,loc"):
        value = (node.attributes.get("href") if node.tag == "link" else node.text()) or ""
        value = (
            value.strip().partition("#")[0] if node.tag == "id" else value.strip()
        )  # an id is no link
        if value:
            page.values[value] = None
        else:
            page.faults.append(
                LinkFault(
                    page.file,
                    LinkFaultKind.EMPTY,
                    f"<{node.tag}>",
                    f"an empty <{node.tag}> in /{page.file}",
                )
            )


def _read_json(page: BuiltFile, document: Any) -> None:
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
