"""Read YAML as nodes with locations.

Every single value stays text, even if YAML gives it a type, such as `no`, `0023`, `10:14` or
`2026-02-30`. The type of the field (`fields`) converts the text to a value. The library libyaml
parses the text, and no tag of the YAML creates an object.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from handbook.diagnostics import Finding, Location

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_CORE_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "null", "bool", "int", "float", "timestamp", "merge", "value", "seq", "map")
)
_TAGS: Final[dict[type[yaml.Node], str]] = {
    yaml.ScalarNode: "tag:yaml.org,2002:str",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
    yaml.MappingNode: "tag:yaml.org,2002:map",
}
"""The tag of a node without a tag of its own."""
_VARIABLE_TAG: Final = "!ENV"
_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
_DEEPEST: Final = 100
_MOST_VALUES: Final = 100_000
_FEW: Final = 20
"""The number of entries of a mapping up to which a search without an index is fast."""
_OPENING_MARKS = {"flow sequence": "'['", "flow mapping": "'{'", "quoted scalar": "quotation mark"}
"""The opening mark of each YAML construct that needs a closing mark, by its name in libyaml."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value, as text. `empty` is True if the value is absent or null.

    `is_plain` is True if the value has no quotation marks, and is not a block of text.
    """

    text: str
    empty: bool
    at: Location
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class Sequence:
    """A YAML list."""

    items: tuple[Node, ...]
    at: Location


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping with its value. `at` is the location of the key."""

    key: str
    at: Location
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """A YAML mapping: its entries in the order of the file, including duplicate keys."""

    entries: tuple[Entry, ...]
    at: Location
    _entry_by_key: dict[str, Entry] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """The first entry of each key. It is filled at the first search in a wide mapping."""

    def get(self, key: str) -> Entry | None:
        """Return the first entry with a key, or None if the key is absent."""
        if len(self.entries) <= _FEW:
            for entry in self.entries:
                if entry.key == key:
                    return entry
            return None
        if not self._entry_by_key:
            for entry in self.entries:
                self._entry_by_key.setdefault(entry.key, entry)
        return self._entry_by_key.get(key)

    def find(self, *keys: str) -> Node | None:
        """Return the node below nested keys, outermost first, or None if a key is absent."""
        node: Node | None = self
        for key in keys:
            entry = node.get(key) if isinstance(node, Mapping) else None
            node = entry.value if entry else None
        return node


Node = Scalar | Sequence | Mapping


def walk_scalars(node: Node) -> Iterator[Scalar]:
    """Yield every single value in a node, in the order of the file. Keys are not included."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from walk_scalars(item)
    else:
        for entry in node.entries:
            yield from walk_scalars(entry.value)


class YamlError(Exception):
    """Raised for invalid or unsupported YAML. `finding` has the location and the reason."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def parse(text: str, path: str, first_line: int = 1, *, plain: bool = True) -> Node | None:
    """Return the root node of a YAML text with one document, or None if the text is empty.

    `first_line` is the line of the file on which the text begins. With `plain`, the function
    refuses aliases and special tags. Records do not need them, and aliases can expand a small file
    into a huge one. Without `plain`, the value of `!ENV [NAME, default]` is its default, and the
    value of `!ENV NAME` is empty. So the result does not depend on the environment.

    Raises YamlError if the YAML is invalid or unsupported.
    """
    with _reporting_errors(text, path, first_line):
        loader = _Loader(text, path, first_line)
        try:
            composed = loader.get_single_node()
        finally:
            loader.dispose()
        return _Converter(path, first_line, plain).convert(composed) if composed else None


def parse_documents(text: str, path: str) -> tuple[Node, ...]:
    """Return the root node of each document in a YAML text. Empty documents are not included.

    The function supports aliases and merge keys (`<<: *name`). The number of values in the whole
    text has a limit, with aliases expanded.

    Raises YamlError if the YAML is invalid or unsupported.
    """
    with _reporting_errors(text, path, 1):
        loader = _Loader(text, path, 1)
        converter = _Converter(path, 1, plain=False, with_merge_keys=True)
        roots: list[Node] = []
        try:
            while loader.check_node():
                composed = loader.get_node()
                root = converter.convert_document(composed) if composed else None
                if root is not None:
                    roots.append(root)
        finally:
            loader.dispose()
        return tuple(roots)


