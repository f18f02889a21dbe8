"""Find the macros and variables that page templates can use.

This module reads mkdocs.yml and the Python modules of the repository, but does not run them. If an
installed package can define more names, the names are incomplete. In this case only the build, not
the check, reports an unknown name.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from inspect import Signature
from pathlib import Path
from typing import Final

from handbook.reading import nodes
from handbook.reading.files import is_file, read_text
from handbook.reading.modules import UNKNOWN, ModuleNames, read_module
from handbook.reading.templates import JINJA_NAMES, MARKS, Syntax
from handbook.settings import Settings
from handbook.vocabulary import MACROS

_MKDOCS_MACROS: Final = ("context", "fix_url", "macros_info", "now")
"""The macros that mkdocs-macros itself defines."""
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
"""Plugins that define no macros: the plugins of Material, and a few common plugins."""


@dataclass(frozen=True)
class MacroNames:
    """The names that templates can use.

    The signature of a name is None if it is unknown. `is_complete` is False if there can be more
    names.
    """

    signatures: Mapping[str, Signature | None] = field(default_factory=dict)
    is_complete: bool = True
    syntax: Syntax = field(default_factory=Syntax)

    def is_macro(self, name: str) -> bool:
        """Return whether a name is a known macro, and not a name of Jinja."""
        return name in self.signatures and name not in JINJA_NAMES


def read_macro_names(root: Path, settings: Settings) -> MacroNames:
    """Read the names that the templates of a repository can use."""
    signatures: dict[str, Signature | None] = dict.fromkeys((*JINJA_NAMES, *_MKDOCS_MACROS))
    signatures |= dict.fromkeys(MACROS, Signature())
    extra = settings.root_node.find("extra")
    if isinstance(extra, nodes.Mapping):
        signatures |= dict.fromkeys(entry.key for entry in extra.entries)
    plugins = {plugin.name: plugin.options for plugin in settings.plugins}
    options = plugins.get("macros")
    is_complete = all(
        name.split("/")[-1] in _PLUGINS_WITHOUT_MACROS for name in plugins
    ) and not _hooks_add_names(root, settings)
    for module in _read_modules(root, options):
        signatures |= module.names
        is_complete &= module.is_complete
    return MacroNames(signatures, is_complete, _read_syntax(options))


def plugin_options(settings: Settings) -> frozenset[str]:
    """Return the names of the options of mkdocs-macros that mkdocs.yml sets."""
    options = {plugin.name: plugin.options for plugin in settings.plugins}.get("macros")
    return frozenset(entry.key for entry in options.entries) if options else frozenset()


def _read_modules(root: Path, options: nodes.Mapping | None) -> Iterator[ModuleNames]:
    """Yield the names of each module that mkdocs-macros loads.

    It loads the modules in its option `modules`, and then the module in its option `module_name`.
    """
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
    """Read the first module of these paths that exists. Returns None if none exists."""
    path = next((path for path in map(posixpath.normpath, paths) if _is_file(root, path)), None)
    if path is None:
        return None
    text = read_text(root, path)
    return read_module(text) if isinstance(text, str) else UNKNOWN


def _is_file(root: Path, path: str) -> bool:
    """Return whether a path is a file in the repository."""
    return not path.startswith(("/", "..")) and is_file(root / path)


def _hooks_add_names(root: Path, settings: Settings) -> bool:
    """Return whether a hook of MkDocs can define macros.

    It can do so if its code contains the word "macros", or if it is unreadable.
    """
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
    """Return the text under a key, or the texts if the value is a list."""
    value = node.find(key) if node else None
    value_nodes = value.items if isinstance(value, nodes.Sequence) else [value]
    return [item.text for item in value_nodes if isinstance(item, nodes.Scalar) and not item.empty]
