"""Audits: the verdict on each checklist item for one service in one quarter."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from handbook.diagnostics import Location
from handbook.reading import nodes
from handbook.reading.fields import Choice, Day, Group, MapOf, Pattern, ProseText, RecordId, field
from handbook.records import Entity, ReferenceLabel, UnresolvedReference
from handbook.vocabulary import PROOFS, VERDICTS

PATH = re.compile(
    r"docs/services/(?P<service>[a-z0-9]+(?:-[a-z0-9]+)*)/(?P<quarter>[0-9]{4}-Q[1-4])\.yml"
)

AUDIT_NAME = re.compile(r"(?P<year>[0-9]{4})[-_ ]?Q(?P<quarter>[0-9]+)\.ya?ml", re.IGNORECASE)
"""The name of a file that is meant as an audit. It can have faults, as in `2026-q3.yaml`."""


def is_meant_as_audit(path: str) -> bool:
    """Return whether a file can only be meant as an audit.

    It is a YAML file in the folder of services, or has the name of an audit. Evidence with a date
    is no audit.
    """
    folder, _, name = path.rpartition("/")
    if any(part.startswith(".") for part in path.split("/")) or EVIDENCE_FILE.fullmatch(path):
        return False
    is_yaml = name.casefold().endswith((".yml", ".yaml"))
    is_in_services = f"{folder}/".startswith("docs/services/")
    return (is_yaml and is_in_services) or bool(AUDIT_NAME.fullmatch(name))


_FILE = r"[\w.@+~#%,=()\[\]-]+"
EVIDENCE = re.compile(
    r"https?://[^\s<>\x22'{}|\\^`\[\]]+"
    r"|(?![Nn]/[Aa]\b)(?!www\.)(?!(?:[^:]*/)?\.\.?(?:/|$))(?=[^:]*[A-Za-z0-9])(?=[^:]*[./]|[^:]+:)"
    rf"(?P<path>{_FILE}(?:/{_FILE})*)"
    r"(?::(?P<line>[1-9][0-9]{0,6})(?:-[1-9][0-9]{0,6})?|: (?P<text>\S(?:.*\S)?))?"
)
"""An address, or a path in the repository of the service, with a line, a range or a text.

The text is a part of a line of the file. A path can also name a file of evidence.
"""

EVIDENCE_FILE = re.compile(
    r"docs/services/(?P<service>[a-z0-9]+(?:-[a-z0-9]+)*)/(?P<quarter>[0-9]{4}-Q[1-4])/"
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})-[\w.-]*\w\.\w+"
)
"""The path of a file of evidence in the handbook, with the day on which the file was made."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of an audit for one checklist item."""

    verdict: str | None = field(
        Choice(*VERDICTS), "verdict: pass, fail, unknown, not-applicable or waived", required=True
    )
    by: str | None = field(
        Choice(*reversed(PROOFS)), "kind of verification: automated, evidence or attested"
    )
    evidence: str | None = field(
        Pattern(
            f"(?:{re.sub('[?]P<(?:path|line|text)>', '', EVIDENCE.pattern)})",
            "a path with a line, such as src/app.py:12, or an address, such as https://example.com/",
        ),
        "evidence: an address, or a path with the number or the text of a line",
    )
    needs: str | None = field(ProseText(), "information needed to decide an unknown item")
    who: str | None = field(Choice(of="teams"), "team that attests it")
    of: str | None = field(
        Pattern(r"[0-9a-f]{6}", "six hex digits, the fingerprint of an item's text"),
        "fingerprint of the text that the verdict is about; required for an attestation",
    )
    adr: str | None = field(
        RecordId("adr", r"ADR-[0-9]{4}", "ADR-0042"), "decision that waives the item"
    )
    until: datetime.date | None = field(Day(allow_future=True), "end date of the waiver")
    reason: str | None = field(ProseText(), "reason why the item does not apply")


@dataclass(frozen=True, kw_only=True)
class Audit(Entity):
    """The audit of one service in one quarter."""

    kind: ClassVar[str] = "audit"
    label: ClassVar[str] = "Audit"
    has_page: ClassVar[bool] = False
    reference_labels: ClassVar[Mapping[str, ReferenceLabel]] = {
        "audit": ReferenceLabel("audit of", "audited in"),
        "waiver": ReferenceLabel("waived by", "waiver used in"),
    }

    date: datetime.date | None = field(Day(), "date of the audit", required=True)
    auditor: str | None = field(Choice(of="teams"), "team that made the audit", required=True)
    commit: str | None = field(
        Pattern(r"[0-9a-f]{7,64}", "a commit hash"),
        "audited commit of the service's repository",
        required=True,
    )
    results: Mapping[str, Result] = field(
        MapOf(Group(Result)), "results, by checklist item id", required=True
    )
    node: nodes.Mapping | None = None

    @property
    def mapping(self) -> nodes.Mapping | None:
        return self.node

    @property
    def service(self) -> str:
        """The slug of the service, from the path of the file."""
        return self.path.split("/")[-2]

    @property
    def quarter(self) -> str:
        """The quarter of the audit, from the file name, such as `2026-Q1`."""
        return self.path.rsplit("/", 1)[-1].removesuffix(".yml")

    @property
    def is_in_its_quarter(self) -> bool:
        """True if the date of the audit is in its quarter, or is unknown."""
        return self.date is None or self.quarter == quarter_of(self.date)

    @property
    def title(self) -> str:
        return f"{self.service}, {self.quarter}"

    def find_references(self) -> Iterator[UnresolvedReference]:
        yield UnresolvedReference("audit", "service", self.service, Location(self.path))
        for id, result in self.results.items():
            if result.adr:
                yield UnresolvedReference(
                    "waiver", "adr", result.adr, self.at("results", id, "adr")
                )

    @property
    def has_problems(self) -> bool:
        """True if the file has problems. Rules then report no missing results."""
        return bool(self.problems)

    def key_at(self, id: str) -> Location:
        """Return the location of the key of a checklist item under `results`."""
        results = self.node.find("results") if self.node else None
        entry = results.get(id) if isinstance(results, nodes.Mapping) else None
        return entry.at if entry else Location(self.path)

    def at(self, *keys: str) -> Location:
        """Return the location of a value.

        `keys` are nested keys, outermost first. If one is missing, the location is its parent.
        """
        node: nodes.Node | None = self.node
        at = Location(self.path)
        for key in keys:
            entry = node.get(key) if isinstance(node, nodes.Mapping) else None
            if entry is None:
                break
            node, at = entry.value, entry.value.at
        return at


def quarter_of(day: datetime.date) -> str:
    """Return the quarter of a date, such as `2026-Q1`."""
    return f"{day.year:04}-Q{(day.month + 2) // 3}"
