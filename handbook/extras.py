"""Packages that only some commands and settings need: the extra `site`.

`pip install handbook` installs what the check needs, and `pip install 'handbook[site]'` the rest.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

BUILD_MODULES: Final = ("mkdocs", "mkdocs_macros", "material", "pagefind", "feedgenerator", "click")
"""The modules that a build needs."""


class MissingPackageError(Exception):
    """Raised if a package of the extra `site` is not installed. The message has the command."""


def require_modules(*modules: str, purpose: str) -> None:
    """Raise MissingPackageError if a module is missing. `purpose` is what needs it."""
    for module in modules:
        if find_spec(module) is None:
            raise MissingPackageError(
                f"missing module '{module}' for {purpose}; run: pip install 'handbook[site]'"
            )
