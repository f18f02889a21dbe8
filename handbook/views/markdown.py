"""The pages as Markdown for programs: `index.md` beside each `index.html`, and `llms.txt`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Final
from urllib.parse import quote

from handbook.handbook import Handbook
from handbook.reading.addresses import make_relative
from handbook.reading.parser import MarkdownNode, NodeKind
from handbook.reading.render import include_listings
from handbook.reading.source import Source, read_page_body
from handbook.records import Document, Entity, Page, Record
from handbook.records.alert import Alert
from handbook.records.kinds import RECORDS
from handbook.records.service import Service
from handbook.records.service_file import ServiceFile, files_address
from handbook.views import Keep, fence, make_now
from handbook.views.descriptions import describe
from handbook.views.links import Linker
from handbook.views.references import PageReferences
from handbook.views.rules_reference import FAMILIES, FAMILY_ADDRESSES, describe_family
from handbook.views.service_files import describe_files

_TARGET: Final = re.compile(r"\]\(\s*<?(?P<target>[^\s<>]+?)>?(?:\s+[\"'(].*)?\s*\)\Z", re.DOTALL)
"""The target at the end of an inline link."""

_DEFINITION: Final = re.compile(
    r"^[ \t>]*\[(?!\^)[^\]\n]+\]:[ \t]*<?(?P<target>[^\s<>]+)", re.MULTILINE
)
"""The definition of a link, such as `[name]: target`."""


def page_markdown(handbook: Handbook, document: Document, expand: Callable[[Document], str]) -> str:
    """Return the Markdown of a record or page. `expand` runs our macros of a page.

    A page with other macros stays as it is.
    """
    source = document.source
    if isinstance(document, Page) and document.render_macros:
        with suppress(LookupError):
            source = read_page_body(source.path, expand(document))
    return document_markdown(handbook, source, handbook.address(document))


def document_markdown(handbook: Handbook, source: Source, address: str) -> str:
    """Return the body of a document. Links lead to the site, and listings are included.

    `address` is the address of its page.
    """
    references = PageReferences(handbook, source.path, address)
    changes = sorted(_find_changes(source, references))
    parts, position = [], 0
    for start, end, text in changes:
        if start >= position:
            parts += [source.body[position:start], text]
            position = end
    return "".join([*parts, source.body[position:]]).strip() + "\n"


def _find_changes(source: Source, references: PageReferences) -> Iterator[tuple[int, int, str]]:
    """Yield the start, the end and the new text of each part of a body that changes."""
    code = []
    for node in source.tree.walk():
        if node.kind in (NodeKind.FENCE, NodeKind.INDENTED_CODE, NodeKind.CODE):
            code.append((node.start, node.end))
            text = source.body[node.start : node.end]
            if node.kind is not NodeKind.CODE and "8<" in text:
                yield node.start, node.end, include_listings(text, references.read_listing)
        elif node.kind in (NodeKind.LINK, NodeKind.IMAGE):
            yield from _change_link(source, node, references)
    for match in _DEFINITION.finditer(source.body):
        if not any(start <= match.start("target") < end for start, end in code):
            url = references.resolve_link(match["target"])
            if url and url != match["target"]:
                yield (*match.span("target"), url)


def _change_link(
    source: Source, node: MarkdownNode, references: PageReferences
) -> Iterator[tuple[int, int, str]]:
    """Yield the change of an inline link, unless its target stays the same."""
    match = _TARGET.search(source.body, node.start, node.end)
    url = references.resolve_link(match["target"]) if match else None
    if match and url and url != match["target"]:
        yield (*match.span("target"), url)


def alert_markdown(handbook: Handbook, alert: Alert) -> str:
    """Describe an alert, with links to its runbooks and with its expressions."""
    linker = Linker(handbook, handbook.address(alert))
    lines = [f"# {alert.name}", _escape(describe(handbook, alert))]
    lines += [
        f"Runbook: [{_escape(runbook.title)}]({linker.url(runbook)})"
        for runbook in handbook.runbooks_of(alert)
    ]
    if service := handbook.get(Service, alert.service):
        lines.append(f"Service: [{_escape(service.title)}]({linker.url(service)})")
    lines += [fence(rule.expr.strip(), "promql") for rule in alert.rules]
    return "\n\n".join(lines) + "\n"


def file_markdown(file: ServiceFile) -> str:
    """Return the name of a service's file as a title, and its text as a block of code."""
    language = posixpath.splitext(file.name)[1].removeprefix(".")
    listing = fence((file.text or "").rstrip("\n"), language)
    return f"# {_escape(file.name)}\n\n{listing}\n"


