"""Typed settings of the organisation, read from mkdocs.yml.

mkdocs.yml is the only configuration file. This module treats a value with a tag, such as `!ENV` or
`!!python/name:`, as text. It follows `INHERIT` as MkDocs does.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from errno import ENOENT
from fractions import Fraction
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import pathspec

from handbook.diagnostics import Finding, Location, did_you_mean
from handbook.extras import require_modules
from handbook.reading import nodes
from handbook.reading.addresses import read_scheme
from handbook.reading.fields import (
    ANY_PERSON,
    AllowedValues,
    Choice,
    Days,
    FieldType,
    Flag,
    Group,
    Many,
    MapOf,
    Minutes,
    Nullable,
    Number,
    Pattern,
    Person,
    ProseText,
    Reading,
    Text,
    add_misspelt_keys,
    field,
    read_entries,
    schema_of,
)
from handbook.reading.files import exists, follow_links, is_file, read_text
from handbook.reading.ids import HeadingIds
from handbook.reading.placeholders import is_unwritten
from handbook.reading.problems import Problem, ProblemKind
from handbook.reading.quantities import read_percentage
from handbook.site_settings import (
    Plugin,
    check_site_settings,
    list_nav_entries,
    list_plugins,
    read_site_url,
)
from handbook.vocabulary import RULE_SEVERITIES

FILE: Final = "mkdocs.yml"
DOCS: Final = "docs"
"""The folder of pages, standards and services. The setting `docs_dir` must not change it."""
NOTICE_SOURCE: Final = f"{DOCS}/index.md"
"""The page from which the links of `handbook.notice` are resolved."""
_MAX_VALUE_LENGTH: Final = 200
"""The length limit of a policy value, in characters. A text can repeat the value many times."""
_NEGATIVE_AMOUNT: Final = re.compile(r"[-\u2212] ?[0-9]+(?:\.[0-9]+)? ?(?:%|[A-Za-z][\w ]*)")
_ALWAYS_EXCLUDED: Final = (".*", "/templates/")  # MkDocs excludes these too


class Country(FieldType):
    """A country, with an optional subdivision, for which `holidays` knows the public holidays."""

    noun = "a country code, such as DE, or a subdivision, such as DE-BY"

    def parse(self, key: str, node: nodes.Scalar, reading: Reading) -> str | None:
        """Return the country code. If the country is unknown, add a problem, and return None."""
        require_modules("holidays", purpose="policy.postmortem.country")
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


@dataclass(frozen=True)
class People:
    """The people that a record can name: their names by handle, or any handle."""

    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    allows_any: bool = False


class PeopleType(FieldType):
    """A mapping from handles to names, or the word `any`, which allows every handle."""

    noun = "'any', or a mapping of handles to names"
    any = "any"

    @property
    def default(self) -> People:
        """No people: a record can name only teams."""
        return People()

    def read_node(self, key: str, node: nodes.Node, reading: Reading) -> People:
        """Return the people of a YAML node."""
        if isinstance(node, nodes.Scalar) and node.text == self.any:
            return People(allows_any=True)
        if isinstance(node, nodes.Scalar) and not node.empty:
            self.add_invalid_value(key, node, reading)
            return People(allows_any=True)  # Otherwise this fault would be in every record.
        names = MapOf(Text()).read_node(key, node, reading)
        entries = node.entries if isinstance(node, nodes.Mapping) else ()
        for entry in entries:
            if not Person.handle.fullmatch(entry.key):
                reading.add_problem(
                    ProblemKind.WRONG_TYPE,
                    entry.at,
                    f"invalid handle '{entry.key}' in '{key}'",
                    "use letters, digits and hyphens, without '@'",
                )
        return People(names)

    def schema(self, allowed_values: AllowedValues) -> dict[str, object]:
        """Return the JSON Schema of the word `any`, or of a mapping."""
        names = {
            "type": "object",
            "propertyNames": {"pattern": f"^{Person.handle.pattern}$"},
            "additionalProperties": {"type": "string", "minLength": 1},
        }
        return {"anyOf": [{"const": self.any}, names]}


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team of the organisation."""

    channel: str | None = field(Text(), "chat channel of the team")
    on_call: str | None = field(Text(), "on-call rota of the team: its address, or a text")


