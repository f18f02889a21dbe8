"""Import runbooks: title and alerts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from handbook.authoring.importing.drafts import (
    RecordDraft,
    choose_path,
    fold,
    is_title_stated_alike,
    read_draft,
    rewrite_body,
)
from handbook.authoring.importing.plan import (
    ImportedRecord,
    ImportOptions,
    Plan,
    Value,
    make_plan,
    write_document,
)
from handbook.authoring.importing.sources import (
    ImportedFile,
    Skipped,
    find_sources,
)
from handbook.authoring.importing.statements import (
    Statement,
    describe_keys,
    find_statements,
    strip_links,
)
from handbook.authoring.new import make_slug
from handbook.handbook import Handbook
from handbook.reading.source import Source, read_source
from handbook.records import ALERT_NAME, read_document
from handbook.records.alert import Alert
from handbook.records.runbook import Runbook

_LABELS: Final = dict.fromkeys(("alert", "alerts", "alert name", "alertname"), "alerts")
_HEADINGS: Final = {"alerts": frozenset(("alert", "alerts"))}
_NAME: Final = re.compile(ALERT_NAME)
_MARKS: Final = re.compile(r"[*`]")
_SEVERAL_WORDS: Final = re.compile(r"[a-z0-9][A-Z]|[A-Z]{2}[a-z]")
_WORD_START: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""The start of a word in a name such as `KubeAPIDown`."""
_TITLE_PREFIX: Final = re.compile(r"(?:alert|runbook)\s*[:–—-]\s*", re.IGNORECASE)


@dataclass
class _RunbookDraft:
    """A runbook while it is imported. `alerts` has the alerts with the lines that state them."""

    record: RecordDraft
    alerts: tuple[Value, ...]
    is_stated_by_key: bool = False


def plan_runbooks(handbook: Handbook, folder: Path, options: ImportOptions) -> Plan:
    """Read the runbooks below a folder, and return what an import would write.

    All of them are runbooks of the first service of the options. Raises NotADirectoryError if
    `folder` is not a folder.
    """
    service = options.services[0]
    sources = find_sources(folder, handbook)
    drafts = []
    taken = set(handbook.documents)
    for file in sources.files:
        draft = _read(file, handbook, service)
        if isinstance(draft, Skipped):
            sources.skipped.append(draft)
            continue
        slug = make_slug(split_words(file.stem)) or make_slug(draft.record.title.text) or "runbook"
        draft.record.path = choose_path(f"{Runbook.folder}/{service}/{slug}", taken)
        taken.add(draft.record.path)
        drafts.append(draft)
    for draft in drafts:
        rewrite_body(draft.record.body, draft.record.title)
    pending = [(draft.record, partial(_write, draft, handbook, options)) for draft in drafts]
    return make_plan(handbook, sources, pending)


def split_words(name: str) -> str:
    """Return a name such as `KubeAPIDown` as words, such as `Kube API Down`."""
    return _WORD_START.sub(" ", name)


def _read(file: ImportedFile, handbook: Handbook, service: str) -> _RunbookDraft | Skipped:
    record = read_draft(file, file.stem)
    if isinstance(record, Skipped):
        return record
    alerts = list(_read_alerts(record))
    allowed = list(_leave_foreign(alerts, record, handbook, service))
    is_stated_by_key = bool(allowed) and allowed == alerts and _has_key(record.original)
    return _RunbookDraft(record, tuple(allowed), is_stated_by_key)


def _has_key(source: Source) -> bool:
    mapping = source.front_matter.mapping if source.front_matter else None
    return any(entry.key.lower() in _LABELS for entry in mapping.entries) if mapping else False


def _read_alerts(record: RecordDraft) -> Iterator[Value]:
    """Yield the alerts of a runbook: those that it states, or else the one that it is named after.

    A file name counts before the title, because `runbook_url` names the file. A name of one word is
    an alert only if a runbook in the form of the Prometheus operator has it.
    """
    source = record.body.source
    labelled = {
        name: Value(name, statement.line)
        for statement in find_statements(source, _LABELS, _HEADINGS)
        for name in _split_names(statement)
    }
    if labelled:
        yield from labelled.values()
        return
    heading = source.title_heading
    stem, title = record.file.stem, record.title.text
    title = _TITLE_PREFIX.sub("", title.strip("` "), count=1).strip("` ")
    is_prometheus = any(part.text == "Meaning" for part in source.headings)
    name_in_file = stem if _is_alert(stem, is_prometheus=is_prometheus) else None
    name_in_title = title if _is_alert(title, is_prometheus=is_prometheus) else None
    if name_in_file and name_in_title and fold(name_in_file) != fold(name_in_title):
        line = heading.first if heading else 1
        record.conflicts.append(
            f"alert {name_in_file} in the file name, {name_in_title} on line {line}"
        )
    if name_in_file:
        yield Value(name_in_file)
    elif name_in_title and heading:
        yield Value(name_in_title, heading.first)


def _split_names(statement: Statement) -> list[str]:
    """Return the alerts that a statement lists, or [] if it has other words."""
    text = _MARKS.sub("", strip_links(statement.raw))
    names = [name.strip(" .") for name in text.split(",")]
    if statement.place == "front matter":
        return names if all(map(_NAME.fullmatch, names)) else []
    return names if all(_is_alert(name, is_prometheus=False) for name in names) else []


def _is_alert(name: str, *, is_prometheus: bool) -> bool:
    if not _NAME.fullmatch(name):
        return False
    return bool(_SEVERAL_WORDS.search(name)) or (is_prometheus and name[0].isupper())


def _leave_foreign(
    alerts: Iterable[Value], record: RecordDraft, handbook: Handbook, service: str
) -> Iterator[Value]:
    """Yield the alerts that are in no rule file of another service. Each other is a conflict."""
    for value in alerts:
        alert = handbook.get(Alert, value.value)
        if alert is None or alert.service == service:
            yield value
        else:
            place = f"on line {value.line}" if value.line else "in the file name"
            record.conflicts.append(
                f"alert {value.value} {place} is of service '{alert.service}' ({alert.path})"
            )


def _write(draft: _RunbookDraft, handbook: Handbook, options: ImportOptions) -> ImportedRecord:
    """Write the text of a runbook, and its entry in the report."""
    record = draft.record
    alerts = [value.value for value in draft.alerts]
    text = write_document({"alerts": alerts}, record.file, options.today, record.body.text)
    written = read_document(
        Runbook, read_source(record.path, text.encode()), handbook.settings.allowed_values
    )
    values: Mapping[str, Any] = {
        "id": written.id,
        "title": written.title,
        "service": options.services[0],
        "alerts": alerts,
        "format": written.form.label if not written.has_own_form else "plain",
    }
    used = {"title"} if is_title_stated_alike(record.original, record.title) else set()
    used |= set(_LABELS) if draft.is_stated_by_key else set()
    return ImportedRecord(
        source=record.file.path,
        path=record.path,
        text=text,
        values=values,
        lines={
            "title": record.title.line,
            "alerts": next((value.line for value in draft.alerts), None),
        },
        conflicts=tuple(record.conflicts),
        missing=written.gaps,
        left_out=(*describe_keys(record.original, used), *record.left_out),
        passes=tuple(record.body.passes),
    )
