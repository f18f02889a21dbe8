"""What the plugin sets before a build: the process, and the configuration of MkDocs."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from markupsafe import escape
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure import StructureItem
from mkdocs.utils import CountHandler

_THEME: Final = Path(__file__).parent.parent / "site" / "theme"
_STYLES: Final = "assets/handbook.css"
_SCRIPT: Final = "assets/handbook.js"
ASSETS: Final = (_STYLES, _SCRIPT, "assets/search.js")
"""The styles and scripts of ours, below the folder of the site."""


def set_up_process(*, strict: bool) -> None:
    """Prepare this process for a build."""
    # A build makes millions of objects that stay, and ends: to look for garbage among them takes a tenth of it.
    gc.set_threshold(200_000, 50, 50)
    logger = logging.getLogger("mkdocs")
    if strict and logger.level > logging.WARNING:
        logger.setLevel(logging.WARNING)  # strict mode counts only what is logged, and --quiet would log less


def set_up_preview(config: MkDocsConfig) -> None:
    """Let a preview show what is wrong and go on: strict mode is for builds."""
    config.strict = False
    logger = logging.getLogger("mkdocs")
    for handler in list(logger.handlers):
        if isinstance(handler, CountHandler):
            logger.removeHandler(handler)


def set_up_config(config: MkDocsConfig, commit: str | None) -> None:
    """Add our theme and assets to the configuration."""
    for key in ("site_name", "site_description", "site_author"):
        config[key] = as_text(config[key])
    config.extra["handbook_commit"] = commit
    config.theme.dirs.insert(0, str(_THEME))
    config.extra_css.insert(0, _STYLES)
    config.extra_javascript.append(_SCRIPT)


def as_text(value: str | None) -> str | None:
    """A title or description as HTML: Material's templates print those of the settings and of records as they are."""
    return None if value is None else escape(value)


def set_titles_as_text(items: Iterable[StructureItem]) -> None:
    """Make HTML of every title in the navigation."""
    for item in items:
        if item.title:
            item.title = as_text(item.title)
        set_titles_as_text(getattr(item, "children", None) or ())
