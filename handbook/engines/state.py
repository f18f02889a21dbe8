"""State of one build with MkDocs. Each build in a process has its own state."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import yaml
from mkdocs.structure.files import File
from mkdocs.structure.pages import Page as SitePage

from handbook.diagnostics import Diagnostic, Location, Report, Severity, sort_findings
from handbook.engines.check import page_address
from handbook.engines.macros import MacroError
from handbook.records import Document, Page
from handbook.records.alert import Alert
from handbook.settings import DOCS
from handbook.site.assembly import BROKEN_MACRO, Article, Assembly
from handbook.views import fence

_LONG_AGO: Final = "1980-01-01"
_NO_LIMIT: Final = 2**31 - 1
"""The width of a line in YAML that is never reached."""


@dataclass
class Build:
    """State of one build: its assembly, and the findings in macros and finished pages."""

    assembly: Assembly
    findings: list[Diagnostic] = field(default_factory=list)
    start: float = field(default_factory=time.monotonic)
    indexing: subprocess.Popen[str] | None = None
    """Process that writes the search index of a preview."""

    @cached_property
    def last_change(self) -> str:
        """Day of the last commit to any file, or a fixed day if there is no commit."""
        return max((self.assembly.changes or {}).values(), default=_LONG_AGO)

    @property
    def report(self) -> Report:
        """Report with the findings in macros and finished pages."""
        return Report(self.assembly.handbook.entity_counts, sort_findings(self.findings))

    def find_document(self, file: File) -> Document | None:
        """Return the record or page of a MkDocs file, or None for a generated file."""
        documents = self.assembly.handbook.documents
        return documents.get(f"{DOCS}/{file.src_uri}") or documents.get(file.src_uri)

    def find_title(self, page: SitePage) -> str | None:
        """Return the title of a page that has no title in `nav`.

        Returns None if the first heading of the page is to become its title.
        """
        document = self.find_document(page.file)
        if document is None:
            return page.file.name
        return (
            None
            if isinstance(document, Page) and page.file.url in (".", "./")
            else self.assembly.find_title(document)
        )

    def make_source(self, page: SitePage, document: Document) -> str:
        """Return the text of a document for MkDocs: front matter with known keys, and the body."""
        metadata = self.make_metadata(page, document)
        # JSON would not do: it writes a character above U+FFFF as two escapes, which YAML reads as
        # two characters.
        front_matter = yaml.dump(metadata, Dumper=yaml.CSafeDumper, width=_NO_LIMIT)
        return f"---\n{front_matter}---\n\n{self.find_body(document)}"

    def find_body(self, document: Document) -> str:
        """Return the body of a document. The macros of a provided page have run."""
        is_provided = self.assembly.is_provided(document)
        return self.assembly.expand(document) if is_provided else document.source.body

    def make_metadata(self, page: SitePage, document: Document) -> Mapping[str, Any]:
        """Return the front matter of a document for MkDocs."""
        metadata: dict[str, Any] = {"render_macros": False, **self.assembly.make_metadata(document)}
        if isinstance(document, Page):
            metadata["render_macros"] = (
                document.render_macros
                and not self.assembly.is_provided(document)
                and not is_template_skipped(document, self.assembly)
            )
            if document.description:
                metadata["description"] = document.description
        if title := self.find_title(page):
            metadata["title"] = title
        return metadata

    def make_article(self, page: SitePage) -> Article:
        """Return the article of a page whose macros have run, and keep its findings."""
        article = self.find_article(page)
        self.findings += article.findings
        return article

    def find_article(self, page: SitePage) -> Article:
        """Return the article of a page whose macros have run."""
        document, markdown, address = (
            self.find_document(page.file),
            page.markdown or "",
            page_address(page),
        )
        if document:
            return self.assembly.make_article(document, markdown)
        if isinstance(alert := self.assembly.handbook.entities_by_address.get(address), Alert):
            return self.assembly.make_alert_article(alert)
        if page.file.src_uri in self.assembly.service_pages:
            return self.assembly.make_service_article(page.file.src_uri)
        if page.file.src_uri in self.assembly.rule_pages:
            return self.assembly.make_rule_article(page.file.src_uri)
        return self.assembly.make_plugin_article(page.file.src_uri, address, markdown)

    def report_error(self, page: SitePage, error: MacroError) -> str:
        """Add a finding for an error in the template of a page.

        Returns the Markdown that the page shows instead of its text.
        """
        path, line, document = page.file.src_uri, error.line or 1, self.find_document(page.file)
        if document:
            # MkDocs removes the empty lines at the start of the body, so their number is added.
            body = document.source.body
            path, line = (
                document.path,
                document.source.body_line - 1 + len(body) - len(body.lstrip("\n")) + line,
            )
        finding = Diagnostic(
            Location(path, line), *BROKEN_MACRO, Severity.ERROR, error.message, error.hint
        )
        self.findings.append(finding)
        return fence(f"{path}:{line}: {error.message}", "text")


def is_template_skipped(page: Page, assembly: Assembly) -> bool:
    """Tell whether a preview shows a page without running its template, because it has an error."""
    findings = assembly.report.findings if assembly.is_preview else ()
    return any(
        finding.code == BROKEN_MACRO[0] and finding.at.path == page.path for finding in findings
    )
