"""Outlines of Markdown bodies, so that a later check parses only the bodies that it must judge.

An outline has the parts of a body that rules about other files need: its headings, links, ids, and
undefined links. It is JSON. The text of a file is the only thing that decides its outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from handbook.diagnostics import Location
from handbook.reading.blocks import Block, Heading, Link, Mention, UndefinedLink
from handbook.reading.body import Body, read_body

Outline = list[Any]
"""The JSON of an outline: a row for each heading, item id, link, mention and undefined link."""


def make_outline(body: Body) -> Outline | None:
    """Return the outline of a body. Return None if a heading is in a list or a block quote.

    An outline has no lists and no block quotes, so it cannot say in which one a heading is.
    """
    if any(heading.parent for heading in body.headings):
        return None
    return [
        [
            [
                heading.first,
                heading.last,
                heading.start,
                heading.level,
                heading.text,
                heading.id,
                heading.setext,
                heading.old_id,
            ]
            for heading in body.headings
        ],
        list(body.item_ids),
        [
            [link.target, link.image, link.at.line, link.at.column, link.text, link.has_image]
            for link in body.links
        ],
        [[mention.id, mention.at.line, mention.at.column] for mention in body.mentions],
        [[link.text, link.at.line, link.at.column] for link in body.undefined_links],
        body.has_html,
    ]


@dataclass(frozen=True)
class OutlinedBody:
    """A body with a known outline. It is parsed when a rule asks for its blocks.

    `text` is the Markdown of the body, and `first_line` the line of the file on which it begins.
    """

    path: str
    text: str
    first_line: int
    outline: Outline

    @cached_property
    def headings(self) -> tuple[Heading, ...]:
        """The headings of the body."""
        return tuple(
            Heading(first, last, None, start, *row) for first, last, start, *row in self.outline[0]
        )

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The ids of list items."""
        return tuple(self.outline[1])

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """The links and images of the body."""
        return tuple(
            Link(target, is_image, Location(self.path, line, column), text, has_image)
            for target, is_image, line, column, text, has_image in self.outline[2]
        )

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """The ids in the text of the body."""
        return tuple(
            Mention(id, Location(self.path, line, column)) for id, line, column in self.outline[3]
        )

    @cached_property
    def undefined_links(self) -> tuple[UndefinedLink, ...]:
        """The texts in the form of a link without a definition."""
        return tuple(
            UndefinedLink(text, Location(self.path, line, column))
            for text, line, column in self.outline[4]
        )

    @property
    def has_html(self) -> bool:
        """True if the body has raw HTML or an HTML comment."""
        return bool(self.outline[5])

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of the body, with the headings of the outline.

        A heading is compared by identity, so each heading must be one object.
        """
        headings = iter(self.headings)
        return tuple(
            next(headings) if isinstance(block, Heading) else block
            for block in read_body(self.path, self.text, self.first_line).blocks
        )
