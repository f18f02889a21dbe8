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
  2  unknown code or name
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument("code", nargs="?", metavar="CODE", help="the code or the name of a rule")


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError."""
    rules_by_code = rules()
    if options.code is None:
        print("\n".join(_describe(rule) for rule in rules_by_code.values()))
    elif rule := find_rule(options.code):
        print(explain(rule))
    else:
        raise UsageError(f"unknown rule '{options.code}'; run `handbook rules` to list all rules")
    return 0


def _describe(rule: Rule) -> str:
    summary = " ".join(rule.text.split("\n\n")[0].split())
    severity = "" if rule.severity is Severity.ERROR else f" ({rule.severity_label})"
    return f"{rule.code} {rule.name}{severity}: {summary}"
