"""How Python-Markdown renders what the gate has read: one extension, so that both mean the same.

It gives headings their ids (the one slug function; an explicit id in braces wins), turns links that are paths in the
repository into links between the site's sources, and bare ids into links to their records. Drawings join the page.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import HtmlBlockPreprocessor
from markdown.treeprocessors import Treeprocessor
from pygments.style import Style, StyleMeta

from handbook.handbook import Handbook
from handbook.reading.ids import EXPLICIT_ID, ID, anchor, own_id

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


class RecordMarkdown(Extension):
    """Python-Markdown as the handbook means it. `path` is the file that is being rendered; the caller sets it."""

    def __init__(self, handbook: Handbook) -> None:
        super().__init__()
        self.handbook = handbook
        self.path = ""

    def extendMarkdown(self, md: Markdown) -> None:
        """Register the processors; their priorities place them among Python-Markdown's and MkDocs' own."""
        md.preprocessors.register(_HtmlBlocks(md), "html_block", 20)
        md.inlinePatterns.register(_Mentions(ID.pattern, md, self), "handbook-mentions", 15)
        md.treeprocessors.register(_ExplicitIds(md), "handbook-ids", 8)  # before toc (5)
        md.treeprocessors.register(_Drawings(md, self), "handbook-drawings", 2)
        md.treeprocessors.register(_Links(md, self), "handbook-links", 1)  # before MkDocs' relpath (0)

    def target(self, link: str) -> str:
        """What stands in the page for a link of the file: a path between sources, which MkDocs makes an address."""
        target = self.handbook.resolve(self.path, link)
        if target.invalid:
            return "#"
        if target.external or target.path is None or target.path == self.path:
            return link if target.external or not target.path else f"#{quote(target.fragment)}"
        if not self.handbook.published(target.path):
            return link
        here = posixpath.dirname(self.handbook.source_uri(self.path))
        there = posixpath.relpath(self.handbook.source_uri(target.path), here or ".")
        return quote(there) + (f"#{quote(target.fragment)}" if target.fragment else "")

    def named(self, id: str) -> tuple[str, str] | None:
        """The link and the title of what an id in prose names; None for nothing, and for the page that is rendered."""
        named = self.handbook.named(id)
        if named.record is None or (named.record.path == self.path and not named.fragment):
            return None
        link = quote(posixpath.relpath(named.record.path, posixpath.dirname(self.path) or "."))
        if named.record.path == self.path:
            link = ""
        return link + (f"#{named.fragment}" if named.fragment else ""), named.record.title


class _NoColours(StyleMeta):  # type: ignore[misc]
    """A style of Pygments without a rule for any token."""

    def __iter__(self) -> Iterator[Any]:
        return iter(())


class Uncoloured(Style, metaclass=_NoColours):  # type: ignore[misc]
    """The style of listings, whose tokens have classes and the theme's colours.

    Pygments works out the colours of a style anew for each block of code, which takes as long as to colour it.
    """


class _HtmlBlocks(HtmlBlockPreprocessor):
    """Python-Markdown's own search for HTML, where there may be any: its parser leaves every other text as it is."""

    def run(self, lines: list[str]) -> list[str]:
        return super().run(lines) if any("<" in line or "&" in line for line in lines) else lines


class _Mentions(InlineProcessor):
    """A bare id becomes a link to its record."""

    ANCESTOR_EXCLUDES = ("a", *_HEADINGS)

    def __init__(self, pattern: str, md: Markdown, extension: RecordMarkdown) -> None:
        super().__init__(pattern, md)
        self.extension = extension

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[Element | None, int | None, int | None]:
        named = self.extension.named(m[0])
        if named is None:
            return None, None, None
        link = Element("a", href=named[0], title=named[1])
        link.text = m[0]
        return link, m.start(0), m.end(0)


class _ExplicitIds(Treeprocessor):
    """Ids that are given: `## Title {#id}`, an H3 that begins with an item's id, a list item with an id in bold."""

    def run(self, root: Element) -> None:
        for element in root.iter():
            if element.tag in _HEADINGS:
                last = element[-1] if len(element) else None
                text = (last.tail if last is not None else element.text) or ""
                if match := EXPLICIT_ID.search(text):
                    element.set("id", match[1])
                    if last is not None:
                        last.tail = text[: match.start()]
                    else:
                        element.text = text[: match.start()]
                elif own := own_id(int(element.tag[1]), element.text or ""):
                    element.set("id", own)
            elif element.tag == "li":
                first = element[0] if len(element) else None
                holder, before = (first, element.text) if first is not None and first.tag == "p" else (element, None)
                strong = holder[0] if holder is not None and len(holder) else None
                if strong is None or strong.tag != "strong" or ((before or "") + (holder.text or "")).strip():
                    continue
                if ID.fullmatch(text := "".join(strong.itertext())):
                    element.set("id", anchor(text))


class _Drawings(Treeprocessor):
    """An SVG that draws in currentColor becomes part of the page, so that it has the colours of the palette.

    Any other stays an image, as does one with styles, which the page's policy would refuse.
    """

    def __init__(self, md: Markdown, extension: RecordMarkdown) -> None:
        super().__init__(md)
        self.extension = extension

    def run(self, root: Element) -> None:
        handbook = self.extension.handbook
        for parent in list(root.iter()):
            for place, image in enumerate(list(parent)):
                target = handbook.resolve(self.extension.path, image.get("src", "")) if image.tag == "img" else None
                # Only what the gate has read as an attachment: no script, no handler, nothing from elsewhere.
                if target is None or target.path not in handbook.attachments or not target.path.endswith(".svg"):
                    continue
                data = (handbook.root / target.path).read_bytes()
                if b'fill="currentColor"' not in data or b"style" in data:
                    continue
                try:
                    drawing = ElementTree.fromstring(data)  # noqa: S314 - without entities, which are no attachment
                except ElementTree.ParseError:
                    continue
                for element in drawing.iter():
                    element.tag = element.tag.rpartition("}")[2]
                drawing.set("class", "hb-drawing")
                drawing.set("aria-label", image.get("alt", ""))
                drawing.tail = image.tail
                parent[place] = drawing


class _Links(Treeprocessor):
    """Repository paths become paths between the site's sources."""

    def __init__(self, md: Markdown, extension: RecordMarkdown) -> None:
        super().__init__(md)
        self.extension = extension

    def run(self, root: Element) -> None:
        for element, attribute in _targets(root):
            element.set(attribute, self.extension.target(element.get(attribute, "")))


def _targets(root: Element) -> Iterator[tuple[Element, str]]:
    for element in root.iter():
        for tag, attribute in (("a", "href"), ("img", "src")):
            if element.tag == tag and element.get(attribute):
                yield element, attribute
