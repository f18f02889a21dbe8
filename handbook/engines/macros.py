"""Work with mkdocs-macros: its settings, the macros of the engine, and the errors of templates."""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import click
import mkdocs_macros
from jinja2 import TemplateSyntaxError, UndefinedError

from handbook.diagnostics import did_you_mean
from handbook.engines.check import page_address
from handbook.engines.errors import describe_error
from handbook.handbook import Handbook
from handbook.macro_names import plugin_options
from handbook.vocabulary import MACROS

_DEFAULTS: Final[Mapping[str, Any]] = {"on_undefined": "strict", "render_by_default": False}
"""Defaults for mkdocs-macros: unknown names are errors, and braces are text."""

_TEMPLATE: Final = "<template>"
"""The file name that Jinja gives to the text of a page."""
_SCOPE: Final = re.compile(r"[\w.]*<locals>\.")

_UNDEFINED: Final = re.compile(r"'(\w+)' is undefined")

Macro = Callable[[], str]


@dataclass(frozen=True)
class MacroError:
    """An error in the template of a page.

    `line` counts from the beginning of its text, where it is known.
    """

    line: int | None
    message: str
    hint: str | None


def macro(name: str, handbook: Handbook, address: Callable[[], str]) -> Macro:
    """Make the macro of a name; `address` returns the address of the page that calls it.

    Raises LookupError for a name in the table of macros without a view.
    """
    view = getattr(import_module(f"handbook.views.{MACROS[name]}"), name, None)
    if view is None:
        raise LookupError(f"the macro '{name}' has no view in handbook.views.{MACROS[name]}")
    parameters = inspect.signature(view).parameters

    def call() -> str:
        values = {"handbook": handbook, "page_address": address()}
        return str(view(**{key: values[key] for key in parameters}))

    call.__name__ = call.__qualname__ = name  # for the messages of Python
    return call


def set_up(plugin: Any, handbook: Handbook) -> None:
    """Set missing options of mkdocs-macros, and import its modules before it does.

    Raises click.ClickException where a module cannot be imported.
    """
    options = plugin_options(handbook.settings)
    plugin.config.update({key: value for key, value in _DEFAULTS.items() if key not in options})
    for module in plugin.config["modules"]:
        if ":" not in module:  # `distribution:package` is installed by mkdocs-macros
            _import(module, handbook.root)


def _import(name: str, root: Path) -> None:
    """Import a module, from the repository where it has one of that name."""
    top = name.split(".")[0]
    if not ((root / f"{top}.py").is_file() or (root / top).is_dir()):
        if find_spec(top) is None:
            hint = f"remove it from 'modules' of the plugin macros, or add {top}.py"
            raise click.ClickException(f"mkdocs.yml: unknown module '{name}'; {hint}")
        return
    loaded = sys.modules.get(top)
    if loaded is not None and not _is_below(loaded, root):
        if not hasattr(loaded, "define_env"):
            raise click.ClickException(
                f"mkdocs.yml: the module '{name}' has the name of an installed one; rename it"
            )
        # An earlier build in this process has loaded the modules of another repository.
        for module in [module for module in sys.modules if module.split(".")[0] == top]:
            del sys.modules[module]
    sys.path.insert(0, str(root))
    try:
        import_module(name)
    except Exception as error:
        raise click.ClickException(describe_error(error, root, "macros failed")) from error
    finally:
        sys.path.remove(str(root))
    if not _is_below(sys.modules[top], root):
        raise click.ClickException(
            f"mkdocs.yml: the module '{name}' is not a package of the repository; add __init__.py"
        )


def _is_below(module: ModuleType, root: Path) -> bool:
    paths = [*([module.__file__] if module.__file__ else []), *getattr(module, "__path__", ())]
    return any(Path(path).resolve().is_relative_to(root.resolve()) for path in paths)


def comes_from_macros(error: BaseException) -> bool:
    """Whether mkdocs-macros was running when an error was raised."""
    package = Path(mkdocs_macros.__file__).parent
    frames = traceback.extract_tb(error.__traceback__)
    return any(Path(frame.filename).is_relative_to(package) for frame in frames)


def register(plugin: Any, handbook: Handbook) -> None:
    """Register the macros that no module of the repository has defined.

    mkdocs-macros must have loaded those modules, because macros that are registered earlier stay
    for every later build.
    """
    names = [name for name in MACROS if name not in plugin.macros]
    plugin.register_macros(
        {name: macro(name, handbook, lambda: page_address(plugin.page)) for name in names}
    )


def catch_errors(plugin: Any, report: Callable[[MacroError], str]) -> None:
    """Pass every error of a page's template to `report`, and show the text that it returns.

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
        return None if _is_included(error) else error.lineno
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == _TEMPLATE
    ]
    return lines[-1] if lines else None


def _is_included(error: TemplateSyntaxError) -> bool:
    """Whether a syntax error is in a file that the page includes."""
    return error.filename not in (None, _TEMPLATE)


def _message(error: Exception) -> str:
    """The error as the author of a page understands it, on one line."""
    if isinstance(error, TemplateSyntaxError):
        message = error.message or "unknown syntax"
        return f"{error.filename}:{error.lineno}: {message}" if _is_included(error) else message
    text = _SCOPE.sub("", " ".join(str(error).split()))
    return (
        text
        if isinstance(error, (TypeError, UndefinedError))
        else f"{type(error).__name__}: {text}"
    )


def _hint(error: Exception, macros: Iterable[str]) -> str | None:
    """The macro whose name is nearest to one that is undefined."""
    name = _UNDEFINED.fullmatch(str(error)) if isinstance(error, UndefinedError) else None
    return did_you_mean(name[1], macros) if name else None
