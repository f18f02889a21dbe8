"""What stands under the keys of a record and of the settings: one table of fields a kind.

A table is a frozen dataclass whose fields are made by `field`. From it come the reading of a value, the findings about
a value that cannot be read, and the JSON Schema: what a key means is said once. A value that is wrong is reported
once, here, and is then absent (None or empty), so that no rule trips over it again. So is a placeholder such as TODO.
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
    ask_whether,
    did_you_mean,
    nearest,
    only_candidate,
)
from handbook.reading import nodes
from handbook.reading.nodes import Node, Scalar
from handbook.reading.placeholders import find_placeholder, is_unwritten, placeholder_finding
from handbook.reading.problems import Problem, ProblemKind

Vocabularies = Mapping[str, tuple[str, ...]]
"""The organisation's own words by name (`teams`, `tags`), from the settings."""


_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class Dated:
    """A date that says what has happened, with its place: such a date does not lie in the future."""

    key: str
    day: date
    at: Location


class Reading:
    """What the reading of one mapping has found so far."""

    def __init__(self, vocabularies: Vocabularies | None = None) -> None:
        self.vocabularies: Vocabularies = vocabularies or {}
        self.problems: list[Problem] = []
        self.dated: list[Dated] = []

    def problem(
        self,
        kind: ProblemKind,
        at: Location,
        message: str,
        hint: str | None = None,
        fix: Edit | None = None,
    ) -> None:
        """Note a problem of a kind at a place."""
        self.problems.append(Problem(kind, Finding(at, message, hint, fix)))

    def placeholder(self, node: Scalar, replacement: str, *, since: int) -> None:
        """Note a placeholder in place of the problems from number `since` on, which only say that it is no value."""
        word = find_placeholder(node.text)
        del self.problems[since:]
        self.problems.append(
            Problem(
                ProblemKind.PLACEHOLDER,
                placeholder_finding(node.at, word[0] if word else "", replacement),
            )
        )


class FieldType(ABC):
    """How the value under a key is read, and how JSON Schema says it."""

    noun: str = "text"
    """What an author is told to write."""

    @property
    def default(self) -> Any:
        """What stands in the record where the key is absent or its value wrong."""
        return None

    def replacement(self, vocabularies: Vocabularies) -> str:
        """What an author is told to write in place of a placeholder."""
        return self.noun

    def read(self, key: str, node: Node, reading: Reading) -> Any:
        """The value of `node`, or the default after a problem was noted.

        A placeholder that the type refuses is one problem, of its own kind.
        """
        before = len(reading.problems)
        value = self.read_node(key, node, reading)
        if len(reading.problems) > before and isinstance(node, Scalar) and is_unwritten(node.text):
            reading.placeholder(node, self.replacement(reading.vocabularies), since=before)
        return value

    def read_node(self, key: str, node: Node, reading: Reading) -> Any:
        """The value of `node` as the type has it. One piece of text unless overridden."""
        if not isinstance(node, Scalar):
            reading.problem(
                ProblemKind.WRONG_TYPE, node.at, f"{key} is {_shape(node)}, not {self.noun}"
            )
            return self.default
        if node.empty or not node.text.strip():
            reading.problem(
                ProblemKind.EMPTY_VALUE,
                node.at,
                f"{key} has no value",
                f"write {self.noun}, or leave the key out",
            )
            return self.default
        return self.parse(key, node, reading)

    def parse(self, key: str, node: Scalar, reading: Reading) -> Any:
        """The value of a text that is not empty."""
        return node.text

    @abstractmethod
    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        """The JSON Schema (draft 2020-12) of the value."""


def _shape(node: Node) -> str:
    if isinstance(node, nodes.Sequence):
        return "a list"
    return "a mapping" if isinstance(node, nodes.Mapping) else "one value"


class Text(FieldType):
    """Any text that is not empty."""

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}


