"""Find the targets of the links, ids, drawings and listings in a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from urllib.parse import quote
from xml.etree import ElementTree

from handbook.handbook import Handbook
from handbook.reading.addresses import SCHEMES, make_relative, read_scheme
from handbook.reading.render import ListingTarget, NamedTarget

_SVG = "{http://www.w3.org/2000/svg"
"""The namespace of SVG, as ElementTree writes it before the name of an element."""
_SAFE_ELEMENTS = frozenset(
    (
        "circle",
        "clipPath",
        "defs",
        "desc",
        "ellipse",
        "g",
        "line",
        "linearGradient",
        "marker",
        "mask",
        "path",
        "pattern",
        "polygon",
        "polyline",
        "radialGradient",
        "rect",
        "stop",
        "svg",
        "symbol",
        "text",
        "tspan",
        "title",
        "use",
    )
)
"""The SVG elements that are safe in the HTML of a page."""
_URL_OF_ID = re.compile(r"(url\(\s*['\"]?)#")


@dataclass(frozen=True)
class PageReferences:
    """Finds the targets of links and ids in the file at `path`, for the page at `page_address`."""

    handbook: Handbook
    path: str
    page_address: str
    included_ids: frozenset[str] = frozenset()
    """The anchors of the file at `path`, if the page at `page_address` includes this file."""

    def resolve_link(self, link: str) -> str | None:
        """Return the address of a link or image, or None if it is broken or unsafe."""
        target = self.handbook.resolve(self.path, link)
        if target.is_external:
            return link if read_scheme(link) in ("", *SCHEMES) else None
        url = self.handbook.url(target.path) if target.path else None
        if url is None:
            return None
        fragment = f"#{quote(target.fragment)}" if target.fragment else ""
        if target.path == self.path and target.fragment in self.included_ids:
            return fragment
        return (
            fragment
            if fragment and url == self.page_address
            else make_relative(quote(url) + fragment, self.page_address)
        )

    def resolve_id(self, id: str) -> NamedTarget | None:
        """Return the target of an id.

        Returns None if the id is unknown, or the id of this file.
        """
        id_target = self.handbook.resolve_id(id)
        record = id_target.record
        if record is None or (record.path == self.path and not id_target.fragment):
            return None
        fragment = f"#{id_target.fragment}" if id_target.fragment else ""
        address = self.handbook.address(record)
        return NamedTarget(
            fragment
            if address == self.page_address
            else make_relative(address + fragment, self.page_address),
            record.title,
        )

    def find_terms(self, text: str) -> Iterator[tuple[re.Match[str], NamedTarget]]:
        """Yield the mentions of terms in a text, except of those that this file defines."""
        for match, term in self.handbook.glossary.find_mentions(text):
            if term.path != self.path and (url := self.handbook.url(term.path)):
                address = make_relative(f"{quote(url)}#{term.id}", self.page_address)
                yield match, NamedTarget(address, term.meaning)

    def read_drawing(self, link: str, alt: str) -> str | None:
        """Return the SVG to embed instead of an image, or None to keep the image.

        An embedded SVG uses the colours of the page. It must be an attachment. It must use
        `currentColor`, and no style, because the content policy of the page blocks styles.
        """
        path = self.handbook.resolve(self.path, link).path
        # A rule checks attachments, so the SVG has no script, event handler or external URL.
        if path not in self.handbook.attachments or not path.endswith(".svg"):
            return None
        data = (self.handbook.root / path).read_bytes()
        if b'fill="currentColor"' not in data or b"style" in data:
            return None
        try:
            drawing = ElementTree.fromstring(data)  # noqa: S314 - the check of attachments refuses entities
        except ElementTree.ParseError:
            return None
        prefix = f"drawing-{next(self._drawing_numbers)}-"
        for element in drawing.iter():
            namespace, _, element.tag = element.tag.rpartition("}")
            if namespace != _SVG or element.tag not in _SAFE_ELEMENTS:
                return None
            attributes = (
                (name.rpartition("}")[2], value) for name, value in element.attrib.items()
            )
            element.attrib = {
                name: _with_prefix(name, value, prefix)
                for name, value in attributes
                if name != "class"
            }
        drawing.set("class", "hb-drawing")
        drawing.set("aria-label", alt)
        return ElementTree.tostring(drawing, encoding="unicode", short_empty_elements=False)

    @cached_property
    def _drawing_numbers(self) -> Iterator[int]:
        """The numbers of the drawings on the page. They make the ids in the drawings unique."""
        return count(1)

    @cached_property
    def read_listing(self) -> Callable[[str], str | None]:
        """The function that returns the text of a sample file, or None."""
        return self.handbook.read_listing

    def find_listing_page(self, path: str) -> ListingTarget | None:
        """Return the page of a file that a listing includes, or None without a page."""
        file = self.handbook.find_listing_file(path)
        if file is None or not file.has_page:
            return None
        return ListingTarget(make_relative(quote(file.address), self.page_address), file.name)


def _with_prefix(name: str, value: str, prefix: str) -> str:
    """Return the value of an SVG attribute, with a prefix before each id in it."""
    match name:
        case "id":
            return prefix + value
        case "href":
            return value.replace("#", f"#{prefix}", 1) if value.startswith("#") else value
        case "aria-labelledby" | "aria-describedby":
            return " ".join(prefix + id for id in value.split())
        case _:
            return _URL_OF_ID.sub(rf"\1#{prefix}", value)
