"""Typed fields of front matter and settings: one table of fields per kind.

A table of fields is a frozen dataclass. The function `field` makes each of its fields. The table
defines how to read a value, which problems an invalid value has, and the JSON Schema.

This module reports an invalid value, or a placeholder such as TODO, as a problem. It then replaces
the value by None or by an empty value, so that no rule reports it again.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterator, Mapping
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
from handbook.reading.filler import is_filler, says_none
from handbook.reading.nodes import Node, Scalar
from handbook.reading.placeholders import find_placeholder, is_unwritten, make_placeholder_finding
from handbook.reading.problems import Problem, ProblemKind

AllowedValues = Mapping[str, tuple[str, ...]]
"""The values that the settings allow, by the name of their list, such as `teams`."""


_SETTINGS_KEYS: Final = {"severities": "extra.policy.severities"}
"""The settings keys of lists of allowed values that are not below `extra.handbook`."""

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2100
"""The years of a plausible date. Other years are typing errors, such as 1026 or 2206.

No record is about an event before Unix time, and nobody plans a date after 2100.
"""

_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class PastDate:
    """The date of a past event, with its location. A rule reports a date in the future."""

    key: str
    day: date
    at: Location


class Reading:
    """Collects the problems and the past dates of one mapping while a function reads it."""

    def __init__(self, allowed_values: AllowedValues | None = None) -> None:
        self.allowed_values: AllowedValues = allowed_values or {}
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
        """Add a problem."""
        self.problems.append(Problem(kind, Finding(at, message, hint, fix)))

    def add_placeholder(self, node: Scalar, replacement: str, *, since: int) -> None:
        """Add the problem of a placeholder, and remove the problems from index `since` on.

        The removed problems only report that the placeholder is not a valid value. `replacement`
        names the value to write, for the hint.
        """
        placeholder = find_placeholder(node.text)
        text = placeholder.text if placeholder else ""
        del self.problems[since:]
        self.problems.append(
            Problem(ProblemKind.PLACEHOLDER, make_placeholder_finding(node.at, text, replacement))
        )


class FieldType(ABC):
    """Base class of the types of field: how to read a value, and its JSON Schema."""

    noun: str = "text"
    """A description of a valid value, for hints such as "write a number"."""

    @property
    def default(self) -> Any:
        """The value of the field if its key is absent or its value is invalid."""
        return None

    def replacement(self, allowed_values: AllowedValues) -> str:
        """Return a description of the value to write instead of a placeholder, for hints."""
        return self.noun

    def read(self, key: str, node: Node, reading: Reading) -> Any:
        """Return the value of a YAML node. If it is invalid, add a problem, and return the default.

        If the value is invalid because it is a placeholder, the only problem is the placeholder.
        """
        problem_count = len(reading.problems)
        value = self.read_node(key, node, reading)
        if (
            len(reading.problems) > problem_count
            and isinstance(node, Scalar)
            and is_unwritten(node.text)
        ):
            reading.add_placeholder(
                node, self.replacement(reading.allowed_values), since=problem_count
            )
        return value

    def read_node(self, key: str, node: Node, reading: Reading) -> Any:
        """Return the value of a YAML node, without special treatment of placeholders.

        This base method reads a single text that is not empty, and converts it with `parse`.
        """
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
        """Convert a text that is not empty to the value of the field."""
        return node.text

    @abstractmethod
    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of a valid value."""

    def add_invalid_value(self, key: str, node: Scalar, reading: Reading) -> None:
        """Add a problem that says that a text has not the form of this type."""
        reading.add_problem(
            ProblemKind.WRONG_TYPE,
            node.at,
            f"invalid value '{node.text}' for '{key}'",
            f"write {self.noun}",
        )


def _describe_shape(node: Node) -> str:
    if isinstance(node, nodes.Sequence):
        return "unexpected list"
    if isinstance(node, nodes.Mapping):
        return "unexpected mapping"
    return f"unexpected single value '{node.text}'" if node.text else "unexpected single value"


class Text(FieldType):
    """Any text that is not empty."""

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}


class ProseText(Text):
    """A text for readers. A text without content, such as `N/A`, is not valid."""

    def parse(self, key: str, node: Scalar, reading: Reading) -> str | None:
        if is_filler(node.text) or says_none(node.text):
            reading.add_problem(
                ProblemKind.EMPTY_VALUE,
                node.at,
                f"value '{node.text}' of '{key}' without content",
                f"write {self.noun}, or remove the key",
            )
            return None
        return node.text


