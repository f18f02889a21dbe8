"""The files of the site, records and generated files among them, and the place of each record in the navigation."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation, Section
from mkdocs.structure.pages import Page as SitePage

from handbook.engines.pages import HandbookPage
from handbook.engines.state import Build
from handbook.records import Page, Record
from handbook.records.kinds import MOUNTED
from handbook.settings import DOCS
from handbook.views import api
from handbook.views.feed import feed
from handbook.views.keys import keys

_ALERTS: Final = "alerts"


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
        if isinstance(document, Page) and document.markdown:
            continue  # rendered by Python-Markdown
        title = titles.get(file.src_uri)
        if title is None:
            title = build.title(document, is_homepage=file.url in (".", "./")) if document else file.name
        HandbookPage(title, file, config, build.render)  # registers itself with its file


def _nav_titles(nav: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """The titles that the setting `nav` gives to sources."""
    for entry in nav:
        for title, value in entry.items() if isinstance(entry, dict) else ():
            if isinstance(value, str):
                yield value, title
            else:
                yield from _nav_titles(value or ())


def _mounted(build: Build, config: MkDocsConfig) -> Iterator[File]:
    handbook = build.handbook
    for path in (*handbook.documents, *sorted(handbook.attachments)):
        if not path.startswith(tuple(f"{folder}/" for folder in MOUNTED)):
            continue
        file = File(path, str(handbook.root), config.site_dir, config.use_directory_urls)
        if isinstance(handbook.documents.get(path), Record):
            file.inclusion = InclusionLevel.NOT_IN_NAV
        yield file


def _generated(build: Build, config: MkDocsConfig) -> Iterator[File]:
    for name, content in _contents(build).items():
        file = File.generated(config, name, content=content)
        file.inclusion = InclusionLevel.NOT_IN_NAV
        yield file


def _contents(build: Build) -> Mapping[str, str]:
    """The generated files by name; the build writes the articles of alerts."""
    handbook = build.handbook
    alerts = {f"{_ALERTS}/{alert.name}.md": f"# {alert.name}\n" for alert in handbook.alerts}
    return api.files(handbook, build.commit) | alerts | keys(handbook) | {"feed.xml": feed(handbook)}


def place_records(build: Build, nav: Navigation, files: Files, config: MkDocsConfig) -> None:
    """Place each record below the section of its index: for the breadcrumb and the tab that is shown as active."""
    sections = _sections(nav)
    for file in files.documentation_pages():
        folder = file.src_uri.split("/")[0]
        if not isinstance(build.document(file), Record) and folder != _ALERTS:
            continue
        page = file.page or SitePage(None, file, config)
        page.parent = page.parent or sections.get("runbooks" if folder == _ALERTS else folder)


def _sections(nav: Navigation) -> Mapping[str, Section]:
    """The section of the navigation that holds the index of a folder, by the folder's path."""
    return {
        posixpath.dirname(page.file.src_uri): page.parent
        for page in nav.pages
        if page.file.name == "index" and isinstance(page.parent, Section)
    }
