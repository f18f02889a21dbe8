"""`handbook stage`: the assembly as a source tree for another engine, Zensical among them.

Each page is a Markdown file whose headings are Markdown, so that the engine makes its table of
contents, and whose text between them is finished HTML. Links lead from source to source. MkDocs
runs only to call the macros of pages.
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
from urllib.parse import quote, unquote, urldefrag, urljoin

import yaml
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as SitePage
from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.diagnostics import Report
from handbook.engines.errors import BuildError, as_build_error
from handbook.engines.mkdocs import HandbookPlugin
from handbook.engines.state import Build
from handbook.handbook import Handbook
from handbook.records import Page
from handbook.reporters.text import text
from handbook.settings import DOCS, FILE
from handbook.site import finish
from handbook.site.assembly import Article
from handbook.site.exchange import find_output, replacing

_SETTINGS: Final = (
    "site_name",
    "site_url",
    "site_description",
    "site_author",
    "copyright",
    "nav",
)
"""The settings of MkDocs that every engine of its kind knows."""
_EXTENSIONS: Final[Mapping[str, Any]] = {"attr_list": {}, "toc": {"permalink": True}}
"""What the Markdown of a staged page needs."""
_NOT_STAGED: Final = ("sitemap.xml",)
"""Templates of our theme that another engine has its own of."""
_MARKUP: Final = re.compile(r"[!#-/:;<-@\[-`{-~]")
_FENCE: Final = re.compile("`{3,}|~{3,}|--8<--")
"""What a preprocessor of Python-Markdown takes for code or for an include, also in HTML."""
_ABSOLUTE: Final = re.compile("[a-z][a-z0-9+.-]*:|/", re.IGNORECASE)
_MARKER: Final = ".handbook-stage"


@dataclass(frozen=True)
class Staged:
    """What was written."""

    pages: int
    files: int


def stage(root: Path, folder: str | Path) -> Staged:
    """Write the site of the handbook at `root` as the sources of another engine.

    The folder is new, empty, or holds an older stage, which is replaced. Raises StageError,
    click.ClickException with the findings where the handbook cannot be published, WriteError and
    OSError.
    """
    output = find_output(folder, root, _MARKER)
    with as_build_error(root):
        return _stage(root, output)


def _stage(root: Path, output: Path) -> Staged:
    config = load_config(str(root / FILE))
    plugin = config.plugins.get("handbook")
    if not isinstance(plugin, HandbookPlugin):
        raise BuildError(f"{FILE}: no plugin 'handbook'; add '- handbook' to 'plugins'")
    config.plugins.on_startup(command="build", dirty=False)
    config.plugins.on_config(config)
    config.plugins.on_pre_build(config=config)
    build = plugin.current_build
    assembly, handbook = build.assembly, build.assembly.handbook
    articles = list(assembly.pages(_expander(config, build)))
    if findings := (
        *build.findings,
        *(finding for article in articles for finding in article.findings),
    ):
        raise BuildError(f"pages cannot be published\n{text(Report(handbook.counts, findings))}")
    sources = {article.address: article.source for article in articles} | _other_sources(handbook)
    contents = {
        f"{DOCS}/{article.source}": _page(article, sources).encode() for article in articles
    }
    pages = len(contents)
    contents |= {f"{DOCS}/{name}": content.encode() for name, content in assembly.files().items()}
    contents |= dict(_copied(handbook))
    contents |= {FILE: _settings(config).encode(), _MARKER: b""}
    with replacing(output) as new:
        for name, content in contents.items():
            file = new / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    return Staged(pages, len(contents))


def _expander(config: MkDocsConfig, build: Build) -> Callable[[Page], str]:
    """What runs the macros of a page, by mkdocs-macros."""
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


def _other_sources(handbook: Handbook) -> dict[str, str]:
    """Map addresses of copied files to their sources: attachments, pages in Material's syntax."""
    paths = [page.path for page in handbook.of(Page) if page.markdown] + sorted(
        handbook.attachments
    )
    return {handbook.url(path) or "": handbook.source_uri(path) for path in paths}


