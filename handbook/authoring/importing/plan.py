"""What an import would write, the report of it, and the writing of all files or none."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from handbook.authoring.importing.dates import DayOrder
from handbook.authoring.importing.drafts import RecordDraft
from handbook.authoring.importing.sources import ImportedFile, Skipped, Sources, make_unreadable
from handbook.authoring.importing.targets import LinkTargets
from handbook.authoring.journal import write_files
from handbook.authoring.rewriting import Pass
from handbook.handbook import Handbook

_PLAIN_VALUE: Final = re.compile(r"[A-Za-z0-9_./@:+-]*[A-Za-z0-9]")
_RESERVED: Final = frozenset(("null", "true", "false", "yes", "no", "on", "off"))
RELATIONS: Final = ("supersedes", "superseded_by")
"""The values that another file can state."""
_NOT_IN_TABLE: Final = frozenset(("id", "number", "format", "service", "services"))


@dataclass(frozen=True)
class ImportOptions:
    """Options of an import.

    `words` maps other status words to statuses, `order` is the order of dates such as 03/04/2021,
    and `services` are the services of the records.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    order: DayOrder | None = None
    today: date = date.min
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """A value, and the line of the source that states it. `line` is None for the file name."""

    value: Any
    line: int | None = None


NOT_STATED: Final = Value(None)
"""The value of a fact that no source states."""


@dataclass(frozen=True)
class ImportedRecord:
    """A record to write.

    `values` are JSON values by name, and `lines` the lines that state them. `missing` are the gaps.
    `left_out` describes what the record does not take over. `passes` changed its body.
    """

    source: str
    path: str
    text: str
    values: Mapping[str, Any]
    lines: Mapping[str, int | None] = field(default_factory=dict)
    conflicts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    passes: tuple[Pass, ...] = ()


@dataclass(frozen=True)
class Plan:
    """All records of an import, the files to copy, and the files that are skipped."""

    records: tuple[ImportedRecord, ...]
    skipped: tuple[Skipped, ...]
    attachments: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, bytes]:
        """The content of each file to write, by path from the root."""
        texts = {record.path: record.text.encode() for record in self.records}
        return {**texts, **self.attachments}

    @property
    def has_errors(self) -> bool:
        """True if a file cannot be read. Then nothing is written."""
        return any(skipped.is_error for skipped in self.skipped)

    def write(self, root: Path) -> None:
        """Write all files below the root, or none. Raises WriteError, also if one exists."""
        files = {root / path: content for path, content in self.files.items()}
        write_files(root, files, dict.fromkeys(files))


def make_plan(
    handbook: Handbook,
    sources: Sources,
    pending: Sequence[tuple[RecordDraft, Callable[[], ImportedRecord]]],
) -> Plan:
    """Rewrite the links of all records, and write each record with its function.

    A record that cannot be read after the rewrites is skipped with an error.
    """
    targets = LinkTargets(handbook, sources, [draft for draft, _ in pending])
    targets.rewrite()
    records = []
    for draft, write in pending:
        if problem := draft.body.source.problem:
            sources.skipped.append(make_unreadable(draft.file.path, problem))
        else:
            records.append(write())
    skipped = sorted(sources.skipped, key=lambda entry: entry.source)
    return Plan(tuple(records), tuple(skipped), targets.attachments)


def write_document(values: Mapping[str, Any], file: ImportedFile, today: date, body: str) -> str:
    """Return the text of a record: front matter with these values and `imported`, then the body.

    Empty values are left out. Lists and mappings can be nested once.
    """
    lines = [line for key, value in values.items() for line in _write_entry(key, value)]
    lines += [
        "imported:",
        f"  from: {_write_value(file.origin)}",
        f"  date: {today}",
        f"  sha256: {file.sha256}",
    ]
    separator = "" if body.startswith("\n") else "\n"
    return "---\n" + "".join(f"{line}\n" for line in lines) + f"---{separator}{body}"


