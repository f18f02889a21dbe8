"""The organisation's part of mkdocs.yml, typed.

mkdocs.yml is the one configuration file. It is read without constructing anything from its tags (`!ENV`,
`!!python/name:` pass as text), and `INHERIT` is followed as MkDocs follows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pathspec

from macros import nodes
from macros.diagnostics import Finding, Location
from macros.fields import (
    Choice,
    Group,
    Many,
    Number,
    Problem,
    Reading,
    Table,
    Text,
    Vocabularies,
    field,
    schema_of,
)
from macros.vocabulary import SEVERITIES

FILE: Final = "mkdocs.yml"
_ALWAYS_EXCLUDED: Final = (".*", "/templates/")  # what MkDocs itself leaves out of docs_dir


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team that owns, decides or writes."""

    channel: str | None = field(Text(), "the chat channel in which the team is reached")


@dataclass(frozen=True, kw_only=True)
class Links:
    """What the check of external links passes over."""

    ignore: tuple[str, ...] = field(Many(Text()), "addresses that are not asked, * standing for anything")


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """What stands under `extra.handbook`."""

    teams: Mapping[str, Team] = field(Table(Group(Team)), "the teams, by name")
    tags: tuple[str, ...] = field(Many(Text()), "the tags that a record can carry")
    expect: Mapping[str, int] = field(
        Table(Number()), "for each kind, the number of records below which something was lost"
    )
    groups: Mapping[str, str] = field(Table(Text()), "the groups of the checklist: prefix and title")
    rules: Mapping[str, str] = field(Table(Choice(*SEVERITIES)), "severities of rules that differ from the rule's own")
    links: Links = field(Group(Links), "the check of external links")

    @property
    def vocabularies(self) -> Vocabularies:
        """The words that records choose from."""
        return {"teams": tuple(self.teams), "tags": self.tags}


@dataclass(frozen=True)
class Settings:
    """What the package reads of mkdocs.yml."""

    organisation: Organisation
    root_node: nodes.Mapping
    problems: tuple[Problem, ...] = ()
    site_url: str = "/"
    docs_dir: str = "docs"
    exclude_docs: tuple[str, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether mkdocs.yml could be read at all."""
        return not any(problem.sort == "unreadable" for problem in self.problems)

    def at(self, *keys: str) -> Location:
        """The place of a key under `extra.handbook`, or the nearest one above it that is there."""
        node: nodes.Node | None = self.root_node
        at = Location(FILE)
        for key in ("extra", "handbook", *keys):
            entry = node.get(key) if isinstance(node, nodes.Mapping) else None
            if entry is None:
                break
            node, at = entry.value, entry.at
        return at

    def excluded(self, path: str) -> bool:
        """Whether MkDocs leaves a file out of the site; `path` is relative to docs_dir."""
        patterns = pathspec.GitIgnoreSpec.from_lines((*_ALWAYS_EXCLUDED, *self.exclude_docs))
        return bool(patterns.match_file(path))


def read_settings(root: Path) -> Settings:
    """The settings of the repository at `root`. What is wrong with them is in their `problems`.

    Raises FileNotFoundError where there is no mkdocs.yml.
    """
    try:
        node = _compose(root, root / FILE)
    except nodes.YamlError as error:
        empty = nodes.Mapping((), Location(FILE))
        return Settings(_empty(), empty, (Problem("unreadable", error.finding),))
    reading = Reading()
    organisation = _empty()
    found = node.find("extra", "handbook")
    if found is not None:
        organisation = Group(Organisation).read("handbook", found, reading) or organisation
    return Settings(
        organisation=organisation,
        root_node=node,
        problems=tuple(reading.problems),
        site_url=_text(node, "site_url") or "/",
        docs_dir=_text(node, "docs_dir") or "docs",
        exclude_docs=tuple((_text(node, "exclude_docs") or "").splitlines()),
    )


def settings_schema() -> dict[str, object]:
    """The JSON Schema of `extra.handbook`."""
    return schema_of(Organisation, {})


def _empty() -> Organisation:
    return Organisation(links=Links())


def _text(node: nodes.Mapping, key: str) -> str | None:
    value = node.find(key)
    return value.text if isinstance(value, nodes.Scalar) and not value.empty else None


def _compose(root: Path, file: Path, heirs: tuple[Path, ...] = ()) -> nodes.Mapping:
    """The mapping of a settings file, laid over that of the file which it inherits from."""
    path = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise nodes.YamlError(Finding(Location(path), "not UTF-8", "save the file as UTF-8")) from error
    node = nodes.parse(text, path, plain=False)
    if not isinstance(node, nodes.Mapping):
        raise nodes.YamlError(Finding(Location(path), "the settings are not a mapping of keys to values"))
    inherited = node.get("INHERIT")
    if inherited is None or not isinstance(inherited.value, nodes.Scalar):
        return node
    parent = (file.parent / inherited.value.text).resolve()
    if parent in heirs or parent == file:
        raise nodes.YamlError(Finding(inherited.value.at, "INHERIT goes round in a circle"))
    if not parent.is_file():
        raise nodes.YamlError(Finding(inherited.value.at, f"INHERIT names no file: {inherited.value.text}"))
    return _merge(_compose(root, parent, (*heirs, file)), node)


def _merge(parent: nodes.Mapping, child: nodes.Mapping) -> nodes.Mapping:
    """The child's entries over the parent's, mapping by mapping."""
    merged = {entry.key: entry for entry in parent.entries}
    repeated = []
    own: set[str] = set()
    for entry in child.entries:
        under = merged.get(entry.key)
        if entry.key in own:
            repeated.append(entry)
        elif under and isinstance(under.value, nodes.Mapping) and isinstance(entry.value, nodes.Mapping):
            merged[entry.key] = nodes.Entry(entry.key, entry.at, _merge(under.value, entry.value))
        else:
            merged[entry.key] = entry
        own.add(entry.key)
    return nodes.Mapping((*merged.values(), *repeated), child.at)
