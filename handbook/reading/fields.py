"""Typed fields of front matter and settings: one table of fields per kind.

A table is a frozen dataclass whose fields `field` makes. It defines how a value is read, which
findings an invalid value has, and the JSON Schema. An invalid value or a placeholder such as TODO
is reported here, once. The value is then absent (None or empty), so that no rule reports it again.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from handbook.diagnostics import (
    Edit,
    Finding,
    Location,
    did_you_mean,
    find_nearest,
    find_only_match,
    suggest,
)
from handbook.reading import nodes
from handbook.reading.nodes import Node, Scalar
from handbook.reading.placeholders import find_placeholder, is_unwritten, make_placeholder_finding
from handbook.reading.problems import Problem, ProblemKind

Vocabularies = Mapping[str, tuple[str, ...]]
"""The organisation's vocabularies by name (`teams`, `tags`), from the settings."""


_SETTINGS_KEYS: Final = {"severities": "extra.policy.severities"}
"""The keys of vocabularies that are not below `extra.handbook`."""

_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class PastDate:
    """The date of a past event, with its location. It must not be in the future."""

    key: str
    day: date
    at: Location


class Reading:
    """The problems and past dates that the reading of one mapping has collected."""

    def __init__(self, vocabularies: Vocabularies | None = None) -> None:
        self.vocabularies: Vocabularies = vocabularies or {}
        self.problems: list[Problem] = []
        self.past_dates: list[PastDate] = []

    def add_problem(
        self,
        kind: ProblemKind,
        at: Location,
        message: str,
        hint: str | None = None,
        fix: Edit | None = None,
    ) -> None:
        """Add a problem of a kind at a location."""
        self.problems.append(Problem(kind, Finding(at, message, hint, fix)))

    def add_placeholder(self, node: Scalar, replacement: str, *, since: int) -> None:
        """Add a placeholder instead of the problems from index `since` on.

        Those problems only report that the placeholder is not a valid value.
        """
        match = find_placeholder(node.text)
        del self.problems[since:]
        self.problems.append(
            Problem(
                ProblemKind.PLACEHOLDER,
                make_placeholder_finding(node.at, match[0] if match else "", replacement),
            )
        )


