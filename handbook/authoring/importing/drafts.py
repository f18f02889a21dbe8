"""Records while they are imported: what all kinds have in common."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from handbook.authoring.importing.sources import ImportedFile, Skipped, make_unreadable
from handbook.authoring.importing.statements import find_duplicate_key
from handbook.authoring.importing.titles import Title, read_title
from handbook.authoring.rewriting import (
    BodyDraft,
    Rewrite,
    demote_titles,
    rewrite_duplicate_ids,
    rewrite_tables,
    rewrite_title_mark,
)
from handbook.reading.parser import NodeKind
from handbook.reading.source import Source, read_source

_NO_PREFIX: Final = re.compile("")
_SEPARATORS: Final = re.compile(r"[\W_]+")
_HUGO_LINK: Final = re.compile(
    r"\]\((?P<target>\{\{[<%]\s*(?:rel)?ref\s+\\?[\"'](?P<path>[^\s\"'{}\\]+)\\?[\"']\s*[%>]\}\})\)"
)


@dataclass
class RecordDraft:
    """A record while it is imported. `original` is its source, `body` the present text.

    `path` is the path of the record. `left_out` describes files that are not copied.
    """

    file: ImportedFile
    original: Source
    body: BodyDraft
    title: Title
    conflicts: list[str] = field(default_factory=list)
    path: str = ""
    left_out: list[str] = field(default_factory=list)


def read_body(file: ImportedFile) -> tuple[Source, BodyDraft] | Skipped:
    """Return a file as it is, and its body with one title at most and tables that can be read.

    A file that cannot be read is skipped with an error.
    """
    original = read_source(file.path, file.data)
    if original.problem:
        return make_unreadable(file.path, original.problem)
    if duplicate := find_duplicate_key(original):
        return make_unreadable(
            file.path,
            f"line {duplicate.line}: duplicate key '{duplicate.key}' "
            f"(first on line {duplicate.first_line})",
        )
    body = BodyDraft(original)
    body.change([*rewrite_title_mark(body), *rewrite_tables(body.text, body.tree)])
    if body.source.title_heading and body.source.title_heading.parent is None:
        body.change(demote_titles(body))
    return original, body


def read_draft(file: ImportedFile, fallback: str) -> RecordDraft | Skipped:
    """Read the body and the title of a file. A file that cannot be read is skipped with an error.

    `fallback` is the title of a file that states none.
    """
    read = read_body(file)
    if isinstance(read, Skipped):
        return read
    original, body = read
    title = read_title(body.source, _NO_PREFIX, fallback)
    conflicts = [] if is_title_stated_alike(original, title) else title.conflicts
    return RecordDraft(file, original, body, title, [*file.conflicts, *conflicts])


def is_title_stated_alike(source: Source, title: Title) -> bool:
    """Return whether `title` of the front matter has the same letters as the title."""
    node = source.front_matter.mapping.find("title") if source.front_matter else None
    return fold(getattr(node, "text", "")) == fold(title.text)


def fold(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return _SEPARATORS.sub("", text).casefold()


def rewrite_body(body: BodyDraft, title: Title) -> None:
    """Rewrite the title of a body, and all that a record cannot contain, except links."""
    body.set_title(title.rewrites)
    body.change(rewrite_hugo_links(body))
    body.normalise()
    body.change(rewrite_duplicate_ids(body))


def rewrite_hugo_links(body: BodyDraft) -> Iterator[Rewrite]:
    """Change the targets that are references of Hugo, such as `{{< ref "./page.md" >}}`."""
    code = [
        (node.start, node.end)
        for node in body.tree.walk()
        if node.kind in (NodeKind.CODE, NodeKind.FENCE, NodeKind.INDENTED_CODE)
    ]
    for match in _HUGO_LINK.finditer(body.text):
        start = match.start("target")
        if not any(first <= start < end for first, end in code):
            yield Rewrite(start, match["target"], match["path"], "reference of Hugo to link")


def choose_path(stem: str, taken: Collection[str]) -> str:
    """Return the path of a record, with a number if another record has the path."""
    return next(
        path
        for number in count(1)
        if (path := f"{stem}{'' if number == 1 else f'-{number}'}.md") not in taken
    )
