"""The preview of `handbook serve`: it shows an edited page at once, and then updates the site.

After each save the preview first writes the pages of the changed documents. Then it builds the
site, which writes only the files that have changed, and indexes the changed pages for the search.
Until then each page says that it is updating.
"""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import mimetypes
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig

from handbook.engines.errors import BuildError, as_build_error
from handbook.engines.kept import KeptBuild, Stamp
from handbook.engines.preview_index import PreviewIndex, SearchState
from handbook.records.kinds import MOUNTED
from handbook.reporters.text import escape_lines
from handbook.settings import DOCS, FILE

UPDATING: Final = "This preview is updating. Other pages, lists and findings can still be old."
INDEXING: Final = "This preview is updating. The search still finds the text before your change."
FAILED: Final = "The preview cannot be updated. The terminal shows the error."
_STATE_PATH: Final = "/.handbook/state"
_LIBRARY_PATH: Final = "/.handbook/search.js"
_INDEXES_PATH: Final = "/.handbook/search.json"
_PATIENCE: Final = 25.0
"""Seconds after which a request for the state is answered without a change."""
_INTERVAL: Final = 0.15
_INDEXING_PATIENCE: Final = 1.0
"""Seconds for which no change is looked for, so that the changed pages are indexed at once."""
_ANSWERING: Final = 0.2
"""Seconds in which the server answers the open pages that wait for the end of an update."""
_MANY_OBJECTS: Final = 2_000_000
"""Objects that are searched for garbage in about a second."""
_SHARE: Final = 0.05
"""The largest share of the time that the search for changed files may take."""
_GLANCE: Final = 0.05
"""Seconds between two scans of the files that have changed last."""
_LAST: Final = 20
"""The largest number of these files."""
_SETTLED: Final = 0.03
"""Seconds without a change after which a save is complete."""
_SCRIPT: Final = (Path(__file__).parent / "preview.js").read_text(encoding="utf-8")
_LIBRARY: Final = (Path(__file__).parent / "preview-search.js").read_bytes()
_NO_PAGE: Final = b"<!doctype html><title>Not found</title><body><h1>Page not found</h1></body>"
"""The page at a missing address while the site has no 404.html. It reloads once the site has it."""
_log = logging.getLogger("mkdocs.plugins.handbook")


class SiteBuilder:
    """Builds the site of a preview into a folder, with MkDocs or ProperDocs."""

    def __init__(self, root: Path, site: Path, address: str | None = None) -> None:
        self.root, self.site = root, site
        self.kept = KeptBuild()
        self.index = PreviewIndex(site)
        self.config = self.load_config(address)
        self.address = address

    @property
    def url(self) -> str:
        """The address of the preview."""
        host, port = self.config.dev_addr
        return f"http://{host}:{port}{self.mount_path}"

    @property
    def mount_path(self) -> str:
        """The path of the site on its server, which begins and ends with a slash."""
        path = urlsplit(self.config.site_url or "/").path.strip("/")
        return f"/{path}/" if path else "/"

    def load_config(self, address: str | None) -> MkDocsConfig:
        """Read the settings for MkDocs, and give the kept values to the plugin."""
        config = load_config(
            str(self.root / FILE), site_dir=str(self.site), dev_addr=address, strict=False
        )
        plugin = config.plugins.get("handbook")
        if plugin is None:
            raise BuildError(f"{FILE}: no plugin 'handbook'; add '- handbook' to 'plugins'")
        plugin.kept = self.kept
        config.plugins.on_startup(command="serve", dirty=True)
        return config

    def build(self) -> None:
        """Build the site again. Files that would be the same are not written. Raises BuildError."""
        with as_build_error(self.root):
            self.stop()
            self.config = self.load_config(self.address)
            self.config.site_url = self.url
            build(self.config, serve_url=self.url, dirty=True)
            self.kept.finish()

    def show_pages(self, paths: Iterable[str]) -> list[str]:
        """Write the pages of changed documents at once, and return their addresses.

        A page with an error is left as it is. The build that follows reports the error.
        """
        try:
            with as_build_error(self.root):
                return self.kept.show_pages(self.root, paths)
        except (BuildError, OSError):
            return []

    def start_indexing(self) -> None:
        """Start to index the pages that the last build has changed."""
        self.index.start(self.kept.outputs)

    def stop(self) -> None:
        """Stop the search indexing."""
        self.index.stop()
        self.config.plugins.on_shutdown()

    def list_watched(self) -> list[Path]:
        """Return the files and folders whose changes concern the preview."""
        plugin: Any = self.config.plugins["handbook"]
        handbook = plugin.current_build.assembly.handbook
        sources = {file.source for file in handbook.service_files}
        folders = (*MOUNTED, *sorted(sources), *handbook.settings.files)
        return [
            *(self.root / folder for folder in (DOCS, *folders)),
            *(Path(path) for path in (*self.config.watch, self.config.theme.custom_dir) if path),
        ]


