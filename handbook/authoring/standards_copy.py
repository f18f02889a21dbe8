"""Copy the standards of this project into a new handbook.

The wheel has the pages, their drawings, the files of their listings and `mkdocs.yml`, with the
paths of the repository (`hatch_build.py`). An editable install reads the repository itself.

A copy has its listings in the page. It names no record that the new handbook lacks.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import yaml

from handbook import __version__
from handbook.authoring.rewriting import Rewrite, apply, without_overlaps
from handbook.handbook import read_listing_file
from handbook.provided_pages import PROVIDED_PATHS
from handbook.reading.body import extract_text
from handbook.reading.ids import ID
from handbook.reading.parser import MarkdownNode, NodeKind
from handbook.reading.render import include_listings
from handbook.reading.source import Source, read_source
from handbook.records.kinds import RECORDS
from handbook.records.standard import CHANGES, Standard

_PACKED: Final = Path(__file__).parent / "starter" / "standards"
_REPOSITORY: Final = Path(__file__).parents[2]
NOTE: Final = """\
> [!NOTE]
> The examples show an invented service, *order-service*, with the services, teams and repositories
> around it. They are not part of this handbook.
"""
_TEXT_BLOCKS: Final = frozenset(
    (NodeKind.PARAGRAPH, NodeKind.PLAIN, NodeKind.HEADING, NodeKind.TABLE_CELL)
)
_OPAQUE: Final = frozenset((NodeKind.CODE, NodeKind.LINK, NodeKind.IMAGE))
_SENTENCE_END: Final = re.compile(r"[.!?][)\"”’*_]*(?=\s+[^\s])")
_WRONG_SHELL: Final = re.compile(r"^([`~]+)(?:bash|sh|shell)(\n[ \t]*-+8<-+ \"bad/)")
"""A listing of shell code that is wrong on purpose. In the page itself, shellcheck reports it."""
_REASON: Final = "copy of a standard"


@dataclass(frozen=True)
class StandardsCopy:
    """The files of the copied standards, and the settings that they need."""

    files: Mapping[str, bytes]
    pages: tuple[str, ...]
    """The paths of the standards, below docs/."""
    organisation: str
    """Lines below `extra.handbook`: the groups of the checklist, and the tags."""
    policy: str
    """The lines of `extra.policy`."""


def copy_standards(owner: str, url: str, today: date) -> StandardsCopy:
    """Return a copy of the standards for the handbook at the address `url`.

    The team `owner` maintains the copies.
    """
    root = _PACKED if _PACKED.is_dir() else _REPOSITORY
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    pages = sorted((root / Standard.folder).glob("[0-9][0-9]-*.md"))
    attachments = [file for page in pages for file in sorted(page.with_suffix("").rglob("*"))]
    contents = {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in (*pages, *attachments)
        if file.is_file()
    }
    copier = _Copier(root, settings, frozenset(contents), owner, url, today)
    tags: set[str] = set()
    for path in (page.relative_to(root).as_posix() for page in pages):
        source = read_source(path, contents[path])
        tags |= set(next(yaml.safe_load_all(source.text[: source.body_offset])).get("tags", ()))
        contents[path] = copier.copy(source).encode()
    tag_lines = f"\n    tags: [{', '.join(sorted(tags))}]" if tags else ""
    return StandardsCopy(
        files=contents,
        pages=tuple(page.relative_to(root / "docs").as_posix() for page in pages),
        organisation=_extract_block(settings, "    groups:") + tag_lines,
        policy=_extract_block(settings, "  policy:"),
    )


def _extract_block(settings: str, key: str) -> str:
    """Return the line of a key, and the lines below it with a deeper indent, with comments."""
    indent = " " * (len(key) - len(key.lstrip()) + 1)
    match = re.search(rf"^{re.escape(key)}\n(?:{indent}.*\n|\n)*", settings, re.MULTILINE)
    if match is None:
        raise ValueError(f"mkdocs.yml has no key {key.strip()}")
    return match[0].rstrip("\n")


class _Copier:
    """Copies the text of one standard after the other."""

    def __init__(
        self,
        root: Path,
        settings: str,
        copied_paths: Collection[str],
        owner: str,
        url: str,
        today: date,
    ) -> None:
        values = yaml.safe_load(settings)
        teams = "|".join(map(re.escape, values["extra"]["handbook"]["teams"]))
        self.teams = re.compile(rf"(?<![\w#@/-])(?:{teams})(?![\w-])")
        self.site_url: str = values["site_url"]
        self.example_paths = (self.site_url, *(f"{kind.folder}/" for kind in RECORDS))
        self.read_listing = partial(read_listing_file, root)
        self.paths = {*copied_paths, *PROVIDED_PATHS}
        self.owner, self.url, self.today = owner, f"{url.rstrip('/')}/", today

    def copy(self, source: Source) -> str:
        """Return the copied text of a standard."""
        head = self.teams.sub(self.owner, source.text[: source.body_offset])
        rewrites = (
            *self._replace_changes(source.body, source.tree),
            *self._rewrite_blocks(source.path, source.body, source.tree),
        )
        body = apply(source.body, without_overlaps(rewrites))
        return (head + body).replace(self.site_url, self.url)

    def _replace_changes(self, body: str, tree: MarkdownNode) -> Iterator[Rewrite]:
        """Add the note on the examples, and say in the last section where the text is from."""
        changes = len(body)
        for block in tree.children:
            if block.kind is NodeKind.HEADING:
                if block.number == 1:
                    yield Rewrite(block.end, "", f"\n{NOTE}", _REASON)
                if extract_text(block.children) == CHANGES:
                    changes = block.start
        text = (
            f"\n## {CHANGES}\n\n"
            f"- {self.today}: `handbook init` copied this standard from the package `handbook` "
            f"{__version__}.\n"
            "    Your teams have not reviewed it yet. Until then, `reviewed` is the date of its\n"
            "    last review there.\n"
        )
        yield Rewrite(changes, body[changes:], text.lstrip() if body[changes:] else text, _REASON)

    def _rewrite_blocks(self, path: str, body: str, parent: MarkdownNode) -> Iterator[Rewrite]:
        for node in parent.children:
            if node.kind is NodeKind.FENCE:
                code = body[node.start : node.end]
                fence = _WRONG_SHELL.sub(r"\1text\2", code)
                new = include_listings(fence, self.read_listing)
                yield Rewrite(node.start, code, new, _REASON)
            elif node.kind in _TEXT_BLOCKS:
                yield from self._rewrite_text(path, body, node, parent)
            else:
                yield from self._rewrite_blocks(path, body, node)

    def _rewrite_text(
        self, path: str, body: str, block: MarkdownNode, parent: MarkdownNode
    ) -> Iterator[Rewrite]:
        """Remove the sentences about missing records, and name the new owner.

        In a title, and of a link to another missing page, only the link goes and its text stays.
        """
        is_title = NodeKind.HEADING is block.kind or NodeKind.TABLE_HEAD is parent.kind
        offsets = []
        for node in block.walk():
            text = body[node.start : node.end]
            if node.kind in (NodeKind.LINK, NodeKind.IMAGE):
                missing = self._find_missing_path(path, node.text)
                if missing and not is_title and missing.startswith(self.example_paths):
                    offsets.append(node.start)
                elif missing:
                    label = body[node.children[0].start : node.children[-1].end]
                    yield Rewrite(node.start, text, label, _REASON)
            elif node.kind is NodeKind.TEXT:
                ids = (match for match in ID.finditer(text) if _is_id_of_missing_record(match[0]))
                offsets += [node.start + match.start() for match in ids]
            if node.kind in (NodeKind.TEXT, NodeKind.CODE):
                for match in self.teams.finditer(text):
                    yield Rewrite(node.start + match.start(), match[0], self.owner, _REASON)
        if offsets:
            yield _remove_sentences(body, block, parent, offsets)

    def _find_missing_path(self, path: str, target: str) -> str | None:
        """Return the path that a link names if the new handbook lacks it, or else None."""
        if target.startswith(self.site_url):
            return target
        parts = urlsplit(target)
        if parts.scheme or parts.netloc or not parts.path:
            return None
        linked = posixpath.normpath(posixpath.join(posixpath.dirname(path), parts.path))
        return None if linked in self.paths else linked


def _is_id_of_missing_record(id: str) -> bool:
    """Return whether an id names a record, such as a decision, that is not a standard."""
    kinds = (kind for kind in RECORDS if kind is not Standard)
    return any(kind.mention and kind.mention.fullmatch(id) for kind in kinds)


def _remove_sentences(
    body: str, block: MarkdownNode, parent: MarkdownNode, offsets: Collection[int]
) -> Rewrite:
    """Remove the sentences at these offsets. Without any other sentence, remove the block.

    With the only sentence of a table cell, the row goes. With the first block of a list item, the
    item goes.
    """
    sentences = list(_split_sentences(body, block))
    kept = [
        body[start:end]
        for start, end in sentences
        if not any(start <= offset < end for offset in offsets)
    ]
    text = body[block.start : block.end]
    if kept:
        new = "".join(kept).lstrip("\n >").rstrip() + text[len(text.rstrip()) :]
        return Rewrite(block.start, text, new, _REASON)
    is_whole = (
        parent.kind is NodeKind.TABLE_ROW
        or (parent.kind is NodeKind.ITEM and parent.children[0] is block)
        or (parent.kind is NodeKind.QUOTE and len(parent.children) == 1)
    )
    node = parent if is_whole else block
    start = body.rfind("\n", 0, node.start) + 1
    end = node.start + len(body[node.start : node.end].rstrip()) + 1
    if node.kind in (NodeKind.PARAGRAPH, NodeKind.QUOTE) and body.startswith("\n", end):
        end += 1
    return Rewrite(start, body[start:end], "", _REASON)


def _split_sentences(body: str, block: MarkdownNode) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each sentence, with the space before it.

    A full stop in code or in a link ends no sentence.
    """
    masked = list(body[block.start : block.end])
    for node in block.walk():
        if node.kind in _OPAQUE:
            first, last = node.start - block.start, node.end - block.start
            masked[first:last] = "x" * (last - first)
    start = 0
    for match in _SENTENCE_END.finditer("".join(masked)):
        yield block.start + start, block.start + match.end()
        start = match.end()
    yield block.start + start, block.end
