"""What a preview keeps from one build to the next, so that a build writes only what has changed.

The preview is built with `dirty`, with which MkDocs skips each file that is not modified. MkDocs
compares the times of files, which says nothing about the indexes and backlinks that an edit
changes. Here a file is modified if what it is written from has changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from types import CodeType
from typing import Any, Final, NamedTuple

import jinja2
from jinja2.bccache import Bucket
from mkdocs.commands.build import get_context
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure import StructureItem
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as SitePage
from mkdocs.structure.toc import AnchorLink
from mkdocs.utils import clean_directory

from handbook.engines.check import page_address
from handbook.engines.mounting import HandbookPage
from handbook.engines.state import Build
from handbook.handbook import Handbook
from handbook.loading import LoadedFiles, load
from handbook.settings import Settings
from handbook.site.assembly import Assembly
from handbook.site.kept_assembly import KeptAssembly
from handbook.site.tracing import Tracer

_KNOWN_PLUGINS: Final = frozenset({"handbook", "macros"})
"""Plugins that change no page after its content is there, or only pages with macros."""


class Stamp(NamedTuple):
    """What tells that a file has changed, without reading it."""

    modified: int
    changed: int
    size: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """Return the stamp of a file from its status."""
        return cls(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


class CompiledTemplates(jinja2.BytecodeCache):
    """The compiled templates of themes. A changed template is compiled again.

    Each build makes a new environment for its theme.
    """

    def __init__(self) -> None:
        self.codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Set the code of a template if it is known."""
        bucket.code = self.codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        if bucket.code:
            self.codes[bucket.key, bucket.checksum] = bucket.code


@dataclass(frozen=True)
class _WholeBuild:
    """The parts of a build that a page is rendered with."""

    assembly: Assembly
    config: MkDocsConfig
    files: Files
    nav: Navigation
    env: jinja2.Environment


@dataclass
class KeptBuild:
    """The values that a preview keeps: parsed files, articles, and what each file is made from.

    A failed build forgets only the files that it was about to write, because they can be
    incomplete. The next build writes these, and all other files that differ from the site.
    """

    loaded: LoadedFiles = field(default_factory=LoadedFiles)
    shown: Handbook | None = None
    """The handbook whose pages `show_pages` has written, until the next build takes it."""
    tracer: Tracer = field(default_factory=Tracer)
    settings: Settings | None = None
    states: dict[str, Any] = field(default_factory=dict)
    """What each file of the site is made from. It is empty if the site must be cleaned."""
    new_states: dict[str, Any] = field(default_factory=dict)
    """What the files are made from that the current build writes."""
    outputs: set[str] = field(default_factory=set)
    """All files of the current build but the redirects, relative to the site."""
    redirects: set[str] = field(default_factory=set)
    """The redirects of the current build, relative to the site."""
    templates: CompiledTemplates = field(default_factory=CompiledTemplates)
    pages: dict[str, HandbookPage] = field(default_factory=dict)
    """The pages of the last build that has made the content of every page, by source."""
    last: _WholeBuild | None = None
    """The last build that has written the whole site."""
    current: _WholeBuild | None = None
    assembly: Assembly | None = None
    config: MkDocsConfig | None = None
    files: Files | None = None
    nav: Navigation | None = None
    are_pages_known: bool = False
    context: Any = None

    @property
    def written_files(self) -> list[str]:
        """The files that the current build has written, relative to the site."""
        return list(self.new_states)

    def take_handbook(self) -> Handbook | None:
        """Return the handbook that `show_pages` has just loaded, so that a build need not load it.

        If a file changes after this load, the watcher starts another build.
        """
        handbook, self.shown = self.shown, None
        return handbook

    def start(self, assembly: Assembly) -> Assembly:
        """Start a build, and return the assembly that keeps its articles."""
        self.new_states = {}
        self.current, self.assembly = None, assembly
        if assembly.handbook.settings is not self.settings:
            self.settings = assembly.handbook.settings
            self.tracer = Tracer()
            self.states, self.pages = {}, {}
            self.templates = CompiledTemplates()
        return KeptAssembly.trace(assembly, self.tracer)

    def watch_files(
        self, build: Build, nav: Navigation, files: Files, config: MkDocsConfig
    ) -> None:
        """Let MkDocs skip each file that is made from the same as in the last build."""
        self.nav, self.files, self.config = nav, files, config
        self.are_pages_known = _are_pages_known(config)
        for file in files:
            file.is_modified = partial(  # type: ignore[method-assign]
                self.is_modified, build, file
            )

    def start_writing(self, env: jinja2.Environment) -> None:
        """Note that MkDocs has rendered the content of every page, and writes files from now on."""
        env.bytecode_cache = self.templates
        if self.assembly and self.config and self.files and self.nav:
            self.current = _WholeBuild(self.assembly, self.config, self.files, self.nav, env)
            # Some titles are known only after the macros of their page have run.
            titles = tuple(_list_titles(self.nav.items))
            context = self.config.extra["handbook_site"], titles
            if context != self.context:  # The same object is quick to compare for each page.
                self.context = context
            self.pages = {
                file.src_uri: file.page
                for file in self.files
                if isinstance(file.page, HandbookPage)
            }
            if not self.states:
                clean_directory(self.config.site_dir)
            self.remove_old_files(Path(self.config.site_dir), self.assembly, self.files)

    def is_modified(self, build: Build, file: File) -> bool:
        """Tell MkDocs whether to make the content of a page, and later whether to write a file."""
        if self.current is None:
            page = file.page
            return not (
                self.are_pages_known
                and isinstance(page, HandbookPage)
                and page.take_content(self.pages.get(file.src_uri))
            )
        state = self.find_state(build, file)
        if state == self.states.get(file.dest_uri):
            return False
        self.states.pop(file.dest_uri, None)
        self.new_states[file.dest_uri] = state
        return True

    def find_state(self, build: Build, file: File) -> Any:
        """Return what a file of the site is made from."""
        if page := file.page:
            return _describe_page(build, page, self.context) if self.are_pages_known else object()
        if file.generated_by:
            return file.content_bytes
        return file.abs_src_path, Stamp.of(Path(file.abs_src_path or "").stat())

    def remove_old_files(self, site: Path, assembly: Assembly, files: Files) -> None:
        """Remove the files of earlier builds that this build has not, and folders without files.

        This is done before the files of this build are written, because a file can have the name
        of an old folder, and a redirect the name of an old page.
        """
        outputs = {file.dest_uri for file in files}
        redirects = {
            f"{old.strip('/')}/index.html"
            for document in assembly.handbook.documents.values()
            for old in document.moved_from
        }
        for name in (self.outputs | (self.redirects - redirects)) - outputs:
            (site / name).unlink(missing_ok=True)
            self.states.pop(name, None)
            for folder in PurePosixPath(name).parents[:-1]:
                with suppress(OSError):  # A folder with other files stays.
                    (site / folder).rmdir()
        self.outputs, self.redirects = outputs, redirects

    def finish(self) -> None:
        """Note that the build has written the whole site."""
        self.states |= self.new_states
        self.last = self.current

    def show_pages(self, root: Path, paths: Iterable[str]) -> list[str]:
        """Write the pages of changed documents at once, with the parts of the last whole build.

        Returns the addresses of these pages. Their links, facts and menu are right. Until the
        next build, they show the findings and the output of macros of the last build. A page that
        the site lacks, because a failed build has removed it, is left to the next build.
        """
        site, self.shown = self.last, None
        if site is None:
            return []
        handbook = self.shown = load(root, self.loaded)
        old = site.assembly
        if handbook.settings is not old.handbook.settings:
            return []
        assembly = Assembly(handbook, old.report, old.commit, old.changes, True, old.decision_texts)
        build = Build(assembly)
        addresses = []
        for path in paths:
            document = handbook.documents.get(path)
            file = site.files.get_file_from_path(handbook.source_uri(path))
            if not (document and file and isinstance(file.page, HandbookPage)):
                continue
            if Path(file.abs_dest_path).is_file():
                self.states.pop(file.dest_uri, None)
                self.pages.pop(file.src_uri, None)
                _write_page(site, build, file.page)
                addresses.append(file.url)
        return addresses


