"""Run `handbook` without some modules, as if their packages were not installed.

Usage: python tests/programs/core_packages.py MODULE[,MODULE…] ARGUMENT…
"""

from __future__ import annotations

import sys
from pathlib import Path

hidden, *arguments = sys.argv[1:]
# The import of a module that is None fails.
sys.modules.update(dict.fromkeys(hidden.split(",")))  # type: ignore[arg-type]

sys.path.insert(0, str(Path(__file__).parents[2]))
from handbook.cli import main  # noqa: E402 - after the modules are hidden

sys.exit(main(arguments))
