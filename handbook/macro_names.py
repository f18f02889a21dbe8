"""The names that the templates of pages can call, read from mkdocs.yml and the modules of the repository.

No code of the repository is run. Where a name may come from what cannot be read, an installed package for example, the
names are incomplete: then the build, not the check, reports an unknown one.
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
"""The macros that mkdocs-macros brings itself."""
_DEFAULT_MODULE: Final = "main"
_OTHERS: Final = frozenset(
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
"""The plugins that register no macros: those of Material, and a few that many use."""


@dataclass(frozen=True)
class MacroNames:
    """What templates can call: each name with its signature, None where that is not known."""

    signatures: Mapping[str, Signature | None] = field(default_factory=dict)
    is_complete: bool = True
    syntax: Syntax = field(default_factory=Syntax)


def read_macro_names(root: Path, settings: Settings) -> MacroNames:
    """The names that the templates of a repository can call."""
    signatures: dict[str, Signature | None] = dict.fromkeys((*JINJA_NAMES, *_MKDOCS_MACROS))
    signatures |= dict.fromkeys(MACROS, Signature())
    extra = settings.root_node.find("extra")
    if isinstance(extra, nodes.Mapping):
        signatures |= dict.fromkeys(entry.key for entry in extra.entries)
    plugins = dict(_plugins(settings.root_node))
    options = plugins.get("macros")
    is_complete = all(name.split("/")[-1] in _OTHERS for name in plugins) and not _hooks_add_names(
        root, settings
    )
    for module in _modules(root, options):
        signatures |= module.names
        is_complete &= module.is_complete
    return MacroNames(signatures, is_complete, _syntax(options))


def plugin_options(settings: Settings) -> frozenset[str]:
    """The options of mkdocs-macros that mkdocs.yml sets."""
    options = dict(_plugins(settings.root_node)).get("macros")
    return frozenset(entry.key for entry in options.entries) if options else frozenset()


def _plugins(settings: nodes.Mapping) -> Iterator[tuple[str, nodes.Mapping | None]]:
    """The plugins of mkdocs.yml with their options."""
    plugins = settings.find("plugins")
    entries: list[nodes.Entry] = []
    for item in plugins.items if isinstance(plugins, nodes.Sequence) else [plugins]:
        if isinstance(item, nodes.Scalar):
            yield item.text, None
        elif isinstance(item, nodes.Mapping):
            entries += item.entries
    for entry in entries:
        yield entry.key, entry.value if isinstance(entry.value, nodes.Mapping) else None


def _modules(root: Path, options: nodes.Mapping | None) -> Iterator[ModuleNames]:
    """The modules that mkdocs-macros loads: those of `modules`, then the local one."""
    for module in _texts(options, "modules"):
        package = module.split(":")[:2][-1].replace(".", "/")  # `distribution:package`
        yield _read(root, f"{package}/__init__.py", f"{package}.py") or UNKNOWN
    names = _texts(options, "module_name")
    name = names[0] if names else _DEFAULT_MODULE
    local = _read(root, f"{name}.py", f"{name}/__init__.py")
    if local:
        yield local
    elif names:
        yield UNKNOWN


def _read(root: Path, *paths: str) -> ModuleNames | None:
    """The module of the repository at the first of these paths that is a file; None where none is."""
    path = next((path for path in map(posixpath.normpath, paths) if _is_file(root, path)), None)
    if path is None:
        return None
    text = read_text(root, path)
    return read_module(text) if isinstance(text, str) else UNKNOWN


def _is_file(root: Path, path: str) -> bool:
    """Whether a path is a file within the repository."""
    try:
        return not path.startswith(("/", "..")) and (root / path).is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _hooks_add_names(root: Path, settings: Settings) -> bool:
    """Whether a hook of MkDocs may register macros: it then names the plugin."""
    for hook in _texts(settings.root_node, "hooks"):
        path = posixpath.normpath(hook)
        text = read_text(root, path) if _is_file(root, path) else None
        if not isinstance(text, str) or "macros" in text:
            return True
    return False


def _syntax(options: nodes.Mapping | None) -> Syntax:
    marks = [(mark, text) for mark in MARKS for text in _texts(options, f"j2_{mark}")]
    return Syntax(tuple(marks), tuple(_texts(options, "j2_extensions")))


def _texts(node: nodes.Mapping | None, key: str) -> list[str]:
    """The text or the list of texts under a key."""
    value = node.find(key) if node else None
    items = value.items if isinstance(value, nodes.Sequence) else [value]
    return [item.text for item in items if isinstance(item, nodes.Scalar) and not item.empty]
