"""The pages of records, rendered by one converter, and half of them in a worker process where that is worth it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from markdown import Markdown
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page as SitePage
from mkdocs.structure.pages import (
    _ExtractAnchorsTreeprocessor,
    _ExtractTitleTreeprocessor,
    _RawHTMLPreprocessor,
    _RelativePathTreeprocessor,
)
from mkdocs.structure.toc import TableOfContents, get_toc
from mkdocs.utils import CountHandler

from handbook.engines import ahead
from handbook.engines.ahead import Ahead
from handbook.site.articles import Article


@dataclass(frozen=True)
class RenderedPage:
    """A page that the worker rendered, with the Markdown that it was rendered from."""

    markdown: str
    content: str
    toc: TableOfContents
    title: str | None
    anchors: set[str]
    links: dict[str, dict[str, str]]
    article: Article


class RecordPage(SitePage):
    """A page out of the navigation, rendered as MkDocs does it, but by the converter that all of them share.

    To make a converter for each takes a tenth of the time of rendering. To search raw HTML for ids takes as much, and a
    record may hold no raw HTML.
    """

    converter: Markdown
    rendered: RenderedPage | None = None

    def render(self, config: MkDocsConfig, files: Files) -> None:
        """Make the content, the table of contents and the anchors of the page from its Markdown."""
        if self.rendered and self.rendered.markdown == self.markdown:
            self._adopt(self.rendered, files)
            return
        md = self.converter.reset()
        raw_ids, anchors = _RawIds(), _ExtractAnchorsTreeprocessor(self.file, files, config)
        links, title = _RelativePathTreeprocessor(self.file, files, config), _ExtractTitleTreeprocessor()
        for processor in (raw_ids, anchors, links, title):
            processor._register(md)
        self.content = md.convert(self.markdown or "")
        self.toc = get_toc(getattr(md, "toc_tokens", []))
        self._title_from_render = title.title
        self.present_anchor_ids = anchors.present_anchor_ids | raw_ids.present_anchor_ids
        self.links_to_anchors = links.links_to_anchors

    def _adopt(self, rendered: RenderedPage, files: Files) -> None:
        """Take over what the worker rendered."""
        self.content, self.toc, self._title_from_render = rendered.content, rendered.toc, rendered.title
        self.present_anchor_ids = rendered.anchors
        links = ((files.get_file_from_path(path), anchors) for path, anchors in rendered.links.items())
        self.links_to_anchors = {file: anchors for file, anchors in links if file}

    def take_article(self, html: str) -> Article | None:
        """The article that the worker wrote around `html`; None where this process has to write it. Answers once."""
        rendered, self.rendered = self.rendered, None
        return rendered.article if rendered and rendered.content is html else None


class _RawIds(_RawHTMLPreprocessor):
    def run(self, lines: list[str]) -> list[str]:
        return super().run(lines) if any("<" in line for line in lines) else lines


class RecordPages:
    """The pages of records of one build, and the worker that renders them from the last one backwards."""

    def __init__(
        self, config: MkDocsConfig, files: Files, write_article: Callable[[RecordPage, str], Article], *, preview: bool
    ) -> None:
        self._config, self._files, self._write_article = config, files, write_article
        converter = Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs)
        self._pages = [page for file in files.documentation_pages() if isinstance(page := file.page, RecordPage)]
        self._order = {page.file.src_uri: index for index, page in enumerate(self._pages)}
        for page in self._pages:
            page.converter = converter
        self._worker: Ahead[RenderedPage] | None = None
        is_logged = preview or logging.getLogger("mkdocs").isEnabledFor(logging.DEBUG)
        if len(self._pages) >= ahead.LEAST and ahead.possible() and not is_logged:
            self._worker = Ahead(len(self._pages), self._render)

    def _render(self, index: int) -> RenderedPage | None:
        """In the worker: a rendered page; None where something was logged, which the main process has to repeat."""
        page, config, files = self._pages[index], self._config, self._files
        logger, messages = logging.getLogger("mkdocs"), CountHandler()
        logger.handlers, logger.propagate = [messages], False
        page.read_source(config)
        page.markdown = config.plugins.on_page_markdown(page.markdown or "", page=page, config=config, files=files)
        page.render(config, files)
        article = self._write_article(page, page.content or "")
        links = {file.src_uri: anchors for file, anchors in (page.links_to_anchors or {}).items()}
        title, anchors = page._title_from_render, page.present_anchor_ids or set()
        rendered = RenderedPage(page.markdown, page.content or "", page.toc, title, anchors, links, article)
        return None if messages.get_counts() else rendered

    def fetch(self, page: SitePage) -> None:
        """Give a page what the worker rendered of it, if the worker has come to it."""
        if self._worker and isinstance(page, RecordPage):
            page.rendered = self._worker.take(self._order[page.file.src_uri])

    def stop(self) -> None:
        """Stop the worker after its current page, and wait for it."""
        if self._worker:
            self._worker.end()
