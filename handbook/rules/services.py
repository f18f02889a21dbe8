"""SVC001 to SVC010: services, and the audits of their checklist items."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePosixPath

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

    Why: the slug is the id of the service in runbooks, audits and other services.

    Bad:
        docs/services/Ware_house.md
    Good:
        docs/services/warehouse.md
    """
    if not service.has_valid_name:
        yield Finding(
            service.source.at(1),
            f"invalid file name '{PurePosixPath(service.path).name}'",
            "use lower case and hyphens, as in order-service.md",
        )


@rule("SVC002", "missing-on-call", over=Service, requires=("FM001", "FM002"))
def missing_on_call(service: Service) -> Iterator[Finding]:
    """A service of tier 1 or 2 has the address of its on-call rota under `on_call`.

    Why: during an incident, people need to know which engineer to call.

    Bad:
        tier: 1
        repository: https://git.example/shop
    Good:
        tier: 1
        on_call: https://rota.example/shop
        repository: https://git.example/shop
    """
    if service.tier in (1, 2) and not service.on_call and not service.has_invalid_value("on_call"):
        yield Finding(
            service.at("on_call"),
            f"missing key 'on_call' (the tier is {service.tier})",
            "add 'on_call: https://…' with the address of the on-call rota",
        )


@rule("SVC003", "unknown-item", over=Audit)
def unknown_item(audit: Audit, context: Context) -> Iterator[Finding]:
    """An audit contains only checklist items that are in force in its quarter.

    Why: an unknown id is a typing error, or its item was removed.

    Bad:
        OBS-01: {verdict: pass, by: automated, evidence: "logging.py:12"}
        OBS-77: {verdict: unknown}
    Good:
        OBS-01: {verdict: pass, by: automated, evidence: "logging.py:12"}
    """
    for id in audit.results:
        owned = context.handbook.checklist_items.get(id)
        if owned is None:
            hint = did_you_mean(id, context.handbook.checklist_items)
            yield Finding(audit.key_at(id), f"unknown checklist item '{id}'", hint)
        elif owned.item.since and not owned.item.is_in_force(audit.quarter):
            yield Finding(
                audit.key_at(id),
                f"checklist item {id} is not in force in {audit.quarter}",
                f"remove its verdict, or correct 'since' or 'until' in {owned.standard.path}",
            )


@rule("SVC004", "unanswered-item", over=Audit, requires=("FM001",))
def unanswered_item(audit: Audit, context: Context) -> Iterator[Finding]:
    """An audit has a verdict for every checklist item that is in force in its quarter.

    `verdict: unknown` is a valid verdict.

    Why: readers assume that the service meets an item if there is no verdict.

    Bad:
        # SEC-01: nobody looked
    Good:
        SEC-01: {verdict: unknown, needs: a look at the settings}
    """
    if audit.has_problems or not audit.node:
        return
    for id, owned in context.handbook.checklist_items.items():
        if owned.item.is_in_force(audit.quarter) and id not in audit.results:
            yield Finding(
                audit.at("results"),
                f"missing verdict for {id}",
                f"add '{id}: {{verdict: unknown, needs: …}}'",
            )


@rule("SVC005", "incomplete-verdict", over=Audit)
def incomplete_verdict(audit: Audit) -> Iterator[Finding]:
    """A verdict has the keys that it requires.

    - `pass` and `fail` require `by`, the kind of proof. `by: automated` and `by: evidence` require
      `evidence`. `by: attested` requires `who` and `of`.
    - `not-applicable` requires `reason`.
    - `waived` requires `adr` and `until`.

    Why: without these keys, readers cannot verify the verdict.

    Bad:
        {verdict: not-applicable}
    Good:
        {verdict: not-applicable, reason: no container}
    """
    for id, result in audit.results.items():
        required_keys: tuple[str, ...] = ()
        match result.verdict:
            case "pass" | "fail":
                proof = {"attested": ("who", "of")}.get(
                    result.by or "", ("evidence",) if result.by else ()
                )
                required_keys = ("by", *proof)
            case "not-applicable":
                required_keys = ("reason",)
            case "waived":
                required_keys = ("adr", "until")
        for key in required_keys:
            if not getattr(result, key) and not audit.has_problems:
                yield Finding(
                    audit.at("results", id),
                    f"missing key '{key}' in {id} (the verdict is '{result.verdict}')",
                    f"add '{key}: …'",
                )


