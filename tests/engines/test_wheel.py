"""The wheel as an organisation installs it, in repositories with modules named `macros` of their own."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.commands import BIN, environment
from tests.handbooks import ROOT, SMALL, copy_of, write

pytestmark = pytest.mark.build

OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_CACHE_DIR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
MODULE = (
    "def define_env(env):\n    @env.macro\n    def hello(name):\n        return f'Hello, {name}.'\n"
)
UNUSED = "raise RuntimeError('nothing names this module')\n"
PAGE = "---\nrender_macros: true\n---\n\n# A page\n\n{text}\n\n{{{{ adr_index() }}}}\n"


def called(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment(**OFFLINE),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this repository, built without an index and without a cache."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    answer = called(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), "."], ROOT
    )
    assert answer.returncode == 0, answer.stderr
    (file,) = folder.iterdir()
    return file


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that has the wheel, and the packages of this one apart from our editable install.

    A folder that is named in a `.pth` file is on the path, and its own `.pth` files, ours among them, are not read.
    """
    venv = tmp_path_factory.mktemp("installed") / "venv"
    assert (
        called([sys.executable, "-m", "venv", "--without-pip", str(venv)], venv.parent).returncode
        == 0
    )
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(venv)}))
    pip = [sys.executable, "-m", "pip", "--quiet"]
    answer = called(
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
    "a folder that nothing names": ("{}", "macros/__init__.py", UNUSED),
    "a file that nothing names": ("{}", "macros.py", UNUSED),
}
COMMANDS = {
    "mkdocs build": ["{bin}/mkdocs", "build", "--quiet"],
    "python -m mkdocs build": ["{bin}/python", "-m", "mkdocs", "build", "--quiet"],
    "python -m handbook build": ["{bin}/python", "-m", "handbook", "build"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_repository_with_macros_of_its_own_is_built(
    layout: str, command: str, installed: Path, tmp_path: Path
) -> None:
    options, path, module = LAYOUTS[layout]
    root = copy_of(SMALL, tmp_path / "handbook")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    begin, end = settings.index("plugins:\n"), settings.index("theme:\n")
    plugins = f"plugins:\n  - macros: {options}\n  - handbook\nnot_in_nav: /page.md\n"
    text = "{{ hello('reader') }}" if module is MODULE else "Nothing."
    write(root, {path: module, "docs/page.md": PAGE.format(text=text)})
    write(root, {"mkdocs.yml": settings[:begin] + plugins + settings[end:]})

    where = called(
        [str(installed / "python"), "-c", "import handbook; print(handbook.__file__)"], root
    )
    assert Path(where.stdout.strip()).is_relative_to(installed.parent)

    answer = called([word.format(bin=installed) for word in COMMANDS[command]], root)
    assert (answer.returncode, answer.stderr) == (0, "")
    page = (root / "site/page/index.html").read_text(encoding="utf-8")
    assert ("Hello, reader." in page) == (module is MODULE)
    assert "Keep orders in SQLite" in page
