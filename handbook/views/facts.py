"""The facts at the top of the page of a record, such as status and owner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import singledispatch

from handbook.handbook import Handbook
from handbook.records import Record
from handbook.records.adr import Adr, TextState
from handbook.records.postmortem import Postmortem, publication_deadline
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.records.service_file import files_address
from handbook.records.standard import Standard
from handbook.views import NOT_RECORDED, moment, or_not_recorded, render
from handbook.views.decisions import banner
from handbook.views.due import next_review
from handbook.views.links import Linker, PageLink
from handbook.views.tags import link_tags


@dataclass(frozen=True, slots=True)
class Due:
    """A day on which something is due."""

    day: date


Value = str | date | datetime | PageLink | Due


@dataclass(frozen=True, slots=True)
class Row:
    """A label with its values. `wide` puts the row on a separate line.

    On a phone, a record with rows that are `brief` shows only these, and a button for the others.
    """

    label: str
    values: tuple[Value, ...]
    wide: bool = False
    brief: bool = False


def facts(handbook: Handbook, record: Record, text_state: TextState | None = None) -> str:
    """Render the facts about a record as HTML.

    `text_state` says whether the text of a decision has changed since it was decided.
    """
    linker = Linker(handbook, handbook.address(record))
    text_rows = [Row("Text", (text_state.value,), wide=True)] if text_state else []
    fact_rows = [
        *_rows(record, linker),
        *text_rows,
        Row("Tags", link_tags(record.tags, linker)),
        *_import_rows(record),
    ]
    return render(
        "facts.html.j2",
        record=record,
        banner=banner(linker, record) if isinstance(record, Adr) else None,
        status=getattr(record, "status", None),
        severity=getattr(record, "severity", None),
        severity_tone=severity_tone(handbook, getattr(record, "severity", None)),
        summary=linker.inline(getattr(record, "summary", None) or "", record.path),
        brief_rows=_template_rows(row for row in fact_rows if row.brief),
        rows=_template_rows(row for row in fact_rows if not row.brief),
        index_url=linker.index_url(record),
    )


def _template_rows(rows: Iterable[Row]) -> list[tuple[Row, list[dict[str, object]]]]:
    return [(row, [_template_value(value) for value in row.values]) for row in rows if row.values]


def _import_rows(record: Record) -> Iterator[Row]:
    """Yield the gaps of an imported record, and its source."""
    for gap in record.gaps:
        yield Row(gap.capitalize(), (NOT_RECORDED,))
    if record.imported and record.imported.source:
        yield Row("Imported from", (record.imported.source,), wide=True)
        yield Row("Imported on", _as_tuple(record.imported.date))


def severity_tone(handbook: Handbook, severity: str | None) -> str:
    """Return the colour of a severity. The worst and the second worst have their own colours."""
    ranked_severities = list(handbook.settings.policy.severities)
    rank = (
        ranked_severities.index(severity)
        if severity in ranked_severities
        else len(ranked_severities)
    )
    return ("bad", "open")[rank] if rank < 2 else "gone"


def _template_value(value: Value) -> dict[str, object]:
    if isinstance(value, Due):
        return {"link": None, "time": None, "due": value.day, "text": ""}
    if isinstance(value, PageLink):
        return {"link": value, "time": None, "due": None, "text": value.title}
    if isinstance(value, datetime):
        return {
            "link": None,
            "due": None,
            "time": value.isoformat().replace("+00:00", "Z"),
            "text": moment(value),
        }
    if isinstance(value, date):
        return {"link": None, "due": None, "time": value.isoformat(), "text": value.isoformat()}
    return {"link": None, "due": None, "time": None, "text": value}


def _contact_rows(record: Service | Runbook, linker: Linker) -> Iterator[Row]:
    """Yield the on-call rota of a record, the team that owns it, and the channel of the team."""
    yield Row("On call", _as_tuple(linker.on_call(linker.handbook.on_call_of(record))))
    yield Row("Owner", linker.people((record.owner,) if record.owner else ()))
    yield Row("Channel", _as_tuple(linker.handbook.settings.team(record.owner).channel))


def _due(day: date | None) -> tuple[Value, ...]:
    return () if day is None else (Due(day),)


def _as_tuple(value: Value | None) -> tuple[Value, ...]:
    return () if value is None else (value,)


@singledispatch
def _rows(_record: Record, _linker: Linker) -> Iterator[Row]:
    """Yield the facts about a record. A kind without a registered function has no facts."""
    return iter(())


@_rows.register
def _adr_rows(adr: Adr, linker: Linker) -> Iterator[Row]:
    if not adr.has_date_of_status:
        yield Row("Date", _as_tuple(adr.date))
    for event in adr.events:
        yield Row(event.change.capitalize(), (event.day,))
    yield Row("Deciders", linker.people(adr.deciders))
    yield Row("Consulted", linker.people(adr.consulted))
    yield Row("Informed", linker.people(adr.informed))
    yield Row("Review by", _due(adr.review_by if adr.status == "accepted" else None))
    ids_by_label = {"superseded by": [*adr.superseded_by]}
    for key in ("supersedes", "amends"):
        ids_by_label[adr.label_reference(key).outward] = [*getattr(adr, key)]
    for ref in linker.handbook.references_to(adr):
        if isinstance(ref.source, Adr) and ref.via in ("supersedes", "amends"):
            label = ref.source.label_reference(ref.via).inward
            ids_by_label.setdefault(label, []).append(ref.source.id)
    for label, ids in ids_by_label.items():
        links = linker.find("adr", list(dict.fromkeys(ids)))
        yield Row(label.capitalize(), tuple(links), wide=True)
    yield Row("Services", tuple(linker.find("service", adr.services)), wide=True)
    yield Row("Standards", tuple(linker.find("standard", adr.standards)), wide=True)


@_rows.register
def _standard_rows(standard: Standard, linker: Linker) -> Iterator[Row]:
    yield Row("Owner", linker.people((standard.owner,) if standard.owner else ()))
    yield Row("Reviewed", _as_tuple(standard.reviewed))
    yield Row("Next review", _due(next_review(standard, linker.handbook)))
    yield Row("CALMS", tuple(pillar.capitalize() for pillar in standard.calms))
    yield Row("Core tools", standard.core_tools)
    yield Row(
        "Prevents",
        _as_tuple(linker.inline(standard.prevents or "", standard.path) or None),
        wide=True,
    )
    items = [PageLink("", item.id, f"#{item.id.lower()}") for item in standard.checklist if item.id]
    yield Row("Checklist", tuple(items), wide=True)
    owners = (
        (id, owned.standard)
        for id, owned in linker.handbook.checklist_items.items()
        if id in standard.verification_ids
    )
    shared_items = [
        PageLink("", id, f"{linker.url(owner)}#{id.lower()}")
        for id, owner in owners
        if owner is not standard
    ]
    yield Row("Items of other standards", tuple(shared_items), wide=True)


@_rows.register
def _runbook_rows(runbook: Runbook, linker: Linker) -> Iterator[Row]:
    """Yield the facts about a runbook. An on-call engineer needs the first rows most."""
    causes = [
        PageLink("", linker.heading(runbook, cause.heading), f"#{cause.anchor}")
        for cause in runbook.causes
    ]
    yield Row("Causes and fixes", tuple(causes), wide=True)
    yield from (replace(row, brief=True) for row in _contact_rows(runbook, linker))
    yield Row("Reviewed", _as_tuple(runbook.reviewed), brief=True)
    yield Row("Service", tuple(linker.find("service", [runbook.service])))
    alerts: list[Value] = [*linker.find("alert", runbook.alerts), *linker.unknown_alerts(runbook)]
    yield Row("Alerts", tuple(alerts), wide=True)
    yield Row(
        "When", _as_tuple(linker.inline(runbook.trigger or "", runbook.path) or None), wide=True
    )
    yield Row("Next review", _due(next_review(runbook, linker.handbook)))
    yield Row("Last exercised", _as_tuple(or_not_recorded(runbook, runbook.exercised) or "never"))


@_rows.register
def _postmortem_rows(postmortem: Postmortem, linker: Linker) -> Iterator[Row]:
    yield Row("Started", _as_tuple(postmortem.started))
    yield Row("Published", _as_tuple(postmortem.published))
    yield Row("Published late", _as_tuple(_late_note(linker.handbook, postmortem)))
    yield Row("Caused by", _as_tuple(postmortem.caused_by))
    yield Row("Authors", linker.people(postmortem.authors))
    yield Row("Reviewers", linker.people(postmortem.reviewers))
    yield Row("Services", tuple(linker.find("service", postmortem.services)), wide=True)
    yield Row("Alerts", tuple(linker.find("alert", postmortem.alerts)), wide=True)
    yield Row("Runbooks", tuple(linker.find("runbook", postmortem.runbooks)), wide=True)
    yield Row("Decisions", tuple(linker.find("adr", postmortem.adrs)), wide=True)


def _late_note(handbook: Handbook, postmortem: Postmortem) -> str | None:
    """Return a note if a post-mortem was published late, or else None."""
    policy = handbook.settings.policy.postmortem
    if not (postmortem.published and postmortem.started and policy.business_days):
        return None
    last = publication_deadline(postmortem.started.date(), policy.business_days, policy.country)
    late = postmortem.severity in policy.severities and postmortem.published > last
    return f"was due on {last}" if late else None


@_rows.register
def _service_rows(service: Service, linker: Linker) -> Iterator[Row]:
    audits = linker.handbook.audits_of(service)
    yield from _contact_rows(service, linker)
    yield Row("Tier", _as_tuple(str(service.tier) if service.tier else None))
    yield Row("Last audit", _as_tuple(audits[0].date) if audits else ("none yet",))
    if service.repository:
        yield Row("Code", (PageLink("", "Repository", service.repository),))
    if count := len(linker.handbook.files_of(service)):
        url = linker.at(files_address(service.id))
        yield Row("Files", (PageLink("", f"{count} file{'s' if count > 1 else ''}", url),))
    yield Row(
        "Dashboards", tuple(PageLink("", title, url) for title, url in service.dashboards.items())
    )
    yield Row("Depends on", tuple(linker.find("service", service.depends_on)), wide=True)
