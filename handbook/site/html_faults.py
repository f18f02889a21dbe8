"""What a page of the site must not hold: anything that acts on its reader, and elements that do not end."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.reading.addresses import SCHEMES, scheme

UNSAFE_PAGE: Final = ("SAFE009", "unsafe-page")
"""The rule on what only the finished page shows."""
ACTIVE: Final = frozenset(
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
_VOID: Final = frozenset(("area", "br", "col", "hr", "img", "input", "source", "track", "wbr"))
_ADDRESSES: Final = frozenset(("action", "formaction", "href", "src", "xlink:href"))


def find_fault(html: str) -> str | None:
    """Find the first fault of a page's HTML: active content, or an element that is not closed; None for none."""
    root = LexborHTMLParser(f"<body>{html}</body>").root
    active = find_active(root) if root else None
    return f"the page would hold {active}" if active else _Balance.fault_of(html)


def find_active(root: LexborNode) -> str | None:
    """Find the first script, handler, frame or address with a foreign scheme within a node; None for none."""
    for node in root.traverse():
        tag = node.tag or ""
        if not node.is_element_node:
            continue  # a comment
        if tag in ACTIVE:
            return f"<{tag}>"
        for name, value in node.attributes.items():
            if name.startswith("on") or name == "srcdoc":
                return f"<{tag} {name}=…>"
            if name in _ADDRESSES and (found := scheme(value or "")) not in ("", *SCHEMES):
                return f"<{tag} {name}='{found}:…'>"
    return None


class _Balance(HTMLParser):
    """Finds the first tag that closes nothing, or an element that is left open. A browser would repair both."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.fault: str | None = None

    @classmethod
    def fault_of(cls, html: str) -> str | None:
        """The first fault of a piece of HTML."""
        reader = cls()
        reader.feed(html)
        reader.close()
        unclosed = f"<{reader.open[-1]}> is never closed" if reader.open else None
        return reader.fault or unclosed

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element; `/` at the end of its tag means nothing outside of drawings."""
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Pass over an empty element of a drawing."""

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.fault = self.fault or f"</{tag}> closes nothing"
