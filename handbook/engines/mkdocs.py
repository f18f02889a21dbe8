"""MkDocs plugin `handbook`: add the articles and files of the assembly, and stop on errors.

The plugin only connects the events of MkDocs to the modules that do the work. The event `on_config`
creates a `Build`, which holds the state of one build.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import click
from markupsafe import escape
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort
from mkdocs.exceptions import BuildError as MkDocsBuildError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, event_priority, get_plugin_logger
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as SitePage

from handbook.engines import check, macros, mounting
from handbook.engines.errors import BuildError, as_build_error, describe_error
from handbook.engines.kept import KeptBuild
from handbook.engines.state import Build
from handbook.records import Page
from handbook.records.kinds import MOUNTED
from handbook.reporters.text import escape_lines, escape_unprintable, text
from handbook.site import finish
from handbook.site.assembly import Assembly
from handbook.views.home import list_contacts, list_nested_sites
from handbook.views.keys import SEARCHED
from handbook.views.notice import notice

_THEME: Final = Path(finish.__file__).parent / "theme"
_COLOURS: Final = {"primary": "custom", "accent": "custom"}
_PALETTES: Final[tuple[Mapping[str, Any], ...]] = (
    {
        "media": "(prefers-color-scheme)",
        "toggle": {"icon": "material/brightness-auto", "name": "Switch to light"},
    },
    {
        "media": "(prefers-color-scheme: light)",
        "scheme": "default",
        "toggle": {"icon": "material/weather-sunny", "name": "Switch to dark"},
    },
    {
        "media": "(prefers-color-scheme: dark)",
        "scheme": "slate",
        "toggle": {"icon": "material/weather-night", "name": "Follow the system"},
    },
)
"""Palettes that apply if mkdocs.yml sets none."""
_FEATURES: Final = (
    "content.action.edit",
    "content.code.copy",
    "navigation.indexes",
    "navigation.path",
    "navigation.tabs",
    "navigation.top",
    "toc.follow",
)
"""Features of Material that apply if mkdocs.yml sets none."""
_EXTENSIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "abbr": {},
    "admonition": {},
    "attr_list": {},
    "def_list": {},
    "footnotes": {},
    "md_in_html": {},
    "sane_lists": {},
    "toc": {"permalink": True},
    "pymdownx.details": {},
    "pymdownx.highlight": {"anchor_linenums": False},
    "pymdownx.quotes": {"callouts": True},
    "pymdownx.superfences": {},
    "pymdownx.tabbed": {"alternate_style": True},
}
"""Extensions of Python-Markdown that apply if mkdocs.yml has no `markdown_extensions`.

