"""The organisation's part of mkdocs.yml, typed.

mkdocs.yml is the one configuration file. It is read without constructing anything from its tags (`!ENV`,
`!!python/name:` pass as text), and `INHERIT` is followed as MkDocs follows it.
"""

from __future__ import annotations

import posixpath
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
    Choice,
    Days,
    FieldType,
    Group,
    Many,
    MapOf,
    Nullable,
    Number,
    Pattern,
    Reading,
    Text,
    Vocabularies,
    field,
    schema_of,
)
from handbook.reading.files import read_text
from handbook.reading.problems import Problem, ProblemKind
from handbook.vocabulary import RULE_SEVERITIES

FILE: Final = "mkdocs.yml"
DOCS: Final = "docs"
"""The folder of pages. The folders of standards and services are in it, so MkDocs' `docs_dir` names no other."""
_LONGEST: Final = 200
_ALWAYS_EXCLUDED: Final = (".*", "/templates/")  # what MkDocs itself leaves out


class Country(FieldType):
    """A country, and a part of it after a hyphen, whose public holidays are known (the package `holidays`)."""

    noun = "a country's code, such as DE, or with a part of it, such as DE-BY"

    def parse(self, key: str, node: nodes.Scalar, reading: Reading) -> str | None:
        """The code, or None after a problem was noted."""
        from holidays import (
            list_supported_countries,
        )  # 40 ms that only those pay who name a country

        known = list_supported_countries()
        country, _, part = node.text.partition("-")
        if country in known and (not part or part in known[country]):
            return node.text
        near = (
            did_you_mean(part, known[country]) if country in known else did_you_mean(country, known)
        )
        reading.problem(
            ProblemKind.UNKNOWN_VALUE,
            node.at,
            f"{key} '{node.text}' is no country whose holidays are known",
            near,
        )
        return None

    def schema(self, vocabularies: Vocabularies) -> dict[str, object]:
        """A code of ISO 3166."""
        return {"type": "string", "pattern": "^[A-Z]{2,3}(-[A-Za-z0-9-]+)?$"}


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team that owns, decides or writes."""

    channel: str | None = field(Text(), "the chat channel in which the team is reached")


@dataclass(frozen=True, kw_only=True)
class ExternalLinks:
    """What the check of external links passes over."""

    ignore: tuple[str, ...] = field(
        Many(Text()), "addresses that are not asked, * standing for anything"
    )


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A published example that has the form of a secret."""

    path: str | None = field(Text(), "the file that contains it", required=True)
    sha256: str | None = field(
        Pattern("[0-9a-f]{64}", "a SHA-256, 64 digits from 0 to f"),
        "the SHA-256 of the matched text",
        required=True,
    )
    reason: str | None = field(Text(), "why it is no secret", required=True)


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """What stands under `extra.handbook`."""

    teams: Mapping[str, Team] = field(MapOf(Group(Team)), "the teams, by name")
    tags: tuple[str, ...] = field(Many(Text()), "the tags that a record can carry")
    expect: Mapping[str, int] = field(
        MapOf(Number()), "for each kind, the number of records below which something was lost"
    )
    groups: Mapping[str, str] = field(
        MapOf(Text()), "the groups of the checklist: prefix and title"
    )
    rules: Mapping[str, str] = field(
        MapOf(Choice(*RULE_SEVERITIES)),
        "severities of rules, by code or name, that differ from the rule's own",
    )
    links: ExternalLinks = field(Group(ExternalLinks), "the check of external links")
    private: tuple[str, ...] = field(
        Many(Text()),
        "e-mail addresses and host names that are not published, * standing for anything",
    )
    samples: tuple[Sample, ...] = field(
        Many(Group(Sample)), "published examples that have the form of a secret"
    )


@dataclass(frozen=True, kw_only=True)
class IncidentSeverity:
    """A severity of incidents."""

    alias: str | None = field(Text(), "another name for it: P0")
    respond: str | None = field(Text(), "how soon somebody works on it")