class Nullable(FieldType):
    """A value of another type, or null."""

    def __init__(self, item: FieldType) -> None:
        self.item = item
        self.noun = f"{item.noun}, or null"

    def read_node(self, key: str, node: Node, reading: Reading) -> Any:
        return (
            None if isinstance(node, Scalar) and node.empty else self.item.read(key, node, reading)
        )

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"anyOf": [self.item.schema(allowed_values), {"type": "null"}]}


class Pattern(FieldType):
    """A text that matches a pattern. `noun` describes the form with an example."""

    def __init__(self, pattern: str, noun: str) -> None:
        self.pattern = re.compile(pattern)
        self.noun = noun

    def parse(self, key: str, node: Scalar, reading: Reading) -> str | None:
        if self.pattern.fullmatch(node.text):
            return node.text
        self.add_invalid_value(key, node, reading)
        return None

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.pattern.pattern}$"}


class RecordId(Pattern):
    """The id of a record. `kind` is the kind of the record. A rule checks that it exists."""

    def __init__(self, kind: str, pattern: str, example: str) -> None:
        super().__init__(pattern, f"the id of a record ({kind}), such as {example}")
        self.kind = kind


class Flag(FieldType):
    """A flag. Only `true` and `false` are valid, not `True` or `yes`."""

    noun = "true or false"

    @property
    def default(self) -> bool:
        return False

    def parse(self, key: str, node: Scalar, reading: Reading) -> bool:
        if node.text in ("true", "false"):
            return node.text == "true"
        self.add_invalid_value(key, node, reading)
        return self.default

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "boolean"}


class Number(FieldType):
    """A whole number from `minimum` to `maximum`."""

    def __init__(self, minimum: int = 0, maximum: int = 999_999_999) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.noun = (
            f"a whole number from {minimum} to {maximum}"
            if maximum < 999_999_999
            else "a whole number"
        )

    def parse(self, key: str, node: Scalar, reading: Reading) -> int | None:
        if (
            re.fullmatch(r"0|[1-9][0-9]{0,8}", node.text)
            and self.minimum <= int(node.text) <= self.maximum
        ):
            return int(node.text)
        self.add_invalid_value(key, node, reading)
        return None

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


class Days(FieldType):
    """A number of days, such as `90d` or `90 days`.

    `90 days` is for values that a standard also shows in its text.
    """

    noun = "a number of days, such as 90d or 90 days"
    form = re.compile(r"([1-9][0-9]{0,4})(?:d| days?)")

    def parse(self, key: str, node: Scalar, reading: Reading) -> int | None:
        if match := self.form.fullmatch(node.text):
            return int(match[1])
        self.add_invalid_value(key, node, reading)
        return None

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.form.pattern}$"}


class Minutes(Days):
    """A number of minutes, such as `15m` or `15 minutes`."""

    noun = "a number of minutes, such as 15m or 15 minutes"
    form = re.compile(r"([1-9][0-9]{0,4})(?:m| min| minutes?)")


class Percentage(FieldType):
    """A percentage of more than 0 and at most 100.

    The value 100 is valid, because some objectives allow no error, such as the correctness of
    payments. CON014 reports a number below 1, such as 0.999.
    """

    noun = "a percentage of more than 0 and at most 100, such as 99.9"

    def parse(self, key: str, node: Scalar, reading: Reading) -> float | None:
        if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,9})?", node.text) and 0 < float(node.text) <= 100:
            return float(node.text)
        self.add_invalid_value(key, node, reading)
        return None

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "number", "exclusiveMinimum": 0, "maximum": 100}


def is_plausible(day: date) -> bool:
    """Return whether the year of a date is plausible for a record."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


def _add_implausible_year(node: Scalar, reading: Reading) -> None:
    reading.add_problem(
        ProblemKind.INVALID_DATE,
        node.at,
        f"implausible year in '{node.text}'",
        f"write a year from {FIRST_YEAR} to {LAST_YEAR}",
    )


class Day(FieldType):
    """A date of the calendar. With `allow_future`, it can be in the future, as a due date can."""

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
                f"date '{node.text}' does not exist",
                "write an existing date, YYYY-MM-DD",
            )
            return None
        if not is_plausible(day):
            _add_implausible_year(node, reading)
            return None
        if not self.allow_future:
            reading.past_dates.append(PastDate(key, day, node.at))
        return day

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


class Moment(FieldType):
    """The time of a past event, with an offset from UTC. Its value is in UTC.

    A rule reports a time in the future.
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
                f"time '{node.text}' does not exist",
                "write an existing time, such as 2026-05-15T10:14Z",
            )
            return None
        if not is_plausible(moment.date()):
            _add_implausible_year(node, reading)
            return None
        reading.past_dates.append(PastDate(key, moment.date(), node.at))
        return moment

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_MOMENT.pattern}$"}


