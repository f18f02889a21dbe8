"""The handbook's package. MkDocs-macros calls `define_env` here; nothing happens at import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__version__ = "0.1.0"


def define_env(env: Any) -> None:
    """Hand the views to the pages as macros.

    `env` is mkdocs-macros' environment. The handbook is the one that the plugin put on the configuration; where an
    engine runs no plugin of ours, the gate runs here. Raises click.ClickException with the report of any errors.
    """
    from macros.handbook import Handbook, load
    from macros.views.adr_index import adr_index
    from macros.views.recent import recent
    from macros.views.rules_reference import rules_reference

    def here() -> str:
        return "" if env.page.url in (".", "./") else str(env.page.url)

    handbook = env.conf.get("handbook")
    if not isinstance(handbook, Handbook):
        handbook = load(Path(env.conf["config_file_path"]).resolve().parent)
        _gate(handbook)

    env.macro(lambda: adr_index(handbook, here()), "adr_index")
    env.macro(lambda most=5: recent(handbook, here(), most), "recent")
    env.macro(rules_reference, "rules_reference")


def _gate(handbook: Any) -> None:
    from datetime import date

    import click

    from macros.reporters.text import text
    from macros.rules import run

    report = run(handbook, date.today())
    if report.errors:
        raise click.ClickException(f"the gate found errors\n{text(report)}")
