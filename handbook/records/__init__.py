"""Base classes of the kinds of record, and the functions that read a record.

Each kind of record is a class. The class variables define the folder, the file names and the
sections of the kind. The fields define its front matter. Rules, JSON Schema, templates and views
all use this definition.
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from typing import Any, ClassVar, Final, TypeVar

from handbook.diagnostics import Edit, Finding, Location
from handbook.reading import fields, nodes
from handbook.reading.blocks import Block, Section
from handbook.reading.fields import (
    AllowedValues,
    Choice,
    Day,
    Flag,
    Group,
    Many,
    PastDate,
    Pattern,
    Reading,
    field,
)
from handbook.reading.placeholders import is_unwritten
from handbook.reading.problems import Problem, ProblemKind
from handbook.reading.source import Source
from handbook.records.draft import TODO, Draft
from handbook.records.forms import OWN_FORM, RecordForm, make_own_form, recognise_form

SLUG: Final = r"[a-z0-9]+(?:-[a-z0-9]+)*"
"""The pattern of a slug: words in lower case with hyphens between them."""

ITEM_ID: Final = r"[A-Z][A-Z0-9]+-[0-9]{2}"
"""The pattern of the id of a checklist item: its group and its number, such as TEST-01."""

ALERT_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
"""The pattern of an alert name that can be part of an address."""


@dataclass(frozen=True, slots=True)
class UnresolvedReference:
    """A reference that an author wrote. Its target can be missing.

    `key` is the front matter key of the reference, and `kind` and `id` belong to its target.
    """

    key: str
    kind: str
    id: str
    at: Location


@dataclass(frozen=True, slots=True)
class ReferenceLabel:
    """The labels of a reference, such as "supersedes" and "superseded by".

    `outward` is for the page of the source, and `inward` for the page of the target.
    """

    outward: str
    inward: str


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a record on a date. `change` is one word, such as `accepted` or `published`."""

    day: date
    change: str


@dataclass(frozen=True, kw_only=True)
class Entity:
    """Base class of records, pages, audits and alerts."""

    kind: ClassVar[str]
    label: ClassVar[str]
    """The name of the kind on the site, in the singular."""
    has_page: ClassVar[bool] = True
    """True if each entity of the kind has a page."""
    reference_labels: ClassVar[Mapping[str, ReferenceLabel]] = {}
    """The labels of the references of the kind, by their key."""

    path: str
    problems: tuple[Problem, ...] = ()
    past_dates: tuple[PastDate, ...] = ()

    @property
    def id(self) -> str:
        """The id of the entity. Entities of one kind must have different ids."""
        return self.path

    @property
    def title(self) -> str:
        """The title of the entity on the site."""
        return self.path

    @property
    def mapping(self) -> nodes.Mapping | None:
        """The YAML mapping of the entity, or None if it is missing or unreadable."""
        return None

    @cached_property
    def references(self) -> tuple[UnresolvedReference, ...]:
        """The references in the keys of the entity."""
        return tuple(self.find_references())

    def find_references(self) -> Iterator[UnresolvedReference]:
        """Yield the references in the keys of the entity."""
        return iter(())

    def label_reference(self, key: str) -> ReferenceLabel:
        """Return the labels of a reference, or its key if the kind defines no labels."""
        return self.reference_labels.get(key, ReferenceLabel(key, key))


