"""Wheel as an organisation installs it, in repositories with their own module `macros`."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.commands import BIN, make_environment
from tests.handbooks import ROOT, SMALL, copy_site, write

pytestmark = pytest.mark.build

OFFLINE = {
    "PYTHONPATH": "",
    "PIP_NO_INDEX": "1",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
MODULE = (
    "def define_env(env):\n    @env.macro\n    def hello(name):\n        return f'Hello, {name}.'\n"
)
UNUSED = "raise RuntimeError('no settings name this module')\n"
PAGE = "---\nrender_macros: true\n---\n\n# A page\n\n{text}\n\n{{{{ adr_index() }}}}\n"


def run_offline(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=make_environment(**OFFLINE),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the commands of an environment that has the wheel.

    It also has the packages of this environment, but not our editable install: a `.pth` file adds
    their folder to the module path, and Python does not read the `.pth` files in that folder.
    """
    venv = tmp_path_factory.mktemp("installed") / "venv"
    assert (
        run_offline(
            [sys.executable, "-m", "venv", "--without-pip", str(venv)], venv.parent
        ).returncode
        == 0
    )
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(venv)}))
    pip = [sys.executable, "-m", "pip", "--quiet"]
    answer = run_offline(
        [*pip, "install", "--no-deps", "--target", str(packages), str(wheel)], venv.parent
    )
    assert answer.returncode == 0, answer.stderr
    mkdocs = (BIN / "mkdocs").read_text(encoding="utf-8").replace(str(BIN), str(venv / "bin"))
    write(venv, {"bin/mkdocs": mkdocs})
    (venv / "bin/mkdocs").chmod(0o755)
    (packages / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return venv / "bin"


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0] for name in names} == {"handbook", "handbook-0.1.0.dist-info"}
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "handbook").rglob("*")
        if path.is_file()
    }
    assert names >= {path for path in files if "__pycache__" not in path}


LAYOUTS = {
    "a folder in modules": ("{modules: [macros]}", "macros/__init__.py", MODULE),
    "a file in modules": ("{modules: [macros]}", "macros.py", MODULE),
    "a folder as module_name": ("{module_name: macros}", "macros/__init__.py", MODULE),
    "a file as module_name": ("{module_name: macros}", "macros.py", MODULE),
    "a folder without a setting": ("{}", "macros/__init__.py", UNUSED),
    "a file without a setting": ("{}", "macros.py", UNUSED),
}
COMMANDS = {
    "mkdocs build": ["{bin}/mkdocs", "build", "--quiet"],
    "python -m mkdocs build": ["{bin}/python", "-m", "mkdocs", "build", "--quiet"],
    "python -m handbook build": ["{bin}/python", "-m", "handbook", "build"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_repository_with_its_own_macros_is_built(
    layout: str, command: str, installed: Path, tmp_path: Path
) -> None:
    options, path, module = LAYOUTS[layout]
    root = copy_site(SMALL, tmp_path / "handbook")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    begin, end = settings.index("plugins:\n"), settings.index("theme:\n")
    plugins = f"plugins:\n  - macros: {options}\n  - handbook\nnot_in_nav: /page.md\n"
    text = "{{ hello('reader') }}" if module is MODULE else "Nothing."
    write(root, {path: module, "docs/page.md": PAGE.format(text=text)})
    write(root, {"mkdocs.yml": settings[:begin] + plugins + settings[end:]})

    module_path = run_offline(
        [str(installed / "python"), "-c", "import handbook; print(handbook.__file__)"], root
    )
    assert Path(module_path.stdout.strip()).is_relative_to(installed.parent)

    answer = run_offline([argument.format(bin=installed) for argument in COMMANDS[command]], root)
    assert (answer.returncode, answer.stderr) == (0, "")
    page = (root / "site/page/index.html").read_text(encoding="utf-8")
    assert ("Hello, reader." in page) == (module is MODULE)
    assert "Keep orders in SQLite" in page
