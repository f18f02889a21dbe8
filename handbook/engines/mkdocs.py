"""The handbook as a plugin of MkDocs: mounts the records, adds generated pages, and fails the build on errors.

The plugin wires MkDocs' events to the modules that do the work. What one build needs is one `Build`, made in
`on_config`, so that builds in one process know nothing of each other.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import click
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import BuildError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as SitePage

from handbook.diagnostics import Report
from handbook.engines import gate, macros, mounting, setup
from handbook.engines.state import Build
from handbook.records import Page
from handbook.records.kinds import MOUNTED
from handbook.reporters.text import text
from handbook.site import finish
from handbook.views.keys import SEARCHED


class HandbookPluginConfig(Config):
    """The plugin has no options: what can be set stands under `extra.handbook`."""


class HandbookPlugin(BasePlugin[HandbookPluginConfig]):
    """The plugin `handbook`."""

    build: Build
    serving = False
    indexing: subprocess.Popen[str] | None = None

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Remember whether this is a preview, which goes on whatever the gate finds."""
        self.serving = command == "serve"

    @event_priority(100)  # before mkdocs-macros, which reads its settings then
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Load and check the handbook. Raises click.ClickException with every finding where one is an error."""
        self.on_shutdown()
        checked = gate.check(config)
        if self.serving:
            setup.set_up_preview(config)
        else:
            setup.set_up_process(strict=config.strict)
            checked.stop_on_errors()
        if checked.report.findings:
            sys.stderr.write(text(checked.report))
        self.build = Build.of(checked, preview=self.serving)
        setup.set_up_config(config, self.build.commit)
        if plugin := config.plugins.get("macros"):
            macros.set_up(plugin, checked.handbook)
        return config

    def on_pre_build(self, *, config: MkDocsConfig) -> None:
        """Register the macros of the engine that no module of the repository defines."""
        if plugin := config.plugins.get("macros"):
            macros.register(plugin, self.build.handbook)
            macros.catch_errors(plugin, lambda error: self.build.report_error(plugin.page, error))
            return
        callers = [page.path for page in self.build.handbook.of(Page) if page.render_macros]
        if callers and not self.serving:
            raise click.ClickException(f"{callers[0]}: no plugin 'macros' in mkdocs.yml; add '- macros' to 'plugins'")

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Mount the folders of records beside the pages, and add the generated files."""
        mounting.add_files(self.build, files, config)
        return files

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:
        """Place each record in the navigation."""
        setup.set_titles_as_text(nav.items)
        mounting.place_records(self.build, nav, files, config)
        return nav

    def on_page_read_source(self, *, page: SitePage, config: MkDocsConfig) -> str | None:
        """Give MkDocs the body that the gate has read, with the few keys that MkDocs itself knows."""
        document = self.build.document(page.file)
        return self.build.source(document, is_homepage=page.is_homepage) if document else None

    def on_page_markdown(self, markdown: str, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
        """Tell the sitemap when the page last changed, by Git.

        MkDocs wants a day of every page, and would take that of the build: it gets the day of the last commit.
        """
        build = self.build
        document = build.document(page.file)
        for key in page.meta.keys() & {"title", "description"}:
            page.meta[key] = setup.as_text(page.meta[key])
        page.title = setup.as_text(page.title)  # mkdocs-macros has set it by now, where a title holds braces
        page.meta["changed"] = build.changes.get(document.path) if document else None
        page.update_date = build.last_change
        return markdown

    @event_priority(100)  # before any plugin that changes the page
    def on_page_content(self, html: str, *, page: SitePage, config: MkDocsConfig, files: Files) -> str:
        """Add what is known of the record around its text."""
        article = self.build.write_article(page, html)
        self.build.unsafe += article.unsafe
        return article.html

    def on_env(self, env: Any, *, config: MkDocsConfig, files: Files) -> Any:
        """Stop the build before anything is written where a macro failed, or a page is unsafe."""
        if findings := (*self.build.macro_errors, *self.build.unsafe):
            report = text(Report(self.build.handbook.counts, findings))
            message = "macros failed" if self.build.macro_errors else "pages are not safe to publish"
            if not self.serving:
                raise click.ClickException(f"{message}\n{report}")
            sys.stderr.write(report)
        env.globals["searched"] = SEARCHED
        return env

    def on_post_page(self, output: str, *, page: SitePage, config: MkDocsConfig) -> str:
        """Give a published page its policy. A preview has none: it reloads by a script of MkDocs'."""
        return output if self.serving else finish.with_policy(output)

    def on_post_template(self, output_content: str, *, template_name: str, config: MkDocsConfig) -> str:
        """Give template-only pages, such as 404.html, their policy."""
        published = template_name.endswith(".html") and not self.serving
        return finish.with_policy(output_content) if published else output_content

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Write redirects for moved pages, then build the search index. Raises click.ClickException where one fails."""
        site = Path(config.site_dir)
        if not self.serving:
            finish.strip_comments(site / name for name in setup.ASSETS)
        try:
            finish.write_redirects(site, self.build.handbook)
            if self.serving:
                self.indexing = finish.indexing(site)  # nobody waits for it: the text is found a little later
            else:
                finish.index(site)
        except finish.TakenAddressError as error:
            raise click.ClickException(str(error)) from error
        except RuntimeError as error:
            raise click.ClickException(f"the search could not be indexed: {error}") from error

    def on_shutdown(self) -> None:
        """Stop the indexing of a preview that ends or is built again."""
        if self.indexing:
            with self.indexing:
                self.indexing.kill()
            self.indexing = None

    def on_build_error(self, *, error: Exception) -> None:
        """Report errors of macros, and I/O errors (full disk, no permission), as one line."""
        if not hasattr(self, "build"):
            return
        if isinstance(error, click.ClickException | BuildError):
            return
        if macros.comes_from_macros(error):
            raise click.ClickException(macros.failure(error, self.build.handbook.root)) from error
        if isinstance(error, OSError) and not self.serving:
            at = f" ({error.filename})" if error.filename else ""
            raise click.ClickException(f"the site cannot be written: {error.strerror}{at}") from error

    def on_serve(self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Any) -> LiveReloadServer:
        """Rebuild when a record changes."""
        root = self.build.handbook.root
        for folder in MOUNTED:
            if (root / folder).is_dir():
                server.watch(str(root / folder))
        return server