class FieldType(ABC):
    """The type of a value: how to read it, and its JSON Schema."""

    noun: str = "text"
    """The value to write, for hints."""

    @property
    def default(self) -> Any:
        """The value of an absent key or an invalid value."""
        return None

    def replacement(self, vocabularies: Vocabularies) -> str:
        """Return the text to write instead of a placeholder, for hints."""
        return self.noun

    def read(self, key: str, node: Node, reading: Reading) -> Any:
        """Return the value of `node`, or add a problem and return the default.

        A placeholder that is no valid value is one problem, of its own kind.
        """
        problem_count = len(reading.problems)
        value = self.read_node(key, node, reading)
        if (
            len(reading.problems) > problem_count
            and isinstance(node, Scalar)
            and is_unwritten(node.text)
        ):
            reading.add_placeholder(
                node, self.replacement(reading.vocabularies), since=problem_count
            )
        return value

    def read_node(self, key: str, node: Node, reading: Reading) -> Any:
        """Return the value of `node` in this type. The default reads one text."""
        if not isinstance(node, Scalar):
            reading.add_problem(
                ProblemKind.WRONG_TYPE,
                node.at,
                f"{_describe_shape(node)} under '{key}'",
                f"write {self.noun}",
            )
            return self.default
        if node.empty or not node.text.strip():
            reading.add_problem(
                ProblemKind.EMPTY_VALUE,
                node.at,
                f"empty value of '{key}'",
                f"write {self.noun}, or remove the key",
            )
            return self.default
        return self.parse(key, node, reading)

    def parse(self, key: str, node: Scalar, reading: Reading) -> Any:
        """Return the value of a text that is not empty."""
        return node.text

    @abstractmethod
    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of the value."""

    def add_invalid_value(self, key: str, node: Scalar, reading: Reading) -> None:
        """Add the problem of a text that is not in the form of this type."""
        reading.add_problem(
            ProblemKind.WRONG_TYPE, node.at, f"invalid {key} '{node.text}'", f"write {self.noun}"
        )


def _describe_shape(node: Node) -> str:
    if isinstance(node, nodes.Sequence):
        return "a list"
    return "a mapping" if isinstance(node, nodes.Mapping) else "a single value"


class Text(FieldType):
    """A text that is not empty."""

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}


class Nullable(FieldType):
    """A value of a type, or null."""

    def __init__(self, item: FieldType) -> None:
        self.item = item
        self.noun = f"{item.noun}, or null"

    def read_node(self, key: str, node: Node, reading: Reading) -> Any:
        return (
            None if isinstance(node, Scalar) and node.empty else self.item.read(key, node, reading)
        )

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"anyOf": [self.item.schema(vocabularies), {"type": "null"}]}


class Pattern(FieldType):
    """A text of a fixed form. `noun` names the form with an example."""

    def __init__(self, pattern: str, noun: str) -> None:
        self.pattern = re.compile(pattern)
        self.noun = noun

    def parse(self, key: str, node: Scalar, reading: Reading) -> str | None:
        if self.pattern.fullmatch(node.text):
            return node.text
        self.add_invalid_value(key, node, reading)
        return None

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.pattern.pattern}$"}


class RecordId(Pattern):
    """The id of a record of another kind. A rule checks that the record exists."""

    def __init__(self, kind: str, pattern: str, example: str) -> None:
        super().__init__(pattern, f"the id of a record ({kind}), such as {example}")
        self.kind = kind


class Flag(FieldType):
    """A flag: `true` or `false`, in this spelling only."""

    noun = "true or false"

    @property
    def default(self) -> bool:
        return False

    def parse(self, key: str, node: Scalar, reading: Reading) -> bool:
        if node.text in ("true", "false"):
            return node.text == "true"
        self.add_invalid_value(key, node, reading)
        return self.default

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "boolean"}


class Number(FieldType):
    """A whole number within bounds."""

    def __init__(self, least: int = 0, most: int = 999_999_999) -> None:
        self.least = least
        self.most = most
        self.noun = (
            f"a whole number from {least} to {most}" if most < 999_999_999 else "a whole number"
        )

    def parse(self, key: str, node: Scalar, reading: Reading) -> int | None:
        if (
            re.fullmatch(r"0|[1-9][0-9]{0,8}", node.text)
            and self.least <= int(node.text) <= self.most
        ):
            return int(node.text)
        self.add_invalid_value(key, node, reading)
        return None

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Days(FieldType):
    """A number of days, such as `90d`. Values that a page shows can be `90 days`."""

    noun = "a number of days, such as 90d or 90 days"
    form = re.compile(r"([1-9][0-9]{0,4})(?:d| days?)")

    def parse(self, key: str, node: Scalar, reading: Reading) -> int | None:
        if match := self.form.fullmatch(node.text):
            return int(match[1])
        self.add_invalid_value(key, node, reading)
        return None

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.form.pattern}$"}


class Decimal(FieldType):
    """A number with or without a fraction."""

    noun = "a number"

    def parse(self, key: str, node: Scalar, reading: Reading) -> float | None:
        if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", node.text):
            return float(node.text)
        self.add_invalid_value(key, node, reading)
        return None

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "number", "minimum": 0}


class Day(FieldType):
    """A calendar date. `allow_future` allows a date in the future, such as the end of a plan."""

    noun = "a date, YYYY-MM-DD"

    def __init__(self, *, allow_future: bool = False) -> None:
        self.allow_future = allow_future

    def parse(self, key: str, node: Scalar, reading: Reading) -> date | None:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", node.text):
            self.add_invalid_value(key, node, reading)
            return None
        try:
            day = date.fromisoformat(node.text)
        except ValueError:
            reading.add_problem(
                ProblemKind.INVALID_DATE,
                node.at,
                f"no such date '{node.text}'",
                "write a date that exists, YYYY-MM-DD",
            )
            return None
        if not self.allow_future:
            reading.past_dates.append(PastDate(key, day, node.at))
        return day

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


class Moment(FieldType):
    """A time with an offset from UTC, converted to UTC.

    It is the time of a past event, so it must not be in the future.
    """

    noun = "a time with an offset, such as 2026-05-15T10:14Z"

    def parse(self, key: str, node: Scalar, reading: Reading) -> datetime | None:
        if not _MOMENT.fullmatch(node.text):
            self.add_invalid_value(key, node, reading)
            return None
        try:
            moment = datetime.fromisoformat(node.text).astimezone(UTC)
        except (ValueError, OverflowError):
            reading.add_problem(
                ProblemKind.INVALID_DATE,
                node.at,
                f"no such time '{node.text}'",
                "write a time that exists, such as 2026-05-15T10:14Z",
            )
            return None
        reading.past_dates.append(PastDate(key, moment.date(), node.at))
        return moment

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_MOMENT.pattern}$"}


class Url(Pattern):
    """An address on the web."""

    def __init__(self) -> None:
        super().__init__(
            r"""https?://[^\s<>"'{}|\\^`\[\]]+""", "an address, such as https://example.com/"
        )


