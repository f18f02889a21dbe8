"""Rewrite the body of an imported or moved record, and nothing more than is necessary.

A function of this module reads a body and yields rewrites. `BodyDraft` applies them in passes, and
keeps each pass, so that a test can undo all of them. Code is never changed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from itertools import accumulate
from typing import Final
from urllib.parse import quote

from handbook.authoring.link_targets import find_targets, urlsplit_safely
from handbook.reading.blocks import Table
from handbook.reading.body import extract_text
from handbook.reading.ids import HeadingIds, anchor
from handbook.reading.parser import MarkdownNode, NodeKind
from handbook.reading.raw_html import COMMENT, ELEMENTS, read_html
from handbook.reading.source import Source, read_source

_TEXT_BLOCKS: Final = frozenset(
    (NodeKind.PARAGRAPH, NodeKind.PLAIN, NodeKind.HEADING, NodeKind.TABLE_CELL)
)
_TAG: Final = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][\w-]*)(?P<rest>[^<>]*)>")
_TOKEN: Final = re.compile(f"{COMMENT.pattern}|{_TAG.pattern}|<[!?][^<>]*>", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_CITATION: Final = re.compile(
    r"(?<![^\W_])(?<![^\W_]_)(?<![./-])ADR[-\s#]{0,2}(?P<number>[0-9]{1,4})"
    r"(?![^\W_]|_\w|-|\.[0-9])",
    re.IGNORECASE,
)
_HEADING_MARK: Final = re.compile(r" {0,3}#(?=[ \t]|$)", re.MULTILINE)
_TITLE_WITHOUT_SPACE: Final = re.compile(r"\s*^#(?=[^#\s])", re.MULTILINE)
_SETEXT_LINE: Final = re.compile(r"=+(?=[ \t]*\Z)")
_DELIMITER: Final = re.compile(r"[ \t]*(\|?)[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_MERMAID: Final = re.compile(r"(?:`{3,}|~{3,})[ \t]*(?P<info>\{? *\.?mermaid(?![\w-])[^\n]*)", re.I)
_EXPLICIT: Final = re.compile(r"\s+\{#(?P<id>[A-Za-z][\w.-]*)\}\s*$")
_MOST_PASSES: Final = 3
"""How often HTML is rewritten, because a rewritten tag can change how others are read."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A change of a text: at the offset `start` of the source, `old` becomes `new`."""

    start: int
    old: str
    new: str
    reason: str

    @property
    def end(self) -> int:
        """The offset after the old text."""
        return self.start + len(self.old)


Pass = tuple[Rewrite, ...]
"""Rewrites that do not overlap, in the order of the text."""


def apply(text: str, rewrites: Iterable[Rewrite]) -> str:
    """Apply rewrites that do not overlap. `start` counts in the text before all changes."""
    parts = []
    position = 0
    for rewrite in rewrites:
        parts += [text[position : rewrite.start], rewrite.new]
        position = rewrite.end
    return "".join([*parts, text[position:]])


def undo(text: str, passes: Iterable[Pass]) -> str:
    """Return the text before these passes. Raises ValueError if the text is another."""
    for rewrites in reversed(tuple(passes)):
        parts = []
        position = shift = 0
        for rewrite in rewrites:
            start = rewrite.start + shift
            if text[start : start + len(rewrite.new)] != rewrite.new:
                raise ValueError(f"not the rewritten text at {start}")
            parts += [text[position:start], rewrite.old]
            position = start + len(rewrite.new)
            shift += len(rewrite.new) - len(rewrite.old)
        text = "".join([*parts, text[position:]])
    return text


def without_overlaps(rewrites: Iterable[Rewrite]) -> Pass:
    """Return the rewrites in the order of the text. Of two that overlap, the first one stays."""
    separate: list[Rewrite] = []
    for rewrite in sorted(rewrites, key=lambda rewrite: rewrite.start):
        if not separate or rewrite.start >= separate[-1].end:
            separate.append(rewrite)
    return tuple(separate)


