"""LNK101 to LNK109: what only the finished site shows. `handbook links` asks them, not the gate."""

from __future__ import annotations

from collections.abc import Iterator

from handbook.diagnostics import Finding, Location, Severity
from handbook.rules.engine import Context, rule
from handbook.site.built import Site
from handbook.site.built_files import LinkFault, LinkFaultKind, address


def _faults(site: Site, context: Context, kind: LinkFaultKind) -> Iterator[Finding]:
    """The faults of one kind, each where it was written.

    What was written nowhere, but by a template, is told once for all pages that have it, and what a file for machines
    only repeats is not told again.
    """
    written: dict[tuple[Location, str], LinkFault] = {}
    made: dict[str, list[LinkFault]] = {}
    for fault in site.faults:
        if fault.kind is kind:
            places = context.origins.written(fault)
            for at in places:
                written.setdefault((at, fault.target), fault)
            if not places:
                made.setdefault(fault.target or fault.file, []).append(fault)
    for (at, _), fault in written.items():
        yield Finding(at, fault.message, fault.hint)
    known = {target for _, target in written}
    for target, faults in made.items():
        pages = [fault for fault in faults if target not in known or fault.file.endswith(".html")]
        if pages:
            also = _also([fault.file for fault in pages[1:]])
            yield Finding(
                context.origins.page(pages[0]), f"{pages[0].message}{also}", pages[0].hint
            )


def _also(files: list[str]) -> str:
    if not files:
        return ""
    named = ", ".join(f"/{address(file)}" for file in files[:2])
    return f" (also on {named}{f' and {len(files) - 2} more' if len(files) > 2 else ''})"


@rule("LNK101", "broken-site-link", over=Site)
def broken_site_link(site: Site, context: Context) -> Iterator[Finding]:
    """What a page, the feed, the sitemap or the JSON links to is a file of the site, spelt as on disk.

    This is asked of the finished pages, and so of what templates, macros and the theme write, too.

    Why: the reader is told that there is no such page, and the one who wrote it does not see that.

    Bad:
        href="../0002-use-postgres/"
    Good:
        href="../0002-use-postgresql/"
    """
    yield from _faults(site, context, LinkFaultKind.MISSING)


@rule("LNK102", "broken-site-anchor", over=Site)
def broken_site_anchor(site: Site, context: Context) -> Iterator[Finding]:
    """What stands behind `#` in a link is an id of the page that it leads to, or the name of an anchor there.

    Why: the page opens at its top, and the reader is left to search.

    Bad:
        href="adr/0001-keep-orders-in-sqlite/#contexts"
    Good:
        href="adr/0001-keep-orders-in-sqlite/#context"
    """
    yield from _faults(site, context, LinkFaultKind.FRAGMENT)


@rule("LNK103", "empty-link", over=Site)
def empty_link(site: Site, context: Context) -> Iterator[Finding]:
    """No href and no src is empty.

    Why: an empty link leads to the page that it stands on, and an empty picture asks for it once more.

    Bad:
        alt="Load by hour" src=""
    Good:
        alt="Load by hour" src="load.png"
    """
    yield from _faults(site, context, LinkFaultKind.EMPTY)


@rule("LNK104", "duplicate-site-id", over=Site)
def duplicate_site_id(site: Site, context: Context) -> Iterator[Finding]:
    """No two elements of a page have the same id.

    Why: a link leads to the first, and what a screen reader is told of the second is said of the first.

    Bad:
        <dl id="context" class="hb-facts__list">
    Good:
        <dl class="hb-facts__list">
    """
    yield from _faults(site, context, LinkFaultKind.DUPLICATE)


@rule("LNK105", "invalid-site-address", over=Site)
def invalid_site_address(site: Site, context: Context) -> Iterator[Finding]:
    """An address can be read as one: its host, its port and its brackets are in order.

    Why: a browser makes nothing of it, and some programs that read the page stop.

    Bad:
        href="https://[git.example/shop"
    Good:
        href="https://git.example/shop"
    """
    yield from _faults(site, context, LinkFaultKind.INVALID)


@rule("LNK106", "link-outside-site", over=Site)
def link_outside_site(site: Site, context: Context) -> Iterator[Finding]:
    """A path leads to a place within the site, not to one above it on the same host.

    Why: what is there is not part of the site, and another host or a copy on disk has something else there.

    Bad:
        href="../../../services/"
    Good:
        href="../../services/"
    """
    yield from _faults(site, context, LinkFaultKind.OUTSIDE)


@rule("LNK107", "unreadable-page", over=Site)
def unreadable_page(site: Site, context: Context) -> Iterator[Finding]:
    """A file of the site can be read: a regular file in UTF-8 of at most 64 MB, its elements not nested too deeply.

    Why: what cannot be read cannot be checked, and a browser does not fare better.

    Bad:
        the page saved as Latin-1
    Good:
        the page saved as UTF-8
    """
    yield from _faults(site, context, LinkFaultKind.UNREADABLE)


@rule("LNK108", "unreachable-link", over=Site, severity=Severity.WARNING)
def unreachable_link(site: Site, context: Context) -> Iterator[Finding]:
    """Another host answers for an address with a page (`handbook links --external`).

    Addresses that the settings pass over (`handbook.links.ignore`) are not asked, nor are examples such as
    `shop.example`, nor hosts without a public name.

    Why: it may be gone; or the host is down for an hour, which the next run shows.

    Bad:
        <https://docs.shop.dev/gone>
    Good:
        <https://docs.shop.dev/here>
    """
    yield from _faults(site, context, LinkFaultKind.NO_ANSWER)


@rule("LNK109", "dead-external-link", over=Site)
def dead_external_link(site: Site, context: Context) -> Iterator[Finding]:
    """An address of another host that did not answer in one run answers in the next (`--external --state FILE`).

    Why: what did not answer twice, a week apart, is gone for a reader.

    Bad:
        <https://docs.shop.dev/gone>
    Good:
        <https://docs.shop.dev/here>
    """
    yield from _faults(site, context, LinkFaultKind.GONE)


@rule("SAFE009", "unsafe-page", over=Site)
def unsafe_page(site: Site, context: Context) -> Iterator[Finding]:
    """The article of a page holds no script, handler or frame, and the page no address such as `javascript:`.

    A record's page cannot hold them. A page that macros write, or that says `markdown: material`, could. The build also
    reports an inline script that is not one of the theme's, wherever the page has it from, such as a setting.

    Why: what a page holds acts in the reader's browser as a part of this site.

    Bad:
        <a onclick="send()" href="../0002-use-postgresql/">
    Good:
        <a href="../0002-use-postgresql/">
    """
    yield from _faults(site, context, LinkFaultKind.ACTIVE)
