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
    from macros.handbook import Handbook, load
    from macros.views.adr_index import adr_index
    from macros.views.recent import recent
    from macros.views.rules_reference import rules_reference
    from macros.vocabulary import MACROS

    def here() -> str:
        return "" if env.page.url in (".", "./") else str(env.page.url)

    handbook = env.conf.get("handbook")
    if not isinstance(handbook, Handbook):
        handbook = load(Path(env.conf["config_file_path"]).resolve().parent)
        _gate(handbook)

    views: dict[str, Callable[..., str]] = {
        "adr_index": lambda: adr_index(handbook, here()),
        "recent": lambda most=5: recent(handbook, here(), most),
        "rules_reference": rules_reference,
    }
    for name in MACROS:
        env.macro(views[name], name)


def _gate(handbook: Any) -> None:
    from datetime import date

    import click

    from macros.reporters.text import text
    from macros.rules import run

    report = run(handbook, date.today())
    if report.errors:
        raise click.ClickException(f"the gate found errors\n{text(report)}")