@dataclass(frozen=True, kw_only=True)
class Review:
    """How long a review holds."""

    standard: int | None = field(Days(), "a standard that was read against reality")
    runbook: int | None = field(Days(), "a runbook that was read against reality")
    exercise: int | None = field(Days(), "a runbook that was followed")


@dataclass(frozen=True, kw_only=True)
class Publication:
    """Which incidents have a post-mortem, and how soon."""

    severities: tuple[str, ...] = field(Many(Text()), "the severities that have one")
    business_days: int | None = field(Number(1, 90), "within how many business days of the start")
    country: str | None = field(
        Nullable(Country()),
        "the country whose holidays are no business days: DE, or DE-BY; null for none",
    )


_ALERT_SEVERITIES: Final = ("page", "critical", "warning", "info")


@dataclass(frozen=True, kw_only=True)
class Alerting:
    """What alerts are made of."""

    paging: tuple[str, ...] = field(
        Many(Text()), "the values of the label severity that wake somebody"
    )
    severities: tuple[str, ...] = field(
        Many(Text(), default=_ALERT_SEVERITIES),
        "the values of the label severity, beside those of paging",
    )


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What stands under `extra.policy` and is read by rules; the other keys are the organisation's own values."""

    severities: Mapping[str, IncidentSeverity] = field(
        MapOf(Group(IncidentSeverity)), "the severities of incidents, the worst first"
    )
    review: Review = field(Group(Review), "how long a review holds")
    postmortem: Publication = field(
        Group(Publication), "which incidents have a post-mortem, and how soon"
    )
    alerts: Alerting = field(Group(Alerting), "what alerts are made of")


@dataclass(frozen=True)
class Settings:
    """What the package reads of mkdocs.yml."""

    organisation: Organisation
    policy: Policy
    root_node: nodes.Mapping
    problems: tuple[Problem, ...] = ()
    site_name: str = ""
    site_url: str = "/"
    exclude_docs: tuple[str, ...] = ()
    not_in_nav: tuple[str, ...] = ()
    nav: frozenset[str] | None = None
    """What the navigation lists; None where MkDocs makes it from the files."""

    @property
    def vocabularies(self) -> Vocabularies:
        """The words that records choose from."""
        own = self.organisation
        return {
            "teams": tuple(own.teams),
            "tags": own.tags,
            "severities": tuple(self.policy.severities),
        }

    @property
    def alert_severities(self) -> tuple[str, ...]:
        """The values that the label severity of an alert may have; none where a list of them cannot be read."""
        policy, alerts = (
            self.root_node.find("extra", *keys) for keys in (("policy",), ("policy", "alerts"))
        )
        lists = (
            [entry.value for entry in alerts.entries] if isinstance(alerts, nodes.Mapping) else []
        )
        faults = {problem.finding.at for problem in self.problems}
        if any(node is not None and node.at in faults for node in (policy, alerts, *lists)):
            return ()
        alerting = self.policy.alerts
        return tuple(dict.fromkeys((*alerting.severities, *alerting.paging))) or _ALERT_SEVERITIES

    def value(self, name: str) -> str | None:
        """The value of the policy at a dotted name, as text; None where there is none, or more than one value."""
        node = self.root_node.find("extra", "policy", *name.split("."))
        short = (
            isinstance(node, nodes.Scalar) and len(node.text) <= _LONGEST
        )  # it may stand in a text very often
        return node.text if isinstance(node, nodes.Scalar) and short and not node.empty else None

    @property
    def readable(self) -> bool:
        """Whether mkdocs.yml could be read at all."""
        return not any(problem.kind is ProblemKind.UNREADABLE_FILE for problem in self.problems)

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

    def at_sample(self, sample: Sample, key: str | None = None) -> Location:
        """The place of a sample, an entry of the list under `samples`, or of the value under a key of it."""
        entries = self.root_node.find("extra", "handbook", "samples")
        for item in entries.items if isinstance(entries, nodes.Sequence) else ():
            if Group(Sample).read("samples", item, Reading()) == sample:
                value = item.find(key) if key and isinstance(item, nodes.Mapping) else None
                return value.at if value else item.at
        return self.at("samples")

    def excluded(self, path: str) -> bool:
        """Whether MkDocs leaves a file out of the site; `path` is relative to docs/."""
        return _matches((*_ALWAYS_EXCLUDED, *self.exclude_docs), path)

    def listed(self, path: str) -> bool:
        """Whether the navigation holds a page, or passes over it; `path` is relative to docs/."""
        return self.nav is None or path in self.nav or _matches(self.not_in_nav, path)


