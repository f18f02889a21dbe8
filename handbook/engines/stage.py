"""Write the assembly as source files for another engine, such as Zensical (`handbook stage`).

Each page becomes a Markdown file. Its headings are Markdown, so that the engine can create a table
of contents. The text between the headings is finished HTML. Each link goes to another source file.
MkDocs is needed only to run the macros of pages.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urljoin

import yaml
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as SitePage
from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.diagnostics import Report, sort_findings
from handbook.engines.errors import BuildError, as_build_error
from handbook.engines.mkdocs import HandbookPlugin
from handbook.engines.state import Build
from handbook.handbook import Handbook
from handbook.records import Page
from handbook.reporters.text import text
from handbook.settings import DOCS, FILE
from handbook.site import finish
from handbook.site.assembly import Article
from handbook.site.exchange import find_output, replace_folder
from handbook.site_settings import is_address

_SETTINGS: Final = (
    "site_name",
    "site_url",
    "site_description",
    "site_author",
    "copyright",
    "nav",
)
"""Settings that are copied from mkdocs.yml, because every such engine reads them."""
_EXTENSIONS: Final[Mapping[str, Any]] = {"attr_list": {}, "toc": {"permalink": True}}
"""Extensions of Python-Markdown that the staged pages need."""
_NOT_STAGED: Final = ("sitemap.xml",)
"""Templates of our theme that are not copied, because other engines have their own."""
_MARKUP: Final = re.compile(r"[!#-/:;<-@\[-`{-~]")
_MARKDOWN: Final = re.compile(r"`{3,}|~{3,}|--8<--|\](?=[(\[:])")
"""Text that an engine would treat as a fence, an include or a link, even inside HTML."""
_ABSOLUTE: Final = re.compile("[a-z][a-z0-9+.-]*:|/", re.IGNORECASE)
_STAGE_FILE: Final = ".handbook-stage"


@dataclass(frozen=True)
class Staged:
    """The number of staged pages, and of all staged files."""

    pages: int
    files: int


def stage(root: Path, folder: str | Path) -> Staged:
    """Write the site of the handbook at `root` as source files for another engine.

    `folder` must be new, empty, or an older stage, which is replaced. Raises BuildError with the
    findings if the handbook has faults. Raises UnusableError if the folder cannot take the stage.
    Also raises BlockingIOError and OSError.
    """
    output = find_output(folder, root, (_STAGE_FILE,))
    with as_build_error(root):
        contents = _make_contents(root)
    with replace_folder(output, (_STAGE_FILE,)) as new:
        for name, content in contents.items():
            file = new / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    return Staged(sum(name.endswith(".md") for name in contents), len(contents))


def _make_contents(root: Path) -> dict[str, bytes]:
    """Return the staged files by path. Raises BuildError with the findings of the handbook."""
    config = load_config(str(root / FILE))
    plugin = config.plugins.get("handbook")
    if not isinstance(plugin, HandbookPlugin):
        raise BuildError(f"{FILE}: no plugin 'handbook'; add '- handbook' to 'plugins'")
    config.plugins.on_startup(command="build", dirty=False)
    config.plugins.on_config(config)
    config.plugins.on_pre_build(config=config)
    build = plugin.current_build
    assembly, handbook = build.assembly, build.assembly.handbook
    articles = list(assembly.pages(_make_expander(config, build)))
    if findings := (
        *build.findings,
        *(finding for article in articles for finding in article.findings),
    ):
        raise BuildError(
            "pages cannot be published\n"
            + text(Report(handbook.entity_counts, sort_findings(findings)))
        )
    sources = {article.address: article.source for article in articles} | _map_copied_sources(
        handbook
    )
    contents = {
        f"{DOCS}/{article.source}": _write_page(
            article, sources, assembly.menus.find_menu(article.address)
        ).encode()
        for article in articles
    }
    contents |= {f"{DOCS}/{name}": content for name, content in assembly.files().items()}
    contents |= dict(_read_copied_files(handbook))
    contents |= {FILE: _write_settings(config).encode(), _STAGE_FILE: b""}
    return contents


def _make_expander(config: MkDocsConfig, build: Build) -> Callable[[Page], str]:
    """Return a function that runs the macros of a page with mkdocs-macros.

    The function returns the Markdown of the page. Without the plugin it returns the body as it is.
    """
    plugin = config.plugins.get("macros")

    def expand(page: Page) -> str:
        if plugin is None:
            return page.source.body
        source = build.assembly.handbook.source_uri(page.path)
        file = File(source, config.docs_dir, config.site_dir, use_directory_urls=True)
        mounted = SitePage(page.title, file, config)
        mounted.meta = {"render_macros": True}
        return str(
            plugin.on_page_markdown(page.source.body, page=mounted, config=config, files=Files([]))
        )

    return expand


def _map_copied_sources(handbook: Handbook) -> dict[str, str]:
    """Map the addresses of attachments and of pages in Material's syntax to their paths.

    These files are copied into docs/ without a change.
    """
    paths = [page.path for page in handbook.of(Page) if page.markdown] + sorted(
        handbook.attachments
    )
    return {handbook.url(path) or "": handbook.source_uri(path) for path in paths}


def _read_copied_files(handbook: Handbook) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of each copied file.

    Copied are the attachments, the pages in Material's syntax, and our theme.
    """
    for source in _map_copied_sources(handbook).values():
        path = next(path for path in (f"{DOCS}/{source}", source) if handbook.is_published(path))
        yield f"{DOCS}/{source}", (handbook.root / path).read_bytes()
    theme = Path(finish.__file__).parent / "theme"
    for file in sorted(theme.rglob("*")):
        name = file.relative_to(theme).as_posix()
        if file.is_file() and name not in _NOT_STAGED:
            yield f"{DOCS if name.startswith('assets/') else 'theme'}/{name}", file.read_bytes()


