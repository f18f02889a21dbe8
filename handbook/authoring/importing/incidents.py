"""Rewrite the timeline and the actions of a post-mortem into the form of this handbook.

A list or a table is rewritten only if the form of all its entries is clear. Otherwise it stays.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from itertools import pairwise
from typing import Final

from handbook.authoring.importing.dates import DayOrder, find_dates
from handbook.authoring.importing.moments import CLOCK, UTC_NAME, is_utc, read_clock, read_zone
from handbook.authoring.rewriting import BodyDraft, Rewrite
from handbook.reading.body import extract_text
from handbook.reading.parser import MarkdownNode, NodeKind
from handbook.records.postmortem import ACTION_COLUMNS, ACTIONS, TIMELINE

_TIMELINE_HEADINGS: Final = frozenset(
    (
        "timeline",
        "incident timeline",
        "timeline of events",
        "timeline of the incident",
        "timeline summary",
        "detailed timeline",
    )
)
_ACTION_HEADINGS: Final = frozenset(
    (
        "action items",
        "actions",
        "action points",
        "follow-up actions",
        "follow-up items",
        "follow-up",
        "follow-ups",
        "follow up",
        "follow ups",
        "followups",
    )
)
_KNOWN: Final = (TIMELINE, ACTIONS, "Action Items")
"""Headings that stay, because the forms of post-mortems have them."""
_ZONE_OF_HEADING: Final = re.compile(r"\s*[(\[,]?\s*(?:all times\s+)?(?:in\s+)?UTC\s*[)\]]?$", re.I)
_DAY: Final = r"(?:(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:T|[ ,:]+))?"
_UTC: Final = rf"(?P<utc>\s*(?:\((?:UTC|GMT)\)|{UTC_NAME}))?"
_ENTRY: Final = re.compile(
    rf"(?P<open>\*\*|__|`|\[|\()?{_DAY}{CLOCK}{_UTC}\s*:?(?P<close>[*_`\])]*)"
    r"(?:\s*[-–—:]+\s*|\s+)(?P<event>\S)",
    re.IGNORECASE,
)
_OWN_ENTRY: Final = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2} )?[0-9]{2}:[0-9]{2} —")
_CELL: Final = re.compile(rf"{_DAY}{CLOCK}{_UTC}", re.IGNORECASE)
_CLOSING: Final = {"**": "**", "__": "__", "`": "`", "[": "]", "(": ")", None: ""}
_OTHER_ZONE: Final = re.compile(
    r"\(?(?:[A-Z]{1,4}T|[ECMP]T|UTC|GMT|Z)\b|[0-9]{1,2}:[0-9]{2}|[~?+(]"
)
"""The start of a text after a time that is then no clear time in UTC."""
_TIME_COLUMN: Final = re.compile(
    r"(?:date|day|time|timestamp|when|date (?:and|&) time|date/time)"
    r"(?P<utc>\s*[(,]?\s*(?:in )?UTC\)?)?",
    re.IGNORECASE,
)
_MARKS: Final = re.compile(r"[*_`]")
_TASK: Final = re.compile(r"\[[ xX]\](?:\s+|$)")
_HARD_BREAK: Final = re.compile(r"(?: {2,}|\\)\n")
_ONLY_LINK: Final = re.compile(r"<?https?://\S+|\[[^\[\]]+\]\([^()\s]+\)")
_BLANK_BEFORE: Final = re.compile(r"(?:\A|\n)[ \t]*\n\Z|\A\Z")
_TEXT: Final = (NodeKind.PARAGRAPH, NodeKind.PLAIN)


@dataclass(frozen=True, slots=True)
class _StatedEvent:
    """An entry of a timeline. The range of its time in the body is from `start` to `end`."""

    start: int
    end: int
    day: date | None
    clock: time
    event: str = ""


@dataclass
class _Timeline:
    """A list or a table of a timeline, with its entries."""

    node: MarkdownNode
    entries: list[_StatedEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Rewrites of a section, and the number of entries or rows that they make.

    `line` is the first line of the list or the table.
    """

    rewrites: tuple[Rewrite, ...] = ()
    count: int = 0
    line: int | None = None


NO_CONVERSION: Final = Conversion()
"""The result for a section whose form is not clear."""


def read_timeline_days(body: BodyDraft) -> Mapping[date, int]:
    """Return the days in the tables of the timeline, each with the line of its first row.

    Returns {} if a row has no day.
    """
    days: dict[date, int] = {}
    for node in _find_section(body, _TIMELINE_HEADINGS)[1:]:
        if node.kind is NodeKind.TABLE:
            for row in node.children[1:]:
                stated = list(find_dates(_read_cells(body.text, row)[0]))
                if len(stated) != 1 or stated[0].day is None:
                    return {}
                days.setdefault(stated[0].day, _line_of(body, row))
    return days


