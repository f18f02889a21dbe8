"""FM020 to FM024: settings of MkDocs that would break a promise of the site."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence

from handbook.diagnostics import Finding, suggest
from handbook.handbook import Handbook
from handbook.reading import nodes
from handbook.reading.addresses import SCHEMES, read_scheme
from handbook.reading.parser import MarkdownNode, NodeKind, TooDeepError, parse_inline
from handbook.reading.problems import ProblemKind
from handbook.records import Page
from handbook.records.kinds import MOUNTED
from handbook.rules.engine import rule
from handbook.settings import DOCS, FILE, NOTICE_SOURCE, find_nested, read_settings
from handbook.site.html_faults import find_active_content, find_fault
from handbook.site_settings import PUBLISHED_TEXTS, SITE_URL_HINT, configures_site, find_text


@rule(
    "FM020",
    "invalid-site-url",
    over=Handbook,
    requires=("FM001",),
    reports=ProblemKind.INVALID_SITE_URL,
)
def invalid_site_url(handbook: Handbook) -> Iterator[Finding]:
    """`site_url` in mkdocs.yml is the full address of the site, without query and fragment.

    It can be missing if mkdocs.yml configures no site (`theme` and `plugins`), and no alert has a
    `runbook_url`. The `site_url` of a nested handbook is the address of its folder in this site.
    The address has no quotation mark.

    Why: the feed, the sitemap, the JSON files and the alerts need full addresses of pages.

    Bad:
        site_url: small.example
    Good:
        site_url: https://small.example/
    """
    findings = handbook.problems_of(ProblemKind.INVALID_SITE_URL)
    yield from findings
    node = handbook.settings.root_node
    value = node.find("site_url")
    has_value = value is not None and not (isinstance(value, nodes.Scalar) and value.empty)
    needs_address = configures_site(node) or any(
        alerting_rule.runbook_url for alert in handbook.alerts for alerting_rule in alert.rules
    )
    if needs_address and not has_value:
        at = value.at if value else node.at
        yield Finding(at, "missing address of the site, 'site_url'", SITE_URL_HINT)
    if handbook.settings.has_site_url:
        yield from _check_nested_addresses(handbook)


def _check_nested_addresses(handbook: Handbook) -> Iterator[Finding]:
    """Report each nested handbook with unreadable settings or with the address of another folder.

    The address is its `site_url`.
    """
    site_url = handbook.settings.site_url.rstrip("/")
    for name, nested_root in find_nested(handbook.settings, handbook.root).items():
        nested_settings = read_settings(nested_root)
        path = handbook.settings.organisation.nested[name]
        if not nested_settings.is_readable:
            fault = nested_settings.problems[0].finding
            yield Finding(
                handbook.settings.at("nested", name),
                f"unreadable settings of the nested handbook '{path}': {fault.message}",
                f"correct {posixpath.join(path, fault.at.path)}, line {fault.at.line}",
            )
            continue
        nested_url = nested_settings.site_url
        if nested_url.rstrip("/") != f"{site_url}/{name}":
            yield Finding(
                handbook.settings.at("nested", name),
                f"wrong site_url '{nested_url}' of the nested handbook '{path}'",
                f"write 'site_url: {site_url}/{name}/' into {posixpath.join(path, FILE)}",
            )


@rule("FM021", "unsupported-setting", over=Handbook, reports=ProblemKind.UNSUPPORTED_SETTING)
def unsupported_setting(handbook: Handbook) -> Iterator[Finding]:
    """No setting in `mkdocs.yml` changes what the site needs.

    - The theme is Material, without its feature `navigation.instant`.
    - `theme.custom_dir` has no file that the handbook has in its own theme, such as `main.html`,
      because the file of the handbook wins.
    - Links in `nav` and in `handbook.notice` begin with http, https, mailto or tel. The notice has
      no image.
    - The addresses of pages end with a slash: `use_directory_urls` and the plugin `offline` are not
      changed.
    - The edit links are full addresses, and contain the path of the file.
    - `site_dir` contains no file of the handbook. MkDocs deletes all files in it.
    - There is no `draft_docs`, because a preview would show these pages without their checks.
    - `copyright` and `site_name` have no script, handler or frame, and `copyright` has no unclosed
      element. `site_description` and `site_author` have no quotation mark `"`. Material writes them
      into the HTML of every page as they are.

    Why: links to pages would break, a build would delete records, or every page would be faulty.

    Bad:
        edit_uri_template: https://git.example/small/edit/main/
    Good:
        edit_uri_template: https://git.example/small/edit/main/{path}
    """
    yield from handbook.problems_of(ProblemKind.UNSUPPORTED_SETTING)
    value = find_text(handbook.settings.root_node, "site_dir")
    if value and _holds_sources(handbook, value.text):
        yield Finding(
            value.at,
            f"site_dir '{value.text}' contains files of the handbook, or is among them",
            "write a folder for the site only, such as 'site_dir: site'",
        )
    for key in PUBLISHED_TEXTS:
        text = find_text(handbook.settings.root_node, key)
        if text and (fault := _find_html_fault(key, text.text)):
            hint = "write text, entities such as &copy; and &quot;, or in 'copyright' also links"
            yield Finding(text.at, f"{fault} in '{key}', which is on every page", hint)
    for inline in _list_links(_parse_notice(handbook.settings.organisation.notice or "")):
        if inline.kind is NodeKind.IMAGE:
            message = f"image '{inline.text}' in 'notice', which is a line of text"
            hint = "write a link to the image, or set 'theme.logo'"
            yield Finding(handbook.settings.at("notice"), message, hint)
        elif (scheme := read_scheme(inline.text)) not in ("", *SCHEMES):
            message = f"unsafe scheme '{scheme}:' in 'notice'"
            yield Finding(
                handbook.settings.at("notice"), message, f"use one of {', '.join(SCHEMES)}"
            )


def _find_html_fault(key: str, text: str) -> str | None:
    """Return the message of the fault that a text of the settings causes on pages, or None."""
    match key:
        case "copyright":
            return find_fault(text)
        case "site_name":  # Material writes it between tags and into attributes.
            return find_active_content(f'{text}<i title="{text}">x</i>')
        case _:  # Material writes it only into attributes, where tags have no effect.
            return "quotation mark" if '"' in text else None


def _holds_sources(handbook: Handbook, site_folder: str) -> bool:
    """Return whether a folder contains a folder of the handbook, or is inside of one."""
    top = posixpath.abspath(handbook.root.as_posix())
    target = f"{posixpath.normpath(posixpath.join(top, site_folder))}/"
    folders = [f"{top}/{folder}/" for folder in (DOCS, *MOUNTED, ".git")]
    return any(folder.startswith(target) or target.startswith(folder) for folder in folders)


@rule("FM022", "missing-settings-file", over=Handbook, reports=ProblemKind.MISSING_SETTINGS_FILE)
def missing_settings_file(handbook: Handbook) -> Iterator[Finding]:
    """Every file and folder that mkdocs.yml names exists.

    The folder of templates (`theme.custom_dir`) and the nested handbooks are below the folder of
    mkdocs.yml. A link in `handbook.notice` is a full address, or the path of a page from `docs/`.

    Why: every page would request a missing style or script, or the build would stop.

    Bad:
        font: false
        logo: assets/lgoo.svg
    Good:
        font: false
    """
    yield from handbook.problems_of(ProblemKind.MISSING_SETTINGS_FILE)
    organisation = handbook.settings.organisation
    for name in organisation.nested.keys() - find_nested(handbook.settings, handbook.root).keys():
        yield Finding(
            handbook.settings.at("nested", name),
            f"no handbook in folder '{organisation.nested[name]}' of 'nested'",
            "write the folder of another mkdocs.yml, below the folder of this one",
        )
    for inline in _list_links(_parse_notice(organisation.notice or "")):
        if inline.kind is NodeKind.IMAGE:
            continue  # FM021 reports it.
        link = inline.text
        target = handbook.resolve(NOTICE_SOURCE, link)
        if not target.is_external and handbook.url(target.path or "") is None:
            message = f"broken link '{link}' in 'notice'"
            hint = "write a full address, or the path of a page from docs/, such as 'index.md'"
            yield Finding(handbook.settings.at("notice"), message, hint)


def _parse_notice(notice: str) -> Sequence[MarkdownNode]:
    """Return the inline nodes of a notice. A notice that is nested too deeply has no links."""
    try:
        return parse_inline(notice)
    except TooDeepError:
        return ()


def _list_links(inlines: Iterable[MarkdownNode]) -> Iterator[MarkdownNode]:
    """Yield the links and images in inline nodes. The text of each is its target."""
    for inline in inlines:
        if inline.kind in (NodeKind.LINK, NodeKind.IMAGE):
            yield inline
        yield from _list_links(inline.children)


@rule("FM023", "missing-plugin", over=Handbook, requires=("FM001",))
def missing_plugin(handbook: Handbook) -> Iterator[Finding]:
    """The setting `plugins` lists the plugin `handbook`, and `macros` if a page calls macros.

    A plugin with `enabled: false` counts as missing. The order of the plugins is free.

    Why: without the plugin `handbook`, the site has no records, and no check stops the build.

    Bad:
              on_error_fail: true
        theme:
    Good:
              on_error_fail: true
          - handbook
        theme:
    """
    settings = handbook.settings
    names = {plugin.name for plugin in settings.plugins if plugin.is_enabled}
    entry = settings.root_node.get("plugins")
    at = entry.at if entry else settings.root_node.at
    missing_names = ["handbook"] if "handbook" not in names else []
    calling_pages = [
        page.path
        for page in handbook.of(Page)
        if page.render_macros and page.path not in handbook.provided
    ]
    if calling_pages and "macros" not in names:
        missing_names.insert(0, "macros")
    if missing_names and configures_site(settings.root_node):
        reason = f" ({calling_pages[0]} calls macros)" if "macros" in missing_names else ""
        entries = ", ".join(f"'- {name}'" for name in missing_names)
        noun = "plugin" if len(missing_names) == 1 else "plugins"
        message = f"missing {noun} {' and '.join(map(repr, missing_names))}{reason}"
        yield Finding(at, message, f"add {entries} to 'plugins'")


@rule("FM024", "unknown-nav-entry", over=Handbook, requires=("FM001",))
def unknown_nav_entry(handbook: Handbook) -> Iterator[Finding]:
    """Every path in the setting `nav` is the path of a page.

    The rule does not run if a plugin or hook can add pages.

    Why: the navigation would have a broken link, and the page would be missing from it.

    Bad:
        - Markdown: markdwon.md
    Good:
        - Markdown: markdown.md
    """
    for entry, page in handbook.unknown_nav_entries.items():
        yield Finding(
            entry.at,
            f"unknown page '{entry.text}' in 'nav'",
            suggest(page) if page else "correct the path, relative to docs/, or remove the entry",
        )
