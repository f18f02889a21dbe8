"""Change single values of a record, and leave every other byte of its file as it is."""

from __future__ import annotations

import re
from typing import Final

from handbook.authoring.edits import apply_edits
from handbook.authoring.order import find_first_line
from handbook.diagnostics import Edit, Location
from handbook.reading import nodes
from handbook.reading.fields import fields_of
from handbook.reading.source import FrontMatter, Source, read_source
from handbook.records import Document
from handbook.records.postmortem import Action

_DASH: Final = re.compile(r"(?P<indent>[ \t]*)-(?=[ \t])")
_PLAIN: Final = re.compile(r"[\w/](?:[\w ./%~+-]*[\w/])?")
_FLOW_ITEM: Final = re.compile(
    r"\{[^{}]*\}|'(?:[^']|'')*'|\"[^\"]*\"|[^,\]\s]+(?:[ \t]+[^,\]#\s][^,\]\s]*)*"
)


class CannotChangeError(ValueError):
    """Raised if a command cannot change a record. The message gives the reason."""


class RecordEditor:
    """The text of one document while a command changes it. `source` is its present text."""

    def __init__(self, cls: type[Document], path: str, content: bytes) -> None:
        self._ranks = {row.key: rank for rank, row in enumerate(fields_of(cls))}
        self._aliases = {row.key: row.aliases for row in fields_of(cls)}
        self.path, self.content = path, content
        self.source: Source = read_source(path, content)
        if self.source.problem or self.source.front_matter is None:
            raise CannotChangeError(f"{path}: unreadable front matter; run: handbook check {path}")

    @property
    def _front_matter(self) -> FrontMatter:
        if self.source.problem or self.source.front_matter is None:
            raise CannotChangeError(f"{self.path} cannot be changed by a command; edit it")
        return self.source.front_matter

    def _entry(self, key: str) -> nodes.Entry | None:
        """Return the entry of a key or of its other name. Raises CannotChangeError for two."""
        names = (key, *self._aliases.get(key, ()))
        entries = [entry for entry in self._front_matter.mapping.entries if entry.key in names]
        if len(entries) > 1:
            raise CannotChangeError(f"{self.path}:{entries[1].at.line}: duplicate key '{key}'")
        return entries[0] if entries else None

    def _read(self, key: str) -> nodes.Node | None:
        entry = self._entry(key)
        return entry.value if entry else None

    def set_value(self, key: str, value: str) -> None:
        """Set a key with a single value, such as a status or a date. Raises CannotChangeError."""
        entry = self._entry(key)
        if entry is None:
            self._insert_key(key, f"{key}: {value}\n")
        elif not isinstance(entry.value, nodes.Scalar) or entry.value.empty:
            raise self._refuse(key, entry.at)
        elif entry.value.text != value:
            self._apply(Edit(entry.value.at, entry.value.text, value), key)
        written = self._read(key)
        if not isinstance(written, nodes.Scalar) or written.text != value:
            raise self._refuse(key, entry.at if entry else self._front_matter.end)

    def add_value(self, key: str, value: str) -> None:
        """Add a value to a list, if it is not there yet. Raises CannotChangeError."""
        entry = self._entry(key)
        if entry is None:
            self._insert_key(key, f"{key}: [{_write_item(value)}]\n")
        elif not isinstance(entry.value, nodes.Sequence):
            raise self._refuse(key, entry.at)
        elif value not in (item.text for item in nodes.walk_scalars(entry.value)):
            self._append(entry, entry.value, _write_item(value))
        written = self._read(key)
        texts = [item.text for item in nodes.walk_scalars(written)] if written else []
        if value not in texts:
            raise self._refuse(key, entry.at if entry else self._front_matter.end)

    def add_to_history(self, status: str, day: str) -> None:
        """Add an earlier status of a decision as the last line of its history.

        Raises CannotChangeError.
        """
        change = f"{{status: {status}, date: {day}}}"
        entry = self._entry("history")
        count = 0
        if entry is None:
            self._insert_key("history", f"history:\n  - {change}\n")
        elif isinstance(entry.value, nodes.Sequence):
            count = len(entry.value.items)
            self._append(entry, entry.value, change)
        else:
            raise self._refuse("history", entry.at)
        written = self._read("history")
        if not isinstance(written, nodes.Sequence) or len(written.items) != count + 1:
            raise self._refuse("history", self._front_matter.end)

    def remove_value(self, key: str, value: str) -> None:
        """Remove a value from a list, and the key if the list is then empty.

        Raises CannotChangeError.
        """
        entry = self._entry(key)
        if entry is None or not isinstance(entry.value, nodes.Sequence):
            return
        texts = [item.text for item in nodes.walk_scalars(entry.value)]
        if value not in texts:
            return
        item = entry.value.items[texts.index(value)].at
        line = self.source.line(item.line)
        is_flow = self.source.line(entry.value.at.line)[entry.value.at.column - 1] == "["
        if len(texts) == 1:
            numbers = range(entry.at.line, item.line + 1)
            lines = "".join(f"{self.source.line(number)}\n" for number in numbers)
            self._apply(Edit(Location(self.path, entry.at.line), lines, ""), key)
        elif is_flow:
            old = f"{value}, " if f"{value}, " in line else f", {value}"
            new_line = line.replace(old, "", 1)
            self._apply(Edit(Location(self.path, item.line), line, new_line), key)
        else:
            self._apply(Edit(Location(self.path, item.line), f"{line}\n", ""), key)
        left = self._read(key)
        if left and value in [item.text for item in nodes.walk_scalars(left)]:
            raise self._refuse(key, entry.at)

    def set_cell(self, action: Action, column: str, text: str) -> None:
        """Replace the text of a cell of the table of actions. Raises CannotChangeError."""
        index = action.header.index(column)
        start = action.columns[index]
        line = self.source.line(action.line)
        match = re.match(r"(?:\\.|[^|\\])*", line[start - 1 :])
        old = match[0].rstrip() if match else ""
        if not old:
            raise CannotChangeError(
                f"{self.path}:{action.line}: the cell '{column}' is empty; edit the table"
            )
        escaped = text.replace("\\", "\\\\").replace("|", "\\|")
        self._apply(Edit(Location(self.path, action.line, start), old, escaped), column)

    def _append(self, entry: nodes.Entry, sequence: nodes.Sequence, value: str) -> None:
        """Add a value to the end of a list, in the form that the list has."""
        at = sequence.at
        line = self.source.line(at.line)
        if line[at.column - 1 : at.column] == "[":
            if not sequence.items:
                self._apply(Edit(at, "[", f"[{value}"), entry.key)
                return
            last = sequence.items[-1].at
            rest = self.source.line(last.line)[last.column - 1 :]
            match = _FLOW_ITEM.match(rest)
            if match is None:
                raise self._refuse(entry.key, entry.at)
            self._apply(Edit(last, match[0], f"{match[0]}, {value}"), entry.key)
            return
        dash = _DASH.match(line)
        if dash is None or not sequence.items:
            raise self._refuse(entry.key, entry.at)
        last_line = max(item.at.line for item in nodes.walk_scalars(sequence))
        below = Location(self.path, last_line + 1)
        self._apply(Edit(below, "", f"{dash['indent']}- {value}\n"), entry.key)

    def _insert_key(self, key: str, text: str) -> None:
        """Insert a key at its place in the order of `handbook schema KIND`."""
        rank = self._ranks[key]
        following = next(
            (
                entry
                for entry in self._front_matter.mapping.entries
                if self._ranks.get(entry.key, -1) > rank
            ),
            None,
        )
        line = (
            find_first_line(self.source, following.at.line)
            if following
            else self._front_matter.end.line
        )
        self._apply(Edit(Location(self.path, line), "", text), key)

    def _apply(self, edit: Edit, key: str) -> None:
        content, applied = apply_edits(self.content, [edit])
        if not applied:
            raise self._refuse(key, edit.at)
        self.content, self.source = content, read_source(self.path, content)

    def _refuse(self, key: str, at: Location) -> CannotChangeError:
        return CannotChangeError(
            f"{self.path}:{at.line}: a command cannot change '{key}' in this form; edit it"
        )


def _write_item(value: str) -> str:
    """Return a value as an item of a YAML list, in quotes if it needs them."""
    if _PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("'", "''") + "'"
