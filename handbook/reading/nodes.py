"""YAML as nodes that know where they stand.

YAML's own typing is not trusted: `no`, `0023`, `10:14` and `2026-02-30` are text here, and what a text means is said by
the field that it stands in. libyaml composes the nodes with their marks; nothing is constructed from a tag.
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
_MOST: Final = 100_000
_OPENED = ("flow sequence", "flow mapping", "quoted scalar")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value, as text; `empty` where nothing or a null stands."""

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
    """Keys with their values, in the order of the file; a key that stands twice is here twice."""

    entries: tuple[Entry, ...]
    at: Location

    def get(self, key: str) -> Entry | None:
        """The first entry of that key, or None."""
        return next((entry for entry in self.entries if entry.key == key), None)

    def find(self, *keys: str) -> Node | None:
        """The node at a path of keys, or None where the path ends early."""
        node: Node | None = self
        for key in keys:
            entry = node.get(key) if isinstance(node, Mapping) else None
            node = entry.value if entry else None
        return node


Node = Scalar | Sequence | Mapping


def scalars(node: Node) -> Iterator[Scalar]:
    """Every value at or below a node, in the order of the file; keys are none."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from scalars(item)
    else:
        for entry in node.entries:
            yield from scalars(entry.value)


class YamlError(Exception):
    """A text that cannot be read as YAML; `finding` says where and why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def parse(text: str, path: str, first_line: int = 1, *, plain: bool = True) -> Node | None:
    """The node that a YAML text stands for, or None for an empty text.

    `first_line` is the line of the file that the text begins on. `plain` refuses anchors, aliases and every tag beyond
    YAML's core: a record needs none of them, and they are how a small file grows into a large one. Raises YamlError.
    """
    try:
        loader = yaml.CSafeLoader(text)
        try:
            _fathom(text, path, first_line)
            composed = loader.get_single_node()
        finally:
            loader.dispose()
        return _Converter(path, first_line, plain).convert(composed) if composed else None
    except yaml.MarkedYAMLError as error:
        raise YamlError(_explain(error, text, path, first_line)) from error
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise YamlError(Finding(Location(path, first_line), f"not YAML: {message}")) from error


def _fathom(text: str, path: str, first_line: int) -> None:
    """Raise YamlError where values are nested too deeply: to compose them would take all of the stack, and end us."""
    if sum(map(text.count, "[{-?:")) < _DEEPEST:
        return  # each level begins with one of them
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                mark = event.start_mark
                at = Location(
                    path, first_line + (mark.line if mark else 0), (mark.column if mark else 0) + 1
                )
                raise YamlError(
                    Finding(at, f"not YAML that is read here: nested deeper than {_DEEPEST}")
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _explain(error: yaml.MarkedYAMLError, text: str, path: str, first_line: int) -> Finding:
    """Where to mend: at what was opened and never closed, else where reading stopped, which may be below the text."""
    opened = next((what for what in _OPENED if what in (error.context or "")), None)
    mark = error.context_mark if opened and error.context_mark else error.problem_mark
    last = text.count("\n")
    at = Location(path, first_line)
    if mark and mark.line <= last:
        at = Location(path, first_line + mark.line, mark.column + 1)
    elif mark:
        at = Location(path, first_line + last, len(text) - text.rfind("\n"))
    problem = error.problem or "cannot be read"
    if opened:
        return Finding(at, f"not YAML: {problem}", f"the {opened} that begins here is not closed")
    return Finding(at, f"not YAML: {problem}")


class _Converter:
    """Turns libyaml's nodes into ours."""

    def __init__(self, path: str, first_line: int, plain: bool) -> None:
        self.path = path
        self.first_line = first_line
        self.plain = plain
        self.done: dict[int, tuple[Node, int]] = {}
        self.count = 0
        self.open: set[int] = set()

    def location(self, node: yaml.Node) -> Location:
        mark = node.start_mark
        return Location(self.path, self.first_line + mark.line, mark.column + 1)

    def refuse(self, node: yaml.Node, message: str, hint: str | None = None) -> YamlError:
        return YamlError(
            Finding(self.location(node), f"not YAML that is read here: {message}", hint)
        )

    def convert(self, node: yaml.Node) -> Node:
        key = id(node)
        if key in self.open:
            raise self.refuse(node, "a value contains itself")
        if key in self.done:
            if self.plain:
                raise self.refuse(node, "an alias (*name)", "write the value out in each place")
            known, values = self.done[key]
            self._counted(node, values)
            return known
        if self.plain and node.tag not in _CORE_TAGS:
            raise self.refuse(node, f"the tag {node.tag}", "write the value without a tag")
        before = self.count
        self._counted(node, 1)
        self.open.add(key)
        converted = self._convert(node)
        self.open.discard(key)
        self.done[key] = converted, self.count - before
        return converted

    def _counted(self, node: yaml.Node, values: int) -> None:
        """Add to the number of values that the text stands for: an alias counts as all that it names."""
        self.count += values
        if self.count > _MOST:
            raise self.refuse(node, f"more than {_MOST} values, aliases written out")

    def _convert(self, node: yaml.Node) -> Node:
        at = self.location(node)
        if isinstance(node, yaml.ScalarNode):
            return Scalar(node.value, not node.style and node.value in _NULLS, at)
        if isinstance(node, yaml.SequenceNode):
            return Sequence(tuple(self.convert(item) for item in node.value), at)
        return Mapping(tuple(self._entries(node)), at)

    def _entries(self, node: yaml.Node) -> Iterator[Entry]:
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.refuse(key, "a key that is not a word")
            yield Entry(key.value, self.location(key), self.convert(value))
