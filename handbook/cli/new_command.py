"""`handbook new`: create a record from its template."""

from __future__ import annotations

import argparse
from datetime import date

from handbook.authoring.journal import write_files
from handbook.authoring.new import CannotWriteError, new_record
from handbook.cli.common import (
    UsageError,
    add_root,
    add_today,
    encode_text,
    find_root,
    restore_interrupted,
)
from handbook.diagnostics import Severity
from handbook.handbook import Handbook
from handbook.history.git import RevisionError, find_commit, list_branch_files, list_files
from handbook.loading import add_document, load
from handbook.records.kinds import RECORDS
from handbook.reporters.text import escape_unprintable
from handbook.rules.engine import run as check

EPILOG = """\
example:
  handbook new runbook "Orders are slow" --set service=order-service

exit codes:
  0  the record is written
  2  usage error, or a file or system error
"""

_PLACEHOLDER = "FM106"
"""The rule that reports the values and texts that the author must still write."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "kind", choices=[kind.kind for kind in RECORDS], help="the kind of the record"
    )
    parser.add_argument("title", metavar="TITLE", help="the title of the record")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set a key of its front matter to a YAML value; for a list, write values between "
        "commas, or repeat the option",
    )
    parser.add_argument(
        "--slug", help="the name for the path, such as orders-stopped (default: from the title)"
    )
    parser.add_argument(
        "--base",
        metavar="REV",
        help="skip the numbers used in this revision, for example origin/main",
    )
    add_today(parser)
    add_root(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    values: dict[str, list[str]] = {}
    for pair in options.set:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--set {pair}: write key=value")
        values.setdefault(key, []).append(value)
    today = options.today or date.today()
    root = find_root(options.root)
    restore_interrupted(root)
    handbook = load(root)
    try:
        folder = next(kind.folder for kind in RECORDS if kind.kind == options.kind)
        taken = list_branch_files(root, folder)
        if options.base is not None:
            taken |= list_files(root, find_commit(root, options.base)).keys()
        path, text = new_record(
            handbook, options.kind, options.title, values, today, taken, options.slug
        )
    except RevisionError as error:
        raise UsageError(f"--base {options.base}: {error}") from error
    except CannotWriteError as error:
        raise UsageError(str(error)) from error
    _check_record(handbook, path, text, today)
    write_files(root, {root / path: encode_text(text)}, {root / path: None})
    print(escape_unprintable(path))
    return 0


def _check_record(handbook: Handbook, path: str, text: str, today: date) -> None:
    """Raise UsageError if a new record has an error other than a placeholder."""
    report = check(add_document(handbook, path, encode_text(text)), today)
    for finding in report.findings:
        if (
            finding.at.path == path
            and finding.severity is Severity.ERROR
            and finding.code != _PLACEHOLDER
        ):
            hint = f"; {finding.hint}" if finding.hint else ""
            raise UsageError(
                f"the check would reject the record ({finding.code}): {finding.message}{hint}"
            )