@contextmanager
def _reporting_errors(text: str, path: str, first_line: int) -> Iterator[None]:
    """Raise YamlError instead of the errors of libyaml."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        raise YamlError(_make_finding(error, text, path, first_line)) from error
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise YamlError(Finding(Location(path, first_line), f"invalid YAML: {message}")) from error


def _check_depth(text: str, path: str, first_line: int) -> None:
    """Raise YamlError if lists and mappings are nested too deeply."""
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
    """Return the finding for a syntax error.

    If a closing mark is missing, the location is the opening mark. Otherwise it is the character at
    which libyaml stopped.
    """
    context = error.context or ""
    opening = next(
        (mark for construct, mark in _OPENING_MARKS.items() if construct in context), None
    )
    mark = error.context_mark if opening and error.context_mark else error.problem_mark
    last = text.count("\n")
    at = Location(path, first_line)
    if mark and mark.line <= last:
        at = Location(path, first_line + mark.line, mark.column + 1)
    elif mark:
        at = Location(path, first_line + last, len(text) - text.rfind("\n"))
    message = f"invalid YAML: {error.problem or 'unknown error'}"
    return Finding(at, message, f"close the {opening} that begins here" if opening else None)


class _Loader(yaml.CSafeLoader):
    """A loader that gives a value without a tag the tag of a text, because `Scalar` is a text.

    PyYAML would compare each value with the forms of numbers, dates and others. That would take a
    fifth of the time.

    If values are nested too deeply, PyYAML would overflow the stack, which would kill the process.
    The loader counts the open values, and checks the depth of the whole text at the limit.
    """

    def __init__(self, text: str, path: str, first_line: int) -> None:
        super().__init__(text)
        self.place = text, path, first_line
        self.depth = 0
        self.is_checked = False

    def descend_resolver(self, parent: yaml.Node | None, index: Any) -> None:
        self.depth += 1
        if self.depth > _DEEPEST and not self.is_checked:
            self.is_checked = True
            _check_depth(*self.place)

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:
        is_merge_key = value == "<<" and implicit[0]
        return _MERGE_TAG if is_merge_key else _TAGS[kind]


class _Converter:
    """Converts the nodes of libyaml to the nodes of this module.

    `open_ids` are the nodes whose conversion has begun, and `converted` are the finished nodes with
    the number of values in each. Both use the identity of the node of libyaml.
    """

    def __init__(
        self, path: str, first_line: int, plain: bool, *, with_merge_keys: bool = False
    ) -> None:
        self.path = path
        self.first_line = first_line
        self.plain = plain
        self.with_merge_keys = with_merge_keys
        self.converted: dict[int, tuple[Node, int]] = {}
        self.value_count = 0
        self.open_ids: set[int] = set()

    def locate(self, node: yaml.Node) -> Location:
        """Return the location at which a node begins."""
        mark = node.start_mark
        return Location(self.path, self.first_line + mark.line, mark.column + 1)

    def refuse(self, node: yaml.Node, message: str, hint: str | None = None) -> YamlError:
        """Return the error for a node that this module does not support."""
        return YamlError(Finding(self.locate(node), f"unsupported YAML: {message}", hint))

    def convert_document(self, root: yaml.Node) -> Node | None:
        """Convert a document, or return None if it is empty. Aliases end with their document."""
        self.converted.clear()
        converted = self.convert(root)
        return None if isinstance(converted, Scalar) and converted.empty else converted

    def convert(self, node: yaml.Node) -> Node:
        """Convert a node and all nodes in it. Raises YamlError if one is not supported."""
        key = id(node)
        if key in self.open_ids:
            raise self.refuse(node, "a value that contains itself")
        if key in self.converted:
            if self.plain:
                raise self.refuse(node, "an alias (*name)", "write the value out in each place")
            converted, value_count = self.converted[key]
            self._add_values(node, value_count)
            return converted
        if self.plain and node.tag not in _CORE_TAGS:
            raise self.refuse(node, f"the tag '{node.tag}'", "remove the tag")
        previous_count = self.value_count
        self._add_values(node, 1)
        self.open_ids.add(key)
        converted = self._convert(node)
        self.open_ids.discard(key)
        self.converted[key] = converted, self.value_count - previous_count
        return converted

    def _add_values(self, node: yaml.Node, value_count: int) -> None:
        """Count values, and raise YamlError if there are too many.

        An alias counts as often as the values that it repeats.
        """
        self.value_count += value_count
        if self.value_count > _MOST_VALUES:
            raise self.refuse(node, f"more than {_MOST_VALUES} values, with aliases expanded")

    def _convert(self, node: yaml.Node) -> Node:
        at = self.locate(node)
        if node.tag == _VARIABLE_TAG and not isinstance(node, yaml.MappingNode):
            has_default = isinstance(node, yaml.SequenceNode) and len(node.value) > 1
            return self.convert(node.value[-1]) if has_default else Scalar("", True, at)
        if isinstance(node, yaml.ScalarNode):
            is_plain = not node.style
            return Scalar(node.value, is_plain and node.value in _NULLS, at, is_plain)
        if isinstance(node, yaml.SequenceNode):
            return Sequence(tuple(self.convert(item) for item in node.value), at)
        return Mapping(self._convert_entries(node), at)

    def _convert_entries(self, node: yaml.Node) -> tuple[Entry, ...]:
        entries: list[Entry] = []
        merged: yaml.Node | None = None
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.refuse(key, "a key that is a list or a mapping", "write the key as text")
            if not (self.with_merge_keys and key.tag == _MERGE_TAG):
                entries.append(Entry(key.value, self.locate(key), self.convert(value)))
            elif merged is not None:
                raise self.refuse(key, "a second merge key '<<'", "write '<<: [*first, *second]'")
            else:
                merged = value
        return tuple(entries) if merged is None else self._merge(entries, merged)

    def _merge(self, entries: list[Entry], merged: yaml.Node) -> tuple[Entry, ...]:
        """Add the entries of merged mappings whose keys are not in `entries`.

        If several mappings have a key, the first of them counts.
        """
        known_keys = {entry.key for entry in entries}
        sources = merged.value if isinstance(merged, yaml.SequenceNode) else [merged]
        for source in sources:
            mapping = self.convert(source)
            if not isinstance(mapping, Mapping):
                raise self.refuse(source, "a merge key '<<' without a mapping", "write '<<: *name'")
            for entry in mapping.entries:
                if entry.key not in known_keys:
                    known_keys.add(entry.key)
                    entries.append(entry)
        return tuple(entries)
