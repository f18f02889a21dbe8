"""A page that is a template of Jinja: what it calls, and the names that it declares itself. Nothing is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import Signature
from typing import Any, Final

import jinja2
from jinja2 import nodes

JINJA_NAMES: Final = frozenset(jinja2.Environment(autoescape=True).globals)
"""The functions of Jinja itself: `range`, `dict`, `namespace` …"""

MARKS: Final = tuple(
    f"{kind}_{end}_string" for kind in ("block", "variable", "comment") for end in ("start", "end")
)
"""The marks of templates, by Jinja's names, which an organisation can change."""

_IMPLICIT: Final = frozenset({"caller", "loop", "self", "super"})
"""The names that Jinja declares within a macro, a loop, and a block."""
_OWN_EXTENSIONS: Final = "jinja2.ext."


@dataclass(frozen=True)
class Syntax:
    """How mkdocs.yml has templates written: the marks that differ from Jinja's (`j2_…`), and extensions."""

    marks: tuple[tuple[str, str], ...] = ()
    extensions: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether only Jinja's own extensions are named: others would have to be imported."""
        return all(extension.startswith(_OWN_EXTENSIONS) for extension in self.extensions)


@dataclass(frozen=True)
class MacroCall:
    """A call by name: `adr_index()`. `is_open` says that it has arguments that only running it tells, as `*list`."""

    name: str
    line: int
    positional: int
    keywords: tuple[str, ...]
    is_open: bool

    def fits(self, signature: Signature) -> bool:
        """Whether a function of that signature takes the arguments, as far as they are known."""
        try:
            signature.bind(*[None] * self.positional, **dict.fromkeys(self.keywords))
        except TypeError:
            return self.is_open
        return True


@dataclass(frozen=True)
class Template:
    """What a template calls by name, in order, and the names that it declares anywhere in itself."""

    calls: tuple[MacroCall, ...] = ()
    declared: frozenset[str] = frozenset()
    is_complete: bool = True
    """Whether all names are known that the text declares: not where it extends another template."""


class TemplateError(Exception):
    """A text is no template: the message, and the line, or None for the whole text."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def read_template(text: str, syntax: Syntax) -> Template:
    """The template that a text is. Raises TemplateError where Jinja cannot read it."""
    try:
        marks: dict[str, Any] = dict(syntax.marks)
        environment = jinja2.Environment(autoescape=True, extensions=syntax.extensions, **marks)
        tree = environment.parse(text)
        declared = frozenset(_declared(tree)) | frozenset(environment.globals)
        return Template(tuple(_calls(tree)), declared, is_complete=tree.find(nodes.Extends) is None)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(error.message or "unknown syntax", error.lineno) from error
    except (
        AssertionError,
        AttributeError,
        ImportError,
    ) as error:  # of marks that are equal, of an extension
        raise TemplateError(str(error)) from error
    except RecursionError as error:
        raise TemplateError("nested too deeply") from error


def _calls(tree: nodes.Template) -> Iterator[MacroCall]:
    blocks = {id(block.call) for block in tree.find_all(nodes.CallBlock)}
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name):
            keywords = tuple(keyword.key for keyword in call.kwargs)
            if id(call) in blocks:
                keywords += ("caller",)  # Jinja passes the block so
            is_open = call.dyn_args is not None or call.dyn_kwargs is not None
            yield MacroCall(call.node.name, call.lineno, len(call.args), keywords, is_open)


def _declared(tree: nodes.Template) -> Iterator[str]:
    """The names of macros, imports, assignments, loop variables and arguments, and those that Jinja adds to them."""
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
