"""The search index of a preview, which is right soon after an edit.

Pagefind cannot replace one page of an index. So a preview has two indexes: one of all pages, and a
small one of the pages that have changed since then. The script `preview-search.js` searches both,
and leaves out the old versions of these pages. Later, a process with low priority indexes all pages
again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from handbook.engines.kept import Stamp
from handbook.engines.mounting import NOT_SEARCHED
from handbook.site import finish
from handbook.site.index_parts import read_page_ids

QUIET: Final = 30.0
"""Seconds without an edit after which all pages are indexed again."""
_LOWEST_PRIORITY: Final = 19
_FOLDER: Final = ".search"
"""The folder of the site with the indexes. MkDocs keeps it when it cleans the site."""
_WHOLE, _EDITS, _NEW, _OLD, _PAGES = "whole", "edits", "new", "old", "pages"
_ARTICLE: Final = re.compile(rb"<article\b[^>]*\bmd-content__inner\b.*</article>", re.DOTALL)
"""The part of a page that is searched. A redirect has none."""
_LISTED: Final = re.compile(
    rb'<div class="hb-table" [^>]*>\s*<table\b[^>]*>.*?</table>|<ul class="hb-all">.*?</ul>',
    re.DOTALL,
)
"""A table or list of other pages, which the search skips (`site/finish.py`).

