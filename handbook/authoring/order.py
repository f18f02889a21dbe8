"""The keys of a front matter in the order of their kind, the one in which `handbook schema KIND` lists them.

No rule asks for it, since no reader is misled by another order: `--fix` brings it, so that a key stands in every record
where it stands in the one a reader knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise

from handbook.diagnostics import Edit
from handbook.reading import nodes
from handbook.reading.fields import fields_of
from handbook.reading.source import FrontMatter, Source
from handbook.records import Document


def in_order(
    documents: Iterable[tuple[type[Document], Source]], wanted: Callable[[str], bool]
) -> Iterator[Edit]:
    """The edits that put the keys of documents in the order of their class, for those whose path is `wanted`.

    The lines of a key, those of its value and the comments above it move together, and no byte of them changes. A key
    that is not of the kind stays below the one it follows. Left alone is what cannot be moved line by line.
    """
    for cls, source in documents:
        if source.front_matter and wanted(source.path):
            ranks = {row.key: rank for rank, row in enumerate(fields_of(cls))}
            edit = _reordered(source, source.front_matter, ranks)
            if edit and edit.old != edit.new:
                yield edit


def _reordered(source: Source, front_matter: FrontMatter, ranks: Mapping[str, int]) -> Edit | None:
    entries, end = front_matter.mapping.entries, front_matter.end.line
    starts = [_first_line(source, entry.at.line) for entry in entries]
    pieces = [
        "".join(f"{source.line(line)}\n" for line in range(*ends))
        for ends in pairwise([*starts, end])
    ]
    placed: list[int] = []
    for entry in entries:
        placed.append(ranks.get(entry.key, placed[-1] if placed else -1))
    old = "".join(pieces)
    new = "".join(pieces[index] for index in sorted(range(len(pieces)), key=placed.__getitem__))
    return (
        Edit(source.at(starts[0]), old, new)
        if pieces and all(pieces) and _values(old) == _values(new)
        else None
    )


def _first_line(source: Source, line: int) -> int:
    """The line on which the comments above a key begin; that of the key where there are none."""
    first = line
    while line > 2 and (not source.line(line - 1).strip() or source.line(line - 1).startswith("#")):
        line -= 1
        first = line if source.line(line).startswith("#") else first
    return first


def _values(yaml: str) -> list[tuple[str, list[str]]] | None:
    """Each key of a text with the texts below it, whatever their order; None where it cannot be read."""
    try:
        node = nodes.parse(yaml, "")
    except nodes.YamlError:
        return None
    entries = node.entries if isinstance(node, nodes.Mapping) else ()
    return sorted(
        (entry.key, [value.text for value in nodes.scalars(entry.value)]) for entry in entries
    )
