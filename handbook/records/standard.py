"""Standards: the requirements for every team, with their reasons and their verification."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import takewhile
from typing import Any, ClassVar

from handbook.reading.blocks import Heading, Item, Paragraph
from handbook.reading.fields import Choice, Day, Flag, Group, Many, Pattern, ProseText, field
from handbook.reading.placeholders import is_unwritten
from handbook.records import ITEM_ID, SLUG, Event, Record, next_number
from handbook.records.draft import Draft
from handbook.vocabulary import CALMS, OBLIGATIONS, PROOFS

REQUIREMENTS = "What it requires"
VERIFICATION = "How to verify it"
DEVIATIONS = "When to deviate"
ADOPTION = "Adopt it"
CHANGES = "What changed"
HUMAN_REVIEW = "human review"
"""The word in `Verified by` for a requirement that no checklist item covers."""
_QUARTER = Pattern(r"[0-9]{4}-Q[1-4]", "a quarter, such as 2026-Q4")


@dataclass(frozen=True, kw_only=True)
class ChecklistItem:
    """An item of the compliance checklist."""

    id: str | None = field(
        Pattern(ITEM_ID, "a checklist item id, such as TEST-01"),
        "permanent id of the item",
        required=True,
    )
    item: str | None = field(ProseText(), "text of the item, as a sentence", required=True)
    verify: str | None = field(
        Choice(*reversed(PROOFS)), "strongest possible verification", required=True
    )
    files: bool = field(Flag(), "true if files of the service's repository are evidence")
    since: str | None = field(_QUARTER, "first quarter in which audits include it", required=True)
    until: str | None = field(_QUARTER, "last quarter in which audits include it")
    extra: bool = field(Flag(), "true for an item outside the core of 41")

    @property
    def fingerprint(self) -> str:
        """The first six hex digits of the SHA-256 of the text of the item.

        An attestation contains it, so that a change of the text makes the attestation outdated.
        """
        return hashlib.sha256((self.item or "").encode()).hexdigest()[:6]

    def is_in_force(self, quarter: str) -> bool:
        """Return whether an audit of a quarter, such as `2026-Q1`, includes the item."""
        return (
            bool(self.since)
            and str(self.since) <= quarter
            and (not self.until or quarter <= self.until)
        )


class DetailKind(StrEnum):
    """The label of a nested list item that explains a requirement."""

    WHY = "Why"
    HOW = "How"
    VERIFIED_BY = "Verified by"


_DETAIL = re.compile(rf"({'|'.join(DetailKind)}):\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Detail:
    """A nested list item such as `- Why: …`. `text` is its Markdown without the label."""

    text: str
    block: Paragraph


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement of a standard. `id` is None if its list item has no id.

    `obligation` is MUST, SHOULD or MAY, or None if the text contains none of them.
    """

    id: str | None
    obligation: str | None
    text: str
    block: Paragraph
    details: Mapping[DetailKind, Detail]
    """The details by label. If a label is repeated, only the first counts."""

    @property
    def line(self) -> int:
        """The line of the text."""
        return self.block.first

    @property
    def why(self) -> str | None:
        """The reason, as Markdown, or None."""
        return self._find_text(DetailKind.WHY)

    @property
    def how(self) -> str | None:
        """The links to the instructions, as Markdown, or None."""
        return self._find_text(DetailKind.HOW)

    @property
    def verified_by(self) -> tuple[str, ...]:
        """The ids of checklist items, and `HUMAN_REVIEW`, that verify the requirement."""
        names = (self._find_text(DetailKind.VERIFIED_BY) or "").removesuffix(".").split(",")
        return tuple(name.strip() for name in names if name.strip())

    def line_of(self, kind: DetailKind) -> int:
        """Return the line of a detail. Without the detail, return the line of the text."""
        detail = self.details.get(kind)
        return detail.block.first if detail else self.line

    def _find_text(self, kind: DetailKind) -> str | None:
        detail = self.details.get(kind)
        return detail.text if detail else None

    @property
    def text_without_id(self) -> str:
        """The text without the id at its start."""
        return self.text.removeprefix(f"**{self.id}**").strip()

    @property
    def is_placeholder(self) -> bool:
        """True if the text is a placeholder."""
        return is_unwritten(self.text_without_id)

    @property
    def is_withdrawn(self) -> bool:
        """True if the requirement is no longer in force. Its id and its address stay valid."""
        return self.text_without_id.startswith("Withdrawn:")


