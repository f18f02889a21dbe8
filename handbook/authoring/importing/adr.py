"""Import decisions: number, title, status, date, supersession and links."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

from handbook.authoring.importing.dates import find_dates, read_compact_date
from handbook.authoring.importing.drafts import RecordDraft, read_body
from handbook.authoring.importing.plan import (
    NOT_STATED,
    ImportedRecord,
    ImportOptions,
    Plan,
    Value,
    make_plan,
    write_document,
)
from handbook.authoring.importing.sources import (
    INDEX,
    TEMPLATE,
    ImportedFile,
    Skipped,
    Sources,
    find_sources,
)
from handbook.authoring.importing.statements import (
    Statement,
    describe_keys,
    find_statements,
    strip_links,
    strip_marks,
)
from handbook.authoring.importing.statuses import StatedStatus, choose_status, read_status
from handbook.authoring.importing.titles import read_title
from handbook.authoring.link_targets import split_target
from handbook.authoring.new import make_slug
from handbook.authoring.rewriting import (
    CitedRecord,
    rewrite_citations,
    rewrite_duplicate_ids,
)
from handbook.diagnostics import Finding
from handbook.handbook import Handbook
from handbook.reading.fields import ANY_PERSON, Person
from handbook.reading.files import read_bytes
from handbook.reading.placeholders import find_placeholder
from handbook.reading.source import Source, read_source
from handbook.records import read_document
from handbook.records.adr import Adr
from handbook.vocabulary import ADR_STATUSES

STATUS: Final = "status"
DATE: Final = "date"
CREATED: Final = "created"
DECIDERS: Final = "deciders"
CONSULTED: Final = "consulted"
INFORMED: Final = "informed"
TAGS: Final = "tags"
SUPERSEDES: Final = "supersedes"
SUPERSEDED_BY: Final = "superseded_by"
_LABELS: Final[Mapping[str, str]] = {
    "status": STATUS,
    "current status": STATUS,
    "state": STATUS,
    "状态": STATUS,
    "statut": STATUS,
    "date": DATE,
    "日期": DATE,
    "datum": DATE,
    "last updated": DATE,
    "last update": DATE,
    "last modified": DATE,
    "updated": DATE,
    "created date": CREATED,
    "created": CREATED,
    "deciders": DECIDERS,
    "decision-makers": DECIDERS,
    "decision makers": DECIDERS,
    "consulted": CONSULTED,
    "informed": INFORMED,
    "tags": TAGS,
    "supersedes": SUPERSEDES,
    "supercedes": SUPERSEDES,
    "superseded by": SUPERSEDED_BY,
    "superceded by": SUPERSEDED_BY,
    "superseded-by": SUPERSEDED_BY,
    "superseded_by": SUPERSEDED_BY,
}
_HEADINGS: Final = {STATUS: frozenset(("status", "状态", "statut", "state"))}
_NAME_NUMBER: Final = re.compile(
    r"(?:adr[-_ ]?)?(?![0-9]{1,2}-[0-9]{1,2}-[0-9]{4}(?![0-9]))(?P<number>[0-9]{1,4})(?=[-_. ]|$)",
    re.IGNORECASE,
)
"""The number of a file name. The first number of a date such as 03-04-2021 is none."""
_NAME_DATE: Final = re.compile(
    r"(?:adr[-_ ])?(?:(?P<day>[0-9]{8})(?![0-9])|(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2})(?![0-9]))",
    re.IGNORECASE,
)
_NAME_PREFIX: Final = re.compile(
    r"(?:adr[-_ ]?)?(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]+)(?=[-_. ]|$)[-_. ]*", re.IGNORECASE
)
_TITLE_PREFIX: Final = (
    r"(?:title:\s*)?"
    r"(?:\[?adr[-_ #]*(?P<adr>[0-9]{{1,4}})(?![0-9]|\.[0-9])\]?\s*(?:[.:)—–|-]+\s*|(?=\s|$)\s*)"
    r"|(?P<bare>[0-9]{{1,4}})\s*(?:[.:)—–]|-)(?=\s|$)\s*"
    r"|0*{number}\s+)?"
    r"(?:title:\s*)?"
)
"""The start of an H1 before the title. A bare number counts if it is also in the file name."""
_PLACEHOLDER_TITLE: Final = re.compile(r"[\[{].+[\]}]|(?:NUMBER\. *)?TITLE")
_WHOLE_SUCCESSOR: Final = re.compile(
    r"super[sc]eded by:?\s*(?:ADR[-\s#]*)?[0-9]{1,4}\.?", re.IGNORECASE
)
_LINK: Final = re.compile(r"\[(?P<text>[^\]]*)\]\(<?(?P<target>[^)\s>]+)")
_MENTION: Final = re.compile(
    r"(?:\bADR[-\s#]*|(?<![\w.-]))([0-9]{1,4})(?!\w|[-/.][0-9])", re.IGNORECASE
)
_ADR_MENTION: Final = re.compile(r"\bADR[-\s#]*([0-9]{1,4})(?!\w|[-/.][0-9])", re.IGNORECASE)
_TARGET: Final = (
    r"(?:\[[^\]]*\]\([^()]*(?:\([^()]*\)[^()]*)*\)|(?:ADR[-\s#]*)?[0-9]{1,4}(?!\w|[-/.][0-9]))"
)
_TARGETS: Final = rf"{_TARGET}(?:\s*(?:,\s*and\b|,|&|\band\b)\s*{_TARGET})*"
_SUPERSESSION: Final = re.compile(
    r"(?:^|[.;,:&(|>*-]|\band\b)\s*"
    r"(?:(?:this\s+(?:decision|adr|record)|it)\s+)?(?:(?:is|was|has\s+been|now)\s+)*"
    r"(?:super[sc]eded(?:\s*[:,]?\s*(?:on\s+)?[0-9]{4}-[0-9]{2}-[0-9]{2})?[\s-]+(?P<by>by)"
    r"|super[sc]edes)\s*:?\s*"
    rf"(?P<targets>{_TARGETS})"
    r"(?P<rest>\s*(?:$|[.;,&)(\n]|on\b|\b(?:amends|amended|completes|relates|see|but\s+not)\b).*)",
    re.IGNORECASE | re.DOTALL,
)
"""A sentence part that states a supersession: the verb, then only decisions.

