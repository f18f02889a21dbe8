"""Macros in pages: those of the engine and of this repository, and those that an organisation adds."""

from __future__ import annotations

import inspect
import subprocess
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from click import ClickException

import macros
from handbook.engines import macros as engine_macros
from handbook.engines.gate import checked_handbook
from handbook.handbook import load
from handbook.vocabulary import MACROS
from tests.commands import run
from tests.handbooks import ADR, ROOT, SETTINGS, SMALL, copy_of, write

PAGE = "---\nrender_macros: true\n---\n\n# A page\n\n"


class Environment:
    """As much of mkdocs-macros' environment as a module uses."""

    def __init__(self, root: Path) -> None:
        self.conf = {"config_file_path": str(root / "mkdocs.yml")}
        self.macros: dict[str, Callable[[], str]] = {}

    @property
    def page(self) -> Any:
        return type("Page", (), {"url": "adr/"})

    def macro(self, function: Callable[[], str], name: str = "") -> Callable[[], str]:
        self.macros[name or function.__name__] = function
        return function


# The table of macros, and the two places that define them.


@pytest.mark.parametrize("name", MACROS)
def test_every_macro_has_a_view(name: str) -> None:
    view = getattr(import_module(f"handbook.views.{MACROS[name]}"), name)
    assert set(inspect.signature(view).parameters) <= {"handbook", "here"}


def test_a_macro_without_a_view_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_macros, "MACROS", {"check_list": "standards"})
    with pytest.raises(LookupError, match=r"the macro 'check_list' has no view in handbook\.views\.standards"):
        engine_macros.macro("check_list", load(SMALL), lambda: "")


def test_this_repository_and_the_engine_define_the_same_macros() -> None:
    env, handbook = Environment(SMALL), load(SMALL)
    macros.define_env(env)
    assert set(env.macros) == set(MACROS)
    for name, function in env.macros.items():
        assert function() == engine_macros.macro(name, handbook, lambda: "adr/")(), name
        assert function.__doc__


def test_an_engine_without_our_plugin_still_runs_the_gate(tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": ADR.replace("accepted", "acepted")})
    with pytest.raises(ClickException, match=r"the gate found errors\nadr/0001-a\.md:2:9: FM005 error"):
        macros.define_env(Environment(tmp_path))


def test_a_preview_goes_on_after_errors(tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": ADR.replace("accepted", "acepted")})
    plugin = type("Plugin", (), {"serving": True})
    config = {"config_file_path": str(tmp_path / "mkdocs.yml"), "plugins": {"handbook": plugin}}
    assert len(checked_handbook(config).records) == 1


# Builds.


BOTH = "plugins: [macros, handbook]\n"


def site_of(root: Path, plugins: str = BOTH, files: Mapping[str, str] = MappingProxyType({})) -> Path:
    """A copy of the small handbook with other plugins and more files."""
    copy_of(SMALL, root)
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    begin, end = settings.index("plugins:\n"), settings.index("theme:\n")
    return write(root, {"mkdocs.yml": settings[:begin] + plugins + settings[end:], **files})


def built(root: Path) -> subprocess.CompletedProcess[str]:
    return run("python", "-m", "mkdocs", "build", "--quiet", cwd=root)


def article(root: Path, page: str) -> str:
    html = (root / "site" / page / "index.html").read_text(encoding="utf-8")
    return html.partition("<article")[2].partition("</article>")[0]


ONE_MACRO = "def define_env(env):\n    @env.macro\n    def adr_index():\n        return 'Our own index.'\n"


@pytest.mark.build
@pytest.mark.parametrize("priority", ["100", "-100"], ids=["the plugin first", "mkdocs-macros first"])
@pytest.mark.parametrize(
    ("modules", "root"), [("[macros]", ROOT), ("[]", SMALL)], ids=["macros of the repository", "macros of the engine"]
)
def test_a_build_loads_and_checks_once(priority: str, modules: str, root: Path, tmp_path: Path) -> None:
    copy = root if modules == "[macros]" else copy_of(root, tmp_path / "handbook")
    program = str(ROOT / "tests/programs/counted.py")
    answer = run("python", program, priority, "2", str(tmp_path / "site"), cwd=copy)
    assert answer.stdout.split() == ["load", "run", "load", "run"], answer.stderr


@pytest.mark.build
def test_a_macro_of_the_repository_wins_and_the_others_are_registered(tmp_path: Path) -> None:
    plugins = "plugins:\n  - macros: {module_name: ours}\n  - handbook\n"
    root = site_of(tmp_path / "handbook", plugins, {"ours.py": ONE_MACRO})
    answer = built(root)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Our own index." in article(root, "adr")
    assert "ADR-0001" not in article(root, "adr")
    assert "OBS-01" in article(root, "checklist")


@pytest.mark.build
def test_a_folder_macros_that_defines_some_of_them_wins(tmp_path: Path) -> None:
    plugins = "plugins:\n  - handbook\n  - macros: {modules: [macros]}\n"
    root = site_of(tmp_path / "handbook", plugins, {"macros/__init__.py": ONE_MACRO})
    answer = built(root)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Our own index." in article(root, "adr")
    assert "OBS-01" in article(root, "checklist")


@pytest.mark.build
@pytest.mark.parametrize(
    "plugins",
    [BOTH, "plugins:\n  macros: {render_by_default: true}\n  handbook: {}\n"],
    ids=["nothing set", "templates everywhere"],
)
def test_braces_in_records_and_alerts_stay_text(plugins: str, tmp_path: Path) -> None:
    root = site_of(tmp_path / "handbook", plugins, {"docs/plain.md": "# Plain\n\nA page with {{ braces }}.\n"})
    record, rules = root / "adr/0001-keep-orders-in-sqlite.md", next(root.glob("runbooks/*/*.rules.yml"))
    record.write_text(record.read_text("utf-8").replace("A backup", "A `{{ backup }}` and {{ braces }}"), "utf-8")
    rules.write_text(rules.read_text("utf-8").replace("summary: ", "summary: '{{ $labels.pod }}' # "), "utf-8")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings.replace("nav:\n", "nav:\n  - Plain: plain.md\n")})
    answer = built(root)
    assert answer.returncode == 0, answer.stderr
    assert "{{ backup }}" in article(root, "adr/0001-keep-orders-in-sqlite")
    assert "{{ braces }}" in article(root, "plain")
    assert "{{ $labels.pod }}" in "".join(page.read_text("utf-8") for page in root.glob("site/alerts/*/index.html"))


@pytest.mark.build
def test_pages_that_call_macros_need_the_plugin(tmp_path: Path) -> None:
    answer = built(site_of(tmp_path / "handbook", "plugins: [handbook]\n"))
    assert answer.returncode == 1
    assert answer.stderr == "Error: adr/index.md: no plugin 'macros' in mkdocs.yml; add '- macros' to 'plugins'\n"
