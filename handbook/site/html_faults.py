"""Find faults in the HTML of a page: active content, and unclosed elements."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.reading.addresses import SCHEMES, read_scheme

UNSAFE_PAGE: Final = ("SAFE009", "unsafe-page")
"""Code and name of the rule on active content, such as scripts, in the HTML of finished pages."""
ACTIVE_TAGS: Final = frozenset(
    (
        "animate",
        "animatemotion",
        "animatetransform",
        "applet",
        "base",
        "embed",
        "foreignobject",
        "frame",
        "frameset",
        "handler",
        "iframe",
        "link",
        "math",
        "meta",
        "noscript",
        "object",
        "plaintext",
        "portal",
        "script",
        "set",
        "style",
        "template",
    )
)
_PLAIN_TAG: Final = re.compile(
    r'<(/?)([a-z][a-z0-9]*+)(?: [A-Za-z:-]++(?:="[^"<>]*+")?+)*+ ?+(/?)>'
)
"""A tag in lower case, whose attributes have double quotes without `<` or `>` in them."""
_VOID_TAGS: Final = frozenset(("area", "br", "col", "hr", "img", "input", "source", "track", "wbr"))
_ADDRESS_ATTRIBUTES: Final = frozenset(("action", "formaction", "href", "src", "xlink:href"))


def find_fault(html: str) -> str | None:
    """Return the message of the first fault in the HTML of a page, or None if it has no fault."""
    return find_active_content(html) or (
        None if _is_nested(html) else _NestingParser.find_fault(html)
    )


def find_active_content(html: str) -> str | None:
    """Return the message of the first active content in HTML, or None if it has none."""
    root = LexborHTMLParser(f"<body>{html}</body>").root
    active = find_active(root) if root else None
    return f"active content {active}" if active else None


def find_active(root: LexborNode) -> str | None:
    """Return the first active content in an element: a script, a handler or a frame.

    An address with an unknown scheme is also active content. Returns None if there is no active
    content.
    """
    for node in root.traverse():
        tag = node.tag or ""
        if not node.is_element_node:
            continue  # a comment
        if tag in ACTIVE_TAGS:
            return f"<{tag}>"
        for name, value in node.attributes.items():
            if name.startswith("on") or name == "srcdoc":
                return f"<{tag} {name}=…>"
            scheme = read_scheme(value or "") if name in _ADDRESS_ATTRIBUTES else ""
            if scheme not in ("", *SCHEMES):
                return f"<{tag} {name}='{scheme}:…'>"
    return None


def _is_nested(html: str) -> bool:
    """Tell whether HTML has only plain tags, and whether each start tag has its end tag.

    Any other HTML needs the parser, which takes five times as long.
    """
    tags = _PLAIN_TAG.findall(html)
    if len(tags) != html.count("<"):
        return False
    open_tags: list[str] = []
    for is_end, tag, is_closed in tags:
        if is_end:
            if not open_tags or open_tags.pop() != tag:
                return False
        elif not is_closed and tag not in _VOID_TAGS:
            open_tags.append(tag)
    return not open_tags


class _NestingParser(HTMLParser):
    """Parser that finds the first end tag without a start tag, or the first unclosed element.

    A browser shows such HTML without an error, so only a parser can find these faults.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open_tags: list[str] = []
        self.fault: str | None = None

    @classmethod
    def find_fault(cls, html: str) -> str | None:
        """Return the message of the first unmatched tag in HTML, or None if all tags match."""
        reader = cls()
        reader.feed(html)
        reader.close()
        if reader.fault is None and reader.open_tags:
            return f"unclosed element <{reader.open_tags[-1]}>"
        return reader.fault

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element as open."""
        if tag not in _VOID_TAGS:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Ignore a tag that ends with `/>`, because in SVG it needs no end tag."""

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost open element, or remember a fault if its tag is another one."""
        if self.open_tags and self.open_tags[-1] == tag:
            self.open_tags.pop()
        elif tag in self.open_tags:
            self.fault = self.fault or f"unclosed element <{self.open_tags[-1]}>"
        else:
            self.fault = self.fault or f"unmatched end tag </{tag}>"
