"""The plugin of MkDocs: it mounts what the assembly yields, and fails the build on errors.

The plugin wires the events of MkDocs to the modules that do the work. The state of a build is one
`Build`, made in `on_config`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, Final, Literal

import click
from markupsafe import escape
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort, BuildError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, event_priority, get_plugin_logger
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as SitePage

from handbook.engines import check, macros, mounting
from handbook.engines.errors import describe_error
from handbook.engines.state import Build
from handbook.records import Page
from handbook.records.kinds import MOUNTED
from handbook.reporters.text import text
from handbook.site import finish
from handbook.site.assembly import Assembly
from handbook.views.keys import SEARCHED

_THEME: Final = Path(finish.__file__).parent / "theme"
_log = get_plugin_logger("handbook")


class HandbookPluginConfig(Config):
    """The plugin has no options: the settings are under `extra.handbook`."""


class HandbookPlugin(BasePlugin[HandbookPluginConfig]):
    """The plugin `handbook`."""

    is_preview: bool = False
    build: Build | None = None

    @property
    def current_build(self) -> Build:
        """The build at work. Raises RuntimeError before `on_config`."""
        if self.build is None:
            raise RuntimeError("the plugin 'handbook' has not been configured")
        return self.build

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Remember whether this is a preview, which goes on whatever the check finds."""
        self.is_preview = command == "serve"

    @event_priority(
        100
    )  # before mkdocs-macros, which reads its settings then, and calls the modules of macros
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Load and check the handbook.

        Raises click.ClickException with every finding where one is an error.
        """
        self.on_shutdown()
        start = time.monotonic()
        checked = check.check_handbook(config.config_file_path, is_preview=self.is_preview)
        if not self.is_preview:
            checked.stop_on_errors()
        if checked.report.findings:
            sys.stderr.write(text(checked.report))
        handbook = checked.handbook
        records, pages = len(handbook.records), len(handbook.of(Page))
        _log.info(
            "checked %s records and %s pages in %.1f s", records, pages, time.monotonic() - start
        )
        self.build = Build(Assembly.of(handbook, checked.report, is_preview=self.is_preview))
        for key in ("site_name", "site_description", "site_author"):
            config[key] = config[key] and escape(
                config[key]
            )  # Material's templates print them as they are
        config.extra["handbook_site"] = {
            "commit": self.build.assembly.commit,
            "kinds": list(SEARCHED),
        }
        config.theme.dirs.insert(0, str(_THEME))
        config.extra_css[:0] = finish.STYLES
        config.extra_javascript.append(
            finish.SCRIPTS[0]
        )  # which loads the others when they are needed
        if plugin := config.plugins.get("macros"):
            macros.set_up(plugin, handbook)
        return config

    def on_pre_build(self, *, config: MkDocsConfig) -> None:
        """Register the macros of the engine that no module of the repository defines."""
        build = self.current_build
        if plugin := config.plugins.get("macros"):
            macros.register(plugin, build.assembly.handbook)
            macros.catch_errors(plugin, lambda error: build.report_error(plugin.page, error))
            return
        callers = [page.path for page in build.assembly.handbook.of(Page) if page.render_macros]
        if callers and not self.is_preview:
            raise click.ClickException(
                f"{callers[0]}: no plugin 'macros' in mkdocs.yml; add '- macros' to 'plugins'"
            )

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Mount the folders of records beside the pages, and add the generated files."""
        mounting.add_files(self.current_build, files, config)
        return files

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:
        """Place each record in the navigation."""
        mounting.escape_titles(nav.items)
        mounting.place_records(self.current_build, nav, files)
        return nav

    def on_page_read_source(self, *, page: SitePage, config: MkDocsConfig) -> str | None:
        """Give MkDocs the body that was checked, with the few keys that MkDocs itself knows."""
        document = self.current_build.document(page.file)
        return self.current_build.source(page, document) if document else None

    def on_page_markdown(
        self, markdown: str, *, page: SitePage, config: MkDocsConfig, files: Files
    ) -> str:
        """Escape the titles, which Material prints as they are, and date the page by Git.

        MkDocs dates every page, by default with the day of the build. It gets the day of the last
        commit.
        """
        for key in page.meta.keys() & {"title", "description"}:
            page.meta[key] = escape(page.meta[key])
        # mkdocs-macros has already set a title with braces.
        page.title = page.title and escape(page.title)
        page.update_date = self.current_build.last_change
        return markdown

    @event_priority(100)  # before any plugin that changes the page
    def on_page_content(
        self, html: str, *, page: SitePage, config: MkDocsConfig, files: Files
    ) -> str:
        """Add what is known of a page around its text, where Python-Markdown has rendered it."""
        document = self.current_build.document(page.file)
        if isinstance(page, mounting.HandbookPage) or document is None:
            return html
        html, unsafe = self.current_build.assembly.surround(document, html)
        self.current_build.findings += unsafe
        return html

    def on_env(self, env: Any, *, config: MkDocsConfig, files: Files) -> Any:
        """Stop the build before anything is written where a macro failed, or a page is unsafe."""
        report = self.current_build.report
        if report.findings and not self.is_preview:
            raise click.ClickException(f"pages cannot be published\n{text(report)}")
        if report.findings:
            sys.stderr.write(text(report))
        return env

    @event_priority(-100)  # after any plugin that writes pages
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Finish the site: content policy, redirects and search index.

        Raises click.ClickException where that fails, and where a page runs a foreign script.

        A preview gets no content policy, since it reloads by a script of MkDocs'; its text is
        indexed meanwhile.
        """
        site, handbook = Path(config.site_dir), self.current_build.assembly.handbook
        start = time.monotonic()
        _log.info("built in %.1f s", start - self.current_build.start)
        try:
            if self.is_preview:
                finish.write_redirects(site, handbook)
                self.current_build.indexing = finish.start_indexing(site)
                return
            finished = finish.finish(site, handbook)
        except finish.FinishError as error:
            raise click.ClickException(str(error)) from error
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
        """Stop the indexing of a preview that ends or is built again."""
        if self.build and self.build.indexing:
            with self.build.indexing as process:
                process.kill()
            self.build.indexing = None

    def on_build_error(self, *, error: Exception) -> None:
        """Report errors of macros, and I/O errors (full disk, no permission), as one line."""
        if self.build is None or isinstance(error, click.ClickException | BuildError):
            return
        if macros.comes_from_macros(error):
            raise click.ClickException(
                describe_error(error, self.build.assembly.handbook.root, "macros failed")
            ) from error
        if isinstance(error, OSError) and not self.is_preview:
            at = f" ({error.filename})" if error.filename else ""
            raise click.ClickException(
                f"the site cannot be written: {error.strerror}{at}"
            ) from error

    def on_serve(
        self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Any
    ) -> LiveReloadServer:
        """Rebuild when a record changes, and print an error of a rebuild as one line."""
        root = self.current_build.assembly.handbook.root
        for folder in MOUNTED:
            if (root / folder).is_dir():
                server.watch(str(root / folder))

        def rebuild() -> None:
            try:
                builder()
            except click.ClickException:
                raise
            except Exception as error:
                raise click.ClickException(
                    describe_error(error, root, "a plugin or hook failed")
                ) from error

        def rebuild_or_report() -> None:
            try:
                rebuild()
            except click.ClickException as error:
                raise Abort(
                    error.format_message()
                ) from error  # which the server prints, without a traceback

        server.builder = rebuild_or_report
        return server
