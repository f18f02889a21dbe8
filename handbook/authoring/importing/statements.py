"""Find what a record states about itself, such as its status, its dates and its relations.

A statement keeps its line, so that a report can show where each value comes from. Metadata is in
front matter, in lines such as `Status: accepted` above the first section, in a table there, and in
a section such as "Status".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from handbook.reading.blocks import Block, Item, Paragraph, Table
from handbook.reading.nodes import Mapping as YamlMapping
from handbook.reading.nodes import Node, Scalar, Sequence
from handbook.reading.source import Source

_MARKS: Final = re.compile(r"(~~?)(?!~).*?\1|<!--.*?-->|[*_`]", re.DOTALL)
_LABEL: Final = re.compile(
    r"\W*?(?P<label>[^\W\d][^:：|]{1,24}?)\W{0,3}\s*[:：]\s*(?P<value>.*)", re.DOTALL
)
_TASK: Final = re.compile(r"\[(?P<mark>[ xX])\][ \t]+")
_LINK_TEXT: Final = re.compile(r"!?\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])")


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact that a file states: its name, its text without marks, and its line in the file.

    `raw` is the Markdown of the text, with its links. `key` is the key or label that the author
    wrote.
    """

    name: str
    text: str
    raw: str
    line: int
    place: str
    """Where it is: `front matter`, `line`, `table` or `section`."""
    key: str = ""


@dataclass(frozen=True, slots=True)
class DuplicateKey:
    """A key that the front matter has twice, with its lines."""

    key: str
    line: int
    first_line: int


def find_statements(
    source: Source, labels: Mapping[str, str], headings: Mapping[str, Collection[str]]
) -> Iterator[Statement]:
    """Yield the metadata that a file states, in the order of the file.

    `labels` has the name of a fact for each label or key, in lower case. `headings` has the
    headings of the section that states a fact, in lower case.
    """
    yield from _read_front_matter(source, labels)
    first_section = next((heading.first for heading in source.headings if heading.level >= 2), None)
    for block in source.blocks:
        if first_section is not None and block.first >= first_section:
            break
        yield from _read_preamble(block, labels)
    for name, texts in headings.items():
        yield from _read_section(source, name, texts)


def find_labels(source: Source, labels: Mapping[str, str]) -> Iterator[Statement]:
    """Yield the keys of the front matter, and the labels of all lines and tables of the body."""
    yield from _read_front_matter(source, labels)
    for block in source.blocks:
        yield from _read_preamble(block, labels)


def find_duplicate_key(source: Source) -> DuplicateKey | None:
    """Return the first key that the front matter has twice, or None."""
    lines: dict[str, int] = {}
    for entry in source.front_matter.mapping.entries if source.front_matter else ():
        if entry.key in lines:
            return DuplicateKey(entry.key, entry.at.line, lines[entry.key])
        lines[entry.key] = entry.at.line
    return None


def describe_keys(source: Source, used: Collection[str]) -> Iterator[str]:
    """Yield the keys of the front matter that are not in `used`, with their values and lines."""
    for entry in source.front_matter.mapping.entries if source.front_matter else ():
        text = _describe_value(entry.value)
        if entry.key not in used and text:
            yield f"front matter '{entry.key}: {text}' (line {entry.at.line})"


def _describe_value(node: Node) -> str:
    if isinstance(node, Scalar):
        return "" if node.empty else " ".join(node.text.split())
    if isinstance(node, YamlMapping):
        pairs = (f"{entry.key}: {_describe_value(entry.value)}" for entry in node.entries)
        return f"{{{', '.join(pairs)}}}"
    return f"[{', '.join(_describe_value(item) for item in node.items)}]" if node.items else ""


def _read_front_matter(source: Source, labels: Mapping[str, str]) -> Iterator[Statement]:
    if source.front_matter is None:
        return
    for entry in source.front_matter.mapping.entries:
        name = labels.get(entry.key.strip().lower())
        values = entry.value.items if isinstance(entry.value, Sequence) else (entry.value,)
        for value in values:
            if name and isinstance(value, Scalar) and not value.empty:
                text = value.text.strip()
                yield Statement(
                    name, strip_marks(text), text, value.at.line, "front matter", entry.key
                )


def _read_preamble(block: Block, labels: Mapping[str, str]) -> Iterator[Statement]:
    """Yield the labels in the lines of a paragraph or in a table.

    A table has the labels in its header row above one row, or in its first column.
    """
    if isinstance(block, Paragraph):
        for line, raw in enumerate(block.text.split("\n"), block.first):
            match = _LABEL.fullmatch(strip_marks(raw))
            name = labels.get(match["label"].strip().lower()) if match else None
            if match and name and match["value"].strip():
                value = re.split(r"[:：]", raw, maxsplit=1)[-1].strip()
                text = strip_marks(match["value"]).strip()
                yield Statement(name, text, value, line, "line", match["label"].strip())
    elif isinstance(block, Table):
        for label, cell, line in _list_cells(block):
            name = labels.get(strip_marks(label).strip(" :：").lower())
            text = strip_marks(cell).strip()
            if name and text and text.lower() not in labels:
                yield Statement(name, text, cell.strip(), line, "table", label.strip())


def _list_cells(table: Table) -> Iterator[tuple[str, str, int]]:
    """Yield each label of a table with its value and line."""
    if len(table.rows) == 1:
        for label, cell in zip(table.head, table.rows[0], strict=False):
            yield label, cell, table.first + 2
    if len(table.head) == 2:
        for number, (label, cell) in enumerate((table.head, *table.rows)):
            yield label, cell, table.first + number + (number > 0)


def _read_section(source: Source, name: str, headings: Collection[str]) -> Iterator[Statement]:
    """Yield each line of a section, such as "Status", up to the next heading.

    Of a task list, only what is ticked counts.
    """
    first = next(
        (
            index
            for index, heading in enumerate(source.headings)
            if heading.level > 1 and heading.text.strip(" :：").lower() in headings
        ),
        None,
    )
    if first is None:
        return
    heading, *others = source.headings[first : first + 2]
    last = others[0].first - 1 if others else source.last_line
    for block in source.blocks:
        if not heading.last < block.first <= last:
            continue
        if isinstance(block, Paragraph):
            for line, raw in enumerate(block.text.split("\n"), block.first):
                task = _TASK.match(raw) if isinstance(block.parent, Item) else None
                if task and task["mark"] == " ":
                    continue
                raw = raw[task.end() :] if task else raw
                if text := strip_marks(raw).strip():
                    yield Statement(name, text, raw.strip(), line, "section")


def strip_marks(text: str) -> str:
    """Remove emphasis, code marks, comments and struck-out text."""
    return _MARKS.sub("", text)


def strip_links(text: str) -> str:
    """Replace each link by its text."""
    return _LINK_TEXT.sub(r"\1", text)
