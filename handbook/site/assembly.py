"""The pages and generated files of the site, finished but for the theme around them.

An engine mounts what an `Assembly` yields, and puts its theme around each article. No engine is
imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from markupsafe import Markup, escape

from handbook.diagnostics import Diagnostic, Location, Report, Severity
from handbook.handbook import Handbook
from handbook.history import git
from handbook.reading.render import References, Rendered, TocEntry, render
from handbook.reading.source import Source, read_page_body
from handbook.records import Document, Page, Record
from handbook.records.alert import Alert
from handbook.records.postmortem import Postmortem
from handbook.records.service import Service
from handbook.site.html_faults import UNSAFE_PAGE, find_fault
from handbook.views import api
from handbook.views.backlinks import backlinks
from handbook.views.facts import facts
from handbook.views.feed import feed
from handbook.views.findings import findings as findings_box
from handbook.views.footer import footer
from handbook.views.keys import KINDS, keys
from handbook.views.postmortems import durations
from handbook.views.references import PageReferences
from handbook.views.runbooks import alert_page
from handbook.views.services import service_knowledge

BROKEN_MACRO: Final = ("MD020", "broken-macro")
"""The rule on templates of pages, and on the Markdown that they write."""


@dataclass(frozen=True)
class Article:
    """A finished page without the theme. `source` is its path relative to docs/.

    `title` is HTML; None where the page has no title. `metadata` has the keys of front matter that
    themes know: tags, hide, search, and `changed`, the day of the last commit.
    """

    source: str
    address: str
    title: Markup | None
    description: str | None
    html: str
    headings: tuple[TocEntry, ...] = ()
    ids: frozenset[str] = frozenset()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    in_search: bool = True
    findings: tuple[Diagnostic, ...] = ()
    """What must not be published: the engine stops the build."""


@dataclass(frozen=True)
class Assembly:
    """What the site of one handbook is made from. `report` is shown on the pages of a preview.

    `changes` holds the day of each file's last commit; None where Git does not know them.
    """

    handbook: Handbook
    report: Report
    commit: str | None
    changes: Mapping[str, str] | None
    is_preview: bool = False

    @classmethod
    def of(cls, handbook: Handbook, report: Report, *, is_preview: bool = False) -> Assembly:
        """Assemble a checked handbook, with what Git says of its files."""
        return cls(
            handbook,
            report,
            git.read_head(handbook.root),
            git.read_change_days(handbook.root),
            is_preview,
        )

    def pages(self, expand: Callable[[Page], str]) -> Iterator[Article]:
        """Yield every page of the site; `expand` returns the Markdown of a page after its macros.

        Pages with `markdown: material` are missing: only an engine with Python-Markdown can render
        them, and passes their HTML to `surround`.
        """
        for document in self.handbook.documents.values():
            if isinstance(document, Page):
                if not document.markdown:
                    yield self.article(
                        document, expand(document) if document.render_macros else None
                    )
            else:
                yield self.article(document)
        for alert in self.handbook.alerts:
            yield self.alert_article(alert)

    def files(self) -> Mapping[str, str]:
        """Return the generated files by path: JSON, CSV, the feed and the keys of the search."""
        return {
            **api.files(self.handbook, self.commit),
            **keys(self.handbook),
            "feed.xml": feed(self.handbook),
        }

    def article(self, document: Document, markdown: str | None = None) -> Article:
        """Make the article of a document; `markdown` is the body of a page after its macros."""
        address, path = self.handbook.address(document), document.path
        references = PageReferences(self.handbook, path, address)
        faults: tuple[Diagnostic, ...] = ()
        if (
            isinstance(document, Record)
            or markdown is None
            or document.source.body.strip() == markdown.strip()
        ):
            rendered = render(
                document.source, references, raw_html=not isinstance(document, Record)
            )
        else:
            checked = frozenset(link.target for link in document.source.links)
            rendered, faults = _render_written(path, markdown, references, checked)
        title = self.title(document)
        html, unsafe = self.surround(document, rendered.html)
        return Article(
            self.handbook.source_uri(path),
            address,
            _title_of(rendered) if title is None else escape(title),
            document.description if isinstance(document, Page) else None,
            html,
            rendered.headings,
            rendered.ids,
            self.metadata(document),
            findings=faults + unsafe,
        )

    def alert_article(self, alert: Alert) -> Article:
        """The article of an alert. Readers find it by its name: its text is that of a runbook."""
        rendered = alert_page(self.handbook, alert)
        metadata = {"search": {"exclude": True}}
        return Article(
            alert_source(alert),
            self.handbook.address(alert),
            escape(alert.name),
            None,
            rendered.html,
            rendered.headings,
            rendered.ids,
            metadata,
            in_search=False,
        )

    def other_article(self, source: str, address: str, markdown: str) -> Article:
        """The article of a page that is not the handbook's: another plugin wrote its Markdown."""
        rendered, faults = _render_written(
            source, markdown, PageReferences(self.handbook, source, address)
        )
        html, unsafe = _withhold_unsafe(source, rendered.html)
        headings, ids = rendered.headings, rendered.ids
        return Article(
            source,
            address,
            _title_of(rendered),
            None,
            html,
            headings,
            ids,
            findings=faults + unsafe,
        )

    def surround(self, document: Document, html: str) -> tuple[str, tuple[Diagnostic, ...]]:
        """Add facts and references to the HTML of a document; also returns findings of unsafe HTML.

        A preview shows the findings of a page on the page itself.
        """
        unsafe: tuple[Diagnostic, ...] = ()
        if isinstance(document, Page):
            html, unsafe = _withhold_unsafe(document.path, html)
        if unsafe:
            return html, unsafe
        head, tail = self._parts(document)
        if self.is_preview:
            head = (
                findings_box(
                    finding for finding in self.report.findings if finding.at.path == document.path
                )
                + head
            )
        return _after_title(html, head) + tail, ()

    def _parts(self, document: Document) -> tuple[str, str]:
        """The HTML below the title of a document, and the HTML at its end."""
        record = document if isinstance(document, Record) else None
        kind = KINDS.get(type(record), "Page") if record else "Page"
        head = f'<span hidden data-pagefind-meta="kind:{kind}"></span>'
        tail = footer(self.changes, document.path)
        if record:
            head += facts(self.handbook, record)
            tail = backlinks(self.handbook, record) + tail
        if isinstance(record, Postmortem):
            head += durations(record)
        elif isinstance(record, Service):
            tail = service_knowledge(self.handbook, record) + tail
        return head, tail

    def title(self, document: Document) -> str | None:
        """The title of a document as text; None where macros write it."""
        if isinstance(document, Record):
            return f"{document.id}: {document.title}" if document.mention else document.title
        return (
            None if isinstance(document, Page) and document.render_macros else document.source.title
        )

    def metadata(self, document: Document) -> Mapping[str, Any]:
        """The front matter of a document for themes."""
        metadata: dict[str, Any] = {}
        if isinstance(document, Record):
            metadata["tags"] = list(document.tags)
        elif isinstance(document, Page) and document.hide:
            metadata["hide"] = list(document.hide)
        if day := (self.changes or {}).get(document.path):
            metadata["changed"] = day
        return metadata


