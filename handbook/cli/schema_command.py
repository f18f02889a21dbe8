"""`handbook schema`: print the JSON Schema of a kind, or of the settings."""

from __future__ import annotations

import argparse
import json

from handbook.cli.common import add_root, find_root
from handbook.loading import load
from handbook.records import Record
from handbook.records.audit import Audit
from handbook.records.kinds import RECORDS
from handbook.settings import settings_schema
from handbook.views import api

EPILOG = """\
example:
  handbook schema adr > adr.schema.json

exit codes:
  0  done
  2  usage error, or a file or system error
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "kind",
        choices=[*(kind.kind for kind in RECORDS), "audit", "settings"],
        help="a kind of record, 'audit' or 'settings'",
    )
    add_root(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError."""
    if options.kind == "settings":
        print(json.dumps(settings_schema(), indent=2))
        return 0
    kinds: tuple[type[Record] | type[Audit], ...] = (*RECORDS, Audit)
    kind = next(kind for kind in kinds if kind.kind == options.kind)
    print(json.dumps(api.schema(load(find_root(options.root)), kind), indent=2))
    return 0
