"""Run `handbook` as after `pip install handbook`, without the packages of its extras.

Usage: python tests/programs/core_packages.py ARGUMENT…
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

ROOT = Path(__file__).parents[2]


def list_required(requirements: list[str]) -> set[str]:
    """Return the names of the required packages and of all packages that they require."""
    names: set[str] = set()
    while requirements:
        requirement = requirements.pop()
        name = re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()
        if name not in names and "extra ==" not in requirement:
            names.add(name)
            try:
                requirements += requires(name) or ()
            except PackageNotFoundError:  # It is for another version of Python or another system.
                continue
    return names


project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
core = list_required(project["dependencies"]) | {"handbook"}
for module, packages in packages_distributions().items():
    if not core & {re.sub(r"[-_.]+", "-", package).lower() for package in packages}:
        sys.modules[module] = None  # type: ignore[assignment] # the import of None fails

sys.path.insert(0, str(ROOT))
from handbook.cli import main  # noqa: E402 - after the modules are hidden

sys.exit(main(sys.argv[1:]))
