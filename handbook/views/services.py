"""The index of services with audit scores, and the details of one service."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from urllib.parse import quote

from markupsafe import Markup

from handbook.handbook import Handbook
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
    """Render all services, with their owners, tiers and latest audits."""
    services = sorted(handbook.of(Service), key=lambda service: (service.tier or 9, service.id))
    rows = [(service, next(iter(handbook.audits_of(service)), None)) for service in services]
    rows_with_scores = [
        (service, audit, score(audit) if audit else None) for service, audit in rows
    ]
    facets = [
        make_facet("Owner", "owner", (service.owner for service in services)),
        make_facet("Tier", "tier", (service.tier for service in services)),
    ]
    return render(
        "services_index.md.j2",
        imports=count_imports(services),
        rows=rows_with_scores,
        verdicts=verdicts,
        facets=facets,
        linker=Linker(handbook, page_address),
    )


def service_details(handbook: Handbook, service: Service) -> str:
    """Render the details of a service, such as its alerts, runbooks, incidents and audits."""
    linker = Linker(handbook, handbook.address(service))
    adrs = [adr for adr in handbook.of(Adr) if service.id in adr.services]
    return render(
        "service.html.j2",
        service=service,
        alerts=[alert for alert in handbook.alerts if alert.service == service.id],
        runbooks=[runbook for runbook in handbook.of(Runbook) if runbook.service == service.id],
        runbooks_of=handbook.runbooks_of,
        incidents=[
            postmortem
            for postmortem in handbook.of(Postmortem)
            if service.id in postmortem.services
        ],
        adrs=adrs,
        dependents=[
            dependent for dependent in handbook.of(Service) if service.id in dependent.depends_on
        ],
        audits=[
            (audit, score(audit), _results(linker, audit)) for audit in handbook.audits_of(service)
        ],
        verdicts=verdicts,
        linker=linker,
        tone=lambda severity: severity_tone(handbook, severity),
    )


@dataclass(frozen=True, slots=True)
class ResultRow:
    """The result of an audit for one checklist item, with the present text of the item."""

    id: str
    text: str
    result: Result
    is_reworded: bool
    """True if the item is worded differently since the audit."""
    evidence_url: str | None
    """The address of the evidence, or None if it is a path in another repository."""


def _results(linker: Linker, audit: Audit) -> list[ResultRow]:
    """Return the results of an audit in the order of the checklist."""
    items = linker.handbook.checklist_items
    order = list(items)
    ids = sorted(audit.results, key=lambda id: (order.index(id) if id in order else len(order), id))
    texts = {
        id: linker.inline(items[id].item.item or "", items[id].standard.path)
        for id in ids
        if id in items
    }
    return [
        ResultRow(
            id,
            texts.get(id, ""),
            result := audit.results[id],
            id in items and result.of not in (None, items[id].item.fingerprint),
            _find_evidence_url(linker, audit.service, result.evidence or ""),
        )
        for id in ids
    ]


def _find_evidence_url(linker: Linker, service: str, evidence: str) -> str | None:
    """Return the address of evidence on the web or in the handbook, or None.

    The address of a file of the service has the line that the evidence names.
    """
    if evidence in linker.handbook.attachments:
        return linker.at(linker.handbook.source_uri(evidence))
    match = EVIDENCE.fullmatch(evidence)
    file = linker.handbook.find_service_file(service, match["path"] or "") if match else None
    if match and file and file.data is not None:
        line = int(match["line"] or 0) or file.find_line(match["text"] or "")
        fragment = f"#L{line}" if line and file.has_anchor(f"L{line}") else ""
        return linker.at(quote(file.address) + fragment)
    return evidence if evidence.startswith(("https://", "http://")) else None
