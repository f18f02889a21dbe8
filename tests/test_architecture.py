"""The one road: who may import whom, and what a module may know."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.handbooks import ROOT

PACKAGE = ROOT / "handbook"

# Each stage, a package or one of its modules, may import those that it names, and its own.
ROAD: dict[str, set[str]] = {
    "diagnostics": set(),
    "vocabulary": set(),
    "history.git": set(),
    "reading": {"diagnostics", "vocabulary"},
    "settings": {"diagnostics", "reading", "vocabulary"},
    "records": {"diagnostics", "reading", "vocabulary"},
    "macro_names": {"reading", "settings", "vocabulary"},
    "handbook": {"diagnostics", "macro_names", "reading", "records", "settings"},
    "loading": {"diagnostics", "handbook", "macro_names", "reading", "records", "settings"},
    "history.base": {"handbook", "history.git", "loading", "reading", "records", "settings"},
    "site.html_faults": {"reading"},
    "site.built_files": {"reading", "site.html_faults"},
    "site.resolving": {"diagnostics", "site.built_files"},
    "site.built": {"loading", "site.built_files", "site.resolving"},
    "site.origins": {
        "diagnostics",
        "handbook",
        "reading",
        "records",
        "site.built_files",
        "site.built",
    },
    "site.external": set(),
    "site.assembly": {
        "diagnostics",
        "handbook",
        "history.git",
        "reading",
        "records",
        "site.html_faults",
        "views",
    },
    "site.finish": {"diagnostics", "handbook", "reading", "settings", "site.html_faults"},
    "site.exchange": set(),
    "rules": {
        "diagnostics",
        "handbook",
        "history.base",
        "macro_names",
        "reading",
        "records",
        "settings",
        "site.built",
        "site.built_files",
        "site.origins",
        "vocabulary",
    },
    "views": {"diagnostics", "handbook", "reading", "records", "rules", "settings", "vocabulary"},
    "reporters": {"diagnostics"},
    "authoring": {"diagnostics", "handbook", "history.git", "reading", "records"},
    "cli": {
        "authoring",
        "diagnostics",
        "handbook",
        "history.base",
        "history.git",
        "loading",
        "records",
        "reporters",
        "rules",
        "settings",
        "site.built",
        "site.external",
        "site.exchange",
        "site.finish",
        "views",
        "engines.build",
        "engines.stage",
    },
    "engines.build": {
        "authoring",
        "loading",
        "records",
        "reporters",
        "rules",
        "settings",
        "site.built",
        "site.exchange",
    },
    "engines.gate": {
        "authoring",
        "diagnostics",
        "handbook",
        "loading",
        "reporters",
        "rules",
        "settings",
    },
    "engines.macros": {
        "diagnostics",
        "engines.gate",
        "handbook",
        "macro_names",
        "views",
        "vocabulary",
    },
    "engines.mkdocs": {
        "engines.gate",
        "engines.macros",
        "engines.mounting",
        "engines.state",
        "records",
        "reporters",
        "site.assembly",
        "site.finish",
        "views",
    },
    "engines.mounting": {"engines.state", "reading", "records", "settings", "site.assembly"},
    "engines.state": {
        "diagnostics",
        "engines.gate",
        "engines.macros",
        "records",
        "settings",
        "site.assembly",
        "views",
    },
    "engines.stage": {
        "diagnostics",
        "engines.mkdocs",
        "engines.state",
        "handbook",
        "records",
        "reporters",
        "settings",
        "site.assembly",
        "site.exchange",
        "site.finish",
    },
    "__init__": set(),
    "__main__": {"cli"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def dotted(module: Path) -> str:
    """The name of a module below the package: `reading.source`; a package has its own name."""
    return ".".join(module.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def stage_of(name: str) -> str | None:
    """The stage that a dotted name belongs to: the longest that begins it; None for a package of several stages."""
    parts = name.split(".")
    return next(
        (stage for n in range(len(parts), 0, -1) if (stage := ".".join(parts[:n])) in ROAD), None
    )


def imported(module: Path) -> set[str]:
    """The dotted names that a module imports, wherever in it; those of our own package begin with `handbook.`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module.split(".")[0] == PACKAGE.name:
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize(
    "module", MODULES, ids=lambda module: module.relative_to(PACKAGE).as_posix()
)
def test_imports_point_one_way(module: Path) -> None:
    own = stage_of(dotted(module))
    names = {
        name.removeprefix("handbook.") for name in imported(module) if name.startswith("handbook.")
    }
    used = {stage for name in names if (stage := stage_of(name))}
    assert own is None or used <= ROAD[own] | {own}