class Watcher:
    """Finds the files that have changed. It reads no file system events, so it works everywhere."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = tuple(paths)
        self.stamps = self.scan()
        self.last_changes: list[str] = []

    def watch(self, paths: Iterable[Path]) -> None:
        """Watch more paths. Their files have changed only if they change from now on."""
        new_paths = [path for path in paths if path not in self.paths]
        self.paths += tuple(new_paths)
        self.stamps = self.scan(new_paths) | self.stamps

    def scan(self, paths: Iterable[Path] | None = None) -> dict[str, Stamp]:
        """Return the stamps of all files at and below the paths."""
        stamps: dict[str, Stamp] = {}
        for path in self.paths if paths is None else paths:
            for file, status in _list_files(str(path)):
                stamps[file] = Stamp.of(status)
        return stamps

    def take_changes(self) -> list[str]:
        """Return the files that have changed since the last call, once no more files change."""
        stamps = self.scan()
        if stamps == self.stamps:
            return []
        while True:
            time.sleep(_SETTLED)
            newer = self.scan()
            if newer == stamps:
                break
            stamps = newer
        old, self.stamps = self.stamps, stamps
        changes = sorted(
            file for file in old.keys() | stamps.keys() if old.get(file) != stamps.get(file)
        )
        self.last_changes = changes[:_LAST]
        return changes

    def has_last_changed(self) -> bool:
        """Return whether a file that has changed last has changed again."""
        stamps = self.scan(map(Path, self.last_changes))
        return any(self.stamps.get(file) != stamps.get(file) for file in self.last_changes)

    def wait(self, do_meanwhile: Callable[[], None]) -> list[str]:
        """Wait until files change, and return them. Call a function from time to time meanwhile.

        A scan of all files takes time in a large handbook. Authors mostly save the same file
        again, so the files that changed last are scanned more often.
        """
        while True:
            do_meanwhile()
            start = time.monotonic()
            if changes := self.take_changes():
                return changes
            now = time.monotonic()
            end = now + max(_INTERVAL, (now - start) / _SHARE)
            while time.monotonic() < end and not self.has_last_changed():
                time.sleep(_GLANCE)


def _list_files(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files at and below a path, with their status. Links are not followed."""
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _list_files(entry.path)
                else:
                    yield entry.path, entry.stat(follow_symlinks=False)
    except NotADirectoryError:
        yield path, Path(path).stat()
    except FileNotFoundError:
        return


