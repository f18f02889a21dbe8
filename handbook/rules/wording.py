"""Compare texts with the base, to find rewritten decisions and reused ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from handbook.diagnostics import Finding
from handbook.handbook import Handbook, Target
from handbook.reading.blocks import Block, Code, Heading, Html, List, Paragraph, Table
from handbook.reading.ids import ID
from handbook.reading.source import Source
from handbook.records.adr import NOTES, Adr

_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_TARGET: Final = re.compile(
    r"(?<=\]\()(?:<[^<>\n]*>|[^\s()<>]*(?:\([^\s()]*\)[^\s()]*)*)"  # the target in [text](target)
    r"|(?<=<)https?://[^\s<>]*(?=>)"
)
_NOTE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
_SMALL: Final = """
all and any are been both but can could did does each every for from had has have how into its least
may more most must not one only other our out shall should some such than that the their them then
there these they this those under until was were what when where which while who whose will with
without would you your
"""
_SMALL_WORDS: Final = frozenset(_SMALL.split())


def is_unrelated(old_text: str, new_text: str) -> bool:
    """Return whether two texts have no significant word in common.

    Only the first four letters of each word are compared, so `log` and `logs` match. In a script
    without upper case, such as Chinese, each letter is compared as a word. A text without any
    significant word is never unrelated.
    """
    old_words, new_words = _significant_words(old_text), _significant_words(new_text)
    return bool(old_words and new_words) and not old_words & new_words


def _significant_words(text: str) -> set[str]:
    words = {
        word[:4] for word in re.findall(r"\w{3,}", text.casefold()) if word not in _SMALL_WORDS
    }
    return words | {
        letter for letter in text if letter.isalpha() and letter.lower() == letter.upper()
    }


@dataclass(frozen=True, slots=True)
class _ComparedBlock:
    """A block, with its text for the comparison.

    The text contains no link targets. `ids` are the ids of records that the text names.
    """

    block: Block
    type_name: str
    depth: int
    text: str
    ids: tuple[str, ...]

    def is_same_as(self, other_block: _ComparedBlock) -> bool:
        """Return whether both blocks have the same type, depth and text."""
        return (self.type_name, self.depth, self.text) == (
            other_block.type_name,
            other_block.depth,
            other_block.text,
        )


def find_rewrites(
    old: Adr, new: Adr, base_handbook: Handbook, handbook: Handbook
) -> Iterator[Finding]:
    """Report the changes to the text of a decision: blocks, then links, then notes."""
    hint = (
        "restore the original; then write a new decision, or add a list item that begins with a "
        "date to a section '## Notes' at the end"
    )
    old_name = f"{old.id}, although its status is '{old.status}'"
    old_body, old_notes = _split_notes(_compared_blocks(old.source))
    new_body, new_notes = _split_notes(_compared_blocks(new.source))
    for old_block, new_block in zip_longest(old_body, new_body):
        if new_block is None:
            yield Finding(
                new.source.at(new.source.last_line),
                f"text removed from the end of {old_name}",
                hint,
            )
        elif old_block is None or not old_block.is_same_as(new_block):
            yield Finding(
                new.source.at(_first_changed_line(old_block, new_block)),
                f"changed text in {old_name}",
                hint,
            )
        else:
            for old_id, new_id in zip(old_block.ids, new_block.ids, strict=True):
                target = handbook.resolve_id(old_id)
                if old_id != new_id and (target.record or not target.kind):
                    yield Finding(
                        new.source.at(new_block.block.first),
                        f"id '{old_id}' changed to '{new_id}' in {old_name}",
                        hint,
                    )
    for old_link, new_link in zip(
        base_handbook.links_of(old), handbook.links_of(new), strict=False
    ):
        old_target = handbook.resolve(old.path, old_link.link.target)
        is_changed = old_link.link.target != new_link.link.target and old_target != new_link.target
        if is_changed and not old_link.target.is_external and _exists(old_target, handbook):
            yield Finding(
                new_link.link.at,
                f"link '{old_link.link.target}' changed in {old_name}",
                hint,
            )
    for old_block, new_block in zip_longest(old_notes, new_notes):
        if old_block and (new_block is None or not old_block.is_same_as(new_block)):
            line = new_block.block.first if new_block else new.source.last_line
            yield Finding(
                new.source.at(line),
                f"{'changed' if new_block else 'removed'} note in section '{NOTES}' of {old.id}",
                "restore the note, and add a new note below it",
            )
        elif new_block and not old_block and not _is_note(new_block):
            yield Finding(
                new.source.at(new_block.block.first),
                "note that is not a list item with a date at its start",
                "write it as '- 2026-11-23: the new insight'",
            )


def _exists(target: Target, handbook: Handbook) -> bool:
    """Return whether the current handbook publishes the target of a link."""
    document = handbook.documents.get(target.path or "")
    if document is None or not target.fragment:
        return bool(target.path) and handbook.is_published(str(target.path))
    return target.fragment in document.source.anchors


def _split_notes(
    blocks: list[_ComparedBlock],
) -> tuple[list[_ComparedBlock], list[_ComparedBlock]]:
    """Split the blocks of a decision into its text, and a section "Notes" at the end."""
    heading_indexes = [
        index
        for index, compared in enumerate(blocks)
        if isinstance(compared.block, Heading) and compared.block.level <= 2
    ]
    if heading_indexes and blocks[heading_indexes[-1]].text == f"## {NOTES}":
        return blocks[: heading_indexes[-1]], blocks[heading_indexes[-1] + 1 :]
    return blocks, []


def _is_note(compared: _ComparedBlock) -> bool:
    """Return whether a block is a list, or is in a list item that begins with a date."""
    block = compared.block
    if compared.depth == 0:
        return isinstance(block, List)
    begins_item = compared.depth == 2 and block.parent and block.first == block.parent.first
    return not begins_item or bool(_NOTE.match(compared.text))


def _compared_blocks(source: Source) -> list[_ComparedBlock]:
    """Return the blocks of a document for the comparison.

    Comments, and the line breaks within paragraphs, do not count.
    """
    compared_blocks = []
    for block in source.blocks:
        depth, parent = 0, block.parent
        while parent:
            depth, parent = depth + 1, parent.parent
        text = _text_of(block)
        ids: tuple[str, ...] = ()
        if isinstance(block, (Paragraph, Heading, Table)):
            text = _TARGET.sub("", text)
            text, ids = ID.sub("\0", text), tuple(ID.findall(text))
        if text or not isinstance(block, Html):
            compared_blocks.append(_ComparedBlock(block, type(block).__name__, depth, text, ids))
    return compared_blocks


def _text_of(block: Block) -> str:
    match block:
        case Paragraph():
            return " ".join(_COMMENT.sub("", block.text).split())
        case Heading():
            return f"{'#' * block.level} {block.text}"
        case Table():
            return "\n".join(" | ".join(row) for row in (block.head, (), *block.rows))
        case Code():
            return f"{block.info}\n{block.text}" if block.fenced else block.text
        case Html():
            return _COMMENT.sub("", block.text).strip()
        case List():
            return "1." if block.ordered else "-"
        case _:
            return ""


def _first_changed_line(old_block: _ComparedBlock | None, new_block: _ComparedBlock) -> int:
    """Return the number of the first changed line in code or a table.

    For any other block, return the number of its first line.
    """
    old_lines = old_block.text.split("\n") if old_block else []
    new_lines = new_block.text.split("\n")
    return new_block.block.first + next(
        (
            index
            for index, (old_line, new_line) in enumerate(zip(old_lines, new_lines, strict=False))
            if old_line != new_line
        ),
        0,
    )
