"""The kinds of record, and how a source becomes one.

A kind is a class: its class variables say where its files stand and what their bodies hold, its fields are the table of
its front matter. Every reader of a kind (rules, schema, templates, views) reads it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, ClassVar, Final, TypeVar

from handbook.diagnostics import Edit, Finding, Location
from handbook.reading import fields, nodes
from handbook.reading.blocks import Block, Heading, Paragraph, Table
from handbook.reading.fields import Choice, Dated, Flag, Many, Pattern, Reading, Vocabularies, field
from handbook.reading.placeholders import is_unwritten
from handbook.reading.problems import Problem, ProblemKind
from handbook.reading.source import Source
from handbook.records.draft import Draft

SLUG: Final = r"[a-z0-9]+(?:-[a-z0-9]+)*"
"""Words in lower case, joined by hyphens."""

ITEM_ID: Final = r"[A-Z][A-Z0-9]+-[0-9]{2}"
"""The id of an item of the checklist: its group and its number."""

ALERT_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
"""The name of an alert, which is a part of its address."""


@dataclass(frozen=True, slots=True)
class UnresolvedReference:
    """A reference as it was written: under which key, the kind and the id that it names, and where."""

    key: str
    kind: str
    id: str
    at: Location


@dataclass(frozen=True, slots=True)
class Tie:
    """How readers put a reference into words: on the page that makes it, and on the page that it leads to."""

    outward: str
    inward: str


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a record on a day, in one word: `accepted`, `published`."""

    day: date
    word: str


@dataclass(frozen=True, kw_only=True)
class Entity:
    """What the handbook knows of one thing: a file, or an alert within one."""

    kind: ClassVar[str]
    label: ClassVar[str]
    """How readers name one of the kind."""
    has_page: ClassVar[bool] = True
    """Whether the site has a page for each of the kind, which the search finds."""
    ties: ClassVar[Mapping[str, Tie]] = {}
    """The words for its references, by the key that makes them."""

    path: str
    problems: tuple[Problem, ...] = ()
    dated: tuple[Dated, ...] = ()

    @property
    def id(self) -> str:
        """What others name it by, unique within its kind."""
        return self.path

    @property
    def title(self) -> str:
        """What a reader calls it."""
        return self.path

    @property
    def mapping(self) -> nodes.Mapping | None:
        """Its keys and values as YAML; None where there is none, or none that can be read."""
        return None

    def references(self) -> Iterator[UnresolvedReference]:
        """Every other that its keys name."""
        return iter(())


@dataclass(frozen=True, kw_only=True)
class Document(Entity):
    """A Markdown file that the site publishes, with its front matter read by the table of its class."""

    sections: ClassVar[tuple[str, ...]] = ()
    """The H2 headings that the body holds, in their order."""
    needs_front_matter: ClassVar[bool] = True

    source: Source
    moved_from: tuple[str, ...] = field(
        Many(
            Pattern(
                r"/(?:(?!\.{1,2}/)[\w.-]+/)+",
                "an old path of this site, such as /adr/0007-old-name/",
            )
        ),
        "addresses at which this page stood before",
    )

    @property
    def mapping(self) -> nodes.Mapping | None:
        return self.source.front_matter.mapping if self.source.front_matter else None

    @property
    def title(self) -> str:
        """The H1, or the path of a file that has none."""
        return self.source.title or self.path

    def section_blocks(self, title: str) -> tuple[Block, ...]:
        """The blocks below the first H2 of that title."""
        for section in self.source.sections:
            if section.heading.text == title:
                first, last = section.heading.last, section.last
                return tuple(block for block in self.source.blocks if first < block.first <= last)
        return ()

    def unwritten(self, blocks: Iterable[Block]) -> bool:
        """Whether the text of one of the blocks is still to be written, which `placeholder` (FM106) reports."""
        return any(
            is_unwritten(self.source.line(line))
            for block in blocks
            if isinstance(block, Paragraph | Heading | Table)
            for line in range(block.first, block.last + 1)
        )

    @property
    def readable(self) -> bool:
        """Whether the front matter could be read: what seems absent from an unreadable one may be there."""
        return self.source.problem is None and (
            self.source.front_matter is not None or not self.needs_front_matter
        )

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

    def adding(self, key: str, value: str) -> Edit | None:
        """The edit that adds a value to the list under a key; None where what stands there is no list."""
        if self.source.front_matter is None:
            return None
        entry = self.source.front_matter.mapping.get(key)
        if entry is None:
            return Edit(self.source.front_matter.end, "", f"{key}: [{value}]\n")
        if not isinstance(entry.value, nodes.Sequence):
            return None
        at = entry.value.at
        if self.source.line(at.line)[at.column - 1] == "[":
            return Edit(at, "[", f"[{value}, " if entry.value.items else f"[{value}")
        return Edit(at, "- ", f"- {value}\n{' ' * (at.column - 1)}- ")

    def doubtful(self, key: str) -> bool:
        """Whether a value under a key is wrong or a placeholder, so that what seems to be missing may be just that."""
        entry = self.source.front_matter.mapping.get(key) if self.source.front_matter else None
        if entry is None:
            return False
        values = (
            entry.value,
            *(entry.value.items if isinstance(entry.value, nodes.Sequence) else ()),
        )
        if any(isinstance(value, nodes.Scalar) and is_unwritten(value.text) for value in values):
            return True
        places = {value.at for value in values}
        return any(problem.finding.at in places for problem in self.problems)