@dataclass(frozen=True, kw_only=True)
class ExternalLinks:
    """The addresses that the check of external links ignores."""

    ignore: tuple[str, ...] = field(Many(Text()), "unchecked addresses; * matches any text")


class SynonymGroup(Many):
    """A list of at least two terms with the same meaning."""

    def __init__(self) -> None:
        super().__init__(Text())
        self.noun = "a list of at least two terms, such as [PR, pull request]"

    def read_node(self, key: str, node: nodes.Node, reading: Reading) -> tuple[str, ...]:
        """Return the terms. If there are fewer than two, add a problem, and return none."""
        terms: tuple[str, ...] = super().read_node(key, node, reading)
        if isinstance(node, nodes.Sequence) and len(node.items) < 2:
            reading.add_problem(
                ProblemKind.WRONG_TYPE,
                node.at,
                f"fewer than two terms in a group of '{key}'",
                f"write '{key}: [[PR, pull request]]'",
            )
            return ()
        return terms

    def schema(self, allowed_values: AllowedValues) -> dict[str, object]:
        """Return the JSON Schema of the list."""
        return super().schema(allowed_values) | {"minItems": 2}


@dataclass(frozen=True, kw_only=True)
class Search:
    """The settings of the search."""

    synonyms: tuple[tuple[str, ...], ...] = field(
        Many(SynonymGroup()), "groups of terms with one meaning: [[PR, pull request]]"
    )


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A published example that looks like a secret."""

    path: str | None = field(Text(), "file that contains it", required=True)
    sha256: str | None = field(
        Pattern("[0-9a-f]{64}", "a SHA-256, 64 digits from 0 to f"),
        "SHA-256 of the matched text",
        required=True,
    )
    reason: str | None = field(ProseText(), "reason why it is not a secret", required=True)


@dataclass(frozen=True, kw_only=True)
class Removal:
    """A file or folder that was removed on purpose."""

    path: str | None = field(Text(), "removed file or folder", required=True)
    reason: str | None = field(Text(), "reason why nothing replaces it", required=True)


class NestedHandbooks(MapOf):
    """A mapping from a folder of the site to the root folder of the handbook that is built there.

    The folder of the site is one name. The root folder is relative to mkdocs.yml.
    """

    folder = re.compile("[a-z0-9]+(?:-[a-z0-9]+)*")

    def __init__(self) -> None:
        super().__init__(Text())

    def read_node(self, key: str, node: nodes.Node, reading: Reading) -> Mapping[str, str]:
        """Return the root folders of a YAML node, by the folder of the site."""
        roots = super().read_node(key, node, reading)
        for entry in node.entries if isinstance(node, nodes.Mapping) else ():
            if not self.folder.fullmatch(entry.key):
                reading.add_problem(
                    ProblemKind.WRONG_TYPE,
                    entry.at,
                    f"invalid folder '{entry.key}' in '{key}'",
                    "use a-z, 0-9 and hyphens, such as 'example'",
                )
        return {name: root for name, root in roots.items() if self.folder.fullmatch(name)}

    def schema(self, allowed_values: AllowedValues) -> dict[str, object]:
        """Return the JSON Schema of a mapping with folders as keys."""
        names = {"propertyNames": {"pattern": f"^{self.folder.pattern}$"}}
        return {**super().schema(allowed_values), **names}


class OwnName(Choice):
    """A name that the settings themselves define, such as a team or a severity of incidents."""

    def __init__(self, of: str) -> None:
        super().__init__(of=of)

    def schema(self, allowed_values: AllowedValues) -> dict[str, object]:
        """Return the JSON Schema of a text, because each organisation has other names."""
        return Text().schema(allowed_values)


@dataclass(frozen=True, kw_only=True)
class RuleSetting:
    """The severity that the organisation gives a rule, and why."""

    severity: str | None = field(
        Choice(*RULE_SEVERITIES), "severity of the rule; off disables it", required=True
    )
    reason: str | None = field(ProseText(), "reason for this severity", required=True)
    owner: str | None = field(OwnName("teams"), "team that can tell more")


class RuleSettingType(FieldType):
    """A severity of a rule, or a mapping that also has the reason."""

    noun = f"{Choice(*RULE_SEVERITIES).noun}, or a mapping with severity and reason"

    def read_node(self, key: str, node: nodes.Node, reading: Reading) -> RuleSetting | None:
        """Return the setting of a YAML node, or None if it is invalid."""
        if isinstance(node, nodes.Scalar):
            severity = Choice(*RULE_SEVERITIES).read(key, node, reading)
            return RuleSetting(severity=severity) if severity else None
        setting: RuleSetting | None = Group(RuleSetting).read_node(key, node, reading)
        return setting if setting and setting.severity else None

    def schema(self, allowed_values: AllowedValues) -> dict[str, object]:
        """Return the JSON Schema of a severity, or of a mapping."""
        forms = (Choice(*RULE_SEVERITIES), Group(RuleSetting))
        return {"anyOf": [form.schema(allowed_values) for form in forms]}


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """The values under `extra.handbook` in mkdocs.yml."""

    teams: Mapping[str, Team] = field(MapOf(Group(Team)), "teams, by name")
    people: People = field(PeopleType(), "people that decide, write or review, by handle; or: any")
    tags: tuple[str, ...] = field(Many(Text()), "allowed tags of records")
    expect: Mapping[str, int] = field(MapOf(Number()), "minimum number of records, by kind")
    groups: Mapping[str, str] = field(MapOf(Text()), "titles of the checklist groups, by prefix")
    rules: Mapping[str, RuleSetting] = field(
        MapOf(RuleSettingType()),
        "changed severities of rules, by code or name, with their reasons; off disables a rule",
    )
    sections: Mapping[str, Mapping[str, tuple[str, ...]]] = field(
        MapOf(MapOf(Many(Text()))),
        "other headings of sections, by kind and section: {adr: {Context: [Problem]}}",
    )
    template: Mapping[str, str] = field(MapOf(Text()), "form of new records, by kind: {adr: madr}")
    links: ExternalLinks = field(Group(ExternalLinks), "settings of the check of external links")
    report_url: str | None = field(
        Pattern(
            r"(?:https://|mailto:)[^\s{}]+(?:\{title\}[^\s{}]*)?\{body\}[^\s{}]*",
            "an address with {body}, such as https://git.example/new?title={title}&body={body}",
        ),
        "form where readers report a problem; {title} and {body} describe the page",
    )
    search: Search = field(Group(Search), "settings of the search")
    private: tuple[str, ...] = field(
        Many(Text()),
        "e-mail addresses and host names that must not be published; * matches any text",
    )
    moving_hosts: tuple[str, ...] = field(
        Many(Pattern(r"[\w.-]+(?::[0-9]{1,5})?", "a host name, such as old.example")),
        "hosts that the handbook is moving from; a runbook_url can still have them",
    )
    utf8_names: bool = field(
        Flag(), "true if your Prometheus accepts all UTF-8 names of labels and series"
    )
    samples: tuple[Sample, ...] = field(
        Many(Group(Sample)), "published examples that look like secrets"
    )
    removed: tuple[Removal, ...] = field(
        Many(Group(Removal)), "files and folders that were removed on purpose"
    )
    notice: str | None = field(ProseText(), "text above every page, as a line of Markdown")
    nested: Mapping[str, str] = field(
        NestedHandbooks(), "handbooks to build below this site: {folder of the site: root folder}"
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

    severities: tuple[str, ...] = field(
        Many(OwnName("severities")), "severities that need a post-mortem"
    )
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
    escalation: Mapping[str, int] = field(
        MapOf(Minutes()), "latest minutes of the escalation tiers: first, second, third"
    )


@dataclass(frozen=True, slots=True)
class PolicyPercentage:
    """A percentage in the policy, with its text and its location."""

    text: str
    percent: Fraction
    at: Location


@dataclass(frozen=True)
class Settings:
    """The settings in mkdocs.yml. `root_node` is its whole content."""

    organisation: Organisation
    policy: Policy
    root_node: nodes.Mapping
    problems: tuple[Problem, ...] = ()
    files: tuple[str, ...] = (FILE,)
    """The paths of mkdocs.yml and of the files from which it inherits."""
    site_name: str = ""
    site_description: str = ""
    site_url: str = "/"
    """The address of the site, or `/` if the setting is not usable."""
    exclude_docs: tuple[str, ...] = ()
    not_in_nav: tuple[str, ...] = ()
    nav: frozenset[str] | None = None
    """The pages in the navigation, or None if MkDocs makes the navigation from the files."""

    @property
    def allowed_values(self) -> AllowedValues:
        """The teams, people, tags and severities that records can use, by name of the list."""
        return {
            "teams": tuple(self.organisation.teams),
            "people": (
                *self.organisation.teams,
                *self.organisation.people.names,
                *((ANY_PERSON,) if self.organisation.people.allows_any else ()),
            ),
            "tags": self.organisation.tags,
            "severities": tuple(self.policy.severities),
        }

    @cached_property
    def team_addresses(self) -> Mapping[str, str]:
        """The address of each team's page from the root of the site, by name of the team."""
        ids = HeadingIds(("index",))
        # A folder name has at most 255 bytes, and a letter at most 4.
        return {name: f"teams/{ids.of(name[:60])[0]}/" for name in self.organisation.teams}

    def team(self, name: str | None) -> Team:
        """Return a team by its name. An unknown team has no channel and no rota."""
        return self.organisation.teams.get(name or "", Team())

    def section_aliases(self, kind: str) -> Mapping[str, str]:
        """Return the headings of the organisation for a kind, each with the name of our section."""
        sections = self.organisation.sections.get(kind, {})
        return {alias: name for name, aliases in sections.items() for alias in aliases}

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

    def policy_node(self, *keys: str) -> nodes.Scalar | None:
        """Return the single value under nested keys of `extra.policy`, or None."""
        node = self.root_node.find("extra", "policy", *keys)
        return node if isinstance(node, nodes.Scalar) and not node.empty else None

    def slo_percentage(self, name: str) -> PolicyPercentage | None:
        """Return the percentage `policy.slo.<name>`, or None if it is missing or no percentage."""
        node = self.policy_node("slo", name)
        percent = read_percentage(node.text) if node else None
        return PolicyPercentage(node.text, percent, node.at) if node and percent else None

    @property
    def has_site_url(self) -> bool:
        """Return whether the address of the site is known. If not, a rule reports the setting."""
        return self.site_url != "/"

    @cached_property
    def plugins(self) -> tuple[Plugin, ...]:
        """The entries of the setting `plugins`."""
        return list_plugins(self.root_node)

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
        return self._at_entry("samples", sample, key)

    def at_removal(self, removal: Removal, key: str | None = None) -> Location:
        """Return the location of an entry of `removed`, or of one of its values."""
        return self._at_entry("removed", removal, key)

    def _at_entry(self, name: str, entry: Sample | Removal, key: str | None) -> Location:
        """Return the location of an entry of the list `name`, or of one of its values."""
        entries = self.root_node.find("extra", "handbook", name)
        for item in entries.items if isinstance(entries, nodes.Sequence) else ():
            if Group(type(entry)).read(name, item, Reading()) == entry:
                value = item.find(key) if key and isinstance(item, nodes.Mapping) else None
                return value.at if value else item.at
        return self.at(name)

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
    if not exists(root / FILE):
        raise FileNotFoundError(ENOENT, "missing file", str(root / FILE))
    reading = Reading()
    files = _SettingsFiles()
    try:
        real_root = follow_links(root)
        node = _read_merged(real_root, real_root / FILE, reading, files)
    except nodes.YamlError as error:
        empty = nodes.Mapping((), Location(FILE))
        problem = Problem(ProblemKind.UNREADABLE_FILE, error.finding)
        return Settings(Organisation(), Policy(), empty, (problem,))
    organisation, policy = Organisation(), Policy()
    if (value := node.find("extra", "handbook")) is not None:
        reading.allowed_values = {"teams": _list_keys(value, "teams")}
        organisation = Group(Organisation).read("handbook", value, reading) or organisation
    if (value := node.find("extra", "policy")) is not None:
        policy = _read_policy(value, reading)
    _refuse_handles_of_teams(organisation, node, reading)
    _refuse_other_docs_dir(node, reading)
    check_site_settings(node, root, DOCS, reading)
    return Settings(
        organisation=organisation,
        policy=policy,
        root_node=node,
        problems=tuple(dict.fromkeys(map(_without_foreign_fix, reading.problems))),
        files=tuple(files.paths),
        site_name=_text(node, "site_name") or "",
        site_description=_text(node, "site_description") or "",
        site_url=(not files.has_two_site_urls and read_site_url(node)) or "/",
        exclude_docs=tuple((_text(node, "exclude_docs") or "").splitlines()),
        not_in_nav=tuple((_text(node, "not_in_nav") or "").splitlines()),
        nav=frozenset(posixpath.normpath(entry.text) for entry in list_nav_entries(node))
        if isinstance(node.find("nav"), nodes.Sequence)
        else None,
    )