@dataclass(frozen=True, kw_only=True)
class Standard(Record):
    """A standard, with requirements for every team."""

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
        DEVIATIONS,
    )
    sections_with_none: ClassVar[frozenset[str]] = frozenset({DEVIATIONS})
    first_section: ClassVar[str | None] = ADOPTION
    last_section: ClassVar[str | None] = CHANGES
    template: ClassVar[Mapping[str, str]] = {
        "Why it matters": "TODO: describe what goes wrong without this standard",
        REQUIREMENTS: (
            "- **{id}.1** TODO: state what a team must, should or may do\n"
            f"    - Verified by: {HUMAN_REVIEW}"
        ),
        "How to implement it": "TODO: show how to do it, with an example",
        VERIFICATION: "TODO: describe how to check each requirement",
        DEVIATIONS: "TODO: state when a team may deviate, and who must approve it",
    }

    summary: str | None = field(ProseText(), "one-sentence summary", required=True)
    core_tools: tuple[str, ...] = field(
        Many(ProseText()), "tools used to meet the standard", required=True
    )
    prevents: str | None = field(ProseText(), "problem that the standard prevents", required=True)
    calms: tuple[str, ...] = field(
        Many(Choice(*CALMS)), "pillars of CALMS that it serves, at least one", required=True
    )
    owner: str | None = field(Choice(of="teams"), "team that maintains it", required=True)
    reviewed: datetime.date | None = field(Day(), "date of the last review", required=True)
    checklist: tuple[ChecklistItem, ...] = field(
        Many(Group(ChecklistItem)),
        "checklist items owned by the standard; may be empty",
        required=True,
    )

    @classmethod
    def id_of(cls, path: str) -> str:
        match = cls.file_name.fullmatch(path.removeprefix(f"{cls.folder}/"))
        return f"STD-{match['number']}" if match else path

    @classmethod
    def new_path(cls, draft: Draft) -> str:
        return f"{cls.folder}/{next_number(cls, draft.existing_paths):02}-{draft.name}.md"

    @classmethod
    def new_values(cls, draft: Draft) -> Mapping[str, str]:
        return {"checklist": "[]"}

    @classmethod
    def new_text(cls, text: str, path: str, draft: Draft) -> str:
        return text.replace("{id}", cls.id_of(path))

    @property
    def changed(self) -> datetime.date | None:
        return self.reviewed

    @property
    def events(self) -> tuple[Event, ...]:
        return (Event(self.reviewed, "reviewed"),) if self.reviewed else ()

    @property
    def body_values(self) -> Mapping[str, Any]:
        return {
            "requirements": tuple(
                {
                    "id": rule.id,
                    "obligation": rule.obligation,
                    "text": rule.text,
                    "why": rule.why,
                    "how": rule.how,
                    "verified_by": rule.verified_by,
                }
                for rule in self.requirements
            )
        }

    @cached_property
    def requirements(self) -> tuple[Requirement, ...]:
        """The requirements: the top-level list items in the section "What it requires"."""
        ids_by_block = {id(block): item_id for item_id, block in self.source.items_with_ids}
        details_by_item = self._details_by_item
        requirements = []
        for item, block in self._requirement_items:
            if item.is_nested:
                continue
            text = " ".join(block.text.split())
            obligation = re.search(rf"\b({'|'.join(OBLIGATIONS)})\b", text)
            requirements.append(
                Requirement(
                    ids_by_block.get(id(block)),
                    obligation[1] if obligation else None,
                    text,
                    block,
                    details_by_item.get(id(item), {}),
                )
            )
        return tuple(requirements)

    @property
    def _requirement_items(self) -> Iterator[tuple[Item, Paragraph]]:
        """The list items in the section "What it requires", each with its first paragraph."""
        for block in self.section_blocks(REQUIREMENTS):
            item = block.parent
            if isinstance(block, Paragraph) and isinstance(item, Item):
                if block.first == item.first:
                    yield item, block

    @property
    def _details_by_item(self) -> Mapping[int, Mapping[DetailKind, Detail]]:
        """The details of each top-level list item, by the identity of the item."""
        details: dict[int, dict[DetailKind, Detail]] = defaultdict(dict)
        for item, block in self._requirement_items:
            outer = item.parent.parent if item.parent else None
            match = _DETAIL.match(block.text)
            if match and isinstance(outer, Item) and not outer.is_nested:
                detail = Detail(" ".join(block.text[match.end() :].split()), block)
                details[id(outer)].setdefault(DetailKind(match[1]), detail)
        return details

    @cached_property
    def verification_ids(self) -> frozenset[str]:
        """The ids in the section "How to verify it", which include items of other standards."""
        verification = self.find_section(VERIFICATION)
        if verification is None:
            return frozenset()
        mentions = self.source.mentions
        first, last = verification.heading.last, verification.last
        return frozenset(mention.id for mention in mentions if first < mention.at.line <= last)

    @cached_property
    def explanations(self) -> tuple[tuple[str, Heading], ...]:
        """The checklist items that the section "How to verify it" explains.

        Each is an item id and the H3 heading that begins with it.
        """
        headings = (
            block for block in self.section_blocks(VERIFICATION) if isinstance(block, Heading)
        )
        matches = (
            (re.match(ITEM_ID, heading.text), heading) for heading in headings if heading.level == 3
        )
        return tuple((match[0], heading) for match, heading in matches if match)

    @property
    def has_readable_ids(self) -> bool:
        """True if every checklist item has a valid id."""
        return not self.has_invalid_value("checklist") and all(item.id for item in self.checklist)

    @property
    def has_placeholder_explanations(self) -> bool:
        """True if the section "How to verify it" contains a placeholder for an explanation.

        The placeholder is in the introduction of the section, or in a heading without an item id.
        """
        blocks = self.section_blocks(VERIFICATION)
        introduction = takewhile(lambda block: not isinstance(block, Heading), blocks)
        headings = (
            block
            for block in blocks
            if isinstance(block, Heading) and not re.match(ITEM_ID, block.text)
        )
        return self.has_placeholder([*introduction, *headings])
