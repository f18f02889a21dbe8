"""Alerts, as Prometheus' rule files define them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from handbook.diagnostics import Finding, Location
from handbook.reading import nodes
from handbook.reading.fields import Group, Many, MapOf, Pattern, Reading, Text, field, read_fields
from handbook.reading.problems import Problem, ProblemKind
from handbook.records import Entity, Tie, UnresolvedReference

TEMPLATE: Final = "{{"
"""The beginning of a template, which Prometheus expands in labels and annotations when the alert fires."""

_TIME = Pattern(r"(?:[0-9]+(?:ms|[smhdwy]))+|0", "a time such as 5m")


class _Loose(Text):
    """Any value at all: what rule files may hold beyond what is read here."""

    def read_node(self, key: str, node: nodes.Node, reading: Reading) -> str:
        return ""


@dataclass(frozen=True, kw_only=True)
class RuleRow:
    """One rule of a group: an alert, or a recorded series. The keys are Prometheus'."""

    alert: str | None = field(Text(), "the alert's name")
    record: str | None = field(Text(), "the series that is recorded")
    expr: str | None = field(Text(), "the expression, in PromQL", required=True)
    hold: str | None = field(_TIME, "how long it holds before the alert fires", key="for")
    keep_firing_for: str | None = field(_TIME, "how long it fires on")
    labels: Mapping[str, str] = field(MapOf(Text()), "labels")
    annotations: Mapping[str, str] = field(MapOf(Text()), "annotations; runbook_url among them")


@dataclass(frozen=True, kw_only=True)
class RuleGroup:
    """A group of rules. The keys are Prometheus'."""

    name: str | None = field(Text(), "the group's name", required=True)
    interval: str | None = field(_TIME, "how often it is evaluated")
    limit: str | None = field(_Loose(), "how many alerts it may make")
    query_offset: str | None = field(_Loose(), "how far back it looks")
    labels: Mapping[str, str] = field(MapOf(Text()), "labels of all its rules")
    rules: tuple[RuleRow, ...] = field(Many(Group(RuleRow)), "the rules", required=True)


@dataclass(frozen=True, kw_only=True)
class RuleFileFields:
    """A file of rules."""

    groups: tuple[RuleGroup, ...] = field(Many(Group(RuleGroup)), "the groups", required=True)


@dataclass(frozen=True, kw_only=True)
class Alert(Entity):
    """An alert of a service."""

    kind: ClassVar[str] = "alert"
    label: ClassVar[str] = "Alert"
    ties: ClassVar[Mapping[str, Tie]] = {"alert": Tie("alert of", "has alert")}

    name: str
    service: str
    expr: str
    hold: str | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    node: nodes.Mapping
    group: nodes.Mapping

    @property
    def mapping(self) -> nodes.Mapping:
        return self.node

    @property
    def id(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        return self.name

    @property
    def severity(self) -> str | None:
        """The label that says how bad it is: the alert's own, or that of its group."""
        return self.labels.get("severity")

    @property
    def severity_is_template(self) -> bool:
        """Whether Prometheus makes the severity from a template when the alert fires, so that it is not known here."""
        return TEMPLATE in (self.severity or "")

    @property
    def severity_at(self) -> Location:
        """The place of that label's value."""
        return self.at("labels", "severity")

    @property
    def summary(self) -> str:
        """Its summary, or its description, or nothing."""
        return self.annotations.get("summary") or self.annotations.get("description") or ""

    @property
    def runbook_url(self) -> str | None:
        """Where its reader is sent."""
        return self.annotations.get("runbook_url")

    def references(self) -> Iterator[UnresolvedReference]:
        yield UnresolvedReference("alert", "service", self.service, Location(self.path))

    def at(self, *keys: str) -> Location:
        """The place of the value under a path of keys of its rule, or of its group; else the place of the rule."""
        value = (self.node.find(*keys) or self.group.find(*keys)) if keys else None
        return value.at if value is not None else self.node.at


def read_alerts(
    path: str, service: str, text: str | Finding
) -> tuple[tuple[Alert, ...], tuple[Problem, ...]]:
    """The alerts of a rule file, and what is wrong with its form; `text` is a finding where it could not be read."""
    if isinstance(text, Finding):
        return (), (Problem(ProblemKind.UNREADABLE_FILE, text),)
    reading = Reading()
    try:
        node = nodes.parse(text, path, plain=False)
    except nodes.YamlError as error:
        return (), (Problem(ProblemKind.UNREADABLE_FILE, error.finding),)
    if not isinstance(node, nodes.Mapping):
        reading.problem(
            ProblemKind.UNREADABLE_FILE,
            Location(path),
            "a rule file is a mapping with the key 'groups'",
        )
        return (), tuple(reading.problems)
    read_fields(RuleFileFields, node, reading, end=node.at)
    return tuple(_alerts(path, service, node)), tuple(reading.problems)


def _alerts(path: str, service: str, node: nodes.Mapping) -> Iterator[Alert]:
    for group in _items(node.find("groups")):
        shared = _texts(group.find("labels"))
        for row in _items(group.find("rules")):
            name, expr = row.find("alert"), row.find("expr")
            if isinstance(name, nodes.Scalar) and isinstance(expr, nodes.Scalar) and not name.empty:
                hold = row.find("for")
                yield Alert(
                    path=path,
                    name=name.text,
                    service=service,
                    expr=expr.text.strip(),
                    hold=hold.text if isinstance(hold, nodes.Scalar) else None,
                    labels=shared | _texts(row.find("labels")),
                    annotations=_texts(row.find("annotations")),
                    node=row,
                    group=group,
                )


def _items(node: nodes.Node | None) -> Iterator[nodes.Mapping]:
    if isinstance(node, nodes.Sequence):
        yield from (item for item in node.items if isinstance(item, nodes.Mapping))


def _texts(node: nodes.Node | None) -> dict[str, str]:
    if not isinstance(node, nodes.Mapping):
        return {}
    texts: dict[str, str] = {}
    for entry in node.entries:
        if isinstance(entry.value, nodes.Scalar):
            text = "" if entry.value.empty else entry.value.text.strip() and entry.value.text
            texts.setdefault(
                entry.key, text
            )  # the first of duplicate keys counts, as it does for `find`
    return texts