def alert_source(alert: Alert) -> str:
    """The path, relative to docs/, of the page of an alert."""
    return f"alerts/{alert.name}.md"


def _render_written(
    path: str, markdown: str, references: References, checked: frozenset[str] = frozenset()
) -> tuple[Rendered, tuple[Diagnostic, ...]]:
    """Render Markdown that a macro or plugin wrote, and check links that are not in `checked`."""
    source: Source = read_page_body(path, markdown)
    faults = [(source.problem.message, source.problem.hint)] if source.problem else []
    faults += [
        (f"a macro or plugin wrote a link to '{link.target}', which is not on this site", None)
        for link in source.links
        if link.target not in checked and references.resolve_link(link.target) is None
    ]
    findings = (
        Diagnostic(Location(path, 1), *BROKEN_MACRO, Severity.ERROR, message, hint)
        for message, hint in faults
    )
    return render(source, references, raw_html=True), tuple(findings)


def _title_of(rendered: Rendered) -> Markup | None:
    """The first heading of a page."""
    heading = next((heading for heading in rendered.headings if heading.level == 1), None)
    return Markup(heading.html) if heading else None  # noqa: S704 - HTML that we made


def _withhold_unsafe(path: str, html: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """The HTML of a page, or in its place a finding where it could act on its reader."""
    fault = find_fault(html)
    if fault is None:
        return html, ()
    hint = "write it in Markdown; put what a macro takes from elsewhere into a block of code"
    finding = Diagnostic(Location(path, 1), *UNSAFE_PAGE, Severity.ERROR, fault, hint)
    return findings_box([finding]), (finding,)


def _after_title(html: str, addition: str) -> str:
    """The page with an addition right after its H1, or before everything where it has no H1."""
    if not addition:
        return html
    head, end, rest = html.partition("</h1>")
    return f"{head}{end}\n{addition}{rest}" if end else f"{addition}{html}"
