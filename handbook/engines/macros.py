"""Work with mkdocs-macros: its settings, the macros of the engine, and its errors as one line."""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click
from jinja2 import TemplateSyntaxError, UndefinedError
from mkdocs.structure.pages import Page
from mkdocs_macros.errors import format_error

from handbook.diagnostics import did_you_mean
from handbook.engines.gate import page_address
from handbook.handbook import Handbook
from handbook.reporters.text import shown
from handbook.views import fence
from handbook.vocabulary import MACROS

_DEFAULTS: Final[Mapping[str, Any]] = {"on_undefined": "strict", "render_by_default": False}
"""What we set of mkdocs-macros where mkdocs.yml does not: a wrong name is an error, and braces are text."""

_TEMPLATE: Final = "<template>"
"""The file name that Jinja gives to the text of a page."""
_SCOPE: Final = re.compile(r"[\w.]*<locals>\.")

Macro = Callable[[], str]


def macro(name: str, handbook: Handbook, address: Callable[[], str]) -> Macro:
    """The macro of that name; `address` answers the address of the page that calls it.

    Raises LookupError for a name in the table of macros without a view.
    """
    view = getattr(import_module(f"handbook.views.{MACROS[name]}"), name, None)
    if view is None:
        raise LookupError(f"the macro '{name}' has no view in handbook.views.{MACROS[name]}")
    parameters = inspect.signature(view).parameters

    def call() -> str:
        values = {"handbook": handbook, "here": address()}
        return str(view(**{key: values[key] for key in parameters}))

    call.__name__ = call.__qualname__ = name  # for the messages of Python
    return call


def set_up(plugin: Any, root: Path, *, preview: bool) -> None:
    """Set what mkdocs.yml leaves open, before mkdocs-macros reads its settings."""
    given = {key for settings in plugin.config.user_configs for key in settings}
    plugin.config.update({key: value for key, value in _DEFAULTS.items() if key not in given})
    if preview:
        plugin.config["on_error_fail"] = False
    if plugin.config["modules"] and str(root) not in sys.path:
        sys.path.append(str(root))  # `mkdocs` alone does not find a module of the repository, `python -m mkdocs` does


def register(plugin: Any, handbook: Handbook) -> None:
    """Register the macros that no module of the repository has defined.

    mkdocs-macros has to have loaded those modules: what is registered before stays for every later build.
    """
    names = [name for name in MACROS if name not in plugin.macros]
    plugin.register_macros({name: macro(name, handbook, lambda: page_address(plugin.page)) for name in names})


def report_errors(plugin: Any, place: Callable[[Page], tuple[str, int]], *, preview: bool) -> None:
    """Let an error of a macro stop the build with one line, `path:line: message`.

    `place` answers the path of a page and the line before its text. A preview shows the line on the page.
    """

    def report(error: Exception, markdown: str, page: Page) -> str:
        path, offset = place(page)
        line = _line(error)
        where = f"{path}:{offset + line}" if line else path
        message = shown(f"{where}: {_message(error, plugin.macros)}")
        if preview:
            return f"# Macro error\n\n{fence(message, 'text')}"
        raise click.ClickException(message) from error

    for kind in (Exception, TemplateSyntaxError):
        format_error.register(kind, report)


def _line(error: Exception) -> int | None:
    """The line of a page's text that an error comes from, where Jinja knows it."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == _TEMPLATE]
    return lines[-1] if lines else None


def _message(error: Exception, macros: Mapping[str, Any]) -> str:
    """The error on one line, as the author of a page understands it."""
    text = _SCOPE.sub("", " ".join(str(error).split()))
    if isinstance(error, UndefinedError) and (name := re.fullmatch(r"'(\w+)' is undefined", text)):
        hint = did_you_mean(name[1], macros)
        return f"{text}; {hint}" if hint else text
    return text if isinstance(error, (TemplateSyntaxError, TypeError)) else f"{type(error).__name__}: {text}"
