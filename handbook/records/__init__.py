"""Base classes of the kinds of record, and the functions that read a record.

A kind is a class. Its class variables define the folder, the file names and the sections. Its
fields define the front matter. Rules, schema, templates and views all read this one definition.
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
from handbook.reading.fields import (
    Choice,
    Flag,
    Many,
    PastDate,
    Pattern,
    Reading,
    Vocabularies,
    field,
)
from handbook.reading.placeholders import is_unwritten
from handbook.reading.problems import Problem, ProblemKind
from handbook.reading.source import Source
from handbook.records.draft import TODO, Draft

SLUG: Final = r"[a-z0-9]+(?:-[a-z0-9]+)*"
"""Pattern of a slug: lower-case words joined by hyphens."""

ITEM_ID: Final = r"[A-Z][A-Z0-9]+-[0-9]{2}"
"""Pattern of a checklist item's id: its group and its number."""

ALERT_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
"""Pattern of an alert name that can be part of an address."""


@dataclass(frozen=True, slots=True)
class UnresolvedReference:
    """Reference as written: its key, the kind and id it names, and its location."""

    key: str
    kind: str
    id: str
    at: Location


@dataclass(frozen=True, slots=True)
class ReferenceLabel:
    """Labels of a reference, on the page of its source and of its target."""

    outward: str
    inward: str


@dataclass(frozen=True, slots=True)
class Event:
    """Dated change of a record in one word, such as `accepted` or `published`."""

    day: date
    change: str


@dataclass(frozen=True, kw_only=True)
class Entity:
    """Base class of records, pages, audits and alerts."""

    kind: ClassVar[str]
    label: ClassVar[str]
    """Singular name of the kind on the site."""
    has_page: ClassVar[bool] = True
    """True if entities of the kind have pages, which the search also finds."""
    reference_labels: ClassVar[Mapping[str, ReferenceLabel]] = {}
    """Labels of its references, by key."""

    path: str
    problems: tuple[Problem, ...] = ()
    past_dates: tuple[PastDate, ...] = ()

    @property
    def id(self) -> str:
        """Identifier, unique within its kind."""
        return self.path

    @property
    def title(self) -> str:
        """Title on the site."""
        return self.path

    @property
    def mapping(self) -> nodes.Mapping | None:
        """YAML mapping of its keys; None if it is missing or unreadable."""
        return None

    def references(self) -> Iterator[UnresolvedReference]:
        """Yield every reference that its keys make."""
        return iter(())


@dataclass(frozen=True, kw_only=True)
class Document(Entity):
    """Published Markdown file, with front matter read by the fields of its class."""

    sections: ClassVar[tuple[str, ...]] = ()
    """Required H2 headings of the body, in order."""
    needs_front_matter: ClassVar[bool] = True

    source: Source
    moved_from: tuple[str, ...] = field(
        Many(
            Pattern(
                r"/(?:(?!\.{1,2}/)[\w.-]+/)+",
                "an old path of this site, such as /adr/0007-old-name/",
            )
        ),
        "earlier addresses of this page",
    )

    @property
    def mapping(self) -> nodes.Mapping | None:
        return self.source.front_matter.mapping if self.source.front_matter else None

    @property
    def title(self) -> str:
        """H1 of the document; its path if it has no H1."""
        return self.source.title or self.path

    def section_blocks(self, title: str) -> tuple[Block, ...]:
        """Return the blocks below the first H2 with this title."""
        for section in self.source.sections:
            if section.heading.text == title:
                first, last = section.heading.last, section.last
                return tuple(block for block in self.source.blocks if first < block.first <= last)
        return ()

    def has_placeholder(self, blocks: Iterable[Block]) -> bool:
        """Return whether a block contains a placeholder, which the rule `placeholder` reports."""
        return any(
            is_unwritten(self.source.line(line))
            for block in blocks
            if isinstance(block, Paragraph | Heading | Table)
            for line in range(block.first, block.last + 1)
        )

    @property
    def is_readable(self) -> bool:
        """Return whether the front matter is readable. If not, rules report no missing keys."""
        return self.source.problem is None and (
            self.source.front_matter is not None or not self.needs_front_matter
        )

    def at(self, key: str, value: str | None = None) -> Location:
        """Return the location of a key's value, or of one value in its list.

        Without the key, it is the location of the closing `---`.
        """
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

    def edit_to_add(self, key: str, value: str) -> Edit | None:
        """Return an edit that adds a value to the list under a key.

        The result is None if the key has a value that is not a list.
        """
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

    def has_invalid_value(self, key: str) -> bool:
        """Return whether a value under a key is invalid or a placeholder.

        The author meant to set such a value, so rules do not report it as missing.
        """
        entry = self.source.front_matter.mapping.get(key) if self.source.front_matter else None
        if entry is None:
            return False
        values = (
            entry.value,
            *(entry.value.items if isinstance(entry.value, nodes.Sequence) else ()),
        )
        if any(isinstance(value, nodes.Scalar) and is_unwritten(value.text) for value in values):
            return True
        locations = {value.at for value in values}
        return any(problem.finding.at in locations for problem in self.problems)


@dataclass(frozen=True, kw_only=True)
class Page(Document):
    """Page that is not a record: home, an index, a how-to, a reference."""

    kind: ClassVar[str] = "page"
    label: ClassVar[str] = "Page"
    needs_front_matter: ClassVar[bool] = False

    render_macros: bool = field(
        Flag(), "true if the page calls macros; otherwise braces are plain text"
    )
    markdown: str | None = field(
        Choice("material"),
        "material: render with Python-Markdown and the extensions of mkdocs.yml",
    )
    hide: tuple[str, ...] = field(
        Many(Choice("navigation", "toc", "path", "footer")), "parts of the layout to hide"
    )
    description: str | None = field(fields.Text(), "one-sentence summary for search engines")


