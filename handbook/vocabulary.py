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

MACROS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "actions": "postmortems",
        "adr_index": "adr_index",
        "checklist": "standards",
        "everything": "home",
        "home": "home",
        "postmortem_archive": "postmortems",
        "rules_reference": "rules_reference",
        "runbook_catalog": "runbooks",
        "services_index": "services",
        "standards_index": "standards",
    }
)
"""The macros of the engine, each with the module of `handbook.views` that holds the view of the same name.

Pages with `render_macros: true` call them, without arguments.
"""

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