class Url(Pattern):
    """A web address that begins with `http://` or `https://`."""

    def __init__(self) -> None:
        super().__init__(
            r"""https?://[^\s<>"'{}|\\^`\[\]]+""", "an address, such as https://example.com/"
        )


class Choice(FieldType):
    """One of several allowed words.

    `words` are the allowed words. Without them, `of` is the name of the list of allowed words
    in the settings, such as `teams`.
    """

    def __init__(self, *words: str, of: str | None = None) -> None:
        self.fixed_words = words
        self.of = of
        self.noun = f"one of {', '.join(words)}" if words else f"one of the {of} in the settings"

    def words(self, allowed_values: AllowedValues) -> tuple[str, ...]:
        """Return the allowed words."""
        return allowed_values.get(self.of, ()) if self.of else self.fixed_words

    def replacement(self, allowed_values: AllowedValues) -> str:
        words = self.words(allowed_values)
        return f"one of {', '.join(words)}" if words else self.noun

    def parse(self, key: str, node: Scalar, reading: Reading) -> str | None:
        words = self.words(reading.allowed_values)
        if node.text in words:
            return node.text
        match = find_only_match(node.text, words)
        fix = Edit(node.at, node.text, match) if match else None
        reading.add_problem(
            ProblemKind.UNKNOWN_VALUE,
            node.at,
            f"unknown value '{node.text}' for '{key}'",
            did_you_mean(node.text, words) or self._list_words(words),
            fix,
        )
        return None

    def _list_words(self, words: tuple[str, ...]) -> str:
        """Return a hint with the allowed words, or with the settings key that must define them."""
        if words or self.of is None:
            return f"use one of {', '.join(words)}"
        settings_key = _SETTINGS_KEYS.get(self.of, f"extra.handbook.{self.of}")
        return f"define the {self.of} under '{settings_key}' in mkdocs.yml"

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words(allowed_values))}


ANY_PERSON: Final = "*"
"""The entry in the list of people that allows every handle."""


class Person(Choice):
    """A team, or the handle of a person, from the settings."""

    handle = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")

    def __init__(self) -> None:
        super().__init__(of="people")
        self.noun = "a team or a person of the settings"

    def words(self, allowed_values: AllowedValues) -> tuple[str, ...]:
        return tuple(word for word in super().words(allowed_values) if word != ANY_PERSON)

    def parse(self, key: str, node: Scalar, reading: Reading) -> str | None:
        if not self._allows_any(reading.allowed_values):
            return super().parse(key, node, reading)
        if node.text in self.words(reading.allowed_values) or self.handle.fullmatch(node.text):
            return node.text
        reading.add_problem(
            ProblemKind.UNKNOWN_VALUE,
            node.at,
            f"invalid handle '{node.text}' in '{key}'",
            "use the name of a team, or letters, digits and hyphens, without '@'",
        )
        return None

    def _list_words(self, words: tuple[str, ...]) -> str:
        keys = "'extra.handbook.teams' or 'extra.handbook.people' in mkdocs.yml"
        if words:
            return f"{super()._list_words(words)}, or define the person under {keys[26:]}"
        return f"define the team or the person under {keys}"

    def _allows_any(self, allowed_values: AllowedValues) -> bool:
        return ANY_PERSON in super().words(allowed_values)

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        if not self._allows_any(allowed_values):
            return super().schema(allowed_values)
        teams = (word for word in self.words(allowed_values) if not self.handle.fullmatch(word))
        pattern = "|".join((self.handle.pattern, *map(re.escape, teams)))
        return {"type": "string", "pattern": f"^(?:{pattern})$"}