@dataclass
class BodyDraft:
    """The body of a record while it is imported. `source` is the file with the present text."""

    source: Source
    passes: list[Pass] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The present text."""
        return self.source.body

    @property
    def tree(self) -> MarkdownNode:
        """The parsed present text."""
        return self.source.tree

    def change(self, rewrites: Iterable[Rewrite]) -> bool:
        """Apply a pass of rewrites. Returns whether the text has changed."""
        changes = without_overlaps(rewrite for rewrite in rewrites if rewrite.old != rewrite.new)
        if not changes:
            return False
        head = self.source.text[: self.source.body_offset]
        text = head + apply(self.text, changes)
        self.source = read_source(self.source.path, text.encode())
        self.passes.append(changes)
        return True

    def set_title(self, rewrites: Iterable[Rewrite]) -> None:
        """Apply the rewrites of the title, put it first, and make other titles sections."""
        self.change(rewrites)
        self.change(move_title(self))
        self.change(demote_titles(self))

    def normalise(self) -> None:
        """Rewrite forms that a record cannot have, or that have one right form, but no title."""
        for _ in range(_MOST_PASSES):
            if not self.change(rewrite_html(self.text, self.tree)):
                break
        self.change([*rewrite_diagrams(self.text, self.tree), *rewrite_far_images(self)])
        self.change(separate_tables(self))
        self.change(rewrite_admonitions(self))


def rewrite_title_mark(body: BodyDraft) -> Iterator[Rewrite]:
    """Put a space after the mark of a title such as `#Title`, if the file has no other H1."""
    match = _TITLE_WITHOUT_SPACE.match(body.text)
    if match and body.source.title_heading is None:
        yield Rewrite(match.end(), "", " ", "space after the mark of the title")


def rewrite_tables(body: str, tree: MarkdownNode) -> Iterator[Rewrite]:
    """Give the delimiter row of a table as many cells as its header row has.

    Parsers show such a table as text. It stays if one of its rows has more cells than the header.
    """
    for paragraph in tree.walk():
        if paragraph.kind not in (NodeKind.PARAGRAPH, NodeKind.PLAIN):
            continue
        offset = paragraph.start
        rows = []
        for row in body[paragraph.start : paragraph.end].rstrip("\n").split("\n"):
            rows.append((offset, row))
            offset += len(row) + 1
        if len(rows) < 2 or not all("|" in row for _, row in rows):
            continue
        start, delimiter = rows[1]
        width, cells = _count_cells(rows[0][1]), _count_cells(delimiter)
        match = _DELIMITER.fullmatch(delimiter)
        if match and cells != width and all(_count_cells(row) <= width for _, row in rows[2:]):
            parts = delimiter.strip().strip("|").split("|")
            new = "|".join([*parts[:width], *[" --- "] * (width - len(parts))])
            edge = match[1]
            yield Rewrite(start, delimiter, f"{edge}{new}{edge}", "cells of a delimiter row")


def _count_cells(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row.strip().strip("|"))) + 1


def rewrite_html(body: str, tree: MarkdownNode) -> Iterator[Rewrite]:
    """Turn raw HTML that a record cannot contain into Markdown or visible text.

    `<img>` and `<a href>` become Markdown. Allowed elements lose their attributes. Comments stay.
    """
    faults = {fault.offset for fault in read_html(body, tree).faults}
    for spans in _group_html(tree):
        tokens = [
            token
            for start, end in spans
            for token in _TOKEN.finditer(body, start, end)
            if not COMMENT.fullmatch(token[0])
        ]
        links = dict(_pair_links(body, tokens))
        for token in tokens:
            tag = _TAG.fullmatch(token[0])
            if tag and _is_allowed(tag):
                if token.start() in faults:
                    yield Rewrite(token.start(), "", "\\", "HTML to text")
                continue
            new = links.get(token.start()) or (_translate(tag) if tag else None)
            if new is None:
                yield Rewrite(token.start(), "", "\\", "HTML to text")
            else:
                yield Rewrite(token.start(), token[0], new, "HTML to Markdown")


def _group_html(tree: MarkdownNode) -> Iterator[list[tuple[int, int]]]:
    """Yield the ranges of the HTML in each block."""
    for block in tree.walk():
        if block.kind is NodeKind.HTML_BLOCK:
            yield [(block.start, block.end)]
        elif block.kind in _TEXT_BLOCKS:
            yield [(node.start, node.end) for node in block.walk() if node.kind is NodeKind.HTML]


def _is_allowed(tag: re.Match[str]) -> bool:
    return tag["name"].lower() in ELEMENTS and not tag["rest"].strip(" /\n\t")


def _pair_links(body: str, tokens: Sequence[re.Match[str]]) -> Iterator[tuple[int, str]]:
    """Yield the Markdown of each `<a href>` and its `</a>`, by offset."""
    opening: re.Match[str] | None = None
    for token in tokens:
        tag = _TAG.fullmatch(token[0])
        if tag is None or tag["name"].lower() != "a":
            continue
        if not tag["end"]:
            opening = token
        elif opening:
            target = _read_attributes(opening[0]).get("href")
            text = body[opening.end() : token.start()]
            if target and text.strip() and "\n\n" not in text and _has_pairs(text):
                yield opening.start(), "["
                yield token.start(), f"]({_quote(target)})"
            opening = None


def _has_pairs(text: str) -> bool:
    """Return whether the brackets of a text have partners, so that a link can contain it."""
    depth = 0
    for character in re.sub(r"\\.", "", text):
        depth += {"[": 1, "]": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def _translate(tag: re.Match[str]) -> str | None:
    """Return the Markdown of a single tag, or None if it has none."""
    name = tag["name"].lower()
    if name in ELEMENTS:
        return f"<{tag['end']}{name}>" if name != "br" else "<br>"
    attributes = _read_attributes(tag[0])
    if name == "img" and not tag["end"] and (source := attributes.get("src")):
        alt = re.sub(r"([\\\[\]])", r"\\\1", " ".join((attributes.get("alt") or source).split()))
        title = re.sub(r'([\\"])', r"\\\1", " ".join(attributes.get("title", "").split()))
        written_title = f' "{title}"' if title else ""
        return f"![{alt}]({_quote(source)}{written_title})"
    return None


def _read_attributes(tag: str) -> dict[str, str]:
    return {
        name.lower(): unescape(double or single or bare).strip()
        for name, double, single, bare in _ATTRIBUTE.findall(tag)
    }


def _quote(target: str) -> str:
    return quote(target, safe="/:?#@!$&'*+,;=%~.-_")


def rewrite_diagrams(body: str, tree: MarkdownNode) -> Iterator[Rewrite]:
    """Show the source of Mermaid diagrams as text, because the site cannot draw them."""
    for node in tree.walk():
        if node.kind is NodeKind.FENCE and (match := _MERMAID.match(body, node.start)):
            yield Rewrite(match.start("info"), match["info"], "text", "Mermaid diagram to text")


def separate_tables(body: BodyDraft) -> Iterator[Rewrite]:
    """Put a blank line between a table and the text directly below it."""
    for table in body.source.blocks_of(Table):
        for row in table.spans[1:] if table.parent is None else ():
            start = body.text.rfind("\n", 0, row.start) + 1
            if "|" not in body.text[start : row.end]:
                yield Rewrite(start, "", "\n", "blank line below a table")
                break


def rewrite_admonitions(body: BodyDraft) -> Iterator[Rewrite]:
    """Change the admonitions of Material that can become callouts."""
    source = body.source
    lengths = (len(line) + 1 for line in source.body.split("\n"))
    starts = list(accumulate(lengths, initial=0))
    for construct in source.constructs:
        if construct.callout:
            start = starts[construct.first - source.body_line]
            if source.body.startswith(construct.callout.old, start):
                yield Rewrite(
                    start, construct.callout.old, construct.callout.new, "admonition to callout"
                )


def rewrite_far_images(body: BodyDraft) -> Iterator[Rewrite]:
    """Change images on other hosts to links, because a page requests nothing from other hosts."""
    links = [node for node in body.tree.walk() if node.kind is NodeKind.LINK]
    outer = {id(image): link for link in links for image in link.walk()}
    for node in body.tree.walk():
        if node.kind is not NodeKind.IMAGE or not _is_address(node.text):
            continue
        if link := outer.get(id(node)):  # A link cannot contain a link.
            name = extract_text(node.children) or "image"
            raw = body.text[node.start : node.end]
            address = f" ([image]({_quote(node.text)}))"
            yield Rewrite(node.start, raw, name, "image on another host to link")
            yield Rewrite(link.end, "", address, "image on another host to link")
        elif body.text.startswith("![]", node.start):
            yield Rewrite(node.start, "![", f"[{node.text}", "image on another host to link")
        else:
            yield Rewrite(node.start, "!", "", "image on another host to link")


def _is_address(target: str) -> bool:
    """Return whether the target of a link has a host."""
    return bool(urlsplit_safely(target).netloc)


def move_title(body: BodyDraft) -> Iterator[Rewrite]:
    """Put the title before all other content."""
    title = next(_find_titles(body), None)
    if title and title in body.tree.children and body.text[: title.start].strip():
        heading = body.text[title.start : title.end]
        yield Rewrite(0, "", f"\n{heading.strip()}\n\n", "title before other content")
        yield Rewrite(title.start, heading, "", "title before other content")


def _find_titles(body: BodyDraft) -> Iterator[MarkdownNode]:
    for node in body.tree.walk():
        if node.kind is NodeKind.HEADING and node.number == 1:
            yield node


def demote_titles(body: BodyDraft) -> Iterator[Rewrite]:
    """Make each title after the first a section heading. The lines stay the same."""
    for node in list(_find_titles(body))[1:]:
        heading = body.text[node.start : node.end].rstrip("\n")
        if mark := _HEADING_MARK.match(heading):
            yield Rewrite(node.start + mark.end(), "", "#", "second title to section")
        elif line := _SETEXT_LINE.search(heading):
            new = "-" * len(line[0])
            yield Rewrite(node.start + line.start(), line[0], new, "second title to section")


def rewrite_duplicate_ids(body: BodyDraft) -> Iterator[Rewrite]:
    """Give each heading whose id another heading or item has an id of its own.

    The id is the one that its text gives. It is numbered if that id is taken.
    """
    source = body.source
    line_ids = [heading.id for heading in source.headings]
    item_ids = source.anchors - set(line_ids)
    taken = {id for id in [*line_ids, *item_ids] if id}
    seen = {anchor(id) for id, _ in source.items_with_ids}
    ids = HeadingIds(taken)
    for heading in source.headings:
        if heading.id not in seen and not heading.id.startswith("__"):
            seen.add(heading.id)
            continue
        node = source.node_of(heading)
        raw = source.body[node.start : node.end].rstrip("\n").split("\n")[0]
        new, _ = ids.of(heading.text.lstrip("_"))
        explicit = _EXPLICIT.search(raw)
        text_end = explicit.start() if explicit else len(re.sub(r"[ \t]+#*[ \t]*$", "", raw))
        old = raw[text_end:] if explicit else ""
        if re.fullmatch(r"[A-Za-z][\w.-]*", new):
            yield Rewrite(node.start + text_end, old, f" {{#{new}}}", "duplicate id")
        seen.add(new)


@dataclass(frozen=True, slots=True)
class CitedRecord:
    """A record that a text can cite: the number in its source, and its id."""

    number: int | None
    id: str


def rewrite_citations(
    body: BodyDraft,
    find: Callable[[int], str | None],
    find_linked: Callable[[str], CitedRecord | None],
) -> Iterator[Rewrite]:
    """Change citations such as `ADR 8` in prose to ids.

    `find` returns the id for a number. A number without an id stays. In the text of a link,
    `find_linked` returns the record that the target of the link names. Code, addresses and the text
    of links to addresses stay.
    """
    nodes = list(walk_texts(body.tree, None))
    starts = [node.start for node, _ in nodes]
    labels: dict[int, MarkdownNode] = {}
    for match in _CITATION.finditer(body.text):
        index = bisect_right(starts, match.start()) - 1
        if index < 0 or match.end() > nodes[index][0].end:
            continue
        link = nodes[index][1]
        if link and _is_address(link.text):
            continue
        number = int(match["number"])
        linked = find_linked(link.text) if link else None
        id = linked.id if linked and linked.number == number else find(number)
        if id and match[0] != id:
            yield Rewrite(match.start(), match[0], id, "citation of a decision")
            if link:
                labels[link.start] = link
    for link in labels.values():
        yield from keep_label(body.text, link)


def walk_texts(
    node: MarkdownNode, link: MarkdownNode | None
) -> Iterator[tuple[MarkdownNode, MarkdownNode | None]]:
    """Yield each text with the link around it. Bare addresses are left out."""
    for child in node.children:
        if child.kind is NodeKind.TEXT:
            yield child, link
        elif child.kind in (NodeKind.LINK, NodeKind.IMAGE):
            if not _is_bare_address(child):
                yield from walk_texts(child, child)
        else:
            yield from walk_texts(child, link)


def _is_bare_address(link: MarkdownNode) -> bool:
    """Return whether the text of a link is its address."""
    return len(link.children) == 1 and link.children[0].text in (
        link.text,
        link.text.removeprefix("http://"),
        link.text.removeprefix("mailto:"),
    )


def keep_label(body: str, link: MarkdownNode) -> Iterator[Rewrite]:
    """Keep the label of a reference such as `[ADR 8]`, whose text is rewritten."""
    raw = body[link.start : link.end]
    mark = "![" if raw.startswith("![") else "["
    if raw.endswith("]") and body.startswith("[]", link.end):
        yield Rewrite(link.end + 1, "", raw[len(mark) : -1], "label of a reference")
    elif raw.endswith("][]"):
        yield Rewrite(link.end - 1, "", raw[len(mark) : -3], "label of a reference")
    elif raw.endswith("]") and "][" not in raw:
        yield Rewrite(link.end, "", f"[{raw[len(mark) : -1]}]", "label of a reference")


def rewrite_links(body: BodyDraft, resolve: Callable[[str], str | None]) -> Iterator[Rewrite]:
    """Change the targets of links, images and reference definitions.

    `resolve` takes a target, and returns the new target, or None to leave it.
    """
    for written in find_targets(body.text, body.tree):
        new = resolve(written.target)
        if new is not None and new != written.target:
            yield Rewrite(written.start, written.raw, new, "target of a link")
