"""Keep the compiled templates of themes, so that the builds of a process compile them once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache
from mkdocs.theme import Theme


def keep_compiled(folder: Path) -> Callable[[Theme], Environment]:
    """Return `Theme.get_env` with a folder for compiled templates.

    Jinja compares the checksum of a template's text, so that a changed template is compiled again.
    """
    get_env = Theme.get_env
    cache = FileSystemBytecodeCache(str(folder))

    def get_env_with_cache(theme: Theme) -> Environment:
        environment = get_env(theme)
        environment.bytecode_cache = cache
        return environment

    return get_env_with_cache
