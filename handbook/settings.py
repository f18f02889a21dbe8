"""Typed settings of the organisation, read from mkdocs.yml.

mkdocs.yml is the only configuration file. This module treats a value with a tag, such as `!ENV` or
`!!python/name:`, as text. It follows `INHERIT` as MkDocs does.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from errno import ENOENT
from functools import lru_cache
from pathlib import Path
from typing import Final

import pathspec

from handbook.diagnostics import Finding, Location, did_you_mean
from handbook.reading import nodes
from handbook.reading.fields import (
    AllowedValues,
    Choice,
    Days,
    FieldType,
    Group,
    Many,
    MapOf,
    Nullable,
    Number,
    Pattern,
    Prose,
    Reading,
    Text,
    field,
    schema_of,
)
from handbook.reading.files import read_text
from handbook.reading.problems import Problem, ProblemKind
from handbook.vocabulary import RULE_SEVERITIES

FILE: Final = "mkdocs.yml"
DOCS: Final = "docs"
"""The folder of pages, standards and services. The setting `docs_dir` must not change it."""
_MAX_VALUE_LENGTH: Final = 200
"""The length limit of a policy value, in characters. A text can repeat the value many times."""
_ALWAYS_EXCLUDED: Final = (".*", "/templates/")  # MkDocs excludes these too


class Country(FieldType):
    """A country, with an optional subdivision, for which `holidays` knows the public holidays."""

    noun = "a country code, such as DE, or a subdivision, such as DE-BY"

    def parse(self, key: str, node: nodes.Scalar, reading: Reading) -> str | None:
        """Return the country code. If the country is unknown, add a problem, and return None."""
        from holidays import list_supported_countries  # imported late: takes 40 ms

        countries = list_supported_countries()
        country, _, subdivision = node.text.partition("-")
        if country in countries and (not subdivision or subdivision in countries[country]):
            return node.text
        hint = (
            did_you_mean(subdivision, countries[country])
            if country in countries
            else did_you_mean(country, countries)
        )
        reading.add_problem(
            ProblemKind.UNKNOWN_VALUE,
            node.at,
            f"unknown country '{node.text}' for {key}",
            hint,
        )
        return None

    def schema(self, allowed_values: AllowedValues) -> dict[str, object]:
        """Return the JSON Schema of an ISO 3166 code."""
        return {"type": "string", "pattern": "^[A-Z]{2,3}(-[A-Za-z0-9-]+)?$"}


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team of the organisation."""

    channel: str | None = field(Text(), "chat channel of the team")


