"""Assembly of a preview, which makes only the articles that an edit has changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from handbook.records import Document
from handbook.records.alert import Alert
from handbook.site.assembly import Article, Assembly
from handbook.site.tracing import Tracer
from handbook.views.macro_views import call_view

T = TypeVar("T")


@dataclass(frozen=True)
class KeptAssembly(Assembly):
    """Assembly that keeps its articles in a tracer, which outlives the build."""

    tracer: Tracer | None = None

    @classmethod
    def trace(cls, assembly: Assembly, tracer: Tracer) -> KeptAssembly:
        """Return an assembly with the same articles, which are kept in the tracer.

        The tracer must be new if the settings have changed since the last build.
        """
        tracer.start(
            {
                "handbook": assembly.handbook,
                "menus": assembly.menus,
                "changes": assembly.changes or {},
                "texts": assembly.decision_texts,
                "findings": assembly.findings_by_path,
            }
        )
        return cls(
            tracer.wrap("handbook"),
            assembly.report,
            assembly.commit,
            None if assembly.changes is None else tracer.wrap("changes"),
            assembly.is_preview,
            tracer.wrap("texts"),
            tracer,
        )

    @cached_property
    def findings_by_path(self) -> Any:
        """The findings of the report, by the path of their file."""
        return self._tracer.wrap("findings")

    @cached_property
    def menus(self) -> Any:
        """The menus of the pages."""
        return self._tracer.wrap("menus")

    @property
    def _tracer(self) -> Tracer:
        if self.tracer is None:
            raise ValueError("a KeptAssembly needs a tracer; call KeptAssembly.trace")
        return self.tracer

    def keep(self, key: Hashable, inputs: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Return the kept part of a generated file."""
        return self._tracer.recall(key, inputs, make)

    def call_macro(self, name: str, address: str) -> str:
        """Return the Markdown of our macro for the page at an address."""
        return self._tracer.recall(
            ("macro", name, address),
            (),
            lambda: call_view(name, self.handbook, address, self.keep),
        )

    def make_article(self, document: Document, markdown: str | None = None) -> Article:
        """Return the article of a document."""
        return self._tracer.recall(
            ("article", document.path),
            (document, markdown, self.commit, self.changes is None),
            lambda: Assembly.make_article(self, document, markdown),
        )

    def make_alert_article(self, alert: Alert) -> Article:
        """Return the article of an alert."""
        return self._tracer.recall(
            ("alert", alert.service, alert.name),
            (alert, self.commit, self.changes is None),
            lambda: Assembly.make_alert_article(self, alert),
        )

    def make_service_article(self, path: str) -> Article:
        """Return the article of a file of a service, or of the list of its files."""
        page = self.service_pages[path]
        return self._tracer.recall(
            ("file", path),
            (page, self.changes is None),
            lambda: Assembly.make_service_article(self, path),
        )

    def make_rule_article(self, path: str) -> Article:
        """Return the article of a family of rules."""
        return self._tracer.recall(
            ("rules", path),
            (self.rule_pages[path],),
            lambda: Assembly.make_rule_article(self, path),
        )

    def make_markdown(self, entity: Document | Alert) -> str:
        """Return the Markdown of a page."""
        key = ("markdown", type(entity).__name__, self.handbook.address(entity))
        return self._tracer.recall(key, (entity,), lambda: Assembly.make_markdown(self, entity))
