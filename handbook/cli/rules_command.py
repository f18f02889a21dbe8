"""`handbook rules`: list the rules, or explain one."""

from __future__ import annotations

import argparse

from handbook.cli.common import UsageError, add_root, find_root
from handbook.diagnostics import Severity, find_rule_address
from handbook.rules.engine import Rule, find_rule, rules
from handbook.settings import Settings, read_settings
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
    add_root(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError."""
    settings = _read_settings(options.root)
    if options.code is None:
        print("\n".join(_describe(rule, settings) for rule in rules().values()))
    elif rule := find_rule(options.code):
        paragraphs = [explain(rule)]
        if settings and settings.has_site_url:
            address = f"{settings.site_url.rstrip('/')}/{find_rule_address(rule.code)}"
            paragraphs.append(f"On the site: {address}")
        if setting := _describe_setting(rule, settings):
            paragraphs.append(f"This handbook: {setting}.")
        print("\n\n".join(paragraphs))
    else:
        raise UsageError(f"unknown rule '{options.code}'; run `handbook rules` to list all rules")
    return 0


def _read_settings(root: str | None) -> Settings | None:
    """Return the settings, or None outside of a handbook. Raises UsageError for a wrong `root`."""
    try:
        return read_settings(find_root(root))
    except UsageError:
        if root is not None:
            raise
        return None


def _describe(rule: Rule, settings: Settings | None) -> str:
    summary = " ".join(rule.text.split("\n\n")[0].split())
    label = _describe_setting(rule, settings)
    if not label and rule.severity is not Severity.ERROR:
        label = rule.severity_label
    return f"{rule.code} {rule.name}{f' ({label})' if label else ''}: {summary}"


def _describe_setting(rule: Rule, settings: Settings | None) -> str:
    """Return what `handbook.rules` changes about a rule, or an empty text."""
    if settings is None:
        return ""
    if rule.is_off_in(settings):
        return "off in the settings"
    severity = rule.severity_in(settings)
    is_changed = severity is not rule.severity or rule.is_advisory != rule.is_advisory_in(settings)
    return f"{severity} in the settings" if is_changed else ""
