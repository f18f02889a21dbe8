"""The index of services with audit scores, and the details of one service with its audits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from handbook.handbook import Handbook
from handbook.reading.ids import anchor, find_group
from handbook.reading.render import TocEntry
from handbook.records.adr import Adr
from handbook.records.audit import EVIDENCE, Audit, Result
from handbook.records.postmortem import Postmortem
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.views import TONES, count_imports, make_facet, render
from handbook.views.drawings import Share, shares
from handbook.views.facts import severity_tone
from handbook.views.links import Linker
from handbook.vocabulary import PROOFS, VERDICTS

_URGENCY: Final = ("fail", "unknown", "waived", "pass", "not-applicable")
"""The verdicts in the order of a service's page: failed items first."""

_FORGES: Final[Mapping[str, str]] = {
    "github": "{repository}/blob/{commit}/{path}{line}",
    "gitlab": "{repository}/-/blob/{commit}/{path}{line}",
    "codeberg": "{repository}/src/commit/{commit}/{path}{line}",
}
"""The address of a file at a commit, by a part of the name of the host."""


@dataclass(frozen=True, slots=True)
class Score:
    """The counts of an audit.

    `verdicts` has the number of results by verdict. `passes` has the number of results with the
    verdict `pass`, by kind of verification.
    """

    verdicts: dict[str, int]
    passes: dict[str, int]
    total: int


def score(audit: Audit) -> Score:
    """Count the verdicts of an audit, and its verdicts `pass` by kind of verification."""
    verdicts = Counter(result.verdict for result in audit.results.values() if result.verdict)
    passes = Counter(
        result.by for result in audit.results.values() if result.verdict == "pass" and result.by
    )
    return Score(
        {verdict: verdicts[verdict] for verdict in VERDICTS},
        {proof: passes[proof] for proof in reversed(PROOFS)},
        sum(verdicts.values()),
    )


def verdicts(audit_score: Score) -> Markup:
    """Draw the verdicts of an audit as parts of one bar."""
    return shares(
        [Share(verdict, count, TONES[verdict]) for verdict, count in audit_score.verdicts.items()]
    )


def services_index(handbook: Handbook, page_address: str) -> str:
    """Render all services with their latest audits, and a matrix of services and groups."""
    services = sorted(handbook.of(Service), key=lambda service: (service.tier or 9, service.id))
    rows = [(service, next(iter(handbook.audits_of(service)), None)) for service in services]
    rows_with_scores = [
        (service, audit, score(audit) if audit else None) for service, audit in rows
    ]
    facets = [
        make_facet("Owner", "owner", (service.owner for service in services)),
        make_facet("Tier", "tier", (service.tier for service in services)),
    ]
    linker = Linker(handbook, page_address)
    titles = handbook.settings.organisation.groups
    groups = dict.fromkeys(map(find_group, handbook.checklist_items))
    return render(
        "services_index.md.j2",
        imports=count_imports(services),
        rows=rows_with_scores,
        verdicts=verdicts,
        facets=facets,
        linker=linker,
        groups={group: titles.get(group, group) for group in groups},
        matrix=[
            (service, audit, {group: _score_group(linker, audit, group) for group in groups})
            for service, audit in rows
            if audit
        ],
    )


@dataclass(frozen=True, slots=True)
class GroupScore:
    """The results of an audit for one group of the checklist.

    `total` leaves out the items that do not apply. `worst` is the verdict that needs work most.
    """

    passes: int
    total: int
    worst: str
    url: str


def _score_group(linker: Linker, audit: Audit, group: str) -> GroupScore | None:
    """Count the results of a group, or return None if the audit has none."""
    counts = Counter(
        result.verdict
        for id, result in audit.results.items()
        if result.verdict and find_group(id) == group
    )
    if not counts:
        return None
    address = linker.handbook.address(audit).partition("#")[0]
    return GroupScore(
        counts["pass"],
        counts.total() - counts["not-applicable"],
        next(verdict for verdict in _URGENCY if counts[verdict]),
        linker.at(f"{address}?group={group}&quarter={audit.quarter}#{audit.quarter.lower()}"),
    )