@dataclass(frozen=True, kw_only=True)
class ExternalLinks:
    """The addresses that the check of external links ignores."""

    ignore: tuple[str, ...] = field(Many(Text()), "unchecked addresses; * matches any text")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A published example that looks like a secret."""

    path: str | None = field(Text(), "file that contains it", required=True)
    sha256: str | None = field(
        Pattern("[0-9a-f]{64}", "a SHA-256, 64 digits from 0 to f"),
        "SHA-256 of the matched text",
        required=True,
    )
    reason: str | None = field(Prose(), "reason why it is not a secret", required=True)


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """The values under `extra.handbook` in mkdocs.yml."""

    teams: Mapping[str, Team] = field(MapOf(Group(Team)), "teams, by name")
    tags: tuple[str, ...] = field(Many(Text()), "allowed tags of records")
    expect: Mapping[str, int] = field(MapOf(Number()), "minimum number of records, by kind")
    groups: Mapping[str, str] = field(MapOf(Text()), "titles of the checklist groups, by prefix")
    rules: Mapping[str, str] = field(
        MapOf(Choice(*RULE_SEVERITIES)),
        "changed severities of rules, by code or name",
    )
    links: ExternalLinks = field(Group(ExternalLinks), "settings of the check of external links")
    private: tuple[str, ...] = field(
        Many(Text()),
        "e-mail addresses and host names that must not be published; * matches any text",
    )
    samples: tuple[Sample, ...] = field(
        Many(Group(Sample)), "published examples that look like secrets"
    )


@dataclass(frozen=True, kw_only=True)
class IncidentSeverity:
    """A severity of incidents."""

    alias: str | None = field(Text(), "alternative name, such as P0")
    respond: str | None = field(Text(), "maximum time until the response starts")


@dataclass(frozen=True, kw_only=True)
class Review:
    """How long a review or an exercise of a runbook is valid, in days."""

    standard: int | None = field(Days(), "validity of a standard's review")
    runbook: int | None = field(Days(), "validity of a runbook's review")
    exercise: int | None = field(Days(), "validity of a runbook's last use")


@dataclass(frozen=True, kw_only=True)
class Publication:
    """The severities of incidents that need a post-mortem, and the deadline of publication."""

    severities: tuple[str, ...] = field(Many(Text()), "severities that need a post-mortem")
    business_days: int | None = field(Number(1, 90), "deadline, in business days after the start")
    country: str | None = field(
        Nullable(Country()),
        "country with the public holidays, such as DE or DE-BY; null for none",
    )


_ALERT_SEVERITIES: Final = ("page", "critical", "warning", "info")


@dataclass(frozen=True, kw_only=True)
class Alerting:
    """The allowed values of the label `severity` of alerts."""

    paging: tuple[str, ...] = field(
        Many(Text()), "values of the label severity that page the on-call engineer"
    )
    severities: tuple[str, ...] = field(
        Many(Text(), default=_ALERT_SEVERITIES),
        "other values of the label severity",
    )


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The values under `extra.policy` that rules use. The organisation can add other keys."""

    severities: Mapping[str, IncidentSeverity] = field(
        MapOf(Group(IncidentSeverity)), "severities of incidents, worst first"
    )
    review: Review = field(Group(Review), "validity of reviews, in days")
    postmortem: Publication = field(
        Group(Publication), "incidents that need a post-mortem, and its deadline"
    )
    alerts: Alerting = field(Group(Alerting), "values of the alert label severity")


@dataclass(frozen=True)
class Settings:
    """The settings in mkdocs.yml. `root_node` is its whole content."""

    organisation: Organisation
    policy: Policy
    root_node: nodes.Mapping
    problems: tuple[Problem, ...] = ()
    site_name: str = ""
    site_url: str = "/"
    exclude_docs: tuple[str, ...] = ()
    not_in_nav: tuple[str, ...] = ()
    nav: frozenset[str] | None = None
    """The pages in the navigation, or None if MkDocs makes the navigation from the files."""

    @property
    def allowed_values(self) -> AllowedValues:
        """The teams, tags and severities that records can use, by name of the list."""
        return {
            "teams": tuple(self.organisation.teams),
            "tags": self.organisation.tags,
            "severities": tuple(self.policy.severities),
        }

    @property
    def alert_severities(self) -> tuple[str, ...]:
        """The allowed values of the label `severity` of alerts, or () if the setting is invalid."""
        policy, alerts = (
            self.root_node.find("extra", *keys) for keys in (("policy",), ("policy", "alerts"))
        )
        value_nodes = (
            [entry.value for entry in alerts.entries] if isinstance(alerts, nodes.Mapping) else []
        )
        problem_locations = {problem.finding.at for problem in self.problems}
        if any(
            node is not None and node.at in problem_locations
            for node in (policy, alerts, *value_nodes)
        ):
            return ()
        alerting = self.policy.alerts
        return tuple(dict.fromkeys((*alerting.severities, *alerting.paging))) or _ALERT_SEVERITIES

    def value(self, name: str) -> str | None:
        """Return the policy value with a dotted name, such as `review.runbook`.

        Returns None if the value is missing, too long, or not a single value.
        """
        node = self.root_node.find("extra", "policy", *name.split("."))
        if not isinstance(node, nodes.Scalar) or node.empty or len(node.text) > _MAX_VALUE_LENGTH:
            return None
        return node.text

    @property
    def is_readable(self) -> bool:
        """Return whether mkdocs.yml is readable."""
        return not any(problem.kind is ProblemKind.UNREADABLE_FILE for problem in self.problems)

    def at(self, *keys: str) -> Location:
        """Return the location of a key under `extra.handbook`.

        `keys` are nested keys, outermost first. If one is missing, the location is its parent.
        """
        node: nodes.Node | None = self.root_node
        at = Location(FILE)
        for key in ("extra", "handbook", *keys):
            entry = node.get(key) if isinstance(node, nodes.Mapping) else None
            if entry is None:
                break
            node, at = entry.value, entry.at
        return at

    def at_sample(self, sample: Sample, key: str | None = None) -> Location:
        """Return the location of a secret sample, or of one of its values."""
        entries = self.root_node.find("extra", "handbook", "samples")
        for item in entries.items if isinstance(entries, nodes.Sequence) else ():
            if Group(Sample).read("samples", item, Reading()) == sample:
                value = item.find(key) if key and isinstance(item, nodes.Mapping) else None
                return value.at if value else item.at
        return self.at("samples")

    def is_excluded(self, path: str) -> bool:
        """Return whether MkDocs excludes a file from the site. `path` is relative to docs/."""
        return _matches((*_ALWAYS_EXCLUDED, *self.exclude_docs), path)

    def is_in_nav(self, path: str) -> bool:
        """Return whether a page is in the navigation, or `not_in_nav` lists it."""
        return self.nav is None or path in self.nav or _matches(self.not_in_nav, path)


