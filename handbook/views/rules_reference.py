"""The reference of the rules, made from their docstrings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Final

from handbook.diagnostics import find_rule_address
from handbook.handbook import Handbook
from handbook.reading.addresses import make_relative
from handbook.rules.engine import Rule, rules
from handbook.views import Facet, fence, make_facet, render
from handbook.views.links import Linker, PageLink

FAMILIES: Final[Mapping[str, str]] = {
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
"""The titles of the families of rules."""


FAMILY_ADDRESSES: Final[Mapping[str, str]] = {
    family: f"reference/rules/{family.lower()}/" for family in FAMILIES
}
"""The address of the page of each family of rules, from the root of the site."""


def find_rule_target(handbook: Handbook, code: str) -> str:
    """Return the address of the text of a rule from the root of the site.

    If a page of the repository replaces the page of the family, it is the address of that page,
    which can have other anchors.
    """
    address = find_rule_address(code)
    page, _, _ = address.partition("#")
    return page if page in handbook.entities_by_address else address


def rules_reference(handbook: Handbook, page_address: str) -> str:
    """Render a table of all rules, with links to their texts.

    The row of a rule has the anchor that its text had when all texts were on one page.
    """
    linker = Linker(handbook, page_address)
    families = [
        (family.lower(), FAMILIES[family], linker.at(FAMILY_ADDRESSES[family]), members)
        for family, members in _group_rules().items()
    ]
    return render(
        "rules.md.j2",
        families=families,
        facets=[
            Facet("Family", "family", [title for _, title, _, _ in families]),
            make_facet("Severity", "severity", (rule.severity_label for rule in rules().values())),
        ],
        find_target=lambda rule: linker.at(find_rule_target(handbook, rule.code)),
        summarize=lambda rule: linker.inline(" ".join(rule.text.split("\n\n")[0].split())),
        total=len(rules()),
    )


def link_families(handbook: Handbook, linker: Linker) -> list[PageLink]:
    """Return links to the pages of the families, or none if the handbook has no reference."""
    if "docs/reference/rules.md" not in handbook.documents:
        return []
    return [
        PageLink("", f"Rules: {FAMILIES[family]}", linker.at(address))
        for family, address in FAMILY_ADDRESSES.items()
    ]


def describe_family(family: str) -> str:
    """Return the description of the page of a family."""
    return f"Rules of the check of the family {family}, with reasons and examples"


def rule_family(family: str) -> str:
    """Return the Markdown of the page of a family: each rule with a bad and a good example."""
    return render(
        "rule_family.md.j2",
        family=family,
        title=FAMILIES[family],
        members=_group_rules()[family],
        index=make_relative("reference/rules/", FAMILY_ADDRESSES[family]),
        fence=lambda text: fence(text, "markdown"),
    )


def _group_rules() -> dict[str, list[Rule]]:
    """Return the rules by family, both in the order of the reference."""
    return {
        family: list(members)
        for family, members in groupby(sorted(rules().values(), key=_sort_key), key=_family_of)
    }


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
    return list(FAMILIES).index(_family_of(rule)), rule.code


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))
