"""The state of one build of MkDocs, made in `on_config`: builds in one process share nothing."""

from __future__ import annotations

import math
import subprocess
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import yaml
from mkdocs.structure.files import File
from mkdocs.structure.pages import Page as SitePage

from handbook.diagnostics import Diagnostic, Location, Report, Severity
from handbook.engines.check import page_address
from handbook.engines.macros import MacroError
from handbook.records import Document, Page
from handbook.records.alert import Alert
from handbook.settings import DOCS
from handbook.site.assembly import BROKEN_MACRO, Article, Assembly
from handbook.views import fence

_LONG_AGO: Final = "1980-01-01"


@dataclass
class Build:
    """One build: its assembly, and the findings that only finished pages show."""

    assembly: Assembly
    findings: list[Diagnostic] = field(default_factory=list)
    start: float = field(default_factory=time.monotonic)
    indexing: subprocess.Popen[str] | None = None
    """The process that indexes a preview for the search."""

    @cached_property
    def last_change(self) -> str:
        """The day of the last commit, or a fixed day where Git knows none."""
        return max((self.assembly.changes or {}).values(), default=_LONG_AGO)

    @property
    def report(self) -> Report:
        """The findings of the build."""
        return Report(self.assembly.handbook.counts, tuple(self.findings))

    def document(self, file: File) -> Document | None:
        """The record or page of a file of MkDocs; None for a generated file."""
        documents = self.assembly.handbook.documents
        return documents.get(f"{DOCS}/{file.src_uri}") or documents.get(file.src_uri)

    def title(self, page: SitePage) -> str | None:
        """The title of a page without one in `nav`; None where its first heading is the title."""
        document = self.document(page.file)
        if document is None:
            return page.file.name
        return (
            None
            if isinstance(document, Page) and page.file.url in (".", "./")
            else self.assembly.title(document)
        )

    def source(self, page: SitePage, document: Document) -> str:
        """The text of a document for MkDocs: front matter for MkDocs, and the checked body."""
        metadata: dict[str, Any] = {"render_macros": False, **self.assembly.metadata(document)}
        if isinstance(document, Page):
            metadata["render_macros"] = document.render_macros and not is_shown_broken(
                document, self.assembly
            )
            if document.description:
                metadata["description"] = document.description
        if title := self.title(page):
            metadata["title"] = title
        # Not JSON, which YAML takes for two halves of a character beyond U+FFFF.
        return f"---\n{yaml.safe_dump(metadata, width=math.inf)}---\n\n{document.source.body}"

    def article(self, page: SitePage) -> Article:
        """The article of a page, once its macros have run."""
        document, markdown, address = (
            self.document(page.file),
            page.markdown or "",
            page_address(page),
        )
        if document:
            article = self.assembly.article(document, markdown)
        elif isinstance(alert := self.assembly.handbook.by_address.get(address), Alert):
            article = self.assembly.alert_article(alert)
        else:
            article = self.assembly.other_article(page.file.src_uri, address, markdown)
        self.findings += article.findings
        return article

    def report_error(self, page: SitePage, error: MacroError) -> str:
        """Record an error in the template of a page; returns the Markdown to show instead."""
        path, line, document = page.file.src_uri, error.line or 1, self.document(page.file)
        if document:
            body = document.source.body  # MkDocs drops the empty lines at its beginning
            path, line = (
                document.path,
                document.source.body_line - 1 + len(body) - len(body.lstrip("\n")) + line,
            )
        finding = Diagnostic(
            Location(path, line), *BROKEN_MACRO, Severity.ERROR, error.message, error.hint
        )
        self.findings.append(finding)
        return fence(f"{path}:{line}: {error.message}", "text")


def is_shown_broken(page: Page, assembly: Assembly) -> bool:
    """Whether the template of a page is broken, and a preview shows the page without running it."""
    findings = assembly.report.findings if assembly.is_preview else ()
    return any(
        finding.code == BROKEN_MACRO[0] and finding.at.path == page.path for finding in findings
    )
