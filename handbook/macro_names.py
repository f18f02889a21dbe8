"""Names that page templates can call, read from mkdocs.yml and the repository's modules.

The reader runs no code of the repository. If a name can come from an unreadable place, such as an
installed package, the names are incomplete. Then the build reports an unknown name, not the check.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from inspect import Signature
from pathlib import Path
from typing import Final

from handbook.reading import nodes
from handbook.reading.files import read_text
from handbook.reading.modules import UNKNOWN, ModuleNames, read_module
from handbook.reading.templates import JINJA_NAMES, MARKS, Syntax
from handbook.settings import Settings
from handbook.vocabulary import MACROS

_MKDOCS_MACROS: Final = ("context", "fix_url", "macros_info", "now")
"""Macros of mkdocs-macros itself."""
_DEFAULT_MODULE: Final = "main"
_PLUGINS_WITHOUT_MACROS: Final = frozenset(
    {
        "autorefs",
        "blog",
        "group",
        "handbook",
        "info",
        "macros",
        "meta",
        "minify",
        "offline",
        "optimize",
        "privacy",
        "projects",
        "redirects",
        "search",
        "social",
        "tags",
        "typeset",
    }
)
"""Plugins without macros: the plugins of Material, and a few common ones."""


@dataclass(frozen=True)
class MacroNames:
    """Names available in templates, with their signatures; None if unknown."""

    signatures: Mapping[str, Signature | None] = field(default_factory=dict)
    is_complete: bool = True
    syntax: Syntax = field(default_factory=Syntax)


def read_macro_names(root: Path, settings: Settings) -> MacroNames:
    """Read the names available in the templates of a repository."""
    signatures: dict[str, Signature | None] = dict.fromkeys((*JINJA_NAMES, *_MKDOCS_MACROS))
    signatures |= dict.fromkeys(MACROS, Signature())
    extra = settings.root_node.find("extra")
    if isinstance(extra, nodes.Mapping):
        signatures |= dict.fromkeys(entry.key for entry in extra.entries)
    plugins = dict(_iterate_plugins(settings.root_node))
    options = plugins.get("macros")
    is_complete = all(
        name.split("/")[-1] in _PLUGINS_WITHOUT_MACROS for name in plugins
    ) and not _hooks_add_names(root, settings)
    for module in _read_modules(root, options):
        signatures |= module.names
        is_complete &= module.is_complete
    return MacroNames(signatures, is_complete, _read_syntax(options))


def plugin_options(settings: Settings) -> frozenset[str]:
    """Return the options of mkdocs-macros in mkdocs.yml."""
    options = dict(_iterate_plugins(settings.root_node)).get("macros")
    return frozenset(entry.key for entry in options.entries) if options else frozenset()


def _iterate_plugins(settings: nodes.Mapping) -> Iterator[tuple[str, nodes.Mapping | None]]:
    """Yield the plugins in mkdocs.yml with their options."""
    plugins = settings.find("plugins")
    entries: list[nodes.Entry] = []
    for item in plugins.items if isinstance(plugins, nodes.Sequence) else [plugins]:
        if isinstance(item, nodes.Scalar):
            yield item.text, None
        elif isinstance(item, nodes.Mapping):
            entries += item.entries
    for entry in entries:
        yield entry.key, entry.value if isinstance(entry.value, nodes.Mapping) else None


def _read_modules(root: Path, options: nodes.Mapping | None) -> Iterator[ModuleNames]:
    """Yield the modules that mkdocs-macros loads: from `modules`, then the local module."""
    for module in _read_texts(options, "modules"):
        package = module.split(":")[:2][-1].replace(".", "/")  # `distribution:package`
        yield _read_module(root, f"{package}/__init__.py", f"{package}.py") or UNKNOWN
    names = _read_texts(options, "module_name")
    name = names[0] if names else _DEFAULT_MODULE
    local = _read_module(root, f"{name}.py", f"{name}/__init__.py")
    if local:
        yield local
    elif names:
        yield UNKNOWN


def _read_module(root: Path, *paths: str) -> ModuleNames | None:
    """Read the module at the first path that is a file; None without a file."""
    path = next((path for path in map(posixpath.normpath, paths) if _is_file(root, path)), None)
    if path is None:
        return None
    text = read_text(root, path)
    return read_module(text) if isinstance(text, str) else UNKNOWN


def _is_file(root: Path, path: str) -> bool:
    """Return whether a path is a file in the repository."""
    try:
        return not path.startswith(("/", "..")) and (root / path).is_file()
    except (OSError, ValueError):  # an invalid file name
        return False


def _hooks_add_names(root: Path, settings: Settings) -> bool:
    """Return whether a hook of MkDocs can register macros, because it mentions the plugin."""
    for hook in _read_texts(settings.root_node, "hooks"):
        path = posixpath.normpath(hook)
        text = read_text(root, path) if _is_file(root, path) else None
        if not isinstance(text, str) or "macros" in text:
            return True
    return False


def _read_syntax(options: nodes.Mapping | None) -> Syntax:
    marks = [(mark, text) for mark in MARKS for text in _read_texts(options, f"j2_{mark}")]
    return Syntax(tuple(marks), tuple(_read_texts(options, "j2_extensions")))


def _read_texts(node: nodes.Mapping | None, key: str) -> list[str]:
    """Return the texts under a key: one, or a list."""
    value = node.find(key) if node else None
    items = value.items if isinstance(value, nodes.Sequence) else [value]
    return [item.text for item in items if isinstance(item, nodes.Scalar) and not item.empty]