class Nullable(FieldType):
    """A value of a type, or null to say that there is none."""

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
    """A text of a fixed form; `noun` names the form with an example."""

    def __init__(self, pattern: str, noun: str) -> None:
        self.pattern = re.compile(pattern)
        self.noun = noun

    def parse(self, key: str, node: Scalar, reading: Reading) -> str | None:
        if self.pattern.fullmatch(node.text):
            return node.text
        reading.problem(ProblemKind.WRONG_TYPE, node.at, f"{key} '{node.text}' is not {self.noun}")
        return None

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.pattern.pattern}$"}


class RecordId(Pattern):
    """The id of a record of another kind. That the record exists is a rule's matter, not the reading's."""

    def __init__(self, kind: str, pattern: str, example: str) -> None:
        super().__init__(pattern, f"the id of a record ({kind}), such as {example}")
        self.kind = kind


class Flag(FieldType):
    """true or false, and no other spelling of them."""

    noun = "true or false"

    @property
    def default(self) -> bool:
        return False

    def parse(self, key: str, node: Scalar, reading: Reading) -> bool:
        if node.text in ("true", "false"):
            return node.text == "true"
        reading.problem(ProblemKind.WRONG_TYPE, node.at, f"{key} '{node.text}' is not {self.noun}")
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
        reading.problem(ProblemKind.WRONG_TYPE, node.at, f"{key} '{node.text}' is not {self.noun}")
        return None

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Days(FieldType):
    """A number of days, written `90d`, or `90 days` where a page shows it."""

    noun = "a number of days, such as 90d or 90 days"
    form = re.compile(r"([1-9][0-9]{0,4})(?:d| days?)")

    def parse(self, key: str, node: Scalar, reading: Reading) -> int | None:
        if match := self.form.fullmatch(node.text):
            return int(match[1])
        reading.problem(ProblemKind.WRONG_TYPE, node.at, f"{key} '{node.text}' is not {self.noun}")
        return None

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.form.pattern}$"}


class Decimal(FieldType):
    """A number that may have a fraction."""

    noun = "a number"

    def parse(self, key: str, node: Scalar, reading: Reading) -> float | None:
        if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", node.text):
            return float(node.text)
        reading.problem(ProblemKind.WRONG_TYPE, node.at, f"{key} '{node.text}' is not {self.noun}")
        return None

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "number", "minimum": 0}


class Day(FieldType):
    """A calendar date. `ahead` allows one that lies in the future, as that of a plan does."""

    noun = "a date, YYYY-MM-DD"

    def __init__(self, *, ahead: bool = False) -> None:
        self.ahead = ahead

    def parse(self, key: str, node: Scalar, reading: Reading) -> date | None:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", node.text):
            reading.problem(
                ProblemKind.WRONG_TYPE, node.at, f"{key} '{node.text}' is not {self.noun}"
            )
            return None
        try:
            day = date.fromisoformat(node.text)
        except ValueError:
            reading.problem(
                ProblemKind.INVALID_DATE,
                node.at,
                f"{key} '{node.text}' is a date that does not exist",
            )
            return None
        if not self.ahead:
            reading.dated.append(Dated(key, day, node.at))
        return day

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


