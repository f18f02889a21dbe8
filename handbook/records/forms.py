"""Forms of a record: the sections that a record can have, under the names of a known template.

Each kind has its own form. It can have other forms, such as MADR for decisions. A heading of
another form means one of our sections, so rules and views find "Decision" under "Decision Outcome",
too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

OWN_FORM: Final = "handbook"
"""The name of the form that each kind of this handbook has itself."""


@dataclass(frozen=True, slots=True)
class FormSection:
    """A section of a form.

    `meaning` is the name of our section with the same meaning, or the heading if we have none.
    `text` is the text of a new record. A section that is not required has "" there.
    """

    heading: str
    meaning: str
    text: str = ""
    is_required: bool = True
    level: int = 2


@dataclass(frozen=True)
class RecordForm:
    """A form of a kind of record. `name` is its name in the settings, `label` on the site."""

    name: str
    label: str
    sections: tuple[FormSection, ...]

    @cached_property
    def required(self) -> tuple[FormSection, ...]:
        """The sections that a record in this form must have."""
        return tuple(section for section in self.sections if section.is_required)

    @cached_property
    def headings(self) -> frozenset[tuple[str, int]]:
        """The headings of the form, with their levels."""
        return frozenset((section.heading, section.level) for section in self.sections)

    def heading_of(self, meaning: str) -> str:
        """Return the heading of this form for one of our sections, or the name of the section."""
        return next((part.heading for part in self.sections if part.meaning == meaning), meaning)


def make_own_form(template: Mapping[str, str], sections: Iterable[str]) -> RecordForm:
    """Make the form of a kind from the names and the texts of its sections."""
    return RecordForm(
        OWN_FORM,
        "handbook",
        tuple(FormSection(name, name, template.get(name, "")) for name in sections),
    )


def recognise_form(
    headings: Iterable[tuple[str, int]], forms: tuple[RecordForm, ...]
) -> RecordForm:
    """Return the form with the most headings of its own in a record.

    `headings` are the headings of the record, with their levels. A heading that two forms have
    decides nothing. Without a heading of its own, a record has the first form. If two forms have
    the same number, headings in other upper or lower case count, too. They are faults, and a hint
    can then name the right heading.
    """
    exact = frozenset(headings)
    folded = _fold(exact)

    def count_own_headings(form: RecordForm) -> tuple[int, int]:
        others = frozenset().union(*(other.headings for other in forms if other is not form))
        own_folded = _fold(form.headings) - _fold(others)
        return len((form.headings - others) & exact), len(own_folded & folded)

    return max(forms, key=count_own_headings)


def _fold(headings: Iterable[tuple[str, int]]) -> frozenset[tuple[str, int]]:
    return frozenset((text.casefold(), level) for text, level in headings)