def find_nested(settings: Settings, root: Path) -> Mapping[str, Path]:
    """Return the root folder of each nested handbook, by the folder of the site.

    Left out is each entry whose folder has no mkdocs.yml, or is not below the folder `root`.
    """
    roots = {name: root / path for name, path in settings.organisation.nested.items()}
    return {
        name: path
        for name, path in roots.items()
        if is_file(path / FILE) and follow_links(root) in follow_links(path).parents
    }


def _without_foreign_fix(problem: Problem) -> Problem:
    """Return a problem without its fix if its file is outside of the handbook."""
    if not problem.finding.at.path.startswith("../"):
        return problem
    return replace(problem, finding=replace(problem.finding, fix=None))


def _read_policy(value: nodes.Node, reading: Reading) -> Policy:
    """Read `extra.policy`, and check the values that name other values."""
    reading.allowed_values = {"severities": _list_keys(value, "severities")}
    policy = Group(Policy, allow_other_keys=True).read("policy", value, reading) or Policy()
    if isinstance(value, nodes.Mapping):
        add_misspelt_keys(Policy, value, reading)
        _refuse_duplicate_aliases(value, reading)
        _refuse_negative_amounts(value, reading)
    return policy


def _refuse_negative_amounts(policy: nodes.Mapping, reading: Reading) -> None:
    """Add a problem for each negative amount with a unit, such as `-5 minutes`.

    The problems of the values that rules read are already in `reading`.
    """
    known = {problem.finding.at for problem in reading.problems}
    for entry in policy.entries:
        if isinstance(entry.value, nodes.Mapping):
            _refuse_negative_amounts(entry.value, reading)
        elif isinstance(entry.value, nodes.Scalar) and entry.value.at not in known:
            text = entry.value.text.strip()
            if _NEGATIVE_AMOUNT.fullmatch(text):
                message = f"invalid value '{text}' for '{entry.key}'"
                hint = "write an amount that is not negative"
                reading.add_problem(ProblemKind.WRONG_TYPE, entry.value.at, message, hint)