def _are_pages_known(config: MkDocsConfig) -> bool:
    """Tell whether a page depends only on what `_describe_page` returns.

    Other plugins, hooks and templates can put anything on a page.
    """
    macros = config.plugins.get("macros")
    return (
        config.theme.name == "material"
        and not config.hooks
        and {name.rpartition("/")[2] for name in config.plugins} <= _KNOWN_PLUGINS
        and not config.theme.custom_dir
        and not (macros and (macros.pre_macro_functions or macros.post_macro_functions))
    )


def _describe_page(build: Build, page: SitePage, context: Any) -> tuple[Any, ...]:
    """Return everything that the theme shows on a page."""
    # The headings of an article are quicker to compare. They make the table of contents.
    article = page.article if isinstance(page, HandbookPage) else None
    neighbours = [
        (item.title, item.url) if item else None for item in (page.previous_page, page.next_page)
    ]
    return (
        context,
        page.content,
        article.headings if article else tuple(_list_entries(page.toc)),
        dict(page.meta) | {"menu": build.assembly.menus.find_menu(page_address(page))},
        page.title,
        page.edit_url,
        page.update_date,
        page.file.inclusion,
        [ancestor.title for ancestor in page.ancestors],
        neighbours,
    )


def _list_titles(items: Iterable[StructureItem]) -> Iterator[tuple[Any, ...]]:
    """Yield the titles and addresses of the navigation."""
    for item in items:
        children = getattr(item, "children", None) or ()
        yield item.title, getattr(item, "url", None), tuple(_list_titles(children))


def _list_entries(toc: Iterable[AnchorLink]) -> Iterator[tuple[Any, ...]]:
    """Yield the entries of a table of contents."""
    for entry in toc:
        yield entry.level, entry.id, entry.title, tuple(_list_entries(entry.children))


def _write_page(site: _WholeBuild, build: Build, page: HandbookPage) -> None:
    """Render a page as a build does, and write it."""
    config, plugins = site.config, site.config.plugins
    plugin: Any = plugins["handbook"]
    last_build, plugin.build = plugin.build, build
    try:
        page.renew(build)
        page.read_source(config)
        page.markdown = plugins.on_page_markdown(
            page.markdown or "", page=page, config=config, files=site.files
        )
        page.render(config, site.files)
        page.content = plugins.on_page_content(
            page.content or "", page=page, config=config, files=site.files
        )
        page.active = True
        try:
            context = get_context(site.nav, site.files, config, page)
            template = site.env.get_template(page.meta.get("template", "main.html"))
            context = plugins.on_page_context(context, page=page, config=config, nav=site.nav)
            html = plugins.on_post_page(template.render(context), page=page, config=config)
        finally:
            page.active = False
        output = Path(page.file.abs_dest_path)
        new = output.with_name(f"{output.name}.new")
        new.write_bytes(html.encode("utf-8", "xmlcharrefreplace"))
        new.replace(output)
    finally:
        plugin.build = last_build
