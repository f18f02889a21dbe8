"""Fixed vocabulary of every organisation: statuses, their allowed changes, and macros."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ADR_STATUSES: Final = ("proposed", "accepted", "rejected", "deprecated", "superseded")
"""Statuses of a decision, in the order of its life."""

ADR_MOVES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "proposed": ("accepted", "rejected"),
        "accepted": ("deprecated", "superseded"),
        "rejected": (),
        "deprecated": ("superseded",),
        "superseded": (),
    }
)
"""Allowed next statuses of a decision, by status."""


def can_become(moves: Mapping[str, tuple[str, ...]], old_status: str, new_status: str) -> bool:
    """Return whether allowed changes lead from one status to another, directly or not."""
    reached: set[str] = set()
    following = list(moves[old_status])
    while following:
        status = following.pop()
        if status not in reached:
            reached.add(status)
            following += moves[status]
    return new_status in reached


ADR_DECIDED: Final = ("accepted", "deprecated", "superseded")
"""Statuses of a decision that is or was in force. Its references took effect."""

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
"""Macros of the engine, each with the module of `handbook.views` that defines its view.

Pages with `render_macros: true` call them without arguments.
"""

CALMS: Final = ("culture", "automation", "lean", "measurement", "sharing")
"""Five pillars of a DevOps culture, after Humble, Willis and Edwards."""

OBLIGATIONS: Final = ("MUST", "SHOULD", "MAY")
"""Obligation levels of a requirement (RFC 2119)."""

PROOFS: Final = ("attested", "evidence", "automated")
"""Kinds of verification of a checklist item, weakest first."""

VERDICTS: Final = ("pass", "fail", "unknown", "not-applicable", "waived")
"""Verdicts of an audit on an item."""

POSTMORTEM_STATUSES: Final = ("draft", "in-review", "published")

POSTMORTEM_MOVES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"draft": ("in-review", "published"), "in-review": ("draft", "published"), "published": ()}
)
"""Allowed next statuses of a post-mortem, by status."""

CAUSES: Final = ("change", "capacity", "dependency", "configuration", "security", "unknown")
"""Kinds of cause of an incident."""

RULE_SEVERITIES: Final = ("error", "warning")
"""Severities that the settings can give a rule."""