def _list_keys(value: nodes.Node, key: str) -> tuple[str, ...]:
    node = value.find(key) if isinstance(value, nodes.Mapping) else None
    return tuple(entry.key for entry in node.entries) if isinstance(node, nodes.Mapping) else ()


def _refuse_duplicate_aliases(policy: nodes.Mapping, reading: Reading) -> None:
    """Add a problem for each alias that is the name or the alias of another severity."""
    severities = policy.find("severities")
    if not isinstance(severities, nodes.Mapping):
        return
    owners = {entry.key: entry.key for entry in severities.entries}
    for entry in severities.entries:
        alias = entry.value.find("alias") if isinstance(entry.value, nodes.Mapping) else None
        if not isinstance(alias, nodes.Scalar) or alias.empty or is_unwritten(alias.text):
            continue
        if owners.setdefault(alias.text, entry.key) != entry.key:
            message = f"duplicate alias '{alias.text}' (also of '{owners[alias.text]}')"
            hint = "write another alias, or remove it"
            reading.add_problem(ProblemKind.DUPLICATE_VALUE, alias.at, message, hint)


def _refuse_handles_of_teams(
    organisation: Organisation, node: nodes.Mapping, reading: Reading
) -> None:
    """Add a problem if a handle of a person is also the name of a team."""
    people = node.find("extra", "handbook", "people")
    for entry in people.entries if isinstance(people, nodes.Mapping) else ():
        if entry.key in organisation.teams:
            message = f"handle '{entry.key}' of a person is also the name of a team"
            reading.add_problem(
                ProblemKind.DUPLICATE_VALUE, entry.at, message, "use another handle"
            )