def _copied(handbook: Handbook) -> Iterator[tuple[str, bytes]]:
    """Yield the files that are copied: attachments, pages in Material's syntax, and our theme."""
    for source in _other_sources(handbook).values():
        path = next(path for path in (f"{DOCS}/{source}", source) if handbook.is_published(path))
        yield f"{DOCS}/{source}", (handbook.root / path).read_bytes()
    theme = Path(finish.__file__).parent / "theme"
    for file in sorted(theme.rglob("*")):
        name = file.relative_to(theme).as_posix()
        if file.is_file() and name not in _NOT_STAGED:
            yield f"{DOCS if name.startswith('assets/') else 'theme'}/{name}", file.read_bytes()


def _settings(config: MkDocsConfig) -> str:
    """The settings for the engine.

    Edit links are missing: their addresses come from a staged path.
    """
    given: dict[str, Any] = {
        key: value for part in config.user_configs for key, value in part.items()
    }
    settings: dict[str, Any] = {key: given[key] for key in _SETTINGS if key in given}
    theme = (
        given["theme"]
        if isinstance(given.get("theme"), dict)
        else {"name": given.get("theme", "material")}
    )
    features = [
        name for name in theme.get("features", ()) if not name.startswith("content.action.")
    ]
    settings["theme"] = {**theme, "custom_dir": "theme", "features": features}
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


def _page(article: Article, sources: Mapping[str, str]) -> str:
    """The Markdown file of an article: its headings in Markdown, and HTML between them.

    The title is in the front matter where it is not that of the first heading.
    """
    metadata: dict[str, Any] = dict(article.metadata)
    if article.title and article.title not in {heading.html for heading in article.headings[:1]}:
        metadata["title"] = str(article.title)
    if article.description:
        metadata["description"] = escape(article.description)
    body = LexborHTMLParser(article.html).body
    for node in body.css("[href],[src]") if body else ():
        for name in node.attributes.keys() & {"href", "src"}:
            node.attrs[name] = _between_sources(node.attributes[name] or "", article, sources)
    not_searched = "" if article.in_search else ' data-pagefind-ignore="all"'
    lines: list[str] = []
    for node in body.iter(include_text=True) if body else ():
        if level := re.fullmatch("h([1-6])", node.tag or ""):
            marks = "#" * int(level[1])
            lines += ["", f"{marks} {_markdown_inline(node)} {{: #{node.id}{not_searched} }}", ""]
        elif not_searched or node.tag in ("span", "a"):  # Markdown would put a paragraph around it
            lines.append(f"<div{not_searched}>{node.html}</div>")
        else:
            lines.append((node.html or "").strip())
    front_matter = yaml.safe_dump(metadata, width=math.inf, allow_unicode=True)
    text_of_page = _FENCE.sub(_as_entities, "\n".join(lines))
    return f"---\n{front_matter}---\n{text_of_page}\n"


def _as_entities(match: re.Match[str]) -> str:
    """Characters as entities, which no parser of Markdown takes for markup."""
    return "".join(f"&#{ord(character)};" for character in match[0])


def _markdown_inline(node: LexborNode) -> str:
    """Write a heading's content as Markdown, without its permalink and with its text escaped."""
    parts = []
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            parts.append(_MARKUP.sub(_as_entities, child.text_content or ""))
        elif "headerlink" not in (child.attributes.get("class") or ""):
            values = ((name, value or "") for name, value in child.attributes.items())
            attributes = "".join(f' {name}="{escape(value)}"' for name, value in values)
            end = "" if child.tag in ("img", "br") else f"{_markdown_inline(child)}</{child.tag}>"
            parts.append(f"<{child.tag}{attributes}>{end}")
    return "".join(parts).strip()


def _between_sources(address: str, article: Article, sources: Mapping[str, str]) -> str:
    """Turn an address relative to a page into a path relative to the source of the page."""
    target, fragment = urldefrag(address)
    if not target or _ABSOLUTE.match(target):
        return address
    path = unquote(urljoin(f"/{article.address}", target)).removeprefix("/")
    relative = quote(posixpath.relpath(sources.get(path, path), posixpath.dirname(article.source)))
    return f"{relative}#{fragment}" if fragment else relative
