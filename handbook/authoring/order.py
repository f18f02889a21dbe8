"""Sort the keys of front matter in the order of `handbook schema KIND`.

Only `--fix` sorts keys, so that readers find each key at the same position in every record. No rule
reports unsorted keys, because they do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise

from handbook.diagnostics import Edit
from handbook.reading import nodes
from handbook.reading.fields import fields_of
from handbook.reading.source import FrontMatter, Source
from handbook.records import Document


def reorder_keys(
    documents: Iterable[tuple[type[Document], Source]], is_selected: Callable[[str], bool]
) -> Iterator[Edit]:
    """Yield the edits that sort the keys of documents.

    `is_selected` takes the path of a document and tells whether to sort its keys. A key moves
    together with its value and the comments above it, which do not change. An unknown key stays
    below the key before it. Front matter is skipped if its lines cannot be moved without changing a
    value.
    """
    for cls, source in documents:
        if source.front_matter and is_selected(source.path):
            ranks = {row.key: rank for rank, row in enumerate(fields_of(cls))}
            edit = _reorder(source, source.front_matter, ranks)
            if edit and edit.old != edit.new:
                yield edit


def _reorder(source: Source, front_matter: FrontMatter, ranks: Mapping[str, int]) -> Edit | None:
    entries, end = front_matter.mapping.entries, front_matter.end.line
    starts = [find_first_line(source, entry.at.line) for entry in entries]
    blocks = [
        "".join(f"{source.line(line)}\n" for line in range(*ends))
        for ends in pairwise([*starts, end])
    ]
    entry_ranks: list[int] = []
    for entry in entries:
        entry_ranks.append(ranks.get(entry.key, entry_ranks[-1] if entry_ranks else -1))
    old = "".join(blocks)
    new = "".join(
        blocks[index] for index in sorted(range(len(blocks)), key=entry_ranks.__getitem__)
    )
    return (
        Edit(source.at(starts[0]), old, new)
        if blocks and all(blocks) and _read_values(old) == _read_values(new)
        else None
    )


def find_first_line(source: Source, line: int) -> int:
    """Return the first line of the comments above a key, or the line of the key without comments.

    `line` is the line of the key.
    """
    first = line
    while line > 2 and (not source.line(line - 1).strip() or source.line(line - 1).startswith("#")):
        line -= 1
        first = line if source.line(line).startswith("#") else first
    return first


def _read_values(yaml: str) -> list[tuple[str, list[str]]] | None:
    """Return the keys of YAML text in sorted order, each with its values, or None if invalid."""
    try:
        node = nodes.parse(yaml, "")
    except nodes.YamlError:
        return None
    entries = node.entries if isinstance(node, nodes.Mapping) else ()
    return sorted(
        (entry.key, [value.text for value in nodes.walk_scalars(entry.value)]) for entry in entries
    )