@rule("SVC006", "waiver-without-decision", over=Audit)
def waiver_without_decision(audit: Audit, context: Context) -> Iterator[Finding]:
    """The decision that a waiver names (`adr`) is in force.

    Why: only an accepted decision allows a service to fail an item.

    Bad:
        adr: ADR-0001, until
    Good:
        adr: ADR-0002, until
    """
    for id, result in audit.results.items():
        decision = context.handbook.get(Adr, result.adr) if result.adr else None
        if decision and decision.status not in (None, "accepted"):
            yield Finding(
                audit.at("results", id, "adr"),
                f"waiver of {id} without a decision in force ({decision.id} is {decision.status})",
                "write the id of an accepted decision after 'adr:'",
            )


@rule("SVC007", "overstated-proof", over=Audit)
def overstated_proof(audit: Audit, context: Context) -> Iterator[Finding]:
    """The proof of a verdict (`by`) is not stronger than the checklist item allows (`verify`).

    `automated` is stronger than `evidence`, and `evidence` is stronger than `attested`.

    Why: readers would trust the verdict more than its proof allows.

    Bad:
        {verdict: fail, by: automated,
    Good:
        {verdict: fail, by: evidence,
    """
    for id, result in audit.results.items():
        owned = context.handbook.checklist_items.get(id)
        strongest = owned.item.verify if owned else None
        if strongest and result.by and PROOFS.index(result.by) > PROOFS.index(strongest):
            yield Finding(
                audit.at("results", id, "by"),
                f"{id} claims proof '{result.by}', but the item allows only '{strongest}'",
                f"write 'by: {strongest}'",
            )


@rule("SVC008", "outdated-attestation", over=Audit)
def outdated_attestation(audit: Audit, context: Context) -> Iterator[Finding]:
    """An attestation has the fingerprint of the current text of its item (`of`).

    The fingerprint is the first six hexadecimal digits of the SHA-256 of the text.

    Why: the team attested an earlier text, which can have another meaning.

    Bad:
        of: abcdef
    Good:
        of: c9e2f1
    """
    for id, result in audit.results.items():
        owned = context.handbook.checklist_items.get(id)
        if owned is None or is_unwritten(owned.item.item or ""):
            continue
        if result.of and result.of != owned.item.fingerprint:
            yield Finding(
                audit.at("results", id, "of"),
                f"outdated attestation of {id}, whose text has changed",
                f"check the service against the current text, then set 'of: "
                f"{owned.item.fingerprint}' (the fingerprint of that text)",
            )


@rule("SVC009", "expired-waiver", over=Audit, severity=Severity.WARNING)
def expired_waiver(audit: Audit, context: Context) -> Iterator[Finding]:
    """A waiver in the newest audit of a service ends today or later.

    Why: after the end of a waiver, the service fails the item.

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
            yield Finding(
                audit.at("results", id, "until"),
                f"waiver of {id} ended on {result.until}",
                "meet the item, or accept a new decision and set a later 'until'",
            )


@rule("SVC010", "overdue-audit", over=Service, severity=Severity.WARNING)
def overdue_audit(service: Service, context: Context) -> Iterator[Finding]:
    """The newest audit of a service is from this quarter or the previous one.

    Services without any audit are exempt.

    Why: an older audit does not show the current state of the service.

    Bad:
        docs/services/search/2026-Q1.yml
    Good:
        docs/services/search/2026-Q3.yml
    """
    audits = context.handbook.audits_of(service)
    if service.example or not audits:
        return
    quarter_start = context.today.replace(day=1, month=3 * ((context.today.month - 1) // 3) + 1)
    last_quarter_end = quarter_start - timedelta(days=1)
    last_quarter = f"{last_quarter_end.year}-Q{(last_quarter_end.month + 2) // 3}"
    if audits[0].quarter < last_quarter:
        yield Finding(
            Location(audits[0].path),
            f"overdue audit (the newest is from {audits[0].quarter})",
            "add an audit of the service for this quarter",
        )