def _write_entry(key: str, value: Any) -> Iterator[str]:
    if value in (None, "", (), [], {}):
        return
    if isinstance(value, list | tuple) and isinstance(value[0], Mapping):
        yield f"{key}:"
        yield from (f"  - {_write_value(item)}" for item in value)
    else:
        yield f"{key}: {_write_value(value)}"


def _write_value(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_write_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_write_value, value))}]"
    text = f"{value}"
    is_plain = _PLAIN_VALUE.fullmatch(text) and text[0] not in "@:-"
    if is_plain and ": " not in text and text.lower() not in _RESERVED:
        return text
    return json.dumps(text, ensure_ascii=False)


def to_json(plan: Plan) -> str:
    """Return the report of an import as JSON."""
    document = {
        "records": [
            {
                "source": record.source,
                "path": record.path,
                **record.values,
                "missing": list(record.missing),
                "conflicts": list(record.conflicts),
                "left_out": list(record.left_out),
            }
            for record in plan.records
        ],
        "skipped": [
            {"source": skipped.source, "reason": skipped.reason} for skipped in plan.skipped
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def to_text(plan: Plan) -> str:
    """Return the report of an import as text: a table of records, then lists of remarks."""
    lines = list(_make_table(plan.records))
    for heading, remarks in (
        ("conflicts", _list_remarks(plan.records, "conflicts")),
        ("not taken over", _list_remarks(plan.records, "left_out")),
        ("new numbers", _list_renumbered(plan.records)),
        ("skipped", (f"{skipped.source}: {skipped.reason}" for skipped in plan.skipped)),
    ):
        if texts := list(remarks):
            lines += ["", f"{heading}:", *(f"  {text}" for text in texts)]
    lines += ["", _summarise(plan)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _make_table(records: Iterable[ImportedRecord]) -> Iterator[str]:
    """Yield the lines of a table: file, record, format, taken values, and missing facts."""
    rows = [("FILE", "RECORD", "FORMAT", "TAKEN (LINE)", "NOT RECORDED")]
    rows += [
        (
            record.source,
            record.path,
            record.values.get("format") or "",
            _list_taken(record),
            ", ".join(record.missing) or "-",
        )
        for record in records
    ]
    if len(rows) == 1:
        return
    widths = [max(map(_measure, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell + " " * (width - _measure(cell)) for cell, width in zip(row, widths, strict=True)
        )
        yield "  ".join(cells).rstrip()


def _measure(text: str) -> int:
    """Return the number of columns of a text. A wide character has two."""
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def _list_taken(record: ImportedRecord) -> str:
    """Return the values of a record with their lines, or with the other place they are from."""
    return ", ".join(
        f"{name.replace('_', ' ')}{_format_value(name, value)}{_place(name, record.lines)}"
        for name, value in record.values.items()
        if name not in _NOT_IN_TABLE and value not in (None, [], "")
    )


def _format_value(name: str, value: Any) -> str:
    if name == "title":
        return ""
    return " " + ("+".join(map(str, value)) if isinstance(value, list) else f"{value}")


def _place(name: str, lines: Mapping[str, int | None]) -> str:
    other = "other file" if name in RELATIONS else "name"
    return f" ({lines.get(name) or other})"


def _list_remarks(records: Iterable[ImportedRecord], name: str) -> Iterator[str]:
    for record in records:
        for remark in getattr(record, name):
            yield f"{record.source}: {remark}"


def _list_renumbered(records: Iterable[ImportedRecord]) -> Iterator[str]:
    for record in records:
        number, id = record.values.get("number"), record.values.get("id")
        if number is not None and id is not None and id != f"ADR-{number:04}":
            yield f"{record.source}: {number} is now {id}"


def _summarise(plan: Plan) -> str:
    errors = sum(skipped.is_error for skipped in plan.skipped)
    skipped = len(plan.skipped) - errors
    counts = f"{_count(len(plan.records), 'record')}, {_count(skipped, 'file')} skipped"
    if errors:
        return f"{counts}, {_count(errors, 'file')} cannot be read; nothing is written"
    return counts


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
