"""Read YAML as nodes with locations.

The types of YAML are not used: `no`, `0023`, `10:14` and `2026-02-30` are text, and the type of a
field gives a text its meaning. libyaml composes the nodes with their marks. No object is
constructed from a tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import yaml

from handbook.diagnostics import Finding, Location

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_CORE_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "null", "bool", "int", "float", "timestamp", "merge", "value", "seq", "map")
)
_DEEPEST: Final = 100
_MOST_VALUES: Final = 100_000
_OPENED = {"flow sequence": "'['", "flow mapping": "'{'", "quoted scalar": "quotation mark"}
"""The constructs that need a closing mark, by libyaml's names, with their opening marks."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value, as text. `empty` is True for an absent value or a null."""

    text: str
    empty: bool
    at: Location


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    at: Location


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value."""

    key: str
    at: Location
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with their values, in the order of the file, duplicate keys included."""

    entries: tuple[Entry, ...]
    at: Location

    def get(self, key: str) -> Entry | None:
        """Return the first entry of a key, or None."""
        return next((entry for entry in self.entries if entry.key == key), None)

    def find(self, *keys: str) -> Node | None:
        """Return the node at a path of keys, or None."""
        node: Node | None = self
        for key in keys:
            entry = node.get(key) if isinstance(node, Mapping) else None
            node = entry.value if entry else None
        return node


Node = Scalar | Sequence | Mapping


def walk_scalars(node: Node) -> Iterator[Scalar]:
    """Yield every scalar at or below a node, in file order, without keys."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from walk_scalars(item)
    else:
        for entry in node.entries:
            yield from walk_scalars(entry.value)


class YamlError(Exception):
    """A text that cannot be read as YAML. `finding` has the location and the reason."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def parse(text: str, path: str, first_line: int = 1, *, plain: bool = True) -> Node | None:
    """Return the root node of a YAML text, or None for an empty text. Raises YamlError.

    `first_line` is the line of the file on which the text begins. `plain` refuses anchors, aliases
    and all tags beyond YAML's core. Records need none of these, and aliases can expand a small file
    into a huge one.
    """
    try:
        loader = yaml.CSafeLoader(text)
        try:
            _check_depth(text, path, first_line)
            composed = loader.get_single_node()
        finally:
            loader.dispose()
        return _Converter(path, first_line, plain).convert(composed) if composed else None
    except yaml.MarkedYAMLError as error:
        raise YamlError(_make_finding(error, text, path, first_line)) from error
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise YamlError(Finding(Location(path, first_line), f"invalid YAML: {message}")) from error


def _check_depth(text: str, path: str, first_line: int) -> None:
    """Raise YamlError for values that are nested too deeply.

    To compose them would overflow the stack and kill the process.
    """
    # Each level begins with one of these characters.
    if sum(map(text.count, "[{-?:")) < _DEEPEST:
        return
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                mark = event.start_mark
                at = Location(
                    path, first_line + (mark.line if mark else 0), (mark.column if mark else 0) + 1
                )
                message = f"unsupported YAML: nested deeper than {_DEEPEST} levels"
                raise YamlError(Finding(at, message, f"nest at most {_DEEPEST} levels"))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _make_finding(error: yaml.MarkedYAMLError, text: str, path: str, first_line: int) -> Finding:
    """Return the finding of a syntax error.

    Its location is an opening mark without its closing mark, or else the end of the reading, which
    can be below the text.
    """
    context = error.context or ""
    opening = next((mark for construct, mark in _OPENED.items() if construct in context), None)
    mark = error.context_mark if opening and error.context_mark else error.problem_mark
    last = text.count("\n")
    at = Location(path, first_line)
    if mark and mark.line <= last:
        at = Location(path, first_line + mark.line, mark.column + 1)
    elif mark:
        at = Location(path, first_line + last, len(text) - text.rfind("\n"))
    message = f"invalid YAML: {error.problem or 'unknown error'}"
    return Finding(at, message, f"close the {opening} that begins here" if opening else None)


class _Converter:
    """Convert libyaml's nodes into ours."""

    def __init__(self, path: str, first_line: int, plain: bool) -> None:
        self.path = path
        self.first_line = first_line
        self.plain = plain
        self.done: dict[int, tuple[Node, int]] = {}
        self.count = 0
        self.open: set[int] = set()

    def locate(self, node: yaml.Node) -> Location:
        mark = node.start_mark
        return Location(self.path, self.first_line + mark.line, mark.column + 1)

    def refuse(self, node: yaml.Node, message: str, hint: str | None = None) -> YamlError:
        return YamlError(Finding(self.locate(node), f"unsupported YAML: {message}", hint))

    def convert(self, node: yaml.Node) -> Node:
        key = id(node)
        if key in self.open:
            raise self.refuse(node, "a value that contains itself")
        if key in self.done:
            if self.plain:
                raise self.refuse(node, "an alias (*name)", "write the value out in each place")
            converted, value_count = self.done[key]
            self._add_values(node, value_count)
            return converted
        if self.plain and node.tag not in _CORE_TAGS:
            raise self.refuse(node, f"the tag '{node.tag}'", "remove the tag")
        previous_count = self.count
        self._add_values(node, 1)
        self.open.add(key)
        converted = self._convert(node)
        self.open.discard(key)
        self.done[key] = converted, self.count - previous_count
        return converted

    def _add_values(self, node: yaml.Node, value_count: int) -> None:
        """Add to the number of values. An alias counts as all values of its anchor."""
        self.count += value_count
        if self.count > _MOST_VALUES:
            raise self.refuse(node, f"more than {_MOST_VALUES} values, with aliases expanded")

    def _convert(self, node: yaml.Node) -> Node:
        at = self.locate(node)
        if isinstance(node, yaml.ScalarNode):
            return Scalar(node.value, not node.style and node.value in _NULLS, at)
        if isinstance(node, yaml.SequenceNode):
            return Sequence(tuple(self.convert(item) for item in node.value), at)
        return Mapping(tuple(self._convert_entries(node)), at)

    def _convert_entries(self, node: yaml.Node) -> Iterator[Entry]:
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.refuse(key, "a key that is a list or a mapping", "write the key as text")
            yield Entry(key.value, self.locate(key), self.convert(value))
