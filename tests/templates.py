"""Keep the compiled templates of themes, so that the builds of a process compile them once."""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import Environment
from mkdocs.theme import Theme

from handbook.engines.kept import CompiledTemplates


def keep_compiled() -> Callable[[Theme], Environment]:
    """Return `Theme.get_env` whose environments share their compiled templates."""
    get_env = Theme.get_env
    cache = CompiledTemplates()

    def get_env_with_cache(theme: Theme) -> Environment:
        environment = get_env(theme)
        environment.bytecode_cache = cache
        return environment

    return get_env_with_cache