class Choice(FieldType):
    """One word of a vocabulary.

    The vocabulary is a tuple of fixed words, or the organisation's vocabulary of the name `of`.
    """

    def __init__(self, *words: str, of: str | None = None) -> None:
        self.fixed = words
        self.of = of
        self.noun = f"one of {', '.join(words)}" if words else f"one of the {of} in the settings"

    def words(self, vocabularies: Vocabularies) -> tuple[str, ...]:
        """Return the words of the vocabulary."""
        return vocabularies.get(self.of, ()) if self.of else self.fixed

    def replacement(self, vocabularies: Vocabularies) -> str:
        words = self.words(vocabularies)
        return f"one of {', '.join(words)}" if words else self.noun

    def parse(self, key: str, node: Scalar, reading: Reading) -> str | None:
        words = self.words(reading.vocabularies)
        if node.text in words:
            return node.text
        match = find_only_match(node.text, words)
        fix = Edit(node.at, node.text, match) if match else None
        reading.add_problem(
            ProblemKind.UNKNOWN_VALUE,
            node.at,
            f"unknown {key} '{node.text}'",
            did_you_mean(node.text, words) or self._list_words(words),
            fix,
        )
        return None

    def _list_words(self, words: tuple[str, ...]) -> str:
        """Return the hint with the words, or with the settings key that defines them."""
        if words or self.of is None:
            return f"use one of {', '.join(words)}"
        settings_key = _SETTINGS_KEYS.get(self.of, f"extra.handbook.{self.of}")
        return f"add {self.of} under {settings_key} in mkdocs.yml"

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words(vocabularies))}


class Many(FieldType):
    """A list of different values of one type."""

    def __init__(self, item: FieldType, *, default: tuple[Any, ...] = ()) -> None:
        self.item = item
        self.absent = default
        self.noun = f"a list of values, each {item.noun}"

    @property
    def default(self) -> tuple[Any, ...]:
        return self.absent

    def read_node(self, key: str, node: Node, reading: Reading) -> tuple[Any, ...]:
        if isinstance(node, Scalar) and node.empty:
            reading.add_problem(
                ProblemKind.EMPTY_VALUE,
                node.at,
                f"empty value of '{key}'",
                "write a list, or [] for none, or remove the key",
            )
            return ()
        if not isinstance(node, nodes.Sequence):
            reading.add_problem(
                ProblemKind.WRONG_TYPE,
                node.at,
                f"{_describe_shape(node)} under '{key}'",
                f"write '{key}: [{node.text}]'" if isinstance(node, Scalar) else "write a list",
            )
            return ()
        values: list[Any] = []
        for item in node.items:
            value = self.item.read(key, item, reading)
            if value is None:
                continue
            if value in values and isinstance(item, Scalar) and is_unwritten(item.text):
                continue
            if value in values:
                value_text = f"value '{item.text}'" if isinstance(item, Scalar) else "entry"
                reading.add_problem(
                    ProblemKind.DUPLICATE_VALUE,
                    item.at,
                    f"duplicate {value_text} in '{key}'",
                    "remove one of them",
                )
            else:
                values.append(value)
        return tuple(values)

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "array", "items": self.item.schema(vocabularies), "uniqueItems": True}


class MapOf(FieldType):
    """A mapping from the organisation's own names to values of one type."""

    def __init__(self, item: FieldType) -> None:
        self.item = item
        self.noun = "a mapping"

    @property
    def default(self) -> Mapping[str, Any]:
        return MappingProxyType({})

    def read_node(self, key: str, node: Node, reading: Reading) -> Mapping[str, Any]:
        if isinstance(node, Scalar) and node.empty:
            return self.default
        if not isinstance(node, nodes.Mapping):
            reading.add_problem(
                ProblemKind.WRONG_TYPE,
                node.at,
                f"{_describe_shape(node)} under '{key}'",
                f"write {self.noun}",
            )
            return self.default
        values = {}
        for entry in _read_entries(node, reading):
            value = self.item.read(entry.key, entry.value, reading)
            if value is not None:
                values[entry.key] = value
        return MappingProxyType(values)

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.item.schema(vocabularies)}


class Group(FieldType):
    """A mapping that has its own table of fields."""

    def __init__(self, table: type, *, others: bool = False) -> None:
        self.table = table
        self.others = others
        self.noun = f"a mapping with {', '.join(field.key for field in fields_of(table))}"

    def read_node(self, key: str, node: Node, reading: Reading) -> Any:
        if isinstance(node, Scalar) and node.empty and self.default is not None:
            return self.default
        if not isinstance(node, nodes.Mapping):
            reading.add_problem(
                ProblemKind.WRONG_TYPE,
                node.at,
                f"{_describe_shape(node)} under '{key}'",
                f"write {self.noun}",
            )
            return None
        return self.table(**read_fields(self.table, node, reading, end=node.at, others=self.others))

    @property
    def default(self) -> Any:
        return self.table() if not any(row.required for row in fields_of(self.table)) else None

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return schema_of(self.table, vocabularies)


@dataclass(frozen=True, slots=True)
class Field:
    """A row of a table of fields."""

    name: str
    key: str
    type: FieldType
    required: bool
    help: str