class Many(FieldType):
    """A list of values of one type, without duplicates.

    Under the keys `text_keys`, a text with commas is also valid, such as `alice, bob`.
    """

    def __init__(
        self, item: FieldType, *, default: tuple[Any, ...] = (), text_keys: tuple[str, ...] = ()
    ) -> None:
        self.item = item
        self.default_values = default
        self.text_keys = text_keys
        self.noun = f"a list of values, each {item.noun}"

    @property
    def default(self) -> tuple[Any, ...]:
        return self.default_values

    def read_node(self, key: str, node: Node, reading: Reading) -> tuple[Any, ...]:
        if isinstance(node, Scalar) and node.empty:
            reading.add_problem(
                ProblemKind.EMPTY_VALUE,
                node.at,
                f"empty value of '{key}'",
                "write a list (an empty list is []), or remove the key",
            )
            return ()
        if key in self.text_keys and isinstance(node, Scalar):
            node = _split_at_commas(node)
        if not isinstance(node, nodes.Sequence):
            reading.add_problem(
                ProblemKind.WRONG_TYPE,
                node.at,
                f"{_describe_shape(node)} under '{key}'",
                f"write '{key}: [{node.text}]'" if isinstance(node, Scalar) else "write a list",
            )
            return ()
        values: list[Any] = []
        earlier_values: set[Hashable] = set()
        for item in node.items:
            value = self.item.read(key, item, reading)
            if value is None:
                continue
            hashable_value = _make_hashable(value)
            is_duplicate = hashable_value in earlier_values
            earlier_values.add(hashable_value)
            if is_duplicate and isinstance(item, Scalar) and is_unwritten(item.text):
                continue
            if is_duplicate:
                value_text = f"value '{item.text}'" if isinstance(item, Scalar) else "entry"
                reading.add_problem(
                    ProblemKind.DUPLICATE_VALUE,
                    item.at,
                    f"duplicate {value_text} in '{key}'",
                    "remove the duplicate",
                )
            else:
                values.append(value)
        return tuple(values)

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "array", "items": self.item.schema(allowed_values), "uniqueItems": True}


def _split_at_commas(node: Scalar) -> nodes.Sequence:
    """Return the values in a text as a list. Each keeps its place in a text of one line."""
    items = []
    offset = 0
    for part in node.text.split(","):
        column = node.at.column + offset + len(part) - len(part.lstrip())
        at = dataclasses.replace(node.at, column=column)
        items.append(dataclasses.replace(node, text=part.strip(), at=at))
        offset += len(part) + 1
    return nodes.Sequence(tuple(items), node.at)


def _make_hashable(value: Any) -> Hashable:
    """Return a value that is equal for equal values, and that a set can contain."""
    if isinstance(value, Mapping):
        return frozenset((key, _make_hashable(item)) for key, item in value.items())
    if isinstance(value, tuple):
        return tuple(map(_make_hashable, value))
    if dataclasses.is_dataclass(value):
        items = (getattr(value, field.name) for field in dataclasses.fields(value))
        return (type(value), *map(_make_hashable, items))
    hashable: Hashable = value
    return hashable


class MapOf(FieldType):
    """A mapping from names that the organisation chooses to values of one type."""

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
        for entry in read_entries(node, reading):
            if not entry.key.strip() or len(entry.key.splitlines()) > 1:
                reading.add_problem(
                    ProblemKind.WRONG_TYPE,
                    entry.at,
                    f"invalid name '{' '.join(entry.key.split())}' in '{key}'",
                    "write a name of one line that is not empty",
                )
                continue
            value = self.item.read(entry.key, entry.value, reading)
            if value is not None:
                values[entry.key] = value
        return MappingProxyType(values)

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.item.schema(allowed_values)}


class Group(FieldType):
    """A mapping whose keys are the fields of the table `table`.

    `allow_other_keys` allows keys that are not in the table.
    """

    def __init__(self, table: type, *, allow_other_keys: bool = False) -> None:
        self.table = table
        self.allow_other_keys = allow_other_keys
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
        return self.table(
            **read_fields(
                self.table, node, reading, end=node.at, allow_other_keys=self.allow_other_keys
            )
        )

    @property
    def default(self) -> Any:
        return self.table() if not any(row.required for row in fields_of(self.table)) else None

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return schema_of(self.table, allowed_values)


