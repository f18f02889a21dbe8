"""The fixed words of every handbook, such as the statuses of a decision."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ADR_STATUSES: Final = ("proposed", "accepted", "rejected", "deprecated", "superseded")
"""The statuses of a decision, in the usual order."""

ADR_NEXT_STATUSES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "proposed": ("accepted", "rejected"),
        "accepted": ("deprecated", "superseded"),
        "rejected": (),
        "deprecated": ("superseded",),
        "superseded": (),
    }
)
"""The statuses that can follow each status of a decision."""


def can_become(
    next_statuses: Mapping[str, tuple[str, ...]], old_status: str, new_status: str
) -> bool:
    """Return whether a status can become another, in one or more allowed changes.

    `next_statuses` has the statuses that can follow each status.
    """
    reachable: set[str] = set()
    remaining = list(next_statuses[old_status])
    while remaining:
        status = remaining.pop()
        if status not in reachable:
            reachable.add(status)
            remaining += next_statuses[status]
    return new_status in reachable


ADR_DECIDED: Final = ("accepted", "deprecated", "superseded")
"""The statuses of a decision that is in force, or was in force in the past."""

MACROS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "actions": "postmortems",
        "adr_index": "adr_index",
        "alert_index": "runbooks",
        "checklist": "standards",
        "due": "due",
        "everything": "home",
        "exceptions": "due",
        "home": "home",
        "postmortem_archive": "postmortems",
        "records_reference": "records_reference",
        "rules_reference": "rules_reference",
        "runbook_catalog": "runbooks",
        "services_index": "services",
        "standards_index": "standards",
        "tag_index": "tags",
        "team_page": "teams",
        "teams_index": "teams",
    }
)
"""The macros of this package, each with the module of `handbook.views` that defines it.

A page with `render_macros: true` calls a macro without arguments, such as `{{ adr_index() }}`.
"""

CALMS: Final = ("culture", "automation", "lean", "measurement", "sharing")
"""The five pillars of a DevOps culture, by Humble, Willis and Edwards."""

OBLIGATIONS: Final = ("MUST", "SHOULD", "MAY")
"""The obligation levels of a requirement, from RFC 2119."""

PROOFS: Final = ("attested", "evidence", "automated")
"""The kinds of verification of a checklist item, weakest first."""

VERDICTS: Final = ("pass", "fail", "unknown", "not-applicable", "waived")
"""The verdicts of an audit on a checklist item."""

POSTMORTEM_STATUSES: Final = ("draft", "in-review", "published")

POSTMORTEM_NEXT_STATUSES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"draft": ("in-review", "published"), "in-review": ("draft", "published"), "published": ()}
)
"""The statuses that can follow each status of a post-mortem."""

CAUSES: Final = ("change", "capacity", "dependency", "configuration", "security", "unknown")
"""The kinds of cause of an incident."""

OFF: Final = "off"
RULE_SEVERITIES: Final = ("error", "warning", OFF)
"""The severities that the settings can give a rule."""
