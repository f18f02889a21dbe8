"""Work with mkdocs-macros: its settings, the macros of the engine, and the errors of templates."""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from jinja2 import TemplateSyntaxError, UndefinedError

from handbook.diagnostics import did_you_mean
from handbook.engines.gate import page_address
from handbook.handbook import Handbook
from handbook.vocabulary import MACROS

_DEFAULTS: Final[Mapping[str, Any]] = {"on_undefined": "strict", "render_by_default": False}
"""What we set of mkdocs-macros where mkdocs.yml does not: a wrong name is an error, and braces are text."""

_TEMPLATE: Final = "<template>"
"""The file name that Jinja gives to the text of a page."""
_SCOPE: Final = re.compile(r"[\w.]*<locals>\.")

_UNDEFINED: Final = re.compile(r"'(\w+)' is undefined")

Macro = Callable[[], str]


@dataclass(frozen=True)
class MacroError:
    """What went wrong in the template of a page. `line` counts from the beginning of its text, where it is known."""

    line: int | None
    message: str
    hint: str | None


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


def set_up(plugin: Any, root: Path) -> None:
    """Set what mkdocs.yml leaves open, before mkdocs-macros reads its settings."""
    given = {key for settings in plugin.config.user_configs for key in settings}
    plugin.config.update({key: value for key, value in _DEFAULTS.items() if key not in given})
    if plugin.config["modules"] and str(root) not in sys.path:
        sys.path.append(str(root))  # `mkdocs` alone does not find a module of the repository, `python -m mkdocs` does


def register(plugin: Any, handbook: Handbook) -> None:
    """Register the macros that no module of the repository has defined.

    mkdocs-macros has to have loaded those modules: what is registered before stays for every later build.
    """
    names = [name for name in MACROS if name not in plugin.macros]
    plugin.register_macros({name: macro(name, handbook, lambda: page_address(plugin.page)) for name in names})


def catch_errors(plugin: Any, report: Callable[[MacroError], str]) -> None:
    """Pass every error of a page's template to `report`; the page shows the text that it answers.

    mkdocs-macros would log a traceback, and end the process at the first error.
    """
    from_string = plugin.env.from_string

    def answer(error: Exception) -> str:
        return report(MacroError(_line(error), _message(error), _hint(error, plugin.macros)))

    def compile_page(source: str, *arguments: Any, **options: Any) -> Any:
        try:
            template = from_string(source, *arguments, **options)
        except Exception as error:
            return from_string("{{ text }}", globals={"text": answer(error)})
        template.render = _catching(template.render, answer)
        return template

    plugin.env.from_string = compile_page


def _catching(render: Callable[..., str], answer: Callable[[Exception], str]) -> Callable[..., str]:
    def caught(*arguments: Any, **variables: Any) -> str:
        try:
            return render(*arguments, **variables)
        except Exception as error:
            return answer(error)

    return caught


def _line(error: Exception) -> int | None:
    """The line of a page's text that an error comes from, where Jinja knows it."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == _TEMPLATE]
    return lines[-1] if lines else None


def _message(error: Exception) -> str:
    """The error as the author of a page understands it, on one line."""
    if isinstance(error, TemplateSyntaxError):
        return error.message or "unknown syntax"
    text = _SCOPE.sub("", " ".join(str(error).split()))
    return text if isinstance(error, (TypeError, UndefinedError)) else f"{type(error).__name__}: {text}"


def _hint(error: Exception, macros: Iterable[str]) -> str | None:
    """The macro whose name is nearest to one that is undefined."""
    name = _UNDEFINED.fullmatch(str(error)) if isinstance(error, UndefinedError) else None
    return did_you_mean(name[1], macros) if name else None
