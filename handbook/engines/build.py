"""Build the site and serve a preview, for `handbook build` and `handbook serve`.

The engine is MkDocs, or ProperDocs as its replacement. The old site stays until the new site is
complete. If the new site has a broken link, it does not replace the old one.
"""

from __future__ import annotations

import errno
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

from handbook.authoring.writer import write_file
from handbook.engines.errors import BuildError, EngineError, OutputError, as_build_error
from handbook.loading import load
from handbook.reporters.text import escape_lines, escape_unprintable, text
from handbook.settings import FILE, find_nested, read_settings
from handbook.site.built import NoSiteError
from handbook.site.exchange import find_output, replace_folder
from handbook.site.nested import read_all_sites, report_links
from handbook.site.offline_archive import make_offline_archive

_PLUGIN: Final = "mkdocs.plugins.handbook"
"""Name of the logger of our plugin."""
SITE_FILES: Final = ("404.html", "assets/keys/parts.json")
"""Files that every site of a handbook has."""


class Engine(StrEnum):
    """Program that builds the site."""

    MKDOCS = "mkdocs"
    PROPERDOCS = "properdocs"


def build(root: Path, site: str | Path, engine: Engine, archive: Path | None = None) -> None:
    """Build the site of the handbook at `root` into the folder `site`, and print each stage.

    The sites of nested handbooks are built into folders of this site. With `archive`, also writes
    the offline archive to this file.

    Raises BuildError with all findings if the handbook has faults. Raises UnusableError if the
    folder cannot take the site, and BlockingIOError if another build is writing to it. Also raises
    EngineError, OutputError, WriteError and OSError.
    """
    start = time.monotonic()
    output = find_output(site, root, SITE_FILES)
    name = _display_path(output)
    with _handle_sigterm(), replace_folder(output, SITE_FILES) as new:
        _run_engine(engine, root, new)
        _build_nested(engine, root, new)
        pages = _check_links(root, new)
        if archive:
            content = make_offline_archive(new, load(root))
            write_file(archive, content)
            size = len(content) / 1_000_000
            _print_line(f"wrote the offline archive to {_display_path(archive)} ({size:.1f} MB)")
    _print_line(f"wrote {pages} pages to {name} in {time.monotonic() - start:.1f} s")
    _print_line(f"to read them: python3 -m http.server --directory {shlex.quote(name)}")


def serve(root: Path, address: str | None, engine: Engine) -> None:
    """Serve a preview of the handbook at `root`, and update it on every change.

    `address` has the form HOST:PORT. Raises BuildError, EngineError and OutputError.
    """
    if address is not None:
        _check_address(address)
    with _handle_sigterm(), _print_log(engine, logging.INFO), as_build_error(root):
        _import_command(engine, "build")  # so that `mkdocs` is the engine
        import_module("handbook.engines.preview").serve_preview(root, address)


def _check_address(address: str) -> None:
    """Raise EngineError if HOST:PORT is invalid, or if another program uses the port."""
    match = re.fullmatch(r"(?P<host>[^:]+|\[.+\]):(?P<port>\d{1,5})", address)
    if match is None or int(match["port"]) > 65535:
        raise EngineError(f"invalid --address '{address}'; write HOST:PORT, as in 127.0.0.1:8000")
    try:
        socket.create_server((match["host"].strip("[]"), int(match["port"]))).close()
    except OSError as error:
        raise EngineError(f"cannot serve on --address '{address}': {error.strerror}") from error
    except (TypeError, UnicodeError) as error:
        raise EngineError(f"invalid --address '{address}': unknown host") from error


def _display_path(path: Path) -> str:
    """Return a path for a message: relative to the current folder if it is below that folder."""
    folder = Path.cwd()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _run_engine(engine: Engine, root: Path, site: Path, outer_url: str | None = None) -> None:
    """Build the site with the engine. `outer_url` is the address of the site around it."""
    with _print_log(engine, logging.WARNING), as_build_error(root):
        run = _import_command(engine, "build").build
        config = import_module("mkdocs.config").load_config(str(root / FILE), site_dir=str(site))
        plugin = config.plugins.get("handbook")
        if plugin is None:
            raise BuildError(f"{FILE}: no plugin 'handbook'; add '- handbook' to 'plugins'")
        plugin.outer_url = outer_url
        config.plugins.on_startup(command="build", dirty=False)
        try:
            run(config)
        finally:
            config.plugins.on_shutdown()


def _import_command(engine: Engine, command: str) -> Any:
    """Import the engine's module for `build` or `serve`.

    Raises EngineError if the engine is not installed.
    """
    # Material prints a banner about MkDocs 2, which does not concern this project.
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    try:
        if engine is Engine.PROPERDOCS:
            # This module makes Python import ProperDocs under the name `mkdocs`.
            import_module("properdocs.replacement")
        return import_module(f"mkdocs.commands.{command}")
    except ModuleNotFoundError as error:
        if error.name != engine.value:
            raise
        raise EngineError(f"{engine} is not installed; run: pip install {engine}") from error


def _print_line(line: str) -> None:
    """Print a line without a delay. Raises OutputError if standard output cannot be written."""
    try:
        print(escape_unprintable(line), flush=True)
    except OSError as error:
        raise OutputError from error
    except ValueError as error:  # a plugin has closed standard output
        raise OutputError from OSError(errno.EBADF, str(error))


class _Printer(logging.Handler):
    """Log handler that prints the stages of the build, and the warnings of the engine."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            message = escape_lines(record.getMessage())
            print(f"{record.levelname.lower()}: {message}", file=sys.stderr)
        elif not record.name.startswith("mkdocs.plugins.") or record.name == _PLUGIN:
            _print_line(record.getMessage().removeprefix("handbook: "))


@contextmanager
def _print_log(engine: Engine, level: int) -> Iterator[None]:
    """Print the messages of the plugin, and messages of the engine from `level` upwards."""
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
def _handle_sigterm() -> Iterator[None]:
    """Handle SIGTERM like Ctrl-C, so that the temporary folder is removed."""
    previous_handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous_handler)


def _build_nested(engine: Engine, root: Path, new: Path) -> None:
    """Build each nested handbook into its folder of the new site."""
    settings = read_settings(root)
    for name, nested_root in find_nested(settings, root).items():
        path = settings.organisation.nested[name]
        if (new / name).exists():
            raise BuildError(f"{FILE}: folder '{name}' in 'nested' is an address of the site")
        _print_line(f"nested handbook {path}, below /{name}/:")
        try:
            _run_engine(engine, nested_root, new / name, outer_url=settings.site_url)
        except BuildError as error:
            raise BuildError(f"nested handbook {path}: {error}") from error


def _check_links(root: Path, new: Path) -> int:
    """Check every link of the new site and its nested sites, and return the number of pages.

    Raises BuildError if a link is broken or if there is no page.
    """
    start = time.monotonic()
    try:
        sites = read_all_sites(new, read_settings(root), root)
    except NoSiteError as error:
        raise BuildError("the engine wrote no page") from error
    report = report_links(sites, root, date.today())
    if report.errors:
        raise BuildError(f"the new site has broken links\n{text(report)}")
    if report.findings:
        sys.stderr.write(text(report))
    links, pages = report.records["link"], report.records["page"]
    _print_line(f"checked {links} links of {pages} pages in {time.monotonic() - start:.1f} s")
    return pages
