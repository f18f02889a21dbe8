"""The handbook's package. MkDocs-macros calls `define_env` here; nothing happens at import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

__version__ = "0.1.0"


def define_env(env: Any) -> None:
    """Hand the views to the pages as macros.

    `env` is mkdocs-macros' environment. The handbook is the one that the plugin put on the configuration; where an
    engine runs no plugin of ours, the gate runs here. Raises click.ClickException with the report of any errors.
    """
    from handbook.handbook import Handbook
    from handbook.loading import load
    from handbook.views.adr_index import adr_index
    from handbook.views.home import everything, home
    from handbook.views.postmortems import actions, postmortem_archive
    from handbook.views.rules_reference import rules_reference
    from handbook.views.runbooks import runbook_catalog
    from handbook.views.services import services_index
    from handbook.views.standards import checklist, standards_index
    from handbook.vocabulary import MACROS

    def here() -> str:
        return "" if env.page.url in (".", "./") else str(env.page.url)

    handbook = env.conf.get("handbook")
    if not isinstance(handbook, Handbook):
        handbook = load(Path(env.conf["config_file_path"]).resolve().parent)
        _gate(handbook)

    views: dict[str, Callable[..., str]] = {
        view.__name__: view
        for view in (
            actions, adr_index, checklist, everything, home, postmortem_archive, runbook_catalog,
            services_index, standards_index,
        )
    }  # fmt: skip

    def shown(view: Callable[..., str]) -> Callable[..., str]:
        return lambda *arguments: view(handbook, here(), *arguments)

    for name in MACROS:
        env.macro(shown(views[name]) if name in views else rules_reference, name)


def _gate(handbook: Any) -> None:
    from datetime import date

    import click

    from handbook.reporters.text import text
    from handbook.rules.engine import run

    report = run(handbook, date.today())
    if report.errors:
        raise click.ClickException(f"the gate found errors\n{text(report)}")
