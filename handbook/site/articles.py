"""The finished article of a page: its text, and the parts around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from handbook.diagnostics import Diagnostic, Location, Report, Severity
from handbook.handbook import Handbook
from handbook.records import Document, Page, Record
from handbook.records.postmortem import Postmortem
from handbook.records.service import Service
from handbook.site.html_faults import find_fault
from handbook.views.backlinks import backlinks
from handbook.views.facts import facts
from handbook.views.findings import findings as findings_box
from handbook.views.footer import footer
from handbook.views.keys import KINDS
from handbook.views.postmortems import durations
from handbook.views.services import service_knowledge

UNSAFE_PAGE: Final = ("SAFE009", "unsafe-page")
"""The rule on what only the finished page shows."""


@dataclass(frozen=True)
class Article:
    """The HTML of an article, with a finding if it held something that could act on its reader."""

    html: str
    unsafe: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class PageParts:
    """The HTML that a page gets after its title and at its end."""

    before: str
    after: str


@dataclass(frozen=True)
class ArticleWriter:
    """Writes the articles of one build. `changes` holds the day of each file's last commit, where Git knows it.

    A preview shows the findings of a page on the page itself.
    """

    handbook: Handbook
    report: Report
    changes: Mapping[str, str] | None
    preview: bool

    def write(self, html: str, document: Document | None) -> Article:
        """The article of a rendered page. `document` is None for the page of an alert."""
        if document is None:  # an alert: readers find it by its name, and its page repeats a runbook
            return Article(f'<div data-pagefind-ignore="all">{html}</div>')
        if isinstance(document, Page) and (fault := find_fault(html)):
            return _withheld(document.path, fault)
        parts = self.parts(document)
        before = parts.before
        if self.preview:
            findings = [finding for finding in self.report.findings if finding.at.path == document.path]
            before = findings_box(findings) + before
        return Article(_after_title(html, before) + parts.after)

    def parts(self, document: Document) -> PageParts:
        """The parts around the text of a document: its facts before it, what refers to it after it."""
        record = document if isinstance(document, Record) else None
        kind = KINDS.get(type(record), "Page") if record else "Page"
        before = f'<span hidden data-pagefind-meta="kind:{kind}"></span>'
        after = footer(self.changes, document.path)
        if record:
            before += facts(self.handbook, record)
            after = backlinks(self.handbook, record) + after
        if isinstance(record, Postmortem):
            before += durations(record)
        elif isinstance(record, Service):
            after = service_knowledge(self.handbook, record) + after
        return PageParts(before, after)


def _withheld(path: str, fault: str) -> Article:
    """An article that names the fault of a page, and shows nothing of it."""
    hint = "write it in Markdown; put what a macro takes from elsewhere into a block of code"
    finding = Diagnostic(Location(path, 1), *UNSAFE_PAGE, Severity.ERROR, fault, hint)
    return Article(findings_box([finding]), (finding,))


def _after_title(html: str, addition: str) -> str:
    """The page with an addition right after its H1, or before everything where it has no H1."""
    if not addition:
        return html
    head, end, rest = html.partition("</h1>")
    return f"{head}{end}\n{addition}{rest}" if end else f"{addition}{html}"