def _matches(patterns: tuple[str, ...], path: str) -> bool:
    return bool(_make_spec(patterns).match_file(path))


@lru_cache(maxsize=8)
def _make_spec(patterns: tuple[str, ...]) -> pathspec.GitIgnoreSpec:
    return pathspec.GitIgnoreSpec.from_lines(patterns)


def read_settings(root: Path) -> Settings:
    """Read the settings of the repository in the folder `root`.

    The errors in the settings are in `Settings.problems`. Raises FileNotFoundError if mkdocs.yml is
    missing.
    """
    if not (root / FILE).exists():
        raise FileNotFoundError(ENOENT, "missing file", str(root / FILE))
    try:
        node = _read_merged(root, root / FILE)
    except nodes.YamlError as error:
        empty = nodes.Mapping((), Location(FILE))
        problem = Problem(ProblemKind.UNREADABLE_FILE, error.finding)
        return Settings(Organisation(), Policy(), empty, (problem,))
    reading = Reading()
    organisation, policy = Organisation(), Policy()
    if (value := node.find("extra", "handbook")) is not None:
        organisation = Group(Organisation).read("handbook", value, reading) or organisation
    if (value := node.find("extra", "policy")) is not None:
        policy = Group(Policy, allow_other_keys=True).read("policy", value, reading) or policy
    _refuse_other_docs_dir(node, reading)
    _refuse_other_addresses(node, reading)
    return Settings(
        organisation=organisation,
        policy=policy,
        root_node=node,
        problems=tuple(reading.problems),
        site_name=_text(node, "site_name") or "",
        site_url=_text(node, "site_url") or "/",
        exclude_docs=tuple((_text(node, "exclude_docs") or "").splitlines()),
        not_in_nav=tuple((_text(node, "not_in_nav") or "").splitlines()),
        nav=frozenset(item.text for item in nodes.walk_scalars(nav))
        if (nav := node.find("nav")) is not None
        else None,
    )