def service_headings(handbook: Handbook, service: Service) -> tuple[TocEntry, ...]:
    """Return the headings of a service's details, for the table of contents of its page."""
    audits = handbook.audits_of(service)
    sections = {
        "hb-alerts": "When something is broken",
        "hb-slos": "Objectives" if service.slos else "",
        "hb-incidents": "Incidents" if _find_incidents(handbook, service) else "",
        "hb-bound": (
            "Related decisions and services"
            if _find_decisions(handbook, service) or _find_dependents(handbook, service)
            else ""
        ),
        "hb-audits": "Audits",
    }
    return (
        *(TocEntry(2, id, title) for id, title in sections.items() if title),
        *(TocEntry(3, audit.quarter.lower(), audit.quarter) for audit in audits),
    )


def _find_incidents(handbook: Handbook, service: Service) -> tuple[Postmortem, ...]:
    return handbook.records_with(Postmortem, "services", service.id)


def _find_decisions(handbook: Handbook, service: Service) -> tuple[Adr, ...]:
    return handbook.records_with(Adr, "services", service.id)


def _find_dependents(handbook: Handbook, service: Service) -> tuple[Service, ...]:
    return handbook.records_with(Service, "depends_on", service.id)


def service_details(handbook: Handbook, service: Service) -> str:
    """Render the details of a service, such as its alerts, runbooks, incidents and audits."""
    linker = Linker(handbook, handbook.address(service))
    audits = handbook.audits_of(service)
    changes = {newer.quarter: _list_changes(newer, older) for newer, older in pairwise(audits)}
    rows_by_quarter = {audit.quarter: list(_results(linker, audit)) for audit in audits}
    rows = list(chain.from_iterable(rows_by_quarter.values()))
    return render(
        "service.html.j2",
        service=service,
        headings={heading.id: heading.html for heading in service_headings(handbook, service)},
        alerts=[alert for alert in handbook.alerts if alert.service == service.id],
        runbooks=handbook.records_with(Runbook, "service", service.id),
        runbooks_of=handbook.runbooks_of,
        incidents=_find_incidents(handbook, service),
        adrs=_find_decisions(handbook, service),
        dependents=_find_dependents(handbook, service),
        audits=[
            (
                audit,
                score(audit),
                rows_by_quarter[audit.quarter],
                changes.get(audit.quarter),
            )
            for audit in audits
        ],
        facets=[
            make_facet("Quarter", "quarter", (audit.quarter for audit in audits)),
            make_facet("Verdict", "verdict", (row.result.verdict for row in rows)),
            make_facet("Group", "group", (row.group for row in rows)),
            make_facet("Verified by", "by", (row.result.by for row in rows)),
        ],
        verdicts=verdicts,
        linker=linker,
        tone=lambda severity: severity_tone(handbook, severity),
    )


@dataclass(frozen=True, slots=True)
class Changes:
    """The differences between an audit and the audit before it.

    The lists have the ids of items. `others` has the former and the present verdict of the items
    that passed in neither audit.
    """

    quarter: str
    now_pass: tuple[str, ...]
    no_longer_pass: tuple[str, ...]
    others: tuple[tuple[str, str, str], ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]


def _list_changes(newer: Audit, older: Audit) -> Changes:
    """Compare the verdicts of two audits of a service."""
    changed = [
        (id, str(older.results[id].verdict), str(result.verdict))
        for id, result in newer.results.items()
        if id in older.results and result.verdict != older.results[id].verdict
    ]
    return Changes(
        older.quarter,
        tuple(id for id, _, verdict in changed if verdict == "pass"),
        tuple(id for id, verdict, _ in changed if verdict == "pass"),
        tuple(change for change in changed if "pass" not in change[1:]),
        tuple(id for id in newer.results if id not in older.results),
        tuple(id for id in older.results if id not in newer.results),
    )


