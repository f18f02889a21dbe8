"""Services: their owners, on-call rotas, dashboards, objectives and dependencies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import ClassVar

from handbook.reading.fields import (
    Choice,
    Group,
    Many,
    MapOf,
    Number,
    Pattern,
    Percentage,
    RecordId,
    Text,
    Url,
    field,
)
from handbook.records import SLUG, Record, ReferenceLabel
from handbook.records.draft import Draft


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A service level objective (SLO)."""

    name: str | None = field(Text(), "name of the objective: availability, latency", required=True)
    objective: float | None = field(Percentage(), "target, in percent", required=True)
    window: str | None = field(
        Pattern(r"[1-9][0-9]{0,3}d", "a number of days, such as 30d"), "time window", required=True
    )


@dataclass(frozen=True, kw_only=True)
class Service(Record):
    """A service in production."""

    kind: ClassVar[str] = "service"
    plural: ClassVar[str] = "services"
    label: ClassVar[str] = "Service"
    list_title: ClassVar[str] = "Services"
    reference_labels: ClassVar[Mapping[str, ReferenceLabel]] = {
        "depends_on": ReferenceLabel("depends on", "used by")
    }
    folder: ClassVar[str] = "docs/services"
    file_name: ClassVar[re.Pattern[str]] = re.compile(rf"{SLUG}\.md")
    file_form: ClassVar[str] = "slug.md"
    template: ClassVar[Mapping[str, str]] = {
        "": "TODO: describe what the service does, and for whom"
    }

    owner: str | None = field(Choice(of="teams"), "team that owns it", required=True)
    tier: int | None = field(
        Number(1, 4), "criticality, from 1 (most critical) to 4", required=True
    )
    on_call: str | None = field(Url(), "address of the on-call rota; required for tiers 1 and 2")
    repository: str | None = field(Url(), "address of the code repository", required=True)
    source_folder: str | None = field(
        Pattern(
            r"\.|(?!(?:.*/)?\.\.?(?:/|$))[\w.@+-]+(?:/[\w.@+-]+)*",
            "the path of a folder in this repository",
        ),
        "folder of its files, from the root, if this repository contains them",
        key="source",
    )
    dashboards: Mapping[str, str] = field(MapOf(Url()), "dashboards, by title")
    slos: tuple[Objective, ...] = field(
        Many(Group(Objective)),
        "service level objectives: {name: availability, objective: 99.9, window: 30d}",
    )
    rules: tuple[str, ...] = field(
        Many(Pattern(r"[\w./-]+\.ya?ml", "the path of a rule file")),
        "Prometheus rule files, from the root; default: the rule files in its runbook folder",
    )
    depends_on: tuple[str, ...] = field(
        Many(RecordId("service", SLUG, "payment-service")), "services that it needs to work"
    )

    @classmethod
    def new_keys(cls, draft: Draft) -> Set[str]:
        return {"on_call"} if draft.values.get("tier", "1") in ("1", "2") else set()
