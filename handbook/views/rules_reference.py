"""The reference of the rules, made from their docstrings."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final

from handbook.rules.engine import Rule, rules
from handbook.views import fence, render

_FAMILIES: Final = {
    "FM": "Front matter and form of all records",
    "STD": "Standards",
    "CHK": "The checklist",
    "DEC": "Decisions",
    "RBK": "Runbooks and alerts",
    "PMT": "Post-mortems",
    "SVC": "Services and audits",
    "REF": "References between records",
    "LNK": "Links, images and anchors",
    "CON": "Contradictions between two statements of a fact",
    "MD": "Markdown that renders unexpectedly",
    "SAFE": "Content that must not be published",
}


def rules_reference() -> str:
    """Render all rules by family, each with a bad and a good example."""
    families = [
        (family, _FAMILIES[family], list(members))
        for family, members in groupby(sorted(rules().values(), key=_sort_key), key=_family_of)
    ]
    return render("rules.md.j2", families=families, fence=lambda text: fence(text, "markdown"))


def explain(rule: Rule) -> str:
    """Return the description of a rule as text for a terminal."""
    paragraphs = [f"{rule.code} {rule.name} ({rule.severity_label})", rule.text, f"Why: {rule.why}"]
    paragraphs += [
        f"{label}:\n\n{_indent(text)}" for label, text in (("Bad", rule.bad), ("Good", rule.good))
    ]
    return "\n\n".join(paragraphs)


def _family_of(rule: Rule) -> str:
    return re.match(r"[A-Z]+", rule.code)[0]  # type: ignore[index]


def _sort_key(rule: Rule) -> tuple[int, str]:
    return list(_FAMILIES).index(_family_of(rule)), rule.code


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))
