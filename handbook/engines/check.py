"""The check of a build: load the handbook and run the rules.

For a macros module, `checked_handbook` and `page_address` are the public interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click

from handbook.authoring.journal import INTERRUPTED, is_interrupted
from handbook.diagnostics import Report
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.reporters.text import text
from handbook.rules.engine import run
from handbook.settings import FILE


@dataclass(frozen=True)
class CheckedHandbook:
    """A handbook with the report of its check."""

    handbook: Handbook
    report: Report

    def stop_on_errors(self) -> None:
        """Raise click.ClickException with the report where it holds an error."""
        if self.report.errors:
            raise click.ClickException(f"the check found errors\n{text(self.report)}")


def check_handbook(config_file: str, *, is_preview: bool = False) -> CheckedHandbook:
    """Load and check the handbook that a configuration file of MkDocs belongs to.

    Raises click.ClickException where the file is not mkdocs.yml, where a file cannot be read, and,
    except in a preview, where a command that writes several files was killed.
    """
    file = Path(config_file).resolve()
    if file.name != FILE:
        raise click.ClickException(
            f"{file.name}: the handbook reads its settings from {FILE}; build with that file"
        )
    if is_interrupted(file.parent) and not is_preview:
        raise click.ClickException(INTERRUPTED)
    try:
        handbook = load(file.parent)
        return CheckedHandbook(handbook, run(handbook, date.today()))
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be read: {error.strerror}") from error


def checked_handbook(config: Mapping[str, Any]) -> Handbook:
    """Return the checked handbook of a MkDocs configuration.

    The plugin `handbook` has loaded it already; without the plugin it is loaded and checked here.
    Raises click.ClickException with the report of every error in front matter, sections and links.
    A preview of the plugin continues, and shows each finding on its page.
    """
    if plugin := (config.get("plugins") or {}).get("handbook"):
        handbook: Handbook = plugin.current_build.assembly.handbook
        return handbook
    checked = check_handbook(config["config_file_path"])
    checked.stop_on_errors()
    return checked.handbook


def page_address(page: Any) -> str:
    """Return the address of a page of MkDocs below the site's root: `adr/`, `` for the home."""
    return "" if page.url in (".", "./") else str(page.url)
