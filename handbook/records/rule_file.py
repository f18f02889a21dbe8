"""Rule files of Prometheus, with their alerting rules and recording rules.

A file holds rule groups in one of three forms: a rule file of Prometheus, a rule file of Grafana
Mimir or Cortex with the key `namespace`, or Kubernetes resources such as `PrometheusRule`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from handbook.diagnostics import Finding, Location, find_only_match, suggest
from handbook.reading import nodes
from handbook.reading.fields import (
    AllowedValues,
    FieldType,
    Group,
    Many,
    MapOf,
    Reading,
    Text,
    field,
    read_fields,
)
from handbook.reading.problems import Problem, ProblemKind

TEMPLATE: Final = "{{"
"""The start of a template expression in a label or annotation.

Prometheus replaces the expression by its value when the alert fires.
"""
_RESOURCE_KIND: Final = "PrometheusRule"
"""The kind of the Kubernetes resource that the Prometheus Operator reads."""
_NAMESPACE: Final = "namespace"
"""The top-level key of a rule file for Grafana Mimir or Cortex."""


class _Unchecked(Text):
    """Any value. It is for keys that the handbook does not use."""

    def read_node(self, key: str, node: nodes.Node, reading: Reading) -> str:
        return ""


class _TextOrEmpty(Text):
    """Any text. Only the text under the key `filled_key` must not be empty.

    Prometheus accepts empty labels and annotations. An alert can remove a label in this way.
    """

    def __init__(self, filled_key: str) -> None:
        self.filled_key = filled_key

    def read_node(self, key: str, node: nodes.Node, reading: Reading) -> Any:
        is_blank = isinstance(node, nodes.Scalar) and (node.empty or not node.text.strip())
        return "" if is_blank and key != self.filled_key else super().read_node(key, node, reading)


class _ListOf(Many):
    """A list of values of one type, of which several can be equal."""

    def read_node(self, key: str, node: nodes.Node, reading: Reading) -> tuple[Any, ...]:
        if not isinstance(node, nodes.Sequence):
            return super().read_node(key, node, reading)
        values = (self.item.read(key, item, reading) for item in node.items)
        return tuple(value for value in values if value is not None)


class _PrometheusDuration(FieldType):
    """A duration such as `1h30m`, as Prometheus reads it: its units are in descending order."""

    noun = "a time such as 5m"
    form = re.compile(
        r"(?=[0-9])(?:([0-9]+)y)?(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?"
        r"(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?"
    )
    milliseconds = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1_000, 1)
    limit = 2**63 // 1_000_000  # Go counts nanoseconds in 64 bits.

    def parse(self, key: str, node: nodes.Scalar, reading: Reading) -> str | None:
        match = self.form.fullmatch(node.text)
        if node.text == "0" or (match and self._is_in_range(match.groups(default="0"))):
            return node.text
        self.add_invalid_value(key, node, reading)
        return None

    def _is_in_range(self, numbers: tuple[str, ...]) -> bool:
        if any(len(number) > 20 for number in numbers):
            return False
        parts = zip(numbers, self.milliseconds, strict=True)
        return sum(int(number) * unit for number, unit in parts) < self.limit

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self.form.pattern}|0)$"}


class _WholeNumber(FieldType):
    """A number of YAML without quotation marks. Prometheus ignores its decimal places."""

    noun = "a whole number, without quotation marks"
    form = re.compile(
        r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0o[0-7_]+"
        r"|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]{1,2})?)"
    )

    def parse(self, key: str, node: nodes.Scalar, reading: Reading) -> str | None:
        is_number = node.is_plain and len(node.text) < 20 and self.form.fullmatch(node.text)
        if is_number:
            return node.text
        self.add_invalid_value(key, node, reading)
        return None

    def schema(self, allowed_values: AllowedValues) -> dict[str, Any]:
        return {"type": "number"}


@dataclass(frozen=True, kw_only=True)
class RuleFields:
    """The keys of an alerting rule or a recording rule."""

    alert: str | None = field(Text(), "name of the alert")
    record: str | None = field(Text(), "name of the recorded series")
    expr: str | None = field(Text(), "PromQL expression", required=True)
    for_duration: str | None = field(
        _PrometheusDuration(), "time the expression must be true before the alert fires", key="for"
    )
    keep_firing_for: str | None = field(
        _PrometheusDuration(), "time the alert keeps firing after the expression becomes false"
    )
    labels: Mapping[str, str] = field(MapOf(_TextOrEmpty("severity")), "labels")
    annotations: Mapping[str, str] = field(
        MapOf(_TextOrEmpty("runbook_url")), "annotations, including runbook_url"
    )


@dataclass(frozen=True, kw_only=True)
class GroupFields:
    """The keys of a group of rules."""

    name: str | None = field(Text(), "name of the group", required=True)
    interval: str | None = field(_PrometheusDuration(), "evaluation interval")
    limit: str | None = field(_WholeNumber(), "maximum number of alerts")
    query_offset: str | None = field(_PrometheusDuration(), "offset of the query time")
    labels: Mapping[str, str] = field(
        MapOf(_TextOrEmpty("severity")), "labels added to every rule of the group"
    )
    rules: tuple[RuleFields, ...] = field(
        _ListOf(Group(RuleFields)), "rules of the group", required=True
    )


@dataclass(frozen=True, kw_only=True)
class RuleFileFields:
    """The keys at the top level of a rule file."""

    groups: tuple[GroupFields, ...] = field(
        _ListOf(Group(GroupFields)), "rule groups", required=True
    )


@dataclass(frozen=True, kw_only=True)
class MimirGroupFields(GroupFields):
    """The keys of a group of rules for Grafana Mimir or Cortex."""

    align_evaluation_time_on_interval: str | None = field(_Unchecked(), "true to align evaluations")
    evaluation_delay: str | None = field(_PrometheusDuration(), "offset of the query time")
    source_tenants: str | None = field(_Unchecked(), "tenants that the rules query")
    remote_write: str | None = field(_Unchecked(), "targets of recorded series")


@dataclass(frozen=True, kw_only=True)
class MimirFileFields:
    """The keys at the top level of a rule file for Grafana Mimir or Cortex."""

    namespace: str | None = field(Text(), "namespace of the rule groups", required=True)
    groups: tuple[MimirGroupFields, ...] = field(
        _ListOf(Group(MimirGroupFields)), "rule groups", required=True
    )


@dataclass(frozen=True, kw_only=True)
class ResourceGroupFields(GroupFields):
    """The keys of a group of rules in a Kubernetes resource."""

    partial_response_strategy: str | None = field(Text(), "strategy of Thanos: warn or abort")


@dataclass(frozen=True, kw_only=True)
class ResourceSpecFields:
    """The keys below `spec` in a Kubernetes resource."""

    groups: tuple[ResourceGroupFields, ...] = field(
        _ListOf(Group(ResourceGroupFields)), "rule groups", required=True
    )


@dataclass(frozen=True, kw_only=True)
class ResourceFields:
    """The keys of a Kubernetes resource with rule groups."""

    api_version: str | None = field(Text(), "version of the API", required=True, key="apiVersion")
    resource_kind: str | None = field(Text(), "kind of the resource", required=True, key="kind")
    metadata: str | None = field(_Unchecked(), "name and labels of the resource")
    spec: ResourceSpecFields | None = field(
        Group(ResourceSpecFields), "rule groups of the resource", required=True
    )
    status: str | None = field(_Unchecked(), "state of the resource in the cluster")


@dataclass(frozen=True, kw_only=True)
class MonitoringRule:
    """An alerting rule or a recording rule of Prometheus.

    `node` and `group` are the YAML of the rule and of its group. `labels` include those of the
    group. `alert` and `record` are "" if the rule has no such key.
    """

    path: str
    service: str
    alert: str
    record: str
    expr: str
    for_duration: str | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    node: nodes.Mapping
    group: nodes.Mapping

    @property
    def name(self) -> str:
        """The name of the alert or of the recorded series."""
        return self.alert or self.record

    @property
    def severity(self) -> str | None:
        """The label `severity` of the rule or of its group, or None."""
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

    def at(self, *keys: str) -> Location:
        """Return the location of a value in the rule or its group.

        `keys` are nested keys, outermost first. If one is missing, the location is the rule.
        """
        value = (self.node.find(*keys) or self.group.find(*keys)) if keys else None
        return value.at if value is not None else self.node.at


@dataclass(frozen=True, kw_only=True)
class RuleGroup:
    """A group of rules. `node` is its YAML."""

    node: nodes.Mapping
    rules: tuple[MonitoringRule, ...]

    @property
    def name(self) -> str:
        """The name of the group, or "" if it is missing."""
        return _read_text(self.node.find("name"))


@dataclass(frozen=True, slots=True)
class RuleResource:
    """The groups that Prometheus loads together: those of a rule file or a Kubernetes resource."""

    groups: tuple[RuleGroup, ...]


@dataclass(frozen=True)
class RuleFile:
    """A file with rule groups, with its service and its problems."""

    path: str
    service: str
    problems: tuple[Problem, ...] = ()
    resources: tuple[RuleResource, ...] = ()

    @property
    def is_readable(self) -> bool:
        """True if no part of the file is unreadable."""
        return not any(problem.kind is ProblemKind.UNREADABLE_FILE for problem in self.problems)

    @cached_property
    def rules(self) -> tuple[MonitoringRule, ...]:
        """All rules of the file."""
        return tuple(
            rule for resource in self.resources for group in resource.groups for rule in group.rules
        )


def read_rule_file(path: str, service: str, text: str | Finding) -> RuleFile:
    """Read a rule file. `text` is its text, or a finding if the file is unreadable."""
    if isinstance(text, Finding):
        return RuleFile(path, service, (Problem(ProblemKind.UNREADABLE_FILE, text),))
    reading = Reading()
    try:
        documents = nodes.parse_documents(text, path)
    except nodes.YamlError as error:
        return RuleFile(path, service, (Problem(ProblemKind.UNREADABLE_FILE, error.finding),))
    if not documents:
        _refuse_document(Location(path), reading)
    resources = tuple(_read_documents(path, service, documents, reading))
    return RuleFile(path, service, tuple(reading.problems), resources)


def _read_documents(
    path: str, service: str, documents: Iterable[nodes.Node], reading: Reading
) -> Iterator[RuleResource]:
    """Yield the resources of all YAML documents, and add their problems to `reading`."""
    for number, document in enumerate(documents, 1):
        if not isinstance(document, nodes.Mapping):
            _refuse_document(document.at, reading)
        elif _read_text(document.find("kind")):
            for owner in _read_resources(document, reading):
                yield _read_resource(path, service, owner)
        else:
            is_for_mimir = document.get(_NAMESPACE) is not None
            if number > 1 and not is_for_mimir:
                reading.add_problem(
                    ProblemKind.UNREADABLE_FILE,
                    document.at,
                    "second YAML document, which Prometheus ignores",
                    "move its groups into the first document, or into another file",
                )
            table = MimirFileFields if is_for_mimir else RuleFileFields
            read_fields(table, document, reading, end=document.at)
            yield _read_resource(path, service, document)


def _refuse_document(at: Location, reading: Reading) -> None:
    message = "a rule file must be a mapping with the key 'groups'"
    reading.add_problem(ProblemKind.UNREADABLE_FILE, at, message)


def _read_resources(document: nodes.Mapping, reading: Reading) -> Iterator[nodes.Mapping]:
    """Yield the mappings with the key `groups` in a Kubernetes resource or a list of resources.

    Several operators read resources with `spec.groups`. The function ignores all other resources.
    """
    kind = document.find("kind")
    items = document.find("items")
    if _read_text(kind).endswith("List") and isinstance(items, nodes.Sequence):
        for item in _mapping_items(items):
            yield from _read_resources(item, reading)
        return
    spec = document.find("spec")
    has_groups = document.find("spec", "groups") is not None
    if not has_groups and _read_text(kind) != _RESOURCE_KIND:
        return
    read_fields(ResourceFields, document, reading, end=document.at)
    if kind and _read_text(kind) != _RESOURCE_KIND:
        if find_only_match(_read_text(kind), [_RESOURCE_KIND]):
            reading.add_problem(
                ProblemKind.UNKNOWN_VALUE,
                kind.at,
                f"unknown value '{_read_text(kind)}' for 'kind'",
                suggest(_RESOURCE_KIND),
            )
    if isinstance(spec, nodes.Mapping):
        yield spec


def _read_resource(path: str, service: str, owner: nodes.Mapping) -> RuleResource:
    """Read the rule groups below the key `groups` of a mapping."""
    return RuleResource(
        tuple(
            RuleGroup(
                node=group,
                rules=tuple(
                    _read_rule(path, service, row, group)
                    for row in _mapping_items(group.find("rules"))
                ),
            )
            for group in _mapping_items(owner.find("groups"))
        )
    )


def _read_rule(path: str, service: str, row: nodes.Mapping, group: nodes.Mapping) -> MonitoringRule:
    return MonitoringRule(
        path=path,
        service=service,
        alert=_read_text(row.find("alert")),
        record=_read_text(row.find("record")),
        expr=_read_text(row.find("expr")).strip(),
        for_duration=_read_text(row.find("for")) or None,
        labels=_read_texts(group.find("labels")) | _read_texts(row.find("labels")),
        annotations=_read_texts(row.find("annotations")),
        node=row,
        group=group,
    )


def _mapping_items(node: nodes.Node | None) -> Iterator[nodes.Mapping]:
    if isinstance(node, nodes.Sequence):
        yield from (item for item in node.items if isinstance(item, nodes.Mapping))


def _read_text(node: nodes.Node | None) -> str:
    """Return the text of a single value, or "" for any other node."""
    return node.text if isinstance(node, nodes.Scalar) and not node.empty else ""


def _read_texts(node: nodes.Node | None) -> dict[str, str]:
    """Return the single values of a mapping, by key."""
    if not isinstance(node, nodes.Mapping):
        return {}
    texts: dict[str, str] = {}
    for entry in node.entries:
        if isinstance(entry.value, nodes.Scalar):
            text = _read_text(entry.value)
            texts.setdefault(entry.key, text.strip() and text)
            # the first of duplicate keys, as in `Mapping.find`
    return texts
