"""Audits: what a service says of each item of the checklist in a quarter, and how that is known."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from handbook.diagnostics import Location
from handbook.reading import nodes
from handbook.reading.fields import Choice, Day, Group, MapOf, Pattern, RecordId, Text, field
from handbook.records import Entity, Tie, UnresolvedReference
from handbook.vocabulary import PROOFS, VERDICTS

PATH = re.compile(
    r"docs/services/(?P<service>[a-z0-9]+(?:-[a-z0-9]+)*)/(?P<quarter>[0-9]{4}-Q[1-4])\.yml"
)


@dataclass(frozen=True, kw_only=True)
class Result:
    """The answer to one item."""

    verdict: str | None = field(
        Choice(*VERDICTS), "pass, fail, unknown, not-applicable or waived", required=True
    )
    by: str | None = field(
        Choice(*reversed(PROOFS)), "how it is known: automated, evidence, attested"
    )
    evidence: str | None = field(
        Text(), "where it can be seen: a path with its line, or an address"
    )
    needs: str | None = field(Text(), "what is missing to know")
    who: str | None = field(Choice(of="teams"), "the team that attests it")
    of: str | None = field(
        Pattern(r"[0-9a-f]{6}", "six hex digits: the fingerprint of an item's text"),
        "the text that was attested",
    )
    adr: str | None = field(
        RecordId("adr", r"ADR-[0-9]{4}", "ADR-0042"), "the decision that waives it"
    )
    until: datetime.date | None = field(Day(ahead=True), "the day on which the waiver ends")
    reason: str | None = field(Text(), "why it does not apply")


@dataclass(frozen=True, kw_only=True)
class Audit(Entity):
    """One service, one quarter, every item in force."""

    kind: ClassVar[str] = "audit"
    label: ClassVar[str] = "Audit"
    has_page: ClassVar[bool] = False
    ties: ClassVar[Mapping[str, Tie]] = {
        "audit": Tie("audit of", "audited in"),
        "waiver": Tie("waived by", "waives in"),
    }

    date: datetime.date | None = field(Day(), "the day of the audit", required=True)
    auditor: str | None = field(Choice(of="teams"), "the team that audited", required=True)
    commit: str | None = field(
        Pattern(r"[0-9a-f]{7,64}", "a commit"),
        "the commit of the service's repository that was looked at",
        required=True,
    )
    results: Mapping[str, Result] = field(
        MapOf(Group(Result)), "the answer to each item, by its id", required=True
    )
    node: nodes.Mapping | None = None

    @property
    def mapping(self) -> nodes.Mapping | None:
        return self.node

    @property
    def service(self) -> str:
        """The slug of the service."""
        return self.path.split("/")[-2]

    @property
    def quarter(self) -> str:
        """The quarter, as the file's name says."""
        return self.path.rsplit("/", 1)[-1].removesuffix(".yml")

    @property
    def title(self) -> str:
        return f"{self.service}, {self.quarter}"

    def references(self) -> Iterator[UnresolvedReference]:
        yield UnresolvedReference("audit", "service", self.service, Location(self.path))
        for id, result in self.results.items():
            if result.adr:
                yield UnresolvedReference(
                    "waiver", "adr", result.adr, self.at("results", id, "adr")
                )

    @property
    def doubtful(self) -> bool:
        """Whether something in the file could not be read, so that what seems to be missing may be just that."""
        return bool(self.problems)

    def key_at(self, id: str) -> Location:
        """The place of an item's key under `results`."""
        results = self.node.find("results") if self.node else None
        entry = results.get(id) if isinstance(results, nodes.Mapping) else None
        return entry.at if entry else Location(self.path)

    def at(self, *keys: str) -> Location:
        """The place of the value at a path of keys, or of the nearest above it that is there."""
        node: nodes.Node | None = self.node
        at = Location(self.path)
        for key in keys:
            entry = node.get(key) if isinstance(node, nodes.Mapping) else None
            if entry is None:
                break
            node, at = entry.value, entry.value.at
        return at
