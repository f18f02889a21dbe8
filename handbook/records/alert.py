"""Alerts, which the alerting rules of Prometheus define."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from handbook.diagnostics import Location
from handbook.reading import nodes
from handbook.records import Entity, ReferenceLabel, UnresolvedReference
from handbook.records.rule_file import MonitoringRule, RuleFile


@dataclass(frozen=True, kw_only=True)
class Alert(Entity):
    """An alert of a service. One or more alerting rules have its name, such as one per severity."""

    kind: ClassVar[str] = "alert"
    label: ClassVar[str] = "Alert"
    reference_labels: ClassVar[Mapping[str, ReferenceLabel]] = {
        "alert": ReferenceLabel("alert of", "has alert")
    }

    name: str
    service: str
    rules: tuple[MonitoringRule, ...]

    @cached_property
    def mapping(self) -> nodes.Mapping:
        """The YAML of the rule. If there are several, it is a mapping with one entry for each."""
        first = self.rules[0].node
        if len(self.rules) == 1:
            return first
        entries = (nodes.Entry("rule", rule.node.at, rule.node) for rule in self.rules)
        return nodes.Mapping(tuple(entries), first.at)

    @property
    def id(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        return self.name

    @property
    def severities(self) -> tuple[str, ...]:
        """The different severities of the rules, in the order of the rules."""
        return tuple(dict.fromkeys(rule.severity for rule in self.rules if rule.severity))

    @property
    def summary(self) -> str:
        """The first summary of the rules, or "" if they have none."""
        return next((rule.summary for rule in self.rules if rule.summary), "")

    @property
    def at(self) -> Location:
        """The location of the first rule."""
        return self.rules[0].node.at

    def find_references(self) -> Iterator[UnresolvedReference]:
        for path in dict.fromkeys(rule.path for rule in self.rules):
            yield UnresolvedReference("alert", "service", self.service, Location(path))


def make_alerts(rule_files: Iterable[RuleFile]) -> tuple[Alert, ...]:
    """Return the alerts of all rule files, in the order of their first rules.

    A rule without a name or an expression belongs to no alert.
    """
    rules_by_alert: dict[tuple[str, str], list[MonitoringRule]] = {}
    for file in rule_files:
        for rule in file.rules:
            if rule.alert and rule.node.find("expr") is not None:
                rules_by_alert.setdefault((rule.service, rule.alert), []).append(rule)
    return tuple(
        Alert(path=rules[0].path, name=name, service=service, rules=tuple(rules))
        for (service, name), rules in rules_by_alert.items()
    )
