"""The kinds of record, and how a source becomes one.

A kind is a class: its class variables say where its files stand and what their bodies hold, its fields are the table of
its front matter. Every reader of a kind (rules, schema, templates, views) reads it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, TypeVar

from macros import fields, nodes
from macros.diagnostics import Location
from macros.fields import Choice, Dated, Flag, Many, Pattern, Problem, Reading, Vocabularies, field
from macros.source import Source


@dataclass(frozen=True, kw_only=True)
class Document:
    """A Markdown file that the site publishes, with its front matter read by the table of its class."""

    kind: ClassVar[str]
    sections: ClassVar[tuple[str, ...]] = ()
    """The H2 headings that the body holds, in their order."""
    needs_front_matter: ClassVar[bool] = True

    source: Source
    problems: tuple[Problem, ...] = ()
    dated: tuple[Dated, ...] = ()

    @property
    def path(self) -> str:
        """The path of the file, relative to the root, POSIX."""
        return self.source.path

    @property
    def title(self) -> str:
        """The H1, or the path of a file that has none."""
        return self.source.title or self.path

    @property
    def readable(self) -> bool:
        """Whether the front matter could be read: what seems absent from an unreadable one may be there."""
        return self.source.problem is None and (self.source.front_matter is not None or not self.needs_front_matter)

    def at(self, key: str, value: str | None = None) -> Location:
        """The place of the value under a key, or of one value in the list there; else of the closing `---`."""
        front_matter = self.source.front_matter
        if front_matter is None:
            return self.source.at(1)
        entry = front_matter.mapping.get(key)
        if entry is None:
            return front_matter.end
        if isinstance(entry.value, nodes.Sequence) and value is not None:
            for item in entry.value.items:
                if isinstance(item, nodes.Scalar) and item.text == value:
                    return item.at
        return entry.value.at

    def doubtful(self, key: str) -> bool:
        """Whether a value under a key was found wrong, so that what seems to be missing there may be just that."""
        entry = self.source.front_matter.mapping.get(key) if self.source.front_matter else None
        if entry is None:
            return False
        places = {entry.value.at}
        if isinstance(entry.value, nodes.Sequence):
            places.update(item.at for item in entry.value.items)
        return any(problem.finding.at in places for problem in self.problems)

    @property
    def title_at(self) -> Location:
        """The place of the H1, or of the body's first line."""
        lines = (heading.first for heading in self.source.headings if heading.level == 1)
        return self.source.at(next(lines, self.source.body_line))


@dataclass(frozen=True, kw_only=True)
class Page(Document):
    """A page that is no record: home, an index, a how-to, a reference."""

    kind: ClassVar[str] = "page"
    needs_front_matter: ClassVar[bool] = False

    render_macros: bool = field(Flag(), "true where the page calls macros; elsewhere braces are text")
    hide: tuple[str, ...] = field(
        Many(Choice("navigation", "toc", "path", "footer")), "parts of the layout to leave out"
    )
    description: str | None = field(fields.Text(), "one sentence for search engines")


@dataclass(frozen=True, kw_only=True)
class Record(Document):
    """What every kind of record has."""

    plural: ClassVar[str]
    """The kind's name for many of it, in addresses."""
    folder: ClassVar[str]
    """Where the files of the kind stand, relative to the root."""
    file_name: ClassVar[re.Pattern[str]]
    """How a file of the kind is named, below the folder."""
    file_form: ClassVar[str]
    """The same for people: `NNNN-slug.md`."""
    mention: ClassVar[re.Pattern[str]]
    """Which ids in prose belong to the kind, well formed or not."""

    id: str

    tags: tuple[str, ...] = field(Many(Choice(of="tags")), "tags of the settings")
    example: bool = field(Flag(), "true for a sample that shows the form and binds nobody")
    moved_from: tuple[str, ...] = field(
        Many(Pattern(r"/(?:[\w.-]+/)+", "an old path of this site, such as /adr/0007-old-name/")),
        "addresses at which this record stood before",
    )

    @classmethod
    def owns(cls, path: str) -> bool:
        """Whether a file of the root is, or would be, a record of this kind, however it is named."""
        folder, _, name = path.rpartition("/")
        return folder == cls.folder and name.endswith(".md") and name not in ("index.md", "README.md")

    @classmethod
    def id_of(cls, path: str) -> str:
        """The id that the file's name gives; the path itself where the name has another form."""
        raise NotImplementedError

    @property
    def well_named(self) -> bool:
        """Whether the file's name has the form of its kind."""
        return bool(self.file_name.fullmatch(self.path.removeprefix(self.folder + "/")))

    @property
    def changed(self) -> date | None:
        """The record's own date: the day of its last change of state."""
        raise NotImplementedError

    @property
    def keepers(self) -> tuple[str, ...]:
        """The teams that answer for the record."""
        raise NotImplementedError

    def references(self) -> Iterator[tuple[str, str, str, Location]]:
        """Every record that the front matter names: key, kind, id, place."""
        for key, reference, value in fields.references_of(self):
            yield key, reference.kind, value, self.at(key, value)


D = TypeVar("D", bound=Document)


def read_document(cls: type[D], source: Source, vocabularies: Vocabularies) -> D:
    """The document of a class that a source stands for. What is wrong with its front matter is in its `problems`."""
    common: dict[str, Any] = {"source": source}
    if issubclass(cls, Record):
        common["id"] = cls.id_of(source.path)
    reading = Reading(vocabularies)
    values: Mapping[str, Any] = {}
    if source.problem:
        reading.problems.append(Problem("unreadable", source.problem))
    elif source.front_matter:
        values = fields.read_fields(cls, source.front_matter.mapping, reading, end=source.front_matter.end)
    elif cls.needs_front_matter:
        hint = f"begin the file with '---', the keys of its kind ({cls.kind}), and '---'"
        reading.problem("no-front-matter", source.at(1), "no front matter", hint)
    return cls(**common, **values, problems=tuple(reading.problems), dated=tuple(reading.dated))
