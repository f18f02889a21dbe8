"""A kind of record that only the tests know; CONTRIBUTING.md shows it as the example of a new kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from handbook.reading.fields import Choice, Many, RecordId, field
from handbook.records import SLUG, Record, Tie


@dataclass(frozen=True, kw_only=True)
class Risk(Record):
    """Something that may go wrong, and what the team does about it."""

    kind: ClassVar[str] = "risk"
    plural: ClassVar[str] = "risks"
    label: ClassVar[str] = "Risk"
    list_title: ClassVar[str] = "Risks"
    folder: ClassVar[str] = "risks"
    file_name: ClassVar[re.Pattern[str]] = re.compile(rf"{SLUG}\.md")
    file_form: ClassVar[str] = "slug.md"
    sections: ClassVar[tuple[str, ...]] = ("What may happen", "What we do about it")
    template: ClassVar[Mapping[str, str]] = {
        "What may happen": "TODO: say what may go wrong, and for whom",
        "What we do about it": "TODO: say what makes it less likely, or less bad",
    }
    ties: ClassVar[Mapping[str, Tie]] = {"services": Tie("threatens", "threatened by")}

    level: str | None = field(
        Choice("low", "high"), "how bad it would be: low or high", required=True
    )
    owner: str | None = field(Choice(of="teams"), "the team that watches it", required=True)
    services: tuple[str, ...] = field(
        Many(RecordId("service", SLUG, "order-service")), "services that it threatens"
    )