@dataclass(frozen=True, kw_only=True)
class Document(Entity):
    """A published Markdown file. The fields of its class define its front matter."""

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
    aliases: tuple[str, ...] = field(
        Many(fields.Text()), "other names under which the search finds this page"
    )

    @property
    def mapping(self) -> nodes.Mapping | None:
        return self.source.front_matter.mapping if self.source.front_matter else None

    @property
    def title(self) -> str:
        """The text of the H1, or the path of the document if it has no H1."""
        return self.source.title or self.path

    def has_placeholder(self, blocks: Iterable[Block]) -> bool:
        """Return whether one of these blocks contains a placeholder."""
        return any(any(self.source.find_placeholders(block)) for block in blocks)

    @property
    def is_readable(self) -> bool:
        """True if the front matter is readable. If it is not, rules report no missing keys."""
        return self.source.problem is None and (
            self.source.front_matter is not None or not self.needs_front_matter
        )

    def at(self, key: str, value: str | None = None) -> Location:
        """Return the location of the value of a key, or of one value in its list.

        If the key is missing, the location is the closing `---` of the front matter.
        """
        front_matter = self.source.front_matter
        if front_matter is None:
            return self.source.at(1)
        entry = self._entry(key)
        if entry is None:
            return front_matter.end
        if isinstance(entry.value, nodes.Sequence) and value is not None:
            for item in entry.value.items:
                if isinstance(item, nodes.Scalar) and item.text == value:
                    return item.at
        return entry.value.at

    def _entry(self, key: str) -> nodes.Entry | None:
        """Return the entry of a key, or of another key for the same field."""
        if self.mapping is None:
            return None
        for name in fields.list_names(type(self), key):
            if entry := self.mapping.get(name):
                return entry
        return None

    def edit_to_add(self, key: str, value: str) -> Edit | None:
        """Return an edit that adds a value to the list under a key.

        Returns None if the value of the key is not a list.
        """
        if self.source.front_matter is None:
            return None
        entry = self._entry(key)
        if entry is None:
            return Edit(self.source.front_matter.end, "", f"{key}: [{value}]\n")
        if not isinstance(entry.value, nodes.Sequence):
            return None
        at = entry.value.at
        if self.source.line(at.line)[at.column - 1] == "[":
            return Edit(at, "[", f"[{value}, " if entry.value.items else f"[{value}")
        return Edit(at, "- ", f"- {value}\n{' ' * (at.column - 1)}- ")

    def has_invalid_value(self, key: str) -> bool:
        """Return whether a value of a key is invalid or a placeholder.

        A rule then does not report the value as missing, because it already has another finding.
        """
        entry = self._entry(key)
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
    """A page that is not a record, such as an index or a how-to."""

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
    description: str | None = field(fields.ProseText(), "one-sentence summary for search engines")


class SourceFile(Pattern):
    """The source of an imported record: a public repository with a path, or a relative path.

    A path of the author's machine, and a user in the address of a repository, are invalid.
    """

    def __init__(self) -> None:
        path = r"(?![/~\\])(?!(?:.*/)?\.\./)[^\s:][^:]*"
        repository = r"(?:(?:https?|ssh|git)://(?:git@)?|git@)[^\s@]+"
        super().__init__(
            rf"(?:{repository}@[0-9a-f]{{7,64}}:)?{path}",
            "repository@commit:path, without credentials, or a path in the imported folder",
        )


@dataclass(frozen=True, kw_only=True)
class Imported:
    """The source of a record that was imported from another repository or folder."""

    source: str | None = field(
        SourceFile(),
        "source file: repository@commit:path, or a path in the imported folder",
        required=True,
        key="from",
    )
    date: date | None = field(Day(), "date of the import", required=True)
    sha256: str | None = field(
        Pattern("[0-9a-f]{64}", "a SHA-256, 64 digits from 0 to f"),
        "SHA-256 of the bytes of the source file",
        required=True,
    )


