"""SVC001 to SVC021: services, and the audits of their checklist items."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import Final

from handbook.diagnostics import Finding, Location, Severity, Suggestion
from handbook.handbook import Handbook
from handbook.reading import nodes
from handbook.reading.ids import find_same_number, suggest_id
from handbook.reading.placeholders import is_unwritten
from handbook.records.adr import Adr
from handbook.records.audit import AUDIT_NAME, EVIDENCE, EVIDENCE_FILE, Audit, quarter_of
from handbook.records.service import Service
from handbook.rules.engine import Context, rule
from handbook.vocabulary import PROOFS

_REPOSITORY_PAGE: Final = re.compile(r"/(?:-/)?(blob|tree|raw|blame|edit|src|settings)(?=[/?#]|$)")
"""The start of the address of a file or of settings, after the address of a repository.

It covers GitHub, GitLab, Gitea and Bitbucket.
"""


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
def missing_on_call(service: Service, context: Context) -> Iterator[Finding]:
    """A service of tier 1 or 2 has an on-call rota: under `on_call`, or that of its team.

    Why: during an incident, people need to know which engineer to call. The settings can have the
    rota of a team: `teams: {shop-team: {on_call: "https://rota.example/shop"}}`.

    Bad:
        tier: 1
        repository: https://git.example/shop
    Good:
        tier: 1
        on_call: https://rota.example/shop
        repository: https://git.example/shop
    """
    on_call = context.handbook.on_call_of(service)
    if service.tier in (1, 2) and not on_call and not service.has_invalid_value("on_call"):
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
        if owned is None and context.handbook.has_unreadable_standard:
            continue
        if owned is None:
            hint = Suggestion(id, context.handbook.checklist_items, "correct the id", suggest_id)
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
    items = context.handbook.checklist_items
    misspelt_ids = {find_same_number(id, items) for id in audit.results if id not in items}
    for id, owned in items.items():
        is_answered = id in audit.results or id in misspelt_ids
        if owned.item.is_in_force(audit.quarter) and not is_answered:
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
    """The decision that a waiver names (`adr`) is in force, in the open audit of a service.

    Why: only an accepted decision allows a service to fail an item.

    Bad:
        adr: ADR-0001, until
    Good:
        adr: ADR-0002, until
    """
    if not context.handbook.is_open(audit):
        return
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

    `automated` is stronger than `evidence`, and `evidence` is stronger than `attested`. The rule
    checks only the open audit of a service.

    Why: readers would trust the verdict more than its proof allows.

    Bad:
        {verdict: fail, by: automated,
    Good:
        {verdict: fail, by: evidence,
    """
    if not context.handbook.is_open(audit):
        return
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
    """A fingerprint in the open audit of a service (`of`) is that of the current text of its item.

    The fingerprint is the first six hexadecimal digits of the SHA-256 of the text. An attestation
    requires it, and any other verdict can have it. An audit is open until its service has an audit
    of a later quarter. In a closed audit, the page shows that the item is worded differently since.

    Why: the team judged an earlier text, which can have another meaning.

    Bad:
        of: abcdef
    Good:
        of: c9e2f1
    """
    if not context.handbook.is_open(audit):
        return
    for id, result in audit.results.items():
        owned = context.handbook.checklist_items.get(id)
        if owned is None or is_unwritten(owned.item.item or ""):
            continue
        if result.of and result.of != owned.item.fingerprint:
            yield Finding(
                audit.at("results", id, "of"),
                f"outdated verdict on {id}, whose text has changed",
                f"check the service against the current text, then set 'of: "
                f"{owned.item.fingerprint}' (the fingerprint of that text)",
            )


