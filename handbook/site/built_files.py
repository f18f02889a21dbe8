"""Read the addresses in the files of a built site.

The files are HTML, CSS, the feed, the sitemap and the JSON.
"""

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

from handbook.reading.addresses import read_scheme
from handbook.site.html_faults import ACTIVE_TAGS, find_active

MAX_BYTES: Final = 64_000_000
"""Size limit of a file of the site. An index of 10,000 records has a tenth of this size."""

INDEX: Final = "index.html"
CHECKED_FILE: Final = re.compile(
    r".*\.(?:html?|css)|feed\.xml|sitemap\.xml"
    r"|api/v1/.*\.json|assets/keys/(?!(?:parts|sizes|words)\.json).*\.json"
)
"""Paths of the files whose links are checked."""
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
"""Attributes that hold addresses, by the name of the element. Any element can have href or src."""
_SELECTOR: Final = f":is([href],[src],style,{','.join(_ADDRESS_ATTRIBUTES)})"
"""Selector of all elements with an address.

`:is()` makes it one selector. For a list of selectors, the parser would yield an element again for
each selector that matches it.
"""
_RELATIONS_NOT_FOLLOWED: Final = ("edit", "preconnect", "dns-prefetch")
"""Values of `rel` whose addresses are not checked, because readers cannot or do not open them."""
_CANDIDATE: Final = re.compile(r"[\s,]*([^\s,]\S*)")
_REFRESH: Final = re.compile(r"[\d.\s]*[;,]\s*(?:url\s*=\s*)?[\"']?([^\"']*)", re.IGNORECASE)
_IN_STYLE: Final = re.compile(
    r"/\*.*?(?:\*/|\Z)|(?:@import\s+|\burl\(\s*)[\"']?([^\"'()\s;]+)", re.DOTALL
)
_TAG: Final = re.compile(rb"<(/?)([A-Za-z][^\s/>]*)([^<>]*)")
_SPACE: Final = re.compile(rb"[\s/]+")
_PERHAPS_ACTIVE: Final = re.compile(
    rf"<(?:{'|'.join(sorted(ACTIVE_TAGS))})\b|[\s/\"']on[a-z]+\s*=|srcdoc".encode(), re.IGNORECASE
)
_MACRO_CALL: Final = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)\s*\(")
_CODE: Final = ("pre", "code", "kbd", "samp", "script", "style", "template")
_ACTIVE_SCHEMES: Final = ("javascript", "vbscript")
_VOID: Final = frozenset(
    b"area base br col embed hr img input link meta p source track wbr".split()
)
_MAX_PLAIN_BYTES: Final = 100_000
_MAX_TAGS: Final = 20_000
"""Limits below which the parser is always fast.

`_MAX_PLAIN_BYTES` limits the bytes of a page. `_MAX_TAGS` limits the tags of a page, and also the
bytes of one tag.
"""
_PARSER_BUDGET: Final = 200_000_000
"""Maximum number of parser steps for one page. The parser needs half a second for them.

In one step, the parser moves from one open element or attribute to the next.
"""
MAX_SHOWN: Final = 200
"""Maximum number of characters of an address in a message."""


class LinkFaultKind(StrEnum):
    """Kind of fault in an address or a file of the site. Each kind has its own rule."""

    MISSING = "missing"
    FRAGMENT = "fragment"
    EMPTY = "empty"
    DUPLICATE = "duplicate"
    INVALID = "invalid"
    OUTSIDE = "outside"
    UNREADABLE = "unreadable"
    ACTIVE = "active"
    MACRO = "macro"
    NO_ANSWER = "no-answer"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class LinkFault:
    """Fault in an address or a file of the site.

    `file` is the file of the site that contains the address. `target` is the target of the address,
    with its fragment, as a path from the root of the site. `source` is the source file, if a JSON
    file of the site names one.
    """

    file: str
    kind: LinkFaultKind
    target: str
    message: str
    hint: str | None = None
    source: str | None = None


@dataclass(slots=True)
class BuiltFile:
    """File of the site with the addresses that it contains. A page also has ids."""

    file: str
    addresses: dict[str, str | None] = field(default_factory=dict)
    """Source files by address. Only a JSON file names source files, otherwise the value is None."""
    ids: frozenset[str] | None = None
    link_faults: list[LinkFault] = field(default_factory=list)


def make_address(file: str) -> str:
    """Return the address of a file from the root of the site: `adr/0001-x/`, `404.html`."""
    return file.removesuffix(INDEX) if file == INDEX or file.endswith(f"/{INDEX}") else file


def make_unreadable_fault(file: str, reason: str) -> LinkFault:
    """Return the fault of a file that cannot be read."""
    message = f"unreadable file '/{make_address(file)}': {reason}"
    return LinkFault(file, LinkFaultKind.UNREADABLE, "", message)


def read_file(folder: Path, file: str) -> BuiltFile:
    """Read the addresses, the ids and the faults of a file of a built site."""
    page = BuiltFile(file)
    try:
        with open(f"{folder}/{file}", "rb") as stream:  # noqa: PTH123 - thousands of files
            if (size := os.fstat(stream.fileno()).st_size) > MAX_BYTES:
                reason = f"{size} bytes, more than {MAX_BYTES}"
                page.link_faults.append(make_unreadable_fault(file, reason))
                return page
            data = stream.read()
        text = data.decode()
        if file.endswith(".json"):
            _read_json(page, json.loads(text))
        elif file.endswith(".css"):
            page.addresses = dict.fromkeys(_find_addresses_in_style(text))
        elif _is_too_deep(data):
            reason = "nested too deeply, or an element with too many attributes"
            page.link_faults.append(make_unreadable_fault(file, reason))
        elif file.endswith(".xml"):
            _read_xml(page, data)
        else:
            _read_html(page, data)
    except OSError as error:
        page.link_faults.append(make_unreadable_fault(file, str(error.strerror)))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"invalid UTF-8: byte {data[error.start]:#04x} on line {line}"
        page.link_faults.append(make_unreadable_fault(file, reason))
    except (ValueError, RecursionError) as error:
        page.link_faults.append(make_unreadable_fault(file, f"invalid JSON: {error}"))
    return page


def _is_too_deep(data: bytes) -> bool:
    """Tell whether the parser would need too much time for a page.

    Its time grows with the square of the depth of elements, and with the square of the number of
    attributes of one tag.
    """
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
    base = _find_base_address(document)
    page.ids = _read_ids(page, document)
    addresses: dict[str, None] = {}
    for tree in _iterate_trees(document):
        for node in tree.css(_SELECTOR):
            if node.attributes.get("rel") not in _RELATIONS_NOT_FOLLOWED and node.tag != "base":
                addresses.update(dict.fromkeys(_find_addresses(page, node)))
    for content in _find_active_content(document, data, addresses):
        message = f"active content {content} on /{make_address(page.file)}"
        page.link_faults.append(LinkFault(page.file, LinkFaultKind.ACTIVE, content, message))
    if b"{{" in data:
        page.link_faults += _find_macro_calls(page.file, LexborHTMLParser(data))
    addresses.pop("", None)
    page.addresses = {_join(base, address) if base else address: None for address in addresses}


def _find_active_content(
    document: LexborHTMLParser, data: bytes, addresses: Iterable[str]
) -> Iterator[str]:
    """Find active content in the articles, and `javascript:` addresses on the whole page."""
    if _PERHAPS_ACTIVE.search(
        data, max(data.find(b"<article"), 0), max(data.rfind(b"</article>"), 0)
    ):
        for article in document.css("article"):
            if content := find_active(article):
                yield content
    for address in addresses:
        if read_scheme(address) in _ACTIVE_SCHEMES:
            yield f"'{address[:MAX_SHOWN]}'"


def _find_macro_calls(file: str, document: LexborHTMLParser) -> Iterator[LinkFault]:
    """Find the texts that look like calls of macros, such as `{{ home() }}`, outside of code."""
    document.strip_tags(list(_CODE))
    text = document.body.text() if document.body else ""
    for name in dict.fromkeys(_MACRO_CALL.findall(text)):
        message = f"macro call '{{{{ {name}() }}}}' as text on /{make_address(file)}"
        yield LinkFault(file, LinkFaultKind.MACRO, name, message)


def _iterate_trees(tree: LexborHTMLParser | LexborNode) -> Iterator[LexborHTMLParser | LexborNode]:
    """Yield a document and the content of each `<template>` element.

    A script may show this content. The parser stores it in a separate tree.
    """
    yield tree
    for template in tree.css("template"):
        for fragment in template.template_fragments():
            yield from _iterate_trees(fragment)


def _find_base_address(document: LexborHTMLParser) -> str:
    """Return the address in the `<base>` element of a page, or an empty text without one."""
    return next(
        (href for base in document.css("base[href]") if (href := base.attributes["href"])), ""
    )


def _read_ids(page: BuiltFile, document: LexborHTMLParser) -> frozenset[str]:
    """Read the ids and anchor names of a page, and add a fault for each duplicate id."""
    ids = Counter(node.attributes["id"] or "" for node in document.css("[id]"))
    for id, count in ids.items():
        if count > 1 and id:
            message = f"duplicate id '{id[:MAX_SHOWN]}' on /{make_address(page.file)}"
            page.link_faults.append(
                LinkFault(page.file, LinkFaultKind.DUPLICATE, f"#{id}", message)
            )
    names = (node.attributes["name"] or "" for node in document.css("a[name],map[name]"))
    return frozenset({*ids, *names})


def _find_addresses(page: BuiltFile, node: LexborNode) -> Iterator[str]:
    """Find the addresses in an element. Adds a fault to the page if href or src is empty."""
    tag, attributes = node.tag or "", node.attributes
    value = attributes.get("href") or attributes.get("src")
    if value and not value.isspace():
        yield value
    elif name := next((name for name in ("href", "src") if name in attributes), None):
        message = f"empty {name} on /{make_address(page.file)}: <{tag} {name}>"
        page.link_faults.append(
            LinkFault(page.file, LinkFaultKind.EMPTY, f"<{tag} {name}>", message)
        )
    if tag in _ADDRESS_ATTRIBUTES:
        yield from _find_further_addresses(tag, attributes)
    elif tag == "style":
        yield from _find_addresses_in_style(node.text())


def _find_further_addresses(tag: str, attributes: Mapping[str, str | None]) -> Iterator[str]:
    """Find the addresses in the other attributes of an element. They may be empty."""
    for name in _ADDRESS_ATTRIBUTES[tag]:
        value = attributes.get(name) or ""
        if name.endswith("srcset"):
            yield from _find_addresses_in_srcset(value)
        elif name != "content":
            yield value
        elif (attributes.get("http-equiv") or "").lower() == "refresh" and (
            match := _REFRESH.match(value)
        ):
            yield match[1]


def _find_addresses_in_srcset(srcset: str) -> Iterator[str]:
    """Find the addresses in a srcset. A comma before white space ends an address."""
    offset = 0
    while match := _CANDIDATE.match(srcset, offset):
        yield match[1].rstrip(",")
        offset = match.end()
        if not match[1].endswith(","):
            offset = srcset.find(",", offset)
            if offset < 0:
                return


def _find_addresses_in_style(text: str) -> Iterator[str]:
    """Find the addresses in a style sheet, outside its comments."""
    return (match[1] for match in _IN_STYLE.finditer(text) if match[1])


def _join(base: str, address: str) -> str:
    """Join an address to the base address of its page."""
    try:
        is_relative = not any(
            value.startswith(("/", "\\")) or urlsplit(value).scheme for value in (base, address)
        )
        if not is_relative:
            return urljoin(base, address)
    except ValueError:
        return address
    return base + address if address[0] in "#?" else f"{base[: base.rfind('/') + 1]}{address}"


def _read_xml(page: BuiltFile, data: bytes) -> None:
    """Read the addresses of an Atom feed or a sitemap.

    The HTML parser can read both, and it is safe because it expands no XML entities.
    """
    for node in LexborHTMLParser(data).css("link[href],id,loc"):
        value = (node.attributes.get("href") if node.tag == "link" else node.text()) or ""
        value = value.strip()
        if node.tag == "id":
            # The fragment makes the id of an entry unique. It is not an anchor of the page.
            value = value.partition("#")[0]
        if value:
            page.addresses[value] = None
        else:
            tag = f"<{node.tag}>"
            message = f"empty {tag} in /{page.file}"
            page.link_faults.append(LinkFault(page.file, LinkFaultKind.EMPTY, tag, message))


def _read_json(page: BuiltFile, document: Any) -> None:
    """Read every URL in a JSON file, and the address in each row of the search keys."""
    has_rows, root = page.file.startswith("assets/"), "../" * page.file.count("/")
    unread_nodes: list[tuple[Any, str | None]] = [(document, None)]
    while unread_nodes:
        node, path = unread_nodes.pop()
        if isinstance(node, dict):
            path = node.get("path", path)
            node = node.values()
        elif has_rows and len(node) > 2 and isinstance(node[0], str) and isinstance(node[1], str):
            page.addresses[f"{root}{node[1]}"] = None
        for child in node:
            if isinstance(child, str):
                if child.startswith(("http://", "https://")) and len(child.split()) == 1:
                    page.addresses.setdefault(child, path if isinstance(path, str) else None)
            elif isinstance(child, dict | list):
                unread_nodes.append((child, path))
