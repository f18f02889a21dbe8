"""`handbook rules`: list the rules, or explain one."""

from __future__ import annotations

import argparse

from handbook.cli.common import UsageError
from handbook.diagnostics import Severity
from handbook.rules.engine import Rule, find_rule, rules
from handbook.views.rules_reference import explain

EPILOG = """\
example:
  handbook rules FM005

exit codes:
  0  done
  2  an unknown code
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument("code", nargs="?", metavar="CODE", help="the code or the name of a rule")


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError."""
    known = rules()
    if options.code is None:
        print("\n".join(_line(rule) for rule in known.values()))
    elif rule := find_rule(options.code):
        print(explain(rule))
    else:
        raise UsageError(f"unknown rule '{options.code}'; `handbook rules` lists them")
    return 0


def _line(rule: Rule) -> str:
    first = " ".join(rule.text.split("\n\n")[0].split())
    severity = "" if rule.severity is Severity.ERROR else " (warning)"
    return f"{rule.code} {rule.name}{severity}: {first}"