def test_every_stage_has_its_place_on_the_road() -> None:
    empty = {"engines", "history", "site"}  # their modules are stages
    assert {stage_of(name) for name in map(dotted, MODULES) if name not in empty} == set(ROAD)


def test_the_road_has_no_circle() -> None:
    passed: set[str] = set()
    while len(passed) < len(ROAD):
        ready = {name for name, needs in ROAD.items() if needs <= passed} - passed
        assert ready, f"a circle among {set(ROAD) - passed}"
        passed |= ready


def test_only_engines_know_mkdocs() -> None:
    for module in MODULES:
        if any(name.split(".")[0] in ("mkdocs", "mkdocs_macros") for name in imported(module)):
            assert dotted(module).startswith("engines."), module


WITHOUT_MKDOCS = """
import sys
sys.modules |= dict.fromkeys(("mkdocs", "mkdocs_macros", "properdocs", "material"))  # an import of None fails
import handbook.site.assembly, handbook.site.finish, handbook.engines.gate, handbook.engines.build, handbook.cli
"""


def test_assembly_and_finish_need_no_engine() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_MKDOCS], cwd=ROOT, check=True)


def private_names(module: Path) -> set[str]:
    """The names with a leading underscore that a module imports, or takes from an object that is not its own."""
    names: set[str] = set()
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {*(node.module or "").split("."), *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {part for alias in node.names for part in alias.name.split(".")}
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in REFLECTION
        ):
            names |= {str(word.value) for word in node.args[1:2] if isinstance(word, ast.Constant)}
    return {name for name in names if name.startswith("_") and name not in DUNDERS}


REFLECTION = {"getattr", "setattr", "hasattr", "delattr"}
DUNDERS = {
    "__future__",
    "__init__",
    "__name__",
    "__qualname__",
    "__file__",
    "__path__",
    "__traceback__",
    "__cause__",
}


def test_engines_use_no_private_name_of_mkdocs() -> None:
    for module in MODULES:
        if dotted(module).startswith("engines."):
            assert private_names(module) == set(), module


def test_no_rule_reads_the_clock_the_network_or_the_environment() -> None:
    forbidden = {"time", "os", "socket", "urllib.request", "subprocess", "requests", "random"}
    for module in MODULES:
        allowed = {"subprocess"} if dotted(module) in ("reading.promql", "reading.shell") else set()
        if stage_of(dotted(module)) in ("rules", "records", "reading"):
            assert not imported(module) & (forbidden - allowed), module
            assert ".today()" not in module.read_text(encoding="utf-8"), module


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    assert {module.stem for module in MODULES} & sys.stdlib_module_names == set()


def test_a_class_name_occurs_once() -> None:
    places: dict[str, list[str]] = {}
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name.lstrip("_"), []).append(dotted(module))
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def test_a_module_name_repeats_only_between_rules_views_and_records() -> None:
    packages: dict[str, list[str]] = {}
    for module in MODULES:
        if module.stem != "__init__":
            packages.setdefault(module.stem, []).append(module.parent.name)
    repeated = {name: own for name, own in packages.items() if len(own) > 1}
    assert {
        name: own for name, own in repeated.items() if not set(own) <= {"rules", "views", "records"}
    } == {}


def test_the_tests_have_the_folders_of_the_package() -> None:
    own = {
        "browser",
        "content",
        "golden",
        "programs",
        "samples",
        "sites",
    }  # what no package of ours is
    folders = {
        path.name
        for path in (ROOT / "tests").iterdir()
        if path.is_dir() and path.name != "__pycache__"
    }
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert folders - own <= packages
    assert packages - folders == {"reporters"}  # which tests/cli tries
