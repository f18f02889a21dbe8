"""The outline of a page, read twice: from the gate's tokens, and from the finished HTML.

The gate reads CommonMark, the site renders Python-Markdown. Where the two outlines are the same, what was checked is
what is shown: headings with their ids and texts, lists with their depth and number of items, tables with their size,
blocks of code with their text, in order. And the page holds nothing active, by whatever way it came there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.reading.addresses import SCHEMES, scheme
from handbook.reading.blocks import SNIPPET, Block, Code, Heading, Item, List, Table
from handbook.reading.source import Source

_LISTING = "the text of a file"

_OF_MARKDOWN: Final = frozenset((
    "a", "article", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "img", "kbd", "li", "ol", "p", "pre", "span", "strong", "sub", "sup", "table", "tbody", "td", "th",
    "thead", "tr", "ul", "svg", "circle", "clippath", "defs", "desc", "ellipse", "g", "line", "lineargradient",
    "marker", "mask", "path", "pattern", "polygon", "polyline", "radialgradient", "rect", "stop", "switch",
    "symbol", "text", "textpath", "title", "tspan", "use",
))  # fmt: skip
"""What Markdown makes of a record, and what a drawing consists of."""

_ACTIVE: Final = frozenset((
    "animate", "animatemotion", "animatetransform", "applet", "base", "embed", "foreignobject", "frame", "frameset",
    "handler", "iframe", "link", "math", "meta", "noscript", "object", "portal", "script", "set", "style",
    "template",
))  # fmt: skip
_AROUND: Final = ("html", "head", "body")
_ADDRESSES: Final = frozenset(("action", "formaction", "href", "src", "xlink:href"))


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an outline: what it is, and, where it is known, the line of the file that it stands on."""

    what: tuple[str, ...]
    line: int = 0

    def __str__(self) -> str:
        return " ".join(self.what)


def expected(source: Source) -> tuple[Part, ...]:
    """The outline that the gate has read."""
    items = Counter(id(item.parent) for item in source.every(Item))
    return tuple(Part(what, block.first) for block in source.blocks if (what := _of_block(block, items[id(block)])))


def _of_block(block: Block, items: int) -> tuple[str, ...] | None:
    match block:
        case Heading():
            return (f"heading {block.level}", f"#{block.id}", _squeeze(block.text))
        case List():
            return (f"{'numbered' if block.ordered else 'bulleted'} list of {items}", f"at depth {_depth(block)}")
        case Table():
            return (f"table of {len(block.head)} columns and {len(block.rows)} rows",)
        case Code():
            return ("code", _LISTING if SNIPPET.search(block.text) else _squeeze(block.text))
        case _:
            return None


def _depth(block: Block) -> int:
    depth, parent = 0, block.parent
    while parent:
        depth, parent = depth + isinstance(parent, List), parent.parent
    return depth


def _squeeze(text: str) -> str:
    """Text without white space, which a renderer may fold, expand or trim."""
    return "".join(text.split())


def parsed(html: str) -> LexborHTMLParser:
    """The HTML that Python-Markdown has made of a body, as a browser reads it; for `active` and `difference` below."""
    return LexborHTMLParser(f"<body>{html}</body>")


def shown(page: LexborHTMLParser) -> tuple[Part, ...]:
    """The outline of a page, whose links from headings to themselves it takes away."""
    return tuple(_of_node(page.body, 0)) if page.body else ()


def _of_node(node: LexborNode, depth: int) -> Iterator[Part]:
    child = node.child
    while child is not None:
        tag = child.tag or ""
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            for anchor in child.css("a.headerlink"):
                anchor.decompose()
            yield Part((f"heading {tag[1]}", f"#{child.attributes.get('id') or ''}", _squeeze(child.text())))
        elif tag in ("ul", "ol"):
            items = sum(item.tag == "li" for item in child.iter())
            yield Part((f"{'numbered' if tag == 'ol' else 'bulleted'} list of {items}", f"at depth {depth}"))
            yield from _of_node(child, depth + 1)
        elif tag == "table":
            columns, rows = len(child.css("thead th")), len(child.css("tbody tr"))
            yield Part((f"table of {columns} columns and {rows} rows",))
        elif tag == "pre":
            yield Part(("code", _squeeze(child.text())))
        else:
            yield from _of_node(child, depth)
        child = child.next


def active(page: LexborHTMLParser, *, record: bool) -> str | None:
    """The first thing of a page that could act on its reader, or that Markdown does not make of a record; or None.

    Scripts, handlers, styles, frames, and links to schemes such as `javascript:`.
    """
    for node in page.root.traverse() if page.root else ():
        tag = node.tag or ""
        if not node.is_element_node:
            continue  # a comment
        if tag in _ACTIVE or (record and tag not in _OF_MARKDOWN and tag not in _AROUND):
            return f"<{tag}>"
        for name, value in node.attributes.items():
            if name.startswith("on") or name in ("srcdoc", "style"):
                return f"<{tag} {name}=…>"
            if name in _ADDRESSES and (found := scheme(value or "")) not in ("", *SCHEMES):
                return f"<{tag} {name}='{found}:…'>"
    return None


def difference(source: Source, page: LexborHTMLParser) -> tuple[int, str] | None:
    """The first place at which the two outlines differ: the line of the file, and what stands on each side."""
    gate, site = expected(source), shown(page)
    line = source.body_line
    for index in range(max(len(gate), len(site))):
        ours = gate[index] if index < len(gate) else None
        theirs = site[index] if index < len(site) else None
        line = ours.line if ours else line
        if ours and theirs and ours.what == ("code", _LISTING) and theirs.what[0] == "code":
            continue  # the text is that of the file, which is there (LNK006)
        if ours is None or theirs is None or ours.what != theirs.what:
            return line, f"{_short(ours)} in the file is {_short(theirs)} on the page"
    return None


def _short(part: Part | None) -> str:
    text = str(part) if part else "nothing"
    return text if len(text) <= 80 else f"{text[:79]}…"
