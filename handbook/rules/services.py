"""SVC001 to SVC010: services, and what audits say of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from handbook.diagnostics import Finding, Location, Severity, did_you_mean
from handbook.reading.placeholders import is_unwritten
from handbook.records.adr import Adr
from handbook.records.audit import Audit
from handbook.records.service import Service
from handbook.rules.engine import Context, rule
from handbook.vocabulary import PROOFS


@rule("SVC001", "invalid-service-name", over=Service)
def invalid_service_name(service: Service) -> Iterator[Finding]:
    """The file of a service is `docs/services/slug.md`.

    Why: the slug is what runbooks, audits and other services name it by.

    Bad:
        docs/services/Ware_house.md
    Good:
        docs/services/warehouse.md
    """
    if not service.well_named:
        yield Finding(
            service.source.at(1), f"the name is not {service.file_form}", "such as order-service.md"
        )


@rule("SVC002", "missing-on-call", over=Service, requires=("FM001", "FM002"))
def missing_on_call(service: Service) -> Iterator[Finding]:
    """A service of tier 1 or 2 names its rota, `on_call`.

    Why: when it is down, somebody has to be called.

    Bad:
        tier: 1
        repository: https://git.example/shop
    Good:
        tier: 1
        on_call: https://rota.example/shop
        repository: https://git.example/shop
    """
    if service.tier in (1, 2) and not service.on_call and not service.doubtful("on_call"):
        yield Finding(
            service.at("on_call"),
            f"'on_call' is missing: the tier is {service.tier}",
            "on_call: https://…",
        )


@rule("SVC003", "unknown-item", over=Audit)
def unknown_item(audit: Audit, context: Context) -> Iterator[Finding]:
    """An audit answers items of the checklist that are in force in its quarter, and no others.

    Why: an answer to something that nobody asked is a misspelt id, or an item that is gone.

    Bad:
        OBS-01: {verdict: pass, by: automated, evidence: "logging.py:12"}
        OBS-77: {verdict: unknown}
    Good:
        OBS-01: {verdict: pass, by: automated, evidence: "logging.py:12"}
    """
    for id in audit.results:
        owned = context.handbook.items.get(id)
        if owned is None:
            hint = did_you_mean(id, context.handbook.items)
            yield Finding(audit.key_at(id), f"{id} is no item of the checklist", hint)
        elif owned.item.since and not owned.item.in_force(audit.quarter):
            yield Finding(
                audit.key_at(id),
                f"{id} is not in force in {audit.quarter}",
                f"see {owned.standard.path}",
            )


@rule("SVC004", "unanswered-item", over=Audit, requires=("FM001",))
def unanswered_item(audit: Audit, context: Context) -> Iterator[Finding]:
    """An audit answers every item in force in its quarter. `verdict: unknown` is an answer.

    Why: what is left out looks like what was met.

    Bad:
        # SEC-01: nobody looked
    Good:
        SEC-01: {verdict: unknown, needs: a look at the settings}
    """
    if audit.doubtful or not audit.node:
        return
    for id, owned in context.handbook.items.items():
        if owned.item.in_force(audit.quarter) and id not in audit.results:
            yield Finding(
                audit.at("results"),
                f"{id} is not answered",
                f"{id}: {{verdict: unknown, needs: …}}",
            )


@rule("SVC005", "incomplete-verdict", over=Audit)
def incomplete_verdict(audit: Audit) -> Iterator[Finding]:
    """A verdict comes with what it rests on.

    pass and fail say how it is known (`by`); automated and evidence say where it can be seen; attested says who, and of
    which text; not-applicable has a reason; waived has a decision and an end.

    Why: a verdict without it cannot be checked by anybody.

    Bad:
        {verdict: not-applicable}
    Good:
        {verdict: not-applicable, reason: no container}
    """
    for id, result in audit.results.items():
        needed: tuple[str, ...] = ()
        match result.verdict:
            case "pass" | "fail":
                proof = {"attested": ("who", "of")}.get(
                    result.by or "", ("evidence",) if result.by else ()
                )
                needed = ("by", *proof)
            case "not-applicable":
                needed = ("reason",)
            case "waived":
                needed = ("adr", "until")
        for key in needed:
            if not getattr(result, key) and not audit.doubtful:
                yield Finding(
                    audit.at("results", id),
                    f"{id}: '{key}' is missing for the verdict {result.verdict}",
                )


@rule("SVC006", "waiver-without-decision", over=Audit)
def waiver_without_decision(audit: Audit, context: Context) -> Iterator[Finding]:
    """A waiver rests on a decision that is in force.

    Why: an exception that nobody decided, or that was decided otherwise since, is a gap.

    Bad:
        adr: ADR-0001, until
    Good:
        adr: ADR-0002, until
    """
    for id, result in audit.results.items():
        decision = context.handbook.get(Adr, result.adr) if result.adr else None
        if decision and decision.status not in (None, "accepted"):
            message = f"{id} is waived by {decision.id}, which is {decision.status}"
            yield Finding(
                audit.at("results", id, "adr"), message, "name a decision that is in force"
            )


@rule("SVC007", "overstated-proof", over=Audit)
def overstated_proof(audit: Audit, context: Context) -> Iterator[Finding]:
    """How an item is said to be known (`by`) is not stronger than how it can be known (`verify` of the item).

    Why: what only a team can attest is not shown by a file, however often it is claimed.

    Bad:
        {verdict: fail, by: automated,
    Good:
        {verdict: fail, by: evidence,
    """
    for id, result in audit.results.items():
        owned = context.handbook.items.get(id)
        best = owned.item.verify if owned else None
        if best and result.by and PROOFS.index(result.by) > PROOFS.index(best):
            at = audit.at("results", id, "by")
            yield Finding(at, f"{id} is known by {best} at best, not {result.by}", f"by: {best}")


@rule("SVC008", "outdated-attestation", over=Audit)
def outdated_attestation(audit: Audit, context: Context) -> Iterator[Finding]:
    """An attestation names the fingerprint of the item's text as it stands (`of`).

    The fingerprint is the first six hex digits of the SHA-256 of the text.

    Why: who attested an older wording did not attest this one.

    Bad:
        of: abcdef
    Good:
        of: c9e2f1
    """
    for id, result in audit.results.items():
        owned = context.handbook.items.get(id)
        if owned is None or is_unwritten(owned.item.item or ""):
            continue
        if result.of and result.of != owned.item.fingerprint:
            at = audit.at("results", id, "of")
            yield Finding(
                at, f"{id} has another text by now", f"attest it anew: of: {owned.item.fingerprint}"
            )


@rule("SVC009", "expired-waiver", over=Audit, severity=Severity.WARNING)
def expired_waiver(audit: Audit, context: Context) -> Iterator[Finding]:
    """A waiver has not come to its end, in the newest audit of its service.

    Why: what was put off until then is now simply not met.

    Bad:
        until: 2026-06-30}
    Good:
        until: 2027-06-30}
    """
    service = context.handbook.get(Service, audit.service)
    if service is None or service.example or context.handbook.audits_of(service)[0] is not audit:
        return
    for id, result in audit.results.items():
        if result.verdict == "waived" and result.until and result.until < context.today:
            at = audit.at("results", id, "until")
            yield Finding(
                at, f"the waiver of {id} ended on {result.until}", "meet the item, or decide anew"
            )


@rule("SVC010", "overdue-audit", over=Service, severity=Severity.WARNING)
def overdue_audit(service: Service, context: Context) -> Iterator[Finding]:
    """A service that was audited is audited every quarter: its newest audit is of this quarter or the one before.

    Why: evidence that is older than a quarter says what was so, not what is.

    Bad:
        docs/services/search/2026-Q1.yml
    Good:
        docs/services/search/2026-Q3.yml
    """
    audits = context.handbook.audits_of(service)
    if service.example or not audits:
        return
    before = context.today.replace(
        day=1, month=3 * ((context.today.month - 1) // 3) + 1
    ) - timedelta(days=1)
    least = f"{before.year}-Q{(before.month + 2) // 3}"
    if audits[0].quarter < least:
        yield Finding(
            Location(audits[0].path),
            f"the newest audit is of {audits[0].quarter}",
            "audit it for this quarter",
        )
