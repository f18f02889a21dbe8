"""What a text says, compared with what it said before: whether a decision was rewritten, or a rule made another."""

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
all and any are been both but can could did does each every for from had has have how into its least may more most must
not one only other our out shall should some such than that the their them then there these they this those under until
was were what when where which while who whose will with without would you your
"""
_SMALL_WORDS: Final = frozenset(_SMALL.split())


def unrelated(before: str, after: str) -> bool:
    """Whether two texts have no word of weight in common, so that they are about different things.

    Words count by how they begin, so that `log` and `logging` are one, and in scripts without case and spaces each
    letter is a word. It is wrong on the side of silence.
    """
    old, new = _words(before), _words(after)
    return bool(old and new) and not old & new


def _words(text: str) -> set[str]:
    words = {
        word[:4] for word in re.findall(r"\w{3,}", text.casefold()) if word not in _SMALL_WORDS
    }
    return words | {
        letter for letter in text if letter.isalpha() and letter.lower() == letter.upper()
    }


@dataclass(frozen=True, slots=True)
class _Said:
    """What a block says: without the targets of its links, and its ids apart."""

    block: Block
    form: tuple[str, int, str]
    ids: tuple[str, ...]


def rewritten(old: Adr, now: Adr, base: Handbook, handbook: Handbook) -> Iterator[Finding]:
    """Everything that is another in a decision's text, what is plainest first."""
    hint = "put it back; what was learned since is a dated item under a last heading ## Notes, or another decision"
    decided = f"{old.id}, which was {old.status} already"
    (before, notes), (after, added) = _parted(_said(old.source)), _parted(_said(now.source))
    for then, said in zip_longest(before, after):
        if said is None:
            yield Finding(
                now.source.at(now.source.last_line),
                f"the text of {decided}, has lost its end",
                hint,
            )
        elif then is None or then.form != said.form:
            yield Finding(
                now.source.at(_line(then, said)), f"another text than that of {decided}", hint
            )
        else:
            for was, id in zip(then.ids, said.ids, strict=True):
                named = handbook.named(was)
                if was != id and (named.record or not named.kind):
                    yield Finding(
                        now.source.at(said.block.first),
                        f"{decided}, says {was} here, not {id}",
                        hint,
                    )
    for was, new in zip(base.links_of(old), handbook.links_of(now), strict=False):
        still = handbook.resolve(old.path, was.link.target)
        moved = was.link.target != new.link.target and still != new.target
        if moved and not was.target.external and _exists(still, handbook):
            yield Finding(new.link.at, f"{decided}, leads to {was.link.target} here", hint)
    for then, said in zip_longest(notes, added):
        if then and (said is None or then.form != said.form):
            line = said.block.first if said else now.source.last_line
            yield Finding(
                now.source.at(line),
                f"a note of {old.id} was changed",
                "put it back, and add one below it",
            )
        elif said and not then and not _is_note(said):
            hint = "- 2026-11-23: what was learned"
            yield Finding(
                now.source.at(said.block.first), "a note is an item of a list, its date first", hint
            )


def _exists(target: Target, handbook: Handbook) -> bool:
    """Whether what a link led to is still there."""
    document = handbook.documents.get(target.path or "")
    if document is None or not target.fragment:
        return bool(target.path) and handbook.published(str(target.path))
    return target.fragment in document.source.anchors


def _parted(said: list[_Said]) -> tuple[list[_Said], list[_Said]]:
    """The text of a decision, and what stands under its last heading where that is Notes."""
    heads = [
        index
        for index, each in enumerate(said)
        if isinstance(each.block, Heading) and each.block.level <= 2
    ]
    if heads and said[heads[-1]].form[2] == f"## {_NOTES}":
        return said[: heads[-1]], said[heads[-1] + 1 :]
    return said, []


def _is_note(said: _Said) -> bool:
    """Whether a block is part of a list whose items begin with their date."""
    if said.form[1] == 0:
        return isinstance(said.block, List)
    begins_item = (
        said.form[1] == 2 and said.block.parent and said.block.first == said.block.parent.first
    )
    return not begins_item or bool(_NOTE.match(said.form[2]))


def _said(source: Source) -> list[_Said]:
    """What a body says, block by block. Comments say nothing, and nor do the line breaks of prose."""
    found = []
    for block in source.blocks:
        depth, above = 0, block.parent
        while above:
            depth, above = depth + 1, above.parent
        text = _text_of(block)
        ids: tuple[str, ...] = ()
        if isinstance(block, Paragraph | Heading | Table):
            text = _TARGET.sub("", text)
            text, ids = ID.sub("\0", text), tuple(ID.findall(text))
        if text or not isinstance(block, Html):
            found.append(_Said(block, (type(block).__name__, depth, text), ids))
    return found


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


def _line(then: _Said | None, said: _Said) -> int:
    """The line at which a block begins to differ: in code and tables its own, else the block's first."""
    was = then.form[2].split("\n") if then else []
    now = said.form[2].split("\n")
    return said.block.first + next(
        (n for n, (one, other) in enumerate(zip(was, now, strict=False)) if one != other), 0
    )