class PreviewServer(ThreadingHTTPServer):
    """Serves the site of a preview, and tells each page when it has changed."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], site: Path, mount_path: str) -> None:
        self.site, self.mount_path = site, mount_path
        self.message = ""
        self.version = 0
        self.search = SearchState()
        self.is_stopped = False
        self.changed = threading.Condition()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def publish(self, message: str, *, reloads_all: bool = False) -> None:
        """Tell all pages to reload if they have changed, and to show a message."""
        with self.changed:
            self.message = message
            self.version += reloads_all
            self.changed.notify_all()

    def stop(self) -> None:
        """Stop the server, and answer all requests that wait."""
        with self.changed:
            self.is_stopped = True
            self.changed.notify_all()
        self.shutdown()
        self.server_close()

    def find_file(self, path: str) -> Path | None:
        """Return the file at a path of the server, or None if it does not exist."""
        if not path.startswith(self.mount_path) or "\0" in path:
            return None
        name = path.removeprefix(self.mount_path)
        file = self.site / (f"{name}index.html" if path.endswith("/") else name)
        is_inside = file.resolve().is_relative_to(self.site.resolve())
        return file if is_inside and file.is_file() else None

    def read_state(self, path: str) -> dict[str, str]:
        """Return the state of a page: the versions of its file and the search, and the message."""
        file = self.find_file(path)
        digest = hashlib.sha256(file.read_bytes()).hexdigest() if file else "missing"
        return {
            "version": f"{digest}-{self.version}",
            "message": self.message,
            "library": f"{_LIBRARY_PATH}?{self.search.version}",
        }

    def list_indexes(self) -> dict[str, list[str]]:
        """Return the folders of the search indexes, and the ids of the pages to leave out."""
        folders = [f"{self.mount_path}{folder}" for folder in self.search.folders]
        return {"folders": folders, "replaced": list(self.search.replaced)}

    def wait_for_change(self, path: str, known: Mapping[str, str]) -> dict[str, str]:
        """Return the state of a page once it differs from the known one."""
        end = time.monotonic() + _PATIENCE
        with self.changed:
            while True:
                state = self.read_state(path)
                rest = end - time.monotonic()
                if state != known or rest <= 0 or self.is_stopped:
                    return state
                self.changed.wait(rest)


class _Handler(BaseHTTPRequestHandler):
    server: PreviewServer
    protocol_version = "HTTP/1.1"
    page_types: ClassVar = (".html", ".htm")

    def do_GET(self) -> None:
        """Answer a request."""
        try:
            self.answer()
        except (BrokenPipeError, ConnectionError):
            self.close_connection = True

    def do_HEAD(self) -> None:
        """Answer a request without its content."""
        self.do_GET()

    def answer(self) -> None:
        """Answer a request for a state or a file."""
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        if path == _STATE_PATH:
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            known = {key: query.get(key, "") for key in ("version", "message", "library")}
            state = self.server.wait_for_change(query.get("page", "/"), known)
            self.send(200, "application/json", json.dumps(state).encode())
        elif path == _LIBRARY_PATH:
            self.send(200, "text/javascript; charset=utf-8", _LIBRARY)
        elif path == _INDEXES_PATH:
            self.send(200, "application/json", json.dumps(self.server.list_indexes()).encode())
        elif file := self.server.find_file(path):
            self.send_file(200, path, file)
        elif not path.endswith("/") and self.server.find_file(f"{path}/"):
            self.redirect(f"{parts.path}/")
        elif path == "/":
            self.redirect(quote(self.server.mount_path))
        elif missing := self.server.find_file(f"{self.server.mount_path}404.html"):
            self.send_file(404, path, missing)
        else:
            page = add_script(_NO_PAGE, path, self.server.read_state(path))
            self.send(404, "text/html; charset=utf-8", page)

    def send_file(self, status: int, path: str, file: Path) -> None:
        """Send a file. A page gets the script of the preview."""
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        if file.suffix in (".js", ".mjs"):
            kind = "text/javascript"
        state = self.server.read_state(path)  # before the content, so that no change is missed
        content = file.read_bytes()
        if file.suffix in self.page_types:
            content = add_script(content, path, state)
        if kind.startswith("text/") or kind == "application/json":
            kind += "; charset=utf-8"
        self.send(status, kind, content)

    def redirect(self, address: str) -> None:
        """Send a redirect."""
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send(self, status: int, kind: str, content: bytes) -> None:
        """Send content of a type."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Print no line for a request."""


