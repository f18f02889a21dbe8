"""The check of a build: load the handbook and run the rules, once for each MkDocs configuration.

The plugin and the macros module of a repository both ask here, in whatever order MkDocs calls them. The result is kept
on the configuration object. Each build has its own, and so has each rebuild of `mkdocs serve`. For a macros module,
`checked_handbook` and `page_address` are the public interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import click

from handbook.authoring.journal import INTERRUPTED, is_interrupted
from handbook.diagnostics import Report
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.reporters.text import text
from handbook.rules.engine import run

_KEPT: Final = "handbook_check"


@dataclass(frozen=True)
class CheckedHandbook:
    """A handbook with the report of its check."""

    handbook: Handbook
    report: Report

    def stop_on_errors(self) -> None:
        """Raise click.ClickException with the report where it holds an error."""
        if self.report.errors:
            raise click.ClickException(f"the gate found errors\n{text(self.report)}")


def checked_handbook(config: Mapping[str, Any]) -> Handbook:
    """The handbook of a MkDocs configuration, loaded and checked.

    Raises click.ClickException with the report of every error in front matter, sections and links. A preview goes on:
    it shows each finding on its page.
    """
    checked = check(config)
    if not is_preview(config):
        checked.stop_on_errors()
    return checked.handbook


def check(config: Mapping[str, Any]) -> CheckedHandbook:
    """The handbook of a MkDocs configuration with its report, errors included; the first call loads and checks.

    Raises click.ClickException where a file cannot be read, and where a command that writes several files was killed.
    """
    checked = getattr(config, _KEPT, None)
    if isinstance(checked, CheckedHandbook):
        return checked
    root = Path(config["config_file_path"]).resolve().parent
    try:
        if is_interrupted(root) and not is_preview(config):
            raise click.ClickException(INTERRUPTED)
        handbook = load(root)
        checked = CheckedHandbook(handbook, run(handbook, date.today()))
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be read: {error.strerror}") from error
    if not isinstance(config, dict):  # another engine passes a plain dictionary, which has no attributes
        setattr(config, _KEPT, checked)
    return checked


def page_address(page: Any) -> str:
    """The address of a page of MkDocs relative to the site's root, as views expect it: `adr/`, and `` for the home."""
    return "" if page.url in (".", "./") else str(page.url)


def is_preview(config: Mapping[str, Any]) -> bool:
    """Whether `mkdocs serve` runs, as our plugin was told at its start."""
    plugin = (config.get("plugins") or {}).get("handbook")
    return getattr(plugin, "serving", False)
