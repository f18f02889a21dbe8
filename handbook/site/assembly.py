"""Assembly: the articles and generated files of the site, without the theme.

An engine, such as MkDocs, takes these articles and files from an `Assembly` and puts its theme
around each article. This module imports no engine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar

from markupsafe import Markup, escape

from handbook.diagnostics import Diagnostic, Finding, Location, Report, Severity, make_hint
from handbook.handbook import Handbook
from handbook.history import git
from handbook.history.decision_texts import read_decision_texts
from handbook.reading.render import References, Rendered, TocEntry, render
from handbook.reading.source import Source, read_page_body
from handbook.records import Document, Page, Record
from handbook.records.adr import Adr, TextState
from handbook.records.alert import Alert
from handbook.records.postmortem import Postmortem
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.records.service_file import ServiceFile, archive_address, files_address
from handbook.records.standard import Standard
from handbook.site.html_faults import UNSAFE_PAGE, find_fault
from handbook.views import api, make_now
from handbook.views.backlinks import backlinks
from handbook.views.decisions import lineage
from handbook.views.descriptions import describe
from handbook.views.facts import facts
from handbook.views.feed import feed
from handbook.views.findings import findings as findings_box
from handbook.views.footer import footer
from handbook.views.keys import KINDS, TEAM, find_status, keys
from handbook.views.links import Linker
from handbook.views.macro_views import call_view, expand_macros
from handbook.views.markdown import (
    alert_markdown,
    file_markdown,
    files_markdown,
    llms,
    page_markdown,
)
from handbook.views.menu import Menus, render_steps
from handbook.views.on_call import printed_source, runbook_bar
from handbook.views.opensearch import opensearch
from handbook.views.postmortems import durations
from handbook.views.references import PageReferences
from handbook.views.rules_reference import FAMILY_ADDRESSES, describe_family, rule_family
from handbook.views.runbooks import alert_page
from handbook.views.service_files import describe_files, file_page, files_index, make_archive
from handbook.views.services import service_details, service_headings
from handbook.views.standards import requirement_tables
from handbook.views.teams import add_contacts

T = TypeVar("T")

BROKEN_MACRO: Final = ("MD020", "broken-macro")
"""Code and name of the rule that reports faulty templates, and faults in their Markdown output."""

SERVICE_PAGE_METADATA: Final[Mapping[str, Any]] = {"hide": ["toc"], "search": {"exclude": True}}
"""Front matter of the pages of files. They have one heading, and code needs the width."""


@dataclass(frozen=True)
class Article:
    """Finished page without the theme.

    `source` is the path of the Markdown file, relative to docs/. `title` is HTML, or None for a
    page without a title. `description` is plain text, and can be "". `kind` is the kind of a
    record, `alert` or `page`. `metadata` has the front matter keys that themes read: tags, hide,
    search, and `changed`, the day of the page's last commit.
    """

    source: str
    address: str
    title: Markup | None
    description: str
    html: str
    headings: tuple[TocEntry, ...] = ()
    ids: frozenset[str] = frozenset()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    in_search: bool = True
    kind: str = Page.kind
    findings: tuple[Diagnostic, ...] = ()
    """Findings that stop the build, because the page must not be published."""


@dataclass(frozen=True)
class Assembly:
    """Source of the articles and generated files of one handbook's site.

    The pages of a preview show the findings of `report`. `changes` maps each file to the day of its
    last commit. It is None if there is no Git history.
    """

    handbook: Handbook
    report: Report
    commit: str | None
    changes: Mapping[str, str] | None
    is_preview: bool = False
    decision_texts: Mapping[str, TextState] = field(default_factory=dict)
    """Whether the text of each decision has changed since it was decided, by path."""

    @classmethod
    def of(cls, handbook: Handbook, report: Report, *, is_preview: bool = False) -> Assembly:
        """Create the assembly of a checked handbook, with the commit and the days from Git."""
        return cls(
            handbook,
            report,
            git.read_head(handbook.root),
            git.read_change_days(handbook.root),
            is_preview,
            read_decision_texts(handbook),
        )

    def pages(self, expand: Callable[[Page], str]) -> Iterator[Article]:
        """Yield the articles of the site. `expand` runs the macros of a page and returns Markdown.

        Pages with `markdown: material` are not among them. Only an engine with Python-Markdown can
        render those pages. The engine passes their HTML to `add_context`.
        """
        for document in self.handbook.documents.values():
            if isinstance(document, Page):
                if not document.markdown:
                    run_macros = self.expand if self.is_provided(document) else expand
                    yield self.make_article(
                        document, run_macros(document) if document.render_macros else None
                    )
            else:
                yield self.make_article(document)
        for alert in self.handbook.alerts:
            yield self.make_alert_article(alert)
        for path in self.service_pages:
            yield self.make_service_article(path)
        for path in self.rule_pages:
            yield self.make_rule_article(path)

    def is_provided(self, document: Document) -> bool:
        """Tell whether this package provides a page, because the repository lacks it."""
        return document.path in self.handbook.provided

    def expand(self, page: Document) -> str:
        """Return the Markdown of a page after our macros have run."""
        address = self.handbook.address(page)
        return expand_macros(page.source.body, lambda name: self.call_macro(name, address))

    def call_macro(self, name: str, address: str) -> str:
        """Return the Markdown of our macro for the page at an address. It runs once for a build."""
        key = name, address
        if key not in self._macro_outputs:
            self._macro_outputs[key] = call_view(name, self.handbook, address, self.keep)
        return self._macro_outputs[key]

    @cached_property
    def _macro_outputs(self) -> dict[tuple[str, str], str]:
        return {}

    def keep(self, key: Hashable, inputs: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Make a part of a generated file. A preview keeps it."""
        return make_now(key, inputs, make)

    def files(self) -> Mapping[str, bytes]:
        """Return the generated files by path.

        They are JSON, CSV, the feed, the files of the search, and the downloads of the services'
        files.
        """
        texts = {
            **api.files(self.handbook, self.commit, self.keep),
            **keys(self.handbook, self.keep),
            "feed.xml": feed(self.handbook),
        }
        if self.handbook.settings.has_site_url:
            texts["opensearch.xml"] = opensearch(self.handbook)
        return {name: text.encode() for name, text in texts.items()} | dict(self._downloads())

    def markdown(self) -> Mapping[str, str]:
        """Return the Markdown of each page, and the list of all pages, by path in the site.

        Engines take a file that ends in `.md` for a page, so these are not among `files`.
        """
        entities: tuple[Document | Alert, ...]
        entities = (*self.handbook.documents.values(), *self.handbook.alerts)
        texts = {
            f"{self.handbook.address(entity)}index.md": self.make_markdown(entity)
            for entity in entities
        }
        texts |= {
            f"{FAMILY_ADDRESSES[family]}index.md": rule_family(family)
            for family in self.rule_pages.values()
        }
        texts |= {
            path: files_markdown(self.handbook, page)
            if isinstance(page, Service)
            else file_markdown(page)
            for path, page in self.service_pages.items()
        }
        return {**texts, "llms.txt": llms(self.handbook, self.keep)}

    def make_markdown(self, entity: Document | Alert) -> str:
        """Return the Markdown of a page."""
        if isinstance(entity, Alert):
            return alert_markdown(self.handbook, entity)
        return page_markdown(self.handbook, entity, self.expand)

    def _downloads(self) -> Iterator[tuple[str, bytes]]:
        """Yield the files of services, and an archive for each service, by path."""
        for file in self.handbook.service_files:
            if file.data is not None:
                yield file.download, file.data
        for service in self.handbook.of(Service):
            if service_files := self.handbook.files_of(service):
                yield archive_address(service.id), make_archive(service, service_files)

    @cached_property
    def service_pages(self) -> Mapping[str, Service | ServiceFile]:
        """The pages of the services' files by path, relative to docs/.

        The page of a service is the list of its files.
        """
        pages: dict[str, Service | ServiceFile] = {
            f"{files_address(service.id)}index.md": service
            for service in self.handbook.of(Service)
            if self.handbook.files_of(service)
        }
        files = self.handbook.service_files_by_address
        return pages | {f"{address}index.md": file for address, file in files.items()}

    @cached_property
    def findings_by_path(self) -> Mapping[str, tuple[Diagnostic, ...]]:
        """The findings of the report, by the path of their file."""
        findings: dict[str, list[Diagnostic]] = defaultdict(list)
        for finding in self.report.findings:
            findings[finding.at.path].append(finding)
        return {path: tuple(members) for path, members in findings.items()}

    @cached_property
    def menus(self) -> Menus:
        """The menus of the pages, which an engine passes to the theme."""
        return self.handbook.derive(Menus)

    @cached_property
    def rule_pages(self) -> Mapping[str, str]:
        """The families of rules by the path of their pages, relative to docs/.

        A page of the repository with the same address replaces the page of a family.
        """
        return {
            f"{address.rstrip('/')}.md": family
            for family, address in FAMILY_ADDRESSES.items()
            if address not in self.handbook.entities_by_address
        }

    def make_article(self, document: Document, markdown: str | None = None) -> Article:
        """Return the article of a document.

        `markdown` is the output of a page's macros, or None if no macro has run.
        """
        address, path = self.handbook.address(document), document.path
        references = PageReferences(self.handbook, path, address)
        faults: tuple[Diagnostic, ...] = ()
        if (
            isinstance(document, Record)
            or markdown is None
            or document.source.body.strip() == markdown.strip()
        ):
            rendered = render(
                document.source,
                references,
                raw_html=not isinstance(document, Record),
                list_views=(
                    requirement_tables(self.handbook, document)
                    if isinstance(document, Standard)
                    else {}
                ),
            )
        else:
            checked_targets = frozenset(link.target for link in document.source.links)
            rendered, faults = _render_generated(path, markdown, references, checked_targets)
        title = self.find_title(document)
        html = rendered.html
        if isinstance(document, Runbook):
            html = add_contacts(Linker(self.handbook, address), document, html)
        html, unsafe = self.add_context(document, html)
        headings = rendered.headings
        if isinstance(document, Service):
            headings += service_headings(self.handbook, document)
        return Article(
            self.handbook.source_uri(path),
            address,
            _find_title(rendered) if title is None else escape(title),
            describe(self.handbook, document),
            html,
            headings,
            rendered.ids,
            self.make_metadata(document),
            kind=document.kind,
            findings=faults + unsafe,
        )

    def make_alert_article(self, alert: Alert) -> Article:
        """Return the article of an alert.

        The search does not index its text, because the text is a copy of a runbook. The search
        finds the article by the name of the alert.
        """
        rendered = alert_page(self.handbook, alert)
        address = self.handbook.address(alert)
        paths = [alert.path, *(runbook.path for runbook in self.handbook.runbooks_of(alert))]
        day = max(filter(None, map((self.changes or {}).get, paths)), default=None)
        html = _insert_after_title(
            rendered.html, printed_source(self.handbook, address, self.commit, day)
        )
        metadata = {"search": {"exclude": True}}
        return Article(
            alert_page_path(alert),
            address,
            escape(alert.name),
            describe(self.handbook, alert),
            html,
            rendered.headings,
            rendered.ids,
            metadata,
            in_search=False,
            kind=Alert.kind,
        )

    def make_service_article(self, path: str) -> Article:
        """Return the article of a file of a service, or of the list of its files.

        The search does not index the text of files. It finds a file by its name.
        """
        page = self.service_pages[path]
        if isinstance(page, Service):
            rendered, title, tail = files_index(self.handbook, page), f"Files of {page.title}", ""
            description = describe_files(page)
        else:
            rendered, title = file_page(self.handbook, page), f"{page.name} ({page.service})"
            description = f"The file {page.name} of the service {page.service}"
            tail = footer(self.changes, page.path)
        return Article(
            path,
            path.removesuffix("index.md"),
            escape(title),
            description,
            rendered.html + tail,
            rendered.headings,
            rendered.ids,
            SERVICE_PAGE_METADATA,
            in_search=False,
        )

    def make_rule_article(self, path: str) -> Article:
        """Return the article of a family of rules."""
        family = self.rule_pages[path]
        address = FAMILY_ADDRESSES[family]
        references = PageReferences(self.handbook, path, address)
        rendered, _ = _render_generated(path, rule_family(family), references)
        html = f'<span hidden data-pagefind-meta="kind:Page"></span>{rendered.html}'
        headings, ids = rendered.headings, rendered.ids
        description, title = describe_family(family), _find_title(rendered)
        return Article(path, address, title, description, html, headings, ids)

    def make_plugin_article(self, source: str, address: str, markdown: str) -> Article:
        """Return the article of a page whose Markdown another plugin has generated."""
        rendered, faults = _render_generated(
            source, markdown, PageReferences(self.handbook, source, address)
        )
        html, unsafe = _replace_unsafe(source, rendered.html)
        headings, ids = rendered.headings, rendered.ids
        return Article(
            source,
            address,
            _find_title(rendered),
            "",
            html,
            headings,
            ids,
            findings=faults + unsafe,
        )

    def add_context(self, document: Document, html: str) -> tuple[str, tuple[Diagnostic, ...]]:
        """Add the facts, the backlinks and the footer of a document to its HTML.

        Returns the HTML, and the findings for unsafe HTML. A preview also shows the findings of a
        page on the page itself.
        """
        unsafe: tuple[Diagnostic, ...] = ()
        if isinstance(document, Page):
            html, unsafe = _replace_unsafe(document.path, html)
        if unsafe:
            return html, unsafe
        head, tail = self._make_head_and_tail(document)
        if self.is_preview:
            head = findings_box(self.findings_by_path.get(document.path, ())) + head
        return _insert_after_title(html, head) + tail, ()

    def _make_head_and_tail(self, document: Document) -> tuple[str, str]:
        """Return the HTML below the title of a document, and the HTML at its end."""
        record = document if isinstance(document, Record) else None
        is_team = self.handbook.find_team(self.handbook.address(document)) is not None
        kind = KINDS[type(record)] if record else TEAM if is_team else Page.label
        head = _mark_metadata("kind", kind)
        # A provided page has no date, because no commit of this repository changes it.
        tail = "" if self.is_provided(document) else footer(self.changes, document.path)
        if record:
            head += _mark_metadata("id", record.id if record.mention else "")
            head += _mark_metadata("status", find_status(record))
            head += facts(self.handbook, record, self.decision_texts.get(record.path))
            address, day = self.handbook.address(record), (self.changes or {}).get(record.path)
            steps = render_steps(self.handbook, record, self.menus.find_neighbours(address))
            tail = backlinks(self.handbook, record) + steps + tail
            head = printed_source(self.handbook, address, self.commit, day) + head
        if isinstance(record, Runbook):
            head += runbook_bar(record)
        if isinstance(record, Adr):
            tail = lineage(self.handbook, record) + tail
        if isinstance(record, Postmortem):
            head += durations(record)
        elif isinstance(record, Service):
            tail = service_details(self.handbook, record) + tail
        return head, tail

    def find_title(self, document: Document) -> str | None:
        """Return the title of a document as text, or None if a macro may write the title."""
        if isinstance(document, Record):
            return f"{document.id}: {document.title}" if document.mention else document.title
        return (
            None if isinstance(document, Page) and document.render_macros else document.source.title
        )

    def make_metadata(self, document: Document) -> Mapping[str, Any]:
        """Return the front matter keys of a document that themes read."""
        metadata: dict[str, Any] = {}
        if isinstance(document, Record):
            metadata["tags"] = list(document.tags)
        elif isinstance(document, Page) and document.hide:
            metadata["hide"] = list(document.hide)
        if day := (self.changes or {}).get(document.path):
            metadata["changed"] = day
        return metadata


