"""Add records, alerts and generated files to the files, pages and navigation of MkDocs."""

from __future__ import annotations

import posixpath
import string
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import yaml
from markupsafe import escape
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure import StructureItem
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Link as NavLink
from mkdocs.structure.nav import Navigation, Section
from mkdocs.structure.pages import Page as SitePage
from mkdocs.structure.toc import get_toc

from handbook.engines.state import Build
from handbook.reading.render import TocEntry
from handbook.records import Page, Record
from handbook.records.kinds import MOUNTED, RECORDS
from handbook.records.service_file import ServiceFile
from handbook.settings import DOCS
from handbook.site.assembly import SERVICE_PAGE_METADATA, Article, alert_page_path
from handbook.site.tracing import is_same

NOT_SEARCHED: Final = '<div data-pagefind-ignore="all">'
"""The start of the content of a page that the search leaves out."""


class HandbookPage(SitePage):
    """Page whose HTML comes from the checked Markdown tree, and not from Python-Markdown."""

    def __init__(self, title: str | None, file: File, config: MkDocsConfig, build: Build) -> None:
        super().__init__(title, file, config)  # The base class also sets `file.page`.
        self.build = build
        self.has_nav_title = title is not None
        self.article: Article | None = None
        self.inputs: tuple[Any, ...] | None = None
        """The values from which `take_content` can tell that this page needs no new content."""
        if title is None and (own_title := build.find_title(self)) is not None:
            self.title = own_title

    def renew(self, build: Build) -> None:
        """Take the article and the title of this page from another build."""
        self.build = build
        if not self.has_nav_title:
            vars(self).pop("title", None)  # MkDocs then finds the title in the article.
            if title := build.find_title(self):
                self.title = title

    def render(self, config: MkDocsConfig, files: Files) -> None:
        """Set the content, the table of contents and the anchors of the page."""
        article = self.article = self.build.make_article(self)
        self.content = article.html
        if not article.in_search:
            self.content = f"{NOT_SEARCHED}{article.html}</div>"
        self.toc = get_toc(_nest(article.headings))
        self.present_anchor_ids = set(article.ids)
        # Material prints the description without escaping it.
        if article.description:
            self.meta["description"] = escape(article.description)
        self.meta["kind"] = article.kind
        if article.title and not self.has_nav_title and "title" not in self.meta:
            self.title = article.title
            if not self.is_homepage:
                # Material prints this title as it is. Without it, Material would apply `striptags`
                # to the title of the page, which also undoes the escaping.
                self.meta["title"] = article.title

    def take_content(self, last: HandbookPage | None) -> bool:
        """Take the content and metadata from the page of the last build, if both are the same.

        Returns whether they are. The macros of a page can do anything, so they run in each build.
        """
        build, document = self.build, self.build.find_document(self.file)
        if document:
            metadata = build.make_metadata(self, document)
            if metadata["render_macros"]:
                return False
            self.inputs = document, build.find_body(document), metadata
        else:
            self.inputs = (self.file.content_string,)
        if last is None or last.inputs is None or not is_same(last.inputs, self.inputs):
            return False
        self.markdown = last.markdown
        self.article = build.find_article(self)
        if self.article is not last.article:
            return False
        build.findings += self.article.findings
        self.meta, self.content, self.toc = dict(last.meta), last.content, last.toc
        self.title, self.present_anchor_ids = last.title, last.present_anchor_ids
        self.update_date = build.last_change
        return True


def _nest(headings: Iterable[TocEntry]) -> list[Any]:
    """Return the headings as a tree, in the form that MkDocs needs for a table of contents."""
    top: list[Any] = []
    open_tokens: list[Any] = []
    for heading in headings:
        token = {"level": heading.level, "id": heading.id, "name": heading.html, "children": []}
        while open_tokens and open_tokens[-1]["level"] >= heading.level:
            open_tokens.pop()
        (open_tokens[-1]["children"] if open_tokens else top).append(token)
        open_tokens.append(token)
    return top


def add_files(build: Build, files: Files, config: MkDocsConfig) -> None:
    """Add the files of the record folders, and the generated files, to the files of docs/."""
    for file in files:
        if file.src_dir == config.docs_dir:
            file.edit_uri = _quote_path(f"{DOCS}/{file.src_uri}", config)
            if isinstance(build.find_document(file), Record):
                # The menu and the index of its kind link to the record.
                file.inclusion = InclusionLevel.NOT_IN_NAV
    added = (
        *_mount_records(build, config),
        *_make_generated(build, config),
        *_make_markdown(build, config, files),
        *_make_provided(build, config, files),
    )
    for file in added:
        files.append(file)
    titles = dict(_read_nav_titles(config.nav or ()))
    for file in files.documentation_pages():
        document = build.find_document(file)
        # Python-Markdown renders the pages with `markdown: material`.
        if not (isinstance(document, Page) and document.markdown):
            HandbookPage(titles.get(file.src_uri), file, config, build)


def _quote_path(path: str, config: MkDocsConfig) -> str:
    """Return the path of a file for its edit link.

    MkDocs puts the path into the address as it is, so that `#` and `?` would cut it. If the
    template has a field such as `{path!q}`, MkDocs quotes the path itself.
    """
    fields = string.Formatter().parse(str(config.edit_uri_template or ""))
    is_quoted_by_template = any(conversion == "q" for _, _, _, conversion in fields)
    return path if is_quoted_by_template else quote(path)


