"""The state of one build, made in `on_config`: builds in one process know nothing of each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import yaml
from mkdocs.structure.files import File
from mkdocs.structure.pages import Page as SitePage

from handbook.diagnostics import Diagnostic, Location, Report, Severity
from handbook.engines.gate import CheckedHandbook, page_address
from handbook.engines.macros import MacroError
from handbook.engines.pages import HandbookPage
from handbook.handbook import Handbook
from handbook.history.git import changes, commit
from handbook.reading.render import Rendered, render
from handbook.reading.source import read_page_body
from handbook.records import Document, Page, Record
from handbook.records.alert import Alert
from handbook.settings import DOCS
from handbook.site.articles import Article, ArticleWriter
from handbook.views import fence
from handbook.views.references import PageReferences
from handbook.views.runbooks import alert_page

_MACRO_RULE: Final = ("MD020", "broken-macro")
_LONG_AGO: Final = "1980-01-01"


@dataclass
class Build:
    """What one build knows: the handbook, its report, and what Git says of its files."""

    handbook: Handbook
    report: Report
    articles: ArticleWriter
    preview: bool
    commit: str | None
    changes: Mapping[str, str]
    """The day of each file's last commit; empty where Git does not know it."""
    unsafe: list[Diagnostic] = field(default_factory=list)
    """What pages hold that could act on their readers."""
    macro_errors: list[Diagnostic] = field(default_factory=list)

    @classmethod
    def of(cls, checked: CheckedHandbook, *, preview: bool) -> Build:
        """The state at the beginning of a build."""
        handbook, report = checked.handbook, checked.report
        days = changes(handbook.root)
        articles = ArticleWriter(handbook, report, days, preview)
        return cls(handbook, report, articles, preview, commit(handbook.root), days or {})

    @cached_property
    def last_change(self) -> str:
        """The day of the last commit; one of long ago where Git knows none, so that two builds agree."""
        return max(self.changes.values(), default=_LONG_AGO)

    def document(self, file: File) -> Document | None:
        """The record or page that a file of MkDocs stands for; None for a generated file."""
        documents = self.handbook.documents
        return documents.get(f"{DOCS}/{file.src_uri}") or documents.get(file.src_uri)

    def source(self, document: Document, *, is_homepage: bool) -> str:
        """The text that MkDocs gets of a document: the body that the gate has read, and a front matter of its own."""
        meta: dict[str, Any] = {"render_macros": False}
        if isinstance(document, Record):
            meta["title"] = self.title(document, is_homepage=False)
            meta["tags"] = list(document.tags)
        elif isinstance(document, Page):
            meta = self._page_meta(document, is_homepage=is_homepage)
        # Not JSON, which YAML takes for two halves of a character beyond U+FFFF.
        return f"---\n{yaml.safe_dump(meta, width=math.inf)}---\n\n{document.source.body}"

    def _page_meta(self, page: Page, *, is_homepage: bool) -> dict[str, Any]:
        """The keys that MkDocs knows. A preview shows a page whose template is broken without running it."""
        findings = self.report.findings
        is_broken = self.preview and any(
            finding.code == _MACRO_RULE[0] and finding.at.path == page.path for finding in findings
        )
        meta: dict[str, Any] = {"render_macros": page.render_macros and not is_broken, "hide": list(page.hide)}
        if title := self.title(page, is_homepage=is_homepage):
            meta["title"] = title
        if page.description:
            meta["description"] = page.description
        return meta

    def report_error(self, page: SitePage, error: MacroError) -> str:
        """Note an error in the template of a page; answers the Markdown that the page shows instead."""
        path, line, document = page.file.src_uri, error.line or 1, self.document(page.file)
        if document:
            body = document.source.body  # MkDocs drops the empty lines at its beginning
            path, line = document.path, document.source.body_line - 1 + len(body) - len(body.lstrip("\n")) + line
        finding = Diagnostic(Location(path, line), *_MACRO_RULE, Severity.ERROR, error.message, error.hint)
        self.macro_errors.append(finding)
        return fence(f"{path}:{line}: {error.message}", "text")

    def title(self, document: Document, *, is_homepage: bool) -> str | None:
        """The title of a page that the navigation gives none; None where its first heading is, once rendered."""
        if isinstance(document, Record):
            return f"{document.id}: {document.title}" if document.mention else document.title
        is_written_by_macros = isinstance(document, Page) and document.render_macros
        return None if is_homepage or is_written_by_macros else document.source.title

    def render(self, page: HandbookPage) -> Rendered:
        """The HTML of a page, from the tree that was checked; where macros wrote the page, from their Markdown."""
        document, markdown = self.document(page.file), page.markdown or ""
        if isinstance(alert := self.handbook.by_address.get(page_address(page)), Alert):
            return alert_page(self.handbook, alert)
        path, address = (document.path if document else page.file.src_uri), page_address(page)
        references = PageReferences(self.handbook, path, address)
        if document and (isinstance(document, Record) or document.source.body.strip() == markdown.strip()):
            return render(document.source, references, raw_html=not isinstance(document, Record))
        source = read_page_body(path, markdown)
        checked = {link.target for link in document.source.links} if document else set()
        if source.problem:
            self._note_fault(path, source.problem.message, source.problem.hint)
        for link in source.links:
            if link.target not in checked and references.target(link.target) is None:
                self._note_fault(path, f"a macro or plugin wrote a link to '{link.target}', which is not on this site")
        return render(source, references, raw_html=True)

    def _note_fault(self, path: str, message: str, hint: str | None = None) -> None:
        """Note a fault in the Markdown that a page has after its macros have run."""
        self.macro_errors.append(Diagnostic(Location(path, 1), *_MACRO_RULE, Severity.ERROR, message, hint))

    def write_article(self, page: SitePage, html: str) -> Article:
        """The article of a page that is rendered as `html`."""
        return self.articles.write(html, self.document(page.file))
