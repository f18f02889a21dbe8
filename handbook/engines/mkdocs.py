"""The handbook in MkDocs: runs the gate, mounts the records, adds what is generated, stops a bad build.

The only module that imports mkdocs. The handbook hangs on MkDocs' configuration object, under `handbook`; what else a
build needs is made anew in `on_config`, so that one build knows nothing of another.
"""

from __future__ import annotations

import gc
import logging
import math
import posixpath
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import click
import yaml
from markdown import Markdown
from markupsafe import escape
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure import StructureItem
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation, Section
from mkdocs.structure.pages import Page as SitePage
from mkdocs.structure.pages import (
    _ExtractAnchorsTreeprocessor,
    _ExtractTitleTreeprocessor,
    _RawHTMLPreprocessor,
    _RelativePathTreeprocessor,
)
from mkdocs.structure.toc import TableOfContents, get_toc
from mkdocs.utils import CountHandler

from handbook.authoring.journal import INTERRUPTED, is_interrupted
from handbook.diagnostics import Diagnostic, Location, Report, Severity
from handbook.engines import ahead, fragments
from handbook.engines.ahead import Ahead
from handbook.history.git import changes, commit
from handbook.loading import load
from handbook.reading.ids import slug
from handbook.records import Document, Page, Record
from handbook.records.kinds import MOUNTED
from handbook.records.postmortem import Postmortem
from handbook.records.service import Service
from handbook.reporters.text import text
from handbook.rules.engine import run
from handbook.settings import DOCS
from handbook.site import finish as publishing
from handbook.site import outline
from handbook.site.rendering import RecordMarkdown, Uncoloured
from handbook.views import api, relative
from handbook.views.backlinks import backlinks
from handbook.views.facts import facts
from handbook.views.feed import feed
from handbook.views.findings import findings
from handbook.views.footer import footer
from handbook.views.keys import KINDS, SEARCHED, keys
from handbook.views.postmortems import durations
from handbook.views.runbooks import alert_page
from handbook.views.services import service_knowledge

_THEME = Path(__file__).parent.parent / "site" / "theme"
_STYLES = "assets/handbook.css"
_SCRIPT = "assets/handbook.js"
_SEARCH = "assets/search.js"
_LONG_AGO = "1980-01-01"
_ALERTS = "alerts"
_OUTLINE = ("MD099", "page-differs")


@dataclass(frozen=True)
class Made:
    """What became of a page in the other process, and of which text."""

    markdown: str
    content: str
    toc: TableOfContents
    title: str | None
    anchors: set[str]
    links: dict[str, dict[str, str]]
    shown: str
    differences: list[Diagnostic]


class RecordPage(SitePage):
    """A page out of the navigation, rendered as MkDocs does it, but by the converter that all of them share.

    To make a converter anew takes a tenth of the time of rendering, and to look for ids in raw HTML, which a record may
    not hold, as much.
    """

    converter: Markdown
    ahead: Made | None = None

    def render(self, config: MkDocsConfig, files: Files) -> None:
        """Make the content, the table of contents and the anchors of the page from its Markdown."""
        if self.ahead and self.ahead.markdown == self.markdown:
            self.content, self.toc, self._title_from_render = self.ahead.content, self.ahead.toc, self.ahead.title
            self.present_anchor_ids = self.ahead.anchors
            linked = ((files.get_file_from_path(path), links) for path, links in self.ahead.links.items())
            self.links_to_anchors = {file: links for file, links in linked if file}
            return
        md = self.converter.reset()
        html, anchors = _RawIds(), _ExtractAnchorsTreeprocessor(self.file, files, config)
        links, title = _RelativePathTreeprocessor(self.file, files, config), _ExtractTitleTreeprocessor()
        for each in (html, anchors, links, title):
            each._register(md)
        self.content = md.convert(self.markdown or "")
        self.toc = get_toc(getattr(md, "toc_tokens", []))
        self._title_from_render = title.title
        self.present_anchor_ids = anchors.present_anchor_ids | html.present_anchor_ids
        self.links_to_anchors = links.links_to_anchors


class _RawIds(_RawHTMLPreprocessor):
    def run(self, lines: list[str]) -> list[str]:
        return super().run(lines) if any("<" in line for line in lines) else lines


class HandbookPluginConfig(Config):
    """The plugin has no options: what can be set stands under `extra.handbook`."""


