"""Decisions, which are architecture decision records (ADRs)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from handbook.reading.fields import Choice, Day, Group, Many, Person, Reading, RecordId, field
from handbook.reading.nodes import Scalar
from handbook.reading.problems import ProblemKind
from handbook.records import Event, Record, ReferenceLabel, next_number
from handbook.records.draft import Draft
from handbook.records.forms import OWN_FORM, FormSection, RecordForm
from handbook.vocabulary import ADR_STATUSES

ALTERNATIVES: Final = "Alternatives considered"
NOTES: Final = "Notes"
"""The section for later insights. It is the last section of a decision."""
_ADR = RecordId("adr", r"ADR-[0-9]{4}", "ADR-0042")
_SUPERSEDED_BY: Final = re.compile(r"superseded by \W*(?:ADR[- ]?)?([0-9]{1,4})\b.*", re.IGNORECASE)
_CONTEXT: Final = "TODO: describe the problem and the constraints on the choice"
_DECISION: Final = "TODO: state the decision, in full sentences"
_OPTIONS: Final = "- TODO: name an option"
_CONSEQUENCES: Final = "TODO: state what becomes easier and what becomes harder"
_MADR: Final = RecordForm(
    "madr",
    "MADR",
    (
        FormSection("Context and Problem Statement", "Context", _CONTEXT),
        FormSection("Decision Drivers", "Decision Drivers", is_required=False),
        FormSection("Considered Options", ALTERNATIVES, _OPTIONS),
        FormSection(
            "Decision Outcome", "Decision", "TODO: name the chosen option, and give the reason"
        ),
        FormSection("Consequences", "Consequences", is_required=False, level=3),
        FormSection("Positive Consequences", "Consequences", is_required=False, level=3),
        FormSection("Negative Consequences", "Consequences", is_required=False, level=3),
        FormSection("Confirmation", "Confirmation", is_required=False, level=3),
        FormSection("Pros and Cons of the Options", ALTERNATIVES, is_required=False),
        FormSection("More Information", "More Information", is_required=False),
    ),
)
"""The template of MADR 2 to 4."""
_NYGARD: Final = RecordForm(
    "nygard",
    "Nygard",
    (
        FormSection("Status", "Status", "See `status` in the front matter."),
        FormSection("Context", "Context", _CONTEXT),
        FormSection("Decision", "Decision", _DECISION),
        FormSection("Consequences", "Consequences", _CONSEQUENCES),
    ),
)
"""The template of Michael Nygard, which adr-tools writes."""


_LABELS_BEFORE_ACCEPTANCE: Final[Mapping[tuple[str | None, str], ReferenceLabel]] = {
    ("proposed", "supersedes"): ReferenceLabel("proposes to supersede", "proposed successor"),
    ("proposed", "amends"): ReferenceLabel("proposes to amend", "proposed amendment"),
    ("rejected", "supersedes"): ReferenceLabel("would have superseded", "rejected successor"),
    ("rejected", "amends"): ReferenceLabel("would have amended", "rejected amendment"),
}
"""The labels of the changes by a decision that is not accepted, by its status and key."""


class TextState(StrEnum):
    """What Git knows about the text of a decided decision, without its notes."""

    UNCHANGED = "unchanged since the decision"
    CHANGED = "changed since the decision"
    UNKNOWN = "unknown, because the clone has no full history"
    UNDATED = "unknown, because no date of the decision is recorded"


class _Status(Choice):
    """The status of a decision. The form of MADR with a successor gets a hint of its own."""

    def parse(self, key: str, node: Scalar, reading: Reading) -> str | None:
        match = _SUPERSEDED_BY.fullmatch(node.text)
        if match is None:
            return super().parse(key, node, reading)
        reading.add_problem(
            ProblemKind.UNKNOWN_VALUE,
            node.at,
            f"unknown value '{node.text}' for '{key}'",
            f"write 'status: superseded' and 'superseded_by: [ADR-{match[1].zfill(4)}]'",
        )
        return None


@dataclass(frozen=True, kw_only=True)
class StatusChange:
    """An earlier status of a decision, with the date on which it began."""

    status: str | None = field(Choice(*ADR_STATUSES), "earlier status", required=True)
    date: datetime.date | None = field(Day(), "date of that status", required=True)


@dataclass(frozen=True, kw_only=True)
class Adr(Record):
    """An architecture decision record (ADR): a decision that affects more than one team."""

    kind: ClassVar[str] = "adr"
    plural: ClassVar[str] = "adrs"
    label: ClassVar[str] = "Decision"
    list_title: ClassVar[str] = "Decisions"
    change_word: ClassVar[str | None] = "decided"
    reference_labels: ClassVar[Mapping[str, ReferenceLabel]] = {
        "services": ReferenceLabel("affects", "affected by"),
        "standards": ReferenceLabel("based on", "basis for"),
        "supersedes": ReferenceLabel("supersedes", "superseded by"),
        "superseded_by": ReferenceLabel("superseded by", "supersedes"),
        "amends": ReferenceLabel("amends", "amended by"),
    }
    folder: ClassVar[str] = "adr"
    file_name: ClassVar[re.Pattern[str]] = re.compile(
        r"(?P<number>[0-9]{4})(?:-[a-z0-9]+(?:-[a-z0-9]+)*)?\.md"
    )
    file_form: ClassVar[str] = "NNNN-slug.md"
    mention: ClassVar[re.Pattern[str] | None] = re.compile(r"ADR-[0-9.]+")
    sections: ClassVar[tuple[str, ...]] = (
        "Context",
        "Decision",
        ALTERNATIVES,
        "Consequences",
    )
    last_section: ClassVar[str | None] = NOTES
    template: ClassVar[Mapping[str, str]] = {
        "Context": _CONTEXT,
        "Decision": _DECISION,
        ALTERNATIVES: "- TODO: name an alternative, and explain why you rejected it",
        "Consequences": _CONSEQUENCES,
    }
    other_forms: ClassVar[tuple[RecordForm, ...]] = (_MADR, _NYGARD)
    optional_if_imported: ClassVar[tuple[str, ...]] = ("status", "date")

    status: str | None = field(
        _Status(*ADR_STATUSES), f"status of the decision: {', '.join(ADR_STATUSES)}", required=True
    )
    date: datetime.date | None = field(
        Day(), "date of the current status, YYYY-MM-DD", required=True
    )
    deciders: tuple[str, ...] = field(
        Many(Person(), text_keys=("decision-makers",)),
        "teams or people that made the decision; required unless proposed",
        aliases=("decision-makers",),
    )
    consulted: tuple[str, ...] = field(
        Many(Person(), text_keys=("consulted",)),
        "teams or people that were asked for their opinion",
    )
    informed: tuple[str, ...] = field(
        Many(Person(), text_keys=("informed",)), "teams or people that were told about the decision"
    )
    history: tuple[StatusChange, ...] = field(
        Many(Group(StatusChange)),
        "earlier statuses, oldest first: {status: proposed, date: 2026-05-11}",
    )
    supersedes: tuple[str, ...] = field(Many(_ADR), "decisions replaced by this one")
    superseded_by: tuple[str, ...] = field(Many(_ADR), "decisions that replaced this one")
    amends: tuple[str, ...] = field(
        Many(_ADR), "decisions partly changed by this one, which stay in force"
    )
    services: tuple[str, ...] = field(
        Many(RecordId("service", r"[a-z0-9]+(?:-[a-z0-9]+)*", "order-service")),
        "services affected by the decision",
    )
    standards: tuple[str, ...] = field(
        Many(RecordId("standard", r"STD-[0-9]{2}", "STD-05")),
        "standards that the decision applies or deviates from",
    )
    review_by: datetime.date | None = field(
        Day(allow_future=True), "date of the next review of this decision"
    )

    @classmethod
    def id_of(cls, path: str) -> str:
        match = cls.file_name.fullmatch(path.removeprefix(f"{cls.folder}/"))
        return f"ADR-{match['number']}" if match else path

    @classmethod
    def new_path(cls, draft: Draft) -> str:
        return f"{cls.folder}/{next_number(cls, draft.existing_paths):04}-{draft.name}.md"

    @classmethod
    def new_values(cls, draft: Draft) -> Mapping[str, str]:
        return (
            {"status": "proposed", "date": f"{draft.today}"}
            if draft.status("proposed") == "proposed"
            else {}
        )

    @classmethod
    def new_keys(cls, draft: Draft) -> Set[str]:
        status = draft.status("proposed")
        keys = {"superseded_by"} if status == "superseded" else set()
        return keys | ({"deciders"} if status != "proposed" and draft.form == OWN_FORM else set())

    @property
    def needs_deciders(self) -> bool:
        """True if the status and the form of the decision ask for its deciders."""
        return self.status not in (None, "proposed") and self.has_own_form

    def _find_gaps(self) -> Iterator[str]:
        yield from super()._find_gaps()
        if not self.deciders and self.status != "proposed":
            yield "deciders"
        alternatives = self.find_section(ALTERNATIVES)
        if alternatives is None or not alternatives.filled:
            yield "alternatives"
        if self.status == "superseded" and not self.superseded_by:
            yield "superseded by"

    def label_reference(self, key: str) -> ReferenceLabel:
        """Return the labels of a reference. A change takes effect only when it is accepted."""
        label = _LABELS_BEFORE_ACCEPTANCE.get((self.status, key))
        return label or super().label_reference(key)

    @property
    def changed(self) -> datetime.date | None:
        return self.date

    @property
    def is_void(self) -> bool:
        """True if the decision is no longer in force, or never was: readers must not follow it."""
        return self.status in ("superseded", "deprecated", "rejected")

    @property
    def has_date_of_status(self) -> bool:
        """True if `date` is the day on which the present status began.

        An imported decision that was superseded still has the date that its author wrote, unless
        its source states the dates of its statuses.
        """
        return not self.is_imported or self.status != "superseded" or bool(self.history)

    @property
    def events(self) -> tuple[Event, ...]:
        changes = [
            *((change.date, change.status) for change in self.history),
            *([(self.date, self.status)] if self.has_date_of_status else []),
        ]
        return tuple(Event(day, status) for day, status in changes if day and status)
