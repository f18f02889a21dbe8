"""Alerts in the rule files of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from handbook.diagnostics import Finding, Location
from handbook.reading import nodes
from handbook.reading.fields import Group, Many, MapOf, Pattern, Reading, Text, field, read_fields
from handbook.reading.problems import Problem, ProblemKind
from handbook.records import Entity, ReferenceLabel, UnresolvedReference

TEMPLATE: Final = "{{"
"""The start of a template expression in a label or annotation.

Prometheus replaces the expression by its value when the alert fires.
"""

_DURATION = Pattern(r"(?:[0-9]+(?:ms|[smhdwy]))+|0", "a time such as 5m")


class _Unchecked(Text):
    """Any value. It is for keys of Prometheus that the handbook does not use."""

    def read_node(self, key: str, node: nodes.Node, reading: Reading) -> str:
        return ""


@dataclass(frozen=True, kw_only=True)
class PrometheusRule:
    """An alerting rule or a recording rule, with the keys of Prometheus."""

    alert: str | None = field(Text(), "name of the alert")
    record: str | None = field(Text(), "name of the recorded series")
    expr: str | None = field(Text(), "PromQL expression", required=True)
    for_duration: str | None = field(
        _DURATION, "time the expression must be true before the alert fires", key="for"
    )
    keep_firing_for: str | None = field(
        _DURATION, "time the alert keeps firing after the expression becomes false"
    )
    labels: Mapping[str, str] = field(MapOf(Text()), "labels")
    annotations: Mapping[str, str] = field(MapOf(Text()), "annotations, including runbook_url")


@dataclass(frozen=True, kw_only=True)
class RuleGroup:
    """A group of rules, with the keys of Prometheus."""

    name: str | None = field(Text(), "name of the group", required=True)
    interval: str | None = field(_DURATION, "evaluation interval")
    limit: str | None = field(_Unchecked(), "maximum number of alerts")
    query_offset: str | None = field(_Unchecked(), "offset of the query time")
    labels: Mapping[str, str] = field(MapOf(Text()), "labels added to every rule of the group")
    rules: tuple[PrometheusRule, ...] = field(
        Many(Group(PrometheusRule)), "rules of the group", required=True
    )


@dataclass(frozen=True, kw_only=True)
class RuleFileFields:
    """The keys at the top level of a rule file."""

    groups: tuple[RuleGroup, ...] = field(Many(Group(RuleGroup)), "rule groups", required=True)


@dataclass(frozen=True, kw_only=True)
class Alert(Entity):
    """An alert of a service. `node` and `group` are the YAML of its rule and of its rule group."""

    kind: ClassVar[str] = "alert"
    label: ClassVar[str] = "Alert"
    reference_labels: ClassVar[Mapping[str, ReferenceLabel]] = {
        "alert": ReferenceLabel("alert of", "has alert")
    }

    name: str
    service: str
    expr: str
    for_duration: str | None
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
        """The label `severity` of the alert or of its group, or None."""
        return self.labels.get("severity")

    @property
    def severity_is_template(self) -> bool:
        """True if the severity contains a template expression.

        Its value is then unknown until the alert fires.
        """
        return TEMPLATE in (self.severity or "")

    @property
    def severity_at(self) -> Location:
        """The location of the label `severity`."""
        return self.at("labels", "severity")

    @property
    def summary(self) -> str:
        """The annotation `summary`, or else the annotation `description`, or else ""."""
        return self.annotations.get("summary") or self.annotations.get("description") or ""

    @property
    def runbook_url(self) -> str | None:
        """The annotation `runbook_url`: the address of the page for the on-call engineer."""
        return self.annotations.get("runbook_url")

    def text_of(self, key: str) -> str | None:
        """Return the single value of a key of the rule, or None."""
        node = self.node.find(key)
        return node.text if isinstance(node, nodes.Scalar) and not node.empty else None

    def references(self) -> Iterator[UnresolvedReference]:
        yield UnresolvedReference("alert", "service", self.service, Location(self.path))

    def at(self, *keys: str) -> Location:
        """Return the location of a value in the rule or its group.

        `keys` are nested keys, outermost first. If one is missing, the location is the rule.
        """
        value = (self.node.find(*keys) or self.group.find(*keys)) if keys else None
        return value.at if value is not None else self.node.at


def read_alerts(
    path: str, service: str, text: str | Finding
) -> tuple[tuple[Alert, ...], tuple[Problem, ...]]:
    """Read the alerts and the problems of a rule file.

    `text` is the text of the file, or a finding if the file is unreadable.
    """
    if isinstance(text, Finding):
        return (), (Problem(ProblemKind.UNREADABLE_FILE, text),)
    reading = Reading()
    try:
        node = nodes.parse(text, path, plain=False)
    except nodes.YamlError as error:
        return (), (Problem(ProblemKind.UNREADABLE_FILE, error.finding),)
    if not isinstance(node, nodes.Mapping):
        reading.add_problem(
            ProblemKind.UNREADABLE_FILE,
            Location(path),
            "a rule file must be a mapping with the key 'groups'",
        )
        return (), tuple(reading.problems)
    read_fields(RuleFileFields, node, reading, end=node.at)
    return tuple(_read_alert_rows(path, service, node)), tuple(reading.problems)


def _read_alert_rows(path: str, service: str, node: nodes.Mapping) -> Iterator[Alert]:
    for group in _mapping_items(node.find("groups")):
        group_labels = _read_texts(group.find("labels"))
        for row in _mapping_items(group.find("rules")):
            name, expr = row.find("alert"), row.find("expr")
            if isinstance(name, nodes.Scalar) and isinstance(expr, nodes.Scalar) and not name.empty:
                for_duration = row.find("for")
                yield Alert(
                    path=path,
                    name=name.text,
                    service=service,
                    expr=expr.text.strip(),
                    for_duration=for_duration.text
                    if isinstance(for_duration, nodes.Scalar)
                    else None,
                    labels=group_labels | _read_texts(row.find("labels")),
                    annotations=_read_texts(row.find("annotations")),
                    node=row,
                    group=group,
                )


def _mapping_items(node: nodes.Node | None) -> Iterator[nodes.Mapping]:
    if isinstance(node, nodes.Sequence):
        yield from (item for item in node.items if isinstance(item, nodes.Mapping))


def _read_texts(node: nodes.Node | None) -> dict[str, str]:
    """Return the single values of a mapping, by key."""
    if not isinstance(node, nodes.Mapping):
        return {}
    texts: dict[str, str] = {}
    for entry in node.entries:
        if isinstance(entry.value, nodes.Scalar):
            text = "" if entry.value.empty else entry.value.text.strip() and entry.value.text
            texts.setdefault(entry.key, text)  # the first of duplicate keys, as in `Mapping.find`
    return texts