@dataclass(frozen=True, kw_only=True)
class Page(Document):
    """A page that is no record: home, an index, a how-to, a reference."""

    kind: ClassVar[str] = "page"
    label: ClassVar[str] = "Page"
    needs_front_matter: ClassVar[bool] = False

    render_macros: bool = field(
        Flag(), "true where the page calls macros; elsewhere braces are text"
    )
    markdown: str | None = field(
        Choice("material"),
        "material for a page in Python-Markdown, with the extensions of mkdocs.yml",
    )
    hide: tuple[str, ...] = field(
        Many(Choice("navigation", "toc", "path", "footer")), "parts of the layout to leave out"
    )
    description: str | None = field(fields.Text(), "one sentence for search engines")


@dataclass(frozen=True, kw_only=True)
class Record(Document):
    """What every kind of record has."""

    plural: ClassVar[str]
    """The kind's name for many of it, in addresses."""
    list_title: ClassVar[str]
    """The title above a list of all records of the kind."""
    change_word: ClassVar[str | None] = None
    """What happened on the day of `changed`, for a record without a status. None: the home page shows no changes."""
    folder: ClassVar[str]
    """Where the files of the kind stand, relative to the root."""
    file_name: ClassVar[re.Pattern[str]]
    """How a file of the kind is named, below the folder."""
    file_form: ClassVar[str]
    """The same for people: `NNNN-slug.md`."""
    depth: ClassVar[int] = 1
    """How many parts of a path below the folder name a record."""
    mention: ClassVar[re.Pattern[str] | None] = None
    """Which ids in prose belong to the kind, well formed or not; None where none does."""
    template: ClassVar[Mapping[str, str]]
    """The text of each section of a new record; of the whole body under "" for a kind without sections."""
    template_keys: ClassVar[tuple[str, ...]] = ()
    """What an author can give for a new record beside the keys of its front matter."""

    example: bool = field(Flag(), "true for a sample that shows the form and binds nobody")
    tags: tuple[str, ...] = field(Many(Choice(of="tags")), "tags of the settings")

    @classmethod
    def owns(cls, path: str) -> bool:
        """Whether a file of the root is, or would be, a record of this kind, however it is named."""
        if not path.startswith(f"{cls.folder}/") or not path.endswith(".md"):
            return False
        parts = path.removeprefix(f"{cls.folder}/").split("/")
        return len(parts) == cls.depth and parts[-1] not in ("index.md", "README.md")

    @classmethod
    def id_of(cls, path: str) -> str:
        """The id that the file's name gives; the path itself where the name has another form."""
        name = path.removeprefix(f"{cls.folder}/")
        return name.removesuffix(".md") if cls.file_name.fullmatch(name) else path

    @classmethod
    def new_path(cls, draft: Draft) -> str:
        """The path of a new record. Raises IncompleteDraftError for a missing value that makes a part of it."""
        return f"{cls.folder}/{draft.name}.md"

    @classmethod
    def new_values(cls, draft: Draft) -> Mapping[str, str]:
        """The values, as YAML, that a new record has unless its author gives others."""
        return {}

    @classmethod
    def new_keys(cls, draft: Draft) -> Set[str]:
        """The keys that a new record needs beside those that its kind always requires."""
        return set()

    @classmethod
    def new_comment(cls, values: Mapping[str, str]) -> str | None:
        """The comment above the keys of a new record with these values."""
        return None

    @classmethod
    def new_sections(cls, path: str, draft: Draft) -> Mapping[str, str]:
        """The texts of the template, filled in for a new record at a path."""
        return cls.template

    @cached_property
    def id(self) -> str:
        return self.id_of(self.path)

    @property
    def well_named(self) -> bool:
        """Whether the file's name has the form of its kind."""
        return bool(self.file_name.fullmatch(self.path.removeprefix(self.folder + "/")))

    @property
    def changed(self) -> date | None:
        """The record's own date: the day of its last change of state. None for a kind that has no such date."""
        return None

    @property
    def events(self) -> tuple[Event, ...]:
        """What the feed says of the record."""
        return ()

    @property
    def extras(self) -> Mapping[str, Any]:
        """What JSON says of the record beside its keys: what its body holds."""
        return {}

    def references(self) -> Iterator[UnresolvedReference]:
        for written in fields.references_of(self):
            yield UnresolvedReference(
                written.key, written.kind, written.id, self.at(written.key, written.id)
            )


