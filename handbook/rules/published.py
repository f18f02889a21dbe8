"""LNK101 to LNK110 and SAFE009: rules that check the finished site.

`handbook links` runs them. `handbook check` does not, because it builds no site.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from handbook.diagnostics import Finding, Location, Severity
from handbook.handbook import Handbook
from handbook.records import Page, Record
from handbook.rules.engine import Context, rule
from handbook.site.built import Site
from handbook.site.built_files import LinkFault, LinkFaultKind, make_address


def _report_faults(site: Site, context: Context, kind: LinkFaultKind) -> Iterator[Finding]:
    """Report the faults of one kind, with their locations in the source files.

    If a template causes the fault on several pages, there is one finding for all of them. If a
    source file has the same broken target, the fault in a feed, sitemap or JSON file is not
    reported.
    """
    authored: dict[tuple[Location, str], LinkFault] = {}
    generated: dict[str, list[LinkFault]] = {}
    for fault in site.link_faults:
        if fault.kind is kind:
            places = context.origins.find_places(fault)
            for at in places:
                authored.setdefault((at, fault.target), fault)
            if not places:
                generated.setdefault(fault.target or fault.file, []).append(fault)
    for (at, _), fault in authored.items():
        yield Finding(at, fault.message, fault.hint)
    authored_targets = {target for _, target in authored}
    for target, faults in generated.items():
        pages = [
            fault
            for fault in faults
            if target not in authored_targets or fault.file.endswith(".html")
        ]
        if pages:
            # An author can open a page of the repository, but not one that this package provides.
            pages.sort(key=lambda fault: not context.origins.has_source(fault))
            more_pages = _format_more_pages(
                [posixpath.join(site.nested_in, fault.file) for fault in pages[1:]]
            )
            yield Finding(
                context.origins.find_page(pages[0]),
                f"{pages[0].message}{more_pages}",
                pages[0].hint,
            )


def _format_more_pages(files: list[str]) -> str:
    """Return the end of a message: the addresses of other pages with the same fault."""
    if not files:
        return ""
    addresses = ", ".join(f"/{make_address(file)}" for file in files[:2])
    return f" (also on {addresses}{f' and {len(files) - 2} more' if len(files) > 2 else ''})"


@rule("LNK101", "broken-site-link", over=Site)
def broken_site_link(site: Site, context: Context) -> Iterator[Finding]:
    """Every link in the pages, the feed, the sitemap and the JSON files has an existing target.

    The link has the same upper and lower case as the file on disk. The rule checks the finished
    pages, so it also checks links from templates, macros and the theme.

    Why: a reader who follows a broken link gets a 404 page, and the author does not notice.

    Bad:
        href="../0002-use-postgres/"
    Good:
        href="../0002-use-postgresql/"
    """
    yield from _report_faults(site, context, LinkFaultKind.MISSING)


@rule("LNK102", "broken-site-anchor", over=Site)
def broken_site_anchor(site: Site, context: Context) -> Iterator[Finding]:
    """The fragment of a link (after `#`) is an id or anchor of its target page.

    Why: the browser opens the page at its top, and the reader has to search for the section.

    Bad:
        href="adr/0001-keep-orders-in-sqlite/#contexts"
    Good:
        href="adr/0001-keep-orders-in-sqlite/#context"
    """
    yield from _report_faults(site, context, LinkFaultKind.FRAGMENT)


@rule("LNK103", "empty-link", over=Site)
def empty_link(site: Site, context: Context) -> Iterator[Finding]:
    """No attribute `href` or `src` of a page is empty.

    Why: an empty link opens the page that contains it, and an empty image loads that page again.

    Bad:
        alt="Load by hour" src=""
    Good:
        alt="Load by hour" src="load.png"
    """
    yield from _report_faults(site, context, LinkFaultKind.EMPTY)


@rule("LNK104", "duplicate-site-id", over=Site)
def duplicate_site_id(site: Site, context: Context) -> Iterator[Finding]:
    """Every id on a page is unique.

    Why: a link opens only the first element with the id, and a screen reader can use the wrong
    label.

    Bad:
        <dl id="context" class="hb-facts__list">
    Good:
        <dl class="hb-facts__list">
    """
    yield from _report_faults(site, context, LinkFaultKind.DUPLICATE)


@rule("LNK105", "invalid-site-address", over=Site)
def invalid_site_address(site: Site, context: Context) -> Iterator[Finding]:
    """Every address on a page is valid, with its host, port and brackets.

    Why: a browser does not open an invalid address, and it can stop programs that read the page.

    Bad:
        href="https://[git.example/shop"
    Good:
        href="https://git.example/shop"
    """
    yield from _report_faults(site, context, LinkFaultKind.INVALID)


@rule("LNK106", "link-outside-site", over=Site)
def link_outside_site(site: Site, context: Context) -> Iterator[Finding]:
    """No relative path on a page leaves the folder of the site.

    Why: such a path does not work on another host, or in a copy of the site on disk.

    Bad:
        href="../../../services/"
    Good:
        href="../../services/"
    """
    yield from _report_faults(site, context, LinkFaultKind.OUTSIDE)


@rule("LNK107", "unreadable-page", over=Site)
def unreadable_page(site: Site, context: Context) -> Iterator[Finding]:
    """Every file of the site is a readable regular file in UTF-8, of at most 64 MB.

    The HTML elements of a page are not nested too deeply to read.

    Why: no rule can check an unreadable file, and a browser may not show it.

    Bad:
        the page saved as Latin-1
    Good:
        the page saved as UTF-8
    """
    yield from _report_faults(site, context, LinkFaultKind.UNREADABLE)


@rule("LNK108", "unreachable-link", over=Site, severity=Severity.WARNING)
def unreachable_link(site: Site, context: Context) -> Iterator[Finding]:
    """The address of every external link returns a page (`handbook links --external`).

    The rule skips the addresses in `handbook.links.ignore`, examples such as `shop.example`, and
    hosts without a public name.

    Why: the page was removed, or its host is down. The next run shows which of the two is true.

    Bad:
        <https://docs.shop.dev/gone>
    Good:
        <https://docs.shop.dev/here>
    """
    yield from _report_faults(site, context, LinkFaultKind.NO_ANSWER)


@rule("LNK109", "dead-external-link", over=Site)
def dead_external_link(site: Site, context: Context) -> Iterator[Finding]:
    """No external link fails in two runs in a row (`handbook links --external --state FILE`).

    Why: if an address fails twice, a week apart, the page was probably removed.

    Bad:
        <https://docs.shop.dev/gone>
    Good:
        <https://docs.shop.dev/here>
    """
    yield from _report_faults(site, context, LinkFaultKind.GONE)


@rule("SAFE009", "unsafe-page", over=Site)
def unsafe_page(site: Site, context: Context) -> Iterator[Finding]:
    """The article of a page contains no script, event handler or frame.

    The article has no address such as `javascript:`. Records cannot contain any of these, but
    macros and pages with `markdown: material` can. The build also reports inline scripts that are
    not part of the theme, for example from a setting.

    Why: a script runs in the reader's browser with the rights of this site.

    Bad:
        <a onclick="send()" href="../0002-use-postgresql/">
    Good:
        <a href="../0002-use-postgresql/">
    """
    yield from _report_faults(site, context, LinkFaultKind.ACTIVE)


@rule("LNK110", "unrendered-macro", over=Site)
def unrendered_macro(site: Site, context: Context) -> Iterator[Finding]:
    """No page shows the call of a known macro as text. Records and code are exempt.

    The text of a record is also exempt on other pages, such as its title in an index.

    Known macros are the macros of this project, of mkdocs-macros and of the modules in mkdocs.yml.

    Why: the reader sees braces instead of the list that the macro makes.

    Bad:
        <p class="hb-counts">{{ adr_index() }}
    Good:
        <p class="hb-counts">3 decisions:
    """
    handbook = context.handbook
    for fault in site.link_faults:
        entity = handbook.entities_by_address.get(make_address(fault.file))
        if fault.kind is not LinkFaultKind.MACRO or not handbook.macros.is_macro(fault.target):
            continue
        if entity is None or isinstance(entity, Page):
            if _comes_from_record(handbook, entity, fault.target):
                continue
            at = Location(f"{site.folder}/{fault.file}")
            if entity and entity.path not in handbook.provided:
                at = _locate_call(entity, fault.target)
            hint = "add 'render_macros: true' to the front matter, or write it as code"
            yield Finding(at, fault.message, hint)


def _find_call(text: str, name: str) -> re.Match[str] | None:
    """Return the first call of a macro in a text, or None."""
    return re.search(rf"\{{\{{-?\s*{re.escape(name)}\s*\(", text)


def _comes_from_record(handbook: Handbook, page: Page | None, name: str) -> bool:
    """Return whether the call of a macro on a page is text of a record, such as its title."""
    is_own = page is not None and page.path not in handbook.provided
    if page and is_own and _find_call(page.source.text, name):
        return False
    return any(_find_call(record.source.text, name) for record in handbook.of(Record))


def _locate_call(page: Page, name: str) -> Location:
    """Return the location of the first call of a macro in the source of a page."""
    call = _find_call(page.source.text, name)
    if call is None:
        return Location(page.path)
    before = page.source.text[: call.start()]
    return Location(page.path, before.count("\n") + 1, call.start() - before.rfind("\n"))