def _mark_metadata(name: str, value: str) -> str:
    """Return the element with a value that the search shows beside a page."""
    return f'<span hidden data-pagefind-meta="{name}:{escape(value)}"></span>' if value else ""


def alert_page_path(alert: Alert) -> str:
    """Return the path of an alert's page, relative to docs/."""
    return f"alerts/{alert.name}.md"


def _render_generated(
    path: str, markdown: str, references: References, checked_targets: frozenset[str] = frozenset()
) -> tuple[Rendered, tuple[Diagnostic, ...]]:
    """Render Markdown that a macro or a plugin has written, and return it with its findings.

    `checked` holds the link targets that the check of the sources has already covered. Any other
    link whose target does not exist is a finding.
    """
    source: Source = read_page_body(path, markdown)
    faults = [source.problem] if source.problem else []
    faults += [
        Finding(Location(path), f"broken link '{link.target}' in the output of a macro or a plugin")
        for link in source.links
        if link.target not in checked_targets and references.resolve_link(link.target) is None
    ]
    findings = (
        Diagnostic(Location(path), *BROKEN_MACRO, Severity.ERROR, fault.message, make_hint(fault))
        for fault in faults
    )
    return render(source, references, raw_html=True), tuple(findings)


def _find_title(rendered: Rendered) -> Markup | None:
    """Return the first H1 of a page as HTML, or None for a page without an H1."""
    heading = next((heading for heading in rendered.headings if heading.level == 1), None)
    return Markup(heading.html) if heading else None  # noqa: S704 - HTML that we made


def _replace_unsafe(path: str, html: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """Return the HTML of a page. Unsafe HTML is replaced by a finding, which is also returned."""
    fault = find_fault(html)
    if fault is None:
        return html, ()
    hint = "write it in Markdown; if a macro prints text from another source, use a code block"
    finding = Diagnostic(Location(path, 1), *UNSAFE_PAGE, Severity.ERROR, fault, hint)
    return findings_box([finding]), (finding,)


def _insert_after_title(html: str, addition: str) -> str:
    """Return the HTML of a page with an addition after its H1, or at the start without an H1."""
    if not addition:
        return html
    head, end, rest = html.partition("</h1>")
    return f"{head}{end}\n{addition}{rest}" if end else f"{addition}{html}"