def _refuse_other_docs_dir(node: nodes.Mapping, reading: Reading) -> None:
    """Add a problem if `docs_dir` is not `docs`."""
    value = node.find("docs_dir")
    if not isinstance(value, nodes.Scalar) or value.empty or posixpath.normpath(value.text) == DOCS:
        return
    message = f"docs_dir '{value.text}' is not supported"
    hint = f"rename the folder to {DOCS}, and remove docs_dir"
    reading.add_problem(ProblemKind.UNREADABLE_FILE, value.at, message, hint)


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


@dataclass
class _SettingsFiles:
    """The paths of the settings files, and whether one of them has two addresses of the site."""

    paths: list[str] = dataclass_field(default_factory=list)
    has_two_site_urls: bool = False


def _read_merged(
    root: Path,
    file: Path,
    reading: Reading,
    files: _SettingsFiles,
    inheriting_files: tuple[Path, ...] = (),
) -> nodes.Mapping:
    """Return the content of a settings file, merged with the file in its key `INHERIT`.

    `inheriting_files` are the files that inherit from this file. The function adds the paths of all
    files to `files`, and the duplicate keys to `reading`. Raises YamlError.
    """
    path = posixpath.relpath(file.as_posix(), root.as_posix())
    files.paths.append(path)
    text = read_text(root, path)
    if isinstance(text, Finding):
        raise nodes.YamlError(text)
    node = nodes.parse(text, path, plain=False)
    if not isinstance(node, nodes.Mapping):
        raise nodes.YamlError(
            Finding(Location(path), "the settings are not a mapping of keys to values")
        )
    files.has_two_site_urls |= [entry.key for entry in node.entries].count("site_url") > 1
    node = _merge_keys_of(node, reading)
    inherited = node.get("INHERIT")
    if inherited is None:
        return node
    parent = _find_parent(file, inherited.value)
    if parent in (*inheriting_files, file):
        raise nodes.YamlError(Finding(inherited.value.at, "INHERIT forms a cycle", _REMOVE_INHERIT))
    parent_node = _read_merged(root, parent, reading, files, (*inheriting_files, file))
    return _merge(parent_node, node)