It changes with each of these pages.
"""
_log = logging.getLogger("mkdocs.plugins.handbook")


@dataclass(frozen=True)
class SearchState:
    """What the search in a browser reads: the indexes, and the old pages in the first of them.

    A page forgets what it has loaded when the version changes. The folders are relative to the
    site. Pagefind has made the ids.
    """

    version: int = 0
    folders: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


@dataclass(frozen=True)
class _SearchedPage:
    """The digest of the text of a page, or None if the page is not searched."""

    stamp: Stamp
    digest: bytes | None


@dataclass(frozen=True)
class _Indexing:
    """The writing of an index. Without a page to index, there is no process."""

    name: str
    process: subprocess.Popen[str] | None


class PreviewIndex:
    """Keeps the search index of a preview right. `site` is the folder of the built site."""

    def __init__(self, site: Path, quiet: float = QUIET) -> None:
        self.site, self.quiet = site, quiet
        self.folder = site / _FOLDER
        self.state = SearchState()
        self.pages: dict[str, _SearchedPage] = {}
        self.texts: dict[str, bytes] = {}
        """The digests of all pages that are searched."""
        self.indexed_texts: Mapping[str, bytes] = {}
        """The digests that these pages had in the index of all pages."""
        self.ids: Mapping[str, str] = {}
        """The ids of the pages in the index of all pages, by their addresses."""
        self.indexing: _Indexing | None = None
        self.renewal: float | None = None
        """The time at which all pages are indexed again."""

    def start(self, files: Iterable[str]) -> None:
        """Start to index the changed pages. `files` are the files of the site, after a build.

        If there is no index yet, or if most pages have changed, it indexes all pages.
        """
        self.stop()
        self.read_pages(files)
        edited = [name for name, text in self.texts.items() if self.indexed_texts.get(name) != text]
        if not self.ids or 2 * len(edited) > len(self.texts):
            self.start_process(_WHOLE, self.site)
        elif edited:
            self.start_process(_EDITS, self.copy_pages(edited))
        else:
            self.indexing = _Indexing(_EDITS, None)

    def wait(self, patience: float) -> bool:
        """Wait some seconds for the index of the changed pages. Tell whether it is complete."""
        if self.indexing is None or self.indexing.name == _WHOLE:
            return False
        if self.indexing.process:
            try:
                self.indexing.process.wait(patience)
            except subprocess.TimeoutExpired:
                return False
        return True

    def finish(self) -> bool:
        """Publish an index that is complete. Return True once, when the indexing has ended.

        After some time without an edit, this starts to index all pages again.
        """
        if self.indexing is None:
            if self.renewal and self.renewal <= time.monotonic():
                self.renewal = None
                self.start_process(_WHOLE, self.site, is_urgent=False)
            return False
        process = self.indexing.process
        if process and process.poll() is None:
            return False
        if process and process.returncode:
            _log.warning("the search index could not be written")
        elif self.indexing.name == _WHOLE:
            self.publish_whole()
        else:
            self.publish_edits()
        self.clean()
        return True

    def stop(self) -> None:
        """Stop the indexing, until the next start."""
        self.renewal = None
        if self.indexing and self.indexing.process:
            self.indexing.process.kill()
        self.clean()

    def clean(self) -> None:
        """Remove what only a running process needs."""
        if self.indexing and self.indexing.process:
            with self.indexing.process:
                pass  # This waits for its end, and closes its pipes.
        self.indexing = None
        for name in (_NEW, _OLD, _PAGES):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def start_process(self, name: str, source: Path, *, is_urgent: bool = True) -> None:
        """Start a process that writes the index with a name, of the pages in a folder."""
        process = finish.start_indexing(self.folder / _NEW, source=source)
        self.indexing = _Indexing(name, process)
        if not is_urgent and hasattr(os, "setpriority"):  # Windows has no such function.
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, process.pid, _LOWEST_PRIORITY)

    def copy_pages(self, names: Iterable[str]) -> Path:
        """Copy pages into a folder of their own, because Pagefind reads a whole folder."""
        folder = self.folder / _PAGES
        for name in names:
            copy = folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.site / name, copy)
        return folder

    def read_pages(self, files: Iterable[str]) -> None:
        """Read the digests of all pages. Pages with the same stamp as before are not read."""
        pages = {}
        for name in files:
            if name.rpartition("/")[2] != "index.html":
                continue
            file = self.site / name
            with suppress(FileNotFoundError):
                stamp, page = Stamp.of(file.stat()), self.pages.get(name)
                if page is None or page.stamp != stamp:
                    page = _SearchedPage(stamp, _digest(file.read_bytes()))
                pages[name] = page
        self.pages = pages
        self.texts = {name: page.digest for name, page in pages.items() if page.digest}

    def publish_whole(self) -> None:
        """Use the new index of all pages alone."""
        if not self.replace(_WHOLE):
            return
        self.indexed_texts = self.texts
        self.ids = {}
        with suppress(ValueError, KeyError):
            self.ids = read_page_ids(self.folder / _WHOLE / finish.INDEX)
        self.set_state([_WHOLE], [])

    def publish_edits(self) -> None:
        """Use the new index of the changed pages, and leave out the old versions of these pages."""
        folders = [_WHOLE, _EDITS] if self.replace(_EDITS) else [_WHOLE]
        replaced = [
            self.ids[address]
            for name, text in self.indexed_texts.items()
            if self.texts.get(name) != text
            and (address := f"/{name.removesuffix('index.html')}") in self.ids
        ]
        self.set_state(folders, replaced)
        if replaced or len(folders) > 1:
            self.renewal = time.monotonic() + self.quiet

    def replace(self, name: str) -> bool:
        """Replace an index by the new one, and tell whether there is a new one."""
        new, target = self.folder / _NEW, self.folder / name
        if not new.is_dir():
            return False
        if target.is_dir():
            target.rename(self.folder / _OLD)
        new.rename(target)
        return True

    def set_state(self, folders: Iterable[str], replaced: Iterable[str]) -> None:
        """Set the state of the search, with a new version."""
        paths = (f"{_FOLDER}/{name}/{finish.INDEX}/" for name in folders)
        self.state = SearchState(self.state.version + 1, tuple(paths), tuple(replaced))


def _digest(html: bytes) -> bytes | None:
    """Return the digest of the text that is searched, or None if nothing is."""
    article = _ARTICLE.search(html)
    if article is None or NOT_SEARCHED.encode() in article[0]:
        return None
    return hashlib.sha256(_LISTED.sub(b"", article[0])).digest()
