"""Edits of a record in a preview: the seconds from the save to the reloaded page in Chromium."""

from __future__ import annotations

import re
import socket
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page

from benchmarks.processes import CommandError, list_processes, run_server

_SHOWS_TITLE: Final = "title => document.body && document.body.innerText.includes(title)"
_IS_UPDATED: Final = """title => document.body.innerText.includes(title)
  && document.getElementById("hb-preview")?.hidden"""
_PAUSE: Final = 2.0
"""Seconds between the end of an edit and the next one."""


@dataclass(frozen=True)
class Preview:
    """Command of a preview, and the record that is edited. `address` is the path of its page."""

    command: Callable[[int], Sequence[str]]
    folder: Path
    file: Path
    address: str
    environment: Mapping[str, str]
    is_ours: bool = False


@dataclass(frozen=True)
class Edit:
    """Seconds from a save to the reloaded page, and to everything that changes, the search too.

    Only our preview tells when everything is updated: it hides its message.
    """

    page: float
    everything: float | None = None


def measure_edits(browser: Browser, preview: Preview, number: int, patience: float) -> list[Edit]:
    """Start a preview, and change the title of a record `number` times.

    Raises CommandError if the preview does not answer within `patience` seconds.
    """
    port = _find_port()
    url = f"http://127.0.0.1:{port}{preview.address}"
    with run_server(preview.command(port), preview.folder, preview.environment) as process:
        _wait_for_page(url, patience)
        _wait_for_search(process, patience)
        page = browser.new_page()
        try:
            page.goto(url, timeout=60_000)
            page.wait_for_timeout(3_000)
            # The first edit is not counted, because it loads modules.
            edits = [
                _edit_title(page, preview, f"measured {turn}", patience)
                for turn in range(number + 1)
            ]
        finally:
            page.close()
    return edits[1:]


def _edit_title(page: Page, preview: Preview, mark: str, patience: float) -> Edit:
    text = preview.file.read_text(encoding="utf-8")
    title = re.search(r"^# (.*?)(?: measured \d+)?$", text, re.MULTILINE)
    if title is None:
        raise CommandError(f"{preview.file.name} has no title")
    new_title = f"{title[1]} {mark}"
    start = time.perf_counter()
    preview.file.write_text(text.replace(title[0], f"# {new_title}", 1), encoding="utf-8")
    timeout = 1000 * patience
    page.wait_for_function(_SHOWS_TITLE, arg=new_title, timeout=timeout)
    seconds = time.perf_counter() - start
    if not preview.is_ours:
        time.sleep(_PAUSE)
        return Edit(seconds)
    page.wait_for_function(_IS_UPDATED, arg=new_title, timeout=timeout)
    everything = time.perf_counter() - start
    time.sleep(_PAUSE)
    return Edit(seconds, everything)


def _find_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def _wait_for_page(url: str, patience: float) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - a local server
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise CommandError(f"the preview did not answer within {patience:.0f} s")


def _wait_for_search(process: int, patience: float) -> None:
    """Wait until a preview has no other process, because Pagefind indexes in one."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if len(list(list_processes(process))) <= 1:
            return
        time.sleep(0.02)
    raise CommandError(f"the search index was not written within {patience:.0f} s")
