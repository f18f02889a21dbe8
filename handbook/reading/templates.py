"""Read Jinja templates: their calls by name, and the names that they declare. Nothing is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import Signature
from typing import Any, Final

import jinja2
from jinja2 import nodes

JINJA_NAMES: Final = frozenset(jinja2.Environment(autoescape=True).globals)
"""The global functions of Jinja: `range`, `dict`, `namespace` …"""

MARKS: Final = tuple(
    f"{kind}_{end}_string" for kind in ("block", "variable", "comment") for end in ("start", "end")
)
"""Jinja's names of the marks in templates. An organisation can change the marks."""

_IMPLICIT: Final = frozenset({"caller", "loop", "self", "super"})
"""The names that Jinja declares in a macro, a loop and a block."""
_OWN_EXTENSIONS: Final = "jinja2.ext."


@dataclass(frozen=True)
class Syntax:
    """The syntax of templates, from mkdocs.yml: changed marks (`j2_…`) and Jinja extensions."""

    marks: tuple[tuple[str, str], ...] = ()
    extensions: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether all extensions are Jinja's own. Only an import could read others."""
        return all(extension.startswith(_OWN_EXTENSIONS) for extension in self.extensions)


@dataclass(frozen=True)
class MacroCall:
    """A call by name, such as `adr_index()`.

    `is_open` is True for arguments that are unknown before the template runs, such as `*list`.
    """

    name: str
    line: int
    positional: int
    keywords: tuple[str, ...]
    is_open: bool

    def fits(self, signature: Signature) -> bool:
        """Whether a function of this signature accepts the known arguments."""
        try:
            signature.bind(*[None] * self.positional, **dict.fromkeys(self.keywords))
        except TypeError:
            return self.is_open
        return True


@dataclass(frozen=True)
class Template:
    """The calls by name in a template, in order, and the names that it declares."""

    calls: tuple[MacroCall, ...] = ()
    declared: frozenset[str] = frozenset()
    is_complete: bool = True
    """Whether all declared names are known. They are not if it extends another template."""


class TemplateError(Exception):
    """An error in a template: a message, and a line or None."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def read_template(text: str, syntax: Syntax) -> Template:
    """Read a template. Raises TemplateError if Jinja cannot parse the text."""
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
    # Jinja raises these for equal marks, and for extensions that it cannot load.
    except (AssertionError, AttributeError, ImportError) as error:
        raise TemplateError(str(error)) from error
    except RecursionError as error:
        raise TemplateError("nested too deeply") from error


def _find_calls(tree: nodes.Template) -> Iterator[MacroCall]:
    blocks = {id(block.call) for block in tree.find_all(nodes.CallBlock)}
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name):
            keywords = tuple(keyword.key for keyword in call.kwargs)
            if id(call) in blocks:
                keywords += ("caller",)  # Jinja passes the block by this name
            is_open = call.dyn_args is not None or call.dyn_kwargs is not None
            yield MacroCall(call.node.name, call.lineno, len(call.args), keywords, is_open)


def _find_declared_names(tree: nodes.Template) -> Iterator[str]:
    """Yield the names that a template declares, with the names that Jinja adds."""
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
