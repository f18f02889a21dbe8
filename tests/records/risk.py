"""Kind of record for the tests, and the example in CONTRIBUTING.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from handbook.reading.fields import Choice, Many, RecordId, field
from handbook.records import SLUG, Record, ReferenceLabel


@dataclass(frozen=True, kw_only=True)
class Risk(Record):
    """Risk: something that can go wrong, and the actions against it."""

    kind: ClassVar[str] = "risk"
    plural: ClassVar[str] = "risks"
    label: ClassVar[str] = "Risk"
    list_title: ClassVar[str] = "Risks"
    folder: ClassVar[str] = "risks"
    file_name: ClassVar[re.Pattern[str]] = re.compile(rf"{SLUG}\.md")
    file_form: ClassVar[str] = "slug.md"
    sections: ClassVar[tuple[str, ...]] = ("What may happen", "What we do about it")
    template: ClassVar[Mapping[str, str]] = {
        "What may happen": "TODO: describe what can go wrong, and who is affected",
        "What we do about it": "TODO: describe how to reduce the likelihood or the damage",
    }
    reference_labels: ClassVar[Mapping[str, ReferenceLabel]] = {
        "services": ReferenceLabel("threatens", "threatened by")
    }

    level: str | None = field(
        Choice("low", "high"), "severity of the damage: low or high", required=True
    )
    owner: str | None = field(Choice(of="teams"), "team that watches the risk", required=True)
    services: tuple[str, ...] = field(
        Many(RecordId("service", SLUG, "order-service")), "threatened services"
    )
