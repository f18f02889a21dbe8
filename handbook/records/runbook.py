"""Runbooks: the diagnosis, the fixes and the escalation for one symptom of a service."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import dropwhile
from typing import Any, ClassVar, Final

from handbook.diagnostics import did_you_mean
from handbook.reading.blocks import Block, Code, Heading, Item, List, Paragraph
from handbook.reading.command_names import find_command_names
from handbook.reading.fields import Choice, Day, Many, ProseText, RecordId, field
from handbook.reading.filler import is_filler
from handbook.reading.parser import MarkdownNode
from handbook.reading.placeholders import is_unwritten
from handbook.records import ALERT_NAME, SLUG, Record, ReferenceLabel, UnresolvedReference
from handbook.records.draft import TODO, Draft, IncompleteDraftError
from handbook.records.forms import FormSection, RecordForm

_STEP = re.compile(
    r"(?P<mark>\*\*|__|[*_])?Tier (?P<tier>[0-9]+) \((?P<minutes>[0-9]+) min\)"
    r"(?::(?(mark)(?P=mark))|(?(mark)(?P=mark)):) (?P<who>.+)",
    re.DOTALL,
)
"""A step of the escalation. Its tier can be emphasised."""
_SYMPTOM: Final = "**Symptom:**"
_FIX: Final = "**Fix:**"
WHEN: Final = "When to use this runbook"
DIAGNOSIS: Final = "Diagnosis steps"
CAUSES = "Common causes and fixes"
ESCALATION = "Escalation"
_ALERTS_INSTEAD: Final = "# if an alert links to this runbook, set instead: alerts: [AlertName]"
_NEW_CAUSE: Final = """### TODO: name the cause

**Symptom:** TODO: describe the symptom that identifies this cause

**Fix:** TODO: give the command or the steps that fix it"""

_PROMETHEUS: Final = RecordForm(
    "prometheus",
    "Prometheus runbook",
    (
        FormSection("Meaning", WHEN, "TODO: explain what the alert means"),
        FormSection("Impact", "Impact", "TODO: describe what users notice"),
        FormSection(
            "Diagnosis", DIAGNOSIS, "1. TODO: give the first check, and explain each result"
        ),
        FormSection("Mitigation", CAUSES, "TODO: give the commands or the steps that fix it"),
    ),
)
"""The form of the runbooks of the Prometheus operator."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of the problem, with its symptom and its fix. A missing symptom or fix is None."""

    title: str
    anchor: str
    line: int
    symptom: str | None
    fix: str | None
    heading: Heading
    symptom_paragraph: Paragraph | None = None
    has_placeholder: bool = False
    """True if its heading, or a text other than its symptom and fix, is a placeholder."""


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """A list item of the escalation, such as "Tier 1 (15 min): …".

    `tier` and `minutes` are None if the list item is invalid.
    """

    text: str
    line: int
    tier: int | None = None
    minutes: int | None = None
    who: str = ""

    @property
    def is_placeholder(self) -> bool:
        """True if the list item is invalid because it is a placeholder."""
        return self.tier is None and is_unwritten(self.text)


