"""Connect the plugin mkdocs-macros: set its options, register our macros, report its errors."""

from __future__ import annotations

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
from handbook.reading.files import is_file, is_folder
from handbook.reporters.text import escape_unprintable
from handbook.views.macro_views import find_view
from handbook.vocabulary import MACROS

_DEFAULTS: Final[Mapping[str, Any]] = {"on_undefined": "strict", "render_by_default": False}
"""Options of mkdocs-macros that apply if mkdocs.yml does not set them.

Unknown names in templates are errors. Templates run only on pages with `render_macros: true`.
"""

_TEMPLATE: Final = "<template>"
"""File name in the tracebacks of Jinja for the text of a page."""
_SCOPE: Final = re.compile(r"[\w.]*<locals>\.")

_UNDEFINED: Final = re.compile(r"'(\w+)' is undefined")

Macro = Callable[[], str]


@dataclass(frozen=True)
class MacroError:
    """Error in the template of a page.

    `line` counts from the first line of the page's text. It is None if Jinja reports no line.
    """

    line: int | None
    message: str
    hint: str | None


def make_macro(
    name: str, call_macro: Callable[[str, str], str], address: Callable[[], str]
) -> Macro:
    """Return the macro with a name from the table MACROS.

    `call_macro` returns the output of a macro for the page at an address. `address` returns the
    address of the page that calls the macro. Raises LookupError if the view of the macro is
    missing.
    """
    find_view(name)

    def call() -> str:
        return call_macro(name, address())

    # Python's error messages contain this name.
    call.__name__ = call.__qualname__ = name
    return call


def set_up(plugin: Any, handbook: Handbook) -> None:
    """Set the options of mkdocs-macros that are not in mkdocs.yml, and import its modules.

    The modules are imported before mkdocs-macros imports them, so that an error becomes one line.
    Raises click.ClickException if a module cannot be imported.
    """
    options = plugin_options(handbook.settings)
    plugin.config.update({key: value for key, value in _DEFAULTS.items() if key not in options})
    for module in plugin.config["modules"]:
        if ":" not in module:  # mkdocs-macros installs a module of the form `distribution:package`.
            _import(module, handbook.root)


def _import(name: str, root: Path) -> None:
    """Import a macros module: from the repository if it is there, otherwise from Python's path.

    Raises click.ClickException if the import fails.
    """
    top = name.split(".")[0]
    if not (is_file(root / f"{top}.py") or is_folder(root / top)):
        if find_spec(top) is None:
            hint = f"remove it from 'modules' of the plugin macros, or add {top}.py"
            message = escape_unprintable(f"mkdocs.yml: unknown module '{name}'; {hint}")
            raise click.ClickException(message)
        return
    loaded = sys.modules.get(top)
    if loaded is not None and not _is_below(loaded, root):
        if not hasattr(loaded, "define_env"):
            raise click.ClickException(
                f"mkdocs.yml: the module '{name}' has the name of an installed module; rename it"
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
            f"mkdocs.yml: the folder of the module '{name}' is not a package; add __init__.py"
        )


def _is_below(module: ModuleType, root: Path) -> bool:
    paths = [*([module.__file__] if module.__file__ else []), *getattr(module, "__path__", ())]
    return any(Path(path).resolve().is_relative_to(root.resolve()) for path in paths)


def comes_from_macros(error: BaseException) -> bool:
    """Tell whether an error was raised in mkdocs-macros, or in code that mkdocs-macros called."""
    package = Path(mkdocs_macros.__file__).parent
    frames = traceback.extract_tb(error.__traceback__)
    return any(Path(frame.filename).is_relative_to(package) for frame in frames)


def register_macros(plugin: Any, call_macro: Callable[[str, str], str]) -> None:
    """Register our macros, except those that a module of the repository defines.

    Call this after mkdocs-macros has loaded the modules. Macros that are registered before that
    would stay registered in later builds of the same process.
    """
    names = [name for name in MACROS if name not in plugin.macros]
    plugin.register_macros(
        {name: make_macro(name, call_macro, lambda: page_address(plugin.page)) for name in names}
    )


def catch_errors(plugin: Any, report: Callable[[MacroError], str]) -> None:
    """Report every error in the template of a page, and continue the build.

    `report` takes the error and returns the text that the page shows. Without this function,
    mkdocs-macros would log a traceback and end the process at the first error.
    """
    from_string = plugin.env.from_string

    def show_error(error: Exception) -> str:
        return report(
            MacroError(_find_line(error), _describe(error), _suggest(error, plugin.macros))
        )

    def compile_page(source: str, *arguments: Any, **options: Any) -> Any:
        try:
            template = from_string(source, *arguments, **options)
        except Exception as error:
            return from_string("{{ text }}", globals={"text": show_error(error)})
        template.render = _catch(template.render, show_error)
        return template

    plugin.env.from_string = compile_page


def _catch(
    render: Callable[..., str], show_error: Callable[[Exception], str]
) -> Callable[..., str]:
    def render_or_report(*arguments: Any, **variables: Any) -> str:
        try:
            return render(*arguments, **variables)
        except Exception as error:
            return show_error(error)

    return render_or_report


def _find_line(error: Exception) -> int | None:
    """Return the line of the page's text that causes an error, or None if it is unknown."""
    if isinstance(error, TemplateSyntaxError):
        return None if _is_included(error) else error.lineno
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == _TEMPLATE
    ]
    return lines[-1] if lines else None


def _is_included(error: TemplateSyntaxError) -> bool:
    """Tell whether a syntax error is in a file that the page includes."""
    return error.filename not in (None, _TEMPLATE)


def _describe(error: Exception) -> str:
    """Return the message of an error on one line, without internal names."""
    if isinstance(error, TemplateSyntaxError):
        message = error.message or "unknown syntax"
        return f"{error.filename}:{error.lineno}: {message}" if _is_included(error) else message
    text = _SCOPE.sub("", " ".join(str(error).split()))
    return (
        text
        if isinstance(error, (TypeError, UndefinedError))
        else f"{type(error).__name__}: {text}"
    )


def _suggest(error: Exception, macros: Iterable[str]) -> str | None:
    """Return a hint with the macro whose name is most similar to an undefined name."""
    name = _UNDEFINED.fullmatch(str(error)) if isinstance(error, UndefinedError) else None
    return did_you_mean(name[1], macros) if name else None
