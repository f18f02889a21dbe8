"""`handbook build` and `handbook serve`: an engine builds the site beside the old one, which stays until the end.

The engine is MkDocs, or ProperDocs, a drop-in for it. Whatever ends a build, the old site or the new one is there, and
whole; a site with a broken link takes no place. One build at a time writes to a folder.
"""

from __future__ import annotations

import gc
import logging
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from handbook.authoring.locks import folder_lock
from handbook.loading import load
from handbook.records.kinds import MOUNTED
from handbook.reporters.text import text
from handbook.rules.engine import run_on_site
from handbook.settings import DOCS, FILE, read_settings
from handbook.site.built import read_site
from handbook.site.exchange import new_site, put_in_place, recover

_PLUGIN: Final = "mkdocs.plugins.handbook"
"""The name that our plugin logs under."""


class Engine(StrEnum):
    """What can build the site."""

    MKDOCS = "mkdocs"
    PROPERDOCS = "properdocs"


class BuildError(Exception):
    """A build that found something wrong; the text says what."""


class UnusableError(Exception):
    """A folder that cannot take the site, or an engine that is not installed; the text says why."""


def build(root: Path, site: Path, engine: Engine) -> None:
    """Build the site of the handbook at `root` into the folder `site`, and print a line for each stage.

    Raises BuildError with every finding, UnusableError, BlockingIOError where another build is at work, and OSError.
    """
    start = time.monotonic()
    site = _usable(site, root)
    new = new_site(site)
    with folder_lock(new):
        recover(site)
        _empty(new)
        try:
            _run(engine, root, new)
            pages = _check_links(root, new)
            put_in_place(site)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    seconds = time.monotonic() - start
    print(f"wrote {pages} pages to {shown_path(site)} in {seconds:.1f} s")
    print(f"to read them: python3 -m http.server --directory {shlex.quote(shown_path(site))}")


def serve(root: Path, address: str | None, engine: Engine) -> None:
    """Serve a preview of the handbook at `root` on HOST:PORT, and build it again on every change.

    Raises BuildError, UnusableError and OSError.
    """
    with _logging(engine, logging.INFO), _as_build_error():
        _import(engine, "serve").serve(config_file=str(root / FILE), dev_addr=address, strict=False)


def _usable(site: Path, root: Path) -> Path:
    """The folder for the site without symbolic links. Raises UnusableError where building there would lose files."""
    site = site.resolve()
    sources = [root / folder for folder in (DOCS, *MOUNTED, ".git")]
    if root.is_relative_to(site) or any(
        site.is_relative_to(folder.resolve()) for folder in sources
    ):
        raise UnusableError(
            f"{shown_path(site)} holds the sources of the handbook; name another folder"
        )
    if site.exists() and not site.is_dir():
        raise UnusableError(f"{shown_path(site)} is no folder")
    if site.is_dir() and any(site.iterdir()) and not (site / "index.html").is_file():
        raise UnusableError(
            f"{shown_path(site)} is not empty and holds no site; empty it, or name another folder"
        )
    site.parent.mkdir(parents=True, exist_ok=True)
    return site


def _empty(folder: Path) -> None:
    """Remove what a killed build has left in a folder."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def shown_path(path: Path) -> str:
    """A path relative to the working folder, where it is below it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _run(engine: Engine, root: Path, site: Path) -> None:
    """Let the engine build the site."""
    # A build makes millions of objects that stay, and ends: searching them for garbage takes 7 % of its time.
    gc.set_threshold(200_000, 50, 50)
    with _logging(engine, logging.WARNING), _as_build_error():
        run = _import(engine, "build").build
        config = import_module("mkdocs.config").load_config(str(root / FILE), site_dir=str(site))
        config.plugins.on_startup(command="build", dirty=False)
        try:
            run(config)
        finally:
            config.plugins.on_shutdown()


def _import(engine: Engine, command: str) -> Any:
    """The module of a command of the engine. Raises UnusableError where the engine is not installed."""
    os.environ.setdefault(
        "NO_MKDOCS_2_WARNING", "1"
    )  # Material's banner is about an engine that we do not use
    try:
        if engine is Engine.PROPERDOCS:
            import_module("properdocs.replacement")  # from here on `mkdocs` means ProperDocs
        return import_module(f"mkdocs.commands.{command}")
    except ModuleNotFoundError as error:
        if error.name not in (engine, engine.value):
            raise
        raise UnusableError(f"{engine} is not installed; run: pip install {engine}") from error


class _Printer(logging.Handler):
    """Prints what the plugin reports of its stages, and what the engine warns of."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            print(f"{record.levelname.lower()}: {record.getMessage()}", file=sys.stderr)
        elif not record.name.startswith("mkdocs.plugins.") or record.name == _PLUGIN:
            print(record.getMessage().removeprefix("handbook: "), flush=True)


@contextmanager
def _logging(engine: Engine, level: int) -> Iterator[None]:
    """Print the engine's messages from a level on, and all of the plugin's."""
    logger, plugin = logging.getLogger(engine), logging.getLogger(_PLUGIN)
    if (
        engine is not Engine.MKDOCS
    ):  # plugins log under the name of MkDocs, and strict mode counts their warnings
        logging.getLogger("mkdocs").parent = logger
    printer = _Printer()
    logger.addHandler(printer)
    logger.propagate = False
    logger.setLevel(level)
    plugin.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(printer)


@contextmanager
def _as_build_error() -> Iterator[None]:
    """Raise what an engine or plugin says of a bad build as BuildError, and an I/O error as it was."""
    try:
        yield
    except click.ClickException as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from error
        raise BuildError(error.format_message()) from error


def _check_links(root: Path, new: Path) -> int:
    """Check every link of the new site; returns the number of its pages. Raises BuildError."""
    start = time.monotonic()
    site = read_site(new, read_settings(root).site_url)
    if site.faults:
        report = run_on_site(site, load(root), date.today())
        if report.errors:
            raise BuildError(f"the new site has broken links\n{text(report)}")
        sys.stderr.write(text(report))
    seconds = time.monotonic() - start
    print(f"checked {site.counts['link']} links of {site.counts['page']} pages in {seconds:.1f} s")
    return site.counts["page"]