@dataclass(frozen=True, kw_only=True)
class Runbook(Record):
    """A runbook for one symptom of a service."""

    kind: ClassVar[str] = "runbook"
    plural: ClassVar[str] = "runbooks"
    label: ClassVar[str] = "Runbook"
    list_title: ClassVar[str] = "Runbooks"
    change_word: ClassVar[str | None] = "reviewed"
    reference_labels: ClassVar[Mapping[str, ReferenceLabel]] = {
        "alerts": ReferenceLabel("handles", "handled by"),
        "folder": ReferenceLabel("runbook of", "has runbook"),
    }
    folder: ClassVar[str] = "runbooks"
    depth: ClassVar[int] = 2
    file_name: ClassVar[re.Pattern[str]] = re.compile(rf"{SLUG}/{SLUG}\.md")
    file_form: ClassVar[str] = "<service>/slug.md"
    sections: ClassVar[tuple[str, ...]] = (WHEN, DIAGNOSIS, CAUSES, ESCALATION)
    other_forms: ClassVar[tuple[RecordForm, ...]] = (_PROMETHEUS,)
    optional_if_imported: ClassVar[tuple[str, ...]] = ("owner", "severity", "reviewed")
    template: ClassVar[Mapping[str, str]] = {
        WHEN: "TODO: describe when to use this runbook",
        DIAGNOSIS: "1. TODO: give the first check, and explain each result",
        CAUSES: _NEW_CAUSE,
        ESCALATION: '- TODO: write "Tier N (minutes min): who"',
    }
    template_keys: ClassVar[tuple[str, ...]] = ("service",)

    alerts: tuple[str, ...] = field(
        Many(RecordId("alert", ALERT_NAME, "OrderServiceHighErrorRate")),
        "alerts that link to the runbook",
    )
    trigger: str | None = field(
        ProseText(), "one sentence: when to use the runbook without an alert"
    )
    severity: str | None = field(
        Choice(of="severities"), "highest expected severity", required=True
    )
    owner: str | None = field(Choice(of="teams"), "team that maintains it", required=True)
    reviewed: datetime.date | None = field(Day(), "date of the last review", required=True)
    exercised: datetime.date | None = field(Day(), "date of the last use in an incident or drill")

    @classmethod
    def new_path(cls, draft: Draft) -> str:
        return f"{cls.folder}/{_read_service(draft)}/{draft.name}.md"

    @classmethod
    def new_keys(cls, draft: Draft) -> Set[str]:
        return set() if {"alerts", "trigger"} & draft.values.keys() else {"trigger"}

    @classmethod
    def new_comment(cls, values: Mapping[str, str]) -> str | None:
        return _ALERTS_INSTEAD if values.get("trigger") == TODO else None

    def _find_gaps(self) -> Iterator[str]:
        yield from super()._find_gaps()
        if not (self.alerts or self.trigger):
            yield "alerts or trigger"
        if not self.causes:
            yield "causes"
        if not self.escalation:
            yield "escalation"

    @property
    def service(self) -> str:
        """The slug of the service, from the folder of the runbook."""
        return self.id.split("/")[0]

    def find_references(self) -> Iterator[UnresolvedReference]:
        yield from super().find_references()
        if self.has_valid_name:
            yield UnresolvedReference("folder", "service", self.service, self.source.at(1))

    @property
    def changed(self) -> datetime.date | None:
        return self.reviewed

    @property
    def body_values(self) -> Mapping[str, Any]:
        return {
            "service": self.service,
            "causes": tuple(
                {
                    "title": cause.title,
                    "symptom": cause.symptom,
                    "fix": cause.fix,
                    "fragment": cause.anchor,
                }
                for cause in self.causes
            ),
            "escalation": tuple(
                {"tier": step.tier, "minutes": step.minutes, "who": step.who}
                for step in self.escalation
                if step.tier is not None
            ),
        }

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """The causes in the section "Common causes and fixes"."""
        blocks = self.section_blocks(CAUSES)
        headings = [
            index
            for index, block in enumerate(blocks)
            if isinstance(block, Heading) and block.level == 3
        ]
        causes = []
        for index, end in zip(headings, [*headings[1:], len(blocks)], strict=False):
            heading = blocks[index]
            if isinstance(heading, Heading):
                paragraphs = [
                    block
                    for block in blocks[index:end]
                    if isinstance(block, Paragraph) and not block.parent
                ]
                texts = [paragraph.text for paragraph in paragraphs]
                fix = _labelled_text(_FIX, texts)
                symptom = _labelled_text(_SYMPTOM, texts)
                if fix == "":
                    fix = self._read_steps(blocks[index:end])
                has_placeholder = not (symptom and fix) and self.has_placeholder(
                    _other_blocks(blocks[index:end])
                )
                symptom_paragraph = next(
                    (block for block in paragraphs if block.text.startswith(_SYMPTOM)), None
                )
                causes.append(
                    Cause(
                        heading.text,
                        heading.id,
                        heading.first,
                        None if is_filler(symptom or "") else symptom,
                        None if is_filler(fix or "") else fix,
                        heading,
                        symptom_paragraph,
                        has_placeholder,
                    )
                )
        return tuple(causes)

    @cached_property
    def command_heading(self) -> Heading | None:
        """The heading above the first block of code, or None if the runbook has no code."""
        heading = None
        for block in self.source.blocks:
            if isinstance(block, Heading) and block.level > 1:
                heading = block
            elif isinstance(block, Code):
                return heading
        return None

    @cached_property
    def command_names(self) -> tuple[str, ...]:
        """The names that the reader replaces in the commands, such as `<pod>` or `NAME`."""
        return find_command_names(self.source.blocks)

    def _read_steps(self, blocks: Iterable[Block]) -> str | None:
        """Return the first code or list below a paragraph `**Fix:**` without text, or None."""
        below_label = dropwhile(
            lambda block: not (isinstance(block, Paragraph) and block.text.startswith(_FIX)), blocks
        )
        for block in below_label:
            if isinstance(block, Code):
                return block.text
            if isinstance(block, List):
                lines = range(block.first, block.last + 1)
                return "\n".join(self.source.line(line) for line in lines)
        return None

    def symptom_nodes(self, cause: Cause) -> tuple[MarkdownNode, ...]:
        """Return the parsed Markdown nodes of the symptom of a cause."""
        paragraph = cause.symptom_paragraph
        return tuple(self.source.node_of(paragraph).children[1:]) if paragraph else ()

    @cached_property
    def escalation(self) -> tuple[EscalationStep, ...]:
        """The list items in the section "Escalation".

        A nested list item in another form is a detail of a step, not a step.
        """
        steps = []
        for block in self.section_blocks(ESCALATION):
            if (
                isinstance(block, Paragraph)
                and isinstance(block.parent, Item)
                and block.first == block.parent.first
            ):
                match = _STEP.fullmatch(block.text)
                if match and not is_filler(match["who"]):
                    steps.append(
                        EscalationStep(
                            block.text,
                            block.first,
                            int(match["tier"]),
                            int(match["minutes"]),
                            match["who"],
                        )
                    )
                elif not block.parent.is_nested:
                    steps.append(EscalationStep(block.text, block.first))
        return tuple(steps)


def _read_service(draft: Draft) -> str:
    """Return the service of a new runbook.

    Raises IncompleteDraftError if the service is missing or unknown.
    """
    service, services = draft.values.get("service"), draft.ids["service"]
    if not services:
        raise IncompleteDraftError("no services yet; add one first: handbook new service …")
    if not service:
        raise IncompleteDraftError(
            "missing service; add --set service=… with one of: " + ", ".join(services)
        )
    if service not in services:
        hint = did_you_mean(service, services)
        raise IncompleteDraftError(f"unknown service '{service}'{'; ' + hint if hint else ''}")
    return service


def _other_blocks(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield the blocks of a cause, except the paragraphs of its symptom and its fix."""
    for block in blocks:
        if not (isinstance(block, Paragraph) and block.text.startswith((_SYMPTOM, _FIX))):
            yield block


def _labelled_text(label: str, texts: list[str]) -> str | None:
    """Return the text after a label, such as `**Fix:**`, or None if no text has the label."""
    labelled_texts = (text for text in texts if text.startswith(label))
    return next((text.removeprefix(label).strip() for text in labelled_texts), None)
