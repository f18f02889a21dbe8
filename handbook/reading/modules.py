"""Read the macros and variables that a Python module defines for mkdocs-macros.

This module parses the Python code, and never runs it.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from inspect import Parameter, Signature
from typing import Final

_HOOKS: Final = ("define_env", "on_pre_page_macros", "on_post_page_macros")
"""The functions that mkdocs-macros calls with its environment before it renders a page."""
_READING_METHODS: Final = ("copy", "get", "items", "keys", "values")
_Function = ast.FunctionDef | ast.Lambda


@dataclass(frozen=True)
class ModuleNames:
    """The macros and variables that a module defines, each with a signature.

    The signature is None for a variable, and for a macro with an unknown signature. `is_complete`
    is False if the module can define more names while it runs.
    """

    names: Mapping[str, Signature | None] = field(default_factory=dict)
    is_complete: bool = True


UNKNOWN: Final = ModuleNames(is_complete=False)
"""The names of an unreadable module."""


def read_module(text: str) -> ModuleNames:
    """Return the names that the Python code of a module defines, without running the code."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return UNKNOWN
    hooks = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in _HOOKS
    ]
    if not any(hook.name == "define_env" for hook in hooks):
        return UNKNOWN  # the module can import or assign define_env
    return _Reader(tree).read(hooks)


class _DynamicError(Exception):
    """Raised for code that can define names which are known only when it runs."""


