"""Run `handbook` or `mkdocs` with an additional kind of record from the tests.

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
    raise SystemExit("unexpected text of the table of kinds")
vars(kinds)["Risk"] = Risk
# One entry in the table adds a kind.
exec(text.replace(TABLE, "Service, Audit, Risk)"), vars(kinds))  # noqa: S102

if sys.argv[1] == "mkdocs":
    from mkdocs.__main__ import cli

    cli(sys.argv[2:])
else:
    from handbook.cli import main

    sys.exit(main(sys.argv[2:]))
