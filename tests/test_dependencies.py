"""The required packages are used: without a package, its feature fails."""

from __future__ import annotations

import functools
import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

from tests.commands import run, serve_site
from tests.handbooks import ADR, ROOT, SETTINGS, SMALL, copy_site, write

FINDING = "adr/0001-a.md:3:9: FM005 error: unknown value 'acepted' for 'status'"
COMMENT = "# A comment above the keys, which the positions count.\n"


def hide_package(package: str | None, folder: Path) -> str:
    """Return a PYTHONPATH with which a package cannot be imported."""
    if package is None:
        return ""
    message = f"{package} is not available"
    write(
        folder,
        {f"{package}/__init__.py": f"raise ModuleNotFoundError({message!r}, name={package!r})\n"},
    )
    return str(folder)


@pytest.mark.parametrize("package", [None, "frontmatter", "yaml"])
def test_front_matter_is_split_and_read_with_positions(package: str | None, tmp_path: Path) -> None:
    """python-frontmatter splits the front matter, and PyYAML reads it."""
    record = ADR.replace("---\n", f"---\n{COMMENT}", 1).replace("accepted", "acepted")
    root = write(tmp_path / "handbook", {"mkdocs.yml": SETTINGS, "adr/0001-a.md": record})
    answer = run(
        "handbook",
        "check",
        "--root",
        str(root),
        cwd=tmp_path,
        PYTHONPATH=hide_package(package, tmp_path / "without"),
    )
    assert (FINDING in answer.stdout) == (package is None)
    assert (f"{package} is not available" in answer.stderr) == (package is not None)


VIEW = """
from pathlib import Path
from handbook.loading import load
from handbook.views.adr_index import adr_index
print(adr_index(load(Path(".")), "adr/"))
"""


@pytest.mark.parametrize("package", [None, "jinja2"])
def test_views_are_rendered_by_jinja(package: str | None, tmp_path: Path) -> None:
    answer = run("python", "-c", VIEW, cwd=SMALL, PYTHONPATH=hide_package(package, tmp_path))
    assert ("Keep orders in SQLite" in answer.stdout) == (package is None)
    assert (f"{package} is not available" in answer.stderr) == (package is not None)


ASK = """\
import sys
from handbook.site.external import check_addresses
print(check_addresses([sys.argv[1]], rounds=1))
"""


@pytest.mark.samples
@pytest.mark.parametrize("package", [None, "linkcheck"])
def test_external_links_are_checked_by_linkchecker(package: str | None, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>Here.</p>", encoding="utf-8")
    with serve_site(tmp_path) as address:
        page = f"{address}page.html"
        answer = run(
            "python",
            "-c",
            ASK,
            page,
            cwd=tmp_path,
            PYTHONPATH=hide_package(package, tmp_path / "without"),
        )
    assert (answer.stdout == f"{ {page: ''} }\n") == (package is None)
    assert (f"{package} is not available" in answer.stderr) == (package is not None)


@pytest.mark.build
@pytest.mark.parametrize("package", ["mkdocs_macros", "material"])
def test_the_site_is_built_with_material_and_macros(package: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    answer = run(
        "mkdocs", "build", cwd=root, PYTHONPATH=hide_package(package, tmp_path / "without")
    )
    assert answer.returncode != 0
    assert not (root / "site/index.html").exists()


def normalize(package: str) -> str:
    """Return the name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", package).lower()


def list_required(requirements: list[str]) -> set[str]:
    """Return the names of the required packages and of all packages that they require."""
    names: set[str] = set()
    while requirements:
        requirement = requirements.pop()
        name = normalize(re.split(r"[^\w.-]", requirement)[0])
        if name not in names and "extra ==" not in requirement:
            names.add(name)
            try:
                requirements += requires(name) or ()
            except PackageNotFoundError:  # It is for another version of Python or another system.
                continue
    return names


@functools.cache
def list_extra_modules() -> list[str]:
    """Return the installed modules that `pip install handbook` does not install."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = list_required(project["dependencies"]) | {"handbook"}
    return [
        module
        for module, packages in packages_distributions().items()
        if core.isdisjoint(map(normalize, packages))
    ]


def run_core(arguments: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `handbook` with only the packages of `pip install handbook`."""
    program = str(ROOT / "tests/programs/core_packages.py")
    return run("python", program, ",".join(list_extra_modules()), *arguments, cwd=cwd)


COUNTRY = SETTINGS + "  policy: {postmortem: {country: DE}}\n"


@pytest.mark.parametrize(
    "command",
    [
        ["check"],
        ["check", "--format", "github", "--summary", "summary.md"],
        ["export", "--output", "exported"],
        ["rules", "FM001"],
        ["schema", "settings"],
        ["init", "ours", "--name=Ours", "--url=https://ours.example/", "--team=order-team"],
        ["new", "adr", "Sell gift cards"],
    ],
    ids=" ".join,
)
def test_the_check_and_the_authoring_need_only_the_core(command: list[str], tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    answer = run_core(command, root)
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "module", "purpose"),
    [
        (["build"], "mkdocs", "handbook build"),
        (["serve"], "mkdocs", "handbook serve"),
        (["stage", "staged"], "mkdocs", "handbook stage"),
        (["finish", "site"], "pagefind", "handbook finish"),
        (["links", "site", "--external"], "linkcheck", "--external"),
        (["check"], "holidays", "policy.postmortem.country"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_missing_package_exits_with_2_and_the_command_to_install_it(
    command: list[str], module: str, purpose: str, tmp_path: Path
) -> None:
    root = write(tmp_path, {"mkdocs.yml": COUNTRY, "adr/0001-a.md": ADR})
    answer = run_core(command, root)
    assert (answer.returncode, answer.stdout) == (2, "")
    line = f"missing module '{module}' for {purpose}; run: pip install 'handbook[site]'"
    assert answer.stderr == f"handbook: {line}\n"