_SPEC: Final = "handbook"


def field(type: FieldType, help: str, *, required: bool = False, key: str | None = None) -> Any:
    """Make a dataclass field that is a row of a table. The default key is the field's name."""
    metadata = {_SPEC: (key, type, required, help)}
    return dataclasses.field(default_factory=lambda: type.default, metadata=metadata)


def fields_of(table: type) -> tuple[Field, ...]:
    """Return the rows of a table: first declared, then inherited rows."""
    return _fields_of(table)


@cache
def _fields_of(table: Any) -> tuple[Field, ...]:
    declared = inspect.get_annotations(table)
    ordered = sorted(dataclasses.fields(table), key=lambda item: item.name not in declared)
    rows = ((item.name, item.metadata.get(_SPEC)) for item in ordered)
    return tuple(Field(name, spec[0] or name, *spec[1:]) for name, spec in rows if spec)


def read_fields(
    table: type, node: nodes.Mapping, reading: Reading, *, end: Location, others: bool = False
) -> dict[str, Any]:
    """Read the values of a mapping by field name, and add its problems to `reading`.

    A misspelt key is reported as unknown and read as the nearest key, so that one slip is one
    finding. `others` allows keys that the table does not have. `end` is the location of missing
    keys.
    """
    rows = {row.key: row for row in fields_of(table)}
    values: dict[str, Any] = {}
    seen: set[str] = set()
    present = {entry.key for entry in node.entries}
    for entry in _read_entries(node, reading):
        key = entry.key
        if key not in rows and others:
            continue
        if key not in rows:
            meant = find_nearest(key, rows)
            hint = suggest(meant) if meant else f"use one of {', '.join(rows)}"
            reading.add_problem(ProblemKind.UNKNOWN_KEY, entry.at, f"unknown key '{key}'", hint)
            if meant is None or meant in present or meant in seen:
                continue
            key = meant
        seen.add(key)
        value = rows[key].type.read(key, entry.value, reading)
        values[rows[key].name] = rows[key].type.default if value is None else value
    for row in rows.values():
        if row.required and row.key not in seen:
            reading.add_problem(
                ProblemKind.MISSING_KEY,
                end,
                f"missing key '{row.key}'",
                f"add '{row.key}:' ({row.help})",
            )
    return values


def find_field_at(table: type, node: nodes.Mapping, at: Location) -> tuple[FieldType, bool] | None:
    """Return the type of the value at a location, and whether its key is required.

    Returns None for a value under an unknown key.
    """
    rows = {row.key: row for row in fields_of(table)}
    for entry in node.entries:
        row = rows.get(entry.key)
        typed = _type_at(row.type, row.required, entry.value, at) if row else None
        if typed:
            return typed
    return None


def _type_at(
    type: FieldType, required: bool, node: Node, at: Location
) -> tuple[FieldType, bool] | None:
    if isinstance(node, Scalar):
        return (type, required) if node.at == at else None
    if isinstance(type, Group) and isinstance(node, nodes.Mapping):
        return find_field_at(type.table, node, at)
    if not isinstance(type, Many | MapOf):
        return None
    values = (
        node.items
        if isinstance(node, nodes.Sequence)
        else tuple(entry.value for entry in node.entries)
    )
    return next(filter(None, (_type_at(type.item, required, value, at) for value in values)), None)


def _read_entries(node: nodes.Mapping, reading: Reading) -> Iterator[nodes.Entry]:
    """Yield the first entry of each key, and add a problem for each duplicate key."""
    seen: dict[str, Location] = {}
    for entry in node.entries:
        if entry.key in seen:
            first = seen[entry.key].line
            reading.add_problem(
                ProblemKind.DUPLICATE_KEY,
                entry.at,
                f"duplicate key '{entry.key}' (first on line {first})",
                "remove one of them",
            )
            continue
        seen[entry.key] = entry.at
        yield entry


def schema_of(table: type, vocabularies: Vocabularies) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a table of fields."""
    rows = fields_of(table)
    return {
        "type": "object",
        "properties": {
            row.key: {"description": row.help, **row.type.schema(vocabularies)} for row in rows
        },
        "required": [row.key for row in rows if row.required],
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class WrittenId:
    """An id of another record in front matter, with its key and kind."""

    key: str
    kind: str
    id: str


def find_references(values: Any) -> Iterator[WrittenId]:
    """Yield every id of another record in the values of a table."""
    for row in fields_of(type(values)):
        value = getattr(values, row.name)
        if isinstance(row.type, RecordId) and value:
            yield WrittenId(row.key, row.type.kind, value)
        elif isinstance(row.type, Many) and isinstance(row.type.item, RecordId):
            for item in value:
                yield WrittenId(row.key, row.type.item.kind, item)