def next_number(kind: type[Record], paths: Iterable[str]) -> int:
    """The number after the highest that a file of a numbered kind has among these paths."""
    names = (path.removeprefix(f"{kind.folder}/") for path in paths if kind.owns(path))
    return (
        max(
            (int(match["number"]) for match in map(kind.file_name.fullmatch, names) if match),
            default=0,
        )
        + 1
    )


D = TypeVar("D", bound=Document)


def read_document(
    cls: type[D], source: Source, vocabularies: Vocabularies, problems: tuple[Problem, ...] = ()
) -> D:
    """The document of a class that a source stands for. What is wrong with its front matter is in its `problems`."""
    reading = Reading(vocabularies)
    reading.problems.extend(problems)
    values: Mapping[str, Any] = {}
    if source.problem:
        reading.problems.append(Problem(ProblemKind.UNREADABLE_FILE, source.problem))
    elif source.front_matter:
        values = fields.read_fields(
            cls, source.front_matter.mapping, reading, end=source.front_matter.end
        )
    elif cls.needs_front_matter:
        hint = f"begin the file with '---', the keys of its kind ({cls.kind}), and '---'"
        reading.problem(ProblemKind.MISSING_FRONT_MATTER, source.at(1), "no front matter", hint)
    return cls(
        path=source.path,
        source=source,
        **values,
        problems=tuple(reading.problems),
        dated=tuple(reading.dated),
    )


E = TypeVar("E", bound=Entity)


def read_entity(cls: type[E], path: str, text: str | Finding, vocabularies: Vocabularies) -> E:
    """The entity that a YAML file stands for, by the table of its class. What is wrong is in its `problems`.

    `text` is a finding where the file could not be read.
    """
    reading = Reading(vocabularies)
    values: Mapping[str, Any] = {}
    node: nodes.Node | None = None
    try:
        node = nodes.parse(text, path) if isinstance(text, str) else None
        if isinstance(text, Finding):
            reading.problems.append(Problem(ProblemKind.UNREADABLE_FILE, text))
        elif isinstance(node, nodes.Mapping):
            values = fields.read_fields(cls, node, reading, end=node.at)
        else:
            reading.problem(
                ProblemKind.UNREADABLE_FILE,
                Location(path),
                "the file is not a mapping of keys to values",
            )
    except nodes.YamlError as error:
        reading.problems.append(Problem(ProblemKind.UNREADABLE_FILE, error.finding))
    found = {"node": node} if isinstance(node, nodes.Mapping) else {}
    return cls(
        path=path, **found, **values, problems=tuple(reading.problems), dated=tuple(reading.dated)
    )