@dataclass(frozen=True, slots=True)
class ItemVerdict:
    """The verdict of a service's latest audit on one checklist item."""

    service: Service
    verdict: str
    url: str


def list_item_verdicts(linker: Linker) -> Mapping[str, list[ItemVerdict]]:
    """Return the verdicts of the latest audits, by checklist item. Failed items come first."""
    verdicts_by_item: dict[str, list[ItemVerdict]] = {}
    for service in sorted(linker.handbook.of(Service), key=lambda service: service.id):
        for audit in linker.handbook.audits_of(service)[:1]:
            for id, result in audit.results.items():
                if result.verdict:
                    verdicts_by_item.setdefault(id, []).append(
                        ItemVerdict(
                            service,
                            result.verdict,
                            f"{linker.url(audit)}-{anchor(id)}",
                        )
                    )
    for verdicts_of_item in verdicts_by_item.values():
        verdicts_of_item.sort(key=lambda entry: _URGENCY.index(entry.verdict))
    return verdicts_by_item


@dataclass(frozen=True, slots=True)
class ResultRow:
    """The result of an audit for one checklist item, with the present text of the item."""

    id: str
    text: Markup
    result: Result
    is_reworded: bool
    """True if the item is worded differently since the audit."""
    evidence_url: str | None
    """The address of the evidence, or None if nothing tells the address of the file."""

    @property
    def group(self) -> str:
        """The group of the item, such as `SEC`."""
        return find_group(self.id)


def _results(linker: Linker, audit: Audit) -> Iterator[ResultRow]:
    """Yield the results of an audit: failed items first, then in the order of the checklist."""
    items = linker.handbook.checklist_items
    positions = {id: position for position, id in enumerate(items)}

    def order(id: str) -> tuple[int, int, str]:
        verdict = audit.results[id].verdict or "unknown"
        return _URGENCY.index(verdict), positions.get(id, len(positions)), id

    for id in sorted(audit.results, key=order):
        owned, result = items.get(id), audit.results[id]
        yield ResultRow(
            id,
            linker.inline(owned.item.item or "", owned.standard.path) if owned else Markup(),
            result,
            owned is not None and result.of not in (None, owned.item.fingerprint),
            _find_evidence_url(linker, audit, result.evidence or ""),
        )


def _find_evidence_url(linker: Linker, audit: Audit, evidence: str) -> str | None:
    """Return the address of evidence on the web, in the handbook or at the forge, or None.

    The address of a file of the service has the line that the evidence names.
    """
    if evidence in linker.handbook.attachments:
        return linker.at(linker.handbook.source_uri(evidence))
    match = EVIDENCE.fullmatch(evidence)
    file = linker.handbook.find_service_file(audit.service, match["path"] or "") if match else None
    if match and file and file.data is not None:
        line = int(match["line"] or 0) or file.find_line(match["text"] or "")
        fragment = f"#L{line}" if line and file.has_anchor(f"L{line}") else ""
        return linker.at(quote(file.address) + fragment)
    if evidence.startswith(("https://", "http://")):
        return evidence
    service = linker.handbook.get(Service, audit.service)
    if match and service and service.repository and not service.source_folder:
        return _find_forge_url(service.repository, audit.commit or "", match["path"], match["line"])
    return None


def _find_forge_url(repository: str, commit: str, path: str, line: str | None) -> str | None:
    """Return the address of a file at a commit, or None if the forge is unknown."""
    host = urlsplit(repository).hostname or ""
    form = next((form for name, form in _FORGES.items() if name in host.split(".")), None)
    if not form or not commit:
        return None
    return form.format(
        repository=repository.rstrip("/").removesuffix(".git"),
        commit=commit,
        path=quote(path),
        line=f"#L{line}" if line else "",
    )
