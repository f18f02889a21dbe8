"""Run `handbook` or `mkdocs` with the tests' own kind of record in the table of kinds.

Usage: python -m tests.programs.with_risk COMMAND ARGUMENT…
"""

from __future__ import annotations

import sys
from pathlib import Path

from handbook.records import kinds
from tests.records.risk import Risk

TABLE = "Service, Audit)"
text = Path(kinds.__file__).read_text(encoding="utf-8")
if text.count(TABLE) != 1:
    raise SystemExit("the table of kinds is written in another way")
vars(kinds)["Risk"] = Risk
exec(text.replace(TABLE, "Service, Audit, Risk)"), vars(kinds))  # noqa: S102 - the one entry that a kind costs

if sys.argv[1] == "mkdocs":
    from mkdocs.__main__ import cli

    cli(sys.argv[2:])
else:
    from handbook.cli import main

    sys.exit(main(sys.argv[2:]))