def add_script(html: bytes, path: str, state: Mapping[str, str]) -> bytes:
    """Add the message of the preview to a page, and the script that reloads it."""
    values = json.dumps({"page": path, "url": _STATE_PATH, **state}).replace("<", "\\u003c")
    message = escape(state["message"])
    hidden = "" if message else " hidden"
    addition = (
        f'<p id="hb-preview" role="status"{hidden} style="position:fixed;z-index:9;left:1rem;'
        "bottom:1rem;margin:0;padding:.5rem 1rem;border-radius:.3rem;background:#1d3557;"
        f'color:#fff;font-size:.75rem">{message}</p><script>({_SCRIPT})({values})</script>'
    ).encode()
    start, end, rest = html.rpartition(b"</body>")
    return start + addition + end + rest if end else html + addition


class Preview:
    """Serves a site, and updates it after each change of a file."""

    def __init__(self, builder: SiteBuilder, server: PreviewServer, watcher: Watcher) -> None:
        self.builder, self.server, self.watcher = builder, server, watcher

    def run(self) -> None:
        """Update the site after each change, until the process is interrupted."""
        self.server.publish(INDEXING)
        self.builder.start_indexing()
        while True:
            changes = self.watcher.wait(self.finish_indexing)
            gc.disable()
            self.update(changes)
            # The search for garbage stops all threads, so the open pages get their answers first.
            time.sleep(_ANSWERING)
            collect_garbage()
            gc.enable()

    def finish_indexing(self) -> None:
        """End the message that the search is updating, once the new index is in the site."""
        if self.builder.index.finish():
            self.server.search = self.builder.index.state
            self.server.publish("")

    def update(self, changes: Iterable[str]) -> None:
        """Show the pages of changed files at once, and then build the site again."""
        start = time.monotonic()
        _log.info("Detected file changes")
        root = self.builder.root.resolve()
        paths = [
            Path(file).resolve().relative_to(root).as_posix()
            for file in changes
            if Path(file).resolve().is_relative_to(root)
        ]
        self.server.publish(UPDATING)
        try:
            shown = self.builder.show_pages(paths)
            self.server.publish(UPDATING)
            for address in shown:
                _log.info("showed /%s after %.1f s", address, time.monotonic() - start)
            self.builder.build()
        except (BuildError, OSError) as error:
            print(escape_lines(str(error)), file=sys.stderr)
            self.server.publish(FAILED)
            return
        written = self.builder.kept.written_files
        has_new_assets = any(
            not name.endswith((".html", ".json", ".xml", ".md", ".txt", ".csv")) for name in written
        )
        self.server.publish(INDEXING, reloads_all=has_new_assets)
        _log.info(
            "Reloading browsers: %s files written in %.1f s", len(written), time.monotonic() - start
        )
        self.builder.start_indexing()
        if self.builder.index.wait(_INDEXING_PATIENCE):
            self.finish_indexing()
        self.watcher.watch(self.builder.list_watched())


def collect_garbage() -> None:
    """Remove the garbage of the last build.

    This leaves out the objects of the first build, which are frozen, because the search of millions
    of objects stops all threads for seconds. After changes of many files, it searches all objects
    once, and freezes them.
    """
    gc.collect()
    if len(gc.get_objects()) > _MANY_OBJECTS:
        gc.unfreeze()
        gc.collect()
        gc.freeze()


def serve_preview(root: Path, address: str | None) -> None:
    """Serve a preview until the process is interrupted. Raises BuildError and OSError."""
    logging.getLogger("mkdocs.commands.build").addFilter(_is_no_dirty_warning)
    with tempfile.TemporaryDirectory(prefix="handbook_") as site:
        builder = SiteBuilder(root, Path(site), address)
        try:
            watcher = Watcher([root / name for name in (DOCS, *MOUNTED, FILE)])
            builder.build()
            gc.freeze()
            watcher.watch(builder.list_watched())
            host, port = builder.config.dev_addr
            with PreviewServer((host, port), Path(site), builder.mount_path) as server:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                _log.info("Serving on %s", builder.url)
                try:
                    Preview(builder, server, watcher).run()
                except KeyboardInterrupt:
                    _log.info("Shutting down...")
                finally:
                    server.stop()
        finally:
            builder.stop()


def _is_no_dirty_warning(record: logging.LogRecord) -> bool:
    """Leave out the warning of MkDocs about stale pages, which this preview does not have."""
    return "'dirty' build" not in record.getMessage()