def _matches(patterns: tuple[str, ...], path: str) -> bool:
    return bool(_spec(patterns).match_file(path))


@lru_cache(maxsize=8)
def _spec(patterns: tuple[str, ...]) -> pathspec.GitIgnoreSpec:
    return pathspec.GitIgnoreSpec.from_lines(patterns)


def read_settings(root: Path) -> Settings:
    """The settings of the repository at `root`. What is wrong with them is in their `problems`.

    Raises FileNotFoundError where there is no mkdocs.yml.
    """
    if not (root / FILE).exists():
        raise FileNotFoundError(ENOENT, "there is no such file", str(root / FILE))
    try:
        node = _compose(root, root / FILE)
    except nodes.YamlError as error:
        empty = nodes.Mapping((), Location(FILE))
        problem = Problem(ProblemKind.UNREADABLE_FILE, error.finding)
        return Settings(Organisation(), Policy(), empty, (problem,))
    reading = Reading()
    organisation, policy = Organisation(), Policy()
    if (found := node.find("extra", "handbook")) is not None:
        organisation = Group(Organisation).read("handbook", found, reading) or organisation
    if (found := node.find("extra", "policy")) is not None:
        policy = Group(Policy, others=True).read("policy", found, reading) or policy
    _refuse_other_docs_dir(node, reading)
    return Settings(
        organisation=organisation,
        policy=policy,
        root_node=node,
        problems=tuple(reading.problems),
        site_name=_text(node, "site_name") or "",
        site_url=_text(node, "site_url") or "/",
        exclude_docs=tuple((_text(node, "exclude_docs") or "").splitlines()),
        not_in_nav=tuple((_text(node, "not_in_nav") or "").splitlines()),
        nav=frozenset(item.text for item in nodes.scalars(nav))
        if (nav := node.find("nav")) is not None
        else None,
    )


def _refuse_other_docs_dir(node: nodes.Mapping, reading: Reading) -> None:
    """Note a `docs_dir` that is not the folder of pages."""
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
    reading.problem(ProblemKind.UNREADABLE_FILE, value.at, f"{name} is not supported", hint)


def settings_schema() -> dict[str, object]:
    """The JSON Schema of `extra`: `handbook`, and what rules read of `policy`."""
    policy = schema_of(Policy, {}) | {"additionalProperties": True}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The handbook's settings: `extra` of mkdocs.yml",
        "type": "object",
        "properties": {"handbook": schema_of(Organisation, {}), "policy": policy},
    }


def _text(node: nodes.Mapping, key: str) -> str | None:
    value = node.find(key)
    return value.text if isinstance(value, nodes.Scalar) and not value.empty else None


def _compose(root: Path, file: Path, heirs: tuple[Path, ...] = ()) -> nodes.Mapping:
    """The mapping of a settings file, laid over that of the file which it inherits from."""
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
    if parent in heirs or parent == file:
        raise nodes.YamlError(Finding(inherited.value.at, "INHERIT goes round in a circle"))
    if not parent.is_file():
        raise nodes.YamlError(
            Finding(inherited.value.at, f"INHERIT names no file: {inherited.value.text}")
        )
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
        elif (
            under
            and isinstance(under.value, nodes.Mapping)
            and isinstance(entry.value, nodes.Mapping)
        ):
            merged[entry.key] = nodes.Entry(entry.key, entry.at, _merge(under.value, entry.value))
        else:
            merged[entry.key] = entry
        own.add(entry.key)
    return nodes.Mapping((*merged.values(), *repeated), child.at)
