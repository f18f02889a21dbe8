"""Keep the compiled templates of themes, so that the builds of a process compile them once."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from mkdocs.theme import Theme


class CompiledTemplates(BytecodeCache):
    """Compiled templates by name and checksum, so that a changed template is compiled again."""

    def __init__(self) -> None:
        self.codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Set the code of a template if it is known."""
        bucket.code = self.codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        assert bucket.code
        self.codes[bucket.key, bucket.checksum] = bucket.code


def keep_compiled() -> Callable[[Theme], Environment]:
    """Return `Theme.get_env` whose environments share their compiled templates."""
    get_env = Theme.get_env
    cache = CompiledTemplates()

    def get_env_with_cache(theme: Theme) -> Environment:
        environment = get_env(theme)
        environment.bytecode_cache = cache
        return environment

    return get_env_with_cache
