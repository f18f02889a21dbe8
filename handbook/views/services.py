"""The index of services with their scorecards, and everything that is known of one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from markupsafe import Markup

from handbook.handbook import Handbook
from handbook.records.adr import Adr
from handbook.records.audit import Audit
from handbook.records.postmortem import Postmortem
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.views import TONES, facet, render
from handbook.views.drawings import Share, shares
from handbook.views.facts import severity_tone
from handbook.views.links import Linker
from handbook.vocabulary import PROOFS, VERDICTS


@dataclass(frozen=True, slots=True)
class Score:
    """An audit in counts. Passes are counted apart by how they are known; what is not known is never a pass."""

    verdicts: dict[str, int]
    passes: dict[str, int]
    total: int


def score(audit: Audit) -> Score:
    """The counts of an audit: every verdict, and the passes by how they are known, the strongest first."""
    verdicts = Counter(result.verdict for result in audit.results.values() if result.verdict)
    passes = Counter(
        result.by for result in audit.results.values() if result.verdict == "pass" and result.by
    )
    return Score(
        {verdict: verdicts[verdict] for verdict in VERDICTS},
        {proof: passes[proof] for proof in reversed(PROOFS)},
        sum(verdicts.values()),
    )


def verdicts(counted: Score) -> Markup:
    """The HTML of an audit's verdicts as shares of one bar."""
    return shares(
        [Share(verdict, count, TONES[verdict]) for verdict, count in counted.verdicts.items()]
    )


def services_index(handbook: Handbook, here: str) -> str:
    """Markdown: every service with its owner, tier and the counts of its newest audit."""
    services = sorted(handbook.of(Service), key=lambda service: (service.tier or 9, service.id))
    rows = [(service, next(iter(handbook.audits_of(service)), None)) for service in services]
    scored = [(service, audit, score(audit) if audit else None) for service, audit in rows]
    facets = [
        facet("Owner", "owner", (service.owner for service in services)),
        facet("Tier", "tier", (service.tier for service in services)),
    ]
    return render(
        "services_index.md.j2",
        rows=scored,
        verdicts=verdicts,
        facets=facets,
        linker=Linker(handbook, here),
    )


def service_knowledge(handbook: Handbook, service: Service) -> str:
    """The HTML below a service's text: alerts, runbooks, incidents, decisions, objectives, and its audits."""
    linker = Linker(handbook, handbook.address(service))
    adrs = [adr for adr in handbook.of(Adr) if service.id in adr.services]
    return render(
        "service.html.j2",
        service=service,
        alerts=[alert for alert in handbook.alerts if alert.service == service.id],
        runbooks=[runbook for runbook in handbook.of(Runbook) if runbook.service == service.id],
        runbooks_of=handbook.runbooks_of,
        incidents=[each for each in handbook.of(Postmortem) if service.id in each.services],
        adrs=adrs,
        dependents=[other for other in handbook.of(Service) if service.id in other.depends_on],
        audits=[
            (audit, score(audit), _results(linker, audit)) for audit in handbook.audits_of(service)
        ],
        verdicts=verdicts,
        linker=linker,
        tone=lambda severity: severity_tone(handbook, severity),
    )


def _results(linker: Linker, audit: Audit) -> list[tuple[str, str, object]]:
    """The results in the order of the checklist: id, text, result."""
    items = linker.handbook.items
    order = list(items)
    ids = sorted(audit.results, key=lambda id: (order.index(id) if id in order else len(order), id))
    texts = {
        id: linker.inline(items[id].item.item or "", items[id].standard.path)
        for id in ids
        if id in items
    }
    return [(id, texts.get(id, ""), audit.results[id]) for id in ids]
