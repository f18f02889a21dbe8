"""Imports of the package point one way, and modules use only permitted names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.handbooks import ROOT

PACKAGE = ROOT / "handbook"

# A stage is a package or a module. It may import the stages in its set, and itself.
ALLOWED_IMPORTS: dict[str, set[str]] = {
    "diagnostics": set(),
    "cache": {"diagnostics", "reading"},
    "extras": set(),
    "vocabulary": set(),
    "history.git": set(),
    "history.obstacles": {"handbook", "history.git", "records", "settings"},
    "reading": {"diagnostics", "vocabulary"},
    "site_settings": {"diagnostics", "reading"},
    "settings": {"diagnostics", "extras", "reading", "site_settings", "vocabulary"},
    "records": {"diagnostics", "reading", "vocabulary"},
    "macro_names": {"reading", "settings", "vocabulary"},
    "provided_pages": set(),
    "handbook": {
        "diagnostics",
        "macro_names",
        "reading",
        "records",
        "settings",
        "site_settings",
    },
    "loading": {
        "diagnostics",
        "handbook",
        "macro_names",
        "provided_pages",
        "reading",
        "records",
        "settings",
    },
    "history.base": {
        "handbook",
        "history.git",
        "history.obstacles",
        "loading",
        "reading",
        "records",
        "settings",
    },
    "history.comparison": {"handbook", "history.base", "records"},
    "history.decision_texts": {"handbook", "history.git", "reading", "records"},
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
        "history.decision_texts",
        "history.git",
        "reading",
        "records",
        "site.html_faults",
        "views",
    },
    "site.tracing": {"records"},
    "site.kept_assembly": {"records", "site.assembly", "site.tracing", "views"},
    "site.finish": {
        "diagnostics",
        "handbook",
        "reading",
        "settings",
        "site.html_faults",
        "site.index_parts",
        "site.offline",
    },
    "site.index_parts": {"reading"},
    "site.offline": {"handbook", "history.git", "records", "site.built_files"},
    "site.offline_archive": {
        "handbook",
        "history.git",
        "site.built_files",
        "site.offline",
        "views",
    },
    "site.nested": {"diagnostics", "loading", "rules", "settings", "site.built"},
    "site.exchange": {"authoring", "records", "settings"},
    "rules": {
        "diagnostics",
        "handbook",
        "history.base",
        "history.comparison",
        "history.obstacles",
        "macro_names",
        "reading",
        "records",
        "settings",
        "site.built",
        "site.built_files",
        "site.html_faults",
        "site.origins",
        "site_settings",
        "vocabulary",
    },
    "views": {"diagnostics", "handbook", "reading", "records", "rules", "settings", "vocabulary"},
    "reporters": {"diagnostics"},
    "reporters.job_summary": {"diagnostics", "history.comparison", "reporters"},
    "authoring": {
        "diagnostics",
        "handbook",
        "history.git",
        "loading",
        "provided_pages",
        "reading",
        "records",
        "site_settings",
        "vocabulary",
    },
    "cli": {
        "authoring",
        "cache",
        "diagnostics",
        "extras",
        "handbook",
        "history.base",
        "history.comparison",
        "history.git",
        "loading",
        "records",
        "reporters",
        "reporters.job_summary",
        "rules",
        "settings",
        "site.built",
        "site.external",
        "site.exchange",
        "site.finish",
        "site.nested",
        "site_settings",
        "views",
        "vocabulary",
        "engines.build",
        "engines.errors",
        "engines.stage",
    },
    "engines.build": {
        "authoring",
        "engines.errors",
        "loading",
        "reporters",
        "rules",
        "settings",
        "site.built",
        "site.exchange",
        "site.nested",
        "site.offline_archive",
    },
    "engines.errors": {"reporters", "settings"},
    "engines.check": {
        "authoring",
        "diagnostics",
        "handbook",
        "loading",
        "reading",
        "reporters",
        "rules",
        "settings",
    },
    "engines.macros": {
        "diagnostics",
        "engines.check",
        "engines.errors",
        "handbook",
        "macro_names",
        "reading",
        "reporters",
        "views",
        "vocabulary",
    },
    "engines.kept": {
        "engines.check",
        "engines.mounting",
        "engines.state",
        "handbook",
        "loading",
        "settings",
        "site.assembly",
        "site.kept_assembly",
        "site.tracing",
    },
    "engines.preview": {
        "engines.errors",
        "engines.kept",
        "engines.preview_index",
        "loading",
        "records",
        "reporters",
        "settings",
    },
    "engines.preview_index": {
        "engines.kept",
        "engines.mounting",
        "site.finish",
        "site.index_parts",
    },
    "engines.mkdocs": {
        "engines.check",
        "engines.errors",
        "engines.kept",
        "engines.macros",
        "engines.mounting",
        "engines.state",
        "records",
        "reporters",
        "site.assembly",
        "site.finish",
        "views",
    },
    "engines.mounting": {
        "engines.state",
        "reading",
        "records",
        "settings",
        "site.assembly",
        "site.tracing",
    },
    "engines.state": {
        "diagnostics",
        "engines.check",
        "engines.macros",
        "records",
        "settings",
        "site.assembly",
        "views",
    },
    "engines.stage": {
        "diagnostics",
        "engines.errors",
        "engines.mkdocs",
        "engines.state",
        "handbook",
        "records",
        "reporters",
        "settings",
        "site.assembly",
        "site.exchange",
        "site.finish",
        "site_settings",
    },
    "__init__": set(),
    "__main__": {"cli"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def dotted_name(module: Path) -> str:
    """Return the dotted name of a module or package below `handbook`: `reading.source`."""
    return ".".join(module.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def stage_of(name: str) -> str | None:
    """Return the stage of a dotted name: the longest stage at its start.

    Returns None for a package that consists of several stages.
    """
    parts = name.split(".")
    return next(
        (
            stage
            for n in range(len(parts), 0, -1)
            if (stage := ".".join(parts[:n])) in ALLOWED_IMPORTS
        ),
        None,
    )


def imported_names(module: Path) -> set[str]:
    """Return the dotted names that a module imports, also inside functions.

    Names of our package begin with `handbook.`.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            if node.module.split(".")[0] == PACKAGE.name:
                names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize(
    "module", MODULES, ids=lambda module: module.relative_to(PACKAGE).as_posix()
)
def test_imports_point_one_way(module: Path) -> None:
    module_stage = stage_of(dotted_name(module))
    names = {
        name.removeprefix("handbook.")
        for name in imported_names(module)
        if name.startswith("handbook.")
    }
    imported_stages = {stage for name in names if (stage := stage_of(name))}
    if module_stage is not None:
        assert imported_stages <= ALLOWED_IMPORTS[module_stage] | {module_stage}