def _write_settings(config: MkDocsConfig) -> str:
    """Return the text of mkdocs.yml for the other engine.

    Edit links are switched off, because the engine would make them from the path of a staged file.
    """
    own_settings: dict[str, Any] = {
        key: value for values in config.user_configs for key, value in values.items()
    }
    settings: dict[str, Any] = {key: own_settings[key] for key in _SETTINGS if key in own_settings}
    for key in settings.keys() & {"site_name", "site_description", "site_author"}:
        settings[key] = str(config[key])  # The plugin has escaped it.
    if "nav" in settings:
        settings["nav"] = _escape_navigation(settings["nav"])
    theme = (
        own_settings["theme"]
        if isinstance(own_settings.get("theme"), dict)
        else {"name": own_settings.get("theme", "material")}
    )
    # The plugin has set the values that mkdocs.yml lacks.
    defaults = {key: config.theme[key] for key in ("font", "palette")}
    features = [name for name in config.theme["features"] if not name.startswith("content.action.")]
    settings["theme"] = {**theme, **defaults, "custom_dir": "theme", "features": features}
    extensions = {
        **{name: config.mdx_configs.get(name, {}) for name in config.markdown_extensions},
        **_EXTENSIONS,
    }
    settings["markdown_extensions"] = [{name: options} for name, options in extensions.items()]
    settings["extra_css"], settings["extra_javascript"] = (
        list(config.extra_css),
        list(config.extra_javascript),
    )
    settings["extra"] = {"generator": False, "handbook_site": config.extra["handbook_site"]}
    return str(yaml.dump(settings, sort_keys=False, allow_unicode=True, width=math.inf))


def _escape_navigation(nav: Any) -> Any:
    """Escape the titles and addresses of a navigation, because themes print them as HTML."""
    if isinstance(nav, list):
        return [_escape_navigation(entry) for entry in nav]
    if isinstance(nav, dict):
        return {escape(str(title)): _escape_navigation(value) for title, value in nav.items()}
    return escape(nav) if isinstance(nav, str) and is_address(nav) else nav


def _write_page(
    article: Article, sources: Mapping[str, str], menu: Mapping[str, Any] | None
) -> str:
    """Return the Markdown file of an article: its headings as Markdown, and HTML between them.

    The menu is in the front matter, and so is the title if it differs from the first heading.
    `sources` maps the address of each page to the path of its source.
    """
    metadata: dict[str, Any] = {**article.metadata, **({"menu": dict(menu)} if menu else {})}
    if article.title and article.title not in {heading.html for heading in article.headings[:1]}:
        metadata["title"] = str(article.title)
    if article.description:
        metadata["description"] = escape(article.description)
    body = LexborHTMLParser(article.html).body
    for node in body.css("[href],[src]") if body else ():
        for name in node.attributes.keys() & {"href", "src"}:
            node.attrs[name] = _make_source_link(node.attributes[name] or "", article, sources)
    not_searched = "" if article.in_search else ' data-pagefind-ignore="all"'
    lines: list[str] = []
    for node in body.iter(include_text=True) if body else ():
        if level := re.fullmatch("h([1-6])", node.tag or ""):
            marks = "#" * int(level[1])
            lines += ["", f"{marks} {_write_inline(node)} {{: #{node.id}{not_searched} }}", ""]
        elif not_searched or node.tag in ("span", "a"):
            # Python-Markdown would put an inline element into a paragraph.
            lines.append(f"<div{not_searched}>{node.html}</div>")
        else:
            lines.append((node.html or "").strip())
    front_matter = yaml.safe_dump(metadata, width=math.inf, allow_unicode=True)
    text_of_page = _MARKDOWN.sub(_escape_characters, "\n".join(lines))
    return f"---\n{front_matter}---\n{text_of_page}\n"


def _escape_characters(match: re.Match[str]) -> str:
    """Return the matched characters as HTML entities, which Markdown does not treat as markup."""
    return "".join(f"&#{ord(character)};" for character in match[0])


def _write_inline(node: LexborNode) -> str:
    """Return the content of a heading as Markdown, with its text escaped and no permalink."""
    parts = []
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            parts.append(_MARKUP.sub(_escape_characters, child.text_content or ""))
        elif "headerlink" not in (child.attributes.get("class") or ""):
            values = ((name, value or "") for name, value in child.attributes.items())
            attributes = "".join(f' {name}="{escape(value)}"' for name, value in values)
            end = "" if child.tag in ("img", "br") else f"{_write_inline(child)}</{child.tag}>"
            parts.append(f"<{child.tag}{attributes}>{end}")
    return "".join(parts).strip()


def _make_source_link(address: str, article: Article, sources: Mapping[str, str]) -> str:
    """Turn an address in an article into a path between source files.

    `address` is relative to the page. The result is relative to the source of the page.
    """
    target, mark, rest = _split_path(address)
    if not target or _ABSOLUTE.match(target):
        return address
    path = unquote(urljoin(f"/{article.address}", target)).removeprefix("/")
    relative = quote(posixpath.relpath(sources.get(path, path), posixpath.dirname(article.source)))
    return f"{relative}{mark}{rest}"


def _split_path(address: str) -> tuple[str, str, str]:
    """Split an address before its query or its fragment."""
    match = re.search("[?#]", address)
    end = match.start() if match else len(address)
    return address[:end], address[end : end + 1], address[end + 1 :]
