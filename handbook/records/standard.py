"""Standards: what is required of every team, why, and how it is verified."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any, ClassVar

from handbook.reading.blocks import Heading, Item, Paragraph
from handbook.reading.fields import Choice, Day, Flag, Group, Many, Pattern, Text, field
from handbook.reading.placeholders import is_unwritten
from handbook.records import ITEM_ID, SLUG, Event, Record, next_number
from handbook.records.draft import Draft
from handbook.vocabulary import CALMS, OBLIGATIONS, PROOFS

REQUIREMENTS = "What it requires"
VERIFICATION = "How to verify it"
_QUARTER = Pattern(r"[0-9]{4}-Q[1-4]", "a quarter, such as 2026-Q4")


@dataclass(frozen=True, kw_only=True)
class ChecklistItem:
    """An item of the compliance checklist."""

    id: str | None = field(
        Pattern(ITEM_ID, "the id of an item, such as TEST-01"), "its permanent id", required=True
    )
    item: str | None = field(Text(), "what is to be so, as a sentence", required=True)
    verify: str | None = field(Choice(*reversed(PROOFS)), "how it is known at best", required=True)
    since: str | None = field(_QUARTER, "the quarter from which audits answer it", required=True)
    until: str | None = field(_QUARTER, "the last quarter in which audits answer it")
    extra: bool = field(Flag(), "true for an item beyond the core of 41")

    @property
    def fingerprint(self) -> str:
        """The first six hex digits of the SHA-256 of the text: what an attestation was made of."""
        return hashlib.sha256((self.item or "").encode()).hexdigest()[:6]

    def in_force(self, quarter: str) -> bool:
        """Whether an audit of that quarter answers it."""
        return (
            bool(self.since)
            and str(self.since) <= quarter
            and (not self.until or quarter <= self.until)
        )


@dataclass(frozen=True, slots=True)
class Requirement:
    """A rule of a standard. `id` is None for an item of the list that has none."""

    id: str | None
    obligation: str | None
    text: str
    line: int

    @property
    def said(self) -> str:
        """The text without the id before it."""
        return self.text.removeprefix(f"**{self.id}**").strip()

    @property
    def unwritten(self) -> bool:
        """Whether the rule is still to be written."""
        return is_unwritten(self.said)

    @property
    def withdrawn(self) -> bool:
        """Whether it holds no longer, and stands there to keep its id and its address."""
        return self.said.startswith("Withdrawn:")


@dataclass(frozen=True, kw_only=True)
class Standard(Record):
    """A recorded answer to a problem that every team has."""

    kind: ClassVar[str] = "standard"
    plural: ClassVar[str] = "standards"
    label: ClassVar[str] = "Standard"
    list_title: ClassVar[str] = "Standards"
    change_word: ClassVar[str | None] = "reviewed"
    folder: ClassVar[str] = "docs/standards"
    file_name: ClassVar[re.Pattern[str]] = re.compile(rf"(?P<number>[0-9]{{2}})-{SLUG}\.md")
    file_form: ClassVar[str] = "NN-slug.md"
    mention: ClassVar[re.Pattern[str] | None] = re.compile(r"STD-[0-9.]+")
    sections: ClassVar[tuple[str, ...]] = (
        "Why it matters",
        REQUIREMENTS,
        "How to implement it",
        VERIFICATION,
        "When to deviate",
    )
    template: ClassVar[Mapping[str, str]] = {
        "Why it matters": "TODO: say what goes wrong without this standard",
        REQUIREMENTS: "- **{id}.1** TODO: say what a team must, should or may do, with that verb in capitals",
        "How to implement it": "TODO: show how a team does it",
        VERIFICATION: "TODO: say how to see that a team does it",
        "When to deviate": "TODO: say when a team may do something else, and who agrees to it",
    }

    summary: str | None = field(Text(), "one sentence", required=True)
    core_tools: tuple[str, ...] = field(
        Many(Text()), "the tools that it is kept with", required=True
    )
    prevents: str | None = field(Text(), "what happens without it", required=True)
    calms: tuple[str, ...] = field(
        Many(Choice(*CALMS)), "the pillars that it serves, at least one", required=True
    )
    owner: str | None = field(Choice(of="teams"), "the team that keeps it", required=True)
    reviewed: datetime.date | None = field(
        Day(), "the day it was last read against reality", required=True
    )
    checklist: tuple[ChecklistItem, ...] = field(
        Many(Group(ChecklistItem)),
        "the items of the checklist that it owns; may be empty",
        required=True,
    )

    @classmethod
    def id_of(cls, path: str) -> str:
        match = cls.file_name.fullmatch(path.removeprefix(f"{cls.folder}/"))
        return f"STD-{match['number']}" if match else path

    @classmethod
    def new_path(cls, draft: Draft) -> str:
        return f"{cls.folder}/{next_number(cls, draft.taken):02}-{draft.name}.md"

    @classmethod
    def new_values(cls, draft: Draft) -> Mapping[str, str]:
        return {"checklist": "[]"}

    @classmethod
    def new_sections(cls, path: str, draft: Draft) -> Mapping[str, str]:
        return {**cls.template, REQUIREMENTS: cls.template[REQUIREMENTS].format(id=cls.id_of(path))}

    @property
    def changed(self) -> datetime.date | None:
        return self.reviewed

    @property
    def events(self) -> tuple[Event, ...]:
        return (Event(self.reviewed, "reviewed"),) if self.reviewed else ()

    @property
    def extras(self) -> Mapping[str, Any]:
        return {
            "requirements": tuple(
                {"id": rule.id, "obligation": rule.obligation, "text": rule.text}
                for rule in self.requirements
            )
        }

    @cached_property
    def requirements(self) -> tuple[Requirement, ...]:
        """The items of the lists under What it requires that stand in no other list."""
        marked = {id(block): marker for marker, block in self.source.marked}
        found = []
        for block in self.section_blocks(REQUIREMENTS):
            item = block.parent
            top = isinstance(item, Item) and item.parent is not None and item.parent.parent is None
            if (
                isinstance(block, Paragraph)
                and item is not None
                and top
                and block.first == item.first
            ):
                text = " ".join(block.text.split())
                obligation = re.search(rf"\b({'|'.join(OBLIGATIONS)})\b", text)
                found.append(
                    Requirement(
                        marked.get(id(block)),
                        obligation[1] if obligation else None,
                        text,
                        block.first,
                    )
                )
        return tuple(found)

    @cached_property
    def verified_by(self) -> frozenset[str]:
        """The ids of the items that How to verify it names, its own and those of other standards."""
        part = next(
            (each for each in self.source.sections if each.heading.text == VERIFICATION), None
        )
        if part is None:
            return frozenset()
        mentions = self.source.mentions
        return frozenset(
            each.id for each in mentions if part.heading.last < each.at.line <= part.last
        )

    @cached_property
    def explanations(self) -> tuple[tuple[str, Heading], ...]:
        """The H3s under How to verify it that begin with the id of an item: the id and the heading."""
        headings = (
            block for block in self.section_blocks(VERIFICATION) if isinstance(block, Heading)
        )
        found = (
            (re.match(ITEM_ID, heading.text), heading) for heading in headings if heading.level == 3
        )
        return tuple((match[0], heading) for match, heading in found if match)

    @property
    def ids_known(self) -> bool:
        """Whether the id of every item of the checklist could be read."""
        return not self.doubtful("checklist") and all(item.id for item in self.checklist)

    @property
    def explanations_unwritten(self) -> bool:
        """Whether the text before the explanations, or the heading of one, is still to be written."""
        blocks = self.section_blocks(VERIFICATION)
        introduction = takewhile(lambda block: not isinstance(block, Heading), blocks)
        headings = (
            block
            for block in blocks
            if isinstance(block, Heading) and not re.match(ITEM_ID, block.text)
        )
        return self.unwritten([*introduction, *headings])