class Moment(FieldType):
    """A time with its offset from UTC, kept in UTC. It says what has happened, so it does not lie in the future."""

    noun = "a time with an offset, such as 2026-05-15T10:14Z"

    def parse(self, key: str, node: Scalar, reading: Reading) -> datetime | None:
        if not _MOMENT.fullmatch(node.text):
            reading.problem(
                ProblemKind.WRONG_TYPE, node.at, f"{key} '{node.text}' is not {self.noun}"
            )
            return None
        try:
            moment = datetime.fromisoformat(node.text).astimezone(UTC)
        except (ValueError, OverflowError):
            reading.problem(
                ProblemKind.INVALID_DATE,
                node.at,
                f"{key} '{node.text}' is a time that does not exist",
            )
            return None
        reading.dated.append(Dated(key, moment.date(), node.at))
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
    """One of a vocabulary: fixed words, or the organisation's own by the name that the settings give them."""

    def __init__(self, *words: str, of: str | None = None) -> None:
        self.fixed = words
        self.of = of
        self.noun = f"one of {', '.join(words)}" if words else f"one of the {of} in the settings"

    def words(self, vocabularies: Vocabularies) -> tuple[str, ...]:
        """The words to choose from."""
        return vocabularies.get(self.of, ()) if self.of else self.fixed

    def replacement(self, vocabularies: Vocabularies) -> str:
        words = self.words(vocabularies)
        return f"one of {', '.join(words)}" if words else self.noun

    def parse(self, key: str, node: Scalar, reading: Reading) -> str | None:
        words = self.words(reading.vocabularies)
        if node.text in words:
            return node.text
        known = ", ".join(words) if words else f"(the settings name no {self.of})"
        message = f"{key} '{node.text}' is not one of {known}"
        meant = only_candidate(node.text, words)
        fix = Edit(node.at, node.text, meant) if meant else None
        reading.problem(
            ProblemKind.UNKNOWN_VALUE, node.at, message, did_you_mean(node.text, words), fix
        )
        return None

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words(vocabularies))}


class Many(FieldType):
    """A list of values of one type, none of them twice."""

    def __init__(self, item: FieldType, *, default: tuple[Any, ...] = ()) -> None:
        self.item = item
        self.absent = default
        self.noun = f"a list of values, each {item.noun}"

    @property
    def default(self) -> tuple[Any, ...]:
        return self.absent

    def read_node(self, key: str, node: Node, reading: Reading) -> tuple[Any, ...]:
        if isinstance(node, Scalar) and node.empty:
            reading.problem(
                ProblemKind.EMPTY_VALUE,
                node.at,
                f"{key} has no value",
                "write a list, [] for none, or leave the key out",
            )
            return ()
        if not isinstance(node, nodes.Sequence):
            hint = f"write {key}: [{node.text}]" if isinstance(node, Scalar) else None
            reading.problem(
                ProblemKind.WRONG_TYPE, node.at, f"{key} is {_shape(node)}, not a list", hint
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
                shown = item.text if isinstance(item, Scalar) else "an entry"
                reading.problem(ProblemKind.DUPLICATE_VALUE, item.at, f"{key} names {shown} twice")
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
            reading.problem(
                ProblemKind.WRONG_TYPE, node.at, f"{key} is {_shape(node)}, not {self.noun}"
            )
            return self.default
        values = {}
        for entry in _entries(node, reading):
            value = self.item.read(entry.key, entry.value, reading)
            if value is not None:
                values[entry.key] = value
        return MappingProxyType(values)

    def schema(self, vocabularies: Vocabularies) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.item.schema(vocabularies)}