def _refuse_other_docs_dir(node: nodes.Mapping, reading: Reading) -> None:
    """Add a problem if `docs_dir` is not `docs`."""
    value = node.find("docs_dir")
    if value is None or (
        isinstance(value, nodes.Scalar) and (value.empty or posixpath.normpath(value.text) == DOCS)
    ):
        return
    name = (
        f"docs_dir '{value.text}'"
        if isinstance(value, nodes.Scalar)
        else "docs_dir from the environment"
    )
    hint = f"rename the folder to {DOCS}, and remove docs_dir"
    reading.add_problem(ProblemKind.UNREADABLE_FILE, value.at, f"{name} is not supported", hint)


def _refuse_other_addresses(node: nodes.Mapping, reading: Reading) -> None:
    """Add a problem for settings that would change or break addresses of pages and edit links."""
    value = node.find("use_directory_urls")
    if isinstance(value, nodes.Scalar) and value.text.lower() in ("false", "no", "off"):
        message = f"use_directory_urls '{value.text}' is not supported"
        reading.add_problem(ProblemKind.UNREADABLE_FILE, value.at, message, "remove it")
    template = node.find("edit_uri_template")
    if (
        isinstance(template, nodes.Scalar)
        and not template.empty
        and not re.search(r"\{path(_noext)?(![rsa])?\}", template.text)
    ):
        message = f"edit_uri_template '{template.text}' does not contain the path of the file"
        hint = "add '{path}' to it"
        reading.add_problem(ProblemKind.UNREADABLE_FILE, template.at, message, hint)


def settings_schema() -> dict[str, object]:
    """Return the JSON Schema of `extra` in mkdocs.yml, with its keys `handbook` and `policy`."""
    policy = schema_of(Policy, {}) | {"additionalProperties": True}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of the handbook: `extra` in mkdocs.yml",
        "type": "object",
        "properties": {"handbook": schema_of(Organisation, {}), "policy": policy},
    }


def _text(node: nodes.Mapping, key: str) -> str | None:
    value = node.find(key)
    return value.text if isinstance(value, nodes.Scalar) and not value.empty else None


def _read_merged(root: Path, file: Path, inheriting_files: tuple[Path, ...] = ()) -> nodes.Mapping:
    """Return the content of a settings file, merged with the file in its key `INHERIT`.

    `inheriting_files` are the files that inherit from this file. Raises YamlError.
    """
    path = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
    text = read_text(file.parent, file.name)
    if isinstance(text, Finding):
        raise nodes.YamlError(replace(text, at=replace(text.at, path=path)))
    node = nodes.parse(text, path, plain=False)
    if not isinstance(node, nodes.Mapping):
        raise nodes.YamlError(
            Finding(Location(path), "the settings are not a mapping of keys to values")
        )
    inherited = node.get("INHERIT")
    if inherited is None or not isinstance(inherited.value, nodes.Scalar):
        return node
    parent = (file.parent / inherited.value.text).resolve()
    if parent in inheriting_files or parent == file:
        raise nodes.YamlError(Finding(inherited.value.at, "INHERIT forms a cycle"))
    if not parent.is_file():
        raise nodes.YamlError(
            Finding(inherited.value.at, f"missing file '{inherited.value.text}' in INHERIT")
        )
    return _merge(_read_merged(root, parent, (*inheriting_files, file)), node)


def _merge(parent: nodes.Mapping, child: nodes.Mapping) -> nodes.Mapping:
    """Merge two settings files. An entry of the child replaces the same entry of the parent."""
    merged = {entry.key: entry for entry in parent.entries}
    duplicates = []
    child_keys: set[str] = set()
    for entry in child.entries:
        inherited = merged.get(entry.key)
        if entry.key in child_keys:
            duplicates.append(entry)
        elif (
            inherited
            and isinstance(inherited.value, nodes.Mapping)
            and isinstance(entry.value, nodes.Mapping)
        ):
            merged[entry.key] = nodes.Entry(
                entry.key, entry.at, _merge(inherited.value, entry.value)
            )
        else:
            merged[entry.key] = entry
        child_keys.add(entry.key)
    return nodes.Mapping((*merged.values(), *duplicates), child.at)
