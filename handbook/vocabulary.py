"""The words of the field that are fixed, whatever the organisation: statuses and their legal moves."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ADR_STATUSES: Final = ("proposed", "accepted", "rejected", "deprecated", "superseded")
"""Every status that a decision can have, in the order of its life."""

ADR_MOVES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "proposed": ("accepted", "rejected"),
        "accepted": ("deprecated", "superseded"),
        "rejected": (),
        "deprecated": ("superseded",),
        "superseded": (),
    }
)
"""From each status of a decision, the statuses that it may take next."""


def can_become(moves: Mapping[str, tuple[str, ...]], before: str, after: str) -> bool:
    """Whether one status can follow another by legal moves, others perhaps between."""
    reached: set[str] = set()
    following = list(moves[before])
    while following:
        status = following.pop()
        if status not in reached:
            reached.add(status)
            following += moves[status]
    return after in reached


ADR_DECIDED: Final = ("accepted", "deprecated", "superseded")
"""The statuses of a decision that was once in force, so that what it says of others took effect."""

MACROS: Final = (
    "actions", "adr_index", "checklist", "everything", "home", "postmortem_archive", "rules_reference",
    "runbook_catalog", "services_index", "standards_index",
)  # fmt: skip
"""The macros that pages with `render_macros: true` can call."""

CALMS: Final = ("culture", "automation", "lean", "measurement", "sharing")
"""The five pillars of a DevOps culture, as Humble, Willis and Edwards named them."""

OBLIGATIONS: Final = ("MUST", "SHOULD", "MAY")
"""How strongly a rule of a standard binds (RFC 2119)."""

PROOFS: Final = ("attested", "evidence", "automated")
"""How it is known that an item of the checklist is met, the weakest first."""

VERDICTS: Final = ("pass", "fail", "unknown", "not-applicable", "waived")
"""What an audit can say of an item."""

POSTMORTEM_STATUSES: Final = ("draft", "in-review", "published")

POSTMORTEM_MOVES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"draft": ("in-review", "published"), "in-review": ("draft", "published"), "published": ()}
)
"""From each status of a post-mortem, the statuses that it may take next."""

CAUSES: Final = ("change", "capacity", "dependency", "configuration", "security", "unknown")
"""What brought an incident about."""

RULE_SEVERITIES: Final = ("error", "warning")
"""What a rule's severity can be set to."""