class Group(FieldType):
    """A mapping with a table of fields of its own."""

    def __init__(self, table: type, *, others: bool = False) -> None:
        self.table = table
        self.others = others
        self.noun = f"a mapping with {', '.join(field.key for field in fields_of(table))}"

    def read_node(self, key: str, node: Node, reading: Reading) -> Any:
        if isinstance(node, Scalar) and node.empty and self.default is not None:
            return self.default
        if not isinstance(node, nodes.Mapping):
            reading.problem(
                ProblemKind.WRONG_TYPE, node.at, f"{key} is {_shape(node)}, not {self.noun}"
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
    """One row of a table of fields."""

    name: str
    key: str
    type: FieldType
    required: bool
    help: str


_SPEC: Final = "handbook"


def field(type: FieldType, help: str, *, required: bool = False, key: str | None = None) -> Any:
    """A dataclass field that is a row of its table; the key is the field's name unless given."""
    metadata = {_SPEC: (key, type, required, help)}
    return dataclasses.field(default_factory=lambda: type.default, metadata=metadata)


def fields_of(table: type) -> tuple[Field, ...]:
    """The rows of a table in the order in which keys are written: its own as declared, then those it inherits."""
    return _fields_of(table)


@cache
def _fields_of(table: Any) -> tuple[Field, ...]:
    own = inspect.get_annotations(table)
    declared = sorted(dataclasses.fields(table), key=lambda item: item.name not in own)
    rows = ((item.name, item.metadata.get(_SPEC)) for item in declared)
    return tuple(Field(name, spec[0] or name, *spec[1:]) for name, spec in rows if spec)


def read_fields(
    table: type, node: nodes.Mapping, reading: Reading, *, end: Location, others: bool = False
) -> dict[str, Any]:
    """The values of a mapping by the table of its fields; what is wrong is noted in `reading`.

    A misspelt key is reported as unknown and read as the key that was meant, so that one slip is one finding.
    `others` lets keys pass that the table does not know. `end` is where a missing key is reported. Only keys that are
    present are in the answer.
    """
    rows = {row.key: row for row in fields_of(table)}
    values: dict[str, Any] = {}
    seen: set[str] = set()
    present = {entry.key for entry in node.entries}
    for entry in _entries(node, reading):
        key = entry.key
        if key not in rows and others:
            continue
        if key not in rows:
            meant = nearest(key, rows)
            hint = ask_whether(meant) if meant else f"known keys: {', '.join(rows)}"
            reading.problem(
                ProblemKind.UNKNOWN_KEY, entry.at, f"'{key}' is not a key of this kind", hint
            )
            if meant is None or meant in present or meant in seen:
                continue
            key = meant
        seen.add(key)
        value = rows[key].type.read(key, entry.value, reading)
        values[rows[key].name] = rows[key].type.default if value is None else value
    for row in rows.values():
        if row.required and row.key not in seen:
            reading.problem(
                ProblemKind.MISSING_KEY, end, f"'{row.key}' is missing", f"{row.key}: {row.help}"
            )
    return values


def field_at(table: type, node: nodes.Mapping, at: Location) -> tuple[FieldType, bool] | None:
    """The type of the value at a place below a mapping, and whether its key is required.

    None for a value under a key that the table does not have.
    """
    rows = {row.key: row for row in fields_of(table)}
    for entry in node.entries:
        row = rows.get(entry.key)
        found = _type_at(row.type, row.required, entry.value, at) if row else None
        if found:
            return found
    return None


def _type_at(
    type: FieldType, required: bool, node: Node, at: Location
) -> tuple[FieldType, bool] | None:
    if isinstance(node, Scalar):
        return (type, required) if node.at == at else None
    if isinstance(type, Group) and isinstance(node, nodes.Mapping):
        return field_at(type.table, node, at)
    if not isinstance(type, Many | MapOf):
        return None
    values = (
        node.items
        if isinstance(node, nodes.Sequence)
        else tuple(entry.value for entry in node.entries)
    )
    return next(filter(None, (_type_at(type.item, required, value, at) for value in values)), None)


def _entries(node: nodes.Mapping, reading: Reading) -> Iterator[nodes.Entry]:
    seen: dict[str, Location] = {}
    for entry in node.entries:
        if entry.key in seen:
            first = seen[entry.key].line
            reading.problem(
                ProblemKind.DUPLICATE_KEY,
                entry.at,
                f"'{entry.key}' stands twice",
                f"it stands on line {first} already",
            )
            continue
        seen[entry.key] = entry.at
        yield entry


def schema_of(table: type, vocabularies: Vocabularies) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a table of fields."""
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
    """An id in the row of a table: its key, and the kind of record that it names."""

    key: str
    kind: str
    id: str


def references_of(values: Any) -> Iterator[WrittenId]:
    """Every id of another record in the row of a table."""
    for row in fields_of(type(values)):
        value = getattr(values, row.name)
        if isinstance(row.type, RecordId) and value:
            yield WrittenId(row.key, row.type.kind, value)
        elif isinstance(row.type, Many) and isinstance(row.type.item, RecordId):
            for item in value:
                yield WrittenId(row.key, row.type.item.kind, item)