def _read_nav_titles(nav: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Yield the path and the title of each page that has a title in the setting `nav`."""
    for entry in nav:
        for title, value in entry.items() if isinstance(entry, dict) else ():
            if isinstance(value, str):
                yield value, title
            else:
                yield from _read_nav_titles(value or ())


def _mount_records(build: Build, config: MkDocsConfig) -> Iterator[File]:
    handbook = build.assembly.handbook
    folders = tuple(f"{folder}/" for folder in MOUNTED)
    provided, documents = handbook.provided, handbook.documents
    for path in (*documents, *sorted(handbook.attachments)):
        if path in provided or not path.startswith(folders):
            continue
        file = File(path, str(handbook.root), config.site_dir, config.use_directory_urls)
        file.edit_uri = _quote_path(path, config)
        if isinstance(documents.get(path), Record):
            file.inclusion = InclusionLevel.NOT_IN_NAV
        yield file


def _make_generated(build: Build, config: MkDocsConfig) -> Iterator[File]:
    assembly = build.assembly
    metadata = f"---\n{yaml.safe_dump(dict(SERVICE_PAGE_METADATA))}---\n"
    pages: dict[str, str | bytes]
    pages = {alert_page_path(alert): f"# {alert.name}\n" for alert in assembly.handbook.alerts}
    pages |= dict.fromkeys(assembly.service_pages, metadata)
    pages |= dict.fromkeys(assembly.rule_pages, "")
    for name, content in {**assembly.files(), **pages}.items():
        file = File.generated(config, name, content=content)
        file.inclusion = InclusionLevel.NOT_IN_NAV
        if isinstance(page := assembly.service_pages.get(name), ServiceFile):
            file.edit_uri = _quote_path(page.path, config)
        yield file


def _make_markdown(build: Build, config: MkDocsConfig, files: Files) -> Iterator[File]:
    """Yield the Markdown of the pages, under source names that MkDocs takes for no page.

    A file of the repository with the same address, such as its own `llms.txt`, stays.
    """
    present = {file.dest_uri for file in files}
    for name, content in build.assembly.markdown().items():
        if name in present:
            continue
        file = File.generated(config, f"{name}.generated.txt", content=content)
        file.dest_uri = name
        file.inclusion = InclusionLevel.NOT_IN_NAV
        yield file


def _make_provided(build: Build, config: MkDocsConfig, files: Files) -> Iterator[File]:
    """Yield a file for each page that the repository lacks, and that no other plugin has added."""
    handbook = build.assembly.handbook
    for file in list(files):
        if f"{DOCS}/{file.src_uri}" in handbook.provided:
            files.remove(file)  # The setting `exclude_docs` excludes this file.
    present = {file.dest_uri for file in files}
    for path in sorted(handbook.provided):
        name = handbook.source_uri(path)
        file = File.generated(config, name, content=handbook.documents[path].source.text)
        if file.dest_uri not in present:
            nav = handbook.settings.nav
            is_listed = file.name == "index" if nav is None else name in nav
            file.inclusion = InclusionLevel.INCLUDED if is_listed else InclusionLevel.NOT_IN_NAV
            yield file


def place_records(build: Build, nav: Navigation, files: Files) -> None:
    """Put each record, alert and team into the section of the navigation that holds its index.

    The theme needs this for the breadcrumbs and for the active tab.
    """
    sections = _find_sections(nav)
    for file in files.documentation_pages():
        folder = file.src_uri.split("/")[0]
        is_generated = (
            folder == "alerts"
            or file.src_uri in build.assembly.service_pages
            or f"{DOCS}/{file.src_uri}" in build.assembly.handbook.provided
        )
        if file.page and (isinstance(build.find_document(file), Record) or is_generated):
            file.page.parent = file.page.parent or sections.get(
                "runbooks" if folder == "alerts" else folder
            )
    reference = files.get_file_from_path("reference/rules.md")
    for path in build.assembly.rule_pages:
        family = files.get_file_from_path(path)
        if family and family.page and reference and reference.page:
            family.page.parent = family.page.parent or reference.page.parent


def name_sections(nav: Navigation) -> None:
    """Name the sections of the record folders as their indexes, and put them first.

    Call this only if mkdocs.yml has no navigation, so that MkDocs has made it from the folders.
    """
    sections = _find_sections(nav)
    titles = {kind.folder.removeprefix(f"{DOCS}/"): kind.list_title for kind in RECORDS}
    first = [sections[folder] for folder in titles if folder in sections]
    for folder in titles.keys() & sections.keys():
        sections[folder].title = titles[folder]
    home = [item for item in nav.items if isinstance(item, SitePage) and item.is_homepage]
    others = [item for item in nav.items if item not in (*home, *first)]
    nav.items[:] = [*home, *(item for item in first if item in nav.items), *others]


def _find_sections(nav: Navigation) -> Mapping[str, Section]:
    """Return the sections of the navigation, by the path of the folder whose index they hold."""
    return {
        posixpath.dirname(page.file.src_uri): page.parent
        for page in nav.pages
        if page.file.name == "index" and isinstance(page.parent, Section)
    }


def escape_navigation(items: Iterable[StructureItem]) -> None:
    """Escape the titles and the external addresses in the navigation.

    Material's templates print both as they are.
    """
    for item in items:
        if isinstance(item, NavLink):
            item.url = escape(item.url)
        if item.title:
            item.title = escape(item.title)
        escape_navigation(getattr(item, "children", None) or ())