@dataclass(frozen=True, kw_only=True)
class Record(Document):
    """Base class of the kinds of record."""

    plural: ClassVar[str]
    """The plural name of the kind in addresses, such as `runbooks`."""
    list_title: ClassVar[str]
    """The title of a list of all records of the kind."""
    change_word: ClassVar[str | None] = None
    """The word for the change on the date `changed`, if the record has no status.

    If it is None, the list of changes on the home page leaves out this kind.
    """
    folder: ClassVar[str]
    """The folder of the records, relative to the root."""
    file_name: ClassVar[re.Pattern[str]]
    """The pattern of the path of a record, relative to the folder."""
    file_form: ClassVar[str]
    """The form of a file name, for messages, such as `NNNN-slug.md`."""
    depth: ClassVar[int] = 1
    """The number of path segments of a record below the folder."""
    mention: ClassVar[re.Pattern[str] | None] = None
    """A pattern that recognises ids of this kind in a text, even if they are invalid.

    It is None if a text cannot mention records of this kind by id.
    """
    sections: ClassVar[tuple[str, ...]] = ()
    """The H2 headings that the body must have in the form of this handbook."""
    other_forms: ClassVar[tuple[RecordForm, ...]] = ()
    """The other forms that a record can have, such as MADR."""
    optional_if_imported: ClassVar[tuple[str, ...]] = ()
    """The required keys that an imported record can lack, because nobody recorded their values."""
    template: ClassVar[Mapping[str, str]]
    """The texts of a new record, by section. The key "" is for a kind without sections."""
    sections_with_none: ClassVar[frozenset[str]] = frozenset()
    """The required sections in which "None." is an answer."""
    first_section: ClassVar[str | None] = None
    """An optional section that must be the first one, or None."""
    last_section: ClassVar[str | None] = None
    """An optional section that must be the last one, or None."""
    template_keys: ClassVar[tuple[str, ...]] = ()
    """The values that a new record needs in addition to its front matter."""

    example: bool = field(Flag(), "true for an example that is not in force")
    tags: tuple[str, ...] = field(Many(Choice(of="tags")), "tags from the list in mkdocs.yml")
    imported: Imported | None = field(
        Group(Imported), "source of an imported record; facts that nobody recorded can be missing"
    )
    section_aliases: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The headings of the organisation (`handbook.sections`), each with the name of our section."""

    @classmethod
    def owns(cls, path: str) -> bool:
        """Return whether a file is a record of this kind. Its file name can be invalid."""
        if not path.startswith(f"{cls.folder}/") or not path.endswith(".md"):
            return False
        parts = path.removeprefix(f"{cls.folder}/").split("/")
        return len(parts) == cls.depth and parts[-1] not in ("index.md", "README.md")

    @classmethod
    def id_of(cls, path: str) -> str:
        """Return the id of the record at a path. If its file name is invalid, return the path."""
        name = path.removeprefix(f"{cls.folder}/")
        return name.removesuffix(".md") if cls.file_name.fullmatch(name) else path

    @classmethod
    def new_path(cls, draft: Draft) -> str:
        """Return the path of a new record.

        Raises IncompleteDraftError if the draft has no value that the path needs.
        """
        return f"{cls.folder}/{draft.name}.md"

    @classmethod
    def new_values(cls, draft: Draft) -> Mapping[str, str]:
        """Return the default values of a new record, as YAML, by key."""
        return {}

    @classmethod
    def new_keys(cls, draft: Draft) -> Set[str]:
        """Return the keys of a new record in addition to its required keys."""
        return set()

    @classmethod
    def new_comment(cls, values: Mapping[str, str]) -> str | None:
        """Return the comment in the front matter of a new record, or None."""
        return None

    @classmethod
    def new_text(cls, text: str, path: str, draft: Draft) -> str:
        """Return a text of the template with its values, such as the id of the new record."""
        return text

    @cached_property
    def id(self) -> str:
        return self.id_of(self.path)

    @classmethod
    @cache
    def forms(cls) -> tuple[RecordForm, ...]:
        """Return the forms that a record of the kind can have. The first is our own."""
        return (make_own_form(cls.template, cls.sections), *cls.other_forms)

    @classmethod
    @cache
    def section_meanings(cls) -> Mapping[str, str]:
        """Return the name of our section for each heading of the forms of the kind."""
        meanings: dict[str, str] = {}
        for form in cls.forms():
            for section in form.sections:
                meanings.setdefault(section.heading, section.meaning)
        return meanings

    @cached_property
    def form(self) -> RecordForm:
        """The form of the record, recognised by its headings.

        A heading of the organisation counts as the heading of our form with the same meaning.
        """
        aliases = {
            alias: name
            for alias, name in self.section_aliases.items()
            if alias not in self.section_meanings()
        }
        headings = (
            (aliases.get(heading.text, heading.text), heading.level)
            for heading in self.source.headings
        )
        return recognise_form(headings, self.forms())

    @property
    def has_own_form(self) -> bool:
        """True if the record has the form of this handbook, not a form such as MADR."""
        return self.form.name == OWN_FORM

    @cached_property
    def sections_by_meaning(self) -> Mapping[str, tuple[Section, ...]]:
        """The sections of the record, by the name of our section with the same meaning.

        A heading that occurs twice counts only once. Two headings can have the same meaning. The
        form of the record decides before the organisation what a heading means.
        """
        meanings = {
            **self.section_meanings(),
            **self.section_aliases,
            **{part.heading: part.meaning for part in self.form.sections if part.level == 2},
        }
        meanings_below = {
            part.heading: part.meaning for part in self.form.sections if part.level > 2
        }
        sections: dict[str, dict[str, Section]] = defaultdict(dict)
        for known, candidates in (
            (meanings, self.source.sections),
            (meanings_below, self.source.subsections if meanings_below else ()),
        ):
            for section in candidates:
                text = section.heading.text
                if text in known:
                    sections[known[text]].setdefault(text, section)
        return {meaning: tuple(by_text.values()) for meaning, by_text in sections.items()}

    def find_section(self, name: str) -> Section | None:
        """Return the first section with the meaning of our section `name`, or None."""
        sections = self.sections_by_meaning.get(name)
        return sections[0] if sections else None

    def section_blocks(self, name: str) -> tuple[Block, ...]:
        """Return the blocks of all sections with the meaning of our section `name`."""
        return tuple(
            block
            for section in self.sections_by_meaning.get(name, ())
            for block in self.source.blocks
            if section.heading.last < block.first <= section.last
        )

    @property
    def has_valid_name(self) -> bool:
        """True if the file name matches the pattern of the kind."""
        return bool(self.file_name.fullmatch(self.path.removeprefix(self.folder + "/")))

    @cached_property
    def is_imported(self) -> bool:
        """True if the front matter has the key `imported`, even if its value is invalid."""
        return self.mapping is not None and self.mapping.get("imported") is not None

    @property
    def gaps(self) -> tuple[str, ...]:
        """The facts that an imported record lacks, such as "deciders". Other records have none."""
        return tuple(self._find_gaps()) if self.is_imported else ()

    def _find_gaps(self) -> Iterator[str]:
        """Yield the name of each fact that is not recorded."""
        for key in self.optional_if_imported:
            if not getattr(self, key):
                yield key.replace("_", " ")

    @property
    def changed(self) -> date | None:
        """The date of the last change of the record, such as its review, or None."""
        return None

    @property
    def events(self) -> tuple[Event, ...]:
        """The changes of the record for the feed."""
        return ()

    @property
    def body_values(self) -> Mapping[str, Any]:
        """The values from the body of the record, for the JSON files."""
        return {}

    def find_references(self) -> Iterator[UnresolvedReference]:
        for reference in fields.find_references(self):
            yield UnresolvedReference(
                reference.key, reference.kind, reference.id, self.at(reference.key, reference.id)
            )


def next_number(kind: type[Record], paths: Iterable[str]) -> int:
    """Return the number of the next record of a numbered kind.

    It is the highest number in these paths, plus one.
    """
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
    cls: type[D],
    source: Source,
    allowed_values: AllowedValues,
    problems: tuple[Problem, ...] = (),
    section_aliases: Mapping[str, str] | None = None,
) -> D:
    """Make a document of a class from a Markdown file.

    The errors in its front matter are in `Document.problems`, after the argument `problems`.
    `section_aliases` are the headings of the organisation for the sections of this kind.
    """
    reading = Reading(allowed_values)
    reading.problems.extend(problems)
    values: Mapping[str, Any] = {}
    if source.problem:
        reading.problems.append(Problem(ProblemKind.UNREADABLE_FILE, source.problem))
    elif source.front_matter:
        values = fields.read_fields(
            cls,
            source.front_matter.mapping,
            reading,
            end=source.front_matter.end,
            optional=_list_optional_keys(cls, source.front_matter.mapping),
        )
    elif cls.needs_front_matter:
        reading.add_problem(
            ProblemKind.MISSING_FRONT_MATTER,
            source.at(1),
            "missing front matter",
            _suggest_front_matter(cls),
        )
    if section_aliases and issubclass(cls, Record):
        values = {**values, "section_aliases": section_aliases}
    return cls(
        path=source.path,
        source=source,
        **values,
        problems=tuple(reading.problems),
        past_dates=tuple(reading.past_dates),
    )


def _list_optional_keys(cls: type[Document], mapping: nodes.Mapping) -> Collection[str]:
    """Return the required keys that a document can lack because it is an imported record."""
    if issubclass(cls, Record) and mapping.get("imported") is not None:
        return cls.optional_if_imported
    return ()


def _suggest_front_matter(cls: type[Document]) -> str:
    """Return the hint with the shortest front matter of a kind."""
    required = [row for row in fields.fields_of(cls) if row.required]
    values = (
        f"{row.key}: {f'[{TODO}]' if isinstance(row.type, Many) else TODO}" for row in required
    )
    lines = ", ".join(f"'{line}'" for line in ("---", *values))
    return f"begin the file with the lines {lines} and '---'"


E = TypeVar("E", bound=Entity)


def read_entity(cls: type[E], path: str, text: str | Finding, allowed_values: AllowedValues) -> E:
    """Make an entity of a class from a YAML file.

    `text` is the text of the file, or a finding if the file is unreadable. The errors in the file
    are in `Entity.problems`.
    """
    reading = Reading(allowed_values)
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
                "YAML file that is not a mapping of keys to values",
                "write 'key: value' lines",
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
