"""Decisions: architecture decision records."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import ClassVar

from handbook.reading.fields import Choice, Day, Group, Many, RecordId, field
from handbook.records import Event, Record, Tie, next_number
from handbook.records.draft import Draft
from handbook.vocabulary import ADR_STATUSES

_ADR = RecordId("adr", r"ADR-[0-9]{4}", "ADR-0042")


@dataclass(frozen=True, kw_only=True)
class StatusChange:
    """A status that a decision had before, and the day it took it."""

    status: str | None = field(Choice(*ADR_STATUSES), "the status it had", required=True)
    date: datetime.date | None = field(Day(), "the day it took that status", required=True)


@dataclass(frozen=True, kw_only=True)
class Adr(Record):
    """A decision that binds more than one team: what was decided, why, and what else was weighed."""

    kind: ClassVar[str] = "adr"
    plural: ClassVar[str] = "adrs"
    label: ClassVar[str] = "Decision"
    list_title: ClassVar[str] = "Decisions"
    change_word: ClassVar[str | None] = "decided"
    ties: ClassVar[Mapping[str, Tie]] = {
        "services": Tie("concerns", "concerned by"),
        "standards": Tie("rests on", "applied by"),
        "supersedes": Tie("supersedes", "superseded by"),
        "superseded_by": Tie("superseded by", "supersedes"),
        "amends": Tie("amends", "amended by"),
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
        "Context": "TODO: say what the problem is, and what limits the choice",
        "Decision": "TODO: say what is decided, in full sentences",
        "Alternatives considered": "- TODO: name an alternative, and say why it was not chosen",
        "Consequences": "TODO: say what becomes easier, and what becomes harder",
    }

    status: str | None = field(
        Choice(*ADR_STATUSES), f"one of {', '.join(ADR_STATUSES)}", required=True
    )
    date: datetime.date | None = field(
        Day(), "the day it took this status, YYYY-MM-DD", required=True
    )
    deciders: tuple[str, ...] = field(
        Many(Choice(of="teams")), "the teams that decided; required unless proposed"
    )
    history: tuple[StatusChange, ...] = field(
        Many(Group(StatusChange)),
        "earlier statuses, oldest first: {status: proposed, date: 2026-05-11}",
    )
    supersedes: tuple[str, ...] = field(Many(_ADR), "decisions that this one replaces")
    superseded_by: tuple[str, ...] = field(Many(_ADR), "decisions that replace this one")
    amends: tuple[str, ...] = field(
        Many(_ADR), "decisions that this one changes in part; they stay in force"
    )
    services: tuple[str, ...] = field(
        Many(RecordId("service", r"[a-z0-9]+(?:-[a-z0-9]+)*", "order-service")),
        "services that it binds",
    )
    standards: tuple[str, ...] = field(
        Many(RecordId("standard", r"STD-[0-9]{2}", "STD-05")),
        "standards that it rests on or departs from",
    )
    review_by: datetime.date | None = field(
        Day(ahead=True), "the day on which this decision is looked at again"
    )

    @classmethod
    def id_of(cls, path: str) -> str:
        match = cls.file_name.fullmatch(path.removeprefix(f"{cls.folder}/"))
        return f"ADR-{match['number']}" if match else path

    @classmethod
    def new_path(cls, draft: Draft) -> str:
        return f"{cls.folder}/{next_number(cls, draft.taken):04}-{draft.name}.md"

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