A verb after another word, as in "not superseded by" or "may be superseded by", states none.
"""
_WHOLE_TARGETS: Final = re.compile(rf"\W*{_TARGETS}\W*|[0-9]{{1,4}}[\w-]*\.md", re.IGNORECASE)
"""A whole value that names decisions, by links, numbers or a file name."""
_PARTLY: Final = re.compile(
    r"\b(?:in part|partly|partially|parts? of|except|excluding|only)\b", re.IGNORECASE
)
_LAST_NUMBER: Final = 9999
_LONGEST_SLUG: Final = 100


@dataclass(kw_only=True)
class _Decision(RecordDraft):
    """A decision while it is imported."""

    number: int | None
    format: str
    statements: tuple[Statement, ...]
    status: Value = NOT_STATED
    date: Value = NOT_STATED
    history: tuple[StatedStatus, ...] = ()
    id: str = ""
    supersedes: dict[str, int | None] = field(default_factory=dict)
    superseded_by: dict[str, int | None] = field(default_factory=dict)

    def relations(self, key: str) -> dict[str, int | None]:
        """Return the ids of a relation, with the lines that state them."""
        return self.supersedes if key == SUPERSEDES else self.superseded_by


def plan_adrs(handbook: Handbook, folder: Path, options: ImportOptions) -> Plan:
    """Read the decisions below a folder, and return what an import would write.

    Raises NotADirectoryError if `folder` is not a folder, and OverflowError if no number is free.
    """
    sources = find_sources(folder, handbook)
    drafts = []
    for file in sources.files:
        draft = _read(file, options)
        if isinstance(draft, Skipped):
            sources.skipped.append(draft)
        else:
            drafts.append(draft)
    _assign_ids(drafts, handbook)
    numbers = _Numbers(drafts, sources)
    _relate(drafts, numbers)
    _compare_with_indexes(drafts, sources, options)
    for draft in drafts:
        _rewrite(draft, numbers)
    pending = [(draft, partial(_write, draft, handbook, options)) for draft in drafts]
    return make_plan(handbook, sources, pending)


def _read(file: ImportedFile, options: ImportOptions) -> _Decision | Skipped:
    """Read the metadata of a file. A file that cannot be read is skipped with an error."""
    read = read_body(file)
    if isinstance(read, Skipped):
        return read
    original, body = read
    source = body.source
    statements = tuple(find_statements(source, _LABELS, _HEADINGS))
    number, day = _read_name(file.stem)
    title = read_title(source, _make_title_prefix(number), _title_of_name(file.stem))
    if _PLACEHOLDER_TITLE.fullmatch(title.text):
        return Skipped(file.path, TEMPLATE)
    stated = (title.prefix["adr"] or title.prefix["bare"]) if title.prefix else None
    heading_number = int(stated) if stated else None
    draft = _Decision(
        file=file,
        original=original,
        body=body,
        number=number if number is not None else heading_number,
        title=title,
        format=_name_format(source, statements, file),
        statements=statements,
        conflicts=[*file.conflicts, *title.conflicts],
    )
    if number is not None and heading_number not in (None, number):
        draft.conflicts.append(
            f"number {number} in the file name, {heading_number} on line {title.line}"
        )
    _read_status(draft, options)
    _read_date(draft, day, options)
    return draft


def _read_name(stem: str) -> tuple[int | None, date | None]:
    """Return the number and the date at the start of a file name."""
    if match := _NAME_DATE.match(stem):
        text = match["day"] or match["iso"].replace("-", "")
        return None, read_compact_date(text)
    match = _NAME_NUMBER.match(stem)
    return (int(match["number"]), None) if match else (None, None)


def _make_title_prefix(number: int | None) -> re.Pattern[str]:
    """Return the pattern of what precedes the title in the H1 of a file with this number."""
    pattern = _TITLE_PREFIX.format(number="(?!)" if number is None else number)
    return re.compile(pattern, re.IGNORECASE)


def _title_of_name(stem: str) -> str:
    """Return the title of a file without one: the words of its name."""
    text = re.sub(r"[-_]+", " ", _NAME_PREFIX.sub("", stem, count=1)).strip() or stem
    return text[:1].upper() + text[1:]


def _name_format(source: Source, statements: tuple[Statement, ...], file: ImportedFile) -> str:
    """Return a word for the format of a file, for the report."""
    headings = {heading.text.lower() for heading in source.headings}
    places = {statement.place for statement in statements}
    if _NAME_DATE.match(file.stem) and "line" in places:
        return "log4brains"
    if "considered options" in headings or "decision outcome" in headings:
        return "MADR"
    if "section" in places:
        return "Nygard"
    for place, name in (("front matter", "front matter"), ("table", "table"), ("line", "lines")):
        if place in places:
            return name
    return "plain"


def _read_status(draft: _Decision, options: ImportOptions) -> None:
    """Read the status. Different statuses are a conflict, and none of them is used."""
    statuses = [
        status
        for statement in draft.statements
        if statement.name == STATUS
        and (status := read_status(statement, ADR_STATUSES, options.words, options.order))
    ]
    choice = choose_status(statuses)
    draft.conflicts.extend(choice.conflicts)
    draft.history = choice.history
    if status := choice.status:
        draft.status = Value(status.word, status.line)
        if status.day:
            draft.date = Value(status.day, status.line)


def _read_date(draft: _Decision, day_of_name: date | None, options: ImportOptions) -> None:
    """Read the date. The first of two different dates is used, and they are a conflict."""
    stated = [Value(draft.date.value, draft.date.line)] if draft.date.value else []
    ambiguous = False
    for name in (DATE, CREATED):
        dates = [
            Value(stated_date.day, statement.line)
            for statement in draft.statements
            if statement.name == name
            for stated_date in find_dates(statement.text, options.order)
        ]
        stated += [value for value in dates if value.value]
        ambiguous = any(value.value is None for value in dates)
        if dates:
            break
    if day_of_name and (stated or not ambiguous):
        stated.append(Value(day_of_name))
    others = [value for value in stated if value.value != stated[0].value]
    if stated:
        draft.date = stated[0]
    if others:
        draft.conflicts.append(
            "date " + ", ".join(_describe_date(value) for value in (stated[0], *others))
        )


def _describe_date(value: Value) -> str:
    place = f"on line {value.line}" if value.line else "in the file name"
    return f"{value.value} {place}"


def _assign_ids(drafts: list[_Decision], handbook: Handbook) -> None:
    """Give each decision a number. The first by path keeps a number, the others get new ones."""
    taken = {
        int(match[0])
        for path in handbook.documents
        if Adr.owns(path) and (match := re.match("[0-9]{4}", path.removeprefix("adr/")))
    }
    numbers: dict[int, int] = {}
    for index, draft in enumerate(drafts):
        if draft.number is not None and draft.number not in taken:
            taken.add(draft.number)
            numbers[index] = draft.number
    following = chain(range(max([*taken, 0]) + 1, _LAST_NUMBER + 1), range(1, _LAST_NUMBER + 1))
    for index, draft in enumerate(drafts):
        number = numbers.get(index)
        if number is None:
            number = next((free for free in following if free not in taken), None)
            if number is None:
                raise OverflowError(f"no number up to {_LAST_NUMBER} is free")
            taken.add(number)
        slug = _shorten(make_slug(draft.title.text))
        draft.id = f"ADR-{number:04}"
        draft.path = f"{Adr.folder}/{number:04}{f'-{slug}' if slug else ''}.md"


def _shorten(slug: str) -> str:
    """Return the first words of a slug, so that it can be a file name."""
    if len(slug) <= _LONGEST_SLUG:
        return slug
    words, _, _ = slug[: _LONGEST_SLUG + 1].rpartition("-")
    return words or slug[:_LONGEST_SLUG]


class _Numbers:
    """The decisions that a text can cite, by number and by the path of the source."""

    def __init__(self, drafts: Sequence[_Decision], sources: Sources) -> None:
        self.by_path: dict[str, CitedRecord] = {
            path: CitedRecord(_read_name(Path(path).stem)[0], record.id)
            for path, record in sources.imported.items()
            if isinstance(record, Adr)
        }
        self.by_path |= {draft.file.path: CitedRecord(draft.number, draft.id) for draft in drafts}
        self.by_number: dict[int, list[CitedRecord]] = defaultdict(list)
        for _, record in sorted(self.by_path.items()):
            if record.number is not None:
                self.by_number[record.number].append(record)

    def find_linked(self, path: str, target: str) -> CitedRecord | None:
        """Return the decision that a link in the file at `path` names."""
        split = split_target(target, path)
        return self.by_path.get(split[0]) if split else None

    def find(self, draft: _Decision, number: int) -> str | None:
        """Return the id of a number. If several files have the number, report a conflict."""
        records = self.by_number.get(number, [])
        if len(records) > 1:
            conflict = f"ADR {number} is one of {', '.join(record.id for record in records)}"
            if conflict not in draft.conflicts:
                draft.conflicts.append(conflict)
        return records[0].id if records else None


def _relate(drafts: list[_Decision], numbers: _Numbers) -> None:
    """Read the supersessions, and write both sides of each."""
    by_id = {draft.id: draft for draft in drafts}
    for draft in drafts:
        for statement in draft.statements:
            for key, id in _find_relations(draft, statement, numbers):
                if id != draft.id:
                    draft.relations(key).setdefault(id, statement.line)
    for draft in drafts:
        _write_other_sides(draft, by_id)
    for draft in drafts:
        if draft.superseded_by and draft.status.value != "superseded":
            _supersede(draft)


def _write_other_sides(draft: _Decision, by_id: Mapping[str, _Decision]) -> None:
    """Add the other side of each supersession that a decision states.

    A proposed or rejected decision takes nothing over.
    """
    is_in_force = draft.status.value in (None, "accepted", "deprecated", "superseded")
    for id in (*draft.superseded_by, *draft.supersedes):
        if id not in by_id:
            draft.conflicts.append(f"{id} is already imported, and import does not change it")
        elif id in draft.superseded_by:
            by_id[id].supersedes.setdefault(draft.id, None)
        elif is_in_force:
            by_id[id].superseded_by.setdefault(draft.id, None)


def _supersede(draft: _Decision) -> None:
    """Set the status of a superseded decision, and report if it states another one."""
    line = next((line for line in draft.superseded_by.values() if line), None)
    if line is None and draft.status.value:
        draft.conflicts.append(
            f"status '{draft.status.value}' on line {draft.status.line}, "
            f"but {', '.join(draft.superseded_by)} supersedes it"
        )
    draft.status = Value("superseded", line or draft.status.line)


def _find_relations(
    draft: _Decision, statement: Statement, numbers: _Numbers
) -> Iterator[tuple[str, str]]:
    """Yield the supersessions that a statement names, each with the id of the other decision."""
    raw = statement.raw if "](" in statement.raw else strip_marks(statement.raw)
    if _PARTLY.search(raw):
        return
    if statement.name in (SUPERSEDES, SUPERSEDED_BY):
        for id in _find_ids(draft, raw, numbers) if _WHOLE_TARGETS.fullmatch(raw) else ():
            yield statement.name, id
    elif statement.name == STATUS:
        while match := _SUPERSESSION.search(raw):
            for id in _find_ids(draft, match["targets"], numbers):
                yield SUPERSEDED_BY if match["by"] else SUPERSEDES, id
            raw = match["rest"]


def _find_ids(draft: _Decision, raw: str, numbers: _Numbers) -> Iterator[str]:
    """Yield the ids of the decisions that a text names, by links or else by numbers.

    A number that several files have is a conflict, and names none.
    """
    mentions: list[str] = []
    links = list(_LINK.finditer(raw))
    for link in links:
        if record := numbers.find_linked(draft.file.path, link["target"]):
            yield record.id
        else:
            mentions += _ADR_MENTION.findall(link["text"])
    for text in mentions if links else _MENTION.findall(raw):
        id = numbers.find(draft, int(text))
        if id and len(numbers.by_number[int(text)]) == 1:
            yield id


def _compare_with_indexes(
    drafts: list[_Decision], sources: Sources, options: ImportOptions
) -> None:
    """Report each row of an index whose status is not the status of its file."""
    by_source = {draft.file.path: draft for draft in drafts}
    for entry in sources.skipped:
        data = read_bytes(sources.folder, entry.source) if entry.reason == INDEX else None
        if data is None or isinstance(data, Finding):
            continue
        source = read_source(entry.source, data)
        for line, row in enumerate(source.text.split("\n"), 1):
            draft, status = _read_index_row(row, entry.source, by_source, options)
            if draft and status and draft.status.value not in (None, status):
                draft.conflicts.append(
                    f"status '{draft.status.value}' on line {draft.status.line}, "
                    f"'{status}' in {entry.source}:{line}"
                )


def _read_index_row(
    row: str, path: str, by_source: Mapping[str, _Decision], options: ImportOptions
) -> tuple[_Decision | None, str | None]:
    """Return the decision and the status that a row of a table in an index names."""
    if not row.strip().startswith("|"):
        return None, None
    cells = [strip_marks(cell).strip() for cell in row.strip().strip("|").split("|")]
    statuses = {
        status.word
        for cell in cells
        if (
            status := read_status(
                Statement(STATUS, cell, cell, 0, "table"), ADR_STATUSES, options.words
            )
        )
    }
    for link in _LINK.finditer(row):
        split = split_target(link["target"], path)
        if split and (draft := by_source.get(split[0])):
            return draft, statuses.pop() if len(statuses) == 1 else None
    return None, None


def _rewrite(draft: _Decision, numbers: _Numbers) -> None:
    """Rewrite the body of a decision, except its links."""
    body = draft.body
    body.set_title(draft.title.rewrites)
    body.normalise()
    body.change(
        rewrite_citations(
            body, partial(numbers.find, draft), partial(numbers.find_linked, draft.file.path)
        )
    )
    body.change(rewrite_duplicate_ids(body))


def _write(draft: _Decision, handbook: Handbook, options: ImportOptions) -> ImportedRecord:
    """Write the text of a decision, and its entry in the report."""
    people = {name: _read_people(draft, name, handbook) for name in (DECIDERS, CONSULTED, INFORMED)}
    allowed_tags = handbook.settings.allowed_values["tags"]
    stated_tags = [
        tag.strip()
        for statement in draft.statements
        if statement.name == TAGS
        for tag in statement.text.split(",")
    ]
    tags = [tag for tag in dict.fromkeys(stated_tags) if tag in allowed_tags]
    front_matter: dict[str, Any] = {
        STATUS: draft.status.value,
        DATE: draft.date.value,
        DECIDERS: people[DECIDERS],
        CONSULTED: people[CONSULTED],
        INFORMED: people[INFORMED],
        "history": [{STATUS: status.word, DATE: status.day} for status in draft.history],
        SUPERSEDES: sorted(draft.supersedes),
        SUPERSEDED_BY: sorted(draft.superseded_by),
        TAGS: tags,
    }
    text = write_document(front_matter, draft.file, options.today, draft.body.text)
    record = read_document(
        Adr, read_source(draft.path, text.encode()), handbook.settings.allowed_values
    )
    taken = {name for name, value in people.items() if value}
    taken |= {TAGS} if tags == stated_tags else set()
    values = {
        "number": draft.number,
        "id": draft.id,
        "title": record.title,
        "status": draft.status.value,
        "date": f"{draft.date.value}" if draft.date.value else None,
        "supersedes": sorted(draft.supersedes),
        "superseded_by": sorted(draft.superseded_by),
        "format": draft.format,
    }
    lines = {
        "title": draft.title.line,
        "status": draft.status.line,
        "date": draft.date.line,
        "supersedes": next(iter(draft.supersedes.values()), None),
        "superseded_by": next(iter(draft.superseded_by.values()), None),
    }
    return ImportedRecord(
        source=draft.file.path,
        path=draft.path,
        text=text,
        values=values,
        lines=lines,
        conflicts=tuple(draft.conflicts),
        missing=record.gaps,
        left_out=(*describe_keys(draft.original, _list_used_keys(draft, taken)), *draft.left_out),
        passes=tuple(draft.body.passes),
    )


def _list_used_keys(draft: _Decision, taken: set[str]) -> set[str]:
    """Return the keys of the front matter whose whole value is in the record.

    `taken` has the names of the facts that were taken over as they are.
    """
    keys = {"title"} if not any("title '" in conflict for conflict in draft.conflicts) else set()
    for statement in draft.statements:
        if statement.place != "front matter":
            continue
        if (
            statement.name in taken
            or (statement.name == STATUS and _is_whole_status(draft, statement))
            or (
                statement.name in (DATE, CREATED)
                and draft.date.value
                and statement.text.startswith(f"{draft.date.value}")
            )
            or (
                statement.name in (SUPERSEDES, SUPERSEDED_BY)
                and statement.line in draft.relations(statement.name).values()
            )
        ):
            keys.add(statement.key)
    return keys


def _is_whole_status(draft: _Decision, statement: Statement) -> bool:
    """Return whether the record has all that a status says."""
    if statement.text.casefold() == draft.status.value:
        return True
    successor = _WHOLE_SUCCESSOR.fullmatch(strip_links(statement.text))
    return bool(successor) and statement.line in draft.superseded_by.values()


def _read_people(draft: _Decision, name: str, handbook: Handbook) -> list[str]:
    """Return the people of a fact, if the settings know each of them as a team or a person."""
    allowed = handbook.settings.allowed_values["people"]
    names = [
        person.strip().lstrip("@")
        for statement in draft.statements
        if statement.name == name
        for person in strip_links(statement.text).split(",")
    ]
    is_known = all(
        person in allowed
        or (
            ANY_PERSON in allowed
            and Person.handle.fullmatch(person)
            and not find_placeholder(person)
        )
        for person in names
    )
    return list(dict.fromkeys(names)) if is_known else []