_REMOVE_INHERIT: Final = "remove INHERIT from one of the files"


def _find_parent(file: Path, value: nodes.Node) -> Path:
    """Return the file that the key INHERIT names. Raises YamlError if it is not usable."""
    if not isinstance(value, nodes.Scalar) or not value.text.strip():
        hint = "write the path of a file, or remove INHERIT"
        raise nodes.YamlError(Finding(value.at, "no path in INHERIT", hint))
    if read_scheme(value.text):
        hint = "copy the file into the repository, and write its path"
        raise nodes.YamlError(Finding(value.at, f"address '{value.text}' in INHERIT", hint))
    unresolved = file.parent / value.text
    # A path that the system refuses, for example because it contains NUL, cannot be resolved.
    parent = follow_links(unresolved) if exists(unresolved) else unresolved
    if not is_file(parent):
        message = f"missing file '{value.text}' in INHERIT"
        raise nodes.YamlError(Finding(value.at, message, "correct the path, or remove INHERIT"))
    return parent


def _merge_keys(node: nodes.Node, reading: Reading) -> nodes.Node:
    """Return a node without duplicate keys, and with the entries of YAML merge keys (`<<`).

    The function adds the duplicate keys to `reading`.
    """
    if isinstance(node, nodes.Mapping):
        return _merge_keys_of(node, reading)
    if isinstance(node, nodes.Sequence):
        return replace(node, items=tuple(_merge_keys(item, reading) for item in node.items))
    return node


