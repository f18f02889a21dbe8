"""Records of public projects, read as every kind of record: findings, but no traceback."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from handbook.loading import load
from handbook.reading.source import read_source
from handbook.records.adr import Adr
from handbook.records.kinds import RECORDS
from handbook.records.service import Service
from handbook.reporters import REPORTERS
from handbook.rules.engine import Context, rules, run
from handbook.views import api
from handbook.views.adr_index import adr_index
from handbook.views.backlinks import backlinks
from handbook.views.facts import facts
from handbook.views.home import everything, home
from handbook.views.postmortems import actions, postmortem_archive
from handbook.views.runbooks import alert_page, runbook_catalog
from handbook.views.services import service_details, services_index
from handbook.views.standards import checklist, standards_index
from tests.handbooks import CORPORA, SMALL, TODAY, copy_site, needs_corpora

PLACES = {
    "adr": "adr/{:04}-x.md",
    "runbook": "runbooks/shop/x{}.md",
    "postmortem": "postmortems/2026-01-01-x{}.md",
    "standard": "docs/standards/{:02}-x.md",
    "service": "docs/services/x{}.md",
}
INDEXES = (
    actions,
    adr_index,
    checklist,
    everything,
    home,
    postmortem_archive,
    runbook_catalog,
    services_index,
    standards_index,
)


def test_every_kind_is_tested() -> None:
    assert set(PLACES) == {kind.kind for kind in RECORDS}


@needs_corpora
@pytest.mark.parametrize("kind", PLACES)
def test_public_records_give_findings_and_pages(kind: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    files = sorted(CORPORA.rglob("*.md"))[: 80 if kind == "standard" else 200]
    for number, file in enumerate(files, 10):
        shutil.copy(file, root / PLACES[kind].format(number))
    handbook = load(root)
    report = run(handbook, TODAY)
    assert report.records[kind] >= len(files)
    assert report.errors >= len(files)
    for reporter in REPORTERS.values():
        assert reporter(report)
    assert api.files(handbook, None)
    for index in INDEXES:
        assert index(handbook, "")
    for record in handbook.records:
        assert facts(handbook, record)
        backlinks(handbook, record)
    for service in handbook.of(Service):
        assert service_details(handbook, service)
    for alert in handbook.alerts:
        assert alert_page(handbook, alert)


@needs_corpora
def test_public_records_have_almost_no_finding_about_markdown() -> None:
    """Two faults are real: a table that GitHub renders as text, and a fence without an end."""
    markdown_rules = [
        rule
        for code, rule in rules().items()
        if code.startswith("MD") and code not in ("MD021", "MD022")
    ]
    codes_by_file, context = set(), Context(load(SMALL), TODAY)
    for file in CORPORA.rglob("*.md"):
        source = read_source("adr/0001-x.md", file.read_bytes())
        record = Adr(path=source.path, source=source)
        for rule in markdown_rules:
            if issubclass(Adr, rule.over) and any(rule.findings(record, context)):
                codes_by_file.add((file.name, rule.code))
    assert codes_by_file == {
        ("0002-how-to-handle-timezones.md", "MD023"),
        ("PrometheusOperatorNodeLookupErrors.md", "MD007"),
    }