def files_markdown(handbook: Handbook, service: Service) -> str:
    """Return the list of a service's files as Markdown, with links to their pages."""
    address = files_address(service.id)
    lines = [
        f"- [{_escape(file.name)}]({make_relative(quote(file.address), address)})"
        if file.data is not None
        else f"- {_escape(file.name)}"
        for file in handbook.files_of(service)
    ]
    return f"# Files of {_escape(service.title)}\n\n" + "\n".join(lines) + "\n"


def llms(handbook: Handbook, keep: Keep = make_now) -> str:
    """List all pages for language models, with their descriptions (https://llmstxt.org/).

    A preview keeps the line of each page with `keep`.
    """

    def make_line(entity: Entity) -> str:
        key = ("llms", type(entity).__name__, handbook.address(entity))
        return keep(key, (entity,), partial(_make_entry, handbook, entity))

    settings = handbook.settings
    lists: list[tuple[str, Iterable[Entity]]] = [
        (kind.list_title, sorted(handbook.of(kind), key=lambda record: record.id))
        for kind in RECORDS
    ]
    lists += [
        ("Alerts", sorted(handbook.alerts, key=lambda alert: alert.id)),
        ("Pages", [page for page in handbook.of(Page) if page.source.title]),
    ]
    sections = [(title, [make_line(entity) for entity in entities]) for title, entities in lists]
    sections += [
        ("Rules", _list_families(handbook)),
        ("Files of services", _list_service_files(handbook)),
    ]
    parts = [f"# {_escape(settings.site_name)}"]
    for title, lines in sections:
        parts += [f"## {title}", "\n".join(lines)] if lines else []
    return "\n\n".join(parts) + "\n"


def _escape(text: str) -> str:
    """Escape a text for a line of Markdown, so that it is no HTML and ends no link."""
    return re.sub(r"([\\\[\]<])", r"\\\1", " ".join(text.split()))


def _make_entry(handbook: Handbook, entity: Entity) -> str:
    """Return the line of a page in llms.txt."""
    mention = f"{entity.id}: " if isinstance(entity, Record) and entity.mention else ""
    title, description = f"{mention}{entity.title}", describe(handbook, entity)
    return _make_line(handbook, handbook.address(entity), title, description)


def _list_families(handbook: Handbook) -> list[str]:
    """Return the lines of the families of rules, except those that a page replaces."""
    return [
        _make_line(handbook, address, FAMILIES[family], describe_family(family))
        for family, address in FAMILY_ADDRESSES.items()
        if address not in handbook.entities_by_address
    ]


def _list_service_files(handbook: Handbook) -> list[str]:
    """Return a line for each service with files. Its list of files leads to each file."""
    return [
        _make_line(
            handbook,
            files_address(service.id),
            f"Files of {service.title}",
            describe_files(service),
        )
        for service in handbook.of(Service)
        if handbook.files_of(service)
    ]


def _make_line(handbook: Handbook, address: str, title: str, description: str) -> str:
    url = f"{handbook.settings.site_url.rstrip('/')}/{quote(address)}index.md"
    return f"- [{_escape(title)}]({url})" + (f": {_escape(description)}" if description else "")