class _Reader:
    """Reads the names of one module.

    A hook receives the environment of mkdocs-macros as its first argument, and defines names with
    it. The names are complete if the reader understands every use of the environment.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._names: dict[str, Signature | None] = {}
        self._parents = {
            child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)
        }
        self._imported = {
            alias.asname or alias.name: alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        self._assigned = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        self._functions: dict[str, list[ast.FunctionDef]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                self._functions.setdefault(node.name, []).append(node)

    def read(self, hooks: list[ast.FunctionDef]) -> ModuleNames:
        is_complete = True
        for hook in hooks:
            for use in _find_uses(hook):
                try:
                    self._read_use(use)
                except _DynamicError:
                    is_complete = False
        return ModuleNames(self._names, is_complete)

    def _read_use(self, use: ast.Name) -> None:
        """Add the names that one use of the environment defines.

        Raises _DynamicError if the names are known only when the code runs.
        """
        attribute = self._parents[use]
        if not isinstance(attribute, ast.Attribute):
            raise _DynamicError  # another function receives the environment
        parent = self._parents[attribute]
        match attribute.attr:
            case "macro":
                self._read_macro(attribute, parent)
            case "variables" | "macros":
                self._read_mapping(parent)
            case "register_macros" | "register_variables" if isinstance(parent, ast.Call):
                self._add_all(_read_keys(parent))
            case "env" | "register_macros" | "register_variables":
                raise _DynamicError

    def _read_macro(self, attribute: ast.Attribute, parent: ast.AST) -> None:
        """Add the macro of `@env.macro`, `env.macro(f)`, or `env.macro(f, "name")`."""
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            is_plain = len(parent.decorator_list) == 1
            self._add(
                parent.name,
                _make_signature(parent)
                if isinstance(parent, ast.FunctionDef) and is_plain
                else None,
            )
        elif isinstance(parent, ast.Call) and parent.func is attribute:
            self._read_macro_call(parent)
        else:
            raise _DynamicError

    def _read_macro_call(self, call: ast.Call) -> None:
        """Add the macro of a call `env.macro(f)` or `env.macro(f, "name")`."""
        values = dict(zip(("v", "name"), call.args, strict=False))
        values.update({keyword.arg: keyword.value for keyword in call.keywords if keyword.arg})
        function, name = values.get("v"), values.get("name")
        if name is not None and not (
            isinstance(name, ast.Constant) and isinstance(name.value, str)
        ):
            raise _DynamicError
        explicit_name = name.value if isinstance(name, ast.Constant) else None
        self._add(str(explicit_name or self._find_name(function)), self._find_signature(function))

    def _find_name(self, function: ast.expr | None) -> str:
        """Return the name under which `env.macro(f)` registers a function."""
        if isinstance(function, ast.Attribute):
            return function.attr
        if isinstance(function, ast.Name) and (
            function.id in self._functions or function.id in self._imported
        ):
            return self._imported.get(function.id, function.id)
        raise _DynamicError

    def _find_signature(self, function: ast.expr | None) -> Signature | None:
        """Return the signature of a function that `env.macro` registers, or None if unknown."""
        if isinstance(function, ast.Lambda):
            return _make_signature(function)
        definitions = self._functions.get(function.id, []) if isinstance(function, ast.Name) else []
        is_plain = len(definitions) == 1 and not definitions[0].decorator_list
        is_plain = is_plain and definitions[0].name not in self._assigned
        return _make_signature(definitions[0]) if is_plain else None

    def _read_mapping(self, parent: ast.AST) -> None:
        """Add the names that a use of `env.variables` or `env.macros` defines.

        Such a use is `env.variables["name"] = …`, `env.variables.name = …` or
        `env.variables.update(…)`. A use that only reads the mapping defines no names.
        """
        match parent:
            case ast.Subscript(ctx=ast.Load()) | ast.Compare():
                pass
            case ast.Subscript(slice=ast.Constant(value=str(name)), ctx=ast.Store()):
                self._add(name)
            case ast.Attribute(attr=name, ctx=ast.Store()):
                self._add(name)
            case ast.Attribute(attr="update") if isinstance(
                call := self._parents[parent], ast.Call
            ):
                self._add_all(_read_keys(call))
            case ast.Attribute(attr=method) if (
                self._is_called(parent) and method not in _READING_METHODS
            ):
                raise _DynamicError
            case ast.Attribute(ctx=ast.Load()):
                pass
            case _:
                raise _DynamicError

    def _is_called(self, node: ast.expr) -> bool:
        call = self._parents[node]
        return isinstance(call, ast.Call) and call.func is node

    def _add(self, name: str, signature: Signature | None = None) -> None:
        self._names[name] = None if name in self._names else signature

    def _add_all(self, names: list[str]) -> None:
        for name in names:
            self._add(name)


def _find_uses(hook: ast.FunctionDef) -> Iterator[ast.Name]:
    """Yield every use of the first argument of a hook, which is the environment."""
    arguments = [*hook.args.posonlyargs, *hook.args.args]
    environment = arguments[0].arg if arguments else None
    for node in ast.walk(hook):
        if isinstance(node, ast.Name) and node.id == environment:
            yield node


def _read_keys(call: ast.Call) -> list[str]:
    """Return the keys of a call such as `update({"name": …})` or `update(name=…)`.

    Raises _DynamicError for any other call.
    """
    names: list[str] = []
    for argument in call.args:
        keys = argument.keys if isinstance(argument, ast.Dict) else [None]
        for key in keys:
            if not isinstance(key, ast.Constant):
                raise _DynamicError
            names.append(str(key.value))
    for keyword in call.keywords:
        if keyword.arg is None:
            raise _DynamicError
        names.append(keyword.arg)
    return names


def _make_signature(function: _Function) -> Signature | None:
    """Return the signature of a function, in which the default of each parameter is `...`."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = len(positional) - len(arguments.defaults)
    parameters = [
        Parameter(
            argument.arg,
            Parameter.POSITIONAL_ONLY
            if index < len(arguments.posonlyargs)
            else Parameter.POSITIONAL_OR_KEYWORD,
            default=Parameter.empty if index < required else ...,
        )
        for index, argument in enumerate(positional)
    ]
    if arguments.vararg:
        parameters.append(Parameter(arguments.vararg.arg, Parameter.VAR_POSITIONAL))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parameters.append(
            Parameter(
                argument.arg, Parameter.KEYWORD_ONLY, default=... if default else Parameter.empty
            )
        )
    if arguments.kwarg:
        parameters.append(Parameter(arguments.kwarg.arg, Parameter.VAR_KEYWORD))
    try:
        return Signature(parameters)
    except ValueError:  # two parameters have the same name, and Python refuses the function
        return None