def convert_timeline(body: BodyDraft, order: DayOrder | None) -> Conversion:
    """Rewrite the lists and tables of the timeline to lists of entries `HH:MM — text`.

    Only times in UTC are rewritten. If they are not in order, nothing is. A list below a heading
    without a day stays if other entries have a day.
    """
    section = _find_section(body, _TIMELINE_HEADINGS)
    if not section:
        return NO_CONVERSION
    title = extract_text(section[0].children)
    are_utc = bool(_ZONE_OF_HEADING.search(title)) or is_utc(read_zone(body.text))
    timelines: list[_Timeline] = []
    day: date | None = None
    is_below_heading = False
    for node in section[1:]:
        if node.kind is NodeKind.HEADING:
            days = [stated.day for stated in find_dates(extract_text(node.children), order)]
            day = days[0] if len(days) == 1 else None
            is_below_heading = True
        elif timeline := _read_timeline(body.text, node, day, are_utc=are_utc):
            has_days = any(entry.day for other in timelines for entry in other.entries)
            if not (is_below_heading and has_days and timeline.entries[0].day is None):
                timelines.append(timeline)
                is_below_heading = False
    entries = [entry for timeline in timelines for entry in timeline.entries]
    if not entries or not _are_in_order(entries):
        return Conversion(tuple(_hide_times(body.text, section[1:])))
    others = [node for node in section[1:] if all(node is not other.node for other in timelines)]
    rewrites = [
        *_rewrite_heading(body.text, section[0], TIMELINE),
        *_hide_times(body.text, others),
    ]
    present: date | None = None
    for timeline in timelines:
        rewrites += _write_timeline(body.text, timeline, present)
        present = next((entry.day for entry in reversed(timeline.entries) if entry.day), present)
    return Conversion(tuple(rewrites), len(entries), _line_of(body, timelines[0].node))


def _hide_times(body: str, nodes: Iterable[MarkdownNode]) -> Iterator[Rewrite]:
    """Change the dash after times that are not known to be in UTC, so that nothing reads them."""
    for node in nodes:
        for item in node.walk():
            if item.kind is NodeKind.ITEM and item.children:
                child = item.children[0]
                if child.kind in _TEXT and (match := _OWN_ENTRY.match(body, child.start)):
                    yield Rewrite(match.end() - 1, "—", "–", "time of an unknown zone")


def _line_of(body: BodyDraft, node: MarkdownNode) -> int:
    return body.source.at_body(node.start).line


def _find_section(body: BodyDraft, names: Collection[str]) -> list[MarkdownNode]:
    """Return the first heading with one of these names, and the blocks of its section."""
    section: list[MarkdownNode] = []
    for node in body.tree.children:
        if node.kind is NodeKind.HEADING:
            if section and (node.number or 0) <= (section[0].number or 0):
                break
            text = _ZONE_OF_HEADING.sub("", extract_text(node.children)).strip(" :").lower()
            if not section and (node.number or 0) > 1 and text in names:
                section.append(node)
                continue
        if section:
            section.append(node)
    return section


def _rewrite_heading(body: str, heading: MarkdownNode, name: str) -> Iterator[Rewrite]:
    """Change the text of a heading to the name that our forms have."""
    text = extract_text(heading.children)
    if text in _KNOWN or not heading.children:
        return
    start, end = heading.children[0].start, heading.children[-1].end
    yield Rewrite(start, body[start:end], name, "heading of the section")


def _read_timeline(
    body: str, node: MarkdownNode, day: date | None, *, are_utc: bool
) -> _Timeline | None:
    """Read a list or a table whose entries all have a clear time. `day` is of the first one."""
    if node.kind is NodeKind.LIST:
        entries = [_read_item(body, item, are_utc=are_utc) for item in node.children]
    elif node.kind is NodeKind.TABLE and len(node.children[0].children) == 2:
        head = _MARKS.sub("", _read_cells(body, node.children[0])[0]).strip()
        match = _TIME_COLUMN.fullmatch(head)
        if match is None:
            return None
        are_utc = are_utc or bool(match["utc"])
        entries = [_read_row(body, row, are_utc=are_utc) for row in node.children[1:]]
    else:
        return None
    clear = [entry for entry in entries if entry]
    if not clear or len(clear) < len(entries):
        return None
    first = clear[0]
    if day and not first.day:
        clear[0] = _StatedEvent(first.start, first.end, day, first.clock, first.event)
    return _Timeline(node, clear)


def _read_item(body: str, item: MarkdownNode, *, are_utc: bool) -> _StatedEvent | None:
    paragraph = item.children[0] if item.children else None
    if paragraph is None or paragraph.kind not in _TEXT:
        return None
    match = _ENTRY.match(body, paragraph.start, paragraph.end)
    if match is None or match["close"] != _CLOSING[match["open"]]:
        return None
    if _OTHER_ZONE.match(body, match.start("event"), paragraph.end):
        return None
    return _make_entry(match, paragraph.start, match.start("event"), "", are_utc=are_utc)


def _read_row(body: str, row: MarkdownNode, *, are_utc: bool) -> _StatedEvent | None:
    first, event = _read_cells(body, row)
    match = _CELL.fullmatch(_MARKS.sub("", first).strip())
    if match is None or not event:
        return None
    return _make_entry(match, row.start, row.end, event, are_utc=are_utc)


