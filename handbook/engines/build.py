"""`handbook build` and `handbook serve`.

The engine is MkDocs or ProperDocs, a drop-in replacement. The old site stays until the new one is
complete, and a site with a broken link never replaces it.
"""

from __future__ import annotations

import gc
import logging
import os
import re
import shlex
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from handbook.engines.errors import BuildError, EngineError, OutputError, as_build_error
from handbook.loading import load
from handbook.reporters.text import text
from handbook.rules.engine import run_on_site
from handbook.settings import FILE, read_settings
from handbook.site.built import NoSiteError, read_site
from handbook.site.exchange import find_output, replacing

_PLUGIN: Final = "mkdocs.plugins.handbook"
"""The name that our plugin logs under."""
_MARK: Final = "assets/handbook.css"
"""A file that every site of a handbook has."""


class Engine(StrEnum):
    """What can build the site."""

    MKDOCS = "mkdocs"
    PROPERDOCS = "properdocs"


def build(root: Path, site: str | Path, engine: Engine) -> None:
    """Build the site of the handbook at `root` into the folder `site`, and print a line per stage.

    Raises BuildError with every finding, EngineError, UnusableError for the folder, BlockingIOError
    where another build writes to it, OutputError and OSError.
    """
    start = time.monotonic()
    output = find_output(site, root, _MARK)
    name = _relative_to_here(output)
    with _stopped_by_sigterm(), replacing(output) as new:
        _run(engine, root, new)
        pages = _check_links(root, new)
    _print(f"wrote {pages} pages to {name} in {time.monotonic() - start:.1f} s")
    _print(f"to read them: python3 -m http.server --directory {shlex.quote(name)}")


def serve(root: Path, address: str | None, engine: Engine) -> None:
    """Serve a preview of the handbook at `root` on HOST:PORT, and build it again on every change.

    Raises BuildError, EngineError and OutputError.
    """
    if address is not None:
        _check_address(address)
    with _stopped_by_sigterm(), _logging(engine, logging.INFO), as_build_error(root):
        serve_site = _import(engine, "serve").serve
        serve_site(config_file=str(root / FILE), dev_addr=address, strict=False)


def _check_address(address: str) -> None:
    """Raise EngineError where HOST:PORT cannot be served."""
    match = re.fullmatch(r"(?P<host>[^:]+|\[.+\]):(?P<port>\d{1,5})", address)
    if match is None or int(match["port"]) > 65535:
        raise EngineError(f"--address {address}: write HOST:PORT, such as 127.0.0.1:8000")
    try:
        socket.create_server((match["host"].strip("[]"), int(match["port"]))).close()
    except OSError as error:
        raise EngineError(f"--address {address}: {error.strerror}") from error


def _relative_to_here(path: Path) -> str:
    """A path relative to the working folder, where it is below it."""
    folder = Path.cwd()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _run(engine: Engine, root: Path, site: Path) -> None:
    """Let the engine build the site."""
    # A build makes millions of objects that stay, and ends: searching them for garbage takes 7 % of
    # its time.
    gc.set_threshold(200_000, 50, 50)
    with _logging(engine, logging.WARNING), as_build_error(root):
        run = _import(engine, "build").build
        config = import_module("mkdocs.config").load_config(str(root / FILE), site_dir=str(site))
        if "handbook" not in config.plugins:
            raise BuildError(f"{FILE}: no plugin 'handbook'; add '- handbook' to 'plugins'")
        config.plugins.on_startup(command="build", dirty=False)
        try:
            run(config)
        finally:
            config.plugins.on_shutdown()


def _import(engine: Engine, command: str) -> Any:
    """The module of a command of the engine. Raises EngineError where it is not installed."""
    # Material prints a banner about MkDocs 2, which we do not use.
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    try:
        if engine is Engine.PROPERDOCS:
            import_module("properdocs.replacement")  # from here on `mkdocs` means ProperDocs
        return import_module(f"mkdocs.commands.{command}")
    except ModuleNotFoundError as error:
        if error.name != engine.value:
            raise
        raise EngineError(f"{engine} is not installed; run: pip install {engine}") from error


def _print(line: str) -> None:
    """Print a line at once. Raises OutputError."""
    try:
        print(line, flush=True)
    except OSError as error:
        raise OutputError from error


class _Printer(logging.Handler):
    """Prints the stages that the plugin reports, and the warnings of the engine."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            print(f"{record.levelname.lower()}: {record.getMessage()}", file=sys.stderr)
        elif not record.name.startswith("mkdocs.plugins.") or record.name == _PLUGIN:
            _print(record.getMessage().removeprefix("handbook: "))


@contextmanager
def _logging(engine: Engine, level: int) -> Iterator[None]:
    """Print the engine's messages from a level on, and all of the plugin's."""
    logger, plugin = logging.getLogger(engine), logging.getLogger(_PLUGIN)
    if engine is not Engine.MKDOCS:
        # Plugins log under the name of MkDocs, and strict mode counts their warnings.
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
def _stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM stop the process as Ctrl-C does, so that no temporary folder is left."""
    previous_handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous_handler)


def _check_links(root: Path, new: Path) -> int:
    """Check every link of the new site; returns the number of its pages. Raises BuildError."""
    start = time.monotonic()
    try:
        site = read_site(new, read_settings(root).site_url)
    except NoSiteError as error:
        raise BuildError("the engine has written no page") from error
    if site.faults:
        report = run_on_site(site, load(root), date.today())
        if report.errors:
            raise BuildError(f"the new site has broken links\n{text(report)}")
        sys.stderr.write(text(report))
    links, pages = site.counts["link"], site.counts["page"]
    _print(f"checked {links} links of {pages} pages in {time.monotonic() - start:.1f} s")
    return pages