def _merge_keys_of(node: nodes.Mapping, reading: Reading) -> nodes.Mapping:
    """Apply `_merge_keys` to a mapping and its values."""
    own = replace(node, entries=tuple(entry for entry in node.entries if entry.key != _MERGE))
    entries = {
        entry.key: replace(entry, value=_merge_keys(entry.value, reading))
        for entry in read_entries(own, reading)
    }
    for entry in own.entries if len(entries) < len(own.entries) else ():
        first = entries[entry.key]
        if first.at != entry.at:
            value = _combine(first.value, _merge_keys(entry.value, Reading()))
            entries[entry.key] = replace(first, value=value)
    for merged in _list_merged(node):
        for entry in _merge_keys_of(merged, reading).entries:
            entries.setdefault(entry.key, entry)
    return replace(node, entries=tuple(entries.values()))


def _combine(first: nodes.Node, second: nodes.Node) -> nodes.Node:
    """Return the value of a duplicate key: all entries and list items of its two values.

    Otherwise the missing ones would cause findings in other files.
    """
    if isinstance(first, nodes.Mapping) and isinstance(second, nodes.Mapping):
        return _merge(second, first)
    if isinstance(first, nodes.Sequence) and isinstance(second, nodes.Sequence):
        names = [_list_names(item) for item in first.items]
        added = (item for item in second.items if _list_names(item) not in names)
        return replace(first, items=(*first.items, *added))
    return first


def _list_names(item: nodes.Node) -> list[str]:
    """Return the name of a plugin with options, or all texts of another list item."""
    if isinstance(item, nodes.Mapping) and item.entries:
        entry = item.entries[0]
        if isinstance(entry.value, nodes.Mapping):
            return [entry.key]
    return [value.text for value in nodes.walk_scalars(item)]


_MERGE: Final = "<<"


def _list_merged(node: nodes.Mapping) -> Iterator[nodes.Mapping]:
    """Yield the mappings under the merge keys of a mapping."""
    for entry in node.entries:
        if entry.key == _MERGE:
            value = entry.value
            merged = value.items if isinstance(value, nodes.Sequence) else (value,)
            yield from (item for item in merged if isinstance(item, nodes.Mapping))


def _merge(parent: nodes.Mapping, child: nodes.Mapping) -> nodes.Mapping:
    """Merge two settings files. An entry of the child replaces the same entry of the parent."""
    merged = {entry.key: entry for entry in parent.entries}
    for entry in child.entries:
        inherited = merged.get(entry.key)
        if (
            inherited
            and isinstance(inherited.value, nodes.Mapping)
            and isinstance(entry.value, nodes.Mapping)
        ):
            merged[entry.key] = replace(entry, value=_merge(inherited.value, entry.value))
        else:
            merged[entry.key] = entry
    return nodes.Mapping(tuple(merged.values()), child.at)