@dataclass(frozen=True, slots=True)
class FormerKey:
    """A key that a version of the package renamed. A file that still has it gets a finding."""

    key: str
    version: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a table: name in the dataclass, key in YAML, type and help text.

    `aliases` are other keys for the same field, such as the key of MADR. `former_keys` are its keys
    in earlier versions of the package.
    """

    name: str
    key: str
    type: FieldType
    required: bool
    help: str
    aliases: tuple[str, ...] = ()
    former_keys: tuple[FormerKey, ...] = ()


_METADATA_KEY: Final = "handbook"


def field(
    type: FieldType,
    help: str,
    *,
    required: bool = False,
    key: str | None = None,
    aliases: tuple[str, ...] = (),
    former_keys: tuple[FormerKey, ...] = (),
) -> Any:
    """Make a dataclass field of a table of fields.

    `key` is the key in YAML. Its default is the name of the dataclass field. `aliases` are other
    keys for the same field, and `former_keys` its keys in earlier versions of the package.
    """
    metadata = {_METADATA_KEY: (key, type, required, help, aliases, former_keys)}
    return dataclasses.field(default_factory=lambda: type.default, metadata=metadata)


def fields_of(table: type) -> tuple[Field, ...]:
    """Return the fields of a table: first the fields of its class, then inherited fields."""
    return _fields_of(table)


@cache
def _fields_of(table: Any) -> tuple[Field, ...]:
    declared = inspect.get_annotations(table)
    ordered = sorted(dataclasses.fields(table), key=lambda item: item.name not in declared)
    rows = ((item.name, item.metadata.get(_METADATA_KEY)) for item in ordered)
    return tuple(Field(name, spec[0] or name, *spec[1:]) for name, spec in rows if spec)


@cache
def _index_fields(table: Any) -> tuple[Mapping[str, Field], Mapping[str, str]]:
    """Return the fields of a table by key, and the keys by alias."""
    rows = {row.key: row for row in fields_of(table)}
    return rows, {alias: row.key for row in rows.values() for alias in row.aliases}


def list_names(table: type, key: str) -> tuple[str, ...]:
    """Return a key with the other keys for the same field."""
    row = _index_fields(table)[0].get(key)
    return (key, *row.aliases) if row else (key,)


def read_fields(
    table: type,
    node: nodes.Mapping,
    reading: Reading,
    *,
    end: Location,
    allow_other_keys: bool = False,
    optional: Collection[str] = (),
) -> dict[str, Any]:
    """Return the values of a mapping by field name, and add its problems to `reading`.

    The function reports a misspelt key as unknown, but reads its value under the nearest known key.
    Otherwise one mistake would also give a finding for the missing key.

    `allow_other_keys` allows keys that the table does not have. `end` is the location for findings
    about missing keys. `optional` are required keys that this mapping can lack.
    """
    rows, key_by_alias = _index_fields(table)
    values: dict[str, Any] = {}
    seen: set[str] = set()
    present_keys = {entry.key for entry in node.entries}
    for entry in read_entries(node, reading):
        key = key_by_alias.get(entry.key, entry.key)
        if key not in rows and (renaming := _find_renaming(table, key)):
            _report_former_key(entry, *renaming, present_keys, reading)
            key = renaming[0].key
            if key in present_keys:
                continue
        elif key != entry.key and key in present_keys:
            message = f"both '{key}' and '{entry.key}', which have the same meaning"
            reading.add_problem(
                ProblemKind.DUPLICATE_KEY, entry.at, message, f"move its values to '{key}'"
            )
            continue
        if key not in rows and allow_other_keys:
            continue
        if key not in rows:
            intended_key = find_nearest(key, [*rows, *key_by_alias])
            hint = suggest(intended_key) if intended_key else f"use one of {', '.join(rows)}"
            reading.add_problem(ProblemKind.UNKNOWN_KEY, entry.at, f"unknown key '{key}'", hint)
            if intended_key is None or intended_key in present_keys or intended_key in seen:
                continue
            key = key_by_alias.get(intended_key, intended_key)
        seen.add(key)
        value = rows[key].type.read(entry.key, entry.value, reading)
        values[rows[key].name] = rows[key].type.default if value is None else value
    for row in rows.values():
        if row.required and row.key not in seen and row.key not in optional:
            reading.add_problem(
                ProblemKind.MISSING_KEY,
                end,
                f"missing key '{row.key}'",
                f"add '{row.key}:' ({row.help})",
            )
    return values


def _find_renaming(table: type, key: str) -> tuple[Field, FormerKey] | None:
    """Find the field that had a key in an earlier version of the package."""
    for row in fields_of(table):
        for former in row.former_keys:
            if former.key == key:
                return row, former
    return None


def _report_former_key(
    entry: nodes.Entry,
    row: Field,
    former: FormerKey,
    present_keys: Collection[str],
    reading: Reading,
) -> None:
    """Add the problem of a key that a newer version has renamed."""
    is_present = row.key in present_keys
    change = f"move its values to '{row.key}'" if is_present else f"write '{row.key}'"
    reading.add_problem(
        ProblemKind.UNKNOWN_KEY,
        entry.at,
        f"key '{former.key}', which version {former.version} renamed to '{row.key}'",
        change,
        None if is_present else Edit(entry.at, former.key, row.key),
    )


def add_misspelt_keys(table: type, node: nodes.Mapping, reading: Reading) -> None:
    """Add a problem for each key of a mapping that is similar to a missing key of the table.

    The mapping can have other keys.
    """
    known_keys = {row.key for row in fields_of(table)}
    absent_keys = known_keys - {entry.key for entry in node.entries}
    known_keys |= {former.key for row in fields_of(table) for former in row.former_keys}
    for entry in node.entries:
        nearest_key = None if entry.key in known_keys else find_nearest(entry.key, absent_keys)
        if nearest_key:
            message, hint = f"unknown key '{entry.key}'", suggest(nearest_key)
            reading.add_problem(ProblemKind.UNKNOWN_KEY, entry.at, message, hint)


def find_field_at(table: type, node: nodes.Mapping, at: Location) -> tuple[FieldType, bool] | None:
    """Return the field type of the value at a location, and whether its key is required.

    Returns None if the key is unknown.
    """
    rows = {key: row for row in fields_of(table) for key in (row.key, *row.aliases)}
    for entry in node.entries:
        row = rows.get(entry.key)
        field_type = _find_type_at(row.type, row.required, entry.value, at) if row else None
        if field_type:
            return field_type
    return None


def _find_type_at(
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
    return next(
        filter(None, (_find_type_at(type.item, required, value, at) for value in values)), None
    )


def read_entries(node: nodes.Mapping, reading: Reading) -> Iterator[nodes.Entry]:
    """Yield the first entry of each key of a mapping, and add a problem for each duplicate."""
    seen: dict[str, Location] = {}
    for entry in node.entries:
        if entry.key in seen:
            first = seen[entry.key].line
            reading.add_problem(
                ProblemKind.DUPLICATE_KEY,
                entry.at,
                f"duplicate key '{entry.key}' (first on line {first})",
                "remove one of the two keys, with its value",
            )
            continue
        seen[entry.key] = entry.at
        yield entry


def schema_of(table: type, allowed_values: AllowedValues) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a mapping with the fields of a table."""
    rows = fields_of(table)
    schema = {
        "type": "object",
        "properties": {
            row.key: {"description": row.help, **_schema_under(row.key, row.type, allowed_values)}
            for row in rows
        },
        "required": [row.key for row in rows if row.required],
        "additionalProperties": False,
    }
    aliases = {
        f"^{alias}$": _schema_under(alias, row.type, allowed_values)
        for row in rows
        for alias in row.aliases
    }
    return schema | ({"patternProperties": aliases} if aliases else {})


def _schema_under(key: str, field_type: FieldType, allowed_values: AllowedValues) -> dict[str, Any]:
    """Return the JSON Schema of the value of a key. A list can be a text under some keys."""
    schema = field_type.schema(allowed_values)
    if isinstance(field_type, Many) and key in field_type.text_keys:
        return {"anyOf": [schema, {"type": "string", "minLength": 1}]}
    return schema


@dataclass(frozen=True, slots=True)
class FieldReference:
    """A reference to another record in front matter: key, kind of the target, and its id."""

    key: str
    kind: str
    id: str


def find_references(values: Any) -> Iterator[FieldReference]:
    """Yield the references to other records in an instance of a table of fields."""
    for row, kind in _list_reference_fields(values.__class__):
        value = getattr(values, row.name)
        for id in value if isinstance(row.type, Many) else (value,) if value else ():
            yield FieldReference(row.key, kind, id)


@cache
def _list_reference_fields(table: Any) -> tuple[tuple[Field, str], ...]:
    """Return the fields of a table with the id of a record or a list of ids, and their kinds."""
    items = (
        (row, row.type.item if isinstance(row.type, Many) else row.type) for row in fields_of(table)
    )
    return tuple((row, item.kind) for row, item in items if isinstance(item, RecordId))
