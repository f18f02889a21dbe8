"""The files, pages and navigation of MkDocs."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from markupsafe import escape
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure import StructureItem
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation, Section
from mkdocs.structure.pages import Page as SitePage
from mkdocs.structure.toc import get_toc

from handbook.engines.state import Build
from handbook.reading.render import TocEntry
from handbook.records import Page, Record
from handbook.records.kinds import MOUNTED
from handbook.settings import DOCS
from handbook.site.assembly import alert_source


class HandbookPage(SitePage):
    """A page whose HTML the handbook makes from the tree that was checked, not Python-Markdown."""

    def __init__(self, title: str | None, file: File, config: MkDocsConfig, build: Build) -> None:
        super().__init__(title, file, config)  # registers the page with its file
        self.build = build
        self.named_in_nav = title is not None
        if title is None and (own_title := build.title(self)) is not None:
            self.title = own_title

    def render(self, config: MkDocsConfig, files: Files) -> None:
        """Make the content, the table of contents and the anchors of the page."""
        article = self.build.article(self)
        self.content = article.html
        if not article.in_search:
            self.content = f'<div data-pagefind-ignore="all">{article.html}</div>'
        self.toc = get_toc(_nested(article.headings))
        self.present_anchor_ids = set(article.ids)
        if article.title and not self.named_in_nav and "title" not in self.meta:
            self.title = article.title
            if not self.is_homepage:
                self.meta["title"] = (
                    article.title
                )  # which Material prints as it is; it would print the other unescaped


def _nested(headings: Iterable[TocEntry]) -> list[Any]:
    """The headings as MkDocs wants them: each with those below it."""
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
    """Mount the folders of records beside the pages, and add the generated files."""
    for file in files:
        if file.src_dir == config.docs_dir:
            file.edit_uri = f"{DOCS}/{file.src_uri}"
            if config.nav and isinstance(build.document(file), Record):
                file.inclusion = InclusionLevel.NOT_IN_NAV  # the index of its kind leads to it
    for file in (*_mounted(build, config), *_generated(build, config)):
        files.append(file)
    titles = dict(_nav_titles(config.nav or ()))
    for file in files.documentation_pages():
        document = build.document(file)
        if not (isinstance(document, Page) and document.markdown):  # which Python-Markdown renders
            HandbookPage(titles.get(file.src_uri), file, config, build)


def _nav_titles(nav: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """The titles that the setting `nav` gives to sources."""
    for entry in nav:
        for title, value in entry.items() if isinstance(entry, dict) else ():
            if isinstance(value, str):
                yield value, title
            else:
                yield from _nav_titles(value or ())


def _mounted(build: Build, config: MkDocsConfig) -> Iterator[File]:
    handbook = build.assembly.handbook
    for path in (*handbook.documents, *sorted(handbook.attachments)):
        if not path.startswith(tuple(f"{folder}/" for folder in MOUNTED)):
            continue
        file = File(path, str(handbook.root), config.site_dir, config.use_directory_urls)
        if isinstance(handbook.documents.get(path), Record):
            file.inclusion = InclusionLevel.NOT_IN_NAV
        yield file


def _generated(build: Build, config: MkDocsConfig) -> Iterator[File]:
    alerts = {alert_source(alert): f"# {alert.name}\n" for alert in build.assembly.handbook.alerts}
    for name, content in {**build.assembly.files(), **alerts}.items():
        file = File.generated(config, name, content=content)
        file.inclusion = InclusionLevel.NOT_IN_NAV
        yield file


def place_records(build: Build, nav: Navigation, files: Files) -> None:
    """Put each record below the section of its index, for breadcrumbs and the active tab."""
    sections = _sections(nav)
    for file in files.documentation_pages():
        folder = file.src_uri.split("/")[0]
        if file.page and (isinstance(build.document(file), Record) or folder == "alerts"):
            file.page.parent = file.page.parent or sections.get(
                "runbooks" if folder == "alerts" else folder
            )


def _sections(nav: Navigation) -> Mapping[str, Section]:
    """The section of the navigation that holds the index of a folder, by the folder's path."""
    return {
        posixpath.dirname(page.file.src_uri): page.parent
        for page in nav.pages
        if page.file.name == "index" and isinstance(page.parent, Section)
    }


def escape_titles(items: Iterable[StructureItem]) -> None:
    """Make HTML of every title in the navigation, which Material's templates print as it is."""
    for item in items:
        if item.title:
            item.title = escape(item.title)
        escape_titles(getattr(item, "children", None) or ())
