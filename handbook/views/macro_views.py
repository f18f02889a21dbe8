"""Call the view of a macro, and expand the macros of a provided page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from handbook.handbook import Handbook
from handbook.views import Keep, make_now
from handbook.vocabulary import MACROS

_CALL: Final = re.compile(r"^\{\{ (\w+)\(\) \}\}$", re.MULTILINE)


def find_view(name: str) -> Any:
    """Return the view of a macro from the table MACROS. Raises LookupError if it is missing."""
    view = getattr(import_module(f"handbook.views.{MACROS[name]}"), name, None)
    if view is None:
        raise LookupError(f"the macro '{name}' has no view in handbook.views.{MACROS[name]}")
    return view


def call_view(name: str, handbook: Handbook, page_address: str, keep: Keep = make_now) -> str:
    """Return the Markdown of a macro for the page that calls it.

    A preview keeps the rows of large indexes with `keep`.
    """
    view = find_view(name)
    values = {"handbook": handbook, "page_address": page_address, "keep": keep}
    return str(view(**{key: values[key] for key in inspect.signature(view).parameters}))


def expand_macros(markdown: str, call_macro: Callable[[str], str]) -> str:
    """Replace each line such as `{{ adr_index() }}` by the output of our macro with this name.

    Provided pages contain no other templates, so they need no template engine.
    """
    return _CALL.sub(lambda call: call_macro(call[1]), markdown)
