"""Load and check the handbook for a build.

A macros module may use `checked_handbook` and `page_address`, which are a public interface.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click

from handbook.authoring.journal import INTERRUPTED, is_interrupted
from handbook.diagnostics import Report
from handbook.handbook import Handbook
from handbook.loading import LoadedFiles, load
from handbook.reading.kept_results import use_results
from handbook.reporters.text import escape_unprintable, text
from handbook.rules.engine import run
from handbook.settings import FILE


@dataclass(frozen=True)
class CheckedHandbook:
    """Handbook with the report of its check."""

    handbook: Handbook
    report: Report

    def stop_on_errors(self) -> None:
        """Raise click.ClickException with the report if the check found an error."""
        if self.report.errors:
            raise click.ClickException(f"the check found errors\n{text(self.report)}")


def check_handbook(
    config_file: str,
    *,
    is_preview: bool = False,
    loaded: LoadedFiles | None = None,
    handbook: Handbook | None = None,
) -> CheckedHandbook:
    """Load and check the handbook whose configuration file of MkDocs is `config_file`.

    With `loaded`, files that have not changed since the last load are not parsed again, and most
    rules run only on documents that have changed since the last check. With `handbook`, no file is
    loaded. Raises click.ClickException if the file is not called mkdocs.yml, or if a file cannot be
    read. Also raises it if a command was killed while it changed several files, except in a
    preview.
    """
    file = Path(config_file).resolve()
    if file.name != FILE:
        raise click.ClickException(
            f"unsupported settings file '{escape_unprintable(file.name)}'; "
            f"move the settings to {FILE}"
        )
    if is_interrupted(file.parent) and not is_preview:
        raise click.ClickException(INTERRUPTED)
    try:
        handbook = handbook or load(file.parent, loaded)
        if loaded is None:
            return CheckedHandbook(handbook, run(handbook, date.today()))
        with use_results(loaded.check_results.follow()) as loaded.check_results:
            return CheckedHandbook(handbook, run(handbook, date.today()))
    except OSError as error:
        name = escape_unprintable(os.fsdecode(error.filename or ""))
        raise click.ClickException(f"{name} cannot be read: {error.strerror}") from error


def checked_handbook(config: Mapping[str, Any]) -> Handbook:
    """Return the checked handbook of a MkDocs configuration.

    With the plugin `handbook`, this is the handbook that the plugin has loaded. Without the plugin,
    this function loads and checks the handbook. Raises click.ClickException with the report if the
    check finds an error. In a preview by the plugin, the build goes on, and each page shows its
    findings.
    """
    if plugin := (config.get("plugins") or {}).get("handbook"):
        handbook: Handbook = plugin.current_build.assembly.handbook
        return handbook
    checked = check_handbook(config["config_file_path"])
    checked.stop_on_errors()
    return checked.handbook


def page_address(page: Any) -> str:
    """Return the address of a MkDocs page, relative to the root of the site.

    For example, it is `adr/` for the index of decisions, and empty for the home page.
    """
    return "" if page.url in (".", "./") else str(page.url)
