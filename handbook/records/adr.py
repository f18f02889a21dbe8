"""Decisions, which are architecture decision records (ADRs)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import ClassVar

from handbook.reading.fields import Choice, Day, Group, Many, RecordId, field
from handbook.records import Event, Record, ReferenceLabel, next_number
from handbook.records.draft import Draft
from handbook.vocabulary import ADR_STATUSES

_ADR = RecordId("adr", r"ADR-[0-9]{4}", "ADR-0042")


@dataclass(frozen=True, kw_only=True)
class StatusChange:
    """An earlier status of a decision, with the date on which it began."""

    status: str | None = field(Choice(*ADR_STATUSES), "earlier status", required=True)
    date: datetime.date | None = field(Day(), "date of that status", required=True)


@dataclass(frozen=True, kw_only=True)
class Adr(Record):
    """An architecture decision record (ADR): a decision that affects more than one team."""

    kind: ClassVar[str] = "adr"
    plural: ClassVar[str] = "adrs"
    label: ClassVar[str] = "Decision"
    list_title: ClassVar[str] = "Decisions"
    change_word: ClassVar[str | None] = "decided"
    reference_labels: ClassVar[Mapping[str, ReferenceLabel]] = {
        "services": ReferenceLabel("affects", "affected by"),
        "standards": ReferenceLabel("based on", "basis for"),
        "supersedes": ReferenceLabel("supersedes", "superseded by"),
        "superseded_by": ReferenceLabel("superseded by", "supersedes"),
        "amends": ReferenceLabel("amends", "amended by"),
    }
    folder: ClassVar[str] = "adr"
    file_name: ClassVar[re.Pattern[str]] = re.compile(
        r"(?P<number>[0-9]{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.md"
    )
    file_form: ClassVar[str] = "NNNN-slug.md"
    mention: ClassVar[re.Pattern[str] | None] = re.compile(r"ADR-[0-9.]+")
    sections: ClassVar[tuple[str, ...]] = (
        "Context",
        "Decision",
        "Alternatives considered",
        "Consequences",
    )
    template: ClassVar[Mapping[str, str]] = {
        "Context": "TODO: describe the problem and the constraints on the choice",
        "Decision": "TODO: state the decision, in full sentences",
        "Alternatives considered": "- TODO: name an alternative, and explain why you rejected it",
        "Consequences": "TODO: state what becomes easier and what becomes harder",
    }

    status: str | None = field(
        Choice(*ADR_STATUSES), f"status of the decision: {', '.join(ADR_STATUSES)}", required=True
    )
    date: datetime.date | None = field(
        Day(), "date of the current status, YYYY-MM-DD", required=True
    )
    deciders: tuple[str, ...] = field(
        Many(Choice(of="teams")), "teams that made the decision; required unless proposed"
    )
    history: tuple[StatusChange, ...] = field(
        Many(Group(StatusChange)),
        "earlier statuses, oldest first: {status: proposed, date: 2026-05-11}",
    )
    supersedes: tuple[str, ...] = field(Many(_ADR), "decisions replaced by this one")
    superseded_by: tuple[str, ...] = field(Many(_ADR), "decisions that replaced this one")
    amends: tuple[str, ...] = field(
        Many(_ADR), "decisions partly changed by this one, which stay in force"
    )
    services: tuple[str, ...] = field(
        Many(RecordId("service", r"[a-z0-9]+(?:-[a-z0-9]+)*", "order-service")),
        "services affected by the decision",
    )
    standards: tuple[str, ...] = field(
        Many(RecordId("standard", r"STD-[0-9]{2}", "STD-05")),
        "standards that the decision applies or deviates from",
    )
    review_by: datetime.date | None = field(
        Day(allow_future=True), "date of the next review of this decision"
    )

    @classmethod
    def id_of(cls, path: str) -> str:
        match = cls.file_name.fullmatch(path.removeprefix(f"{cls.folder}/"))
        return f"ADR-{match['number']}" if match else path

    @classmethod
    def new_path(cls, draft: Draft) -> str:
        return f"{cls.folder}/{next_number(cls, draft.existing_paths):04}-{draft.name}.md"

    @classmethod
    def new_values(cls, draft: Draft) -> Mapping[str, str]:
        return (
            {"status": "proposed", "date": f"{draft.today}"}
            if draft.status("proposed") == "proposed"
            else {}
        )

    @classmethod
    def new_keys(cls, draft: Draft) -> Set[str]:
        match draft.status("proposed"):
            case "proposed":
                return set()
            case "superseded":
                return {"deciders", "superseded_by"}
            case _:
                return {"deciders"}

    @property
    def changed(self) -> datetime.date | None:
        return self.date

    @property
    def events(self) -> tuple[Event, ...]:
        changes = [
            *((change.date, change.status) for change in self.history),
            (self.date, self.status),
        ]
        return tuple(Event(day, status) for day, status in changes if day and status)