They render only pages with `markdown: material`.
"""
_log = get_plugin_logger("handbook")


class HandbookPluginConfig(Config):
    """Empty configuration, because the settings of the handbook are under `extra.handbook`."""


class HandbookPlugin(BasePlugin[HandbookPluginConfig]):
    """MkDocs plugin with the name `handbook`."""

    is_preview: bool = False
    outer_url: str | None = None
    """The address of the site in which this one is nested, or None."""
    build: Build | None = None
    kept: KeptBuild | None = None
    """What a preview keeps from build to build. MkDocs must then build with `dirty`."""

    @property
    def current_build(self) -> Build:
        """State of the current build. Raises RuntimeError before the event `on_config`."""
        if self.build is None:
            raise RuntimeError("the plugin 'handbook' has no build before the event on_config")
        return self.build

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Remember whether this is a preview, because findings do not stop a preview."""
        self.is_preview = command == "serve"
        if not self.is_preview:
            # A build keeps millions of objects until it ends. With the default thresholds, Python
            # would spend 5 % of the time on searching them for garbage.
            gc.set_threshold(200_000, 50, 50)

    # The priority runs this method before mkdocs-macros reads its options and calls the macros
    # modules.
    @event_priority(100)
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Load and check the handbook, and set up the theme and mkdocs-macros.

        Raises click.ClickException with all findings if one of them is an error.
        """
        self.on_shutdown()
        if self.is_preview and not self.kept:
            # Loading excludes its objects from the search for garbage, so `mkdocs serve` would keep
            # the handbooks of all builds.
            self.build = None
            gc.unfreeze()
            gc.collect()
        start = time.monotonic()
        checked = check.check_handbook(
            config.config_file_path,
            is_preview=self.is_preview,
            loaded=self.kept.loaded if self.kept else None,
            handbook=self.kept.take_handbook() if self.kept else None,
        )
        if not self.is_preview:
            checked.stop_on_errors()
        if checked.report.findings:
            sys.stderr.write(text(checked.report))
        handbook = checked.handbook
        records = len(handbook.records)
        pages = len(handbook.of(Page)) - len(handbook.provided)
        _log.info(
            "checked %s records and %s pages in %.1f s", records, pages, time.monotonic() - start
        )
        assembly = Assembly.of(handbook, checked.report, is_preview=self.is_preview)
        if self.outer_url:
            # Git has the history of the outer handbook. Its commits do not tell when a decision of
            # the nested one was made or changed.
            assembly = replace(assembly, decision_texts={})
        self.build = Build(self.kept.start(assembly) if self.kept else assembly)
        # Material's templates print these values without escaping them.
        for key in ("site_name", "site_description", "site_author"):
            config[key] = config[key] and escape(config[key])
        config.extra["handbook_site"] = {
            "commit": self.build.assembly.commit,
            "kinds": list(SEARCHED),
            "nested": list_nested_sites(handbook),
            "notice": notice(handbook, self.outer_url),
            "report_url": handbook.settings.organisation.report_url,
            "root": handbook.settings.site_url.rstrip("/"),
            "services": list_contacts(handbook),
        }
        config.theme.dirs.insert(0, str(_THEME))
        config.theme["font"] = False  # Material's default requests fonts from another host.
        # Without a palette, Material's script reads an input that does not exist.
        palettes = [{**palette, **_COLOURS} for palette in _PALETTES]
        config.theme["palette"] = config.theme.get("palette") or palettes
        config.theme["features"] = config.theme.get("features") or list(_FEATURES)
        if handbook.settings.root_node.find("markdown_extensions") is None:
            config.markdown_extensions += [
                name for name in _EXTENSIONS if name not in config.markdown_extensions
            ]
            config.mdx_configs |= {name: dict(options) for name, options in _EXTENSIONS.items()}
        config.extra_css[:0] = finish.STYLES
        # This script loads the other scripts when a page needs them.
        config.extra_javascript.append(finish.SCRIPTS[0])
        if plugin := config.plugins.get("macros"):
            macros.set_up(plugin, handbook)
        return config

    def on_pre_build(self, *, config: MkDocsConfig) -> None:
        """Register our macros, except those that a module of the repository defines.

        Raises click.ClickException if a page calls macros and mkdocs.yml has no plugin `macros`.
        """
        build = self.current_build
        if plugin := config.plugins.get("macros"):
            macros.register_macros(plugin, build.assembly.call_macro)
            macros.catch_errors(plugin, lambda error: build.report_error(plugin.page, error))
            return
        callers = [
            page.path
            for page in build.assembly.handbook.of(Page)
            if page.render_macros and not build.assembly.is_provided(page)
        ]
        if callers and not self.is_preview:
            raise click.ClickException(
                f"{escape_unprintable(callers[0])}: no plugin 'macros' in mkdocs.yml; "
                "add '- macros' to 'plugins'"
            )

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Add the files of the record folders, and the generated files, to the files of docs/."""
        mounting.add_files(self.current_build, files, config)
        return files

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:
        """Escape the navigation, and put each record below the index of its kind."""
        if config.nav is None:
            mounting.name_sections(nav)
        mounting.escape_navigation(nav.items)
        mounting.place_records(self.current_build, nav, files)
        if self.kept:
            self.kept.watch_files(self.current_build, nav, files, config)
        return nav

    def on_page_read_source(self, *, page: SitePage, config: MkDocsConfig) -> str | None:
        """Return the checked body of a document, with front matter for MkDocs."""
        document = self.current_build.find_document(page.file)
        return self.current_build.make_source(page, document) if document else None

    def on_page_markdown(
        self, markdown: str, *, page: SitePage, config: MkDocsConfig, files: Files
    ) -> str:
        """Escape the title and the description of a page, and set its date.

        Material prints both texts without escaping them. The date of a page in MkDocs is the day of
        the build by default. It becomes the day of the last commit, so that builds are repeatable.
        """
        for key in page.meta.keys() & {"title", "description"}:
            page.meta[key] = escape(page.meta[key])
        # mkdocs-macros has already set a title with braces.
        page.title = page.title and escape(page.title)
        page.update_date = self.current_build.last_change
        return markdown

    @event_priority(100)  # This event runs before other plugins change the page.
    def on_page_content(
        self, html: str, *, page: SitePage, config: MkDocsConfig, files: Files
    ) -> str:
        """Add facts, backlinks and footer to a page that Python-Markdown has rendered."""
        document = self.current_build.find_document(page.file)
        if isinstance(page, mounting.HandbookPage) or document is None:
            return html
        html, findings = self.current_build.assembly.add_context(document, html)
        self.current_build.findings += findings
        return html

    def on_page_context(
        self, context: Any, *, page: SitePage, config: MkDocsConfig, nav: Navigation
    ) -> Any:
        """Give the menu of a page to the theme."""
        page.meta["menu"] = self.current_build.assembly.menus.find_menu(check.page_address(page))
        return context

    def on_env(self, env: Any, *, config: MkDocsConfig, files: Files) -> Any:
        """Stop the build before it writes a file, if a macro failed or if a page is unsafe."""
        report = self.current_build.report
        if report.findings and not self.is_preview:
            raise click.ClickException(f"pages cannot be published\n{text(report)}")
        if report.findings:
            sys.stderr.write(text(report))
        if self.kept:
            self.kept.start_writing(env)
        return env

    @event_priority(-100)  # This event runs after other plugins have written their pages.
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Add the content policy, the redirects and the search index to the site.

        Raises click.ClickException if this fails, or if a page runs a foreign script.

        A preview has no content policy, because MkDocs adds an inline script to it that reloads the
        pages. A separate process writes the search index of a preview. `handbook serve` starts it.
        """
        site, handbook = Path(config.site_dir), self.current_build.assembly.handbook
        start = time.monotonic()
        _log.info("built in %.1f s", start - self.current_build.start)
        try:
            if self.is_preview:
                finish.write_redirects(site, handbook)
                if not self.kept:
                    self.current_build.indexing = finish.start_indexing(site)
                return
            finished = finish.finish(site, handbook)
        except finish.FinishError as error:
            raise click.ClickException(escape_lines(str(error))) from error
        if finished.findings:
            self.current_build.findings += finished.findings
            raise click.ClickException(
                f"pages cannot be published\n{text(self.current_build.report)}"
            )
        seconds = time.monotonic() - start
        _log.info(
            "finished %s pages and %s redirects in %.1f s",
            finished.pages,
            finished.redirects,
            seconds,
        )

    def on_shutdown(self) -> None:
        """Stop the search indexing of a preview before the preview ends or is built again."""
        if self.build and self.build.indexing:
            with self.build.indexing as process:
                process.kill()
            self.build.indexing = None

    def on_build_error(self, *, error: Exception) -> None:
        """Report an error of a macro, or an I/O error (full disk, no permission), as one line."""
        if self.build is None or isinstance(error, click.ClickException | MkDocsBuildError):
            return
        if macros.comes_from_macros(error):
            raise click.ClickException(
                describe_error(error, self.build.assembly.handbook.root, "macros failed")
            ) from error
        if isinstance(error, OSError) and not self.is_preview:
            at = escape_unprintable(f" ({error.filename})") if error.filename else ""
            raise click.ClickException(
                f"the site cannot be written: {error.strerror}{at}"
            ) from error

    def on_serve(
        self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Any
    ) -> LiveReloadServer:
        """Watch the record folders of a preview, and print an error of a rebuild as one line."""
        root = self.current_build.assembly.handbook.root
        sources = {file.source for file in self.current_build.assembly.handbook.service_files}
        for folder in (*MOUNTED, *sorted(sources)):
            if (root / folder).is_dir():
                server.watch(str(root / folder))

        def rebuild() -> None:
            try:
                with as_build_error(root):
                    builder()
            except (BuildError, OSError) as error:
                # The server prints the message of Abort without a traceback.
                raise Abort(escape_lines(str(error))) from error

        server.builder = rebuild
        return server