@rule("SVC009", "expired-waiver", over=Audit, severity=Severity.WARNING)
def expired_waiver(audit: Audit, context: Context) -> Iterator[Finding]:
    """A waiver in the open audit of a service ends today or later.

    SVC018 reports a waiver that ended before its audit.

    Why: after the end of a waiver, the service fails the item.

    Bad:
        until: 2026-11-21}
    Good:
        until: 2027-06-30}
    """
    service = context.handbook.get(Service, audit.service)
    if service is None or service.example or not context.handbook.is_open(audit):
        return
    for id, result in audit.results.items():
        is_expired = (audit.date or date.min) <= (result.until or date.max) < context.today
        if result.verdict == "waived" and is_expired:
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
        docs/services/search/2026-Q3.txt
    Good:
        docs/services/search/2026-Q3.yml
    """
    audits = context.handbook.audits_of(service)
    if service.example or not audits:
        return
    quarter_start = context.today.replace(day=1, month=3 * ((context.today.month - 1) // 3) + 1)
    last_quarter_end = quarter_start - timedelta(days=1)
    if audits[0].quarter < quarter_of(last_quarter_end):
        yield Finding(
            Location(audits[0].path),
            f"overdue audit (the newest is from {audits[0].quarter})",
            "add an audit of the service for this quarter",
        )


@rule("SVC012", "duplicate-objective", over=Service)
def duplicate_objective(service: Service) -> Iterator[Finding]:
    """Each service level objective of a service has its own name.

    Why: readers cannot tell which of two targets the service must meet.

    Bad:
        - {name: availability, objective: 99.9, window: 30d}
        - {name: availability, objective: 99.5, window: 30d}
    Good:
        - {name: availability, objective: 99.9, window: 30d}
    """
    entries = service.mapping.find("slos") if service.mapping else None
    names: set[str] = set()
    for item in entries.items if isinstance(entries, nodes.Sequence) else ():
        name = item.find("name") if isinstance(item, nodes.Mapping) else None
        if not isinstance(name, nodes.Scalar) or name.empty or is_unwritten(name.text):
            continue
        if name.text in names and not service.has_invalid_value("slos"):
            yield Finding(
                name.at,
                f"duplicate objective '{name.text}'",
                f"remove one of them, or rename it, as in '{name.text} (7 days)'",
            )
        names.add(name.text)


@rule("SVC013", "self-dependency", over=Service)
def self_dependency(service: Service) -> Iterator[Finding]:
    """A service does not depend on itself.

    Why: the entry is a typing error, and the service that it means is missing from the page.

    Bad:
        depends_on: [search, shop]
    Good:
        depends_on: [search]
    """
    if service.id in service.depends_on:
        yield Finding(
            service.at("depends_on", service.id),
            f"service '{service.id}' depends on itself",
            "remove it, or write the id of the other service",
        )


@rule("SVC015", "unread-audit", over=Handbook)
def unread_audit(handbook: Handbook) -> Iterator[Finding]:
    """A YAML file below `docs/services/` is an audit, `docs/services/slug/YYYY-QN.yml`.

    A rule file that a service lists is allowed. In the folder of any other record, the rule reports
    only files that have the name of an audit.

    Why: the site shows only the audits that it reads, so the verdicts in other files are lost.

    Bad:
        docs/services/shop/2026-q4.yaml
    Good:
        docs/services/shop/2026-Q4.yml
    """
    for path in handbook.unread_audits:
        yield Finding(
            Location(path), "YAML file that is not read as an audit", _suggest_audit_path(path)
        )


def _suggest_audit_path(path: str) -> str:
    """Return the hint that names the path of an audit, as far as it is known."""
    folder, _, slug = str(PurePosixPath(path).parent).rpartition("/")
    slug = slug if folder == Service.folder else "<service>"
    match = AUDIT_NAME.fullmatch(PurePosixPath(path).name)
    if match and match["quarter"] in ("1", "2", "3", "4"):
        name = f"{match['year']}-Q{match['quarter']}.yml"
        return f"rename it to {Service.folder}/{slug}/{name}"
    return (
        f"name an audit after its quarter, such as {Service.folder}/{slug}/2026-Q4.yml; move any "
        "other file to another folder"
    )


@rule("SVC016", "misdated-audit", over=Audit)
def misdated_audit(audit: Audit) -> Iterator[Finding]:
    """The date of an audit is in the quarter of its file name.

    Why: the quarter decides which checklist items the audit answers, and which audit is the newest.

    Bad:
        date: 2026-08-20
        auditor: platform-team
        commit: 3f2c9d1
    Good:
        date: 2026-11-20
        auditor: platform-team
        commit: 3f2c9d1
    """
    if audit.date and not audit.is_in_its_quarter:
        quarter = quarter_of(audit.date)
        yield Finding(
            audit.at("date"),
            f"date '{audit.date}' in another quarter, {quarter}, than the audit, {audit.quarter}",
            f"correct the date, or rename the file to {quarter}.yml",
        )


@rule("SVC017", "missing-evidence", over=Audit)
def missing_evidence(audit: Audit, context: Context) -> Iterator[Finding]:
    """The evidence of a verdict in an open audit exists, as far as the handbook contains it.

    The handbook contains the pages of its own site, its files of evidence, and the files of each
    service whose record has a `source`. Other repositories and hosts are not requested. After the
    path of a file, the evidence can have the number of a line, or a text that a line contains.

    Why: readers cannot verify a verdict whose evidence is missing.

    Bad:
        evidence: "loging.py:12"
    Good:
        evidence: "logging.py:12"
    """
    if not context.handbook.is_open(audit):
        return
    for id, result in audit.results.items():
        if fault := _find_evidence_fault(audit, result.evidence or "", context.handbook):
            yield Finding(
                audit.at("results", id, "evidence"),
                f"{fault} in the evidence of {id}",
                "correct the evidence, or set 'verdict: unknown'",
            )


def _find_evidence_fault(audit: Audit, evidence: str, handbook: Handbook) -> str | None:
    """Return what the evidence names that does not exist, for a message, or None."""
    match = EVIDENCE.fullmatch(evidence)
    if match is None:
        return None
    path, line, line_text = match["path"], int(match["line"] or 0), match["text"]
    if path is None:
        address = handbook.own_address(evidence)
        is_page = address is None or "." in PurePosixPath(address).name
        is_page = is_page or handbook.has_address(address or "")
        return None if is_page else f"unknown page '/{address}' of this site"
    if EVIDENCE_FILE.fullmatch(path):
        return None if path in handbook.attachments else f"unknown file '{path}'"
    service = handbook.get(Service, audit.service)
    if (
        service is None
        or not service.source_folder
        or not handbook.has_folder(service.source_folder)
    ):
        return None
    text = handbook.read_source(service, path)
    if text is None:
        return f"unknown file '{path}'"
    lines = text.splitlines()
    if line > len(lines):
        return f"line {line} of '{path}', which has {len(lines)} lines,"
    if line_text and not any(line_text in line for line in lines):
        return f"no line of '{path}' with the text '{line_text}'"
    return None


@rule("SVC018", "waiver-without-effect", over=Audit)
def waiver_without_effect(audit: Audit) -> Iterator[Finding]:
    """A waiver ends on the day of its audit or later.

    Why: on the day of the audit, the waiver was already over, so the service failed the item.

    Bad:
        until: 2026-06-30}
    Good:
        until: 2027-06-30}
    """
    for id, result in audit.results.items():
        if result.until and audit.date and result.until < audit.date:
            yield Finding(
                audit.at("results", id, "until"),
                f"waiver of {id} ended on {result.until}, before the audit on {audit.date}",
                "write 'verdict: fail', or correct 'until'",
            )


@rule("SVC019", "missing-source", over=Service)
def missing_source(service: Service, context: Context) -> Iterator[Finding]:
    """The folder that a service names as its `source` exists in this repository.

    Why: the check cannot find the files that the audits of the service name.

    Bad:
        source: docs/standards/samples/shops
    Good:
        source: docs/standards/samples/shop
    """
    folder = service.source_folder
    if not folder or service.has_invalid_value("source"):
        return
    if not context.handbook.has_folder(folder):
        yield Finding(
            service.at("source"),
            f"folder not found: '{folder}'",
            "correct the path, or remove 'source' if the files are in another repository",
        )


@rule("SVC020", "weak-evidence", over=Audit)
def weak_evidence(audit: Audit, context: Context) -> Iterator[Finding]:
    """A pass in an open audit has evidence that a file of the service's repository cannot replace.

    The rule checks items with `verify: evidence`. Their evidence is an address outside of the
    repository, or a file `docs/services/slug/YYYY-QN/YYYY-MM-DD-name.ext` in the handbook, such as
    a dated export of the settings. The date of the file is in the quarter of the audit. A page of
    settings on the Git host is no evidence. If files of the repository are enough for an item, the
    item has `files: true`.

    Why: a file of the repository shows what the team intends, not what runs. A page of settings
    shows the settings of today, not those of the audit.

    Bad:
        OBS-03: {verdict: pass, by: evidence, evidence: "logging.py:12"}
    Good:
        OBS-03: {verdict: fail, by: evidence, evidence: "https://grafana.example/d/shop"}
    """
    if not context.handbook.is_open(audit):
        return
    service = context.handbook.get(Service, audit.service)
    folder = f"{Service.folder}/{audit.service}/{audit.quarter}"
    for id, result in audit.results.items():
        owned = context.handbook.checklist_items.get(id)
        if owned is None or (owned.item.verify, result.by) != ("evidence", "evidence"):
            continue
        weakness = _find_weakness(audit, result.evidence or "", service, owned.item.files)
        if weakness and result.verdict == "pass":
            yield Finding(
                audit.at("results", id, "evidence"),
                f"weak evidence of {id}: {weakness}",
                f"write an address outside of the repository, or add a file such as "
                f"{folder}/{audit.date or 'YYYY-MM-DD'}-export.json; without evidence, set "
                "'verdict: unknown' and 'needs'",
            )


def _find_weakness(
    audit: Audit, evidence: str, service: Service | None, are_files_enough: bool
) -> str | None:
    """Return why the evidence does not prove a state outside of the repository, or None."""
    match = EVIDENCE.fullmatch(evidence)
    if match is None:
        return None
    file = EVIDENCE_FILE.fullmatch(match["path"] or "")
    if file:
        if (file["service"], file["quarter"]) != (audit.service, audit.quarter):
            return f"a file of the audit of {file['service']} for {file['quarter']}"
        return None if _is_in_quarter(file["day"], audit.quarter) else "a date outside the quarter"
    if match["path"] is None:
        page = _find_repository_page(evidence, service.repository if service else None)
        if page == "settings":
            return "a page of settings, which shows the settings of today"
        if page is None:
            return None
    return None if are_files_enough else "a file of the service's repository"


def _find_repository_page(address: str, repository: str | None) -> str | None:
    """Return `file` or `settings` if an address is such a page of a repository, or None."""
    repository = (repository or "").rstrip("/").removesuffix(".git")
    raw = repository.replace("https://github.com/", "https://raw.githubusercontent.com/")
    if not repository:
        return None
    if raw != repository and address.startswith(f"{raw}/"):
        return "file"
    page = _REPOSITORY_PAGE.match(address.removeprefix(repository))
    if page is None or not address.startswith(repository):
        return None
    return "settings" if page[1] == "settings" else "file"


def _is_in_quarter(day: str, quarter: str) -> bool:
    """Return whether a day, such as `2026-11-20`, exists and is in a quarter."""
    try:
        return quarter_of(date.fromisoformat(day)) == quarter
    except ValueError:
        return False


@rule("SVC021", "evidence-without-line", over=Audit)
def evidence_without_line(audit: Audit, context: Context) -> Iterator[Finding]:
    """The evidence of an automated pass in an open audit names a line of a file of the service.

    The evidence is `path:12`, or `path: text`, where a line of the file contains the text. The text
    stays correct if lines are added above it. The rule checks only services whose record has a
    `source`.

    Why: readers cannot see which line shows that the service meets the item.

    Bad:
        OBS-01: {verdict: pass, by: automated, evidence: "logging.py"}
    Good:
        OBS-01: {verdict: pass, by: automated, evidence: "logging.py:12"}
    """
    service = context.handbook.get(Service, audit.service)
    if service is None or not service.source_folder or not context.handbook.is_open(audit):
        return
    for id, result in audit.results.items():
        match = EVIDENCE.fullmatch(result.evidence or "")
        if (
            match
            and (result.verdict, result.by) == ("pass", "automated")
            and not (match["line"] or match["text"])
        ):
            yield Finding(
                audit.at("results", id, "evidence"),
                f"no line in the evidence of {id}",
                f"write '{match['path'] or 'path'}:12' with the number of the line, or "
                f"'{match['path'] or 'path'}: text' with the text of the line",
            )
