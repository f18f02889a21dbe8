"""The one road: who may import whom, and what a module may know."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.handbooks import ROOT

PACKAGE = ROOT / "macros"

# Each stage may import those before it on the road, and its own.
ROAD: dict[str, set[str]] = {
    "diagnostics": set(),
    "vocabulary": set(),
    "revision": set(),
    "files": {"diagnostics"},
    "nodes": {"diagnostics"},
    "placeholders": {"diagnostics"},
    "fields": {"diagnostics", "nodes", "placeholders"},
    "source": {"diagnostics", "files", "nodes"},
    "attachments": {"diagnostics", "files"},
    "suppressions": {"diagnostics", "source"},
    "policy": {"diagnostics"},
    "shell": set(),
    "settings": {"diagnostics", "files", "nodes", "fields", "vocabulary"},
    "records": {"diagnostics", "nodes", "fields", "placeholders", "source", "vocabulary"},
    "handbook": {"attachments", "diagnostics", "fields", "files", "policy", "records", "settings", "source",
                 "suppressions"},
    "credentials": {"diagnostics", "handbook", "nodes", "records", "settings"},
    "base": {"fields", "handbook", "nodes", "records", "revision", "settings", "source"},
    "links": {"ahead", "diagnostics", "handbook", "nodes", "records"},
    "web": set(),
    "promql": set(),
    "rules": {"base", "credentials", "diagnostics", "fields", "files", "handbook", "links", "nodes", "placeholders",
              "promql", "records", "settings", "shell", "source", "suppressions", "vocabulary"},
    "views": {"diagnostics", "fields", "handbook", "records", "rules", "settings", "source", "vocabulary"},
    "rendering": {"handbook", "records", "source"},
    "outline": {"source"},
    "reporters": {"diagnostics"},
    "authoring": {"diagnostics", "fields", "handbook", "nodes", "records", "revision", "source"},
    "cli": {"authoring", "base", "diagnostics", "handbook", "links", "records", "reporters", "revision", "rules",
            "settings", "views", "web"},
    "publishing": set(),
    "building": {"handbook", "links", "reporters", "rules", "settings"},
    "fragments": set(),
    "ahead": set(),
    "plugin": {"ahead", "authoring", "diagnostics", "fragments", "handbook", "outline", "publishing", "records",
               "rendering", "reporters", "revision", "rules", "source", "views"},
    "__init__": {"handbook", "reporters", "rules", "views", "vocabulary"},
}  # fmt: skip

MODULES = sorted(PACKAGE.rglob("*.py"))


def stage(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(module: Path) -> set[str]:
    """The dotted names that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update({node.module} if node.module != "macros" else {f"macros.{alias.name}" for alias in node.names})
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.relative_to(PACKAGE).as_posix())
def test_imports_point_one_way(module: Path) -> None:
    own = stage(module)
    used = {name.split(".")[1] for name in imported(module) if name.startswith("macros.")}
    assert used <= ROAD[own] | {own}


def test_every_stage_has_its_place_on_the_road() -> None:
    assert {stage(module) for module in MODULES} == set(ROAD)


def test_the_road_has_no_circle() -> None:
    passed: set[str] = set()
    while len(passed) < len(ROAD):
        ready = {name for name, needs in ROAD.items() if needs <= passed} - passed
        assert ready, f"a circle among {set(ROAD) - passed}"
        passed |= ready


def test_only_the_plugin_knows_mkdocs() -> None:
    users = {stage(module) for module in MODULES if any(name.split(".")[0] == "mkdocs" for name in imported(module))}
    assert users == {"plugin"}


def test_no_rule_reads_the_clock_the_network_or_the_environment() -> None:
    forbidden = {"time", "os", "socket", "urllib.request", "subprocess", "requests", "random"}
    for module in MODULES:
        if stage(module) in ("rules", "records", "fields", "source", "nodes"):
            assert not imported(module) & forbidden, module
            assert ".today()" not in module.read_text(encoding="utf-8"), module


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    assert {module.stem for module in MODULES} & sys.stdlib_module_names == set()
