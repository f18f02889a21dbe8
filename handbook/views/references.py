"""What the text of a file names, as one page of the site sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from urllib.parse import quote
from xml.etree import ElementTree

from handbook.handbook import Handbook
from handbook.reading.addresses import SCHEMES, relative, scheme
from handbook.reading.render import NamedTarget

_SVG = "{http://www.w3.org/2000/svg"
"""The namespace of a drawing, as ElementTree writes it before a `}`."""
_DRAWN = frozenset(
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
"""The elements of a drawing that can be a part of a page."""
_URL_OF_ID = re.compile(r"(url\(\s*['\"]?)#")


@dataclass(frozen=True)
class PageReferences:
    """The references of the file at `path`, shown on the page whose address from the site's root on is `here`."""

    handbook: Handbook
    path: str
    here: str
    own_ids: frozenset[str] = frozenset()
    """Ids of the file that the page has, where it is not the file's own page."""

    def target(self, link: str) -> str | None:
        """The address of a link or image; None for one that leads to nothing of the site, or could act on a reader."""
        target = self.handbook.resolve(self.path, link)
        if target.external:
            return link if scheme(link) in ("", *SCHEMES) else None
        url = self.handbook.url(target.path) if target.path else None
        if url is None:
            return None
        fragment = f"#{quote(target.fragment)}" if target.fragment else ""
        if target.path == self.path and target.fragment in self.own_ids:
            return fragment
        return (
            fragment
            if fragment and url == self.here
            else relative(quote(url) + fragment, self.here)
        )

    def named(self, id: str) -> NamedTarget | None:
        """What an id names; None for nothing, and for the record whose text it is in."""
        named = self.handbook.named(id)
        record = named.record
        if record is None or (record.path == self.path and not named.fragment):
            return None
        fragment = f"#{named.fragment}" if named.fragment else ""
        address = self.handbook.address(record)
        return NamedTarget(
            fragment if address == self.here else relative(address + fragment, self.here),
            record.title,
        )

    def drawing(self, link: str, alt: str) -> str | None:
        """The SVG of an attachment that draws in currentColor and has no style, which the page's policy refuses.

        As a part of the page it has the colours of the palette. Any other image stays one.
        """
        path = self.handbook.resolve(self.path, link).path
        # Only what was read as an attachment: no script, no handler, nothing from elsewhere.
        if path not in self.handbook.attachments or not path.endswith(".svg"):
            return None
        data = (self.handbook.root / path).read_bytes()
        if b'fill="currentColor"' not in data or b"style" in data:
            return None
        try:
            drawing = ElementTree.fromstring(data)  # noqa: S314 - an attachment has no entities
        except ElementTree.ParseError:
            return None
        prefix = f"drawing-{next(self._drawings)}-"
        for element in drawing.iter():
            namespace, _, element.tag = element.tag.rpartition("}")
            if namespace != _SVG or element.tag not in _DRAWN:
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
    def _drawings(self) -> Iterator[int]:
        """Numbers for the drawings of the page, whose ids must differ."""
        return count(1)

    @cached_property
    def listing(self) -> Callable[[str], str | None]:
        """The text of a file that a block of code includes, by its path."""
        return self.handbook.listing


def _with_prefix(name: str, value: str, prefix: str) -> str:
    """An attribute of a drawing with its id, or the ids that it names, behind a prefix."""
    match name:
        case "id":
            return prefix + value
        case "href":
            return value.replace("#", f"#{prefix}", 1) if value.startswith("#") else value
        case "aria-labelledby" | "aria-describedby":
            return " ".join(prefix + id for id in value.split())
        case _:
            return _URL_OF_ID.sub(rf"\1#{prefix}", value)