@dataclass(frozen=True, kw_only=True)
class Record(Document):
    """Base class of every kind of record."""

    plural: ClassVar[str]
    """Plural name of the kind, used in addresses."""
    list_title: ClassVar[str]
    """Title of a list of all records of the kind."""
    change_word: ClassVar[str | None] = None
    """Word for the change on the date `changed`, used for a record without a status.

    None hides the kind from the list of changes on the home page.
    """
    folder: ClassVar[str]
    """Folder of the kind's files, relative to the root."""
    file_name: ClassVar[re.Pattern[str]]
    """Pattern of a file name, relative to the folder."""
    file_form: ClassVar[str]
    """File name pattern as text for people, such as `NNNN-slug.md`."""
    depth: ClassVar[int] = 1
    """Number of path segments of a file name below the folder."""
    mention: ClassVar[re.Pattern[str] | None] = None
    """Pattern of the kind's ids in prose, valid or not. None: prose cannot mention the kind."""
    template: ClassVar[Mapping[str, str]]
    """Section texts of a new record. The key "" holds the body of a kind without sections."""
    template_keys: ClassVar[tuple[str, ...]] = ()
    """Extra values for a new record that are not keys of its front matter."""

    example: bool = field(Flag(), "true for an example that is not in force")
    tags: tuple[str, ...] = field(Many(Choice(of="tags")), "tags from the list in mkdocs.yml")

    @classmethod
    def owns(cls, path: str) -> bool:
        """Return whether a path is in this kind's folder, even if its name is invalid."""
        if not path.startswith(f"{cls.folder}/") or not path.endswith(".md"):
            return False
        parts = path.removeprefix(f"{cls.folder}/").split("/")
        return len(parts) == cls.depth and parts[-1] not in ("index.md", "README.md")

    @classmethod
    def id_of(cls, path: str) -> str:
        """Return the id from a file name; the path itself if the name is invalid."""
        name = path.removeprefix(f"{cls.folder}/")
        return name.removesuffix(".md") if cls.file_name.fullmatch(name) else path

    @classmethod
    def new_path(cls, draft: Draft) -> str:
        """Return the path of a new record.

        Raises IncompleteDraftError if a value that the path needs is missing.
        """
        return f"{cls.folder}/{draft.name}.md"

    @classmethod
    def new_values(cls, draft: Draft) -> Mapping[str, str]:
        """Return the default values of a new record, as YAML."""
        return {}

    @classmethod
    def new_keys(cls, draft: Draft) -> Set[str]:
        """Return the keys that a new record needs in addition to its required fields."""
        return set()

    @classmethod
    def new_comment(cls, values: Mapping[str, str]) -> str | None:
        """Return the comment above the keys of a new record."""
        return None

    @classmethod
    def new_sections(cls, path: str, draft: Draft) -> Mapping[str, str]:
        """Return the section texts of a new record at a path."""
        return cls.template

    @cached_property
    def id(self) -> str:
        return self.id_of(self.path)

    @property
    def has_valid_name(self) -> bool:
        """Return whether the file name matches the pattern of its kind."""
        return bool(self.file_name.fullmatch(self.path.removeprefix(self.folder + "/")))

    @property
    def changed(self) -> date | None:
        """Date of the last change of state; None if the kind has no such date."""
        return None

    @property
    def events(self) -> tuple[Event, ...]:
        """Events of the record for the feed."""
        return ()

    @property
    def extras(self) -> Mapping[str, Any]:
        """Values read from the body, for the JSON export."""
        return {}

    def references(self) -> Iterator[UnresolvedReference]:
        for reference in fields.find_references(self):
            yield UnresolvedReference(
                reference.key, reference.kind, reference.id, self.at(reference.key, reference.id)
            )


def next_number(kind: type[Record], paths: Iterable[str]) -> int:
    """Return the highest number of a numbered kind among these paths, plus one."""
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
    """Read a source as a document of a class. Its `problems` hold the front matter errors."""
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
        reading.add_problem(
            ProblemKind.MISSING_FRONT_MATTER,
            source.at(1),
            "missing front matter",
            _suggest_front_matter(cls),
        )
    return cls(
        path=source.path,
        source=source,
        **values,
        problems=tuple(reading.problems),
        past_dates=tuple(reading.past_dates),
    )


def _suggest_front_matter(cls: type[Document]) -> str:
    """Return the hint with the lines of the smallest front matter of a kind."""
    required = [row for row in fields.fields_of(cls) if row.required]
    values = (
        f"{row.key}: {f'[{TODO}]' if isinstance(row.type, Many) else TODO}" for row in required
    )
    lines = ", ".join(f"'{line}'" for line in ("---", *values))
    return f"begin the file with the lines {lines} and '---'"


E = TypeVar("E", bound=Entity)


def read_entity(cls: type[E], path: str, text: str | Finding, vocabularies: Vocabularies) -> E:
    """Read a YAML file as an entity of a class. Its `problems` hold the errors.

    `text` is a finding if the file is unreadable.
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
            reading.add_problem(
                ProblemKind.UNREADABLE_FILE,
                Location(path),
                "the file is not a mapping of keys to values",
            )
    except nodes.YamlError as error:
        reading.problems.append(Problem(ProblemKind.UNREADABLE_FILE, error.finding))
    extra_values = {"node": node} if isinstance(node, nodes.Mapping) else {}
    return cls(
        path=path,
        **extra_values,
        **values,
        problems=tuple(reading.problems),
        past_dates=tuple(reading.past_dates),
    )
