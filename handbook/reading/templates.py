"""Read the calls and the declared names of a Jinja template, without running it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import Signature
from typing import Any, Final

import jinja2
from jinja2 import nodes

from handbook.reading.files import refuse_recording

JINJA_NAMES: Final = frozenset(jinja2.Environment(autoescape=True).globals)
"""The global functions of Jinja: `range`, `dict`, `namespace` …"""

MARKS: Final = tuple(
    f"{kind}_{end}_string" for kind in ("block", "variable", "comment") for end in ("start", "end")
)
"""The names of Jinja's options for the marks of a template, such as `block_start_string`.

An organisation can change the marks, such as `{{`.
"""

_IMPLICIT: Final = frozenset({"caller", "loop", "self", "super"})
"""The names that Jinja itself declares in a macro, in a loop or in a block."""
_OWN_EXTENSIONS: Final = "jinja2.ext."


@dataclass(frozen=True)
class Syntax:
    """The syntax of templates in a repository, from the options of mkdocs-macros in mkdocs.yml.

    `marks` are the changed marks (options `j2_…`), and `extensions` the names of Jinja extensions.
    """

    marks: tuple[tuple[str, str], ...] = ()
    extensions: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """True if all extensions are part of Jinja. This module imports no other extension."""
        return all(extension.startswith(_OWN_EXTENSIONS) for extension in self.extensions)


@dataclass(frozen=True)
class MacroCall:
    """A call of a function by its name in a template, such as `adr_index()`.

    - `positional`: the number of positional arguments.
    - `keywords`: the names of the keyword arguments.
    - `has_unknown_arguments`: True if some arguments are known only when the template runs, such as
      `*list`.
    """

    name: str
    line: int
    positional: int
    keywords: tuple[str, ...]
    has_unknown_arguments: bool

    def fits(self, signature: Signature) -> bool:
        """Return whether a function with this signature accepts the arguments of the call."""
        try:
            signature.bind(*[None] * self.positional, **dict.fromkeys(self.keywords))
        except TypeError:
            return self.has_unknown_arguments
        return True


@dataclass(frozen=True)
class Template:
    """The calls of a template, in order, and the names that the template declares."""

    calls: tuple[MacroCall, ...] = ()
    declared_names: frozenset[str] = frozenset()
    is_complete: bool = True
    """True if all declared names are known. If it extends another template, they are not."""


class TemplateError(Exception):
    """Raised for an invalid template. `line` is the line of the error, or None if unknown."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def read_template(text: str, syntax: Syntax) -> Template:
    """Read a template. Raises TemplateError if the template is invalid."""
    if syntax.extensions:
        refuse_recording()  # The extension is code that Python can find anywhere.
    try:
        marks: dict[str, Any] = dict(syntax.marks)
        environment = jinja2.Environment(autoescape=True, extensions=syntax.extensions, **marks)
        tree = environment.parse(text)
        declared = frozenset(_find_declared_names(tree)) | frozenset(environment.globals)
        return Template(
            tuple(_find_calls(tree)), declared, is_complete=tree.find(nodes.Extends) is None
        )
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(error.message or "unknown syntax", error.lineno) from error
    # Jinja raises these errors if two marks are equal, or if it cannot load an extension.
    except (AssertionError, AttributeError, ImportError) as error:
        raise TemplateError(str(error)) from error
    except RecursionError as error:
        raise TemplateError("nested too deeply") from error


def _find_calls(tree: nodes.Template) -> Iterator[MacroCall]:
    """Yield the calls of functions by their name, in the order of the template."""
    blocks = {id(block.call) for block in tree.find_all(nodes.CallBlock)}
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name):
            keywords = tuple(keyword.key for keyword in call.kwargs)
            if id(call) in blocks:
                keywords += ("caller",)  # Jinja passes the block by this name
            has_unknown_arguments = call.dyn_args is not None or call.dyn_kwargs is not None
            yield MacroCall(
                call.node.name, call.lineno, len(call.args), keywords, has_unknown_arguments
            )


def _find_declared_names(tree: nodes.Template) -> Iterator[str]:
    """Yield the names that a template declares, and the names that Jinja itself declares."""
    yield from _IMPLICIT
    for name in tree.find_all(nodes.Name):
        if name.ctx != "load":
            yield name.name
    for macro in tree.find_all(nodes.Macro):
        yield macro.name
    for module in tree.find_all(nodes.Import):
        yield module.target
    for names in tree.find_all(nodes.FromImport):
        yield from (name if isinstance(name, str) else name[1] for name in names.names)
