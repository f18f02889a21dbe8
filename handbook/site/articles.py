"""The finished article of a page: its text, the parts around it, and how it differs from what was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from selectolax.lexbor import LexborHTMLParser

from handbook.diagnostics import Diagnostic, Location, Report, Severity
from handbook.handbook import Handbook
from handbook.records import Document, Page, Record
from handbook.records.postmortem import Postmortem
from handbook.records.service import Service
from handbook.site import outline
from handbook.views.backlinks import backlinks
from handbook.views.facts import facts
from handbook.views.findings import findings as findings_box
from handbook.views.footer import footer
from handbook.views.keys import KINDS
from handbook.views.postmortems import durations
from handbook.views.services import service_knowledge

CODE: Final = "MD099"
"""The code of the finding that only a build can report."""
_NAME: Final = "page-differs"


@dataclass(frozen=True)
class Article:
    """The HTML of an article, with the findings on where it differs from what was checked."""

    html: str
    differences: tuple[Diagnostic, ...] = ()


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

    def write(self, html: str, document: Document | None, uri: str) -> Article:
        """The article of a rendered page. `document` is None for a generated page, which `uri` then names."""
        page = outline.parsed(html)
        if (act := outline.active(page, record=isinstance(document, Record))) is not None:
            return _withheld(document.path if document else uri, act)
        if document is None:  # an alert: readers find it by its name, and its page repeats a runbook
            return Article(f'<div data-pagefind-ignore="all">{html}</div>')
        findings = [finding for finding in self.report.findings if finding.at.path == document.path]
        difference = self._difference(document, findings, page)
        parts = self.parts(document)
        before = parts.before
        if self.preview:
            before = findings_box([*findings, *difference]) + before
        return Article(_after_title(html, before) + parts.after, difference)

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

    def _difference(
        self, document: Document, findings: list[Diagnostic], page: LexborHTMLParser
    ) -> tuple[Diagnostic, ...]:
        """The finding on the first difference between a page and its source; none where no comparison is due."""
        difference = outline.difference(document.source, page) if self._is_compared(document, findings) else None
        if difference is None:
            return ()
        line, message = difference
        hint = "the site shows this differently from how the check reads it; write it in a simpler form"
        return (_differs(document.path, line, message, hint),)

    def _is_compared(self, document: Document, findings: list[Diagnostic]) -> bool:
        """Whether a page must equal its source.

        It need not where macros write it, where a finding names the difference, and where the author allows one.
        """
        if isinstance(document, Page) and document.render_macros:
            return False
        if any(finding.code.startswith("MD") or finding.severity is Severity.ERROR for finding in findings):
            return False
        suppressions = (each for each in self.handbook.suppressions if each.at.path == document.path)
        return not any(suppression.code and suppression.code.startswith("MD") for suppression in suppressions)


def _withheld(path: str, act: str) -> Article:
    """An article that names the active content of a page, and shows nothing of it."""
    hint = "say it in Markdown; where it came from a listing, put that into a block of code"
    difference = _differs(path, 1, f"the page would hold {act}", hint)
    return Article(findings_box([difference]), (difference,))


def _differs(path: str, line: int, message: str, hint: str) -> Diagnostic:
    return Diagnostic(Location(path, line), CODE, _NAME, Severity.ERROR, message, hint)


def _after_title(html: str, addition: str) -> str:
    """The page with an addition right after its H1, or before everything where it has no H1."""
    if not addition:
        return html
    head, end, rest = html.partition("</h1>")
    return f"{head}{end}\n{addition}{rest}" if end else f"{addition}{html}"
