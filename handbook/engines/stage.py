"""`handbook stage`: the assembly as a source tree for another engine, Zensical among them.

Each page is a Markdown file whose headings are Markdown, so that the engine makes its table of contents, and whose text
between them is finished HTML. Links lead from source to source. MkDocs runs only to call the macros of pages.
"""

from __future__ import annotations

import math
import posixpath
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urldefrag, urljoin

import click
import yaml
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as SitePage
from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.diagnostics import Report
from handbook.engines.mkdocs import HandbookPlugin
from handbook.engines.state import Build
from handbook.handbook import Handbook
from handbook.records import Page
from handbook.reporters.text import text
from handbook.settings import DOCS, FILE
from handbook.site import finish
from handbook.site.assembly import Article
from handbook.site.exchange import new_site, put_in_place

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
_ABSOLUTE: Final = re.compile("[a-z][a-z0-9+.-]*:|/", re.IGNORECASE)
_MARKER: Final = ".handbook-stage"


@dataclass(frozen=True)
class Staged:
    """What was written."""

    pages: int
    files: int


class StageError(Exception):
    """A tree that cannot be written; the text says why."""


def stage(root: Path, folder: Path) -> Staged:
    """Write the site of the handbook at `root` as the sources of another engine.

    The folder is new, empty, or holds an older stage, which is replaced. Raises StageError, click.ClickException with
    the findings where the handbook cannot be published, WriteError and OSError.
    """
    folder = folder.resolve()
    if root.is_relative_to(folder) or (
        folder.is_relative_to(root) and folder.parts[len(root.parts)] in (DOCS, ".git")
    ):
        raise StageError(f"{folder} holds the sources of the handbook; name another folder")
    if (
        folder.exists()
        and (not folder.is_dir() or any(folder.iterdir()))
        and not (folder / _MARKER).is_file()
    ):
        raise StageError(
            f"{folder} is not empty and holds no stage; empty it, or name another folder"
        )
    config = load_config(str(root / FILE))
    config.plugins.on_startup(command="build", dirty=False)
    config.plugins.on_config(config)
    config.plugins.on_pre_build(config=config)
    plugin = config.plugins["handbook"]
    if not isinstance(plugin, HandbookPlugin):
        raise StageError(f"{FILE}: no plugin 'handbook'; add '- handbook' to 'plugins'")
    build = plugin.current_build
    assembly, handbook = build.assembly, build.assembly.handbook
    articles = list(assembly.pages(_expander(config, build)))
    if findings := (
        *build.findings,
        *(finding for article in articles for finding in article.findings),
    ):
        raise click.ClickException(
            f"pages cannot be published\n{text(Report(handbook.counts, findings))}"
        )
    sources = {article.address: article.source for article in articles} | _other_sources(handbook)
    contents = {
        f"{DOCS}/{article.source}": _page(article, sources).encode() for article in articles
    }
    pages = len(contents)
    contents |= {f"{DOCS}/{name}": content.encode() for name, content in assembly.files().items()}
    contents |= dict(_copied(handbook))
    contents |= {FILE: _settings(config).encode(), _MARKER: b""}
    new = new_site(folder)
    shutil.rmtree(new, ignore_errors=True)
    for name, content in contents.items():
        file = new / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    put_in_place(folder)
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
    """The sources of what is copied, by address: attachments, and pages that only Python-Markdown can render."""
    paths = [page.path for page in handbook.of(Page) if page.markdown] + sorted(
        handbook.attachments
    )
    return {handbook.url(path) or "": handbook.source_uri(path) for path in paths}


def _copied(handbook: Handbook) -> Iterator[tuple[str, bytes]]:
    """The files that are copied as they are: attachments, pages in Material's syntax, and our theme."""
    for source in _other_sources(handbook).values():
        path = next(path for path in (f"{DOCS}/{source}", source) if handbook.published(path))
        yield f"{DOCS}/{source}", (handbook.root / path).read_bytes()
    theme = Path(finish.__file__).parent / "theme"
    for file in sorted(theme.rglob("*")):
        name = file.relative_to(theme).as_posix()
        if file.is_file() and name not in _NOT_STAGED:
            yield f"{DOCS if name.startswith('assets/') else 'theme'}/{name}", file.read_bytes()


def _settings(config: MkDocsConfig) -> str:
    """The settings for the engine. Edit links are missing: their addresses come from a staged path."""
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
    """The Markdown file of an article: its headings in Markdown, and what is between them in HTML."""
    metadata: dict[str, Any] = dict(article.metadata)
    if article.title:
        metadata["title"] = str(article.title)
    if article.description:
        metadata["description"] = escape(article.description)
    body = LexborHTMLParser(article.html).body
    for node in body.css("[href],[src]") if body else ():
        for name in node.attributes.keys() & {"href", "src"}:
            node.attrs[name] = _between_sources(node.attributes[name] or "", article, sources)
    parts: list[str] = []
    for node in body.iter(include_text=True) if body else ():
        level = re.fullmatch("h([1-6])", node.tag or "")
        if level:
            parts += ["", f"{'#' * int(level[1])} {_heading(node)} {{: #{node.id} }}", ""]
        elif node.tag in ("span", "a"):  # Markdown would put a paragraph around it
            parts.append(f"<div>{node.html}</div>")
        else:
            parts.append((node.html or "").strip())
    text_of_page = "\n".join(parts)
    return (
        f"---\n{yaml.safe_dump(metadata, width=math.inf, allow_unicode=True)}---\n{text_of_page}\n"
    )


def _heading(node: LexborNode) -> str:
    """The inside of a heading, without its permalink; no character of its text is markup."""
    parts = []
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            parts.append(_MARKUP.sub(lambda match: f"&#{ord(match[0])};", child.text_content or ""))
        elif "headerlink" not in (child.attributes.get("class") or ""):
            parts.append(
                f"<{child.tag}>{_heading(child)}</{child.tag}>"
                if child.tag == "code"
                else _heading(child)
            )
    return "".join(parts).strip()


def _between_sources(address: str, article: Article, sources: Mapping[str, str]) -> str:
    """An address that is relative to a page's address, as one that is relative to its source, between source files."""
    target, fragment = urldefrag(address)
    if not target or _ABSOLUTE.match(target):
        return address
    path = unquote(urljoin(f"/{article.address}", target)).removeprefix("/")
    relative = quote(posixpath.relpath(sources.get(path, path), posixpath.dirname(article.source)))
    return f"{relative}#{fragment}" if fragment else relative
