"""Runbooks: what to do when an alert fires, or when a person sees the symptom."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

from handbook.diagnostics import did_you_mean
from handbook.reading.blocks import Block, Code, Heading, Item, Paragraph
from handbook.reading.fields import Choice, Day, Many, RecordId, Text, field
from handbook.reading.parser import MarkdownNode
from handbook.reading.placeholders import is_unwritten
from handbook.records import ALERT_NAME, SLUG, Record, Tie, UnresolvedReference
from handbook.records.draft import TODO, Draft, IncompleteDraftError

_STEP = re.compile(r"Tier (?P<tier>[0-9]+) \((?P<minutes>[0-9]+) min\): (?P<who>.+)", re.DOTALL)
CAUSES = "Common causes and fixes"
ESCALATION = "Escalation"
_ALERTS_INSTEAD: Final = "# or, if an alert leads here: alerts: [AlertName]"
_NEW_CAUSE: Final = """### TODO: name the cause

**Symptom:** TODO: say how the reader knows that it is this cause

**Fix:** TODO: give the command or the steps that fix it"""


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause with what it looks like and what mends it; a part that is missing is None."""

    title: str
    anchor: str
    line: int
    symptom: str | None
    fix: str | None
    heading: Heading
    symptom_paragraph: Paragraph | None = None
    unwritten: bool = False
    """Whether its heading, or text that is neither symptom nor fix, is still a placeholder."""


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the escalation. `tier` and `minutes` are None where the line has another form."""

    text: str
    line: int
    tier: int | None = None
    minutes: int | None = None
    who: str = ""

    @property
    def unwritten(self) -> bool:
        """Whether the whole line is still to be written."""
        return self.tier is None and is_unwritten(self.text)


@dataclass(frozen=True, kw_only=True)
class Runbook(Record):
    """One symptom of one service: how to find the cause, and what mends each."""

    kind: ClassVar[str] = "runbook"
    plural: ClassVar[str] = "runbooks"
    label: ClassVar[str] = "Runbook"
    list_title: ClassVar[str] = "Runbooks"
    ties: ClassVar[Mapping[str, Tie]] = {
        "alerts": Tie("answers", "answered by"),
        "folder": Tie("runbook of", "has runbook"),
    }
    folder: ClassVar[str] = "runbooks"
    depth: ClassVar[int] = 2
    file_name: ClassVar[re.Pattern[str]] = re.compile(rf"{SLUG}/{SLUG}\.md")
    file_form: ClassVar[str] = "<service>/slug.md"
    sections: ClassVar[tuple[str, ...]] = (
        "When to use this runbook",
        "Diagnosis steps",
        CAUSES,
        ESCALATION,
    )
    template: ClassVar[Mapping[str, str]] = {
        "When to use this runbook": "TODO: say what the reader sees when this runbook is the right one",
        "Diagnosis steps": "1. TODO: give the first command or page to check, and say what each answer means",
        CAUSES: _NEW_CAUSE,
        ESCALATION: '- TODO: write "Tier N (minutes min): who"',
    }
    template_keys: ClassVar[tuple[str, ...]] = ("service",)

    alerts: tuple[str, ...] = field(
        Many(RecordId("alert", ALERT_NAME, "OrderServiceHighErrorRate")),
        "the alerts that it answers",
    )
    trigger: str | None = field(Text(), "one sentence: how a person comes here without an alert")
    severity: str | None = field(
        Choice(of="severities"), "the highest it is expected to page at", required=True
    )
    owner: str | None = field(Choice(of="teams"), "the team that keeps it", required=True)
    reviewed: datetime.date | None = field(
        Day(), "the day it was last read against reality", required=True
    )
    exercised: datetime.date | None = field(
        Day(), "the day it was last followed, in an incident or a drill"
    )

    @classmethod
    def new_path(cls, draft: Draft) -> str:
        return f"{cls.folder}/{_given_service(draft)}/{draft.name}.md"

    @classmethod
    def new_keys(cls, draft: Draft) -> Set[str]:
        return set() if {"alerts", "trigger"} & draft.given.keys() else {"trigger"}

    @classmethod
    def new_comment(cls, values: Mapping[str, str]) -> str | None:
        return _ALERTS_INSTEAD if values.get("trigger") == TODO else None

    @property
    def service(self) -> str:
        """The slug of the service, as its folder says."""
        return self.id.split("/")[0]

    def references(self) -> Iterator[UnresolvedReference]:
        yield from super().references()
        if self.well_named:
            yield UnresolvedReference("folder", "service", self.service, self.source.at(1))

    @property
    def changed(self) -> datetime.date | None:
        return self.reviewed

    @property
    def extras(self) -> Mapping[str, Any]:
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
            ),
        }

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """The causes that the body sets out, in its order."""
        inside = self.section_blocks(CAUSES)
        headings = [
            index
            for index, block in enumerate(inside)
            if isinstance(block, Heading) and block.level == 3
        ]
        found = []
        for index, end in zip(headings, [*headings[1:], len(inside)], strict=False):
            heading = inside[index]
            if isinstance(heading, Heading):
                paragraphs = [
                    block
                    for block in inside[index:end]
                    if isinstance(block, Paragraph) and not block.parent
                ]
                texts = [paragraph.text for paragraph in paragraphs]
                codes = [block.text for block in inside[index:end] if isinstance(block, Code)]
                fix = _labelled("Fix", texts)
                symptom = _labelled("Symptom", texts)
                fix = fix or (codes[0] if fix == "" and codes else None)
                unwritten = not (symptom and fix) and self.unwritten(_unlabelled(inside[index:end]))
                labelled = next(
                    (each for each in paragraphs if each.text.startswith("**Symptom:**")), None
                )
                place = (heading.text, heading.id, heading.first)
                found.append(Cause(*place, symptom or None, fix, heading, labelled, unwritten))
        return tuple(found)

    def symptom_parts(self, cause: Cause) -> tuple[MarkdownNode, ...]:
        """The text of the symptom of a cause, as it was parsed."""
        paragraph = cause.symptom_paragraph
        return tuple(self.source.node_of(paragraph).children[1:]) if paragraph else ()

    @cached_property
    def escalation(self) -> tuple[Step, ...]:
        """The lines of the escalation, in their order."""
        found = []
        for block in self.section_blocks(ESCALATION):
            if (
                isinstance(block, Paragraph)
                and isinstance(block.parent, Item)
                and block.first == block.parent.first
            ):
                match = _STEP.fullmatch(block.text)
                if match:
                    found.append(
                        Step(
                            block.text,
                            block.first,
                            int(match["tier"]),
                            int(match["minutes"]),
                            match["who"],
                        )
                    )
                else:
                    found.append(Step(block.text, block.first))
        return tuple(found)


def _given_service(draft: Draft) -> str:
    """The service that a new runbook is given. Raises IncompleteDraftError where it is missing or unknown."""
    service, services = draft.given.get("service"), draft.ids["service"]
    if not services:
        raise IncompleteDraftError(
            "no service for the runbook; add one first: handbook new service …"
        )
    if not service:
        raise IncompleteDraftError(
            "a runbook needs --set service=…, one of: " + ", ".join(services)
        )
    if service not in services:
        hint = did_you_mean(service, services)
        raise IncompleteDraftError(f"there is no service '{service}'{'; ' + hint if hint else ''}")
    return service


def _unlabelled(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks of a cause that are neither its symptom nor its fix."""
    for block in blocks:
        if not (
            isinstance(block, Paragraph) and block.text.startswith(("**Symptom:**", "**Fix:**"))
        ):
            yield block


def _labelled(label: str, texts: list[str]) -> str | None:
    """The text after `**Label:**` in the paragraph that begins with it; None where there is no such paragraph."""
    mark = f"**{label}:**"
    return next((text.removeprefix(mark).strip() for text in texts if text.startswith(mark)), None)
