"""Services: who owns what runs, where it is watched, and what it needs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import ClassVar

from handbook.reading.fields import (
    Choice,
    Decimal,
    Group,
    Many,
    MapOf,
    Number,
    Pattern,
    RecordId,
    Text,
    Url,
    field,
)
from handbook.records import SLUG, Record, Tie
from handbook.records.draft import Draft


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A service level objective."""

    name: str | None = field(Text(), "what is promised: availability, latency", required=True)
    objective: float | None = field(
        Decimal(), "the percentage that is to be reached", required=True
    )
    window: str | None = field(
        Pattern(r"[0-9]{1,4}d", "a number of days, such as 30d"), "over how long", required=True
    )


@dataclass(frozen=True, kw_only=True)
class Service(Record):
    """A service that somebody is called for."""

    kind: ClassVar[str] = "service"
    plural: ClassVar[str] = "services"
    label: ClassVar[str] = "Service"
    list_title: ClassVar[str] = "Services"
    ties: ClassVar[Mapping[str, Tie]] = {"depends_on": Tie("depends on", "needed by")}
    folder: ClassVar[str] = "docs/services"
    file_name: ClassVar[re.Pattern[str]] = re.compile(rf"{SLUG}\.md")
    file_form: ClassVar[str] = "slug.md"
    template: ClassVar[Mapping[str, str]] = {"": "TODO: say what the service does, and for whom"}

    owner: str | None = field(Choice(of="teams"), "the team that owns it", required=True)
    tier: int | None = field(Number(1, 4), "how much depends on it: 1 (most) to 4", required=True)
    on_call: str | None = field(Url(), "the rota; required for tiers 1 and 2")
    repository: str | None = field(Url(), "where its code is", required=True)
    dashboards: Mapping[str, str] = field(MapOf(Url()), "dashboards: title and address")
    slos: tuple[Objective, ...] = field(
        Many(Group(Objective)), "objectives: {name: availability, objective: 99.9, window: 30d}"
    )
    rules: tuple[str, ...] = field(
        Many(Pattern(r"[\w./-]+\.ya?ml", "the path of a rule file")),
        "its Prometheus rule files, from the root; those in its folder of runbooks where the key is absent",
    )
    depends_on: tuple[str, ...] = field(
        Many(RecordId("service", SLUG, "payment-service")), "services that it does not work without"
    )

    @classmethod
    def new_keys(cls, draft: Draft) -> Set[str]:
        return {"on_call"} if draft.given.get("tier", "1") in ("1", "2") else set()
