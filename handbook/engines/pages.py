"""A page of MkDocs that the handbook renders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from markupsafe import Markup
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc

from handbook.reading.render import Rendered, TocEntry


class HandbookPage(Page):
    """A page whose HTML is made from the tree that was checked, not by Python-Markdown."""

    def __init__(
        self, title: str | None, file: File, config: MkDocsConfig, render_body: Callable[[HandbookPage], Rendered]
    ) -> None:
        super().__init__(title, file, config)
        self._has_title = title is not None
        self._render_body = render_body

    def render(self, config: MkDocsConfig, files: Files) -> None:
        """Make the content, the table of contents and the anchors of the page."""
        rendered = self._render_body(self)
        self.content = rendered.html
        self.toc = get_toc(_tree(rendered.headings))
        self.present_anchor_ids = set(rendered.ids)
        heading = next((heading for heading in rendered.headings if heading.level == 1), None)
        if heading and not self._has_title and "title" not in self.meta:
            self.title = Markup(heading.html)  # noqa: S704 - HTML that we made
            if not self.is_homepage:
                self.meta["title"] = self.title  # which Material prints as it is; it would print the other unescaped


def _tree(headings: Iterable[TocEntry]) -> list[Any]:
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
