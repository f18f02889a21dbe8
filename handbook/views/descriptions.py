"""The description of a page in one or two sentences, for link previews and search engines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from handbook.handbook import Handbook
from handbook.reading.blocks import Block, Paragraph
from handbook.reading.body import extract_text
from handbook.reading.render import MARKS
from handbook.records import Document, Entity, Page, Record
from handbook.records.adr import Adr
from handbook.records.alert import Alert
from handbook.records.postmortem import Postmortem
from handbook.records.runbook import WHEN, Runbook
from handbook.records.service import Service
from handbook.records.standard import Standard
from handbook.views import show_labels

_LONGEST: Final = 200
"""The length of a description, in characters. Chat programs cut longer ones."""

_SECTIONS: Final = {Adr: "Decision", Runbook: WHEN}
"""The section whose first paragraph says what a record is about, by kind of record."""


def describe(handbook: Handbook, entity: Entity) -> str:
    """Describe a record, an alert or a page in plain text. Returns "" if it has no text."""
    if isinstance(entity, Alert):
        return _join(_describe_alert(handbook, entity))
    if not isinstance(entity, Document):
        return ""
    if isinstance(entity, Page | Standard) and (
        description := entity.description if isinstance(entity, Page) else entity.summary
    ):
        return _shorten(description, _LONGEST)
    if team := handbook.find_team(handbook.address(entity)):
        return _describe_team(handbook, team)
    text = _find_text(entity)
    if isinstance(entity, Adr):
        return _join([(entity.status or "").capitalize(), text])
    if isinstance(entity, Postmortem):
        day = f"{entity.started:%Y-%m-%d}" if entity.started else ""
        return _join([entity.severity or "", day, text])
    if isinstance(entity, Runbook):
        return _join([text, entity.severity or "", entity.owner or ""])
    if isinstance(entity, Service):
        return _join([text, f"tier {entity.tier}" if entity.tier else "", entity.owner or ""])
    return _shorten(text, _LONGEST)


def _describe_alert(handbook: Handbook, alert: Alert) -> list[str]:
    """Return what is wrong, the severity and the owner."""
    runbooks = handbook.runbooks_of(alert)
    severities = {runbook.severity for runbook in runbooks if runbook.severity}
    service = handbook.get(Service, alert.service)
    owner = service.owner if service else next((runbook.owner for runbook in runbooks), None)
    return [
        show_labels(alert.summary) or f"Alert of {service.title if service else alert.service}",
        ", ".join(sorted(severities) or alert.severities),
        owner or "",
    ]


def _describe_team(handbook: Handbook, name: str) -> str:
    """Return the channel of a team and the services that it owns."""
    services = [service.title for service in handbook.of(Service) if service.owner == name]
    owned = f"owns {', '.join(services)}" if services else ""
    return _join([f"Team {name}", handbook.settings.team(name).channel or "", owned])


def _find_text(document: Document) -> str:
    """Return the first paragraph of the section that says most, or of the document."""
    section = _SECTIONS.get(type(document))
    blocks: Iterable[Block] = (
        document.section_blocks(section) if section and isinstance(document, Record) else ()
    )
    return _first_paragraph(document, blocks) or _first_paragraph(
        document, (block for block in document.source.blocks if not block.parent)
    )


def _first_paragraph(document: Document, blocks: Iterable[Block]) -> str:
    """Return the text of the first paragraph that calls no macro."""
    for block in blocks:
        if isinstance(block, Paragraph) and "{{" not in block.text:
            # Most paragraphs are plain text. Their parsed nodes would need time and memory.
            text = (
                block.text
                if MARKS.isdisjoint(block.text)
                else extract_text(document.source.node_of(block).children)
            )
            if text := " ".join(text.split()):
                return text
    return ""


def _join(parts: Iterable[str]) -> str:
    """Join the parts of a description. The longest one is shortened."""
    texts = [part for part in parts if part]
    longest = max(texts, key=len, default="")
    room = _LONGEST - sum(len(text) + 3 for text in texts if text is not longest)
    return " · ".join(_shorten(text, room) if text is longest else text for text in texts)


def _shorten(text: str, length: int) -> str:
    """Cut a text at the end of a word."""
    if len(text) <= length:
        return text
    return text[: length - 1].rpartition(" ")[0].rstrip(",;:.") + "…"