def _make_entry(
    match: re.Match[str], start: int, end: int, event: str, *, are_utc: bool
) -> _StatedEvent | None:
    clock = read_clock(match)
    if clock is None or not (are_utc or match["utc"]):
        return None
    try:
        day = date.fromisoformat(match["day"]) if match["day"] else None
    except ValueError:
        return None
    return _StatedEvent(start, end, day, clock, event)


def _read_cells(body: str, row: MarkdownNode) -> list[str]:
    return [body[cell.start : cell.end].strip().strip("|").strip() for cell in row.children]


def _are_in_order(entries: Sequence[_StatedEvent]) -> bool:
    """Return whether the times do not decrease, and no entry is above the first with a day."""
    if any(entry.day for entry in entries) and entries[0].day is None:
        return False
    day = date.min
    moments = []
    for entry in entries:
        day = entry.day or day
        moments.append((day, entry.clock))
    return all(earlier <= later for earlier, later in pairwise(moments))


def _write_timeline(body: str, timeline: _Timeline, present: date | None) -> Iterator[Rewrite]:
    """Yield the rewrites of a list or a table. `present` is the day of the entry before it."""
    lines = []
    for entry in timeline.entries:
        is_new = entry.day is not None and entry.day != present
        present = entry.day or present
        label = f"{f'{entry.day} ' if is_new else ''}{entry.clock:%H:%M} — "
        if timeline.node.kind is NodeKind.LIST:
            old = body[entry.start : entry.end]
            yield Rewrite(entry.start, old, label, "entry of the timeline")
        else:
            event = entry.event.replace("\\|", "|")
            lines.append(f"- {label}{event}\n")
    if lines:
        yield _replace_block(body, timeline.node, "".join(lines), "table of the timeline to list")


def _replace_block(body: str, node: MarkdownNode, text: str, reason: str) -> Rewrite:
    """Replace a block of the top level by a text with blank lines around it."""
    start = body.rfind("\n", 0, node.start) + 1
    old = body[start : node.end]
    before = "" if _BLANK_BEFORE.search(body[:start]) else "\n"
    following = body[node.end :]
    if not old.endswith("\n"):
        text = text.removesuffix("\n")
        following = following.removeprefix("\n")
    after = "\n" if following.split("\n", 1)[0].strip() else ""
    return Rewrite(start, old, f"{before}{text}{after}", reason)


def convert_actions(body: BodyDraft) -> Conversion:
    """Rewrite the only list of the actions to a table of actions.

    A list stays if an item has more than one paragraph, except for a list of links below it.
    """
    section = _find_section(body, _ACTION_HEADINGS)
    lists = [node for node in section if node.kind is NodeKind.LIST]
    is_clear = all(
        node.kind in (*_TEXT, NodeKind.LIST, NodeKind.THEMATIC_BREAK) for node in section[1:]
    )
    if len(lists) != 1 or not is_clear:
        return NO_CONVERSION
    rows = [_read_action(body.text, item) for item in lists[0].children]
    texts = [row for row in rows if row]
    if len(texts) < len(rows):
        return NO_CONVERSION
    table = f"| {' | '.join(ACTION_COLUMNS)} |\n|{'---|' * len(ACTION_COLUMNS)}\n" + "".join(
        f"| A{number} | {text} | | | {status} |\n".replace("|  |", "| |")
        for number, (text, status) in enumerate(texts, 1)
    )
    rewrites = [
        *_rewrite_heading(body.text, section[0], ACTIONS),
        _replace_block(body.text, lists[0], table, "list of actions to table"),
    ]
    return Conversion(tuple(rewrites), len(texts), _line_of(body, lists[0]))


def _read_action(body: str, item: MarkdownNode) -> tuple[str, str] | None:
    """Return the text and the status of an action, or None if its form is not clear.

    An open box states `open`. A ticked box stays in the text, because `done` needs a date.
    """
    blocks = [node for node in item.children if node.kind is not NodeKind.TASK_MARKER]
    marker = next((node for node in item.walk() if node.kind is NodeKind.TASK_MARKER), None)
    if not blocks or blocks[0].kind not in _TEXT:
        return None
    text = _TASK.sub("", _read_line(body, blocks[0]), count=1)
    is_nested = marker is not None and any(marker in node.walk() for node in blocks[1:])
    links = [
        _read_line(body, child.children[0])
        for node in blocks[1:]
        if node.kind is NodeKind.LIST
        for child in node.children
        if len(child.children) == 1
    ]
    expected = sum(len(node.children) or 1 for node in blocks[1:])
    if not text or is_nested or len(links) != expected or not all(map(_ONLY_LINK.fullmatch, links)):
        return None
    if marker is not None and marker.number == 1:
        text = rf"\[x\] {text}"
    cell = re.sub(r"(?<!\\)\|", r"\|", ", ".join([text, *links]))
    return cell, "open" if marker is not None and marker.number == 0 else ""


def _read_line(body: str, paragraph: MarkdownNode) -> str:
    """Return the Markdown of a paragraph as one line, or "" if it has a hard line break."""
    text = body[paragraph.start : paragraph.end].strip()
    return "" if _HARD_BREAK.search(text) else re.sub(r"\s*\n[ \t>]*", " ", text)