class HandbookPlugin(BasePlugin[HandbookPluginConfig]):
    """The plugin `handbook`."""

    serving = False
    indexing: subprocess.Popen[str] | None = None
    ahead: Ahead[Made] | None = None

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Remember whether this is a preview, which goes on whatever the gate finds."""
        self.serving = command == "serve"

    @event_priority(100)  # before mkdocs-macros, whose define_env reads what is put on the configuration here
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Load the handbook and run the gate. Raises click.ClickException with every finding where one is an error."""
        self.on_shutdown()
        root = Path(config.config_file_path).resolve().parent
        try:
            if is_interrupted(root) and not self.serving:
                raise click.ClickException(INTERRUPTED)
            handbook = load(root)
            report = run(handbook, date.today())
        except OSError as error:
            raise click.ClickException(f"{error.filename} cannot be read: {error.strerror}") from error
        if self.serving:
            self._go_on_whatever_comes(config)
        else:
            # A build makes millions of objects that stay, and ends: to look for garbage among them takes a tenth of it.
            gc.set_threshold(200_000, 50, 50)
            logger = logging.getLogger("mkdocs")
            if config.strict and logger.level > logging.WARNING:
                logger.setLevel(logging.WARNING)  # what --quiet does not log, strict mode does not count
        if report.findings:
            if report.errors and not self.serving:
                raise click.ClickException(f"the gate found errors\n{text(report)}")
            sys.stderr.write(text(report))
        self.report = report
        self.handbook = handbook
        self.differences: list[Diagnostic] = []
        self.markdown = RecordMarkdown(handbook)
        self.commit = commit(root)
        self.changes = changes(root)
        self.last_change = max((self.changes or {}).values(), default=_LONG_AGO)
        config["handbook"] = handbook
        for key in ("site_name", "site_description", "site_author"):
            config[key] = _as_text(config[key])
        config.extra["handbook_commit"] = self.commit
        config.markdown_extensions.append(self.markdown)  # type: ignore[arg-type]
        config.mdx_configs.setdefault("toc", {}).update(slugify=slug, marker="")
        listings = config.mdx_configs.setdefault("pymdownx.highlight", {})
        if not listings.get("noclasses"):
            listings.setdefault("pygments_style", Uncoloured)
        config.theme.dirs.insert(0, str(_THEME))
        config.extra_css.insert(0, _STYLES)
        config.extra_javascript.append(_SCRIPT)
        return config

    def _go_on_whatever_comes(self, config: MkDocsConfig) -> None:
        """A preview shows what is wrong and goes on: strict mode and failing macros are for builds."""
        config.strict = False
        logger = logging.getLogger("mkdocs")
        for handler in list(logger.handlers):
            if isinstance(handler, CountHandler):
                logger.removeHandler(handler)
        if macros := config.plugins.get("macros"):
            macros.config["on_error_fail"] = False

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Mount the folders of records beside the pages, and add the files that are generated."""
        handbook = self.handbook
        for file in files:
            if file.src_dir == config.docs_dir:
                file.edit_uri = f"{DOCS}/{file.src_uri}"
        for path in (*handbook.documents, *sorted(handbook.attachments)):
            if path.startswith(tuple(f"{folder}/" for folder in MOUNTED)):
                files.append(self._mounted(path, config))
        pages = {f"alerts/{alert.name}.md": alert_page(handbook, alert) for alert in handbook.alerts}
        others = keys(handbook) | {"feed.xml": feed(handbook)}
        for name, content in (api.files(handbook, self.commit) | pages | others).items():
            file = File.generated(config, name, content=content)
            file.inclusion = InclusionLevel.NOT_IN_NAV
            files.append(file)
        return files

    def _mounted(self, path: str, config: MkDocsConfig) -> File:
        file = File(path, str(self.handbook.root), config.site_dir, config.use_directory_urls)
        if isinstance(self.handbook.documents.get(path), Record):
            file.inclusion = InclusionLevel.NOT_IN_NAV
        return file

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:
        """Place each record below the section of its index: for the breadcrumb and the tab that is shown as active."""
        _titles_as_text(nav.items)
        listed = {page.file.src_uri for page in nav.pages}
        self.placed: set[str] = set()
        sections = {
            posixpath.dirname(page.file.src_uri): page.parent
            for page in nav.pages
            if page.file.name == "index" and isinstance(page.parent, Section)
        }
        for file in files.documentation_pages():
            folder = file.src_uri.split("/")[0]
            if isinstance(self._document(file), Record) or folder == _ALERTS:
                page = file.page or SitePage(None, file, config)
                if file.src_uri not in listed:
                    self.placed.add(file.src_uri)
                    page = RecordPage(None, file, config) if type(page) is SitePage else page
                page.parent = page.parent or sections.get("runbooks" if folder == _ALERTS else folder)
        self.shared = Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs)
        pages = [file.page for file in files.documentation_pages() if isinstance(file.page, RecordPage)]
        for page in pages:
            page.converter = self.shared
        self.order = {page.file.src_uri: index for index, page in enumerate(pages)}
        self.ahead = None
        chatty = self.serving or logging.getLogger("mkdocs").isEnabledFor(logging.DEBUG)
        if len(pages) >= ahead.LEAST and ahead.possible() and not chatty:
            self.ahead = Ahead(len(pages), lambda index: self._make(pages[index], config, files))
        return nav

    def _make(self, page: RecordPage, config: MkDocsConfig, files: Files) -> Made | None:
        """In the other process: what becomes of a page; None where anything is said of it, which is for this one."""
        logger, said = logging.getLogger("mkdocs"), CountHandler()
        logger.handlers, logger.propagate = [said], False
        page.read_source(config)
        page.markdown = config.plugins.on_page_markdown(page.markdown or "", page=page, config=config, files=files)
        page.render(config, files)
        self.differences = []
        shown = self.on_page_content(page.content or "", page=page, config=config, files=files)
        links = {file.src_uri: anchors for file, anchors in (page.links_to_anchors or {}).items()}
        title, anchors = page._title_from_render, page.present_anchor_ids or set()
        made = Made(page.markdown, page.content or "", page.toc, title, anchors, links, shown, self.differences)
        return None if said.get_counts() else made

    def _document(self, file: File) -> Document | None:
        documents = self.handbook.documents
        return documents.get(f"{DOCS}/{file.src_uri}") or documents.get(file.src_uri)

    def on_page_read_source(self, *, page: SitePage, config: MkDocsConfig) -> str | None:
        """Give MkDocs the body that the gate has read, with the few keys that MkDocs itself knows."""
        document = self._document(page.file)
        if document is None:
            return None
        meta: dict[str, Any] = {}
        if isinstance(document, Record):
            meta["title"] = f"{document.id}: {document.title}" if document.mention else document.title
        elif isinstance(document, Page):
            broken = any(each.code == "MD020" and each.at.path == document.path for each in self.report.findings)
            meta = {"render_macros": document.render_macros and not broken, "hide": list(document.hide)}
            if document.title and not page.is_homepage:
                meta["title"] = document.title
            if document.description:
                meta["description"] = document.description
        # Not JSON, which YAML takes for two halves of a character beyond U+FFFF.
        return f"---\n{yaml.safe_dump(meta, width=math.inf)}---\n\n{document.source.body}"

    def on_page_markdown(self, markdown: str, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
        """Tell the Markdown extension which file it renders next, and the sitemap when it last changed, by git.

        MkDocs wants a day of every page, and would take that of the build: it gets the day of the last commit.
        """
        document = self._document(page.file)
        for key in page.meta.keys() & {"title", "description"}:
            page.meta[key] = _as_text(page.meta[key])
        page.title = _as_text(page.title)  # mkdocs-macros has set it by now, where a title holds braces
        self.markdown.path = document.path if document else ""
        page.meta["changed"] = (self.changes or {}).get(self.markdown.path)
        page.update_date = self.last_change
        if self.ahead and isinstance(page, RecordPage):
            page.ahead = self.ahead.take(self.order[page.file.src_uri])
        return markdown

    @event_priority(100)  # before any plugin that changes the page
    def on_page_content(self, html: str, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
        """Compare the page with what the gate read, and add what is known of the record around its text."""
        if isinstance(page, RecordPage) and page.ahead and page.ahead.content is html:
            made, page.ahead = page.ahead, None
            self.differences += made.differences
            return made.shown
        document = self._document(page.file)
        parsed = outline.parsed(html)
        if (act := outline.active(parsed, record=isinstance(document, Record))) is not None:
            return self._withheld(document.path if document else page.file.src_uri, act)
        if document is None:  # an alert: found by its name, its page repeats a runbook
            return f'<div data-pagefind-ignore="all">{html}</div>'
        here = [diagnostic for diagnostic in self.report.findings if diagnostic.at.path == document.path]
        if self._to_be_compared(document, here) and (difference := outline.difference(document.source, parsed)):
            hint = "the site renders this otherwise than it reads; write it in a plainer form"
            here.append(self._differs(document.path, *difference, hint))
        kind = KINDS.get(type(document), "Page") if isinstance(document, Record) else "Page"
        before, after = f'<span hidden data-pagefind-meta="kind:{kind}"></span>', ""
        if isinstance(document, Record):
            before += facts(self.handbook, document)
            after = backlinks(self.handbook, document)
        if isinstance(document, Postmortem):
            before += durations(document)
        elif isinstance(document, Service):
            after = service_knowledge(self.handbook, document) + after
        after += footer(self.changes, document.path)
        if self.serving:
            before = findings(here) + before
        return _after_title(html, before) + after

    def _to_be_compared(self, document: Document, here: list[Diagnostic]) -> bool:
        """Whether a page must show what was read: not one made by macros, nor where a difference is told or allowed."""
        if isinstance(document, Page) and document.render_macros:
            return False
        told = any(each.code.startswith("MD") or each.severity is Severity.ERROR for each in here)
        allowed = (each for each in self.handbook.suppressions if each.at.path == document.path)
        return not told and not any(each.code and each.code.startswith("MD") for each in allowed)

    def _withheld(self, path: str, act: str) -> str:
        """What a preview shows of a page that holds what may act: that it does, and nothing of it."""
        hint = "say it in Markdown; where it came from a listing, put that into a block of code"
        return findings([self._differs(path, 1, f"the page would hold {act}", hint)])

    def _differs(self, path: str, line: int, message: str, hint: str) -> Diagnostic:
        code, name = _OUTLINE
        difference = Diagnostic(Location(path, line), code, name, Severity.ERROR, message, hint)
        self.differences.append(difference)
        return difference

    def on_env(self, env: Any, *, config: MkDocsConfig, files: Files) -> Any:
        """Stop the build before anything is written where a page shows other than was checked."""
        self._end()
        if self.differences:
            report = Report(self.handbook.counts, tuple(self.differences))
            if not self.serving:
                raise click.ClickException(f"the pages differ from what was checked\n{text(report)}")
            sys.stderr.write(text(report))
        env.globals["once"] = fragments.once(self._place)
        env.globals["searched"] = SEARCHED
        return env

    def _end(self) -> None:
        if self.ahead:
            self.ahead.end()

    def _place(self, context: Any) -> tuple[str, int] | None:
        """Where a record stands: its depth and its section. None for a page that the navigation or the bar leads to."""
        page = context["page"]
        alone = page is None or page.file.src_uri not in self.placed
        return None if alone else (context["base_url"], id(page.parent))

    def on_post_page(self, output: str, *, page: SitePage, config: MkDocsConfig) -> str:
        """Give a published page its policy. A preview has none: it reloads by a script of MkDocs'."""
        return output if self.serving else publishing.with_policy(output)

    def on_post_template(self, output_content: str, *, template_name: str, config: MkDocsConfig) -> str:
        """The same for pages that are made from a template alone, such as that for what is not found."""
        published = template_name.endswith(".html") and not self.serving
        return publishing.with_policy(output_content) if published else output_content

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Lead from where pages were to where they are, and index the site; click.ClickException where that fails."""
        site = Path(config.site_dir)
        if not self.serving:
            for asset in (site / name for name in (_STYLES, _SCRIPT, _SEARCH)):
                asset.write_text(publishing.without_comments(asset.read_text(encoding="utf-8")), encoding="utf-8")
        for document in self.handbook.documents.values():
            for old in document.moved_from:
                place = site / old.strip("/") / "index.html"
                if place.exists():
                    raise click.ClickException(f"{document.path}: moved_from {old} is the address of a page")
                place.parent.mkdir(parents=True, exist_ok=True)
                target = relative(self.handbook.address(document), f"{old.strip('/')}/")
                place.write_text(publishing.moved(target), encoding="utf-8")
        try:
            if self.serving:
                self.indexing = publishing.indexing(site)  # nobody waits for it: the text is found a little later
            else:
                publishing.index(site)
        except RuntimeError as error:
            raise click.ClickException(f"the search could not be indexed: {error}") from error

    def on_shutdown(self) -> None:
        """Stop what still indexes a preview that ends, or is built anew."""
        if self.indexing:
            with self.indexing:
                self.indexing.kill()
            self.indexing = None

    def on_build_error(self, *, error: Exception) -> None:
        """Say in a line what the machine refuses, a full disk or a folder that is not to be written."""
        self._end()
        if isinstance(error, OSError) and not self.serving:
            at = f" ({error.filename})" if error.filename else ""
            raise click.ClickException(f"the site cannot be written: {error.strerror}{at}") from error

    def on_serve(self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Any) -> LiveReloadServer:
        """Rebuild when a record changes."""
        for folder in MOUNTED:
            if (self.handbook.root / folder).is_dir():
                server.watch(str(self.handbook.root / folder))
        return server


def _as_text(value: str | None) -> str | None:
    """A text of the settings or of a record, for Material's templates, which write titles and descriptions as HTML."""
    return None if value is None else escape(value)


def _titles_as_text(items: Iterable[StructureItem]) -> None:
    for item in items:
        if item.title:
            item.title = _as_text(item.title)
        _titles_as_text(getattr(item, "children", None) or ())


def _after_title(html: str, addition: str) -> str:
    """The page with an addition right after its H1; before everything where it has none."""
    if not addition:
        return html
    head, end, rest = html.partition("</h1>")
    return f"{head}{end}\n{addition}{rest}" if end else f"{addition}{html}"
