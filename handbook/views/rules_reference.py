"""The reference of the rules, from each rule's own text."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final

from handbook.rules.engine import Rule, rules
from handbook.views import fence, render

_FAMILIES: Final = {
    "FM": "Front matter and form of any kind",
    "STD": "Standards",
    "CHK": "The checklist",
    "DEC": "Decisions",
    "RBK": "Runbooks and alerts",
    "PMT": "Post-mortems",
    "SVC": "Services and audits",
    "REF": "References between records",
    "LNK": "Links, images and anchors",
    "MD": "Markdown that renders otherwise than it reads",
    "SAFE": "What must not be published",
}


def rules_reference() -> str:
    """Markdown for the reference: every rule under its family, with a bad and a good example."""
    families = [
        (family, _FAMILIES[family], list(members))
        for family, members in groupby(sorted(rules().values(), key=_place), key=_family)
    ]
    return render("rules.md.j2", families=families, fence=lambda text: fence(text, "markdown"))


def explain(rule: Rule) -> str:
    """One rule as text for a terminal."""
    parts = [f"{rule.code} {rule.name} ({rule.severity})", rule.text, f"Why: {rule.why}"]
    parts += [
        f"{label}:\n\n{_indented(text)}" for label, text in (("Bad", rule.bad), ("Good", rule.good))
    ]
    return "\n\n".join(parts)


def _family(rule: Rule) -> str:
    return re.match(r"[A-Z]+", rule.code)[0]  # type: ignore[index]


def _place(rule: Rule) -> tuple[int, str]:
    return list(_FAMILIES).index(_family(rule)), rule.code


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))