def test_every_stage_has_its_allowed_imports() -> None:
    split_packages = {"engines", "history", "site"}  # their modules are stages
    names = {name for name in map(dotted_name, MODULES) if name not in split_packages}
    assert {stage_of(name) for name in names} == set(ALLOWED_IMPORTS)


def test_the_allowed_imports_have_no_cycle() -> None:
    done: set[str] = set()
    while len(done) < len(ALLOWED_IMPORTS):
        ready = {stage for stage, imports in ALLOWED_IMPORTS.items() if imports <= done} - done
        assert ready, f"a cycle among {set(ALLOWED_IMPORTS) - done}"
        done |= ready


def test_only_engines_import_mkdocs() -> None:
    for module in MODULES:
        if any(
            name.split(".")[0] in ("mkdocs", "mkdocs_macros") for name in imported_names(module)
        ):
            assert dotted_name(module).startswith("engines."), module


WITHOUT_MKDOCS = """
import sys
# The import of a module that is None fails.
sys.modules |= dict.fromkeys(("mkdocs", "mkdocs_macros", "properdocs", "material"))
import handbook.site.assembly, handbook.site.finish
import handbook.engines.check, handbook.engines.build, handbook.cli
"""


def test_assembly_and_finish_need_no_engine() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_MKDOCS], cwd=ROOT, check=True)


def private_names(module: Path) -> set[str]:
    """Return the names with a leading underscore that a module imports or reads as attributes."""
    names: set[str] = set()
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {*(node.module or "").split("."), *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {name for alias in node.names for name in alias.name.split(".")}
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in REFLECTION
        ):
            names |= {
                str(argument.value)
                for argument in node.args[1:2]
                if isinstance(argument, ast.Constant)
            }
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
        if dotted_name(module).startswith("engines."):
            assert private_names(module) == set(), module


ALLOWED_MODULES: dict[str, set[str]] = {
    "reading.files": {"os"},  # to list folders
    "reading.promql": {"subprocess"},
    "reading.shell": {"subprocess"},
}


def test_no_rule_uses_the_clock_the_network_or_the_environment() -> None:
    forbidden = {"time", "os", "socket", "urllib.request", "subprocess", "requests", "random"}
    for module in MODULES:
        allowed = ALLOWED_MODULES.get(dotted_name(module), set())
        if stage_of(dotted_name(module)) in ("rules", "records", "reading"):
            assert not imported_names(module) & (forbidden - allowed), module
            assert ".today()" not in module.read_text(encoding="utf-8"), module


FILE_METHODS = {
    *("stat", "lstat", "is_symlink", "readlink"),
    *("iterdir", "scandir", "listdir", "glob", "rglob"),
}
LOADING_STAGES = {
    *("reading", "records", "rules", "settings", "site_settings"),
    *("handbook", "macro_names", "loading"),
}


def test_only_one_module_asks_the_file_system() -> None:
    """The cache of checks is correct only if `reading.files` records every question."""
    asking = {
        f"{dotted_name(module)}: {node.attr}"
        for module in MODULES
        if stage_of(dotted_name(module)) in LOADING_STAGES
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in FILE_METHODS
        if dotted_name(module) != "reading.files"
    }
    assert asking == set()


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    assert {module.stem for module in MODULES} & sys.stdlib_module_names == set()


def test_a_class_name_occurs_once() -> None:
    places: dict[str, list[str]] = {}
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name.lstrip("_"), []).append(dotted_name(module))
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def test_a_module_name_repeats_only_between_packages_with_a_module_for_each_kind() -> None:
    packages: dict[str, list[str]] = {}
    for module in MODULES:
        if module.stem != "__init__":
            packages.setdefault(module.stem, []).append(module.parent.name)
    repeated = {
        name: parents
        for name, parents in packages.items()
        if len(parents) > 1 and not set(parents) <= {"rules", "views", "records", "importing"}
    }
    assert repeated == {}


def test_the_folders_of_the_tests_match_the_packages() -> None:
    without_package = {
        "browser",
        "content",
        "golden",
        "programs",
        "samples",
        "sites",
    }
    folders = {
        path.name
        for path in (ROOT / "tests").iterdir()
        if path.is_dir() and path.name != "__pycache__"
    }
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert folders - without_package <= packages
    assert packages - folders == {"reporters"}  # tests/cli covers the reporters
