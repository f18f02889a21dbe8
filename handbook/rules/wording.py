"""Comparison of texts with an earlier revision: rewritten decisions, and reused ids."""

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
from handbook.records.adr import Adr

_NOTES: Final = "Notes"
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_TARGET: Final = re.compile(
    r"(?<=\]\()(?:<[^<>\n]*>|[^\s()<>]*(?:\([^\s()]*\)[^\s()]*)*)"  # of [text](target)
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
    """Whether two texts have no significant word in common, and so are about different things.

    Only the first letters of a word count, so that `log` and `logging` match. In scripts without
    case and spaces, each letter counts as a word. In doubt, the texts count as related.
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
    """A block in the form that is compared: without link targets, and with its ids apart."""

    block: Block
    type_name: str
    depth: int
    text: str
    ids: tuple[str, ...]

    def is_same_as(self, other_block: _ComparedBlock) -> bool:
        """Whether both blocks have the same type, depth and text."""
        return (self.type_name, self.depth, self.text) == (
            other_block.type_name,
            other_block.depth,
            other_block.text,
        )


def find_rewrites(
    old: Adr, new: Adr, base_handbook: Handbook, handbook: Handbook
) -> Iterator[Finding]:
    """Find all changes to the text of a decision, with the clearest ones first."""
    hint = (
        "restore the text, and add later insights as a dated item under a last heading '## Notes', "
        "or write a new decision"
    )
    old_name = f"{old.id} (status '{old.status}')"
    old_body, old_notes = _split_notes(_compared_blocks(old.source))
    new_body, new_notes = _split_notes(_compared_blocks(new.source))
    for old_block, new_block in zip_longest(old_body, new_body):
        if new_block is None:
            yield Finding(
                new.source.at(new.source.last_line), f"removed text at the end of {old_name}", hint
            )
        elif old_block is None or not old_block.is_same_as(new_block):
            yield Finding(
                new.source.at(_first_changed_line(old_block, new_block)),
                f"changed text of {old_name}",
                hint,
            )
        else:
            for old_id, new_id in zip(old_block.ids, new_block.ids, strict=True):
                target = handbook.resolve_id(old_id)
                if old_id != new_id and (target.record or not target.kind):
                    yield Finding(
                        new.source.at(new_block.block.first),
                        f"changed id in {old_name}: '{new_id}' instead of '{old_id}'",
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
                f"changed link in {old_name}: the target was '{old_link.link.target}'",
                hint,
            )
    for old_block, new_block in zip_longest(old_notes, new_notes):
        if old_block and (new_block is None or not old_block.is_same_as(new_block)):
            line = new_block.block.first if new_block else new.source.last_line
            yield Finding(
                new.source.at(line),
                f"changed note of {old.id}",
                "restore it, and add a new note below",
            )
        elif new_block and not old_block and not _is_note(new_block):
            yield Finding(
                new.source.at(new_block.block.first),
                "note that is not a dated list item",
                "write '- 2026-11-23: the new insight'",
            )


def _exists(target: Target, handbook: Handbook) -> bool:
    """Whether the target of a link still exists."""
    document = handbook.documents.get(target.path or "")
    if document is None or not target.fragment:
        return bool(target.path) and handbook.is_published(str(target.path))
    return target.fragment in document.source.anchors


def _split_notes(
    blocks: list[_ComparedBlock],
) -> tuple[list[_ComparedBlock], list[_ComparedBlock]]:
    """Split a decision into its text, and the blocks under a last heading Notes."""
    heading_indexes = [
        index
        for index, compared in enumerate(blocks)
        if isinstance(compared.block, Heading) and compared.block.level <= 2
    ]
    if heading_indexes and blocks[heading_indexes[-1]].text == f"## {_NOTES}":
        return blocks[: heading_indexes[-1]], blocks[heading_indexes[-1] + 1 :]
    return blocks, []


def _is_note(compared: _ComparedBlock) -> bool:
    """Whether a block is part of a list whose items begin with their date."""
    block = compared.block
    if compared.depth == 0:
        return isinstance(block, List)
    begins_item = compared.depth == 2 and block.parent and block.first == block.parent.first
    return not begins_item or bool(_NOTE.match(compared.text))


def _compared_blocks(source: Source) -> list[_ComparedBlock]:
    """Return the blocks of a body in their compared form.

    Comments and the line breaks of prose are left out.
    """
    compared_blocks = []
    for block in source.blocks:
        depth, parent = 0, block.parent
        while parent:
            depth, parent = depth + 1, parent.parent
        text = _text_of(block)
        ids: tuple[str, ...] = ()
        if isinstance(block, Paragraph | Heading | Table):
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
    """Return the first changed line of code or of a table, or the first line of other blocks."""
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
